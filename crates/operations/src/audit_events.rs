//! The audit log, to be read.

use tenantry_domain::{Action, AuditRecord, Credential, Error, InTenant, Page, PageRequest};
use tenantry_persistence::{AuditFilter, Store};

/// A page of the tenant's audit log.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn list(
    store: &Store,
    credential: &Credential,
    filter: AuditFilter,
    page: PageRequest,
) -> Result<Page<AuditRecord>, Error> {
    store.read(credential, InTenant, Action::AuditEventList, move |tx| tx.audit_events(&filter, &page)).await
}
