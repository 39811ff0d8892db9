//! Members: who sees what, who may change whom, and that a tenant always keeps an owner.

mod access;
mod identities;
mod lists;
mod makers;
mod owners;
mod people;
mod places;

use insta::assert_snapshot;
use tenantry_domain::Role;
use tenantry_tests::{App, People, view};

#[tokio::test]
async fn a_member_is_shown_with_the_workspaces_it_is_assigned_to() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (workspace, tenant) = (acme.workspace("DACH").await, acme.id.to_string());
    let (member, subject) = acme.member_called(Role::Agent, &[&workspace]).await;
    let email = People::email(&subject);
    let shown = acme.owner.get(&format!("/api/members/{member}")).await.expect(200);
    let named = [("member", member.as_str()), ("email", &email), ("subject", &subject), ("workspace", &workspace)];
    assert_snapshot!("member", view(&shown, &[named.as_slice(), &[("tenant", &tenant)]].concat()));
}
