//! The database that the settings name: one of the operator's, or the embedded one.

mod watch;

use tenantry_persistence::{
    Eraser, Migrator, PoolOptions, Store,
    embedded::{self, Cluster},
    objection_to,
};

use self::watch::Watch;
use crate::{exit::Exit, settings::Settings};

/// A database that can be connected to. Dropping it gives up the share in the embedded one.
pub(crate) struct Database {
    server: Server,
    service_url: String,
    owner_url: String,
}

enum Server {
    /// One that operators look after.
    Theirs,
    /// The embedded one.
    Embedded(Cluster),
    /// The embedded one, started again when it is killed.
    Watched(Watch),
}

impl Database {
    /// Finds the database, and starts the embedded one where no other is named.
    pub(crate) fn open(settings: &Settings) -> Result<Self, Exit> {
        // Either names a database of the operator's: the embedded one is only for those who name none.
        let (service, owner) = (settings.database_url.as_ref(), settings.owner_database_url.as_ref());
        if let (Some(service_url), Some(owner_url)) = (service.or(owner).cloned(), owner.or(service).cloned()) {
            return Ok(Self { server: Server::Theirs, service_url, owner_url });
        }
        let options = embedded::Options {
            pg_bin: settings.pg_bin.clone(),
            pg_user: settings.pg_user.clone(),
            ..embedded::Options::new(&settings.data_dir)
        };
        let cluster = Cluster::open(&options).map_err(|error| Exit::database(error.to_string()))?;
        for notice in cluster.notices() {
            tracing::warn!("{notice}");
        }
        let (service_url, owner_url) = (cluster.service_url().to_owned(), cluster.owner_url().to_owned());
        Ok(Self { server: Server::Embedded(cluster), service_url, owner_url })
    }

    /// [`Database::open`], brought up to date if it is the embedded one, because nobody else will do that.
    pub(crate) fn open_migrated(settings: &Settings) -> Result<Self, Exit> {
        let database = Self::open(settings)?;
        if database.is_embedded() {
            let migrated = database.migrator()?.run().map_err(|error| Exit::database(error.to_string()))?;
            if !migrated.is_empty() {
                tracing::info!(count = migrated.len(), "migrated the embedded database");
            }
        }
        Ok(database)
    }

    pub(crate) fn is_embedded(&self) -> bool {
        !matches!(self.server, Server::Theirs)
    }

    /// Has the embedded database started again whenever it is killed, until it is closed.
    pub(crate) fn watched(self) -> Result<Self, Exit> {
        let server = match self.server {
            Server::Embedded(cluster) => Server::Watched(
                Watch::over(cluster)
                    .map_err(|error| Exit::failed(format!("cannot watch over the embedded PostgreSQL: {error}")))?,
            ),
            other => other,
        };
        Ok(Self { server, ..self })
    }

    /// Refuses a role that row security does not bind. A database that does not answer may do so later.
    pub(crate) fn check_role(&self) -> Result<(), Exit> {
        match objection_to(&self.service_url) {
            Ok(None) => Ok(()),
            Ok(Some(objection)) => Err(Exit::settings(vec![objection])),
            Err(error) => {
                tracing::warn!(error, "the database does not answer yet");
                Ok(())
            }
        }
    }

    /// A connection of the owner.
    pub(crate) fn migrator(&self) -> Result<Migrator, Exit> {
        Migrator::connect(&self.owner_url).map_err(|error| Exit::database(error.to_string()))
    }

    /// A connection of the owner that erases tenants.
    pub(crate) fn eraser(&self) -> Result<Eraser, Exit> {
        Ok(Eraser::connect(&self.owner_url)?)
    }

    /// The address for the owner of the embedded database; that of another is for its operators alone.
    pub(crate) fn own_owner_url(&self) -> Option<String> {
        self.is_embedded().then(|| self.owner_url.clone())
    }

    /// The data, behind its door.
    pub(crate) fn store(&self, settings: &Settings) -> Result<Store, Exit> {
        let options = PoolOptions {
            url: self.service_url.clone(),
            connections: settings.database_connections,
            wait: settings.database_wait,
            statement_timeout: settings.statement_timeout,
            prepare_statements: settings.prepare_statements,
        };
        Ok(Store::new(&options)?)
    }

    /// Gives up the share in the embedded database; the last one out stops it.
    pub(crate) fn close(self) -> Result<(), Exit> {
        let cluster = match self.server {
            Server::Theirs => return Ok(()),
            Server::Embedded(cluster) => cluster,
            Server::Watched(watch) => watch.end().ok_or_else(|| Exit::failed("the watch over the database failed"))?,
        };
        cluster.close().map_err(|error| Exit::failed(error.to_string()))
    }
}

/// Runs one operation at the command line, on a database that is ready for it.
pub(crate) fn with_store<T>(
    settings: &Settings,
    work: impl AsyncFnOnce(&Store) -> Result<T, tenantry_domain::Error>,
) -> Result<T, Exit> {
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
        store.ready().await?;
        work(&store).await
    });
    drop(store);
    database.close()?;
    Ok(outcome?)
}
