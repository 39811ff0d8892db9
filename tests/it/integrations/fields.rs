//! What is set, shown, refused and removed.

use insta::assert_snapshot;
use serde_json::{Value, json};
use tenantry_domain::{IntegrationPatch, PlainField, Precondition, Provider, Role, Written};
use tenantry_operations::integrations;
use tenantry_tests::{App, Rows, view};

use super::{PROVIDERS, SID, behind_the_back, fields, path};

/// The fields of an integration by their names.
fn by_name(integration: &Value) -> Value {
    let fields = integration["fields"].as_array().unwrap();
    fields.iter().map(|field| (field["name"].as_str().unwrap().to_owned(), field.clone())).collect()
}

#[tokio::test]
async fn every_provider_is_listed_and_what_is_set_is_shown_without_its_secret() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    let list = format!("/api/workspaces/{workspace}/integrations");
    let none = acme.owner.get(&list).await.expect(200);
    let states = |body: &Value| -> Vec<(Value, Value)> {
        body["data"].as_array().unwrap().iter().map(|one| (one["provider"].clone(), one["status"].clone())).collect()
    };
    assert_eq!(states(&none.body), PROVIDERS.map(|provider| (json!(provider), json!("not_connected"))));
    for provider in PROVIDERS {
        let set = acme.owner.put(&path(&workspace, provider), fields(provider, "canary-567890")).await.expect(200);
        assert_snapshot!(provider, view(&set, &[("workspace", &workspace), ("tenant", &acme.id.to_string())]));
        let shown = acme.owner.get(&path(&workspace, provider)).await.expect(200);
        assert_eq!((&shown.body, shown.etag()), (&set.body, set.etag()));
        assert!(!shown.text.contains("canary"), "{}", shown.text);
    }
    let all = acme.owner.get(&list).await.expect(200);
    assert_eq!(states(&all.body), PROVIDERS.map(|provider| (json!(provider), json!("connected"))));
    assert_ne!(all.etag(), none.etag());
    let known = acme.owner.request("GET", &list).header("If-None-Match", all.etag());
    acme.owner.send(known).await.expect(304);
    let short = acme.owner.put(&path(&workspace, "openai"), json!({ "apiKey": "elevenchars" })).await.expect(200);
    assert!(by_name(&short.body)["apiKey"]["lastFour"].is_null(), "four of eleven give too much away");
}

#[tokio::test]
async fn a_put_replaces_the_whole_and_one_that_lacks_something_changes_nothing() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    let mut rows = Rows::of(&app.database);
    for provider in PROVIDERS {
        acme.owner.put(&path(&workspace, provider), fields(provider, "canary-567890")).await.expect(200);
        let before = rows.all();
        for (name, _) in fields(provider, "canary-567890").as_object().unwrap() {
            for (value, code) in [(None, "required"), (Some(Value::Null), "null"), (Some(json!(7)), "wrong_type")] {
                let mut body = fields(provider, "canary-098765");
                match value {
                    Some(value) => body[name] = value,
                    None => drop(body.as_object_mut().unwrap().remove(name)),
                }
                let refused = acme.owner.put(&path(&workspace, provider), body).await.expect(422);
                assert_eq!(refused.refused(), [(name.clone(), code.to_owned())], "{provider}");
            }
        }
        assert_eq!(rows.all(), before, "{provider}");
    }
    let elevenlabs = path(&workspace, "elevenlabs");
    acme.owner.put(&elevenlabs, json!({ "apiKey": "canary-567890", "region": "eu" })).await.expect(200);
    let replaced = acme.owner.put(&elevenlabs, json!({ "apiKey": "canary-567890" })).await.expect(200);
    assert_eq!(by_name(&replaced.body)["region"]["value"], "us", "what is left out is not kept");
}

#[tokio::test]
async fn whatever_cannot_be_a_credential_is_refused_by_name_all_at_once_and_not_repeated() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    for provider in PROVIDERS {
        acme.owner.put(&path(&workspace, provider), fields(provider, "canary-567890")).await.expect(200);
    }
    let mut rows = Rows::of(&app.database);
    let before = rows.all();
    let long = "canary".repeat(100 * 1024 / 6);
    for provider in PROVIDERS {
        let secret = match provider {
            "twilio" => "authToken",
            "gohighlevel" => "accessToken",
            _ => "apiKey",
        };
        for (bad, code) in [
            ("", "empty"),
            ("canary", "too_short"),
            (long.as_str(), "too_long"),
            (" canary-567890", "surrounding_space"),
            ("canary-567890\n", "surrounding_space"),
            ("canary\n567890", "forbidden_character"),
            ("canary 567890", "forbidden_character"),
            ("canary-\u{0}567890", "forbidden_character"),
            ("canary-ключ-567890", "forbidden_character"),
            ("••••••••7890", "forbidden_character"),
            ("********7890", "masked"),
            ("canary-...7890", "masked"),
        ] {
            let refused = acme.owner.put(&path(&workspace, provider), fields(provider, bad)).await.expect(422);
            assert_eq!(refused.refused(), [(secret.to_owned(), code.to_owned())], "{provider} {bad:.40}");
            assert!(!refused.text.contains("canary") && !refused.text.contains("567890"), "{}", refused.text);
        }
    }
    let put = |provider: &'static str, body: Value| {
        let (owner, path) = (acme.owner.clone(), path(&workspace, provider));
        async move { owner.put(&path, body).await.expect(422).refused() }
    };
    let refused = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(field, code)| ((*field).to_owned(), (*code).to_owned())).collect()
    };
    let everything = json!({ "sid": "AC12", "authToken": " x", "apiKey": "canary-567890", "unheardOf": 1 });
    let expected = [
        ("apiKey", "unknown_field"),
        ("authToken", "surrounding_space"),
        ("sid", "not_an_account_sid"),
        ("unheardOf", "unknown_field"),
    ];
    assert_eq!(put("twilio", everything).await, refused(&expected));
    let swapped = json!({ "sid": "canary-567890abcdef0123456789abcdef01", "authToken": SID });
    assert_eq!(put("twilio", swapped).await, refused(&[("sid", "not_an_account_sid")]));
    let location = json!({ "locationId": "a/../b?x", "accessToken": "canary-567890" });
    assert_eq!(put("gohighlevel", location).await, refused(&[("locationId", "not_a_location_id")]));
    let region = json!({ "region": "EU", "apiKey": "canary-567890" });
    assert_eq!(put("elevenlabs", region).await, refused(&[("region", "wrong_case")]));
    assert_eq!(rows.all(), before, "and nothing of it is stored");
}

#[tokio::test]
async fn what_is_no_provider_is_not_found_by_whoever_may_look_for_it() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    let (_, observer) = acme.member(Role::Observer, &[&workspace]).await;
    let mut rows = Rows::of(&app.database);
    let before = rows.all();
    for word in ["stripe", "OPENAI", "openai%20", "openai%00", "%252e", "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48"] {
        let path = path(&workspace, word);
        for (method, below) in [("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/verify")] {
            let path = format!("{path}{below}");
            let ask = |client: &tenantry_tests::Client| {
                let request = client.request(method, &path);
                let request =
                    if method == "PUT" { request.json(&json!({ "apiKey": "canary-567890" })) } else { request };
                let client = client.clone();
                async move { client.send(request).await }
            };
            let missing = ask(&acme.owner).await.expect(404);
            assert_eq!(
                (&missing.body["code"], &missing.body["error"]),
                (&json!("not_found"), &json!("Integration not found"))
            );
            ask(&app.client()).await.expect(401);
            ask(&observer).await.expect(if method == "GET" { 404 } else { 403 });
        }
    }
    acme.owner.delete(&path(&workspace, "openai")).await.expect(404);
    assert_eq!(rows.all(), before);
}

#[tokio::test]
async fn a_change_is_made_only_to_the_state_that_was_seen_and_no_tag_comes_twice() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let openai = path(&acme.workspace("DACH").await, "openai");
    let put = |tags: &str, secret: &str| {
        let request = acme.owner.request("PUT", &openai).header("If-Match", tags);
        acme.owner.send(request.json(&json!({ "apiKey": secret })))
    };
    let delete = |tags: &str| acme.owner.send(acme.owner.request("DELETE", &openai).header("If-Match", tags));
    let never = acme.owner.get(&openai).await.expect(200);
    put("*", "canary-000000").await.expect(412);
    put("\"7\"", "canary-000000").await.expect(412);
    put("nonsense", "canary-000000").await.expect(400);
    let first = put(never.etag(), "canary-111111").await.expect(200);
    put(never.etag(), "canary-222222").await.expect(412);
    let second = put("*", "canary-333333").await.expect(200);
    assert_eq!(by_name(&acme.owner.get(&openai).await.body)["apiKey"]["lastFour"], "3333");
    delete(first.etag()).await.expect(412);
    delete(second.etag()).await.expect(204);
    delete("*").await.expect(404);
    let gone = acme.owner.get(&openai).await.expect(200);
    assert_eq!(
        (&gone.body["status"], &gone.body["verificationStatus"]),
        (&json!("not_connected"), &json!("unverified"))
    );
    put("*", "canary-444444").await.expect(412);
    let third = put(gone.etag(), "canary-555555").await.expect(200);
    let tags = [never.etag(), first.etag(), second.etag(), gone.etag(), third.etag()];
    assert_eq!(std::collections::HashSet::from(tags).len(), tags.len(), "{tags:?}");
}

#[tokio::test]
async fn of_many_who_set_it_at_once_one_succeeds_where_all_have_seen_the_same() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let openai = path(&acme.workspace("DACH").await, "openai");
    let one = |n: usize| {
        let request = acme.owner.request("PUT", &openai).header("If-Match", "\"0\"");
        acme.owner.send(request.json(&json!({ "apiKey": format!("canary-of-writer-{n:04}") })))
    };
    let answers = futures_util::future::join_all((0..20).map(one)).await;
    let with = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((with(200), with(412)), (1, 19));
    let without = |n: usize| acme.owner.put(&openai, json!({ "apiKey": format!("canary-of-writer-{n:04}") }));
    for answer in futures_util::future::join_all((0..20).map(without)).await {
        answer.expect(200);
    }
    assert_eq!(acme.owner.get(&openai).await.etag(), "\"21\"");
}

#[tokio::test]
async fn an_integration_may_be_there_in_part_and_what_is_not_named_stays() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    let (keys, operator, id) = (&app.integrations.keys, acme.operator(), workspace.parse().unwrap());
    let set = async |patch: IntegrationPatch| {
        let (twilio, any) = (Some(Provider::Twilio), Precondition::None);
        integrations::set(&app.store, keys, &operator, id, twilio, any, patch).await.map(Written::into_thing)
    };
    let sid = PlainField::parse(Provider::Twilio, SID).unwrap();
    let only_sid = IntegrationPatch { plain: Some(Some(sid)), ..IntegrationPatch::default() };
    let secret = Some(Some("canary-567890".parse().unwrap()));
    let only_secret = IntegrationPatch { secret, ..IntegrationPatch::default() };
    assert_eq!(set(only_sid.clone()).await.unwrap().status().as_str(), "incomplete");
    assert_eq!(set(only_sid).await.unwrap().version, 1, "nothing has changed");
    let shown = acme.owner.get(&path(&workspace, "twilio")).await.expect(200);
    assert_eq!((&shown.body["status"], &by_name(&shown.body)["sid"]["value"]), (&json!("incomplete"), &json!(SID)));
    let conflict = acme.owner.post(&format!("{}/verify", path(&workspace, "twilio")), json!({})).await.expect(409);
    assert_eq!(conflict.body["code"], "integration_incomplete");
    assert!(conflict.text.contains("authToken"), "{}", conflict.text);
    let whole = set(only_secret).await.unwrap();
    assert_eq!((whole.status().as_str(), whole.plain.unwrap().as_str()), ("connected", SID));
    let without = set(IntegrationPatch { plain: Some(None), ..IntegrationPatch::default() }).await.unwrap();
    assert_eq!((without.status().as_str(), without.secret.is_some()), ("incomplete", true));
    let nothing = set(IntegrationPatch { secret: Some(None), ..IntegrationPatch::default() }).await.unwrap();
    assert_eq!(nothing.status().as_str(), "not_connected");
    assert!(app.providers.requests().is_empty(), "nobody asks a provider unasked");
}

#[tokio::test]
async fn the_log_tells_what_was_set_and_changed_and_never_a_secret() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    let twilio = path(&workspace, "twilio");
    acme.owner.put(&twilio, fields("twilio", "canary-567890")).await.expect(200);
    acme.owner.put(&twilio, fields("twilio", "canary-098765")).await.expect(200);
    acme.owner.post(&format!("{twilio}/verify"), json!({})).await.expect(200);
    acme.owner.delete(&twilio).await.expect(204);
    let log = acme.owner.get(&format!("/api/audit-events?subjectId={workspace}")).await.expect(200);
    let events = log.body["data"].as_array().unwrap();
    let of = |action: &str| -> Vec<&Value> {
        events.iter().filter(|event| event["action"] == action).map(|event| &event["changes"]).collect()
    };
    let updates = of("integration.update");
    let changed = |changes: &Value, name: &str| (changes[name]["before"].clone(), changes[name]["after"].clone());
    let (first, second) = match updates[..] {
        [a, b] if a["twilio.sid"].is_object() => (a, b),
        [b, a] => (a, b),
        _ => panic!("{updates:?}"),
    };
    assert_eq!(changed(first, "twilio.authToken"), (Value::Null, json!("set")));
    assert_eq!(changed(first, "twilio.sid"), (Value::Null, json!(SID)));
    assert_eq!(second, &json!({ "twilio.authToken": { "before": "set", "after": "changed" } }));
    assert_eq!(changed(of("integration.verify")[0], "twilio.verificationStatus"), (json!("unverified"), json!("ok")));
    assert_eq!(changed(of("integration.remove")[0], "twilio.authToken"), (json!("set"), Value::Null));
    assert!(!log.text.contains("canary"), "{}", log.text);
    // Ids and times may have these digits in them.
    for changes in events.iter().map(|event| event["changes"].to_string()) {
        assert!(!changes.contains("7890") && !changes.contains("8765"), "{changes}");
    }
}

#[tokio::test]
async fn a_restored_workspace_has_its_integrations_and_an_erased_one_leaves_none() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    let (openai, place) = (path(&workspace, "openai"), format!("/api/workspaces/{workspace}"));
    acme.owner.put(&openai, fields("openai", "canary-567890")).await.expect(200);
    acme.owner.delete(&place).await.expect(204);
    acme.owner.get(&openai).await.expect(404);
    acme.owner.post(&format!("{place}/restore"), json!({})).await.expect(200);
    acme.owner.post(&format!("{openai}/verify"), json!({})).await.expect(200);
    acme.owner.delete(&place).await.expect(204);
    behind_the_back(&app, "UPDATE workspaces SET deleted_at = now() - interval '31 days'");
    assert_eq!(tenantry_operations::housekeeping::erase_deleted_workspaces(&app.store).await.unwrap(), 1);
    assert_eq!(app.database.rows("SELECT FROM integrations"), 0);
}
