//! `/api/brands`.

use actix_web::{HttpResponse, delete, get, http::header, patch, post, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tenantry_domain::{
    Brand, BrandDetails, BrandName, BrandPatch, FieldRefusal, HexColor, HttpsUrl, Instructions, NewBrand, PageLimit,
    SenderName, SignatureHtml, SignatureText, Slug, Sort, Tone,
};
use tenantry_operations::brands;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::{Validate, ValidationError};

use super::millis;
use crate::{
    Service,
    error::Failure,
    etag,
    extract::{
        Caller, IfMatch, IfNoneMatch, ListQuery, Member, PathId, Query, Unknown, Valid, check_clearable, check_each,
        check_optional, check_required,
    },
};

/// A brand is a customer-facing identity of a tenant: it determines tone, sender identity and e-mail signatures of the
/// workspaces under it.
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
    /// A name fit for a URL, unique in the tenant.
    #[schema(example = "acme-industrial-supply")]
    slug: String,
    /// The name in the `From` of the brand's e-mail.
    #[schema(example = "Acme Industrial Supply")]
    email_from_name: String,
    /// Logo of the brand, over https.
    #[schema(required, max_length = 2048, example = "https://cdn.example.com/acme/logo.png")]
    logo_url: Option<String>,
    /// First colour: `#` and six hexadecimal digits.
    #[schema(required, pattern = "^#[0-9A-Fa-f]{6}$", example = "#0055AA")]
    primary_color: Option<String>,
    /// Second colour: `#` and six hexadecimal digits.
    #[schema(required, pattern = "^#[0-9A-Fa-f]{6}$", example = "#FFB000")]
    secondary_color: Option<String>,
    /// HTML signature, in force where a workspace has none; 1 to 20,000 characters, sanitised.
    #[schema(required, min_length = 1, max_length = 20000, example = "<p>Kind regards,<br>Acme</p>")]
    email_signature_html: Option<String>,
    /// Plain-text signature, in force where a workspace has none; 1 to 5,000 characters.
    #[schema(required, min_length = 1, max_length = 5000, example = "Kind regards,\nAcme")]
    email_signature_text: Option<String>,
    /// Under which name the AI writes: one line, 1 to 120 characters.
    #[schema(required, min_length = 1, max_length = 120, example = "Alex")]
    ai_sender_name: Option<String>,
    /// Under which title the AI writes: one line, 1 to 120 characters.
    #[schema(required, min_length = 1, max_length = 120, example = "Customer care")]
    ai_sender_title: Option<String>,
    /// The AI's picture, over https.
    #[schema(required, max_length = 2048, example = "https://cdn.example.com/acme/alex.png")]
    ai_sender_avatar_url: Option<String>,
    /// The tone in which the AI writes.
    #[schema(required, value_type = Option<ToneSchema>, example = "professional")]
    tone: Option<&'static str>,
    /// Instructions to the AI, before those of the workspace: 1 to 10,000 characters.
    #[schema(required, min_length = 1, max_length = 10000, example = "Be brief, and never promise a delivery date.")]
    brand_instructions: Option<String>,
    /// Whether workspaces for which no brand is named go under this one; exactly one brand of a tenant is the default.
    #[schema(example = true)]
    is_default: bool,
    /// When it was created.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-01-20T10:00:00.000Z")]
    created_at: DateTime<Utc>,
    /// When it was last updated.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-03-01T16:45:00.000Z")]
    updated_at: DateTime<Utc>,
}

/// The tone in which the AI writes.
#[derive(ToSchema)]
#[schema(as = Tone)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "says the words to the OpenAPI document")]
pub(crate) enum ToneSchema {
    Friendly,
    Professional,
    Formal,
    Trade,
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
            tone: details.tone.map(|tone| tone.as_str()),
            brand_instructions: details.brand_instructions.map(|value| value.as_str().to_owned()),
            is_default: brand.is_default,
            created_at: brand.created_at,
            updated_at: brand.updated_at,
        }
    }
}

/// A brand to create.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase")]
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
    fn into_domain(self) -> Result<NewBrand, FieldRefusal> {
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
    fn into_domain(self) -> Result<BrandPatch, FieldRefusal> {
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

/// A page of brands.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes the page to the OpenAPI document")]
pub(crate) struct BrandList {
    /// The brands.
    data: Vec<BrandView>,
    /// The cursor of the next page; absent at the end.
    #[schema(required = false)]
    next_cursor: String,
}

/// List brands
///
/// The brands that the caller sees, a page at a time.
#[utoipa::path(tag = "Brands", params(BrandQuery), responses((status = 200, description = "A page of brands.", body = BrandList)))]
#[get("/api/brands")]
pub(crate) async fn list(
    caller: Caller,
    query: Query<BrandQuery>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let tenant = caller.credential.tenant();
    let page = query.0.page(tenant)?;
    let search: Option<BrandName> = query.0.q.parse_as("q")?;
    let search = search.map(|text| text.as_str().to_owned());
    let brands = brands::list(&service.store, &caller.credential, search, page.clone()).await?;
    Ok(etag::list(&query.0.answer(brands, &page, tenant, BrandView::from)))
}

/// Get a brand
#[utoipa::path(
    tag = "Brands",
    params(("brandId" = Uuid, Path, description = "The brand.")),
    responses((status = 200, description = "The brand.", body = BrandView))
)]
#[get("/api/brands/{brandId}")]
pub(crate) async fn show(
    caller: Caller,
    id: PathId<Brand>,
    known: IfNoneMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let brand = brands::show(&service.store, &caller.credential, id.id()).await?;
    Ok(known.answer(brand.version, &BrandView::from(brand)))
}

/// Create a brand
///
/// The slug is derived from the name where it is left out, with a number behind it where that is taken.
#[utoipa::path(
    tag = "Brands",
    request_body = CreateBrand,
    responses((status = 201, description = "The brand was created.", body = BrandView))
)]
#[post("/api/brands")]
pub(crate) async fn create(
    caller: Caller,
    body: Valid<CreateBrand>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let brand = brands::create(&service.store, &caller.credential, body.0.into_domain()?).await?;
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, format!("/api/brands/{}", brand.id)));
    Ok(etag::answer(response, brand.version, &BrandView::from(brand)))
}

/// Update a brand
///
/// A JSON merge patch: what is left out stays, `null` clears.
#[utoipa::path(
    tag = "Brands",
    params(("brandId" = Uuid, Path, description = "The brand.")),
    request_body = UpdateBrand,
    responses((status = 200, description = "The brand as it is now.", body = BrandView))
)]
#[patch("/api/brands/{brandId}")]
pub(crate) async fn update(
    caller: Caller,
    id: PathId<Brand>,
    seen: IfMatch,
    body: Valid<UpdateBrand>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let brand = brands::update(&service.store, &caller.credential, id.id(), seen.0, body.0.into_domain()?).await?;
    Ok(etag::answer(HttpResponse::Ok(), brand.version, &BrandView::from(brand)))
}

/// Delete a brand
///
/// Refused while it has workspaces, and for the default brand. API keys that are restricted to it go with it.
#[utoipa::path(
    tag = "Brands",
    params(("brandId" = Uuid, Path, description = "The brand.")),
    responses((status = 204, description = "The brand is deleted."))
)]
#[delete("/api/brands/{brandId}")]
pub(crate) async fn delete(
    caller: Caller,
    id: PathId<Brand>,
    seen: IfMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    brands::delete(&service.store, &caller.credential, id.id(), seen.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
