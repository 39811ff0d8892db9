//! What a caller is shown of the limits of a workspace.

use serde::Serialize;
use tenantry_domain::{Cap, Limit, LimitSource, LimitsInForce, WorkspaceId};
use tenantry_operations::limits::LimitsAndUse;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::schema::Word;

type LimitSourceWord = Word<LimitSource>;

/// The limits of a workspace, and its current usage.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WorkspaceLimits)]
pub(crate) struct WorkspaceLimitsView {
    /// The workspace.
    #[schema(example = "c1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    workspace_id: Uuid,
    /// Members assigned to the workspace; pending invitations count.
    members: LimitView,
    /// AI agents in the workspace.
    agents: LimitView,
    /// Minutes of usage in a month. `used` is for the current month; a started minute counts as a full minute.
    minutes: LimitView,
    /// The current month in that time zone.
    #[schema(example = "2026-11", pattern = "^[0-9]{4}-[0-9]{2}$")]
    month: String,
    /// The time zone in which months are counted.
    #[schema(example = "Europe/Berlin")]
    time_zone: String,
}

/// A limit in a workspace. `null` is unlimited.
#[derive(Serialize, ToSchema)]
#[schema(as = LimitUsage)]
pub(crate) struct LimitView {
    /// The workspace's own limit.
    #[schema(required, example = 5)]
    own: Option<u32>,
    /// The tenant's limit, which applies to each of its workspaces.
    #[schema(required, example = 10)]
    tenant: Option<u32>,
    /// The limit in force: the smaller of the two.
    #[schema(required, example = 5)]
    effective: Option<u32>,
    /// Whose limit is in force. `none` if there is no limit.
    #[schema(example = "workspace")]
    source: LimitSourceWord,
    /// Current usage.
    #[schema(example = 3)]
    used: i64,
}

impl LimitView {
    fn of(limit: Limit, used: i64) -> Self {
        Self {
            own: limit.own.map(Cap::get),
            tenant: limit.tenant.map(Cap::get),
            effective: limit.effective().map(Cap::get),
            source: Word(limit.source()),
            used,
        }
    }
}

impl WorkspaceLimitsView {
    pub(super) fn of(workspace: WorkspaceId, found: &LimitsAndUse) -> Self {
        let LimitsInForce { members, agents, minutes } = found.limits.in_force;
        Self {
            workspace_id: workspace.uuid(),
            members: LimitView::of(members, found.members),
            agents: LimitView::of(agents, found.agents),
            minutes: LimitView::of(minutes, found.month.minutes()),
            month: found.month.month.to_string(),
            time_zone: found.limits.own.time_zone.as_str().to_owned(),
        }
    }
}

/// The limits in force in a workspace, each with its source.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EffectiveLimits)]
pub(crate) struct EffectiveLimitsView {
    /// Members assigned to the workspace; pending invitations count.
    max_members: SourcedLimitView,
    /// AI agents in the workspace.
    max_agents: SourcedLimitView,
    /// Minutes of usage in a month.
    max_minutes: SourcedLimitView,
}

/// A limit in force with its source.
#[derive(Serialize, ToSchema)]
#[schema(as = SourcedLimit)]
pub(crate) struct SourcedLimitView {
    /// The limit; `null` exactly when the source is `none`.
    #[schema(required, example = 5)]
    value: Option<u32>,
    /// Whose limit it is.
    #[schema(example = "workspace")]
    source: LimitSourceWord,
}

impl From<Limit> for SourcedLimitView {
    fn from(limit: Limit) -> Self {
        Self { value: limit.effective().map(Cap::get), source: Word(limit.source()) }
    }
}

impl From<LimitsInForce> for EffectiveLimitsView {
    fn from(limits: LimitsInForce) -> Self {
        Self {
            max_members: limits.members.into(),
            max_agents: limits.agents.into(),
            max_minutes: limits.minutes.into(),
        }
    }
}
