//! Whether the time of an answer tells a credential of somebody else from one that nobody knows, at introspection and at a look-up.
//!
//! Both are asked for in turn on one connection, in an order that changes with each pair, so that whatever else the machine does happens
//! to both. What is compared is each pair: medians of all, and the median of the differences with the interval that holds it in 95 of 100 runs.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use tenantry_tests::{App, RawConnection, Tenant};
use uuid::Uuid;

use crate::{
    asked::{mistyped, unknown_key},
    report::{Table, median, promise},
    requests::text,
    serving,
};

/// Nobody sees less than this from another machine, of the time of an answer.
const SHARE: f64 = 0.01;

/// 95 of 100, in standard deviations of a normal distribution.
const CONFIDENCE: f64 = 1.96;

/// Two requests that nobody may tell apart.
struct Pair {
    name: &'static str,
    known: Arc<str>,
    unknown: Arc<str>,
}

/// What came of a pair, in microseconds.
struct Compared {
    known: f64,
    unknown: f64,
    difference: f64,
    /// The interval of the difference.
    from: f64,
    to: f64,
    /// How often the known one took longer, and how far chance alone takes that from a half.
    longer: f64,
    chance: f64,
    pairs: usize,
}

pub(crate) async fn run(time: Duration) {
    let app = serving().await;
    let (ours, theirs) = (app.tenant("Ours").await, app.tenant("Theirs").await);
    let here = ours.workspace("Here").await;
    let mut table = Table::new(&[
        "known against unknown",
        "known",
        "unknown",
        "difference",
        "95 of 100",
        "known is slower",
        "pairs",
    ]);
    let mut compared = Vec::new();
    for pair in pairs(&app, &ours, &theirs, &here).await {
        let met = compare(&app.base, &pair, time * 4).await;
        let us = |value: f64| format!("{value:.1} µs");
        table.row([
            pair.name.to_owned(),
            us(met.known),
            us(met.unknown),
            us(met.difference),
            format!("{:.1} to {:.1} µs", met.from, met.to),
            format!("{:.1} ± {:.1} %", met.longer * 100.0, met.chance * 100.0),
            met.pairs.to_string(),
        ]);
        compared.push((pair.name, met));
    }
    table.print(&format!("requests in pairs on one connection, {} s each", (time * 4).as_secs()));
    for (name, met) in compared {
        let most = met.from.abs().max(met.to.abs());
        promise(
            &format!(
                "{name}: the difference is less than {:.0} % of an answer, or cannot be told from none",
                SHARE * 100.0
            ),
            (met.from <= 0.0 && met.to >= 0.0) || most < SHARE * met.unknown,
            format!("{:.1} µs of {:.0} µs", met.difference, met.unknown),
        );
    }
    app.handle.stop(false).await;
}

/// A key of another tenant that was revoked, one that is mistyped, and a workspace of another tenant, each next to one that was never there.
async fn pairs(app: &App, ours: &Tenant, theirs: &Tenant, here: &str) -> [Pair; 5] {
    let (revoked, id) = theirs.key_with_id(&["workspaces:read"], json!({})).await;
    theirs.owner.delete(&format!("/api/api-keys/{id}")).await.expect(204);
    let there = theirs.workspace("There").await;
    let (unknown, nowhere) = (unknown_key(theirs.id), Uuid::now_v7().to_string());
    let service = app.service();
    let ask = |token: &str| {
        let body = json!({ "token": token, "questions": [{ "permission": "workspace.read", "workspaceId": here }] });
        text("POST", "/api/introspect", service.key(), &body.to_string())
    };
    let look_up = |key: &str, workspace: &str| text("GET", &format!("/api/workspaces/{workspace}"), key, "");
    let own = ours.owner.key();
    [
        Pair { name: "introspection: revoked key", known: ask(revoked.key()), unknown: ask(&unknown) },
        Pair { name: "introspection: mistyped key", known: ask(&mistyped(&unknown)), unknown: ask(&unknown) },
        Pair {
            name: "introspection: unknown key of a tenant that is there",
            known: ask(&unknown),
            unknown: ask(&unknown_key(tenantry_domain::TenantId::from_uuid(Uuid::now_v7()))),
        },
        Pair { name: "look-up: revoked key", known: look_up(revoked.key(), here), unknown: look_up(&unknown, here) },
        Pair { name: "look-up: workspace of another", known: look_up(own, &there), unknown: look_up(own, &nowhere) },
    ]
}

/// Sends both in turn for so long.
async fn compare(base: &str, pair: &Pair, time: Duration) -> Compared {
    let mut connection = RawConnection::open(base).await;
    // Not the first ones: statements are prepared, and caches are filled.
    for request in [&pair.known, &pair.unknown].repeat(50) {
        timed(&mut connection, request).await;
    }
    let (mut known, mut unknown, began) = (Vec::new(), Vec::new(), Instant::now());
    let mut status = None;
    while began.elapsed() < time || known.is_empty() {
        let ((first, one), (second, other)) = if known.len().is_multiple_of(2) {
            (timed(&mut connection, &pair.known).await, timed(&mut connection, &pair.unknown).await)
        } else {
            let unknown = timed(&mut connection, &pair.unknown).await;
            (timed(&mut connection, &pair.known).await, unknown)
        };
        assert_eq!((first, *status.get_or_insert(first)), (second, second), "{}", pair.name);
        known.push(one);
        unknown.push(other);
    }
    Compared::of(&known, &unknown)
}

/// The status of an answer, and how many microseconds it took.
async fn timed(connection: &mut RawConnection, request: &str) -> (u16, f64) {
    let began = Instant::now();
    connection.send(request.as_bytes()).await;
    let answer = connection.answer().await;
    (answer.status, began.elapsed().as_secs_f64() * 1e6)
}

impl Compared {
    fn of(known: &[f64], unknown: &[f64]) -> Self {
        let mut differences: Vec<f64> = known.iter().zip(unknown).map(|(known, unknown)| known - unknown).collect();
        differences.sort_by(f64::total_cmp);
        let pairs = differences.len();
        let longer = differences.iter().filter(|difference| **difference > 0.0).count() as f64 / pairs as f64;
        // The median is between these in order, whatever the distribution is.
        let spread = CONFIDENCE * (pairs as f64).sqrt() / 2.0;
        let at = |place: f64| differences[(place.max(0.0) as usize).min(pairs - 1)];
        let middle = pairs as f64 / 2.0;
        Self {
            known: median(known.to_vec()),
            unknown: median(unknown.to_vec()),
            difference: median(differences.clone()),
            from: at((middle - spread).floor()),
            to: at((middle + spread).ceil()),
            longer,
            chance: CONFIDENCE * 0.5 / (pairs as f64).sqrt(),
            pairs,
        }
    }
}
