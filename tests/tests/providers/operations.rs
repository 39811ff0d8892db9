//! Who may have voices and calendars listed, and what the provider hears of those who may not.

use chrono::Utc;
use serde_json::json;
use tenantry_domain::{Action, Credential, Error, InWorkspace, Origin, WorkspaceId};
use tenantry_operations::{calendars, voices};
use tenantry_persistence::new_id;
use tenantry_tests::{
    App, Client,
    provider_accounts::{ProviderServer, elevenlabs_voices, gohighlevel_calendar},
};

use crate::{KEY, LOCATION, TOKEN, catalogue, elevenlabs, highlevel};

/// The credential of whoever has this API key.
fn credential(client: &Client) -> Credential {
    Credential { holder: tenantry_auth::present(client.key()).unwrap(), origin: Origin::default() }
}

/// Goes through the door for what is asked for, and brings an account.
async fn open<T: Send + Clone + Sync + 'static>(
    app: &App,
    who: &Credential,
    workspace: WorkspaceId,
    action: Action,
    account: Option<T>,
) -> Result<Option<T>, Error> {
    app.store.read(who, InWorkspace(workspace), action, move |_| Ok(account.clone())).await
}

#[tokio::test]
async fn a_workspace_that_is_connected_has_more_voices_and_calendars_at_all() {
    let (app, server) = (App::start().await, ProviderServer::start().await);
    server.elevenlabs(KEY, elevenlabs_voices(7));
    server.gohighlevel(TOKEN, LOCATION, vec![gohighlevel_calendar("c", "Calls")]);
    let (catalogue, now) = (catalogue(&server), Utc::now());
    let tenant = app.tenant("Acme").await;
    let place: WorkspaceId = tenant.workspace("DACH").await.parse().unwrap();
    let reader = credential(&tenant.key(&["workspaces:read"], json!({ "workspaceId": place.to_string() })).await);
    let mut counts = Vec::new();
    for account in [None, Some(elevenlabs(KEY))] {
        let opened = async |action| open(&app, &reader, place, action, account).await;
        let listed = voices::list(&catalogue, &reader, place, opened, now).await.unwrap();
        counts.push((listed.list.len(), server.count()));
    }
    assert_eq!(counts, [(13, 0), (13 + 7, 1)]);
    let opened = async |action| open(&app, &reader, place, action, None).await;
    let refused = calendars::list(&catalogue, &reader, place, opened, now).await.unwrap_err();
    assert!(matches!(refused, Error::Conflict { code: "not_connected", .. }), "{refused:?}");
    let opened = async |action| open(&app, &reader, place, action, Some(highlevel())).await;
    let listed = calendars::list(&catalogue, &reader, place, opened, now).await.unwrap();
    assert_eq!((listed.list.len(), server.count()), (1, 2));
}

#[tokio::test]
async fn who_may_not_see_the_workspace_causes_no_request() {
    let (app, server) = (App::start().await, ProviderServer::start().await);
    server.elevenlabs(KEY, elevenlabs_voices(7));
    server.gohighlevel(TOKEN, LOCATION, Vec::new());
    let (catalogue, now) = (catalogue(&server), Utc::now());
    let (tenant, other) = (app.tenant("Acme").await, app.tenant("Other").await);
    let place: WorkspaceId = tenant.workspace("DACH").await.parse().unwrap();
    let elsewhere = tenant.workspace("Nordics").await;
    let restricted = tenant.key(&["workspaces:read"], json!({ "workspaceId": elsewhere })).await;
    let scopeless = tenant.key(&["brands:read"], json!({})).await;
    let is_forbidden = |error: &Error| matches!(error, Error::Forbidden { .. });
    let is_not_found = |error: &Error| matches!(error, Error::NotFound("workspace"));
    type Check<'c> = &'c dyn Fn(&Error) -> bool;
    let cases: [(Credential, WorkspaceId, Check<'_>); 4] = [
        (credential(&scopeless), place, &is_forbidden),
        (credential(&restricted), place, &is_not_found),
        (credential(&other.owner), place, &is_not_found),
        (tenant.operator(), new_id(), &is_not_found),
    ];
    for (who, place, expected) in cases {
        let opened = async |action| open(&app, &who, place, action, Some(elevenlabs(KEY))).await;
        let refused = voices::list(&catalogue, &who, place, opened, now).await;
        assert!(expected(&refused.unwrap_err()), "{who:?}");
        let opened = async |action| open(&app, &who, place, action, Some(highlevel())).await;
        let refused = calendars::list(&catalogue, &who, place, opened, now).await;
        assert!(expected(&refused.unwrap_err()), "{who:?}");
    }
    assert_eq!(server.connections(), 0);
}
