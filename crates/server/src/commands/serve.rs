//! `tenantry serve`.

mod demo;
mod descriptors;
mod mail_workers;
mod stop;
mod user;
mod webhook_workers;

use std::{
    net::{SocketAddr, TcpListener},
    pin::pin,
    thread,
    time::Duration,
};

use chrono::Utc;
use sd_notify::NotifyState;
use tenantry_auth::{PlatformKeys, ServiceKeys, jwt::Issuers, seal::MasterKeys};
use tenantry_domain::Retention;
use tenantry_http::{Closing, Integrations, Listeners, ServeOptions, Trust};
use tenantry_operations::{
    LOOK, Observed, Store, housekeeping,
    mail::Mailer,
    providers::{Catalogue, Providers, Timeouts},
    webhooks::{Figures, Webhooks},
};
use tokio::sync::oneshot;

pub(super) use self::{descriptors::room, mail_workers::mailer};
use self::{mail_workers::MailWorkers, stop::Stop, webhook_workers::WebhookWorkers};
use crate::{database::Database, exit::Exit, master_keys, output::Output, settings::Settings};

/// How often the hourly jobs run.
const HOUSEKEEPING: Duration = Duration::from_secs(60 * 60);

/// How often to look at what only the database knows, for the metrics.
const LOOKS: Duration = Duration::from_secs(60);

/// How often to check the master keys until the database has answered once.
const UNCHECKED: Duration = Duration::from_secs(2);

/// How long the end waits until the uses of keys are written down.
const NOTES: Duration = Duration::from_secs(1);

/// How often to check whether an issuer's keys need a refresh.
const KEYS: Duration = Duration::from_secs(60);

/// Serves until a signal arrives. Then finishes running requests and stops the embedded database.
pub(crate) fn run(settings: &Settings, output: &Output) -> Result<(), Exit> {
    let _log = crate::logging::start_aside(settings);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Exit::failed(format!("cannot start: {error}")))?;
    // Before everything else: from here on a signal is an orderly stop, even while the database is being created.
    let mut stop = runtime.block_on(async { Stop::listen() })?;
    let connections = descriptors::connections(settings);
    // Before the database starts: a port in use is a more likely mistake, and quicker to find.
    let listeners = Listeners {
        main: listen("TENANTRY_BIND", settings.bind)?,
        admin: settings.admin_bind.map(|address| listen("TENANTRY_ADMIN_BIND", address)).transpose()?,
    };
    let address = local(&listeners.main)?;
    let mailer = mail_workers::mailer(settings)?;
    master_keys::demand(settings)?;
    let Some(database) = runtime.block_on(open(settings, &mut stop))? else { return Ok(()) };
    let prepared = runtime.block_on(async {
        let prepared = prepare(settings, &database, address);
        tokio::select! {
            prepared = prepared => prepared.map(Some),
            asked = stop.asked() => {
                tracing::info!(signal = asked.name(), "stopping before the service has started");
                Ok(None)
            }
        }
    });
    let Prepared { store, keys, checked, banner } = match prepared {
        Ok(Some(prepared)) => prepared,
        other => {
            database.close()?;
            if other.is_ok() {
                tracing::info!("stopped");
            }
            return other.map(drop);
        }
    };
    let database = database.watched()?;
    let observed = Observed::default();
    let options = ServeOptions {
        workers: settings.workers,
        connections,
        keep_alive: settings.keep_alive,
        front: settings.front.clone(),
        grace: settings.shutdown_grace,
        rates: settings.rates,
        introspection_max_age: settings.introspection_max_age,
        lost_log_lines: crate::logging::lost_lines,
        observed: observed.clone(),
    };
    let owner_url = database.own_owner_url();
    let outcome = runtime.block_on(async {
        // What only root may read has been read, and the ports are bound.
        if user::leave_root(settings, database.user())? {
            database.check_role()?;
        }
        serve(
            settings,
            output,
            Start { listeners, address, store, keys, checked, owner_url, banner, mailer, observed, options },
            stop,
        )
        .await
    });
    let closed = database.close();
    outcome.and(closed)
}

fn listen(setting: &str, address: SocketAddr) -> Result<TcpListener, Exit> {
    TcpListener::bind(address)
        .map_err(|error| Exit::failed(format!("cannot listen on {address}: {error}; set {setting} to another address")))
}

fn local(listener: &TcpListener) -> Result<SocketAddr, Exit> {
    listener.local_addr().map_err(|error| Exit::failed(error.to_string()))
}

/// Opens the database. If the service is asked to stop before the embedded one is open, closes it again and returns `None`.
async fn open(settings: &Settings, stop: &mut Stop) -> Result<Option<Database>, Exit> {
    let theirs = settings.clone();
    let mut opened = pin!(aside("database-start", move || Database::open(&theirs)));
    tokio::select! {
        opened = &mut opened => opened.map(Some),
        asked = stop.asked() => {
            tracing::info!(signal = asked.name(), "stopping: waiting until the database has started, to stop it in order");
            opened.await?.close()?;
            tracing::info!("stopped");
            Ok(None)
        }
    }
}

/// What the service needs of the database before it serves.
struct Prepared {
    store: Store,
    keys: MasterKeys,
    /// Whether the keys decrypt what is stored. False: the database has not answered yet.
    checked: bool,
    banner: Option<String>,
}

/// Migrates the embedded database, and looks whether the service can work with this one. Whoever waits for this can stop waiting at any
/// time: a migration is then rolled back.
async fn prepare(settings: &Settings, database: &Database, address: SocketAddr) -> Result<Prepared, Exit> {
    aside("database-check", database.readying(settings)).await?;
    let store = database.service_store(settings)?;
    let keys = master_keys::for_service(settings, &store).await?;
    // Root's as well: the first start saves the key of the demo tenant in the directory of the data.
    let banner = match database.is_embedded() {
        true => Some(demo::banner((&store, &keys), address, settings.front.url.as_ref(), &settings.data_dir).await?),
        false => None,
    };
    let checked = master_keys::check(&store, &keys).await;
    if let Ok(faults @ [_, ..]) = checked.as_deref() {
        return Err(Exit::settings(faults.to_vec()));
    }
    Ok(Prepared { store, keys, checked: checked.is_ok(), banner })
}

/// Does what blocks in a thread of its own.
async fn aside<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> Result<T, Exit> + Send + 'static,
) -> Result<T, Exit> {
    let (sender, done) = oneshot::channel();
    // Nobody listens if the service has been asked to stop.
    let started = thread::Builder::new().name(name.to_owned()).spawn(move || drop(sender.send(work())));
    started.map_err(|error| Exit::failed(format!("cannot start a thread: {error}")))?;
    done.await.map_err(|_| Exit::failed("the database could not be opened; the log says why"))?
}

/// What the service starts with.
struct Start {
    listeners: Listeners,
    address: SocketAddr,
    store: Store,
    keys: MasterKeys,
    checked: bool,
    owner_url: Option<String>,
    banner: Option<String>,
    mailer: Option<Mailer>,
    observed: Observed,
    options: ServeOptions,
}

async fn serve(settings: &Settings, output: &Output, start: Start, mut stop: Stop) -> Result<(), Exit> {
    let Start { listeners, address, store, keys, checked, owner_url, banner, mailer, observed, options } = start;
    let admin = listeners.admin.as_ref().map(local).transpose()?;
    let closing = Closing::default();
    let trust = Trust {
        platform: PlatformKeys::new(settings.platform_keys.clone()),
        services: ServiceKeys::new(settings.service_keys.clone()),
        issuers: settings.issuers.clone(),
    };
    let integrations = integrations(settings, &keys)?;
    let webhooks = integrations.webhooks.clone();
    let server = tenantry_http::serve(listeners, store.clone(), trust, integrations, closing.clone(), options)
        .map_err(|error| Exit::failed(format!("cannot serve on {address}: {error}")))?;
    let admin = admin.map(|admin| admin.to_string());
    tracing::info!(%address, admin, version = env!("CARGO_PKG_VERSION"), "serving");
    tell_supervisor(NotifyState::Ready);
    if let Some(banner) = banner {
        // If standard output is closed, nobody wants to read it.
        let _ = output.line(&banner);
    }
    let refreshing = tokio::spawn(keep_keys(settings.issuers.clone()));
    let saving = mailer.clone();
    let mut mail_workers = MailWorkers::start(settings, mailer, &store, address, &observed)?;
    let mut webhook_workers = WebhookWorkers::start(settings, &webhooks, &store, &keys)?;
    let wrong_keys = wrong_keys(store.clone(), keys, checked);
    let looking = tokio::spawn(look_around(store.clone(), observed.clone()));
    let chores = tokio::spawn(keep_house(store.clone(), settings.retention, saving, owner_url, observed));
    let outcome = tokio::select! {
        () = server.ended() => Err(Exit::failed("the threads that serve have ended; the log says why")),
        refused = wrong_keys => {
            server.stop(true).await;
            Err(refused)
        }
        asked = stop.asked() => {
            closing.announce();
            tell_supervisor(NotifyState::Stopping);
            let delay = asked.delay(settings);
            tracing::info!(signal = asked.name(), ?delay, "stopping: finishing running requests; send the signal again to stop at once");
            let finished = async {
                tokio::time::sleep(delay).await;
                server.stop(true).await;
            };
            tokio::select! {
                ((), (), ()) = async {
                    let grace = settings.shutdown_grace;
                    tokio::join!(finished, mail_workers.finish(grace), webhook_workers.finish(grace))
                } => {}
                _ = stop.asked() => {}
            }
            Ok(())
        }
    };
    server.stop(false).await;
    chores.abort();
    looking.abort();
    refreshing.abort();
    // Without a database this would take as long as a statement may.
    let _ = tokio::time::timeout(NOTES, store.write_notes()).await;
    tracing::info!("stopped");
    outcome
}

/// Tells systemd, if it started this process and wants to know (`Type=notify`).
fn tell_supervisor(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "cannot tell systemd how the service is (NOTIFY_SOCKET)");
    }
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
    let providers = providers.renewing(settings.highlevel_app.clone());
    let catalogue = Catalogue::new(providers.clone()).map_err(Exit::failed)?;
    let webhooks = Webhooks { destinations: settings.webhooks.destinations.clone(), figures: Figures::default() };
    Ok(Integrations { keys: keys.clone(), providers, catalogue, webhooks })
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

/// Looks every minute at what a scrape must not wait for.
async fn look_around(store: Store, observed: Observed) {
    let mut due = tokio::time::interval(LOOKS);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        if let Err(error) = observed.job(LOOK, observed.look(&store).await) {
            tracing::debug!(?error, "could not look at the outbox; trying again later");
        }
    }
}

async fn keep_house(
    store: Store,
    retention: Retention,
    mailer: Option<Mailer>,
    owner_url: Option<String>,
    observed: Observed,
) {
    let mut due = tokio::time::interval(HOUSEKEEPING);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        match observed.job(housekeeping::ERASE, housekeeping::erase_deleted_workspaces(&store).await) {
            Ok(0) => {}
            Ok(erased) => tracing::info!(erased, "erased workspaces that were deleted more than 30 days ago"),
            Err(error) => tracing::warn!(?error, "could not erase deleted workspaces; trying again later"),
        }
        // The service owns only its embedded database. For any other, cron runs `tenantry tenant erase` and `tenantry housekeeping`.
        crate::housekeeping::round(&store, retention, mailer.as_ref(), owner_url.clone(), &observed).await;
    }
}
