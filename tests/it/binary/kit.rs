//! The program with an environment of its own, run to its end or as a service.

use std::{
    fs::{self, Permissions},
    io::{BufRead, BufReader, Read, Write},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, ChildStderr, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use nix::{
    pty::{OpenptyResult, openpty},
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;
use tenantry_operations::mail::Security;
use tenantry_tests::{Client, SmtpServer, TestDatabase};

/// For what must come: a test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program in a directory of its own, which is all it shares between two runs.
pub(crate) struct Tenantry {
    directory: TempDir,
    variables: Vec<(String, String)>,
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Tenantry {
    /// With the embedded database.
    pub(crate) fn embedded() -> Self {
        let directory = directory();
        let data = directory.path().join("data").display().to_string();
        Self { directory, variables: Vec::new() }.with("TENANTRY_DATA_DIR", &data)
    }

    /// With this database, as the role that serves and as its owner.
    pub(crate) fn on(database: &TestDatabase) -> Self {
        Self::at(&database.service_url()).with("TENANTRY_OWNER_DATABASE_URL", &database.owner_url())
    }

    /// With the database at this address, and a master key of its own.
    pub(crate) fn at(url: &str) -> Self {
        let tenantry = Self { directory: directory(), variables: Vec::new() };
        let key = tenantry_auth::seal::MasterKey::generate(1).unwrap();
        fs::write(tenantry.path("master.key"), key.as_str()).unwrap();
        fs::set_permissions(tenantry.path("master.key"), Permissions::from_mode(0o600)).unwrap();
        tenantry.with("DATABASE_URL", url).with("TENANTRY_MASTER_KEY_FILE", "master.key")
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends its emails to this server.
    pub(crate) fn sending_to(self, server: &SmtpServer) -> Self {
        let options = server.options();
        let security = match options.security {
            Security::StartTls => "starttls",
            Security::Tls => "tls",
            Security::Plain => "plain",
        };
        self.with("TENANTRY_SMTP_HOST", &options.host)
            .with("TENANTRY_SMTP_PORT", &options.port.unwrap().to_string())
            .with("TENANTRY_SMTP_SECURITY", security)
            .with("TENANTRY_SMTP_CA_FILE", &options.ca_file.unwrap().display().to_string())
            .with("TENANTRY_MAIL_FROM", "no-reply@acme.example")
            .with("TENANTRY_INVITATION_LINK", "https://app.example.com/join#{token}")
            .with("TENANTRY_MAIL_POLL", "100ms")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A command that is not run yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("USER", "ada");
        command.env("TENANTRY_BIND", "127.0.0.1:0").env("TENANTRY_WORKERS", "1");
        // No load balancer looks here, and no test waits for one.
        command.env("TENANTRY_SHUTDOWN_DELAY", "0s");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.args(arguments).current_dir(self.directory.path()).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end, which must come.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        finish(self.command(arguments))
    }

    /// Runs a command on a terminal where somebody types this.
    pub(crate) fn run_on_a_terminal(&self, arguments: &[&str], typed: &str) -> Ran {
        let OpenptyResult { master, slave } = openpty(None, None).unwrap();
        fs::File::from(master.try_clone().unwrap()).write_all(typed.as_bytes()).unwrap();
        let mut command = self.command(arguments);
        command.stdin(slave);
        let ran = finish(command);
        drop(master);
        ran
    }

    /// Runs a command on a terminal where somebody types this once they are asked, and where something happens before they do.
    pub(crate) fn run_while_it_asks(&self, arguments: &[&str], meanwhile: impl FnOnce(), typed: &str) -> Ran {
        let OpenptyResult { master, slave } = openpty(None, None).unwrap();
        let mut command = self.command(arguments);
        command.stdin(slave);
        finish_after(command, |err| {
            let (mut asked, mut byte) = (Vec::new(), [0]);
            while !asked.ends_with(b"[y/N] ") && err.read(&mut byte).unwrap() > 0 {
                asked.push(byte[0]);
            }
            meanwhile();
            fs::File::from(master).write_all(typed.as_bytes()).unwrap();
            asked
        })
    }

    /// Runs a command after a line of the shell that changes what it may do, or where its output goes.
    pub(crate) fn run_in_a_shell(&self, script: &str, arguments: &[&str]) -> Ran {
        finish(self.in_a_shell(script, arguments))
    }

    fn in_a_shell(&self, script: &str, arguments: &[&str]) -> Command {
        let program = self.command(arguments);
        let mut command = Command::new("/bin/sh");
        command.env_clear().envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.args(["-c", script, "sh"]).arg(program.get_program()).args(program.get_args());
        command.current_dir(self.directory.path()).stdin(Stdio::null());
        command
    }

    /// The JSON that a command prints, which must succeed.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--output", "json"]].concat()).expect(0).json()
    }

    /// Starts the service, and returns when it listens.
    pub(crate) fn serve(&self) -> Service {
        self.begin(self.command(&["serve"])).until_it_serves()
    }

    /// Starts the service after a line of the shell, which ends with `exec "$@"`.
    pub(crate) fn serve_in_a_shell(&self, script: &str) -> Service {
        self.begin(self.in_a_shell(script, &["serve"])).until_it_serves()
    }

    /// Starts the service, and does not wait for anything.
    pub(crate) fn begin_to_serve(&self) -> Service {
        self.begin_to(&["serve"])
    }

    /// Starts a command, and does not wait for anything.
    pub(crate) fn begin_to(&self, arguments: &[&str]) -> Service {
        self.begin(self.command(arguments))
    }

    fn begin(&self, mut command: Command) -> Service {
        command.env("TENANTRY_LOG_FORMAT", "json").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (banner, log) = (lines(child.stdout.take().unwrap()), lines(child.stderr.take().unwrap()));
        let server = self.path("data/postgres/data/postmaster.pid");
        let (base, serving) = (String::new(), Value::Null);
        Service { child, banner, log, seen: Vec::new(), base, serving, server }
    }
}

/// Started as root, the service and its database become somebody else, who has to get in.
fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o711)).unwrap();
    directory
}

/// Runs a command to its end, which must come.
fn finish(command: Command) -> Ran {
    finish_after(command, |_| Vec::new())
}

/// The same, after something that reads the beginning of what it says as errors.
fn finish_after(mut command: Command, first: impl FnOnce(&mut ChildStderr) -> Vec<u8>) -> Ran {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (pid, (ended, end)) = (pid_of(&child), channel());
    let guard = thread::spawn(move || {
        if end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            let _ = kill(pid, Signal::SIGKILL);
        }
    });
    let begin = first(child.stderr.as_mut().unwrap());
    let done = child.wait_with_output().unwrap();
    drop::<Sender<()>>(ended);
    guard.join().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(done.stdout), text([begin, done.stderr].concat()));
    Ran { code: done.status.code().unwrap_or_else(|| panic!("it does not end: {out}\n{err}")), out, err }
}

impl Ran {
    /// This run, which must have ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "out: {}\nerr: {}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {}", self.out))
    }
}

/// Reads on while the test does something else, so that the child never waits for a reader.
fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver
}

/// A running service. Whatever a failing test leaves running ends with it.
pub(crate) struct Service {
    child: Child,
    banner: Receiver<String>,
    log: Receiver<String>,
    seen: Vec<String>,
    pub(crate) base: String,
    /// The log line that says where it serves.
    pub(crate) serving: Value,
    server: PathBuf,
}

impl Service {
    #[track_caller]
    fn until_it_serves(mut self) -> Self {
        self.serving = serde_json::from_str(&self.until_logged("\"serving\"")).unwrap();
        self.base = format!("http://{}", self.serving["address"].as_str().unwrap());
        self
    }

    /// The next line of the log with this in it.
    #[track_caller]
    pub(crate) fn until_logged(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.log.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if line.contains(text) => return self.note(line),
                Ok(line) => drop(self.note(line)),
                Err(error) => panic!("{error}; no {text} after\n{}", self.seen.join("\n")),
            }
        }
    }

    fn note(&mut self, line: String) -> String {
        self.seen.push(line.clone());
        line
    }

    /// The next line of the standard output with this in it, without the space around it.
    #[track_caller]
    pub(crate) fn until_printed(&self, text: &str) -> String {
        let line = std::iter::from_fn(|| self.banner.recv_timeout(PATIENCE).ok()).find(|line| line.contains(text));
        line.unwrap_or_else(|| panic!("{text} is not printed")).trim().to_owned()
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.base)
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(pid_of(&self.child), signal).unwrap();
    }

    /// The process of the embedded database.
    pub(crate) fn postmaster(&self) -> Pid {
        let text = fs::read_to_string(&self.server).unwrap();
        Pid::from_raw(text.lines().next().unwrap().parse().unwrap())
    }

    /// Waits for the end; returns the exit code, if no signal ended it, and the whole log.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().unwrap();
        while let Ok(line) = self.log.recv_timeout(PATIENCE) {
            self.seen.push(line);
        }
        (status.code(), std::mem::take(&mut self.seen).join("\n"))
    }

    /// An orderly stop, which must leave nothing running.
    #[track_caller]
    pub(crate) fn stop(self, signal: Signal) -> String {
        let server = self.server.clone();
        self.signal(signal);
        let (code, log) = self.wait();
        assert_eq!(code, Some(0), "{log}");
        assert!(!server.exists(), "the database is still there");
        log
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !thread::panicking() {
            return;
        }
        if let Ok(text) = fs::read_to_string(&self.server)
            && let Some(Ok(pid)) = text.lines().next().map(str::parse)
            && fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| self.server.starts_with(cwd))
        {
            let _ = kill(Pid::from_raw(pid), Signal::SIGQUIT);
        }
    }
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(child.id().try_into().unwrap())
}

/// Whether there is such a process; one that has ended and was not yet seen to is none.
pub(crate) fn is_alive(pid: Pid) -> bool {
    let zombie = fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
    kill(pid, None).is_ok() && !zombie
}
