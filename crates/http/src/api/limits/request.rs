//! What a caller asks of the limits of a workspace.

use tenantry_domain::{Cap, TimeZone, WorkspaceLimitsPatch};

use crate::extract::{Clearable, Optional, request};

request! {
    /// A change to the limits of a workspace, as a JSON merge patch (RFC 7396): fields you leave out keep their value,
    /// and `null` removes a limit.
    #[example({ "maxAgents": 5, "maxMinutes": 600, "timeZone": "Europe/Berlin" })]
    pub(crate) struct UpdateLimits as UpdateWorkspaceLimits => WorkspaceLimitsPatch {
        /// Members assigned to the workspace; pending invitations count.
        max_members: Clearable<Cap>,
        /// AI agents in the workspace.
        max_agents: Clearable<Cap>,
        /// Minutes of usage in a month.
        max_minutes: Clearable<Cap>,
        /// The time zone in which months are counted.
        time_zone: Optional<TimeZone>,
    }
}
