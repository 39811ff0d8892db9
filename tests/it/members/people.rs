//! A person is who their issuer says, in the tenant that the token names.

use serde_json::json;
use tenantry_domain::{MemberDetails, MemberStatus, Person, Role};
use tenantry_operations::members;
use tenantry_tests::{App, People, Tenant, issuer::Issuer};

/// Makes this person a member.
async fn join(app: &App, tenant: &Tenant, issuer: &str, subject: &str, role: Role) {
    let person = Person { issuer: issuer.parse().unwrap(), subject: subject.parse().unwrap() };
    let email = People::email(&format!("{subject}.{}", issuer.len())).parse().unwrap();
    let details = MemberDetails { email, role, status: MemberStatus::Active, person, labels: Default::default() };
    members::create(&app.store, &tenant.operator(), details, Vec::new()).await.unwrap();
}

#[tokio::test]
async fn the_tenant_in_the_token_says_in_which_of_their_tenants_a_person_is() {
    let app = App::start().await;
    let (acme, beta, other) = (app.tenant("Acme").await, app.tenant("Beta").await, app.tenant("Other").await);
    beta.workspace("Benelux").await;
    join(&app, &acme, People::ISSUER, "ada", Role::Owner).await;
    join(&app, &beta, People::ISSUER, "ada", Role::Billing).await;
    let with = |tenant: Option<_>, more| app.client().with_key(&app.people.token("ada", tenant, more));
    let (in_acme, in_beta) = (with(Some(acme.id), json!({})), with(Some(beta.id), json!({})));
    for (client, tenant, role) in [(&in_acme, &acme, "owner"), (&in_beta, &beta, "billing")] {
        let me = client.get("/api/me").await.expect(200).body;
        assert_eq!((&me["tenant"]["id"], &me["member"]["role"]), (&json!(tenant.id.to_string()), &json!(role)));
    }
    // What she may in one is nothing in the other.
    in_acme.post("/api/workspaces", json!({ "name": "Mine" })).await.expect(201);
    in_beta.post("/api/workspaces", json!({ "name": "Mine" })).await.expect(403);
    assert_eq!(in_acme.get("/api/workspaces").await.expect(200).body["data"].as_array().unwrap().len(), 1);
    with(Some(other.id), json!({})).get("/api/me").await.expect(401);
    with(None, json!({})).get("/api/me").await.expect(401);
    for wrong in [json!([acme.id.to_string()]), json!(1), json!(null), json!(""), json!("acme"), json!({})] {
        with(None, json!({ "tenant_id": wrong })).get("/api/me").await.expect(401);
    }
    with(None, json!({ "tenant_id": acme.id.to_string().to_uppercase() })).get("/api/me").await.expect(200);
}

#[tokio::test]
async fn the_same_subject_of_another_issuer_is_another_person() {
    let other = Issuer::start().await;
    let app = App::trusting(vec![other.options()]).await;
    let acme = app.tenant("Acme").await;
    join(&app, &acme, People::ISSUER, "ada", Role::Owner).await;
    let claims = json!({ "sub": "ada", "tenant_id": acme.id.to_string() });
    let stranger = app.client().with_key(&other.token(claims));
    // In the lane, and at the door.
    for path in ["/api/me", "/api/brands"] {
        stranger.get(path).await.expect(401);
    }
    app.client().with_key(&app.people.token("ada", Some(acme.id), json!({}))).get("/api/me").await.expect(200);
    join(&app, &acme, &other.name, "ada", Role::Observer).await;
    assert_eq!(stranger.get("/api/me").await.expect(200).body["member"]["role"], "observer");
    // Nor is a subject that differs in case, or one that is the id of a member.
    let member = stranger.get("/api/me").await.body["member"]["id"].clone();
    for subject in [json!("Ada"), json!("ada "), member] {
        let token = other.token(json!({ "sub": subject, "tenant_id": acme.id.to_string() }));
        for path in ["/api/me", "/api/brands"] {
            app.client().with_key(&token).get(path).await.expect(401);
        }
    }
}

#[tokio::test]
async fn a_person_and_an_address_are_in_a_tenant_once() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let details = |subject: &str, email: &str| MemberDetails {
        email: email.parse().unwrap(),
        role: Role::Agent,
        status: MemberStatus::Active,
        person: Person { issuer: People::ISSUER.parse().unwrap(), subject: subject.parse().unwrap() },
        labels: Default::default(),
    };
    let create = async |tenant: &Tenant, subject: &str, email: &str| {
        members::create(&app.store, &tenant.operator(), details(subject, email), Vec::new()).await
    };
    create(&acme, "ada", "ada@example.com").await.unwrap();
    for (subject, email) in [("ada", "another@example.com"), ("eve", "Ada@Example.COM")] {
        let refused = create(&acme, subject, email).await.unwrap_err();
        assert!(
            matches!(refused, tenantry_domain::Error::Conflict { code: tenantry_domain::Conflict::AlreadyMember, .. }),
            "{refused:?}"
        );
    }
    create(&beta, "ada", "ada@example.com").await.unwrap();
}
