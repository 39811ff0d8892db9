//! What a caller asks of brands.

use serde::Deserialize;
use tenantry_domain::{
    BrandDetails, BrandName, BrandPatch, FieldRefusal, HexColor, HttpsUrl, Instructions, NewBrand, PageLimit,
    SenderName, SignatureHtml, SignatureText, Slug, Sort, Tone,
};
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

use super::view::ToneSchema;
use crate::extract::{ListQuery, Member, Unknown, check_clearable, check_each, check_optional, check_required};

/// A brand to create.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "name": "Acme Consumer",
    "emailFromName": "Acme",
    "primaryColor": "#0055AA",
    "aiSenderName": "Alex",
    "tone": "friendly",
}))]
pub(crate) struct CreateBrand {
    /// Display name: one line, 1 to 120 characters.
    #[serde(default)]
    #[validate(custom(function = check_required::<BrandName>))]
    #[schema(value_type = String, required, min_length = 1, max_length = 120, example = "Acme Consumer")]
    name: Member<String>,
    /// The name in the `From` of the brand's e-mail: one line, 1 to 120 characters.
    #[serde(default)]
    #[validate(custom(function = check_required::<SenderName>))]
    #[schema(value_type = String, required, min_length = 1, max_length = 120, example = "Acme")]
    email_from_name: Member<String>,
    /// Unique in the tenant; derived from the name where it is left out. Lower-case letters and digits in groups joined by hyphens, 1 to 60 characters.
    #[serde(default)]
    #[validate(custom(function = check_optional::<Slug>))]
    #[schema(value_type = String, required = false, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", max_length = 60, example = "acme-consumer")]
    slug: Member<String>,
    /// Whether it takes over from the default brand; false unless said.
    #[serde(default)]
    #[validate(custom(function = check_flag))]
    #[schema(value_type = bool, required = false)]
    is_default: Member<bool>,
    /// Logo of the brand, over https.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<HttpsUrl>))]
    #[schema(value_type = Option<String>, required = false, max_length = 2048, example = "https://cdn.example.com/acme/logo.png")]
    logo_url: Member<String>,
    /// First colour: `#` and six hexadecimal digits.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<HexColor>))]
    #[schema(value_type = Option<String>, required = false, pattern = "^#[0-9A-Fa-f]{6}$", example = "#0055AA")]
    primary_color: Member<String>,
    /// Second colour: `#` and six hexadecimal digits.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<HexColor>))]
    #[schema(value_type = Option<String>, required = false, pattern = "^#[0-9A-Fa-f]{6}$", example = "#FFB000")]
    secondary_color: Member<String>,
    /// HTML signature, in force where a workspace has none; 1 to 20,000 characters, sanitised.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<SignatureHtml>))]
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 20000, example = "<p>Kind regards,<br>Acme</p>")]
    email_signature_html: Member<String>,
    /// Plain-text signature, in force where a workspace has none; 1 to 5,000 characters.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<SignatureText>))]
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 5000, example = "Kind regards,\nAcme")]
    email_signature_text: Member<String>,
    /// Under which name the AI writes: one line, 1 to 120 characters.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<SenderName>))]
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 120, example = "Alex")]
    ai_sender_name: Member<String>,
    /// Under which title the AI writes: one line, 1 to 120 characters.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<SenderName>))]
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 120, example = "Customer care")]
    ai_sender_title: Member<String>,
    /// The AI's picture, over https.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<HttpsUrl>))]
    #[schema(value_type = Option<String>, required = false, max_length = 2048, example = "https://cdn.example.com/acme/alex.png")]
    ai_sender_avatar_url: Member<String>,
    /// The tone in which the AI writes.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<Tone>))]
    #[schema(value_type = Option<ToneSchema>, required = false, example = "professional")]
    tone: Member<String>,
    /// Instructions to the AI, before those of the workspace: 1 to 10,000 characters.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<Instructions>))]
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 10000, example = "Be brief, and never promise a delivery date.")]
    brand_instructions: Member<String>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[schema(ignore)]
    unknown: Unknown,
}

fn check_flag(member: &Member<bool>) -> Result<(), ValidationError> {
    check_each(member.plain())
}

impl CreateBrand {
    pub(super) fn into_domain(self) -> Result<NewBrand, FieldRefusal> {
        let details = BrandDetails {
            name: self.name.required().map_err(|refusal| refusal.of("name"))?,
            email_from_name: self.email_from_name.required().map_err(|refusal| refusal.of("emailFromName"))?,
            logo_url: self.logo_url.clearable_as("logoUrl")?.flatten(),
            primary_color: self.primary_color.clearable_as("primaryColor")?.flatten(),
            secondary_color: self.secondary_color.clearable_as("secondaryColor")?.flatten(),
            email_signature_html: self.email_signature_html.clearable_as("emailSignatureHtml")?.flatten(),
            email_signature_text: self.email_signature_text.clearable_as("emailSignatureText")?.flatten(),
            ai_sender_name: self.ai_sender_name.clearable_as("aiSenderName")?.flatten(),
            ai_sender_title: self.ai_sender_title.clearable_as("aiSenderTitle")?.flatten(),
            ai_sender_avatar_url: self.ai_sender_avatar_url.clearable_as("aiSenderAvatarUrl")?.flatten(),
            tone: self.tone.clearable_as("tone")?.flatten(),
            brand_instructions: self.brand_instructions.clearable_as("brandInstructions")?.flatten(),
        };
        let is_default = self.is_default.plain().map_err(|refusal| refusal.of("isDefault"))?.copied().unwrap_or(false);
        Ok(NewBrand { details, slug: self.slug.parse_as("slug")?, is_default })
    }
}

/// A change to a brand, as a JSON merge patch (RFC 7396): what is left out stays, `null` clears what may be absent.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "tone": "formal", "brandInstructions": "Never promise a delivery date.", "logoUrl": null }))]
pub(crate) struct UpdateBrand {
    /// Display name: one line, 1 to 120 characters. The slug stays.
    #[serde(default)]
    #[validate(custom(function = check_optional::<BrandName>))]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 120)]
    name: Member<String>,
    /// The name in the `From` of the brand's e-mail: one line, 1 to 120 characters.
    #[serde(default)]
    #[validate(custom(function = check_optional::<SenderName>))]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 120)]
    email_from_name: Member<String>,
    /// Unique in the tenant. Lower-case letters and digits in groups joined by hyphens, 1 to 60 characters.
    #[serde(default)]
    #[validate(custom(function = check_optional::<Slug>))]
    #[schema(value_type = String, required = false, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", max_length = 60, example = "acme-consumer")]
    slug: Member<String>,
    /// True makes it the default brand in place of the one that was; false is refused for the default brand.
    #[serde(default)]
    #[validate(custom(function = check_flag))]
    #[schema(value_type = bool, required = false)]
    is_default: Member<bool>,
    /// Logo of the brand, over https.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<HttpsUrl>))]
    #[schema(value_type = Option<String>, required = false, max_length = 2048)]
    logo_url: Member<String>,
    /// First colour: `#` and six hexadecimal digits.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<HexColor>))]
    #[schema(value_type = Option<String>, required = false, pattern = "^#[0-9A-Fa-f]{6}$")]
    primary_color: Member<String>,
    /// Second colour: `#` and six hexadecimal digits.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<HexColor>))]
    #[schema(value_type = Option<String>, required = false, pattern = "^#[0-9A-Fa-f]{6}$")]
    secondary_color: Member<String>,
    /// HTML signature, in force where a workspace has none; 1 to 20,000 characters, sanitised.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<SignatureHtml>))]
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 20000)]
    email_signature_html: Member<String>,
    /// Plain-text signature, in force where a workspace has none; 1 to 5,000 characters.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<SignatureText>))]
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 5000)]
    email_signature_text: Member<String>,
    /// Under which name the AI writes: one line, 1 to 120 characters.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<SenderName>))]
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 120)]
    ai_sender_name: Member<String>,
    /// Under which title the AI writes: one line, 1 to 120 characters.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<SenderName>))]
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 120)]
    ai_sender_title: Member<String>,
    /// The AI's picture, over https.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<HttpsUrl>))]
    #[schema(value_type = Option<String>, required = false, max_length = 2048)]
    ai_sender_avatar_url: Member<String>,
    /// The tone in which the AI writes.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<Tone>))]
    #[schema(value_type = Option<ToneSchema>, required = false, example = "friendly")]
    tone: Member<String>,
    /// Instructions to the AI, before those of the workspace: 1 to 10,000 characters.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<Instructions>))]
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 10000)]
    brand_instructions: Member<String>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[schema(ignore)]
    unknown: Unknown,
}

impl UpdateBrand {
    pub(super) fn into_domain(self) -> Result<BrandPatch, FieldRefusal> {
        Ok(BrandPatch {
            name: self.name.parse_as("name")?,
            email_from_name: self.email_from_name.parse_as("emailFromName")?,
            slug: self.slug.parse_as("slug")?,
            is_default: self.is_default.plain().map_err(|refusal| refusal.of("isDefault"))?.copied(),
            logo_url: self.logo_url.clearable_as("logoUrl")?,
            primary_color: self.primary_color.clearable_as("primaryColor")?,
            secondary_color: self.secondary_color.clearable_as("secondaryColor")?,
            email_signature_html: self.email_signature_html.clearable_as("emailSignatureHtml")?,
            email_signature_text: self.email_signature_text.clearable_as("emailSignatureText")?,
            ai_sender_name: self.ai_sender_name.clearable_as("aiSenderName")?,
            ai_sender_title: self.ai_sender_title.clearable_as("aiSenderTitle")?,
            ai_sender_avatar_url: self.ai_sender_avatar_url.clearable_as("aiSenderAvatarUrl")?,
            tone: self.tone.clearable_as("tone")?,
            brand_instructions: self.brand_instructions.clearable_as("brandInstructions")?,
        })
    }
}

/// Which brands, in which order, and how many at a time.
#[derive(Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct BrandQuery {
    /// Only those with this text in the name, in either case.
    #[serde(default)]
    #[validate(custom(function = check_optional::<BrandName>))]
    #[param(value_type = Option<String>, max_length = 120)]
    q: Member<String>,
    /// `createdAt`, `updatedAt` or `name`; with `-` in front, the largest first. `createdAt` unless said.
    #[serde(default)]
    #[validate(custom(function = check_optional::<Sort>))]
    #[param(value_type = Option<String>)]
    sort: Member<String>,
    /// How many at most: 1 to 100, 50 unless said.
    #[serde(default)]
    #[validate(custom(function = check_optional::<PageLimit>))]
    #[param(value_type = Option<u8>, minimum = 1, maximum = 100)]
    limit: Member<String>,
    /// The `nextCursor` of the page before, with the same filters and sort.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    cursor: Member<String>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[param(ignore)]
    unknown: Unknown,
}

impl ListQuery for BrandQuery {
    fn paging(&self) -> [&Member<String>; 3] {
        [&self.limit, &self.sort, &self.cursor]
    }

    fn signature(&self) -> String {
        format!("brands {:?}", self.q)
    }
}

impl BrandQuery {
    pub(super) fn search(&self) -> Result<Option<String>, FieldRefusal> {
        let search: Option<BrandName> = self.q.parse_as("q")?;
        Ok(search.map(|text| text.as_str().to_owned()))
    }
}
