//! Nothing tells a credential of somebody else from one that nobody knows: neither the answer nor the work.

use std::collections::BTreeSet;

use chrono::Utc;
use diesel::connection::SimpleConnection;
use serde_json::json;
use tenantry_auth::{issue, issue_invitation, issue_platform, issue_service};
use tenantry_domain::{KeyMode, Role, TenantId};
use tenantry_tests::{App, new_name};
use uuid::Uuid;

use super::ask;

#[tokio::test]
async fn whatever_is_wrong_with_a_credential_the_answer_and_the_work_are_the_same() {
    let app = App::start().await;
    let (ours, theirs) = (app.tenant("Ours").await, app.tenant("Theirs").await);
    let here = ours.workspace("Here").await;
    let (revoked, id) = ours.key_with_id(&["workspaces:read"], json!({})).await;
    ours.owner.delete(&format!("/api/api-keys/{id}")).await.expect(204);
    let (expired, id) = ours.key_with_id(&["workspaces:read"], json!({})).await;
    let sql = format!("UPDATE api_keys SET expires_at = now() WHERE id = '{id}'");
    app.database.admin().batch_execute(&sql).unwrap();
    let deleted = app.tenant("Deleted").await;
    app.platform().delete(&format!("/api/admin/tenants/{}", deleted.id)).await.expect(204);
    let (member, subject) = ours.member_called(Role::Admin, &[]).await;
    let removed = app.people.token(&subject, Some(ours.id), json!({}));
    ours.owner.delete(&format!("/api/members/{member}")).await.expect(204);
    let subject = ours.member_called(Role::Admin, &[]).await.1;
    let token = |more| app.people.token(&subject, Some(ours.id), more);
    let good = token(json!({}));
    let now = Utc::now().timestamp();
    let nobody = Uuid::now_v7();
    let wrong = [
        ("malformed", "tnt_live_v1_mistyped".to_owned()),
        ("empty", String::new()),
        ("with a space", format!("{} ", ours.owner.key())),
        ("unknown in our tenant", issue(ours.id, KeyMode::Live).unwrap().reveal().to_owned()),
        ("unknown in theirs", issue(theirs.id, KeyMode::Live).unwrap().reveal().to_owned()),
        ("of no tenant", issue(TenantId::from_uuid(nobody), KeyMode::Test).unwrap().reveal().to_owned()),
        ("of a deleted tenant", deleted.owner.key().to_owned()),
        ("revoked", revoked.key().to_owned()),
        ("expired", expired.key().to_owned()),
        ("a platform key", app.platform().key().to_owned()),
        ("an unknown platform key", issue_platform().unwrap().reveal().to_owned()),
        ("a service key", app.service().key().to_owned()),
        ("an unknown service key", issue_service().unwrap().reveal().to_owned()),
        ("a token of an invitation", issue_invitation(ours.id).unwrap().reveal().to_owned()),
        ("garbled token", format!("{}x", good)),
        ("no token at all", "a.b.c".to_owned()),
        ("token that is too long", format!("{good}{}", "x".repeat(20_000))),
        ("expired token", token(json!({ "iat": now - 600, "exp": now - 31 }))),
        ("token for others", token(json!({ "aud": "https://another.tenantry.test" }))),
        ("token of an unknown issuer", token(json!({ "iss": "https://login.another.test/" }))),
        ("token without a tenant", app.people.token(&subject, None, json!({}))),
        ("token for another tenant", app.people.token(&subject, Some(theirs.id), json!({}))),
        ("token of a stranger", app.people.token(&new_name("Stranger"), Some(ours.id), json!({}))),
        ("token of a removed member", removed),
    ];
    let door = app.replica_on(&App::store(&app.database.service_url(), |pool| pool.look_up_lane = false));
    let questions = json!([{ "workspaceId": here }, { "permission": "workspace.read" }]);
    let (mut answers, mut works) = (BTreeSet::new(), BTreeSet::new());
    for (what, token) in &wrong {
        for service in [app.service(), app.service().at(&door)] {
            let before = app.store.state().lane;
            let answer = ask(&service, token, questions.clone()).await.expect(200);
            assert_eq!(answer.text, "{\"active\":false}", "{what}");
            let after = app.store.state().lane;
            if service.base() == app.base {
                works.insert((after.look_ups - before.look_ups, after.batches - before.batches));
            }
            // What is left of its own requests is about the asker.
            let told = answer
                .headers
                .iter()
                .filter(|(name, _)| !["date", "x-request-id", "ratelimit"].contains(&name.as_str()));
            answers.insert(told.map(|(name, value)| format!("{name}: {value:?}")).collect::<BTreeSet<_>>());
        }
    }
    assert_eq!(answers.len(), 1, "{answers:#?}");
    assert_eq!(works, BTreeSet::from([(1, 1)]), "each is looked up, once");
    for good in [ours.owner.key(), &good] {
        assert_eq!(ask(&app.service(), good, questions.clone()).await.expect(200).body["active"], true, "the control");
    }
}
