//! How the seats are divided.

/// How many batches of look-ups are read at once. More gain nothing.
const LANE: usize = 2;

/// How many seats there are, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    /// All.
    pub(super) seats: usize,
    /// Those that tenants never use.
    pub(super) reserved: usize,
    /// How many of the others may do heavy work at once.
    pub(super) heavy: usize,
    /// How many of them may read batches of look-ups.
    pub(super) lane: usize,
    /// How many of them may serve credentials that are not known yet.
    pub(super) strangers: usize,
}

impl Plan {
    pub(super) fn of(seats: usize) -> Self {
        let seats = seats.max(1);
        let reserved = usize::from(seats >= 4);
        let common = seats - reserved;
        Self {
            seats,
            reserved,
            heavy: (common / 2).max(1),
            lane: (common / 3).clamp(1, LANE),
            strangers: (common / 3).max(1),
        }
    }

    /// Those that are not reserved.
    pub(super) fn common(self) -> usize {
        self.seats - self.reserved
    }
}
