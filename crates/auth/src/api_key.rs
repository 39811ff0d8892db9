//! API keys: `tnt_live_v1_` or `tnt_test_v1_`, then what every secret of a tenant has.

use tenantry_domain::{Error, Holder, KeyMode, TenantId};

use crate::secret::{self, Secret, WRONG_PREFIX};

fn prefix(mode: KeyMode) -> &'static str {
    match mode {
        KeyMode::Live => "tnt_live_v1_",
        KeyMode::Test => "tnt_test_v1_",
    }
}

/// Makes a new key of a tenant.
///
/// # Errors
///
/// [`Error::Internal`] when the operating system has no randomness to give.
pub fn issue(tenant: TenantId, mode: KeyMode) -> Result<Secret, Error> {
    secret::issue(prefix(mode), Some(tenant))
}

/// Takes what a caller presents as its API key.
///
/// # Errors
///
/// Why it cannot be a key, for the log: prefix, length, characters or checksum are wrong.
pub fn present(key: &str) -> Result<Holder, &'static str> {
    let mode = [KeyMode::Live, KeyMode::Test].into_iter().find(|mode| key.starts_with(prefix(*mode)));
    let (tenant, hash) = secret::present_of_tenant(prefix(mode.ok_or(WRONG_PREFIX)?), key)?;
    Ok(Holder::ApiKey { tenant, hash })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use uuid::Uuid;

    use super::*;
    use crate::secret::tests::near_misses;

    fn tenant() -> TenantId {
        TenantId::from_uuid(Uuid::from_u128(u128::MAX - 5))
    }

    #[test]
    fn a_key_names_its_tenant_and_only_the_whole_key_is_one() {
        let secret = issue(tenant(), KeyMode::Live).unwrap();
        match present(secret.reveal()) {
            Ok(Holder::ApiKey { tenant: named, hash }) => assert_eq!((named, hash), (tenant(), secret.hash())),
            other => panic!("{other:?}"),
        }
        for wrong in near_misses(secret.reveal()) {
            assert!(present(&wrong).is_err(), "{wrong:.80}");
        }
    }

    #[test]
    fn ten_thousand_keys_are_ten_thousand_keys() {
        let keys: HashSet<String> =
            (0..10_000).map(|_| issue(tenant(), KeyMode::Test).unwrap().reveal().to_owned()).collect();
        assert_eq!(keys.len(), 10_000);
        assert!(keys.iter().all(|key| key.len() == 72 && key.starts_with("tnt_test_v1_") && present(key).is_ok()));
    }

    #[test]
    fn a_presented_key_does_not_print_itself() {
        let secret = issue(tenant(), KeyMode::Live).unwrap();
        let printed = format!("{:?}", present(secret.reveal()));
        assert!(!printed.contains(&secret.reveal()[12..]) && !printed.contains(secret.last_four()));
    }
}
