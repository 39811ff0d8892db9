//! Puts another database in the place of the one that serves, and keeps that one.

use chrono::{DateTime, Utc};
use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    sql_query,
    sql_types::{Bool, Text},
};

use super::{Cluster, Error, Role};

/// The one that serves.
const SERVING: &str = "tenantry";

/// One that is being filled.
const NEW: &str = "tenantry_restoring";

/// How the names of those begin that were replaced.
const KEPT: &str = "tenantry_before_";

/// The advisory lock of a swap: "swapping" in ASCII.
const LOCK: i64 = 0x7377_6170_7069_6e67;

#[derive(QueryableByName)]
struct Database {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    yes: bool,
}

/// The right to replace the database of an embedded server, which one process has at a time.
pub struct Swap<'a> {
    cluster: &'a Cluster,
    admin: PgConnection,
}

impl Cluster {
    /// Takes the right to replace the database.
    ///
    /// # Errors
    ///
    /// [`Error::Setup`] while another process has it.
    pub fn swap(&self) -> Result<Swap<'_>, Error> {
        let mut admin =
            PgConnection::establish(&self.url_for(Role::Admin, "postgres")).map_err(failed("connecting"))?;
        let lock = sql_query(format!("SELECT pg_try_advisory_lock({LOCK}) AS yes"));
        let Answer { yes } = lock.get_result(&mut admin).map_err(failed("taking the lock"))?;
        if !yes {
            return Err(failed("taking the lock")(std::io::Error::other("another process is replacing the database")));
        }
        Ok(Swap { cluster: self, admin })
    }
}

impl Swap<'_> {
    /// An empty database of the owner, to be filled; returns its address.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn empty(&mut self) -> Result<String, Error> {
        self.discard()?;
        let create = format!("CREATE DATABASE {NEW} OWNER {}", Role::Owner.name());
        self.admin.batch_execute(&create).map_err(failed("creating a database"))?;
        Ok(self.cluster.url_for(Role::Owner, NEW))
    }

    /// Removes what [`Swap::empty`] made, or what a killed process left of it.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn discard(&mut self) -> Result<(), Error> {
        let drop = format!("DROP DATABASE IF EXISTS {NEW} WITH (FORCE)");
        self.admin.batch_execute(&drop).map_err(failed("removing an unfinished database"))
    }

    /// The databases that were replaced and are still there, the newest first.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn kept(&mut self) -> Result<Vec<String>, Error> {
        let query = format!(
            "SELECT datname::text AS name FROM pg_database WHERE starts_with(datname, '{KEPT}') ORDER BY 1 DESC"
        );
        let kept: Vec<Database> = sql_query(query).load(&mut self.admin).map_err(failed("listing the databases"))?;
        Ok(kept.into_iter().map(|database| database.name).collect())
    }

    /// Puts the filled database in the place of the one that serves; returns the name under which that one is kept.
    ///
    /// # Errors
    ///
    /// See [`Error`]. Then everything is as it was.
    pub fn put_in_place(&mut self, now: DateTime<Utc>) -> Result<String, Error> {
        self.exchange(NEW, now)
    }

    /// Puts a database back that was replaced; returns the name under which the present one is kept.
    ///
    /// # Errors
    ///
    /// See [`Error`]. Then everything is as it was.
    pub fn take_back(&mut self, kept: &str, now: DateTime<Utc>) -> Result<String, Error> {
        self.exchange(kept, now)
    }

    /// Both names change in one transaction: a killed process leaves one of the two states.
    fn exchange(&mut self, next: &str, now: DateTime<Utc>) -> Result<String, Error> {
        let kept = format!("{KEPT}{}", now.format("%Y%m%d_%H%M%S_%3f"));
        let mut last = None;
        // A service that runs connects again at once, so that somebody may be inside again.
        for _ in 0..10 {
            let ending = format!(
                "ALTER DATABASE {SERVING} ALLOW_CONNECTIONS false;
                 SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname IN ('{SERVING}', '{next}');
                 BEGIN;
                 ALTER DATABASE {SERVING} RENAME TO {kept};
                 ALTER DATABASE {next} RENAME TO {SERVING};
                 ALTER DATABASE {SERVING} ALLOW_CONNECTIONS true;
                 COMMIT"
            );
            // One statement at a time: several in one message would be one transaction, in which the first is not seen by others.
            let mut done = Ok(());
            for statement in ending.split(';') {
                done = done.and_then(|()| self.admin.batch_execute(statement));
            }
            match done {
                Ok(()) => return Ok(kept),
                Err(error) => last = Some(error),
            }
            self.admin.batch_execute("ROLLBACK").map_err(failed("replacing the database"))?;
        }
        let allow = format!("ALTER DATABASE {SERVING} ALLOW_CONNECTIONS true");
        self.admin.batch_execute(&allow).map_err(failed("replacing the database"))?;
        Err(failed("replacing the database")(last.unwrap_or(diesel::result::Error::NotFound)))
    }
}

fn failed<E: std::error::Error + Send + Sync + 'static>(doing: &'static str) -> impl FnOnce(E) -> Error {
    move |source| Error::Setup { doing, source: Box::new(source) }
}
