//! The services of others: what is asked of them, what is remembered, and what happens when they are not well.

mod breaker;
mod calendars;
mod last_answers;
mod misbehaviour;
mod operations;
mod renewal;
mod secrecy;
mod voices;

use std::time::Duration;

use chrono::{DateTime, Utc};
use tenantry_domain::{ElevenLabsRegion, Error, TenantId, VoiceBrand, WorkspaceId};
use tenantry_operations::providers::{Catalogue, ElevenLabs, HighLevel, Providers, Timeouts};
use tenantry_persistence::new_id;
use tenantry_tests::provider_accounts::ProviderServer;

const KEY: &str = "sk_good_key";
const TOKEN: &str = "pit-good-token";
const LOCATION: &str = "ve9EPM428h8vShlRW1KT";

/// Where a question comes from.
type Where = (TenantId, WorkspaceId);

fn somewhere() -> Where {
    (new_id(), new_id())
}

/// A catalogue of providers that are all on this server.
fn catalogue(server: &ProviderServer) -> Catalogue {
    let timeouts = Timeouts { connect: Duration::from_secs(20), total: Duration::from_secs(20) };
    Catalogue::new(Providers::new(server.urls(), timeouts).unwrap()).unwrap()
}

/// [`catalogue`] of providers that are not waited for.
fn impatient(server: &ProviderServer) -> Catalogue {
    let timeouts = Timeouts { connect: Duration::from_millis(300), total: Duration::from_millis(300) };
    Catalogue::new(Providers::new(server.urls(), timeouts).unwrap()).unwrap()
}

fn elevenlabs(key: &str) -> ElevenLabs {
    ElevenLabs::new(key, ElevenLabsRegion::Us).unwrap()
}

fn highlevel() -> HighLevel {
    HighLevel::new(TOKEN, LOCATION).unwrap()
}

/// The voices of ElevenLabs by their ids, and how old they are said to be.
async fn ids(
    catalogue: &Catalogue,
    key: &str,
    place: Where,
    now: DateTime<Utc>,
) -> Result<(Vec<String>, Option<Duration>), Error> {
    let voices = catalogue.voices(Some(&elevenlabs(key)), place, now).await?;
    let theirs = voices.list.iter().filter(|voice| voice.brand == VoiceBrand::ElevenLabs);
    Ok((theirs.map(|voice| voice.value.as_str().to_owned()).collect(), voices.age))
}

/// Code, sentence and when to try again.
#[track_caller]
fn upstream<T: std::fmt::Debug>(result: Result<T, Error>) -> (&'static str, String, Option<Duration>) {
    match result {
        Err(Error::Upstream { code, message, retry_after }) => (code, message, retry_after),
        other => panic!("no fault of a provider: {other:?}"),
    }
}
