//! What the tests of the embedded PostgreSQL share.

use std::{
    fs::{self, Permissions},
    io::{BufRead, BufReader, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tenantry_persistence::embedded::{Cluster, Options};

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Text)]
    answer: String,
}

pub(crate) fn ask(url: &str, expression: &str) -> String {
    let mut connection = PgConnection::establish(url).unwrap();
    let query = sql_query(format!("SELECT ({expression})::text AS answer"));
    query.get_result::<Answer>(&mut connection).unwrap().answer
}

pub(crate) fn run(url: &str, statement: &str) -> Result<(), String> {
    let mut connection = PgConnection::establish(url).map_err(|error| error.to_string())?;
    connection.batch_execute(statement).map_err(|error| error.to_string())
}

/// A directory of its own for each test. Whatever a failing test leaves running ends with it.
pub(crate) struct Home {
    pub(crate) directory: TempDir,
    pub(crate) options: Options,
}

impl Home {
    pub(crate) fn new() -> Home {
        Home::below("data")
    }

    pub(crate) fn below(path: impl AsRef<Path>) -> Home {
        let directory = tempfile::tempdir().unwrap();
        // The server of root is somebody else, who has to get in.
        fs::set_permissions(directory.path(), Permissions::from_mode(0o711)).unwrap();
        let mut options = Options::new(directory.path().join(path));
        options.elsewhere = directory.path().join("elsewhere");
        options.durable = false;
        Home { directory, options }
    }

    pub(crate) fn open(&self) -> Cluster {
        Cluster::open(&self.options).unwrap()
    }

    pub(crate) fn refusal(&self) -> String {
        Cluster::open(&self.options).unwrap_err().to_string()
    }

    fn homes(&self) -> Vec<PathBuf> {
        let elsewhere = fs::read_dir(&self.options.elsewhere).into_iter().flatten().flatten();
        elsewhere.map(|entry| entry.path()).chain([self.options.data_dir.join("postgres")]).collect()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        for home in self.homes() {
            if let Ok(text) = fs::read_to_string(home.join("data/postmaster.pid"))
                && let Some(Ok(pid)) = text.lines().next().map(str::parse)
                && fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(&home))
            {
                kill(Pid::from_raw(pid), Signal::SIGQUIT).unwrap_or_default();
            }
        }
    }
}

pub(crate) fn server_of(cluster: &Cluster) -> Pid {
    let text = fs::read_to_string(cluster.location().join("data/postmaster.pid")).unwrap();
    Pid::from_raw(text.lines().next().unwrap().parse().unwrap())
}

pub(crate) fn is_alive(pid: Pid) -> bool {
    let zombie = fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
    kill(pid, None).is_ok() && !zombie
}

/// This test binary again, as a process that opens the cluster and holds it until it is told or killed.
pub(crate) struct Holder {
    child: Child,
    /// Kept open, or the test harness of the child fails when it writes its summary.
    output: BufReader<ChildStdout>,
    /// The process id of the server and the name of the role that it saw.
    pub(crate) said: String,
}

impl Holder {
    pub(crate) fn start(home: &Home, environment: &[(&str, &str)]) -> Holder {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "kit::holder", "--nocapture"]);
        command.env("HOLDER_DATA_DIR", &home.options.data_dir).env("HOLDER_ELSEWHERE", &home.options.elsewhere);
        command.envs(environment.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let said = output.by_ref().lines().find_map(|line| Some(line.unwrap().split_once("holds ")?.1.to_owned()));
        Holder { child, output, said: said.unwrap() }
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn finish(mut self) {
        drop(self.child.stdin.take());
        self.output.read_to_end(&mut Vec::new()).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

/// A process of other tests, which start this one again with a data directory; on its own it has nothing to do.
#[test]
#[expect(clippy::disallowed_methods, reason = "how a test speaks to its child process")]
fn holder() {
    let Some(data_dir) = std::env::var_os("HOLDER_DATA_DIR") else { return };
    let mut options = Options::new(data_dir);
    options.elsewhere = std::env::var_os("HOLDER_ELSEWHERE").unwrap().into();
    options.durable = false;
    let cluster = Cluster::open(&options).unwrap();
    let user = ask(cluster.service_url(), "current_user");
    writeln!(std::io::stdout(), "holds {} {user}", server_of(&cluster)).unwrap();
    std::io::stdin().read_line(&mut String::new()).unwrap();
    cluster.close().unwrap();
}
