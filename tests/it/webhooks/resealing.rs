//! Secrets of webhooks under a new master key, and under one that is lost.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tenantry_auth::seal::{MasterKey, MasterKeys};
use tenantry_domain::{Credential, Holder, Origin};
use tenantry_operations::{
    integrations::{Resealed, Resealing, needed_master_keys, reseal},
    providers::Timeouts,
    webhooks::Sender,
};
use tenantry_tests::{App, Receiver, Tenant};

use super::{deliver_with, sender, verifies, webhook};

/// A service that seals under version 1, a tenant with two webhooks, of which one has two secrets, and a webhook of the platform.
struct Stage {
    app: App,
    files: [String; 2],
    tenant: Tenant,
    receiver: Receiver,
    /// Each with the secrets that sign.
    webhooks: Vec<(String, Vec<String>)>,
    /// The platform's.
    own: (String, String),
}

impl Stage {
    async fn new() -> Self {
        let files = [1, 2].map(|version| MasterKey::generate(version).unwrap().to_string());
        let first = MasterKeys::new(files[0].parse().unwrap(), Vec::new()).unwrap();
        let (app, receiver) = (App::integrating(first, Timeouts::default()).await, Receiver::start());
        let tenant = app.tenant("Acme").await;
        let mut webhooks = Vec::new();
        for _ in 0..2 {
            let (id, secret) = webhook(&tenant, &receiver, json!(["brand.create"])).await;
            webhooks.push((id, vec![secret]));
        }
        let rotate = format!("/api/webhooks/{}/rotate", webhooks[1].0);
        let rotated = tenant.owner.post(&rotate, json!({ "overlapSeconds": 3600 })).await.expect(200);
        webhooks[1].1.push(rotated.text_of("secret"));
        let own = json!({ "url": receiver.url(), "events": ["webhook.test"] });
        let own = app.platform().post("/api/webhooks", own).await.expect(201);
        Self { own: (own.id(), own.text_of("secret")), app, files, tenant, receiver, webhooks }
    }

    /// The keys of these versions; the first one seals.
    fn keys(&self, versions: &[usize]) -> MasterKeys {
        let mut keys = versions.iter().map(|version| self.files[version - 1].parse().unwrap());
        MasterKeys::new(keys.next().unwrap(), keys.collect()).unwrap()
    }

    async fn reseal(&self, versions: &[usize], how: Resealing) -> Resealed {
        let holder = Holder::Operator { name: "ada".parse().unwrap(), tenant: None };
        let operator = Credential { holder, origin: Origin::default() };
        reseal(&self.app.store, &self.keys(versions), &operator, how).await.unwrap()
    }

    /// How many webhooks have secrets under this version.
    fn under(&self, version: u16) -> i64 {
        self.app.database.rows(&format!("SELECT FROM webhooks WHERE key_version = {version}"))
    }

    async fn needed(&self) -> Vec<u16> {
        needed_master_keys(&self.app.store).await.unwrap().iter().map(|key| key.version()).collect()
    }

    async fn shown(&self, id: &str) -> Value {
        self.tenant.owner.get(&format!("/api/webhooks/{id}")).await.expect(200).body
    }
}

#[tokio::test]
async fn they_are_sealed_anew_and_sign_as_before() {
    let stage = Stage::new().await;
    let before = stage.shown(&stage.webhooks[1].0).await;
    assert_eq!((stage.under(1), stage.under(2)), (3, 0));
    let done = stage.reseal(&[2, 1], Resealing::Reseal).await;
    assert_eq!(done, Resealed { tenants: 2, resealed: 3, unopened: 0, left: BTreeMap::new() });
    assert_eq!((stage.under(1), stage.under(2), stage.needed().await), (0, 3, vec![2]));
    assert_eq!(stage.shown(&stage.webhooks[1].0).await, before, "nobody sees it");
    stage.tenant.brand("One").await;
    stage.app.platform().post(&format!("/api/webhooks/{}/test", stage.own.0), json!({})).await.expect(202);
    // The old key is gone.
    deliver_with(&stage.app, Sender { keys: stage.keys(&[2]), ..sender(&stage.app) }).await;
    let received = stage.receiver.until(3).await;
    let secrets = stage.webhooks.iter().flat_map(|(_, secrets)| secrets).chain([&stage.own.1]);
    for secret in secrets {
        assert_eq!(received.iter().filter(|request| verifies(request, secret)).count(), 1);
    }
    assert_eq!(stage.reseal(&[2], Resealing::Reseal).await, Resealed::default());
}

#[tokio::test]
async fn what_does_not_open_stays_until_its_key_is_said_to_be_lost_and_then_it_is_given_up() {
    let stage = Stage::new().await;
    let left = BTreeMap::from([(1, 3)]);
    let unopened = Resealed { tenants: 2, resealed: 0, unopened: 3, left };
    // Only what is under the lost key is given up.
    for how in [Resealing::Reseal, Resealing::Discard { lost: Some(7) }] {
        assert_eq!(stage.reseal(&[2], how).await, unopened);
        assert_eq!((stage.under(1), &stage.shown(&stage.webhooks[0].0).await["enabled"]), (3, &json!(true)));
    }
    let done = stage.reseal(&[2], Resealing::Discard { lost: Some(1) }).await;
    assert_eq!(done, Resealed { left: BTreeMap::new(), ..unopened });
    assert!(stage.needed().await.is_empty());
    let (id, path) = (&stage.webhooks[0].0, format!("/api/webhooks/{}", stage.webhooks[0].0));
    let shown = stage.shown(id).await;
    assert_eq!((&shown["enabled"], &shown["disabledReason"]), (&json!(false), &json!("secret_lost")));
    let log = stage.tenant.owner.get(&format!("/api/audit-events?subjectId={id}&action=integration.reseal")).await;
    let changes = &log.expect(200).body["data"][0]["changes"];
    assert_eq!(changes["disabledReason"], json!({ "before": null, "after": "secret_lost" }));
    // It takes a new secret to go on.
    let refused = stage.tenant.owner.patch(&path, json!({ "enabled": true })).await.expect(409);
    assert_eq!(refused.body["code"], "secret_unreadable");
    stage.tenant.owner.post(&format!("{path}/rotate"), json!({})).await.expect(200);
    stage.tenant.owner.patch(&path, json!({ "enabled": true })).await.expect(200);
}

#[tokio::test]
async fn a_dry_run_says_the_same_and_changes_nothing() {
    let stage = Stage::new().await;
    let mut rows = tenantry_tests::Rows::of(&stage.app.database);
    let (before, store) = (rows.all(), stage.app.store.rehearsal());
    let holder = Holder::Operator { name: "ada".parse().unwrap(), tenant: None };
    let operator = Credential { holder, origin: Origin::default() };
    let would = reseal(&store, &stage.keys(&[2, 1]), &operator, Resealing::Reseal).await.unwrap();
    assert_eq!(would, Resealed { tenants: 2, resealed: 3, unopened: 0, left: BTreeMap::from([(1, 3)]) });
    assert_eq!(rows.all(), before);
}
