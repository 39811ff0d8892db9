//! `/api/workspaces/{workspaceId}/effective`.

use actix_web::{HttpResponse, get, web::Data};
use serde::Serialize;
use tenantry_domain::{Action, Brand, Effective, SettingSource, Sourced, Workspace};
use tenantry_operations::workspaces;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::limits::EffectiveLimitsView;
use crate::{
    error::Failure,
    extract::{Caller, IfNoneMatch, PathId},
    part::Part,
    schema::Word,
    service::Service,
};

/// The settings in force in a workspace, each with its source.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EffectiveSettings)]
pub(crate) struct EffectiveView {
    /// The workspace.
    #[schema(example = "c1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    workspace_id: Uuid,
    /// The tenant of the workspace.
    #[schema(example = "a0b1c2d3-4567-49ab-8def-0123456789ab")]
    tenant_id: Uuid,
    /// The brand of the workspace.
    #[schema(example = "b1a2c3d4-5678-4abc-9ef0-1234567890ab")]
    brand_id: Uuid,
    /// The workspace's signature, or else the brand's.
    email_signature_html: SourcedView,
    /// The workspace's signature, or else the brand's.
    email_signature_text: SourcedView,
    /// The brand's instructions, a blank line, and the workspace's instructions.
    instructions: SourcedView,
    /// The sender name of email.
    email_from_name: SourcedView,
    /// The name the AI writes under.
    ai_sender_name: SourcedView,
    /// The title the AI writes under.
    ai_sender_title: SourcedView,
    /// The AI's picture.
    ai_sender_avatar_url: SourcedView,
    /// The tone the AI writes in.
    tone: SourcedView,
    /// The limits: the smaller of the workspace's and the tenant's.
    limits: EffectiveLimitsView,
}

type SettingSourceWord = Word<SettingSource>;

/// A value in force with its source.
#[derive(Serialize, ToSchema)]
#[schema(as = SourcedValue)]
pub(crate) struct SourcedView {
    /// The value; `null` exactly when the source is `none`.
    #[schema(required, example = "Ihr Acme DACH Team")]
    value: Option<String>,
    /// Where it comes from: `workspace`, `brand`, `brand+workspace` (joined), or `none`.
    #[schema(example = "workspace")]
    source: SettingSourceWord,
}

impl From<Sourced<String>> for SourcedView {
    fn from(sourced: Sourced<String>) -> Self {
        Self { value: sourced.value, source: Word(sourced.source) }
    }
}

impl EffectiveView {
    fn of(workspace: &Workspace, brand: &Brand, effective: Effective) -> Self {
        Self {
            workspace_id: workspace.id.uuid(),
            tenant_id: workspace.tenant_id.uuid(),
            brand_id: brand.id.uuid(),
            email_signature_html: effective.email_signature_html.into(),
            email_signature_text: effective.email_signature_text.into(),
            instructions: effective.instructions.into(),
            email_from_name: effective.email_from_name.into(),
            ai_sender_name: effective.ai_sender_name.into(),
            ai_sender_title: effective.ai_sender_title.into(),
            ai_sender_avatar_url: effective.ai_sender_avatar_url.into(),
            tone: effective.tone.into(),
            limits: effective.limits.into(),
        }
    }
}

/// What the document says of it, and its routes.
pub(crate) const PART: Part = Part { tag: super::workspaces::PART.tag, about: None, routes };

fn routes(config: &mut ServiceConfig<'_>) {
    config.service(show);
}

/// Get effective settings
///
/// The settings in force in the workspace, each with its source. What the workspace does not set comes from its brand.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WorkspaceRead))),
    params(IfNoneMatch),
    operation_id = "effective",
    responses((status = 200, description = "The settings in force.", body = EffectiveView))
)]
#[get("/api/workspaces/{workspaceId}/effective")]
pub(crate) async fn show(
    caller: Caller,
    id: PathId<Workspace>,
    known: IfNoneMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (workspace, brand, effective) = workspaces::effective(&service.store, &caller.credential, id.id()).await?;
    known.answer_hashed(&EffectiveView::of(&workspace, &brand, effective))
}
