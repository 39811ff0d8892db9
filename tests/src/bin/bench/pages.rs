//! A page of a list in a small tenant and in a large one.

use std::time::Duration;

use diesel::{RunQueryDsl, connection::SimpleConnection};
use tenantry_tests::{App, Tenant};

use crate::{load, serving};

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text, column_name = "QUERY PLAN")]
    line: String,
}

pub(crate) async fn run(time: Duration) {
    let app = serving().await;
    println!("a page of 50 workspaces, 8 connections, {} s each", time.as_secs());
    for (name, workspaces) in [("small", 100), ("large", 100_000)] {
        let tenant = app.tenant(name).await;
        fill(&app, &tenant, workspaces);
        for path in ["/api/workspaces?limit=50", "/api/workspaces?limit=50&sort=-name"] {
            let first = tenant.owner.get(path).await.expect(200);
            let middle = format!("{path}&cursor={}", first.text_of("nextCursor"));
            let figures = load::run(&app.base, &middle, tenant.owner.key(), 8, time).await;
            println!(
                "  {workspaces:>7} workspaces, second page of {path}: {:.0}/s, median {:?}",
                figures.rate, figures.median
            );
        }
        explain(&app, &tenant);
    }
    app.handle.stop(false).await;
}

/// Gives the tenant so many more workspaces.
pub(crate) fn fill(app: &App, tenant: &Tenant, workspaces: u32) {
    let sql = format!(
        "INSERT INTO workspaces (tenant_id, id, brand_id, name, country, operating_language, currency, workspace_type, created_at,
             number)
         SELECT '{}', gen_random_uuid(), '{}', 'Workspace ' || n, 'DE', 'de', 'EUR', 'b2b', now() - n * interval '1 second',
             n + (SELECT coalesce(max(number), 0) FROM workspaces AS there WHERE there.tenant_id = '{}')
         FROM generate_series(1, {workspaces}) AS n; ANALYZE workspaces;
         UPDATE tenants SET last_workspace_number = last_workspace_number + {workspaces} WHERE id = '{}'",
        tenant.id, tenant.brand, tenant.id, tenant.id
    );
    app.database.admin().batch_execute(&sql).unwrap();
}

/// The plan of the list's query as the service's role has it, under row security.
fn explain(app: &App, tenant: &Tenant) {
    let mut service = app.database.service();
    service.batch_execute(&format!("BEGIN; SELECT set_tenant('{}')", tenant.id)).unwrap();
    let sql = format!(
        "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT * FROM workspaces
         WHERE tenant_id = '{}' AND deleted_at IS NULL AND (created_at, id) > (now() - interval '60 seconds', '{}')
         ORDER BY created_at, id LIMIT 51",
        tenant.id, tenant.brand
    );
    for Line { line } in diesel::sql_query(sql).load::<Line>(&mut service).unwrap() {
        println!("      {line}");
    }
}
