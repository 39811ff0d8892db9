//! People change: their address, their identity provider, what it calls them. The member stays.

use serde_json::{Value, json};
use tenantry_domain::{Role, Scope};
use tenantry_tests::{Answer, App, Client, People, Tenant, issuer::Issuer, new_email};

async fn patch(client: &Client, member: &str, body: Value) -> Answer {
    client.patch(&format!("/api/members/{member}"), body).await
}

fn is_conflict(answer: Answer, code: &str) {
    assert_eq!(answer.expect(409).body["code"], code);
}

/// The fields that the last change of a member changed, with their values before and after.
async fn audited(tenant: &Tenant, member: &str) -> Value {
    let path = format!("/api/audit-events?action=member.update&subjectId={member}&limit=1&sort=-occurredAt");
    tenant.owner.get(&path).await.expect(200).body["data"][0]["changes"].clone()
}

#[tokio::test]
async fn a_member_gets_another_address_and_stays_who_they_are() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    let (id, person) = acme.member(Role::Agent, &[&workspace]).await;
    let before = acme.owner.get(&format!("/api/members/{id}")).await.expect(200);
    let (old, new) = (before.text_of("email"), "Ada.Lovelace@Example.com");
    let changed = patch(&acme.owner, &id, json!({ "email": new })).await.expect(200);
    assert_eq!(changed.text_of("email"), new);
    let after = acme.owner.get(&format!("/api/members/{id}")).await.expect(200).body;
    for same in ["id", "role", "status", "issuer", "subject", "createdAt", "access"] {
        assert_eq!(after[same], before.body[same], "{same}");
    }
    person.get("/api/me").await.expect(200);
    assert_eq!(audited(&acme, &id).await, json!({ "email": { "before": old, "after": new } }));
    // The old address is free, and the new one is not, in any case of its letters.
    acme.invitation(&old, json!({})).await;
    let taken = json!({ "email": "ada.lovelace@example.com", "role": "agent" });
    is_conflict(acme.owner.post("/api/invitations", taken).await, "already_member");
    let (other, _) = acme.member(Role::Agent, &[]).await;
    is_conflict(patch(&acme.owner, &other, json!({ "email": "ADA.LOVELACE@example.com" })).await, "already_member");
    patch(&acme.owner, &id, json!({ "email": "ada.lovelace@example.com" })).await.expect(200);
    let found = acme.owner.get("/api/members?q=lovelace").await.expect(200).body;
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
    // In another tenant it is another member's.
    let beta = app.tenant("Beta").await;
    let (theirs, _) = beta.member(Role::Agent, &[]).await;
    patch(&beta.owner, &theirs, json!({ "email": "ada.lovelace@example.com" })).await.expect(200);
}

#[tokio::test]
async fn an_address_that_is_invited_is_nobody_elses_while_the_invitation_is_pending() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (id, _) = acme.member(Role::Agent, &[]).await;
    let email = new_email();
    let invitation = acme.invitation(&email, json!({})).await;
    is_conflict(patch(&acme.owner, &id, json!({ "email": email.to_uppercase() })).await, "already_invited");
    acme.owner.delete(&format!("/api/invitations/{invitation}")).await.expect(204);
    patch(&acme.owner, &id, json!({ "email": email })).await.expect(200);
}

#[tokio::test]
async fn what_is_no_address_and_no_identity_is_refused_and_changes_nothing() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (id, person) = acme.member(Role::Agent, &[]).await;
    for (field, values) in [
        ("email", vec![json!("ada"), json!(""), json!(null), json!("a@b@c.example"), json!(["ada@example.com"])]),
        ("issuer", vec![json!(""), json!("a b"), json!(null), json!("https://é.test/"), json!("x".repeat(256))]),
        ("subject", vec![json!(""), json!("a\nb"), json!(null), json!(1), json!("x".repeat(256))]),
    ] {
        for value in values {
            let refused = patch(&acme.owner, &id, json!({ field: value, "role": "observer" })).await.expect(422);
            assert_eq!(refused.body["fields"][0]["field"], field, "{value}: {}", refused.text);
        }
    }
    assert_eq!(person.get("/api/me").await.expect(200).body["member"]["role"], "agent");
    let nothing = patch(&acme.owner, &id, json!({})).await.expect(200);
    let same = json!({ "email": nothing.text_of("email"), "subject": nothing.text_of("subject") });
    let unchanged = patch(&acme.owner, &id, same).await.expect(200);
    assert_eq!(unchanged.body["updatedAt"], nothing.body["updatedAt"], "what changes nothing is no change");
}

#[tokio::test]
async fn a_member_with_a_new_identity_comes_in_with_it_and_no_longer_with_the_old_one() {
    let provider = Issuer::start().await;
    let app = App::trusting(vec![provider.options()]).await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    let (id, old) = acme.member(Role::Agent, &[&workspace]).await;
    let before = old.get("/api/me").await.expect(200).body["member"].clone();
    let of = |subject: &str| {
        let claims = json!({ "sub": subject, "tenant_id": acme.id.to_string() });
        app.client().with_key(&provider.token(claims))
    };
    let new = of("b8e0c9e2-1111");
    // Some are answered in the look-up lane, and one at the door.
    let places = [format!("/api/workspaces/{workspace}"), "/api/me".to_owned(), format!("/api/members/{id}")];
    let identity = json!({ "issuer": provider.name, "subject": "b8e0c9e2-1111" });
    patch(&acme.owner, &id, identity).await.expect(200);
    let replica = app.replica().with_key(old.key());
    for place in &places {
        new.get(place).await.expect(200);
        old.get(place).await.expect(401);
        replica.get(place).await.expect(401);
    }
    let me = new.get("/api/me").await.expect(200).body["member"].clone();
    assert_eq!((&me["id"], &me["email"], &me["createdAt"]), (&json!(id), &before["email"], &before["createdAt"]));
    let changes = audited(&acme, &id).await;
    assert_eq!(changes["issuer"], json!({ "before": People::ISSUER, "after": provider.name }));
    assert_eq!(changes["subject"], json!({ "before": before["subject"], "after": "b8e0c9e2-1111" }));
    // What the provider calls them may change alone, and so may the provider.
    patch(&acme.owner, &id, json!({ "subject": "another" })).await.expect(200);
    new.get("/api/me").await.expect(401);
    of("another").get("/api/me").await.expect(200);
    patch(&acme.owner, &id, json!({ "issuer": People::ISSUER, "subject": before["subject"] })).await.expect(200);
    old.get("/api/me").await.expect(200);
    of("another").get("/api/me").await.expect(401);
    assert_eq!(app.database.rows(&format!("SELECT FROM members WHERE id = '{id}'")), 1);
}

#[tokio::test]
async fn an_identity_is_of_one_member_in_a_tenant() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let (one, subject) = acme.member_called(Role::Agent, &[]).await;
    let (other, client) = acme.member(Role::Agent, &[]).await;
    is_conflict(patch(&acme.owner, &other, json!({ "subject": subject })).await, "already_member");
    client.get("/api/me").await.expect(200);
    let (theirs, _) = beta.member(Role::Agent, &[]).await;
    patch(&beta.owner, &theirs, json!({ "subject": subject })).await.expect(200);
    // Two who want the same at once: one has it.
    let (third, _) = acme.member(Role::Agent, &[]).await;
    let wanted = json!({ "subject": "wanted" });
    let answers =
        futures_util::future::join(patch(&acme.owner, &one, wanted.clone()), patch(&acme.owner, &third, wanted));
    let mut statuses: Vec<u16> = <[Answer; 2]>::from(answers.await).iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}

#[tokio::test]
async fn nobody_changes_who_somebody_above_them_is_and_a_change_honours_if_match() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (owner, _) = acme.member(Role::Owner, &[]).await;
    let (admin, as_admin) = acme.member(Role::Admin, &[]).await;
    let (agent, as_agent) = acme.member(Role::Agent, &[]).await;
    let changes =
        [json!({ "email": new_email() }), json!({ "subject": "mine" }), json!({ "issuer": "https://mine.test/" })];
    let all: Vec<_> = Scope::all().iter().map(|scope| scope.as_str()).collect();
    let key = acme.key(&all, json!({})).await;
    let weak = acme.key(&["members:write", "members:read"], json!({})).await;
    for change in &changes {
        for (client, member) in
            [(&as_admin, &owner), (&key, &owner), (&weak, &admin), (&weak, &agent), (&as_agent, &agent)]
        {
            patch(client, member, change.clone()).await.expect(403);
        }
        patch(&as_agent, &admin, change.clone()).await.expect(404);
    }
    patch(&as_admin, &agent, json!({ "email": new_email() })).await.expect(200);
    patch(&key, &admin, json!({ "email": new_email() })).await.expect(200);
    let path = format!("/api/members/{agent}");
    let tag = acme.owner.get(&path).await.expect(200).header("etag").to_owned();
    let stale = |body: Value| acme.owner.request("PATCH", &path).header("If-Match", tag.clone()).json(&body);
    acme.owner.send(stale(json!({ "email": new_email() }))).await.expect(200);
    acme.owner.send(stale(json!({ "email": new_email() }))).await.expect(412);
}

#[tokio::test]
async fn who_gets_a_new_identity_keeps_the_invitations_that_they_sent() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (id, admin) = acme.member(Role::Admin, &[]).await;
    let body = json!({ "email": new_email(), "role": "agent" });
    let invitation = admin.post("/api/invitations", body).await.expect(201).id();
    patch(&acme.owner, &id, json!({ "subject": "renamed", "email": new_email() })).await.expect(200);
    let state = acme.owner.get(&format!("/api/invitations/{invitation}")).await.expect(200).text_of("state");
    assert_eq!(state, "pending");
}
