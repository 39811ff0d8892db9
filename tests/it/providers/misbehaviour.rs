//! Providers that are slow, broken, or say too much: within the budget, and never in their words.

use std::time::Duration;

use chrono::Utc;
use serde_json::json;
use tenantry_operations::providers::{
    Catalogue, MAX_ANSWER, MAX_PAGES, ProviderUrls, Providers, Timeouts, provider_url,
};
use tenantry_tests::provider_accounts::{
    Misbehaviour, ProviderServer, UPSTREAM_WORDS, elevenlabs_voice, elevenlabs_voices,
};

use super::{KEY, LOCATION, TOKEN, catalogue, elevenlabs, highlevel, ids, impatient, somewhere, upstream};

const REFUSED: &str = "rejected the";
const RATE_LIMITED: &str = "is rate limiting";
const UNAVAILABLE: &str = "is not responding";
const NONSENSE: &str = "a response that could not be read";

/// What no provider should do, and what is said of it.
fn misbehaviours(elsewhere: &ProviderServer) -> Vec<(Misbehaviour, &'static str)> {
    let say = Misbehaviour::Say;
    let statuses = [
        (201, NONSENSE),
        (204, NONSENSE),
        (301, NONSENSE),
        (304, NONSENSE),
        (401, REFUSED),
        (402, REFUSED),
        (403, REFUSED),
        (405, NONSENSE),
        (408, UNAVAILABLE),
        (418, NONSENSE),
        (500, UNAVAILABLE),
        (502, UNAVAILABLE),
        (503, UNAVAILABLE),
        (504, UNAVAILABLE),
        (529, UNAVAILABLE),
    ];
    let html = format!("<html>{UPSTREAM_WORDS}</html>");
    let others = [
        (Misbehaviour::TooMany("3"), RATE_LIMITED),
        (say("text/html", html.clone()), NONSENSE),
        (say("application/json", html), NONSENSE),
        (say("text/plain", json!({ "voices": [], "has_more": false, "calendars": [] }).to_string()), NONSENSE),
        (say("application/json", String::new()), NONSENSE),
        (Misbehaviour::Redirect(format!("{}/v2/voices", elsewhere.base())), NONSENSE),
        (Misbehaviour::Redirect("http://169.254.169.254/latest/meta-data/".to_owned()), NONSENSE),
        (Misbehaviour::Redirect("/v2/voices?again".to_owned()), NONSENSE),
        (Misbehaviour::Endless, NONSENSE),
        (Misbehaviour::Hang, UNAVAILABLE),
        (Misbehaviour::Drip, UNAVAILABLE),
        (Misbehaviour::Truncate, UNAVAILABLE),
        (Misbehaviour::Close, UNAVAILABLE),
        (Misbehaviour::json("null"), NONSENSE),
        (Misbehaviour::json("[]"), NONSENSE),
        (Misbehaviour::json("{}"), NONSENSE),
        (Misbehaviour::json(format!("\"{UPSTREAM_WORDS}\"")), NONSENSE),
        (Misbehaviour::json("{\"voices\":[],\"has_more\":false,\"calendars\":[]} and more"), NONSENSE),
        (Misbehaviour::json(json!({ "voices": {}, "has_more": false, "calendars": {} })), NONSENSE),
        (Misbehaviour::json(json!({ "voices": [UPSTREAM_WORDS], "has_more": false, "calendars": [1] })), NONSENSE),
        (Misbehaviour::json(json!({ "voices": [{}], "has_more": false, "calendars": [{}] })), NONSENSE),
        (wrong_item("voice_id", "id", json!(7)), NONSENSE),
        (wrong_item("voice_id", "id", json!("")), NONSENSE),
        (wrong_item("voice_id", "id", json!("a b")), NONSENSE),
        (wrong_item("voice_id", "id", json!("a\nb")), NONSENSE),
        (wrong_item("voice_id", "id", json!("x".repeat(129))), NONSENSE),
        (wrong_item("name", "name", json!([UPSTREAM_WORDS])), NONSENSE),
        (wrong_item("name", "isActive", json!({})), NONSENSE),
    ];
    let statuses = statuses.into_iter().map(|(status, said)| (Misbehaviour::Status(status), said));
    statuses.chain(others).collect()
}

/// A list with one item that has this value at one of these names, depending on who gives it.
fn wrong_item(voices: &str, calendars: &str, value: serde_json::Value) -> Misbehaviour {
    let (mut voice, mut calendar) = (json!({ "voice_id": "v", "name": "V" }), json!({ "id": "c", "name": "C" }));
    (voice[voices], calendar[calendars]) = (value.clone(), value);
    Misbehaviour::json(json!({ "voices": [voice], "has_more": false, "calendars": [calendar] }))
}

#[tokio::test]
async fn every_misbehaviour_is_an_error_in_our_own_words() {
    let (server, elsewhere) = (ProviderServer::start().await, ProviderServer::start().await);
    server.elevenlabs(KEY, elevenlabs_voices(1));
    server.gohighlevel(TOKEN, LOCATION, Vec::new());
    for (misbehaviour, expected) in misbehaviours(&elsewhere) {
        // What ends in time is not cut off on a busy machine.
        let waits_in_vain = matches!(misbehaviour, Misbehaviour::Hang | Misbehaviour::Drip);
        let catalogue = if waits_in_vain { impatient(&server) } else { catalogue(&server) };
        server.misbehave(misbehaviour.clone());
        let voices = upstream(ids(&catalogue, KEY, somewhere(), Utc::now()).await);
        let calendars = upstream(catalogue.calendars(&highlevel(), somewhere(), Utc::now()).await);
        for ((code, message, retry_after), name) in [(voices, "ElevenLabs"), (calendars, "HighLevel")] {
            assert!(message.starts_with(name) && message.contains(expected), "{misbehaviour:?}: {message}");
            assert_eq!(code == "provider_refused", expected == REFUSED, "{misbehaviour:?}");
            let asked_to = (expected == RATE_LIMITED).then(|| Duration::from_secs(3));
            assert_eq!(retry_after, asked_to, "{misbehaviour:?}");
            for word in [UPSTREAM_WORDS, "http", "127.0.0.1", KEY, TOKEN, LOCATION] {
                assert!(!message.contains(word), "{misbehaviour:?}: {message}");
            }
        }
    }
    assert_eq!(elsewhere.connections(), 0, "no redirect is followed");
    assert!(server.requests().iter().all(|request| !request.target.contains("again")));
}

#[tokio::test]
async fn highlevel_says_in_more_than_one_way_that_a_location_is_not_there() {
    let server = ProviderServer::start().await;
    server.elevenlabs(KEY, Vec::new());
    for status in [400, 404, 422] {
        server.misbehave(Misbehaviour::Status(status));
        let calendars = catalogue(&server).calendars(&highlevel(), somewhere(), Utc::now()).await;
        assert_eq!(upstream(calendars).0, "provider_refused", "{status}");
        let voices = ids(&catalogue(&server), KEY, somewhere(), Utc::now()).await;
        assert!(upstream(voices).1.contains(NONSENSE), "{status}");
    }
}

#[tokio::test]
async fn pages_that_do_not_end_are_not_read_for_ever() {
    for (misbehaviour, pages) in
        [(Misbehaviour::SameToken, 2), (Misbehaviour::NoToken, 1), (Misbehaviour::NoEnd, MAX_PAGES)]
    {
        let server = ProviderServer::start().await;
        server.elevenlabs(KEY, elevenlabs_voices(1));
        server.misbehave(misbehaviour.clone());
        let refused = upstream(ids(&catalogue(&server), KEY, somewhere(), Utc::now()).await);
        assert!(refused.1.contains(NONSENSE), "{misbehaviour:?} {refused:?}");
        assert_eq!(server.count(), pages, "{misbehaviour:?}");
    }
}

#[tokio::test]
async fn the_time_is_for_all_pages_together() {
    let server = ProviderServer::start().await;
    server.elevenlabs(KEY, elevenlabs_voices(MAX_PAGES * 100));
    // No page takes too long, and all of them do.
    server.misbehave(Misbehaviour::Slow(Duration::from_millis(20)));
    let refused = upstream(ids(&impatient(&server), KEY, somewhere(), Utc::now()).await);
    assert!(refused.1.contains(UNAVAILABLE), "{refused:?}");
    assert!(server.count() < MAX_PAGES);
}

#[tokio::test]
async fn an_answer_may_be_as_large_as_it_may_be() {
    let server = ProviderServer::start().await;
    let page = |size: usize| {
        let body = json!({ "voices": [elevenlabs_voice("v", "V")], "has_more": false }).to_string();
        Misbehaviour::json(format!("{body}{}", " ".repeat(size - body.len())))
    };
    server.misbehave(page(MAX_ANSWER));
    assert!(ids(&catalogue(&server), KEY, somewhere(), Utc::now()).await.is_ok());
    server.misbehave(page(MAX_ANSWER + 1));
    let refused = upstream(ids(&catalogue(&server), KEY, somewhere(), Utc::now()).await);
    assert!(refused.1.contains(NONSENSE), "{refused:?}");
}

#[tokio::test]
async fn a_connection_that_ended_while_it_was_kept_is_made_again() {
    let server = ProviderServer::start().await;
    server.elevenlabs(KEY, elevenlabs_voices(1));
    let catalogue = catalogue(&server);
    assert!(ids(&catalogue, KEY, somewhere(), Utc::now()).await.is_ok());
    server.close().await;
    server.open().await;
    assert!(ids(&catalogue, KEY, somewhere(), Utc::now()).await.is_ok());
    assert_eq!((server.count(), server.connections()), (2, 2));
}

#[tokio::test]
async fn nothing_is_said_to_a_server_that_cannot_prove_who_it_is() {
    let server = ProviderServer::start_unknown().await;
    server.elevenlabs(KEY, elevenlabs_voices(1));
    let refused = upstream(catalogue(&server).voices(Some(&elevenlabs(KEY)), somewhere(), Utc::now()).await);
    assert!(refused.1.contains(UNAVAILABLE), "{refused:?}");
    assert!(server.connections() > 0 && server.count() == 0);
}

#[tokio::test]
async fn a_host_that_is_not_there_is_a_provider_that_does_not_answer() {
    let nowhere = Some(provider_url("https://provider.invalid").unwrap());
    let urls = ProviderUrls { elevenlabs: nowhere, ..ProviderServer::start().await.urls() };
    let timeouts = Timeouts { total: Duration::from_secs(2), ..Timeouts::default() };
    let catalogue = Catalogue::new(Providers::new(urls, timeouts).unwrap()).unwrap();
    let refused = upstream(ids(&catalogue, KEY, somewhere(), Utc::now()).await);
    assert!(refused.1.contains(UNAVAILABLE), "{refused:?}");
}
