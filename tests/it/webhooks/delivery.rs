//! Every event of a committed change arrives, in order for each thing, whoever fails meanwhile.

use futures_util::FutureExt;
use serde_json::{Value, json};
use tenantry_http::subject_view;
use tenantry_operations::webhooks::{Figures, Sender, Timeouts, WebhookClient, Workers};
use tenantry_tests::{App, Receiver, Receiving, Tenant, loopback};

use super::{behind_the_back, deliver, deliveries, wait_for_the_next_attempt, webhook, workers, workers_with};

#[tokio::test]
async fn only_what_is_committed_and_asked_for_is_sent() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (id, _) = webhook(&tenant, &receiver, json!(["brand.create"])).await;
    tenant.owner.post("/api/brands", json!({ "name": "One", "emailFromName": "One", "slug": "one" })).await.expect(201);
    // It is refused when it is stored, and not before.
    tenant.owner.post("/api/brands", json!({ "name": "Two", "emailFromName": "Two", "slug": "one" })).await.expect(409);
    tenant.workspace("Berlin").await;
    deliver(&app).await;
    assert_eq!(receiver.received().len(), 1);
    assert_eq!(receiver.received()[0].event()["data"]["changes"]["name"]["after"], "One");
    let [delivery] = deliveries(&tenant, &id).await.try_into().unwrap();
    assert_eq!((&delivery["state"], &delivery["attempts"]), (&json!("delivered"), &json!(1)));
    assert_eq!((&delivery["responseStatus"], &delivery["responseBody"]), (&json!(200), &json!("ok")));
    assert_eq!((&delivery["nextAttemptAt"], &delivery["lastError"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_change_and_its_event_are_committed_together_or_not_at_all() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    webhook(&tenant, &receiver, json!(["workspace.create"])).await;
    let count = |table: &str| app.database.rows(&format!("SELECT FROM {table} WHERE tenant_id = '{}'", tenant.id));
    let all = || ["workspaces", "audit_events", "webhook_deliveries"].map(count);
    let before = all();
    behind_the_back(
        &app,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$",
    );
    // The last thing that a change writes, and the commit itself.
    for (name, when) in [
        ("webhook_deliveries", "CREATE TRIGGER refuses BEFORE INSERT ON webhook_deliveries"),
        ("workspaces", "CREATE CONSTRAINT TRIGGER refuses AFTER INSERT ON workspaces DEFERRABLE INITIALLY DEFERRED"),
    ] {
        behind_the_back(&app, &format!("{when} FOR EACH ROW EXECUTE FUNCTION refuse()"));
        let refused = tenant.owner.post("/api/workspaces", json!({ "name": "Berlin" })).await;
        assert!(refused.status >= 500, "{}", refused.text);
        assert_eq!(all(), before, "{name}");
        behind_the_back(&app, &format!("DROP TRIGGER refuses ON {name}"));
    }
    deliver(&app).await;
    assert_eq!(receiver.received().len(), 0);
    tenant.workspace("Berlin").await;
    deliver(&app).await;
    assert_eq!(receiver.received().len(), 1, "the control");
}

#[tokio::test]
async fn a_tenant_without_a_webhook_has_no_deliveries_and_is_not_looked_at() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let (acme, other) = (app.tenant("Acme").await, app.tenant("Other").await);
    let (id, _) = webhook(&acme, &receiver, Value::Null).await;
    other.brand("One").await;
    // Another one is enabled, so that the tenant is looked at.
    webhook(&acme, &Receiver::start(), json!(["brand.delete"])).await;
    acme.owner.patch(&format!("/api/webhooks/{id}"), json!({ "enabled": false })).await.expect(200);
    let before = deliveries(&acme, &id).await.len();
    acme.brand("Two").await;
    deliver(&app).await;
    // What happens while it is paused is not kept, and what waited before is not sent.
    assert_eq!(deliveries(&acme, &id).await.len(), before);
    assert_eq!(receiver.received().iter().map(|request| request.kind()).collect::<Vec<_>>(), Vec::<String>::new());
    assert_eq!(app.database.rows(&format!("SELECT 1 FROM webhook_deliveries WHERE tenant_id = '{}'", other.id)), 0);
    assert_eq!(
        app.database.rows(&format!("SELECT 1 FROM tenants WHERE webhooks_due_at IS NOT NULL AND id = '{}'", other.id)),
        0
    );
}

#[tokio::test]
async fn events_about_one_thing_arrive_in_order() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    webhook(&tenant, &receiver, json!(["workspace.update"])).await;
    let workspaces = [tenant.workspace("A").await, tenant.workspace("B").await, tenant.workspace("C").await];
    for n in 0..20 {
        for workspace in &workspaces {
            let path = format!("/api/workspaces/{workspace}");
            tenant.owner.patch(&path, json!({ "name": format!("N {n}") })).await.expect(200);
        }
    }
    deliver(&app).await;
    let received = receiver.received();
    assert_eq!(received.len(), 60);
    for workspace in &workspaces {
        let events = received.iter().map(|request| request.event());
        let names: Vec<_> = events
            .filter(|event| event["data"]["subject"]["id"] == *workspace)
            .map(|event| event["data"]["changes"]["name"]["after"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(names, (0..20).map(|n| format!("N {n}")).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn behind_an_event_that_does_not_arrive_those_about_the_same_thing_wait_and_others_do_not() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    webhook(&tenant, &receiver, json!(["workspace.update"])).await;
    let workspaces = [tenant.workspace("A").await, tenant.workspace("B").await];
    receiver.receive(Receiving::Status(500, "", String::new()));
    for name in ["One", "Two", "Three"] {
        for workspace in &workspaces {
            let path = format!("/api/workspaces/{workspace}");
            tenant.owner.patch(&path, json!({ "name": name })).await.expect(200);
        }
    }
    let mut workers = workers(&app);
    workers.round().await.unwrap();
    workers.finish().await;
    let mut sent: Vec<_> = receiver
        .received()
        .iter()
        .map(|request| {
            let data = &request.event()["data"];
            (data["subject"]["id"].clone(), data["changes"]["name"]["after"].clone())
        })
        .collect();
    sent.sort_by_key(|(workspace, _)| *workspace != workspaces[0]);
    assert_eq!(sent, workspaces.map(|workspace| (json!(workspace), json!("One"))));
}

#[tokio::test]
async fn a_failure_is_followed_by_another_attempt_with_the_same_id() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (id, _) = webhook(&tenant, &receiver, json!(["brand.create"])).await;
    receiver.receive(Receiving::Status(500, "", "a\u{0}b\n<c>".repeat(200)));
    tenant.brand("One").await;
    deliver(&app).await;
    let [delivery] = deliveries(&tenant, &id).await.try_into().unwrap();
    assert_eq!((&delivery["state"], &delivery["attempts"]), (&json!("pending"), &json!(1)));
    assert_eq!(delivery["responseStatus"], 500);
    assert_eq!(delivery["lastError"], "The receiver answered 500.");
    let kept = delivery["responseBody"].as_str().unwrap();
    assert!(kept.starts_with("a b <c>a b") && kept.chars().count() == 500, "{kept}");
    assert_ne!(delivery["nextAttemptAt"], Value::Null);
    // Not before its time.
    deliver(&app).await;
    assert_eq!(receiver.received().len(), 1);
    receiver.receive(Receiving::Well);
    wait_for_the_next_attempt(&app);
    deliver(&app).await;
    let [first, second] = receiver.received().try_into().unwrap();
    assert_eq!((first.id(), &first.body), (second.id(), &second.body));
    let [delivery] = deliveries(&tenant, &id).await.try_into().unwrap();
    assert_eq!((&delivery["state"], &delivery["attempts"]), (&json!("delivered"), &json!(2)));
}

#[tokio::test]
async fn an_event_is_given_up_after_three_days_and_can_be_sent_again() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (id, _) = webhook(&tenant, &receiver, json!(["brand.create"])).await;
    receiver.receive(Receiving::Status(503, "", String::new()));
    tenant.brand("One").await;
    for _ in 0..tenantry_domain::WEBHOOK_ATTEMPTS {
        deliver(&app).await;
        wait_for_the_next_attempt(&app);
    }
    let [delivery] = deliveries(&tenant, &id).await.try_into().unwrap();
    assert_eq!((&delivery["state"], &delivery["attempts"]), (&json!("failed"), &json!(10)));
    deliver(&app).await;
    assert_eq!(receiver.received().len(), 10);
    receiver.receive(Receiving::Well);
    let event = delivery["id"].as_str().unwrap();
    let resent = tenant.owner.post(&format!("/api/webhooks/{id}/deliveries/{event}/resend"), json!({})).await;
    assert_eq!(resent.expect(202).body["state"], "pending");
    wait_for_the_next_attempt(&app);
    deliver(&app).await;
    assert_eq!(receiver.received().last().unwrap().id(), event);
}

#[tokio::test]
async fn everything_since_a_time_is_sent_again_in_order_with_the_same_ids() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (id, _) = webhook(&tenant, &receiver, json!(["workspace.update"])).await;
    // About one thing: between several there is no order.
    let workspace = format!("/api/workspaces/{}", tenant.workspace("Zero").await);
    for name in ["One", "Two"] {
        tenant.owner.patch(&workspace, json!({ "name": name })).await.expect(200);
    }
    deliver(&app).await;
    tenant.owner.patch(&format!("/api/webhooks/{id}"), json!({ "enabled": false })).await.expect(200);
    tenant.owner.patch(&workspace, json!({ "name": "Three" })).await.expect(200);
    let replay = format!("/api/webhooks/{id}/replay");
    let since = json!({ "since": "2020-01-01T00:00:00Z" });
    tenant.owner.post(&replay, since.clone()).await.expect(409);
    tenant.owner.patch(&format!("/api/webhooks/{id}"), json!({ "enabled": true })).await.expect(200);
    assert_eq!(tenant.owner.post(&replay, since).await.expect(202).body["events"], 3);
    deliver(&app).await;
    let names: Vec<_> = receiver
        .received()
        .iter()
        .map(|request| request.event()["data"]["changes"]["name"]["after"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["One", "Two", "One", "Two", "Three"]);
    let ids: Vec<_> = receiver.received().iter().map(|request| request.id().to_owned()).collect();
    assert_eq!(ids[..2], ids[2..4]);
}

#[tokio::test]
async fn a_test_reaches_only_the_webhook_that_is_tested() {
    let (app, one, other) = (App::start().await, Receiver::start(), Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (id, _) = webhook(&tenant, &one, json!(["brand.create"])).await;
    webhook(&tenant, &other, Value::Null).await;
    tenant.brand("One").await;
    deliver(&app).await;
    let before = other.received().len();
    let tested = tenant.owner.post(&format!("/api/webhooks/{id}/test"), json!({})).await.expect(202);
    assert_eq!(tested.body["type"], "webhook.test");
    deliver(&app).await;
    let [_, request] = one.received().try_into().unwrap();
    assert_eq!((request.id(), request.kind().as_str()), (tested.id().as_str(), "webhook.test"));
    assert_eq!(other.received().len(), before);
}

/// A tenant with a webhook to which somebody is sending its one event, which the receiver holds.
async fn in_the_middle(app: &App, receiver: &Receiver) -> (Tenant, String, Workers) {
    let tenant = app.tenant("Acme").await;
    let (id, _) = webhook(&tenant, receiver, json!(["brand.create"])).await;
    receiver.receive(Receiving::Held);
    tenant.brand("One").await;
    let mut sending = workers(app);
    assert_eq!(sending.round().await.unwrap().begun, 1);
    receiver.until(1).await;
    (tenant, id, sending)
}

#[tokio::test]
async fn what_a_worker_has_not_written_down_when_it_dies_is_sent_again_with_the_same_id() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let (tenant, id, dying) = in_the_middle(&app, &receiver).await;
    drop(dying);
    receiver.receive(Receiving::Well);
    // Until its lease ends, nobody else sends.
    deliver(&app).await;
    assert_eq!(receiver.received().len(), 1);
    behind_the_back(
        &app,
        "UPDATE webhooks SET next_turn_at = next_turn_at - interval '60 seconds';
         UPDATE tenants SET webhooks_due_at = webhooks_due_at - interval '60 seconds'",
    );
    deliver(&app).await;
    let [first, second] = receiver.received().try_into().unwrap();
    assert_eq!(first.id(), second.id());
    assert_eq!(deliveries(&tenant, &id).await[0]["state"], "delivered");
}

#[tokio::test]
async fn whoever_has_lost_a_webhook_meanwhile_writes_down_nothing() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let (tenant, id, mut slow) = in_the_middle(&app, &receiver).await;
    // The lease ends, and somebody else finds that the receiver fails.
    receiver.receive(Receiving::Status(500, "", String::new()));
    wait_for_the_next_attempt(&app);
    deliver(&app).await;
    receiver.let_go();
    slow.finish().await;
    let [delivery] = deliveries(&tenant, &id).await.try_into().unwrap();
    assert_eq!((&delivery["state"], &delivery["attempts"]), (&json!("pending"), &json!(1)));
    assert_eq!(app.database.rows("SELECT FROM webhooks WHERE failures = 1 AND failing_since IS NOT NULL"), 1);
    assert_eq!(app.database.rows("SELECT FROM webhooks WHERE next_turn_at > now()"), 1, "it rests");
}

#[tokio::test]
async fn whoever_changes_a_webhook_lets_nobody_else_send_while_somebody_does() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let (tenant, id, mut sending) = in_the_middle(&app, &receiver).await;
    let url = format!("{}?new", receiver.url());
    for change in [
        json!({ "description": "New" }),
        json!({ "enabled": false }),
        json!({ "enabled": true }),
        json!({ "url": url }),
    ] {
        tenant.owner.patch(&format!("/api/webhooks/{id}"), change.clone()).await.expect(200);
        assert_eq!(workers(&app).round().await.unwrap().begun, 0, "{change}");
    }
    receiver.let_go();
    sending.finish().await;
    assert_eq!(receiver.received().len(), 1);
    assert_eq!(deliveries(&tenant, &id).await[0]["state"], "delivered");
}

#[tokio::test]
async fn an_attempt_that_was_refused_is_told_once_in_an_hour() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    webhook(&tenant, &receiver, json!(["attempt.refuse"])).await;
    let key = tenant.key(&["brands:read"], json!({})).await;
    for _ in 0..2 {
        key.get("/api/audit-events").await.expect(403);
        app.store.write_notes().await;
        deliver(&app).await;
    }
    // The hour may have ended once.
    let received = receiver.received();
    assert!((1..=2).contains(&received.len()), "{} for two attempts", received.len());
    let event = received[0].event();
    assert_eq!((&event["type"], &event["data"]["subject"]["type"]), (&json!("attempt.refuse"), &json!("tenant")));
    assert_eq!(event["data"]["changes"]["action"]["after"], "audit_event.list");
}

#[tokio::test]
async fn what_is_to_be_sent_now_wakes_who_sends() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (id, _) = webhook(&tenant, &receiver, json!(["brand.create"])).await;
    let path = format!("/api/webhooks/{id}");
    tenant.brand("One").await;
    deliver(&app).await;
    let delivery = deliveries(&tenant, &id).await[0]["id"].as_str().unwrap().to_owned();
    let told = || app.store.webhooks_told().now_or_never().is_some();
    assert!(told(), "of the brand");
    assert!(!told());
    tenant.owner.post(&format!("{path}/deliveries/{delivery}/resend"), json!({})).await.expect(202);
    assert!(told(), "of what is sent again");
    tenant.owner.post(&format!("{path}/replay"), json!({ "since": "2020-01-01T00:00:00Z" })).await.expect(202);
    assert!(told(), "of what is replayed");
    tenant.owner.patch(&path, json!({ "enabled": false })).await.expect(200);
    assert!(!told());
    tenant.owner.patch(&path, json!({ "enabled": true })).await.expect(200);
    assert!(told(), "of what has waited");
}

#[tokio::test]
async fn several_workers_send_each_event_once() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    webhook(&tenant, &receiver, json!(["brand.create"])).await;
    for n in 0..40 {
        tenant.brand(&format!("Brand {n}")).await;
    }
    let all = (0..4).map(|_| deliver(&app));
    futures_util::future::join_all(all).await;
    deliver(&app).await;
    let mut ids: Vec<_> = receiver.received().iter().map(|request| request.id().to_owned()).collect();
    assert_eq!(ids.len(), 40);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 40);
}

#[tokio::test]
async fn an_answer_is_bounded_in_time_and_size() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (id, _) = webhook(&tenant, &receiver, json!(["brand.create"])).await;
    receiver.receive(Receiving::Endless);
    tenant.brand("One").await;
    deliver(&app).await;
    let kept = deliveries(&tenant, &id).await[0]["responseBody"].as_str().unwrap().len();
    assert_eq!(kept, 500);
    receiver.receive(Receiving::Hang);
    tenant.brand("Two").await;
    let brief = std::time::Duration::from_millis(200);
    let client = WebhookClient::new(loopback(), Timeouts { connect: brief, total: brief }).unwrap();
    let keys = app.integrations.keys.clone();
    let mut workers = workers_with(&app, Sender { client, keys, view: subject_view, figures: Figures::default() });
    workers.round().await.unwrap();
    workers.finish().await;
    assert_eq!(deliveries(&tenant, &id).await[1]["lastError"], "The receiver did not answer in time.");
}
