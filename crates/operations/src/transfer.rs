//! A whole tenant as lines of JSON: out of one database, and into another, as a copy in an empty tenant or as the tenant that it was.
//!
//! The first line is a header and the last one says how many there were, so that a file that was cut off is noticed. No line
//! holds a secret, unless it is sealed under the key of the transfer: else API keys are metadata, invitations have no token, integrations
//! say only that a secret was there. What does not come back as it was stands in [`LEFT_BEHIND`], each with its reason.

mod compare;
mod coverage;
mod export;
mod import;
mod lines;
mod sealing;

use std::fs::File;

use tenantry_domain::{Action, Credential, Error, InTenant, Platform, TenantId};
use tenantry_persistence::Store;

pub use self::{
    compare::Compared,
    coverage::{LEFT_BEHIND, LeftBehind},
    export::unwritten,
    lines::Counts,
    sealing::Sealing,
};

/// Writes all of the caller's tenant into the file, as it was at one moment, in place of what the file holds. A page at a time:
/// it does not matter how much there is. A deleted tenant can be exported until it is erased.
///
/// # Errors
///
/// Those of [`Store::survey`], and `Internal` for a file that cannot be written. The file then holds a part.
pub async fn export(store: &Store, credential: &Credential, file: File) -> Result<Counts, Error> {
    store.survey(credential, InTenant, Action::TenantExport, move |tx| export::all(tx, &file, None)).await
}

/// [`export()`] with the secrets of the tenant, which go into the file sealed under the key of the transfer; and with emails that wait.
///
/// # Errors
///
/// Those of [`export()`], and `Conflict` for a secret that does not open.
pub async fn export_sealed(
    store: &Store,
    credential: &Credential,
    file: File,
    sealing: Sealing,
) -> Result<Counts, Error> {
    store.survey(credential, InTenant, Action::TenantExport, move |tx| export::all(tx, &file, Some(&sealing))).await
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
    store.write(credential, InTenant, Action::TenantImport, move |tx| import::into_tenant(tx, &file)).await
}

/// Reads what [`export()`] wrote as the tenant that it was, with its id, limits and state, all of it or nothing. Afterwards it is frozen.
/// Secrets come along if they were sealed under this key of the transfer, and with them API keys, pending invitations and emails that
/// wait. The audit log does not.
///
/// # Errors
///
/// Those of [`Store::write`]; `Conflict` for a tenant that is there already, and for another key; `Invalid` as at [`import()`].
pub async fn move_in(
    store: &Store,
    credential: &Credential,
    file: File,
    sealing: Option<Sealing>,
) -> Result<Counts, Error> {
    store.write(credential, Platform, Action::TenantImport, move |tx| import::moved(tx, &file, sealing.as_ref())).await
}

/// The tenant that a file is of.
///
/// # Errors
///
/// `Invalid` for a file that does not begin as an export.
pub fn tenant_of(file: &File) -> Result<TenantId, Error> {
    compare::tenant_of(file)
}

/// Compares what is in the caller's tenant with a file, row by row: at the place where it was exported, or where it was imported. The
/// audit log is not compared, nor since when it was frozen. Secrets are, with the key under which they are sealed in the file.
///
/// # Errors
///
/// Those of [`Store::read`]; `Conflict` for another key; `Invalid` for a line that is not good.
pub async fn compare(
    store: &Store,
    credential: &Credential,
    file: File,
    sealing: Option<Sealing>,
) -> Result<Compared, Error> {
    store
        .heavy()
        .read(credential, InTenant, Action::TenantExport, move |tx| compare::all(tx, &file, sealing.as_ref()))
        .await
}
