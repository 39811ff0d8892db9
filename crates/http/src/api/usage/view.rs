//! What a caller is shown of usage.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_domain::{Cap, Conflict, MonthUse, UsageKind, WorkspaceId, Written};
use tenantry_operations::usage::{Allowance, Recorded, UsageByMonth};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    api::millis,
    schema::{Word, open_list},
};

type UsageKindWord = Word<UsageKind>;

/// An entry of the ledger, and the total of its month.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RecordedUsage)]
pub(crate) struct RecordedView {
    /// Unique identifier.
    #[schema(example = "a1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    id: Uuid,
    /// The tenant this entry belongs to.
    #[schema(example = "a0b1c2d3-4567-49ab-8def-0123456789ab")]
    tenant_id: Uuid,
    /// The workspace that used it.
    #[schema(example = "c1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    workspace_id: Uuid,
    /// Whether the entry adds to its month or subtracts from it.
    #[schema(example = "usage")]
    kind: UsageKindWord,
    /// How many seconds.
    #[schema(example = 95)]
    seconds: u32,
    /// When it was used.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-03-01T16:45:00.000Z")]
    used_at: DateTime<Utc>,
    /// The caller's own name for the entry.
    #[schema(example = "call-4711")]
    reference: String,
    /// When it was recorded.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-03-01T16:46:40.000Z")]
    created_at: DateTime<Utc>,
    /// The month the entry counts in, with its current total. `null` if the caller may not read usage.
    #[schema(required)]
    month: Option<MonthView>,
}

/// What a workspace used in a month.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UsageMonth)]
pub(crate) struct MonthView {
    /// The month.
    #[schema(example = "2026-03", pattern = "^[0-9]{4}-[0-9]{2}$")]
    month: String,
    /// Seconds used.
    #[schema(example = 28895)]
    used_seconds: i64,
    /// Minutes used. A started minute counts as a full minute.
    #[schema(example = 482)]
    used_minutes: i64,
    /// The monthly limit of minutes in force now. `null` is unlimited.
    #[schema(required, example = 600)]
    limit_minutes: Option<u32>,
    /// Seconds left. `null` if there is no limit.
    #[schema(required, example = 7105)]
    remaining_seconds: Option<i64>,
    /// Which of the thresholds 80, 95 and 100 per cent are reached.
    #[schema(example = json!([80]))]
    thresholds_reached: Vec<u8>,
}

impl MonthView {
    fn of(used: MonthUse, cap: Option<Cap>) -> Self {
        Self {
            month: used.month.to_string(),
            used_seconds: used.seconds,
            used_minutes: used.minutes(),
            limit_minutes: cap.map(Cap::get),
            remaining_seconds: used.remaining(cap),
            thresholds_reached: used.thresholds(cap),
        }
    }
}

impl RecordedView {
    /// The entry, which the caller sent, and its month for a caller who may read it.
    pub(super) fn of(recorded: Written<Recorded>) -> Self {
        let entry = recorded.thing().entry.clone();
        let month = recorded.readable().map(|recorded| MonthView::of(recorded.month, recorded.cap));
        Self {
            id: entry.id.uuid(),
            tenant_id: entry.tenant_id.uuid(),
            workspace_id: entry.workspace_id.uuid(),
            kind: Word(entry.kind),
            seconds: entry.seconds.get(),
            used_at: entry.used_at,
            reference: entry.reference.as_str().to_owned(),
            created_at: entry.created_at,
            month,
        }
    }
}

/// What a workspace used, by month.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Usage)]
pub(crate) struct UsageView {
    /// The tenant.
    #[schema(example = "a0b1c2d3-4567-49ab-8def-0123456789ab")]
    tenant_id: Uuid,
    /// The workspace.
    #[schema(example = "c1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    workspace_id: Uuid,
    /// The time zone in which the workspace counts its months.
    #[schema(example = "Europe/Berlin")]
    time_zone: String,
    /// The months, the first one first.
    months: Vec<MonthView>,
}

impl UsageView {
    pub(super) fn of(workspace: WorkspaceId, usage: UsageByMonth) -> Self {
        let cap = usage.cap;
        Self {
            tenant_id: usage.tenant.uuid(),
            workspace_id: workspace.uuid(),
            time_zone: usage.time_zone.as_str().to_owned(),
            months: usage.months.into_iter().map(|used| MonthView::of(used, cap)).collect(),
        }
    }
}

open_list! {
    /// Why usage is not allowed.
    pub(crate) struct UsageRefusal: [Conflict::LimitReached.as_str()]
}

/// Whether usage is allowed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UsageAllowance)]
pub(crate) struct AllowanceView {
    /// The workspace.
    #[schema(example = "c1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    workspace_id: Uuid,
    /// The current month in the time zone of the workspace.
    #[schema(example = "2026-03", pattern = "^[0-9]{4}-[0-9]{2}$")]
    month: String,
    /// Whether the requested seconds could be recorded now.
    #[schema(example = true)]
    allowed: bool,
    /// Seconds left in the month. `null` if there is no limit.
    #[schema(required, example = 7105)]
    remaining_seconds: Option<i64>,
    /// Why it is not allowed. `null` if it is allowed.
    #[schema(required, value_type = Option<UsageRefusal>)]
    reason: Option<&'static str>,
}

impl AllowanceView {
    pub(super) fn of(workspace: WorkspaceId, allowance: Allowance) -> Self {
        let Allowance { allowed, month, cap } = allowance;
        Self {
            workspace_id: workspace.uuid(),
            month: month.month.to_string(),
            allowed,
            remaining_seconds: month.remaining(cap),
            reason: (!allowed).then_some(Conflict::LimitReached.as_str()),
        }
    }
}
