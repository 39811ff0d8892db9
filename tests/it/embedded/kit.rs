//! What the tests of the embedded PostgreSQL share.

use std::{
    ffi::OsStr,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
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
use tenantry_tests::Again;

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

/// A process that opens the cluster and holds it until it is told or killed.
pub(crate) struct Holder(Again);

impl Holder {
    pub(crate) fn start(home: &Home, environment: &[(&str, &str)]) -> Holder {
        let directories = [
            ("HOLDER_DATA_DIR", home.options.data_dir.as_os_str()),
            ("HOLDER_ELSEWHERE", home.options.elsewhere.as_os_str()),
        ];
        let more = environment.iter().map(|(name, value)| (*name, OsStr::new(*value)));
        Holder(Again::start("embedded::kit::holder", directories.into_iter().chain(more)))
    }

    /// The process id of the server and the name of the role that it saw.
    pub(crate) fn said(&self) -> &str {
        &self.0.said
    }

    pub(crate) fn kill(self) {
        self.0.kill();
    }

    pub(crate) fn finish(self) {
        self.0.finish();
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
    Again::say(&format!("{} {user}", server_of(&cluster)));
    std::io::stdin().read_line(&mut String::new()).unwrap();
    cluster.close().unwrap();
}
