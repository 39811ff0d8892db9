//! How long a large tenant stands still while it moves to another database, and how much memory each step takes.

use std::{
    fs::{self, File},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use diesel::connection::SimpleConnection;
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeVal,
};
use serde_json::Value;
use tenantry_tests::{Crowd, OwnServer, lines};

use crate::kit::Tenantry;

/// What a debug build needs at most, all in all, in which nobody can change the tenant.
const STANDS_STILL: Duration = Duration::from_secs(300);

/// What one step may have in memory, however much there is in the tenant.
const MEBIBYTES: u64 = 128;

/// How often it is looked how much that is.
const LOOK: Duration = Duration::from_millis(5);

/// Whose rows are all the same afterwards, in each column.
const TABLES: [&str; 8] = [
    "brands",
    "workspaces",
    "workspace_metadata",
    "members",
    "assignments",
    "usage_entries",
    "usage_months",
    "api_keys",
];

/// A command that has ended.
struct Measured {
    success: bool,
    answer: Value,
    took: Duration,
    /// The most that it had in memory, in MiB.
    peak: u64,
}

/// Runs a command, prints what it took, and holds that against what it may take.
fn measured(tenantry: &Tenantry, arguments: &[&str]) -> Measured {
    let answer = tenantry.path("answer.json");
    let mut command = tenantry.command(&[arguments, &["--output", "json"]].concat());
    command.stdout(File::create(&answer).unwrap()).stderr(Stdio::inherit());
    let (begun, before) = (Instant::now(), processor());
    let mut child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = loop {
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        // The system keeps the peak, so that nothing is missed but what comes in the last moment.
        peak = peak.max(high_water(&status).unwrap_or(0));
        thread::sleep(LOOK);
    };
    let (took, worked) = (begun.elapsed(), processor() - before);
    let step = arguments[..2].join(" ");
    println!("{step}: {:.1} s, of the processor {worked:.1} s, {} MiB", took.as_secs_f64(), peak / 1024);
    assert!(peak / 1024 <= MEBIBYTES, "{step} had {peak} KiB in memory");
    let answer = serde_json::from_str(&fs::read_to_string(&answer).unwrap()).unwrap();
    Measured { success: ended.success(), answer, took, peak: peak / 1024 }
}

/// How many seconds of a processor the commands that have ended took, without the database.
fn processor() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    seconds(usage.user_time()) + seconds(usage.system_time())
}

/// The most that a process had in memory so far, in KiB.
fn high_water(status: &str) -> Option<u64> {
    let status = fs::read_to_string(status).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().trim_end_matches(" kB").parse().ok()
}

/// How many rows of a tenant there are in each table, and a digest of them.
fn digests(server: &OwnServer, tenant: &str) -> Vec<String> {
    let digest = |table: &str| {
        format!(
            "SELECT '{table} ' || count(*) || ' ' || md5(string_agg(row::text, '' ORDER BY row::text)) AS line
             FROM {table} AS row WHERE tenant_id = '{tenant}'"
        )
    };
    TABLES.iter().flat_map(|table| lines(&mut server.admin(), &digest(table))).collect()
}

#[test]
fn a_tenant_with_ten_thousand_workspaces_stands_still_for_a_short_time_and_is_the_same() {
    let crowd = Crowd { workspaces: 10_000, members: 1_000, usage_entries: 100_000 };
    let servers = [OwnServer::start(), OwnServer::start()];
    let [from, to] = [&servers[0], &servers[1]].map(|server| Tenantry::at(&server.service_url()));
    let made = from.json(&["tenant", "create", "--name", "Acme", "--country", "DE"]);
    let id = made["tenant"]["id"].as_str().unwrap();
    let brand = format!("SELECT id::text AS line FROM brands WHERE tenant_id = '{id}'");
    let brand = lines(&mut servers[0].admin(), &brand).remove(0);
    servers[0].admin().batch_execute(&crowd.sql(id, brand)).unwrap();
    from.json(&["master-key", "transfer.key", "--version", "1"]);

    let sealed = ["--sealed", "transfer.key"];
    let frozen = measured(&from, &["tenant", "freeze", id]);
    let exported = measured(&from, &[&["tenant", "export", id, "--file", "acme.ndjson"], &sealed[..]].concat());
    assert_eq!(exported.answer["exported"]["usageEntries"], crowd.usage_entries);
    for name in ["acme.ndjson", "transfer.key"] {
        fs::copy(from.path(name), to.path(name)).unwrap();
    }
    println!("the file: {} MB", fs::metadata(to.path("acme.ndjson")).unwrap().len() / 1_000_000);
    let imported = measured(&to, &[&["tenant", "import", "--file", "acme.ndjson"], &sealed[..]].concat());
    assert_eq!(imported.answer["imported"]["workspaces"], crowd.workspaces);
    let compare = [&["tenant", "compare", "acme.ndjson"], &sealed[..]].concat();
    let compared = measured(&to, &compare);
    assert!(compared.success && compared.answer["different"] == 0, "{}", compared.answer);
    // The tenant itself and its brand come to the crowd.
    let crowded = u64::from(crowd.workspaces + crowd.members + crowd.usage_entries);
    assert!(compared.answer["same"].as_u64().unwrap() > crowded, "{}", compared.answer);
    assert_eq!(digests(&servers[1], id), digests(&servers[0], id));
    let unfrozen = measured(&to, &["tenant", "unfreeze", id]);
    let steps = [frozen, exported, imported, compared, unfrozen];
    let all: Duration = steps.iter().map(|step| step.took).sum();
    let peak = steps.iter().map(|step| step.peak).max().unwrap_or(0);
    println!(
        "a tenant with 10,000 workspaces, 1,000 members and 100,000 usage entries stood still for {:.1} s, {peak} MiB",
        all.as_secs_f64()
    );
    assert!(all <= STANDS_STILL, "{all:?}");

    // What the comparison finds is one second of one entry.
    let entry = "SELECT id::text AS line FROM usage_entries ORDER BY reference LIMIT 1";
    let entry = lines(&mut servers[1].admin(), entry).remove(0);
    let change = format!("UPDATE usage_entries SET seconds = seconds + 1 WHERE id = '{entry}'");
    servers[1].admin().batch_execute(&change).unwrap();
    let differs = measured(&to, &compare);
    assert!(!differs.success);
    assert_eq!(differs.answer["differences"], serde_json::json!([format!("usage_entry {entry}: seconds")]));
    assert_ne!(digests(&servers[1], id), digests(&servers[0], id));
}
