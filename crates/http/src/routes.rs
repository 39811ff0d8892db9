//! The only list of routes, and so of the OpenAPI document and of what a path allows.

use utoipa::OpenApi as _;
use utoipa_actix_web::{AppExt, service_config::ServiceConfig};

use crate::{
    about,
    api::{
        admin, agents, api_keys, assignments, audit_events, brands, calendars, effective, integrations, invitations,
        limits, me, members, tenant, usage, voices, workspaces,
    },
    callfluent::workspace as callfluent,
    fallback, openapi,
};

/// One line each; path and documentation stand at the handler.
pub(crate) fn all(routes: &mut ServiceConfig<'_>) {
    routes
        .service(workspaces::list)
        .service(workspaces::create)
        .service(workspaces::show)
        .service(workspaces::update)
        .service(workspaces::delete)
        .service(workspaces::restore)
        .service(effective::show)
        .service(voices::list)
        .service(calendars::list)
        .service(callfluent::create)
        .service(callfluent::get_all)
        .service(callfluent::get)
        .service(callfluent::voice_list)
        .service(callfluent::update)
        .service(callfluent::invite_user)
        .service(callfluent::invite_delete)
        .service(callfluent::delete)
        .service(callfluent::calendar_list)
        .service(limits::show)
        .service(limits::update)
        .service(agents::list)
        .service(agents::create)
        .service(agents::show)
        .service(agents::update)
        .service(agents::delete)
        .service(usage::record)
        .service(usage::show)
        .service(usage::check)
        .service(brands::list)
        .service(brands::create)
        .service(brands::show)
        .service(brands::update)
        .service(brands::delete)
        .service(tenant::show)
        .service(tenant::update)
        .service(members::transfer_ownership)
        .service(members::list)
        .service(members::show)
        .service(members::update)
        .service(members::remove)
        .service(assignments::list_assigned)
        .service(assignments::assign)
        .service(assignments::unassign)
        .service(invitations::list)
        .service(invitations::create)
        .service(invitations::create_each)
        .service(invitations::accept)
        .map(|routes| nothing_more_at(routes, "/api/invitations/batch"))
        .map(|routes| nothing_more_at(routes, "/api/invitations/accept"))
        .service(invitations::show)
        .service(invitations::resend)
        .service(invitations::revoke)
        .service(api_keys::list)
        .service(api_keys::create)
        .service(api_keys::show)
        .service(api_keys::revoke)
        .service(api_keys::rotate)
        .service(integrations::list)
        .service(integrations::show)
        .service(integrations::set)
        .service(integrations::remove)
        .service(integrations::verify)
        .service(audit_events::list)
        .service(me::show)
        .service(admin::list)
        .service(admin::create)
        .service(admin::show)
        .service(admin::update)
        .service(admin::delete)
        .service(admin::suspend)
        .service(admin::reactivate)
        .service(admin::restore)
        .service(about::healthz)
        .service(about::readyz)
        .service(about::metrics)
        .service(about::openapi_json)
        .service(about::openapi_yaml)
        .service(about::docs_page)
        .service(about::docs_asset);
}

/// A path that stands where others have an id: what it does not know is not asked of the thing with that id.
fn nothing_more_at<'r>(
    routes: &'r mut actix_web::web::ServiceConfig,
    path: &str,
) -> &'r mut actix_web::web::ServiceConfig {
    routes.service(actix_web::web::resource(path).to(fallback::answer))
}

/// The OpenAPI 3.1 document of all routes.
pub fn document() -> utoipa::openapi::OpenApi {
    let (_, mut document) =
        actix_web::App::new().into_utoipa_app().openapi(openapi::Base::openapi()).configure(all).split_for_parts();
    openapi::complete(&mut document);
    document
}
