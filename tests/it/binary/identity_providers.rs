//! The settings in `docs/identity-providers.md` work, each with a token of the shape beside it.

use std::{collections::BTreeSet, fs, sync::Arc};

use diesel::connection::SimpleConnection;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tenantry_tests::{
    App, Client, Encryption, Presented, SmtpServer, Tenant, TestDatabase,
    issuer::{AUDIENCE, Behaviour, DISCOVERY, Draft, Issuer, Signing, SigningKey},
};

use super::kit::{Service, Tenantry};

const PAGE: &str = include_str!("../../../docs/identity-providers.md");

/// Settings and a token, as the page has them.
struct Example {
    heading: String,
    settings: String,
    token: String,
}

/// Every block of settings on the page, with the first token behind it.
fn examples() -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let (mut heading, mut lines) = (String::new(), PAGE.lines());
    while let Some(line) = lines.next() {
        if line.starts_with("##") {
            heading = line.trim_start_matches(['#', ' ']).to_owned();
        }
        let Some(language) = line.strip_prefix("```").filter(|language| !language.is_empty()) else { continue };
        let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        match language {
            "toml" => {
                let (settings, token) = (block.join("\n"), String::new());
                examples.push(Example { heading: heading.clone(), settings, token });
            }
            "json" => {
                let last = examples.last_mut().expect("settings before a token");
                assert!(last.token.is_empty(), "two tokens for the settings of {}", last.heading);
                last.token = block.join("\n");
            }
            _ => {}
        }
    }
    examples
}

/// The addresses without a path that stand behind these keys of the settings.
fn hosts(settings: &str) -> BTreeSet<String> {
    let of_keys = settings.lines().filter(|line| line.starts_with("issuer =") || line.starts_with("jwks_url ="));
    let host = |line: &str| {
        let (scheme, rest) = line.split('"').nth(1)?.split_once("://")?;
        Some(format!("{scheme}://{}", rest.split('/').next()?))
    };
    of_keys.filter_map(host).collect()
}

/// A provider that stands in for the one in an example, on this machine.
struct Provider {
    example: Example,
    issuer: Issuer,
    email: String,
}

impl Provider {
    async fn start(number: usize, mut example: Example) -> Self {
        let keys = [SigningKey::rsa("RS256", Signing::Rs256), SigningKey::p256("ES256"), SigningKey::p384("ES384")];
        let issuer = Issuer::with(keys.map(Arc::new).to_vec()).await;
        for host in hosts(&example.settings) {
            example.settings = example.settings.replace(&host, &issuer.name);
            example.token = example.token.replace(&host, &issuer.name);
        }
        let email = format!("ada.{number}@example.com");
        example.token = example.token.replace("ada@example.com", &email);
        let name = example.settings.split('"').nth(1).unwrap();
        let document = json!({ "issuer": name, "jwks_uri": format!("{}/the-keys", issuer.name) });
        let jwks: Vec<_> = ["RS256", "ES256", "ES384"].map(|kid| issuer.key(kid).jwk()).into();
        issuer.behave(Behaviour::ByPath(vec![
            (DISCOVERY.to_owned(), Behaviour::json(200, document.to_string())),
            (String::new(), Behaviour::json(200, json!({ "keys": jwks }).to_string())),
        ]));
        Self { example, issuer, email }
    }

    fn example(&self) -> Value {
        serde_json::from_str(&self.example.token).unwrap_or_else(|error| panic!("{}: {error}", self.example.heading))
    }

    /// The token of the example, alive and signed.
    fn draft(&self) -> Draft {
        let example = self.example();
        let alg = example["header"]["alg"].as_str().unwrap();
        let draft = self.issuer.draft(alg).without("aud").without("sub").without_header("typ");
        let header = example["header"].as_object().unwrap();
        let draft = header.iter().fold(draft, |draft, (name, value)| draft.header(name, value.clone()));
        draft.claims(example["payload"].clone())
    }

    fn client(&self, service: &Service, draft: &Draft) -> Client {
        service.client().with_key(&draft.token())
    }

    /// What the settings of the example have under this key.
    fn setting(&self, key: &str) -> Option<&str> {
        let line = self.example.settings.lines().find(|line| line.starts_with(&format!("{key} = ")))?;
        line.split('"').nth(1)
    }
}

async fn start(app: &App, mail: &SmtpServer) -> (Vec<Provider>, Service) {
    let mut providers = Vec::new();
    for (number, example) in examples().into_iter().enumerate() {
        providers.push(Provider::start(number, example).await);
    }
    let tenantry = Tenantry::on(&app.database).sending_to(mail).with("TENANTRY_CONFIG", "tenantry.toml");
    let settings: Vec<_> = providers.iter().map(|provider| provider.example.settings.as_str()).collect();
    fs::write(tenantry.path("tenantry.toml"), settings.join("\n\n")).unwrap();
    (providers, tenantry.serve())
}

/// The demo tenant, without a secret that is sealed under the key of the app: the program has another one.
async fn demo(app: &App) -> Tenant {
    let tenant = app.demo().await;
    let without = "DELETE FROM webhook_deliveries; DELETE FROM webhooks; UPDATE tenants SET sealed_under = '{}'";
    app.database.admin().batch_execute(without).unwrap();
    tenant
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_accepted_and_a_member_comes_in_with_the_token_of_each_provider() {
    let (app, mail) = (App::start().await, SmtpServer::with(Encryption::Nothing, Presented::Own));
    let demo = demo(&app).await;
    let (providers, mut service) = start(&app, &mail).await;
    let named = [
        "Auth0",
        "Okta",
        "Keycloak",
        "Cognito",
        "Firebase",
        "Supabase",
        "Clerk",
        "ZITADEL",
        "Logto",
        "Version 1",
        "Version 2",
    ];
    for name in named {
        assert!(providers.iter().any(|provider| provider.example.heading.contains(name)), "no example for {name}");
    }
    for provider in &providers {
        let (heading, draft) = (&provider.example.heading, provider.draft());
        let person = provider.client(&service, &draft);
        assert_eq!(person.get("/api/me").await.status, 401, "{heading}: nobody knows them yet");
        demo.invitation(&provider.email, json!({})).await;
        service.until_logged("sent an email");
        let letter = mail.mails().pop().unwrap();
        let token = crate::outbox::token(&letter);
        let accepted = person.post("/api/invitations/accept", json!({ "token": token })).await;
        assert_eq!(accepted.status, 201, "{heading}: {}", accepted.text);
        let me = person.get("/api/me").await;
        assert_eq!(me.status, 200, "{heading}: {}", me.text);
        assert_eq!(me.body["member"]["email"], provider.email.as_str(), "{heading}");
        let member =
            demo.owner.get(&format!("/api/members?q={}", provider.email)).await.expect(200).body["data"][0].clone();
        let payload = &provider.example()["payload"];
        let subject = provider.setting("subject_claim").unwrap_or("sub");
        assert_eq!((&member["issuer"], &member["subject"]), (&payload["iss"], &payload[subject]), "{heading}");
        // What the settings say matters: without it, or with another, nobody comes in.
        let audience = provider.setting("audience_claim").unwrap_or("aud");
        for claim in [audience, subject, "iss"] {
            for changed in [draft.clone().claim(claim, "another"), draft.clone().without(claim)] {
                let refused = provider.client(&service, &changed).get("/api/me").await;
                assert_eq!(refused.status, 401, "{heading}: {claim}: {}", refused.text);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_names_the_iss_that_was_refused_and_what_it_almost_is() {
    let (app, mail) = (App::start().await, SmtpServer::with(Encryption::Nothing, Presented::Own));
    demo(&app).await;
    let (providers, mut service) = start(&app, &mail).await;
    let provider = &providers[0];
    let name = provider.setting("issuer").unwrap();
    let almost = name.trim_end_matches('/');
    provider.client(&service, &provider.draft().claim("iss", almost)).get("/api/me").await.expect(401);
    let line: Value = serde_json::from_str(&service.until_logged("refused an access token")).unwrap();
    assert_eq!((&line["reason"], &line["iss"]), (&json!("iss is not a trusted issuer"), &json!(almost)), "{line}");
    let hint = format!("it differs from the trusted issuer \"{name}\" in the slash at the end");
    assert_eq!(line["hint"], json!(hint), "{line}");
    let forged = format!("https://stranger.test/\n{{\"level\":\"ERROR\"}}{}", "x".repeat(2_000));
    provider.client(&service, &provider.draft().claim("iss", forged)).get("/api/me").await.expect(401);
    let line: Value = serde_json::from_str(&service.until_logged("stranger.test")).unwrap();
    assert!(line["hint"].is_null() && line["iss"].as_str().unwrap().len() < 300, "{line}");
    provider.client(&service, &provider.draft()).get("/api/me").await.expect(401);
    let line = service.until_logged("no active member of the tenant");
    assert_eq!(line.matches("\"tenant\":").count(), 1, "{line}");
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&line["iss"], &line["message"]), (&json!(name), &json!("refused an access token")), "{line}");
    let invited = provider.draft().claim(provider.setting("email_verified").unwrap(), false);
    let body = json!({ "token": "tnt_inv_v1_mistyped" });
    provider.client(&service, &invited).post("/api/invitations/accept", body).await.expect(404);
    let line = service.until_logged("does not prove an email address");
    assert!(line.contains("verified") && !line.contains("ada"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_the_variable_of_the_system_names_is_trusted() {
    let (database, issuer) = (TestDatabase::new(), Issuer::start_secure().await);
    issuer.publish_discovery(&issuer.name, &format!("{}/keys", issuer.name));
    let settings = format!("[[issuers]]\nissuer = {:?}\naudience = [{AUDIENCE:?}]\n", issuer.name);
    let file = issuer.ca_file();
    // Whose keys cannot be had may be right. One who is known is told that nobody knows the person.
    for (authority, status) in [(None, 503), (Some(file.to_str().unwrap()), 401)] {
        let tenantry = Tenantry::on(&database).with("TENANTRY_CONFIG", "tenantry.toml");
        let tenantry = authority.iter().fold(tenantry, |tenantry, file| tenantry.with("SSL_CERT_FILE", file));
        fs::write(tenantry.path("tenantry.toml"), &settings).unwrap();
        let service = tenantry.serve();
        service.client().with_key(&issuer.draft("es").token()).get("/api/me").await.expect(status);
        service.stop(Signal::SIGTERM);
    }
}

#[test]
fn the_settings_of_issuers_are_shown_and_the_faults_in_them_named() {
    let tenantry = Tenantry::at("postgres://tenantry_service@db/tenantry").with("TENANTRY_CONFIG", "tenantry.toml");
    let settings: Vec<_> = examples().into_iter().map(|example| example.settings).collect();
    fs::write(tenantry.path("tenantry.toml"), settings.join("\n\n")).unwrap();
    let text = tenantry.run(&["config"]).expect(0).out;
    assert!(
        text.contains("issuers[1].email_verified") && text.contains("https://example.com/email_verified"),
        "{text}"
    );
    let shown = tenantry.json(&["config"]);
    let of = |name: &str| {
        let one = shown.as_array().unwrap().iter().find(|setting| setting["name"] == name).unwrap();
        (one["value"].clone(), one["source"].clone())
    };
    assert_eq!(of("issuers[2].subject_claim"), (json!("uid"), json!("file")));
    assert_eq!(of("issuers[1].subject_claim"), (json!("sub"), json!("default")));
    let wrong =
        "[[issuers]]\nissuer = \"https://id.example.com/{tenant}/\"\naudience = \"x\"\nsubject_clame = \"oid\"\n";
    fs::write(tenantry.path("tenantry.toml"), wrong).unwrap();
    let refused = tenantry.run(&["config"]).expect(6);
    for words in ["Did you mean subject_claim?", "{tenantid}"] {
        assert!(refused.out.contains(words), "{}", refused.out);
    }
}

#[test]
fn operators_find_every_setting_of_an_issuer_in_the_documentation() {
    let (_, table) = OPERATIONS.split_once("## Issuers of access tokens").unwrap();
    let table = table.split("\n## ").next().unwrap();
    let described: BTreeSet<_> =
        table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).map(str::to_owned).collect();
    let tenantry = Tenantry::at("postgres://tenantry_service@db/tenantry").with("TENANTRY_CONFIG", "tenantry.toml");
    fs::write(tenantry.path("tenantry.toml"), "[[issuers]]\nissuer = \"https://a.test\"\naudience = \"x\"\n").unwrap();
    let shown = tenantry.json(&["config"]);
    let names = shown.as_array().unwrap().iter().filter_map(|one| one["name"].as_str()?.strip_prefix("issuers[1]."));
    assert_eq!(described, names.map(str::to_owned).collect());
}

const OPERATIONS: &str = include_str!("../../../docs/operations.md");
