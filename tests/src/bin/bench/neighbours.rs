//! What a tenant with a few requests notices while another one asks for as much as it can, or while the door is full.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use tenantry_tests::{App, Tenant};

use crate::{
    CONNECTIONS,
    asked::{ALL, Caller, LOOK_UP, Row, SEARCH, UPDATE},
    client::{Load, Met, Pace, quantile},
    data::COUNT,
    report::{Table, ms, promise},
    requests::Requests,
    serving_with_limits, serving_with_room,
};

/// How many requests the quiet tenant sends in a second.
const QUIET: f64 = 20.0;

/// How many connections the noisy tenant has.
const NOISY: usize = 64;

/// How many workspaces it has.
const WORKSPACES: u32 = 50_000;

/// How often each is measured. The best round counts: others use the machine too.
const ROUNDS: usize = 3;

/// After which a credential has used up what it may send at once, and sends as much in a second as it may.
const BURST: Duration = Duration::from_secs(3);

/// Within which `/healthz` answers.
const HEALTHY: Duration = Duration::from_millis(50);

pub(crate) async fn run(time: Duration) {
    let app = serving_with_limits().await;
    let (noisy, quiet) = (app.tenant("Noisy").await, app.tenant("Quiet").await);
    fill(&app, &noisy, WORKSPACES);
    let of_noisy = noisy.workspace("Mine").await;
    let asks = Caller { word: "zz".to_owned(), ..Caller::owner(&noisy, &of_noisy) };
    let own = LOOK_UP.requests(&[Caller::owner(&quiet, &quiet.workspace("Mine").await)]);
    let floods = [("look-ups", LOOK_UP), ("searches", SEARCH), ("lists of all", ALL)];
    next_to(&app, &own, (&asks, &floods), time * 2).await;
    locked_row(&app, &asks, &own, time).await;
    app.handle.stop(false).await;
    at_the_door(time).await;
}

/// What the quiet tenant sends, for so long.
async fn few(app: &App, requests: &Requests, time: Duration) -> Met {
    let (base, requests) = (app.base.clone(), requests.clone());
    Load { base, requests, connections: 0, pace: Pace::Open { rate: QUIET, time } }.run().await
}

fn p99(met: &Met) -> Duration {
    quantile(&met.good, 0.99)
}

async fn next_to(app: &App, own: &Requests, (noisy, floods): (&Caller, &[(&str, Row)]), time: Duration) {
    let health = Requests::one("GET", "/healthz", "", "");
    let mut table = Table::of_loads("round");
    let mut best_alone = Duration::MAX;
    // For each flood: the best p99 of the quiet tenant, all its refusals, and the best p99 of /healthz.
    let mut met_by = vec![(Duration::MAX, 0, Duration::MAX); floods.len()];
    for round in 1..=ROUNDS {
        let alone = few(app, own, time).await;
        table.loaded(format!("{round}: alone"), &alone);
        best_alone = best_alone.min(p99(&alone));
        for ((name, flood), (best, refused, healthy)) in floods.iter().zip(&mut met_by) {
            let flood = flood.load(&app.base, std::slice::from_ref(noisy), NOISY, Pace::Flood).start().await;
            tokio::time::sleep(BURST).await;
            let (met, probe) = tokio::join!(few(app, own, time), few(app, &health, time));
            table.loaded(format!("{round}: next to {name}"), &met);
            table.loaded(format!("{round}: /healthz meanwhile"), &probe);
            table.loaded(format!("{round}: {name}"), &flood.finish().await);
            *best = p99(&met).min(*best);
            *refused += met.refused.len();
            *healthy = p99(&probe).min(*healthy);
        }
    }
    table.print(&format!(
        "a tenant with {QUIET} look-ups a second, next to one with {WORKSPACES} workspaces that asks on {NOISY} connections, {} s each",
        time.as_secs()
    ));
    for ((name, _), (best, refused, healthy)) in floods.iter().zip(met_by) {
        let ratio = best.as_secs_f64() / best_alone.as_secs_f64();
        promise(
            &format!("next to {name}, its p99 is at most twice that alone"),
            ratio <= 2.0,
            format!("{ratio:.2} ×, {} to {}", ms(best), ms(best_alone)),
        );
        promise(&format!("next to {name}, none of its requests is refused"), refused == 0, refused.to_string());
        promise(&format!("next to {name}, /healthz answers within 50 ms"), healthy <= HEALTHY, ms(healthy));
    }
}

/// While clients of the noisy tenant wait for a row that somebody has locked.
async fn locked_row(app: &App, noisy: &Caller, own: &Requests, time: Duration) {
    let id = &noisy.workspace;
    let mut table = Table::of_loads("clients that wait");
    let mut refused = 0;
    for connections in [8, 16, 32] {
        let mut holder = app.database.admin();
        holder.batch_execute(&format!("BEGIN; SELECT FROM workspaces WHERE id = '{id}' FOR UPDATE")).unwrap();
        let waiting = UPDATE.load(&app.base, std::slice::from_ref(noisy), connections, Pace::Flood).start().await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let met = few(app, own, time).await;
        holder.batch_execute("ROLLBACK").unwrap();
        drop(waiting.finish().await);
        refused += met.refused.len();
        table.loaded(connections.to_string(), &met);
    }
    table.print(&format!(
        "the same tenant, next to clients of the other that wait for one locked row, {} s each",
        time.as_secs()
    ));
    promise("none of its requests is refused", refused == 0, refused.to_string());
}

/// Connections on which nobody asks for anything, and clients that send a byte now and then.
async fn at_the_door(time: Duration) {
    let mut table = Table::of_loads("next to");
    let mut longest = Duration::ZERO;
    // 164 is what the service has left for connections of 256 descriptors.
    for (name, room, connections, pace) in [
        ("5,000 idle connections", CONNECTIONS, 5_000, Pace::Idle),
        ("300 dripping clients, room for 164", 164, 300, Pace::Drip),
    ] {
        let app = serving_with_room(room).await;
        let tenant = app.tenant("Quiet").await;
        let look_up = format!("/api/workspaces/{}", tenant.workspace("Mine").await);
        let nothing = Requests::new([], None);
        let crowd = Load { base: app.base.clone(), requests: nothing, connections, pace }.start().await;
        for (what, path) in [("/healthz", "/healthz"), ("a look-up", look_up.as_str())] {
            let requests = Requests::one("GET", path, tenant.owner.key(), "");
            let (base, pace) = (app.base.clone(), Pace::Visitors { rate: QUIET, time });
            let met = Load { base, requests, connections: 0, pace }.run().await;
            longest = longest.max(quantile(&met.good, 1.0)).max(quantile(&met.refused, 1.0));
            table.loaded(format!("{name}: {what}"), &met);
        }
        drop(crowd.finish().await);
        app.handle.stop(false).await;
    }
    table.print(&format!("{QUIET} requests a second on connections of their own, {} s each", time.as_secs()));
    promise("every answer comes within 1 s", longest <= Duration::from_secs(1), ms(longest));
}

/// Gives the tenant so many more workspaces.
fn fill(app: &App, tenant: &Tenant, workspaces: u32) {
    let sql = format!(
        "INSERT INTO workspaces (tenant_id, id, brand_id, name, country, operating_language, currency, workspace_type, created_at,
             number)
         SELECT '{}', gen_random_uuid(), '{}', 'Workspace ' || n, 'DE', 'de', 'EUR', 'b2b', now() - n * interval '1 second',
             n + (SELECT coalesce(max(number), 0) FROM workspaces AS there WHERE there.tenant_id = '{}')
         FROM generate_series(1, {workspaces}) AS n; ANALYZE workspaces;
         UPDATE tenants SET last_workspace_number = last_workspace_number + {workspaces} WHERE id = '{}'; {COUNT}",
        tenant.id, tenant.brand, tenant.id, tenant.id
    );
    app.database.admin().batch_execute(&sql).unwrap();
}
