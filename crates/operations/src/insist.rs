//! Writes down what cannot be taken back: an event or an email that was sent, a refresh token that was used.

use std::time::Duration;

use tenantry_domain::Error;
use tokio::time::{Instant, sleep};

/// How long a write is repeated. Whoever sends something has leased it for longer, with the time that sending may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The first pause before a write is repeated, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// Writes, and writes again while the database is busy or away: without the write, nobody else is let to what was leased until the lease
/// ends, and then it is done a second time. A commit that was not answered may have counted, so two writes must come to the same as one.
///
/// # Errors
///
/// That of the last write.
pub(crate) async fn insist<T, W: Future<Output = Result<T, Error>>>(write: impl Fn() -> W) -> Result<T, Error> {
    let (until, mut pause) = (Instant::now() + PATIENCE, PAUSES.0);
    loop {
        match write().await {
            Err(error) if is_passing(&error) && Instant::now() < until => {
                tracing::debug!(?error, "could not write down what was done; trying again");
                sleep(pause).await;
                pause = (pause * 2).min(PAUSES.1);
            }
            written => return written,
        }
    }
}

/// Whether the database is busy or away, and nothing is wrong with what was asked.
pub(crate) fn is_passing(error: &Error) -> bool {
    matches!(error, Error::Unavailable { .. } | Error::Overloaded)
}
