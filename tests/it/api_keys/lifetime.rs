//! When a key begins to work and when it ends.

use std::{net::TcpListener, time::Duration};

use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::json;
use tenantry_http::{Closing, Front, Rates, ServeOptions, Trust};
use tenantry_tests::{App, Client};

use super::behind_the_back;

/// The same service once more, with connections of its own to the same database.
fn replica(app: &App) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let store = App::store(&app.database.service_url(), |_| {});
    let options = ServeOptions {
        workers: 1,
        keep_alive: Duration::from_secs(75),
        front: Front::default(),
        connections: 100,
        grace: Duration::from_secs(10),
        rates: Rates::default(),
        introspection_max_age: Duration::ZERO,
        lost_log_lines: || 0,
        observed: tenantry_operations::Observed::default(),
    };
    let server =
        tenantry_http::serve(listener, store, Trust::default(), app.integrations.clone(), Closing::default(), options)
            .unwrap();
    tokio::spawn(async move { server.ended().await });
    Client::new(&base)
}

fn rfc3339(in_the_future: TimeDelta) -> String {
    (Utc::now() + in_the_future).to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[tokio::test]
async fn a_revoked_key_is_refused_by_every_replica_from_the_next_request_on() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let other = replica(&app);
    for _ in 0..20 {
        let (here, id) = acme.key_with_id(&["tenant:read"], json!({})).await;
        let there = other.with_key(here.key());
        here.get("/api/tenant").await.expect(200);
        there.get("/api/tenant").await.expect(200);
        acme.owner.delete(&format!("/api/api-keys/{id}")).await.expect(204);
        there.get("/api/tenant").await.expect(401);
        here.get("/api/tenant").await.expect(401);
    }
}

#[tokio::test]
async fn revoking_again_changes_nothing_and_a_key_revokes_itself_only_if_it_is_told_to() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (key, id) = acme.key_with_id(&["keys:write"], json!({})).await;
    let path = format!("/api/api-keys/{id}");
    for query in ["", "?revokeOwn=false"] {
        let refused = key.delete(&format!("{path}{query}")).await.expect(409);
        assert_eq!(refused.body["code"], "own_api_key");
        assert!(refused.text.contains("?revokeOwn=true"), "it says what to do: {}", refused.text);
    }
    for (query, code) in
        [("revokeOwn=yes", "not_a_choice"), ("revokeOwn=", "not_a_choice"), ("own=true", "unknown_field")]
    {
        let refused = key.delete(&format!("{path}?{query}")).await.expect(422);
        assert_eq!(refused.refused()[0].1, code, "{query}");
    }
    assert_eq!(acme.owner.get(&path).await.expect(200).body["revokedAt"], json!(null));
    // It may be replaced by itself, and it does not matter what is said about the key of somebody else.
    let other = acme.key_with_id(&["keys:write"], json!({})).await.1;
    key.delete(&format!("/api/api-keys/{other}")).await.expect(204);
    let (rotating, own) = acme.key_with_id(&["keys:write"], json!({})).await;
    let now = json!({ "overlapSeconds": 0 });
    rotating.post(&format!("/api/api-keys/{own}/rotate"), now).await.expect(201);
    rotating.get("/api/me").await.expect(401);
    key.delete(&format!("{path}?revokeOwn=true")).await.expect(204);
    key.delete(&path).await.expect(401);
    let first = acme.owner.get(&path).await.expect(200);
    assert!(first.body["revokedAt"].is_string());
    acme.owner.delete(&path).await.expect(204);
    let second = acme.owner.get(&path).await.expect(200);
    assert_eq!((second.body.clone(), second.etag()), (first.body.clone(), first.etag()));
    let revocations = format!("SELECT 1 FROM audit_events WHERE action = 'api_key.revoke' AND subject_id = '{id}'");
    assert_eq!(app.database.rows(&revocations), 1);
}

#[tokio::test]
async fn revoking_honours_if_match() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (key, id) = acme.key_with_id(&["tenant:read"], json!({})).await;
    let path = format!("/api/api-keys/{id}");
    key.get("/api/tenant").await.expect(200);
    let etag = acme.owner.get(&path).await.expect(200).etag().to_owned();
    let revoke = |seen: &str| acme.owner.send(acme.owner.request("DELETE", &path).header("If-Match", seen));
    revoke("\"of-another-time\"").await.expect(412);
    revoke("W/\"of-another-time\"").await.expect(412);
    key.get("/api/tenant").await.expect(200);
    // As a proxy that compresses the answer hands it on.
    revoke(&format!("W/{etag}")).await.expect(204);
    key.get("/api/tenant").await.expect(401);
}

#[tokio::test]
async fn a_key_ends_when_its_expiry_has_come_and_not_before() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (key, id) = acme.key_with_id(&["tenant:read"], json!({ "expiresAt": rfc3339(TimeDelta::hours(1)) })).await;
    let expire =
        |when: &str| behind_the_back(&app, &format!("UPDATE api_keys SET expires_at = {when} WHERE id = '{id}'"));
    key.get("/api/tenant").await.expect(200);
    expire("now() - interval '1 microsecond'");
    key.get("/api/tenant").await.expect(401);
    expire("now() + interval '1 minute'");
    key.get("/api/tenant").await.expect(200);
    expire("'9999-12-31T23:59:59Z'");
    key.get("/api/tenant").await.expect(200);
    expire("now()");
    key.get("/api/tenant").await.expect(401);
}

#[tokio::test]
async fn the_lists_of_active_and_of_ended_keys_share_no_key() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (_, revoked) = acme.key_with_id(&["tenant:read"], json!({})).await;
    let (_, expired) = acme.key_with_id(&["tenant:read"], json!({})).await;
    let (_, lasting) = acme.key_with_id(&["tenant:read"], json!({ "expiresAt": rfc3339(TimeDelta::days(1)) })).await;
    acme.owner.delete(&format!("/api/api-keys/{revoked}")).await.expect(204);
    behind_the_back(&app, &format!("UPDATE api_keys SET expires_at = now() WHERE id = '{expired}'"));
    let ids = async |path: &str| -> Vec<String> {
        let list = acme.owner.get(path).await.expect(200);
        list.body["data"].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect()
    };
    let (active, ended) = (ids("/api/api-keys?active=true").await, ids("/api/api-keys?active=false").await);
    assert_eq!(active.len(), 2, "the owner's own and the lasting one");
    assert!(active.contains(&lasting));
    assert_eq!(ended, [revoked, expired]);
    assert_eq!(ids("/api/api-keys").await.len(), 4);
}

#[tokio::test]
async fn an_expiry_that_is_past_or_no_time_is_refused() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let keys = "SELECT 1 FROM api_keys";
    let before = app.database.rows(keys);
    let make = |at: serde_json::Value| {
        acme.owner.post("/api/api-keys", json!({ "name": "k", "scopes": ["tenant:read"], "expiresAt": at }))
    };
    for (at, code) in [
        (json!(rfc3339(TimeDelta::seconds(-1))), "in_the_past"),
        (json!("1970-01-01T00:00:00Z"), "in_the_past"),
        (json!("tomorrow"), "not_a_time"),
        (json!("2030-01-01"), "not_a_time"),
        (json!("2030-02-30T00:00:00Z"), "not_a_time"),
        (json!(""), "not_a_time"),
    ] {
        let refused = make(at.clone()).await.expect(422);
        assert_eq!(refused.refused(), [("expiresAt".to_owned(), code.to_owned())], "{at}");
    }
    make(json!(1_900_000_000)).await.expect(422);
    assert_eq!(app.database.rows(keys), before);
    let far = make(json!("9999-12-31T23:59:59+00:00")).await.expect(201);
    assert_eq!(far.body["expiresAt"], "9999-12-31T23:59:59.000Z");
}

#[tokio::test]
async fn a_rotated_key_and_its_successor_both_work_until_the_overlap_ends() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH Region").await;
    let more = json!({ "workspaceId": workspace, "expiresAt": rfc3339(TimeDelta::days(30)), "mode": "test" });
    let (old, id) = acme.key_with_id(&["workspaces:read", "tenant:read"], more).await;
    let before = acme.owner.get(&format!("/api/api-keys/{id}")).await.expect(200);
    let rotate = format!("/api/api-keys/{id}/rotate");
    let made = acme.owner.post(&rotate, json!({ "overlapSeconds": 3600 })).await.expect(201);
    let new = acme.owner.with_key(&made.text_of("secret"));
    for member in ["tenantId", "name", "mode", "scopes", "brandId", "workspaceId", "expiresAt"] {
        assert_eq!(made.body[member], before.body[member], "{member}");
    }
    assert_ne!(made.id(), id);
    let path = format!("/api/workspaces/{workspace}");
    for key in [&old, &new] {
        key.get(&path).await.expect(200);
        key.get("/api/brands").await.expect(403);
    }
    behind_the_back(
        &app,
        &format!("UPDATE api_keys SET expires_at = expires_at - interval '1 hour' WHERE id = '{id}'"),
    );
    old.get(&path).await.expect(401);
    new.get(&path).await.expect(200);
}

#[tokio::test]
async fn a_key_is_rotated_once_however_many_ask() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (_, id) = acme.key_with_id(&["tenant:read"], json!({})).await;
    let (path, keys) = (format!("/api/api-keys/{id}"), app.database.rows("SELECT 1 FROM api_keys"));
    let again = format!("{path}/rotate");
    let rotate = || acme.owner.post(&again, json!({ "overlapSeconds": 3600 }));
    let answers = futures_util::future::join_all((0..4).map(|_| rotate())).await;
    let made: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!((made.len(), app.database.rows("SELECT 1 FROM api_keys")), (1, keys + 1));
    let retry = rotate().await;
    for refused in answers.iter().filter(|answer| answer.status != 201).chain([&retry]) {
        assert_eq!((refused.status, &refused.body["code"]), (409, &json!("api_key_rotated")), "{}", refused.text);
        assert!(refused.text_of("error").contains(&made[0].id()), "it names the new key: {}", refused.text);
    }
    assert_eq!(acme.owner.get(&path).await.expect(200).text_of("replacedBy"), made[0].id());
    assert_eq!(made[0].body["expiresAt"], json!(null), "it does not die with the overlap");
    // One clock: that of the database.
    let exact = format!("SELECT 1 FROM api_keys WHERE id = '{id}' AND expires_at = updated_at + interval '1 hour'");
    assert_eq!(app.database.rows(&exact), 1);
    // Who lost the answer rotates the new key.
    let next = acme.owner.post(&format!("/api/api-keys/{}/rotate", made[0].id()), json!({})).await.expect(201);
    acme.owner.with_key(&next.text_of("secret")).get("/api/tenant").await.expect(200);
}

#[tokio::test]
async fn without_an_overlap_the_old_key_ends_at_once() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let other = replica(&app);
    for _ in 0..10 {
        let (old, id) = acme.key_with_id(&["tenant:read"], json!({})).await;
        old.get("/api/tenant").await.expect(200);
        let rotate = format!("/api/api-keys/{id}/rotate");
        let new = acme.owner.post(&rotate, json!({ "overlapSeconds": 0 })).await.expect(201).text_of("secret");
        old.get("/api/tenant").await.expect(401);
        other.with_key(old.key()).get("/api/tenant").await.expect(401);
        other.with_key(&new).get("/api/tenant").await.expect(200);
    }
}

#[tokio::test]
async fn an_overlap_never_lengthens_a_life_and_an_ended_key_is_not_rotated() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let soon = rfc3339(TimeDelta::minutes(5));
    let (_, id) = acme.key_with_id(&["tenant:read"], json!({ "expiresAt": soon })).await;
    let path = format!("/api/api-keys/{id}");
    acme.owner.post(&format!("{path}/rotate"), json!({ "overlapSeconds": 604_800 })).await.expect(201);
    assert_eq!(acme.owner.get(&path).await.expect(200).body["expiresAt"], json!(soon));
    for overlap in [json!(-1), json!(604_801), json!("3600"), json!(1.5)] {
        acme.owner.post(&format!("{path}/rotate"), json!({ "overlapSeconds": overlap })).await.expect(422);
    }
    acme.owner.delete(&path).await.expect(204);
    let keys = app.database.rows("SELECT 1 FROM api_keys");
    let refused = acme.owner.post(&format!("{path}/rotate"), json!({})).await.expect(409);
    assert_eq!(refused.body["code"], "api_key_ended");
    assert_eq!(app.database.rows("SELECT 1 FROM api_keys"), keys);
}

#[tokio::test]
async fn a_key_goes_with_the_brand_that_it_is_restricted_to() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let brand = acme.brand("Beta").await;
    let (key, _) = acme.key_with_id(&["brands:read"], json!({ "brandId": brand })).await;
    let path = format!("/api/brands/{brand}");
    key.get(&path).await.expect(200);
    acme.owner.delete(&path).await.expect(204);
    key.get(&path).await.expect(401);
    key.get("/api/me").await.expect(401);
}
