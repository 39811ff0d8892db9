//! Many tenants at once, in each of which what its people and keys may see changes all the time.

use std::sync::Arc;

use serde_json::json;
use tenantry_domain::Role;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{App, Client, Tenant};

/// How many tenants change at the same time.
const AT_ONCE: usize = 24;

/// One tenant, and what each of its callers is to hear now.
struct World {
    platform: Client,
    tenant: Tenant,
    replica: Client,
    workspace: String,
    second: String,
    /// Each caller with the status of a look-up of the workspace, and of `/api/me`.
    callers: Vec<(&'static str, Client, u16, u16)>,
    asked: usize,
}

impl World {
    async fn new(app: &App, replica: Client, number: usize) -> Self {
        let tenant = app.tenant(&format!("Tenant {number}")).await;
        let second = tenant.brand("Second").await;
        let workspace = tenant.workspace("Asked for").await;
        let read = &["workspaces:read"];
        let of_brand = tenant.key(read, json!({ "brandId": tenant.brand })).await;
        let of_workspace = tenant.key(read, json!({ "workspaceId": workspace })).await;
        let admin = tenant.member(Role::Admin, &[]).await.1;
        let callers = vec![
            ("the owner", tenant.owner.clone(), 200, 200),
            ("a key of the brand", of_brand, 200, 200),
            ("a key of the workspace", of_workspace, 200, 200),
            ("an admin", admin, 200, 200),
        ];
        Self { platform: app.platform(), tenant, replica, workspace, second, callers, asked: 0 }
    }

    fn path(&self) -> String {
        format!("/api/workspaces/{}", self.workspace)
    }

    /// Asks as everybody on both replicas, and hears what is true now.
    async fn ask(&mut self, after: &str) {
        let (path, name) = (self.path(), self.tenant.id);
        for (who, client, look_up, me) in &self.callers {
            for client in [client.clone(), client.at(&self.replica)] {
                for (path, expected) in [(path.as_str(), look_up), ("/api/me", me)] {
                    let answer = client.get(path).await;
                    assert_eq!(answer.status, *expected, "{path} as {who} of {name} after {after}: {}", answer.text);
                    assert!(answer.status != 200 || answer.text.contains(&name.to_string()), "of another tenant");
                    self.asked += 1;
                }
            }
        }
    }

    fn now(&mut self, who: &'static str, look_up: u16, me: u16) {
        for caller in self.callers.iter_mut().filter(|caller| caller.0 == who) {
            (caller.2, caller.3) = (look_up, me);
        }
    }

    async fn keys_and_members_end(&mut self) {
        let (key, id) = self.tenant.key_with_id(&["workspaces:read"], json!({})).await;
        self.callers.push(("a key", key, 200, 200));
        let (member, agent) = self.tenant.member(Role::Agent, &[&self.workspace]).await;
        self.callers.push(("an agent", agent, 200, 200));
        self.ask("both came").await;
        self.tenant.owner.delete(&format!("/api/api-keys/{id}")).await.expect(204);
        self.now("a key", 401, 401);
        self.ask("the key was revoked").await;
        let assignment = format!("{}/members/{member}", self.path());
        self.tenant.owner.delete(&assignment).await.expect(204);
        self.now("an agent", 404, 200);
        self.ask("the assignment ended").await;
        let one = format!("/api/members/{member}");
        self.tenant.owner.patch(&one, json!({ "role": "admin" })).await.expect(200);
        self.now("an agent", 200, 200);
        self.ask("the agent became an admin").await;
        self.tenant.owner.delete(&one).await.expect(204);
        self.now("an agent", 401, 401);
        self.ask("the member was removed").await;
        self.callers.truncate(4);
    }

    async fn the_workspace_moves(&mut self) {
        for (brand, status) in [(self.second.clone(), 404), (self.tenant.brand.clone(), 200)] {
            self.tenant.owner.patch(&self.path(), json!({ "brandId": brand })).await.expect(200);
            self.now("a key of the brand", status, 200);
            self.ask("the workspace moved").await;
        }
        self.tenant.owner.delete(&self.path()).await.expect(204);
        self.callers.iter_mut().for_each(|caller| caller.2 = 404);
        self.ask("the workspace was deleted").await;
        self.tenant.owner.post(&format!("{}/restore", self.path()), json!({})).await.expect(200);
        self.callers.iter_mut().for_each(|caller| caller.2 = 200);
        self.ask("the workspace was restored").await;
    }

    async fn the_tenant_is_suspended(&mut self) {
        for (verb, status) in [("suspend", 401), ("reactivate", 200)] {
            let path = format!("/api/admin/tenants/{}/{verb}", self.tenant.id);
            self.platform.post(&path, json!({})).await.expect(200);
            self.callers.iter_mut().for_each(|caller| (caller.2, caller.3) = (status, status));
            self.ask(verb).await;
        }
    }
}

/// Lets so many tenants change, each in its own time, and asks after each change on both replicas. Returns how many questions got
/// the right answer.
///
/// # Panics
///
/// At the first answer that is wrong, or late.
pub async fn stress(app: Arc<App>, replica: &Client, tenants: usize) -> usize {
    let (room, mut running) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    for number in 0..tenants {
        let (app, replica, room) = (Arc::clone(&app), replica.clone(), Arc::clone(&room));
        running.spawn(async move {
            let _place = room.acquire().await.unwrap();
            let mut world = World::new(&app, replica, number).await;
            world.keys_and_members_end().await;
            world.the_workspace_moves().await;
            world.the_tenant_is_suspended().await;
            world.asked
        });
    }
    running.join_all().await.into_iter().sum()
}
