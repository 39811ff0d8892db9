//! Who may do what: one table. Code asks for what it is about to do and never looks at scopes, roles or actors itself.

use serde::{Serialize, Serializer};

use crate::{Error, Grant, Level, Noun, Permissions, Role, Scope};

mod table;

pub use self::table::policy_table;

/// What a caller can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is described by its row in POLICY")]
pub enum Action {
    MeRead,
    TenantCreate,
    TenantList,
    TenantRead,
    TenantUpdate,
    TenantInspect,
    TenantAdminister,
    TenantSuspend,
    TenantReactivate,
    TenantFreeze,
    TenantUnfreeze,
    TenantDelete,
    TenantRestore,
    TenantErase,
    TenantExport,
    TenantImport,
    BrandCreate,
    BrandList,
    BrandRead,
    BrandUpdate,
    BrandSetDefault,
    BrandDelete,
    WorkspaceCreate,
    WorkspaceList,
    WorkspaceRead,
    WorkspaceUpdate,
    WorkspaceDelete,
    WorkspaceRestore,
    WorkspaceErase,
    VoiceList,
    CalendarList,
    ApiKeyCreate,
    ApiKeyList,
    ApiKeyRead,
    ApiKeyRevoke,
    ApiKeyRotate,
    IntegrationList,
    IntegrationUpdate,
    IntegrationRemove,
    IntegrationVerify,
    IntegrationReseal,
    IntegrationRenew,
    MemberCreate,
    MemberList,
    MemberRead,
    MemberUpdate,
    MemberRemove,
    OwnershipTransfer,
    AssignmentList,
    AssignmentCreate,
    AssignmentRemove,
    InvitationCreate,
    InvitationList,
    InvitationRead,
    InvitationResend,
    InvitationRevoke,
    InvitationAccept,
    AuditEventList,
    AttemptRefuse,
    OutboxList,
    OutboxRetry,
    OutboxDeliver,
    LimitsRead,
    LimitsUpdate,
    AgentCreate,
    AgentList,
    AgentRead,
    AgentUpdate,
    AgentDelete,
    UsageRead,
    UsageRecord,
    UsageRefund,
    UsageBackdate,
    WebhookCreate,
    WebhookList,
    WebhookRead,
    WebhookUpdate,
    WebhookRotate,
    WebhookTest,
    WebhookDelete,
    WebhookDeliveryList,
    WebhookResend,
    WebhookReplay,
    WebhookDeliver,
    WebhookDisable,
}

/// How an API key comes to be allowed an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRule {
    /// Any key of the tenant.
    Any,
    /// A key with this scope that reaches at least this far.
    Scoped(Scope, Level),
    /// No key.
    Never,
}

/// What a role comes to be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    /// Nothing of this.
    No,
    /// This, about itself: the place shows it nobody else.
    Own,
    /// This.
    Yes,
}

/// What each role may, in the order of [`Role`].
pub type Roles = [May; 5];

/// Which operators and services that are nobody's member may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Others {
    operator: bool,
    job: bool,
    platform: bool,
}

/// One row of the policy table.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// What is asked for.
    pub action: Action,
    /// Its name in the audit log and the golden file.
    pub name: &'static str,
    /// The kinds of things that its entries in the audit log are about, mostly one; none for an action that changes nothing.
    pub subjects: &'static [Noun],
    /// For API keys.
    pub key: KeyRule,
    /// For members.
    pub roles: Roles,
    others: Others,
}

const fn read(action: Action, name: &'static str, key: KeyRule, roles: Roles, others: Others) -> Rule {
    Rule { action, name, subjects: &[], key, roles, others }
}

const fn write(
    action: Action,
    name: &'static str,
    subjects: &'static [Noun],
    key: KeyRule,
    roles: Roles,
    others: Others,
) -> Rule {
    Rule { action, name, subjects, key, roles, others }
}

const NO: May = May::No;
const OWN: May = May::Own;
const YES: May = May::Yes;

const NOBODY: Roles = [NO, NO, NO, NO, NO];
const OWNERS: Roles = [YES, NO, NO, NO, NO];
const MANAGERS: Roles = [YES, YES, NO, NO, NO];
/// Who sees workspaces, in so far as they see them.
const READERS: Roles = [YES, YES, NO, YES, YES];
/// Who works in workspaces, in so far as they see them.
const WORKERS: Roles = [YES, YES, NO, YES, NO];
const EVERYBODY: Roles = [YES, YES, YES, YES, YES];
/// Everybody about themselves, managers about others too.
const SELVES: Roles = [YES, YES, OWN, OWN, OWN];

const NONE: Others = Others { operator: false, job: false, platform: false };
const OPS: Others = Others { operator: true, ..NONE };
const JOBS: Others = Others { job: true, ..NONE };
const PLATFORM: Others = Others { operator: true, platform: true, ..NONE };
const ALL: Others = Others { operator: true, job: true, platform: true };

use {Action as A, KeyRule::*, Level as L, Noun as N, Scope as S};

/// The policy: one row for each action, in the order of [`Action`].
pub const POLICY: &[Rule] = &[
    read(A::MeRead, "me.read", Any, EVERYBODY, NONE),
    write(A::TenantCreate, "tenant.create", &[N::Tenant], Never, NOBODY, PLATFORM),
    read(A::TenantList, "tenant.list", Never, NOBODY, ALL),
    read(A::TenantRead, "tenant.read", Scoped(S::TenantRead, L::Workspace), EVERYBODY, OPS),
    write(A::TenantUpdate, "tenant.update", &[N::Tenant], Scoped(S::TenantWrite, L::Tenant), MANAGERS, OPS),
    // The same from above, with what is the platform's to set: nobody inside raises their own limits.
    read(A::TenantInspect, "tenant.inspect", Never, NOBODY, PLATFORM),
    write(A::TenantAdminister, "tenant.administer", &[N::Tenant], Never, NOBODY, PLATFORM),
    write(A::TenantSuspend, "tenant.suspend", &[N::Tenant], Never, NOBODY, PLATFORM),
    write(A::TenantReactivate, "tenant.reactivate", &[N::Tenant], Never, NOBODY, PLATFORM),
    write(A::TenantFreeze, "tenant.freeze", &[N::Tenant], Never, NOBODY, PLATFORM),
    write(A::TenantUnfreeze, "tenant.unfreeze", &[N::Tenant], Never, NOBODY, PLATFORM),
    write(A::TenantDelete, "tenant.delete", &[N::Tenant], Never, NOBODY, PLATFORM),
    write(A::TenantRestore, "tenant.restore", &[N::Tenant], Never, NOBODY, PLATFORM),
    // By the owner of the database, beside the door.
    write(A::TenantErase, "tenant.erase", &[N::Tenant], Never, NOBODY, NONE),
    write(A::TenantExport, "tenant.export", &[N::Tenant], Never, NOBODY, OPS),
    write(A::TenantImport, "tenant.import", &[N::Tenant], Never, NOBODY, OPS),
    write(A::BrandCreate, "brand.create", &[N::Brand], Scoped(S::BrandsWrite, L::Tenant), MANAGERS, OPS),
    read(A::BrandList, "brand.list", Scoped(S::BrandsRead, L::Workspace), READERS, OPS),
    read(A::BrandRead, "brand.read", Scoped(S::BrandsRead, L::Workspace), READERS, OPS),
    write(A::BrandUpdate, "brand.update", &[N::Brand], Scoped(S::BrandsWrite, L::Brand), MANAGERS, OPS),
    // It takes the place of another brand, and decides where new workspaces and most emails belong.
    write(A::BrandSetDefault, "brand.set_default", &[N::Brand], Scoped(S::BrandsWrite, L::Tenant), MANAGERS, OPS),
    write(A::BrandDelete, "brand.delete", &[N::Brand, N::ApiKey], Scoped(S::BrandsWrite, L::Tenant), MANAGERS, OPS),
    write(A::WorkspaceCreate, "workspace.create", &[N::Workspace], Scoped(S::WorkspacesWrite, L::Brand), MANAGERS, OPS),
    read(A::WorkspaceList, "workspace.list", Scoped(S::WorkspacesRead, L::Workspace), READERS, OPS),
    read(A::WorkspaceRead, "workspace.read", Scoped(S::WorkspacesRead, L::Workspace), READERS, OPS),
    write(
        A::WorkspaceUpdate,
        "workspace.update",
        &[N::Workspace],
        Scoped(S::WorkspacesWrite, L::Workspace),
        MANAGERS,
        OPS,
    ),
    write(A::WorkspaceDelete, "workspace.delete", &[N::Workspace], Scoped(S::WorkspacesWrite, L::Brand), MANAGERS, OPS),
    write(
        A::WorkspaceRestore,
        "workspace.restore",
        &[N::Workspace],
        Scoped(S::WorkspacesWrite, L::Brand),
        MANAGERS,
        OPS,
    ),
    write(A::WorkspaceErase, "workspace.erase", &[N::Workspace, N::ApiKey], Never, NOBODY, JOBS),
    read(A::VoiceList, "voice.list", Scoped(S::WorkspacesRead, L::Workspace), READERS, OPS),
    read(A::CalendarList, "calendar.list", Scoped(S::WorkspacesRead, L::Workspace), READERS, OPS),
    write(A::ApiKeyCreate, "api_key.create", &[N::ApiKey], Scoped(S::KeysWrite, L::Tenant), MANAGERS, OPS),
    read(A::ApiKeyList, "api_key.list", Scoped(S::KeysRead, L::Tenant), MANAGERS, OPS),
    read(A::ApiKeyRead, "api_key.read", Scoped(S::KeysRead, L::Tenant), MANAGERS, OPS),
    write(
        A::ApiKeyRevoke,
        "api_key.revoke",
        &[N::ApiKey, N::Invitation],
        Scoped(S::KeysWrite, L::Tenant),
        MANAGERS,
        OPS,
    ),
    write(A::ApiKeyRotate, "api_key.rotate", &[N::ApiKey], Scoped(S::KeysWrite, L::Tenant), MANAGERS, OPS),
    read(A::IntegrationList, "integration.list", Scoped(S::IntegrationsRead, L::Workspace), READERS, OPS),
    write(
        A::IntegrationUpdate,
        "integration.update",
        &[N::Workspace],
        Scoped(S::IntegrationsWrite, L::Workspace),
        MANAGERS,
        OPS,
    ),
    write(
        A::IntegrationRemove,
        "integration.remove",
        &[N::Workspace],
        Scoped(S::IntegrationsWrite, L::Workspace),
        MANAGERS,
        OPS,
    ),
    write(
        A::IntegrationVerify,
        "integration.verify",
        &[N::Workspace],
        Scoped(S::IntegrationsWrite, L::Workspace),
        MANAGERS,
        OPS,
    ),
    write(A::IntegrationReseal, "integration.reseal", &[N::Workspace, N::Tenant, N::Webhook], Never, NOBODY, OPS),
    write(A::IntegrationRenew, "integration.renew", &[N::Workspace], Never, NOBODY, JOBS),
    write(A::MemberCreate, "member.create", &[N::Member], Never, NOBODY, OPS),
    read(A::MemberList, "member.list", Scoped(S::MembersRead, L::Tenant), MANAGERS, OPS),
    read(A::MemberRead, "member.read", Scoped(S::MembersRead, L::Tenant), SELVES, OPS),
    write(
        A::MemberUpdate,
        "member.update",
        &[N::Member, N::Invitation],
        Scoped(S::MembersWrite, L::Tenant),
        MANAGERS,
        OPS,
    ),
    write(
        A::MemberRemove,
        "member.remove",
        &[N::Member, N::Invitation],
        Scoped(S::MembersWrite, L::Tenant),
        SELVES,
        OPS,
    ),
    write(A::OwnershipTransfer, "ownership.transfer", &[N::Member, N::Invitation], Never, OWNERS, NONE),
    read(A::AssignmentList, "assignment.list", Scoped(S::MembersRead, L::Workspace), READERS, OPS),
    write(A::AssignmentCreate, "assignment.create", &[N::Member], Scoped(S::MembersWrite, L::Tenant), MANAGERS, OPS),
    write(
        A::AssignmentRemove,
        "assignment.remove",
        &[N::Member, N::Invitation],
        Scoped(S::MembersWrite, L::Tenant),
        MANAGERS,
        OPS,
    ),
    write(
        A::InvitationCreate,
        "invitation.create",
        &[N::Invitation],
        Scoped(S::MembersWrite, L::Tenant),
        MANAGERS,
        OPS,
    ),
    read(A::InvitationList, "invitation.list", Scoped(S::MembersRead, L::Tenant), MANAGERS, OPS),
    read(A::InvitationRead, "invitation.read", Scoped(S::MembersRead, L::Tenant), MANAGERS, OPS),
    write(
        A::InvitationResend,
        "invitation.resend",
        &[N::Invitation],
        Scoped(S::MembersWrite, L::Tenant),
        MANAGERS,
        OPS,
    ),
    write(
        A::InvitationRevoke,
        "invitation.revoke",
        &[N::Invitation],
        Scoped(S::MembersWrite, L::Tenant),
        MANAGERS,
        OPS,
    ),
    // Who accepts is nobody in the tenant yet: the front desk lets them in, by the token in the message.
    write(A::InvitationAccept, "invitation.accept", &[N::Invitation], Never, NOBODY, NONE),
    read(A::AuditEventList, "audit_event.list", Scoped(S::AuditRead, L::Tenant), MANAGERS, OPS),
    // The service notes it by itself, of what it has refused to an actor whom the tenant knows.
    write(A::AttemptRefuse, "attempt.refuse", &[N::Tenant, N::Brand, N::Workspace, N::Member], Never, NOBODY, NONE),
    read(A::OutboxList, "outbox.list", Never, NOBODY, OPS),
    write(A::OutboxRetry, "outbox.retry", &[N::OutboxMessage], Never, NOBODY, OPS),
    read(A::OutboxDeliver, "outbox.deliver", Never, NOBODY, JOBS),
    read(A::LimitsRead, "limits.read", Scoped(S::WorkspacesRead, L::Workspace), READERS, OPS),
    // Who is restricted to one workspace does not say how much there may be in it.
    write(A::LimitsUpdate, "limits.update", &[N::Workspace], Scoped(S::WorkspacesWrite, L::Brand), MANAGERS, OPS),
    write(A::AgentCreate, "agent.create", &[N::Agent], Scoped(S::WorkspacesWrite, L::Workspace), WORKERS, OPS),
    read(A::AgentList, "agent.list", Scoped(S::WorkspacesRead, L::Workspace), READERS, OPS),
    read(A::AgentRead, "agent.read", Scoped(S::WorkspacesRead, L::Workspace), READERS, OPS),
    write(A::AgentUpdate, "agent.update", &[N::Agent], Scoped(S::WorkspacesWrite, L::Workspace), WORKERS, OPS),
    write(A::AgentDelete, "agent.delete", &[N::Agent], Scoped(S::WorkspacesWrite, L::Workspace), WORKERS, OPS),
    read(A::UsageRead, "usage.read", Scoped(S::UsageRead, L::Workspace), READERS, OPS),
    write(A::UsageRecord, "usage.record", &[N::UsageEntry], Scoped(S::UsageWrite, L::Workspace), WORKERS, OPS),
    // What takes the meaning out of a limit is the tenant's to decide, and not of who records: so it needs more than `usage:write`.
    write(A::UsageRefund, "usage.refund", &[N::UsageEntry], Scoped(S::TenantWrite, L::Tenant), MANAGERS, OPS),
    write(A::UsageBackdate, "usage.backdate", &[N::UsageEntry], Scoped(S::TenantWrite, L::Tenant), MANAGERS, OPS),
    // A webhook hears of everything in the tenant: so it is for those who see all of it. The platform has webhooks in a tenant of its own.
    write(A::WebhookCreate, "webhook.create", &[N::Webhook], Scoped(S::WebhooksWrite, L::Tenant), MANAGERS, PLATFORM),
    read(A::WebhookList, "webhook.list", Scoped(S::WebhooksRead, L::Tenant), MANAGERS, PLATFORM),
    read(A::WebhookRead, "webhook.read", Scoped(S::WebhooksRead, L::Tenant), MANAGERS, PLATFORM),
    write(A::WebhookUpdate, "webhook.update", &[N::Webhook], Scoped(S::WebhooksWrite, L::Tenant), MANAGERS, PLATFORM),
    write(A::WebhookRotate, "webhook.rotate", &[N::Webhook], Scoped(S::WebhooksWrite, L::Tenant), MANAGERS, PLATFORM),
    write(A::WebhookTest, "webhook.test", &[N::Webhook], Scoped(S::WebhooksWrite, L::Tenant), MANAGERS, PLATFORM),
    write(A::WebhookDelete, "webhook.delete", &[N::Webhook], Scoped(S::WebhooksWrite, L::Tenant), MANAGERS, PLATFORM),
    read(A::WebhookDeliveryList, "webhook.deliveries", Scoped(S::WebhooksRead, L::Tenant), MANAGERS, PLATFORM),
    write(A::WebhookResend, "webhook.resend", &[N::Webhook], Scoped(S::WebhooksWrite, L::Tenant), MANAGERS, PLATFORM),
    write(A::WebhookReplay, "webhook.replay", &[N::Webhook], Scoped(S::WebhooksWrite, L::Tenant), MANAGERS, PLATFORM),
    read(A::WebhookDeliver, "webhook.deliver", Never, NOBODY, JOBS),
    write(A::WebhookDisable, "webhook.disable", &[N::Webhook], Never, NOBODY, JOBS),
];

impl Action {
    /// The action's row. A test keeps the table in the order of the enum.
    pub fn rule(self) -> &'static Rule {
        &POLICY[self as usize]
    }

    /// What reads what this action writes. Its answer shows the thing only to who may do that too, and nobody else can name a version
    /// of it. `None` where whoever may write may read anyway, or is asked in another way.
    pub fn reader(self) -> Option<Self> {
        Some(match self {
            Self::TenantUpdate => Self::TenantRead,
            Self::BrandCreate | Self::BrandUpdate | Self::BrandSetDefault | Self::BrandDelete => Self::BrandRead,
            Self::WorkspaceCreate | Self::WorkspaceUpdate | Self::WorkspaceDelete | Self::WorkspaceRestore => {
                Self::WorkspaceRead
            }
            Self::ApiKeyRevoke => Self::ApiKeyRead,
            Self::IntegrationUpdate | Self::IntegrationRemove | Self::IntegrationVerify => Self::IntegrationList,
            Self::LimitsUpdate => Self::LimitsRead,
            Self::AgentCreate | Self::AgentUpdate | Self::AgentDelete => Self::AgentRead,
            Self::UsageRecord | Self::UsageRefund | Self::UsageBackdate => Self::UsageRead,
            Self::WebhookUpdate | Self::WebhookTest | Self::WebhookDelete | Self::WebhookReplay => Self::WebhookRead,
            Self::WebhookResend => Self::WebhookDeliveryList,
            _ => return None,
        })
    }

    /// Whether it goes on in a frozen tenant, and in a deleted one for those above. Such an action changes the state of the tenant, moves it,
    /// or changes how its secrets are stored; it changes nothing that would have to come along.
    pub fn goes_on_frozen(self) -> bool {
        matches!(
            self,
            Self::TenantSuspend
                | Self::TenantReactivate
                | Self::TenantFreeze
                | Self::TenantUnfreeze
                | Self::TenantDelete
                | Self::TenantRestore
                | Self::TenantExport
                | Self::TenantImport
                | Self::IntegrationReseal
        )
    }

    /// The action that the policy table calls this.
    pub fn named(name: &str) -> Option<Self> {
        POLICY.iter().find(|rule| rule.name == name).map(|rule| rule.action)
    }
}

impl Serialize for Action {
    /// Its name in the policy table.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.rule().name)
    }
}

impl Rule {
    /// What the role may.
    pub fn role(&self, role: Role) -> May {
        self.roles[role as usize]
    }

    fn is_for_no_role(&self) -> bool {
        self.roles.iter().all(|may| *may == May::No)
    }
}

/// Whether the grant allows the action.
///
/// # Errors
///
/// [`Error::Forbidden`] with a sentence that says what is missing.
pub fn permit(grant: &Grant, action: Action) -> Result<(), Error> {
    let rule = action.rule();
    match grant {
        Grant::Scopes { scopes, reach, .. } => match rule.key {
            Any => Ok(()),
            Scoped(scope, _) if !scopes.contains(&scope.into()) => Err(Error::missing_scope(scope)),
            Scoped(_, level) => reach.at_least(level),
            Never if rule.is_for_no_role() => Err(not_for_tenants(rule)),
            Never => Err(Error::forbidden("API keys cannot do this. Use a member's access token.")),
        },
        Grant::Role { role, .. } if rule.role(*role) != May::No => Ok(()),
        Grant::Role { .. } if rule.is_for_no_role() => Err(not_for_tenants(rule)),
        Grant::Role { role, .. } => Err(Error::forbidden(format!("The role {role} does not allow this."))),
        Grant::Platform if rule.others.platform => Ok(()),
        Grant::Operator if rule.others.operator => Ok(()),
        Grant::Job if rule.others.job => Ok(()),
        Grant::Platform => Err(Error::forbidden("A platform key manages tenants. It cannot access the data in them.")),
        Grant::Operator | Grant::Job => Err(Error::forbidden("Operators and background jobs cannot do this.")),
    }
}

/// What nobody in a tenant may do, whatever they were given.
fn not_for_tenants(rule: &Rule) -> Error {
    Error::forbidden(match rule.others.platform {
        true => "No credential of a tenant can do this. It needs a platform key.",
        false => "No credential of a tenant can do this.",
    })
}

/// Whether who has this grant may give or take away any role at all: they may change members, and may see who is one. Asked before
/// anybody is looked for, so that no refusal tells who is there.
///
/// # Errors
///
/// [`Error::Forbidden`] with a sentence that says what is missing.
pub fn may_manage_members(grant: &Grant) -> Result<(), Error> {
    permit(grant, Action::MemberUpdate)?;
    permit(grant, Action::MemberList)
}

/// Whether who has this grant may give this role to somebody, or take it away: only who may do itself what the role may. The same
/// is asked of who assigns somebody in the role to a workspace, because that gives the role its power there.
///
/// # Errors
///
/// [`Error::Forbidden`] with a sentence that says what is missing.
pub fn may_grant(grant: &Grant, role: Role, permissions: &Permissions) -> Result<(), Error> {
    may_manage_members(grant)?;
    // An operator bootstraps the first owner, who may do what no operator may.
    if *grant == Grant::Operator {
        return Ok(());
    }
    let own = POLICY.iter().filter(|rule| rule.role(role) == May::Yes).map(|rule| permit(grant, rule.action));
    let declared = permissions.iter().filter(|one| one.roles.contains(&role)).map(|one| one.permit(grant));
    match own.chain(declared).find_map(Result::err) {
        None => Ok(()),
        Some(Error::Forbidden { scope: Some(scope), .. }) => Err(Error::Forbidden {
            message: format!(
                "Your API key cannot grant or revoke the role {role}, because it does not have the scope {scope}."
            ),
            scope: Some(scope),
        }),
        Some(_) => Err(Error::forbidden(format!(
            "You can grant or revoke the role {role} only if you have all of its permissions."
        ))),
    }
}

#[cfg(test)]
mod tests;
