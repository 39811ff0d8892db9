//! Workspaces by their numbers, each verb in one visit to the door: list, show all that there is to know of one, create, update,
//! delete. Whatever changes something answers with the list as it then is.

use tenantry_auth::seal::MasterKeys;
use tenantry_domain::{
    Action, Change, Credential, Error, InBrand, InTenant, InWorkspace, Integration, IntegrationPatch, Labels,
    LocaleRequest, NewWorkspace, Precondition, Provider, Slot, SlotHolder, Workspace, WorkspaceLimitsPatch,
    WorkspaceName, WorkspaceNumber, WorkspacePatch, permit,
};
use tenantry_persistence::{Fault, Store, TenantPlace, Tx, WorkspaceFacts, new_id};

use crate::{
    integrations,
    limits::{self, LimitsAndUse},
    workspaces,
};

/// The number and the name of every workspace that the caller sees, by number.
pub type NumberedList = Vec<(WorkspaceNumber, String)>;

/// Every workspace that the caller can see.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn list(store: &Store, credential: &Credential) -> Result<NumberedList, Error> {
    store.read(credential, InTenant, Action::WorkspaceList, |tx| tx.numbered_workspaces()).await
}

/// The list after a change: empty for a caller who may change and not list.
pub(crate) fn list_in<P: TenantPlace>(tx: &mut Tx<'_, P>) -> Result<NumberedList, Fault> {
    if tx.allows(Action::WorkspaceList) { tx.numbered_workspaces() } else { Ok(Vec::new()) }
}

/// All that there is to know of a workspace.
#[derive(Debug, Clone)]
pub struct Overview {
    /// Its number.
    pub number: WorkspaceNumber,
    /// The workspace.
    pub workspace: Workspace,
    /// Its limits, and how much of them is used.
    pub limits: LimitsAndUse,
    /// Its integrations that were ever made; `None` for a caller who may not see them.
    pub integrations: Option<Vec<Integration>>,
    /// Who has a slot in it: members, and invitations for a caller who may list them; `None` for a caller who may not see members.
    pub slots: Option<Vec<Slot>>,
}

/// All that there is to know of a workspace, as it was at one moment.
///
/// # Errors
///
/// Those of [`Store::workspace_facts`].
pub async fn overview(store: &Store, credential: &Credential, number: WorkspaceNumber) -> Result<Overview, Error> {
    let (grant, facts) = store.workspace_facts(credential, InWorkspace::Number(number)).await?;
    let allows = |action| permit(&grant, action).is_ok();
    let WorkspaceFacts { workspace, limits, agents, month, integrations, mut slots } = facts;
    let limits = LimitsAndUse { limits, members: slots.len() as i64, agents, month };
    if !allows(Action::InvitationList) {
        slots.retain(|slot| matches!(slot.holder, SlotHolder::Member(_)));
    }
    Ok(Overview {
        number,
        integrations: allows(Action::IntegrationList).then_some(integrations),
        workspace,
        limits,
        slots: allows(Action::AssignmentList).then_some(slots),
    })
}

/// Creates a workspace of a name under the caller's default brand; the rest is the brand's and the tenant's.
///
/// # Errors
///
/// Those of [`workspaces::create`].
pub async fn create(store: &Store, credential: &Credential, name: WorkspaceName) -> Result<NumberedList, Error> {
    let new = NewWorkspace {
        name,
        locale: LocaleRequest::default(),
        workspace_instructions: None,
        email_signature_html: None,
        email_signature_text: None,
        labels: Labels::default(),
    };
    let id = new_id();
    let created = store
        .heavy()
        .write(credential, InBrand::Default, Action::WorkspaceCreate, move |tx| {
            let created = workspaces::create_in(tx, id, &new)?;
            Ok(created.giving(list_in(tx)?))
        })
        .await;
    created.map_err(workspaces::brand_as_field)
}

/// What [`update`] changes. What a part leaves out stays.
#[derive(Debug, Clone)]
pub struct WorkspaceChanges {
    /// Of the workspace itself.
    pub workspace: WorkspacePatch,
    /// Of its limits.
    pub limits: Option<WorkspaceLimitsPatch>,
    /// Of its integrations.
    pub integrations: Vec<(Provider, IntegrationPatch)>,
}

/// Changes a workspace, its limits and its integrations: all of it, or nothing.
///
/// # Errors
///
/// Those of [`Store::write`]; `Forbidden` before the first change, for a caller who may not make all of them.
pub async fn update(
    store: &Store,
    keys: &MasterKeys,
    credential: &Credential,
    number: WorkspaceNumber,
    changes: WorkspaceChanges,
) -> Result<NumberedList, Error> {
    let (place, keys) = (InWorkspace::Number(number), keys.clone());
    store
        .heavy()
        .write(credential, place, Action::WorkspaceUpdate, move |tx| {
            let WorkspaceChanges { workspace, limits, integrations } = &changes;
            if limits.is_some() {
                tx.permit(Action::LimitsUpdate)?;
            }
            if !integrations.is_empty() {
                tx.permit(Action::IntegrationUpdate)?;
            }
            if limits.is_some() || !integrations.is_empty() {
                // The tenant before the workspace, as whoever changes limits or secrets locks them.
                tx.lock_tenant()?;
            }
            let any = &Precondition::None;
            tx.step(place, Action::WorkspaceUpdate, |tx| workspaces::update_in(tx, any, workspace))?;
            if let Some(limits) = limits {
                tx.step(place, Action::LimitsUpdate, |tx| limits::update_in(tx, any, limits))?;
            }
            for (provider, patch) in integrations {
                tx.step(place, Action::IntegrationUpdate, |tx| integrations::set_in(tx, &keys, *provider, any, patch))?;
            }
            Ok(Change::nothing(list_in(tx)?))
        })
        .await
}

/// Deletes a workspace: it is hidden at once and can be restored until it is erased.
///
/// # Errors
///
/// Those of [`Store::write`].
pub async fn delete(store: &Store, credential: &Credential, number: WorkspaceNumber) -> Result<NumberedList, Error> {
    store
        .heavy()
        .write(credential, InWorkspace::Number(number), Action::WorkspaceDelete, |tx| {
            let deleted = workspaces::delete_in(tx, &Precondition::None)?;
            Ok(deleted.giving(list_in(tx)?))
        })
        .await
}
