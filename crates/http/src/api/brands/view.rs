//! What a caller is shown of a brand.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_domain::{Brand, Tone};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    api::{external_id, metadata, millis, signature::RemovedView},
    extract::List,
    schema::Word,
};

type ToneWord = Word<Tone>;

/// A brand is a customer-facing identity of a tenant: it determines the tone, sender identity and email signatures of
/// the workspaces under it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Brand)]
pub struct BrandView {
    /// Unique identifier for the brand.
    #[schema(example = "b1a2c3d4-5678-4abc-9ef0-1234567890ab")]
    id: Uuid,
    /// The tenant this brand belongs to.
    #[schema(example = "a0b1c2d3-4567-49ab-8def-0123456789ab")]
    tenant_id: Uuid,
    /// Display name.
    #[schema(example = "Acme Industrial Supply")]
    name: String,
    /// A name for use in URLs, unique in the tenant.
    #[schema(example = "acme-industrial-supply", pattern = "^[a-z0-9]+(-[a-z0-9]+)*$")]
    slug: String,
    /// The sender name of the brand's email.
    #[schema(example = "Acme Industrial Supply")]
    email_from_name: String,
    /// Logo of the brand, over https.
    #[schema(required, example = "https://cdn.example.com/acme/logo.png", format = "uri")]
    logo_url: Option<String>,
    /// Primary colour: `#` and six hexadecimal digits.
    #[schema(required, example = "#0055AA", pattern = "^#[0-9A-Fa-f]{6}$")]
    primary_color: Option<String>,
    /// Secondary colour: `#` and six hexadecimal digits.
    #[schema(required, example = "#FFB000", pattern = "^#[0-9A-Fa-f]{6}$")]
    secondary_color: Option<String>,
    /// Email signature for workspaces without their own. Sanitised HTML.
    #[schema(required, example = "<p>Kind regards,<br>Acme</p>")]
    email_signature_html: Option<String>,
    /// Plain-text email signature for workspaces without their own.
    #[schema(required, example = "Kind regards,\nAcme")]
    email_signature_text: Option<String>,
    /// The name the AI writes under.
    #[schema(required, example = "Alex")]
    ai_sender_name: Option<String>,
    /// The title the AI writes under.
    #[schema(required, example = "Customer care")]
    ai_sender_title: Option<String>,
    /// The AI's picture, over https.
    #[schema(required, example = "https://cdn.example.com/acme/alex.png", format = "uri")]
    ai_sender_avatar_url: Option<String>,
    /// The tone the AI writes in.
    #[schema(required, example = "professional")]
    tone: Option<ToneWord>,
    /// Instructions for the AI. They come before the workspace's instructions.
    #[schema(required, example = "Be brief, and never promise a delivery date.")]
    brand_instructions: Option<String>,
    /// Whether this is the default brand, which new workspaces get when no brand is named. Each tenant has exactly one.
    #[schema(example = true)]
    is_default: bool,
    /// The brand's ID in another system, unique in the tenant.
    #[schema(required, example = "crm-4711")]
    external_id: Option<String>,
    /// Your own notes about the brand, by name.
    #[schema(example = json!({ "tier": "gold" }))]
    metadata: BTreeMap<String, String>,
    /// When it was created.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-01-20T10:00:00.000Z")]
    created_at: DateTime<Utc>,
    /// When it was last updated.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-03-01T16:45:00.000Z")]
    updated_at: DateTime<Utc>,
    /// What was removed from the HTML signature before it was stored. Only in the response to a request that sent one, and only
    /// if anything was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_items = 50)]
    removed: Option<Vec<RemovedView>>,
}

impl From<Brand> for BrandView {
    fn from(brand: Brand) -> Self {
        let details = brand.details;
        Self {
            id: brand.id.uuid(),
            tenant_id: brand.tenant_id.uuid(),
            name: details.name.as_str().to_owned(),
            slug: brand.slug.as_str().to_owned(),
            email_from_name: details.email_from_name.as_str().to_owned(),
            logo_url: details.logo_url.map(|value| value.as_str().to_owned()),
            primary_color: details.primary_color.map(|value| value.as_str().to_owned()),
            secondary_color: details.secondary_color.map(|value| value.as_str().to_owned()),
            email_signature_html: details.email_signature_html.map(|value| value.as_str().to_owned()),
            email_signature_text: details.email_signature_text.map(|value| value.as_str().to_owned()),
            ai_sender_name: details.ai_sender_name.map(|value| value.as_str().to_owned()),
            ai_sender_title: details.ai_sender_title.map(|value| value.as_str().to_owned()),
            ai_sender_avatar_url: details.ai_sender_avatar_url.map(|value| value.as_str().to_owned()),
            tone: details.tone.map(Word),
            brand_instructions: details.brand_instructions.map(|value| value.as_str().to_owned()),
            is_default: brand.is_default,
            external_id: external_id(&details.labels),
            metadata: metadata(&details.labels),
            created_at: brand.created_at,
            updated_at: brand.updated_at,
            removed: None,
        }
    }
}

impl BrandView {
    /// With what was removed from the signature that was sent.
    pub(super) fn with_removed(self, removed: Option<Vec<RemovedView>>) -> Self {
        Self { removed, ..self }
    }
}

/// A page of them.
pub(crate) type BrandList = List<BrandView>;
