//! What a body may cost whose sender has made up a key that looks right: the worst shapes one by one, and twelve senders at once, with
//! the time that `/healthz` takes beside them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenantry_domain::KeyMode;
use tenantry_tests::Client;

use crate::{
    client::{Load, Pace, quantile},
    report::{Table, median, ms, promise},
    requests::Requests,
    serving,
};

const SENDERS: usize = 12;

/// The worst of each kind: within the bounds as far as possible, and far beyond them.
fn worst() -> Vec<(&'static str, &'static str, String)> {
    let signature = |html: String| json!({ "name": "x", "emailSignatureHtml": html }).to_string();
    let fonts: String = (0..30).map(|size| format!("<font color={size}>")).collect();
    let link =
        |rest: String| json!({ "name": "x", "emailFromName": "x", "logoUrl": format!("https://{rest}") }).to_string();
    let list = |count: usize| {
        let ids: Vec<_> = (0..count).map(|at| uuid::Uuid::from_u128(at as u128).to_string()).collect();
        json!({ "email": "ada@example.com", "role": "agent", "workspaceIds": ids }).to_string()
    };
    let fields: serde_json::Map<String, Value> = (0..20_000).map(|at| (format!("f{at}"), Value::Null)).collect();
    vec![
        ("no signature", "/api/workspaces", json!({ "name": "x" }).to_string()),
        ("nested lists, 499 tags", "/api/workspaces", signature("<li><ul>".repeat(249))),
        ("nested lists, 2,200 tags", "/api/workspaces", signature("<li><ul>".repeat(1_100))),
        ("nested tables, 498 tags", "/api/workspaces", signature("<table><tr><td>".repeat(166))),
        ("30 fonts, 70 blocks", "/api/workspaces", signature(fonts + &"<p>x".repeat(70))),
        (
            "fonts left open by cells",
            "/api/workspaces",
            signature("<font><table><td></font></table>".repeat(80) + &"<p>x".repeat(90)),
        ),
        ("unbalanced formatting", "/api/workspaces", signature("<a><b><i></a></b></i><p>".repeat(70))),
        (
            "20,000 characters of style",
            "/api/workspaces",
            signature(format!("<p style=\"{}\">x", "color:red;".repeat(1_990))),
        ),
        ("20,000 entities", "/api/workspaces", signature("&amp;".repeat(4_000))),
        ("one tag, 10,000 attributes", "/api/workspaces", signature(format!("<p {}>x", "a ".repeat(9_990)))),
        ("100 workspaces", "/api/invitations", list(100)),
        ("13,000 workspaces", "/api/invitations", list(13_000)),
        ("an address of 2,048 characters", "/api/brands", link("ü".repeat(2_040))),
        ("an address of many labels", "/api/brands", link("ü.".repeat(1_020))),
        ("20,000 unknown fields", "/api/brands", Value::Object(fields).to_string()),
        ("100,000 brackets", "/api/brands", "[".repeat(100_000)),
        ("a number of 500,000 digits", "/api/brands", format!("{{\"name\":{}}}", "9".repeat(500_000))),
        (
            "a country of 500,000 letters",
            "/api/workspaces",
            json!({ "name": "x", "country": "d".repeat(500_000) }).to_string(),
        ),
    ]
}

async fn send(client: &Client, path: &str, body: &str) -> u16 {
    let request = client.request("POST", path).header("Content-Type", "application/json").body(body.to_owned());
    client.send(request).await.status
}

pub(crate) async fn run(time: Duration) {
    let app = serving().await;
    let tenant = app.tenant("Bodies").await;
    let forged = tenantry_auth::issue(tenant.id, KeyMode::Live).unwrap();
    let client = app.client().with_key(forged.reveal());
    let mut table = Table::new(&["body", "bytes", "status", "median of 15"]);
    let mut slowest = (0.0, 0);
    let bodies = worst();
    for (at, (name, path, body)) in bodies.iter().enumerate() {
        let mut times = Vec::new();
        let mut status = 0;
        for _ in 0..15 {
            let began = Instant::now();
            status = send(&client, path, body).await;
            times.push(began.elapsed().as_secs_f64());
        }
        assert!((400..500).contains(&status), "{name}: {status}");
        let median = median(times);
        table.row([
            (*name).to_owned(),
            body.len().to_string(),
            status.to_string(),
            ms(Duration::from_secs_f64(median)),
        ]);
        if median > slowest.0 && body.len() > 1_024 {
            slowest = (median, at);
        }
    }
    table.print("one request with a made-up key");
    let (name, path, body) = &bodies[slowest.1];
    let mut table = Table::of_loads("/healthz, 20 a second");
    let healthz = || {
        let (base, requests) = (app.base.clone(), Requests::one("GET", "/healthz", "", ""));
        Load { base, requests, connections: 0, pace: Pace::Open { rate: 20.0, time } }.run()
    };
    table.loaded("alone", &healthz().await);
    let (base, requests) = (app.base.clone(), Requests::one("POST", path, forged.reveal(), body));
    let senders = Load { base, requests, connections: SENDERS, pace: Pace::Flood }.start().await;
    let met = healthz().await;
    let sent = senders.finish().await;
    table.loaded("next to them", &met);
    table.print(&format!(
        "{SENDERS} senders of \"{name}\" at once: {:.0} were refused in a second, {:.0} of them because too many waited",
        sent.all(),
        sent.refused.len() as f64 / time.as_secs_f64(),
    ));
    let longest = quantile(&met.good, 1.0);
    promise("/healthz answers within 50 ms, always", longest <= Duration::from_millis(50), ms(longest));
    app.handle.stop(false).await;
}
