//! The id of the request that is being answered, for the log, for headers and for the bodies of failures.

use std::future::Future;

use actix_web::http::header::HeaderName;
use tenantry_domain::TenantId;
use tracing::Span;

tokio::task_local! {
    static REQUEST_ID: String;
}

/// The header in which a request's id comes and goes.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of the request that is being answered; empty outside of one.
pub(crate) fn request_id() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_default()
}

/// Does this work as the request with this id.
pub(crate) async fn within<T>(id: String, work: impl Future<Output = T>) -> T {
    REQUEST_ID.scope(id, work).await
}

/// [`within`], for work that does not wait.
pub(crate) fn at_once<T>(id: String, work: impl FnOnce() -> T) -> T {
    REQUEST_ID.sync_scope(id, work)
}

/// Notes in the log whose request this is.
pub(crate) fn of_tenant(tenant: TenantId) {
    Span::current().record("tenant", tracing::field::display(tenant));
}
