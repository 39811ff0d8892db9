//! Usage of a workspace: record, show by month, check ahead.

use chrono::{DateTime, Utc};
use tenantry_domain::{
    Action, Cap, Change, Credential, Error, FieldRefusal, InWorkspace, Month, MonthUse, NewUsage, RECORDABLE_DAYS,
    Refusal, TenantId, TimeZone, UsageEntry, UsageEntryId, UsageKind, UsageSeconds, WorkspaceId, Written, permit,
};
use tenantry_persistence::{Fault, Store, WriteTx, new_id};

/// An entry that is in the ledger.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The entry.
    pub entry: UsageEntry,
    /// Whether it was there already.
    pub repeated: bool,
    /// What is used in its month now.
    pub month: MonthUse,
    /// How many minutes may be used in a month.
    pub cap: Option<Cap>,
}

/// Records usage, or what is refunded of it. The same reference with the same values again counts once. A refund, and usage of longer
/// ago than [`tenantry_domain::RECORDABLE_DAYS`], are actions of their own.
///
/// # Errors
///
/// Those of [`Store::write`], `Forbidden` for a correction that the caller may not make, `Invalid` for a time that has not come yet, and
/// `Conflict` for a reference that is taken by something else, for usage beyond the limit, and for a refund of more than was used.
pub async fn record(
    store: &Store,
    credential: &Credential,
    workspace: WorkspaceId,
    new: NewUsage,
) -> Result<Written<Recorded>, Error> {
    let (id, place) = (new_id(), InWorkspace::Id(workspace));
    store
        .write_and_show(credential, place, Action::UsageRecord, move |tx| {
            // The time of the transaction, which stands still.
            let clock = tx.clock()?;
            match new.correction(clock) {
                None => record_in(tx, id, &new, clock),
                Some(action) => {
                    permit(tx.grant(), action).map_err(|refused| explained(refused, action))?;
                    Ok(Change::nothing(tx.step(place, action, |tx| record_in(tx, id, &new, clock))?))
                }
            }
        })
        .await
}

fn record_in(
    tx: &mut WriteTx<'_, InWorkspace>,
    id: UsageEntryId,
    new: &NewUsage,
    clock: DateTime<Utc>,
) -> Result<Change<Recorded>, Fault> {
    let limits = tx.lock_limits()?;
    let cap = limits.in_force.minutes.effective();
    if let Some(entry) = tx.usage_called(&new.reference)? {
        new.repeats(&entry)?;
        let month = tx.month_use(entry.month)?;
        return Ok(Change::nothing(Recorded { entry, repeated: true, month, cap }));
    }
    let used_at = new.used_at(clock).map_err(Error::invalid)?;
    let month = limits.own.time_zone.month_at(used_at);
    let after = tx.month_use(month)?.with(new.kind, new.seconds, cap)?;
    let entry = tx.record_usage(id, new, used_at, month)?;
    let fields = entry.fields();
    Ok(Change::created(Recorded { entry, repeated: false, month: after, cap }, id, &fields))
}

/// The refusal of a correction, which also says what is one.
fn explained(refused: Error, action: Action) -> Error {
    match refused {
        Error::Forbidden { message, scope } => {
            let what = match action {
                Action::UsageBackdate => format!("Usage of more than {RECORDABLE_DAYS} days ago corrects the ledger."),
                _ => "A refund corrects the ledger.".to_owned(),
            };
            Error::Forbidden { message: format!("{what} {message}"), scope }
        }
        other => other,
    }
}

/// What a workspace used in each month of some time.
#[derive(Debug, Clone)]
pub struct UsageByMonth {
    /// The tenant.
    pub tenant: TenantId,
    /// The time zone in which the workspace counts its months.
    pub time_zone: TimeZone,
    /// How many minutes may be used in a month.
    pub cap: Option<Cap>,
    /// Each month, those without usage too.
    pub months: Vec<MonthUse>,
}

/// How many months can be asked for at once.
const MONTHS: i32 = 120;

/// What a workspace used from one month to another, both included: to the present one unless said, and from the last one unless
/// said.
///
/// # Errors
///
/// Those of [`Store::read`], and `Invalid` for months that are in the wrong order or too many.
pub async fn show(
    store: &Store,
    credential: &Credential,
    workspace: WorkspaceId,
    from: Option<Month>,
    to: Option<Month>,
) -> Result<UsageByMonth, Error> {
    store
        .read(credential, InWorkspace::Id(workspace), Action::UsageRead, move |tx| {
            let limits = tx.limits()?;
            let now = limits.own.time_zone.month_at(tx.clock()?);
            let (first, last) = (from.or(to).unwrap_or(now), to.unwrap_or(now));
            in_order(first, last).map_err(Error::invalid)?;
            let used = tx.month_uses(first, last)?;
            Ok(UsageByMonth {
                tenant: tx.tenant_id(),
                cap: limits.in_force.minutes.effective(),
                time_zone: limits.own.time_zone,
                months: first.through(last).map(|month| MonthUse::among(&used, month)).collect(),
            })
        })
        .await
}

fn in_order(first: Month, last: Month) -> Result<(), FieldRefusal> {
    match first.distance(last) {
        0..MONTHS => Ok(()),
        ..0 => Err(Refusal::new("conflicting", format!("must not be after to, which is {last}")).of("from")),
        months => {
            let message = format!("must be at most {MONTHS} months before to, counting both, not {}", months + 1);
            Err(Refusal::new("out_of_range", message).of("from"))
        }
    }
}

/// Whether a workspace may use so much more in the present month.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// Whether it may.
    pub allowed: bool,
    /// What is used in the month.
    pub month: MonthUse,
    /// How many minutes may be used in it.
    pub cap: Option<Cap>,
}

/// Whether so many more seconds would be recorded now. Nothing is reserved by asking.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn check(
    store: &Store,
    credential: &Credential,
    workspace: WorkspaceId,
    seconds: UsageSeconds,
) -> Result<Allowance, Error> {
    store
        .read(credential, InWorkspace::Id(workspace), Action::UsageRead, move |tx| {
            let limits = tx.limits()?;
            let now = limits.own.time_zone.month_at(tx.clock()?);
            let month = tx.month_use(now)?;
            let cap = limits.in_force.minutes.effective();
            Ok(Allowance { allowed: month.with(UsageKind::Usage, seconds, cap).is_ok(), month, cap })
        })
        .await
}
