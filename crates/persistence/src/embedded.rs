//! An embedded PostgreSQL: a private cluster, run from the server programs of the system.
//!
//! [`Cluster::open`] starts the server of a data directory, or joins it where it runs already; any number of
//! processes may. The last one out stops it. It listens on a unix socket and nowhere else, and knows people
//! by their account on this system: there is no password.
//!
//! A server outlives a killed service, and the next [`Cluster::open`] takes it over as it is.

mod account;
mod advice;
pub(crate) mod binaries;
mod error;
mod locks;
mod place;
mod postmaster;
mod server;
mod setup;
mod socket;
mod swap;
mod users;

use std::path::{Path, PathBuf};

pub use self::{advice::OLDEST, error::Error, swap::Swap};
use self::{
    locks::{Share, Turn},
    place::Place,
    postmaster::{Life, Postmaster},
    server::Wish,
};

/// Which cluster, and how it is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data directory of the service; the cluster lies in `postgres` within. Made if it is missing.
    pub data_dir: PathBuf,
    /// The directory of the server programs; None to look for them. The setting `TENANTRY_PG_BIN`.
    pub pg_bin: Option<PathBuf>,
    /// Who runs the server when root runs this process; None for the owner of the cluster, or for `postgres` or
    /// `nobody` if there is none yet. The setting `TENANTRY_PG_USER`.
    pub pg_user: Option<String>,
    /// Where clusters go whose `data_dir` the user of the server cannot enter. Only for root.
    pub elsewhere: PathBuf,
    /// Whether a commit survives a power failure. Anything but a test wants that.
    pub durable: bool,
}

impl Options {
    /// The usual ones for this data directory.
    pub fn new(data_dir: impl Into<PathBuf>) -> Options {
        let elsewhere = PathBuf::from("/var/lib/tenantry");
        Options { data_dir: data_dir.into(), pg_bin: None, pg_user: None, elsewhere, durable: true }
    }
}

/// Whom to connect as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `tenantry_owner`: owns the database, migrates.
    Owner,
    /// `tenantry_service`: owns nothing, and row security binds it.
    Service,
    /// `postgres`, the superuser: for making databases in tests and for repairs.
    Admin,
}

impl Role {
    /// The name in the server.
    pub fn name(self) -> &'static str {
        match self {
            Role::Owner => "tenantry_owner",
            Role::Service => "tenantry_service",
            Role::Admin => "postgres",
        }
    }
}

/// The user that runs a new cluster when root runs this process, of which `wanted` is the choice of the person.
pub fn usual_user(wanted: Option<&str>) -> Result<String, Error> {
    account::Account::choose(wanted, None).map(|account| account.name)
}

/// Whether there is a cluster of these options. Makes nothing.
pub fn exists(options: &Options) -> bool {
    Place::has_cluster(options)
}

/// A share of a running server. [`Cluster::close`] or a drop gives it up.
#[derive(Debug)]
pub struct Cluster {
    place: Place,
    wish: Wish,
    share: Option<Share>,
    socket: PathBuf,
    owner_url: String,
    service_url: String,
}

impl Cluster {
    /// Starts the server of these options or joins it, and returns when it answers and the roles and the
    /// database are there. Blocks, for a minute at worst; the first time, it creates the cluster.
    pub fn open(options: &Options) -> Result<Cluster, Error> {
        let place = Place::find(options)?;
        let wish = Wish { pg_bin: options.pg_bin.clone(), durable: options.durable };
        let turn = Turn::take(&place.home, &place.account)?;
        let share = Share::take(&place.home, &place.account, &turn)?;
        let mut cluster = Cluster {
            place,
            wish,
            share: Some(share),
            socket: PathBuf::new(),
            owner_url: String::new(),
            service_url: String::new(),
        };
        match cluster.bring_up(&turn) {
            Ok(()) => Ok(cluster),
            Err(error) => {
                cluster.abandon(&turn, &error);
                Err(error)
            }
        }
    }

    /// Whether there is a server process, be it that it answers or not. Costs a look at a file and at the process.
    pub fn is_running(&self) -> bool {
        let data = self.place.data();
        matches!(Postmaster::read(&data), Ok(Some(postmaster)) if postmaster.life(&data) == Life::Alive)
    }

    /// Starts the server again if somebody has killed it. Costs a connection if it is well.
    pub fn revive(&mut self) -> Result<(), Error> {
        let turn = Turn::take(&self.place.home, &self.place.account)?;
        self.bring_up(&turn)
    }

    fn bring_up(&mut self, _turn: &Turn) -> Result<(), Error> {
        self.socket = server::ensure(&self.place, &self.wish)?;
        setup::run(|database| self.url_for(Role::Admin, database))?;
        self.owner_url = self.url_for(Role::Owner, "tenantry");
        self.service_url = self.url_for(Role::Service, "tenantry");
        Ok(())
    }

    /// A server that does not answer yet is left alone: it may be recovering, and the next open finds it done.
    fn abandon(&mut self, turn: &Turn, error: &Error) {
        let last = self.share.take().map_or(Ok(false), |share| share.give_up(turn));
        if matches!(last, Ok(true))
            && !matches!(error, Error::Start { .. })
            && let Err(error) = self.stop()
        {
            tracing::warn!("{error}");
        }
    }

    /// The address of the database for the owner of the schema, for libpq.
    pub fn owner_url(&self) -> &str {
        &self.owner_url
    }

    /// The address of the database for the service, for libpq.
    pub fn service_url(&self) -> &str {
        &self.service_url
    }

    /// The address of any database of this server, as anyone, for libpq.
    pub fn url_for(&self, role: Role, database: &str) -> String {
        socket::url(&self.socket, &self.place.account.name, role.name(), database)
    }

    /// The directory where the cluster, its log and its locks lie.
    pub fn location(&self) -> &Path {
        &self.place.home
    }

    /// The user of this system that runs the server. They and root may connect.
    pub fn user(&self) -> &str {
        &self.place.account.name
    }

    /// What a person should be told, such as that the cluster is not in the directory they asked for.
    pub fn notices(&self) -> &[String] {
        &self.place.notices
    }

    /// Gives up the share. If it was the last, the server is stopped, and gone when this returns.
    pub fn close(mut self) -> Result<(), Error> {
        self.leave()
    }

    fn leave(&mut self) -> Result<(), Error> {
        let Some(share) = self.share.take() else { return Ok(()) };
        let turn = Turn::take(&self.place.home, &self.place.account)?;
        if share.give_up(&turn)? { self.stop() } else { Ok(()) }
    }

    fn stop(&self) -> Result<(), Error> {
        let data = self.place.data();
        let Some(postmaster) = Postmaster::read(&data)? else { return Ok(()) };
        if postmaster.life(&data) == Life::Alive {
            postmaster.stop(&self.place.account, &data)?;
            tracing::info!(pid = postmaster.pid, "stopped the embedded PostgreSQL");
        }
        if let Some(directory) = &postmaster.socket_directory {
            socket::tidy(directory, &self.place.home);
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Err(error) = self.leave() {
            tracing::warn!("{error}");
        }
    }
}
