//! Who asks: what was presented, whom the tenant knows that to be, and what it may reach.

use std::{fmt, net::IpAddr};

use crate::{ApiKeyId, BrandId, Line, Scope, TenantId, WorkspaceId};

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
            Holder::ApiKey { tenant, .. } => Some(*tenant),
            Holder::Operator { tenant, .. } | Holder::Job { tenant, .. } => *tenant,
        }
    }
}

/// The SHA-256 of a secret that is random enough to need no slower hash.
#[derive(Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// An API key of the tenant.
    ApiKey(ApiKeyId),
    /// An operator at the command line.
    Operator(String),
    /// A job of the service.
    Job(&'static str),
}

impl Actor {
    /// The kind, as the audit log writes it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ApiKey(_) => "api_key",
            Self::Operator(_) => "operator",
            Self::Job(_) => "job",
        }
    }

    /// Which one, as the audit log writes it.
    pub fn id(&self) -> String {
        match self {
            Self::ApiKey(id) => id.to_string(),
            Self::Operator(name) => name.clone(),
            Self::Job(name) => (*name).to_owned(),
        }
    }
}

/// How far a credential reaches inside its tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
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
    /// The level of this reach.
    pub fn level(self) -> Level {
        match self {
            Self::Workspace(_) => Level::Workspace,
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
        scopes: Vec<Scope>,
        /// Where.
        reach: Reach,
        /// Until when; no credential grants anything for longer.
        until: Option<chrono::DateTime<chrono::Utc>>,
    },
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
            Self::Operator | Self::Job => Reach::Tenant,
        }
    }
}
