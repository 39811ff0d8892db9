//! Cursors lead on in the list they came from, and nowhere else.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tenantry_tests::{Answer, App, Client};

use super::fifteen;

async fn cursor(client: &Client, list: &str) -> String {
    client.get(list).await.expect(200).text_of("nextCursor")
}

async fn with(client: &Client, list: &str, cursor: &str) -> Answer {
    client.send(client.request("GET", list).query(&[("cursor", cursor)])).await
}

fn refused(answer: Answer, what: &str) {
    assert_eq!((answer.status, answer.body["code"].as_str()), (400, Some("bad_cursor")), "{what}: {}", answer.text);
}

#[tokio::test]
async fn a_cursor_is_bound_to_the_list_its_filters_its_sort_and_the_tenant() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    fifteen(&acme).await;
    acme.brand("Second").await;
    let beta = app.tenant("Beta").await;
    fifteen(&beta).await;
    let base = "/api/workspaces?limit=2&q=a";
    let own = cursor(&acme.owner, base).await;
    with(&acme.owner, base, &own).await.expect(200);
    with(&acme.owner, "/api/workspaces?limit=7&q=a", &own).await.expect(200);
    with(&acme.owner, "/api/workspaces?limit=2&sort=createdAt&q=a", &own).await.expect(200);
    with(&acme.owner, "/api/workspaces?q=%61&&limit=2", &own).await.expect(200);
    let both = cursor(&acme.owner, "/api/workspaces?limit=2&q=a&country=DE").await;
    with(&acme.owner, "/api/workspaces?country=D%45&limit=2&q=a", &both).await.expect(200);
    for other in [
        "/api/workspaces?limit=2",
        "/api/workspaces?limit=2&q=A",
        "/api/workspaces?limit=2&q=a&country=DE",
        "/api/workspaces?limit=2&q=a&sort=-createdAt",
        "/api/workspaces?limit=2&q=a&sort=name",
        "/api/brands?limit=2&q=a",
    ] {
        refused(with(&acme.owner, other, &own).await, other);
    }
    refused(with(&beta.owner, base, &own).await, "another tenant");
    let brands = cursor(&acme.owner, "/api/brands?limit=1").await;
    refused(with(&acme.owner, "/api/workspaces?limit=1", &brands).await, "another list");
    // A member's value cannot stand in for another's.
    let country = cursor(&acme.owner, "/api/workspaces?limit=1&country=DE").await;
    refused(with(&acme.owner, "/api/workspaces?limit=1&operatingLanguage=de", &country).await, "another filter");
}

#[tokio::test]
async fn a_cursor_that_was_tampered_with_is_refused_and_never_a_fault() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    fifteen(&acme).await;
    for sort in ["createdAt", "name"] {
        let list = format!("/api/workspaces?limit=2&sort={sort}");
        let good = cursor(&acme.owner, &list).await;
        for at in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let bad = String::from_utf8(bytes).unwrap();
            let answer = with(&acme.owner, &list, &bad).await;
            // The last characters of base64 may hold bits that stand for nothing.
            assert!(answer.status == 400 || decode(&bad) == decode(&good), "{sort} {at}: {}", answer.text);
        }
        let text = String::from_utf8(decode(&good).unwrap()).unwrap();
        for bad in [
            good[..good.len() - 1].to_owned(),
            format!("{good}A"),
            format!("{good}=="),
            encode(b"{}"),
            encode(b"null"),
            encode(b"\xff\xfe"),
            encode(text.replace("\"k\":\"", "\"k\":\"\\u0000").as_bytes()),
            encode(text.replace("\"k\":\"", "\"k\":\"'; SELECT 1; --").as_bytes()),
            encode(format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)).as_bytes()),
            String::new(),
            "null".to_owned(),
            "\u{1F4A9}".to_owned(),
            "x".repeat(50_000),
        ] {
            refused(with(&acme.owner, &list, &bad).await, &bad[..bad.len().min(60)]);
        }
    }
}

#[tokio::test]
async fn a_cursor_that_somebody_makes_up_with_all_the_art_of_the_service_is_no_fault_either() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    fifteen(&acme).await;
    let id = "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48";
    let forge = |sort: &str, key: &str| forged::cursor(&acme.id.to_string(), sort, id, key);
    let long = "x".repeat(5_000);
    for (sort, key) in [
        ("createdAt", "0000-01-01T00:00:00.000000Z"),
        ("createdAt", "0001-01-01T00:00:00.000000Z"),
        ("createdAt", "9999-12-31T23:59:59.999999Z"),
        ("createdAt", "2016-12-31T23:59:60.000000Z"),
        ("createdAt", "infinity"),
        ("createdAt", "now"),
        ("updatedAt", "+12026-01-20T10:00:00.000000Z"),
        ("name", ""),
        ("name", "a\0b"),
        ("name", "'; SELECT 1; --"),
        ("name", "\u{10FFFF}\u{FFFE}"),
        ("name", &long),
    ] {
        let answer = with(&acme.owner, &format!("/api/workspaces?sort={sort}"), &forge(sort, key)).await;
        assert!(matches!(answer.status, 200 | 400), "{sort} {key:.40}: {}", answer.text);
    }
    // The forgery is one: a good position is taken.
    let good = forge("createdAt", "2020-01-20T10:00:00.000000Z");
    let answer = with(&acme.owner, "/api/workspaces?sort=createdAt", &good).await.expect(200);
    assert_eq!(answer.body["data"].as_array().map(Vec::len), Some(15));
}

/// Cursors as the service makes them.
mod forged {
    use serde_json::json;
    use sha2::{Digest, Sha256};

    pub(super) fn cursor(tenant: &str, sort: &str, id: &str, key: &str) -> String {
        let bound = format!("Some({tenant})\n/api/workspaces []\n{sort}\n{id}\n{key}");
        let tag = super::encode(&Sha256::digest(bound)[..12]);
        super::encode(json!({ "k": key, "i": id, "t": tag }).to_string().as_bytes())
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
