//! `tenantry serve`.

mod demo;
mod letters;

use std::{net::TcpListener, time::Duration};

use chrono::Utc;
use tenantry_auth::{PlatformKeys, jwt::Issuers, seal::MasterKeys};
use tenantry_domain::Error;
use tenantry_http::{Closing, Integrations, ServeOptions, Trust};
use tenantry_operations::{
    Store, housekeeping,
    mail::Mailer,
    providers::{Catalogue, Providers, Timeouts},
};
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::letters::Letters;
use crate::{database::Database, exit::Exit, master_keys, output::Output, settings::Settings};

/// How often what is due is done.
const HOUSEKEEPING: Duration = Duration::from_secs(60 * 60);

/// How often the master keys are checked until the database has answered once.
const UNCHECKED: Duration = Duration::from_secs(2);

/// How often is looked whether the keys of an issuer are due.
const KEYS: Duration = Duration::from_secs(60);

/// Serves until a signal asks it to stop; then finishes what it has begun, and stops the embedded database.
pub(crate) fn run(settings: &Settings, output: &Output) -> Result<(), Exit> {
    crate::logging::start(settings);
    // Before the database is started: a taken port is the likelier mistake, and the quicker to find.
    let listener = TcpListener::bind(settings.bind).map_err(|error| {
        Exit::failed(format!("cannot listen on {}: {error}; set TENANTRY_BIND to another address", settings.bind))
    })?;
    let mailer = letters::mailer(settings)?;
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
    // From here on a signal is an orderly stop, also while the first start is under way.
    let mut stop = Stop::listen()?;
    let keys = master_keys::for_service(settings, &store).await?;
    let checked = master_keys::check(&store, &keys).await;
    if let Ok(faults @ [_, ..]) = checked.as_deref() {
        return Err(Exit::settings(faults.to_vec()));
    }
    let closing = Closing::default();
    let trust =
        Trust { platform: PlatformKeys::new(settings.platform_keys.clone()), issuers: settings.issuers.clone() };
    let options = ServeOptions { workers: settings.workers, grace: settings.shutdown_grace };
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
    let mut letters = Letters::start(settings, mailer, &store, address)?;
    let wrong_keys = wrong_keys(store.clone(), keys, checked.is_ok());
    let chores = tokio::spawn(keep_house(store, owner_url));
    let ended = tokio::select! {
        ended = &mut server => ended.map_err(|error| Exit::failed(error.to_string()))?.map_err(|error| Exit::failed(error.to_string())),
        refused = wrong_keys => {
            handle.stop(true).await;
            Err(refused)
        }
        () = stop.asked() => {
            closing.announce();
            tracing::info!("stopping: finishing what has begun; ask again to stop at once");
            tokio::select! {
                ((), ()) = async { tokio::join!(stop_gracefully(settings, &handle), letters.finish(settings.shutdown_grace)) } => {}
                // The server carries out one command after the other, and would hear of another stop when it has stopped.
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

/// The first start of an embedded database makes the demo tenant; every start says where to look.
async fn greet(output: &Output, store: &Store, address: std::net::SocketAddr, embedded: bool) -> Result<(), Error> {
    if !embedded {
        return Ok(());
    }
    let banner = match demo::create_if_first(store).await? {
        Some(demo) => demo.banner(address),
        None => demo::later_banner(address),
    };
    // Somebody who closed the standard output does not want to read it.
    let _ = output.line(&banner);
    Ok(())
}

/// Obtains the issuers' keys at the start and before they are stale.
async fn keep_keys(issuers: Issuers) {
    let mut due = tokio::time::interval(KEYS);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !issuers.is_empty() {
        due.tick().await;
        issuers.refresh(Utc::now()).await;
    }
}

fn integrations(settings: &Settings, keys: &MasterKeys) -> Result<Integrations, Exit> {
    let urls = settings.provider_urls.clone().ok_or_else(|| Exit::failed("the providers have no addresses"))?;
    let providers = Providers::new(urls, Timeouts::default()).map_err(Exit::failed)?;
    let catalogue = Catalogue::new(providers.clone()).map_err(Exit::failed)?;
    Ok(Integrations { keys: keys.clone(), providers, catalogue })
}

/// Ends only when the master keys turn out to be wrong once the database answers that did not at the start. Later on, a replica with
/// another key is worth an alarm, and no reason to end.
async fn wrong_keys(store: Store, keys: MasterKeys, mut checked: bool) -> Exit {
    loop {
        tokio::time::sleep(if checked { HOUSEKEEPING } else { UNCHECKED }).await;
        match master_keys::check(&store, &keys).await {
            Ok(faults) if faults.is_empty() => checked = true,
            Ok(faults) if checked => tracing::error!(?faults, "the master keys do not open all that is stored"),
            Ok(faults) => return Exit::settings(faults),
            Err(_) => {}
        }
    }
}

async fn keep_house(store: Store, owner_url: Option<String>) {
    let mut due = tokio::time::interval(HOUSEKEEPING);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        match housekeeping::erase_deleted_workspaces(&store).await {
            Ok(0) => {}
            Ok(erased) => tracing::info!(erased, "erased workspaces that were deleted more than 30 days ago"),
            Err(error) => tracing::warn!(?error, "could not erase deleted workspaces; it is tried again"),
        }
        match housekeeping::clear_outbox(&store).await {
            Ok(0) => {}
            Ok(cleared) => tracing::info!(cleared, "cleared the outbox of what was over more than 30 days ago"),
            Err(error) => tracing::warn!(?error, "could not clear the outbox; it is tried again"),
        }
        // Of another database than its own the service is not the owner: `tenantry tenant erase` is for cron there.
        if let Some(owner_url) = owner_url.clone() {
            #[expect(clippy::disallowed_methods, reason = "once an hour, on a connection of the owner's")]
            let done = tokio::task::spawn_blocking(move || crate::erasure::keep_house(&owner_url));
            let _ = done.await;
        }
    }
}

/// The signals that ask the service to stop.
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
