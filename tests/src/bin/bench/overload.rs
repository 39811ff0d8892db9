//! More than the service can do, and one tenant that asks for it: what is refused, how soon, and what another tenant notices.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use diesel::connection::SimpleConnection;
use tenantry_tests::{App, Tenant, TestDatabase};

use crate::{
    open::{self, Met, quantile},
    pages,
};

/// How many requests the other tenant sends in a second.
const QUIET: f64 = 20.0;

/// How many connections the noisy tenant floods on.
const NOISY: usize = 64;

pub(crate) async fn run(time: Duration) {
    let app = App::serving(TestDatabase::new(), 2, |pool| {
        pool.connections = 8;
        pool.wait = Duration::from_secs(2);
    })
    .await;
    let (noisy, quiet) = (app.tenant("Noisy").await, app.tenant("Quiet").await);
    pages::fill(&app, &noisy, 50_000);
    let look_up =
        |tenant: &Tenant, id: &str| open::request("GET", &format!("/api/workspaces/{id}"), tenant.owner.key(), "");
    let (of_noisy, of_quiet) = (noisy.workspace("Mine").await, quiet.workspace("Mine").await);
    let create = open::request("POST", "/api/workspaces", noisy.owner.key(), r#"{"name":"Another","country":"SE"}"#);
    overload(&app, "look-ups", &look_up(&noisy, &of_noisy), time).await;
    overload(&app, "creates in one tenant", &create, time).await;
    let own = look_up(&quiet, &of_quiet);
    neighbour(&app, &noisy, &own, time, &look_up(&noisy, &of_noisy)).await;
    locked_row(&app, &noisy, &of_noisy, &own, time).await;
    app.handle.stop(false).await;
}

/// Finds the rate up to which everything is answered soon, and offers two and five times as much.
async fn overload(app: &App, name: &str, request: &Arc<str>, time: Duration) {
    let (mut rate, mut knee) = (50.0, None);
    loop {
        let met = open::run(&app.base, request, rate, time).await;
        if met.share() < 0.99 || met.rate() < rate * 0.95 || quantile(&met.good, 0.99) > Duration::from_millis(100) {
            break;
        }
        knee = Some((rate, met));
        rate *= 1.25;
    }
    let Some((knee, calm)) = knee else { return println!("{name}: not even {rate}/s are answered within 100 ms") };
    println!("overload with {name}, open model, {} s each", time.as_secs());
    tell(&format!("the knee: {knee:.0}/s"), &calm);
    for factor in [2.0, 5.0] {
        let met = open::run(&app.base, request, knee * factor, time).await;
        tell(&format!("{factor} × the knee, {:.2} of its good answers", met.rate() / calm.rate()), &met);
    }
    println!("    back within {:?}", recovery(app, request, knee).await);
}

/// The time until half of the knee is answered for half a second without a refusal and without a wait.
async fn recovery(app: &App, request: &Arc<str>, knee: f64) -> Duration {
    let started = Instant::now();
    loop {
        let back = started.elapsed();
        let met = open::run(&app.base, request, knee / 2.0, Duration::from_millis(500)).await;
        if met.refused.is_empty() && quantile(&met.good, 0.99) < Duration::from_millis(100) {
            return back;
        }
    }
}

/// What a tenant with a few requests notices while another one floods the service.
async fn neighbour(app: &App, noisy: &Tenant, own: &Arc<str>, time: Duration, look_up: &Arc<str>) {
    let key = noisy.owner.key();
    let alone = open::run(&app.base, own, QUIET, time * 2).await;
    println!("a tenant with {QUIET} look-ups a second, next to one that floods the service on {NOISY} connections");
    tell("alone", &alone);
    for (name, flood) in [
        ("next to look-ups", Arc::clone(look_up)),
        ("next to searches in 50,000 workspaces", open::request("GET", "/api/workspaces?q=zz", key, "")),
        ("next to lists of all 50,000 workspaces", open::request("GET", "/api/workspace/get-all", key, "")),
    ] {
        let health = open::request("GET", "/healthz", "", "");
        let flood = open::flood(&app.base, &flood, NOISY);
        tokio::time::sleep(Duration::from_millis(500)).await;
        let (met, healthy) =
            tokio::join!(open::run(&app.base, own, QUIET, time * 2), open::run(&app.base, &health, QUIET, time * 2));
        flood.iter().for_each(tokio::task::JoinHandle::abort);
        let ratio = quantile(&met.good, 0.99).as_secs_f64() / quantile(&alone.good, 0.99).as_secs_f64();
        tell(&format!("{name}: p99 × {ratio:.1}"), &met);
        println!("      /healthz: p99 {:?}, longest {:?}", quantile(&healthy.good, 0.99), quantile(&healthy.good, 1.0));
    }
}

/// The same while clients of the other tenant wait for a row that somebody has locked.
async fn locked_row(app: &App, noisy: &Tenant, id: &str, own: &Arc<str>, time: Duration) {
    let rename = open::request("PATCH", &format!("/api/workspaces/{id}"), noisy.owner.key(), r#"{"name":"After"}"#);
    for clients in [8, 16, 32] {
        let mut holder = app.database.admin();
        holder.batch_execute(&format!("BEGIN; SELECT FROM workspaces WHERE id = '{id}' FOR UPDATE")).unwrap();
        let waiting = open::flood(&app.base, &rename, clients);
        tokio::time::sleep(Duration::from_millis(500)).await;
        let met = open::run(&app.base, own, QUIET, time).await;
        waiting.iter().for_each(tokio::task::JoinHandle::abort);
        holder.batch_execute("ROLLBACK").unwrap();
        tell(&format!("next to {clients} clients that wait for one locked row"), &met);
    }
}

fn tell(name: &str, met: &Met) {
    let p = |times, share| quantile(times, share);
    println!("    {name}");
    println!(
        "      good {:.0}/s (p50 {:?}, p99 {:?}), refused {} (p99 {:?}, longest {:?})",
        met.rate(),
        p(&met.good, 0.5),
        p(&met.good, 0.99),
        met.refused.len(),
        p(&met.refused, 0.99),
        p(&met.refused, 1.0)
    );
}
