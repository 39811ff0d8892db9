//! Below HTTP: without a tenant there is no way in.

use tenantry_domain::{Credential, Error, Holder, Origin, PageRequest};
use tenantry_operations::{WorkspaceFilter, tenants, workspaces};
use tenantry_persistence::new_id;
use tenantry_tests::App;

fn credential_without_tenant() -> Vec<Credential> {
    let operator = Holder::Operator { name: "somebody".parse().unwrap(), tenant: None };
    let job = Holder::Job { name: "something", tenant: None };
    [operator, job].map(|holder| Credential { holder, origin: Origin::default() }).to_vec()
}

#[tokio::test]
async fn who_names_no_tenant_gets_into_none() {
    let app = App::start().await;
    app.tenant("Acme").await.workspace("DACH").await;
    let page = PageRequest { limit: Default::default(), sort: Default::default(), after: None };
    for credential in credential_without_tenant() {
        let refused = |error: Error| assert!(matches!(error, Error::Unauthenticated(_)), "{error:?}");
        refused(tenants::show(&app.store, &credential).await.unwrap_err());
        refused(workspaces::show(&app.store, &credential, new_id()).await.unwrap_err());
        let all = workspaces::list(&app.store, &credential, WorkspaceFilter::default(), page.clone()).await;
        refused(all.unwrap_err());
    }
}

#[tokio::test]
async fn who_names_a_tenant_that_is_not_there_finds_nothing() {
    let app = App::start().await;
    app.tenant("Acme").await.workspace("DACH").await;
    let holder = Holder::Operator { name: "somebody".parse().unwrap(), tenant: Some(new_id()) };
    let credential = Credential { holder, origin: Origin::default() };
    let error = tenants::show(&app.store, &credential).await.unwrap_err();
    assert!(matches!(error, Error::NotFound(tenantry_domain::Noun::Tenant)), "{error:?}");
    let key = tenantry_auth::issue(new_id(), tenantry_domain::KeyMode::Live).unwrap();
    app.client().with_key(key.reveal()).get("/api/me").await.expect(401);
}
