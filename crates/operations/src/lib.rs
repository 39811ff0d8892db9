//! One plain function for each verb a caller can ask for.
//!
//! Each reads like the sentence it carries out, and goes through the door once. HTTP, the command line and the service's own
//! jobs call the same functions; what they show is theirs. Emails leave through [`mail`], questions to the services of others
//! through [`providers`]. This crate refuses to know the HTTP of the service itself, and SQL.

pub mod agents;
pub mod api_keys;
pub mod assignments;
pub mod audit_events;
pub mod brands;
pub mod calendars;
mod chance;
pub mod demo;
pub mod housekeeping;
mod insist;
pub mod integrations;
pub mod introspection;
pub mod invitations;
pub mod labels;
pub mod limits;
pub mod mail;
pub mod me;
pub mod members;
pub mod numbered;
mod observed;
pub mod outbox;
pub mod providers;
pub mod slots;
pub mod tenants;
pub mod transfer;
pub mod usage;
pub mod voices;
pub mod webhooks;
pub mod workspaces;

pub use observed::{JobState, LOOK, Observed, Seen};
pub use tenantry_persistence::{
    AgentFilter, ApiKeyFilter, Attempt, AuditFilter, BrandFilter, Claim, FoundLimits, InvitationFilter, Kept,
    LaneState, Lately, LongAnswer, MemberFilter, Outcome, PoolState, Queue, SHOWN_ASSIGNMENTS, Staleness, StandbyState,
    Store, Subject, TenantFilter, Uncommitted, Unready, WebhookDeliveryFilter, WorkspaceFilter,
};
