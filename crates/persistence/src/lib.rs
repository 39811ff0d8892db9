//! The door to the data, and nothing beside it.
//!
//! [`Store::read`] and [`Store::write`] are the only way in: each names a credential, a place and an action, and hands the
//! closure a [`Tx`] or a [`WriteTx`] that already stands in that place. The schema is private, so that no query can be written elsewhere.
//! This crate refuses to know HTTP, and to let a transaction wait for the network: closures are synchronous.

mod admission;
mod agents;
mod api_keys;
mod assignments;
mod attempt;
mod audit_events;
mod audit_partitions;
pub mod backup;
mod brands;
mod conninfo;
mod counts;
mod distribute;
mod door;
mod due;
pub mod embedded;
mod erase;
mod event_ids;
mod examine;
mod fault;
mod founding;
mod freeze;
mod front_desk;
mod idempotency_keys;
mod integrations;
mod invitation_mail;
mod invitation_tokens;
mod invitations;
mod key_uses;
mod keyset;
mod labels;
mod lane;
mod limits;
mod look_ups;
mod mail_limits;
mod mail_waiting;
mod members;
mod migrate;
mod moving;
mod notes;
mod outbox;
mod pages;
mod places;
mod platform;
mod pool;
mod prepared;
mod readiness;
mod recess;
mod refusals;
mod retention;
mod schema;
mod scope;
mod sealed_secrets;
mod seats;
mod slots;
mod standby;
mod subjects;
mod tenants;
mod transfer;
mod tx;
mod usage;
mod webhook_deliveries;
mod webhook_mail;
mod webhook_queue;
mod webhook_secrets;
mod webhooks;
mod workspace_facts;
mod workspaces;

pub use admission::nowhere;
pub use agents::AgentFilter;
pub use api_keys::ApiKeyFilter;
pub use assignments::SHOWN_ASSIGNMENTS;
pub use attempt::{Attempt, Claim, Kept, Outcome, Uncommitted};
pub use audit_events::AuditFilter;
pub use audit_partitions::AuditPartitions;
pub use brands::BrandFilter;
pub use conninfo::ConnectionString;
pub use distribute::{DistributeError, Distributor};
pub use door::{LongAnswer, Store};
pub use erase::{ERASED_TABLES, EraseError, Erased, Eraser};
pub use examine::{Examined, examine};
pub use fault::Fault;
pub use founding::{FirstOwner, Founding};
pub use integrations::{NewSealed, StoredIntegration};
pub use invitation_mail::DueInvitation;
pub use invitations::InvitationFilter;
pub use lane::LaneState;
pub use limits::{FoundLimits, Taken};
pub use look_ups::{Caller, Introspected, Me};
pub use mail_waiting::Waiting;
pub use members::MemberFilter;
pub use migrate::{Lost, MigrateError, Migrated, Migration, MigrationState, Migrator, migration_state};
pub use moving::KeptToken;
pub use outbox::{KeptMessage, Pick};
pub use places::{Place, TenantPlace};
pub use pool::{PoolOptions, PoolState, Prepare, objection_to};
pub use readiness::Unready;
pub use retention::{Ended, Pruner};
pub use sealed_secrets::{DISCARDED_DAYS, StaleSecret};
pub use seats::{Lately, Queue};
pub use slots::Standing;
pub use standby::{Staleness, StandbyState};
pub use subjects::Subject;
pub use tenants::{LastNumbers, TenantFilter};
pub use transfer::{HeldSlot, KeptAssignment, KeptInvitation};
pub use tx::{Tx, WriteTx};
pub use webhook_deliveries::WebhookDeliveryFilter;
pub use webhook_mail::DisabledWebhook;
pub use webhook_queue::{DueDelivery, WebhookLease, WebhookOutcome, WebhookTurn};
pub use webhook_secrets::StaleWebhook;
pub use webhooks::{NewWebhook, SealedWebhook, StoredWebhook};
pub use workspace_facts::WorkspaceFacts;
pub use workspaces::{KeptWorkspace, WorkspaceFilter};

/// A new identifier: a UUID of version 7 (RFC 9562), so that rows of one time lie together.
pub fn new_id<K>() -> tenantry_domain::Id<K> {
    tenantry_domain::Id::from_uuid(uuid::Uuid::now_v7())
}
