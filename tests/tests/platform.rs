//! The platform over HTTP: tenants as such, their state and their limits, and nothing of what is inside them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends when something is not as it must be")]

#[path = "platform/access.rs"]
mod access;
#[path = "platform/create.rs"]
mod create;
#[path = "platform/inside.rs"]
mod inside;
#[path = "platform/lifecycle.rs"]
mod lifecycle;
#[path = "platform/limits.rs"]
mod limits;
#[path = "platform/lists.rs"]
mod lists;
#[path = "platform/log.rs"]
mod log;
#[path = "platform/update.rs"]
mod update;

use tenantry_tests::Tenant;

/// Where the platform finds a tenant.
fn path(tenant: &Tenant) -> String {
    format!("/api/admin/tenants/{}", tenant.id)
}
