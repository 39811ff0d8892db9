//! The look-up of a workspace, in the lane and at the door, next to a bare answer and to the database alone.

use std::{net::TcpListener, process::Command, time::Duration};

use actix_web::{App as ActixApp, HttpResponse, HttpServer, web};
use serde_json::Value;
use tenantry_domain::Role;
use tenantry_tests::{App, TestDatabase};

use crate::{
    client::{Load, Met, Pace, quantile},
    cpu::Used,
    load::{self, median},
    open::request,
    report::{Table, ms},
    serving,
};

const CONNECTIONS: [usize; 3] = [1, 32, 256];
const ROUNDS: usize = 3;

/// Something that is asked for again and again.
struct Asked {
    name: &'static str,
    base: String,
    path: String,
    key: String,
}

/// What came of it on so many connections, in each round.
#[derive(Default)]
struct Rounds {
    rates: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
    cpu: [String; 2],
}

impl Rounds {
    async fn measure(&mut self, asked: &Asked, connections: usize, time: Duration) {
        let Asked { base, path, key, .. } = asked;
        let request = request("GET", path, key, "");
        let used = Used::now();
        let load = Load { base: base.clone(), request, connections, pace: Pace::Flood }.start().await;
        tokio::time::sleep(time).await;
        let met: Met = load.finish().await;
        assert!(met.others == 0, "{}: refused", asked.name);
        self.cpu = used.each(met.good.len());
        self.rates.push(met.rate());
        self.p50.push(quantile(&met.good, 0.5).as_secs_f64());
        self.p99.push(quantile(&met.good, 0.99).as_secs_f64());
    }
}

pub(crate) async fn run(time: Duration) {
    let app = serving().await;
    let tenant = app.tenant("Acme").await;
    let id = tenant.workspace("DACH Region").await;
    let path = format!("/api/workspaces/{id}");
    let body = tenant.owner.get(&path).await.expect(200).body;
    let token = tenant.member(Role::Admin, &[]).await.1.key().to_owned();
    let key = tenant.owner.key().to_owned();
    let door = app.replica_on(&App::store(&app.database.service_url(), |pool| pool.look_up_lane = false));
    let lane = app.base.clone();
    let asked = |name, base: &str, path: &str, key: &str| {
        let [base, path, key] = [base, path, key].map(str::to_owned);
        Asked { name, base, path, key }
    };
    let all = [
        asked("bare answer", &bare_server(body), "/", "none"),
        asked("look-up in the lane, key", &lane, &path, &key),
        asked("look-up in the lane, token", &lane, &path, &token),
        asked("look-up at the door, key", door.base(), &path, &key),
        asked("look-up at the door, token", door.base(), &path, &token),
        asked("effective", &lane, &format!("{path}/effective"), &key),
        asked("CallFluent get/1", &lane, "/api/workspace/get/1", &key),
        asked("me", &lane, "/api/me", &key),
    ];
    for connections in CONNECTIONS {
        let mut rounds: Vec<Rounds> = all.iter().map(|_| Rounds::default()).collect();
        for _ in 0..ROUNDS {
            for (asked, rounds) in all.iter().zip(&mut rounds) {
                rounds.measure(asked, connections, time).await;
            }
        }
        let best = median(rounds[0].rates.clone());
        let heading = ["asked for", "rate", "of a bare answer", "p50", "p99", "CPU: service", "PostgreSQL"];
        let mut table = Table::new(&heading);
        for (asked, Rounds { rates, p50, p99, cpu: [service, postgres] }) in all.iter().zip(rounds) {
            let rate = median(rates);
            let [p50, p99] = [p50, p99].map(|times| ms(Duration::from_secs_f64(median(times))));
            let rate = [format!("{rate:.0}/s"), format!("{:.2}", rate / best)];
            table.row([vec![asked.name.to_owned()], rate.to_vec(), vec![p50, p99, service, postgres]].concat());
        }
        table.print(&format!("{connections} connections, medians of {ROUNDS} rounds of {} s", time.as_secs()));
    }
    let transactions = pgbench(&app.database, &tenant.id.to_string(), &id, time);
    println!("  pgbench, the row by its key, prepared, 8 connections: {transactions:.0}/s");
    let refused = format!("{}x", &key[..71]);
    let figures = load::run_expecting(&app.base, &path, &refused, 32, time, 401).await;
    println!("  a mistyped key, refused without the database: {:.0}/s (p99 {:?})", figures.rate, figures.p99);
    app.handle.stop(false).await;
}
/// The same bytes without a service behind them.
fn bare_server(body: Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = HttpServer::new(move || {
        let body = body.clone();
        ActixApp::new().default_service(web::to(move || {
            let body = body.clone();
            async move { HttpResponse::Ok().json(body) }
        }))
    });
    tokio::spawn(server.workers(2).disable_signals().listen(listener).unwrap().run());
    base
}

/// Prepared selects of the row by its key, as the superuser: no tenant to set, no policy, no key to look up.
fn pgbench(database: &TestDatabase, tenant: &str, id: &str, time: Duration) -> f64 {
    let script = tempfile::NamedTempFile::new().unwrap();
    let sql = format!("SELECT * FROM workspaces WHERE tenant_id = '{tenant}' AND id = '{id}';\n");
    std::fs::write(script.path(), sql).unwrap();
    let bindir = Command::new("pg_config").arg("--bindir").output().unwrap();
    let program = format!("{}/pgbench", String::from_utf8_lossy(&bindir.stdout).trim());
    let output = Command::new(program)
        .args([
            "--no-vacuum",
            "--protocol",
            "prepared",
            "--client",
            "8",
            "--jobs",
            "2",
            "--time",
            &time.as_secs().to_string(),
        ])
        .arg("--file")
        .arg(script.path())
        .arg(database.admin_url())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = "));
    rate.and_then(|rate| rate.split(' ').next()?.parse().ok()).unwrap_or_else(|| {
        println!("pgbench: {text}{}", String::from_utf8_lossy(&output.stderr));
        std::process::exit(1)
    })
}
