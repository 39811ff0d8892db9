//! What a caller asks of the audit log.

use tenantry_domain::{AuditEventId, Instant, Line, LogSort};
use tenantry_operations::AuditFilter;

use crate::extract::{Filters, Optional, query};

query! {
    /// Which events.
    pub(crate) struct AuditFilters {
        /// Only events of this actor: the id of a member or an API key, or the name of an operator or a job.
        actor_id: Optional<Line<120>>,
        /// Only events of this kind of actor: `api_key`, `member`, `operator`, `platform` or `job`.
        actor_type: Optional<Line<40>>,
        /// Only this action, such as `workspace.update`.
        action: Optional<Line<60>>,
        /// Only events about the thing with this id.
        subject_id: Optional<AuditEventId>,
        /// Only events about this kind of thing, such as `workspace`.
        subject_type: Optional<Line<40>>,
        /// Only events at this time or later.
        from: Optional<Instant>,
        /// Only events before this time.
        until: Optional<Instant>,
    }
}

impl Filters for AuditFilters {
    type Sort = LogSort;
}

impl AuditFilters {
    pub(super) fn into_domain(self) -> AuditFilter {
        AuditFilter {
            actor_id: self.actor_id.map(String::from),
            actor_type: self.actor_type.map(String::from),
            action: self.action.map(String::from),
            subject_id: self.subject_id.map(AuditEventId::uuid),
            subject_type: self.subject_type.map(String::from),
            from: self.from.map(Instant::get),
            until: self.until.map(Instant::get),
        }
    }
}
