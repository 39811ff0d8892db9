//! `tenantry tenant erase`.

use clap::Args;
use serde_json::json;
use tenantry_domain::TenantId;
use tenantry_persistence::{EraseError, Eraser};

use super::tenant_id;
use crate::{database::Database, erasure::erase_due, exit::Exit, output::Output, settings::Settings};

#[derive(Args)]
pub(crate) struct Erase {
    /// Erase only the tenant with this id; fails if it cannot be erased yet
    #[arg(long)]
    tenant: Option<String>,
}

pub(super) fn run(erase: &Erase, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let only = erase.tenant.as_deref().map(tenant_id).transpose()?;
    let database = Database::open_migrated(settings)?;
    let outcome = database.eraser().and_then(|mut eraser| act(&mut eraser, only, output));
    database.close()?;
    outcome.map_err(|exit| super::super::as_owner(exit, settings, "tenants can be erased"))
}

fn act(eraser: &mut Eraser, only: Option<TenantId>, output: &Output) -> Result<(), Exit> {
    let (erased, fault) = match only {
        Some(id) if eraser.erase(id)? => (vec![id], None),
        Some(_) => return Err(Exit::conflict("the tenant is locked by another process: try again later")),
        None => erase_due(eraser)?,
    };
    let ids: Vec<_> = erased.iter().map(ToString::to_string).collect();
    output.print(&json!({ "erased": ids }), || match ids.as_slice() {
        [] => "nothing to erase".to_owned(),
        ids => ids.iter().map(|id| format!("erased  {id}")).collect::<Vec<_>>().join("\n"),
    })?;
    fault.map_or(Ok(()), |fault| Err(fault.into()))
}

impl From<EraseError> for Exit {
    fn from(error: EraseError) -> Self {
        let message = error.to_string();
        match error {
            EraseError::NotFound => Self::not_found(message),
            EraseError::NotDeleted | EraseError::NotDue(_) => Self::conflict(message),
            EraseError::Connect(_) => Self::database(message),
            EraseError::Database(_) => Self::failed(message),
        }
    }
}
