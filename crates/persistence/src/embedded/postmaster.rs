//! The server process of a data directory: whether it lives, and how it ends.

use std::{
    ffi::OsStr,
    fs,
    io::{self, ErrorKind},
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{account::Account, error::Error};

/// What the file `postmaster.pid` says.
#[derive(Debug)]
pub(super) struct Postmaster {
    pub(super) pid: i32,
    /// The first lines, which do not change while the server runs: process, directory, start.
    identity: Vec<Vec<u8>>,
    /// Where its socket is; it says so a moment after its start.
    pub(super) socket_directory: Option<PathBuf>,
}

/// Whether the process that the file names is the server.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// It is, or nothing speaks against it.
    Alive,
    /// There is no such process.
    Gone,
    /// The process id is another's by now.
    Taken,
}

impl Postmaster {
    /// Reads the file, if there is one that names a process.
    pub(super) fn read(data: &Path) -> Result<Option<Postmaster>, Error> {
        let path = data.join("postmaster.pid");
        match fs::read(&path) {
            Ok(text) => Ok(Postmaster::parse(&text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::file("read", &path)(error)),
        }
    }

    fn parse(text: &[u8]) -> Option<Postmaster> {
        let lines: Vec<Vec<u8>> = text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let pid: i32 = std::str::from_utf8(lines.first()?).ok()?.trim().parse().ok()?;
        let socket = lines.get(4).filter(|line| !line.is_empty() && lines.len() > 5);
        let socket_directory = socket.map(|line| PathBuf::from(OsStr::from_bytes(line)));
        (pid > 1).then(|| Postmaster { pid, identity: lines.into_iter().take(3).collect(), socket_directory })
    }

    /// Whether `text`, the file as the server we are connected to sees it, is this one.
    pub(super) fn is_the_same(&self, text: &[u8]) -> bool {
        Postmaster::parse(text).is_some_and(|other| other.identity == self.identity)
    }

    pub(super) fn life(&self, data: &Path) -> Life {
        if kill(Pid::from_raw(self.pid), None) == Err(Errno::ESRCH) {
            return Life::Gone;
        }
        match self.works_in(data) {
            Some(false) => Life::Taken,
            _ => Life::Alive,
        }
    }

    /// Whether the process works in the data directory, as a server does from its first moment. None if the
    /// system does not tell.
    fn works_in(&self, data: &Path) -> Option<bool> {
        match (fs::metadata(format!("/proc/{}/cwd", self.pid)), fs::metadata(data)) {
            (Ok(its), Ok(ours)) => Some(its.dev() == ours.dev() && its.ino() == ours.ino()),
            // It is about to end or has ended; or this is a root of limited powers, as in a container, who may
            // not look; or there is no /proc.
            _ => self.looks_like_a_server(),
        }
    }

    /// The second best evidence, by name. A zombie is nothing any more.
    fn looks_like_a_server(&self) -> Option<bool> {
        if let Ok(text) = fs::read_to_string(format!("/proc/{}/stat", self.pid)) {
            let (name, rest) = text.rsplit_once(") ")?;
            return Some(name.contains("postgres") && !rest.starts_with(['Z', 'X']));
        }
        let done = Command::new("ps").args(["-o", "stat=,comm=", "-p", &self.pid.to_string()]).output().ok()?;
        let said = String::from_utf8_lossy(&done.stdout).trim().to_owned();
        Some(!said.starts_with('Z') && said.contains("postgres"))
    }

    /// Ends the server: first a fast shutdown, then an immediate one, from which it recovers at the next start.
    pub(super) fn stop(&self, account: &Account, data: &Path) -> Result<(), Error> {
        for (signal, seconds) in [(Signal::SIGINT, 30), (Signal::SIGQUIT, 15)] {
            if let Err(error) = account.signal(self.pid, signal)
                && self.life(data) == Life::Alive
            {
                return Err(self.stop_failed(format!("the signal could not be sent: {error}")));
            }
            let since = Instant::now();
            while since.elapsed() < Duration::from_secs(seconds) {
                if self.life(data) != Life::Alive {
                    return Ok(());
                }
                sleep(Duration::from_millis(10));
            }
            tracing::warn!(pid = self.pid, seconds, "the embedded PostgreSQL did not stop after {signal}");
        }
        Err(self.stop_failed("it ignored two requests to stop".to_owned()))
    }

    fn stop_failed(&self, why: String) -> Error {
        Error::Stop { pid: self.pid, why }
    }
}

/// Removes a `postmaster.pid` whose process id has become another program's. PostgreSQL would take that for
/// itself and refuse to start. Never done while the process is merely gone: then PostgreSQL reads in the
/// file which shared memory must be free of leftover processes first.
pub(super) fn forget(data: &Path) -> io::Result<()> {
    fs::remove_file(data.join("postmaster.pid"))
}

#[cfg(test)]
mod tests {
    use super::{Life, Postmaster};

    const RUNNING: &[u8] = b"4711\n/d/data\n1700000000\n5432\n/d/socket\n\n  123 456\nready   \n";

    #[test]
    fn reads_the_file_of_a_running_server() {
        let read = Postmaster::parse(RUNNING);
        let read = read.as_ref();
        assert_eq!(read.map(|read| read.pid), Some(4711));
        assert_eq!(read.and_then(|read| read.socket_directory.as_deref()), Some("/d/socket".as_ref()));
        assert_eq!(read.map(|read| read.is_the_same(b"4711\n/d/data\n1700000000\n5432\n")), Some(true));
        assert_eq!(read.map(|read| read.is_the_same(b"4711\n/d/data\n1700000001\n5432\n")), Some(false));
    }

    #[test]
    fn half_a_file_is_no_socket_and_no_pid() {
        let half = Postmaster::parse(b"4711\n/d/data\n1700000000\n5432\n/d/soc");
        assert!(half.is_some_and(|half| half.socket_directory.is_none()));
        for text in [&b""[..], b"\n", b"x\n", b"-4711\n", b"0\n", b"1\n"] {
            assert!(Postmaster::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn another_process_is_not_the_server() -> std::io::Result<()> {
        let data = tempfile::tempdir()?;
        let text = format!("{}\n/d/data\n", std::process::id());
        let read = Postmaster::parse(text.as_bytes());
        assert_eq!(read.map(|read| read.life(data.path())), Some(Life::Taken));
        Ok(())
    }
}
