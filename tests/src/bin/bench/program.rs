//! The program as people run it: what it sets without being told, and a service of its own.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;
use tenantry_domain::{RequestRate, Requests};
use tenantry_http::Rates;

use crate::cpu::Postgres;

/// The program, which `make bench` builds next to this one.
fn command() -> Command {
    let program: PathBuf = std::env::current_exe().unwrap().with_file_name("tenantry");
    assert!(program.exists(), "{} is missing: `make bench` builds it", program.display());
    Command::new(program)
}

/// The default of a setting.
fn default(name: &str) -> String {
    static SETTINGS: OnceLock<Value> = OnceLock::new();
    let settings = SETTINGS.get_or_init(|| {
        let output = command().args(["config", "--output", "json"]).env_clear().output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    });
    let setting = settings.as_array().unwrap().iter().find(|setting| setting["name"] == name);
    setting.unwrap()["value"].as_str().unwrap().to_owned()
}

/// How many connections to the database a service has, and how long a request waits for one.
pub(crate) fn pool() -> (u32, Duration) {
    let wait = default("database_wait");
    let seconds = wait.strip_suffix('s').and_then(|seconds| seconds.parse().ok());
    (default("database_connections").parse().unwrap(), Duration::from_secs(seconds.unwrap()))
}

/// How many requests it takes.
pub(crate) fn rates() -> Rates {
    let number = |name: &str| Requests::try_from(default(name).parse::<i64>().unwrap()).unwrap();
    let rate = |per_second, burst| Some(RequestRate { per_second: number(per_second), burst: number(burst) });
    Rates {
        credential: rate("credential_rate", "credential_burst"),
        service: rate("service_rate", "service_burst"),
        address: rate("address_rate", "address_burst"),
    }
}

/// A service with its embedded database and the demo tenant. It ends with this.
pub(crate) struct Service {
    child: Child,
    pub(crate) base: String,
    pub(crate) key: String,
    directory: TempDir,
}

impl Service {
    pub(crate) fn start() -> Self {
        let directory = tempfile::Builder::new().prefix("tenantry-bench-").tempdir().unwrap();
        let data = directory.path().join("data");
        let mut command = command();
        command.arg("serve").current_dir(&directory).env("TENANTRY_DATA_DIR", &data);
        command.env("TENANTRY_BIND", "127.0.0.1:0").env("TENANTRY_LOG_LEVEL", "warn");
        // Its client is one credential, and is to send as much as it can.
        command.env("TENANTRY_CREDENTIAL_RATE", "0");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let at = |line: String| Some(format!("http://{}", line.split_once("http://")?.1.strip_suffix("/docs")?));
        let base = lines.find_map(at).unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        let key = fs::read_to_string(data.join("demo.key")).unwrap().trim().to_owned();
        Self { child, base, key, directory }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its database server.
    pub(crate) fn postgres(&self) -> Option<Postgres> {
        Postgres::of(&self.directory.path().join("data/postgres/data"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It stops its database, too.
        let _ = kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM);
        let _ = self.child.wait();
    }
}
