//! The kinds of things there are, and their typed identifiers: a brand's id never stands where a workspace's is meant.

use std::{
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
    str::FromStr,
};

use uuid::Uuid;

use crate::{
    Refusal,
    input::{Description, Input},
    values::Choice,
};

/// A kind of thing that has an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is described at its own type")]
pub enum Noun {
    Tenant,
    Brand,
    Workspace,
    Member,
    Invitation,
    ApiKey,
    Integration,
    Agent,
    UsageEntry,
    OutboxMessage,
    AuditEvent,
    Webhook,
    WebhookDelivery,
}

impl Choice for Noun {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::Tenant, "tenant"),
        (Self::Brand, "brand"),
        (Self::Workspace, "workspace"),
        (Self::Member, "member"),
        (Self::Invitation, "invitation"),
        (Self::ApiKey, "api_key"),
        (Self::Integration, "integration"),
        (Self::Agent, "agent"),
        (Self::UsageEntry, "usage_entry"),
        (Self::OutboxMessage, "outbox_message"),
        (Self::AuditEvent, "audit_event"),
        (Self::Webhook, "webhook"),
        (Self::WebhookDelivery, "webhook_delivery"),
    ];
}
crate::values::choices!(Noun);

impl Noun {
    /// The word inside a sentence: `API key`, `outbox message`.
    pub fn lower_case(self) -> String {
        self.as_str().replace('_', " ").replace("api ", "API ")
    }

    /// The word at the start of a sentence: `API key`, `Outbox message`.
    pub fn capitalised(self) -> String {
        let words = self.lower_case();
        words.chars().take(1).flat_map(char::to_uppercase).chain(words.chars().skip(1)).collect()
    }
}

/// What an identifier identifies; gives each kind of id its word in messages and in the audit log.
pub trait Identified {
    /// The noun.
    const NOUN: Noun;
}

/// The identifier of one `K`: a UUID, version 7 when Tenantry made it.
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

/// Identifies a tenant.
pub type TenantId = Id<crate::Tenant>;
/// Identifies a brand within its tenant.
pub type BrandId = Id<crate::Brand>;
/// Identifies a workspace within its tenant.
pub type WorkspaceId = Id<crate::Workspace>;
/// Identifies an API key within its tenant; says nothing about its secret.
pub type ApiKeyId = Id<crate::ApiKey>;
/// Identifies a member within its tenant; the same person has another one in another tenant.
pub type MemberId = Id<crate::Member>;
/// Identifies an invitation within its tenant; says nothing about its token.
pub type InvitationId = Id<crate::Invitation>;
/// Identifies a message in the outbox of its tenant.
pub type OutboxMessageId = Id<crate::OutboxMessage>;
/// Identifies an AI agent within its tenant.
pub type AgentId = Id<crate::Agent>;
/// Identifies an entry of the ledger of usage within its tenant.
pub type UsageEntryId = Id<crate::UsageEntry>;
/// Identifies an entry of the audit log.
pub type AuditEventId = Id<crate::AuditEvent>;
/// Identifies a webhook within its tenant.
pub type WebhookId = Id<crate::Webhook>;
/// Identifies a delivery to a webhook: by the event that is delivered.
pub type WebhookDeliveryId = Id<crate::WebhookDelivery>;

impl<K> Id<K> {
    /// Takes over a UUID that is known to be one of a `K`.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The UUID itself.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl TenantId {
    /// The platform's own: it is nobody's account and in no list, and has the platform's webhooks with what they are told.
    pub const PLATFORM: Self = Self::from_uuid(Uuid::max());
}

impl<K> From<Id<K>> for Uuid {
    fn from(id: Id<K>) -> Self {
        id.0
    }
}

impl<K: Identified> FromStr for Id<K> {
    type Err = Refusal;

    /// Reads the hyphenated form of RFC 9562, in either case; braces, `urn:uuid:` and bare digits are refused.
    fn from_str(raw: &str) -> Result<Self, Refusal> {
        let hyphenated = raw.len() == 36 && raw.is_ascii();
        match Uuid::try_parse(raw) {
            Ok(uuid) if hyphenated => Ok(Self::from_uuid(uuid)),
            _ => Err(Refusal::new("not_a_uuid", "must be a UUID such as 0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48")),
        }
    }
}

impl<K: Identified> Input for Id<K> {
    type Raw = str;

    fn read(raw: &str) -> Result<Self, Refusal> {
        raw.parse()
    }

    fn description() -> Description {
        Description::text("").format("uuid")
    }
}

// Written out, because a derive would ask `K` to be all of this too.
impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

pub mod demo {
    //! The ids of the demo tenant and of what it starts with. They are fixed, and the examples of the OpenAPI document name them: so every
    //! example can be sent to a new demo service as it is written.

    use uuid::{Uuid, uuid};

    use super::{
        AgentId, ApiKeyId, AuditEventId, BrandId, InvitationId, MemberId, Noun, TenantId, WebhookId, WorkspaceId,
    };

    /// The tenant.
    pub const TENANT: TenantId = TenantId::from_uuid(uuid!("a0b1c2d3-4567-49ab-8def-0123456789ab"));
    /// Its default brand.
    pub const BRAND: BrandId = BrandId::from_uuid(uuid!("b1a2c3d4-5678-4abc-9ef0-1234567890ab"));
    /// A brand without workspaces, which can be deleted.
    pub const OTHER_BRAND: BrandId = BrandId::from_uuid(uuid!("b2a2c3d4-5678-4abc-9ef0-1234567890ab"));
    /// Its workspace.
    pub const WORKSPACE: WorkspaceId = WorkspaceId::from_uuid(uuid!("c1a2b3c4-5678-4abc-9ef0-1234567890ab"));
    /// A key that nobody has the secret of. The owner's key is another one, so that nobody locks themselves out by trying things.
    pub const API_KEY: ApiKeyId = ApiKeyId::from_uuid(uuid!("d1a2b3c4-5678-4abc-9ef0-1234567890ab"));
    /// A member who is assigned to the workspace.
    pub const MEMBER: MemberId = MemberId::from_uuid(uuid!("e1a2b3c4-5678-4abc-9ef0-1234567890ab"));
    /// An agent of the workspace.
    pub const AGENT: AgentId = AgentId::from_uuid(uuid!("f1a2b3c4-5678-4abc-9ef0-1234567890ab"));
    /// An invitation to the workspace. Its email is never sent.
    pub const INVITATION: InvitationId = InvitationId::from_uuid(uuid!("01a2b3c4-5678-4abc-9ef0-1234567890ab"));

    /// What another system calls the tenant, its brand without workspaces, and its workspace.
    pub const EXTERNAL_ID: &str = "crm-4711";
    /// A webhook. Nobody is at its address.
    pub const WEBHOOK: WebhookId = WebhookId::from_uuid(uuid!("11a2b3c4-5678-4abc-9ef0-1234567890ab"));
    /// A test of the webhook, which is delivered to it. Its id is of a time before there were any events.
    pub const WEBHOOK_TEST: AuditEventId = AuditEventId::from_uuid(uuid!("0192b3c4-5678-7abc-9ef0-1234567890ab"));
    /// What another system calls something that is not there yet.
    pub const NEW_EXTERNAL_ID: &str = "crm-4713";

    /// The id of the demo tenant's thing of this kind that anything can be done to, where it starts with one.
    pub fn id_of(noun: Noun) -> Option<Uuid> {
        match noun {
            Noun::Tenant => Some(TENANT.uuid()),
            Noun::Brand => Some(OTHER_BRAND.uuid()),
            Noun::Workspace => Some(WORKSPACE.uuid()),
            Noun::Member => Some(MEMBER.uuid()),
            Noun::Invitation => Some(INVITATION.uuid()),
            Noun::ApiKey => Some(API_KEY.uuid()),
            Noun::Agent => Some(AGENT.uuid()),
            Noun::Webhook => Some(WEBHOOK.uuid()),
            Noun::WebhookDelivery => Some(WEBHOOK_TEST.uuid()),
            Noun::Integration | Noun::UsageEntry | Noun::OutboxMessage | Noun::AuditEvent => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        let good = "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48";
        assert!(WorkspaceId::from_str(good).is_ok());
        assert_eq!(WorkspaceId::from_str(&good.to_uppercase()), WorkspaceId::from_str(good));
        for bad in [
            "",
            "1",
            &good.replace('-', ""),
            &format!("{{{good}}}"),
            &format!("urn:uuid:{good}"),
            "w1a2b3c4-5678-9abc-def0-1234567890ab",
        ] {
            assert!(WorkspaceId::from_str(bad).is_err(), "{bad}");
        }
    }
}
