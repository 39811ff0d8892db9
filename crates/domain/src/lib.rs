//! Tenantry's words and rules: no input, no output, no framework.
//!
//! Every value here is valid by construction: newtypes are made by [`FromStr`](std::str::FromStr) and by nothing else, and
//! say in a [`Refusal`] why they were not. Rules are plain functions over these values; time and randomness are passed in.
//! This crate refuses to know HTTP, SQL, settings and clocks.

mod actor;
mod agent;
mod api_key;
mod audit;
mod brand;
mod calendar;
mod chain;
mod codes;
mod conflict;
mod counted;
mod credential_id;
mod destination;
mod email;
mod error;
#[cfg(test)]
mod fuzz;
mod idempotency;
mod ids;
mod input;
mod instant;
mod integration;
mod introspection;
mod invitation;
mod labels;
mod limits;
mod mail_limits;
mod member;
mod month;
mod network;
mod number;
mod outbox;
mod page;
mod permission;
mod place;
mod policy;
mod provider;
mod rate;
mod refusal;
mod retention;
mod role;
mod scope;
mod sealing;
mod service_url;
mod signature;
mod tenant;
mod text;
mod time_zone;
mod usage;
mod values;
mod voice;
mod web_address;
mod webhook;
mod weight;
mod whole_seconds;
mod workspace;

pub use actor::{
    ACTOR_KINDS, Actor, Credential, Grant, Holder, Invitee, IssuerName, Level, Maker, NoEmail, Origin, Person, Reach,
    SecretHash, Subject, TrustedFor,
};
pub use agent::{Agent, AgentDetails, AgentPatch, AgentStatus};
pub use api_key::{ApiKey, ApiKeyDetails, KeyMode, NewApiKey, Overlap, own_api_key};
pub use audit::{AuditEvent, AuditRecord, Change, Fields, Record, Written};
pub use brand::{Brand, BrandDetails, BrandPatch, NewBrand, unknown_brand};
pub use calendar::{Calendar, CalendarDescription, CalendarName};
pub use chain::chain;
pub use codes::{CountryCode, CurrencyCode, LanguageCode};
pub use conflict::Conflict;
pub use counted::counted;
pub use credential_id::CredentialId;
pub use destination::{Destinations, WebhookUrl};
pub use email::EmailAddress;
pub use error::{Error, Precondition, Unauthenticated};
pub use idempotency::{IDEMPOTENCY_DAYS, IdempotencyKey};
pub use ids::{
    AgentId, ApiKeyId, AuditEventId, BrandId, Id, Identified, InvitationId, MemberId, Noun, OutboxMessageId, TenantId,
    UsageEntryId, WebhookDeliveryId, WebhookId, WorkspaceId, demo,
};
pub use input::{Description, Form, Input};
pub use instant::{Instant, time_text};
pub use integration::{ConnectionStatus, Integration, IntegrationPatch, SecretTrace, Verification, VerificationStatus};
pub use introspection::{Denial, MAX_QUESTIONS, Question};
pub use invitation::{
    Invitation, InvitationDays, InvitationDetails, InvitationOffer, InvitationPreview, InvitationState, PreviewState,
};
pub use labels::{
    ExternalId, Labels, Metadata, MetadataName, MetadataPatch, MetadataValue, entry, entry_name, entry_value,
    sees_too_little_to_name,
};
pub use limits::{Limit, LimitSource, LimitsInForce, WorkspaceLimits, WorkspaceLimitsPatch};
pub use mail_limits::{MAIL_WINDOW_HOURS, MailLimit, MailLimits};
pub use member::{Assignment, Member, MemberDetails, MemberPatch, MemberStatus, Slot, SlotHolder, last_owner};
pub use month::Month;
pub use network::network;
pub use number::{Number, Numbered, SlotNumber, WorkspaceNumber};
pub use outbox::{
    ATTEMPTS, Delivery, DeliveryState, Mail, OutboxMessage, OutboxState, THE_EMAIL, THE_RECIPIENT, WAS_REFUSED, pause,
};
pub use page::{LogSort, Page, PageLimit, PageRequest, PeopleSort, Position, Sort, SortBy, SortKey};
pub use permission::{KeyScope, NotDeclarable, Permission, PermissionName, Permissions};
pub use place::{InBrand, InMember, InRestorableWorkspace, InTenant, InWorkspace, OverTenant, Platform};
pub use policy::{Action, KeyRule, May, POLICY, Roles, Rule, may_grant, may_manage_members, permit, policy_table};
pub use provider::{
    API_KEY_SECRET, API_KEY_SID, AccountSid, ApiKeySid, ElevenLabsRegion, LocationId, PlainField, Provider,
    REFRESH_TOKEN, REGION, TwilioRegion,
};
pub use rate::{RequestRate, Requests};
pub use refusal::{FieldRefusal, REFUSAL_CODES, Refusal};
pub use retention::Retention;
pub use role::Role;
pub use scope::Scope;
pub use sealing::{MasterKeyId, PlainSecret, SealedSecret};
pub use service_url::{is_this_machine, private_service_url, service_url};
pub use signature::{MAX_REMOVED, Removed, RemovedKind, SignatureHandling, SignatureHtml};
pub use tenant::{
    Cap, Limits, LimitsPatch, Locale, LocaleRequest, NewTenant, PlatformPatch, TENANT_RESTORABLE_DAYS, Tenant,
    TenantDetails, TenantPatch, TenantState, Use, limit_reached,
};
pub use text::{
    AgentName, AgentReference, ApiKeyName, BrandName, Instructions, Line, Paragraphs, SenderName, SignatureText,
    TenantName, UsageReference, VoiceName, WorkspaceName,
};
pub use time_zone::TimeZone;
pub use usage::{MonthUse, NewUsage, RECORDABLE_DAYS, THRESHOLDS, UsageEntry, UsageKind, UsageSeconds, UsedAt};
pub use values::{Choice, ForeignId, HexColor, HttpsUrl, Slug, Tone, WorkspaceType};
pub use voice::{Voice, VoiceBrand, VoiceLabel};
pub use webhook::{
    DISABLED_AFTER_DAYS, DisabledReason, MAX_WEBHOOKS, WEBHOOK_ATTEMPTS, Webhook, WebhookDelivery,
    WebhookDeliveryState, WebhookDescription, WebhookDetails, WebhookEvent, WebhookPatch, webhook_pause, webhook_rest,
};
pub use weight::Weight;
pub use whole_seconds::whole_seconds;
pub use workspace::{
    Effective, NewWorkspace, RESTORABLE_DAYS, SettingSource, Sourced, Workspace, WorkspaceDetails, WorkspacePatch,
    WorkspaceState, unknown_workspace, unknown_workspace_among,
};
