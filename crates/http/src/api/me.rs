//! `/api/me`.

use actix_web::{HttpResponse, get, web::Data};
use serde::Serialize;
use tenantry_domain::Action;
use tenantry_operations::me;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{api_keys::ApiKeyView, members::MemberView, tenant::TenantView};
use crate::{
    error::Failure,
    extract::{Caller, IfNoneMatch},
    part::{Group, Part},
    service::Service,
};

/// The caller, as the tenant sees it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Me)]
pub(crate) struct MeView {
    /// The tenant that the credential belongs to.
    tenant: TenantView,
    /// The API key that was used. `null` if the caller is a member.
    #[schema(required)]
    api_key: Option<ApiKeyView>,
    /// The member. `null` if the caller is an API key.
    #[schema(required)]
    member: Option<MemberView>,
    /// How many workspaces the caller can see.
    #[schema(example = 1)]
    visible_workspaces: i64,
}

/// What the document says of it, and its routes.
pub(crate) const PART: Part =
    Part { tag: "Me", about: Some((Group::People, "Who the caller is and what it may do.")), routes };

fn routes(config: &mut ServiceConfig<'_>) {
    config.service(show);
}

/// Get the caller
///
/// The caller's tenant, its API key with scopes and restriction or its member with their role, and how many workspaces
/// it can see.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::MeRead))),
    params(IfNoneMatch), responses((status = 200, description = "The caller.", body = MeView))
)]
#[get("/api/me")]
pub(crate) async fn show(caller: Caller, known: IfNoneMatch, service: Data<Service>) -> Result<HttpResponse, Failure> {
    let me = me::show(&service.store, &caller.credential).await?;
    let (api_key, member) = match me.caller {
        me::Caller::ApiKey(key) => (Some(key.into()), None),
        me::Caller::Member(member) => (None, Some(member.into())),
    };
    known.answer_hashed(&MeView {
        tenant: me.tenant.into(),
        api_key,
        member,
        visible_workspaces: me.visible_workspaces,
    })
}
