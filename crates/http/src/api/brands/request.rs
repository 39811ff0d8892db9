//! What a caller asks of brands.

use tenantry_domain::{
    BrandDetails, BrandName, BrandPatch, ExternalId, HexColor, HttpsUrl, Instructions, Labels, NewBrand, SenderName,
    SignatureHtml, SignatureText, Slug, Sort, Tone,
};

use tenantry_operations::BrandFilter;

use crate::extract::{
    ChangedMetadata, Clearable, Filters, MatchedMetadata, NewMetadata, Nullable, Optional, OptionalAs, OrDefault,
    Required, query, request,
};

request! {
    /// A brand to create.
    #[example({
        "name": "Acme Consumer",
        "emailFromName": "Acme",
        "primaryColor": "#0055AA",
        "aiSenderName": "Alex",
        "tone": "friendly",
        "externalId": "crm-4712",
        "metadata": { "tier": "gold" },
    })]
    pub(crate) struct CreateBrand {
        /// Display name.
        name: Required<BrandName>,
        /// The sender name of the brand's email.
        email_from_name: Required<SenderName>,
        /// Unique in the tenant. Default: derived from the name.
        slug: Optional<Slug>,
        /// Whether this becomes the default brand, in place of the current one.
        is_default: OrDefault<bool>,
        /// Logo of the brand.
        logo_url: Nullable<HttpsUrl>,
        /// Primary colour.
        primary_color: Nullable<HexColor>,
        /// Secondary colour.
        secondary_color: Nullable<HexColor>,
        /// Email signature for workspaces without their own.
        email_signature_html: Nullable<SignatureHtml>,
        /// Plain-text email signature for workspaces without their own.
        email_signature_text: Nullable<SignatureText>,
        /// The name the AI writes under.
        ai_sender_name: Nullable<SenderName>,
        /// The title the AI writes under.
        ai_sender_title: Nullable<SenderName>,
        /// The AI's picture.
        ai_sender_avatar_url: Nullable<HttpsUrl>,
        /// The tone the AI writes in.
        tone: Nullable<Tone>,
        /// Instructions for the AI. They come before the workspace's instructions.
        brand_instructions: Nullable<Instructions>,
        /// The brand's ID in another system, unique in the tenant.
        external_id: Nullable<ExternalId>,
        /// Your own notes about the brand.
        metadata: NewMetadata,
    }
}

impl CreateBrand {
    pub(super) fn into_domain(self) -> NewBrand {
        let details = BrandDetails {
            name: self.name,
            email_from_name: self.email_from_name,
            logo_url: self.logo_url,
            primary_color: self.primary_color,
            secondary_color: self.secondary_color,
            email_signature_html: self.email_signature_html,
            email_signature_text: self.email_signature_text,
            ai_sender_name: self.ai_sender_name,
            ai_sender_title: self.ai_sender_title,
            ai_sender_avatar_url: self.ai_sender_avatar_url,
            tone: self.tone,
            brand_instructions: self.brand_instructions,
            labels: Labels { external_id: self.external_id, metadata: self.metadata },
        };
        NewBrand { details, slug: self.slug, is_default: self.is_default }
    }
}

request! {
    /// A change to a brand, as a JSON merge patch (RFC 7396): fields you leave out keep their value, and `null` clears
    /// a field.
    #[example({ "tone": "formal", "brandInstructions": "Never promise a delivery date.", "logoUrl": null })]
    pub(crate) struct UpdateBrand => BrandPatch {
        /// Display name. The slug stays.
        name: Optional<BrandName>,
        /// The sender name of the brand's email.
        email_from_name: Optional<SenderName>,
        /// Unique in the tenant. An API key that is restricted to a brand cannot change it.
        slug: Optional<Slug>,
        /// `true` makes this the default brand, in place of the current one. An API key that is restricted to a brand cannot
        /// do that. `false` is refused for the default brand.
        is_default: Optional<bool>,
        /// Logo of the brand.
        logo_url: Clearable<HttpsUrl>,
        /// Primary colour.
        primary_color: Clearable<HexColor>,
        /// Secondary colour.
        secondary_color: Clearable<HexColor>,
        /// Email signature for workspaces without their own.
        email_signature_html: Clearable<SignatureHtml>,
        /// Plain-text email signature for workspaces without their own.
        email_signature_text: Clearable<SignatureText>,
        /// The name the AI writes under.
        ai_sender_name: Clearable<SenderName>,
        /// The title the AI writes under.
        ai_sender_title: Clearable<SenderName>,
        /// The AI's picture.
        ai_sender_avatar_url: Clearable<HttpsUrl>,
        /// The tone the AI writes in.
        tone: Clearable<Tone>,
        /// Instructions for the AI. They come before the workspace's instructions.
        brand_instructions: Clearable<Instructions>,
        /// The brand's ID in another system, unique in the tenant.
        external_id: Clearable<ExternalId>,
        /// Your own notes about the brand. What you leave out stays.
        metadata: ChangedMetadata,
    }
}

request! {
    /// A brand to create or to change. Fields you leave out keep their value, or are as in a new brand.
    #[example({ "name": "Acme Consumer", "emailFromName": "Acme", "metadata": { "tier": "gold" } })]
    pub(crate) struct PutBrand {
        /// Display name.
        name: Required<BrandName>,
        /// The sender name of the brand's email.
        email_from_name: Required<SenderName>,
        /// Unique in the tenant. Default for a new brand: derived from the name.
        slug: Optional<Slug>,
        /// `true` makes this the default brand, in place of the current one. `false` is refused for the default brand.
        is_default: Optional<bool>,
        /// Logo of the brand.
        logo_url: Clearable<HttpsUrl>,
        /// Primary colour.
        primary_color: Clearable<HexColor>,
        /// Secondary colour.
        secondary_color: Clearable<HexColor>,
        /// Email signature for workspaces without their own.
        email_signature_html: Clearable<SignatureHtml>,
        /// Plain-text email signature for workspaces without their own.
        email_signature_text: Clearable<SignatureText>,
        /// The name the AI writes under.
        ai_sender_name: Clearable<SenderName>,
        /// The title the AI writes under.
        ai_sender_title: Clearable<SenderName>,
        /// The AI's picture.
        ai_sender_avatar_url: Clearable<HttpsUrl>,
        /// The tone the AI writes in.
        tone: Clearable<Tone>,
        /// Instructions for the AI. They come before the workspace's instructions.
        brand_instructions: Clearable<Instructions>,
        /// Your own notes about the brand. What you leave out stays.
        metadata: ChangedMetadata,
    }
}

impl PutBrand {
    pub(super) fn into_domain(self) -> ((BrandName, SenderName), BrandPatch) {
        let patch = BrandPatch {
            name: None,
            slug: self.slug,
            is_default: self.is_default,
            logo_url: self.logo_url,
            primary_color: self.primary_color,
            secondary_color: self.secondary_color,
            email_from_name: None,
            email_signature_html: self.email_signature_html,
            email_signature_text: self.email_signature_text,
            ai_sender_name: self.ai_sender_name,
            ai_sender_title: self.ai_sender_title,
            ai_sender_avatar_url: self.ai_sender_avatar_url,
            tone: self.tone,
            brand_instructions: self.brand_instructions,
            external_id: None,
            metadata: self.metadata,
        };
        ((self.name, self.email_from_name), patch)
    }
}

query! {
    /// Which brands.
    pub(crate) struct BrandFilters => BrandFilter {
        /// Only the brand with this external ID.
        external_id: Optional<ExternalId>,
        /// Only brands with this metadata: one parameter for each entry, such as `metadata.tier=gold`.
        metadata: MatchedMetadata,
        /// Only brands whose name contains this text, in upper or lower case, with or without accents.
        search as "q": OptionalAs<BrandName, String>,
    }
}

impl Filters for BrandFilters {
    type Sort = Sort;
}
