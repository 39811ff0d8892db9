//! What is logged, and what is not.

use chrono::Utc;
use serde_json::json;
use tenantry_domain::ElevenLabsRegion;
use tenantry_operations::providers::{ElevenLabs, HighLevel};
use tenantry_tests::{
    Log,
    provider_accounts::{Misbehaviour, ProviderServer, UPSTREAM_WORDS, elevenlabs_voices},
};

use super::{LOCATION, catalogue, ids, somewhere};

const KEY: &str = "sk_nobody_logs_this_key";
const TOKEN: &str = "pit-nobody-logs-this-token";

#[tokio::test]
async fn the_log_knows_what_went_wrong_and_neither_credentials_nor_what_was_answered() {
    let (log, _guard) = Log::listen();
    let server = ProviderServer::start().await;
    server.elevenlabs(KEY, elevenlabs_voices(150));
    server.gohighlevel(TOKEN, LOCATION, Vec::new());
    let words = json!({ "voices": UPSTREAM_WORDS, "calendars": UPSTREAM_WORDS, "has_more": false });
    let to_all = json!({ "voices": [{ "voice_id": UPSTREAM_WORDS.repeat(20) }], "has_more": false });
    let highlevel = HighLevel::new(TOKEN, LOCATION).unwrap();
    for misbehaviour in [
        None,
        Some(Misbehaviour::Status(401)),
        Some(Misbehaviour::Status(500)),
        Some(Misbehaviour::TooMany("1")),
        Some(Misbehaviour::json(words)),
        Some(Misbehaviour::json(to_all)),
        Some(Misbehaviour::Say("text/html", UPSTREAM_WORDS.to_owned())),
        Some(Misbehaviour::Redirect(format!("/{UPSTREAM_WORDS}"))),
        Some(Misbehaviour::NoToken),
        Some(Misbehaviour::Close),
    ] {
        match misbehaviour {
            None => server.behave(),
            Some(misbehaviour) => server.misbehave(misbehaviour),
        }
        drop(ids(&catalogue(&server), KEY, somewhere(), Utc::now()).await);
        drop(catalogue(&server).calendars(&highlevel, somewhere(), Utc::now()).await);
    }
    server.close().await;
    drop(ids(&catalogue(&server), KEY, somewhere(), Utc::now()).await);
    let log = log.text();
    for expected in [
        "a provider did not answer as expected",
        "ElevenLabs",
        "HighLevel",
        "the answer has status 500",
        "the answer is not JSON",
        "the answer cannot be read at line 1 column",
        "no new token for the next one",
        "Connection refused",
    ] {
        assert!(log.contains(expected), "{expected} in {log}");
    }
    for secret in ["nobody", KEY, TOKEN, UPSTREAM_WORDS] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[test]
fn a_credential_is_not_printed() {
    let account = ElevenLabs::new(KEY, ElevenLabsRegion::Eu).unwrap();
    let location = HighLevel::new(TOKEN, LOCATION).unwrap();
    let printed = format!("{account:?} {account:#?} {location:?} {location:#?}");
    assert!(printed.contains("Eu") && !printed.contains("nobody"), "{printed}");
}
