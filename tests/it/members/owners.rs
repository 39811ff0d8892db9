//! Who gives and takes roles, and that a tenant always keeps an owner.

use futures_util::future::join_all;
use serde_json::json;
use tenantry_domain::{Choice, Role};
use tenantry_tests::{Answer, App, Client, Tenant, new_email};

const OWNERS: &str = "SELECT FROM members WHERE role = 'owner' AND status = 'active'";
const EVENTS: &str = "SELECT FROM audit_events";

async fn patch(client: &Client, member: &str, body: serde_json::Value) -> Answer {
    client.patch(&format!("/api/members/{member}"), body).await
}

fn is_last_owner(answer: Answer) {
    assert_eq!(answer.expect(409).body["code"], "last_owner");
}

#[tokio::test]
async fn the_last_owner_is_not_demoted_suspended_removed_and_does_not_leave() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (only, client) = acme.member(Role::Owner, &[]).await;
    let before = app.database.rows(EVENTS);
    is_last_owner(patch(&client, &only, json!({ "role": "admin" })).await);
    is_last_owner(patch(&client, &only, json!({ "status": "suspended" })).await);
    is_last_owner(client.delete(&format!("/api/members/{only}")).await);
    assert_eq!((app.database.rows(OWNERS), app.database.rows(EVENTS)), (1, before));
    // A suspended one is no help, and an active one is.
    let (second, _) = acme.member(Role::Owner, &[]).await;
    patch(&client, &second, json!({ "status": "suspended" })).await.expect(200);
    is_last_owner(client.delete(&format!("/api/members/{only}")).await);
    patch(&client, &second, json!({ "status": "active" })).await.expect(200);
    client.delete(&format!("/api/members/{only}")).await.expect(204);
    assert_eq!(app.database.rows(OWNERS), 1);
}

#[tokio::test]
async fn two_owners_who_demote_or_remove_each_other_at_once_leave_one() {
    let app = App::start().await;
    let replica = app.replica();
    for round in 0..12 {
        let acme = app.tenant(&format!("Acme {round}")).await;
        let ((one, first), (two, second)) = (acme.member(Role::Owner, &[]).await, acme.member(Role::Owner, &[]).await);
        let second = replica.with_key(second.key());
        let answers = if round % 2 == 0 {
            let body = || json!({ "role": "admin" });
            join_all([patch(&first, &two, body()), patch(&second, &one, body())]).await
        } else {
            let (one, two) = (format!("/api/members/{one}"), format!("/api/members/{two}"));
            join_all([first.delete(&two), second.delete(&one)]).await
        };
        let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        let won = statuses.iter().filter(|status| **status < 300).count();
        assert_eq!(won, 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [200, 204, 401, 403].contains(status)), "{statuses:?}");
        let owners = format!("{OWNERS} AND tenant_id = '{}'", acme.id);
        assert_eq!(app.database.rows(&owners), 1);
    }
}

#[tokio::test]
async fn many_owners_who_all_leave_at_once_leave_one() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let mut owners = Vec::new();
    for _ in 0..8 {
        owners.push(acme.member(Role::Owner, &[]).await);
    }
    let leave = owners.iter().map(|(id, client)| async move { client.delete(&format!("/api/members/{id}")).await });
    let answers = join_all(leave).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 204).count(), 7);
    is_last_owner(answers.into_iter().find(|answer| answer.status != 204).unwrap());
    assert_eq!(app.database.rows(OWNERS), 1);
}

#[tokio::test]
async fn an_ownership_is_transferred_in_one_step() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let (old, owner) = acme.member(Role::Owner, &[]).await;
    let (new, agent) = acme.member(Role::Agent, &[]).await;
    let (foreign, _) = beta.member(Role::Agent, &[]).await;
    let transfer = |client: &Client, to: &str| {
        let (client, body) = (client.clone(), json!({ "memberId": to }));
        async move { client.post("/api/tenant/transfer-ownership", body).await }
    };
    for nobody in [&foreign, &uuid::Uuid::now_v7().to_string(), &old] {
        assert_eq!(transfer(&owner, nobody).await.expect(422).refused(), [("memberId".into(), "not_found".into())]);
    }
    for other in [&agent, &acme.owner, &acme.member(Role::Admin, &[]).await.1] {
        transfer(other, &new).await.expect(403);
    }
    patch(&owner, &new, json!({ "status": "suspended" })).await.expect(200);
    assert_eq!(transfer(&owner, &new).await.expect(409).body["code"], "member_suspended");
    patch(&owner, &new, json!({ "status": "active" })).await.expect(200);
    assert_eq!(transfer(&owner, &new).await.expect(200).body["role"], "owner");
    let role = async |id: &str| acme.owner.get(&format!("/api/members/{id}")).await.expect(200).text_of("role");
    assert_eq!((role(&old).await.as_str(), role(&new).await.as_str()), ("admin", "owner"));
    transfer(&owner, &old).await.expect(403);
    transfer(&agent, &old).await.expect(200);
}

#[tokio::test]
async fn of_many_transfers_at_once_one_happens() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (_, owner) = acme.member(Role::Owner, &[]).await;
    let mut others = Vec::new();
    for _ in 0..6 {
        others.push(acme.member(Role::Agent, &[]).await.0);
    }
    let transfer = others.iter().map(|id| owner.post("/api/tenant/transfer-ownership", json!({ "memberId": id })));
    let answers = join_all(transfer).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(answers.iter().all(|answer| [200, 403].contains(&answer.status)));
    assert_eq!(app.database.rows(OWNERS), 1);
}

/// Every way in which somebody can try to give a role.
async fn give(tenant: &Tenant, client: &Client, role: Role) -> Vec<Answer> {
    let before = if role == Role::Observer { Role::Agent } else { Role::Observer };
    let (member, _) = tenant.member(before, &[]).await;
    vec![
        client.post("/api/invitations", json!({ "email": new_email(), "role": role.as_str() })).await,
        client.post("/api/invitations/batch", json!({ "emails": [new_email()], "role": role.as_str() })).await,
        patch(client, &member, json!({ "role": role.as_str() })).await,
    ]
}

#[tokio::test]
async fn nobody_gives_a_role_that_may_do_more_than_they_may() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (_, owner) = acme.member(Role::Owner, &[]).await;
    let (_, admin) = acme.member(Role::Admin, &[]).await;
    let working = [
        "members:read",
        "members:write",
        "tenant:read",
        "brands:read",
        "workspaces:read",
        "workspaces:write",
        "usage:read",
        "usage:write",
        "integrations:read",
    ];
    let worker = acme.key(&working, json!({})).await;
    let narrow = acme.key(&["members:write"], json!({})).await;
    for (client, given) in [
        (&owner, &[Role::Owner, Role::Admin, Role::Billing, Role::Agent, Role::Observer][..]),
        (&admin, &[Role::Admin, Role::Billing, Role::Agent, Role::Observer]),
        (&acme.owner, &[Role::Admin, Role::Billing, Role::Agent, Role::Observer]),
        (&worker, &[Role::Billing, Role::Agent, Role::Observer]),
        (&narrow, &[]),
    ] {
        for (role, _) in Role::ALL {
            let before = app.database.rows("SELECT FROM invitations");
            for answer in give(&acme, client, *role).await {
                let allowed = given.contains(role);
                assert_eq!((200..300).contains(&answer.status), allowed, "{role}: {}", answer.text);
                assert!(allowed || answer.status == 403, "{role}: {}", answer.text);
            }
            let made = app.database.rows("SELECT FROM invitations") - before;
            assert_eq!(made, if given.contains(role) { 2 } else { 0 }, "{role}");
        }
    }
}

#[tokio::test]
async fn nobody_takes_a_role_that_they_could_not_give() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (first, owner) = acme.member(Role::Owner, &[]).await;
    let (second, _) = acme.member(Role::Owner, &[]).await;
    let (_, admin) = acme.member(Role::Admin, &[]).await;
    for client in [&admin, &acme.owner] {
        patch(client, &first, json!({ "role": "agent" })).await.expect(403);
        patch(client, &first, json!({ "status": "suspended" })).await.expect(403);
        client.delete(&format!("/api/members/{first}")).await.expect(403);
    }
    let invited = owner.post("/api/invitations", json!({ "email": new_email(), "role": "owner" })).await.expect(201);
    admin.delete(&format!("/api/invitations/{}", invited.id())).await.expect(403);
    admin.post(&format!("/api/invitations/{}/resend", invited.id()), json!({})).await.expect(403);
    assert_eq!(app.database.rows(OWNERS), 2);
    owner.delete(&format!("/api/members/{second}")).await.expect(204);
}
