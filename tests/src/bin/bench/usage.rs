//! Usage by month, and one entry more, in a workspace with few entries and in one with very many. `BENCH_ENTRIES` is how many
//! the large one has; ten million take some gigabytes.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use serde_json::json;
use tenantry_tests::{App, Tenant, new_name};

use crate::{
    client::{Load, Pace, quantile},
    report::say,
    requests::Requests,
    serving,
};

pub(crate) async fn run(time: Duration) {
    #[expect(clippy::disallowed_methods, reason = "a switch of the measurement")]
    let many = std::env::var("BENCH_ENTRIES").ok().and_then(|entries| entries.parse().ok()).unwrap_or(1_000_000);
    let app = serving().await;
    say!("a year of usage by month, 8 connections, {} s each", time.as_secs());
    let tenant = app.tenant("Usage").await;
    let mut rates = Vec::new();
    for entries in [1_000, many] {
        let workspace = tenant.workspace("Usage").await;
        fill(&app, &tenant, &workspace, entries);
        let usage = format!("/api/workspaces/{workspace}/usage");
        let year = format!("{usage}?from=2025-01&to=2025-12");
        let (base, requests) = (app.base.clone(), Requests::one("GET", &year, tenant.owner.key(), ""));
        let met = Load { base, requests, connections: 8, pace: Pace::Flood }.run_for(time).await;
        let recorded = record(&tenant, &usage, time).await;
        say!(
            "  {entries:>8} entries: {:.0}/s, median {:?}, p99 {:?}; recorded one after the other {recorded:.0}/s",
            met.rate(),
            quantile(&met.good, 0.5),
            quantile(&met.good, 0.99)
        );
        rates.push(met.rate());
    }
    say!("  large to small: {:.3}", rates[1] / rates[0]);
    app.handle.stop(false).await;
}

/// So many entries of the year 2025 and their sums, as if each had been recorded.
fn fill(app: &App, tenant: &Tenant, workspace: &str, entries: u32) {
    let sql = format!(
        "SET session_replication_role = replica; SET synchronous_commit = off;
         INSERT INTO usage_entries (tenant_id, id, workspace_id, kind, seconds, used_at, month, reference)
         SELECT '{tenant}', gen_random_uuid(), '{workspace}', 'usage', 1 + n % 600, at, date_trunc('month', at), 'call-' || n
         FROM generate_series(1, {entries}) AS n, LATERAL (
             SELECT timestamp '2025-01-01' + n % 8760 * interval '1 hour') AS times (at);
         INSERT INTO usage_months SELECT tenant_id, workspace_id, month, sum(seconds) FROM usage_entries
         WHERE tenant_id = '{tenant}' AND workspace_id = '{workspace}' GROUP BY 1, 2, 3;
         ANALYZE usage_entries, usage_months",
        tenant = tenant.id
    );
    app.database.admin().batch_execute(&sql).unwrap();
}

/// How many entries a second one client records.
async fn record(tenant: &Tenant, path: &str, time: Duration) -> f64 {
    let (mut recorded, began) = (0_u32, Instant::now());
    while began.elapsed() < time {
        tenant.owner.post(path, json!({ "seconds": 30, "reference": new_name("Call") })).await.expect(201);
        recorded += 1;
    }
    f64::from(recorded) / began.elapsed().as_secs_f64()
}
