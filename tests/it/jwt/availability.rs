//! Issuers that are down, slow, broken, or say too much.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use serde_json::json;
use tenantry_auth::jwt::{COOL_DOWN, Issuers, MAX_AGE, REFRESH_AFTER, Refused, STALE_AFTER};
use tenantry_tests::issuer::{Behaviour, Issuer};

use super::{trusting, until};

/// Ways not to answer with keys, quickly.
fn failures(issuer: &Issuer, elsewhere: &Issuer) -> Vec<Behaviour> {
    let answer = |body: &str| Behaviour::json(200, body);
    let keys = json!({ "keys": [issuer.key("es").jwk()] }).to_string();
    let huge = format!("{{\"keys\":[],\"filling\":\"{}\"}}", "x".repeat(1 << 20));
    let html = Behaviour::Answer { status: 200, content_type: "text/html", body: b"<html>Sign in</html>".to_vec() };
    let failures = [
        html,
        answer(""),
        answer("null"),
        answer("[]"),
        answer("{}"),
        answer("{\"keys\":{}}"),
        answer("{\"keys\":[]"),
        answer("{\"keys\":[]} and more"),
        answer(&huge),
        Behaviour::Endless,
        Behaviour::Drop,
        Behaviour::Redirect(elsewhere.jwks_url()),
        Behaviour::Redirect("http://169.254.169.254/".to_owned()),
    ];
    let statuses =
        [201, 204, 301, 304, 400, 401, 404, 429, 500, 503].map(|status| Behaviour::json(status, keys.clone()));
    failures.into_iter().chain(statuses).collect()
}

fn token(issuer: &Issuer, now: DateTime<Utc>) -> String {
    issuer.draft("es").lives(now, 3600).token()
}

#[tokio::test]
async fn without_keys_a_token_is_neither_good_nor_bad() {
    let (issuer, elsewhere) = (Issuer::start().await, Issuer::start().await);
    let now = Utc::now();
    for failure in failures(&issuer, &elsewhere) {
        issuer.behave(failure.clone());
        let issuers = trusting(&issuer);
        assert_eq!(issuers.verify(&token(&issuer, now), now).await, Err(Refused::NoKeys), "{failure:?}");
        until(|| issuers.states(now)[0].failing).await;
        let state = issuers.states(now).remove(0);
        assert_eq!((state.usable_keys, state.age, state.failing, state.failed), (0, None, true, 1), "{failure:?}");
        let bad = issuers.verify("a.b.c", now).await;
        assert!(matches!(bad, Err(Refused::Invalid(_))), "what is no token is one for no keys");
    }
    assert_eq!(elsewhere.connections(), 0, "no redirect is followed");
}

#[tokio::test]
async fn a_wrong_content_type_does_not_matter() {
    let issuer = Issuer::start().await;
    let body = json!({ "keys": [issuer.key("es").jwk()], "more": { "of": "it" } }).to_string().into_bytes();
    issuer.behave(Behaviour::Answer { status: 200, content_type: "text/plain", body });
    assert!(trusting(&issuer).verify(&token(&issuer, Utc::now()), Utc::now()).await.is_ok());
}

#[tokio::test]
async fn keys_that_were_obtained_work_for_a_day_while_the_issuer_is_down() {
    let (issuer, elsewhere) = (Issuer::start().await, Issuer::start().await);
    let good = issuer.options();
    let now = Utc::now();
    for failure in failures(&issuer, &elsewhere) {
        issuer.publish(["rs", "ps", "es", "es-2", "ed"].map(|kid| issuer.key(kid)).to_vec());
        let issuers = Issuers::new(vec![good.clone()]).unwrap();
        assert!(issuers.verify(&token(&issuer, now), now).await.is_ok());
        issuer.behave(failure.clone());
        for age in [STALE_AFTER, TimeDelta::hours(1), MAX_AGE] {
            let later = now + age;
            assert!(issuers.verify(&token(&issuer, later), later).await.is_ok(), "{failure:?} {age}");
            let unknown = issuer.draft("es").header("kid", "unknown").lives(later, 3600).token();
            let refused = issuers.verify(&unknown, later).await;
            assert!(matches!(refused, Err(Refused::Invalid(_))), "{failure:?} {refused:?}");
            until(|| issuers.states(later)[0].failing).await;
            let state = issuers.states(later).remove(0);
            assert_eq!((state.usable_keys, state.age, state.failing), (5, Some(age), true), "{failure:?}");
        }
        let late = now + MAX_AGE + TimeDelta::seconds(1);
        assert_eq!(issuers.verify(&token(&issuer, late), late).await, Err(Refused::NoKeys), "{failure:?}");
        assert_eq!(issuers.states(late)[0].usable_keys, 0);
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_closed_port_that_opens_again_is_found_after_the_cool_down() {
    let issuer = Issuer::start().await;
    let (issuers, now) = (trusting(&issuer), Utc::now());
    issuer.close().await;
    assert_eq!(issuers.verify(&token(&issuer, now), now).await, Err(Refused::NoKeys));
    issuer.reopen().await;
    let soon = now + COOL_DOWN - TimeDelta::seconds(1);
    assert_eq!(issuers.verify(&token(&issuer, soon), soon).await, Err(Refused::NoKeys));
    assert_eq!(issuer.connections(), 0, "not asked again so soon");
    let later = now + COOL_DOWN;
    assert!(issuers.verify(&token(&issuer, later), later).await.is_ok());
    let state = issuers.states(later).remove(0);
    assert_eq!((state.failing, state.fetched, state.failed), (false, 1, 1));
}

#[tokio::test]
async fn an_issuer_that_flaps_is_asked_once_in_a_cool_down() {
    let issuer = Issuer::start().await;
    let (issuers, start) = (trusting(&issuer), Utc::now());
    assert!(issuers.verify(&token(&issuer, start), start).await.is_ok());
    issuer.fail(503);
    let down = start + STALE_AFTER;
    for second in 0..90 {
        let now = down + TimeDelta::seconds(second);
        assert!(issuers.verify(&token(&issuer, now), now).await.is_ok());
        // Those are in the background, and must be over before it can be counted.
        until(|| issuers.states(now)[0].failed == 1 + u64::try_from(second).unwrap() / 30).await;
    }
    assert_eq!(issuer.connections(), 1 + 3);
    issuer.publish(vec![issuer.key("es")]);
    let up = down + TimeDelta::seconds(90);
    assert!(issuers.verify(&token(&issuer, up), up).await.is_ok());
    until(|| !issuers.states(up)[0].failing).await;
    assert_eq!(issuers.states(up)[0].age, Some(TimeDelta::zero()));
}

#[tokio::test]
async fn nobody_waits_long_for_an_issuer_that_does_not_answer() {
    for silence in [Behaviour::Hang, Behaviour::Drip] {
        let issuer = Issuer::start().await;
        let (issuers, now) = (trusting(&issuer), Utc::now());
        issuer.behave(silence);
        let waiting: Vec<_> = (0..100)
            .map(|_| {
                let (issuers, token) = (issuers.clone(), token(&issuer, now));
                tokio::spawn(async move { issuers.verify(&token, now).await })
            })
            .collect();
        for refused in waiting {
            assert_eq!(refused.await.unwrap(), Err(Refused::NoKeys));
        }
        let state = issuers.states(now).remove(0);
        assert!(!state.failing, "whoever waits for a request gives up before the request does");
        assert_eq!(issuer.connections(), 1);
        until(|| issuers.states(now)[0].failing).await;
    }
}

#[tokio::test]
async fn nobody_waits_for_an_issuer_that_failed_before_while_there_are_keys() {
    let issuer = Issuer::start().await;
    let (issuers, now) = (trusting(&issuer), Utc::now());
    assert!(issuers.verify(&token(&issuer, now), now).await.is_ok());
    issuer.fail(500);
    let stale = now + STALE_AFTER;
    assert!(issuers.verify(&token(&issuer, stale), stale).await.is_ok());
    issuer.behave(Behaviour::Hang);
    let later = stale + COOL_DOWN;
    let verified = issuers.verify(&token(&issuer, later), later).now_or_never();
    assert!(verified.is_some_and(|verified| verified.is_ok()), "at once");
    until(|| issuers.states(later)[0].failed == 2).await;
    assert_eq!(issuer.connections(), 3, "and the issuer was asked all the same");
}

#[tokio::test]
async fn a_refresh_obtains_what_is_due_and_nothing_else() {
    let (one, two) = (Issuer::start().await, Issuer::start().await);
    let (issuers, now) = (Issuers::new(vec![one.options(), two.options()]).unwrap(), Utc::now());
    two.fail(500);
    issuers.refresh(now).await;
    let usable = |now| issuers.states(now).iter().map(|state| state.usable_keys).collect::<Vec<_>>();
    assert_eq!(usable(now), [5, 0]);
    assert!(issuers.verify(&token(&one, now), now).await.is_ok());
    issuers.refresh(now).await;
    assert_eq!((one.connections(), two.connections()), (1, 1));
    two.publish(vec![two.key("es")]);
    issuers.refresh(now + REFRESH_AFTER).await;
    assert_eq!((one.connections(), two.connections()), (2, 2));
    assert_eq!(usable(now + REFRESH_AFTER), [5, 1]);
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_keep_old_keys_alive() {
    let issuer = Issuer::start().await;
    let (issuers, now) = (trusting(&issuer), Utc::now());
    assert!(issuers.verify(&token(&issuer, now), now).await.is_ok());
    let before = now - TimeDelta::hours(2);
    let kept = token(&issuer, before);
    let withdrawn = issuer.draft("es-2").lives(before, 3600).token();
    issuer.publish(vec![issuer.key("es")]);
    assert!(issuers.verify(&kept, before).await.is_ok());
    assert_eq!(issuer.connections(), 2);
    assert!(matches!(issuers.verify(&withdrawn, before).await, Err(Refused::Invalid(_))));
}
