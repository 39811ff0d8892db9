//! Where the cluster lies, and whose its files are.
//!
//! In the home directory of the cluster lie `data` (PostgreSQL's own), `socket`, the server log, the two
//! access files and the two locks. When root runs this, the home is root's, the account of the server may
//! pass through it, and only what is in it is the account's.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use nix::unistd::geteuid;
use sha2::{Digest, Sha256};

use super::{
    Options,
    account::Account,
    error::Error,
    postmaster::{Life, Postmaster},
    users::name_of,
};

/// The home of a cluster.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) home: PathBuf,
    pub(super) account: Account,
    /// What the person should know about it.
    pub(super) notices: Vec<String>,
}

impl Place {
    /// Decides where the cluster of these options lies and makes the directory.
    pub(super) fn find(options: &Options) -> Result<Place, Error> {
        let asked = make_data_dir(&options.data_dir)?;
        let place = if geteuid().is_root() {
            Place::for_root(options, &asked)?
        } else {
            let account = Account::choose(options.pg_user.as_deref(), None)?;
            Place { home: asked.join("postgres"), account, notices: Vec::new() }
        };
        place.make_home()
    }

    /// An existing cluster is never passed over for an empty new one, whatever has become of the permissions.
    fn for_root(options: &Options, asked: &Path) -> Result<Place, Error> {
        let here = asked.join("postgres");
        let there = options.elsewhere.join(short_hash(asked));
        if let Some(owner) = owner_of_cluster(&here)? {
            let account = choose_for(options, &here, owner)?;
            return Place { home: here, account, notices: Vec::new() }.if_enterable(asked);
        }
        if let Some(owner) = owner_of_cluster(&there)? {
            let account = choose_for(options, &there, owner)?;
            return Place::noticed(there, asked, account).if_enterable(&options.elsewhere);
        }
        let account = Account::choose(options.pg_user.as_deref(), None)?;
        if account.can_enter(asked)? {
            return Ok(Place { home: here, account, notices: Vec::new() });
        }
        make_elsewhere(&options.elsewhere)?;
        Place::noticed(there, asked, account).if_enterable(&options.elsewhere)
    }

    /// Whether there is a cluster of these options. Makes nothing.
    pub(super) fn has_cluster(options: &Options) -> bool {
        let Ok(asked) = options.data_dir.canonicalize() else { return false };
        let homes = [asked.join("postgres"), options.elsewhere.join(short_hash(&asked))];
        homes.iter().any(|home| !matches!(owner_of_cluster(home), Ok(None)))
    }

    fn noticed(home: PathBuf, asked: &Path, account: Account) -> Place {
        let notice = format!(
            "The database is in {}: PostgreSQL runs as the user {}, who could not enter {} when the database was created.",
            home.display(),
            account.name,
            asked.display()
        );
        Place { home, account, notices: vec![notice] }
    }

    fn if_enterable(self, parent: &Path) -> Result<Place, Error> {
        if self.account.can_enter(parent)? {
            return Ok(self);
        }
        Err(Error::CannotEnter { path: parent.to_owned(), user: self.account.name })
    }

    fn make_home(mut self) -> Result<Place, Error> {
        make_directory(&self.home, 0o700)?;
        self.home = self.home.canonicalize().map_err(Error::file("find", &self.home))?;
        let meta = fs::metadata(&self.home).map_err(Error::file("read", &self.home))?;
        if self.account.switch() {
            let passable = meta.uid() == 0 && meta.gid() == self.account.gid && meta.mode() & 0o777 == 0o750;
            if meta.uid() != self.account.uid && !passable {
                self.let_through()?;
            }
        } else if !self.is_mine(meta.uid())? {
            let (owner, user) = (self.owner_of_data().unwrap_or(meta.uid()), self.account.name.clone());
            return Err(Error::Foreign { path: self.home, owner: name_of(owner), user });
        }
        Ok(self)
    }

    /// Root keeps the directory; the account may pass through it and see what is there.
    fn let_through(&self) -> Result<(), Error> {
        chown(&self.home, Some(0), Some(self.account.gid)).map_err(Error::file("change the owner of", &self.home))?;
        fs::set_permissions(&self.home, Permissions::from_mode(0o750))
            .map_err(Error::file("change the mode of", &self.home))
    }

    /// Whether this ordinary user may use the home: it is theirs, or root made it for them.
    fn is_mine(&self, owner: u32) -> Result<bool, Error> {
        match fs::symlink_metadata(self.data()) {
            Ok(meta) => Ok(meta.uid() == self.account.uid),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(owner == self.account.uid),
            Err(error) if owner != self.account.uid && error.kind() == io::ErrorKind::PermissionDenied => Ok(false),
            Err(error) => Err(Error::file("read", &self.data())(error)),
        }
    }

    fn owner_of_data(&self) -> Option<u32> {
        fs::symlink_metadata(self.data()).ok().map(|meta| meta.uid())
    }

    /// Hands everything in the home to the account, if it was another's. Only while no server runs.
    pub(super) fn hand_over(&self) -> Result<(), Error> {
        if !self.account.switch() {
            return Ok(());
        }
        for name in [LOG, OLD_LOG, HBA, IDENT] {
            match self.account.give(&self.home.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::file("change the owner of", &self.home.join(name))(error));
                }
                _ => {}
            }
        }
        match self.owner_of_data() {
            Some(owner) if owner != self.account.uid => {
                self.account.give_tree(&self.data()).map_err(Error::file("change the owners in", &self.data()))
            }
            _ => Ok(()),
        }
    }

    /// PostgreSQL's data directory.
    pub(super) fn data(&self) -> PathBuf {
        self.home.join(DATA)
    }

    pub(super) fn log(&self) -> PathBuf {
        self.home.join(LOG)
    }

    pub(super) fn hba(&self) -> PathBuf {
        self.home.join(HBA)
    }

    pub(super) fn ident(&self) -> PathBuf {
        self.home.join(IDENT)
    }

    /// The major version of the cluster, if there is one.
    pub(super) fn major(&self) -> Result<Option<u32>, Error> {
        let data = self.data();
        if !data.exists() {
            return Ok(None);
        }
        let no_cluster = |why: String| Error::NoCluster { path: data.clone(), why };
        let said = fs::read_to_string(data.join("PG_VERSION"))
            .map_err(|error| no_cluster(format!("its file PG_VERSION cannot be read: {error}")))?;
        let major = said.trim().split('.').next().and_then(|major| major.parse().ok());
        major.map(Some).ok_or_else(|| no_cluster(format!("its file PG_VERSION says {:?}", said.trim())))
    }
}

const DATA: &str = "data";
const LOG: &str = "postgres.log";
pub(super) const OLD_LOG: &str = "postgres.log.1";
const HBA: &str = "pg_hba.conf";
const IDENT: &str = "pg_ident.conf";

/// The account for an existing cluster. While its server runs, that is whoever runs it.
fn choose_for(options: &Options, home: &Path, owner: u32) -> Result<Account, Error> {
    let data = home.join(DATA);
    let runs = Postmaster::read(&data)?.is_some_and(|postmaster| postmaster.life(&data) == Life::Alive);
    Account::choose(options.pg_user.as_deref().filter(|_| !runs), Some(owner))
}

/// Whose the cluster in this home is, if there is one.
fn owner_of_cluster(home: &Path) -> Result<Option<u32>, Error> {
    match fs::symlink_metadata(home.join(DATA)) {
        Ok(meta) => Ok(Some(meta.uid())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file("read", &home.join(DATA))(error)),
    }
}

/// The absolute path of the data directory, which exists afterwards. Root's can be passed through, so that
/// the account of the server reaches the part that is its own.
fn make_data_dir(asked: &Path) -> Result<PathBuf, Error> {
    let absolute = std::path::absolute(asked).map_err(Error::file("find", asked))?;
    make_directory(&absolute, if geteuid().is_root() { 0o711 } else { 0o700 })?;
    absolute.canonicalize().map_err(Error::file("find", &absolute))
}

/// The directory for clusters that cannot be where they were asked to be.
fn make_elsewhere(base: &Path) -> Result<(), Error> {
    if base.exists() {
        return Ok(());
    }
    make_directory(base, 0o711)?;
    // Again, because the umask of root may have taken the passage away.
    fs::set_permissions(base, Permissions::from_mode(0o711)).map_err(Error::file("change the mode of", base))
}

fn make_directory(path: &Path, mode: u32) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(mode).create(path).map_err(Error::file("create the directory", path))
}

/// A name for a path that is short, and the same every time.
pub(super) fn short_hash(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
