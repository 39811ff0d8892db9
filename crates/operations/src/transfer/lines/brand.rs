//! Brands.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tenantry_domain::{
    Brand, BrandDetails, ExternalId, FieldRefusal, HexColor, HttpsUrl, InTenant, Instructions, SenderName,
    SignatureHtml, SignatureText, Tone,
};
use tenantry_persistence::{BrandFilter, Fault, Tx};

use super::{Counts, Entries, Line, Reading, Target, entries, text};
use crate::transfer::export::{Out, pages};

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
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    metadata: Entries,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl BrandLine {
    /// Writes every brand.
    pub(super) fn export(tx: &mut Tx<'_, InTenant>, out: &mut Out<'_>, counts: &mut Counts) -> Result<(), Fault> {
        pages(|page| {
            let page = tx.brands(&BrandFilter::default(), page)?;
            for brand in page.items {
                counts.brands += out.line(Line::Brand(Self::of(brand)))?;
            }
            Ok(page.next)
        })
    }

    fn of(brand: Brand) -> Box<Self> {
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
            external_id: text(details.labels.external_id.as_ref(), ExternalId::as_str),
            metadata: entries(&details.labels.metadata),
            version: brand.version,
            created_at: brand.created_at,
            updated_at: brand.updated_at,
        })
    }

    pub(super) fn into_brand(self, target: Target) -> Result<Brand, Vec<FieldRefusal>> {
        let mut reading = Reading::at(target.now);
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
        let labels = reading.labels(self.external_id.as_deref(), &self.metadata);
        let version = reading.version("version", self.version);
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
            labels,
        });
        let is_default = self.is_default;
        reading.end(id.zip(slug).zip(details).map(|((id, slug), details)| Brand {
            id,
            tenant_id: target.tenant_id,
            details,
            slug,
            is_default,
            version,
            created_at,
            updated_at,
        }))
    }
}
