//! What a caller asks of the audit log.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use tenantry_domain::{AuditEventId, FieldRefusal, Line, LogSort, PageLimit, Refusal, Sort};
use tenantry_operations::AuditFilter;
use utoipa::IntoParams;
use validator::{Validate, ValidationError};

use crate::{
    api::instant,
    extract::{ListQuery, Member, Unknown, check_each, check_optional},
};

/// Which events, in which order, and how many at a time.
#[derive(Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Only by this actor: the id of a member or an API key, or the name of an operator or a job.
    #[serde(default)]
    #[validate(custom(function = check_optional::<Line<120>>))]
    #[param(value_type = Option<String>)]
    actor_id: Member<String>,
    /// Only by this kind of actor: `api_key`, `member`, `operator`, `platform` or `job`.
    #[serde(default)]
    #[validate(custom(function = check_optional::<Line<40>>))]
    #[param(value_type = Option<String>)]
    actor_type: Member<String>,
    /// Only this action, such as `workspace.update`.
    #[serde(default)]
    #[validate(custom(function = check_optional::<Line<60>>))]
    #[param(value_type = Option<String>)]
    action: Member<String>,
    /// Only about the thing with this id.
    #[serde(default)]
    #[validate(custom(function = check_optional::<AuditEventId>))]
    #[param(value_type = Option<Uuid>)]
    subject_id: Member<String>,
    /// Only about this kind of thing, such as `workspace`.
    #[serde(default)]
    #[validate(custom(function = check_optional::<Line<40>>))]
    #[param(value_type = Option<String>)]
    subject_type: Member<String>,
    /// Only at this time (RFC 3339) or later.
    #[serde(default)]
    #[validate(custom(function = check_time))]
    #[param(value_type = Option<String>)]
    from: Member<String>,
    /// Only before this time (RFC 3339).
    #[serde(default)]
    #[validate(custom(function = check_time))]
    #[param(value_type = Option<String>)]
    until: Member<String>,
    /// `-occurredAt`, the newest first, unless said; or `occurredAt`.
    #[serde(default)]
    #[validate(custom(function = check_optional::<LogSort>))]
    #[param(value_type = Option<String>)]
    sort: Member<String>,
    /// How many at most: 1 to 100, 50 unless said.
    #[serde(default)]
    #[validate(custom(function = check_optional::<PageLimit>))]
    #[param(value_type = Option<u8>, minimum = 1, maximum = 100)]
    limit: Member<String>,
    /// The `nextCursor` of the page before, with the same filters and sort.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    cursor: Member<String>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[param(ignore)]
    unknown: Unknown,
}

fn check_time(member: &Member<String>) -> Result<(), ValidationError> {
    check_each(instant(member))
}

impl AuditQuery {
    pub(super) fn filter(&self) -> Result<AuditFilter, FieldRefusal> {
        let line = |member: &Member<String>, name: &str| {
            Ok(member.parse_as::<Line<120>>(name)?.map(|line| line.as_str().to_owned()))
        };
        let time = |member: &Member<String>, name: &str| -> Result<Option<DateTime<Utc>>, FieldRefusal> {
            instant(member).map_err(|refusal| refusal.of(name))
        };
        Ok(AuditFilter {
            actor_id: line(&self.actor_id, "actorId")?,
            actor_type: line(&self.actor_type, "actorType")?,
            action: line(&self.action, "action")?,
            subject_id: self.subject_id.parse_as::<AuditEventId>("subjectId")?.map(|id| id.uuid()),
            subject_type: line(&self.subject_type, "subjectType")?,
            from: time(&self.from, "from")?,
            until: time(&self.until, "until")?,
        })
    }
}

impl ListQuery for AuditQuery {
    fn paging(&self) -> [&Member<String>; 3] {
        [&self.limit, &self.sort, &self.cursor]
    }

    fn sort(&self, asked: &Member<String>) -> Result<Sort, Refusal> {
        Ok(asked.parse::<LogSort>()?.unwrap_or_default().0)
    }

    fn signature(&self) -> String {
        let who = (&self.actor_id, &self.actor_type, &self.action);
        format!("audit events {:?}", (who, &self.subject_id, &self.subject_type, &self.from, &self.until))
    }
}
