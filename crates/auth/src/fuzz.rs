//! Keys that nobody issued: whatever comes is refused, and a key is only ever the key that it is.

use proptest::prelude::*;
use tenantry_domain::{Holder, KeyMode, TenantId};
use uuid::Uuid;

use crate::{CredentialKind, PlatformKeys, base62, present_invitation};

proptest! {
    #[test]
    fn a_key_that_was_changed_anywhere_is_none(tenant in any::<u128>(), at in 0_usize..72, new in "[0-9A-Za-z_. é]") {
        let key = crate::issue(TenantId::from_uuid(Uuid::from_u128(tenant)), KeyMode::Live).unwrap();
        let key = key.reveal();
        let named = match crate::present(key) {
            Ok(Holder::ApiKey { tenant, .. }) => tenant.uuid().as_u128(),
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        };
        prop_assert_eq!(named, tenant);
        let changed = format!("{}{new}{}", &key[..at], &key[at + 1..]);
        prop_assert!(changed == key || crate::present(&changed).is_err(), "a change at {at}");
        let longer = format!("{key}{new}");
        prop_assert!(crate::present(&longer).is_err() && crate::present(&key[..at]).is_err());
    }

    #[test]
    fn what_was_not_issued_is_refused(text in prop_oneof![any::<String>(), "tnt_(live|test|plat|inv)_v1_[0-9A-Za-z]{30,70}"]) {
        // A checksum of 32 bits is met by chance once in four thousand million times.
        prop_assert!(crate::present(&text).is_err());
        prop_assert!(present_invitation(&text).is_none());
        prop_assert!(PlatformKeys::default().recognise(&text).is_err());
        let _ = CredentialKind::of(&text);
    }

    #[test]
    fn numbers_come_back_from_their_digits(number in any::<u128>(), digits in "[0-9A-Za-z]{0,30}|\\PC{0,8}") {
        prop_assert_eq!(base62::decode(&base62::encode(number, 22)), Some(number));
        if let Some(number) = base62::decode(&digits) {
            prop_assert_eq!(base62::encode(number, digits.len()), digits);
        }
    }
}
