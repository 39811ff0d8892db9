//! What a caller asks of brands.

use tenantry_domain::{
    BrandDetails, BrandName, BrandPatch, HexColor, HttpsUrl, Instructions, NewBrand, SenderName, SignatureHtml,
    SignatureText, Slug, Sort, Tone,
};

use crate::extract::{Clearable, Filters, Nullable, Optional, OptionalAs, OrDefault, Required, query, request};

request! {
    /// A brand to create.
    #[example({
        "name": "Acme Consumer",
        "emailFromName": "Acme",
        "primaryColor": "#0055AA",
        "aiSenderName": "Alex",
        "tone": "friendly",
    })]
    pub(crate) struct CreateBrand {
        /// Display name.
        name: Required<BrandName>,
        /// The name in the `From` of the brand's email.
        email_from_name: Required<SenderName>,
        /// Unique in the tenant. Default: derived from the name.
        slug: Optional<Slug>,
        /// Whether this becomes the default brand, in place of the current one.
        is_default: OrDefault<bool>,
        /// Logo of the brand.
        logo_url: Nullable<HttpsUrl>,
        /// First colour.
        primary_color: Nullable<HexColor>,
        /// Second colour.
        secondary_color: Nullable<HexColor>,
        /// Email signature of workspaces that have none.
        email_signature_html: Nullable<SignatureHtml>,
        /// Email signature in plain text, of workspaces that have none.
        email_signature_text: Nullable<SignatureText>,
        /// The name under which the AI writes.
        ai_sender_name: Nullable<SenderName>,
        /// The title under which the AI writes.
        ai_sender_title: Nullable<SenderName>,
        /// The AI's picture.
        ai_sender_avatar_url: Nullable<HttpsUrl>,
        /// The tone in which the AI writes.
        tone: Nullable<Tone>,
        /// Instructions to the AI, before those of the workspace.
        brand_instructions: Nullable<Instructions>,
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
        };
        NewBrand { details, slug: self.slug, is_default: self.is_default }
    }
}

request! {
    /// A change to a brand, as a JSON merge patch (RFC 7396): fields that are left out stay, `null` clears.
    #[example({ "tone": "formal", "brandInstructions": "Never promise a delivery date.", "logoUrl": null })]
    pub(crate) struct UpdateBrand => BrandPatch {
        /// Display name. The slug stays.
        name: Optional<BrandName>,
        /// The name in the `From` of the brand's email.
        email_from_name: Optional<SenderName>,
        /// Unique in the tenant.
        slug: Optional<Slug>,
        /// `true` makes this the default brand, in place of the current one. `false` is refused for the default brand.
        is_default: Optional<bool>,
        /// Logo of the brand.
        logo_url: Clearable<HttpsUrl>,
        /// First colour.
        primary_color: Clearable<HexColor>,
        /// Second colour.
        secondary_color: Clearable<HexColor>,
        /// Email signature of workspaces that have none.
        email_signature_html: Clearable<SignatureHtml>,
        /// Email signature in plain text, of workspaces that have none.
        email_signature_text: Clearable<SignatureText>,
        /// The name under which the AI writes.
        ai_sender_name: Clearable<SenderName>,
        /// The title under which the AI writes.
        ai_sender_title: Clearable<SenderName>,
        /// The AI's picture.
        ai_sender_avatar_url: Clearable<HttpsUrl>,
        /// The tone in which the AI writes.
        tone: Clearable<Tone>,
        /// Instructions to the AI, before those of the workspace.
        brand_instructions: Clearable<Instructions>,
    }
}

query! {
    /// Which brands.
    pub(crate) struct BrandFilters {
        /// Only brands with this text in the name, in either case.
        search as "q": OptionalAs<BrandName, String>,
    }
}

impl Filters for BrandFilters {
    type Sort = Sort;
}
