//! Every operation of the platform × every kind of actor → status, in one file that a person can read.

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use serde_json::json;
use tenantry_domain::{KeyMode, Role};
use tenantry_tests::{Answer, App, Client, Contract, Operation, Rows, Tenant, difference};

use super::path;

const ACTORS: [&str; 17] = [
    "no key",
    "malformed key",
    "unknown key of the tenant",
    "revoked key of the tenant",
    "expired key of the tenant",
    "owner of a suspended tenant",
    "owner of a deleted tenant",
    "unknown platform key",
    "only tenant:read in the tenant",
    "only tenant:write in the tenant",
    "owner of the tenant",
    "owner of another tenant",
    "member (owner) of the tenant",
    "member (billing) of the tenant",
    "removed member of the tenant",
    "token of a stranger",
    "platform key",
];

/// A tenant that is asked for by its own people and by others; the platform asks for one that is as the operation needs it.
struct Cast {
    app: App,
    ours: Tenant,
    clients: Vec<Client>,
    rows: Rows,
}

impl Cast {
    async fn new() -> Self {
        let app = App::start().await;
        let [ours, other, suspended, deleted] = [
            app.tenant("Ours").await,
            app.tenant("Other").await,
            app.tenant("Suspended").await,
            app.tenant("Deleted").await,
        ];
        app.platform().post(&format!("{}/suspend", path(&suspended)), json!({})).await.expect(200);
        app.platform().delete(&path(&deleted)).await.expect(204);
        let key = async || ours.key_with_id(&["tenant:read", "tenant:write"], json!({})).await;
        let ((revoked, id), (expired, late)) = (key().await, key().await);
        ours.owner.delete(&format!("/api/api-keys/{id}")).await.expect(204);
        let sql = format!("UPDATE api_keys SET expires_at = now() WHERE id = '{late}'");
        app.database.admin().batch_execute(&sql).unwrap();
        let (id, removed) = ours.member(Role::Owner, &[]).await;
        ours.member(Role::Owner, &[]).await.1.delete(&format!("/api/members/{id}")).await.expect(204);
        let with = |secret: &str| app.client().with_key(secret);
        let clients = vec![
            app.client(),
            with("tnt_live_v1_mistyped"),
            with(tenantry_auth::issue(ours.id, KeyMode::Live).unwrap().reveal()),
            revoked,
            expired,
            suspended.owner.clone(),
            deleted.owner.clone(),
            with(tenantry_auth::issue_platform().unwrap().reveal()),
            ours.key(&["tenant:read"], json!({})).await,
            ours.key(&["tenant:write"], json!({})).await,
            ours.owner.clone(),
            other.owner.clone(),
            ours.member(Role::Owner, &[]).await.1,
            ours.member(Role::Billing, &[]).await.1,
            removed,
            with(&app.people.token("a stranger", Some(ours.id), json!({}))),
            app.platform(),
        ];
        let rows = Rows::of(&app.database);
        Self { app, ours, clients, rows }
    }

    /// One call, and what it must and must not have done to the rows.
    async fn play(&mut self, operation: &Operation, actor: usize) -> Answer {
        let is_platform = ACTORS[actor] == "platform key";
        let path = match is_platform {
            true => self.app.admin_target(operation).await.1,
            false => operation.path.replace("{tenantId}", &self.ours.id.to_string()),
        };
        let before = self.rows.all();
        let answer = operation.send(&self.clients[actor], &path, operation.body().as_ref()).await;
        let changes = difference(&before, &self.rows.all());
        let here = format!("{operation} by {}: {} {changes:#?}", ACTORS[actor], answer.text);
        assert_eq!((200..300).contains(&answer.status), is_platform, "{here}");
        assert_eq!(changes.is_empty(), !is_platform || !operation.writes(), "{here}");
        answer
    }
}

/// The golden file: rewrite it with `UPDATE_GOLDEN=1 cargo test --test it platform::` and read the difference.
#[tokio::test]
async fn each_operation_of_the_platform_answers_each_kind_of_actor_as_the_golden_file_says() {
    let contract = Contract::new();
    let mut file = String::from(
        "What each operation of the platform answers to whom. \"The tenant\" is the one that its path names, where it names one.\n",
    );
    let mut cast = Cast::new().await;
    assert_eq!(cast.clients.len(), ACTORS.len());
    for operation in Operation::of_the_platform() {
        let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
        for (actor, words) in ACTORS.iter().enumerate() {
            let answer = cast.play(&operation, actor).await;
            contract.hold(&operation, &answer);
            by_status.entry(answer.status).or_default().push(words);
        }
        file += &format!("\n{operation}\n");
        for (status, actors) in by_status {
            file += &format!("  {status}  {}\n", actors.join("\n       "));
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/it/platform.golden.txt");
    #[expect(clippy::disallowed_methods, reason = "a test's own switch")]
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &file).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    assert!(file == golden, "the file is not what the service does:\n{file}");
}

#[tokio::test]
async fn a_suspended_tenant_is_told_so_and_a_deleted_one_is_not_known() {
    let cast = Cast::new().await;
    let codes: Vec<_> = {
        let mut codes = Vec::new();
        for client in &cast.clients[..8] {
            codes.push(client.get("/api/admin/tenants").await.expect(401).text_of("code"));
        }
        codes
    };
    let (missing, invalid) = ("missing_credentials", "invalid_credentials");
    assert_eq!(codes, [missing, invalid, invalid, invalid, invalid, "tenant_suspended", invalid, invalid]);
}
