//! How many requests may be sent, and how the answers tell.

use std::time::{Duration, Instant};

use serde_json::json;
use tenantry_domain::{KeyMode, RequestRate, Requests};
use tenantry_http::Rates;
use tenantry_tests::{Answer, App, Client};

/// So many at once, and in practice none after.
fn burst(burst: i64) -> Option<RequestRate> {
    let requests = |number: i64| Requests::try_from(number).unwrap();
    Some(RequestRate { per_second: requests(1), burst: requests(burst) })
}

fn credential(number: i64) -> Rates {
    Rates { credential: burst(number), ..Rates::default() }
}

/// The number after this parameter in a header of one item.
fn parameter(answer: &Answer, header: &str, name: &str) -> u64 {
    let header = answer.header(header);
    let (_, rest) = header.split_once(&format!(";{name}=")).unwrap_or_else(|| panic!("{header}"));
    rest.split(';').next().unwrap().parse().unwrap()
}

/// Sends until a request is refused; the answers before it, and the refusal.
async fn until_refused(client: &Client, path: &str) -> (Vec<Answer>, Answer) {
    let mut answers = Vec::new();
    loop {
        let answer = client.get(path).await;
        if answer.status == 429 {
            return (answers, answer);
        }
        answers.push(answer);
    }
}

#[tokio::test]
async fn every_answer_says_what_is_left_and_a_refusal_when_to_come_back() {
    let app = App::limiting(credential(5)).await;
    let acme = app.tenant("Acme").await;
    let (answers, refused) = until_refused(&acme.owner, "/api/brands").await;
    assert!(answers.len() >= 5);
    let mut left = u64::MAX;
    for answer in &answers[..5] {
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("ratelimit-policy"), "\"credential\";q=5;w=5");
        assert!(answer.header("ratelimit").starts_with("\"credential\";r="), "{:?}", answer.headers);
        let (r, t) = (parameter(answer, "ratelimit", "r"), parameter(answer, "ratelimit", "t"));
        assert!(r < 5 && t <= 5 && r <= left);
        left = r;
    }
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=2).contains(&wait));
    assert_eq!(refused.header("ratelimit"), format!("\"credential\";r=0;t={wait}"));
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert_eq!(refused.body["type"], "https://iana.org/assignments/http-problem-types#quota-exceeded");
    assert_eq!(refused.body["title"], "Request cannot be satisfied as assigned quota has been exceeded");
    assert_eq!(refused.body["violated-policies"], json!(["credential"]));
    assert_eq!((&refused.body["status"], &refused.body["code"]), (&json!(429), &json!("too_many_requests")));
    let sentence = refused.text_of("error");
    assert!(sentence.starts_with("This credential has sent too many requests. Try again in "), "{sentence}");
    let metrics = app.client().get("/metrics").await.expect(200).text;
    assert!(metrics.contains("tenantry_rate_limited_total{policy=\"credential\"} 1\n"), "{metrics}");
}

#[tokio::test]
async fn the_dialect_refuses_in_its_own_words() {
    let app = App::limiting(credential(2)).await;
    let acme = app.tenant("Acme").await;
    let (_, refused) = until_refused(&acme.owner, "/api/workspace/get-all").await;
    assert_eq!(refused.body["status"], false);
    assert!(refused.text_of("error").starts_with("This credential has sent too many requests."));
    assert!(refused.header("retry-after").parse::<u32>().unwrap() > 0);
    assert!(refused.header("ratelimit").starts_with("\"credential\";r=0;"));
}

#[tokio::test]
async fn a_credential_uses_up_nobody_elses_quota() {
    let app = App::limiting(credential(3)).await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let other = acme.key(&["brands:read"], json!({})).await;
    until_refused(&acme.owner, "/api/brands").await;
    for client in [&other, &beta.owner] {
        let answer = client.get("/api/brands").await.expect(200);
        assert_eq!(parameter(&answer, "ratelimit", "r"), 2, "it tells of its own requests alone");
    }
    for _ in 0..20 {
        app.platform().get("/api/admin/tenants").await.expect(200);
        app.client().get("/healthz").await.expect(200);
    }
}

#[tokio::test]
async fn who_is_refused_cannot_ask_again_as_fast_as_the_service_can_refuse() {
    let app = App::limiting(credential(3)).await;
    let acme = app.tenant("Acme").await;
    until_refused(&acme.owner, "/api/brands").await;
    let began = Instant::now();
    let mut refused = 0;
    for _ in 0..20 {
        refused += u32::from(acme.owner.get("/api/brands").await.status == 429);
    }
    // Never shorter than this, however fast the machine is.
    assert!(began.elapsed() >= refused * Duration::from_millis(20), "{refused} in {:?}", began.elapsed());
    assert!(refused > 0);
}

#[tokio::test]
async fn an_address_that_guesses_is_told_to_slow_down_and_known_credentials_are_not() {
    let app = App::limiting(Rates { address: burst(6), ..Rates::default() }).await;
    let acme = app.tenant("Acme").await;
    acme.owner.get("/api/brands").await.expect(200);
    let forged = app.client().with_key(tenantry_auth::issue(acme.id, KeyMode::Live).unwrap().reveal());
    app.client().get("/api/brands").await.expect(401);
    app.client().with_key("tnt_live_v1_mistyped").get("/api/brands").await.expect(401);
    let (answers, refused) = until_refused(&forged, "/api/brands").await;
    for answer in &answers {
        assert_eq!(answer.status, 401);
        assert!(!answer.headers.contains_key("ratelimit"), "others may share the address");
    }
    assert_eq!(refused.body["violated-policies"], json!(["address"]));
    assert!(refused.header("ratelimit").starts_with("\"address\";r=0;"));
    for _ in 0..20 {
        acme.owner.get("/api/brands").await.expect(200);
    }
}

#[tokio::test]
async fn without_limits_nothing_is_counted_and_nothing_is_told() {
    let app = App::limiting(Rates::default()).await;
    let acme = app.tenant("Acme").await;
    let answer = acme.owner.get("/api/brands").await.expect(200);
    assert!(!answer.headers.contains_key("ratelimit") && !answer.headers.contains_key("ratelimit-policy"));
}

#[tokio::test]
async fn the_platform_limits_a_tenant_as_a_whole_and_nobody_else_sees_it() {
    let app = App::limiting(Rates::default()).await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let one = format!("/api/admin/tenants/{}", acme.id);
    let other = acme.key(&["brands:read"], json!({})).await;
    app.platform().patch(&one, json!({ "requestsPerSecond": 1, "requestBurst": 4 })).await.expect(200);
    // The last visit of a credential tells its tenant's limits.
    for client in [&acme.owner, &other] {
        client.get("/api/brands").await.expect(200);
    }
    let first = acme.owner.get("/api/brands").await.expect(200);
    assert_eq!(first.header("ratelimit-policy"), "\"tenant\";q=4;w=4");
    assert_eq!(parameter(&first, "ratelimit", "r"), 3);
    let (_, refused) = until_refused(&other, "/api/brands").await;
    assert_eq!(refused.body["violated-policies"], json!(["tenant"]));
    assert!(refused.text_of("error").starts_with("Your tenant has sent too many requests."));
    assert!(refused.header("ratelimit").starts_with("\"tenant\";r=0;"));
    for _ in 0..20 {
        let answer = beta.owner.get("/api/brands").await.expect(200);
        assert!(!answer.headers.contains_key("ratelimit"));
    }
    app.platform().patch(&one, json!({ "requestsPerSecond": null })).await.expect(200);
    // One request has to get through to tell that the limit is gone.
    while acme.owner.get("/api/brands").await.status == 429 {}
    for _ in 0..20 {
        acme.owner.get("/api/brands").await.expect(200);
    }
}

#[tokio::test]
async fn a_limit_of_no_request_at_all_is_refused() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let one = format!("/api/admin/tenants/{}", acme.id);
    for (field, wrong) in [("requestsPerSecond", json!(0)), ("requestBurst", json!(1_000_001))] {
        let refused = app.platform().patch(&one, json!({ field: wrong })).await.expect(422);
        assert_eq!(
            (&refused.body["fields"][0]["field"], &refused.body["fields"][0]["code"]),
            (&json!(field), &json!("out_of_range"))
        );
    }
}
