//! Whose turn it is: one process migrates at a time, and gives way to requests.

use std::{
    convert::Infallible,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use diesel::{
    PgConnection, QueryableByName, RunQueryDsl, sql_query,
    sql_types::{BigInt, Bool, Integer, Text},
};

use super::MigrateError;
use crate::pool::establish;

/// How long a migration waits for a table. Behind it, everybody else waits for the table too. It is less than `deadlock_timeout`: in
/// a deadlock with a request, the migration gives up first.
pub(super) const LOCK_TIMEOUT: &str = "800ms";

/// How often a migration tries to get its tables, and how long it lets the others go on in between.
const ATTEMPTS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(700);

/// How often to look whether the lock of migrations is free, or who holds one.
const LOOK: Duration = Duration::from_millis(200);

/// A process that migrates is never idle for so long.
const LEFT_BEHIND: i64 = 5;

/// What is needed to see from outside whom a migration waits for.
pub(super) struct Turn {
    url: String,
    process: i32,
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = Bool)]
    taken: bool,
}

#[derive(QueryableByName)]
struct Process {
    #[diesel(sql_type = Integer)]
    process: i32,
}

/// A session that is waited for.
#[derive(QueryableByName)]
pub(super) struct Holder {
    #[diesel(sql_type = Integer)]
    pub(super) process: i32,
    #[diesel(sql_type = Text)]
    name: String,
    /// For how long it has done nothing; 0 while it does something.
    #[diesel(sql_type = BigInt)]
    idle: i64,
}

impl Turn {
    pub(super) fn of(url: &str, connection: &mut PgConnection) -> Result<Self, MigrateError> {
        let Process { process } = sql_query("SELECT pg_backend_pid() AS process").get_result(connection)?;
        Ok(Self { url: url.to_owned(), process })
    }
}

/// Waits for the lock of migrations and takes it, and says who has it.
pub(super) fn wait_for_it(connection: &mut PgConnection, lock: i64) -> Result<(), MigrateError> {
    let mut known = None;
    loop {
        let take = format!("SELECT pg_try_advisory_lock({lock}) AS taken");
        if sql_query(take).get_result::<Taken>(connection)?.taken {
            return Ok(());
        }
        if let Some(holder) = holder(connection, lock)? {
            if holder.idle >= LEFT_BEHIND {
                return Err(MigrateError::LeftBehind { process: holder.process, seconds: holder.idle });
            }
            if known.replace(holder.process) != Some(holder.process) {
                tracing::warn!("waiting for process {} ({}), which is migrating", holder.process, holder.name);
            }
        }
        thread::sleep(LOOK);
    }
}

/// Who holds the lock of migrations.
pub(super) fn holder(connection: &mut PgConnection, lock: i64) -> Result<Option<Holder>, MigrateError> {
    let sql = format!(
        "SELECT held.pid AS process, coalesce(nullif(application_name, ''), 'without a name') AS name,
             CASE state WHEN 'idle' THEN extract(epoch FROM clock_timestamp() - state_change)::bigint ELSE 0 END AS idle
         FROM pg_locks AS held JOIN pg_stat_activity USING (pid)
         WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND held.database = datid
             AND datname = current_database() AND (classid::bigint << 32) | objid::bigint = {lock}"
    );
    Ok(sql_query(sql).load(connection)?.pop())
}

/// Takes a step that needs tables, again and again while others use them.
pub(super) fn patiently<T: Send>(
    connection: &mut PgConnection,
    turn: &Turn,
    step: impl Fn(&mut PgConnection) -> Result<T, MigrateError>,
) -> Result<T, MigrateError> {
    for attempt in 1..=ATTEMPTS {
        let outcome = observed(turn, || step(connection));
        match outcome {
            Err(error) if is_in_the_way(&error) => {
                tracing::info!(attempt, "others use the tables; letting them go on, and trying again");
                thread::sleep(PAUSE);
            }
            outcome => return outcome,
        }
    }
    Err(MigrateError::Busy(ATTEMPTS))
}

fn is_in_the_way(error: &MigrateError) -> bool {
    let words = error.to_string();
    words.contains("due to lock timeout") || words.contains("deadlock detected")
}

/// Does something, and says for whom it waits.
fn observed<T>(turn: &Turn, work: impl FnOnce() -> T) -> T {
    let (working, done) = channel();
    thread::scope(|scope| {
        scope.spawn(move || observe(turn, &done));
        let outcome = work();
        drop::<std::sync::mpsc::Sender<Infallible>>(working);
        outcome
    })
}

/// A session that waits cannot say for whom. Another one can.
fn observe(turn: &Turn, done: &Receiver<Infallible>) {
    let is_working = || done.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout);
    if !is_working() {
        return;
    }
    let Ok(mut connection) = establish(&turn.url) else { return };
    let mut known = None;
    loop {
        let sql = format!(
            "SELECT pid AS process, coalesce(nullif(application_name, ''), 'without a name') AS name, 0::bigint AS idle
             FROM pg_stat_activity WHERE pid = ANY (pg_blocking_pids({})) ORDER BY pid LIMIT 1",
            turn.process
        );
        let Ok(blocking) = sql_query(sql).load::<Holder>(&mut connection) else { return };
        if let Some(holder) = blocking.first()
            && known.replace(holder.process) != Some(holder.process)
        {
            tracing::warn!("waiting for process {} ({}), which uses a table", holder.process, holder.name);
        }
        if !is_working() {
            return;
        }
    }
}
