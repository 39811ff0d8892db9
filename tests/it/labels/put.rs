//! `PUT` by external ID: creates or changes, as often as it is sent.

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tenantry_tests::{Client, new_name};

use super::Stage;
use crate::faults::until_waiting;

/// The routes, each with who may call it and a body that is enough.
fn routes(stage: &Stage) -> [(String, Client, Value); 3] {
    let owner = || stage.tenant.owner.clone();
    [
        ("/api/workspaces".to_owned(), owner(), json!({ "name": "Nordics", "country": "SE" })),
        ("/api/brands".to_owned(), owner(), json!({ "name": "Outlet", "emailFromName": "Acme" })),
        ("/api/admin/tenants".to_owned(), stage.app.platform(), json!({ "name": "Gamma", "country": "SE" })),
    ]
}

fn with(body: &Value, more: Value) -> Value {
    let mut body = body.clone();
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn the_same_request_creates_and_then_changes_nothing() {
    let stage = Stage::new().await;
    for (list, client, body) in routes(&stage) {
        for raw in ["crm-4711", "a%2Fb%20%C3%BC", "agents", "%25", "by-external-id"] {
            let path = format!("{list}/by-external-id/{raw}");
            client.get(&path).await.expect(404);
            let body = with(&body, json!({ "name": new_name("Put"), "metadata": { "tier": "gold" } }));
            let made = client.put(&path, body.clone()).await.expect(201);
            assert_eq!(made.header("location"), format!("{list}/{}", made.id()));
            let again = client.put(&path, body.clone()).await.expect(200);
            assert_eq!((again.id(), again.etag()), (made.id(), made.etag()), "{path}");
            assert_eq!(again.header("location"), "");
            let read = client.get(&path).await.expect(200);
            assert_eq!((read.id(), read.etag()), (made.id(), made.etag()));
            assert_eq!(read.body["metadata"], json!({ "tier": "gold" }));
            let decoded = percent(raw);
            assert_eq!(read.text_of("externalId"), decoded);
            let known = client.request("GET", &path).header("If-None-Match", read.etag());
            client.send(known).await.expect(304);
        }
    }
}

/// What an external ID of these tests is once it is decoded.
fn percent(raw: &str) -> String {
    raw.replace("%2F", "/").replace("%20", " ").replace("%C3%BC", "ü").replace("%25", "%")
}

#[tokio::test]
async fn what_is_left_out_stays_and_what_is_named_changes() {
    let stage = Stage::new().await;
    for (list, client, body) in routes(&stage) {
        let path = format!("{list}/by-external-id/one");
        let made =
            client.put(&path, with(&body, json!({ "metadata": { "tier": "gold", "a": "1" } }))).await.expect(201);
        let changed = with(&body, json!({ "name": "Renamed", "metadata": { "a": null, "b": "2" } }));
        let changed = client.put(&path, changed).await.expect(200);
        assert_eq!((changed.id(), changed.text_of("name")), (made.id(), "Renamed".to_owned()));
        assert_eq!(changed.body["metadata"], json!({ "b": "2", "tier": "gold" }));
        assert_eq!(changed.text_of("externalId"), "one");
        let log = format!("/api/audit-events?subjectId={}&sort=occurredAt", made.id());
        if list != "/api/admin/tenants" {
            let events = stage.tenant.owner.get(&log).await.expect(200).body["data"].clone();
            let actions: Vec<_> = events.as_array().unwrap().iter().map(|event| event["action"].clone()).collect();
            let noun = list.trim_start_matches("/api/").trim_end_matches('s');
            assert_eq!(actions, [json!(format!("{noun}.create")), json!(format!("{noun}.update"))]);
        }
    }
    let moved = json!({ "name": "Renamed", "brandId": stage.tenant.brand("Other").await });
    let moved = stage.tenant.owner.put("/api/workspaces/by-external-id/one", moved).await.expect(200);
    assert_ne!(moved.text_of("brandId"), stage.tenant.brand);
}

#[tokio::test]
async fn preconditions_say_whether_it_may_be_there() {
    let stage = Stage::new().await;
    for (list, client, body) in routes(&stage) {
        let path = format!("{list}/by-external-id/conditional");
        let put = |name: &'static str, value: String| client.request("PUT", &path).json(&body).header(name, value);
        client.send(put("If-Match", "*".to_owned())).await.expect(412);
        client.send(put("If-Match", "\"1\"".to_owned())).await.expect(412);
        client.get(&path).await.expect(404);
        let made = client.send(put("If-None-Match", "*".to_owned())).await.expect(201);
        client.send(put("If-None-Match", "*".to_owned())).await.expect(412);
        client.send(put("If-Match", "\"7\"".to_owned())).await.expect(412);
        client.send(put("If-Match", made.etag().to_owned())).await.expect(200);
        client.send(put("If-Match", "*".to_owned())).await.expect(200);
        let sentence = "If-None-Match can only be * here, and cannot be sent together with If-Match.";
        for request in
            [put("If-None-Match", made.etag().to_owned()), put("If-None-Match", "*".to_owned()).header("If-Match", "*")]
        {
            let refused = client.send(request).await.expect(400);
            assert_eq!((&refused.body["code"], &refused.body["detail"]), (&json!("bad_entity_tag"), &json!(sentence)));
        }
    }
}

#[tokio::test]
async fn what_cannot_be_an_external_id_is_refused_and_never_found() {
    let stage = Stage::new().await;
    for (list, client, body) in routes(&stage) {
        for (raw, code) in
            [("%20a", "surrounding_space"), ("a%00", "forbidden_character"), ("%E2%80%8B", "forbidden_character")]
        {
            let path = format!("{list}/by-external-id/{raw}");
            let refused = client.put(&path, body.clone()).await.expect(422);
            assert_eq!(refused.refused(), [("externalId".to_owned(), code.to_owned())], "{path}");
            client.get(&path).await.expect(404);
        }
        // Bytes that are no text are not replaced by one and the same character.
        for raw in ["M%FCller", "M%F6ller", "%ff"] {
            let path = format!("{list}/by-external-id/{raw}");
            let refused = client.put(&path, body.clone()).await.expect(422);
            assert_eq!(refused.refused(), [("externalId".to_owned(), "forbidden_character".to_owned())], "{path}");
            client.get(&path).await.expect(404);
        }
        let long = format!("{list}/by-external-id/{}", "x".repeat(256));
        assert_eq!(client.put(&long, body.clone()).await.expect(422).body["fields"][0]["code"], "too_long");
        let path = format!("{list}/by-external-id/one");
        let refused = client.put(&path, with(&body, json!({ "externalId": "one" }))).await.expect(422);
        assert_eq!(refused.refused(), [("externalId".to_owned(), "unknown_field".to_owned())]);
        let refused = client.put(&path, json!({})).await.expect(422);
        assert!(refused.refused().contains(&("name".to_owned(), "required".to_owned())), "{}", refused.text);
    }
}

#[tokio::test]
async fn who_may_only_read_creates_and_changes_nothing() {
    let stage = Stage::new().await;
    let acme = &stage.tenant;
    acme.owner.put("/api/workspaces/by-external-id/there", json!({ "name": "There" })).await.expect(201);
    let reader = acme.key(&["workspaces:read", "brands:read"], json!({})).await;
    let writer = acme.key(&["workspaces:write", "brands:write"], json!({})).await;
    for external_id in ["there", "free"] {
        let path = format!("/api/workspaces/by-external-id/{external_id}");
        assert_eq!(reader.put(&path, json!({ "name": "Mine" })).await.expect(403).body["code"], "insufficient_scope");
        // Who may not read what it writes is not shown it.
        assert_eq!(writer.put(&path, json!({ "name": "Mine" })).await.expect(204).text, "");
        writer.get(&path).await.expect(403);
    }
    reader.put("/api/brands/by-external-id/x", json!({ "name": "X", "emailFromName": "X" })).await.expect(403);
    let of_brand = acme.key(&["brands:write"], json!({ "brandId": acme.brand })).await;
    of_brand.put("/api/brands/by-external-id/x", json!({ "name": "X", "emailFromName": "X" })).await.expect(403);
    acme.owner.put("/api/admin/tenants/by-external-id/x", json!({ "name": "X", "country": "DE" })).await.expect(403);
}

#[tokio::test]
async fn a_deleted_thing_gives_up_its_external_id_until_it_is_restored() {
    let stage = Stage::new().await;
    for (list, client, body) in routes(&stage).into_iter().filter(|(list, ..)| list != "/api/brands") {
        let path = format!("{list}/by-external-id/again");
        let first = client.put(&path, body.clone()).await.expect(201).id();
        client.delete(&format!("{list}/{first}")).await.expect(204);
        client.get(&path).await.expect(404);
        let second = client.put(&path, body.clone()).await.expect(201).id();
        assert_ne!(first, second);
        let restore = format!("{list}/{first}/restore");
        let refused = client.post(&restore, json!({})).await.expect(409);
        assert_eq!(refused.body["code"], "external_id_taken");
        client.patch(&format!("{list}/{second}"), json!({ "externalId": null })).await.expect(200);
        assert_eq!(client.post(&restore, json!({})).await.expect(200).text_of("externalId"), "again");
        assert_eq!(client.get(&path).await.expect(200).id(), first);
    }
}

#[tokio::test]
async fn fifty_clients_at_once_make_one_thing() {
    let stage = Stage::new().await;
    for (list, client, body) in routes(&stage) {
        let path = format!("{list}/by-external-id/raced");
        let all = (0..50).map(|n| {
            let (client, path) = (client.clone(), path.clone());
            let body = with(&body, json!({ "metadata": { format!("n{}", n % 5): n.to_string() } }));
            tokio::spawn(async move { client.put(&path, body).await })
        });
        let mut statuses = Vec::new();
        let mut ids = std::collections::HashSet::new();
        for one in all.collect::<Vec<_>>() {
            let answer = one.await.unwrap();
            statuses.push(answer.status);
            assert!([200, 201].contains(&answer.status), "{path}: {}", answer.text);
            ids.insert(answer.id());
        }
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{path}");
        assert_eq!(ids.len(), 1, "{path}");
        let listed = client.get(&format!("{list}?externalId=raced")).await.expect(200);
        assert_eq!(listed.body["data"].as_array().map(Vec::len), Some(1));
        assert_eq!(listed.body["data"][0]["metadata"].as_object().map(serde_json::Map::len), Some(5));
    }
}

#[tokio::test]
async fn of_two_who_both_find_nothing_one_makes_it_and_the_other_changes_it() {
    let stage = Stage::new().await;
    for ((list, client, body), table) in routes(&stage).into_iter().zip(["workspaces", "brands", "tenants"]) {
        // Whoever creates or changes waits, and whoever looks does not: none is there yet for either of the two.
        let mut holder = stage.app.database.admin();
        holder.batch_execute(&format!("BEGIN; LOCK TABLE {table} IN SHARE MODE")).unwrap();
        let path = format!("{list}/by-external-id/found-by-nobody");
        let both = [1, 2].map(|n| {
            let (client, path, body) =
                (client.clone(), path.clone(), with(&body, json!({ "metadata": { "n": n.to_string() } })));
            tokio::spawn(async move { client.put(&path, body).await })
        });
        until_waiting(&stage.app, 2).await;
        holder.batch_execute("COMMIT").unwrap();
        let mut said = Vec::new();
        for one in both {
            let answer = one.await.unwrap();
            said.push((answer.status, answer.body["id"].clone()));
        }
        said.sort_by_key(|(status, _)| *status);
        assert_eq!((said[0].0, said[1].0), (200, 201), "{path}");
        assert_eq!(said[0].1, said[1].1, "{path}");
    }
}
