//! What a caller asks of workspaces.

use serde::Deserialize;
use tenantry_domain::{
    BrandId, CountryCode, CurrencyCode, FieldRefusal, Instructions, LanguageCode, LocaleRequest, NewWorkspace,
    PageLimit, SignatureHtml, SignatureText, Sort, WorkspaceName, WorkspacePatch, WorkspaceType,
};
use tenantry_operations::WorkspaceFilter;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::view::WorkspaceTypeSchema;
use crate::extract::{ListQuery, Member, Unknown, check_clearable, check_optional, check_required};

/// A workspace to create. What is left out follows the country that is named (its main language, its currency), or, where no
/// country is named, the tenant's defaults; the brand is the tenant's default brand.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "name": "Nordics",
    "brandId": "b1a2c3d4-5678-4abc-9ef0-1234567890ab",
    "country": "SE",
    "workspaceType": "b2c",
    "workspaceInstructions": "Quote delivery times in working days.",
    "emailSignatureText": "Vänliga hälsningar,\nAcme Nordics",
}))]
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
    pub(super) fn into_domain(self) -> Result<(Option<BrandId>, NewWorkspace), FieldRefusal> {
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
#[schema(example = json!({ "name": "DACH and Liechtenstein", "emailSignatureHtml": null }))]
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
    pub(super) fn into_domain(self) -> Result<WorkspacePatch, FieldRefusal> {
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
    pub(super) fn filter(&self) -> Result<WorkspaceFilter, FieldRefusal> {
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
