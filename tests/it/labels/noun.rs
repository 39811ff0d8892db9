//! What holds for every noun alike.

use serde_json::{Value, json};
use tenantry_tests::new_name;

use super::{ALL, Noun, Stage, id};

#[tokio::test]
async fn labels_are_set_shown_changed_by_merge_patch_and_logged() {
    let stage = Stage::new().await;
    for noun in ALL {
        let client = stage.client(noun);
        let path =
            stage.make(noun, json!({ "externalId": "crm-4711", "metadata": { "tier": "gold", "region": "eu" } })).await;
        let made = client.get(&path).await.expect(200);
        assert_eq!(made.body["externalId"], "crm-4711", "{noun:?}");
        assert_eq!(made.body["metadata"], json!({ "region": "eu", "tier": "gold" }), "{noun:?}");

        let patch = json!({ "metadata": { "region": null, "plan": " a\tb\n", "none": null } });
        let changed = client.patch(&path, patch.clone()).await.expect(200);
        assert_eq!(changed.body["metadata"], json!({ "plan": " a\tb\n", "tier": "gold" }), "{noun:?}");
        assert_eq!(changed.body["externalId"], "crm-4711");
        assert_ne!(changed.etag(), made.etag());
        // The same again changes nothing.
        assert_eq!(client.patch(&path, patch).await.expect(200).etag(), changed.etag(), "{noun:?}");
        assert_eq!(client.patch(&path, json!({ "metadata": {} })).await.expect(200).etag(), changed.etag());

        let cleared = client.patch(&path, json!({ "externalId": null, "metadata": null })).await.expect(200);
        assert_eq!((&cleared.body["externalId"], &cleared.body["metadata"]), (&Value::Null, &json!({})), "{noun:?}");

        // What the platform did is in the log of the tenant, which nobody has a key of here.
        if noun != Noun::Tenant {
            let log = format!("/api/audit-events?subjectId={}&sort=occurredAt", id(&path));
            let events = stage.tenant.owner.get(&log).await.expect(200).body["data"].as_array().unwrap().clone();
            let of =
                |field: &str| -> Vec<Value> { events.iter().map(|event| event["changes"][field].clone()).collect() };
            let ids: Vec<_> = of("externalId").into_iter().filter(|change| !change.is_null()).collect();
            assert_eq!(
                ids,
                [json!({ "before": null, "after": "crm-4711" }), json!({ "before": "crm-4711", "after": null })]
            );
            let notes: Vec<_> = of("metadata").into_iter().filter(|change| !change.is_null()).collect();
            let (first, second) =
                (json!({ "region": "eu", "tier": "gold" }), json!({ "plan": " a\tb\n", "tier": "gold" }));
            assert_eq!(
                notes,
                [
                    json!({ "before": null, "after": first }),
                    json!({ "before": first, "after": second }),
                    json!({ "before": second, "after": null }),
                ],
                "{noun:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_was_made_without_labels_has_none() {
    let stage = Stage::new().await;
    for noun in ALL {
        for fields in [json!({}), json!({ "externalId": null, "metadata": null }), json!({ "metadata": { "a": null } })]
        {
            let path = stage.make(noun, fields).await;
            let made = stage.client(noun).get(&path).await.expect(200);
            assert_eq!((&made.body["externalId"], &made.body["metadata"]), (&Value::Null, &json!({})), "{noun:?}");
        }
    }
}

#[tokio::test]
async fn an_external_id_belongs_to_one_thing_of_a_noun_in_a_tenant() {
    let stage = Stage::new().await;
    for noun in ALL {
        let client = stage.client(noun);
        let external_id = new_name("id").replace(' ', "-");
        let first = stage.make(noun, json!({ "externalId": external_id })).await;
        let second = stage.make(noun, json!({})).await;
        let word = format!("{noun:?}").to_lowercase();
        let refused = client.patch(&second, json!({ "externalId": external_id })).await.expect(409);
        assert_eq!(refused.body["code"], "external_id_taken");
        assert_eq!(refused.body["detail"], format!("Another {word} already has the external ID \"{external_id}\"."));
        assert_eq!(client.get(&second).await.expect(200).body["externalId"], Value::Null, "{noun:?}");
        if noun != Noun::Member {
            let more = json!({ "name": "Two", "emailFromName": "Two", "country": "DE", "externalId": external_id });
            let fields: &[&str] = match noun {
                Noun::Tenant => &["name", "country", "externalId"],
                Noun::Brand => &["name", "emailFromName", "externalId"],
                _ => &["name", "externalId"],
            };
            let body: Value = fields.iter().map(|name| ((*name).to_owned(), more[name].clone())).collect();
            let refused = client.post(&stage.list(noun), body).await.expect(409);
            assert_eq!(refused.body["code"], "external_id_taken", "{noun:?}");
        }
        // Another case is another ID, and one that is given up can be given again.
        client.patch(&second, json!({ "externalId": external_id.to_uppercase() })).await.expect(200);
        client.patch(&first, json!({ "externalId": null })).await.expect(200);
        client.patch(&second, json!({ "externalId": external_id })).await.expect(200);
    }
}

#[tokio::test]
async fn tenants_know_nothing_of_each_others_labels() {
    let stage = Stage::new().await;
    let beside = stage.beside().await;
    for noun in ALL.into_iter().filter(|noun| *noun != Noun::Tenant) {
        let fields = json!({ "externalId": "same", "metadata": { "tier": "gold" } });
        let (ours, theirs) = (stage.make(noun, fields.clone()).await, beside.make(noun, fields).await);
        for (stage, own) in [(&stage, &ours), (&beside, &theirs)] {
            assert_eq!(stage.listed(noun, "externalId=same").await, [id(own)], "{noun:?}");
            assert_eq!(stage.listed(noun, "metadata.tier=gold").await, [id(own)], "{noun:?}");
        }
    }
    stage.make(Noun::Workspace, json!({ "externalId": "only ours" })).await;
    beside.tenant.owner.get("/api/workspaces/by-external-id/only%20ours").await.expect(404);
    let tenant = json!({ "externalId": "mine" });
    let refused = stage.tenant.owner.patch("/api/tenant", tenant).await.expect(422);
    assert_eq!(refused.refused(), [("externalId".to_owned(), "unknown_field".to_owned())]);
}

#[tokio::test]
async fn the_tenant_sees_what_the_platform_calls_it() {
    let stage = Stage::new().await;
    let path = format!("/api/admin/tenants/{}", stage.tenant.id);
    let labels = json!({ "externalId": "crm-1", "metadata": { "plan": "b" } });
    stage.app.platform().patch(&path, labels).await.expect(200);
    let own = stage.tenant.owner.get("/api/tenant").await.expect(200);
    assert_eq!((&own.body["externalId"], &own.body["metadata"]), (&json!("crm-1"), &json!({ "plan": "b" })));
    stage.tenant.owner.patch("/api/tenant", json!({ "name": "Renamed" })).await.expect(200);
    assert_eq!(stage.app.platform().get(&path).await.expect(200).body["externalId"], "crm-1");
}

#[tokio::test]
async fn a_look_up_shows_labels_in_the_lane_and_at_the_door() {
    for lane in [true, false] {
        let app =
            tenantry_tests::App::on(tenantry_tests::TestDatabase::new(), |options| options.look_up_lane = lane).await;
        let acme = app.tenant("Acme").await;
        let body = json!({ "name": "DACH", "externalId": "crm-1", "metadata": { "tier": "gold" } });
        let made = acme.owner.post("/api/workspaces", body).await.expect(201);
        let read = acme.owner.get(&format!("/api/workspaces/{}", made.id())).await.expect(200);
        assert_eq!(read.body, made.body, "lane: {lane}");
        assert_eq!(read.body["metadata"], json!({ "tier": "gold" }));
    }
}
