//! What goes wrong with the database, sorted by what can be done about it.

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use tenantry_domain::{Error, Refusal};

/// What the closure given to the door may fail with: a refusal in the words of the domain, or a fault of the database,
/// which the door looks at (a lost race is tried again) before it becomes one.
#[derive(Debug)]
pub struct Fault(pub(crate) Kind);

#[derive(Debug)]
pub(crate) enum Kind {
    Refused(Error),
    Database(DieselError),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self(Kind::Refused(error))
    }
}

impl From<DieselError> for Fault {
    fn from(error: DieselError) -> Self {
        Self(Kind::Database(error))
    }
}

/// What can be done about a fault of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Another transaction won: run this one again.
    Again,
    /// The session is not the one in which the statement was prepared: run this one again, and prepare no more.
    Unprepared,
    /// A prepared statement is from before a change of the schema: run this one again on another connection.
    Anew,
    /// The connection or the server is not in a state to answer: drop the connection; the caller may try later.
    Later,
    /// The schema is not the one of this program: the caller may try later, and another connection is no better.
    Migrate,
    /// A fault in the program.
    None,
}

/// Diesel turns a few SQLSTATEs into kinds and drops the others, so that those are known by the words of PostgreSQL alone. They
/// are English: the pool refuses a connection on which they are not.
pub(crate) fn remedy(error: &DieselError) -> Remedy {
    let DieselError::DatabaseError(kind, info) = error else {
        return match error {
            DieselError::BrokenTransactionManager => Remedy::Later,
            _ => Remedy::None,
        };
    };
    let says = |words: &[&str]| words.iter().any(|words| info.message().contains(words));
    match kind {
        DatabaseErrorKind::SerializationFailure => Remedy::Again,
        DatabaseErrorKind::ClosedConnection
        | DatabaseErrorKind::ReadOnlyTransaction
        | DatabaseErrorKind::UnableToSendCommand => Remedy::Later,
        _ if says(&["deadlock detected"]) => Remedy::Again,
        _ if is_about_a_prepared_statement(info.message()) => Remedy::Unprepared,
        _ if says(&["cached plan must not change"]) => Remedy::Anew,
        _ if says(&GONE) || says(&CANNOT_ANSWER) => Remedy::Later,
        _ if is_not_migrated(info.message()) => Remedy::Migrate,
        _ => Remedy::None,
    }
}

/// Whether the connection is gone, and another one may answer.
pub(crate) fn is_gone(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand, _) => {
            true
        }
        DieselError::DatabaseError(_, info) => GONE.iter().any(|words| info.message().contains(words)),
        _ => false,
    }
}

const GONE: [&str; 14] = [
    // 57P01..57P03
    "terminating connection",
    "the database system is",
    "server closed the connection",
    "connection to server",
    "no connection to the server",
    "SSL SYSCALL",
    "SSL connection has been closed",
    "could not receive data from server",
    "could not send data to server",
    "lost synchronization with server",
    // 08P01 of PgBouncer
    "server_login_retry",
    "server conn crashed",
    "cannot connect to server",
    "server login failed",
];

const CANNOT_ANSWER: [&str; 10] = [
    // 57014, 55P03
    "canceling statement due to",
    // 08P01 of PgBouncer
    "query_wait_timeout",
    // 53xxx: out of connections, memory, disk
    "too many clients",
    "remaining connection slots",
    "out of memory",
    "out of shared memory",
    "could not extend file",
    "No space left on device",
    "Disk quota exceeded",
    "could not write to file",
];

/// A table, column or function that every migrated database has, or the right to use it: not there yet, or no longer while
/// migrations are undone. Or a function that a distributed database does not run: its workers are not told of what type its variables are.
fn is_not_migrated(message: &str) -> bool {
    let missing = ["relation ", "function ", "column "].iter().any(|what| message.starts_with(what));
    let denied = ["permission denied for table ", "permission denied for function "]
        .iter()
        .any(|words| message.starts_with(words));
    let distributed = message.starts_with("could not determine data type of parameter ");
    (missing && message.contains(" does not exist")) || denied || distributed
}

/// The name is taken, or not there, or the session has not the name that its connection gave it (see `Link::guard`).
fn is_about_a_prepared_statement(message: &str) -> bool {
    (message.starts_with("prepared statement ")
        && (message.ends_with(" already exists") || message.ends_with(" does not exist")))
        || message.starts_with("bind message supplies ")
        || message == format!("invalid input syntax for type integer: \"{ANOTHER}\"")
}

/// What PostgreSQL repeats in its message when a transaction begins in a session that is not the connection's own.
pub(crate) const ANOTHER: &str = "another session";

/// Whether the fault is this constraint's doing. On a distributed PostgreSQL its name stands in the message only, perhaps
/// with the number of a shard behind it.
pub(crate) fn violates(error: &DieselError, constraint: &str) -> bool {
    match error {
        DieselError::DatabaseError(
            DatabaseErrorKind::UniqueViolation
            | DatabaseErrorKind::ForeignKeyViolation
            | DatabaseErrorKind::RestrictViolation,
            info,
        ) => match info.constraint_name() {
            Some(name) => name == constraint,
            None => names(info.message()).any(|name| name == constraint || is_of_a_shard(name, constraint)),
        },
        _ => false,
    }
}

/// The words of a message that can be names.
fn names(message: &str) -> impl Iterator<Item = &str> {
    message.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

fn is_of_a_shard(name: &str, constraint: &str) -> bool {
    let shard = name.strip_prefix(constraint).and_then(|rest| rest.strip_prefix('_'));
    shard.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

impl Fault {
    /// This fault, or the refusal that stands for the violation of a constraint.
    pub(crate) fn unless_violated(error: DieselError, constraint: &str, refusal: impl FnOnce() -> Error) -> Self {
        if violates(&error, constraint) { refusal().into() } else { error.into() }
    }

    /// The same fault, for a caller who may not read what it is about.
    pub(crate) fn without_figures(self) -> Self {
        match self.0 {
            Kind::Refused(error) => Self(Kind::Refused(error.without_figures())),
            other => Self(other),
        }
    }

    /// The fault in the words of the domain.
    pub(crate) fn into_error(self) -> Error {
        match self.0 {
            Kind::Refused(error) => error,
            Kind::Database(error) => match remedy(&error) {
                Remedy::None => Error::internal(format!("database: {error}")),
                _ => Error::Unavailable { cause: error.to_string() },
            },
        }
    }
}

/// Reads a stored value; one that the domain refuses is a fault of the service, never passed on as if it were good.
pub(crate) fn stored<T: std::str::FromStr<Err = Refusal>>(column: &str, raw: &str) -> Result<T, Fault> {
    raw.parse().map_err(|refusal| Error::internal(format!("{column} holds a value that {refusal}")).into())
}

/// [`stored`], of a column that may be null.
pub(crate) fn stored_option<T: std::str::FromStr<Err = Refusal>>(
    column: &str,
    raw: Option<String>,
) -> Result<Option<T>, Fault> {
    raw.map(|raw| stored(column, &raw)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unique_violation(message: &str) -> DieselError {
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, Box::new(message.to_owned()))
    }

    #[test]
    fn the_constraint_of_a_shard_is_known_by_its_whole_name() {
        let german = "doppelter Schlüsselwert verletzt Unique-Constraint »invitation_workspaces_pkey_102008«";
        assert!(violates(&unique_violation(german), "invitation_workspaces_pkey"));
        assert!(!violates(&unique_violation(german), "workspaces_pkey"));
        assert!(!violates(&unique_violation(german), "invitation_workspaces"));
        let other = DieselError::DatabaseError(DatabaseErrorKind::CheckViolation, Box::new(german.to_owned()));
        assert!(!violates(&other, "invitation_workspaces_pkey"));
    }
}
