//! How a service leaves: nothing is lost, and nobody is cut off.

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use nix::sys::signal::Signal;
use tenantry_tests::{RawConnection, TestDatabase};
use tokio::time::{Instant, sleep};

use super::{authorized, request};
use crate::binary::kit::{Service, Tenantry, is_alive};

#[tokio::test(flavor = "multi_thread")]
async fn while_it_leaves_it_is_not_ready_and_every_answer_is_the_last_on_its_connection() {
    let database = TestDatabase::new();
    let mut service = Tenantry::on(&database).with("TENANTRY_SHUTDOWN_DELAY", "1h").serve();
    let mut before = RawConnection::open(&service.base).await;
    before.send(request("GET", "/healthz", "").as_bytes()).await;
    assert_eq!(before.answer().await.header("connection"), "");
    service.signal(Signal::SIGTERM);
    service.until_logged("stopping");
    before.send(request("GET", "/healthz", "").as_bytes()).await;
    assert_eq!(before.answer().await.header("connection"), "close");
    assert!(before.ending().await.in_order);
    for (path, status) in [("/readyz", 503), ("/healthz", 200), ("/api/me", 401), ("/nothing", 404), ("/docs", 200)] {
        let mut new = RawConnection::open(&service.base).await;
        new.send(request("GET", path, "").as_bytes()).await;
        let answer = new.answer().await;
        assert_eq!((answer.status, answer.header("connection")), (status, "close"), "{path}");
        assert!(new.ending().await.in_order);
    }
    // At a terminal nobody waits for a load balancer.
    service.signal(Signal::SIGINT);
    assert_eq!(service.wait().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_is_ended_in_order() {
    let database = TestDatabase::new();
    let service = Tenantry::on(&database).serve();
    let mut idle = RawConnection::open(&service.base).await;
    idle.send(request("GET", "/healthz", "").as_bytes()).await;
    idle.answer().await;
    let silent = RawConnection::open(&service.base).await;
    service.signal(Signal::SIGTERM);
    for connection in [idle, silent] {
        let ending = connection.ending().await;
        assert_eq!((ending.bytes, ending.in_order), (Vec::new(), true));
    }
    assert_eq!(service.wait().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_connected_before_the_listener_went_is_answered() {
    let database = TestDatabase::new();
    let service = Tenantry::on(&database).serve();
    service.signal(Signal::SIGSTOP);
    let mut waiting = Vec::new();
    for _ in 0..20 {
        // The system accepts connections for a process that does nothing.
        let mut connection = RawConnection::open(&service.base).await;
        connection.send(request("GET", "/healthz", "").as_bytes()).await;
        waiting.push(connection);
    }
    service.signal(Signal::SIGTERM);
    service.signal(Signal::SIGCONT);
    for mut connection in waiting {
        assert_eq!(connection.answer().await.status, 200);
        assert!(connection.ending().await.in_order);
    }
    assert_eq!(service.wait().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_signal_it_is_the_stop_is_orderly() {
    for (signal, name) in [(Signal::SIGHUP, "SIGHUP"), (Signal::SIGINT, "SIGINT"), (Signal::SIGTERM, "SIGTERM")] {
        let tenantry = Tenantry::embedded();
        let service = tenantry.serve();
        let postmaster = service.postmaster();
        let log = service.stop(signal);
        assert!(log.contains(name) && log.contains("\"stopped\""), "{log}");
        assert!(!is_alive(postmaster));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_that_the_starter_wants_ignored_is_ignored() {
    let database = TestDatabase::new();
    let service = Tenantry::on(&database).serve_in_a_shell("trap '' HUP; exec \"$@\"");
    service.signal(Signal::SIGHUP);
    service.client().get("/readyz").await.expect(200);
    let log = service.stop(Signal::SIGTERM);
    assert!(!log.contains("SIGHUP"), "{log}");
}

#[test]
fn a_signal_during_the_start_leaves_no_database_behind() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        for moment in ["created a database cluster", "starting the embedded PostgreSQL"] {
            let tenantry = Tenantry::embedded();
            let mut service = tenantry.begin_to_serve();
            service.until_logged(moment);
            service.signal(signal);
            service.until_logged("stopping");
            let log = service.stop(signal);
            assert!(log.contains("\"stopped\"") && !log.contains("\"serving\""), "{moment}: {log}");
        }
    }
}

#[test]
fn a_signal_is_obeyed_while_the_database_says_nothing() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        let tenantry = Tenantry::at(&format!("postgres://u@127.0.0.1:{port}/t?connect_timeout=3600"));
        let service = tenantry.begin_to_serve();
        let (_connection, _) = silent.accept().unwrap();
        service.signal(signal);
        let log = service.stop(signal);
        assert!(log.contains("\"stopped\"") && !log.contains("\"serving\""), "{log}");
    }
}

/// A replica, as its load balancer sees it.
struct Replica {
    tenantry: Tenantry,
    base: String,
    ready: AtomicBool,
}

impl Replica {
    fn on(database: &TestDatabase) -> Self {
        let tenantry = Tenantry::on(database).with("TENANTRY_SHUTDOWN_DELAY", "500ms");
        // The port that it has now, it has after each restart.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let tenantry = tenantry.with("TENANTRY_BIND", &port.to_string());
        Self { tenantry, base: format!("http://{port}"), ready: AtomicBool::new(false) }
    }

    /// Looks whether it is ready, again and again.
    async fn watch(self: Arc<Self>) {
        loop {
            let ready = match RawConnection::try_open(&self.base).await {
                Ok(mut probe) => {
                    probe.send(request("GET", "/readyz", "Connection: close\r\n").as_bytes()).await;
                    probe.perhaps_an_answer().await.is_some_and(|answer| answer.status == 200)
                }
                Err(_) => false,
            };
            self.ready.store(ready, Ordering::SeqCst);
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Starts, and returns when it gets requests.
    async fn start(&self) -> Service {
        let service = self.tenantry.serve();
        let deadline = Instant::now() + Duration::from_secs(120);
        while !self.ready.load(Ordering::SeqCst) {
            assert!(Instant::now() < deadline, "{} has not become ready", self.base);
            sleep(Duration::from_millis(5)).await;
        }
        service
    }
}

/// A client that keeps its connections, to whichever replica is ready. Returns how many requests were answered and how many were not.
async fn ask(replicas: [Arc<Replica>; 2], key: String, stop: Arc<AtomicBool>) -> (usize, Vec<String>) {
    let (mut answered, mut lost) = (0, Vec::new());
    let mut connections = [None, None];
    let mut turn = 0;
    while !stop.load(Ordering::SeqCst) {
        turn += 1;
        let Some(at) = [turn % 2, (turn + 1) % 2].into_iter().find(|at| replicas[*at].ready.load(Ordering::SeqCst))
        else {
            lost.push("nobody is ready".to_owned());
            sleep(Duration::from_millis(20)).await;
            continue;
        };
        let mut connection = match connections[at].take().filter(RawConnection::is_open) {
            Some(connection) => connection,
            None => match RawConnection::try_open(&replicas[at].base).await {
                Ok(connection) => connection,
                Err(error) => {
                    lost.push(format!("refused: {error}"));
                    continue;
                }
            },
        };
        let sent = connection.try_send(request("GET", "/api/tenant", &key).as_bytes()).await;
        match connection.perhaps_an_answer().await {
            Some(answer) if answer.status == 200 => {
                answered += 1;
                if answer.header("connection") != "close" {
                    connections[at] = Some(connection);
                }
            }
            other => lost.push(format!("sent: {sent}, answer: {other:?}")),
        }
        // As a person or another service would, so that connections are also idle.
        sleep(Duration::from_millis(turn as u64 % 7)).await;
    }
    (answered, lost)
}

/// `make faults` sets how many.
fn rounds() -> usize {
    #[expect(clippy::disallowed_methods, reason = "the switch that `make faults` turns")]
    let rounds = std::env::var("TENANTRY_TEST_RESTARTS").ok().and_then(|rounds| rounds.parse().ok());
    rounds.unwrap_or(1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_loses_no_request() {
    let database = TestDatabase::new();
    let replicas = [Arc::new(Replica::on(&database)), Arc::new(Replica::on(&database))];
    let made = replicas[0].tenantry.json(&["tenant", "create", "--name", "Acme", "--country", "DE"]);
    let key = authorized(made["apiKey"].as_str().unwrap());
    let probes = replicas.each_ref().map(|replica| tokio::spawn(replica.clone().watch()));
    let mut running = Vec::new();
    for replica in &replicas {
        running.push(replica.start().await);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..16).map(|_| tokio::spawn(ask(replicas.clone(), key.clone(), stop.clone()))).collect();
    for _ in 0..rounds() {
        for replica in &replicas {
            let old = running.remove(0);
            old.signal(Signal::SIGTERM);
            let (code, log) = old.wait();
            assert_eq!(code, Some(0), "{log}");
            running.push(replica.start().await);
        }
    }
    stop.store(true, Ordering::SeqCst);
    let (mut answered, mut lost) = (0, Vec::new());
    for client in clients {
        let (more, mut failed) = client.await.unwrap();
        answered += more;
        lost.append(&mut failed);
    }
    probes.iter().for_each(tokio::task::JoinHandle::abort);
    println!("{answered} requests answered, {} lost", lost.len());
    assert!(lost.is_empty(), "{} of {answered} were lost: {:?}", lost.len(), &lost[..lost.len().min(5)]);
    assert!(answered > 100, "{answered}");
    for service in running {
        service.stop(Signal::SIGTERM);
    }
}
