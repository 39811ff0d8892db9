//! The database in the settings: the operator's own, or the embedded one.

mod watch;

use std::time::Duration;

use tenantry_persistence::{
    Eraser, MigrationState, Migrator, PoolOptions, Store,
    embedded::{self, Cluster},
    migration_state, objection_to,
};

use self::watch::Watch;
use crate::{exit::Exit, settings::Settings};

/// How long the service works on one visit. The request it is for is given up a little later.
const VISIT: Duration = Duration::from_secs(25);

/// How long what is noted beside the requests is collected before it is written down.
const WRITE_NOTES_AFTER: Duration = Duration::from_secs(1);

/// A database to connect to. Dropping it releases this process's share of the embedded one.
pub(crate) struct Database {
    server: Server,
    service_url: String,
    owner_url: String,
    /// The system user of the embedded one.
    user: Option<String>,
}

enum Server {
    /// One that the operator runs.
    Theirs,
    /// The embedded one.
    Embedded(Cluster),
    /// The embedded one, restarted if it is killed.
    Watched(Watch),
}

impl Database {
    /// Finds the database, and starts the embedded one if the settings name no other.
    pub(crate) fn open(settings: &Settings) -> Result<Self, Exit> {
        // Either URL means the operator's own database. The embedded one is only used if there is no URL.
        let (service, owner) = (settings.database_url.as_ref(), settings.owner_database_url.as_ref());
        if let (Some(service_url), Some(owner_url)) = (service.or(owner).cloned(), owner.or(service).cloned()) {
            return Ok(Self { server: Server::Theirs, service_url, owner_url, user: None });
        }
        let cluster = Cluster::open(&embedded_options(settings)).map_err(|error| Exit::database(error.to_string()))?;
        for notice in cluster.notices() {
            tracing::warn!("{notice}");
        }
        let (service_url, owner_url) = (cluster.service_url().to_owned(), cluster.owner_url().to_owned());
        let user = Some(cluster.user().to_owned());
        Ok(Self { server: Server::Embedded(cluster), service_url, owner_url, user })
    }

    /// Whether there is a database to open: one of the operator's own, or an embedded one that was created before.
    pub(crate) fn exists(settings: &Settings) -> bool {
        let theirs = settings.database_url.is_some() || settings.owner_database_url.is_some();
        theirs || embedded::exists(&embedded_options(settings))
    }

    /// The URL of the role that serves requests.
    pub(crate) fn service_url(&self) -> &str {
        &self.service_url
    }

    /// [`Database::open`], and runs the migrations if it is the embedded one, because nobody else does.
    pub(crate) fn open_migrated(settings: &Settings) -> Result<Self, Exit> {
        let database = Self::open(settings)?;
        if database.is_embedded() {
            migrate(&database.owner_url)?;
        }
        Ok(database)
    }

    /// What makes the database ready to serve from: the migrations of the embedded one, and a look at the role. It can be done on
    /// another thread, and need not be waited for.
    pub(crate) fn readying(&self, settings: &Settings) -> impl FnOnce() -> Result<(), Exit> + Send + 'static {
        let (owner_url, service_url) = (self.is_embedded().then(|| self.owner_url.clone()), self.service_url.clone());
        let read_url = settings.read_database_url.clone();
        move || {
            owner_url.as_deref().map_or(Ok(()), migrate)?;
            check_role(&service_url)?;
            read_url.as_deref().map_or(Ok(()), check_role)
        }
    }

    pub(crate) fn is_embedded(&self) -> bool {
        !matches!(self.server, Server::Theirs)
    }

    /// From now on, restarts the embedded database whenever it is killed, until it is closed.
    pub(crate) fn watched(self) -> Result<Self, Exit> {
        let server = match self.server {
            Server::Embedded(cluster) => Server::Watched(
                Watch::over(cluster)
                    .map_err(|error| Exit::failed(format!("cannot watch the embedded PostgreSQL: {error}")))?,
            ),
            other => other,
        };
        Ok(Self { server, ..self })
    }

    /// The system user that runs the embedded database; `None` for any other.
    pub(crate) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Refuses a role that row security does not bind. A database that does not answer yet is accepted.
    pub(crate) fn check_role(&self) -> Result<(), Exit> {
        check_role(&self.service_url)
    }

    /// Where the migrations stand, as whoever the settings name.
    pub(crate) fn migration_state(&self) -> Result<MigrationState, Exit> {
        migration_state(&self.owner_url)
            .map_err(|error| Exit::database(format!("cannot tell which migrations have run: {error}")))
    }

    /// A connection as the owner.
    pub(crate) fn migrator(&self) -> Result<Migrator, Exit> {
        Migrator::connect(&self.owner_url).map_err(|error| Exit::database(error.to_string()))
    }

    /// The URL of the owner, for what only the owner may delete.
    pub(crate) fn owner_url(&self) -> &str {
        &self.owner_url
    }

    /// A connection as the owner, for erasing tenants.
    pub(crate) fn eraser(&self) -> Result<Eraser, Exit> {
        Ok(Eraser::connect(&self.owner_url)?)
    }

    /// The owner URL of the embedded database. `None` for any other: only its operators may use that one.
    pub(crate) fn own_owner_url(&self) -> Option<String> {
        self.is_embedded().then(|| self.owner_url.clone())
    }

    /// The URL of the database for this role. Of the operator's own database, the service does not know an administrator.
    pub(crate) fn url_of(&self, role: embedded::Role) -> Result<String, Exit> {
        match (role, &self.server) {
            (embedded::Role::Owner, _) => Ok(self.owner_url.clone()),
            (embedded::Role::Service, _) => Ok(self.service_url.clone()),
            (embedded::Role::Admin, Server::Embedded(cluster)) => Ok(cluster.url_for(role, "tenantry")),
            (embedded::Role::Admin, _) => Err(Exit::usage(
                "Tenantry knows the administrator of the embedded database only: connect as owner or service",
            )),
        }
    }

    /// The embedded database, of a command that does not watch it.
    pub(crate) fn cluster(&self) -> Result<&Cluster, Exit> {
        match &self.server {
            Server::Embedded(cluster) => Ok(cluster),
            _ => Err(Exit::failed("this needs the embedded database")),
        }
    }

    /// The data, behind its door.
    pub(crate) fn store(&self, settings: &Settings) -> Result<Store, Exit> {
        Ok(Store::new(&self.options(settings))?
            .limiting_mail(settings.mail_limits)
            .declaring(settings.permissions.clone()))
    }

    fn options(&self, settings: &Settings) -> PoolOptions {
        PoolOptions {
            url: self.service_url.clone(),
            connections: settings.database_connections,
            wait: settings.database_wait,
            statement_timeout: settings.statement_timeout,
            visit_timeout: None,
            prepare: settings.prepare_statements,
            look_up_lane: settings.look_up_lane,
            write_notes_after: WRITE_NOTES_AFTER,
        }
    }

    /// The data for the service, which answers each request in time or not at all.
    pub(crate) fn service_store(&self, settings: &Settings) -> Result<Store, Exit> {
        let options = PoolOptions { visit_timeout: Some(VISIT), ..self.options(settings) };
        let store = Store::new(&options)?.limiting_mail(settings.mail_limits).declaring(settings.permissions.clone());
        let Some(url) = settings.read_database_url.clone() else { return Ok(store) };
        Ok(store.reading_from(&PoolOptions { url, ..options }, settings.read_max_lag)?)
    }

    /// Releases the share of the embedded database. The last process to do so stops it.
    pub(crate) fn close(self) -> Result<(), Exit> {
        let cluster = match self.server {
            Server::Theirs => return Ok(()),
            Server::Embedded(cluster) => cluster,
            Server::Watched(watch) => {
                watch.end().ok_or_else(|| Exit::failed("the watch of the embedded PostgreSQL failed"))?
            }
        };
        cluster.close().map_err(|error| Exit::failed(error.to_string()))
    }
}

fn embedded_options(settings: &Settings) -> embedded::Options {
    embedded::Options {
        pg_bin: settings.pg_bin.clone(),
        pg_user: settings.pg_user.clone(),
        ..embedded::Options::new(&settings.data_dir)
    }
}

/// Runs the migrations of the embedded database.
fn migrate(owner_url: &str) -> Result<(), Exit> {
    let migrated = Migrator::connect(owner_url).and_then(|mut migrator| migrator.run());
    let migrated = migrated.map_err(|error| Exit::database(error.to_string()))?;
    if !migrated.is_empty() {
        tracing::info!(count = migrated.len(), "ran the migrations of the embedded database");
    }
    Ok(())
}

fn check_role(service_url: &str) -> Result<(), Exit> {
    match objection_to(service_url) {
        Ok(None) => Ok(()),
        Ok(Some(objection)) => Err(Exit::settings(vec![objection])),
        Err(error) => {
            tracing::warn!(error, "the database does not answer yet");
            Ok(())
        }
    }
}

/// Runs one operation for a command, on a database that is migrated and answers.
pub(crate) fn with_store<T>(settings: &Settings, work: impl AsyncFnOnce(&Store) -> Result<T, Exit>) -> Result<T, Exit> {
    let database = Database::open_migrated(settings)?;
    if let Some(objection) = objection_to(&database.service_url).map_err(Exit::database)? {
        return Err(Exit::settings(vec![objection]));
    }
    let store = database.store(&Settings { database_connections: 1, ..settings.clone() })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Exit::failed(format!("cannot start: {error}")))?;
    let outcome = runtime.block_on(async {
        store.answers().await.map_err(tenantry_domain::Error::from)?;
        work(&store).await
    });
    drop(store);
    database.close()?;
    outcome
}
