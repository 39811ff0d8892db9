//! What the platform asks of tenants.

use serde::Deserialize;
use tenantry_domain::{
    Cap, CountryCode, CurrencyCode, EmailAddress, FieldRefusal, InvitationDays, LanguageCode, Limits, LimitsPatch,
    LocaleRequest, NewTenant, PageLimit, Refusal, Sort, TenantName, TenantPatch, TenantState, WorkspaceType,
};
use tenantry_operations::{TenantFilter, tenants::Owner};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::view::TenantStateSchema;
use crate::{
    api::workspaces::WorkspaceTypeSchema,
    extract::{ListQuery, Member, Unknown, check_clearable_number, check_number, check_optional, check_required},
};

/// A tenant to create. What is left out follows from the country, as for a workspace.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "name": "Acme Industrial Supply", "country": "DE", "maxWorkspaces": 25 }))]
pub(crate) struct CreateTenant {
    /// One line, 1 to 120 characters; its default brand takes it over.
    #[serde(default)]
    #[validate(custom(function = check_required::<TenantName>))]
    #[schema(value_type = String, required, min_length = 1, max_length = 120, example = "Acme Industrial Supply")]
    name: Member<String>,
    /// ISO 3166-1 alpha-2, officially assigned, upper case.
    #[serde(default)]
    #[validate(custom(function = check_required::<CountryCode>))]
    #[schema(value_type = String, required, pattern = "^[A-Z]{2}$", example = "DE")]
    country: Member<String>,
    /// ISO 639-1, lower case; the country's main language unless said.
    #[serde(default)]
    #[validate(custom(function = check_optional::<LanguageCode>))]
    #[schema(value_type = String, required = false, pattern = "^[a-z]{2}$", example = "de")]
    operating_language: Member<String>,
    /// ISO 4217, upper case; the country's currency unless said.
    #[serde(default)]
    #[validate(custom(function = check_optional::<CurrencyCode>))]
    #[schema(value_type = String, required = false, pattern = "^[A-Z]{3}$", example = "EUR")]
    currency: Member<String>,
    /// `b2b` unless said.
    #[serde(default)]
    #[validate(custom(function = check_optional::<WorkspaceType>))]
    #[schema(value_type = WorkspaceTypeSchema, required = false, example = "b2b")]
    workspace_type: Member<String>,
    /// How many workspaces it may have; unlimited where it is null or left out.
    #[serde(default)]
    #[validate(custom(function = check_clearable_number::<Cap>))]
    #[schema(value_type = Option<i64>, required = false, minimum = 0, maximum = 1000000, example = 25)]
    max_workspaces: Member<i64>,
    /// How many members each workspace may have, with those who are invited; unlimited where it is null or left out.
    #[serde(default)]
    #[validate(custom(function = check_clearable_number::<Cap>))]
    #[schema(value_type = Option<i64>, required = false, minimum = 0, maximum = 1000000, example = json!(null))]
    max_members: Member<i64>,
    /// How many agents each workspace may have; unlimited where it is null or left out.
    #[serde(default)]
    #[validate(custom(function = check_clearable_number::<Cap>))]
    #[schema(value_type = Option<i64>, required = false, minimum = 0, maximum = 1000000, example = json!(null))]
    max_agents: Member<i64>,
    /// How many minutes each workspace may use in a month; unlimited where it is null or left out.
    #[serde(default)]
    #[validate(custom(function = check_clearable_number::<Cap>))]
    #[schema(value_type = Option<i64>, required = false, minimum = 0, maximum = 1000000, example = json!(null))]
    max_minutes: Member<i64>,
    /// Invites the first owner at this address, instead of making an API key for them.
    #[serde(default)]
    #[validate(custom(function = check_optional::<EmailAddress>))]
    #[schema(value_type = String, required = false, max_length = 254, example = "ada@example.com")]
    owner_email: Member<String>,
    /// With `ownerEmail`: for how many days the invitation can be accepted, 1 to 30, 7 unless said.
    #[serde(default)]
    #[validate(custom(function = check_number::<InvitationDays>))]
    #[schema(value_type = i64, required = false, minimum = 1, maximum = 30, example = 7)]
    invitation_days: Member<i64>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[schema(ignore)]
    unknown: Unknown,
}

impl CreateTenant {
    pub(super) fn into_domain(self) -> Result<(NewTenant, Owner), FieldRefusal> {
        let locale = LocaleRequest {
            country: self.country.parse_as("country")?,
            language: self.operating_language.parse_as("operatingLanguage")?,
            currency: self.currency.parse_as("currency")?,
            workspace_type: self.workspace_type.parse_as("workspaceType")?,
        };
        let limits = limits([&self.max_workspaces, &self.max_members, &self.max_agents, &self.max_minutes])?;
        let owner = match (
            self.owner_email.parse_as("ownerEmail")?,
            self.invitation_days.number_as::<InvitationDays>("invitationDays")?,
        ) {
            (Some(email), days) => Owner::Invitation(email, days.unwrap_or_default()),
            (None, None) => Owner::Key,
            (None, Some(_)) => {
                return Err(Refusal::new("required", "is required with invitationDays: nobody is invited without it")
                    .of("ownerEmail"));
            }
        };
        let name = self.name.required().map_err(|refusal| refusal.of("name"))?;
        Ok((NewTenant { name, locale, limits: Limits::default().patched(limits) }, owner))
    }
}

fn limits(
    [max_workspaces, max_members, max_agents, max_minutes]: [&Member<i64>; 4],
) -> Result<LimitsPatch, FieldRefusal> {
    Ok(LimitsPatch {
        max_workspaces: max_workspaces.clearable_number_as("maxWorkspaces")?,
        max_members: max_members.clearable_number_as("maxMembers")?,
        max_agents: max_agents.clearable_number_as("maxAgents")?,
        max_minutes: max_minutes.clearable_number_as("maxMinutes")?,
    })
}

/// A change to a tenant, as a JSON merge patch (RFC 7396): what is left out stays, and null takes a limit off. Existing
/// workspaces stay as they are.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "maxWorkspaces": 50, "maxMembers": null }))]
pub(crate) struct UpdatePlatformTenant {
    /// One line, 1 to 120 characters.
    #[serde(default)]
    #[validate(custom(function = check_optional::<TenantName>))]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 120)]
    name: Member<String>,
    /// ISO 3166-1 alpha-2, officially assigned, upper case.
    #[serde(default)]
    #[validate(custom(function = check_optional::<CountryCode>))]
    #[schema(value_type = String, required = false, pattern = "^[A-Z]{2}$")]
    default_country: Member<String>,
    /// ISO 639-1, lower case.
    #[serde(default)]
    #[validate(custom(function = check_optional::<LanguageCode>))]
    #[schema(value_type = String, required = false, pattern = "^[a-z]{2}$")]
    default_operating_language: Member<String>,
    /// ISO 4217, upper case.
    #[serde(default)]
    #[validate(custom(function = check_optional::<CurrencyCode>))]
    #[schema(value_type = String, required = false, pattern = "^[A-Z]{3}$")]
    default_currency: Member<String>,
    /// `b2b` or `b2c`.
    #[serde(default)]
    #[validate(custom(function = check_optional::<WorkspaceType>))]
    #[schema(value_type = WorkspaceTypeSchema, required = false, example = "b2c")]
    default_workspace_type: Member<String>,
    /// How many workspaces it may have; null for as many as it likes.
    #[serde(default)]
    #[validate(custom(function = check_clearable_number::<Cap>))]
    #[schema(value_type = Option<i64>, required = false, minimum = 0, maximum = 1000000, example = 50)]
    max_workspaces: Member<i64>,
    /// How many members each workspace may have, with those who are invited; null for as many as it likes.
    #[serde(default)]
    #[validate(custom(function = check_clearable_number::<Cap>))]
    #[schema(value_type = Option<i64>, required = false, minimum = 0, maximum = 1000000, example = json!(null))]
    max_members: Member<i64>,
    /// How many agents each workspace may have; null for as many as it likes.
    #[serde(default)]
    #[validate(custom(function = check_clearable_number::<Cap>))]
    #[schema(value_type = Option<i64>, required = false, minimum = 0, maximum = 1000000)]
    max_agents: Member<i64>,
    /// How many minutes each workspace may use in a month; null for as many as it likes.
    #[serde(default)]
    #[validate(custom(function = check_clearable_number::<Cap>))]
    #[schema(value_type = Option<i64>, required = false, minimum = 0, maximum = 1000000)]
    max_minutes: Member<i64>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[schema(ignore)]
    unknown: Unknown,
}

impl UpdatePlatformTenant {
    pub(super) fn into_domain(self) -> Result<(TenantPatch, LimitsPatch), FieldRefusal> {
        let defaults = LocaleRequest {
            country: self.default_country.parse_as("defaultCountry")?,
            language: self.default_operating_language.parse_as("defaultOperatingLanguage")?,
            currency: self.default_currency.parse_as("defaultCurrency")?,
            workspace_type: self.default_workspace_type.parse_as("defaultWorkspaceType")?,
        };
        let patch = TenantPatch { name: self.name.parse_as("name")?, defaults };
        Ok((patch, limits([&self.max_workspaces, &self.max_members, &self.max_agents, &self.max_minutes])?))
    }
}

/// Which tenants, in which order, and how many at a time.
#[derive(Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct TenantQuery {
    /// Only in this state.
    #[serde(default)]
    #[validate(custom(function = check_optional::<TenantState>))]
    #[param(value_type = Option<TenantStateSchema>)]
    state: Member<String>,
    /// Only with this text somewhere in the name, in either case.
    #[serde(default)]
    #[validate(custom(function = check_optional::<TenantName>))]
    #[param(value_type = Option<String>)]
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

impl TenantQuery {
    pub(super) fn filter(&self) -> Result<TenantFilter, FieldRefusal> {
        let search: Option<TenantName> = self.q.parse_as("q")?;
        Ok(TenantFilter { state: self.state.parse_as("state")?, search: search.map(|text| text.as_str().to_owned()) })
    }
}

impl ListQuery for TenantQuery {
    fn paging(&self) -> [&Member<String>; 3] {
        [&self.limit, &self.sort, &self.cursor]
    }

    fn signature(&self) -> String {
        format!("tenants {:?}", (&self.state, &self.q))
    }
}
