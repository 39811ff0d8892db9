//! All that there is to know of a workspace: in the [lane](crate::lane) if there is one, and else at the [door](crate::door), with the
//! same answer.

use tenantry_domain::{
    Action, Credential, Error, Grant, Identified, InWorkspace, Integration, MonthUse, Slot, Workspace,
};

use crate::{
    door::Store,
    fault::Fault,
    integrations,
    lane::{Asks, Contents, FactsRows, Rows},
    limits::{FoundLimits, Taken},
    look_ups::ACTION,
    slots,
    tx::Tx,
    usage::MonthRow,
    workspaces,
};

/// All that there is to know of a workspace, as it was at one moment. What of it may be told is for the policy to say.
#[derive(Debug)]
pub struct WorkspaceFacts {
    /// The workspace.
    pub workspace: Workspace,
    /// Its limits.
    pub limits: FoundLimits,
    /// How many agents there are.
    pub agents: i64,
    /// What was used in the present month.
    pub month: MonthUse,
    /// The integrations that were ever made, at most one for each provider.
    pub integrations: Vec<Integration>,
    /// Everybody with a slot in it, by number.
    pub slots: Vec<Slot>,
}

impl WorkspaceFacts {
    /// Of what was read in the lane.
    fn of_rows(row: workspaces::Row, more: FactsRows, contents: Contents) -> Result<Self, Fault> {
        let limits = more.limits.found(more.tenant)?;
        let Contents { clock, agents, months, integrations, slots } = contents;
        let used: Vec<_> = months.into_iter().map(MonthRow::into_use).collect();
        Ok(Self {
            workspace: row.into_workspace()?,
            agents,
            month: MonthUse::among(&used, limits.own.time_zone.month_at(clock)),
            limits,
            integrations: integrations::made(integrations)?,
            slots: slots::in_order(slots)?,
        })
    }

    /// Of the workspace that the transaction stands in.
    fn of(tx: &mut Tx<'_, InWorkspace>) -> Result<Self, Fault> {
        let (workspace, limits) = tx.workspace_and_limits()?;
        let Taken { agents, clock, .. } = tx.taken()?;
        let month = tx.month_use(limits.own.time_zone.month_at(clock))?;
        Ok(Self { workspace, limits, agents, month, integrations: tx.integrations()?, slots: tx.slots()? })
    }
}

impl Store {
    /// All that there is to know of a workspace, and what the caller has been given there, who may read the workspace and its limits.
    ///
    /// # Errors
    ///
    /// See [`Store::read`].
    pub async fn workspace_facts(
        &self,
        credential: &Credential,
        place: InWorkspace,
    ) -> Result<(Grant, WorkspaceFacts), Error> {
        let rows = self.look_up(credential, Asks::Facts(place), (Workspace::NOUN, ACTION)).await?;
        if let Some((grant, Rows::Facts(Some((_, row, mut more))))) = rows
            && let Some(contents) = more.contents.take()
        {
            let facts = WorkspaceFacts::of_rows(row, *more, contents).map_err(Fault::into_error)?;
            return Ok((grant, facts));
        }
        self.read(credential, place, ACTION, |tx| {
            tx.permit(Action::LimitsRead)?;
            Ok((tx.grant().clone(), WorkspaceFacts::of(tx)?))
        })
        .await
    }
}
