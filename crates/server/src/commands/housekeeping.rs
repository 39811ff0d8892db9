//! `tenantry housekeeping`.

use clap::Args;
use serde_json::{Map, Value, json};
use tenantry_operations::{Store, housekeeping};

use super::{as_owner, serve::mailer};
use crate::{
    database::{Database, with_store},
    exit::Exit,
    housekeeping as chores,
    output::Output,
    settings::Settings,
};

#[derive(Args)]
pub(crate) struct Housekeeping {
    /// Only count what would be deleted
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(command: &Housekeeping, settings: &Settings, output: &Output) -> Result<(), Exit> {
    crate::logging::start(settings);
    let (dry_run, retention, mailer) = (command.dry_run, settings.retention, mailer(settings)?);
    let mut deleted =
        with_store(settings, async |store: &Store| Ok(housekeeping::prune(store, &retention, dry_run).await?))?;
    let database = Database::open_migrated(settings)?;
    let of_the_owner = chores::as_owner(database.owner_url(), &retention, dry_run)
        .and_then(|deleted| Ok((deleted, chores::partition(database.owner_url(), &retention, dry_run)?)));
    database.close()?;
    let (of_the_owner, partitions) =
        of_the_owner.map_err(|error| as_owner(error.into(), settings, "audit events and API keys can be deleted"))?;
    deleted.extend(of_the_owner);
    let mut rows: Vec<_> = deleted.into_iter().map(|(kind, rows)| (kind.name(), rows)).collect();
    if let Some(mailer) = mailer {
        let files =
            with_store(settings, async |store: &Store| Ok(housekeeping::sweep_mail(store, &mailer, dry_run).await?))?;
        rows.push(("saved emails", files as u64));
    }
    let counts: Map<String, Value> = rows.iter().map(|(name, rows)| (camel_case(name), json!(rows))).collect();
    let chores::Partitioned { made, dropped } = partitions;
    let months = json!({ "made": made, "dropped": dropped });
    output.print(&json!({ "dryRun": dry_run, "deleted": counts, "auditPartitions": months }), || {
        let verb = if dry_run { "would delete" } else { "deleted" };
        let mut lines: Vec<_> = rows.iter().map(|(name, rows)| format!("{verb}  {rows} {name}")).collect();
        lines.extend(dropped.iter().map(|name| format!("{verb}  {name}, a partition of the audit log")));
        if made > 0 {
            lines.push(format!("made  {made} partitions of the audit log"));
        }
        lines.join("\n")
    })
}

/// `outbox messages` as `outboxMessages`, and `API keys` as `apiKeys`.
fn camel_case(name: &str) -> String {
    let mut words = name.split(' ').map(str::to_lowercase);
    let first = words.next().unwrap_or_default();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at(word.len().min(1));
        name + &initial.to_uppercase() + rest
    })
}
