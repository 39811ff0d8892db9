//! A provider that fails again and again is left alone, for the credential that it failed for.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use tenantry_operations::providers::{Catalogue, FAILURES, OPEN_FOR};
use tenantry_tests::provider_accounts::{Misbehaviour, ProviderServer, elevenlabs_voices};

use super::{KEY, Where, catalogue, ids, somewhere, upstream};

const SECOND: TimeDelta = TimeDelta::seconds(1);

/// Asks until the breaker must be open.
async fn open(catalogue: &Catalogue, key: &str, place: Where, now: DateTime<Utc>) {
    for _ in 0..FAILURES {
        assert_eq!(upstream(ids(catalogue, key, place, now).await).0, "provider_unavailable");
    }
}

#[tokio::test]
async fn after_five_failures_in_a_row_nobody_asks_for_half_a_minute() {
    for misbehaviour in
        [Misbehaviour::Status(500), Misbehaviour::Say("text/html", String::new()), Misbehaviour::json("[]")]
    {
        let server = ProviderServer::start().await;
        server.elevenlabs(KEY, elevenlabs_voices(1));
        let (catalogue, place, now) = (catalogue(&server), somewhere(), Utc::now());
        server.misbehave(misbehaviour.clone());
        open(&catalogue, KEY, place, now).await;
        assert_eq!(server.count(), 5, "{misbehaviour:?}");
        server.behave();
        for after in [0, 1, 29] {
            let (code, _, retry_after) = upstream(ids(&catalogue, KEY, place, now + SECOND * after).await);
            let rest = Duration::from_secs(30 - u64::try_from(after).unwrap());
            assert_eq!((code, retry_after), ("provider_unavailable", Some(rest)));
        }
        assert_eq!(server.count(), 5, "{misbehaviour:?}");
        assert_eq!(ids(&catalogue, KEY, place, now + OPEN_FOR).await.unwrap().0.len(), 1);
    }
}

#[tokio::test]
async fn one_request_finds_out_whether_it_is_over() {
    let server = ProviderServer::start().await;
    server.elevenlabs(KEY, elevenlabs_voices(1));
    server.misbehave(Misbehaviour::Status(500));
    let (catalogue, place, now) = (catalogue(&server), somewhere(), Utc::now());
    open(&catalogue, KEY, place, now).await;
    let half_open = now + OPEN_FOR;
    let failures = join_all((0..50).map(|_| ids(&catalogue, KEY, place, half_open))).await;
    assert!(failures.into_iter().all(|failure| upstream(failure).0 == "provider_unavailable"));
    assert_eq!(server.count(), 6);
    assert_eq!(upstream(ids(&catalogue, KEY, place, half_open + SECOND).await).2, Some(Duration::from_secs(29)));
    assert_eq!(server.count(), 6, "open again after a single failure");
    server.behave();
    let well = half_open + OPEN_FOR;
    assert!(ids(&catalogue, KEY, place, well).await.is_ok());
    server.misbehave(Misbehaviour::Status(500));
    let later = well + TimeDelta::days(2);
    open(&catalogue, KEY, place, later).await;
    assert_eq!(server.count(), 7 + 5, "and closed, it takes five failures again");
}

#[tokio::test]
async fn a_success_in_between_starts_the_count_again() {
    let server = ProviderServer::start().await;
    server.elevenlabs(KEY, elevenlabs_voices(1));
    let (catalogue, place, mut now) = (catalogue(&server), somewhere(), Utc::now());
    for _ in 0..3 {
        server.misbehave(Misbehaviour::Status(500));
        for _ in 1..FAILURES {
            upstream(ids(&catalogue, KEY, place, now).await);
        }
        server.behave();
        assert!(ids(&catalogue, KEY, place, now).await.is_ok());
        now += TimeDelta::days(2);
    }
    assert_eq!(server.count(), 15);
}

#[tokio::test]
async fn what_happens_to_one_credential_is_nothing_to_another() {
    let server = ProviderServer::start().await;
    server.elevenlabs(KEY, elevenlabs_voices(1));
    server.elevenlabs("sk_of_another", elevenlabs_voices(2));
    let (catalogue, place, now) = (catalogue(&server), somewhere(), Utc::now());
    for _ in 0..2 * FAILURES {
        assert_eq!(upstream(ids(&catalogue, "sk_wrong", place, now).await).0, "provider_refused");
    }
    assert_eq!(server.count(), 10, "a refusal opens nothing");
    server.misbehave_to(KEY, Misbehaviour::Status(500));
    open(&catalogue, KEY, place, now).await;
    let before = server.count();
    assert!(ids(&catalogue, "sk_of_another", place, now).await.is_ok());
    assert!(ids(&catalogue, "sk_of_another", somewhere(), now).await.is_ok());
    server.behave();
    assert!(ids(&catalogue, KEY, somewhere(), now).await.is_ok(), "nor to the same one of another tenant");
    assert_eq!(server.count(), before + 3);
    upstream(ids(&catalogue, KEY, place, now).await);
    assert_eq!(server.count(), before + 3);
}

#[tokio::test]
async fn a_provider_that_asks_for_a_pause_gets_it() {
    for (said, pause) in
        [("7", 7), ("0", 1), ("99999999999999", 300), ("Wed, 21 Oct 2026 07:28:00 GMT", 30), ("-1", 30)]
    {
        let server = ProviderServer::start().await;
        server.elevenlabs(KEY, elevenlabs_voices(1));
        let (catalogue, place, now) = (catalogue(&server), somewhere(), Utc::now());
        server.misbehave(Misbehaviour::TooMany(said));
        let (code, message, _) = upstream(ids(&catalogue, KEY, place, now).await);
        assert_eq!(code, "provider_unavailable");
        assert!(message.contains("is rate limiting"), "{message}");
        server.behave();
        let pause = TimeDelta::seconds(pause);
        if pause > SECOND {
            assert_eq!(
                upstream(ids(&catalogue, KEY, place, now + pause - SECOND).await).2,
                Some(Duration::from_secs(1))
            );
        }
        assert_eq!(server.count(), 1, "{said}");
        assert!(ids(&catalogue, KEY, place, now + pause).await.is_ok(), "{said}");
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_keep_it_open() {
    let server = ProviderServer::start().await;
    server.elevenlabs(KEY, elevenlabs_voices(1));
    server.misbehave(Misbehaviour::Status(500));
    let (catalogue, place, now) = (catalogue(&server), somewhere(), Utc::now());
    open(&catalogue, KEY, place, now).await;
    server.behave();
    assert!(ids(&catalogue, KEY, place, now - TimeDelta::days(1)).await.is_ok());
}

#[tokio::test]
async fn a_provider_that_always_fails_is_asked_twice_at_most_for_each_question() {
    // Without the beginning of an answer it is asked once more, and otherwise not.
    for (misbehaviour, each) in [
        (Misbehaviour::Close, 2),
        (Misbehaviour::Status(503), 1),
        (Misbehaviour::Truncate, 1),
        (Misbehaviour::NoToken, 1),
    ] {
        let server = ProviderServer::start().await;
        server.elevenlabs(KEY, elevenlabs_voices(1));
        server.misbehave(misbehaviour.clone());
        let (catalogue, place, now) = (catalogue(&server), somewhere(), Utc::now());
        for question in 1..=20 {
            upstream(ids(&catalogue, KEY, place, now).await);
            assert_eq!(server.count(), question.min(5) * each, "{misbehaviour:?}");
        }
    }
}
