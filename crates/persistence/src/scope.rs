//! All of one tenant, for queries that several places share.

use diesel::PgConnection;
use tenantry_domain::TenantId;

/// One tenant in a transaction. Each noun hangs its queries of a whole tenant here, and they are the same from every place in it.
pub(crate) struct TenantScope<'t> {
    pub(crate) connection: &'t mut PgConnection,
    pub(crate) tenant: TenantId,
}
