//! Who the service is once it serves.
#![cfg(target_os = "linux")]

use std::fs;

use nix::{
    sys::signal::{Signal, kill},
    unistd::geteuid,
};
use tenantry_tests::TestDatabase;

use crate::binary::kit::{Service, Tenantry, is_alive};

/// The ids of a process: real, effective, saved, of files; then its groups.
fn ids(pid: u32, line: &str) -> Vec<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let ids = status.lines().find_map(|found| found.strip_prefix(line)).unwrap();
    ids.split_whitespace().map(|id| id.parse().unwrap()).collect()
}

/// An ordinary user stays who they are, so that these tests say something only as root.
fn is_ordinary(service: &Service) {
    let me = geteuid().as_raw();
    let (users, groups) = (ids(service.pid(), "Uid:"), ids(service.pid(), "Groups:"));
    if me == 0 {
        assert!(
            !users.contains(&0) && !ids(service.pid(), "Gid:").contains(&0) && !groups.contains(&0),
            "{users:?} {groups:?}"
        );
    } else {
        assert!(users.iter().all(|user| *user == me), "{users:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn root_becomes_an_ordinary_user_once_the_service_has_what_only_root_may_read() {
    let database = TestDatabase::new();
    let tenantry = Tenantry::on(&database);
    let made = tenantry.json(&["tenant", "create", "--name", "Acme", "--country", "DE"]);
    let service = tenantry.serve();
    is_ordinary(&service);
    let acme = service.client().with_key(made["apiKey"].as_str().unwrap());
    acme.get("/api/tenant").await.expect(200);
    acme.post("/api/invitations", serde_json::json!({ "email": "a@example.com", "role": "agent" })).await.expect(201);
    let is_mail = |name: &fs::DirEntry| name.path().extension().is_some_and(|extension| extension == "eml");
    while !fs::read_dir(tenantry.path("data/mail")).unwrap().flatten().any(|entry| is_mail(&entry)) {
        tokio::task::yield_now().await;
    }
    service.stop(Signal::SIGTERM);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ordinary_user_restarts_and_stops_the_embedded_database_that_root_has_started() {
    let tenantry = Tenantry::embedded();
    let mut service = tenantry.serve();
    service.until_printed("curl -H");
    is_ordinary(&service);
    let postmaster = service.postmaster();
    assert_eq!(ids(postmaster.as_raw().try_into().unwrap(), "Uid:"), ids(service.pid(), "Uid:"));
    kill(postmaster, Signal::SIGKILL).unwrap();
    service.until_logged("is running again");
    let again = service.postmaster();
    while service.client().get("/readyz").await.status != 200 {}
    service.stop(Signal::SIGTERM);
    assert!(!is_alive(again));
    // What the ordinary user has left, root finds in order.
    tenantry.json(&["tenant", "list"]);
    tenantry.serve().stop(Signal::SIGTERM);
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_to_become_can_be_chosen_and_must_exist() {
    let database = TestDatabase::new();
    let refused = Tenantry::on(&database).with("TENANTRY_USER", "nobody-of-this-name").run(&["serve"]).expect(6);
    assert!(refused.err.contains("TENANTRY_USER names nobody-of-this-name"), "{}", refused.err);
    if !geteuid().is_root() {
        return;
    }
    let service = Tenantry::on(&database).with("TENANTRY_USER", "root").serve();
    assert_eq!(ids(service.pid(), "Uid:"), [0; 4]);
    assert!(service.stop(Signal::SIGTERM).contains("stays root"));
    let refused = Tenantry::embedded().with("TENANTRY_USER", "daemon").run(&["serve"]).expect(6);
    assert!(refused.err.contains("lets only that user in"), "{}", refused.err);
    // Emails go where the user cannot write.
    let service = Tenantry::on(&database).with("TENANTRY_MAIL_DIR", "/proc/mail").serve();
    assert!(service.stop(Signal::SIGTERM).contains("stays root"));
}
