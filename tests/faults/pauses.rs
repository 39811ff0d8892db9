//! PostgreSQL that stands still, and goes on as if nothing had been.

use std::time::{Duration, Instant};

use tenantry_tests::lines;
use tokio::time::sleep;

use crate::{
    load::{Asked, Mix, Seen, check},
    outage::{Outage, Stand},
};

/// No answer takes longer: 5 s for a statement, a second more for an answer to it, 2 s for a turn before that.
const ANSWER: Duration = Duration::from_millis(8_500);
/// After PostgreSQL goes on.
const FIRST_GOOD: Duration = Duration::from_secs(5);

async fn pause_of(length: Duration) {
    let stand = Stand::of(2);
    let load = stand.load(Mix::default()).await;
    let broke = Instant::now();
    stand.server.pause();
    let stopped = Instant::now();
    sleep(length).await;
    let repaired = Instant::now();
    stand.server.resume();
    load.until_good(2, 50).await;
    sleep(FIRST_GOOD).await;
    let seen = load.end().await;
    let outage = Outage::of(&seen, 2, broke, repaired, Instant::now());
    Outage::head("PostgreSQL stands still");
    outage.print(&format!("for {} s", length.as_secs()));
    let mut admin = stand.server.admin();
    let (acknowledged, unacknowledged) = check(&seen, &mut admin);
    println!(
        "{acknowledged} writes acknowledged and there, {unacknowledged} there that were not (their commit was on its way)"
    );
    let there = lines(&mut admin, "SELECT name AS line FROM workspaces");
    // A name is changed on and on, so that only what is made says for certain whether it took effect.
    let refused = seen.iter().filter(|one| one.began > stopped && one.status == 503);
    let is_there = |one: &&Seen| matches!(&one.asked, Asked::Create { name } if there.contains(name));
    let late: Vec<_> = refused.filter(is_there).collect();
    assert!(late.is_empty(), "answered 503 and took effect later: {late:?}");
    assert!(outage.refused > 0 && outage.unanswered == 0);
    assert!(outage.longest <= ANSWER && outage.first_good <= FIRST_GOOD);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_of_15_seconds_keeps_nobody_waiting_and_writes_nothing_that_was_refused() {
    pause_of(Duration::from_secs(15)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_of_40_seconds_keeps_nobody_waiting_and_writes_nothing_that_was_refused() {
    pause_of(Duration::from_secs(40)).await;
}
