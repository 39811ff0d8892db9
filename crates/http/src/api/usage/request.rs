//! What a caller asks of usage.

use tenantry_domain::{Month, NewUsage, UsageKind, UsageReference, UsageSeconds, UsedAt};

use crate::extract::{Optional, OrDefault, Required, Written, query, request};

request! {
    /// An entry to add to the ledger.
    #[example({ "seconds": 95, "usedAt": "2026-03-01T16:45:00.000Z", "reference": "call-4711" })]
    pub(crate) struct RecordUsage => NewUsage {
        /// `usage` adds to the month; `refund` subtracts from it.
        kind: OrDefault<UsageKind>,
        /// How long it took.
        seconds: Required<UsageSeconds>,
        /// When it happened, which decides the month it counts in; not in the future. Default: now.
        used_at: Optional<UsedAt>,
        /// The caller's own name for the entry, unique in the workspace.
        reference: Required<UsageReference>,
    }
}

query! {
    /// Which months.
    pub(crate) struct UsageQuery {
        /// The first month, at most 119 months before the last one. Default: the last month.
        from: Optional<Month>,
        /// The last month. Default: the current one in the time zone of the workspace.
        to: Optional<Month>,
    }
}

query! {
    /// How much is to be used.
    pub(crate) struct CheckQuery {
        /// How long it will take.
        seconds: OrDefault<Written<UsageSeconds>>,
    }
}
