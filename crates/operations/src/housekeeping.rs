//! What is due without anybody asking for it.

use chrono::TimeDelta;
use tenantry_domain::{
    Action, Change, Credential, Error, Holder, InTenant, Origin, PageLimit, PageRequest, Platform, Record, Retention,
    Sort, TenantId,
};
use tenantry_persistence::{Ended, Fault, Store, TenantFilter, WriteTx};
use uuid::Uuid;

use crate::mail::Mailer;

/// The name of [`erase_deleted_workspaces`].
pub const ERASE: &str = "erase deleted workspaces";
/// The name of [`prune`].
pub const PRUNE: &str = "delete what is over";
/// The name of [`clear_discarded_secrets`].
pub const CLEAR: &str = "clear discarded secrets";
/// The name of [`compare_counts`].
pub const COUNT: &str = "compare counts";
/// The name of [`sweep_mail`].
pub const SWEEP: &str = "delete saved emails";

/// Erases the workspaces of all tenants that were deleted longer ago than they can be restored; returns how many. Safe to
/// run on several replicas at once, and to stop at any point.
///
/// # Errors
///
/// Those of [`Store::write`].
pub async fn erase_deleted_workspaces(store: &Store) -> Result<usize, Error> {
    let mut erased = 0;
    let mut tenants = Tenants::new(ERASE);
    while let Some(ids) = tenants.next(store).await? {
        for id in ids {
            while erase_one(store, id).await? {
                erased += 1;
            }
        }
    }
    Ok(erased)
}

/// Deletes what ended longer ago than it is kept, as far as the service may: messages of the outbox, tokens of invitations,
/// invitations, and answers to requests with an idempotency key. Returns how many rows of each. Safe as above. `dry_run` only counts.
///
/// # Errors
///
/// Those of [`Store::write`].
pub async fn prune(store: &Store, retention: &Retention, dry_run: bool) -> Result<Vec<(Ended, u64)>, Error> {
    let mut pruned = Vec::new();
    for kind in Ended::OF_THE_SERVICE {
        let Some(kept) = kind.kept(retention) else { continue };
        let (mut rows, mut tenants) = (0, Tenants::new(PRUNE));
        while let Some(ids) = tenants.next(store).await? {
            for id in ids {
                rows += if dry_run {
                    count(store, id, kind, kept).await?
                } else {
                    prune_one(store, id, kind, kept).await?
                };
            }
        }
        pruned.push((kind, rows));
    }
    Ok(pruned)
}

/// Deletes the emails that were saved as files and are in no outbox any more, because their message was deleted, or their tenant with
/// all it had; and files that were begun and never finished. Returns how many. `dry_run` only counts.
///
/// # Errors
///
/// `Unavailable` without a database; then nothing is deleted. What is wrong with the directory goes to the log.
pub async fn sweep_mail(store: &Store, mailer: &Mailer, dry_run: bool) -> Result<usize, Error> {
    // Before the tenants are asked: whoever has one of these files has had its message by now.
    let Some(mut saved) = mailer.saved().await else { return Ok(0) };
    let mut tenants = Tenants::new(SWEEP);
    while let Some(ids) = tenants.next(store).await? {
        for id in ids {
            if saved.messages.is_empty() {
                break;
            }
            let asked: Vec<Uuid> = saved.messages.iter().copied().collect();
            let known = store
                .read(&job(SWEEP, Some(id)), InTenant, Action::OutboxDeliver, move |tx| tx.messages_among(&asked))
                .await;
            match known {
                Ok(known) => saved.messages.retain(|id| !known.contains(id)),
                // It was erased meanwhile.
                Err(Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    if dry_run { Ok(saved.messages.len() + saved.unfinished.len()) } else { Ok(mailer.delete(saved).await) }
}

async fn count(store: &Store, tenant: TenantId, kind: Ended, kept: TimeDelta) -> Result<u64, Error> {
    let counted = store
        .read(&job(PRUNE, Some(tenant)), InTenant, Action::OutboxDeliver, move |tx| tx.count_ended(kind, kept))
        .await;
    gone_meanwhile(counted.map(|rows| rows.unsigned_abs()))
}

async fn prune_one(store: &Store, tenant: TenantId, kind: Ended, kept: TimeDelta) -> Result<u64, Error> {
    let mut rows = 0;
    loop {
        let some = store
            .write(&job(PRUNE, Some(tenant)), InTenant, Action::OutboxDeliver, move |tx| {
                Ok(Change::bookkeeping(tx.delete_ended(kind, kept)?))
            })
            .await;
        match gone_meanwhile(some.map(|some| some as u64))? {
            0 => return Ok(rows),
            some => rows += some,
        }
    }
}

/// A tenant that was erased since the tenants were listed has nothing left, and one that is frozen stays as it is.
fn gone_meanwhile<T: Default>(done: Result<T, Error>) -> Result<T, Error> {
    match done {
        Err(Error::NotFound(_) | Error::TenantFrozen) => Ok(T::default()),
        done => done,
    }
}

/// Deletes the secrets of integrations that were put aside more than 30 days ago because they did not decrypt; returns how many.
/// Safe as above.
///
/// # Errors
///
/// Those of [`Store::write`].
pub async fn clear_discarded_secrets(store: &Store) -> Result<u64, Error> {
    in_each_tenant(store, CLEAR, |tx| Ok(tx.clear_discarded()? as u64)).await
}

/// Compares the counts of all tenants with what they count, and puts them right; returns how many were wrong. They are when an
/// earlier version of the service ran beside this one, which does not count. Safe as above.
///
/// # Errors
///
/// Those of [`Store::write`].
pub async fn compare_counts(store: &Store) -> Result<u64, Error> {
    in_each_tenant(store, COUNT, |tx| Ok(tx.recount()?.unsigned_abs())).await
}

/// Does this in every tenant, each in a transaction of its own, and sums up what it returns.
async fn in_each_tenant(
    store: &Store,
    name: &'static str,
    work: impl Fn(&mut WriteTx<'_, InTenant>) -> Result<u64, Fault> + Copy + Send + Sync + 'static,
) -> Result<u64, Error> {
    let (mut sum, mut tenants) = (0, Tenants::new(name));
    while let Some(ids) = tenants.next(store).await? {
        for id in ids {
            let done = store
                .write(&job(name, Some(id)), InTenant, Action::OutboxDeliver, move |tx| {
                    Ok(Change::bookkeeping(work(tx)?))
                })
                .await;
            sum += gone_meanwhile(done)?;
        }
    }
    Ok(sum)
}

async fn erase_one(store: &Store, tenant: TenantId) -> Result<bool, Error> {
    let erased = store
        .write(&job(ERASE, Some(tenant)), InTenant, Action::WorkspaceErase, |tx| {
            Ok(match tx.erase_a_workspace()? {
                Some((workspace, keys)) => {
                    let removed = Change::removed(true, workspace.id, &workspace.details.fields());
                    removed.along(keys.iter().map(|key| Record::removed(key.id, &key.fields()).event))
                }
                None => Change::nothing(false),
            })
        })
        .await;
    gone_meanwhile(erased)
}

/// All tenants, a page at a time; the platform's own is the last one.
pub(crate) struct Tenants {
    job: &'static str,
    request: Option<PageRequest>,
}

impl Tenants {
    pub(crate) fn new(job: &'static str) -> Self {
        Self { job, request: Some(PageRequest { limit: PageLimit::default(), sort: Sort::default(), after: None }) }
    }

    pub(crate) async fn next(&mut self, store: &Store) -> Result<Option<Vec<TenantId>>, Error> {
        let Some(request) = self.request.take() else { return Ok(None) };
        let this = request.clone();
        let (page, has_own) = store
            .read(&job(self.job, None), Platform, Action::TenantList, move |tx| {
                let page = tx.tenants(&TenantFilter::default(), &this)?;
                let has_own = page.next.is_none() && tx.has_own()?;
                Ok((page, has_own))
            })
            .await?;
        self.request = page.next.map(|next| PageRequest { after: Some(next), ..request });
        let ids = page.items.into_iter().map(|tenant| tenant.id);
        let own = has_own.then_some(TenantId::PLATFORM);
        Ok(Some(ids.chain(own).collect()))
    }
}

pub(crate) fn job(name: &'static str, tenant: Option<TenantId>) -> Credential {
    Credential { holder: Holder::Job { name, tenant }, origin: Origin::default() }
}
