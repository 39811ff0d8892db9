//! Tokens of invitations: `tnt_inv_v1_`, then what every secret of a tenant has. An e-mail carries them, and each works once.

use tenantry_domain::{Error, SecretHash, TenantId};

use crate::secret::{self, Secret};

const PREFIX: &str = "tnt_inv_v1_";

/// Makes the token of a new invitation to a tenant.
///
/// # Errors
///
/// [`Error::Internal`] when the operating system has no randomness to give.
pub fn issue_invitation(tenant: TenantId) -> Result<Secret, Error> {
    secret::issue(PREFIX, Some(tenant))
}

/// The tenant that a presented token names, and the hash by which its invitation is found there; `None` for whatever cannot
/// be a token: prefix, length, characters or checksum are wrong.
pub fn present_invitation(token: &str) -> Option<(TenantId, SecretHash)> {
    secret::present_of_tenant(PREFIX, token).ok()
}

#[cfg(test)]
mod tests {
    use tenantry_domain::KeyMode;
    use uuid::Uuid;

    use super::*;
    use crate::secret::tests::near_misses;

    #[test]
    fn a_token_names_its_tenant_and_only_the_whole_token_is_one() {
        let tenant = TenantId::from_uuid(Uuid::from_u128(u128::MAX - 5));
        let secret = issue_invitation(tenant).unwrap();
        assert_eq!(secret.reveal().len(), 71);
        assert_eq!(present_invitation(secret.reveal()), Some((tenant, secret.hash())));
        for wrong in near_misses(secret.reveal()) {
            assert!(present_invitation(&wrong).is_none(), "{wrong:.80}");
        }
    }

    #[test]
    fn an_api_key_is_no_token_and_a_token_no_api_key() {
        let tenant = TenantId::from_uuid(Uuid::from_u128(1));
        assert!(present_invitation(crate::issue(tenant, KeyMode::Live).unwrap().reveal()).is_none());
        assert!(crate::present(issue_invitation(tenant).unwrap().reveal()).is_err());
    }
}
