//! The service with the database that it brings along, from the first start to a hard end.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use nix::sys::signal::{Signal, kill};
use tenantry_tests::Client;

use super::kit::{Service, Tenantry, is_alive};

/// The key and the path of the line that the first start prints.
fn printed(service: &Service) -> (String, Client, String) {
    let line = service.until_printed("curl -H");
    let file = line.split_once("Bearer $(cat ").unwrap().1.split(')').next().unwrap();
    // Standard output is no terminal here, so that the key is in a file that only its owner can read.
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    let key = fs::read_to_string(file).unwrap();
    let path = line.rsplit_once(&service.base).expect("the address of the service").1;
    (line.clone(), service.client().with_key(key.trim()), path.to_owned())
}

#[tokio::test]
async fn the_line_that_the_first_start_prints_looks_up_the_demo_workspace() {
    let tenantry = Tenantry::embedded();
    let service = tenantry.serve();
    let (line, acme, path) = printed(&service);
    let answer = match Command::new("sh").args(["-c", &line.replace("curl", "curl --silent --show-error")]).output() {
        Ok(done) if done.status.success() => String::from_utf8(done.stdout).unwrap(),
        // 127: there is no curl on this machine.
        Ok(done) if done.status.code() == Some(127) => acme.get(&path).await.expect(200).text,
        other => panic!("{other:?}"),
    };
    let workspace: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(workspace["name"], "DACH Region");
    assert_eq!(acme.get(&path).await.expect(200).body, workspace);
    let last = path.pop_digit();
    assert_eq!(acme.get(&last).await.expect(404).body["error"], "Workspace not found");
    acme.get("/docs").await.expect(200);
    service.stop(Signal::SIGTERM);
}

#[test]
fn the_lines_that_a_start_prints_name_the_public_address_where_there_is_one() {
    let tenantry = Tenantry::embedded().with("TENANTRY_PUBLIC_URL", "https://tenantry.example.com/t");
    for expected in ["https://tenantry.example.com/t/api/workspaces/", "https://tenantry.example.com/t/docs"] {
        let service = tenantry.serve();
        let line = service.until_printed(expected);
        assert!(!line.contains(&service.base), "{line}");
        service.stop(Signal::SIGTERM);
    }
}

trait PopDigit {
    fn pop_digit(&self) -> String;
}

impl PopDigit for String {
    /// With another last hexadecimal digit.
    fn pop_digit(&self) -> String {
        let (rest, last) = self.split_at(self.len() - 1);
        format!("{rest}{}", if last == "0" { "1" } else { "0" })
    }
}

#[tokio::test]
async fn a_tenant_made_at_the_command_line_beside_the_service_sees_nothing_of_the_demo_tenant() {
    let tenantry = Tenantry::embedded();
    let service = tenantry.serve();
    let (_, acme, path) = printed(&service);
    let made = tenantry.json(&["tenant", "create", "--name", "Beta", "--country", "NL"]);
    let beta = service.client().with_key(made["apiKey"].as_str().unwrap());
    assert_eq!(beta.get("/api/me").await.expect(200).body["tenant"]["id"], made["tenant"]["id"]);
    let foreign = beta.get(&path).await.expect(404);
    let unused = beta.get(&format!("/api/workspaces/{}", uuid::Uuid::now_v7())).await.expect(404);
    assert_eq!(foreign.without_request_id(), unused.without_request_id());
    assert_eq!(beta.get("/api/workspaces").await.expect(200).body["data"].as_array().unwrap().len(), 0);
    assert_eq!(acme.get("/api/workspaces").await.expect(200).body["data"].as_array().unwrap().len(), 1);
    let log = service.stop(Signal::SIGTERM);
    assert!(!log.contains("actix") && !log.contains("worker"), "{log}");
}

#[tokio::test]
async fn the_second_start_finds_the_data_and_says_how_to_make_a_key() {
    let tenantry = Tenantry::embedded();
    let first = tenantry.serve();
    let (_, acme, path) = printed(&first);
    let postmaster = first.postmaster();
    assert!(is_alive(postmaster));
    first.stop(Signal::SIGINT);
    assert!(!is_alive(postmaster));
    let second = tenantry.serve();
    second.until_printed("with your existing data");
    let list = second.until_printed("tenant list");
    let create = second.until_printed("key create --tenant NAME");
    second.client().with_key(acme.key()).get(&path).await.expect(200);
    assert!(list.ends_with("tenantry tenant list") && create.contains("tenantry key create"), "{list} {create}");
    let tenants = tenantry.json(&["tenant", "list"]);
    let id = tenants[0]["id"].as_str().unwrap();
    let made = tenantry.json(&["key", "create", "--tenant", id, "--name", "My key"]);
    second.client().with_key(made["apiKey"].as_str().unwrap()).get(&path).await.expect(200);
    second.stop(Signal::SIGTERM);
}

#[tokio::test]
async fn a_command_without_a_service_starts_and_stops_the_database_itself() {
    let tenantry = Tenantry::embedded();
    assert_eq!(tenantry.json(&["tenant", "list"]), serde_json::json!([]));
    let made = tenantry.json(&["tenant", "create", "--name", "Beta", "--country", "NL"]);
    assert!(!tenantry.path("data/postgres/data/postmaster.pid").exists());
    let service = tenantry.serve();
    // There is a tenant, so that there is no demo tenant.
    service.until_printed("with your existing data");
    service.client().with_key(made["apiKey"].as_str().unwrap()).get("/api/me").await.expect(200);
    service.stop(Signal::SIGTERM);
}

#[tokio::test]
async fn after_a_hard_end_of_the_service_the_next_start_takes_its_database_over() {
    let tenantry = Tenantry::embedded();
    let first = tenantry.serve();
    let (_, acme, path) = printed(&first);
    let postmaster = first.postmaster();
    first.signal(Signal::SIGKILL);
    assert_eq!(first.wait().0, None);
    assert!(is_alive(postmaster), "the database outlives the service");
    let second = tenantry.serve();
    assert_eq!(second.postmaster(), postmaster);
    second.client().with_key(acme.key()).get(&path).await.expect(200);
    second.stop(Signal::SIGTERM);
    assert!(!is_alive(postmaster));
}

#[tokio::test]
async fn with_its_own_database_the_service_erases_what_is_due_by_itself() {
    let tenantry = Tenantry::embedded();
    let service = tenantry.serve();
    let made = tenantry.json(&["tenant", "create", "--name", "Beta", "--country", "NL"]);
    let id = made["tenant"]["id"].as_str().unwrap();
    tenantry.json(&["tenant", "delete", "--yes", id]);
    let url = format!("host={} user=postgres dbname=tenantry", tenantry.path("data/postgres/socket").display());
    let sql = format!("UPDATE tenants SET deleted_at = now() - interval '31 days' WHERE id = '{id}'");
    PgConnection::establish(&url).unwrap().batch_execute(&sql).unwrap();
    service.stop(Signal::SIGTERM);
    let mut service = tenantry.serve();
    let line = service.until_logged("erased a tenant");
    assert!(line.contains(id), "{line}");
    service.stop(Signal::SIGTERM);
    assert_eq!(tenantry.run(&["tenant", "show", id]).code, 3);
    assert_eq!(tenantry.json(&["tenant", "list"]).as_array().unwrap().len(), 1, "the demo tenant stays");
}

#[tokio::test]
async fn a_killed_database_is_started_again_under_the_running_service() {
    let tenantry = Tenantry::embedded();
    let mut service = tenantry.serve();
    let (_, acme, path) = printed(&service);
    for _ in 0..2 {
        let postmaster = service.postmaster();
        kill(postmaster, Signal::SIGKILL).unwrap();
        service.until_logged("has stopped; restarting it");
        service.until_logged("is running again");
        assert_ne!(service.postmaster(), postmaster);
        // Who asks while the connections of before are being replaced is asked to come back.
        acme.until_recovered(&path).await;
        service.client().get("/readyz").await.expect(200);
    }
    service.stop(Signal::SIGTERM);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_its_database_is_killed_again_and_again_the_service_answers_503_and_never_500() {
    // Shorter than the watch takes to notice, so that the fall is felt.
    let tenantry = Tenantry::embedded().with("TENANTRY_DATABASE_WAIT", "50ms");
    let mut service = tenantry.serve();
    let (_, acme, path) = printed(&service);
    let requests = tokio::spawn(async move {
        let mut answers = Vec::new();
        // Until it was down once and is up again.
        while !(answers.contains(&503) && answers.last() == Some(&200)) {
            answers.push(acme.get(&path).await.status);
        }
        answers
    });
    for _ in 0..3 {
        kill(service.postmaster(), Signal::SIGKILL).unwrap();
        service.until_logged("is running again");
    }
    let answers = requests.await.unwrap();
    assert!(answers.iter().all(|status| matches!(status, 200 | 503)), "{answers:?}");
    service.stop(Signal::SIGTERM);
}

#[tokio::test]
async fn a_stop_right_after_the_database_was_killed_leaves_nothing_running() {
    let tenantry = Tenantry::embedded();
    let service = tenantry.serve();
    let (_, acme, path) = printed(&service);
    acme.get(&path).await.expect(200);
    kill(service.postmaster(), Signal::SIGKILL).unwrap();
    service.signal(Signal::SIGTERM);
    let (code, log) = service.wait();
    assert_eq!(code, Some(0), "{log}");
    let again = tenantry.serve();
    again.client().with_key(acme.key()).get(&path).await.expect(200);
    again.stop(Signal::SIGTERM);
}
