//! What is known of the request that is being answered without handing it around: its id, for the log, for headers and for the bodies of
//! failures, and where its caller finds the service.

use std::future::Future;

use actix_web::{http::header::HeaderName, web::Data};
use tenantry_domain::TenantId;
use tracing::Span;

use crate::service::Service;

tokio::task_local! {
    static REQUEST: Asked;
}

/// What is known of a request.
pub(crate) struct Asked {
    /// Its id.
    pub(crate) id: String,
    /// What answers it.
    pub(crate) service: Option<Data<Service>>,
}

/// The header in which a request's id comes and goes.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of the request that is being answered; empty outside of one.
pub(crate) fn request_id() -> String {
    REQUEST.try_with(|asked| asked.id.clone()).unwrap_or_default()
}

/// The address of a path of the service, as the caller finds it: absolute where the service is told its public address.
pub(crate) fn public_address(path: &str) -> String {
    let base = REQUEST.try_with(|asked| Some(asked.service.as_ref()?.front.url.as_ref()?.as_str().to_owned()));
    format!("{}{path}", base.ok().flatten().unwrap_or_default())
}

/// Does this work as this request.
pub(crate) async fn within<T>(asked: Asked, work: impl Future<Output = T>) -> T {
    REQUEST.scope(asked, work).await
}

/// [`within`], for work that does not wait.
pub(crate) fn at_once<T>(asked: Asked, work: impl FnOnce() -> T) -> T {
    REQUEST.sync_scope(asked, work)
}

/// Notes in the log whose request this is.
pub(crate) fn of_tenant(tenant: TenantId) {
    Span::current().record("tenant", tracing::field::display(tenant));
}
