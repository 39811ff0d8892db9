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

/// Raises the limit of descriptors as far as this process may, and returns how many connections that leaves room for.
pub(super) fn connections(settings: &Settings) -> usize {
    let descriptors = usize::try_from(raised()).unwrap_or_default();
    let database = usize::try_from(settings.database_connections).unwrap_or_default();
    let reserve = OTHERS + ADMIN_CONNECTIONS + database + THREAD * (settings.workers + 4);
    let connections = descriptors.saturating_sub(reserve);
    if connections < FEWEST {
        tracing::warn!(
            descriptors,
            needed = reserve + FEWEST,
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
