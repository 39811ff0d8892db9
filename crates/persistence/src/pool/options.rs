//! What an operator decides about the pool, and what it tells them.

use std::time::Duration;

use crate::{lane::LaneState, seats::Queue, standby::StandbyState};

/// How the service uses its database.
#[derive(Clone)]
pub struct PoolOptions {
    /// A libpq connection string or URL of the service's role.
    pub url: String,
    /// How many connections at most, 1 or more.
    pub connections: u32,
    /// How long a request waits for its turn and its connection before it is answered 503.
    pub wait: Duration,
    /// How long one statement may run.
    pub statement_timeout: Duration,
    /// How long a visit may take in all; `None` for a command that reads or writes a lot.
    pub visit_timeout: Option<Duration>,
    /// Whether statements are prepared once for each connection.
    pub prepare: Prepare,
    /// Whether look-ups that wait at the same time are read together.
    pub look_up_lane: bool,
    /// How long what is noted beside the requests, such as the use of API keys, is collected before it is written down.
    pub write_notes_after: Duration,
}

/// Whether statements are prepared once for each connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepare {
    /// As long as no pooler lends the server's sessions to several connections in turn.
    Auto,
    /// Yes: there is no pooler, or it tracks prepared statements.
    Always,
    /// No.
    Never,
}

/// What the pool is doing, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolState {
    /// Whether there is a database, as far as anybody knows.
    pub answers: bool,
    /// Connections at most.
    pub connections: u32,
    /// Connections open.
    pub open: u32,
    /// Connections at work.
    pub busy: u32,
    /// Threads that wait for an answer that nobody waits for any more.
    pub abandoned: u32,
    /// Who waits for one.
    pub queue: Queue,
    /// Look-ups that are read together.
    pub lane: LaneState,
    /// What the second database does.
    pub standby: StandbyState,
}
