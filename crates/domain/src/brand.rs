//! The brand: a customer-facing identity of a tenant.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    BrandId, BrandName, Error, ExternalId, HexColor, HttpsUrl, Instructions, Labels, MetadataPatch, Noun, Refusal,
    SenderName, SignatureHtml, SignatureText, Slug, TenantId, Tone, audit::Fields, ids::Identified, page::SortKey,
};

/// A brand as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    /// Its identifier.
    pub id: BrandId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// What its owner may change.
    pub details: BrandDetails,
    /// Unique in the tenant.
    pub slug: Slug,
    /// Exactly one brand of a tenant is the default.
    pub is_default: bool,
    /// Counts the visible changes, from 1.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Identified for Brand {
    const NOUN: Noun = Noun::Brand;
}

impl SortKey for Brand {
    fn id(&self) -> Uuid {
        self.id.uuid()
    }

    fn name(&self) -> String {
        self.details.name.as_str().to_owned()
    }

    fn times(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        (self.created_at, self.updated_at)
    }
}

/// The part of a brand that stands for itself: everything but its slug and whether it is the default, which depend on
/// the tenant's other brands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrandDetails {
    /// Display name.
    pub name: BrandName,
    /// Logo, over https.
    pub logo_url: Option<HttpsUrl>,
    /// Primary colour.
    pub primary_color: Option<HexColor>,
    /// Secondary colour.
    pub secondary_color: Option<HexColor>,
    /// The sender name of the brand's email.
    pub email_from_name: SenderName,
    /// HTML signature, in force where a workspace has none.
    pub email_signature_html: Option<SignatureHtml>,
    /// Plain-text signature, in force where a workspace has none.
    pub email_signature_text: Option<SignatureText>,
    /// The name the AI writes under.
    pub ai_sender_name: Option<SenderName>,
    /// The title the AI writes under.
    pub ai_sender_title: Option<SenderName>,
    /// The AI's picture, over https.
    pub ai_sender_avatar_url: Option<HttpsUrl>,
    /// The tone the AI writes in.
    pub tone: Option<Tone>,
    /// Instructions for the AI. They come before the workspace's instructions.
    pub brand_instructions: Option<Instructions>,
    /// External ID and metadata.
    pub labels: Labels,
}

impl BrandDetails {
    /// The least a brand can be: a name, which is the sender's as well.
    pub fn named(name: BrandName) -> Self {
        Self {
            email_from_name: name.clone(),
            name,
            logo_url: None,
            primary_color: None,
            secondary_color: None,
            email_signature_html: None,
            email_signature_text: None,
            ai_sender_name: None,
            ai_sender_title: None,
            ai_sender_avatar_url: None,
            tone: None,
            brand_instructions: None,
            labels: Labels::default(),
        }
    }

    /// The fields as the audit log names them.
    pub fn fields(&self) -> Fields {
        let fields = Fields::new()
            .with("name", self.name.as_str())
            .with("logoUrl", self.logo_url.as_ref().map(HttpsUrl::as_str))
            .with("primaryColor", self.primary_color.as_ref().map(HexColor::as_str))
            .with("secondaryColor", self.secondary_color.as_ref().map(HexColor::as_str))
            .with("emailFromName", self.email_from_name.as_str())
            .with("emailSignatureHtml", self.email_signature_html.as_ref().map(SignatureHtml::as_str))
            .with("emailSignatureText", self.email_signature_text.as_ref().map(SignatureText::as_str))
            .with("aiSenderName", self.ai_sender_name.as_ref().map(SenderName::as_str))
            .with("aiSenderTitle", self.ai_sender_title.as_ref().map(SenderName::as_str))
            .with("aiSenderAvatarUrl", self.ai_sender_avatar_url.as_ref().map(HttpsUrl::as_str))
            .with("tone", self.tone.map(Tone::as_str))
            .with("brandInstructions", self.brand_instructions.as_ref().map(Instructions::as_str));
        self.labels.add_to(fields)
    }
}

impl Brand {
    /// The fields as the audit log names them.
    pub fn fields(&self) -> Fields {
        self.details.fields().with("slug", self.slug.as_str()).with("isDefault", self.is_default)
    }
}

/// What is asked of a brand that is to be created.
#[derive(Debug, Clone)]
pub struct NewBrand {
    /// Everything that stands for itself.
    pub details: BrandDetails,
    /// The slug that was asked for; derived from the name, with a number where it is taken, when `None`.
    pub slug: Option<Slug>,
    /// Whether it takes over from the default brand.
    pub is_default: bool,
}

/// A change to a brand: an outer `None` stays, an inner `None` clears.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of BrandDetails and Brand")]
pub struct BrandPatch {
    pub name: Option<BrandName>,
    pub slug: Option<Slug>,
    pub is_default: Option<bool>,
    pub logo_url: Option<Option<HttpsUrl>>,
    pub primary_color: Option<Option<HexColor>>,
    pub secondary_color: Option<Option<HexColor>>,
    pub email_from_name: Option<SenderName>,
    pub email_signature_html: Option<Option<SignatureHtml>>,
    pub email_signature_text: Option<Option<SignatureText>>,
    pub ai_sender_name: Option<Option<SenderName>>,
    pub ai_sender_title: Option<Option<SenderName>>,
    pub ai_sender_avatar_url: Option<Option<HttpsUrl>>,
    pub tone: Option<Option<Tone>>,
    pub brand_instructions: Option<Option<Instructions>>,
    pub external_id: Option<Option<ExternalId>>,
    pub metadata: Option<MetadataPatch>,
}

impl BrandPatch {
    /// A new brand in which the fields of this change are set, under these names.
    ///
    /// # Errors
    ///
    /// See [`Labels::patched`].
    pub fn creating(&self, name: BrandName, email_from_name: SenderName) -> Result<NewBrand, Error> {
        Ok(NewBrand {
            details: BrandDetails {
                name,
                email_from_name,
                logo_url: self.logo_url.clone().flatten(),
                primary_color: self.primary_color.clone().flatten(),
                secondary_color: self.secondary_color.clone().flatten(),
                email_signature_html: self.email_signature_html.clone().flatten(),
                email_signature_text: self.email_signature_text.clone().flatten(),
                ai_sender_name: self.ai_sender_name.clone().flatten(),
                ai_sender_title: self.ai_sender_title.clone().flatten(),
                ai_sender_avatar_url: self.ai_sender_avatar_url.clone().flatten(),
                tone: self.tone.flatten(),
                brand_instructions: self.brand_instructions.clone().flatten(),
                labels: Labels::default().patched(&self.external_id, &self.metadata)?,
            },
            slug: self.slug.clone(),
            is_default: self.is_default.unwrap_or_default(),
        })
    }
}

impl Brand {
    /// This brand with the change applied; versions and times are the store's to set.
    ///
    /// # Errors
    ///
    /// See [`Labels::patched`].
    pub fn patched(&self, patch: &BrandPatch) -> Result<Self, Error> {
        let was = &self.details;
        Ok(Self {
            slug: kept(&patch.slug, &self.slug),
            is_default: patch.is_default.unwrap_or(self.is_default),
            details: BrandDetails {
                name: kept(&patch.name, &was.name),
                logo_url: kept(&patch.logo_url, &was.logo_url),
                primary_color: kept(&patch.primary_color, &was.primary_color),
                secondary_color: kept(&patch.secondary_color, &was.secondary_color),
                email_from_name: kept(&patch.email_from_name, &was.email_from_name),
                email_signature_html: kept(&patch.email_signature_html, &was.email_signature_html),
                email_signature_text: kept(&patch.email_signature_text, &was.email_signature_text),
                ai_sender_name: kept(&patch.ai_sender_name, &was.ai_sender_name),
                ai_sender_title: kept(&patch.ai_sender_title, &was.ai_sender_title),
                ai_sender_avatar_url: kept(&patch.ai_sender_avatar_url, &was.ai_sender_avatar_url),
                tone: kept(&patch.tone, &was.tone),
                brand_instructions: kept(&patch.brand_instructions, &was.brand_instructions),
                labels: was.labels.patched(&patch.external_id, &patch.metadata)?,
            },
            ..self.clone()
        })
    }
}

/// The new value where the patch has one, else what was there.
pub(crate) fn kept<T: Clone>(patch: &Option<T>, was: &T) -> T {
    patch.clone().unwrap_or_else(|| was.clone())
}

/// The refusal of a brand that is not there or not to be seen.
pub fn unknown_brand() -> Error {
    Error::invalid(Refusal::new("not_found", "is not the id of a brand that you can see").of("brandId"))
}
