//! What somebody leaves behind who is removed, suspended or loses a role: what they may no longer give is revoked, and what stays can
//! be found.

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tenantry_domain::{Role, Scope};
use tenantry_tests::{App, Client, Tenant, new_email, new_name};

async fn invited(client: &Client, role: &str) -> String {
    client.post("/api/invitations", json!({ "email": new_email(), "role": role })).await.expect(201).id()
}

async fn state(tenant: &Tenant, id: &str) -> String {
    tenant.owner.get(&format!("/api/invitations/{id}")).await.expect(200).text_of("state")
}

/// The ids in a list.
async fn ids(tenant: &Tenant, path: &str) -> Vec<String> {
    let list = tenant.owner.get(path).await.expect(200);
    list.body["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

/// A change of a member: its method, and its body.
type Change = (&'static str, Option<Value>);

async fn change(client: &Client, member: &str, (method, body): &Change) {
    let request = client.request(method, &format!("/api/members/{member}"));
    let answer = client.send(body.iter().fold(request, |request, body| request.json(body))).await;
    assert!((200..300).contains(&answer.status), "{}", answer.text);
}

#[tokio::test]
async fn invitations_by_who_is_removed_suspended_or_demoted_are_revoked_and_the_log_says_so() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let changes: [(Change, &str); 4] = [
        (("DELETE", None), "member.remove"),
        (("PATCH", Some(json!({ "status": "suspended" }))), "member.update"),
        (("PATCH", Some(json!({ "role": "agent" }))), "member.update"),
        (("PATCH", Some(json!({ "role": "billing" }))), "member.update"),
    ];
    let by_others = invited(&acme.owner, "agent").await;
    for (one, action) in changes {
        let (id, admin) = acme.member(Role::Admin, &[]).await;
        let mine = [invited(&admin, "admin").await, invited(&admin, "observer").await];
        let key = json!({ "name": "Left behind", "scopes": ["tenant:read"] });
        let key = admin.post("/api/api-keys", key).await.expect(201);
        let maker = json!({ "type": "member", "id": id });
        let shown = acme.owner.get(&format!("/api/invitations/{}", mine[0])).await.expect(200);
        assert_eq!((&shown.body["invitedBy"], &key.body["createdBy"]), (&maker, &maker));
        change(&acme.owner, &id, &one).await;
        for invitation in &mine {
            assert_eq!(state(&acme, invitation).await, "revoked", "{one:?}");
            let path = format!("/api/audit-events?action={action}&subjectId={invitation}");
            assert_eq!(ids(&acme, &path).await.len(), 1, "{one:?}");
        }
        // What stays can be found.
        assert_eq!(ids(&acme, &format!("/api/api-keys?createdBy={id}")).await, [key.id()]);
        assert_eq!(ids(&acme, &format!("/api/invitations?invitedBy={id}&state=pending")).await, Vec::<String>::new());
        assert_eq!(ids(&acme, &format!("/api/invitations?invitedBy={id}")).await.len(), 2);
    }
    assert_eq!(state(&acme, &by_others).await, "pending");
}

#[tokio::test]
async fn who_keeps_the_power_to_give_a_role_keeps_its_invitations() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (_, owner) = acme.member(Role::Owner, &[]).await;
    let (id, other) = acme.member(Role::Owner, &[]).await;
    let (high, low) = (invited(&other, "owner").await, invited(&other, "agent").await);
    change(&owner, &id, &("PATCH", Some(json!({ "role": "admin" })))).await;
    assert_eq!((state(&acme, &high).await, state(&acme, &low).await), ("revoked".to_owned(), "pending".to_owned()));
    // Whoever hands the tenant over becomes an admin, too.
    let (to, _) = acme.member(Role::Admin, &[]).await;
    let (high, low) = (invited(&owner, "owner").await, invited(&owner, "agent").await);
    owner.post("/api/tenant/transfer-ownership", json!({ "memberId": to })).await.expect(200);
    assert_eq!((state(&acme, &high).await, state(&acme, &low).await), ("revoked".to_owned(), "pending".to_owned()));
    // Who sends an invitation again answers for it.
    let (id, admin) = acme.member(Role::Admin, &[]).await;
    let again = invited(&admin, "agent").await;
    acme.owner.post(&format!("/api/invitations/{again}/resend"), json!({})).await.expect(200);
    change(&acme.owner, &id, &("DELETE", None)).await;
    assert_eq!(state(&acme, &again).await, "pending");
}

#[tokio::test]
async fn invitations_that_were_made_with_a_key_are_revoked_with_it() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let all: Vec<_> = Scope::all().iter().map(|scope| scope.as_str()).collect();
    let (key, id) = acme.key_with_id(&all, json!({})).await;
    let (mine, other) = (invited(&key, "agent").await, invited(&acme.owner, "agent").await);
    acme.owner.delete(&format!("/api/api-keys/{id}")).await.expect(204);
    assert_eq!((state(&acme, &mine).await, state(&acme, &other).await), ("revoked".to_owned(), "pending".to_owned()));
}

/// Everything that gives somebody something or takes it away: method, path and body, each with things of its own.
async fn gifts(tenant: &Tenant) -> Vec<(&'static str, String, Value)> {
    let workspace = tenant.workspace(&new_name("Of a gift")).await;
    let (member, _) = tenant.member(Role::Agent, &[]).await;
    let (assigned, _) = tenant.member(Role::Agent, &[&workspace]).await;
    let (_, key) = tenant.key_with_id(&["tenant:read"], json!({})).await;
    let invitation = tenant.invitation(&new_email(), json!({})).await;
    let all = tenant.owner.get("/api/workspace/get-all").await.expect(200).body["workspaces"].clone();
    let number = all.as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).max().unwrap();
    let path = format!("/api/workspace/get/{number}");
    let slot = tenant.owner.get(&path).await.expect(200).body["data"]["members"][0]["id"].clone();
    let late = json!({ "name": "Late", "scopes": ["tenant:read"] });
    vec![
        ("POST", "/api/api-keys".to_owned(), late),
        ("POST", format!("/api/api-keys/{key}/rotate"), json!({})),
        ("DELETE", format!("/api/api-keys/{key}"), Value::Null),
        ("POST", "/api/invitations".to_owned(), json!({ "email": new_email(), "role": "agent" })),
        ("POST", "/api/invitations/batch".to_owned(), json!({ "emails": [new_email()], "role": "agent" })),
        ("POST", format!("/api/invitations/{invitation}/resend"), json!({})),
        ("DELETE", format!("/api/invitations/{invitation}"), Value::Null),
        ("PATCH", format!("/api/members/{member}"), json!({ "role": "observer" })),
        ("DELETE", format!("/api/members/{member}"), Value::Null),
        ("PUT", format!("/api/workspaces/{workspace}/members/{member}"), Value::Null),
        ("DELETE", format!("/api/workspaces/{workspace}/members/{assigned}"), Value::Null),
        ("POST", "/api/workspace/invite-user".to_owned(), json!({ "workspace_id": number, "email": new_email() })),
        ("DELETE", format!("/api/workspace/invite-delete/{slot}"), Value::Null),
    ]
}

/// The tenant as the service locks it for a change of members; then what another request would commit meanwhile.
#[tokio::test]
async fn nobody_gives_or_takes_while_they_are_being_removed_or_their_key_is_being_revoked() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let all: Vec<_> = Scope::all().iter().map(|scope| scope.as_str()).collect();
    let waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database()
                   AND usename = 'tenantry_service' AND wait_event_type = 'Lock'";
    for (method, path, body) in gifts(&acme).await {
        let (member, admin) = acme.member(Role::Admin, &[]).await;
        let (demoted, former) = acme.member(Role::Admin, &[]).await;
        let (key, id) = acme.key_with_id(&all, json!({})).await;
        let gone = [
            (admin, 401, format!("DELETE FROM members WHERE id = '{member}'")),
            (former, 403, format!("UPDATE members SET role = 'billing' WHERE id = '{demoted}'")),
            (key, 401, format!("UPDATE api_keys SET revoked_at = now() WHERE id = '{id}'")),
        ];
        for (client, status, sql) in gone {
            let mut other = app.database.admin();
            other.batch_execute(&format!("BEGIN; SELECT FROM tenants WHERE id = '{}' FOR UPDATE", acme.id)).unwrap();
            let request = client.request(method, &path);
            let request = if body.is_null() { request } else { request.json(&body) };
            let giving = tokio::spawn(async move { client.send(request).await });
            while app.database.rows(waiting) == 0 && !giving.is_finished() {
                tokio::task::yield_now().await;
            }
            other.batch_execute(&format!("{sql}; COMMIT")).unwrap();
            assert_eq!(giving.await.unwrap().status, status, "{method} {path}: {sql}");
        }
    }
}
