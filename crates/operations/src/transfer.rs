//! A whole tenant as lines of JSON: out of one database, into an empty tenant of another.
//!
//! The first line is a header and the last one says how many there were, so that a file that was cut off is noticed. No line
//! holds a secret: API keys are metadata, invitations have no token, integrations say only that a secret was there. What does not
//! come back as it was stands in [`LEFT_BEHIND`], each with its reason.

mod coverage;
mod export;
mod import;
mod lines;

use std::fs::File;

use tenantry_domain::{Action, Credential, Error, InTenant};
use tenantry_persistence::Store;

pub use self::{
    coverage::{LEFT_BEHIND, LeftBehind},
    export::unwritten,
    lines::Counts,
};

/// Writes all of the caller's tenant into the file, as it was at one moment, in place of what the file holds. A page at a time:
/// it does not matter how much there is. A deleted tenant can be exported until it is erased.
///
/// # Errors
///
/// Those of [`Store::survey`], and `Internal` for a file that cannot be written. The file then holds a part.
pub async fn export(store: &Store, credential: &Credential, file: File) -> Result<Counts, Error> {
    store.survey(credential, InTenant, Action::TenantExport, move |tx| export::all(tx, &file)).await
}

/// Reads what [`export()`] wrote into the caller's tenant, all of it or nothing. The tenant takes over name and defaults; its own
/// default brand makes way, and its limits stay. Ids, numbers, versions and times are kept, and no number is given again. Pending
/// invitations are expired here, and can be sent again. API keys and audit events are skipped.
///
/// # Errors
///
/// Those of [`Store::write`]; `Conflict` for a tenant that has more than its default brand and keys, and for more than its limits
/// allow; `Invalid` for the first line that is not good, by its number.
pub async fn import(store: &Store, credential: &Credential, file: File) -> Result<Counts, Error> {
    store.write(credential, InTenant, Action::TenantImport, move |tx| import::all(tx, &file)).await
}
