//! What kind of credential a text is meant as.

use crate::house_key::{PlatformKey, ServiceKey, looks_like};

/// What a text is meant as, be it a good one or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// A key of the platform.
    PlatformKey,
    /// A key of a service that asks about the credentials of others.
    ServiceKey,
    /// An API key of a tenant.
    ApiKey,
    /// A token of an issuer.
    AccessToken,
}

impl CredentialKind {
    /// What this is meant as. Every JWT has dots and no secret of ours has any, so that a key which is cut off or mistyped, even in
    /// its prefix, is not taken for a token.
    pub fn of(text: &str) -> Self {
        if looks_like::<PlatformKey>(text) {
            Self::PlatformKey
        } else if looks_like::<ServiceKey>(text) {
            Self::ServiceKey
        } else if text.starts_with(OURS) || !text.contains('.') {
            Self::ApiKey
        } else {
            Self::AccessToken
        }
    }
}

/// How every secret begins that this service makes. No access token does.
const OURS: &str = "tnt_";

#[cfg(test)]
mod tests {
    use tenantry_domain::{KeyMode, TenantId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_mistyped_key_is_still_meant_as_a_key() {
        let key = crate::issue(TenantId::from_uuid(Uuid::from_u128(7)), KeyMode::Live).unwrap();
        let key = key.reveal();
        let mistyped = [key.to_uppercase(), key[1..].to_owned(), key[..20].to_owned(), format!("{key}.")];
        for text in [key.to_owned()].iter().chain(&mistyped) {
            assert_eq!(CredentialKind::of(text), CredentialKind::ApiKey);
        }
        let platform = crate::issue_platform().unwrap();
        assert_eq!(CredentialKind::of(&platform.reveal()[..20]), CredentialKind::PlatformKey);
        let service = crate::issue_service().unwrap();
        assert_eq!(CredentialKind::of(&service.reveal()[..20]), CredentialKind::ServiceKey);
        for token in ["eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln", "eyJhbGciOiJFUzI1NiJ9.eyJz", "."] {
            assert_eq!(CredentialKind::of(token), CredentialKind::AccessToken);
        }
    }
}
