//! The platform over HTTP: tenants as such, their state and their limits, and nothing of what is inside them.

mod access;
mod create;
mod inside;
mod lifecycle;
mod limits;
mod lists;
mod log;
mod update;

use tenantry_tests::Tenant;

/// Where the platform finds a tenant.
fn path(tenant: &Tenant) -> String {
    format!("/api/admin/tenants/{}", tenant.id)
}
