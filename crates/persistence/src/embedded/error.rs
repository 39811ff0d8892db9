//! What can go wrong with the embedded server, in words for the person who has to put it right.

use std::{io, path::Path, path::PathBuf};

/// The way out that is always open.
pub(super) const OWN_SERVER: &str = "Or set DATABASE_URL to use a PostgreSQL of your own.";

/// Why there is no embedded PostgreSQL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No server programs, or none that fit.
    #[error("{wanted} was not found on this machine.\n{looked}{advice}\n{OWN_SERVER}")]
    NoServer {
        /// What was looked for.
        wanted: String,
        /// One line for each place, with what was found there.
        looked: String,
        /// How to install it on this system.
        advice: String,
    },
    /// There is no account that the server could run as.
    #[error("{0}")]
    Account(String),
    /// A file or directory could not be read or written.
    #[error("cannot {doing} {}: {source}.\n{}", path.display(), remedy(source, path))]
    File {
        /// What was tried, as a verb.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The account of the server cannot reach its own files.
    #[error(
        "PostgreSQL runs as the user {user}, who cannot enter {}.\n\
         Let that user in (chmod o+x on the directory and those above it), or set TENANTRY_PG_USER to another user.",
        path.display()
    )]
    CannotEnter {
        /// The directory.
        path: PathBuf,
        /// The name of the account.
        user: String,
    },
    /// The cluster is another user's.
    #[error(
        "the database in {} belongs to the user {owner}, but Tenantry runs as {user}.\n\
         Run it as {owner} or as root, or choose another directory with TENANTRY_DATA_DIR. {OWN_SERVER}",
        path.display()
    )]
    Foreign {
        /// The directory of the cluster.
        path: PathBuf,
        /// Whose it is.
        owner: String,
        /// Who asked.
        user: String,
    },
    /// What lies where the cluster should be is no cluster.
    #[error("{} is not a PostgreSQL cluster ({why}). Move it away, or choose another directory with TENANTRY_DATA_DIR.", path.display())]
    NoCluster {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Another process was starting or stopping the server for too long.
    #[error(
        "another process has been starting or stopping the embedded PostgreSQL for {seconds} seconds, and holds {}. Wait for it or end it, and try again.",
        path.display()
    )]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// How long this process has waited.
        seconds: u64,
    },
    /// A program of PostgreSQL could not be run at all.
    #[error("cannot run {} as {user}: {source}", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// The account it was to run as.
        user: String,
        /// What the system said.
        source: io::Error,
    },
    /// `initdb` refused or failed.
    #[error("initdb could not create the database cluster in {}:\n{output}\n{}", path.display(), hint(output))]
    Initdb {
        /// Where the cluster was to be.
        path: PathBuf,
        /// What `initdb` said.
        output: String,
    },
    /// The server did not start, or did not answer in time.
    #[error("the embedded PostgreSQL {why}.\nThe end of its log, {}:\n{tail}\n{}", log.display(), hint(tail))]
    Start {
        /// What happened.
        why: String,
        /// The log of the server.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// The server runs, but the roles or the database could not be set up.
    #[error("the embedded PostgreSQL runs, but {doing} failed: {source}")]
    Setup {
        /// The step.
        doing: &'static str,
        /// What the server said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server could not be ended.
    #[error("the embedded PostgreSQL (process {pid}) did not stop: {why}")]
    Stop {
        /// Its process id.
        pid: i32,
        /// What was tried.
        why: String,
    },
}

impl Error {
    /// For `map_err`: names the file that an I/O error is about.
    pub(super) fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::File { doing, path, source }
    }
}

fn remedy(source: &io::Error, path: &Path) -> String {
    let choose = "choose another data directory with TENANTRY_DATA_DIR";
    let todo = match source.kind() {
        io::ErrorKind::PermissionDenied => {
            let me = super::users::my_name();
            return format!("Give {me} access to {}, or {choose}. {OWN_SERVER}", path.display());
        }
        io::ErrorKind::ReadOnlyFilesystem => "The file system is read-only: mount it writable",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "The disk is full: free some space",
        _ => "Fix that",
    };
    format!("{todo}, or {choose}. {OWN_SERVER}")
}

/// What to do about a failure that a program of PostgreSQL has explained.
fn hint(said: &str) -> String {
    if said.contains("No space left on device") {
        return format!(
            "The disk is full: free some space, or choose another data directory with TENANTRY_DATA_DIR. {OWN_SERVER}"
        );
    }
    format!("Fix that and start again. {OWN_SERVER}")
}
