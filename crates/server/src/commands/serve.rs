//! `tenantry serve`.

mod demo;
mod mail_workers;

use std::{net::TcpListener, time::Duration};

use chrono::Utc;
use tenantry_auth::{PlatformKeys, jwt::Issuers, seal::MasterKeys};
use tenantry_domain::{Error, Retention};
use tenantry_http::{Closing, Integrations, ServeOptions, Trust};
use tenantry_operations::{
    Store, housekeeping,
    mail::Mailer,
    providers::{Catalogue, Providers, Timeouts},
};
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::mail_workers::MailWorkers;
pub(super) use self::mail_workers::mailer;
use crate::{database::Database, exit::Exit, master_keys, output::Output, settings::Settings};

/// How often the hourly jobs run.
const HOUSEKEEPING: Duration = Duration::from_secs(60 * 60);

/// How often to check the master keys until the database has answered once.
const UNCHECKED: Duration = Duration::from_secs(2);

/// How often to check whether an issuer's keys need a refresh.
const KEYS: Duration = Duration::from_secs(60);

/// Serves until a signal arrives. Then finishes running requests and stops the embedded database.
pub(crate) fn run(settings: &Settings, output: &Output) -> Result<(), Exit> {
    crate::logging::start(settings);
    // Before the database starts: a port in use is a more likely mistake, and quicker to find.
    let listener = TcpListener::bind(settings.bind).map_err(|error| {
        Exit::failed(format!("cannot listen on {}: {error}; set TENANTRY_BIND to another address", settings.bind))
    })?;
    let mailer = mail_workers::mailer(settings)?;
    master_keys::demand(settings)?;
    let database = Database::open_migrated(settings)?;
    database.check_role()?;
    let store = database.store(settings)?;
    let database = database.watched()?;
    let owner_url = database.own_owner_url();
    let outcome = actix_web::rt::System::new().block_on(serve(settings, output, listener, store, owner_url, mailer));
    let closed = database.close();
    outcome.and(closed)
}

async fn serve(
    settings: &Settings,
    output: &Output,
    listener: TcpListener,
    store: Store,
    owner_url: Option<String>,
    mailer: Option<Mailer>,
) -> Result<(), Exit> {
    let address = listener.local_addr().map_err(|error| Exit::failed(error.to_string()))?;
    // From here on a signal is an orderly stop, even during the first start.
    let mut stop = Stop::listen()?;
    let keys = master_keys::for_service(settings, &store).await?;
    let checked = master_keys::check(&store, &keys).await;
    if let Ok(faults @ [_, ..]) = checked.as_deref() {
        return Err(Exit::settings(faults.to_vec()));
    }
    let closing = Closing::default();
    let trust =
        Trust { platform: PlatformKeys::new(settings.platform_keys.clone()), issuers: settings.issuers.clone() };
    let options = ServeOptions { workers: settings.workers, grace: settings.shutdown_grace, rates: settings.rates };
    let integrations = integrations(settings, &keys)?;
    let server = tenantry_http::serve(listener, store.clone(), trust, integrations, closing.clone(), options)
        .map_err(|error| Exit::failed(format!("cannot serve on {address}: {error}")))?;
    let handle = server.handle();
    let mut server = tokio::spawn(server);
    let at_once = server.abort_handle();
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "serving");
    if let Err(error) = greet(output, &store, address, owner_url.is_some()).await {
        handle.stop(false).await;
        return Err(error.into());
    }
    let refreshing = tokio::spawn(keep_keys(settings.issuers.clone()));
    let saving = mailer.clone();
    let mut mail_workers = MailWorkers::start(settings, mailer, &store, address)?;
    let wrong_keys = wrong_keys(store.clone(), keys, checked.is_ok());
    let chores = tokio::spawn(keep_house(store, settings.retention, saving, owner_url));
    let ended = tokio::select! {
        ended = &mut server => ended.map_err(|error| Exit::failed(error.to_string()))?.map_err(|error| Exit::failed(error.to_string())),
        refused = wrong_keys => {
            handle.stop(true).await;
            Err(refused)
        }
        () = stop.asked() => {
            closing.announce();
            tracing::info!("stopping: finishing running requests; send the signal again to stop at once");
            tokio::select! {
                ((), ()) = async { tokio::join!(stop_gracefully(settings, &handle), mail_workers.finish(settings.shutdown_grace)) } => {}
                // The server handles one command at a time, so a second stop would only reach it after it has stopped.
                () = stop.asked() => at_once.abort(),
            }
            Ok(())
        }
    };
    chores.abort();
    refreshing.abort();
    tracing::info!("stopped");
    ended
}

async fn stop_gracefully(settings: &Settings, handle: &actix_web::dev::ServerHandle) {
    tokio::time::sleep(settings.shutdown_delay).await;
    handle.stop(true).await;
}

/// Creates the demo tenant at the first start of an embedded database. Prints a banner at every start.
async fn greet(output: &Output, store: &Store, address: std::net::SocketAddr, embedded: bool) -> Result<(), Error> {
    if !embedded {
        return Ok(());
    }
    let banner = demo::banner(store, address).await?;
    // If standard output is closed, nobody wants to read it.
    let _ = output.line(&banner);
    Ok(())
}

/// Fetches the issuers' keys at the start and before they expire.
async fn keep_keys(issuers: Issuers) {
    let mut due = tokio::time::interval(KEYS);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !issuers.is_empty() {
        due.tick().await;
        issuers.refresh(Utc::now()).await;
    }
}

fn integrations(settings: &Settings, keys: &MasterKeys) -> Result<Integrations, Exit> {
    let urls = settings.provider_urls.clone().ok_or_else(|| Exit::failed("the providers have no URLs"))?;
    let providers = Providers::new(urls, Timeouts::default()).map_err(Exit::failed)?;
    let catalogue = Catalogue::new(providers.clone()).map_err(Exit::failed)?;
    Ok(Integrations { keys: keys.clone(), providers, catalogue })
}

/// Checks the master keys. If the database did not answer at the start and they then turn out to be wrong, this ends. Later on, a wrong
/// key means that another replica has other keys: that is logged, and the service goes on.
async fn wrong_keys(store: Store, keys: MasterKeys, mut checked: bool) -> Exit {
    loop {
        tokio::time::sleep(if checked { HOUSEKEEPING } else { UNCHECKED }).await;
        match master_keys::check(&store, &keys).await {
            Ok(faults) if faults.is_empty() => checked = true,
            Ok(faults) if checked => tracing::error!(?faults, "the master keys do not decrypt all stored secrets"),
            Ok(faults) => return Exit::settings(faults),
            Err(_) => {}
        }
    }
}

async fn keep_house(store: Store, retention: Retention, mailer: Option<Mailer>, owner_url: Option<String>) {
    let mut due = tokio::time::interval(HOUSEKEEPING);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        match housekeeping::erase_deleted_workspaces(&store).await {
            Ok(0) => {}
            Ok(erased) => tracing::info!(erased, "erased workspaces that were deleted more than 30 days ago"),
            Err(error) => tracing::warn!(?error, "could not erase deleted workspaces; trying again later"),
        }
        // The service owns only its embedded database. For any other, cron runs `tenantry tenant erase` and `tenantry housekeeping`.
        crate::housekeeping::round(&store, retention, mailer.as_ref(), owner_url.clone()).await;
    }
}

/// The signals that stop the service.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn listen() -> Result<Self, Exit> {
        let listen = |kind| signal(kind).map_err(|error| Exit::failed(format!("cannot listen for signals: {error}")));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
