//! Migrations of tables with a million rows: how long each keeps its locks, and what comes of it when it is killed or run by many.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use diesel::{Connection, PgConnection, connection::SimpleConnection, migration::MigrationSource, pg::Pg};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use nix::sys::signal::Signal;
use tenantry_tests::{OwnServer, count, lines};

use crate::kit::Tenantry;

const ROWS: u32 = 1_000_000;

/// From here on, replicas that are started at once migrate; one of them is killed at the first.
const AT_ONCE: &str = "_number_workspaces";

/// The locks of a process that was killed are free so soon.
const FREE: Duration = Duration::from_secs(5);

/// A session of a migration, as PostgreSQL sees it.
const MIGRATES: &str = "application_name = 'tenantry migrate' AND datname = current_database()";

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations")
}

/// The names of all migrations, in their order.
fn names() -> Vec<String> {
    let found = MigrationSource::<Pg>::migrations(&FileBasedMigrations::from_path(directory()).unwrap()).unwrap();
    let mut names: Vec<_> = found.iter().map(|migration| migration.name().to_string()).collect();
    names.sort();
    names
}

/// The tables that a migration changes or makes an index of.
fn touched(name: &str) -> Vec<String> {
    let sql = fs::read_to_string(directory().join(name).join("up.sql")).unwrap();
    let words: Vec<_> = sql
        .split(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
        .filter(|word| !word.is_empty())
        .collect();
    let after = |pair: &&[&str]| matches!(pair[0], "TABLE" | "ON" | "UPDATE");
    words.windows(2).filter(after).map(|pair| pair[1].to_owned()).collect()
}

/// Fills a table that is there and empty, with what its columns must have.
fn fill(admin: &mut PgConnection, table: &str) {
    let there = format!("SELECT FROM pg_tables WHERE schemaname = 'public' AND tablename = '{table}'");
    if count(admin, &there) == 0 || count(admin, &format!("SELECT FROM {table} LIMIT 1")) > 0 {
        return;
    }
    let columns = format!(
        "SELECT column_name || ' ' || data_type AS line FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name = '{table}' AND is_nullable = 'NO' AND column_default IS NULL"
    );
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for line in lines(admin, &columns) {
        let (name, kind) = line.split_once(' ').unwrap();
        // Rows of a thousand tenants.
        let tenant = "('00000000-0000-7000-8000-' || lpad((n % 1000)::text, 12, '0'))::uuid";
        values.push(match (name, kind) {
            ("tenant_id", _) => tenant,
            (_, "uuid") => "gen_random_uuid()",
            (_, "text") => "'x' || n",
            (_, "boolean") => "false",
            (_, "bigint" | "integer" | "smallint") => "n",
            (_, "jsonb") => "'{}'",
            (_, "timestamp with time zone") => "now() - n * interval '1 second'",
            (_, "ARRAY") => "'{}'",
            (_, "bytea") => "sha256(n::text::bytea)",
            _ => panic!("what is in {table}.{line}?"),
        });
        names.push(name.to_owned());
    }
    let sql = format!(
        "SET session_replication_role = replica;
         INSERT INTO {table} ({}) SELECT {} FROM generate_series(1, {ROWS}) AS n;
         RESET session_replication_role; ANALYZE {table}",
        names.join(", "),
        values.join(", ")
    );
    admin.batch_execute(&sql).unwrap();
}

/// Locks of migrations that keep requests waiting: by migration, process, table and mode, from when to when they were seen.
type Locks = BTreeMap<(usize, String, String, String), (Instant, Instant)>;

/// Looks at the locks of whoever migrates, again and again, until it is told to stop.
fn watch(url: String, stop: Arc<AtomicBool>) -> Locks {
    let held = format!(
        "SELECT (SELECT count(*) FROM __diesel_schema_migrations) || ' ' || pid || ' ' || relname || ' ' || mode AS line
         FROM pg_locks AS held JOIN pg_class AS class ON class.oid = held.relation JOIN pg_stat_activity USING (pid)
         WHERE {MIGRATES} AND granted AND relkind = 'r' AND relnamespace = 'public'::regnamespace
         AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')"
    );
    let (mut admin, mut locks) = (PgConnection::establish(&url).unwrap(), Locks::new());
    while !stop.load(Ordering::SeqCst) {
        for line in lines(&mut admin, &held) {
            let now = Instant::now();
            let mut words = line.split(' ').map(ToOwned::to_owned);
            let mut word = || words.next().unwrap();
            let (ran, process, table, mode) = (word(), word(), word(), word());
            locks.entry((ran.parse().unwrap(), process, table, mode)).or_insert((now, now)).1 = now;
        }
        thread::sleep(Duration::from_millis(2));
    }
    locks
}

/// Kills a process in the middle of the first migration to come, and returns when nobody holds its locks any more.
fn kill_one(tenantry: &Tenantry, admin: &mut PgConnection) {
    let ran = |admin: &mut PgConnection| count(admin, "SELECT FROM __diesel_schema_migrations");
    let before = ran(admin);
    let killed = tenantry.begin_to(&["migrate", "run"]);
    let at_work =
        format!("SELECT FROM pg_stat_activity WHERE {MIGRATES} AND state = 'active' AND query LIKE '%UPDATE%'");
    while count(admin, &at_work) == 0 {
        thread::sleep(Duration::from_millis(5));
    }
    killed.signal(Signal::SIGKILL);
    killed.wait();
    let began = Instant::now();
    while count(admin, &format!("SELECT FROM pg_stat_activity WHERE {MIGRATES}")) > 0 {
        thread::sleep(Duration::from_millis(20));
    }
    println!("its locks are free {} ms after a migration was killed", began.elapsed().as_millis());
    assert!(began.elapsed() <= FREE, "PostgreSQL goes on for somebody who is dead");
    assert_eq!(ran(admin), before, "nothing of it stays");
    tenantry.run(&["migrate", "status"]).expect(5);
}

#[test]
fn migrations_of_large_tables_say_how_long_they_keep_requests_waiting() {
    let server = OwnServer::unmigrated();
    let tenantry = Tenantry::at(&server.service_url()).with("TENANTRY_OWNER_DATABASE_URL", &server.owner_url());
    let (mut admin, names) = (server.admin(), names());
    let mut owner = PgConnection::establish(&server.owner_url()).unwrap();
    owner.batch_execute("SET application_name = 'tenantry migrate'").unwrap();
    let first = names.iter().position(|name| name.ends_with(AT_ONCE)).unwrap();
    owner.run_next_migration(FileBasedMigrations::from_path(directory()).unwrap()).unwrap();
    let (stop, url) = (Arc::new(AtomicBool::new(false)), server.admin_url("tenantry"));
    let watching = thread::spawn({
        let stop = Arc::clone(&stop);
        move || watch(url, stop)
    });
    let mut took = BTreeMap::new();
    for (at, name) in names.iter().enumerate().take(first).skip(1) {
        touched(name).iter().for_each(|table| fill(&mut admin, table));
        let began = Instant::now();
        owner.run_next_migration(FileBasedMigrations::from_path(directory()).unwrap()).unwrap();
        took.insert(at, began.elapsed());
    }
    drop(owner);
    names[first..].iter().flat_map(|name| touched(name)).for_each(|table| fill(&mut admin, &table));
    kill_one(&tenantry, &mut admin);
    let began = Instant::now();
    let replicas: Vec<_> = (0..3).map(|_| tenantry.begin_to(&["migrate", "run"])).collect();
    for replica in replicas {
        let (code, log) = replica.wait();
        assert_eq!(code, Some(0), "{log}");
    }
    let together = began.elapsed();
    stop.store(true, Ordering::SeqCst);
    let locks = watching.join().unwrap();
    println!("{:<44} {:>8} {:>9}  longest lock", "migration, with a million rows in a table", "took ms", "locked ms");
    for (at, name) in names.iter().enumerate() {
        let held = locks
            .iter()
            .filter(|((ran, ..), _)| *ran == at)
            .map(|((_, _, table, mode), (from, to))| (*to - *from, table, mode));
        let (locked, what) = held
            .max()
            .map_or((Duration::ZERO, "-".to_owned()), |(time, table, mode)| (time, format!("{mode} of {table}")));
        let took = took.get(&at).map_or("-".to_owned(), |took| took.as_millis().to_string());
        println!("{name:<44} {took:>8} {:>9}  {what}", locked.as_millis());
    }
    println!("three processes at once, from {} on, after one was killed: {} ms", names[first], together.as_millis());
    assert_eq!(count(&mut admin, "SELECT FROM workspaces WHERE number IS NULL"), 0);
    tenantry.run(&["migrate", "status"]).expect(0);
}
