//! How a key is presented, and what is answered when it is not one (RFC 6750).

use serde_json::json;
use tenantry_domain::{KeyMode, TenantId};
use tenantry_tests::{App, Client, TestDatabase};

const INVALID: &str = "Bearer realm=\"tenantry\", error=\"invalid_token\"";

const NOT_VALID: &str = "The API key is not valid. It may be mistyped, revoked or expired.";

/// What cannot be a key, made from one that is.
fn malformed(key: &str) -> Vec<String> {
    let flipped = |at: usize| {
        let other = if &key[at..=at] == "x" { "y" } else { "x" };
        format!("{}{other}{}", &key[..at], &key[at + 1..])
    };
    vec![
        flipped(0),
        flipped(13),
        flipped(40),
        flipped(key.len() - 1),
        key[1..].to_owned(),
        key[..key.len() - 1].to_owned(),
        format!("{key}0"),
        key.to_lowercase(),
        key.replace("tnt_live", "tnt_prod"),
        key.replace("_v1_", "_v2_"),
        format!(" {key}"),
        format!("{}٣", &key[..key.len() - 1]),
        "tnt_live_v1_".to_owned(),
        "null".to_owned(),
        "x".repeat(16 * 1024),
        format!("{key},{key}"),
        format!("{key} {key}"),
    ]
}

#[tokio::test]
async fn a_malformed_key_is_refused_without_a_connection_to_the_database() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let elsewhere = App::on(TestDatabase::unmigrated(), |_| {}).await;
    assert_eq!(elsewhere.store.state().open, 0, "nobody has asked for a connection yet");
    for key in malformed(acme.owner.key()) {
        for path in ["/api/me", "/api/brands", "/api/workspaces/w1"] {
            let refused = elsewhere.client().with_key(&key).get(path).await.expect(401);
            assert_eq!(refused.header("www-authenticate"), INVALID, "{key:.100}");
            assert_eq!(refused.body["code"], "invalid_credentials");
            assert_eq!(refused.body["error"], NOT_VALID, "{key:.100}");
            assert!(!refused.text.contains(key.trim()), "the key is not repeated");
        }
        let refused = elsewhere.client().with_key(&key).get("/api/workspace/get-all").await.expect(401);
        assert_eq!(refused.body, json!({ "status": false, "error": NOT_VALID }), "{key:.100}");
    }
    elsewhere.client().get("/api/me").await.expect(401);
    assert_eq!(elsewhere.store.state().open, 0, "and nobody has since");
    elsewhere.client().with_key(acme.owner.key()).get("/api/me").await.expect(503);
    assert_eq!(elsewhere.store.state().open, 0, "a connection that found no tables is given back to nobody");
}

#[tokio::test]
async fn without_a_database_a_malformed_key_is_still_401_and_a_good_one_503() {
    let app = App::on(TestDatabase::unmigrated(), |options| {
        options.url = "postgresql:///tenantry?host=/nowhere".to_owned();
        options.wait = std::time::Duration::from_millis(300);
    })
    .await;
    let tenant = TenantId::from_uuid(uuid::Uuid::now_v7());
    let key = tenantry_auth::issue(tenant, KeyMode::Live).unwrap();
    for wrong in malformed(key.reveal()) {
        app.client().with_key(&wrong).get("/api/me").await.expect(401);
    }
    let later = app.client().with_key(key.reveal()).get("/api/me").await.expect(503);
    assert!(later.header("retry-after").parse::<u32>().is_ok());
    assert_eq!(later.body["code"], "unavailable");
}

#[tokio::test]
async fn an_unknown_a_revoked_an_expired_and_a_malformed_key_are_not_told_apart() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let (revoked, id) = acme.key_with_id(&["tenant:read"], json!({})).await;
    revoked.get("/api/tenant").await.expect(200);
    acme.owner.delete(&format!("/api/api-keys/{id}")).await.expect(204);
    let (expired, id) = acme.key_with_id(&["tenant:read"], json!({})).await;
    expired.get("/api/tenant").await.expect(200);
    super::behind_the_back(&app, &format!("UPDATE api_keys SET expires_at = now() WHERE id = '{id}'"));
    let nobody = TenantId::from_uuid(uuid::Uuid::now_v7());
    let of = |tenant| app.client().with_key(tenantry_auth::issue(tenant, KeyMode::Live).unwrap().reveal());
    let malformed = app.client().with_key("tnt_live_v1_");
    let bodies: Vec<_> = futures_util::future::join_all(
        [malformed, revoked, expired, of(acme.id), of(beta.id), of(nobody)].map(async |client: Client| {
            let refused = client.get("/api/tenant").await.expect(401);
            assert_eq!(refused.header("www-authenticate"), INVALID);
            refused.without_request_id()
        }),
    )
    .await;
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:#?}");
}

#[tokio::test]
async fn the_challenge_names_an_error_only_when_a_credential_was_sent() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let missing = app.client().get("/api/me").await.expect(401);
    assert_eq!(missing.header("www-authenticate"), "Bearer realm=\"tenantry\"");
    assert_eq!(missing.body["code"], "missing_credentials");
    let reader = acme.key(&["brands:read"], json!({})).await;
    let refused = reader.get("/api/workspaces").await.expect(403);
    assert_eq!(
        refused.header("www-authenticate"),
        "Bearer realm=\"tenantry\", error=\"insufficient_scope\", scope=\"workspaces:read\""
    );
    assert_eq!(refused.body["code"], "insufficient_scope");
}

#[tokio::test]
async fn the_scheme_is_read_in_any_case_and_no_other_scheme_is_read() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let client = app.client();
    let with = |value: String| client.send(client.request("GET", "/api/me").header("Authorization", value));
    for scheme in ["Bearer", "bearer", "BEARER"] {
        with(format!("{scheme} {}", acme.owner.key())).await.expect(200);
    }
    let key = acme.owner.key();
    for form in ["Bearer  {}", "Bearer Bearer {}"] {
        let refused = with(form.replace("{}", key)).await.expect(401);
        assert_eq!(refused.header("www-authenticate"), INVALID, "{form}");
    }
    // Whoever does not know the scheme has presented nothing, and is not told of an error (RFC 6750, section 3.1).
    for form in ["Basic {}", "ApiKey {}", "Bearer\t{}", "Bearer{}", "{}", "Bearer", "Bearer ", ""] {
        let refused = with(form.replace("{}", key)).await.expect(401);
        assert_eq!(refused.header("www-authenticate"), "Bearer realm=\"tenantry\"", "{form}");
        assert_eq!(refused.body["code"], "missing_credentials", "{form}");
    }
}

#[tokio::test]
async fn two_authorization_headers_are_an_unreadable_request() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let key = format!("Bearer {}", acme.owner.key());
    for second in [key.as_str(), "Basic eDp5", "Bearer tnt_live_v1_"] {
        let request = app.client().request("GET", "/api/me").header("Authorization", &key);
        let refused = app.client().send(request.header("Authorization", second)).await.expect(400);
        assert_eq!(refused.header("www-authenticate"), "Bearer realm=\"tenantry\", error=\"invalid_request\"");
        assert_eq!(refused.body["code"], "several_credentials");
    }
}

#[tokio::test]
async fn a_key_anywhere_but_in_the_header_is_no_credential() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let key = acme.owner.key();
    for name in ["access_token", "api_key", "apiKey", "key", "token", "Authorization"] {
        let refused = app.client().get(&format!("/api/brands?{name}={key}")).await.expect(401);
        assert_eq!(refused.body["code"], "missing_credentials");
        assert!(!refused.text.contains(key));
    }
    let client = app.client();
    for header in ["X-Api-Key", "Proxy-Authorization", "Cookie"] {
        client.send(client.request("GET", "/api/me").header(header, key)).await.expect(401);
    }
    client.post("/api/brands", json!({ "access_token": key })).await.expect(401);
}
