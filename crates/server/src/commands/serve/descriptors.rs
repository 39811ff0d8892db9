//! How many connections the descriptors of this process allow.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tenantry_http::ADMIN_CONNECTIONS;

use crate::settings::Settings;

/// The most descriptors that are of use. Memory ends before them.
const MOST: u64 = 65_536;

/// The fewest connections that are of use.
const FEWEST: usize = 16;

/// For files, the connections of emails and providers, and what libraries open.
const OTHERS: usize = 48;

/// For the runtime of one thread.
const THREAD: usize = 4;

/// What this process may have open.
pub(in crate::commands) struct Room {
    pub(in crate::commands) descriptors: usize,
    /// Connections of callers, after all else.
    pub(in crate::commands) connections: usize,
    /// The fewest descriptors that are of use.
    pub(in crate::commands) needed: usize,
}

/// Raises the limit of descriptors as far as this process may, and returns what that leaves room for.
pub(in crate::commands) fn room(settings: &Settings) -> Room {
    let descriptors = usize::try_from(raised()).unwrap_or_default();
    let database = usize::try_from(settings.database_connections).unwrap_or_default();
    let reserve = OTHERS + ADMIN_CONNECTIONS + database + THREAD * (settings.workers + 4);
    Room { descriptors, connections: descriptors.saturating_sub(reserve), needed: reserve + FEWEST }
}

/// [`room`] for connections. If there is very little, the log says so.
pub(super) fn connections(settings: &Settings) -> usize {
    let Room { descriptors, connections, needed } = room(settings);
    if descriptors < needed {
        tracing::warn!(
            descriptors,
            needed,
            "this process may have very few files and connections open; raise its limit (`ulimit -n`)"
        );
    }
    tracing::debug!(descriptors, connections, "the most connections at once");
    connections.max(FEWEST)
}

fn raised() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 0 };
    let wanted = hard.min(MOST);
    if soft < wanted && setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).is_ok() { wanted } else { soft.min(MOST) }
}
