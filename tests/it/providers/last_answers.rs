//! What was answered last: fresh for a minute, and there for a day when nobody answers.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use futures_util::future::join_all;
use tenantry_domain::ElevenLabsRegion;
use tenantry_operations::providers::{ElevenLabs, FRESH_FOR, HighLevel, STALE_FOR};
use tenantry_tests::provider_accounts::{Misbehaviour, ProviderServer, elevenlabs_voices, gohighlevel_calendar};

use super::{KEY, LOCATION, TOKEN, catalogue, elevenlabs, highlevel, ids, somewhere, upstream};

const SECOND: TimeDelta = TimeDelta::seconds(1);

#[tokio::test]
async fn however_many_ask_at_once_the_provider_is_asked_once() {
    let server = ProviderServer::start().await;
    server.elevenlabs(KEY, elevenlabs_voices(3));
    let (catalogue, place, now) = (catalogue(&server), somewhere(), Utc::now());
    let asking = (0..200).map(|_| {
        let catalogue = catalogue.clone();
        tokio::spawn(async move { ids(&catalogue, KEY, place, now).await.unwrap().0.len() })
    });
    let answers = join_all(asking).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap() == 3));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn however_many_fail_at_once_the_provider_is_asked_once() {
    let server = ProviderServer::start().await;
    server.misbehave(Misbehaviour::Status(500));
    let (catalogue, place, now) = (catalogue(&server), somewhere(), Utc::now());
    let failures = join_all((0..200).map(|_| ids(&catalogue, KEY, place, now))).await;
    for failure in failures {
        assert_eq!(upstream(failure).0, "provider_unavailable");
    }
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn an_answer_is_fresh_for_a_minute() {
    let server = ProviderServer::start().await;
    server.elevenlabs(KEY, elevenlabs_voices(1));
    server.gohighlevel(TOKEN, LOCATION, vec![gohighlevel_calendar("c", "Calls")]);
    let (catalogue, place, now) = (catalogue(&server), somewhere(), Utc::now());
    for (after, voices, asked) in [
        (TimeDelta::zero(), 1, 1),
        (SECOND, 1, 1),
        (FRESH_FOR - SECOND, 1, 1),
        (FRESH_FOR, 2, 2),
        (FRESH_FOR * 2 - SECOND, 2, 2),
    ] {
        assert_eq!(ids(&catalogue, KEY, place, now + after).await.unwrap(), (elevenlabs_ids(voices), None));
        assert_eq!(server.count(), asked, "{after}");
        server.elevenlabs(KEY, elevenlabs_voices(2));
    }
    for (after, asked) in [(TimeDelta::zero(), 3), (FRESH_FOR - SECOND, 3), (FRESH_FOR, 4)] {
        assert_eq!(catalogue.calendars(&highlevel(), place, now + after).await.unwrap().list.len(), 1);
        assert_eq!(server.count(), asked, "{after}");
    }
    let before = now - TimeDelta::days(1);
    assert_eq!(ids(&catalogue, KEY, place, before).await.unwrap().0.len(), 2);
    assert_eq!(server.count(), 5, "an answer from the future is not fresh");
}

fn elevenlabs_ids(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("voice-{n:04}")).collect()
}

#[tokio::test]
async fn the_last_answer_is_given_with_its_age_for_a_day_while_the_provider_is_down() {
    for misbehaviour in [
        Misbehaviour::Status(503),
        Misbehaviour::TooMany("1"),
        Misbehaviour::Close,
        Misbehaviour::Say("text/html", "<html>".to_owned()),
        Misbehaviour::json("{}"),
    ] {
        let server = ProviderServer::start().await;
        server.elevenlabs(KEY, elevenlabs_voices(2));
        server.gohighlevel(TOKEN, LOCATION, vec![gohighlevel_calendar("c", "Calls")]);
        let (catalogue, place, now) = (catalogue(&server), somewhere(), Utc::now());
        ids(&catalogue, KEY, place, now).await.unwrap();
        catalogue.calendars(&highlevel(), place, now).await.unwrap();
        server.misbehave(misbehaviour.clone());
        for after in [FRESH_FOR, TimeDelta::hours(1), STALE_FOR - SECOND, STALE_FOR] {
            let age = Some(after.to_std().unwrap());
            let (ids, said) = ids(&catalogue, KEY, place, now + after).await.unwrap();
            assert_eq!((ids, said), (elevenlabs_ids(2), age), "{misbehaviour:?}");
            let calendars = catalogue.calendars(&highlevel(), place, now + after).await.unwrap();
            assert_eq!((calendars.list.len(), calendars.age), (1, age), "{misbehaviour:?}");
        }
        let late = now + STALE_FOR + SECOND;
        assert_eq!(upstream(ids(&catalogue, KEY, place, late).await).0, "provider_unavailable", "{misbehaviour:?}");
        let late_calendars = catalogue.calendars(&highlevel(), place, late).await;
        assert_eq!(upstream(late_calendars).0, "provider_unavailable", "{misbehaviour:?}");
        server.behave();
        let later = late + TimeDelta::minutes(5);
        assert_eq!(ids(&catalogue, KEY, place, later).await.unwrap(), (elevenlabs_ids(2), None), "{misbehaviour:?}");
    }
}

#[tokio::test]
async fn the_last_answer_is_given_while_nobody_listens() {
    let server = ProviderServer::start().await;
    server.elevenlabs(KEY, elevenlabs_voices(2));
    let (catalogue, place, now) = (catalogue(&server), somewhere(), Utc::now());
    ids(&catalogue, KEY, place, now).await.unwrap();
    server.close().await;
    let (stale, age) = ids(&catalogue, KEY, place, now + FRESH_FOR).await.unwrap();
    assert_eq!((stale, age), (elevenlabs_ids(2), Some(Duration::from_secs(60))));
    server.open().await;
    assert_eq!(ids(&catalogue, KEY, place, now + FRESH_FOR * 2).await.unwrap().1, None);
}

#[tokio::test]
async fn a_refusal_is_not_papered_over_and_ends_the_last_answer() {
    let server = ProviderServer::start().await;
    server.elevenlabs(KEY, elevenlabs_voices(2));
    let (catalogue, place, now) = (catalogue(&server), somewhere(), Utc::now());
    ids(&catalogue, KEY, place, now).await.unwrap();
    server.misbehave(Misbehaviour::Status(401));
    let later = now + FRESH_FOR;
    assert_eq!(upstream(ids(&catalogue, KEY, place, later).await).0, "provider_refused");
    server.misbehave(Misbehaviour::Status(500));
    assert_eq!(upstream(ids(&catalogue, KEY, place, later).await).0, "provider_unavailable");
}

#[tokio::test]
async fn an_answer_belongs_to_one_credential_in_one_workspace_of_one_tenant() {
    let server = ProviderServer::start().await;
    server.elevenlabs(KEY, elevenlabs_voices(2));
    server.gohighlevel(TOKEN, LOCATION, Vec::new());
    let (catalogue, place, now) = (catalogue(&server), somewhere(), Utc::now());
    ids(&catalogue, KEY, place, now).await.unwrap();
    catalogue.calendars(&highlevel(), place, now).await.unwrap();
    server.misbehave(Misbehaviour::Status(500));
    let (elsewhere, other_tenant) = ((place.0, somewhere().1), (somewhere().0, place.1));
    let abroad = ElevenLabs::new(KEY, ElevenLabsRegion::Eu).unwrap();
    for (account, place) in [
        (elevenlabs("sk_another"), place),
        (elevenlabs(&KEY[..KEY.len() - 1]), place),
        (abroad, place),
        (elevenlabs(KEY), elsewhere),
        (elevenlabs(KEY), other_tenant),
    ] {
        let before = server.count();
        assert_eq!(upstream(catalogue.voices(Some(&account), place, now).await).0, "provider_unavailable");
        assert_eq!(server.count(), before + 1);
    }
    let shifted = format!("{TOKEN}{}", &LOCATION[..1]);
    for (token, location) in [(TOKEN, "elsewhere"), ("pit-other", LOCATION), (&shifted, &LOCATION[1..])] {
        let account = HighLevel::new(token, location).unwrap();
        assert_eq!(upstream(catalogue.calendars(&account, place, now).await).0, "provider_unavailable");
    }
    assert_eq!(ids(&catalogue, KEY, place, now).await.unwrap().0.len(), 2, "and that one is still fresh");
}
