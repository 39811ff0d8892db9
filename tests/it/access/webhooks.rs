//! Sending to webhooks next to a tenant with the very same ones, which has waited longer: nothing of that is sent, and nothing in it
//! changes.

use serde_json::{Value, json};
use tenantry_domain::Role;
use tenantry_tests::{Receiver, Receiving, Rows};

use super::{World, twins::MARK};
use crate::{
    outbox,
    webhooks::{deliver, deliveries, wait_for_the_next_attempt, webhook, workers},
};

super::behind_each_wall! {
    webhooks_of_one_tenant_are_not_those_of_another, webhooks_are_of_one_tenant_to_the_conditions_alone;
    webhooks_of_another_tenant_take_no_room, webhooks_of_another_tenant_take_no_room_by_the_conditions_alone;
}

impl World {
    /// Their twins are due before ours, at another path; and so is a further one, which we do not have.
    fn let_their_webhooks_wait_longer(&self) {
        self.make_twins();
        self.more_of_theirs("webhooks", "'id', gen_random_uuid()");
        self.behind_the_back(&format!(
            "SET session_replication_role = replica;
             INSERT INTO audit_events SELECT (jsonb_populate_record(row, jsonb_build_object(
                 'tenant_id', '{theirs}', 'request_id', '{MARK}', 'actor_id', '{MARK}'))).*
                 FROM audit_events AS row WHERE tenant_id = '{ours}';
             INSERT INTO webhook_deliveries (tenant_id, webhook_id, event_id)
                 SELECT w.tenant_id, w.id, e.id FROM webhooks AS w JOIN audit_events AS e USING (tenant_id)
                 WHERE tenant_id = '{theirs}' ON CONFLICT DO NOTHING;
             UPDATE webhook_deliveries SET next_attempt_at = next_attempt_at - interval '1 hour', state = 'pending'
                 WHERE tenant_id = '{theirs}';
             UPDATE tenants SET webhooks_due_at = NULL WHERE id = '{theirs}';
             UPDATE webhooks SET next_turn_at = next_turn_at - interval '1 hour', url = replace(url, '/hook', '/{MARK}')
                 WHERE tenant_id = '{theirs}'",
            theirs = self.theirs.id,
            ours = self.ours.id
        ));
    }

    /// Our tenant, if its webhooks are due then.
    fn is_due(&self, then: &str) -> bool {
        self.app.database.rows(&format!("SELECT FROM tenants WHERE id = '{}' AND webhooks_due_at {then}", self.ours.id))
            == 1
    }

    async fn webhooks_of_another_tenant_take_no_room(&self) {
        let wanted = json!({ "url": "http://127.0.0.1:9/", "events": ["brand.create"] });
        self.theirs.owner.post("/api/webhooks", wanted.clone()).await.expect(201);
        // Twice as many each time.
        for _ in 0..7 {
            self.more_of_theirs("webhooks", "'id', gen_random_uuid()");
        }
        self.theirs.owner.post("/api/webhooks", wanted.clone()).await.expect(409);
        self.ours.owner.post("/api/webhooks", wanted).await.expect(201);
    }

    async fn webhooks_of_one_tenant_are_not_those_of_another(&self) {
        let (app, server) = (&self.app, outbox::server());
        let (good, bad) = (Receiver::start(), Receiver::start());
        bad.receive(Receiving::Status(500, "", String::new()));
        let (owner, _) = self.ours.member(Role::Owner, &[]).await;
        let address = self.ours.owner.get(&format!("/api/members/{owner}")).await.expect(200).text_of("email");
        let (taken, _) = webhook(&self.ours, &good, json!(["workspace.create"])).await;
        let (failing, _) = webhook(&self.ours, &bad, json!(["workspace.create"])).await;
        self.ours.workspace("DACH").await;
        self.suspend_theirs().await;
        self.let_their_webhooks_wait_longer();
        let mut rows = Rows::of(&app.database);
        let before = rows.of_others(self.ours.id);
        deliver(app).await;
        for receiver in [&good, &bad] {
            let received = receiver.received();
            assert_eq!(received.len(), 1);
            let text = format!("{} {}", received[0].head, received[0].event());
            assert!(!text.contains(MARK), "{text}");
        }
        let states = async |id: &str| -> Vec<(Value, Value)> {
            let all = deliveries(&self.ours, id).await;
            all.iter().map(|one| (one["state"].clone(), one["attempts"].clone())).collect()
        };
        assert_eq!(states(&taken).await, [(json!("delivered"), json!(1))]);
        assert_eq!(states(&failing).await, [(json!("pending"), json!(1))]);
        let next = format!(
            "= (SELECT greatest(next_turn_at, next_attempt_at) FROM webhooks JOIN webhook_deliveries USING (tenant_id)
                WHERE tenant_id = '{}' AND id = '{failing}' AND webhook_id = id)",
            self.ours.id
        );
        assert!(self.is_due(&next), "it is our own next attempt that counts");
        assert_eq!(rows.of_others(self.ours.id), before);
        // Written next to the webhooks of others, which ask for the same.
        self.ours.workspace("Nordics").await;
        assert_eq!(rows.of_others(self.ours.id), before);
        self.behind_the_back(&format!(
            "UPDATE webhooks SET failing_since = now() - interval '5 days' WHERE tenant_id = '{}' AND id = '{failing}'",
            self.ours.id
        ));
        wait_for_the_next_attempt(app);
        let before = rows.of_others(self.ours.id);
        deliver(app).await;
        let shown = self.ours.owner.get(&format!("/api/webhooks/{failing}")).await.expect(200);
        assert_eq!(shown.body["disabledReason"], "failing");
        // While the last attempt was under way, the next one might have been needed. It is not.
        self.behind_the_back(&format!(
            "UPDATE tenants SET webhooks_due_at = now() WHERE id = '{0}';
             UPDATE webhooks SET next_turn_at = now() - interval '1 hour' WHERE tenant_id = '{0}'",
            self.ours.id
        ));
        assert_eq!(workers(app).round().await.unwrap().begun, 0, "nothing waits for the one that takes everything");
        assert!(self.is_due("IS NULL"), "what another tenant waits for is not due here");
        assert_eq!(outbox::deliver(app, &server).await.sent, 1);
        assert_eq!(server.mail().to, [address]);
        assert_eq!(rows.of_others(self.ours.id), before);
    }
}
