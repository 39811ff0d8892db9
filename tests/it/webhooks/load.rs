//! Many events, and receivers of every kind. `make faults` does it with processes that are killed.

use std::collections::HashSet;

use serde_json::json;
use tenantry_tests::{App, Receiver, Receiving};

use super::{behind_the_back, deliver, wait_for_the_next_attempt, webhook, workers};

const WEBHOOKS: usize = 10;

/// Events for each.
const EVENTS: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn no_event_is_lost_while_receivers_fail_and_workers_die() {
    let app = App::start().await;
    let mut receivers = Vec::new();
    for n in 0..WEBHOOKS {
        let (tenant, receiver) = (app.tenant(&format!("Tenant {n}")).await, Receiver::start());
        // A tenth of them hangs, and a tenth answers 500.
        match n % 10 {
            0 => receiver.receive(Receiving::Hang),
            1 => receiver.receive(Receiving::Status(500, "", String::new())),
            _ => &receiver,
        };
        let (id, _) = webhook(&tenant, &receiver, json!(["webhook.rotate"])).await;
        // Events about as many things, written at once: who writes them is tested elsewhere.
        behind_the_back(
            &app,
            &format!(
                "WITH event AS (
                     INSERT INTO audit_events (tenant_id, id, action, actor_type, actor_id, subject_type, subject_id, changes)
                     SELECT '{0}', gen_random_uuid(), 'webhook.rotate', 'job', 'test', 'webhook', gen_random_uuid(), '{{}}'
                     FROM generate_series(1, {EVENTS}) RETURNING tenant_id, id)
                 INSERT INTO webhook_deliveries (tenant_id, webhook_id, event_id) SELECT tenant_id, '{id}', id FROM event;
                 UPDATE tenants SET webhooks_due_at = now() WHERE id = '{0}'",
                tenant.id
            ),
        );
        receivers.push(receiver);
    }
    let healthy = |n: usize| n % 10 > 1;
    let all = (0..WEBHOOKS).filter(|n| healthy(*n)).count() * EVENTS;
    let distinct = |receiver: &Receiver| {
        receiver.received().iter().map(|request| request.id().to_owned()).collect::<HashSet<_>>().len()
    };
    let arrived =
        || receivers.iter().enumerate().filter(|(n, _)| healthy(*n)).map(|(_, one)| distinct(one)).sum::<usize>();
    // Workers die in the middle of what they do, again and again.
    while arrived() < all {
        let mut workers = workers(&app);
        for _ in 0..200 {
            workers.round().await.unwrap();
            tokio::task::yield_now().await;
        }
        drop(workers);
        // Their leases end.
        behind_the_back(
            &app,
            "UPDATE webhooks SET next_turn_at = now() - interval '1 second';
             UPDATE tenants SET webhooks_due_at = now() - interval '1 second' WHERE webhooks_due_at IS NOT NULL",
        );
    }
    // The others take theirs when they are well again.
    for receiver in &receivers {
        receiver.receive(Receiving::Well);
    }
    while receivers.iter().map(distinct).sum::<usize>() < WEBHOOKS * EVENTS {
        wait_for_the_next_attempt(&app);
        deliver(&app).await;
    }
    assert_eq!(app.database.rows("SELECT 1 FROM webhook_deliveries WHERE state = 'failed'"), 0);
}
