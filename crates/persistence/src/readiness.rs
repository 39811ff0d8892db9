//! Whether requests can be answered.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query, sql_types::Bool};
use tenantry_domain::{Error, Weight, counted};

use crate::{
    audit_partitions::partitioned_until,
    door::Store,
    fault::Fault,
    migrate,
    pool::{self, roll_back},
    seats::Party,
};

/// Why requests cannot be answered, or not all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unready {
    /// A sentence that anybody may read.
    pub sentence: &'static str,
    /// For the log.
    pub cause: String,
}

impl From<Unready> for Error {
    fn from(unready: Unready) -> Self {
        Self::Unavailable { cause: unready.cause }
    }
}

const UNREACHABLE: &str = "The database cannot be reached.";
const FULL: &str = "The database accepts no more connections.";
const BUSY: &str = "All database connections are in use.";
const READ_ONLY: &str = "The database is read-only: reads are answered, and no write can succeed.";
const PENDING: &str = "Migrations are pending: run `tenantry migrate run`.";
const MISMATCH: &str = "The migrations of the database and those of this version do not match.";

/// What is asked of the database.
struct Condition {
    is_read_only: bool,
    applied: Vec<String>,
}

#[derive(QueryableByName)]
struct ReadOnly {
    #[diesel(sql_type = Bool)]
    is_read_only: bool,
}

impl Store {
    /// Whether every request can be answered: [`Store::answers`], and the database takes writes.
    ///
    /// # Errors
    ///
    /// Which of these it is.
    pub async fn ready(&self) -> Result<(), Unready> {
        if self.condition().await?.is_read_only {
            let cause = "the database is read-only, so that no write can succeed; reads are answered".to_owned();
            return Err(Unready { sentence: READ_ONLY, cause });
        }
        Ok(())
    }

    /// Whether the database answers, lets the role serve, and has the migrations that this binary knows.
    ///
    /// # Errors
    ///
    /// Which of these it is.
    pub async fn answers(&self) -> Result<(), Unready> {
        self.condition().await.map(drop)
    }

    /// How many migrations of this binary have not run.
    ///
    /// # Errors
    ///
    /// The database does not answer, or does not let the role serve.
    pub async fn pending_migrations(&self) -> Result<usize, Unready> {
        Ok(self.asked().await?.migrations()?.0)
    }

    /// Up to when the audit log has a partition for each month; `None` before it has any.
    ///
    /// # Errors
    ///
    /// The database does not answer, or does not let the role serve.
    pub async fn audit_months_until(&self) -> Result<Option<DateTime<Utc>>, Unready> {
        self.probe(|connection| Ok(partitioned_until(connection)?)).await
    }

    async fn condition(&self) -> Result<Condition, Unready> {
        let condition = self.asked().await?;
        match condition.migrations()? {
            // The binary before this one must go on serving while a newer one is being rolled out.
            (0, _) => {}
            (pending, 0) => {
                let cause = format!("{} pending: run `tenantry migrate run`", are(pending));
                return Err(Unready { sentence: PENDING, cause });
            }
            (pending, unknown) => {
                let unknown = counted(unknown as u64, "migration");
                let cause = format!(
                    "{} pending, and the database has {unknown} that this binary does not know: they do not match",
                    are(pending)
                );
                return Err(Unready { sentence: MISMATCH, cause });
            }
        }
        Ok(condition)
    }

    async fn asked(&self) -> Result<Condition, Unready> {
        self.probe(condition).await
    }

    async fn probe<T: Send + 'static>(&self, ask: fn(&mut PgConnection) -> Result<T, Fault>) -> Result<T, Unready> {
        let answer = self.pool.run((Party::Probe, Weight::Light), "BEGIN", move |connection, _| {
            let answer = ask(connection);
            let _ = roll_back(connection);
            answer
        });
        answer.await.map_err(unreachable)
    }
}

impl Condition {
    /// How many migrations are pending, and how many the database has that this binary does not know.
    fn migrations(&self) -> Result<(usize, usize), Unready> {
        let Self { applied, .. } = self;
        let known = migrate::known().map_err(|error| unreachable(Error::internal(error.to_string())))?;
        let pending =
            known.iter().filter(|(version, _)| !applied.iter().any(|applied| *applied == version.to_string())).count();
        Ok((pending, applied.len() + pending - known.len()))
    }
}

fn condition(connection: &mut PgConnection) -> Result<Condition, Fault> {
    let read_only = "SELECT current_setting('transaction_read_only')::bool AS is_read_only";
    let ReadOnly { is_read_only } = sql_query(read_only).get_result(connection)?;
    Ok(Condition { is_read_only, applied: migrate::applied(connection)? })
}

fn unreachable(error: Error) -> Unready {
    let cause = match error {
        Error::Unavailable { cause } | Error::Internal { cause } => cause,
        other => other.to_string(),
    };
    let sentence = match cause.as_str() {
        cause if cause.contains("became free in time") => BUSY,
        cause if pool::is_full(cause) => FULL,
        _ => UNREACHABLE,
    };
    Unready { sentence, cause }
}

/// "1 migration is", "2 migrations are".
fn are(count: usize) -> String {
    format!("{} {}", counted(count as u64, "migration"), if count == 1 { "is" } else { "are" })
}
