//! Who asks: what was presented, whom the tenant knows that to be, and what it may reach.

#[cfg(test)]
mod tests;

use std::{fmt, net::IpAddr, str::FromStr, sync::Arc};

use crate::{
    ApiKeyId, BrandId, EmailAddress, Error, KeyScope, Line, MemberId, Refusal, Role, TenantId, WorkspaceId,
    input::{Description, input},
    text,
};

/// What was presented and holds cryptographically, for one request. It names its tenant; whether that tenant knows it is
/// for the door to find out.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Who presents it.
    pub holder: Holder,
    /// Which request it came with.
    pub origin: Origin,
}

/// The kinds of credential.
#[derive(Debug, Clone)]
pub enum Holder {
    /// An API key, by the hash of its secret.
    ApiKey {
        /// The tenant the key names.
        tenant: TenantId,
        /// What the database knows of the key.
        hash: SecretHash,
    },
    /// A person, by the word of a trusted issuer.
    Member {
        /// The tenant the token names.
        tenant: TenantId,
        /// Who it is.
        person: Person,
    },
    /// The platform that provisions tenants: above all tenants and inside none.
    Platform {
        /// The start of the hash of its key, by which the settings and the logs tell several keys apart.
        key: String,
        /// Its own, where it looks after its webhooks; none above the tenants. See [`Credential::at_home`].
        tenant: Option<TenantId>,
    },
    /// A person with access to the service's own settings, at the command line.
    Operator {
        /// Who, for the audit log.
        name: Line<120>,
        /// The tenant they work in; none for what is done to tenants as such.
        tenant: Option<TenantId>,
    },
    /// The service itself, doing what is due.
    Job {
        /// Which job, for the audit log.
        name: &'static str,
        /// The tenant it works in; none to find the tenants.
        tenant: Option<TenantId>,
    },
}

/// Where a request came from, for the audit log.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The id under which the logs know the request.
    pub request_id: Option<String>,
    /// The address it came from.
    pub address: Option<IpAddr>,
}

impl Credential {
    /// The tenant that the credential names.
    pub fn tenant(&self) -> Option<TenantId> {
        match &self.holder {
            Holder::ApiKey { tenant, .. } | Holder::Member { tenant, .. } => Some(*tenant),
            Holder::Platform { tenant, .. } | Holder::Operator { tenant, .. } | Holder::Job { tenant, .. } => *tenant,
        }
    }

    /// The same credential where it has something of its own: the platform's in [`TenantId::PLATFORM`], any other one where it was.
    #[must_use]
    pub fn at_home(&self) -> Self {
        let holder = match &self.holder {
            Holder::Platform { key, .. } => Holder::Platform { key: key.clone(), tenant: Some(TenantId::PLATFORM) },
            other => other.clone(),
        };
        Self { holder, origin: self.origin.clone() }
    }
}

/// Who somebody is by the word of a trusted issuer: the pair is theirs alone, in every tenant (RFC 7519, sections 4.1.1 and
/// 4.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Person {
    /// The issuer, exactly as its tokens name it.
    pub issuer: IssuerName,
    /// The subject, which the issuer gives to nobody else.
    pub subject: Subject,
}

/// The name of an issuer: 1 to 255 visible ASCII characters, mostly an `https` address; compared character by character.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IssuerName(String);

/// A subject, 1 to 255 characters without control characters; compared character by character.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subject(String);

impl IssuerName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Subject {
    /// The subject.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IssuerName {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        text::bounded(raw, 255)?;
        match raw.chars().find(|c| !c.is_ascii_graphic()) {
            Some(c) => Err(text::forbidden(c, "must be visible ASCII characters, such as https://login.example.com/")),
            None => Ok(Self(raw.to_owned())),
        }
    }
}

input!(
    IssuerName,
    str,
    Description::text("Visible ASCII characters.")
        .length(1, 255)
        .pattern(r"^[!-~]+$")
        .example("https://login.example.com/")
);

impl FromStr for Subject {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        text::bounded(raw, 255)?;
        match raw.chars().find(|c| c.is_control()) {
            Some(c) => Err(text::forbidden(c, "must not contain control characters")),
            None => Ok(Self(raw.to_owned())),
        }
    }
}

input!(
    Subject,
    str,
    Description::text("Text without control characters.")
        .length(1, 255)
        .pattern(r"^[^\x00-\x1f\x7f-\x9f]+$")
        .example("auth0|65f0c1")
);

/// Somebody who may not be a member yet, with the address that their issuer has verified.
#[derive(Debug, Clone)]
pub struct Invitee {
    /// Who it is.
    pub person: Person,
    /// Their address, if the issuer says that it is verified; else why there is none.
    pub email: Result<EmailAddress, NoEmail>,
    /// Which request they came with.
    pub origin: Origin,
    /// For which tenants their issuer is trusted.
    pub trusted_for: TrustedFor,
}

/// Why an access token proves no email address. Displayed, it is for the log: who runs the service can change the settings, and
/// the person cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoEmail {
    /// It has none.
    #[error("it has no email claim (email, or email_claim in the settings)")]
    Missing,
    /// It has one that its issuer does not vouch for.
    #[error("it does not say that the address is verified (email_verified, or email_verified in the settings)")]
    Unverified,
    /// What it has is no address that could have been invited.
    #[error("its email claim is not an email address")]
    NotAnAddress,
}

impl NoEmail {
    /// What the person reads who wants to accept an invitation with it.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Missing => {
                "Your access token does not contain your email address. Ask whoever runs your sign-in to include it in access \
                 tokens, and sign in again."
            }
            Self::Unverified => {
                "Your access token does not say that your email address is verified. Verify the address with your issuer, and sign \
                 in again."
            }
            Self::NotAnAddress => {
                "The email address in your access token is not one that can be invited. Sign in with the address that was invited."
            }
        }
    }
}

/// For which tenants an issuer of tokens is trusted: all, unless some are named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedFor(Option<Arc<[TenantId]>>);

impl TrustedFor {
    /// These tenants and no other.
    pub fn only(tenants: Vec<TenantId>) -> Self {
        Self(Some(tenants.into()))
    }

    /// Whether the issuer is trusted for this tenant.
    pub fn includes(&self, tenant: TenantId) -> bool {
        self.0.as_ref().is_none_or(|tenants| tenants.contains(&tenant))
    }

    /// Whether it is trusted for no tenant at all, which nobody means.
    pub fn is_nobody(&self) -> bool {
        self.0.as_ref().is_some_and(|tenants| tenants.is_empty())
    }
}

/// The SHA-256 of a secret that is random enough to need no slower hash.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// Takes over a hash.
    pub fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// The bytes, for the database.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(redacted)")
    }
}

/// Whom the tenant knows a credential to be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Actor {
    /// An API key of the tenant.
    ApiKey(ApiKeyId),
    /// A member of the tenant.
    Member(MemberId),
    /// The platform, with the key whose hash begins like this.
    Platform(String),
    /// An operator at the command line.
    Operator(String),
    /// A job of the service.
    Job(&'static str),
}

/// What [`Actor::kind`] can be.
pub const ACTOR_KINDS: [&str; 5] = ["api_key", "member", "platform", "operator", "job"];

impl Actor {
    /// The kind, as the audit log writes it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ApiKey(_) => "api_key",
            Self::Member(_) => "member",
            Self::Platform(_) => "platform",
            Self::Operator(_) => "operator",
            Self::Job(_) => "job",
        }
    }

    /// Which one, as the audit log writes it.
    pub fn id(&self) -> String {
        match self {
            Self::ApiKey(id) => id.to_string(),
            Self::Member(id) => id.to_string(),
            Self::Platform(key) => key.clone(),
            Self::Operator(name) => name.clone(),
            Self::Job(name) => (*name).to_owned(),
        }
    }
}

/// Who made something, as the audit log names them: the kind of actor, and which one. Stored as `member:0193a4c2-…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maker {
    kind: &'static str,
    id: String,
}

impl Maker {
    /// This actor.
    pub fn of(actor: &Actor) -> Self {
        Self { kind: actor.kind(), id: actor.id() }
    }

    /// Everybody who can be meant by an id alone, each kind of actor once.
    pub fn with_id(id: &str) -> Vec<Self> {
        ACTOR_KINDS.iter().map(|kind| Self { kind, id: id.to_owned() }).collect()
    }

    /// The kind of actor.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Which one: an id, or a name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The member, if it is one.
    pub fn member(&self) -> Option<MemberId> {
        let id = self.id.parse().ok()?;
        (*self == Self::of(&Actor::Member(id))).then_some(id)
    }
}

impl fmt::Display for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

impl FromStr for Maker {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        let refusal = || Refusal::new("not_a_choice", "must be a kind of actor, a colon and an id or a name");
        let (kind, id) = raw.split_once(':').ok_or_else(refusal)?;
        let kind = ACTOR_KINDS.into_iter().find(|known| *known == kind).ok_or_else(refusal)?;
        text::bounded(id, 255)?;
        Ok(Self { kind, id: id.to_owned() })
    }
}

/// How far a credential reaches inside its tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Nothing but the tenant itself.
    Nothing,
    /// The workspaces that this member is assigned to, and of their brands what is in force there.
    Assigned(MemberId),
    /// One workspace, and of its brand what is in force there.
    Workspace(WorkspaceId),
    /// One brand and its workspaces.
    Brand(BrandId),
    /// All of the tenant.
    Tenant,
}

/// How far an action needs its actor to reach; a larger reach includes a smaller one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The one workspace.
    Workspace,
    /// The one brand.
    Brand,
    /// All of the tenant.
    Tenant,
}

impl Reach {
    /// The one brand, or the one workspace, that this reach is restricted to.
    pub fn restriction(self) -> (Option<BrandId>, Option<WorkspaceId>) {
        match self {
            Self::Workspace(id) => (None, Some(id)),
            Self::Brand(id) => (Some(id), None),
            Self::Nothing | Self::Assigned(_) | Self::Tenant => (None, None),
        }
    }

    /// Refuses an API key that does not reach so far.
    pub(crate) fn at_least(self, level: Level) -> Result<(), Error> {
        match level {
            _ if self.level() >= level => Ok(()),
            Level::Tenant => {
                Err(Error::forbidden("This needs an API key that is not restricted to a brand or workspace."))
            }
            _ => Err(Error::forbidden("This needs an API key that is not restricted to a workspace.")),
        }
    }

    /// The level of this reach.
    pub fn level(self) -> Level {
        match self {
            Self::Nothing | Self::Assigned(_) | Self::Workspace(_) => Level::Workspace,
            Self::Brand(_) => Level::Brand,
            Self::Tenant => Level::Tenant,
        }
    }
}

/// What an actor has been given in the place where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// An API key's scopes and reach, until it expires.
    Scopes {
        /// What it may do.
        scopes: Vec<KeyScope>,
        /// Where.
        reach: Reach,
        /// Until when; no credential grants anything for longer.
        until: Option<chrono::DateTime<chrono::Utc>>,
    },
    /// A member's role.
    Role {
        /// The member.
        member: MemberId,
        /// Its role.
        role: Role,
    },
    /// All that the policy table allows the platform.
    Platform,
    /// All that the policy table allows an operator.
    Operator,
    /// All that the policy table allows a job.
    Job,
}

impl Grant {
    /// How far it reaches.
    pub fn reach(&self) -> Reach {
        match self {
            Self::Scopes { reach, .. } => *reach,
            Self::Role { member, role } => role.reach(*member),
            Self::Platform | Self::Operator | Self::Job => Reach::Tenant,
        }
    }
}
