//! The sealed secrets of webhooks as such, for those who look after the master keys.

use diesel::{dsl::count_star, prelude::*};
use tenantry_domain::{DisabledReason, InTenant, MasterKeyId, SealedSecret, Webhook, WebhookId};
use uuid::Uuid;

use crate::{
    fault::Fault,
    schema::webhooks,
    tx::{Tx, WriteTx},
    webhooks::{StoredWebhook, this},
};

/// A webhook whose secrets are sealed under another key than they should be.
#[derive(Debug, Clone)]
pub struct StaleWebhook {
    /// The webhook.
    pub webhook: Webhook,
    /// Its secrets.
    pub sealed: SealedSecret,
    /// The version of the key that they are stored under.
    pub version: u16,
}

impl Tx<'_, InTenant> {
    /// How many webhooks have secrets under each version of the master key.
    pub(crate) fn count_sealed_webhooks(&mut self) -> Result<Vec<(Option<i32>, i64)>, Fault> {
        Ok(webhooks::table
            .filter(webhooks::tenant_id.eq(self.found.uuid()).and(webhooks::key_version.is_not_null()))
            .group_by(webhooks::key_version)
            .select((webhooks::key_version, count_star()))
            .load(self.connection)?)
    }
}

impl WriteTx<'_, InTenant> {
    /// The next webhook behind this one whose secrets are sealed under another version than this; locked until the end of the
    /// transaction.
    pub fn next_stale_webhook(
        &mut self,
        version: u16,
        after: Option<WebhookId>,
    ) -> Result<Option<StaleWebhook>, Fault> {
        let found: Option<(Uuid, Option<i32>)> = webhooks::table
            .filter(webhooks::tenant_id.eq(self.found.uuid()))
            .filter(webhooks::id.gt(after.map_or(Uuid::nil(), WebhookId::uuid)))
            .filter(webhooks::key_version.is_not_null())
            .filter(webhooks::key_version.is_distinct_from(i32::from(version)))
            .order(webhooks::id)
            .select((webhooks::id, webhooks::key_version))
            .first(self.connection)
            .optional()?;
        let Some((id, version)) = found else { return Ok(None) };
        let StoredWebhook { webhook, sealed } = self.lock_webhook(WebhookId::from_uuid(id))?;
        let version = version.and_then(|version| u16::try_from(version).ok()).unwrap_or_default();
        Ok(sealed.map(|sealed| StaleWebhook { webhook, sealed, version }))
    }

    /// Stores the same secrets sealed anew. Nothing that anybody sees has changed, so that its version stays.
    pub fn store_resealed_webhook(
        &mut self,
        id: WebhookId,
        sealed: &SealedSecret,
        key: &MasterKeyId,
    ) -> Result<(), Fault> {
        diesel::update(this(self.found, id))
            .set((webhooks::sealed_secrets.eq(sealed.as_bytes()), webhooks::key_version.eq(i32::from(key.version()))))
            .execute(self.connection)?;
        Ok(())
    }

    /// Gives secrets up: nothing can be signed with them, so that nothing is sent until there are new ones.
    pub fn discard_webhook_secrets(&mut self, id: WebhookId) -> Result<Webhook, Fault> {
        diesel::update(this(self.found, id))
            .set((webhooks::sealed_secrets.eq(None::<Vec<u8>>), webhooks::key_version.eq(None::<i32>)))
            .execute(self.connection)?;
        self.disable_webhook(id, DisabledReason::SecretLost)
    }
}
