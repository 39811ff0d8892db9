//! A thousand tenants in which what people and keys may see changes all the time.

use std::{sync::Arc, time::Instant};

use tenantry_tests::{App, TestDatabase, stress};

/// In each, a key is revoked, an assignment ends, a member is removed and another role is given, the workspace moves, goes and comes
/// back, and the tenant is suspended and reactivated.
const TENANTS: usize = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_tenants_hear_on_two_replicas_what_is_true_at_the_next_request() {
    let app = Arc::new(App::serving(TestDatabase::new(), (2, 256), |_| {}).await);
    let other = app.replica_on(&App::store(&app.database.service_url(), |_| {}));
    let begun = Instant::now();
    let asked = stress(Arc::clone(&app), &other, TENANTS).await;
    let lane = app.store.state().lane;
    println!(
        "{TENANTS} tenants in {:.0} s: {asked} questions to two replicas, each answered as it was after the last change; the lane of the \
         first read {} look-ups with {} statements",
        begun.elapsed().as_secs_f64(),
        lane.look_ups,
        lane.batches,
    );
    assert!(asked > TENANTS * 100, "{asked} questions");
    assert!(lane.look_ups >= asked as u64 / 2, "in the lane");
}
