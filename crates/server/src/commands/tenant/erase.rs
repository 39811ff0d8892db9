//! `tenantry tenant erase`.

use clap::Args;
use serde_json::{Value, json};
use tenantry_domain::{TenantId, counted};
use tenantry_persistence::{EraseError, Erased};

use crate::{
    commands::as_owner,
    consent::{Consent, Manner, ask, print_plan, thing},
    database::{Database, with_store},
    erasure::erase_due,
    exit::Exit,
    named::{self, Meant},
    output::Output,
    settings::Settings,
};

#[derive(Args)]
pub(crate) struct Erase {
    /// Erase only this tenant, named by its id or its name. Default: all that can be erased
    #[arg(long)]
    tenant: Option<String>,
    #[command(flatten)]
    consent: Consent,
}

pub(super) fn run(erase: &Erase, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let manner = erase.consent.manner()?;
    let only = erase.tenant.as_deref().map(|named| id_of(named, settings)).transpose()?;
    let database = Database::open_migrated(settings)?;
    let outcome = act(&database, only, manner, output);
    database.close()?;
    outcome.map_err(|exit| as_owner(exit, settings, "tenants can be erased"))
}

/// The owner needs no role of the service, as long as nobody asks for a name.
fn id_of(named: &str, settings: &Settings) -> Result<TenantId, Exit> {
    match named.parse() {
        Ok(id) => Ok(id),
        Err(_) => with_store(settings, async |store| named::tenant(store, named, Meant::Deleted).await),
    }
}

fn act(database: &Database, only: Option<TenantId>, manner: Manner, output: &Output) -> Result<(), Exit> {
    // Nothing is erased that was not in the question, whatever becomes due until the answer.
    let mut agreed = None;
    if manner != Manner::Act {
        let due = rehearse(database, only)?;
        let (would, plan) = (would(&due), json!({ "erase": due.iter().map(plan).collect::<Vec<_>>() }));
        match manner {
            Manner::Rehearse => return print_plan(output, &plan, &would),
            _ if due.is_empty() => {}
            _ => ask(&would)?,
        }
        agreed = Some(due.iter().map(|erased| erased.tenant).collect());
    }
    let mut eraser = database.eraser()?;
    let (erased, fault) = match only {
        Some(id) if eraser.erase(id)?.is_some() => (vec![id], None),
        Some(_) => return Err(locked()),
        None => {
            let due = agreed.map_or_else(|| eraser.due(), Ok)?;
            erase_due(&mut eraser, due)
        }
    };
    let ids: Vec<_> = erased.iter().map(ToString::to_string).collect();
    output.print(&json!({ "erased": ids }), || match ids.as_slice() {
        [] => "nothing to erase".to_owned(),
        ids => ids.iter().map(|id| format!("erased  {id}")).collect::<Vec<_>>().join("\n"),
    })?;
    fault.map_or(Ok(()), |fault| Err(fault.into()))
}

fn rehearse(database: &Database, only: Option<TenantId>) -> Result<Vec<Erased>, Exit> {
    let mut eraser = database.eraser()?;
    match only {
        Some(id) => Ok(vec![eraser.rehearse(id)?.ok_or_else(locked)?]),
        None => {
            let mut found = Vec::new();
            for id in eraser.due()? {
                match eraser.rehearse(id) {
                    // One that somebody has locked or restored meanwhile would not be erased either.
                    Ok(erased) => found.extend(erased),
                    Err(EraseError::NotFound | EraseError::NotDeleted | EraseError::NotDue(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(found)
        }
    }
}

fn locked() -> Exit {
    Exit::conflict("the tenant is locked by another process: try again later")
}

fn plan(erased: &Erased) -> Value {
    let rows: serde_json::Map<_, _> =
        erased.rows.iter().map(|(table, rows)| ((*table).to_owned(), json!(rows))).collect();
    json!({ "tenant": thing(erased.tenant, &erased.name), "rows": rows })
}

fn would(due: &[Erased]) -> String {
    if due.is_empty() {
        return "There is nothing to erase.".to_owned();
    }
    let line = |erased: &Erased| {
        let rows: Vec<_> = erased
            .rows
            .iter()
            .filter(|(_, rows)| *rows > 0)
            .map(|(table, rows)| format!("{rows} {}", table.replace('_', " ")))
            .collect();
        format!("\n  {}  {}: {}", erased.tenant, erased.name, rows.join(", "))
    };
    let lines: String = due.iter().map(line).collect();
    format!(
        "This erases {}, with everything in them, for good. Only a backup brings them back, or an export: make one first with `tenantry backup FILE` or \
         `tenantry tenant export`.\nRows by table:{lines}",
        counted(due.len() as u64, "deleted tenant")
    )
}

impl From<EraseError> for Exit {
    fn from(error: EraseError) -> Self {
        let message = error.to_string();
        match error {
            EraseError::NotFound => Self::not_found(message),
            EraseError::NotDeleted | EraseError::NotDue(_) => Self::conflict(message),
            EraseError::Connect(_) => Self::database(message),
            EraseError::Database(_) | EraseError::Platform(_) => Self::failed(message),
        }
    }
}
