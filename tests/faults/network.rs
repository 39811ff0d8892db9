//! A network that loses what is between the service and its database.

use std::{
    net::Ipv4Addr,
    process::Command,
    time::{Duration, Instant},
};

use tenantry_tests::{OwnServer, Proxy};
use tokio::time::sleep;

use crate::{
    kit::Tenantry,
    load::{Load, Mix, check},
    outage::{Outage, Stand},
};

/// As for a database that stands still.
const ANSWER: Duration = Duration::from_millis(8_500);
/// After the network is well again, for new connections only.
const FIRST_GOOD: Duration = Duration::from_secs(5);

/// Loses everything for 8 s, lets new connections through, and looks at what clients saw.
async fn lose(stand: &Stand, load: Load, name: &str, breaks: impl FnOnce(), heals: impl FnOnce()) {
    let replicas = stand.replicas.len();
    let broke = Instant::now();
    breaks();
    sleep(Duration::from_secs(8)).await;
    heals();
    let repaired = Instant::now();
    load.until_good(replicas, 50).await;
    sleep(FIRST_GOOD).await;
    let seen = load.end().await;
    let outage = Outage::of(&seen, replicas, broke, repaired, Instant::now());
    Outage::head("network loses all for 8 s");
    outage.print(name);
    let (acknowledged, unacknowledged) = check(&seen, &mut stand.server.admin());
    println!("{acknowledged} writes acknowledged and there, {unacknowledged} there that were not");
    assert!(outage.refused > 0 && outage.unanswered == 0);
    assert!(outage.longest <= ANSWER && outage.first_good <= FIRST_GOOD);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_swallows_everything_for_8_seconds_is_forgotten_5_seconds_later() {
    let server = OwnServer::start();
    let proxy = Proxy::before(&server.service_url(), "tenantry", Ipv4Addr::LOCALHOST);
    let tenantry = Tenantry::at(proxy.service_url());
    let stand = Stand { replicas: vec![tenantry.serve(), tenantry.serve()], tenantry, server };
    let load = stand.load(Mix::default()).await;
    lose(&stand, load, "a peer that acknowledges", || proxy.swallow(), || proxy.heal_for_new_connections()).await;
}

/// A part of the machine with a network of its own, and two cables to it: one for clients and one for the database. They go with
/// this.
struct Elsewhere {
    name: String,
    cables: [String; 2],
}

/// Addresses for measurements (RFC 2544), which are nobody's. The fourth number is that of the end, 1 here and 2 there.
const CLIENTS: &str = "198.18.77.";
const DATABASE: &str = "198.18.78.";

impl Elsewhere {
    /// `None`, with a line that says so, for whoever may not have one.
    fn new() -> Option<Self> {
        let process = std::process::id();
        let made = Self { name: format!("tenantry{process}"), cables: ["c", "d"].map(|to| format!("tn{process}{to}")) };
        let mut lines = vec![format!("ip netns add {}", made.name)];
        for (cable, network) in made.cables.iter().zip([CLIENTS, DATABASE]) {
            lines.push(format!("ip link add {cable} type veth peer name {cable}t netns {}", made.name));
            lines.push(format!("ip addr add {network}1/29 dev {cable}"));
            lines.push(format!("ip link set {cable} up"));
            lines.push(made.there(&format!("ip addr add {network}2/29 dev {cable}t")));
            lines.push(made.there(&format!("ip link set {cable}t up")));
        }
        match lines.iter().try_for_each(|line| run(line)) {
            Ok(()) => Some(made),
            Err(error) => {
                println!(
                    "SKIPPED: packets are lost only in a network of its own, which root can make on Linux: {error}"
                );
                None
            }
        }
    }

    fn there(&self, line: &str) -> String {
        format!("ip netns exec {} {line}", self.name)
    }

    /// Not a packet arrives at either end of the cable to the database.
    fn lose(&self) {
        let cable = &self.cables[1];
        run(&format!("tc qdisc replace dev {cable} root pfifo limit 0")).unwrap();
        run(&self.there(&format!("tc qdisc replace dev {cable}t root pfifo limit 0"))).unwrap();
    }

    /// Packets arrive, and the address that the connections of before lead from is no longer there.
    fn heal_for_new_connections(&self) {
        let cable = &self.cables[1];
        for line in [
            self.there(&format!("ip addr del {DATABASE}2/29 dev {cable}t")),
            self.there(&format!("ip addr add {DATABASE}3/29 dev {cable}t")),
            self.there(&format!("tc qdisc del dev {cable}t root")),
            format!("tc qdisc del dev {cable} root"),
        ] {
            run(&line).unwrap();
        }
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        for line in self.cables.iter().map(|cable| format!("ip link del {cable}")) {
            let _ = run(&line);
        }
        let _ = run(&format!("ip netns del {}", self.name));
    }
}

fn run(line: &str) -> Result<(), String> {
    let mut words = line.split(' ');
    let output =
        Command::new(words.next().unwrap()).args(words).output().map_err(|error| format!("{line}: {error}"))?;
    let said = || format!("{line}: {}", String::from_utf8_lossy(&output.stderr).trim());
    if output.status.success() { Ok(()) } else { Err(said()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_loses_every_packet_for_8_seconds_is_forgotten_5_seconds_later() {
    let Some(elsewhere) = Elsewhere::new() else { return };
    let server = OwnServer::start();
    let address = format!("{DATABASE}1").parse().unwrap();
    let proxy = Proxy::before(&server.service_url(), "tenantry", address);
    let tenantry = Tenantry::at(proxy.service_url()).with("TENANTRY_BIND", &format!("{CLIENTS}2:0"));
    let there = elsewhere.there("\"$@\"");
    let script = format!("PATH=$PATH:/usr/sbin:/sbin; exec {there}");
    let stand = Stand { replicas: vec![tenantry.serve_in_a_shell(&script)], tenantry, server };
    let load = stand.load(Mix::default()).await;
    lose(&stand, load, "nothing arrives", || elsewhere.lose(), || elsewhere.heal_for_new_connections()).await;
}
