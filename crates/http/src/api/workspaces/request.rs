//! What a caller asks of workspaces.

use tenantry_domain::{
    BrandId, CountryCode, CurrencyCode, ExternalId, Instructions, Labels, LanguageCode, LocaleRequest, NewWorkspace,
    SignatureHtml, SignatureText, Sort, WorkspaceName, WorkspacePatch, WorkspaceState, WorkspaceType, demo,
};
use tenantry_operations::WorkspaceFilter;

use crate::extract::{
    ChangedMetadata, Clearable, Filters, MatchedMetadata, NewMetadata, Nullable, Optional, OptionalAs, OrDefault,
    Required, query, request,
};

request! {
    /// A workspace to create. If you leave out language or currency, it follows the country. Without a country, all
    /// three are the tenant's defaults.
    #[example({
        "name": "Nordics",
        "brandId": demo::BRAND.to_string(),
        "country": "SE",
        "workspaceType": "b2c",
        "workspaceInstructions": "Quote delivery times in working days.",
        "emailSignatureText": "Vänliga hälsningar,\nAcme Nordics",
        "externalId": "crm-4712",
        "metadata": { "tier": "gold" },
    })]
    pub(crate) struct CreateWorkspace {
        /// Display name.
        name: Required<WorkspaceName>,
        /// The brand to operate under. Default: the tenant's default brand.
        brand_id: Optional<BrandId>,
        country: Optional<CountryCode>,
        operating_language: Optional<LanguageCode>,
        currency: Optional<CurrencyCode>,
        workspace_type: Optional<WorkspaceType>,
        /// Instructions for the AI.
        workspace_instructions: Nullable<Instructions>,
        /// Email signature.
        email_signature_html: Nullable<SignatureHtml>,
        /// Email signature in plain text.
        email_signature_text: Nullable<SignatureText>,
        /// The workspace's ID in another system, unique in the tenant.
        external_id: Nullable<ExternalId>,
        /// Your own notes about the workspace.
        metadata: NewMetadata,
    }
}

impl CreateWorkspace {
    pub(super) fn into_domain(self) -> (Option<BrandId>, NewWorkspace) {
        let locale = LocaleRequest {
            country: self.country,
            language: self.operating_language,
            currency: self.currency,
            workspace_type: self.workspace_type,
        };
        let new = NewWorkspace {
            name: self.name,
            locale,
            workspace_instructions: self.workspace_instructions,
            email_signature_html: self.email_signature_html,
            email_signature_text: self.email_signature_text,
            labels: Labels { external_id: self.external_id, metadata: self.metadata },
        };
        (self.brand_id, new)
    }
}

request! {
    /// A change to a workspace, as a JSON merge patch (RFC 7396): fields you leave out keep their value, and `null`
    /// clears a field. Language and currency do not follow a new country.
    #[example({ "name": "DACH and Liechtenstein", "emailSignatureHtml": null })]
    pub(crate) struct UpdateWorkspace {
        /// Display name.
        name: Optional<WorkspaceName>,
        /// Moves the workspace to another brand.
        brand_id: Optional<BrandId>,
        country: Optional<CountryCode>,
        operating_language: Optional<LanguageCode>,
        currency: Optional<CurrencyCode>,
        workspace_type: Optional<WorkspaceType>,
        /// Instructions for the AI.
        workspace_instructions: Clearable<Instructions>,
        /// Email signature.
        email_signature_html: Clearable<SignatureHtml>,
        /// Email signature in plain text.
        email_signature_text: Clearable<SignatureText>,
        /// The workspace's ID in another system, unique in the tenant.
        external_id: Clearable<ExternalId>,
        /// Your own notes about the workspace. What you leave out stays.
        metadata: ChangedMetadata,
    }
}

impl UpdateWorkspace {
    pub(super) fn into_domain(self) -> WorkspacePatch {
        let locale = LocaleRequest {
            country: self.country,
            language: self.operating_language,
            currency: self.currency,
            workspace_type: self.workspace_type,
        };
        WorkspacePatch {
            brand_id: self.brand_id,
            name: self.name,
            locale,
            workspace_instructions: self.workspace_instructions,
            email_signature_html: self.email_signature_html,
            email_signature_text: self.email_signature_text,
            external_id: self.external_id,
            metadata: self.metadata,
        }
    }
}

request! {
    /// A workspace to create or to change. `name` is always needed; other fields you leave out keep their value, or are as in a new workspace.
    #[example({ "name": "Nordics", "country": "SE", "metadata": { "tier": "gold" } })]
    pub(crate) struct PutWorkspace {
        /// Display name.
        name: Required<WorkspaceName>,
        /// The brand to operate under. An existing workspace moves to it. Default for a new one: the tenant's default brand.
        brand_id: Optional<BrandId>,
        country: Optional<CountryCode>,
        operating_language: Optional<LanguageCode>,
        currency: Optional<CurrencyCode>,
        workspace_type: Optional<WorkspaceType>,
        /// Instructions for the AI.
        workspace_instructions: Clearable<Instructions>,
        /// Email signature.
        email_signature_html: Clearable<SignatureHtml>,
        /// Email signature in plain text.
        email_signature_text: Clearable<SignatureText>,
        /// Your own notes about the workspace. What you leave out stays.
        metadata: ChangedMetadata,
    }
}

impl PutWorkspace {
    pub(super) fn into_domain(self) -> (WorkspaceName, WorkspacePatch) {
        let locale = LocaleRequest {
            country: self.country,
            language: self.operating_language,
            currency: self.currency,
            workspace_type: self.workspace_type,
        };
        let patch = WorkspacePatch {
            brand_id: self.brand_id,
            locale,
            workspace_instructions: self.workspace_instructions,
            email_signature_html: self.email_signature_html,
            email_signature_text: self.email_signature_text,
            metadata: self.metadata,
            ..WorkspacePatch::default()
        };
        (self.name, patch)
    }
}

query! {
    /// Which workspaces.
    pub(crate) struct WorkspaceFilters => WorkspaceFilter {
        /// Only workspaces in this state. `deleted`: workspaces that can be restored.
        state: OrDefault<WorkspaceState>,
        /// Only workspaces of this brand.
        brand_id: Optional<BrandId>,
        /// Only workspaces in this country.
        country: Optional<CountryCode>,
        /// Only workspaces with this operating language.
        operating_language: Optional<LanguageCode>,
        /// Only workspaces in this currency.
        currency: Optional<CurrencyCode>,
        /// Only workspaces of this type.
        workspace_type: Optional<WorkspaceType>,
        /// Only the workspace with this external ID.
        external_id: Optional<ExternalId>,
        /// Only workspaces with this metadata: one parameter for each entry, such as `metadata.tier=gold`.
        metadata: MatchedMetadata,
        /// Only workspaces whose name contains this text, in upper or lower case, with or without accents.
        search as "q": OptionalAs<WorkspaceName, String>,
    }
}

impl Filters for WorkspaceFilters {
    type Sort = Sort;
}
