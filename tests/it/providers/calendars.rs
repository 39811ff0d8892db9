//! Calendars of HighLevel.

use chrono::Utc;
use serde_json::json;
use tenantry_operations::providers::HighLevel;
use tenantry_tests::provider_accounts::{ProviderServer, gohighlevel_calendar};

use super::{LOCATION, TOKEN, catalogue, highlevel, somewhere, upstream};

#[tokio::test]
async fn the_calendars_of_the_location_are_shown_in_its_order() {
    let server = ProviderServer::start().await;
    let mut described = gohighlevel_calendar("c2", "Demo\ncalls");
    described["description"] = json!("<p>Half an\thour</p>\r\n");
    described["isActive"] = json!(false);
    let bare = json!({ "id": "c3" });
    server.gohighlevel(TOKEN, LOCATION, vec![gohighlevel_calendar("c9", "Visits"), described, bare]);
    let calendars = catalogue(&server).calendars(&highlevel(), somewhere(), Utc::now()).await.unwrap();
    let shown = calendars.list.iter().map(|calendar| {
        let description = calendar.description.as_ref().map(|description| description.as_str());
        (calendar.id.as_str(), calendar.name.as_str(), description, calendar.is_active)
    });
    let shown: Vec<_> = shown.collect();
    let expected = [
        ("c9", "Visits", None, true),
        ("c2", "Demo calls", Some("<p>Half an hour</p>"), false),
        ("c3", "c3", None, true),
    ];
    assert_eq!((shown.as_slice(), calendars.age), (expected.as_slice(), None));
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].target, format!("/calendars/?locationId={LOCATION}&showDrafted=false"));
    assert_eq!(requests[0].header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
    assert_eq!(requests[0].header("version"), Some("2021-04-15"));
}

#[tokio::test]
async fn a_location_cannot_say_more_than_where() {
    let server = ProviderServer::start().await;
    server.gohighlevel(TOKEN, LOCATION, Vec::new());
    let evil = HighLevel::new(TOKEN, &format!("{LOCATION}&showDrafted=true#/../x y")).unwrap();
    let refused = catalogue(&server).calendars(&evil, somewhere(), Utc::now()).await;
    assert_eq!(upstream(refused).0, "provider_refused");
    let target = &server.requests()[0].target;
    assert_eq!(
        target,
        &format!("/calendars/?locationId={LOCATION}%26showDrafted%3Dtrue%23%2F..%2Fx+y&showDrafted=false")
    );
}

#[tokio::test]
async fn a_wrong_token_and_a_wrong_location_are_refused() {
    let server = ProviderServer::start().await;
    server.gohighlevel(TOKEN, LOCATION, Vec::new());
    for (token, location) in [("pit-wrong", LOCATION), (TOKEN, "elsewhere"), (TOKEN, "")] {
        let account = HighLevel::new(token, location).unwrap();
        let (code, message, retry_after) =
            upstream(catalogue(&server).calendars(&account, somewhere(), Utc::now()).await);
        assert_eq!((code, retry_after), ("provider_refused", None));
        assert!(message.starts_with("HighLevel rejected the access token for this location"), "{message}");
    }
}
