//! `/api/me`.

use actix_web::{HttpResponse, get, web::Data};
use serde::Serialize;
use tenantry_operations::me;
use utoipa::ToSchema;

use super::{api_keys::ApiKeyView, tenant::TenantView};
use crate::{
    Service,
    error::Failure,
    extract::{Caller, IfNoneMatch},
};

/// The caller in the eyes of the tenant.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Me)]
pub(crate) struct MeView {
    /// The tenant that the credential belongs to.
    tenant: TenantView,
    /// The API key that was presented.
    api_key: ApiKeyView,
    /// How many workspaces it sees.
    #[schema(example = 1)]
    visible_workspaces: i64,
}

/// Get the caller
///
/// The tenant, the API key with its scopes and restriction, and how many workspaces it sees. Every key may ask this.
#[utoipa::path(tag = "Me", responses((status = 200, description = "The caller.", body = MeView)))]
#[get("/api/me")]
pub(crate) async fn show(caller: Caller, known: IfNoneMatch, service: Data<Service>) -> Result<HttpResponse, Failure> {
    let me = me::show(&service.store, &caller.credential).await?;
    known.answer_hashed(&MeView {
        tenant: me.tenant.into(),
        api_key: me.key.into(),
        visible_workspaces: me.visible_workspaces,
    })
}
