//! The native API over HTTP, and its documentation page.
//!
//! [`serve`] answers requests on a listening socket. Handlers extract, call one operation and show a view; what goes wrong
//! becomes a status and a body in one place. This crate refuses to know SQL, and to decide who may do what.

mod api;
mod callfluent;
mod docs;
mod error;
mod etag;
mod extract;
mod metrics;
mod openapi;
mod routes;
mod schema;
mod telemetry;

use std::{
    io,
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

pub use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, dev::Server, middleware::from_fn, web};
pub use api::{
    admin::{PlatformTenantView, PlatformTenantWithUse},
    api_keys::ApiKeyView,
    brands::BrandView,
    members::MemberView,
    tenant::TenantView,
};
pub use routes::document;
use tenantry_auth::{PlatformKeys, jwt::Issuers, seal::MasterKeys};
use tenantry_domain::Error;
use tenantry_operations::{
    Store,
    providers::{Catalogue, Providers},
};
use utoipa_actix_web::AppExt;

/// Whom the service trusts besides the tenants' own keys.
#[derive(Clone, Default)]
pub struct Trust {
    /// The keys of the platform.
    pub platform: PlatformKeys,
    /// The issuers of access tokens.
    pub issuers: Issuers,
}

/// What integrations need besides the data.
#[derive(Clone)]
pub struct Integrations {
    /// The keys that their secrets are sealed under.
    pub keys: MasterKeys,
    /// The way to the providers.
    pub providers: Providers,
    /// What they were asked for, and answered.
    pub catalogue: Catalogue,
}

/// What every handler shares.
pub(crate) struct Service {
    store: Store,
    trust: Trust,
    integrations: Integrations,
    metrics: metrics::Metrics,
    closing: Closing,
}

impl Service {
    async fn ready(&self) -> Result<(), Error> {
        if self.closing.0.load(Ordering::Relaxed) {
            return Err(Error::Unavailable { cause: "the service is shutting down".to_owned() });
        }
        self.store.ready().await
    }
}

/// Lets the service say that it is not ready before it stops listening, so that a load balancer looks elsewhere first.
#[derive(Clone, Default)]
pub struct Closing(Arc<AtomicBool>);

impl Closing {
    /// From now on `/readyz` answers 503.
    pub fn announce(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How to serve.
#[derive(Debug, Clone, Copy)]
pub struct ServeOptions {
    /// How many threads answer requests, 1 or more.
    pub workers: usize,
    /// How long requests that are being answered may take to finish once the service is asked to stop.
    pub grace: Duration,
}

/// Starts to answer requests on the listener; the server stops when its handle is told to, and does not listen to signals.
///
/// # Errors
///
/// The listener cannot be used.
pub fn serve(
    listener: TcpListener,
    store: Store,
    trust: Trust,
    integrations: Integrations,
    closing: Closing,
    options: ServeOptions,
) -> io::Result<Server> {
    let document = document();
    let table = web::Data::new(routes::Table::of(&document));
    let document = web::Data::new(routes::Document::of(&document));
    let service = web::Data::new(Service { store, trust, integrations, metrics: metrics::Metrics::new(), closing });
    let server = HttpServer::new(move || {
        App::new()
            .app_data(service.clone())
            .app_data(table.clone())
            .app_data(document.clone())
            .wrap(from_fn(telemetry::observe))
            .into_utoipa_app()
            .configure(routes::all)
            .into_app()
            .default_service(web::to(telemetry::fallback))
    });
    let server = server
        .workers(options.workers.max(1))
        .shutdown_timeout(options.grace.as_secs().max(1))
        .client_request_timeout(Duration::from_secs(10))
        .keep_alive(Duration::from_secs(75))
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}
