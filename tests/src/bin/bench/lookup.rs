//! The look-up of a workspace, next to a bare answer and to the database alone.

use std::{net::TcpListener, process::Command, time::Duration};

use actix_web::{App as ActixApp, HttpResponse, HttpServer, web};
use serde_json::Value;
use tenantry_tests::TestDatabase;

use crate::{
    CONNECTIONS as ROOM, DATABASE_CONNECTIONS,
    load::{self, median},
    serving, serving_with,
};

const CONNECTIONS: usize = 32;
const ROUNDS: usize = 3;

pub(crate) async fn run(time: Duration) {
    let app = serving().await;
    let tenant = app.tenant("Acme").await;
    let id = tenant.workspace("DACH Region").await;
    let path = format!("/api/workspaces/{id}");
    let body = tenant.owner.get(&path).await.expect(200).body;
    let bare = bare_server(body);
    let (mut ours, mut best, mut database, mut dialect) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    println!("look-up, {CONNECTIONS} connections, {ROUNDS} rounds of {} s", time.as_secs());
    for _ in 0..ROUNDS {
        let figures = load::run(&app.base, &path, tenant.owner.key(), CONNECTIONS, time).await;
        let overview = load::run(&app.base, "/api/workspace/get/1", tenant.owner.key(), CONNECTIONS, time).await;
        let bare = load::run(&bare, "/", "none", CONNECTIONS, time).await;
        let transactions = pgbench(&app.database, &tenant.id.to_string(), &id, time);
        println!(
            "  look-up {:>8.0}/s (median {:?}, p99 {:?})   CallFluent {:>8.0}/s (p99 {:?})   bare answer {:>8.0}/s (p99 {:?})   pgbench {transactions:>8.0}/s",
            figures.rate, figures.median, figures.p99, overview.rate, overview.p99, bare.rate, bare.p99
        );
        ours.push(figures.rate);
        dialect.push(overview.rate);
        best.push(bare.rate);
        database.push(transactions);
    }
    let (ours, best, database) = (median(ours), median(best), median(database));
    println!("  medians: look-up {ours:.0}/s = {:.3} of a bare answer, {:.3} of pgbench", ours / best, ours / database);
    println!("  a look-up by number in the CallFluent dialect costs {:.2} look-ups", ours / median(dialect));
    let refused = format!("{}x", &tenant.owner.key()[..71]);
    let figures = load::run_expecting(&app.base, &path, &refused, CONNECTIONS, time, 401).await;
    println!("  a mistyped key, refused without the database: {:.0}/s (p99 {:?})", figures.rate, figures.p99);
    app.handle.stop(false).await;
    what_half_of_the_seats_costs(time, ours).await;
}

/// A tenant that is alone uses half of the connections. With twice as many, it uses as many as the service had before.
async fn what_half_of_the_seats_costs(time: Duration, ours: f64) {
    let app = serving_with(ROOM, 2 * DATABASE_CONNECTIONS).await;
    let tenant = app.tenant("Acme").await;
    let path = format!("/api/workspaces/{}", tenant.workspace("DACH Region").await);
    let mut all = Vec::new();
    for _ in 0..ROUNDS {
        all.push(load::run(&app.base, &path, tenant.owner.key(), CONNECTIONS, time).await.rate);
    }
    let all = median(all);
    println!(
        "  with {DATABASE_CONNECTIONS} connections for this tenant instead of half of them: {all:.0}/s, so half costs {:.2}",
        1.0 - ours / all
    );
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
