//! Lists of webhooks and of deliveries, what is sent again, and what is counted.

use std::collections::HashSet;

use serde_json::{Value, json};
use tenantry_tests::{App, Client, Receiver, Receiving, Tenant};

use super::{behind_the_back, create, deliver, deliver_with, deliveries, sender, wait_for_the_next_attempt, webhook};

/// These members of every item of a list, from as many pages of this size as it takes.
async fn each(client: &Client, list: &str, limit: usize, member: &str) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("{list}limit={limit}{cursor}")).await.expect(200).body;
        let items = page["data"].as_array().unwrap();
        assert!(items.len() <= limit);
        found.extend(items.iter().map(|item| item[member].clone()));
        let Some(next) = page["nextCursor"].as_str() else { return found };
        cursor = format!("&cursor={next}");
    }
}

/// The names of the brands whose making a receiver was told of, in the order in which it was.
fn brands(receiver: &Receiver) -> Vec<String> {
    let name = |event: Value| event["data"]["changes"]["name"]["after"].as_str().unwrap_or("none").to_owned();
    receiver.received().iter().map(|request| name(request.event())).collect()
}

async fn resend(tenant: &Tenant, webhook: &str, event: &Value) -> Value {
    let path = format!("/api/webhooks/{webhook}/deliveries/{}/resend", event.as_str().unwrap());
    tenant.owner.post(&path, json!({})).await.expect(202).body
}

#[tokio::test]
async fn webhooks_are_listed_once_each_in_every_order() {
    let app = App::start().await;
    let tenant = app.tenant("Acme").await;
    let mut ids = Vec::new();
    for name in ["c", "a", "e", "b", "d"] {
        let url = format!("http://127.0.0.1:9/{name}");
        ids.push(json!(create(&tenant, &url, json!(["brand.create"])).await.expect(201).id()));
    }
    // The last changed is not the last made.
    let path = format!("/api/webhooks/{}", ids[1].as_str().unwrap());
    tenant.owner.patch(&path, json!({ "description": "Changed" })).await.expect(200);
    let at = |order: [usize; 5]| order.map(|n| ids[n].clone());
    for (sort, order) in [("createdAt", [0, 1, 2, 3, 4]), ("updatedAt", [0, 2, 3, 4, 1]), ("name", [1, 3, 0, 4, 2])] {
        let order = at(order).to_vec();
        assert_eq!(each(&tenant.owner, &format!("/api/webhooks?sort={sort}&"), 2, "id").await, order, "{sort}");
        let mut backward = each(&tenant.owner, &format!("/api/webhooks?sort=-{sort}&"), 2, "id").await;
        backward.reverse();
        assert_eq!(backward, order, "-{sort}");
    }
}

#[tokio::test]
async fn deliveries_are_those_of_their_webhook_the_newest_first_and_in_the_state_that_is_asked_for() {
    let (app, good, bad) = (App::start().await, Receiver::start(), Receiver::start());
    let tenant = app.tenant("Acme").await;
    bad.receive(Receiving::Status(500, "", String::new()));
    let (taken, _) = webhook(&tenant, &good, json!(["brand.create"])).await;
    let (failing, _) = webhook(&tenant, &bad, json!(["brand.create"])).await;
    for n in 0..5 {
        tenant.brand(&format!("Brand {n}")).await;
        deliver(&app).await;
    }
    assert_eq!(good.received().len(), 5, "nothing that waits for the other one");
    let list = |id: &str, more: &str| format!("/api/webhooks/{id}/deliveries?{more}");
    // Each event once, in the order of the log, whatever the size of a page.
    let log = each(&tenant.owner, "/api/audit-events?action=brand.create&", 100, "id").await;
    let newest: Vec<_> = log.iter().take(5).cloned().collect();
    for limit in [2, 5, 100] {
        assert_eq!(each(&tenant.owner, &list(&taken, ""), limit, "id").await, newest);
        let mut oldest = each(&tenant.owner, &list(&taken, "sort=occurredAt&"), limit, "id").await;
        oldest.reverse();
        assert_eq!(oldest, newest);
    }
    // The other webhook has the same events, which did not arrive.
    assert_eq!(each(&tenant.owner, &list(&failing, ""), 2, "id").await, newest);
    let states = async |id: &str, more: &str| each(&tenant.owner, &list(id, more), 2, "state").await;
    for (id, state, other) in [(&taken, "delivered", "pending"), (&failing, "pending", "delivered")] {
        assert_eq!(states(id, "").await, [state; 5]);
        assert_eq!(states(id, &format!("state={state}&")).await, [state; 5]);
        assert_eq!(states(id, &format!("state={other}&")).await, Vec::<Value>::new());
        let path = format!("/api/webhooks/{id}/deliveries/{}", newest[0].as_str().unwrap());
        let shown = tenant.owner.get(&path).await.expect(200).body;
        let of = (&shown["id"], &shown["webhookId"], &shown["state"]);
        assert_eq!(of, (&newest[0], &json!(id), &json!(state)));
    }
    // One that failed is in neither of the two, and in the list.
    behind_the_back(&app, "UPDATE webhook_deliveries SET attempts = 9 WHERE state = 'pending'");
    wait_for_the_next_attempt(&app);
    deliver(&app).await;
    let failed = states(&failing, "state=failed&").await.len();
    assert_eq!((failed, states(&failing, "state=pending&").await.len()), (1, 4));
    assert_eq!(states(&failing, "").await.len(), 5);
}

#[tokio::test]
async fn one_delivery_is_sent_again_to_one_webhook() {
    let (app, one, other) = (App::start().await, Receiver::start(), Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (id, _) = webhook(&tenant, &one, json!(["brand.create"])).await;
    webhook(&tenant, &other, json!(["brand.create"])).await;
    for name in ["One", "Two"] {
        tenant.brand(name).await;
        deliver(&app).await;
    }
    let first = deliveries(&tenant, &id).await[0].clone();
    let resent = resend(&tenant, &id, &first["id"]).await;
    let begins = (&resent["id"], &resent["state"], &resent["attempts"]);
    assert_eq!(begins, (&first["id"], &json!("pending"), &json!(0)));
    // No time is moved here: it says by itself that it is due.
    deliver(&app).await;
    assert_eq!((brands(&one).as_slice(), brands(&other).len()), (&["One", "Two", "One"].map(str::to_owned)[..], 2));
    assert_eq!(deliveries(&tenant, &id).await[0]["attempts"], 1);
    let path = format!("/api/webhooks/{id}");
    tenant.owner.patch(&path, json!({ "enabled": false })).await.expect(200);
    let refused = format!("{path}/deliveries/{}/resend", first["id"].as_str().unwrap());
    assert_eq!(tenant.owner.post(&refused, json!({})).await.expect(409).body["code"], "webhook_disabled");
    assert_eq!(deliveries(&tenant, &id).await[0]["state"], "delivered");
}

#[tokio::test]
async fn a_replay_is_of_what_the_webhook_asks_for_since_that_time() {
    let (app, one, other) = (App::start().await, Receiver::start(), Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (id, _) = webhook(&tenant, &one, json!(["brand.create", "webhook.test"])).await;
    let (others, _) = webhook(&tenant, &other, json!(["brand.create"])).await;
    one.receive(Receiving::Status(500, "", String::new()));
    for name in ["One", "Two", "Three"] {
        tenant.brand(name).await;
    }
    tenant.workspace("Berlin").await;
    tenant.owner.post(&format!("/api/webhooks/{others}/test"), json!({})).await.expect(202);
    deliver(&app).await;
    one.receive(Receiving::Well);
    let told = (one.received().len(), other.received().len());
    let since = deliveries(&tenant, &id).await[1]["occurredAt"].clone();
    let replay = format!("/api/webhooks/{id}/replay");
    // The moment itself counts; the one before does not.
    let replayed = tenant.owner.post(&replay, json!({ "since": since })).await.expect(202);
    assert_eq!(replayed.body, json!({ "events": 2 }));
    // Begun anew, also where an attempt had failed; what was before waits for its time.
    let attempts: Vec<_> = deliveries(&tenant, &id).await.iter().map(|one| one["attempts"].clone()).collect();
    assert_eq!(attempts, [1, 0, 0]);
    behind_the_back(&app, "UPDATE webhooks SET next_turn_at = now() - interval '1 second', failures = 0");
    deliver(&app).await;
    let mut sent = brands(&one).split_off(told.0);
    sent.sort();
    assert_eq!((sent, other.received().len()), (vec!["Three".to_owned(), "Two".to_owned()], told.1));
    let later = tenant.owner.post(&replay, json!({ "since": "2999-01-01T00:00:00Z" })).await.expect(202);
    assert_eq!(later.body, json!({ "events": 0 }));
}

#[tokio::test]
async fn what_is_pending_is_counted_for_each_webhook() {
    let (app, good, bad) = (App::start().await, Receiver::start(), Receiver::start());
    let (acme, other) = (app.tenant("Acme").await, app.tenant("Other").await);
    bad.receive(Receiving::Status(500, "", String::new()));
    webhook(&acme, &good, json!(["brand.create"])).await;
    for tenant in [&acme, &other] {
        webhook(tenant, &bad, json!(["brand.create"])).await;
        for n in 0..3 {
            tenant.brand(&format!("Brand {n}")).await;
        }
    }
    let sender = sender(&app);
    let figures = sender.figures.clone();
    deliver_with(&app, sender).await;
    let now = figures.now();
    // Of each webhook that fails three are tried, because they are about three things.
    assert_eq!((now.delivered, now.failed, now.given_up, now.pending), (3, 6, 0, 6));
    // To one that is disabled nothing is pending.
    bad.receive(Receiving::Status(410, "", String::new()));
    wait_for_the_next_attempt(&app);
    let mut again = super::sender(&app);
    again.figures = figures.clone();
    deliver_with(&app, again).await;
    assert_eq!(app.database.rows("SELECT FROM webhook_deliveries WHERE state = 'pending'"), 6);
    assert_eq!(figures.now().pending, 0);
}

#[tokio::test]
async fn a_secret_is_shown_to_who_makes_it_and_two_sign_at_most() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (id, first) = webhook(&tenant, &receiver, json!(["brand.create"])).await;
    let path = format!("/api/webhooks/{id}");
    let mut secrets = vec![first];
    for _ in 0..2 {
        let rotated = tenant.owner.post(&format!("{path}/rotate"), json!({})).await.expect(200);
        assert_ne!(rotated.body["previousSecretUntil"], Value::Null);
        secrets.push(rotated.text_of("secret"));
        let shown = tenant.owner.get(&path).await.expect(200).body;
        assert_eq!((&shown["secret"], &shown["secretSetAt"]), (&Value::Null, &rotated.body["secretSetAt"]));
    }
    assert_eq!(secrets.iter().collect::<HashSet<_>>().len(), 3);
    tenant.brand("One").await;
    deliver(&app).await;
    let request = receiver.received().remove(0);
    let verify = secrets.iter().map(|secret| super::verifies(&request, secret));
    assert_eq!(verify.collect::<Vec<_>>(), [false, true, true], "the one before the last is not good any more");
    // Without an overlap the one before is worth nothing at once.
    let rotated = tenant.owner.post(&format!("{path}/rotate"), json!({ "overlapSeconds": 0 })).await.expect(200);
    tenant.brand("Two").await;
    deliver(&app).await;
    let request = receiver.received().remove(1);
    assert!(super::verifies(&request, &rotated.text_of("secret")) && !super::verifies(&request, &secrets[2]));
    // Who may not read a webhook is shown no secret, and the old one stays.
    let writer = tenant.key(&["webhooks:write"], json!({})).await;
    let before = app.database.dump();
    writer.post(&format!("{path}/rotate"), json!({})).await.expect(403);
    let rows = |dump: &str| dump.lines().filter(|line| line.contains(&id)).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(rows(&app.database.dump()), rows(&before));
}

#[tokio::test]
async fn a_webhook_that_has_changed_meanwhile_is_neither_changed_nor_deleted() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (id, _) = webhook(&tenant, &receiver, json!(["brand.create"])).await;
    let path = format!("/api/webhooks/{id}");
    let stale = tenant.owner.get(&path).await.expect(200).header("etag").to_owned();
    tenant.owner.patch(&path, json!({ "description": "Theirs" })).await.expect(200);
    for method in ["PATCH", "DELETE"] {
        let request = tenant.owner.request(method, &path).header("if-match", &stale);
        let request = if method == "PATCH" { request.json(&json!({ "description": "Ours" })) } else { request };
        tenant.owner.send(request).await.expect(412);
    }
    assert_eq!(tenant.owner.get(&path).await.expect(200).body["description"], "Theirs");
}
