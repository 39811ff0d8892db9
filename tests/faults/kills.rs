//! PostgreSQL killed with `kill -9`, again and again.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::{
    load::{Mix, check, longest},
    outage::{Outage, Stand},
};

/// From one kill to the next.
const ROUND: Duration = Duration::from_secs(12);

/// No answer takes longer, the first good one comes so soon after PostgreSQL lets somebody in, and the last 503 so soon after that.
const ANSWER: Duration = Duration::from_secs(3);
const FIRST_GOOD: Duration = Duration::from_secs(1);
const LAST_REFUSED: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_killed_ten_times_in_two_minutes_loses_nothing_that_was_acknowledged() {
    let mut stand = Stand::of(2);
    let load = stand.load(Mix::default()).await;
    let mut rounds = Vec::new();
    for round in 0..10 {
        let broke = Instant::now();
        stand.server.kill();
        // Dead for longer each time.
        sleep(Duration::from_millis(400) * round).await;
        let repaired = tokio::task::block_in_place(|| stand.server.restart());
        sleep(ROUND.saturating_sub(broke.elapsed())).await;
        rounds.push((broke, repaired, Instant::now()));
    }
    let seen = load.end().await;
    Outage::head("PostgreSQL killed");
    let mut outages = Vec::new();
    for (broke, repaired, until) in rounds {
        let outage = Outage::of(&seen, 2, broke, repaired, until);
        outage.print(&format!("dead for {} ms", (repaired - broke).as_millis()));
        outages.push(outage);
    }
    let (acknowledged, unacknowledged) = check(&seen, &mut stand.server.admin());
    println!(
        "{} requests; {acknowledged} writes acknowledged and there, {unacknowledged} there that were not; longest answer {} ms",
        seen.len(),
        longest(&seen).as_millis()
    );
    for outage in outages {
        assert_eq!(outage.unanswered, 0);
        assert!(outage.good > 0);
        assert!(outage.longest <= ANSWER && outage.first_good <= FIRST_GOOD && outage.last_refused <= LAST_REFUSED);
    }
}
