//! Keys that belong to no tenant, of two kinds: platform keys (`tnt_plat_v1_`), with which tenants are provisioned, and service keys
//! (`tnt_svc_v1_`), with which other software asks what a credential may do. Each is its prefix, 32 base62 characters of randomness
//! and a checksum. The service knows their hashes from its settings.

use std::{fmt, marker::PhantomData, str::FromStr, sync::Arc};

use subtle::ConstantTimeEq;
use tenantry_domain::{Error, SecretHash};

use crate::secret::{self, Secret};

/// A kind of key that the settings hold by its hash.
pub trait HouseKey: fmt::Debug + Clone + PartialEq + Eq + 'static {
    /// How keys of this kind begin, and no others.
    const PREFIX: &'static str;
    /// What people call one.
    const NAME: &'static str;
}

/// The kind of key that creates and manages tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlatformKey;

impl HouseKey for PlatformKey {
    const PREFIX: &'static str = "tnt_plat_v1_";
    const NAME: &'static str = "platform key";
}

/// The kind of key that can ask what a credential may do, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceKey;

impl HouseKey for ServiceKey {
    const PREFIX: &'static str = "tnt_svc_v1_";
    const NAME: &'static str = "service key";
}

/// Makes a new platform key.
///
/// # Errors
///
/// [`Error::Internal`] when the operating system has no randomness to give.
pub fn issue_platform() -> Result<Secret, Error> {
    secret::issue(PlatformKey::PREFIX, None)
}

/// Makes a new service key.
///
/// # Errors
///
/// [`Error::Internal`] when the operating system has no randomness to give.
pub fn issue_service() -> Result<Secret, Error> {
    secret::issue(ServiceKey::PREFIX, None)
}

/// Whether this is presented as a key of this kind, be it one or not; so that it is not taken for another kind of credential.
pub(crate) fn looks_like<K: HouseKey>(text: &str) -> bool {
    text.starts_with(K::PREFIX)
}

/// The hash of a key, as the settings hold it: the SHA-256 of the whole key in 64 hex digits of either case, which is
/// what `printf %s KEY | sha256sum` prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHash<K>(SecretHash, PhantomData<K>);

/// The hash of a platform key.
pub type PlatformKeyHash = KeyHash<PlatformKey>;

/// The hash of a service key.
pub type ServiceKeyHash = KeyHash<ServiceKey>;

/// A text that is not 64 hex digits. Does not show it, because it may be the key itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the SHA-256 of a {name} in 64 hex digits{}", if *.is_key { ", not the key itself" } else { "" })]
pub struct NotAKeyHash {
    name: &'static str,
    is_key: bool,
}

impl<K: HouseKey> KeyHash<K> {
    /// The hash of this key.
    pub fn of(key: &Secret) -> Self {
        Self(key.hash(), PhantomData)
    }

    /// The first 8 digits of the hash: enough to find the key in the settings, and of no use to anybody else.
    pub fn fingerprint(&self) -> String {
        self.to_string().chars().take(8).collect()
    }
}

impl<K: HouseKey> FromStr for KeyHash<K> {
    type Err = NotAKeyHash;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let read = || {
            let digits: Vec<u8> = text.bytes().map(digit).collect::<Option<_>>()?;
            let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] * 16 + pair[1]).collect();
            <[u8; 32]>::try_from(bytes).ok().filter(|_| digits.len() == 64).map(SecretHash::new)
        };
        let is_key = looks_like::<PlatformKey>(text) || looks_like::<ServiceKey>(text);
        read().map(|hash| Self(hash, PhantomData)).ok_or(NotAKeyHash { name: K::NAME, is_key })
    }
}

impl<K> fmt::Display for KeyHash<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The keys of a kind that the service accepts.
#[derive(Debug, Clone)]
pub struct KnownKeys<K>(Arc<[KeyHash<K>]>);

/// The platform keys that the service accepts.
pub type PlatformKeys = KnownKeys<PlatformKey>;

/// The service keys that the service accepts.
pub type ServiceKeys = KnownKeys<ServiceKey>;

impl<K> Default for KnownKeys<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: HouseKey> KnownKeys<K> {
    /// Accepts the keys with these hashes; none at all is allowed, and accepts no key.
    pub fn new(hashes: Vec<KeyHash<K>>) -> Self {
        Self(hashes.into())
    }

    /// The hash of the key that is presented, if it is among the known ones. Compares with all of them, in a time that does not depend on how
    /// much of a hash is right.
    ///
    /// # Errors
    ///
    /// Why the key is malformed or not among them, for the log.
    pub fn recognise(&self, key: &str) -> Result<&KeyHash<K>, &'static str> {
        let presented = secret::present_of_platform(K::PREFIX, key)?;
        let same = |known: &KeyHash<K>| bool::from(known.0.as_bytes().ct_eq(presented.as_bytes()));
        let known = self.0.iter().fold(None, |found, known| if same(known) { Some(known) } else { found });
        known.ok_or("it is well-formed, and not in the settings")
    }
}

#[cfg(test)]
mod tests {
    use tenantry_domain::{KeyMode, TenantId};
    use uuid::Uuid;

    use super::*;
    use crate::secret::tests::near_misses;

    #[test]
    fn the_configured_keys_are_recognised_and_no_others() {
        let keys: Vec<Secret> = (0..3).map(|_| issue_platform().unwrap()).collect();
        let known = PlatformKeys::new(keys[..2].iter().map(PlatformKeyHash::of).collect());
        assert_eq!(keys[0].reveal().len(), 50);
        let hashes: Vec<_> = keys.iter().map(|key| known.recognise(key.reveal()).ok().cloned()).collect();
        assert_eq!(hashes, [Some(PlatformKeyHash::of(&keys[0])), Some(PlatformKeyHash::of(&keys[1])), None]);
        let label = PlatformKeyHash::of(&keys[0]).fingerprint();
        assert!(label.len() == 8 && PlatformKeyHash::of(&keys[0]).to_string().starts_with(&label), "{label}");
        for wrong in near_misses(keys[0].reveal()) {
            assert!(known.recognise(&wrong).is_err(), "{wrong:.80}");
        }
        assert!(PlatformKeys::default().recognise(keys[0].reveal()).is_err());
    }

    #[test]
    fn a_key_of_a_tenant_is_no_platform_key() {
        let key = crate::issue(TenantId::from_uuid(Uuid::from_u128(1)), KeyMode::Live).unwrap();
        assert!(PlatformKeys::new(vec![PlatformKeyHash::of(&key)]).recognise(key.reveal()).is_err());
        assert!(crate::present(issue_platform().unwrap().reveal()).is_err());
    }

    #[test]
    fn a_platform_key_is_no_service_key_and_the_other_way_round() {
        let (platform, service) = (issue_platform().unwrap(), issue_service().unwrap());
        assert!(service.reveal().starts_with("tnt_svc_v1_"));
        assert!(ServiceKeys::new(vec![ServiceKeyHash::of(&service)]).recognise(service.reveal()).is_ok());
        assert!(ServiceKeys::new(vec![ServiceKeyHash::of(&platform)]).recognise(platform.reveal()).is_err());
        assert!(PlatformKeys::new(vec![PlatformKeyHash::of(&service)]).recognise(service.reveal()).is_err());
        let refused = service.reveal().parse::<ServiceKeyHash>().unwrap_err().to_string();
        assert!(refused.contains("of a service key") && refused.ends_with("not the key itself"), "{refused}");
    }

    #[test]
    fn a_hash_is_sixty_four_hex_digits_and_comes_back() {
        let key = issue_platform().unwrap();
        let hash = PlatformKeyHash::of(&key);
        let text = hash.to_string();
        assert_eq!(text.parse(), Ok(hash.clone()));
        assert_eq!(text.to_uppercase().parse(), Ok(hash));
        let wrong =
            ["", &text[1..], &format!("{text}0"), &format!("{text} "), &format!("g{}", &text[1..]), &"é".repeat(32)];
        for wrong in wrong {
            assert_eq!(
                wrong.parse::<PlatformKeyHash>(),
                Err(NotAKeyHash { name: "platform key", is_key: false }),
                "{wrong}"
            );
        }
        let refused = key.reveal().parse::<PlatformKeyHash>().unwrap_err().to_string();
        assert!(refused.ends_with("not the key itself") && !refused.contains(key.last_four()), "{refused}");
    }
}
