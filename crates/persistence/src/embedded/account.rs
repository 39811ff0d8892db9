//! The operating system account that the server runs as.
//!
//! PostgreSQL refuses to run as root. A process of root therefore starts it as somebody else, and takes
//! care not to write, as root, where that somebody could have put a link.

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::{fs::lchown, process::CommandExt},
    path::Path,
    process::{Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, Uid, User, geteuid},
};

use super::error::Error;

/// What the children inherit of the environment: where libraries are, and nothing else. The secrets of
/// the service are in its environment, and a superuser of the database can read that of the server.
const INHERITED: [&str; 5] =
    ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "LOCALE_ARCHIVE"];

/// An account, to which this process has to switch as long as it is root.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) name: String,
}

impl Account {
    /// The account for a cluster that belongs to `owner`, or does not exist yet. `wanted` is the choice of
    /// the person.
    pub(super) fn choose(wanted: Option<&str>, owner: Option<u32>) -> Result<Account, Error> {
        if geteuid().is_root() { Account::for_root(wanted, owner) } else { Account::for_user(wanted) }
    }

    fn for_user(wanted: Option<&str>) -> Result<Account, Error> {
        let me = geteuid();
        let Some(user) = User::from_uid(me).ok().flatten() else {
            return Err(Error::Account(format!(
                "the user id {me} of this process has no name (no entry in /etc/passwd), and PostgreSQL needs one. \
                 Add an entry, or run as a user who has one. {}",
                super::error::OWN_SERVER
            )));
        };
        match wanted {
            Some(name) if name != user.name => Err(Error::Account(format!(
                "TENANTRY_PG_USER names {name}, but this process runs as {}. Only root can start the embedded PostgreSQL as another user. Unset TENANTRY_PG_USER, or run as {name}.",
                user.name
            ))),
            _ => Ok(Account::from_user(user)),
        }
    }

    fn for_root(wanted: Option<&str>, owner: Option<u32>) -> Result<Account, Error> {
        if let Some(name) = wanted {
            let user = User::from_name(name).ok().flatten();
            return match user {
                None => Err(Error::Account(format!("TENANTRY_PG_USER names {name}, but there is no such user."))),
                Some(user) if user.uid.is_root() => Err(Error::Account(format!(
                    "TENANTRY_PG_USER names {name}, but PostgreSQL refuses to run as root. Name another user."
                ))),
                Some(user) => Ok(Account::from_user(user)),
            };
        }
        let owner = owner.filter(|uid| *uid != 0).and_then(|uid| User::from_uid(Uid::from_raw(uid)).ok().flatten());
        let usual = || ["postgres", "nobody"].iter().find_map(|name| User::from_name(name).ok().flatten());
        owner.or_else(usual).filter(|user| !user.uid.is_root()).map(Account::from_user).ok_or_else(
            || {
                Error::Account(format!(
                    "PostgreSQL refuses to run as root, and neither the user postgres nor the user nobody exists. Create one, or name a user in TENANTRY_PG_USER. {}",
                    super::error::OWN_SERVER
                ))
            },
        )
    }

    fn from_user(user: User) -> Account {
        Account { uid: user.uid.as_raw(), gid: user.gid.as_raw(), name: user.name }
    }

    /// Whether this process is root, and the account is not. Asked each time: the service becomes the account once it has started.
    pub(super) fn switch(&self) -> bool {
        geteuid().is_root()
    }

    /// `program` as this account, with a clean environment, away from the terminal.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("LC_ALL", "C").env("TZ", "UTC");
        #[expect(clippy::disallowed_methods, reason = "handed on to a child, not read")]
        command.envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.current_dir("/").stdin(Stdio::null()).process_group(0);
        if self.switch() {
            command.gid(self.gid).uid(self.uid);
        }
        command
    }

    /// Whether this account can make `directory` its working directory, asked of the system itself.
    pub(super) fn can_enter(&self, directory: &Path) -> Result<bool, Error> {
        let mut command = self.command("/bin/sh");
        command.args(["-c", "cd -- \"$1\"", "sh"]).arg(directory).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().map(|status| status.success()).map_err(|source| {
            Error::Account(format!(
                "cannot run PostgreSQL as the user {}: {source}. Start Tenantry as an ordinary user, \
                 or name another user in TENANTRY_PG_USER. {}",
                self.name,
                super::error::OWN_SERVER
            ))
        })
    }

    /// For `map_err`: a program that did not even start.
    pub(super) fn cannot_run(&self, program: &Path, source: io::Error) -> Error {
        Error::Run { program: program.to_owned(), user: self.name.clone(), source }
    }

    /// Signals a process in the name of this account, so that the kernel refuses when the process is not its own.
    pub(super) fn signal(&self, pid: i32, signal: Signal) -> io::Result<()> {
        if !self.switch() {
            return kill(Pid::from_raw(pid), signal).map_err(io::Error::from);
        }
        let line = format!("kill -s {} {pid}", signal.as_str().trim_start_matches("SIG"));
        let done = self.command("/bin/sh").args(["-c", &line]).output()?;
        if done.status.success() {
            return Ok(());
        }
        Err(io::Error::other(String::from_utf8_lossy(&done.stderr).trim().to_owned()))
    }

    /// Gives a file or directory (never what a link points to) to this account, if this process is root.
    pub(super) fn give(&self, path: &Path) -> io::Result<()> {
        if self.switch() { lchown(path, Some(self.uid), Some(self.gid)) } else { Ok(()) }
    }

    /// The same for a whole directory. The top comes last: whoever owns it owns everything.
    pub(super) fn give_tree(&self, directory: &Path) -> io::Result<()> {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                self.give_tree(&entry.path())?;
            } else {
                self.give(&entry.path())?;
            }
        }
        self.give(directory)
    }
}
