//! What providers say, and what becomes of it.

use std::time::Duration;

use serde_json::{Value, json};
use tenantry_operations::providers::{AT_ONCE, FAILURES, Timeouts};
use tenantry_tests::{Answer, App, Client, ProviderBehaviour, master_keys};

use super::{PROVIDERS, SID, fields, path};

/// What an integration says of its verification.
fn verdict(answer: &Answer) -> (String, bool, Option<String>) {
    let text = |name: &str| answer.body[name].as_str().map(str::to_owned);
    (text("verificationStatus").unwrap(), answer.body["verifiedAt"].is_string(), text("lastError"))
}

async fn verify(client: &Client, workspace: &str, provider: &str) -> Answer {
    client.post(&format!("{}/verify", path(workspace, provider)), json!({})).await
}

fn timeouts() -> Timeouts {
    Timeouts { total: Duration::from_millis(500), ..Timeouts::default() }
}

/// A service that gives providers little time, and a workspace that is connected to all of them.
async fn connected() -> (App, Client, String) {
    let app = App::integrating(master_keys(&[1]), timeouts()).await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    for provider in PROVIDERS {
        acme.owner.put(&path(&workspace, provider), fields(provider, "canary-567890")).await.expect(200);
    }
    (app, acme.owner, workspace)
}

#[tokio::test]
async fn each_provider_is_asked_as_it_documents_it() {
    let (app, owner, workspace) = connected().await;
    for provider in PROVIDERS {
        let verified = verify(&owner, &workspace, provider).await.expect(200);
        assert_eq!(verdict(&verified), ("ok".to_owned(), true, None), "{provider}");
        assert_eq!(verified.etag(), "\"2\"");
    }
    let requests = app.providers.requests();
    let targets: Vec<_> = requests.iter().map(|request| request.target.as_str()).collect();
    let twilio = format!("GET /2010-04-01/Accounts/{SID}.json");
    let highlevel = "GET /calendars/?locationId=ve9EPM428h8vShlRW1KT&showDrafted=false";
    assert_eq!(targets, [twilio.as_str(), "GET /v2/voices?page_size=1", "GET /v1/models", highlevel]);
    let basic = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{SID}:canary-567890"));
    assert_eq!(requests[0].header("authorization"), format!("Basic {basic}"));
    assert_eq!((requests[1].header("xi-api-key"), requests[1].header("authorization")), ("canary-567890", ""));
    assert_eq!(requests[2].header("authorization"), "Bearer canary-567890");
    assert_eq!(requests[3].header("authorization"), "Bearer canary-567890");
    assert_eq!(requests[3].header("version"), "2021-04-15");
    assert_eq!(app.providers.connections(), 1, "a connection is used again");
}

#[tokio::test]
async fn a_refusal_is_kept_in_our_words_and_a_new_secret_wipes_it_out() {
    let (_app, owner, workspace) = connected().await;
    for (provider, words) in [
        ("twilio", "Twilio rejected this SID and auth token."),
        ("elevenlabs", "ElevenLabs rejected the API key"),
        ("openai", "OpenAI rejected the API key."),
        ("gohighlevel", "HighLevel rejected the access token for this location"),
    ] {
        owner.put(&path(&workspace, provider), fields(provider, "canary-wrong-567890")).await.expect(200);
        let (status, verified, error) = verdict(&verify(&owner, &workspace, provider).await.expect(200));
        assert_eq!((status.as_str(), verified), ("failed", true), "{provider}");
        assert!(error.as_ref().is_some_and(|error| error.starts_with(words) && !error.contains("canary")), "{error:?}");
        let shown = owner.get(&path(&workspace, provider)).await.expect(200);
        assert_eq!(verdict(&shown), (status, verified, error));
        let set = owner.put(&path(&workspace, provider), fields(provider, "canary-567890")).await.expect(200);
        assert_eq!(verdict(&set), ("unverified".to_owned(), false, None));
    }
}

#[tokio::test]
async fn a_credential_that_is_good_and_limited_is_not_said_to_have_failed() {
    let (_app, owner, workspace) = connected().await;
    let key = json!({ "sid": SID, "apiKeySid": KEY_SID, "apiKeySecret": "canary-scoped-567890" });
    for (provider, body, words) in [
        ("twilio", key, "Twilio accepted the API key but does not allow it to list phone numbers."),
        (
            "elevenlabs",
            fields("elevenlabs", "canary-scoped-567890"),
            "ElevenLabs accepted the API key but does not allow it to list voices.",
        ),
        (
            "openai",
            fields("openai", "canary-scoped-567890"),
            "OpenAI accepted the API key but does not allow it to list models.",
        ),
        (
            "gohighlevel",
            fields("gohighlevel", "canary-scoped-567890"),
            "HighLevel accepted the access token but does not allow it",
        ),
    ] {
        owner.put(&path(&workspace, provider), body).await.expect(200);
        let (status, verified, error) = verdict(&verify(&owner, &workspace, provider).await.expect(200));
        assert_eq!((status.as_str(), verified), ("limited", true), "{provider}");
        assert!(error.as_ref().is_some_and(|error| error.starts_with(words) && !error.contains("canary")), "{error:?}");
        assert_eq!(verdict(&owner.get(&path(&workspace, provider)).await.expect(200)), (status, verified, error));
        owner.put(&path(&workspace, provider), fields(provider, "canary-567890")).await.expect(200);
        assert_eq!(verdict(&verify(&owner, &workspace, provider).await.expect(200)), ("ok".to_owned(), true, None));
    }
    // It is the service that OpenAI does not answer, and not the key.
    owner.put(&path(&workspace, "openai"), fields("openai", "canary-abroad-567890")).await.expect(200);
    let (status, verified, error) = verdict(&verify(&owner, &workspace, "openai").await.expect(200));
    assert_eq!((status.as_str(), verified), ("unverified", false));
    assert_eq!(error.as_deref(), Some("OpenAI does not answer in the country that this service runs in."));
}

#[tokio::test]
async fn an_account_of_twilio_that_is_suspended_or_closed_has_failed() {
    let (_app, owner, workspace) = connected().await;
    for (token, words) in [
        ("canary-suspended-567890", "Twilio has suspended this account."),
        ("canary-closed-567890", "Twilio has closed this account."),
        ("canary-inactive-567890", "Twilio has suspended or closed this account."),
    ] {
        owner.put(&path(&workspace, "twilio"), fields("twilio", token)).await.expect(200);
        let expected = ("failed".to_owned(), true, Some(words.to_owned()));
        assert_eq!(verdict(&verify(&owner, &workspace, "twilio").await.expect(200)), expected);
    }
}

#[tokio::test]
async fn the_region_of_a_twilio_credential_is_kept_shown_and_replaced_with_it() {
    let (_app, owner, workspace) = connected().await;
    let twilio = path(&workspace, "twilio");
    let region = |shown: &Answer| {
        let fields = shown.body["fields"].as_array().unwrap();
        let field = fields.iter().find(|field| field["name"] == "region").unwrap();
        assert_eq!((&field["secret"], &field["required"]), (&json!(false), &json!(false)));
        field["value"].clone()
    };
    let mut body = fields("twilio", "canary-567890");
    for name in ["ie1", "au1", "us1"] {
        body["region"] = json!(name);
        assert_eq!(region(&owner.put(&twilio, body.clone()).await.expect(200)), json!(name));
        assert_eq!(region(&owner.get(&twilio).await.expect(200)), json!(name));
        assert_eq!(verdict(&verify(&owner, &workspace, "twilio").await.expect(200)).0, "ok");
    }
    body["region"] = json!("ie1");
    owner.put(&twilio, body.clone()).await.expect(200);
    assert_eq!(region(&owner.put(&twilio, fields("twilio", "canary-567890")).await.expect(200)), json!("us1"));
    for (name, code) in [("dublin", "not_a_choice"), ("jp1", "not_a_choice"), ("IE1", "wrong_case")] {
        body["region"] = json!(name);
        let refused = owner.put(&twilio, body.clone()).await.expect(422);
        assert_eq!(refused.refused(), [("region".to_owned(), code.to_owned())], "{name}");
    }
    // In the log it stands among what changed.
    body["region"] = json!("au1");
    owner.put(&twilio, body).await.expect(200);
    let log = owner.get("/api/audit-events?action=integration.update&limit=1").await.expect(200);
    assert_eq!(
        log.body["data"][0]["changes"]["twilio.region"],
        json!({ "before": "us1", "after": "au1" }),
        "{}",
        log.text
    );
}

#[tokio::test]
async fn an_api_key_of_twilio_is_used_instead_of_the_auth_token() {
    let (app, owner, workspace) = connected().await;
    let twilio = path(&workspace, "twilio");
    let key = json!({ "sid": SID, "apiKeySid": KEY_SID, "apiKeySecret": "canary-key-567890" });
    let set = owner.put(&twilio, key.clone()).await.expect(200);
    let shown: Vec<_> = set.body["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| json!([field["name"], field["set"], field["value"]]))
        .collect();
    let expected = json!([
        ["sid", true, SID],
        ["apiKeySid", true, KEY_SID],
        ["region", true, "us1"],
        ["authToken", false, null],
        ["apiKeySecret", true, null]
    ]);
    assert_eq!(json!(shown), expected);
    assert_eq!(verdict(&verify(&owner, &workspace, "twilio").await.expect(200)), ("ok".to_owned(), true, None));
    let request = app.providers.requests().pop().unwrap();
    assert_eq!(request.target, format!("GET /2010-04-01/Accounts/{SID}/IncomingPhoneNumbers.json?PageSize=1"));
    let basic =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{KEY_SID}:canary-key-567890"));
    assert_eq!(request.header("authorization"), format!("Basic {basic}"));
    let wrong = json!({ "sid": SID, "apiKeySid": KEY_SID, "apiKeySecret": "canary-wrong-567890" });
    owner.put(&twilio, wrong).await.expect(200);
    let refused = verdict(&verify(&owner, &workspace, "twilio").await.expect(200));
    assert_eq!(
        refused.2.as_deref(),
        Some("Twilio rejected this API key for this account. It may belong to another region.")
    );
    // The token of the account takes its place, with nothing left of the key.
    let set = owner.put(&twilio, fields("twilio", "canary-567890")).await.expect(200);
    assert_eq!(set.body["fields"][1]["value"], Value::Null);
    assert_eq!(verdict(&verify(&owner, &workspace, "twilio").await.expect(200)).0, "ok");
    for (body, field, code) in [
        (json!({ "sid": SID }), "authToken", "required"),
        (json!({ "sid": SID, "apiKeySid": KEY_SID }), "apiKeySecret", "required"),
        (json!({ "sid": SID, "apiKeySecret": "canary-567890" }), "apiKeySid", "required"),
        (json!({ "sid": SID, "authToken": "canary-567890", "apiKeySid": KEY_SID }), "authToken", "conflicting"),
        (json!({ "sid": SID, "apiKeySid": SID, "apiKeySecret": "canary-567890" }), "apiKeySid", "not_an_api_key_sid"),
        (json!({ "sid": KEY_SID, "authToken": "canary-567890" }), "sid", "not_an_account_sid"),
    ] {
        let refused = owner.put(&twilio, body.clone()).await.expect(422);
        assert_eq!(refused.refused(), [(field.to_owned(), code.to_owned())], "{body}");
        assert!(!refused.text.contains("canary"), "{}", refused.text);
    }
}

/// The SID of an API key.
const KEY_SID: &str = "SK0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn a_provider_that_does_not_say_leaves_the_status_as_it_was() {
    let (app, owner, workspace) = connected().await;
    let elsewhere = tenantry_tests::ProviderServer::start();
    for provider in PROVIDERS {
        verify(&owner, &workspace, provider).await.expect(200);
    }
    for (behaviour, words) in [
        (ProviderBehaviour::Status(429, "Retry-After: 30\r\n"), "is rate limiting requests. Try again in 30 seconds."),
        (ProviderBehaviour::Status(429, "Retry-After: 1\r\n"), "Try again in 1 second."),
        (ProviderBehaviour::Status(429, "Retry-After: <script>\r\n"), "is rate limiting requests. Try again later."),
        (
            ProviderBehaviour::Status(429, "Retry-After: 99999999999\r\n"),
            "is rate limiting requests. Try again in 3600 seconds.",
        ),
        (ProviderBehaviour::Status(500, ""), "answered with status 500. Try again later."),
        (ProviderBehaviour::Status(503, ""), "answered with status 503. Try again later."),
        (ProviderBehaviour::Status(204, ""), "answered with status 204. Try again later."),
        (ProviderBehaviour::Html, "sent a response in an undocumented format."),
        (ProviderBehaviour::OtherJson, "sent a response in an undocumented format."),
        (ProviderBehaviour::Redirect(elsewhere.base()), "answered with a redirect, which Tenantry does not follow."),
        (ProviderBehaviour::Endless, "sent a response that is too large."),
        (ProviderBehaviour::Hang, "did not answer in time."),
        (ProviderBehaviour::Drop, "could not be reached."),
    ] {
        app.providers.behave(behaviour.clone());
        // Another replica, which has not seen the failures before.
        let owner = app.replica_with_timeouts(timeouts()).with_key(owner.key());
        for provider in PROVIDERS {
            let before = owner.get(&path(&workspace, provider)).await.expect(200).body["verifiedAt"].clone();
            let answer = verify(&owner, &workspace, provider).await.expect(200);
            let (status, _, error) = verdict(&answer);
            assert_eq!((status.as_str(), &answer.body["verifiedAt"]), ("ok", &before), "{behaviour:?}");
            assert!(error.as_ref().is_some_and(|error| error.ends_with(words)), "{behaviour:?}: {error:?}");
        }
    }
    assert!(elsewhere.requests().is_empty(), "nobody follows");
    app.providers.behave(ProviderBehaviour::Documented);
    for provider in PROVIDERS {
        assert_eq!(verdict(&verify(&owner, &workspace, provider).await.expect(200)).2, None, "it recovers");
    }
}

#[tokio::test]
async fn a_provider_that_fails_again_and_again_is_left_alone_for_this_credential_of_this_tenant() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let (ours, theirs) = (acme.workspace("DACH").await, beta.workspace("DACH").await);
    for (tenant, workspace) in [(&acme, &ours), (&beta, &theirs)] {
        for provider in PROVIDERS {
            tenant.owner.put(&path(workspace, provider), fields(provider, "canary-567890")).await.expect(200);
        }
    }
    app.providers.behave(ProviderBehaviour::Status(500, ""));
    for _ in 0..FAILURES {
        verify(&acme.owner, &ours, "openai").await.expect(200);
    }
    let asked = app.providers.requests().len();
    let before = acme.owner.get(&path(&ours, "openai")).await.expect(200);
    let left_alone = verify(&acme.owner, &ours, "openai").await.expect(502);
    assert_eq!(left_alone.body["code"], "provider_unavailable");
    assert!((1..=30).contains(&left_alone.header("retry-after").parse::<u64>().unwrap()), "{left_alone:?}");
    assert_eq!(app.providers.requests().len(), asked, "it was not asked");
    assert_eq!(acme.owner.get(&path(&ours, "openai")).await.expect(200).body, before.body);
    app.providers.behave(ProviderBehaviour::Documented);
    // Neither another tenant with the same credential, nor another provider, nor another credential has to wait.
    assert_eq!(verdict(&verify(&beta.owner, &theirs, "openai").await.expect(200)).0, "ok");
    assert_eq!(verdict(&verify(&acme.owner, &ours, "elevenlabs").await.expect(200)).0, "ok");
    acme.owner.put(&path(&ours, "openai"), fields("openai", "canary-another-567890")).await.expect(200);
    verify(&acme.owner, &ours, "openai").await.expect(200);
    // One that asks for patience gets it at once, and within bounds.
    app.providers.behave(ProviderBehaviour::Status(429, "Retry-After: 99999999999\r\n"));
    verify(&beta.owner, &theirs, "openai").await.expect(200);
    let patient = verify(&beta.owner, &theirs, "openai").await.expect(502);
    assert!((1..=300).contains(&patient.header("retry-after").parse::<u64>().unwrap()), "{patient:?}");
}

#[tokio::test]
async fn a_tenant_that_verifies_without_end_is_slowed_down_and_nobody_else_is() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let (ours, theirs) = (acme.workspace("DACH").await, beta.workspace("DACH").await);
    for (tenant, workspace) in [(&acme, &ours), (&beta, &theirs)] {
        tenant.owner.put(&path(workspace, "openai"), fields("openai", "canary-567890")).await.expect(200);
    }
    let mut refused = None;
    // Some more than at once, because time goes on meanwhile.
    for _ in 0..10 * AT_ONCE {
        let answer = verify(&acme.owner, &ours, "openai").await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("a refusal");
    assert_eq!(refused.body["code"], "too_many_verifications");
    assert!((1..=2).contains(&refused.header("retry-after").parse::<u64>().unwrap()), "{refused:?}");
    assert!(app.providers.requests().len() >= AT_ONCE.unsigned_abs() as usize);
    assert_eq!(verdict(&verify(&beta.owner, &theirs, "openai").await.expect(200)).0, "ok");
    let reader = acme.key(&["integrations:read"], json!({})).await;
    verify(&reader, &ours, "openai").await.expect(403);
}

#[tokio::test]
async fn one_workspaces_trouble_is_not_anothers() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let (ours, theirs) = (acme.workspace("DACH").await, beta.workspace("DACH").await);
    acme.owner.put(&path(&ours, "openai"), fields("openai", "canary-wrong-567890")).await.expect(200);
    beta.owner.put(&path(&theirs, "openai"), fields("openai", "canary-567890")).await.expect(200);
    for _ in 0..10 {
        assert_eq!(verdict(&verify(&acme.owner, &ours, "openai").await.expect(200)).0, "failed");
        assert_eq!(verdict(&verify(&beta.owner, &theirs, "openai").await.expect(200)).0, "ok");
    }
    app.providers.behave(ProviderBehaviour::Held);
    let waiting = tokio::spawn({
        let (owner, ours) = (acme.owner.clone(), ours.clone());
        async move { verify(&owner, &ours, "openai").await }
    });
    let asked = app.providers.requests().len();
    while app.providers.requests().len() == asked {
        app.providers.asked().await;
    }
    let busy = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND usename = 'tenantry_service'
                AND state <> 'idle'";
    assert_eq!(app.database.rows(busy), 0, "no transaction waits for a provider");
    app.providers.behave(ProviderBehaviour::Documented);
    assert_eq!(verdict(&verify(&beta.owner, &theirs, "openai").await.expect(200)).0, "ok");
    beta.owner.get(&path(&ours, "openai")).await.expect(404);
    app.providers.let_go();
    assert_eq!(verdict(&waiting.await.unwrap().expect(200)).0, "failed");
}

#[tokio::test]
async fn what_a_provider_said_of_a_secret_that_was_replaced_meanwhile_is_not_written_down() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    let openai = path(&workspace, "openai");
    for replace in [true, false] {
        acme.owner.put(&openai, fields("openai", "canary-wrong-567890")).await.expect(200);
        app.providers.behave(ProviderBehaviour::Held);
        let asked = app.providers.requests().len();
        let waiting = tokio::spawn({
            let (owner, workspace) = (acme.owner.clone(), workspace.clone());
            async move { verify(&owner, &workspace, "openai").await }
        });
        while app.providers.requests().len() == asked {
            app.providers.asked().await;
        }
        if replace {
            acme.owner.put(&openai, fields("openai", "canary-567890")).await.expect(200);
        } else {
            acme.owner.delete(&openai).await.expect(204);
        }
        let now = acme.owner.get(&openai).await.expect(200);
        app.providers.let_go();
        let answer = waiting.await.unwrap().expect(200);
        assert_eq!((answer.etag(), &answer.body), (now.etag(), &now.body));
        assert_eq!(answer.body["verificationStatus"], "unverified");
        assert_eq!(acme.owner.get(&openai).await.expect(200).body, now.body);
    }
}

#[tokio::test]
async fn what_is_not_connected_is_not_asked_about() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    for provider in PROVIDERS {
        let conflict = verify(&acme.owner, &workspace, provider).await.expect(409);
        assert_eq!(conflict.body["code"], "integration_incomplete", "{provider}");
    }
    let reader = acme.key(&["integrations:read"], json!({})).await;
    acme.owner.put(&path(&workspace, "openai"), fields("openai", "canary-567890")).await.expect(200);
    verify(&reader, &workspace, "openai").await.expect(403);
    assert_eq!(reader.get(&path(&workspace, "openai")).await.expect(200).body["lastError"], Value::Null);
    assert!(app.providers.requests().is_empty());
}
