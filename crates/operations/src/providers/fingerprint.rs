//! What is remembered of a credential: a fingerprint, under a key that each process makes for itself.

use aws_lc_rs::{hmac, rand::SystemRandom};
use tenantry_domain::{Provider, TenantId, WorkspaceId};

use super::cache::Key;

/// Makes fingerprints.
pub(super) struct Fingerprints(hmac::Key);

impl Fingerprints {
    /// With a new key.
    ///
    /// # Errors
    ///
    /// The system has no randomness to give.
    pub(super) fn new() -> Result<Self, String> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        key.map(Self).map_err(|_| "The system has no randomness to give.".to_owned())
    }

    /// Of these parts of a credential, in a workspace.
    pub(super) fn key(
        &self,
        provider: Provider,
        (tenant, workspace): (TenantId, WorkspaceId),
        parts: [&[u8]; 2],
    ) -> Key {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            // With its length, so that no two lists of parts run together to the same.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let tag = context.sign();
        let mut fingerprint = [0; 16];
        fingerprint.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        Key { tenant, workspace, provider, fingerprint }
    }
}
