//! A network that loses what is between the service and its database.

use std::time::{Duration, Instant};

use tenantry_tests::{OwnServer, Proxy};
use tokio::time::sleep;

use crate::{
    kit::Tenantry,
    load::{Mix, check},
    outage::{Outage, Stand},
};

const ANSWER: Duration = Duration::from_millis(8_500);
/// After the network is well again, for new connections only.
const FIRST_GOOD: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_swallows_everything_for_8_seconds_is_forgotten_5_seconds_later() {
    let server = OwnServer::start();
    let proxy = Proxy::before(&server.service_url(), "tenantry");
    let tenantry = Tenantry::at(proxy.service_url());
    let stand = Stand { replicas: vec![tenantry.serve(), tenantry.serve()], tenantry, server };
    let load = stand.load(Mix::default()).await;
    let broke = Instant::now();
    proxy.swallow();
    sleep(Duration::from_secs(8)).await;
    proxy.heal_for_new_connections();
    let repaired = Instant::now();
    load.until_good(2, 50).await;
    sleep(FIRST_GOOD).await;
    let seen = load.end().await;
    let outage = Outage::of(&seen, 2, broke, repaired, Instant::now());
    Outage::head("network swallows for 8 s");
    outage.print("a peer that acknowledges");
    let (acknowledged, unacknowledged) = check(&seen, &mut stand.server.admin());
    println!("{acknowledged} writes acknowledged and there, {unacknowledged} there that were not");
    assert!(outage.refused > 0 && outage.unanswered == 0);
    assert!(outage.longest <= ANSWER && outage.first_good <= FIRST_GOOD);
}
