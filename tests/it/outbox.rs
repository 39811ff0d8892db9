//! The outbox: every email that was wanted leaves, whoever fails meanwhile, and it leaves once.

mod acceptance;
mod backlog;
mod brands;
mod clearing;
mod failures;
mod joining;
mod secrecy;
mod sending;
mod workers;

use std::{collections::BTreeMap, time::Duration};

use diesel::{PgConnection, connection::SimpleConnection};
use tenantry_domain::{
    Error, Invitation, Invitee, Member, Origin, OutboxState, PageLimit, PageRequest, Person, Retention, Sort,
    TrustedFor,
};
use tenantry_operations::{
    Store, housekeeping, invitations,
    mail::{MailOptions, Mailer, Signatures},
    outbox::{Report, Sender, deliver_due},
};
use tenantry_tests::{App, Encryption, Presented, ReceivedMail, SmtpServer, Tenant, TestDatabase};

/// Deletes what the service deletes by itself, and says how many rows.
pub(crate) async fn cleared(app: &App) -> u64 {
    let pruned = housekeeping::prune(&app.store, &Retention::default(), false).await.unwrap();
    pruned.into_iter().map(|(_, rows)| rows).sum()
}

/// A server without encryption, for tests that are not about it.
pub(crate) fn server() -> SmtpServer {
    SmtpServer::with(Encryption::Nothing, Presented::Own)
}

fn sender(server: &SmtpServer) -> Sender {
    Sender {
        mailer: Mailer::new(&MailOptions::Smtp(server.options())).unwrap(),
        from_address: "no-reply@service.example".parse().unwrap(),
        link: "https://app.example.com/join#{token}".parse().unwrap(),
        signatures: Signatures::Html,
        reply_to_inviter: false,
    }
}

/// One round.
pub(crate) async fn deliver(app: &App, server: &SmtpServer) -> Report {
    deliver_due(&app.store, &sender(server), || true).await.unwrap()
}

/// Round after round, until there is nothing to do; how many emails were sent.
async fn deliver_all(store: &Store, server: &SmtpServer) -> usize {
    let (sender, mut sent) = (sender(server), 0);
    loop {
        let report = deliver_due(store, &sender, || true).await.unwrap();
        if report.is_empty() {
            return sent;
        }
        sent += report.sent;
    }
}

fn behind_the_back(app: &App, sql: &str) {
    app.database.admin().batch_execute(sql).unwrap();
}

/// Has whoever does this to a table wait until it is let go, in the middle of its transaction.
fn hold(app: &App, what: &str) -> PgConnection {
    let mut holder = app.database.admin();
    let sql = format!(
        "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             PERFORM pg_advisory_xact_lock(7); RETURN NEW; END $$;
         CREATE TRIGGER hold {what} EXECUTE FUNCTION hold();
         SELECT pg_advisory_lock(7)"
    );
    holder.batch_execute(&sql).unwrap();
    holder
}

fn let_go(mut holder: PgConnection) {
    holder.batch_execute("SELECT pg_advisory_unlock(7); DROP FUNCTION hold CASCADE").unwrap();
}

/// Returns when this many connections of the service wait for a lock. It is they who are waited for, and no time.
async fn until_waiting(app: &App, how_many: i64) {
    let waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
                   AND usename = 'tenantry_service' AND wait_event_type = 'Lock'";
    while app.database.rows(waiting) < how_many {
        tokio::task::yield_now().await;
    }
}

/// A service that is patient with locks.
async fn patient() -> App {
    App::on(TestDatabase::new(), |options| options.statement_timeout = Duration::from_secs(120)).await
}

/// Lets the time pass until everything that is pending is due.
fn wait_for_the_next_attempt(app: &App) {
    behind_the_back(
        app,
        "UPDATE outbox_messages SET next_attempt_at = now() - interval '1 second' WHERE state = 'pending';
         UPDATE tenants SET mail_due_at = now() - interval '1 second'
         WHERE id IN (SELECT tenant_id FROM outbox_messages WHERE state = 'pending')",
    );
}

/// How many messages there are for which this holds.
fn messages(database: &TestDatabase, condition: &str) -> i64 {
    database.rows(&format!("SELECT 1 FROM outbox_messages WHERE {condition}"))
}

/// The one message that the tenant's outbox has.
async fn the_message(app: &App, tenant: &Tenant) -> tenantry_domain::OutboxMessage {
    let mut all = listed(app, tenant, None).await;
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

async fn listed(app: &App, tenant: &Tenant, state: Option<OutboxState>) -> Vec<tenantry_domain::OutboxMessage> {
    let page = PageRequest { limit: PageLimit::default(), sort: Sort::default(), after: None };
    tenantry_operations::outbox::list(&app.store, &tenant.operator(), state, page).await.unwrap().items
}

/// The token in the link of a message.
#[track_caller]
pub(crate) fn token(mail: &ReceivedMail) -> String {
    let text = mail.text();
    let (_, rest) = text.split_once("https://app.example.com/join#").expect("a link");
    rest.lines().next().unwrap().to_owned()
}

/// Somebody with this verified address accepts.
async fn accept(store: &Store, subject: &str, email: &str, token: &str) -> Result<(Invitation, Member), Error> {
    let person = Person { issuer: "https://login.example.com/".parse().unwrap(), subject: subject.parse().unwrap() };
    let invitee = Invitee {
        person,
        email: Ok(email.parse().unwrap()),
        origin: Origin::default(),
        trusted_for: TrustedFor::default(),
    };
    invitations::accept(store, invitee, token).await
}

/// The code of a conflict.
#[track_caller]
fn conflict<T: std::fmt::Debug>(outcome: Result<T, Error>) -> &'static str {
    match outcome {
        Err(Error::Conflict { code, .. }) => code.as_str(),
        other => panic!("no conflict: {other:?}"),
    }
}

/// How many messages each recipient got.
fn by_recipient(server: &SmtpServer) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for mail in server.mails() {
        assert_eq!(mail.to.len(), 1, "{mail:?}");
        *counts.entry(mail.to[0].clone()).or_insert(0) += 1;
    }
    counts
}

/// Asserts that each of so many addresses `pN@example.com`, from 1 on, got one message, and nobody else any.
#[track_caller]
fn each_got_one(server: &SmtpServer, people: usize) {
    let counts = by_recipient(server);
    let wanted: BTreeMap<String, usize> = (1..=people).map(|n| (format!("p{n}@example.com"), 1)).collect();
    assert_eq!(counts, wanted);
}
