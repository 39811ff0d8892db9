//! Voices of OpenAI and ElevenLabs.

use chrono::Utc;
use tenantry_domain::ElevenLabsRegion;
use tenantry_domain::{Error, VoiceBrand};
use tenantry_operations::providers::{ElevenLabs, HighLevel, MAX_PAGES, MAX_VOICES};
use tenantry_tests::provider_accounts::{ProviderServer, elevenlabs_voice, elevenlabs_voices};

use super::{KEY, catalogue, elevenlabs, ids, somewhere};

const OPENAI: [&str; 13] =
    ["alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse"];

#[tokio::test]
async fn all_pages_are_read_in_order_after_the_voices_of_openai() {
    let server = ProviderServer::start().await;
    server.elevenlabs(KEY, elevenlabs_voices(1_200));
    let voices = catalogue(&server).voices(Some(&elevenlabs(KEY)), somewhere(), Utc::now()).await.unwrap();
    assert_eq!((voices.list.len(), voices.age), (OPENAI.len() + 1_200, None));
    for (voice, expected) in voices.list.iter().zip(OPENAI) {
        assert_eq!((voice.value.as_str(), voice.brand), (expected, VoiceBrand::OpenAi));
    }
    for (n, voice) in voices.list[OPENAI.len()..].iter().enumerate() {
        assert_eq!(voice.value.as_str(), format!("voice-{n:04}"));
        assert_eq!((voice.label.as_str(), voice.brand.as_str()), (format!("Voice {n}").as_str(), "elevenlabs"));
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 12);
    assert!(server.connections() < 6, "connections are used again");
    assert_eq!(requests[0].target, "/v2/voices?page_size=100");
    assert_eq!(requests[11].target, "/v2/voices?page_size=100&next_page_token=from-1100");
    assert!(requests.iter().all(|request| request.header("xi-api-key") == Some(KEY)));
}

#[tokio::test]
async fn without_an_account_there_are_those_of_openai_and_nobody_is_asked() {
    let server = ProviderServer::start().await;
    let voices = catalogue(&server).voices(None, somewhere(), Utc::now()).await.unwrap();
    let values: Vec<_> = voices.list.iter().map(|voice| voice.value.as_str()).collect();
    assert_eq!((values.as_slice(), voices.age, server.connections()), (OPENAI.as_slice(), None, 0));
    let label = |value| voices.list.iter().find(|voice| voice.value.as_str() == value).unwrap().label.as_str();
    assert_eq!(label("alloy"), "Friendly and expressive male");
    assert_eq!(label("echo"), "Clear and natural male");
}

#[tokio::test]
async fn an_account_without_voices_has_none() {
    let server = ProviderServer::start().await;
    server.elevenlabs(KEY, Vec::new());
    assert!(ids(&catalogue(&server), KEY, somewhere(), Utc::now()).await.unwrap().0.is_empty());
}

#[tokio::test]
async fn the_first_page_may_be_larger_and_no_voice_is_shown_twice() {
    let server = ProviderServer::start().await;
    let mut voices = elevenlabs_voices(250);
    voices.extend(elevenlabs_voices(30));
    server.elevenlabs_with_first_page(KEY, voices, 170);
    let (ids, _) = ids(&catalogue(&server), KEY, somewhere(), Utc::now()).await.unwrap();
    assert_eq!(ids, (0..250).map(|n| format!("voice-{n:04}")).collect::<Vec<_>>());
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn names_become_one_line_of_visible_text() {
    let server = ProviderServer::start().await;
    let names = ["Rachel", " Two\r\n lines\t", "\u{202e}Evil\u{1b}[31m", "", " \n", &"x".repeat(500)];
    let mut voices: Vec<_> =
        names.iter().enumerate().map(|(n, name)| elevenlabs_voice(&format!("v{n}"), name)).collect();
    voices.push(serde_json::json!({ "voice_id": "v6", "name": null }));
    voices.push(serde_json::json!({ "voice_id": "v7" }));
    server.elevenlabs(KEY, voices);
    let voices = catalogue(&server).voices(Some(&elevenlabs(KEY)), somewhere(), Utc::now()).await.unwrap();
    let labels: Vec<_> = voices.list[OPENAI.len()..].iter().map(|voice| voice.label.as_str()).collect();
    assert_eq!(labels, ["Rachel", "Two lines", "Evil [31m", "v3", "v4", &"x".repeat(120), "v6", "v7"]);
}

#[tokio::test]
async fn of_an_account_with_too_many_voices_the_first_ones_are_shown() {
    let server = ProviderServer::start().await;
    server.elevenlabs_with_first_page(KEY, elevenlabs_voices(MAX_VOICES + 500), 150);
    let (ids, _) = ids(&catalogue(&server), KEY, somewhere(), Utc::now()).await.unwrap();
    assert_eq!((ids.len(), server.count()), (MAX_VOICES, MAX_PAGES));
    assert_eq!(ids.last().unwrap(), "voice-9999");
}

#[test]
fn a_key_that_cannot_be_sent_is_refused_without_asking() {
    for key in ["", " ", "sk\r\nx: y", "sk\ny", "schlüssel", "sk\0", "sk ", " sk", "s k"] {
        let (key, token) = (ElevenLabs::new(key, ElevenLabsRegion::Us), HighLevel::new(key, "location"));
        for refused in [key.unwrap_err(), token.unwrap_err()] {
            assert!(matches!(refused, Error::Upstream { code: "provider_refused", .. }), "{refused:?}");
        }
    }
}
