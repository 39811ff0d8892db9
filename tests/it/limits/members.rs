//! Places for members, under the limit of the workspace and that of the tenant.

use futures_util::future::join_all;
use serde_json::json;
use tenantry_domain::Role;
use tenantry_tests::{Answer, App, Client, new_email};

use super::{cap, limit};

async fn assign(client: &Client, workspace: &str, member: &str) -> Answer {
    client.send(client.request("PUT", &format!("/api/workspaces/{workspace}/members/{member}"))).await
}

#[tokio::test]
async fn a_workspace_has_no_more_members_than_the_smaller_limit() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (small, large) = (acme.workspace("Small").await, acme.workspace("Large").await);
    cap(&app, &acme, "max_members", 2);
    limit(&acme, &small, json!({ "maxMembers": 1 })).await;
    limit(&acme, &large, json!({ "maxMembers": 9 })).await;
    let mut members = Vec::new();
    for _ in 0..3 {
        members.push(acme.member(Role::Agent, &[]).await.0);
    }
    for (workspace, places) in [(&small, 1), (&large, 2)] {
        for (at, member) in members.iter().enumerate() {
            let answer = assign(&acme.owner, workspace, member).await;
            if at < places {
                answer.expect(200);
            } else {
                let refused = answer.expect(409);
                assert_eq!(refused.body["code"], "limit_reached");
                assert!(refused.text_of("error").contains(&format!("limit of {places} member")), "{}", refused.text);
            }
        }
        let invitation = json!({ "email": new_email(), "role": "agent", "workspaceIds": [workspace] });
        acme.owner.post("/api/invitations", invitation).await.expect(409);
    }
    // Lowered below what is there: that stays, and grows no more until there is room again.
    limit(&acme, &large, json!({ "maxMembers": 0 })).await;
    let listed = acme.owner.get(&format!("/api/workspaces/{large}/members")).await.expect(200);
    assert_eq!(listed.body["data"].as_array().unwrap().len(), 2);
    assign(&acme.owner, &large, &members[2]).await.expect(409);
    limit(&acme, &large, json!({ "maxMembers": null })).await;
    cap(&app, &acme, "max_members", "NULL");
    assign(&acme.owner, &large, &members[2]).await.expect(200);
}

#[tokio::test]
async fn many_who_want_the_last_places_of_a_workspace_get_no_more_than_it_has() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let replica = app.replica().with_key(acme.owner.key());
    let id = acme.workspace("DACH").await;
    limit(&acme, &id, json!({ "maxMembers": 4 })).await;
    let mut members = Vec::new();
    for _ in 0..10 {
        members.push(acme.member(Role::Agent, &[]).await.0);
    }
    let assigning = join_all(members.iter().map(|member| assign(&acme.owner, &id, member)));
    let invitation = || json!({ "email": new_email(), "role": "agent", "workspaceIds": [id] });
    let inviting = join_all((0..10).map(|_| replica.post("/api/invitations", invitation())));
    let (assigned, invited) = tokio::join!(assigning, inviting);
    let answers: Vec<_> = assigned.into_iter().chain(invited).collect();
    assert_eq!(answers.iter().filter(|answer| answer.status < 300).count(), 4);
    assert!(answers.iter().all(|answer| answer.status < 300 || answer.body["code"] == "limit_reached"), "{answers:?}");
    assert_eq!(app.database.rows("SELECT FROM assignments UNION ALL SELECT FROM invitation_workspaces"), 4);
}
