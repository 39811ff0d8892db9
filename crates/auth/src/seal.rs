//! Sealing: secrets of others are stored encrypted (AES-256-GCM, NIST SP 800-38D) under a master key that is not in the database,
//! each bound to its context.
//!
//! A sealed secret is one byte for the form, two for the version of the key, 12 random bytes (the nonce), and the ciphertext with
//! its tag of 16 bytes. The associated data are the form, the version, the tenant, the workspace, the provider, the field and the
//! time at which the secret was set: what was sealed in one context opens in no other, and a secret of before not in its own place.
//! Random nonces are good for 2³² secrets under one key, more than anybody stores.
//!
//! Form 1 lacks the time. It is still opened, and sealing anew makes it form 2.

mod transfer;

use std::{collections::HashSet, fmt, str::FromStr, sync::Arc};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    hmac,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use tenantry_domain::{Error, MasterKeyId, PlainSecret, Provider, SealedSecret, TenantId, WebhookId, WorkspaceId};
use zeroize::Zeroizing;

pub use self::transfer::{TransferContext, TransferKey};

/// The form that is written.
const FORM: u8 = 2;
/// The form without the time.
const TIMELESS: u8 = 1;
const HEAD: usize = 3;
const KEY: usize = 32;

/// Where a secret belongs, and where alone it can be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealContext {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Its provider.
    pub provider: Provider,
    /// Its field.
    pub field: &'static str,
    /// When it was set, to the microsecond.
    pub set_at: DateTime<Utc>,
}

impl SealContext {
    fn associated_data(&self, form: u8, version: u16) -> Vec<u8> {
        let (tenant, workspace) = (self.tenant.uuid(), self.workspace.uuid());
        let set_at = self.set_at.timestamp_micros().to_be_bytes();
        let (one, version) = ([form], version.to_be_bytes());
        let parts: [&[u8]; 7] = [
            &one,
            &version,
            tenant.as_bytes(),
            workspace.as_bytes(),
            self.provider.as_str().as_bytes(),
            self.field.as_bytes(),
            &set_at,
        ];
        joined(if form == TIMELESS { &parts[..6] } else { &parts })
    }
}

/// Which request a stored answer belongs to, and whose: it can be opened for no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerContext<'a> {
    /// The tenant.
    pub tenant: TenantId,
    /// Who sent the request, as kind and id.
    pub actor: (&'a str, &'a str),
    /// The hash of its key.
    pub key_hash: &'a [u8; 32],
    /// The hash of the request itself.
    pub request_hash: &'a [u8; 32],
}

impl AnswerContext<'_> {
    /// Has more parts than that of a secret, so that the two are never the same.
    fn associated_data(&self, form: u8, version: u16) -> Vec<u8> {
        let (tenant, (kind, id)) = (self.tenant.uuid(), self.actor);
        joined(&[
            &[form],
            &version.to_be_bytes(),
            b"answer",
            tenant.as_bytes(),
            kind.as_bytes(),
            id.as_bytes(),
            self.key_hash,
            self.request_hash,
        ])
    }
}

/// Where the secrets of a webhook belong, and where alone they can be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhookContext {
    /// The tenant.
    pub tenant: TenantId,
    /// The webhook.
    pub webhook: WebhookId,
    /// When the newer one was made, to the microsecond.
    pub set_at: DateTime<Utc>,
}

impl WebhookContext {
    /// Has a word where that of a secret has an id, so that the two are never the same.
    fn associated_data(&self, form: u8, version: u16) -> Vec<u8> {
        let (tenant, webhook) = (self.tenant.uuid(), self.webhook.uuid());
        joined(&[
            &[form],
            &version.to_be_bytes(),
            b"webhook",
            tenant.as_bytes(),
            webhook.as_bytes(),
            &self.set_at.timestamp_micros().to_be_bytes(),
        ])
    }
}

/// Each part behind its length, so that no two contexts have the same data.
fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let mut data = Vec::with_capacity(192);
    for part in parts {
        data.extend_from_slice(&(part.len() as u64).to_be_bytes());
        data.extend_from_slice(part);
    }
    data
}

/// A sealed secret that does not open: damaged, of another context, or under a key that is not here. Which, is not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret cannot be decrypted")]
pub struct Unopened;

/// A master key: 32 random bytes with a version. As text, which a file holds: `v1:` and the key in base64 or in hexadecimal digits.
pub struct MasterKey {
    id: MasterKeyId,
    key: RandomizedNonceKey,
}

/// Why a text is no master key. Does not show any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAMasterKey {
    /// It has another form.
    #[error(
        "it must be one line such as v1:BASE64, with a version from 1 to 65535 and 32 bytes in base64 or hexadecimal digits"
    )]
    Form,
    /// It decodes, to too few or too many bytes.
    #[error("the key must have 32 bytes, but has {0}")]
    Length(usize),
    /// Nobody rolled this.
    #[error("the key repeats itself, so it is not random")]
    Weak,
}

impl MasterKey {
    /// A new key of this version, as the text that a file holds.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] when the operating system has no randomness to give.
    pub fn generate(version: u16) -> Result<Zeroizing<String>, Error> {
        let mut bytes = Zeroizing::new([0; KEY]);
        getrandom::fill(bytes.as_mut_slice())
            .map_err(|error| Error::internal(format!("the system gives no random bytes: {error}")))?;
        let encoded = Zeroizing::new(STANDARD.encode(bytes.as_slice()));
        Ok(Zeroizing::new(format!("v{version}:{}", encoded.as_str())))
    }

    /// Which key it is.
    pub fn id(&self) -> &MasterKeyId {
        &self.id
    }
}

impl FromStr for MasterKey {
    type Err = NotAMasterKey;

    fn from_str(text: &str) -> Result<Self, NotAMasterKey> {
        let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
        let (version, encoded) =
            text.strip_prefix('v').and_then(|rest| rest.split_once(':')).ok_or(NotAMasterKey::Form)?;
        let number = version.parse::<u16>().ok().filter(|number| *number > 0 && number.to_string() == version);
        let version = number.ok_or(NotAMasterKey::Form)?;
        let bytes = Zeroizing::new(decoded(encoded).ok_or(NotAMasterKey::Form)?);
        if bytes.len() != KEY {
            return Err(NotAMasterKey::Length(bytes.len()));
        }
        if is_weak(&bytes) {
            return Err(NotAMasterKey::Weak);
        }
        let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| NotAMasterKey::Form)?;
        Ok(Self { id: MasterKeyId::new(version, fingerprint(&bytes)), key })
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({}, redacted)", self.id)
    }
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    // 64 hexadecimal digits are base64 as well, of 48 bytes, and nobody means those.
    if text.len() == 2 * KEY && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let digits = Zeroizing::new(text.bytes().map(digit).collect::<Option<Vec<u8>>>()?);
        return Some(digits.chunks_exact(2).map(|pair| pair[0] * 16 + pair[1]).collect());
    }
    STANDARD.decode(text).ok()
}

/// Cannot tell random bytes from others, and refuses what nobody rolled.
fn is_weak(bytes: &[u8]) -> bool {
    let different: HashSet<_> = bytes.iter().collect();
    let repeats = |period: usize| bytes.iter().zip(&bytes[period..]).all(|(one, other)| one == other);
    different.len() < KEY / 2 || (1..=bytes.len() / 2).any(repeats)
}

/// Tells keys apart: a MAC of a fixed text, from which the key cannot be found.
fn fingerprint(bytes: &[u8]) -> [u8; 8] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, bytes), b"tenantry: fingerprint of a master key");
    let mut fingerprint = [0; 8];
    fingerprint.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
    fingerprint
}

/// The master keys of the service. One of them seals; all of them open. Clones share them.
#[derive(Clone)]
pub struct MasterKeys(Arc<(MasterKey, Vec<MasterKey>)>);

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all()).finish()
    }
}

impl MasterKeys {
    /// Seals with the first and opens with all. The others may be older, or newer: a new key is made known to every replica before
    /// the first one seals with it.
    ///
    /// # Errors
    ///
    /// The version that two of them have.
    pub fn new(sealing: MasterKey, others: Vec<MasterKey>) -> Result<Self, u16> {
        let mut versions = HashSet::from([sealing.id.version()]);
        match others.iter().find(|key| !versions.insert(key.id.version())) {
            Some(twice) => Err(twice.id.version()),
            None => Ok(Self(Arc::new((sealing, others)))),
        }
    }

    /// The key that seals.
    pub fn sealing(&self) -> &MasterKeyId {
        &self.0.0.id
    }

    /// The newest version among them.
    pub fn newest(&self) -> u16 {
        self.all().map(|key| key.id.version()).max().unwrap_or_default()
    }

    fn all(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.0.0).chain(&self.0.1)
    }

    /// What is wrong with these keys where secrets are sealed under those: each missing or different one, in a sentence.
    pub fn objections(&self, needed: &[MasterKeyId]) -> Vec<String> {
        let wrong = |needed: &MasterKeyId| {
            let version = needed.version();
            match self.all().find(|key| key.id.version() == version) {
                Some(key) if key.id == *needed => None,
                Some(_) => Some(format!(
                    "the master key of version {version} is not the one that encrypted the stored secrets: another key has the same version"
                )),
                None => Some(format!(
                    "the master key of version {version} is missing, but stored secrets are encrypted under it"
                )),
            }
        };
        needed.iter().filter_map(wrong).collect()
    }

    /// Seals a secret for its context.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] when the operating system has no randomness to give.
    pub fn seal(&self, context: &SealContext, secret: &PlainSecret) -> Result<SealedSecret, Error> {
        self.seal_bytes(|form, version| context.associated_data(form, version), secret.to_stored().as_bytes())
    }

    /// Seals an answer for its context.
    ///
    /// # Errors
    ///
    /// As at [`MasterKeys::seal`].
    pub fn seal_answer(&self, context: &AnswerContext<'_>, answer: &[u8]) -> Result<SealedSecret, Error> {
        self.seal_bytes(|form, version| context.associated_data(form, version), answer)
    }

    /// Seals the secrets of a webhook for their context.
    ///
    /// # Errors
    ///
    /// As at [`MasterKeys::seal`].
    pub fn seal_webhook(&self, context: &WebhookContext, secrets: &PlainSecret) -> Result<SealedSecret, Error> {
        self.seal_bytes(|form, version| context.associated_data(form, version), secrets.reveal().as_bytes())
    }

    fn seal_bytes(&self, context: impl Fn(u8, u16) -> Vec<u8>, plain: &[u8]) -> Result<SealedSecret, Error> {
        let key = &self.0.0;
        let version = key.id.version();
        // Room for the tag: a buffer that grows would leave the plaintext behind.
        let mut sealed = Zeroizing::new(Vec::with_capacity(plain.len() + AES_256_GCM.tag_len()));
        sealed.extend_from_slice(plain);
        let nonce = key
            .key
            .seal_in_place_append_tag(Aad::from(context(FORM, version)), &mut *sealed)
            .map_err(|_| Error::internal("a secret could not be encrypted"))?;
        let [high, low] = version.to_be_bytes();
        Ok(SealedSecret::from_bytes([&[FORM, high, low], nonce.as_ref().as_slice(), &sealed].concat()))
    }

    /// Opens a sealed secret in its context.
    ///
    /// # Errors
    ///
    /// [`Unopened`], whatever is wrong.
    pub fn open(&self, context: &SealContext, sealed: &SealedSecret) -> Result<PlainSecret, Unopened> {
        let plain = self.open_bytes(|form, version| context.associated_data(form, version), sealed)?;
        std::str::from_utf8(&plain).ok().and_then(PlainSecret::from_stored).ok_or(Unopened)
    }

    /// Opens the sealed secrets of a webhook in their context.
    ///
    /// # Errors
    ///
    /// [`Unopened`], whatever is wrong.
    pub fn open_webhook(&self, context: &WebhookContext, sealed: &SealedSecret) -> Result<PlainSecret, Unopened> {
        let plain = self.open_bytes(|form, version| context.associated_data(form, version), sealed)?;
        std::str::from_utf8(&plain).ok().and_then(|text| text.parse().ok()).ok_or(Unopened)
    }

    /// Opens a sealed answer in its context.
    ///
    /// # Errors
    ///
    /// [`Unopened`], whatever is wrong.
    pub fn open_answer(
        &self,
        context: &AnswerContext<'_>,
        sealed: &SealedSecret,
    ) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        self.open_bytes(|form, version| context.associated_data(form, version), sealed)
    }

    fn open_bytes(
        &self,
        context: impl Fn(u8, u16) -> Vec<u8>,
        sealed: &SealedSecret,
    ) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let (head, rest) = sealed.as_bytes().split_at_checked(HEAD).ok_or(Unopened)?;
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_LEN).ok_or(Unopened)?;
        let &[form @ (TIMELESS | FORM), high, low] = head else { return Err(Unopened) };
        let version = u16::from_be_bytes([high, low]);
        let key = self.all().find(|key| key.id.version() == version).ok_or(Unopened)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unopened)?;
        let mut bytes = Zeroizing::new(ciphertext.to_vec());
        let plain =
            key.key.open_in_place(nonce, Aad::from(context(form, version)), &mut bytes).map_err(|_| Unopened)?.len();
        bytes.truncate(plain);
        Ok(bytes)
    }
}

/// The version of the key that a secret says it is sealed under; `None` for what is none.
pub fn sealed_under(sealed: &SealedSecret) -> Option<u16> {
    match sealed.as_bytes() {
        [TIMELESS | FORM, high, low, ..] => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
