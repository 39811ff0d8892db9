//! Every column of every table of a tenant comes back from an export, or stands in a list with its reason.

use std::collections::BTreeSet;

use diesel::{PgConnection, connection::SimpleConnection};
use serde_json::Value;
use tenantry_operations::providers::Timeouts;
use tenantry_operations::transfer::{LEFT_BEHIND, LeftBehind};
use tenantry_tests::{App, Rows, Tenant, TestDatabase, count, lines, master_keys};

use super::{
    exported, fill, import,
    moving::{key, move_in, sealed_export},
};

/// A tenant in one database, and in another one after a move or a copy.
struct Move {
    sealed: bool,
    here: (TestDatabase, String),
    there: (TestDatabase, String),
    file: String,
}

impl Move {
    /// Of a tenant with something in every column. The statements come before, in both databases.
    async fn after(sql: &str) -> Self {
        Self::of(sql, false).await
    }

    /// With its secrets, if they are sealed: then it is the tenant that it was.
    async fn of(sql: &str, sealed: bool) -> Self {
        let here = App::start().await;
        let there = App::integrating(master_keys(&[2]), Timeouts::default()).await;
        for app in [&here, &there] {
            app.database.admin().batch_execute(sql).unwrap();
        }
        let acme = here.tenant("Acme Ltd").await;
        fill(&here, &acme).await;
        fill_the_rest(&here, &acme);
        let (file, _) = if sealed { sealed_export(&here, &acme, &key()).await } else { exported(&here, &acme).await };
        // Of its own event an export cannot tell.
        here.database.admin().batch_execute("DELETE FROM audit_events WHERE action = 'tenant.export'").unwrap();
        let moved = if sealed {
            move_in(&there, &file, Some(&key())).await.unwrap();
            acme.id
        } else {
            let moved = there.tenant("Empty").await;
            import(&there, &moved, &file).await.unwrap();
            moved.id
        };
        Self { sealed, here: (here.database, acme.id.to_string()), there: (there.database, moved.to_string()), file }
    }
}

/// What requests do not fill, or only after a while.
fn fill_the_rest(app: &App, tenant: &Tenant) {
    let sql = "
        UPDATE brands SET secondary_color = '#112233', email_signature_text = 'Best', ai_sender_name = 'Ada',
                          ai_sender_title = 'Assistant', ai_sender_avatar_url = 'https://example.com/a.png'
        WHERE tenant_id = 'ACME';
        UPDATE workspaces SET limits_version = 14, email_signature_html = '<p>Bye</p>' WHERE tenant_id = 'ACME';
        UPDATE integrations SET verification_status = 'ok', verified_at = '2001-01-01T01:01:01Z',
                                last_error = 'It did not like it.', updated_at = '2001-02-02T02:02:02.000002Z',
                                discarded_secret = '\\xfeedc0ffee15dead', discarded_key = '1:0123456789abcdef',
                                discarded_last_four = '1234', discarded_set_at = now(), discarded_at = now(),
                                limited = provider = 'gohighlevel', api_key_sid = 'SK00000000000000000000000000000000', twilio_region = 'ie1',
                                renewable = true, renewing_until = now()
        WHERE tenant_id = 'ACME' AND secret_set_at IS NOT NULL;
        INSERT INTO invitations (tenant_id, id, email, email_key, role, expires_at, accepted_at)
        VALUES ('ACME', gen_random_uuid(), 'In@example.com', 'in@example.com', 'agent', '2001-03-03T03:03:03Z', now());
        INSERT INTO invitation_tokens (tenant_id, token_hash, invitation_id, replaced_at)
        SELECT tenant_id, sha256('token'), id, '2001-04-04T04:04:04Z' FROM invitations WHERE tenant_id = 'ACME' LIMIT 1;
        UPDATE outbox_messages SET state = 'dead', attempts = 19, last_error = 'The mailbox is full.' WHERE tenant_id = 'ACME';
        UPDATE api_keys SET expires_at = '2001-05-05T05:05:05Z', revoked_at = '2001-06-06T06:06:06Z',
                            last_used_at = '2001-07-07T07:07:07Z', replaced_by = id, updated_at = '2001-08-08T08:08:08Z'
        WHERE tenant_id = 'ACME';
        INSERT INTO idempotency_keys VALUES ('ACME', 'job', 'test', sha256('key'), sha256('request'), sha256('answer'),
                                             '2001-11-11T11:11:11Z');
        UPDATE audit_events SET address = '192.0.2.7' WHERE tenant_id = 'ACME';
        INSERT INTO webhooks (tenant_id, id, url, events, secret_set_at, created_at)
        VALUES ('ACME', gen_random_uuid(), 'https://example.com/2', '{brand.create}', '2001-01-12T01:12:01Z', '2001-02-12T02:12:02Z');
        UPDATE webhooks SET enabled = false, disabled_reason = 'failing', previous_until = '2001-03-12T03:12:03Z',
                            failing_since = '2001-04-12T04:12:04Z', failures = 3
        WHERE tenant_id = 'ACME' AND sealed_secrets IS NOT NULL;
        INSERT INTO webhook_deliveries (tenant_id, webhook_id, event_id)
        SELECT w.tenant_id, w.id, e.id FROM webhooks AS w JOIN audit_events AS e USING (tenant_id) WHERE w.tenant_id = 'ACME' LIMIT 1
        ON CONFLICT DO NOTHING;
        UPDATE webhook_deliveries SET state = 'failed', attempts = 7, last_attempt_at = now(), last_status = 500,
                                      last_answer = 'no', last_error = 'The receiver answered 500.' WHERE tenant_id = 'ACME';
        UPDATE tenants SET external_id = 'crm-1', metadata = jsonb_build_object('tier', 'gold'),
                           version = 21, max_workspaces = 1001, max_members = 1002, max_agents = 1003, max_minutes = 1004,
                           max_pending_invitations = 1005, max_emails_per_day = 1006, max_emails_per_recipient = 1007,
                           requests_per_second = 1008, request_burst = 1009,
                           suspended_at = '2001-09-09T09:09:09Z', deleted_at = '2001-10-10T10:10:10Z', frozen_at = '2001-12-12T12:12:12Z', mail_due_at = now(),
                           webhooks_due_at = now(),
                           founding_key_hash = sha256('founding')
        WHERE id = 'ACME';";
    let versions = Rows::of(&app.database).tables().into_iter().filter(|table| table != "tenants");
    let versions = versions.enumerate().map(|(n, table)| {
        format!(
            "DO $$ BEGIN UPDATE {table} SET version = {} WHERE tenant_id = 'ACME';
             EXCEPTION WHEN undefined_column THEN NULL; END $$;",
            9_001 + n
        )
    });
    let sql = sql.to_owned() + &versions.collect::<String>();
    app.database.admin().batch_execute(&sql.replace("ACME", &tenant.id.to_string())).unwrap();
}

/// A table of a tenant in one database.
struct Table<'t> {
    name: &'t str,
    admin: PgConnection,
    /// Of the tenant.
    rows: String,
}

impl<'t> Table<'t> {
    fn of(name: &'t str, (database, tenant): &(TestDatabase, String)) -> Self {
        let column = if name == "tenants" { "id" } else { "tenant_id" };
        Self { name, admin: database.admin(), rows: format!("FROM {name} AS row WHERE {column} = '{tenant}'") }
    }

    /// Its columns, each with its default; all but the one that says whose the row is.
    fn columns(&mut self) -> Vec<(String, String)> {
        let sql = format!(
            "SELECT column_name || '=' || coalesce(column_default, 'NULL') AS line FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name = '{}' AND column_name <> 'tenant_id'",
            self.name
        );
        let pair = |line: String| line.split_once('=').map(|(column, default)| (column.to_owned(), default.to_owned()));
        lines(&mut self.admin, &sql).into_iter().filter_map(pair).collect()
    }

    /// Whether a column has a value somewhere that is not there by itself.
    fn has_a_value(&mut self, column: &str, default: &str) -> bool {
        let Self { rows, .. } = self;
        count(
            &mut self.admin,
            &format!("SELECT {rows} AND {column} IS NOT NULL AND {column} IS DISTINCT FROM {default}"),
        ) > 0
    }

    /// The values of a column, sorted.
    fn values(&mut self, column: &str) -> Vec<String> {
        let Self { rows, .. } = self;
        lines(&mut self.admin, &format!("SELECT coalesce(to_jsonb({column})::text, 'null') AS line {rows} ORDER BY 1"))
    }

    /// Whole rows without these columns.
    fn rows(&mut self, without: &[String]) -> Vec<String> {
        let (Self { rows, .. }, without) = (&*self, without.join(","));
        let sql =
            format!("SELECT (to_jsonb(row) - 'tenant_id' - '{{{without}}}'::text[])::text AS line {rows} ORDER BY 1");
        lines(&mut self.admin, &sql)
    }
}

fn left_behind(moved: &Move, table: &str, column: &str) -> Option<&'static LeftBehind> {
    let mut found = LEFT_BEHIND
        .iter()
        .filter(|left| left.even_sealed || !moved.sealed)
        .filter(|left| left.table == table && (left.columns.is_empty() || left.columns.contains(&column)));
    let left = found.next();
    assert!(found.next().is_none(), "{table}.{column} stands twice in the list");
    left
}

/// Whether the file has this value, wherever it is.
fn tells(file: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        // Fractions of seconds are written in another way than PostgreSQL's.
        Value::String(text) if text.as_bytes().get(10) == Some(&b'T') => file.contains(&text[..19]),
        Value::String(_) | Value::Number(_) | Value::Bool(_) => file.contains(&value.to_string()),
        Value::Array(values) => values.iter().all(|value| tells(file, value)),
        Value::Object(values) => values.values().all(|value| tells(file, value)),
    }
}

/// What is wrong with what came back, or with the list of what does not.
fn complaints(moved: &Move) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut known = BTreeSet::new();
    for name in Rows::of(&moved.here.0).tables() {
        let (mut here, mut there) = (Table::of(&name, &moved.here), Table::of(&name, &moved.there));
        let mut gone = Vec::new();
        for (column, default) in here.columns() {
            let (before, after) = (here.values(&column), there.values(&column));
            let place = format!("{name}.{column}");
            if !here.has_a_value(&column, &default) {
                complaints.push(format!("{place} has no value in this test"));
            }
            match left_behind(moved, &name, &column) {
                None if before != after => complaints.push(format!("{place} does not come back")),
                None => {}
                Some(_) if before == after => complaints.push(format!("{place} comes back and stands in the list")),
                Some(left) => {
                    let mut values = before.iter().map(|value| serde_json::from_str::<Value>(value).unwrap());
                    if left.in_file && !values.clone().all(|value| tells(&moved.file, &value)) {
                        complaints.push(format!("{place} is not in the file"));
                    }
                    let bytes =
                        |value: &Value| value.as_str().and_then(|text| text.strip_prefix("\\x").map(str::to_owned));
                    if values.any(|value| bytes(&value).is_some_and(|bytes| moved.file.contains(&bytes))) {
                        complaints.push(format!("{place} is in the file, and must not be"));
                    }
                }
            }
            if left_behind(moved, &name, &column).is_some() {
                gone.push(column.clone());
            }
            known.insert(place);
        }
        if gone.len() < here.columns().len() && here.rows(&gone) != there.rows(&gone) {
            complaints.push(format!("{name}: what comes back is not the same rows"));
        }
        known.insert(name);
    }
    let named = LEFT_BEHIND.iter().flat_map(|left| {
        let columns = left.columns.iter().map(|column| format!("{}.{column}", left.table));
        columns.chain([left.table.to_owned()])
    });
    complaints.extend(named.filter(|place| !known.contains(place)).map(|place| format!("{place} is not there")));
    complaints
}

#[tokio::test]
async fn every_column_comes_back_or_stands_in_the_list() {
    assert_eq!(complaints(&Move::after("SELECT 1").await), Vec::<String>::new());
    assert_eq!(complaints(&Move::of("SELECT 1", true).await), Vec::<String>::new(), "sealed");
    assert!(LEFT_BEHIND.iter().all(|left| !left.why.is_empty()));
}

#[tokio::test]
async fn a_table_or_a_column_that_was_forgotten_is_missed() {
    let moved = Move::after(
        "CREATE TABLE notes (tenant_id uuid NOT NULL, body text);
         ALTER TABLE agents ADD COLUMN mood text NOT NULL DEFAULT 'calm';
         ALTER TABLE api_keys ADD COLUMN colour text;",
    )
    .await;
    let forgotten = "INSERT INTO notes SELECT id, 'Mind the gap.' FROM tenants; UPDATE agents SET mood = 'cheerful'";
    moved.here.0.admin().batch_execute(forgotten).unwrap();
    let expected = [
        "agents.mood does not come back",
        "agents: what comes back is not the same rows",
        "api_keys.colour has no value in this test",
        "api_keys.colour does not come back",
        "api_keys: what comes back is not the same rows",
        "notes.body does not come back",
        "notes: what comes back is not the same rows",
    ];
    assert_eq!(complaints(&moved), expected);
}
