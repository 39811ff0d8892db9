//! The database: whether it answers, who the roles are there, what is in force, and what is missing.

use std::time::Duration;

use chrono::TimeDelta;
use tenantry_domain::counted;
use tenantry_persistence::{
    Examined, MigrationState, Prepare, backup,
    embedded::{self, OLDEST},
    examine,
};
use tokio::runtime::Runtime;

use super::report::Finding;
use crate::{database::Database, exit::Exit, master_keys, settings::Settings};

/// How far clocks may differ before somebody should look, and before tokens and limits go wrong.
const WORTH_A_LOOK: TimeDelta = TimeDelta::seconds(2);
const TOO_FAR: TimeDelta = TimeDelta::seconds(30);

/// How long to wait for a connection. Nobody waits for an answer to a request.
const PATIENCE: Duration = Duration::from_secs(30);

/// Connections for `migrate`, the command line and backups.
const SPARE: i64 = 3;

/// Looks at the database, and at the master keys that its secrets need.
pub(super) fn look(settings: &Settings, runtime: &Runtime) -> Result<Vec<Finding>, Exit> {
    if !Database::exists(settings) {
        let says = "there is no database URL and no embedded database yet";
        return Ok(vec![Finding::warning(
            "database",
            says,
            "set DATABASE_URL, or run `tenantry serve`, which creates an embedded one",
        )]);
    }
    let database = match Database::open(settings) {
        Ok(database) => database,
        Err(exit) => {
            let does = "see `postgres.log` in the data directory, and docs/operations.md, \"The embedded PostgreSQL\"";
            return Ok(Finding::of("database", &exit, does));
        }
    };
    let mut findings = Vec::new();
    match examine(database.service_url(), settings.prepare_statements == Prepare::Always) {
        Err(said) => findings.push(Finding::problem(
            "database",
            said,
            "check DATABASE_URL, that the server runs, and that it lets this role in from this machine (pg_hba.conf)",
        )),
        Ok(found) => {
            findings.extend(server(&found, settings));
            findings.extend(role(&found));
            findings.push(clock(&found));
            findings.push(pooler(&found, settings));
            findings.extend(audit_log(&found));
            findings.extend(migrations(&database));
            findings.extend(owner(settings));
            findings.extend(keys(settings, &database, runtime));
        }
    }
    database.close()?;
    Ok(findings)
}

fn server(found: &Examined, settings: &Settings) -> Vec<Finding> {
    let Examined { version, major, is_read_only, has_icu, connections, .. } = found;
    let needed = i64::from(settings.database_connections) + SPARE;
    let mut findings = Vec::new();
    findings.push(if *major < OLDEST {
        let says = format!("the server is PostgreSQL {version}, and Tenantry needs {OLDEST} or later");
        Finding::problem("database", says, "upgrade PostgreSQL")
    } else if *is_read_only {
        let says = format!("PostgreSQL {version} answers and takes no writes");
        Finding::problem(
            "database",
            says,
            "let DATABASE_URL name the primary, or add target_session_attrs=read-write to it",
        )
    } else {
        Finding::ok("database", format!("PostgreSQL {version} answers and takes writes"))
    });
    findings.push(match has_icu {
        true => Finding::ok("extensions", "none is needed; the ICU collations are there"),
        false => Finding::problem(
            "extensions",
            "the server has no ICU collations, which names are sorted by",
            "use PostgreSQL packages that are built with ICU, as those of Debian, Fedora and postgresql.org are",
        ),
    });
    findings.push(if needed > *connections {
        Finding::warning(
            "connections",
            format!(
                "this process may open {needed} connections with the command line, and the server lets in {connections}"
            ),
            "raise max_connections, or lower TENANTRY_DATABASE_CONNECTIONS; each replica counts",
        )
    } else {
        let says = format!("the server lets in {connections}, and this process needs up to {needed}");
        Finding::ok("connections", says)
    });
    findings
}

fn role(found: &Examined) -> Vec<Finding> {
    let Examined { role, objection, has_tables, unprotected, forbidden, .. } = found;
    let mut findings = vec![match objection {
        // The sentence says what to do.
        Some(objection) => {
            Finding::problem("role", objection.as_str(), "do as it says; `serve` does not start otherwise")
        }
        None => Finding::ok("role", format!("\"{role}\" owns nothing and is bound by row security")),
    }];
    if !has_tables {
        return findings;
    }
    findings.push(match unprotected.as_slice() {
        [] => Finding::ok("row security", "in force on every table of tenants"),
        tables => Finding::problem(
            "row security",
            format!("not in force on {}", tables.join(", ")),
            "as the owner run ALTER TABLE … ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY for each, and find out who took it off",
        ),
    });
    findings.push(match forbidden.as_slice() {
        [] => Finding::ok("rights", format!("\"{role}\" may read every table")),
        tables => Finding::problem(
            "rights",
            format!("\"{role}\" may not read {}", tables.join(", ")),
            if role == embedded::Role::Service.name() {
                format!(
                    "as the owner run GRANT SELECT ON … TO {role}, as the migrations did, and find out who took it away"
                )
            } else {
                format!("as an administrator run GRANT {} TO \"{role}\"", embedded::Role::Service.name())
            },
        ),
    });
    findings
}

fn clock(found: &Examined) -> Finding {
    let ahead = found.clock_ahead;
    let apart = format!("{:.1} s", ahead.abs().num_milliseconds() as f64 / 1e3);
    let direction = if ahead > TimeDelta::zero() { "behind" } else { "ahead of" };
    let says = format!("the clock of this machine is {apart} {direction} that of the database");
    let does = "run a time service (chrony, systemd-timesyncd) on both machines";
    match ahead.abs() {
        far if far >= TOO_FAR => Finding::problem("clock", says, does),
        some if some >= WORTH_A_LOOK => Finding::warning("clock", says, does),
        _ => Finding::ok("clock", format!("within {apart} of the database's")),
    }
}

/// For how long the next partition of the audit log should be there before it is needed.
const AHEAD: TimeDelta = TimeDelta::days(28);

fn audit_log(found: &Examined) -> Option<Finding> {
    let until = found.partitioned_until?;
    let says = format!("it has a partition for each month until {}", until.format("%Y-%m-%d"));
    Some(match until - found.now < AHEAD {
        true => Finding::warning(
            "audit log",
            format!("{says}; what comes after that goes into one partition"),
            "run `tenantry housekeeping` every night as the owner: it makes the months",
        ),
        false => Finding::ok("audit log", says),
    })
}

fn pooler(found: &Examined, settings: &Settings) -> Finding {
    const CHECK: &str = "pooler";
    match (found.shares_sessions, settings.prepare_statements, found.tracks_prepared) {
        (false, Prepare::Never, _) => Finding::warning(
            CHECK,
            "no pooler shares sessions, and TENANTRY_PREPARE_STATEMENTS is false",
            "leave TENANTRY_PREPARE_STATEMENTS at auto: prepared statements save time",
        ),
        (false, ..) => Finding::ok(CHECK, "none, or none that shares sessions"),
        (true, Prepare::Never, _) => Finding::ok(CHECK, "one shares sessions, and no statements are prepared"),
        (true, Prepare::Always, Some(true)) => {
            Finding::ok(CHECK, "one shares sessions, and tracks prepared statements")
        }
        (true, Prepare::Always, _) => Finding::problem(
            CHECK,
            "a pooler shares sessions and does not track prepared statements, and TENANTRY_PREPARE_STATEMENTS is true",
            "set TENANTRY_PREPARE_STATEMENTS=false; or use PgBouncer 1.21 or later with max_prepared_statements",
        ),
        (true, Prepare::Auto, _) => Finding::warning(
            CHECK,
            "a pooler shares sessions, so the service will stop preparing statements",
            "set TENANTRY_PREPARE_STATEMENTS=false; or true, if the pooler tracks prepared statements",
        ),
    }
}

fn migrations(database: &Database) -> Vec<Finding> {
    const CHECK: &str = "migrations";
    let MigrationState { migrations, migrating } = match database.migration_state() {
        Ok(state) => state,
        Err(exit) => return Finding::of(CHECK, &exit, "use the program that ran them, or revert them with it"),
    };
    let pending = migrations.iter().filter(|migration| !migration.applied).count() as u64;
    let mut findings = vec![match (pending, database.is_embedded()) {
        (0, _) => Finding::ok(CHECK, format!("all {} have run", migrations.len())),
        (pending, true) => {
            Finding::ok(CHECK, format!("{} pending, which the next start runs", counted(pending, "migration")))
        }
        (pending, false) => Finding::problem(
            CHECK,
            format!("{} pending", counted(pending, "migration")),
            "run `tenantry migrate run` with TENANTRY_OWNER_DATABASE_URL",
        ),
    }];
    findings.extend(migrating.map(|process| {
        Finding::warning(
            CHECK,
            format!("process {process} of PostgreSQL holds the lock of migrations"),
            format!("wait for it; if no migration runs, SELECT pg_terminate_backend({process}) ends it"),
        )
    }));
    findings
}

/// The owner, where the settings name one.
fn owner(settings: &Settings) -> Option<Finding> {
    const CHECK: &str = "owner";
    let url = settings.owner_database_url.as_deref()?;
    Some(match examine(url, false) {
        Err(said) => Finding::problem(CHECK, said, "check TENANTRY_OWNER_DATABASE_URL"),
        Ok(found) if found.owns => Finding::ok(CHECK, format!("\"{}\" may migrate", found.role)),
        Ok(found) => Finding::problem(
            CHECK,
            format!("\"{}\" does not own the database, so it cannot migrate", found.role),
            "let TENANTRY_OWNER_DATABASE_URL name the owner: ALTER DATABASE … OWNER TO tenantry_owner",
        ),
    })
}

/// Whether the keys are there that the stored secrets need.
fn keys(settings: &Settings, database: &Database, runtime: &Runtime) -> Vec<Finding> {
    const CHECK: &str = "master key";
    let does = "see docs/operations.md, \"The master key\"";
    let keys = match master_keys::present(settings) {
        Ok(Some(keys)) => keys,
        Ok(None) if database.is_embedded() => {
            return vec![Finding::ok(CHECK, "none yet; the first start creates one in the data directory")];
        }
        Ok(None) => {
            return master_keys::required(settings)
                .err()
                .map(|exit| Finding::of(CHECK, &exit, does))
                .unwrap_or_default();
        }
        Err(exit) => return Finding::of(CHECK, &exit, does),
    };
    let patient = Settings { database_connections: 1, database_wait: PATIENCE, ..settings.clone() };
    let needed = database.store(&patient).and_then(|store| {
        let checked = runtime.block_on(master_keys::check(&store, &keys));
        Ok(checked?)
    });
    match needed {
        Ok(faults) if faults.is_empty() => {
            vec![Finding::ok(CHECK, "decrypts every stored secret; keep a copy of it elsewhere")]
        }
        Ok(faults) => faults.into_iter().map(|fault| Finding::problem(CHECK, fault, does)).collect(),
        Err(exit) => {
            let says = format!("it is there, and was not compared with what is stored: {}", exit.message);
            vec![Finding::warning(CHECK, says, "correct what is wrong with the database first")]
        }
    }
}

/// Whether a backup could be made.
pub(super) fn backups(settings: &Settings) -> Option<Finding> {
    let url = settings.backup_database_url.as_deref()?;
    Some(match backup::check_role(url) {
        Ok(()) => Finding::ok("backup role", "sees the rows of all tenants"),
        Err(error) => {
            Finding::problem("backup role", error.to_string(), "correct TENANTRY_BACKUP_DATABASE_URL or the role")
        }
    })
}
