//! Many at once, and whoever dies in between.

use std::time::Duration;

use diesel::{PgConnection, connection::SimpleConnection};
use futures_util::future::join_all;
use serde_json::json;
use tenantry_domain::{BrandDetails, Error, NewBrand};
use tenantry_operations::{Attempt, Outcome, brands as operations};
use tenantry_tests::{App, Tenant, TestDatabase};

use super::{assert_replayed, brand, brands, post};

const BRANDS: &str = "/api/brands";

#[tokio::test]
async fn fifty_at_once_are_one() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    for round in 0..5 {
        let name = format!("Brand {round}");
        let (key, body, owner) = (format!("key-{round}"), brand(&name), &acme.owner);
        let answers = join_all((0..50).map(|_| post(owner, BRANDS, &key, &body))).await;
        assert_eq!(brands(&app, &name), 1);
        let done: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert!(done.iter().all(|answer| answer.text == done[0].text));
        assert_eq!(done.iter().filter(|answer| answer.header("idempotency-replayed").is_empty()).count(), 1);
        for refused in answers.iter().filter(|answer| answer.status != 201) {
            assert_eq!(
                (refused.status, &refused.body["code"]),
                (409, &json!("request_in_progress")),
                "{}",
                refused.text
            );
        }
    }
}

/// Has whoever stores an answer wait until it is let go.
fn hold(app: &App) -> PgConnection {
    let mut holder = app.database.admin();
    holder
        .batch_execute(
            "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 PERFORM pg_advisory_xact_lock(7); RETURN NEW; END $$;
             CREATE TRIGGER hold BEFORE INSERT ON idempotency_keys FOR EACH ROW EXECUTE FUNCTION hold();
             SELECT pg_advisory_lock(7)",
        )
        .unwrap();
    holder
}

async fn until(app: &App, condition: &str) {
    let service = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND usename = 'tenantry_service'";
    while app.database.rows(&format!("{service} AND {condition}")) == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn others_with_the_same_key_are_not_kept_waiting() {
    let app = App::on(TestDatabase::new(), |options| options.statement_timeout = Duration::from_secs(120)).await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let second = acme.key(&["brands:read", "brands:write"], json!({})).await;
    let suspend = |tenant: &Tenant| format!("/api/admin/tenants/{}/suspend", tenant.id);
    let mut holder = hold(&app);
    for callers in [
        [(acme.owner.clone(), BRANDS.to_owned()), (second, BRANDS.to_owned())],
        [(app.platform(), suspend(&acme)), (app.platform(), suspend(&beta))],
    ] {
        let mut asked = Vec::new();
        for (n, (client, path)) in callers.into_iter().enumerate() {
            let body = if path == BRANDS { brand("One") } else { json!({}) };
            asked.push(tokio::spawn(async move { post(&client, &path, "same", &body).await }));
            let waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
                           AND usename = 'tenantry_service' AND wait_event_type = 'Lock'";
            while app.database.rows(waiting) <= i64::try_from(n).unwrap() && !asked[n].is_finished() {
                tokio::task::yield_now().await;
            }
        }
        holder.batch_execute("SELECT pg_advisory_unlock(7)").unwrap();
        for asked in asked {
            let answer = asked.await.unwrap();
            assert!((200..300).contains(&answer.status), "{}", answer.text);
        }
        holder.batch_execute("SELECT pg_advisory_lock(7)").unwrap();
    }
}

#[tokio::test]
async fn an_answer_that_was_committed_and_never_arrived_is_given_to_the_retry() {
    let app = App::on(TestDatabase::new(), |options| options.statement_timeout = Duration::from_secs(120)).await;
    let acme = app.tenant("Acme").await;
    let mut holder = hold(&app);
    let owner = acme.owner.clone();
    let first = tokio::spawn(async move { post(&owner, BRANDS, "key", &brand("One")).await });
    until(&app, "wait_event_type = 'Lock'").await;
    // Nobody waits for the first one: the second is told at once.
    let meanwhile = post(&acme.owner, BRANDS, "key", &brand("One")).await.expect(409);
    assert_eq!(meanwhile.body["code"], "request_in_progress");
    post(&acme.owner, BRANDS, "key-of-another", &json!({ "name": "" })).await.expect(422);
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    holder.batch_execute("SELECT pg_advisory_unlock(7)").unwrap();
    while app.database.rows("SELECT 1 FROM idempotency_keys") == 0 {
        tokio::task::yield_now().await;
    }
    holder.batch_execute("DROP FUNCTION hold CASCADE").unwrap();
    let retry = post(&acme.owner, BRANDS, "key", &brand("One")).await.expect(201);
    assert_eq!(retry.header("idempotency-replayed"), "true");
    assert_eq!(acme.owner.get(&format!("{BRANDS}/{}", retry.id())).await.expect(200).text_of("name"), "One");
    assert_eq!(brands(&app, "One"), 1);
}

#[tokio::test]
async fn a_first_attempt_that_fails_at_its_very_end_leaves_nothing_and_the_retry_works() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let mut admin = app.database.admin();
    admin.batch_execute("REVOKE INSERT ON idempotency_keys FROM tenantry_service").unwrap();
    post(&acme.owner, BRANDS, "key", &brand("One")).await.expect(503);
    assert_eq!(brands(&app, "One"), 0);
    admin.batch_execute("GRANT INSERT ON idempotency_keys TO tenantry_service").unwrap();
    let first = post(&acme.owner, BRANDS, "key", &brand("One")).await.expect(201);
    assert_replayed(&first, &post(&acme.owner, BRANDS, "key", &brand("One")).await);
}

fn new_brand() -> NewBrand {
    NewBrand { details: BrandDetails::named("One".parse().unwrap()), slug: None, is_default: false }
}

fn attempt(key: &str) -> Attempt {
    Attempt::new(BRANDS, &key.parse().unwrap(), BRANDS)
}

#[tokio::test]
async fn work_whose_answer_never_comes_is_taken_back() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let operator = acme.operator();
    let (made, outcome) = attempt("key").run(operations::create(&app.store, &operator, new_brand())).await;
    made.unwrap();
    assert!(matches!(outcome, Outcome::Done(_)));
    let (refused, _) = attempt("key").run(operations::create(&app.store, &operator, new_brand())).await;
    assert!(matches!(refused, Err(Error::Conflict { .. })), "it is at work: {refused:?}");
    drop(outcome);
    until(&app, "state = 'idle'").await;
    while app.database.rows("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state ~ 'in trans'")
        > 0
    {
        tokio::task::yield_now().await;
    }
    assert_eq!(brands(&app, "One"), 0);
    let (_, outcome) = attempt("key").run(operations::create(&app.store, &operator, new_brand())).await;
    let Outcome::Done(work) = outcome else { panic!("it begins again") };
    work.commit(b"sealed".to_vec()).await.unwrap();
    assert_eq!(brands(&app, "One"), 1);
}

#[tokio::test]
async fn two_writes_in_one_attempt_are_refused_and_neither_stays() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (store, operator) = (&app.store, &acme.operator());
    let twice = async {
        operations::create(store, operator, new_brand()).await?;
        operations::create(store, operator, new_brand()).await
    };
    let (second, outcome) = attempt("key").run(twice).await;
    assert!(matches!(second, Err(Error::Internal { .. })), "{second:?}");
    drop(outcome);
    while app.database.rows("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state ~ 'in trans'")
        > 0
    {
        tokio::task::yield_now().await;
    }
    assert_eq!(brands(&app, "One"), 0);
}
