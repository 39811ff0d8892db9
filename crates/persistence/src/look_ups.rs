//! The question that is asked most: which workspace is this, and may this caller see it? In the [lane](crate::lane) if there is one, and
//! else at the [door](crate::door), with the same answer.

use tenantry_domain::{Action, Brand, Credential, Error, Identified, InWorkspace, LimitsInForce, Workspace};

use crate::{
    admission::{Learned, judge},
    door::Store,
    fault::Fault,
    lane::{EffectiveRows, Found, Question},
    places::WholeWorkspace,
    seats::Party,
    workspaces,
};

const ACTION: Action = Action::WorkspaceRead;

impl Store {
    /// A workspace.
    ///
    /// # Errors
    ///
    /// See [`Store::read`].
    pub async fn workspace(&self, credential: &Credential, place: InWorkspace) -> Result<Workspace, Error> {
        match self.look_up(credential, place, false).await? {
            Some((row, _)) => row.into_workspace().map_err(Fault::into_error),
            None => self.read(credential, WholeWorkspace(place), ACTION, |tx| tx.whole_workspace()).await,
        }
    }

    /// A workspace with what decides what is in force in it: its brand, and its limits together with the tenant's.
    ///
    /// # Errors
    ///
    /// See [`Store::read`].
    pub async fn workspace_with_brand(
        &self,
        credential: &Credential,
        place: InWorkspace,
    ) -> Result<(Workspace, Brand, LimitsInForce), Error> {
        if let Some((row, Some(EffectiveRows { limits, tenant, brand }))) =
            self.look_up(credential, place, true).await?
        {
            let of_rows = || {
                let in_force = limits.into_limits()?.within(tenant.into_tenant()?.limits);
                Ok((row.into_workspace()?, brand.into_brand()?, in_force))
            };
            return of_rows().map_err(Fault::into_error);
        }
        self.read(credential, place, ACTION, |tx| {
            Ok((tx.workspace()?, tx.brand_of_workspace()?, tx.limits()?.in_force))
        })
        .await
    }

    /// The rows, in the lane; `None` where the door has to be asked.
    async fn look_up(
        &self,
        credential: &Credential,
        place: InWorkspace,
        effective: bool,
    ) -> Result<Option<(workspaces::Row, Option<EffectiveRows>)>, Error> {
        let lane = self.lane.as_ref().filter(|_| !self.rehearsal).zip(credential.tenant());
        let Some((lane, tenant)) = lane else { return Ok(None) };
        let party = Party::of(credential, &self.recognised);
        let Some(answer) = lane.ask(party, Question::of(credential, place, effective)).await? else { return Ok(None) };
        let (sight, rows) = answer.map(|Found { sight, workspace, effective }| (sight, (workspace, effective))).unzip();
        let mut learned = Learned::default();
        let judged = judge(credential, sight, (Workspace::NOUN, ACTION), &mut learned);
        learned.tell(&self.recognised, credential, judged.as_ref().err());
        if let Some(key) = learned.stale_key {
            self.key_uses.note(tenant, key);
        }
        judged.map_err(Fault::into_error)?;
        Ok(rows.and_then(|(workspace, effective)| Some((workspace?, effective))))
    }
}
