//! AI agents of a workspace: list, show, create, update, delete.

use tenantry_domain::{
    Action, Agent, AgentDetails, AgentId, AgentPatch, Change, Credential, Error, InWorkspace, Page, PageRequest,
    Precondition, WorkspaceId, Written,
};
use tenantry_persistence::{AgentFilter, Fault, Store, WriteTx, new_id};

/// A page of a workspace's agents.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn list(
    store: &Store,
    credential: &Credential,
    workspace: WorkspaceId,
    filter: AgentFilter,
    page: PageRequest,
) -> Result<Page<Agent>, Error> {
    store.read(credential, InWorkspace::Id(workspace), Action::AgentList, move |tx| tx.agents(&filter, &page)).await
}

/// An agent of a workspace.
///
/// # Errors
///
/// Those of [`Store::read`], and `NotFound` for an agent that is not in this workspace.
pub async fn show(store: &Store, credential: &Credential, workspace: WorkspaceId, id: AgentId) -> Result<Agent, Error> {
    store.read(credential, InWorkspace::Id(workspace), Action::AgentRead, move |tx| tx.agent(id)).await
}

/// Creates an agent in a workspace.
///
/// # Errors
///
/// Those of [`Store::write`], and `Conflict` where the workspace has as many agents as it may, or one with this reference.
pub async fn create(
    store: &Store,
    credential: &Credential,
    workspace: WorkspaceId,
    details: AgentDetails,
) -> Result<Written<Agent>, Error> {
    let (place, id) = (InWorkspace::Id(workspace), new_id());
    store.write_and_show(credential, place, Action::AgentCreate, move |tx| create_in(tx, id, &details)).await
}

pub(crate) fn create_in(
    tx: &mut WriteTx<'_, InWorkspace>,
    id: AgentId,
    details: &AgentDetails,
) -> Result<Change<Agent>, Fault> {
    let agent = tx.create_agent(id, details)?;
    let fields = agent.fields();
    Ok(Change::created(agent, id, &fields))
}

/// Changes an agent.
///
/// # Errors
///
/// Those of [`Store::write`], `NotFound` as for [`show`], `PreconditionFailed`, and `Conflict` for a reference that is taken.
pub async fn update(
    store: &Store,
    credential: &Credential,
    workspace: WorkspaceId,
    id: AgentId,
    precondition: Precondition,
    patch: AgentPatch,
) -> Result<Written<Agent>, Error> {
    store
        .write_and_show(credential, InWorkspace::Id(workspace), Action::AgentUpdate, move |tx| {
            let before = tx.lock_agent(id)?;
            tx.hold(&precondition, before.version)?;
            let details = before.details.patched(&patch)?;
            if details == before.details {
                return Ok(Change::nothing(before));
            }
            let after = tx.update_agent(&before, &details)?;
            Ok(Change::between(after, id, &before.details.fields(), &details.fields()))
        })
        .await
}

/// Deletes an agent, which frees its place.
///
/// # Errors
///
/// Those of [`Store::write`], `NotFound` as for [`show`], and `PreconditionFailed`.
pub async fn delete(
    store: &Store,
    credential: &Credential,
    workspace: WorkspaceId,
    id: AgentId,
    precondition: Precondition,
) -> Result<(), Error> {
    store
        .write(credential, InWorkspace::Id(workspace), Action::AgentDelete, move |tx| {
            let before = tx.lock_agent(id)?;
            tx.hold(&precondition, before.version)?;
            tx.delete_agent(id)?;
            Ok(Change::removed((), id, &before.fields()))
        })
        .await
}
