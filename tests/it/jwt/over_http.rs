//! Tokens in requests: what holds gets in, and what does not gets a 401 that says no more than that.

use serde_json::json;
use tenantry_domain::{MemberDetails, MemberStatus, Person, Role, TrustedFor};
use tenantry_operations::members;
use tenantry_tests::{Answer, App, Client, Tenant, issuer::Behaviour, issuer::Issuer, issuer::Trio, problem};

const CHALLENGE: &str = "Bearer realm=\"tenantry\", error=\"invalid_token\"";

/// Makes the person that the tokens of the kit are of a member.
async fn join(app: &App, tenant: &Tenant, issuer: &Issuer) {
    let details = MemberDetails {
        email: "somebody@example.com".parse().unwrap(),
        role: Role::Owner,
        status: MemberStatus::Active,
        person: Person { issuer: issuer.name.parse().unwrap(), subject: "somebody".parse().unwrap() },
        labels: Default::default(),
    };
    members::create(&app.store, &tenant.operator(), details, Vec::new()).await.unwrap();
}

/// Asks who the caller is, and to accept an invitation that there is not: for that the token need not name a tenant.
async fn ask(client: &Client) -> [Answer; 2] {
    let body = json!({ "token": "tnt_inv_v1_mistyped" });
    [client.get("/api/me").await, client.post("/api/invitations/accept", body).await]
}

#[tokio::test]
async fn every_bad_token_gets_one_401_and_every_good_one_gets_in() {
    let trio = Trio::start().await;
    let app = App::trusting(trio.options()).await;
    let acme = app.tenant("Acme").await;
    join(&app, &acme, &trio.issuer).await;
    let control = trio.issuer.draft("es").claim("sub", "somebody").claim("tenant_id", acme.id.to_string());
    app.client().with_key(&control.token()).get("/api/me").await.expect(200);
    let mut sentences = std::collections::BTreeSet::new();
    for (name, token) in trio.bad_tokens() {
        for answer in ask(&app.client().with_key(&token)).await {
            assert_eq!(answer.status, 401, "{name}: {}", answer.text);
            assert_eq!(answer.header("www-authenticate"), CHALLENGE, "{name}");
            assert!(token.len() < 20 || !answer.text.contains(&token), "{name}");
            problem(&answer);
            // What has no dot is read as an API key.
            if token.contains('.') {
                sentences.insert(answer.text_of("error"));
            }
        }
    }
    assert_eq!(sentences.len(), 1, "what is wrong with it is not said: {sentences:?}");
    for (name, token) in trio.good_tokens() {
        let [_, accepted] = ask(&app.client().with_key(&token)).await;
        assert_eq!(accepted.status, 404, "{name}: {}", accepted.text);
        assert_eq!(accepted.text_of("error"), "Invitation not found", "{name}");
    }
    // The stranger was never asked for its keys, and the others no more often than their rules say.
    assert_eq!(trio.stranger.connections(), 0);
}

#[tokio::test]
async fn a_token_is_taken_from_the_header_alone_and_only_once() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (_, member) = acme.member(Role::Owner, &[]).await;
    let (token, client) = (member.key().to_owned(), app.client());
    for path in [format!("/api/me?access_token={token}"), format!("/api/workspaces?access_token={token}")] {
        client.get(&path).await.expect(401);
    }
    let body = json!({ "name": "Mine", "access_token": token });
    client.post("/api/workspaces", body).await.expect(401);
    for second in [token.as_str(), acme.owner.key()] {
        let twice = member.request("GET", "/api/me").header("Authorization", format!("Bearer {second}"));
        let refused = client.send(twice).await.expect(400);
        assert_eq!(refused.header("www-authenticate"), "Bearer realm=\"tenantry\", error=\"invalid_request\"");
    }
    let with = |value: String| client.send(client.request("GET", "/api/me").header("Authorization", value));
    for scheme in ["Bearer", "bearer", "BEARER"] {
        with(format!("{scheme} {token}")).await.expect(200);
    }
    for wrong in [format!("Bearer\t{token}"), format!("Bearer  {token}"), format!("JWT {token}"), token.clone()] {
        with(wrong).await.expect(401);
    }
    let none = client.get("/api/me").await.expect(401);
    assert_eq!(none.header("www-authenticate"), "Bearer realm=\"tenantry\"");
}

#[tokio::test]
async fn while_the_keys_of_an_issuer_were_never_had_its_tokens_are_for_later_and_others_get_in() {
    let issuer = Issuer::start().await;
    let app = App::trusting(vec![issuer.options()]).await;
    let acme = app.tenant("Acme").await;
    join(&app, &acme, &issuer).await;
    let token = issuer.token(json!({ "sub": "somebody", "tenant_id": acme.id.to_string() }));
    let person = app.client().with_key(&token);
    issuer.behave(Behaviour::json(500, "{}"));
    let later = person.get("/api/me").await.expect(503);
    assert_eq!((later.header("retry-after"), &later.body["code"]), ("2", &json!("unavailable")));
    acme.owner.get("/api/me").await.expect(200);
    app.client().get("/readyz").await.expect(200);
    let metrics = app.client().get("/metrics").await.expect(200).text;
    assert!(metrics.contains(&format!("tenantry_issuer_usable_keys{{issuer=\"{}\"}} 0", issuer.name)), "{metrics}");
}

#[tokio::test]
async fn an_issuer_of_some_tenants_is_none_of_the_others() {
    let issuer = Issuer::start().await;
    // The tenants must be there before the service trusts somebody for one of them.
    let first = App::start().await;
    let (acme, beta) = (first.tenant("Acme").await, first.tenant("Beta").await);
    let trusted_for = TrustedFor::only(vec![acme.id]);
    let app = first.trusting_too(tenantry_auth::jwt::IssuerOptions { trusted_for, ..issuer.options() });
    for tenant in [&acme, &beta] {
        join(&first, tenant, &issuer).await;
    }
    let token = |tenant: &Tenant| issuer.draft("es").claim("tenant_id", tenant.id.to_string()).token();
    let as_somebody = |tenant: &Tenant| app.with_key(&token(tenant));
    as_somebody(&acme).get("/api/me").await.expect(200);
    let refused = as_somebody(&beta).get("/api/me").await.expect(401);
    assert_eq!(
        (refused.body["code"].as_str(), refused.header("www-authenticate")),
        (Some("invalid_credentials"), CHALLENGE)
    );
    // Why, is for the log.
    let options =
        tenantry_auth::jwt::IssuerOptions { trusted_for: TrustedFor::only(vec![acme.id]), ..issuer.options() };
    let issuers = tenantry_auth::jwt::Issuers::new(vec![options]).unwrap();
    let why = issuers.verify(&token(&beta), chrono::Utc::now()).await.unwrap_err();
    assert_eq!(why.to_string(), "its issuer is not trusted for this tenant");
    // Nor does an invitation let anybody in who comes from there, also with a token that names no tenant.
    let person =
        app.with_key(&issuer.draft("es").claim("email", "new@example.com").claim("email_verified", true).token());
    for (tenant, status) in [(&acme, 404), (&beta, 401)] {
        let token = tenantry_auth::issue_invitation(tenant.id).unwrap();
        person.post("/api/invitations/accept", json!({ "token": token.reveal() })).await.expect(status);
    }
}
