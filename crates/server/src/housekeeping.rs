//! Deletes what is over and was kept long enough.

use tenantry_domain::Retention;
use tenantry_operations::{Observed, Store, housekeeping, mail::Mailer};
use tenantry_persistence::{AuditPartitions, Ended, EraseError, Pruner};

/// What `tenantry serve` does every hour. Events and keys only in its embedded database, which it owns. One chore that fails does not
/// hold up the others.
pub(crate) async fn round(
    store: &Store,
    retention: Retention,
    mailer: Option<&Mailer>,
    owner_url: Option<String>,
    observed: &Observed,
) {
    match observed.job(housekeeping::PRUNE, housekeeping::prune(store, &retention, false).await) {
        Ok(pruned) => pruned.into_iter().for_each(|(kind, rows)| told(kind, rows)),
        Err(error) => tracing::warn!(?error, "could not delete what is over; trying again later"),
    }
    match observed.job(housekeeping::CLEAR, housekeeping::clear_discarded_secrets(store).await) {
        Ok(0) => {}
        Ok(cleared) => tracing::info!(cleared, "deleted secrets that were given up more than 30 days ago"),
        Err(error) => tracing::warn!(?error, "could not delete given-up secrets; trying again later"),
    }
    match observed.job(housekeeping::COUNT, housekeeping::compare_counts(store).await) {
        Ok(0) => {}
        Ok(wrong) => tracing::warn!(wrong, "counts of workspaces or members were wrong, and are right again"),
        Err(error) => tracing::warn!(?error, "could not compare counts; trying again later"),
    }
    if let Some(owner_url) = owner_url {
        #[expect(clippy::disallowed_methods, reason = "once an hour, on a separate connection as the owner")]
        let done = tokio::task::spawn_blocking(move || {
            crate::erasure::keep_house(&owner_url);
            match as_owner(&owner_url, &retention, false) {
                Ok(pruned) => pruned.into_iter().for_each(|(kind, rows)| told(kind, rows)),
                Err(error) => tracing::warn!(%error, "could not delete what is over; trying again later"),
            }
            if let Err(error) = partition(&owner_url, &retention, false) {
                tracing::warn!(%error, "could not make or drop partitions of the audit log; trying again later");
            }
        });
        let _ = done.await;
    }
    // Last, because a saved email goes when its message is gone.
    if let Some(mailer) = mailer {
        match observed.job(housekeeping::SWEEP, housekeeping::sweep_mail(store, mailer, false).await) {
            Ok(0) => {}
            Ok(files) => tracing::info!(files, "deleted saved emails"),
            Err(error) => tracing::warn!(?error, "could not delete saved emails; trying again later"),
        }
    }
}

fn told(kind: Ended, rows: u64) {
    if rows > 0 {
        tracing::info!(rows, what = kind.name(), "deleted what is over and was kept long enough");
    }
}

/// Deletes what only the owner may, in all tenants, and returns how many rows of each kind. A dry run only counts.
pub(crate) fn as_owner(owner_url: &str, retention: &Retention, dry_run: bool) -> Result<Vec<(Ended, u64)>, EraseError> {
    let mut pruned = Vec::new();
    for kind in Ended::OF_THE_OWNER {
        let Some(kept) = kind.kept(retention) else { continue };
        let mut pruner = Pruner::connect(owner_url)?;
        let mut rows = 0;
        for tenant in pruner.tenants()? {
            rows += match dry_run {
                true => pruner.count(tenant, kind, kept)?.unsigned_abs(),
                false => pruner.prune(tenant, kind, kept)? as u64,
            };
        }
        pruned.push((kind, rows));
    }
    Ok(pruned)
}

/// What was done to the partitions of the audit log, or would be.
#[derive(Default)]
pub(crate) struct Partitioned {
    /// How many months have got a partition of their own.
    pub(crate) made: usize,
    /// The partitions that were dropped, by name.
    pub(crate) dropped: Vec<String>,
}

/// Makes the partitions of the next months, and drops those that are over. A dry run only says which would be dropped.
pub(crate) fn partition(owner_url: &str, retention: &Retention, dry_run: bool) -> Result<Partitioned, EraseError> {
    let mut partitions = AuditPartitions::connect(owner_url)?;
    let mut done = Partitioned::default();
    if !dry_run {
        done.made = partitions.make_ahead()?;
    }
    if let Some(kept) = retention.audit_events {
        done.dropped = if dry_run { partitions.ended(kept)? } else { partitions.drop_ended(kept)? };
    }
    if !dry_run && (done.made > 0 || !done.dropped.is_empty()) {
        tracing::info!(
            made = done.made,
            dropped = done.dropped.join(", "),
            "made or dropped partitions of the audit log"
        );
    }
    Ok(done)
}
