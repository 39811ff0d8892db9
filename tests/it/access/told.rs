//! What is sent to receivers is of their tenant, and sending it changes nothing in another one, whose webhooks, deliveries and events have
//! the very same ids.

use serde_json::json;
use tenantry_tests::{Receiver, Receiving, Rows};

use super::{World, twins::MARK};
use crate::webhooks::{deliver, deliveries, webhook};

super::behind_each_wall! {
    a_receiver_is_told_of_its_own_tenant_and_no_twin_is_touched, a_receiver_is_told_of_its_own_by_the_conditions_alone;
}

impl World {
    /// Twins of the events too, which say something else, and webhooks that send everything to nobody.
    fn make_twins_of_events(&self) {
        let (ours, theirs) = (self.ours.id, self.theirs.id);
        self.make_twins();
        self.behind_the_back(&format!(
            "SET session_replication_role = replica;
             DELETE FROM audit_events WHERE tenant_id = '{theirs}';
             INSERT INTO audit_events SELECT (jsonb_populate_record(e, jsonb_build_object('tenant_id', '{theirs}',
                 'changes', jsonb_build_object('name', '{MARK}')))).* FROM audit_events AS e WHERE tenant_id = '{ours}';
             UPDATE webhooks SET url = 'https://{MARK}.example/', events = NULL, failures = 7, failing_since = now()
                 WHERE tenant_id = '{theirs}';
             -- Waiting since long ago, and visited by nobody.
             UPDATE webhook_deliveries SET state = 'pending', attempts = 0, next_attempt_at = now() - interval '1 day'
                 WHERE tenant_id = '{theirs}';
             UPDATE tenants SET webhooks_due_at = NULL WHERE id = '{theirs}'"
        ));
    }

    async fn a_receiver_is_told_of_its_own_tenant_and_no_twin_is_touched(&self) {
        let (good, bad) = (Receiver::start(), Receiver::start());
        let (well, _) = webhook(&self.ours, &good, json!(["brand.create"])).await;
        let (fails, _) = webhook(&self.ours, &bad, json!(["brand.create"])).await;
        bad.receive(Receiving::Status(500, "", String::new()));
        self.ours.brand("One").await;
        self.make_twins_of_events();
        let mut rows = Rows::of(&self.app.database);
        let before = rows.of_others(self.ours.id);
        // Written while there are twins: only to webhooks of the tenant.
        self.ours.brand("Two").await;
        deliver(&self.app).await;
        bad.receive(Receiving::Well);
        // Our time passes, and nobody else's.
        self.behind_the_back(&format!(
            "UPDATE webhook_deliveries SET next_attempt_at = next_attempt_at - interval '1 day' WHERE tenant_id = '{0}';
             UPDATE webhooks SET next_turn_at = now() WHERE tenant_id = '{0}';
             UPDATE tenants SET webhooks_due_at = now() WHERE id = '{0}'",
            self.ours.id
        ));
        deliver(&self.app).await;
        assert_eq!(rows.of_others(self.ours.id), before);
        for receiver in [&good, &bad] {
            let received = receiver.received();
            assert!(received.iter().all(|request| !String::from_utf8_lossy(&request.body).contains(MARK)));
            let tenant = json!(self.ours.id.to_string());
            assert!(received.iter().all(|request| request.event()["tenantId"] == tenant));
        }
        assert_eq!(good.received().len(), 2);
        for id in [&well, &fails] {
            let states: Vec<_> = deliveries(&self.ours, id).await.iter().map(|one| one["state"].clone()).collect();
            assert_eq!(states, ["delivered", "delivered"]);
        }
        let due = format!("SELECT FROM tenants WHERE id = '{}' AND webhooks_due_at <= now()", self.ours.id);
        assert_eq!(self.app.database.rows(&due), 0, "what waits in another tenant is nothing to do here");
        let since = json!({ "since": "2020-01-01T00:00:00Z" });
        self.ours.owner.post(&format!("/api/webhooks/{well}/replay"), since).await.expect(202);
        deliver(&self.app).await;
        assert_eq!((good.received().len(), rows.of_others(self.ours.id) == before), (4, true));
        // One delivery, as it is here, and sent again here.
        let of_well = format!("/api/webhooks/{well}");
        let one = format!("{of_well}/deliveries/{}", deliveries(&self.ours, &well).await[0]["id"].as_str().unwrap());
        let shown = self.ours.owner.get(&one).await.expect(200);
        assert_eq!((&shown.body["state"], shown.text.contains(MARK)), (&json!("delivered"), false));
        let again = self.ours.owner.post(&format!("{one}/resend"), json!({})).await.expect(202);
        assert_eq!((&again.body["state"], &again.body["attempts"]), (&json!("pending"), &json!(0)));
        let tested = self.ours.owner.post(&format!("{of_well}/test"), json!({})).await.expect(202);
        assert_eq!((&tested.body["type"], &tested.body["state"]), (&json!("webhook.test"), &json!("pending")));
        deliver(&self.app).await;
        assert_eq!((good.received().len(), rows.of_others(self.ours.id) == before), (6, true));
    }
}
