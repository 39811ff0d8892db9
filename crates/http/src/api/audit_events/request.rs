//! What a caller asks of the audit log.

use chrono::{DateTime, Utc};
use tenantry_domain::{AuditEventId, Instant, Line, LogSort};
use tenantry_operations::AuditFilter;
use uuid::Uuid;

use crate::extract::{Filters, OptionalAs, query};

query! {
    /// Which events.
    pub(crate) struct AuditFilters => AuditFilter {
        /// Only events of this actor: the id of a member or an API key, or the name of an operator or a job.
        actor_id: OptionalAs<Line<120>, String>,
        /// Only events of this kind of actor: `api_key`, `member`, `operator`, `platform` or `job`.
        actor_type: OptionalAs<Line<40>, String>,
        /// Only this action, such as `workspace.update`.
        action: OptionalAs<Line<60>, String>,
        /// Only events about the object with this id.
        subject_id: OptionalAs<AuditEventId, Uuid>,
        /// Only events about this kind of object, such as `workspace`.
        subject_type: OptionalAs<Line<40>, String>,
        /// Only events at this time or later.
        from: OptionalAs<Instant, DateTime<Utc>>,
        /// Only events before this time.
        until: OptionalAs<Instant, DateTime<Utc>>,
    }
}

impl Filters for AuditFilters {
    type Sort = LogSort;
}
