//! What becomes of secrets: they stay behind, or travel sealed under the key of the transfer.

use aws_lc_rs::digest::{SHA256, digest};
use tenantry_auth::seal::{MasterKeys, TransferContext, TransferKey};
use tenantry_domain::{Conflict, Error, FieldRefusal, Refusal, SecretHash, TenantId};
use zeroize::Zeroizing;

/// Under what the secrets of a tenant travel.
#[derive(Debug, Clone)]
pub struct Sealing {
    /// The master keys of this service.
    pub keys: MasterKeys,
    /// The key of the transfer, which both services have.
    pub key: TransferKey,
}

/// What is written of a secret.
#[derive(Debug, Clone)]
pub(super) enum Secrets {
    /// Nothing.
    StayBehind,
    /// The secret, sealed.
    Sealed(Sealing),
    /// A digest, to compare two secrets by. It stays in memory.
    Compared(Sealing),
}

impl Secrets {
    pub(super) fn sealing(&self) -> Option<&Sealing> {
        match self {
            Self::StayBehind => None,
            Self::Sealed(sealing) | Self::Compared(sealing) => Some(sealing),
        }
    }

    /// What is written of a secret that opens with the master keys; nothing where secrets stay behind.
    pub(super) fn written(
        &self,
        (tenant, kind, place): (TenantId, &str, &str),
        open: impl FnOnce(&MasterKeys) -> Option<Zeroizing<Vec<u8>>>,
    ) -> Result<Option<String>, Error> {
        let Some(sealing) = self.sealing() else { return Ok(None) };
        let plain = open(&sealing.keys).ok_or_else(|| {
            let message = format!(
                "The secret of the {kind} {place} cannot be decrypted. Set it again, or give it up with `tenantry reseal --discard-unopened`."
            );
            Error::conflict(Conflict::SecretUnreadable, message)
        })?;
        match self {
            Self::Compared(_) => Ok(Some(told(&plain))),
            _ => sealing.key.seal(&TransferContext { tenant, kind, place }, &plain).map(Some),
        }
    }
}

impl Sealing {
    /// Opens what a line says is sealed.
    ///
    /// # Errors
    ///
    /// A refusal of the field `sealed`, which is not there or does not open.
    pub(super) fn opened(
        &self,
        (tenant, kind, place): (TenantId, &str, &str),
        sealed: Option<&str>,
    ) -> Result<Zeroizing<Vec<u8>>, FieldRefusal> {
        let sealed = sealed.ok_or_else(|| Refusal::new("required", "is required in a sealed export").of("sealed"))?;
        let opened = self.key.open(&TransferContext { tenant, kind, place }, sealed);
        opened.map_err(|_| {
            let message = "does not open in this place: it was damaged, or belongs to another line or another tenant";
            Refusal::new("not_sealed", message).of("sealed")
        })
    }

    /// Puts what it is compared by in the place of a sealed value, if there is one.
    pub(super) fn reveal(
        &self,
        place: (TenantId, &str, &str),
        sealed: &mut Option<String>,
    ) -> Result<(), FieldRefusal> {
        if let Some(value) = sealed {
            *value = self.compared(place, value)?;
        }
        Ok(())
    }

    /// What stands in the place of a sealed value when it is compared.
    pub(super) fn compared(&self, place: (TenantId, &str, &str), sealed: &str) -> Result<String, FieldRefusal> {
        self.opened(place, Some(sealed)).map(|plain| told(&plain))
    }
}

/// The hash of a secret that is stored as such.
pub(super) fn hash_of(plain: &[u8]) -> Result<SecretHash, FieldRefusal> {
    let hash = plain.try_into().map(SecretHash::new);
    hash.map_err(|_| Refusal::new("not_sealed", "does not hold a hash").of("sealed"))
}

fn told(plain: &[u8]) -> String {
    digest(&SHA256, plain).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
