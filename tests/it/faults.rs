//! A database in trouble: 503 for as long as it lasts and not longer, never 500, and nobody sees what is another's.

mod connections;
mod killed;
mod migrating;
mod overload;
mod pooler;
mod races;
mod silence;
mod standing;
mod time;

use diesel::connection::SimpleConnection;
use tenantry_tests::{Answer, App};

/// Says something to the database as the superuser.
fn as_superuser(app: &App, sql: &str) {
    app.database.admin().batch_execute(sql).unwrap();
}

/// Every change of a workspace takes an hour.
fn dawdle(app: &App) {
    as_superuser(
        app,
        "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_sleep(3600); RETURN NEW; END $$;
         CREATE TRIGGER dawdle BEFORE UPDATE ON workspaces FOR EACH ROW EXECUTE FUNCTION dawdle()",
    );
}

/// Ends every connection of the service from the other side.
fn hang_up(app: &App) {
    as_superuser(
        app,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND usename = 'tenantry_service'",
    );
}

/// Returns when this many connections of the service wait for a lock. It is they who are waited for, and no time.
pub(crate) async fn until_waiting(app: &App, how_many: i64) {
    let waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
                   AND usename = 'tenantry_service' AND wait_event_type = 'Lock'";
    while app.database.rows(waiting) < how_many {
        tokio::task::yield_now().await;
    }
}

/// This answer, which must ask the caller to come back later, and say nothing about why.
#[track_caller]
fn later(answer: Answer) -> Answer {
    refused(answer, "unavailable", "The service is temporarily unavailable. Try again in a few seconds.")
}

/// [`later`], because too many wait already.
#[track_caller]
fn busy(answer: Answer) -> Answer {
    refused(answer, "overloaded", "Too many requests are waiting. Try again in a few seconds.")
}

#[track_caller]
fn refused(answer: Answer, code: &str, sentence: &str) -> Answer {
    let answer = answer.expect(503);
    assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{:?}", answer.headers);
    assert_eq!((&answer.body["code"], &answer.body["error"]), (&code.into(), &sentence.into()));
    answer
}
