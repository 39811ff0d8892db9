//! What a caller is shown of a workspace.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_domain::{Workspace, WorkspaceType};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    api::{external_id, metadata, millis, millis_option, signature::RemovedView},
    extract::List,
    schema::Word,
};

type WorkspaceTypeWord = Word<WorkspaceType>;

/// A workspace is an operational unit within a brand, typically representing a region, business unit, or product line.
/// Conversations, knowledge base entries, policies, and channels are all scoped to a workspace.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Workspace)]
pub struct WorkspaceView {
    /// Unique identifier for the workspace.
    #[schema(example = "c1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    id: Uuid,
    /// The tenant this workspace belongs to.
    #[schema(example = "a0b1c2d3-4567-49ab-8def-0123456789ab")]
    tenant_id: Uuid,
    /// The brand this workspace operates under. Determines tone, sender identity, and email templates.
    #[schema(example = "b1a2c3d4-5678-4abc-9ef0-1234567890ab")]
    brand_id: Uuid,
    /// Display name of the workspace.
    #[schema(example = "DACH Region")]
    name: String,
    /// ISO 3166-1 alpha-2 country code for this workspace's primary operating region. Affects currency defaults and
    /// compliance.
    #[schema(example = "DE", pattern = "^[A-Z]{2}$")]
    country: String,
    /// The primary language the AI uses when communicating in this workspace. ISO 639-1 code.
    #[schema(example = "de", pattern = "^[a-z]{2}$")]
    operating_language: String,
    /// ISO 4217 currency code used for financial references in this workspace.
    #[schema(example = "EUR", pattern = "^[A-Z]{3}$")]
    currency: String,
    /// Whether this workspace handles business-to-business or business-to-consumer conversations. Affects contact
    /// resolution, account enrichment, and AI behavior.
    #[schema(example = "b2b")]
    workspace_type: WorkspaceTypeWord,
    /// Free-text instructions specific to this workspace. These are combined with brand instructions to guide the AI. Use
    /// for workspace-specific rules like regional regulations or product-specific guidance.
    #[schema(
        required,
        example = "All prices must include VAT. Refer customers to the German returns policy for DACH orders."
    )]
    workspace_instructions: Option<String>,
    /// Workspace-level HTML email signature. Overrides the brand-level signature when set.
    #[schema(required, example = "<p>Freundliche Gruesse,<br>Ihr Acme DACH Team</p>")]
    email_signature_html: Option<String>,
    /// Workspace-level plain-text email signature. Overrides the brand-level signature when set.
    #[schema(required, example = "Freundliche Gruesse,\nIhr Acme DACH Team")]
    email_signature_text: Option<String>,
    /// The workspace's ID in another system, unique in the tenant.
    #[schema(required, example = "crm-4711")]
    external_id: Option<String>,
    /// Your own notes about the workspace, by name.
    #[schema(example = json!({ "tier": "gold" }))]
    metadata: BTreeMap<String, String>,
    /// Timestamp when the workspace was created.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-01-20T10:00:00.000Z")]
    created_at: DateTime<Utc>,
    /// Timestamp when the workspace was last updated.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-03-01T16:45:00.000Z")]
    updated_at: DateTime<Utc>,
    /// When the workspace was deleted. Only on deleted workspaces.
    #[serde(serialize_with = "millis_option", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "2026-03-02T09:30:00.000Z")]
    deleted_at: Option<DateTime<Utc>>,
    /// When the workspace will be erased for good. It can be restored until then. Only on deleted workspaces.
    #[serde(serialize_with = "millis_option", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "2026-04-01T09:30:00.000Z")]
    erased_at: Option<DateTime<Utc>>,
    /// What was removed from the HTML signature before it was stored. Only in the response to a request that sent one, and only
    /// if anything was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_items = 50)]
    removed: Option<Vec<RemovedView>>,
}

impl From<Workspace> for WorkspaceView {
    fn from(workspace: Workspace) -> Self {
        let erased_at = workspace.erased_at();
        let details = workspace.details;
        Self {
            id: workspace.id.uuid(),
            tenant_id: workspace.tenant_id.uuid(),
            brand_id: details.brand_id.uuid(),
            name: details.name.into(),
            country: details.locale.country.as_str().to_owned(),
            operating_language: details.locale.language.as_str().to_owned(),
            currency: details.locale.currency.as_str().to_owned(),
            workspace_type: Word(details.locale.workspace_type),
            workspace_instructions: details.workspace_instructions.map(|text| text.as_str().to_owned()),
            email_signature_html: details.email_signature_html.map(|html| html.as_str().to_owned()),
            email_signature_text: details.email_signature_text.map(|text| text.as_str().to_owned()),
            external_id: external_id(&details.labels),
            metadata: metadata(&details.labels),
            created_at: workspace.created_at,
            updated_at: workspace.updated_at,
            deleted_at: workspace.deleted_at,
            erased_at,
            removed: None,
        }
    }
}

impl WorkspaceView {
    /// With what was removed from the signature that was sent.
    pub(super) fn with_removed(self, removed: Option<Vec<RemovedView>>) -> Self {
        Self { removed, ..self }
    }
}

/// A page of them.
pub(crate) type WorkspaceList = List<WorkspaceView>;
