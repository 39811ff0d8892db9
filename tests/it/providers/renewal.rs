//! Access tokens of HighLevel that end: they are renewed once, whoever asks, and what was given for a refresh token is not lost.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tenantry_domain::{Error, Provider, WorkspaceId};
use tenantry_operations::{
    Store, calendars, integrations,
    providers::{Calendars, Catalogue, Providers, Timeouts},
};
use tenantry_tests::{
    App, Tenant, highlevel_app,
    provider_accounts::{Misbehaviour, ProviderServer, gohighlevel_calendar},
};

use super::{LOCATION, upstream};

const TOKEN: &str = "canary-access-of-a-day";
const REFRESH: &str = "canary-refresh";

struct Place {
    app: App,
    tenant: Tenant,
    workspace: WorkspaceId,
    server: ProviderServer,
    catalogue: Catalogue,
}

impl Place {
    /// A workspace that is connected with a token of OAuth.
    async fn new() -> Self {
        let (app, server) = (App::start().await, ProviderServer::start().await);
        server.gohighlevel(TOKEN, LOCATION, vec![gohighlevel_calendar("c", "Calls")]);
        server.renewal(REFRESH, TOKEN);
        let tenant = app.tenant("Acme").await;
        let workspace = tenant.workspace("DACH").await.parse().unwrap();
        let catalogue = Catalogue::new(providers(&server)).unwrap();
        let place = Self { app, tenant, workspace, server, catalogue };
        let fields = json!({ "locationId": LOCATION, "accessToken": TOKEN, "refreshToken": REFRESH });
        place.tenant.owner.put(&place.path(), fields).await.expect(200);
        place
    }

    fn path(&self) -> String {
        format!("/api/workspaces/{}/integrations/gohighlevel", self.workspace)
    }

    async fn calendars_at(&self, store: &Store, now: DateTime<Utc>) -> Result<Calendars, Error> {
        let (keys, operator) = (&self.app.integrations.keys, self.tenant.operator());
        calendars::list(store, keys, &self.catalogue, &operator, self.workspace, now).await
    }

    async fn calendars(&self, now: DateTime<Utc>) -> Result<usize, Error> {
        self.calendars_at(&self.app.store, now).await.map(|calendars| calendars.list.len())
    }

    async fn verify(&self, now: DateTime<Utc>) -> Result<(), Error> {
        let (keys, operator) = (&self.app.integrations.keys, self.tenant.operator());
        let (providers, provider) = (providers(&self.server), Some(Provider::GoHighLevel));
        integrations::verify(&self.app.store, keys, &providers, &operator, self.workspace, provider, now)
            .await
            .map(drop)
    }

    /// Methods and paths of what the provider was asked.
    fn asked(&self) -> Vec<String> {
        let path = |target: &str| target.split('?').next().unwrap_or_default().to_owned();
        self.server.requests().iter().map(|asked| format!("{} {}", asked.method, path(&asked.target))).collect()
    }

    fn renewals(&self) -> usize {
        self.asked().iter().filter(|asked| asked.starts_with("POST")).count()
    }

    async fn shown(&self) -> Value {
        self.tenant.owner.get(&self.path()).await.expect(200).body
    }
}

fn providers(server: &ProviderServer) -> Providers {
    Providers::new(server.urls(), Timeouts::default()).unwrap().renewing(Some(highlevel_app()))
}

fn in_hours(hours: i64) -> DateTime<Utc> {
    Utc::now() + TimeDelta::hours(hours)
}

fn field<'a>(shown: &'a Value, name: &str) -> &'a Value {
    shown["fields"].as_array().unwrap().iter().find(|field| field["name"] == name).unwrap()
}

const ASK: &str = "GET /calendars/";
const RENEW: &str = "POST /oauth/token";

#[tokio::test]
async fn a_token_that_has_ended_is_renewed_and_the_answer_comes_all_the_same() {
    let place = Place::new().await;
    let before = place.shown().await;
    assert_eq!(field(&before, "refreshToken")["set"], true);
    place.server.end(TOKEN);
    // Its end is not known yet: the provider says it. From then on it is.
    assert_eq!(place.calendars(in_hours(25)).await.unwrap(), 1);
    assert_eq!(place.asked(), [ASK, RENEW, ASK]);
    assert_eq!(place.calendars(in_hours(47)).await.unwrap(), 1);
    assert_eq!(place.asked().len(), 4, "it is good for a day");
    assert_eq!(place.calendars(in_hours(50)).await.unwrap(), 1);
    assert_eq!(place.asked()[4..], [RENEW, ASK], "it is not tried when it has ended");
    let after = place.shown().await;
    assert_eq!(field(&after, "accessToken")["lastFour"], "this");
    assert_eq!(field(&after, "refreshToken")["set"], true);
    assert_eq!(after["status"], "connected");
    assert_ne!(after["updatedAt"], before["updatedAt"]);
    let log = place.tenant.owner.get("/api/audit-events?action=integration.renew").await.expect(200);
    let events = log.body["data"].as_array().unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["actor"]["type"], "job");
    assert_eq!(events[0]["changes"]["gohighlevel.accessToken"], json!({ "before": "set", "after": "changed" }));
    assert!(!format!("{log:?} {after}").contains("canary"));
}

#[tokio::test]
async fn many_who_ask_at_once_on_two_replicas_use_the_refresh_token_once() {
    let place = Place::new().await;
    place.server.end(TOKEN);
    let stores: Vec<_> = (0..2).map(|_| App::store(&place.app.database.service_url(), |_| {})).collect();
    let now = in_hours(25);
    let asked = stores.iter().cycle().take(20).map(|store| place.calendars_at(store, now));
    for answer in join_all(asked).await {
        assert_eq!(answer.unwrap().list.len(), 1);
    }
    assert_eq!(place.renewals(), 1);
}

#[tokio::test]
async fn a_refresh_token_that_is_refused_is_not_tried_again_and_the_integration_says_so() {
    let place = Place::new().await;
    place.server.end(TOKEN);
    let fields = json!({ "locationId": LOCATION, "accessToken": TOKEN, "refreshToken": "canary-used-before" });
    place.tenant.owner.put(&place.path(), fields).await.expect(200);
    let words = "HighLevel no longer renews the access token. Connect to HighLevel again and set the new tokens.";
    for _ in 0..3 {
        let (code, message, _) = upstream(place.calendars(in_hours(25)).await);
        assert_eq!((code, message.as_str()), ("provider_refused", words));
    }
    assert_eq!(place.renewals(), 1);
    let shown = place.shown().await;
    assert_eq!((&shown["verificationStatus"], &shown["lastError"]), (&json!("failed"), &json!(words)));
}

#[tokio::test]
async fn a_verdict_that_the_renewal_has_stored_is_not_stored_again() {
    let place = Place::new().await;
    place.server.end(TOKEN);
    let fields = json!({ "locationId": LOCATION, "accessToken": TOKEN, "refreshToken": "canary-used-before" });
    place.tenant.owner.put(&place.path(), fields).await.expect(200);
    // Who asks next is told by what is stored, and asks anew: that is an event of its own.
    for (renewals, verifications) in [(1, 0), (1, 1)] {
        place.verify(in_hours(25)).await.unwrap();
        assert_eq!(place.shown().await["verificationStatus"], "failed");
        for (action, times) in [("renew", renewals), ("verify", verifications)] {
            let log =
                place.tenant.owner.get(&format!("/api/audit-events?action=integration.{action}")).await.expect(200);
            assert_eq!(log.body["data"].as_array().map(Vec::len), Some(times), "{action}");
        }
    }
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_asked_again_with_the_same_refresh_token() {
    let place = Place::new().await;
    place.server.end(TOKEN);
    place.server.misbehave_to("application/x-www-form-urlencoded", Misbehaviour::Status(503));
    let (code, ..) = upstream(place.calendars(in_hours(25)).await);
    assert_eq!(code, "provider_unavailable");
    assert_eq!(place.shown().await["verificationStatus"], "unverified");
    place.server.behave();
    assert_eq!(place.calendars(in_hours(25)).await.unwrap(), 1);
}

#[tokio::test]
async fn what_was_given_for_a_refresh_token_is_stored_when_the_caller_has_gone() {
    let place = Place::new().await;
    place.server.end(TOKEN);
    place
        .server
        .misbehave_to("application/x-www-form-urlencoded", Misbehaviour::Slow(std::time::Duration::from_millis(300)));
    {
        let mut asking = std::pin::pin!(place.calendars(in_hours(25)));
        while place.renewals() == 0 {
            tokio::select! { _ = &mut asking => panic!("it waits for the provider"), () = tokio::task::yield_now() => {} }
        }
    }
    let mut looks = 0;
    while field(&place.shown().await, "accessToken")["lastFour"] != "this" {
        looks += 1;
        assert!(looks < 2_000, "what was given is lost");
    }
    assert_eq!(place.calendars(in_hours(25)).await.unwrap(), 1);
    assert_eq!(place.renewals(), 1);
}

#[tokio::test]
async fn what_was_given_for_a_refresh_token_is_stored_when_the_database_is_not_busy_any_more() {
    let place = Place::new().await;
    place.server.end(TOKEN);
    let changes = "BEFORE UPDATE ON integrations FOR EACH ROW WHEN (NEW.sealed_secret <> OLD.sealed_secret)";
    place.app.database.refuse(3, changes);
    assert_eq!(place.calendars(in_hours(25)).await.unwrap(), 1);
    assert_eq!((place.app.database.tries(), place.renewals()), (4, 1));
    assert_eq!(field(&place.shown().await, "accessToken")["lastFour"], "this");
}

#[tokio::test]
async fn a_renewal_that_failed_while_the_database_is_busy_keeps_nobody_from_the_next_one() {
    let place = Place::new().await;
    place.server.end(TOKEN);
    place.server.misbehave_to("application/x-www-form-urlencoded", Misbehaviour::Status(503));
    let ends = "BEFORE UPDATE ON integrations FOR EACH ROW
                WHEN (OLD.renewing_until IS NOT NULL AND NEW.renewing_until IS NULL)";
    place.app.database.refuse(3, ends);
    place.calendars(in_hours(25)).await.unwrap_err();
    assert_eq!(place.app.database.tries(), 4, "the fourth time it is taken");
    place.server.behave();
    assert_eq!(place.calendars(in_hours(25)).await.unwrap(), 1);
}

#[tokio::test]
async fn to_verify_an_integration_renews_its_token_first() {
    let place = Place::new().await;
    place.server.end(TOKEN);
    // A token that was just set has not ended: it is wrong.
    place.verify(Utc::now()).await.unwrap();
    assert_eq!((place.shown().await["verificationStatus"].clone(), place.renewals()), (json!("failed"), 0));
    let fields = json!({ "locationId": LOCATION, "accessToken": TOKEN, "refreshToken": REFRESH });
    place.tenant.owner.put(&place.path(), fields).await.expect(200);
    place.verify(in_hours(25)).await.unwrap();
    assert_eq!((place.shown().await["verificationStatus"].clone(), place.renewals()), (json!("ok"), 1));
}
