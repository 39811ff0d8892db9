//! Who has set a secret is the last one to have seen it.

use serde_json::json;
use tenantry_domain::{Action, Role, WorkspaceId};
use tenantry_operations::{
    integrations,
    providers::{Providers, Timeouts},
};
use tenantry_tests::{App, Canary, Log, Operation, ProviderBehaviour, TestDatabase, lines};

use super::{PROVIDERS, fields, path};

/// Every row of every table as text, and every binary value in full.
fn dump(database: &TestDatabase) -> String {
    let raw = "SELECT encode(sealed_secret, 'escape') AS line FROM integrations WHERE sealed_secret IS NOT NULL";
    [vec![database.dump()], lines(&mut database.admin(), raw)].concat().join("\n")
}

#[tokio::test]
async fn a_secret_comes_back_from_no_route_no_error_no_log_line_and_no_table() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    let (log, _guard) = Log::listen();
    let canaries =
        PROVIDERS.map(|provider| (provider, Canary::new(if provider == "openai" { "sk-proj-" } else { "" })));
    let mut answers = Vec::new();
    for (provider, canary) in &canaries {
        let (here, body) = (path(&workspace, provider), fields(provider, canary.secret()));
        answers.push(acme.owner.put(&here, body.clone()).await.expect(200));
        let mut more = body.clone();
        more["unheardOf"] = json!(canary.secret());
        answers.push(acme.owner.put(&here, more).await.expect(422));
        let text = format!("{{\"apiKey\": \"{}", canary.secret());
        let broken = acme.owner.request("PUT", &here).header("Content-Type", "application/json").body(text);
        answers.push(acme.owner.send(broken).await.expect(400));
        for behaviour in [
            ProviderBehaviour::Documented,
            ProviderBehaviour::Status(401, ""),
            ProviderBehaviour::Status(500, ""),
            ProviderBehaviour::Html,
            ProviderBehaviour::OtherJson,
            ProviderBehaviour::Drop,
        ] {
            app.providers.behave(behaviour);
            // Nobody here has asked too often, or has seen a provider fail.
            let owner = app.replica_with_timeouts(Timeouts::default()).with_key(acme.owner.key());
            answers.push(owner.post(&format!("{here}/verify"), json!({})).await.expect(200));
            // Once more on this thread, whose log is kept.
            let keys = &app.integrations.keys;
            let providers = &Providers::new(app.providers.urls(), Timeouts::default()).unwrap();
            let (id, provider) = (workspace.parse::<WorkspaceId>().unwrap(), provider.parse().ok());
            let again =
                integrations::verify(&app.store, keys, providers, &acme.operator(), id, provider, chrono::Utc::now())
                    .await;
            assert!(!format!("{again:?}").contains(canary.secret()));
            let (operator, provider) = (acme.operator(), provider.unwrap());
            let opened = integrations::open(&app.store, keys, &operator, id, provider, Action::WorkspaceRead).await;
            assert!(!format!("{:?}", opened.unwrap().1.unwrap()).contains(canary.secret()));
        }
    }
    let mut readers = vec![acme.owner.clone(), app.client()];
    for role in [Role::Owner, Role::Admin, Role::Agent, Role::Observer, Role::Billing] {
        readers.push(acme.member(role, &[&workspace]).await.1);
    }
    for operation in Operation::all().iter().filter(|operation| !operation.writes()) {
        let path = operation.path.replace("{workspaceId}", &workspace).replace("{brandId}", &acme.brand);
        let of_each = path.contains("{provider}");
        for provider in PROVIDERS.iter().take(if of_each { PROVIDERS.len() } else { 1 }) {
            for reader in &readers {
                answers.push(reader.get(&path.replace("{provider}", provider)).await);
            }
        }
    }
    answers.push(acme.owner.get("/api/audit-events?limit=100").await.expect(200));
    for answer in &answers {
        let text = format!("{}\n{:?}", answer.text, answer.headers);
        for (provider, canary) in &canaries {
            assert_eq!(canary.found_in(text.as_bytes()), None, "{provider}: {}", answer.text);
        }
    }
    let (dump, log) = (dump(&app.database), log.text());
    for (provider, canary) in &canaries {
        assert_eq!(canary.found_in(dump.as_bytes()), None, "{provider} in the database");
        assert_eq!(canary.found_in(log.as_bytes()), None, "{provider} in the log");
        assert!(dump.contains(&canary.secret()[canary.secret().len() - 4..]), "the dump has what may be known");
    }
    assert!(
        log.contains("TRACE") && log.contains("a provider rejected an integration"),
        "the log is a talkative one: {log:.2000}"
    );
    let sent = app.providers.requests();
    assert!(canaries.iter().all(|(_, canary)| {
        sent.iter()
            .any(|request| request.head.contains(canary.secret()) || canary.found_in(request.head.as_bytes()).is_some())
    }));
}

#[test]
fn the_search_finds_what_it_is_for() {
    let canary = Canary::new("");
    let secret = canary.secret();
    let backwards: String = secret.chars().rev().collect();
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let base64 = |text: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
    for text in [
        secret.to_owned(),
        backwards,
        hex,
        format!("…{}…", &secret[20..32]),
        base64(secret),
        base64(&format!("AC:{secret}")),
        base64(&format!("user:{secret}\n")),
        base64(&format!("user2:{secret}")),
    ] {
        assert!(canary.found_in(text.as_bytes()).is_some(), "{text}");
    }
    assert_eq!(Canary::new("").found_in(secret.as_bytes()), None);
}
