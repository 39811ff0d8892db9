//! The audit log in partitions: nothing gets past a wall by naming one, no write fails for want of one, pages are the same across them,
//! and what is too old is dropped with them.

use chrono::TimeDelta;
use diesel::{Connection, PgConnection, connection::SimpleConnection};
use serde_json::{Value, json};
use tenantry_persistence::{AuditPartitions, Migrator};
use tenantry_tests::{App, Client, Tenant, TestDatabase, count, lines};

use crate::{plans::end_connections, schema::catalogue::complaints};

/// The partitions of all tables.
fn partitions(database: &TestDatabase) -> Vec<String> {
    let sql = "SELECT relname::text AS line FROM pg_class WHERE relispartition AND relkind = 'r' ORDER BY relname";
    lines(&mut database.admin(), sql)
}

fn owners(database: &TestDatabase) -> AuditPartitions {
    AuditPartitions::connect(&database.owner_url()).unwrap()
}

/// So many events of a tenant, from this time on, a day apart.
fn insert_days(database: &TestDatabase, tenant: &Tenant, from: &str, days: u32) {
    let sql = format!(
        "INSERT INTO audit_events (tenant_id, id, action, actor_type, actor_id, subject_type, subject_id, changes, occurred_at)
         SELECT '{}', event_id(gen_random_uuid(), at), 'brand.update', 'job', 'test', 'brand', gen_random_uuid(), '{{}}', at
         FROM generate_series(0, {days} - 1) AS n, LATERAL (SELECT ({from}) + n * interval '1 day' AS at) AS times",
        tenant.id
    );
    database.admin().batch_execute(&sql).unwrap();
}

#[tokio::test]
async fn a_partition_that_is_named_shows_and_takes_nothing() {
    let app = App::start().await;
    let (ours, theirs) = (app.tenant("Ours").await, app.tenant("Theirs").await);
    owners(&app.database).make_ahead().unwrap();
    insert_days(&app.database, &theirs, "now()", 200);
    assert_eq!(complaints(&app.database), Vec::<String>::new());
    let (mut service, mut owner) =
        (app.database.service(), PgConnection::establish(&app.database.owner_url()).unwrap());
    let parts = partitions(&app.database);
    assert!(parts.len() >= 4, "{parts:?}");
    for part in parts {
        assert!(app.database.rows(&format!("SELECT FROM {part}")) > 0, "{part}");
        for statement in [
            format!("SELECT FROM {part}"),
            format!("INSERT INTO {part} SELECT * FROM audit_events"),
            format!("UPDATE {part} SET action = action"),
            format!("DELETE FROM {part}"),
            format!("TRUNCATE {part}"),
        ] {
            let stand = format!("BEGIN; SELECT set_tenant('{}')", theirs.id);
            let refused = service.batch_execute(&format!("{stand}; {statement}")).unwrap_err().to_string();
            service.batch_execute("ROLLBACK").unwrap();
            assert!(refused.contains("permission denied"), "{statement}: {refused}");
        }
        // Even with a right that nobody should have given.
        app.database.admin().batch_execute(&format!("GRANT SELECT ON {part} TO tenantry_service")).unwrap();
        assert_ne!(complaints(&app.database), Vec::<String>::new(), "{part}");
        for connection in [&mut service, &mut owner] {
            assert_eq!(count(connection, &format!("SELECT FROM {part}")), 0, "{part}");
            connection.batch_execute(&format!("BEGIN; SELECT set_tenant('{}')", ours.id)).unwrap();
            assert_eq!(
                count(connection, &format!("SELECT FROM {part} WHERE tenant_id = '{}'", theirs.id)),
                0,
                "{part}"
            );
            connection.batch_execute("ROLLBACK").unwrap();
        }
        app.database.admin().batch_execute(&format!("REVOKE SELECT ON {part} FROM tenantry_service")).unwrap();
    }
}

#[tokio::test]
async fn months_are_made_before_they_begin_and_only_once() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    assert_eq!(partitions(&app.database), ["audit_events_newest", "audit_events_oldest"]);
    let mut partitions_of = owners(&app.database);
    assert_eq!(partitions_of.make_ahead().unwrap(), 2);
    assert_eq!(partitions_of.make_ahead().unwrap(), 0);
    let month = "SELECT 'audit_events_' || to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + interval '2 months', 'YYYY_MM') AS line";
    let month = lines(&mut app.database.admin(), month).remove(0);
    assert!(partitions(&app.database).contains(&month), "{month}");
    // Each event is where its time is.
    let start = "date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + interval '2 months'";
    for (at, place) in [
        (format!("{start} - interval '1 millisecond'"), "audit_events_oldest"),
        (start.to_owned(), month.as_str()),
        ("'2000-01-01'::timestamptz".to_owned(), "audit_events_oldest"),
        ("'2999-01-01'::timestamptz".to_owned(), "audit_events_newest"),
    ] {
        let before = app.database.rows(&format!("SELECT FROM {place}"));
        insert_days(&app.database, &acme, &at, 1);
        assert_eq!(app.database.rows(&format!("SELECT FROM {place}")), before + 1, "{at}");
    }
}

#[tokio::test]
async fn whoever_did_not_run_housekeeping_loses_nothing_and_gets_months_again() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let webhook = acme.owner.post("/api/webhooks", json!({ "url": "https://example.com/webhooks" })).await;
    let webhook = webhook.expect(201).id();
    insert_days(&app.database, &acme, "now()", 100);
    let deliver = format!(
        "INSERT INTO webhook_deliveries (tenant_id, webhook_id, event_id)
         SELECT tenant_id, '{webhook}', id FROM audit_events ORDER BY id DESC LIMIT 10"
    );
    app.database.admin().batch_execute(&deliver).unwrap();
    let all = "SELECT id::text AS line FROM audit_events ORDER BY occurred_at, id";
    let before = lines(&mut app.database.admin(), all);
    let in_newest = app.database.rows("SELECT FROM audit_events_newest");
    assert!(in_newest > 10, "{in_newest}");
    owners(&app.database).make_ahead().unwrap();
    assert_eq!(app.database.rows("SELECT FROM audit_events_newest"), 0, "they have a partition of their own");
    assert_eq!(lines(&mut app.database.admin(), all), before);
    assert_eq!(owners(&app.database).make_ahead().unwrap(), 0);
    assert_eq!(complaints(&app.database), Vec::<String>::new());
    // What is delivered is still held.
    let gone = app
        .database
        .admin()
        .batch_execute("DELETE FROM audit_events WHERE id IN (SELECT event_id FROM webhook_deliveries)");
    assert!(gone.unwrap_err().to_string().contains("violates foreign key"));
    acme.workspace("DACH").await;
}

#[tokio::test]
async fn what_is_too_old_goes_with_its_partition_and_what_is_delivered_stays() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let mut owner = owners(&app.database);
    owner.make_ahead().unwrap();
    for tenant in [&acme, &beta] {
        insert_days(&app.database, tenant, "now()", 90);
    }
    let events = || app.database.rows("SELECT FROM audit_events");
    let (all, parts) = (events(), partitions(&app.database).len());
    // Kept for a day: nothing is that old.
    assert_eq!(owner.drop_ended(TimeDelta::days(1)).unwrap(), Vec::<String>::new());
    // As if it were so much later.
    let later = TimeDelta::days(-75);
    let over = owner.ended(later).unwrap();
    assert_eq!(over[0], "audit_events_oldest");
    assert_eq!((events(), partitions(&app.database).len()), (all, parts), "to ask drops nothing");
    let webhook = acme.owner.post("/api/webhooks", json!({ "url": "https://example.com/webhooks" })).await;
    acme.owner.post(&format!("/api/webhooks/{}/test", webhook.expect(201).id()), json!({})).await.expect(202);
    assert_eq!(owner.drop_ended(later).unwrap(), Vec::<String>::new(), "a delivery refers to it");
    app.database.admin().batch_execute("DELETE FROM webhook_deliveries").unwrap();
    assert_eq!(owner.drop_ended(later).unwrap(), over);
    let left = events();
    assert!(left > 0 && left < all, "{left} of {all}");
    assert_eq!(owner.drop_ended(later).unwrap(), Vec::<String>::new());
    assert_eq!(complaints(&app.database), Vec::<String>::new());
    // An event of a time whose partition is gone has a place all the same.
    acme.workspace("DACH").await;
    assert_eq!(app.database.rows("SELECT FROM audit_events_oldest"), 1);
}

/// The ids of all events on all pages of a list.
async fn listed(client: &Client, query: &str) -> Vec<String> {
    let (mut ids, mut next) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("/api/audit-events?limit=7{query}{next}")).await.expect(200).body;
        let items = page["data"].as_array().unwrap();
        ids.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match &page["nextCursor"] {
            Value::String(cursor) => next = format!("&cursor={cursor}"),
            _ => return ids,
        }
    }
}

#[tokio::test]
async fn pages_are_the_same_wherever_partitions_begin() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    owners(&app.database).make_ahead().unwrap();
    // Close together, far apart, at the same moment, and in each partition.
    for (from, days) in
        [("now() - interval '100 days'", 20), ("now() - interval '10 days'", 150), ("now() + interval '60 days'", 60)]
    {
        insert_days(&app.database, &acme, from, days);
        insert_days(&app.database, &beta, from, days);
    }
    let same = "INSERT INTO audit_events SELECT (jsonb_populate_record(row, jsonb_build_object('id', event_id(gen_random_uuid(), occurred_at)))).*
                FROM audit_events AS row WHERE actor_id = 'test'";
    app.database.admin().batch_execute(same).unwrap();
    for (filter, condition) in [
        ("", "true"),
        ("&actorId=test", "actor_id = 'test'"),
        ("&from=2999-01-01T00:00:00Z", "false"),
        ("&until=2000-01-01T00:00:00Z", "false"),
        ("&from=2000-01-01T00:00:00Z&until=2999-01-01T00:00:00Z&action=brand.update", "action = 'brand.update'"),
    ] {
        for (sort, direction) in [("-occurredAt", "DESC"), ("occurredAt", "ASC")] {
            let sql = format!(
                "SELECT id::text AS line FROM audit_events WHERE tenant_id = '{}' AND {condition}
                 ORDER BY occurred_at {direction}, id {direction}",
                acme.id
            );
            let expected = lines(&mut app.database.admin(), &sql);
            assert_eq!(listed(&acme.owner, &format!("&sort={sort}{filter}")).await, expected, "{sort} {filter}");
        }
    }
}

#[tokio::test]
async fn an_event_whose_id_says_another_time_gets_an_id_of_its_own_time() {
    let database = TestDatabase::new();
    let id = |id: &str, at: &str| {
        lines(&mut database.admin(), &format!("SELECT event_id('{id}', '{at}')::text AS line")).remove(0)
    };
    let right = "01a22ee6-b000-7123-8456-789abcdef012";
    assert_eq!(id(right, "2026-12-01T00:00:00Z"), right);
    assert_eq!(id(right, "2026-12-01T23:59:59Z"), right);
    assert_eq!(id(right, "2026-11-30T00:00:01Z"), right);
    for wrong in ["ffffffff-ffff-4123-8456-789abcdef012", "00000000-0000-4123-8456-789abcdef012"] {
        assert_eq!(id(wrong, "2026-12-01T00:00:00Z"), right);
    }
    // And so does each that is written, which tells nobody what an id was meant to be.
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    acme.workspace("DACH").await;
    let apart = "SELECT FROM audit_events WHERE id <> event_id(id, occurred_at)";
    assert_eq!((app.database.rows(apart), app.database.rows("SELECT FROM audit_events")), (0, 2));
}

#[tokio::test]
async fn a_log_from_before_becomes_a_partition_with_all_that_refers_to_it() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let webhook = acme.owner.post("/api/webhooks", json!({ "url": "https://example.com/webhooks" })).await;
    let webhook = webhook.expect(201).id();
    acme.owner.post(&format!("/api/webhooks/{webhook}/test"), json!({})).await.expect(202);
    owners(&app.database).make_ahead().unwrap();
    insert_days(&app.database, &acme, "now() - interval '10 days'", 10);
    let mut migrator = Migrator::connect(&app.database.owner_url()).unwrap();
    while !migrator.revert(1).unwrap()[0].ends_with("_date_audit_events") {}
    assert_eq!(partitions(&app.database), Vec::<String>::new());
    // Ids without a time, as those of refused attempts were; a delivery refers to one of them.
    let before = format!(
        "UPDATE webhook_deliveries SET state = 'failed';
         INSERT INTO audit_events SELECT (jsonb_populate_record(row, jsonb_build_object('id', 'f' || substr(gen_random_uuid()::text, 2)))).*
         FROM audit_events AS row WHERE actor_id = 'test';
         INSERT INTO webhook_deliveries (tenant_id, webhook_id, event_id)
         SELECT tenant_id, '{webhook}', id FROM audit_events ORDER BY id DESC LIMIT 1"
    );
    app.database.admin().batch_execute(&before).unwrap();
    let delivered = "SELECT FROM webhook_deliveries JOIN audit_events ON event_id = id";
    let deliveries = app.database.rows(delivered);
    let times = "SELECT format('%s %s %s', action, subject_id, occurred_at) AS line FROM audit_events ORDER BY 1";
    let events = lines(&mut app.database.admin(), times);
    migrator.run().unwrap();
    assert_eq!(lines(&mut app.database.admin(), times), events);
    assert_eq!(app.database.rows("SELECT FROM audit_events_oldest"), i64::try_from(events.len()).unwrap());
    assert_eq!((app.database.rows(delivered), deliveries), (3, 3));
    assert_eq!(app.database.rows("SELECT FROM audit_events WHERE id <> event_id(id, occurred_at)"), 0);
    assert_eq!(complaints(&app.database), Vec::<String>::new());
    // And back, with months.
    owners(&app.database).make_ahead().unwrap();
    insert_days(&app.database, &acme, "now() + interval '50 days'", 20);
    let events = lines(&mut app.database.admin(), times);
    migrator.revert(1).unwrap();
    assert_eq!(lines(&mut app.database.admin(), times), events);
    migrator.run().unwrap();
    assert_eq!(lines(&mut app.database.admin(), times), events);
}

#[tokio::test]
async fn a_page_reads_the_partitions_of_its_time_and_no_other() {
    let app = App::on(TestDatabase::new(), |options| options.connections = 1).await;
    let acme = app.tenant("Acme").await;
    owners(&app.database).make_ahead().unwrap();
    insert_days(&app.database, &acme, "now()", 200);
    app.database.admin().batch_execute("ANALYZE audit_events").unwrap();
    // From the end of what the newest partition has, a page of it; and the one after.
    let oldest = "audit_events_oldest";
    let newest = "audit_events_newest";
    let month = partitions(&app.database).remove(0);
    let cursor = "SELECT to_char(now() AT TIME ZONE 'UTC' + interval '200 days', 'YYYY-MM-DD') AS line";
    let late = lines(&mut app.database.admin(), cursor).remove(0);
    for (query, read, unread) in [
        (format!("&until={late}T00:00:00Z"), newest, vec![month.as_str()]),
        (format!("&from={late}T00:00:00Z"), newest, vec![month.as_str()]),
        (
            "&sort=occurredAt&from=2000-01-01T00:00:00Z&until=2000-03-01T00:00:00Z".to_owned(),
            oldest,
            vec![newest, month.as_str()],
        ),
    ] {
        app.database.admin().batch_execute("SELECT pg_stat_reset()").unwrap();
        acme.owner.get(&format!("/api/audit-events?limit=5{query}")).await.expect(200);
        end_connections(&app);
        let read_of = |table: &str| {
            let sql = format!("SELECT FROM pg_stat_user_indexes WHERE relname = '{table}' AND idx_scan > 0");
            app.database.rows(&sql) > 0
        };
        assert!(read_of(read), "{query} reads {read}");
        for other in unread {
            assert!(!read_of(other), "{query} does not read {other}");
        }
    }
}
