//! Makes a cluster, starts its server, and waits until it answers.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process::{Child, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use diesel::{Connection, PgConnection};

use super::{
    Role,
    binaries::Binaries,
    error::Error,
    locks::open_own,
    place::{OLD_LOG, Place},
    postmaster::{Life, Postmaster, forget},
    setup, socket,
};

/// How long a server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// A log above this is put aside at the next start.
const LOG_LIMIT: u64 = 10 * 1024 * 1024;

/// How the server of a place is to be run.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) pg_bin: Option<PathBuf>,
    pub(super) durable: bool,
}

/// A server process that this one has started.
struct Started {
    exit: Receiver<ExitStatus>,
    /// Where its part of the log begins.
    log_from: u64,
}

/// Sees to it that the server runs and answers, and returns the directory of its socket. To be called by
/// whoever holds the turn.
pub(super) fn ensure(place: &Place, wish: &Wish) -> Result<PathBuf, Error> {
    let mut since = Instant::now();
    let mut started: Option<Started> = None;
    let mut last = "it does not answer".to_owned();
    while since.elapsed() < PATIENCE {
        match Postmaster::read(&place.data())? {
            Some(postmaster) if postmaster.life(&place.data()) == Life::Alive => match answers(place, &postmaster) {
                Ok(directory) => return Ok(directory),
                Err(why) => last = why,
            },
            found => {
                let ended = started.as_ref().map(|started| started.exit.try_recv().ok());
                if let (Some(started), Some(Some(status))) = (&started, ended)
                    && !may_be_tried_again(place, started)
                {
                    return Err(failed(place, started.log_from, format!("did not start ({status})")));
                }
                if ended.is_none_or(|ended| ended.is_some()) {
                    started = Some(start(place, wish, found.as_ref())?);
                    // A new directory takes its time too, and that is not the server's.
                    since = Instant::now();
                }
            }
        }
        thread::sleep(Duration::from_millis(20));
    }
    let log_from = started.map_or(0, |started| started.log_from);
    Err(failed(place, log_from, format!("is not ready after {} seconds: {last}", PATIENCE.as_secs())))
}

/// Connects as the superuser. The error says why it did not work out, for now.
fn answers(place: &Place, postmaster: &Postmaster) -> Result<PathBuf, String> {
    let directory = postmaster.socket_directory.as_ref().ok_or("it has no socket yet")?;
    let url = socket::url(directory, &place.account.name, Role::Admin.name(), "postgres");
    let mut connection = PgConnection::establish(&url).map_err(|error| error.to_string())?;
    match setup::is_the_same(&mut connection, postmaster) {
        Ok(true) => Ok(directory.clone()),
        Ok(false) => Err(format!("another server answers in {}", directory.display())),
        Err(error) => Err(error.to_string()),
    }
}

/// A killed server leaves processes that end by themselves in a moment; until then a new one refuses to start.
fn may_be_tried_again(place: &Place, started: &Started) -> bool {
    let tail = tail(&place.log(), started.log_from);
    tail.contains("pre-existing shared memory block") || tail.contains("lock file \"postmaster.pid\" already exists")
}

/// Starts the server, on a cluster that is made if there is none. `stale` is what a dead server left.
fn start(place: &Place, wish: &Wish, stale: Option<&Postmaster>) -> Result<Started, Error> {
    clear_partial(place)?;
    let major = place.major()?;
    let binaries = Binaries::find(wish.pg_bin.as_deref(), major)?;
    if major.is_none() {
        initdb(place, &binaries, wish)?;
    }
    place.hand_over()?;
    if stale.is_some_and(|stale| stale.life(&place.data()) == Life::Taken) {
        forget(&place.data()).map_err(Error::file("remove the stale postmaster.pid in", &place.data()))?;
    }
    write_access_files(place)?;
    let directory = socket::prepare(place)?;
    spawn(place, &binaries, wish, &directory)
}

/// How the name of a cluster begins that is being made.
const PARTIAL: &str = "data.partial.";

/// Removes what a killed process left half made. If its `initdb` still writes there, the next start will.
fn clear_partial(place: &Place) -> Result<(), Error> {
    for entry in fs::read_dir(&place.home).map_err(Error::file("read", &place.home))?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
            fs::remove_dir_all(entry.path()).unwrap_or_default();
        }
    }
    Ok(())
}

/// Makes the cluster beside its place and moves it there when it is whole. The name is a new one each time:
/// the `initdb` of a killed process may still be writing.
fn initdb(place: &Place, binaries: &Binaries, wish: &Wish) -> Result<(), Error> {
    let partial = tempfile::Builder::new().prefix(PARTIAL).tempdir_in(&place.home);
    let partial = partial.map_err(Error::file("create the cluster in", &place.home))?;
    place.account.give(partial.path()).map_err(Error::file("change the owner of", partial.path()))?;
    let program = binaries.program("initdb");
    let mut command = place.account.command(&program);
    command.args(["--data-checksums", "--encoding=UTF8", "--locale=C", "--no-instructions", "--username=postgres"]);
    command.args(["--auth-local=peer", "--auth-host=reject"]).args((!wish.durable).then_some("--no-sync"));
    let done = command.arg("-D").arg(partial.path()).output();
    let done = done.map_err(|source| place.account.cannot_run(&program, source))?;
    if !done.status.success() {
        let output = [done.stdout, done.stderr].concat();
        return Err(Error::Initdb { path: place.data(), output: String::from_utf8_lossy(&output).trim().to_owned() });
    }
    fs::rename(partial.path(), place.data()).map_err(Error::file("create", &place.data()))?;
    drop(partial.keep());
    let home = File::open(&place.home).and_then(|home| home.sync_all());
    home.map_err(Error::file("write", &place.home))?;
    tracing::info!(directory = %place.data().display(), version = binaries.major, "created a database cluster");
    Ok(())
}

/// Who may connect: over the socket, whoever the system says is the account of the server, or root. Nobody
/// else, and nobody by a password. Written anew at each start, because the files may have changed hands.
fn write_access_files(place: &Place) -> Result<(), Error> {
    let mut map = "# Written by tenantry at each start.\n".to_owned();
    for user in ["root", &place.account.name] {
        for role in [Role::Owner, Role::Service, Role::Admin] {
            map.push_str(&format!("tenantry \"{}\" {}\n", user.replace('"', "\"\""), role.name()));
        }
    }
    write(place, &place.ident(), &map)?;
    write(place, &place.hba(), "# Written by tenantry at each start.\nlocal all all peer map=tenantry\n")
}

/// In place, for there is no server that could read half of it.
fn write(place: &Place, path: &Path, text: &str) -> Result<(), Error> {
    let mut file = open_own(path, &place.account)?;
    file.set_len(0).and_then(|()| file.write_all(text.as_bytes())).map_err(Error::file("write", path))
}

fn spawn(place: &Place, binaries: &Binaries, wish: &Wish, directory: &Path) -> Result<Started, Error> {
    let (log, log_from) = open_log(place)?;
    let also = log.try_clone().map_err(Error::file("open", &place.log()))?;
    let program = binaries.program("postgres");
    let mut command = place.account.command(&program);
    command.arg("-D").arg(place.data()).stdout(Stdio::from(also)).stderr(Stdio::from(log));
    for setting in settings(place, wish, directory) {
        command.arg("-c").arg(setting);
    }
    let child = command.spawn().map_err(|source| place.account.cannot_run(&program, source))?;
    tracing::info!(pid = child.id(), log = %place.log().display(), "starting the embedded PostgreSQL");
    watch(child).map(|exit| Started { exit, log_from }).map_err(Error::file("watch the server of", &place.home))
}

/// What no configuration file may change. The rest, such as memory and the number of connections, is for
/// `postgresql.conf` in the data directory.
fn settings(place: &Place, wish: &Wish, directory: &Path) -> Vec<OsString> {
    let fixed = [
        "listen_addresses=",
        "port=5432",
        "unix_socket_permissions=0700",
        "ssl=off",
        "logging_collector=off",
        "log_destination=stderr",
        "log_line_prefix=%m [%p] %q%u@%d ",
        "timezone=UTC",
        "log_timezone=UTC",
    ];
    let safety: &[&str] = if wish.durable {
        &["fsync=on", "full_page_writes=on"]
    } else {
        &["fsync=off", "full_page_writes=off", "synchronous_commit=off"]
    };
    let with_path = |name: &str, path: &Path, quote: &str| {
        let mut setting = OsString::from(format!("{name}={quote}"));
        setting.push(path);
        setting.push(quote);
        setting
    };
    let paths = [
        // A list, so a blank or a comma would end the path.
        with_path("unix_socket_directories", directory, "\""),
        with_path("hba_file", &place.hba(), ""),
        with_path("ident_file", &place.ident(), ""),
    ];
    fixed.iter().chain(safety).map(OsString::from).chain(paths).collect()
}

/// Waits for the child for as long as this process lives, so that it does not stay as a zombie, which other
/// processes would take for a server that does not stop.
fn watch(mut child: Child) -> std::io::Result<Receiver<ExitStatus>> {
    let (sender, exit) = channel();
    let wait = move || {
        if let Ok(status) = child.wait() {
            // Nobody listens any more once the server has answered.
            sender.send(status).unwrap_or_default();
        }
    };
    thread::Builder::new().name("embedded-postgres".to_owned()).spawn(wait).map(|_| exit)
}

fn open_log(place: &Place) -> Result<(File, u64), Error> {
    let path = place.log();
    let length = |file: &File| file.metadata().map(|meta| meta.len()).map_err(Error::file("read", &path));
    let mut log = open_own(&path, &place.account)?;
    if length(&log)? > LOG_LIMIT {
        if fs::rename(&path, place.home.join(OLD_LOG)).is_ok() {
            log = open_own(&path, &place.account)?;
        } else {
            log.set_len(0).map_err(Error::file("shorten", &path))?;
        }
    }
    let from = length(&log)?;
    Ok((log, from))
}

fn failed(place: &Place, log_from: u64, why: String) -> Error {
    Error::Start { why, log: place.log(), tail: tail(&place.log(), log_from) }
}

/// The last lines of the log, none from before `from`.
fn tail(log: &Path, from: u64) -> String {
    const LINES: usize = 20;
    const BYTES: u64 = 8 * 1024;
    let read = || {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(from.max(length.saturating_sub(BYTES))))?;
        let mut text = Vec::new();
        file.take(BYTES).read_to_end(&mut text)?;
        Ok(text)
    };
    let text = read().unwrap_or_else(|error: std::io::Error| format!("(it cannot be read: {error})").into_bytes());
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
