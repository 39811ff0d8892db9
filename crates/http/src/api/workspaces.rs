//! `/api/workspaces`.

use actix_web::{HttpResponse, delete, get, http::header, patch, post, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tenantry_domain::{
    BrandId, CountryCode, CurrencyCode, FieldRefusal, Instructions, LanguageCode, LocaleRequest, NewWorkspace,
    PageLimit, SignatureHtml, SignatureText, Sort, Workspace, WorkspaceName, WorkspacePatch, WorkspaceType,
};
use tenantry_operations::{WorkspaceFilter, workspaces};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::millis;
use crate::{
    Service,
    error::Failure,
    etag,
    extract::{
        Caller, IfMatch, IfNoneMatch, ListQuery, Member, PathId, Query, Unknown, Valid, check_clearable,
        check_optional, check_required,
    },
};

/// A workspace is an operational unit within a brand, typically representing a region, business unit, or product line.
/// Conversations, knowledge base entries, policies, and channels are all scoped to a workspace.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Workspace)]
pub(crate) struct WorkspaceView {
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
    #[schema(example = "DE")]
    country: String,
    /// The primary language the AI uses when communicating in this workspace. ISO 639-1 code.
    #[schema(example = "de")]
    operating_language: String,
    /// ISO 4217 currency code used for financial references in this workspace.
    #[schema(example = "EUR")]
    currency: String,
    /// Whether this workspace handles business-to-business or business-to-consumer conversations. Affects contact
    /// resolution, account enrichment, and AI behavior.
    #[schema(value_type = WorkspaceTypeSchema, example = "b2b")]
    workspace_type: &'static str,
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
    /// Timestamp when the workspace was created.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-01-20T10:00:00.000Z")]
    created_at: DateTime<Utc>,
    /// Timestamp when the workspace was last updated.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-03-01T16:45:00.000Z")]
    updated_at: DateTime<Utc>,
}

/// Business to business, or business to consumer.
#[derive(ToSchema)]
#[schema(as = WorkspaceType)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "says the two words to the OpenAPI document")]
pub(crate) enum WorkspaceTypeSchema {
    B2b,
    B2c,
}

impl From<Workspace> for WorkspaceView {
    fn from(workspace: Workspace) -> Self {
        let details = workspace.details;
        Self {
            id: workspace.id.uuid(),
            tenant_id: workspace.tenant_id.uuid(),
            brand_id: details.brand_id.uuid(),
            name: details.name.as_str().to_owned(),
            country: details.locale.country.to_string(),
            operating_language: details.locale.language.to_string(),
            currency: details.locale.currency.to_string(),
            workspace_type: details.locale.workspace_type.as_str(),
            workspace_instructions: details.workspace_instructions.map(|text| text.as_str().to_owned()),
            email_signature_html: details.email_signature_html.map(|html| html.as_str().to_owned()),
            email_signature_text: details.email_signature_text.map(|text| text.as_str().to_owned()),
            created_at: workspace.created_at,
            updated_at: workspace.updated_at,
        }
    }
}

/// A workspace to create. What is left out follows the country that is named (its main language, its currency), or, where no
/// country is named, the tenant's defaults; the brand is the tenant's default brand.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateWorkspace {
    /// Display name: one line, 1 to 120 characters.
    #[serde(default)]
    #[validate(custom(function = check_required::<WorkspaceName>))]
    #[schema(value_type = String, required, min_length = 1, max_length = 120, example = "Nordics")]
    name: Member<String>,
    /// The brand to operate under.
    #[serde(default)]
    #[validate(custom(function = check_optional::<BrandId>))]
    #[schema(value_type = Uuid, required = false)]
    brand_id: Member<String>,
    /// ISO 3166-1 alpha-2, officially assigned, upper case.
    #[serde(default)]
    #[validate(custom(function = check_optional::<CountryCode>))]
    #[schema(value_type = String, required = false, pattern = "^[A-Z]{2}$", example = "SE")]
    country: Member<String>,
    /// ISO 639-1, lower case.
    #[serde(default)]
    #[validate(custom(function = check_optional::<LanguageCode>))]
    #[schema(value_type = String, required = false, pattern = "^[a-z]{2}$", example = "sv")]
    operating_language: Member<String>,
    /// ISO 4217, upper case: national currencies and funds codes in force.
    #[serde(default)]
    #[validate(custom(function = check_optional::<CurrencyCode>))]
    #[schema(value_type = String, required = false, pattern = "^[A-Z]{3}$", example = "SEK")]
    currency: Member<String>,
    /// `b2b` or `b2c`.
    #[serde(default)]
    #[validate(custom(function = check_optional::<WorkspaceType>))]
    #[schema(value_type = WorkspaceTypeSchema, required = false, example = "b2c")]
    workspace_type: Member<String>,
    /// Instructions to the AI: 1 to 10,000 characters.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<Instructions>))]
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 10000)]
    workspace_instructions: Member<String>,
    /// HTML signature: 1 to 20,000 characters, sanitised.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<SignatureHtml>))]
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 20000)]
    email_signature_html: Member<String>,
    /// Plain-text signature: 1 to 5,000 characters.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<SignatureText>))]
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 5000)]
    email_signature_text: Member<String>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[schema(ignore)]
    unknown: Unknown,
}

impl CreateWorkspace {
    fn into_domain(self) -> Result<(Option<BrandId>, NewWorkspace), FieldRefusal> {
        let new = NewWorkspace {
            name: self.name.required().map_err(|refusal| refusal.of("name"))?,
            locale: locale(&self.country, &self.operating_language, &self.currency, &self.workspace_type)?,
            workspace_instructions: self.workspace_instructions.clearable_as("workspaceInstructions")?.flatten(),
            email_signature_html: self.email_signature_html.clearable_as("emailSignatureHtml")?.flatten(),
            email_signature_text: self.email_signature_text.clearable_as("emailSignatureText")?.flatten(),
        };
        Ok((self.brand_id.parse_as("brandId")?, new))
    }
}

fn locale(
    country: &Member<String>,
    language: &Member<String>,
    currency: &Member<String>,
    workspace_type: &Member<String>,
) -> Result<LocaleRequest, FieldRefusal> {
    Ok(LocaleRequest {
        country: country.parse_as("country")?,
        language: language.parse_as("operatingLanguage")?,
        currency: currency.parse_as("currency")?,
        workspace_type: workspace_type.parse_as("workspaceType")?,
    })
}

/// A change to a workspace, as a JSON merge patch (RFC 7396): what is left out stays, `null` clears what may be absent.
/// Language and currency do not follow a new country.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateWorkspace {
    /// See the creation of a workspace.
    #[serde(default)]
    #[validate(custom(function = check_optional::<WorkspaceName>))]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 120)]
    name: Member<String>,
    /// Moves the workspace under another brand.
    #[serde(default)]
    #[validate(custom(function = check_optional::<BrandId>))]
    #[schema(value_type = Uuid, required = false)]
    brand_id: Member<String>,
    /// See the creation of a workspace.
    #[serde(default)]
    #[validate(custom(function = check_optional::<CountryCode>))]
    #[schema(value_type = String, required = false, pattern = "^[A-Z]{2}$")]
    country: Member<String>,
    /// See the creation of a workspace.
    #[serde(default)]
    #[validate(custom(function = check_optional::<LanguageCode>))]
    #[schema(value_type = String, required = false, pattern = "^[a-z]{2}$", example = "de")]
    operating_language: Member<String>,
    /// See the creation of a workspace.
    #[serde(default)]
    #[validate(custom(function = check_optional::<CurrencyCode>))]
    #[schema(value_type = String, required = false, pattern = "^[A-Z]{3}$")]
    currency: Member<String>,
    /// `b2b` or `b2c`.
    #[serde(default)]
    #[validate(custom(function = check_optional::<WorkspaceType>))]
    #[schema(value_type = WorkspaceTypeSchema, required = false)]
    workspace_type: Member<String>,
    /// See the creation of a workspace.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<Instructions>))]
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 10000)]
    workspace_instructions: Member<String>,
    /// See the creation of a workspace.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<SignatureHtml>))]
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 20000)]
    email_signature_html: Member<String>,
    /// See the creation of a workspace.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<SignatureText>))]
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 5000)]
    email_signature_text: Member<String>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[schema(ignore)]
    unknown: Unknown,
}

impl UpdateWorkspace {
    fn into_domain(self) -> Result<WorkspacePatch, FieldRefusal> {
        Ok(WorkspacePatch {
            brand_id: self.brand_id.parse_as("brandId")?,
            name: self.name.parse_as("name")?,
            locale: locale(&self.country, &self.operating_language, &self.currency, &self.workspace_type)?,
            workspace_instructions: self.workspace_instructions.clearable_as("workspaceInstructions")?,
            email_signature_html: self.email_signature_html.clearable_as("emailSignatureHtml")?,
            email_signature_text: self.email_signature_text.clearable_as("emailSignatureText")?,
        })
    }
}

/// Which workspaces, in which order, and how many at a time.
#[derive(Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct WorkspaceQuery {
    /// Only those of this brand.
    #[serde(default)]
    #[validate(custom(function = check_optional::<BrandId>))]
    #[param(value_type = Option<Uuid>)]
    brand_id: Member<String>,
    /// Only those in this country (ISO 3166-1 alpha-2).
    #[serde(default)]
    #[validate(custom(function = check_optional::<CountryCode>))]
    #[param(value_type = Option<String>)]
    country: Member<String>,
    /// Only those working in this language (ISO 639-1).
    #[serde(default)]
    #[validate(custom(function = check_optional::<LanguageCode>))]
    #[param(value_type = Option<String>)]
    operating_language: Member<String>,
    /// Only those in this currency (ISO 4217).
    #[serde(default)]
    #[validate(custom(function = check_optional::<CurrencyCode>))]
    #[param(value_type = Option<String>)]
    currency: Member<String>,
    /// Only those of this type.
    #[serde(default)]
    #[validate(custom(function = check_optional::<WorkspaceType>))]
    #[param(value_type = Option<WorkspaceTypeSchema>)]
    workspace_type: Member<String>,
    /// Only those with this text in the name, in either case.
    #[serde(default)]
    #[validate(custom(function = check_optional::<WorkspaceName>))]
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

impl ListQuery for WorkspaceQuery {
    fn paging(&self) -> [&Member<String>; 3] {
        [&self.limit, &self.sort, &self.cursor]
    }

    fn signature(&self) -> String {
        format!(
            "workspaces {:?}",
            [&self.brand_id, &self.country, &self.operating_language, &self.currency, &self.workspace_type, &self.q]
        )
    }
}

impl WorkspaceQuery {
    fn filter(&self) -> Result<WorkspaceFilter, FieldRefusal> {
        let search: Option<WorkspaceName> = self.q.parse_as("q")?;
        Ok(WorkspaceFilter {
            brand_id: self.brand_id.parse_as("brandId")?,
            country: self.country.parse_as("country")?,
            operating_language: self.operating_language.parse_as("operatingLanguage")?,
            currency: self.currency.parse_as("currency")?,
            workspace_type: self.workspace_type.parse_as("workspaceType")?,
            search: search.map(|text| text.as_str().to_owned()),
        })
    }
}

/// A page of workspaces.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes the page to the OpenAPI document")]
pub(crate) struct WorkspaceList {
    /// The workspaces.
    data: Vec<WorkspaceView>,
    /// The cursor of the next page; absent at the end.
    #[schema(required = false)]
    next_cursor: String,
}

/// List workspaces
///
/// The workspaces that the caller sees, a page at a time.
#[utoipa::path(tag = "Workspaces", params(WorkspaceQuery), responses((status = 200, description = "A page of workspaces.", body = WorkspaceList)))]
#[get("/api/workspaces")]
pub(crate) async fn list(
    caller: Caller,
    query: Query<WorkspaceQuery>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let tenant = caller.credential.tenant();
    let page = query.0.page(tenant)?;
    let workspaces = workspaces::list(&service.store, &caller.credential, query.0.filter()?, page.clone()).await?;
    Ok(etag::list(&query.0.answer(workspaces, &page, tenant, WorkspaceView::from)))
}

/// Get workspace by ID
///
/// Retrieves a single workspace by its unique identifier, including its operating configuration (country, language,
/// currency, type) and any workspace-specific instructions.
#[utoipa::path(
    tag = "Workspaces",
    params(("workspaceId" = Uuid, Path, description = "The unique identifier of the workspace to retrieve.")),
    responses((status = 200, description = "The workspace was found and returned.", body = WorkspaceView))
)]
#[get("/api/workspaces/{workspaceId}")]
pub(crate) async fn show(
    caller: Caller,
    id: PathId<Workspace>,
    known: IfNoneMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let workspace = workspaces::show(&service.store, &caller.credential, id.id()).await?;
    Ok(known.answer(workspace.version, &WorkspaceView::from(workspace)))
}

/// Create a workspace
///
/// Language and currency follow the country where they are left out; a country that is left out is the tenant's.
#[utoipa::path(
    tag = "Workspaces",
    request_body = CreateWorkspace,
    responses((status = 201, description = "The workspace was created.", body = WorkspaceView))
)]
#[post("/api/workspaces")]
pub(crate) async fn create(
    caller: Caller,
    body: Valid<CreateWorkspace>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (brand, new) = body.0.into_domain()?;
    let workspace = workspaces::create(&service.store, &caller.credential, brand, new).await?;
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, format!("/api/workspaces/{}", workspace.id)));
    Ok(etag::answer(response, workspace.version, &WorkspaceView::from(workspace)))
}

/// Update a workspace
///
/// A JSON merge patch: what is left out stays, `null` clears.
#[utoipa::path(
    tag = "Workspaces",
    params(("workspaceId" = Uuid, Path, description = "The workspace.")),
    request_body = UpdateWorkspace,
    responses((status = 200, description = "The workspace as it is now.", body = WorkspaceView))
)]
#[patch("/api/workspaces/{workspaceId}")]
pub(crate) async fn update(
    caller: Caller,
    id: PathId<Workspace>,
    seen: IfMatch,
    body: Valid<UpdateWorkspace>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let workspace =
        workspaces::update(&service.store, &caller.credential, id.id(), seen.0, body.0.into_domain()?).await?;
    Ok(etag::answer(HttpResponse::Ok(), workspace.version, &WorkspaceView::from(workspace)))
}

/// Delete a workspace
///
/// It is hidden at once, can be restored for 30 days, and is then erased.
#[utoipa::path(
    tag = "Workspaces",
    params(("workspaceId" = Uuid, Path, description = "The workspace.")),
    responses((status = 204, description = "The workspace is deleted."))
)]
#[delete("/api/workspaces/{workspaceId}")]
pub(crate) async fn delete(
    caller: Caller,
    id: PathId<Workspace>,
    seen: IfMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    workspaces::delete(&service.store, &caller.credential, id.id(), seen.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Restore a workspace
///
/// Brings a workspace back that was deleted in the last 30 days; one that is there stays as it is.
#[utoipa::path(
    tag = "Workspaces",
    params(("workspaceId" = Uuid, Path, description = "The workspace.")),
    responses((status = 200, description = "The workspace as it is now.", body = WorkspaceView))
)]
#[post("/api/workspaces/{workspaceId}/restore")]
pub(crate) async fn restore(
    caller: Caller,
    id: PathId<Workspace>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let workspace = workspaces::restore(&service.store, &caller.credential, id.id()).await?;
    Ok(etag::answer(HttpResponse::Ok(), workspace.version, &WorkspaceView::from(workspace)))
}
