//! The native API over HTTP, and its documentation page.
//!
//! [`serve`] answers requests on a listening socket. Handlers extract, call one operation and show a view; what goes wrong
//! becomes a status and a body in one place. This crate refuses to know SQL, and to decide who may do what.

mod about;
mod answer;
mod api;
mod callfluent;
mod docs;
mod error;
mod etag;
mod extract;
mod fallback;
mod host;
mod metrics;
mod middleware;
mod openapi;
mod part;
mod rate;
mod readers;
mod request_id;
mod routes;
mod schema;
mod service;

use std::{io, net::TcpListener, time::Duration};

pub use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, dev::Server, middleware::from_fn, web};
pub use api::{
    admin::{PlatformTenantView, PlatformTenantWithUsage},
    api_keys::ApiKeyView,
    brands::BrandView,
    members::MemberView,
    tenant::TenantView,
    workspaces::WorkspaceView,
};
pub use rate::Rates;
pub use routes::{document, to_yaml};
pub use service::{Closing, Integrations, Trust};
use tenantry_operations::Store;
use utoipa_actix_web::AppExt;

/// How to serve.
#[derive(Debug, Clone, Copy)]
pub struct ServeOptions {
    /// How many threads answer requests, 1 or more.
    pub workers: usize,
    /// How long requests that are being answered may take to finish once the service is asked to stop.
    pub grace: Duration,
    /// How many requests credentials and addresses may send.
    pub rates: Rates,
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
    let table = web::Data::new(fallback::Table::of(&document()));
    let service = web::Data::new(service::Service {
        store,
        trust,
        integrations,
        metrics: metrics::Metrics::new(),
        closing,
        readers: readers::Readers::new(),
        limiter: rate::Limiter::new(options.rates),
    });
    let server = HttpServer::new(move || {
        App::new()
            .app_data(service.clone())
            .app_data(table.clone())
            .wrap(from_fn(host::checked))
            .wrap(from_fn(middleware::observe))
            .into_utoipa_app()
            .configure(routes::all)
            .into_app()
            .default_service(web::to(fallback::answer))
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
