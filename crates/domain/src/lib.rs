//! Tenantry's words and rules: no input, no output, no framework.
//!
//! Every value here is valid by construction: newtypes are made by [`FromStr`](std::str::FromStr) and by nothing else, and
//! say in a [`Refusal`] why they were not. Rules are plain functions over these values; time and randomness are passed in.
//! This crate refuses to know HTTP, SQL, settings and clocks.

mod actor;
mod api_key;
mod audit;
mod brand;
mod codes;
mod email;
mod error;
mod ids;
mod page;
mod place;
mod policy;
mod refusal;
mod signature;
mod tenant;
mod text;
mod values;
mod workspace;

pub use actor::{Actor, Credential, Grant, Holder, Level, Origin, Reach, SecretHash};
pub use api_key::{ApiKey, ApiKeyDetails, KeyMode, NewApiKey, Overlap};
pub use audit::{AuditEvent, Change, Members};
pub use brand::{Brand, BrandDetails, BrandPatch, NewBrand};
pub use codes::{CountryCode, CurrencyCode, LanguageCode};
pub use email::EmailAddress;
pub use error::{Error, Precondition, Unauthenticated};
pub use ids::{ApiKeyId, AuditEventId, BrandId, Id, Identified, TenantId, WorkspaceId};
pub use page::{Page, PageLimit, PageRequest, Position, Sort, SortBy, SortKey};
pub use place::{InBrand, InRestorableWorkspace, InTenant, InWorkspace, Platform};
pub use policy::{Action, KeyRule, POLICY, Rule, Scope, permit};
pub use refusal::{FieldRefusal, Refusal};
pub use signature::SignatureHtml;
pub use tenant::{Locale, LocaleRequest, NewTenant, Tenant, TenantDetails, TenantPatch};
pub use text::{
    ApiKeyName, BrandName, Instructions, Line, Paragraphs, SenderName, SignatureText, TenantName, WorkspaceName,
};
pub use values::{Choice, HexColor, HttpsUrl, Slug, Tone, WorkspaceType};
pub use workspace::{
    Effective, NewWorkspace, RESTORABLE_DAYS, Source, Sourced, Workspace, WorkspaceDetails, WorkspacePatch,
};
