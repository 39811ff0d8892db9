//! What tells the credentials of tenants apart, without the secret itself.

use crate::{Credential, Holder, Person, SecretHash, TenantId};

/// One credential of a tenant: an API key, or a person in the tenant with whatever token they have just now.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CredentialId {
    /// An API key.
    ApiKey(TenantId, SecretHash),
    /// A person.
    Member(TenantId, Person),
}

impl CredentialId {
    /// Which one it is; `None` for what belongs to no tenant: the platform, an operator, a job.
    pub fn of(credential: &Credential) -> Option<Self> {
        match &credential.holder {
            Holder::ApiKey { tenant, hash } => Some(Self::ApiKey(*tenant, hash.clone())),
            Holder::Member { tenant, person } => Some(Self::Member(*tenant, person.clone())),
            Holder::Platform { .. } | Holder::Operator { .. } | Holder::Job { .. } => None,
        }
    }

    /// The tenant that it names.
    pub fn tenant(&self) -> TenantId {
        match self {
            Self::ApiKey(tenant, _) | Self::Member(tenant, _) => *tenant,
        }
    }
}
