//! Numbers name the same things after a move, and none is given twice.

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tenantry_domain::Role;
use tenantry_tests::{App, Client, Tenant};

use super::{exported, import};

/// Everybody with a slot in the workspace with this number, as the dialect names them.
async fn people(client: &Client, number: i64) -> Value {
    client.get(&format!("/api/workspace/get/{number}")).await.expect(200).body["data"]["members"].clone()
}

async fn invite(tenant: &Tenant, number: i64, email: &str) {
    let body = json!({ "workspace_id": number, "email": email });
    tenant.owner.post("/api/workspace/invite-user", body).await.expect(200);
}

#[tokio::test]
async fn the_dialect_names_the_same_people_and_workspaces_after_a_move() {
    let (here, there) = (App::start().await, App::start().await);
    let acme = here.tenant("Acme").await;
    // The third to the fifth are gone, and so are the people in them.
    for name in ["One", "Two", "Three", "Four", "Five"] {
        acme.owner.post("/api/workspace/create", json!({ "name": name })).await.expect(200);
    }
    for number in [5, 2, 1] {
        invite(&acme, number, &format!("invited.{number}@example.com")).await;
        let workspace = &acme.owner.get("/api/workspaces").await.expect(200).body["data"][number as usize - 1]["id"];
        acme.member(Role::Agent, &[workspace.as_str().unwrap()]).await;
    }
    let erase = format!("DELETE FROM workspaces WHERE tenant_id = '{}' AND number > 2", acme.id);
    here.database.admin().batch_execute(&erase).unwrap();
    let (text, _) = exported(&here, &acme).await;
    let moved = there.tenant("Empty").await;
    import(&there, &moved, &text).await.unwrap();

    let list = acme.owner.get("/api/workspace/get-all").await.expect(200).body;
    assert_eq!(moved.owner.get("/api/workspace/get-all").await.expect(200).body, list);
    // Whoever was invited is invited again, and keeps the number.
    let expired = moved.owner.get("/api/invitations?state=expired").await.expect(200).body;
    for invitation in expired["data"].as_array().unwrap() {
        let resend = format!("/api/invitations/{}/resend", invitation["id"].as_str().unwrap());
        moved.owner.post(&resend, json!({})).await.expect(200);
    }
    for number in [1, 2] {
        let before = people(&acme.owner, number).await;
        assert_eq!(before.as_array().unwrap().len(), 2);
        assert_eq!(people(&moved.owner, number).await, before);
    }
    let first = people(&acme.owner, 1).await[0].clone();
    for tenant in [&acme, &moved] {
        tenant.owner.delete(&format!("/api/workspace/invite-delete/{}", first["id"])).await.expect(200);
        let left = people(&tenant.owner, 1).await;
        assert!(left.as_array().unwrap().len() == 1 && left[0] != first, "{left}");
    }
    for tenant in [&acme, &moved] {
        tenant.owner.post("/api/workspace/create", json!({ "name": "Next" })).await.expect(200);
        let names = tenant.owner.get("/api/workspace/get-all").await.expect(200).body["workspaces"].clone();
        assert_eq!(names[2], json!({ "id": 6, "name": "Next" }), "{names}: 5 was given, and what had it is gone");
        invite(tenant, 6, "next@example.com").await;
        assert_eq!(people(&tenant.owner, 6).await[0]["id"], 7, "six slots were given, two of which are gone");
    }
}

#[tokio::test]
async fn the_slot_of_an_accepted_invitation_is_the_members() {
    let (here, there) = (App::start().await, App::start().await);
    let acme = here.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    acme.invitation("ada@example.com", json!({ "workspaceIds": [workspace] })).await;
    acme.member(Role::Agent, &[&workspace]).await;
    // What the acceptance leaves: the slot that the invitation held is the member's.
    let accept = format!(
        "UPDATE invitations SET accepted_at = now() WHERE tenant_id = '{0}';
         UPDATE assignments SET number = 1 WHERE tenant_id = '{0}'",
        acme.id
    );
    here.database.admin().batch_execute(&accept).unwrap();
    let (text, _) = exported(&here, &acme).await;
    let moved = there.tenant("Empty").await;
    import(&there, &moved, &text).await.unwrap();
    assert_eq!(people(&moved.owner, 1).await, people(&acme.owner, 1).await);
}
