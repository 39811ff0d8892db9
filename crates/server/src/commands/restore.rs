//! `tenantry restore`.

use std::{
    fs::{File, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use chrono::Utc;
use clap::Args;
use serde_json::{Value, json};
use tenantry_domain::counted;
use tenantry_persistence::{
    Migrator,
    backup::{self, Archive, Manifest, Restored},
    embedded::{self, Cluster, Role},
};

use super::{backup::summary, tenant::minutes};
use crate::{
    consent::{Consent, Manner, ask, print_plan},
    database::Database,
    exit::Exit,
    master_keys,
    output::Output,
    settings::Settings,
};

/// Restore a backup, and compare every number of rows with what the backup says.
///
/// Your own database must be empty, and TENANTRY_OWNER_DATABASE_URL must name its owner. The embedded database is replaced, and the
/// one of before is kept: --take-back puts it back.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Restore {
    /// The backup
    #[arg(required_unless_present = "take_back")]
    file: Option<PathBuf>,
    /// Prove that the backup can be restored, in a private database that is thrown away; touches nothing else
    #[arg(long, conflicts_with_all = ["yes", "dry_run"])]
    check: bool,
    /// Put the embedded database back that the last restore replaced; the present one is kept in its place
    #[arg(long, conflicts_with_all = ["file", "check"])]
    take_back: bool,
    #[command(flatten)]
    consent: Consent,
}

const EXAMPLES: &str = "\
Examples:
  tenantry restore --check tenantry.tar
  tenantry restore --dry-run tenantry.tar
  tenantry restore tenantry.tar
  tenantry restore --take-back";

/// What a restore brings back or makes untrue. Nobody can compute it: it happened after the backup.
const UNDONE: [&str; 7] = [
    "API keys that were revoked or rotated since are valid again: revoke them again (`tenantry key list`, `tenantry key revoke`)",
    "members who were removed or suspended since are back, and changed roles and assignments are the old ones again (`tenantry member \
     list`)",
    "invitations that were revoked since can be accepted again, if somebody kept the email",
    "secrets of integrations that were removed or replaced since are the old ones again",
    "tenants and workspaces that were deleted or erased since are back",
    "ETags, numbers and ids that were given out since can come to name something else: callers must read again before they write",
    "what was remembered for retried requests (`Idempotency-Key`) since is forgotten: a retry of such a request is carried out again",
];

pub(crate) fn run(restore: &Restore, settings: &Settings, output: &Output) -> Result<(), Exit> {
    crate::logging::start(settings);
    let Some(path) = restore.file.as_deref() else { return take_back(restore.consent, settings, output) };
    let mut archive = open(path)?;
    if restore.check {
        return check(&mut archive, settings, output);
    }
    if settings.database_url.is_some() || settings.owner_database_url.is_some() {
        into_own(&mut archive, restore.consent, settings, output)
    } else {
        into_embedded(&mut archive, restore.consent, settings, output)
    }
}

fn open(path: &Path) -> Result<Archive, Exit> {
    let unreadable = |error: std::io::Error| Exit::failed(format!("cannot read {}: {error}", path.display()));
    let file = File::open(path).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(Exit::usage(format!("{} is not a file: a backup cannot be read from a pipe", path.display())));
    }
    Ok(Archive::open(file)?)
}

/// Restores into a server of its own, in a directory that goes away.
fn check(archive: &mut Archive, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let failed = |error: std::io::Error| Exit::failed(format!("cannot create a temporary directory: {error}"));
    let directory = tempfile::Builder::new().prefix("tenantry-check-").tempdir().map_err(failed)?;
    // PostgreSQL may run as another user, who must be able to enter.
    std::fs::set_permissions(directory.path(), Permissions::from_mode(0o711)).map_err(failed)?;
    let options = embedded::Options {
        pg_bin: settings.pg_bin.clone(),
        pg_user: settings.pg_user.clone(),
        elsewhere: directory.path().join("elsewhere"),
        durable: false,
        ..embedded::Options::new(directory.path().join("data"))
    };
    let cluster = Cluster::open(&options).map_err(|error| Exit::failed(error.to_string()))?;
    let restored = rehearse(archive, &cluster, settings);
    cluster.close().map_err(|error| Exit::failed(error.to_string()))?;
    let (restored, migrated) = restored?;
    let manifest = archive.manifest();
    output.print(&json!({ "check": "passed", "backup": summary(manifest), "migrationsRun": migrated }), || {
        format!(
            "passed   the backup of {} can be restored: {} of {}, each number as in the backup\n         {} ran after it. The \
             database of this check is gone",
            minutes(manifest.made_at),
            counted(restored.rows.total(), "row"),
            counted(restored.rows.tenants.len() as u64, "tenant"),
            counted(migrated as u64, "newer migration"),
        )
    })
}

fn rehearse(archive: &mut Archive, cluster: &Cluster, settings: &Settings) -> Result<(Restored, usize), Exit> {
    let url = cluster.swap().and_then(|mut swap| swap.empty()).map_err(|error| Exit::failed(error.to_string()))?;
    let restored = backup::restore(archive, &url, settings.pg_bin.as_deref())?;
    Ok((restored, migrate(&url)?))
}

fn migrate(url: &str) -> Result<usize, Exit> {
    let migrated = Migrator::connect(url).and_then(|mut migrator| migrator.run());
    Ok(migrated.map_err(|error| Exit::failed(format!("the backup was restored, but {error}")))?.len())
}

/// Into an empty database. That destroys nothing, so nobody is asked.
fn into_own(archive: &mut Archive, consent: Consent, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let database = Database::open(settings)?;
    let url = database.url_of(Role::Owner)?;
    backup::check_target(&url, archive.manifest())?;
    if consent.is_dry_run() {
        let would = format!("This restores the backup of {} into an empty database.", contents(archive.manifest()));
        return print_plan(output, &json!({ "restore": summary(archive.manifest()) }), &would);
    }
    let restored = backup::restore(archive, &url, settings.pg_bin.as_deref())?;
    report(archive.manifest(), &restored, None, settings, output)
}

/// Into a new database, which then takes the place of the one that serves.
fn into_embedded(archive: &mut Archive, consent: Consent, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let database = Database::open(settings)?;
    let outcome = replace(archive, &database, consent, settings, output);
    database.close()?;
    outcome
}

fn replace(
    archive: &mut Archive,
    database: &Database,
    consent: Consent,
    settings: &Settings,
    output: &Output,
) -> Result<(), Exit> {
    let present = backup::count(&database.url_of(Role::Admin)?)?;
    // An empty database is nothing to be asked about.
    let manner = match consent.is_dry_run() {
        true => Manner::Rehearse,
        false if present.tenants.is_empty() => Manner::Act,
        false => consent.manner()?,
    };
    let would = format!(
        "This restores the backup of {}.\nIt replaces the present database with {} of {}, which is kept: `tenantry restore --take-back` \
         puts it back.\nWhat happened since the backup is undone.",
        contents(archive.manifest()),
        counted(present.total(), "row"),
        counted(present.tenants.len() as u64, "tenant"),
    );
    match manner {
        Manner::Rehearse => {
            let plan = json!({
                "restore": summary(archive.manifest()),
                "replace": { "tenants": present.tenants.len(), "rows": present.total() },
            });
            return print_plan(output, &plan, &would);
        }
        Manner::Ask => ask(&would)?,
        Manner::Act => {}
    }
    let failed = |error: embedded::Error| Exit::failed(error.to_string());
    let mut swap = database.cluster()?.swap().map_err(failed)?;
    let url = swap.empty().map_err(failed)?;
    let restored = backup::restore(archive, &url, settings.pg_bin.as_deref()).map_err(Exit::from);
    let restored = restored.and_then(|restored| migrate(&url).map(|_| restored));
    let restored = match restored {
        Ok(restored) => restored,
        Err(exit) => {
            swap.discard().map_err(failed)?;
            return Err(exit.and("the present database is as it was"));
        }
    };
    let kept = swap.put_in_place(Utc::now()).map_err(failed)?;
    report(archive.manifest(), &restored, Some(&kept), settings, output)
}

fn take_back(consent: Consent, settings: &Settings, output: &Output) -> Result<(), Exit> {
    if settings.database_url.is_some() || settings.owner_database_url.is_some() {
        return Err(Exit::usage(
            "only a restore of the embedded database can be taken back: with your own, let the database URLs name the old database",
        ));
    }
    let manner = consent.manner()?;
    let database = Database::open(settings)?;
    let outcome = exchange(&database, manner, output);
    database.close()?;
    outcome
}

fn exchange(database: &Database, manner: Manner, output: &Output) -> Result<(), Exit> {
    let failed = |error: embedded::Error| Exit::failed(error.to_string());
    let mut swap = database.cluster()?.swap().map_err(failed)?;
    let kept = swap.kept().map_err(failed)?;
    let Some(newest) = kept.first() else {
        return Err(Exit::not_found("there is no database of before a restore"));
    };
    let present = backup::count(&database.url_of(Role::Admin)?)?;
    let would = format!(
        "This puts the database {newest} back. The present one, with {} of {}, is kept in its place.",
        counted(present.total(), "row"),
        counted(present.tenants.len() as u64, "tenant"),
    );
    match manner {
        Manner::Rehearse => return print_plan(output, &json!({ "takeBack": newest, "kept": kept }), &would),
        Manner::Ask => ask(&would)?,
        Manner::Act => {}
    }
    let now_kept = swap.take_back(newest, Utc::now()).map_err(failed)?;
    output.print(&json!({ "tookBack": newest, "keptAs": now_kept }), || {
        format!("put back  {newest}\nkept      the other one as {now_kept}")
    })
}

/// "2026-11-28 12:00 UTC, with 3 tenants and 120 rows".
fn contents(manifest: &Manifest) -> String {
    let Manifest { made_at, rows, .. } = manifest;
    let (tenants, rows) = (counted(rows.tenants.len() as u64, "tenant"), counted(rows.total(), "row"));
    format!("{}, with {tenants} and {rows}", minutes(*made_at))
}

fn report(
    manifest: &Manifest,
    restored: &Restored,
    kept: Option<&str>,
    settings: &Settings,
    output: &Output,
) -> Result<(), Exit> {
    let (needed, keys) = about_keys(manifest, settings);
    let held = restored.emails_held_back;
    let value: Value = json!({
        "restored": summary(manifest), "keptAs": kept, "emailsHeldBack": held, "masterKeys": needed, "undone": UNDONE,
    });
    output.print(&value, || {
        let mut lines = vec![
            format!("restored  the backup of {}", contents(manifest)),
            "checked   each number of rows is as in the backup".to_owned(),
        ];
        lines.extend(kept.map(|kept| {
            format!(
                "kept      the database of before, as {kept}. `tenantry restore --take-back` puts it back.\n          To remove it for \
                 good: tenantry psql -- -c 'DROP DATABASE {kept}'"
            )
        }));
        lines.push(match held {
            0 => "emails    none was waiting".to_owned(),
            held => format!(
                "emails    {} held back, because they may have been sent since: see `tenantry outbox list --state dead`,\n          and \
                 send them with `tenantry outbox retry`",
                counted(held, "waiting email")
            ),
        });
        lines.push(format!("keys      {keys}"));
        lines.push("What happened after the backup is undone:".to_owned());
        lines.extend(UNDONE.iter().map(|undone| format!("  - {undone}")));
        lines.join("\n")
    })
}

/// Whether the secrets can be decrypted with the keys that are configured here.
fn about_keys(manifest: &Manifest, settings: &Settings) -> (Value, String) {
    let needed = manifest.needed_master_keys();
    let versions: Vec<_> = needed.iter().map(|key| key.version()).collect();
    if needed.is_empty() {
        return (
            json!({ "needed": versions, "missing": [] }),
            "no secret is stored, so no master key is needed".to_owned(),
        );
    }
    let objections = match master_keys::present(settings) {
        Ok(Some(keys)) => keys.objections(&needed),
        Ok(None) => vec![format!("no master key is configured here, and the secrets need version {}", versions[0])],
        Err(exit) => exit.fields.into_iter().map(|field| field.message).chain([exit.message]).collect(),
    };
    let words = match objections.as_slice() {
        [] => "the secrets of integrations can be decrypted with the master key that is configured here".to_owned(),
        objections => format!(
            "{}.\n          The backup has no master key. Everything else is restored, but `serve` does not start without the key. Put its \
             file back,\n          or if it is lost for good, create one with a new version and run `tenantry reseal --discard-unopened --lost-key {}`",
            objections.join("; "),
            versions[0]
        ),
    };
    (json!({ "needed": versions, "missing": objections }), words)
}
