//! The workspace: an operational unit under one brand, typically a region, business unit or product line.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{
    Brand, BrandId, Error, ExternalId, FieldRefusal, Instructions, Labels, LimitsInForce, Locale, LocaleRequest,
    MetadataPatch, Noun, Refusal, SignatureHtml, SignatureText, TenantId, WorkspaceId, WorkspaceName, audit::Fields,
    brand::kept, ids::Identified, page::SortKey, values::Choice,
};

/// For how many days a deleted workspace can be restored before it is erased.
pub const RESTORABLE_DAYS: i32 = 30;

/// A workspace as it is stored: its own values, nothing inherited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Its identifier.
    pub id: WorkspaceId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// What its users may change.
    pub details: WorkspaceDetails,
    /// Counts the visible changes, from 1.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was deleted; it can be restored until [`Workspace::erased_at`].
    pub deleted_at: Option<DateTime<Utc>>,
}

/// Whether a workspace is there, or was deleted and can be restored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WorkspaceState {
    /// It is there.
    #[default]
    Active,
    /// It was deleted and can be restored.
    Deleted,
}

impl Choice for WorkspaceState {
    const ALL: &'static [(Self, &'static str)] = &[(Self::Active, "active"), (Self::Deleted, "deleted")];
    const MEANING: &'static str = "Whether a workspace is active, or deleted and can be restored.";
}
crate::values::choices!(WorkspaceState);

impl Workspace {
    /// When a deleted workspace is erased for good.
    pub fn erased_at(&self) -> Option<DateTime<Utc>> {
        self.deleted_at.map(|at| at + TimeDelta::days(RESTORABLE_DAYS.into()))
    }
}

impl Identified for Workspace {
    const NOUN: Noun = Noun::Workspace;
}

impl SortKey for Workspace {
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

/// The part of a workspace that its users may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceDetails {
    /// The brand it operates under.
    pub brand_id: BrandId,
    /// Display name.
    pub name: WorkspaceName,
    /// Country, language, currency and type.
    pub locale: Locale,
    /// Instructions to the AI, after those of the brand.
    pub workspace_instructions: Option<Instructions>,
    /// Overrides the brand's HTML signature.
    pub email_signature_html: Option<SignatureHtml>,
    /// Overrides the brand's plain-text signature.
    pub email_signature_text: Option<SignatureText>,
    /// External ID and metadata.
    pub labels: Labels,
}

/// What is asked of a workspace that is to be created; its brand is the place it is created in.
#[derive(Debug, Clone)]
pub struct NewWorkspace {
    /// Display name.
    pub name: WorkspaceName,
    /// Country, language, currency and type, any of them left out.
    pub locale: LocaleRequest,
    /// See [`WorkspaceDetails::workspace_instructions`].
    pub workspace_instructions: Option<Instructions>,
    /// See [`WorkspaceDetails::email_signature_html`].
    pub email_signature_html: Option<SignatureHtml>,
    /// See [`WorkspaceDetails::email_signature_text`].
    pub email_signature_text: Option<SignatureText>,
    /// See [`WorkspaceDetails::labels`].
    pub labels: Labels,
}

impl NewWorkspace {
    /// The whole of the new workspace, with what the request left out filled in.
    ///
    /// # Errors
    ///
    /// See [`LocaleRequest::resolve`].
    pub fn details(&self, brand_id: BrandId, defaults: &Locale) -> Result<WorkspaceDetails, Vec<FieldRefusal>> {
        Ok(WorkspaceDetails {
            brand_id,
            name: self.name.clone(),
            locale: self.locale.resolve(Some(defaults))?,
            workspace_instructions: self.workspace_instructions.clone(),
            email_signature_html: self.email_signature_html.clone(),
            email_signature_text: self.email_signature_text.clone(),
            labels: self.labels.clone(),
        })
    }
}

/// A change to a workspace: an outer `None` stays, an inner `None` clears.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of WorkspaceDetails")]
pub struct WorkspacePatch {
    pub brand_id: Option<BrandId>,
    pub name: Option<WorkspaceName>,
    pub locale: LocaleRequest,
    pub workspace_instructions: Option<Option<Instructions>>,
    pub email_signature_html: Option<Option<SignatureHtml>>,
    pub email_signature_text: Option<Option<SignatureText>>,
    pub external_id: Option<Option<ExternalId>>,
    pub metadata: Option<MetadataPatch>,
}

impl WorkspacePatch {
    /// A new workspace in which the fields of this change are set, under this name.
    ///
    /// # Errors
    ///
    /// See [`Labels::patched`].
    pub fn creating(&self, name: WorkspaceName) -> Result<NewWorkspace, Error> {
        Ok(NewWorkspace {
            name,
            locale: self.locale,
            workspace_instructions: self.workspace_instructions.clone().flatten(),
            email_signature_html: self.email_signature_html.clone().flatten(),
            email_signature_text: self.email_signature_text.clone().flatten(),
            labels: Labels::default().patched(&self.external_id, &self.metadata)?,
        })
    }
}

impl WorkspaceDetails {
    /// These details with the change applied; language and currency do not follow a new country.
    ///
    /// # Errors
    ///
    /// See [`Labels::patched`].
    pub fn patched(&self, patch: &WorkspacePatch) -> Result<Self, Error> {
        Ok(Self {
            brand_id: patch.brand_id.unwrap_or(self.brand_id),
            name: kept(&patch.name, &self.name),
            locale: Locale {
                country: patch.locale.country.unwrap_or(self.locale.country),
                language: patch.locale.language.unwrap_or(self.locale.language),
                currency: patch.locale.currency.unwrap_or(self.locale.currency),
                workspace_type: patch.locale.workspace_type.unwrap_or(self.locale.workspace_type),
            },
            workspace_instructions: kept(&patch.workspace_instructions, &self.workspace_instructions),
            email_signature_html: kept(&patch.email_signature_html, &self.email_signature_html),
            email_signature_text: kept(&patch.email_signature_text, &self.email_signature_text),
            labels: self.labels.patched(&patch.external_id, &patch.metadata)?,
        })
    }

    /// The fields as the audit log names them.
    pub fn fields(&self) -> Fields {
        let fields = Fields::new()
            .with("brandId", self.brand_id.to_string())
            .with("name", self.name.as_str())
            .with("country", self.locale.country.as_str())
            .with("operatingLanguage", self.locale.language.as_str())
            .with("currency", self.locale.currency.as_str())
            .with("workspaceType", self.locale.workspace_type.as_str())
            .with("workspaceInstructions", self.workspace_instructions.as_ref().map(Instructions::as_str))
            .with("emailSignatureHtml", self.email_signature_html.as_ref().map(SignatureHtml::as_str))
            .with("emailSignatureText", self.email_signature_text.as_ref().map(SignatureText::as_str));
        self.labels.add_to(fields)
    }
}

/// The source of a value in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingSource {
    /// Set on the workspace.
    Workspace,
    /// Set on its brand.
    Brand,
    /// Joined from brand and workspace.
    BrandAndWorkspace,
    /// Set nowhere.
    None,
}

impl Choice for SettingSource {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::Workspace, "workspace"),
        (Self::Brand, "brand"),
        (Self::BrandAndWorkspace, "brand+workspace"),
        (Self::None, "none"),
    ];
    const MEANING: &'static str = "The source of a value in force.";
}

/// A value in force, with where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value; `None` exactly when the source is [`SettingSource::None`].
    pub value: Option<T>,
    /// Where it comes from.
    pub source: SettingSource,
}

/// What is in force in a workspace once its brand has filled what it leaves open, and its tenant has capped it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of Workspace and Brand")]
pub struct Effective {
    pub email_signature_html: Sourced<String>,
    pub email_signature_text: Sourced<String>,
    pub instructions: Sourced<String>,
    pub email_from_name: Sourced<String>,
    pub ai_sender_name: Sourced<String>,
    pub ai_sender_title: Sourced<String>,
    pub ai_sender_avatar_url: Sourced<String>,
    pub tone: Sourced<String>,
    pub limits: LimitsInForce,
}

impl Effective {
    /// Resolves what is in force: each signature falls back to the brand's on its own; instructions are the brand's, a
    /// blank line, then the workspace's; who sends, and in which tone, is the brand's; of limits the smaller one holds.
    pub fn of(workspace: &WorkspaceDetails, brand: &Brand, limits: LimitsInForce) -> Self {
        let brand = &brand.details;
        let of_brand = |value: Option<&str>| overridden(None, value);
        Self {
            email_signature_html: overridden(
                workspace.email_signature_html.as_ref().map(SignatureHtml::as_str),
                brand.email_signature_html.as_ref().map(SignatureHtml::as_str),
            ),
            email_signature_text: overridden(
                workspace.email_signature_text.as_ref().map(SignatureText::as_str),
                brand.email_signature_text.as_ref().map(SignatureText::as_str),
            ),
            instructions: combined(
                brand.brand_instructions.as_ref().map(Instructions::as_str),
                workspace.workspace_instructions.as_ref().map(Instructions::as_str),
            ),
            email_from_name: of_brand(Some(brand.email_from_name.as_str())),
            ai_sender_name: of_brand(brand.ai_sender_name.as_ref().map(|v| v.as_str())),
            ai_sender_title: of_brand(brand.ai_sender_title.as_ref().map(|v| v.as_str())),
            ai_sender_avatar_url: of_brand(brand.ai_sender_avatar_url.as_ref().map(|v| v.as_str())),
            tone: of_brand(brand.tone.map(|v| v.as_str())),
            limits,
        }
    }
}

fn overridden(workspace: Option<&str>, brand: Option<&str>) -> Sourced<String> {
    let (value, source) = match (workspace, brand) {
        (Some(value), _) => (Some(value), SettingSource::Workspace),
        (None, Some(value)) => (Some(value), SettingSource::Brand),
        (None, None) => (None, SettingSource::None),
    };
    Sourced { value: value.map(str::to_owned), source }
}

fn combined(brand: Option<&str>, workspace: Option<&str>) -> Sourced<String> {
    match (brand, workspace) {
        (Some(brand), Some(workspace)) => {
            Sourced { value: Some(format!("{brand}\n\n{workspace}")), source: SettingSource::BrandAndWorkspace }
        }
        _ => overridden(workspace, brand),
    }
}

/// The refusal of a workspace that is not there or not to be seen.
pub fn unknown_workspace() -> Error {
    Error::invalid(Refusal::new("not_found", "is not the id of a workspace that you can see").of("workspaceId"))
}

/// The refusal of a list of workspaces of which this one is not there or not to be seen.
pub fn unknown_workspace_among(id: WorkspaceId) -> Error {
    Error::invalid(
        Refusal::new("not_found", format!("contains {id}, which is not the id of a workspace that you can see"))
            .of("workspaceIds"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_overrides_and_instructions_add_up() {
        assert_eq!(
            overridden(Some("w"), Some("b")),
            Sourced { value: Some("w".into()), source: SettingSource::Workspace }
        );
        assert_eq!(overridden(None, Some("b")), Sourced { value: Some("b".into()), source: SettingSource::Brand });
        assert_eq!(overridden(None, None), Sourced { value: None, source: SettingSource::None });
        assert_eq!(
            combined(Some("b"), Some("w")),
            Sourced { value: Some("b\n\nw".into()), source: SettingSource::BrandAndWorkspace }
        );
        assert_eq!(combined(Some("b"), None).source, SettingSource::Brand);
        assert_eq!(combined(None, Some("w")).source, SettingSource::Workspace);
    }
}
