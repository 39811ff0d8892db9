//! A database that refuses for a moment keeps no receiver waiting until a lease ends.

use serde_json::json;
use tenantry_tests::{App, Proxy, Receiver, Receiving, TestDatabase};

use super::{behind_the_back, deliver, deliveries, wait_for_the_next_attempt, webhook, workers};

/// How many webhooks belong to somebody for longer than a failure has them rest.
fn leased(app: &App) -> i64 {
    app.database.rows("SELECT FROM webhooks WHERE next_turn_at > now() + interval '30 seconds'")
}

#[tokio::test]
async fn an_outcome_that_a_busy_database_refuses_is_written_down_and_the_next_event_is_sent_at_once() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (id, _) = webhook(&tenant, &receiver, json!(["brand.create"])).await;
    tenant.brand("One").await;
    app.database.refuse(3, "BEFORE UPDATE ON webhook_deliveries FOR EACH ROW");
    deliver(&app).await;
    assert_eq!(app.database.tries(), 4, "the fourth time it is taken");
    assert_eq!(leased(&app), 0, "it is given back");
    tenant.brand("Two").await;
    deliver(&app).await;
    let outcomes: Vec<_> = deliveries(&tenant, &id).await.iter().map(|one| one["attempts"].clone()).collect();
    assert_eq!(outcomes, [1, 1]);
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test]
async fn a_turn_whose_beginning_a_busy_database_refuses_is_begun_all_the_same() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    webhook(&tenant, &receiver, json!(["brand.create"])).await;
    tenant.brand("One").await;
    // Of one that is leased.
    app.database.refuse(3, "BEFORE UPDATE ON webhooks FOR EACH ROW WHEN (OLD.next_turn_at > now())");
    deliver(&app).await;
    assert!(app.database.tries() > 3);
    assert_eq!((leased(&app), receiver.received().len()), (0, 1));
}

#[tokio::test]
async fn a_failing_turn_that_is_written_down_at_last_has_failed_once() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (id, _) = webhook(&tenant, &receiver, json!(["brand.create"])).await;
    receiver.receive(Receiving::Status(500, "", String::new()));
    tenant.brand("One").await;
    app.database.refuse(3, "BEFORE UPDATE ON webhooks FOR EACH ROW WHEN (NEW.failures > OLD.failures)");
    deliver(&app).await;
    assert_eq!((app.database.tries(), leased(&app)), (4, 0));
    assert_eq!(app.database.rows("SELECT FROM webhooks WHERE failures = 1"), 1);
    receiver.receive(Receiving::Well);
    wait_for_the_next_attempt(&app);
    deliver(&app).await;
    assert_eq!(deliveries(&tenant, &id).await[0]["attempts"], 2);
}

#[tokio::test]
async fn an_outcome_that_finds_no_database_is_written_down_when_there_is_one() {
    let database = TestDatabase::new();
    let proxy = Proxy::to(&database);
    let url = proxy.service_url().to_owned();
    let (app, receiver) = (App::on(database, |options| options.url = url).await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (id, _) = webhook(&tenant, &receiver, json!(["brand.create"])).await;
    receiver.receive(Receiving::Held);
    tenant.brand("One").await;
    let mut workers = workers(&app);
    assert_eq!(workers.round().await.unwrap().begun, 1);
    receiver.until(1).await;
    proxy.cut();
    receiver.receive(Receiving::Well);
    receiver.let_go();
    while app.store.state().answers {
        tokio::task::yield_now().await;
    }
    proxy.resume();
    workers.finish().await;
    let [delivery] = deliveries(&tenant, &id).await.try_into().unwrap();
    assert_eq!((&delivery["state"], &delivery["attempts"]), (&json!("delivered"), &json!(1)));
    assert_eq!((leased(&app), receiver.received().len()), (0, 1));
}

#[tokio::test]
async fn a_webhook_of_the_platform_about_whose_events_nothing_can_be_read_is_given_back() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let wanted = json!({ "url": receiver.url(), "events": ["tenant.suspend"] });
    app.platform().post("/api/webhooks", wanted).await.expect(201);
    let tenant = app.tenant("Acme").await;
    app.platform().post(&format!("/api/admin/tenants/{}/suspend", tenant.id), json!({})).await.expect(200);
    // As long as a table is being migrated, for instance.
    behind_the_back(&app, "REVOKE SELECT ON invitations FROM tenantry_service");
    deliver(&app).await;
    assert_eq!((leased(&app), receiver.received().len()), (0, 0));
    behind_the_back(&app, "GRANT SELECT ON invitations TO tenantry_service");
    wait_for_the_next_attempt(&app);
    deliver(&app).await;
    assert_eq!(receiver.received().len(), 1);
}
