//! `/api/workspaces/{workspaceId}/voices` and `/calendars`: who may have them, with what a workspace is connected to, and what the
//! provider hears of those who may not.

use serde_json::json;
use tenantry_domain::Role;
use tenantry_persistence::new_id;
use tenantry_tests::{
    App, Client, Tenant,
    provider_accounts::{Misbehaviour, ProviderServer, UPSTREAM_WORDS, elevenlabs_voices, gohighlevel_calendar},
};

use super::{KEY, LOCATION, TOKEN};

/// What is there: a tenant with a workspace, the providers, and the way of somebody's client to the service that asks them.
struct Place {
    app: App,
    tenant: Tenant,
    workspace: String,
    server: ProviderServer,
    service: Client,
}

impl Place {
    async fn new() -> Self {
        let (app, server) = (App::start().await, ProviderServer::start().await);
        server.elevenlabs(KEY, elevenlabs_voices(7));
        server.gohighlevel(TOKEN, LOCATION, vec![gohighlevel_calendar("c", "Calls")]);
        let tenant = app.tenant("Acme").await;
        let workspace = tenant.workspace("DACH").await;
        let service = app.replica_reaching(&server.urls());
        Self { app, tenant, workspace, server, service }
    }

    async fn connect(&self) {
        let path = |provider: &str| format!("/api/workspaces/{}/integrations/{provider}", self.workspace);
        self.tenant.owner.put(&path("elevenlabs"), json!({ "apiKey": KEY })).await.expect(200);
        let highlevel = json!({ "accessToken": TOKEN, "locationId": LOCATION });
        self.tenant.owner.put(&path("gohighlevel"), highlevel).await.expect(200);
    }

    fn path(&self, what: &str) -> String {
        format!("/api/workspaces/{}/{what}", self.workspace)
    }

    fn as_client(&self, client: &Client) -> Client {
        self.service.with_key(client.key())
    }
}

#[tokio::test]
async fn a_workspace_that_is_connected_has_more_voices_and_calendars_at_all() {
    let place = Place::new().await;
    let reader = place.tenant.key(&["workspaces:read"], json!({ "workspaceId": place.workspace })).await;
    let reader = place.as_client(&reader);
    let built_in = reader.get(&place.path("voices")).await.expect(200);
    let voices = |answer: &tenantry_tests::Answer| answer.body["data"].as_array().unwrap().len();
    assert_eq!((voices(&built_in), place.server.connections()), (13, 0));
    let refused = reader.get(&place.path("calendars")).await.expect(409);
    assert_eq!(refused.body["code"], "not_connected");

    place.connect().await;
    let all = reader.get(&place.path("voices")).await.expect(200);
    assert_eq!((voices(&all), place.server.count()), (13 + 7, 1));
    assert_eq!(
        all.body["data"][0],
        json!({ "value": "alloy", "label": "Friendly and expressive male", "brand": "openai" })
    );
    assert_eq!(all.body["data"][13], json!({ "value": "voice-0000", "label": "Voice 0", "brand": "elevenlabs" }));
    assert!(all.headers.get("age").is_none(), "it is of now");
    assert_ne!(all.etag(), built_in.etag());
    let calendars = reader.get(&place.path("calendars")).await.expect(200);
    assert_eq!(calendars.body["data"], json!([{ "id": "c", "name": "Calls", "description": null, "isActive": true }]));
    assert_eq!(place.server.count(), 2);

    let again = place.service.request("GET", &place.path("voices")).bearer_auth(reader.key());
    let again = place.service.send(again.header("If-None-Match", all.etag())).await.expect(304);
    assert_eq!((again.etag(), place.server.count()), (all.etag(), 2), "still fresh");
}

#[tokio::test]
async fn who_may_not_see_the_workspace_causes_no_request() {
    let place = Place::new().await;
    place.connect().await;
    let other = place.app.tenant("Other").await;
    let elsewhere = place.tenant.workspace("Nordics").await;
    let restricted = place.tenant.key(&["workspaces:read"], json!({ "workspaceId": elsewhere })).await;
    let scopeless = place.tenant.key(&["brands:read"], json!({})).await;
    let (_, stranger) = place.tenant.member(Role::Agent, &[&elsewhere]).await;
    let (_, billing) = place.tenant.member(Role::Billing, &[]).await;
    for what in ["voices", "calendars"] {
        let path = place.path(what);
        place.service.get(&path).await.expect(401);
        place.as_client(&scopeless).get(&path).await.expect(403);
        for who in [&restricted, &other.owner, &stranger] {
            place.as_client(who).get(&path).await.expect(404);
        }
        let refused = place.as_client(&billing).get(&path).await;
        assert!([403, 404].contains(&refused.status), "{}", refused.status);
        let nowhere = format!("/api/workspaces/{}/{what}", new_id::<tenantry_domain::Workspace>());
        place.as_client(&place.tenant.owner).get(&nowhere).await.expect(404);
    }
    assert_eq!(place.server.connections(), 0);
}

#[tokio::test]
async fn a_provider_that_refuses_or_does_not_answer_is_told_in_our_words() {
    let place = Place::new().await;
    place.connect().await;
    let owner = place.as_client(&place.tenant.owner);
    for (misbehaviour, code) in
        [(Misbehaviour::Status(401), "provider_refused"), (Misbehaviour::Status(500), "provider_unavailable")]
    {
        place.server.misbehave(misbehaviour);
        for what in ["voices", "calendars"] {
            let failed = owner.get(&place.path(what)).await.expect(502);
            assert_eq!(failed.body["code"], code);
            let whole = failed.body.to_string();
            for secret in [KEY, TOKEN, UPSTREAM_WORDS] {
                assert!(!whole.contains(secret), "{whole}");
            }
        }
    }
}

#[tokio::test]
async fn another_secret_is_another_account() {
    let place = Place::new().await;
    place.connect().await;
    let owner = place.as_client(&place.tenant.owner);
    let count = async || owner.get(&place.path("voices")).await.expect(200).body["data"].as_array().unwrap().len();
    assert_eq!(count().await, 20);
    place.server.elevenlabs("sk_another_key", elevenlabs_voices(2));
    let path = place.path("integrations/elevenlabs");
    place.tenant.owner.put(&path, json!({ "apiKey": "sk_another_key" })).await.expect(200);
    assert_eq!(count().await, 15, "nothing that was remembered of the old one");
    place.tenant.owner.delete(&path).await.expect(204);
    assert_eq!(count().await, 13);
}
