//! The native API over HTTP, and its documentation page.
//!
//! [`serve`] answers requests on a listening socket. Handlers extract, call one operation and show a view; what goes wrong
//! becomes a status and a body in one place. This crate refuses to know SQL, and to decide who may do what.

mod about;
mod accept;
mod answer;
mod api;
mod callfluent;
mod docs;
mod error;
mod etag;
mod extract;
mod fallback;
mod front;
mod guide;
mod host;
mod idempotency;
mod metrics;
mod middleware;
mod openapi;
mod page;
mod part;
mod rate;
mod readers;
mod request_id;
mod routes;
mod schema;
mod service;
mod staleness;
mod wire;

use std::{io, net::TcpListener, time::Duration};

use actix_web::{
    App,
    middleware::{Condition, from_fn},
    web,
};
pub use api::{
    admin::{PlatformTenantView, PlatformTenantWithUsage},
    api_keys::ApiKeyView,
    brands::BrandView,
    members::MemberView,
    tenant::TenantView,
    webhooks::subject_view,
    workspaces::WorkspaceView,
};
pub use front::{Front, Origins, ProxyHeader, PublicUrl, TrustedProxies};
pub use rate::Rates;
pub use routes::{document, to_yaml};
pub use service::{Closing, Integrations, Trust};
use tenantry_operations::{Observed, Store};
use utoipa_actix_web::AppExt;

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// How many threads answer requests, 1 or more.
    pub workers: usize,
    /// How many connections there may be at once. When there are more, those leave first that have waited longest without a request.
    pub connections: usize,
    /// How long a connection may say nothing after an answer.
    pub keep_alive: Duration,
    /// What stands between the service and its callers.
    pub front: Front,
    /// How long requests that are being answered may take to finish once the service is asked to stop.
    pub grace: Duration,
    /// How many requests credentials and addresses may send.
    pub rates: Rates,
    /// How long a service may keep what it was told about a credential; zero for not at all.
    pub introspection_max_age: Duration,
    /// How many lines of the log were lost so far, for the metrics.
    pub lost_log_lines: fn() -> u64,
    /// What the service has seen of its own work, for the metrics.
    pub observed: Observed,
}

/// Where to serve.
#[derive(Debug)]
pub struct Listeners {
    /// For callers.
    pub main: TcpListener,
    /// For operators. If there is one, it alone answers `/metrics`. The limits of the other do not apply to it.
    pub admin: Option<TcpListener>,
}

impl From<TcpListener> for Listeners {
    fn from(main: TcpListener) -> Self {
        Self { main, admin: None }
    }
}

/// How many connections there may be at the address for operators.
pub const ADMIN_CONNECTIONS: usize = 16;

/// A running service. It stops when the last of its clones is dropped.
#[derive(Debug, Clone)]
pub struct Server {
    main: wire::Server,
    admin: Option<wire::Server>,
}

impl Server {
    /// Stops, and returns when all its threads have ended. A graceful stop answers those that have connected until now.
    pub async fn stop(&self, graceful: bool) {
        self.main.stop(graceful).await;
        if let Some(admin) = &self.admin {
            admin.stop(false).await;
        }
    }

    /// Returns when it has been stopped.
    pub async fn ended(&self) {
        self.main.ended().await;
    }
}

/// Starts to answer requests on the listeners, in threads of its own. The server stops when it is told to, and does not listen to signals.
///
/// # Errors
///
/// A listener cannot be used, or a thread cannot be started.
pub fn serve(
    listeners: impl Into<Listeners>,
    store: Store,
    trust: Trust,
    integrations: Integrations,
    closing: Closing,
    options: ServeOptions,
) -> io::Result<Server> {
    let Listeners { main, admin } = listeners.into();
    let table = web::Data::new(fallback::Table::of(&document()));
    let ServeOptions {
        workers,
        connections,
        keep_alive,
        front,
        grace,
        rates,
        introspection_max_age,
        lost_log_lines,
        observed,
    } = options;
    let origins = front.origins.clone();
    let documents = docs::Documents::at(front.url.as_ref(), store.permissions().clone());
    let service = web::Data::new(service::Service {
        store,
        documents,
        trust,
        integrations,
        metrics: metrics::Metrics::new(lost_log_lines),
        observed,
        closing,
        readers: readers::Readers::new(),
        limiter: rate::Limiter::new(rates),
        front,
        introspection_max_age,
    });
    let refuse = {
        let service = service.clone();
        move |refusal| middleware::refuse(&service, refusal)
    };
    let admin = match admin {
        Some(admin) => {
            let service = service.clone();
            let application = move || {
                App::new()
                    .app_data(service.clone())
                    .wrap(from_fn(host::checked))
                    .wrap(from_fn(middleware::observe))
                    .configure(about::for_operators)
                    .default_service(web::to(fallback::nothing))
            };
            let options =
                wire::Options { name: "admin", workers: 1, connections: ADMIN_CONNECTIONS, keep_alive, grace };
            Some(wire::start(admin, options, application, refuse.clone())?)
        }
        None => None,
    };
    let elsewhere: &[&str] = if admin.is_some() { &about::ELSEWHERE } else { &[] };
    let has_standby = service.store.has_standby();
    let application = move || {
        App::new()
            .app_data(service.clone())
            .app_data(table.clone())
            .wrap(from_fn(idempotency::once))
            .wrap(Condition::new(has_standby, from_fn(staleness::allowed)))
            .wrap(from_fn(host::checked))
            .wrap(Condition::new(origins.are_given(), origins.cors()))
            .wrap(Condition::new(origins.are_given(), from_fn(front::explained)))
            .wrap(from_fn(middleware::observe))
            .configure(|config| {
                elsewhere.iter().fold(config, |config, path| config.route(path, web::to(fallback::nothing)));
            })
            .into_utoipa_app()
            .configure(routes::all)
            .into_app()
            .default_service(web::to(fallback::answer))
    };
    let options = wire::Options { name: "http", workers, connections, keep_alive, grace };
    Ok(Server { main: wire::start(main, options, application, refuse)?, admin })
}
