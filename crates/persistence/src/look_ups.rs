//! The questions that are asked most: which workspace is this, and may this caller see it? Who is this caller? In the
//! [lane](crate::lane) if there is one, and else at the [door](crate::door), with the same answer.

use tenantry_domain::{
    Action, Actor, ApiKey, Brand, Credential, Error, Identified, InTenant, InWorkspace, LimitsInForce, Member, Noun,
    Reach, Tenant, TenantId, Workspace,
};
use uuid::Uuid;

use crate::{
    admission::{Learned, judge},
    door::Store,
    fault::Fault,
    key_uses::KeyUse,
    lane::{Asks, CallerRows, EffectiveRows, Found, Question, Rows},
    places::{FoundInTenant, FoundWorkspace, Sight, WholeWorkspace},
    seats::Party,
};

const ACTION: Action = Action::WorkspaceRead;

/// The caller, its tenant and how much of it the caller sees.
#[derive(Debug)]
pub struct Me {
    /// The tenant.
    pub tenant: Tenant,
    /// Who it is.
    pub caller: Caller,
    /// How many workspaces it sees.
    pub visible_workspaces: i64,
}

/// Whom a tenant lets in.
#[derive(Debug)]
pub enum Caller {
    /// A machine, by this key.
    ApiKey(ApiKey),
    /// A person: this member.
    Member(Member),
}

/// Where a look-up stands, as far as it was found.
enum Stand {
    Tenant(TenantId),
    Workspace(FoundWorkspace),
}

impl FoundInTenant for Stand {
    fn tenant(&self) -> TenantId {
        match self {
            Self::Tenant(id) => *id,
            Self::Workspace(found) => found.tenant,
        }
    }

    fn is_at(&self) -> Option<(Noun, Uuid)> {
        match self {
            Self::Tenant(id) => FoundInTenant::is_at(id),
            Self::Workspace(found) => FoundInTenant::is_at(found),
        }
    }

    fn visible(&self, reach: Reach) -> bool {
        match self {
            Self::Tenant(id) => FoundInTenant::visible(id, reach),
            Self::Workspace(found) => FoundInTenant::visible(found, reach),
        }
    }
}

impl Stand {
    fn of(rows: &Rows, tenant: TenantId) -> Option<Self> {
        match rows {
            Rows::Workspace(found) => found.as_ref().map(|(place, _)| Self::Workspace(*place)),
            Rows::Effective(found) => found.as_ref().map(|(place, ..)| Self::Workspace(*place)),
            Rows::Caller(_) => Some(Self::Tenant(tenant)),
        }
    }
}

impl Store {
    /// A workspace.
    ///
    /// # Errors
    ///
    /// See [`Store::read`].
    pub async fn workspace(&self, credential: &Credential, place: InWorkspace) -> Result<Workspace, Error> {
        match self.look_up(credential, Asks::Workspace(place), (Workspace::NOUN, ACTION)).await? {
            Some((_, Rows::Workspace(Some((_, row))))) => row.into_workspace().map_err(Fault::into_error),
            _ => self.read(credential, WholeWorkspace(place), ACTION, |tx| tx.whole_workspace()).await,
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
        let rows = self.look_up(credential, Asks::Effective(place), (Workspace::NOUN, ACTION)).await?;
        if let Some((_, Rows::Effective(Some((_, row, more))))) = rows {
            let of_rows = || {
                let EffectiveRows { limits, tenant, brand } = *more;
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

    /// Who the caller is, in the eyes of its tenant.
    ///
    /// # Errors
    ///
    /// See [`Store::read`]; `Forbidden` for whoever is neither a key nor a member of a tenant.
    pub async fn me(&self, credential: &Credential) -> Result<Me, Error> {
        let rows = self.look_up(credential, Asks::Caller, (Tenant::NOUN, Action::MeRead)).await?;
        if let Some((reach, Rows::Caller(rows))) = rows {
            let of_rows = || {
                let CallerRows { tenant, key, member, workspaces, reached } = *rows;
                let caller = match (key, member) {
                    (Some(key), _) => Caller::ApiKey(key.into_api_key()?),
                    (None, Some(member)) => Caller::Member(member.into_member()?),
                    (None, None) => return Err(nobody().into()),
                };
                let visible_workspaces = match reach {
                    Reach::Tenant => workspaces,
                    Reach::Brand(_) | Reach::Workspace(_) | Reach::Assigned(_) => reached,
                    Reach::Nothing => 0,
                };
                Ok(Me { tenant: tenant.into_tenant()?, caller, visible_workspaces })
            };
            return of_rows().map_err(Fault::into_error);
        }
        self.read(credential, InTenant, Action::MeRead, |tx| {
            let caller = match *tx.actor() {
                Actor::ApiKey(id) => Caller::ApiKey(tx.api_key(id)?),
                Actor::Member(id) => Caller::Member(tx.member_with_id(id)?),
                _ => return Err(nobody().into()),
            };
            let (tenant, visible_workspaces) = tx.tenant_and_reached()?;
            Ok(Me { tenant, caller, visible_workspaces })
        })
        .await
    }

    /// What was read in the lane, if the caller may have it, and how far that reaches; `None` where the door has to be asked.
    async fn look_up(
        &self,
        credential: &Credential,
        asks: Asks,
        what: (Noun, Action),
    ) -> Result<Option<(Reach, Rows)>, Error> {
        let lane = self.lane.as_ref().filter(|_| !self.rehearsal).zip(credential.tenant());
        let Some((lane, tenant)) = lane else { return Ok(None) };
        let party = Party::of(credential, &self.recognised);
        let Some(answer) = lane.ask(party, Question::of(credential, asks)).await? else { return Ok(None) };
        let (sight, rows) =
            answer.map(|Found { known, rows }| (Sight { known, found: Stand::of(&rows, tenant) }, rows)).unzip();
        let mut learned = Learned::default();
        let judged = judge(credential, sight, what, &mut learned);
        learned.tell(&self.recognised, credential, judged.as_ref().err());
        self.refusals.tell(credential, what.1, &mut learned, judged.as_ref().err());
        if let Some(key) = learned.stale_key {
            self.key_uses.note(KeyUse { tenant, key }, || ());
        }
        let (_, grant, _) = judged.map_err(Fault::into_error)?;
        Ok(rows.map(|rows| (grant.reach(), rows)))
    }
}

fn nobody() -> Error {
    Error::forbidden("Only members and API keys of a tenant can do this.")
}
