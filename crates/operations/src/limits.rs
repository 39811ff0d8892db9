//! Limits of a workspace: show, update.

use tenantry_domain::{
    Action, Change, Credential, Error, InWorkspace, MonthUse, Precondition, WorkspaceId, WorkspaceLimitsPatch, Written,
};
use tenantry_persistence::{Fault, FoundLimits, Store, Taken, Tx, WriteTx};

/// The limits of a workspace, and how much of them is used.
#[derive(Debug, Clone)]
pub struct LimitsAndUse {
    /// The limits.
    pub limits: FoundLimits,
    /// Members assigned to the workspace, with those who are invited to it.
    pub members: i64,
    /// AI agents in the workspace.
    pub agents: i64,
    /// What was used in the present month.
    pub month: MonthUse,
}

/// The limits of a workspace, and how much of them is used.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn show(store: &Store, credential: &Credential, workspace: WorkspaceId) -> Result<LimitsAndUse, Error> {
    store.read(credential, InWorkspace::Id(workspace), Action::LimitsRead, show_in).await
}

pub(crate) fn show_in(tx: &mut Tx<'_, InWorkspace>) -> Result<LimitsAndUse, Fault> {
    let limits = tx.limits()?;
    with_use(tx, limits)
}

/// Changes a workspace's own limits. One below current usage removes nothing; it only blocks additions.
///
/// # Errors
///
/// Those of [`Store::write`], and `PreconditionFailed`.
pub async fn update(
    store: &Store,
    credential: &Credential,
    workspace: WorkspaceId,
    precondition: Precondition,
    patch: WorkspaceLimitsPatch,
) -> Result<Written<LimitsAndUse>, Error> {
    store
        .write_and_show(credential, InWorkspace::Id(workspace), Action::LimitsUpdate, move |tx| {
            update_in(tx, &precondition, &patch)
        })
        .await
}

pub(crate) fn update_in(
    tx: &mut WriteTx<'_, InWorkspace>,
    precondition: &Precondition,
    patch: &WorkspaceLimitsPatch,
) -> Result<Change<LimitsAndUse>, Fault> {
    // Members take their slots while the tenant is locked.
    tx.lock_tenant()?;
    let before = tx.lock_limits()?;
    tx.hold(precondition, before.version)?;
    let own = before.own.patched(patch);
    if own == before.own {
        return Ok(Change::nothing(with_use(tx, before)?));
    }
    let after = tx.update_limits(&own)?;
    let workspace = tx.workspace_id();
    Ok(Change::between(with_use(tx, after)?, workspace, &before.own.fields(), &own.fields()))
}

fn with_use(tx: &mut Tx<'_, InWorkspace>, limits: FoundLimits) -> Result<LimitsAndUse, Fault> {
    let Taken { members, agents, clock } = tx.taken()?;
    let month = limits.own.time_zone.month_at(clock);
    Ok(LimitsAndUse { members, agents, month: tx.month_use(month)?, limits })
}
