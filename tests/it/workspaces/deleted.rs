//! Deleted workspaces: found without their ids by whoever may restore them, as long as they can be restored.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tenantry_domain::Role;
use tenantry_tests::{Answer, App, Client, Tenant};

const DELETED: &str = "/api/workspaces?state=deleted";

fn ids(page: &Answer) -> Vec<&str> {
    page.body["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

fn time(item: &Value, field: &str) -> DateTime<Utc> {
    item[field].as_str().unwrap_or_else(|| panic!("{field} in {item}")).parse().unwrap()
}

/// A workspace of this brand that is deleted; returns its id.
async fn deleted(tenant: &Tenant, brand: &str, name: &str) -> String {
    let id = tenant.workspace_of(brand, name).await;
    tenant.owner.delete(&format!("/api/workspaces/{id}")).await.expect(204);
    id
}

#[tokio::test]
async fn a_deleted_workspace_is_found_without_its_id_and_says_until_when_it_can_be_restored() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (kept, gone) = (acme.workspace("Kept").await, acme.workspace("Gone").await);
    let before = acme.owner.get(&format!("/api/workspaces/{gone}")).await.expect(200).body;
    acme.owner.delete(&format!("/api/workspaces/{gone}")).await.expect(204);
    let found = acme.owner.get(DELETED).await.expect(200);
    assert_eq!(ids(&found), [gone.as_str()]);
    let mut item = found.body["data"][0].clone();
    assert_eq!(time(&item, "erasedAt") - time(&item, "deletedAt"), TimeDelta::days(30));
    assert_eq!(item["deletedAt"], item["updatedAt"], "deleting it was its last change");
    for added in ["deletedAt", "erasedAt"] {
        item.as_object_mut().unwrap().remove(added);
    }
    item["updatedAt"] = before["updatedAt"].clone();
    assert_eq!(item, before, "all its fields");
    let active = acme.owner.get("/api/workspaces").await.expect(200);
    assert_eq!(ids(&active), [kept.as_str()]);
    assert_eq!(acme.owner.get("/api/workspaces?state=active").await.expect(200).body, active.body);
    assert!(!active.text.contains("deletedAt") && !active.text.contains("erasedAt"), "only on deleted ones");
    let restored = acme.owner.post(&format!("/api/workspaces/{gone}/restore"), json!({})).await.expect(200);
    assert!(!restored.text.contains("deletedAt"), "{}", restored.text);
    assert_eq!(ids(&acme.owner.get(DELETED).await.expect(200)), [""; 0]);
    for (word, code) in [("Deleted", "wrong_case"), ("erased", "not_a_choice"), ("", "not_a_choice")] {
        let refused = acme.owner.get(&format!("/api/workspaces?state={word}")).await.expect(422);
        assert_eq!(refused.refused(), [("state".to_owned(), code.to_owned())], "{word}");
    }
}

#[tokio::test]
async fn a_workspace_that_can_no_longer_be_restored_is_no_longer_found() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = deleted(&acme, &acme.brand, "Gone").await;
    let restore = format!("/api/workspaces/{id}/restore");
    for (age, found) in [("30 days 1 minute", false), ("29 days 23 hours", true)] {
        let sql = format!("UPDATE workspaces SET deleted_at = now() - interval '{age}'");
        app.database.admin().batch_execute(&sql).unwrap();
        assert_eq!(ids(&acme.owner.get(DELETED).await.expect(200)).contains(&id.as_str()), found, "{age}");
        acme.owner.post(&restore, json!({})).await.expect(if found { 200 } else { 404 });
    }
}

#[tokio::test]
async fn deleted_workspaces_have_pages_sorts_and_filters_like_others() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let mut all = Vec::new();
    for name in ["c", "a", "b"] {
        all.push(deleted(&acme, &acme.brand, name).await);
    }
    acme.workspace("a").await;
    for (sort, order) in [("createdAt", [0, 1, 2]), ("-updatedAt", [2, 1, 0]), ("name", [1, 2, 0])] {
        let list = format!("{DELETED}&limit=2&sort={sort}");
        let first = acme.owner.get(&list).await.expect(200);
        let cursor = first.text_of("nextCursor");
        let rest = acme.owner.get(&format!("{list}&cursor={cursor}")).await.expect(200);
        assert_eq!([ids(&first), ids(&rest)].concat(), order.map(|at| all[at].as_str()), "{sort}");
        assert!(!rest.text.contains("nextCursor"));
        let elsewhere = format!("/api/workspaces?limit=2&sort={sort}&cursor={cursor}");
        assert_eq!(acme.owner.get(&elsewhere).await.expect(400).body["code"], "bad_cursor");
    }
    assert_eq!(ids(&acme.owner.get(&format!("{DELETED}&q=A")).await.expect(200)), [all[1].as_str()]);
    assert_eq!(ids(&acme.owner.get(&format!("{DELETED}&country=SE")).await.expect(200)), [""; 0]);
}

#[tokio::test]
async fn whoever_may_restore_a_workspace_finds_it_and_nobody_else_does() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let other = acme.brand("Other").await;
    let (here, there) = (deleted(&acme, &acme.brand, "Here").await, deleted(&acme, &other, "There").await);
    deleted(&beta, &beta.brand, "Beta's").await;
    let (both, write) = (["workspaces:read", "workspaces:write"], ["workspaces:write"]);
    let restricted = async |to: Value| acme.key(&both, to).await;
    let role = async |role| acme.member(role, &[]).await.1;
    let everything = vec![here.as_str(), there.as_str()];
    let cases: Vec<(&str, Client, u16, Vec<&str>)> = vec![
        ("the owner's key", acme.owner.clone(), 200, everything.clone()),
        ("an owner", role(Role::Owner).await, 200, everything.clone()),
        ("an admin", role(Role::Admin).await, 200, everything.clone()),
        ("billing", role(Role::Billing).await, 403, vec![]),
        ("an agent", role(Role::Agent).await, 403, vec![]),
        ("an observer", role(Role::Observer).await, 403, vec![]),
        ("a key that reads", acme.key(&both[..1], json!({})).await, 403, vec![]),
        ("a key that writes", acme.key(&write, json!({})).await, 403, vec![]),
        ("a key of the brand", restricted(json!({ "brandId": acme.brand })).await, 200, vec![&here]),
        ("a key of the other brand", restricted(json!({ "brandId": other })).await, 200, vec![&there]),
        ("a key of another tenant", beta.key(&both, json!({})).await, 200, vec![]),
    ];
    for (who, client, status, found) in &cases {
        let page = client.get(DELETED).await.expect(*status);
        let ours: Vec<_> = match status {
            200 => ids(&page).into_iter().filter(|id| everything.contains(id)).collect(),
            _ => vec![],
        };
        assert_eq!(&ours, found, "{who}");
        for id in &everything {
            let restored = client.post(&format!("/api/workspaces/{id}/restore"), json!({})).await;
            // Who may restore and not list does not see the list; who sees it may restore what is in it, and nothing else.
            let may = found.contains(id) || *who == "a key that writes";
            assert_eq!((200..300).contains(&restored.status), may, "{who}: {}", restored.text);
            if may {
                acme.owner.delete(&format!("/api/workspaces/{id}")).await.expect(204);
            }
        }
    }
    // A key of one workspace may not restore it, also while that workspace is there.
    let kept = acme.workspace("Kept").await;
    restricted(json!({ "workspaceId": kept })).await.get(DELETED).await.expect(403);
    let refused = acme.key(&both[..1], json!({})).await.get(DELETED).await.expect(403);
    assert_eq!(refused.body["code"], "insufficient_scope");
    assert!(refused.header("www-authenticate").contains("workspaces:write"), "{}", refused.text);
}
