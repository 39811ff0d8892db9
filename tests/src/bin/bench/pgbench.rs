//! The statements of a request without the service: PostgreSQL's own program sends them as the service's role, so that row security holds.
//!
//! They are read from the log of the database while a service answers the request. It is asked twice, and what differs between the two
//! times is made up again in each transaction, such as ids. What pgbench sends is prepared, and in as many round trips.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use diesel::connection::SimpleConnection;
use tenantry_tests::App;
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::{cpu::directory, data::of_postgres, open, requests::Requests};

/// How many clients pgbench has, each with the requests of another caller.
pub(crate) const CLIENTS: usize = 8;

/// A statement as the database has executed it, with its parameters; NULL is None.
#[derive(Debug, PartialEq)]
struct Statement {
    sql: String,
    parameters: Vec<Option<String>>,
}

/// A service that sends its statements to a database that writes them down.
pub(crate) struct Recorder {
    stream: TcpStream,
    log: PathBuf,
    /// How the lines begin that are about its session, after the time and the process.
    session: String,
}

impl Recorder {
    /// `lane` is whether its look-ups take the lane.
    pub(crate) async fn start(app: &App, lane: bool) -> Self {
        let mut admin = app.database.admin();
        let name = app.database.name();
        let directory = directory(&app.database);
        let session = format!("] tenantry_service@{name} ");
        // Sessions that begin from now on.
        admin.batch_execute(&format!("ALTER DATABASE {name} SET log_statement = 'all'")).unwrap();
        let store = App::store(&app.database.service_url(), |pool| {
            pool.connections = 1;
            pool.look_up_lane = lane;
        });
        let replica = app.replica_on(&store);
        // Connects.
        drop(replica.get("/readyz").await.expect(200));
        admin.batch_execute(&format!("ALTER DATABASE {name} RESET log_statement")).unwrap();
        let stream = TcpStream::connect(replica.base().trim_start_matches("http://")).await.unwrap();
        Self { stream, log: directory.with_file_name("postgres.log"), session }
    }

    /// A script for each client.
    pub(crate) async fn scripts(&mut self, requests: &Requests) -> Vec<String> {
        let mut scripts = Vec::new();
        for client in 0..CLIENTS {
            // Learns what it remembers of the caller.
            self.record(requests, client).await;
            let [once, again] = [self.record(requests, client).await, self.record(requests, client).await];
            scripts.push(script(&once, &again));
        }
        scripts
    }

    async fn record(&mut self, requests: &Requests, client: usize) -> Vec<Statement> {
        let mut log = File::open(&self.log).unwrap();
        log.seek(SeekFrom::End(0)).unwrap();
        open::ask(&mut self.stream, &requests.get(client)).await;
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        statements(&text, &self.session)
    }
}

/// The statements of a session in the log.
fn statements(log: &str, session: &str) -> Vec<Statement> {
    let mut statements: Vec<Statement> = Vec::new();
    // A line that begins with a tab goes on with the one before.
    for entry in log.replace("\n\t", "\u{0}").lines().filter_map(|line| line.split_once(session)) {
        let entry = entry.1.replace('\u{0}', "\n");
        if let Some(list) = entry.strip_prefix("DETAIL:  parameters: ") {
            statements.last_mut().unwrap().parameters = parameters(list);
        } else if let Some(statement) = entry.strip_prefix("LOG:  ") {
            let (_, sql) = statement.split_once(": ").unwrap();
            statements.push(Statement { sql: sql.to_owned(), parameters: Vec::new() });
        }
    }
    statements
}

/// Reads `$1 = 'a', $2 = NULL`.
fn parameters(mut list: &str) -> Vec<Option<String>> {
    let mut parameters = Vec::new();
    while let Some((_, value)) = list.split_once(" = ") {
        let Some(mut rest) = value.strip_prefix('\'') else {
            parameters.push(None);
            list = value;
            continue;
        };
        let mut text = String::new();
        loop {
            let (part, after) = rest.split_once('\'').unwrap();
            text += part;
            let Some(more) = after.strip_prefix('\'') else {
                list = after;
                break;
            };
            text.push('\'');
            rest = more;
        }
        parameters.push(Some(text));
    }
    parameters
}

/// What pgbench is to send for these statements, which a service has sent twice.
fn script(once: &[Statement], again: &[Statement]) -> String {
    assert!(once.len() == again.len() && !again.is_empty(), "other statements the second time: {once:?} {again:?}");
    let (mut made_up, mut sql) = (Vec::new(), String::new());
    for (before, statement) in once.iter().zip(again) {
        // The service asks whether the session is its own.
        let in_any_session = statement.sql.replace("'another session'", "'0'");
        if statement.parameters.is_empty() {
            // Several at once are one round trip of the simple protocol.
            let text = in_any_session.replace("; ", ";\n");
            sql += &format!("\\startpipeline\n{text};\n\\endpipeline\n");
            continue;
        }
        let mut text = in_any_session.replace('\n', " ");
        let parameters = before.parameters.iter().zip(&statement.parameters).enumerate();
        // Those with more digits first.
        for (at, (before, value)) in parameters.rev() {
            let value = match value {
                None => "NULL".to_owned(),
                // In an expression, PostgreSQL would take it for text.
                Some(value) if ["t", "f"].contains(&value.as_str()) => format!("'{value}'::boolean"),
                Some(value) if before.as_ref() == Some(value) => quoted(value),
                Some(value) => another(value, &mut made_up),
            };
            text = text.replace(&format!("${}", at + 1), &value);
        }
        sql += &format!("{text};\n");
    }
    let set = made_up.iter().enumerate().map(|(at, _)| format!("\\set made_up_{at} random(1, 9000000000000000000)\n"));
    set.collect::<String>() + &sql
}

/// A literal without a colon, which pgbench would take for a variable.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', r"\\").replace('\'', "''").replace(':', r"\x3a").replace('\n', r"\n");
    format!("E'{text}'")
}

/// Another value like this one; the same for the same one.
fn another(value: &str, made_up: &mut Vec<String>) -> String {
    let at = made_up.iter().position(|known| known == value).unwrap_or_else(|| {
        made_up.push(value.to_owned());
        made_up.len() - 1
    });
    if Uuid::parse_str(value).is_ok() {
        format!("lpad(to_hex(:made_up_{at}::bigint), 32, '0')::uuid")
    } else if value.parse::<i64>().is_ok() {
        format!(":made_up_{at}::bigint")
    } else if value.starts_with("20") && value.ends_with("+00") {
        "now()".to_owned()
    } else if value.starts_with('{') {
        // What the audit log says of the change.
        quoted(value)
    } else {
        format!("('made up ' || :made_up_{at}::text)")
    }
}

/// Transactions in a second of all clients together, each of which repeats its script.
pub(crate) fn run(app: &App, scripts: &[String], time: Duration) -> f64 {
    let directory = tempfile::tempdir().unwrap();
    let clients: Vec<_> = scripts
        .iter()
        .enumerate()
        .map(|(at, script)| {
            let path = directory.path().join(at.to_string());
            std::fs::write(&path, script).unwrap();
            let mut pgbench = Command::new(of_postgres("pgbench"));
            pgbench.args(["--no-vacuum", "--protocol=prepared", "--client=1"]).arg("--file").arg(path);
            pgbench.args(["--time", &time.as_secs().max(1).to_string()]).arg(app.database.service_url());
            pgbench.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let rate = |client: std::process::Child| -> f64 {
        let output = client.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        let failed = || panic!("pgbench: {}\n{}", String::from_utf8_lossy(&output.stderr), scripts[0]);
        if output.status.success() { rate.unwrap_or_else(failed) } else { failed() }
    };
    clients.into_iter().map(rate).sum()
}
