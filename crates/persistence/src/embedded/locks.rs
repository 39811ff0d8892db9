//! The two locks that let several processes share one server.
//!
//! Whoever uses the server holds a shared lock on one file. Whoever starts or stops it holds an exclusive
//! lock on the other. The shared lock is only ever taken or given up under the exclusive one, so nobody
//! can come between "I am the last" and "it has stopped". The kernel gives up both when a process dies.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt, fchown},
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use nix::fcntl::OFlag;

use super::{account::Account, error::Error};

/// Longer than a start and a stop may take together.
const PATIENCE: Duration = Duration::from_secs(120);

/// The right to start or stop the server, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    file: File,
}

impl Turn {
    /// Waits for the right.
    pub(super) fn take(home: &Path, account: &Account) -> Result<Turn, Error> {
        let path = home.join("start-stop.lock");
        let file = open_own(&path, account)?;
        let since = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Turn { file }),
                Err(TryLockError::Error(source)) => return Err(Error::file("lock", &path)(source)),
                Err(TryLockError::WouldBlock) if since.elapsed() > PATIENCE => {
                    return Err(Error::Busy { path, seconds: PATIENCE.as_secs() });
                }
                Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(20)),
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Said aloud rather than left to the close: a child being started by another thread may have
        // inherited the file for a moment, and would keep the lock for that long.
        drop(self.file.unlock());
    }
}

/// A share of the server.
#[derive(Debug)]
pub(super) struct Share {
    file: File,
    path: PathBuf,
}

impl Share {
    /// Takes a share.
    pub(super) fn take(home: &Path, account: &Account, _turn: &Turn) -> Result<Share, Error> {
        let path = home.join("in-use.lock");
        let file = open_own(&path, account)?;
        file.lock_shared().map_err(Error::file("lock", &path))?;
        Ok(Share { file, path })
    }

    /// Gives the share up, and tells whether it was the last.
    pub(super) fn give_up(self, _turn: &Turn) -> Result<bool, Error> {
        self.file.unlock().map_err(Error::file("unlock", &self.path))?;
        match self.file.try_lock() {
            Ok(()) => self.file.unlock().map(|()| true).map_err(Error::file("unlock", &self.path)),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(source)) => Err(Error::file("lock", &self.path)(source)),
        }
    }
}

/// Opens or creates a file that both root and the account of the server can use, and nobody else. Does not
/// follow a link: a process of root may be working in a directory of somebody else.
pub(super) fn open_own(path: &Path, account: &Account) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).mode(0o600).custom_flags(OFlag::O_NOFOLLOW.bits());
    let file = match options.clone().create_new(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(path),
        other => other,
    }
    .map_err(Error::file("open", path))?;
    if account.switch() && file.metadata().map_err(Error::file("read", path))?.uid() != account.uid {
        fchown(&file, Some(account.uid), Some(account.gid)).map_err(Error::file("change the owner of", path))?;
    }
    Ok(file)
}
