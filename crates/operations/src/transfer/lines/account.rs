//! The tenant, its brands and its workspaces.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tenantry_domain::{
    Brand, BrandDetails, Cap, FieldRefusal, HexColor, HttpsUrl, Instructions, Locale, SenderName, SignatureHtml,
    SignatureText, Tenant, TenantDetails, TenantId, Tone, Workspace, WorkspaceDetails,
};
use tenantry_persistence::KeptWorkspace;

use super::{Reading, VERSION};

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::transfer) struct Header {
    pub(in crate::transfer) version: u32,
    exported_at: DateTime<Utc>,
    pub(in crate::transfer) tenant: TenantLine,
}

/// The tenant. Its limits and its state are told and not taken over: they are for the platform that it comes to.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::transfer) struct TenantLine {
    id: String,
    name: String,
    default_country: String,
    default_operating_language: String,
    default_currency: String,
    default_workspace_type: String,
    max_workspaces: Option<u32>,
    max_members: Option<u32>,
    max_agents: Option<u32>,
    max_minutes: Option<u32>,
    state: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Header {
    pub(in crate::transfer) fn of(tenant: &Tenant, exported_at: DateTime<Utc>) -> Self {
        let defaults = tenant.details.defaults;
        let tenant = TenantLine {
            id: tenant.id.to_string(),
            name: tenant.details.name.as_str().to_owned(),
            default_country: defaults.country.to_string(),
            default_operating_language: defaults.language.to_string(),
            default_currency: defaults.currency.to_string(),
            default_workspace_type: defaults.workspace_type.to_string(),
            max_workspaces: tenant.limits.max_workspaces.map(Cap::get),
            max_members: tenant.limits.max_members.map(Cap::get),
            max_agents: tenant.limits.max_agents.map(Cap::get),
            max_minutes: tenant.limits.max_minutes.map(Cap::get),
            state: tenant.state().to_string(),
            created_at: tenant.created_at,
            updated_at: tenant.updated_at,
        };
        Self { version: VERSION, exported_at, tenant }
    }
}

/// The four members that make a locale, under the names that they have in this line.
fn locale(reading: &mut Reading, members: [(&str, &str); 4]) -> Option<Locale> {
    let [country, language, currency, workspace_type] = members;
    let country = reading.value(country.0, country.1);
    let language = reading.value(language.0, language.1);
    let currency = reading.value(currency.0, currency.1);
    let workspace_type = reading.value(workspace_type.0, workspace_type.1);
    Some(Locale { country: country?, language: language?, currency: currency?, workspace_type: workspace_type? })
}

impl TenantLine {
    pub(in crate::transfer) fn into_details(self) -> Result<TenantDetails, Vec<FieldRefusal>> {
        let mut reading = Reading::default();
        let name = reading.value("tenant.name", &self.name);
        let defaults = locale(
            &mut reading,
            [
                ("tenant.defaultCountry", &self.default_country),
                ("tenant.defaultOperatingLanguage", &self.default_operating_language),
                ("tenant.defaultCurrency", &self.default_currency),
                ("tenant.defaultWorkspaceType", &self.default_workspace_type),
            ],
        );
        reading.end(name.zip(defaults).map(|(name, defaults)| TenantDetails { name, defaults }))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::transfer) struct BrandLine {
    id: String,
    name: String,
    slug: String,
    is_default: bool,
    logo_url: Option<String>,
    primary_color: Option<String>,
    secondary_color: Option<String>,
    email_from_name: String,
    email_signature_html: Option<String>,
    email_signature_text: Option<String>,
    ai_sender_name: Option<String>,
    ai_sender_title: Option<String>,
    ai_sender_avatar_url: Option<String>,
    tone: Option<String>,
    brand_instructions: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// A value that may be missing, as text.
fn text<T>(value: Option<&T>, as_str: impl Fn(&T) -> &str) -> Option<String> {
    value.map(|value| as_str(value).to_owned())
}

impl BrandLine {
    pub(in crate::transfer) fn of(brand: Brand) -> Box<Self> {
        let details = brand.details;
        Box::new(Self {
            id: brand.id.to_string(),
            name: details.name.as_str().to_owned(),
            slug: brand.slug.to_string(),
            is_default: brand.is_default,
            logo_url: text(details.logo_url.as_ref(), HttpsUrl::as_str),
            primary_color: text(details.primary_color.as_ref(), HexColor::as_str),
            secondary_color: text(details.secondary_color.as_ref(), HexColor::as_str),
            email_from_name: details.email_from_name.as_str().to_owned(),
            email_signature_html: text(details.email_signature_html.as_ref(), SignatureHtml::as_str),
            email_signature_text: text(details.email_signature_text.as_ref(), SignatureText::as_str),
            ai_sender_name: text(details.ai_sender_name.as_ref(), SenderName::as_str),
            ai_sender_title: text(details.ai_sender_title.as_ref(), SenderName::as_str),
            ai_sender_avatar_url: text(details.ai_sender_avatar_url.as_ref(), HttpsUrl::as_str),
            tone: details.tone.map(|tone: Tone| tone.as_str().to_owned()),
            brand_instructions: text(details.brand_instructions.as_ref(), Instructions::as_str),
            created_at: brand.created_at,
            updated_at: brand.updated_at,
        })
    }

    pub(in crate::transfer) fn into_brand(self, tenant_id: TenantId) -> Result<Brand, Vec<FieldRefusal>> {
        let mut reading = Reading::default();
        let (id, slug) = (reading.value("id", &self.id), reading.value("slug", &self.slug));
        let name = reading.value("name", &self.name);
        let email_from_name = reading.value("emailFromName", &self.email_from_name);
        let logo_url = reading.optional("logoUrl", self.logo_url.as_deref());
        let primary_color = reading.optional("primaryColor", self.primary_color.as_deref());
        let secondary_color = reading.optional("secondaryColor", self.secondary_color.as_deref());
        let email_signature_html = reading.optional("emailSignatureHtml", self.email_signature_html.as_deref());
        let email_signature_text = reading.optional("emailSignatureText", self.email_signature_text.as_deref());
        let ai_sender_name = reading.optional("aiSenderName", self.ai_sender_name.as_deref());
        let ai_sender_title = reading.optional("aiSenderTitle", self.ai_sender_title.as_deref());
        let ai_sender_avatar_url = reading.optional("aiSenderAvatarUrl", self.ai_sender_avatar_url.as_deref());
        let tone = reading.optional("tone", self.tone.as_deref());
        let brand_instructions = reading.optional("brandInstructions", self.brand_instructions.as_deref());
        let created_at = reading.time("createdAt", self.created_at);
        let updated_at = reading.time("updatedAt", self.updated_at);
        let details = name.zip(email_from_name).map(|(name, email_from_name)| BrandDetails {
            name,
            logo_url,
            primary_color,
            secondary_color,
            email_from_name,
            email_signature_html,
            email_signature_text,
            ai_sender_name,
            ai_sender_title,
            ai_sender_avatar_url,
            tone,
            brand_instructions,
        });
        let is_default = self.is_default;
        reading.end(id.zip(slug).zip(details).map(|((id, slug), details)| Brand {
            id,
            tenant_id,
            details,
            slug,
            is_default,
            version: 1,
            created_at,
            updated_at,
        }))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::transfer) struct WorkspaceLine {
    id: String,
    number: i64,
    brand_id: String,
    name: String,
    country: String,
    operating_language: String,
    currency: String,
    workspace_type: String,
    workspace_instructions: Option<String>,
    email_signature_html: Option<String>,
    email_signature_text: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    deleted_at: Option<DateTime<Utc>>,
}

impl WorkspaceLine {
    pub(in crate::transfer) fn of(kept: KeptWorkspace) -> Box<Self> {
        let KeptWorkspace { workspace, number, deleted_at } = kept;
        let details = workspace.details;
        Box::new(Self {
            id: workspace.id.to_string(),
            number: number.get(),
            brand_id: details.brand_id.to_string(),
            name: details.name.as_str().to_owned(),
            country: details.locale.country.to_string(),
            operating_language: details.locale.language.to_string(),
            currency: details.locale.currency.to_string(),
            workspace_type: details.locale.workspace_type.to_string(),
            workspace_instructions: text(details.workspace_instructions.as_ref(), Instructions::as_str),
            email_signature_html: text(details.email_signature_html.as_ref(), SignatureHtml::as_str),
            email_signature_text: text(details.email_signature_text.as_ref(), SignatureText::as_str),
            created_at: workspace.created_at,
            updated_at: workspace.updated_at,
            deleted_at,
        })
    }

    pub(in crate::transfer) fn into_workspace(self, tenant_id: TenantId) -> Result<KeptWorkspace, Vec<FieldRefusal>> {
        let mut reading = Reading::default();
        let (id, brand_id) = (reading.value("id", &self.id), reading.value("brandId", &self.brand_id));
        let number = reading.value("number", &self.number.to_string());
        let name = reading.value("name", &self.name);
        let locale = locale(
            &mut reading,
            [
                ("country", &self.country),
                ("operatingLanguage", &self.operating_language),
                ("currency", &self.currency),
                ("workspaceType", &self.workspace_type),
            ],
        );
        let workspace_instructions = reading.optional("workspaceInstructions", self.workspace_instructions.as_deref());
        let email_signature_html = reading.optional("emailSignatureHtml", self.email_signature_html.as_deref());
        let email_signature_text = reading.optional("emailSignatureText", self.email_signature_text.as_deref());
        let created_at = reading.time("createdAt", self.created_at);
        let updated_at = reading.time("updatedAt", self.updated_at);
        let deleted_at = reading.optional_time("deletedAt", self.deleted_at);
        let details = brand_id.zip(name).zip(locale).map(|((brand_id, name), locale)| WorkspaceDetails {
            brand_id,
            name,
            locale,
            workspace_instructions,
            email_signature_html,
            email_signature_text,
        });
        reading.end(id.zip(number).zip(details).map(|((id, number), details)| KeptWorkspace {
            number,
            workspace: Workspace { id, tenant_id, details, version: 1, created_at, updated_at },
            deleted_at,
        }))
    }
}
