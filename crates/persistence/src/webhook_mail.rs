//! What the message about a disabled webhook is written from.

use diesel::prelude::*;
use tenantry_domain::{Brand, EmailAddress, Error, InTenant, MemberStatus, Role, Tenant, Webhook, WebhookId};

use crate::{
    fault::{Fault, Kind, stored_option},
    schema::members,
    tx::Tx,
};

/// A webhook that the service has disabled, and whom to tell.
#[derive(Debug, Clone)]
pub struct DisabledWebhook {
    /// The webhook.
    pub webhook: Webhook,
    /// Its tenant.
    pub tenant: Tenant,
    /// The brand that writes.
    pub brand: Brand,
    /// The tenant's owner who has been there longest.
    pub owner: EmailAddress,
}

impl Tx<'_, InTenant> {
    /// What the message about a disabled webhook is written from; `None` when there is no more reason to send it, or nobody to send it to.
    pub fn disabled_webhook(&mut self, id: WebhookId) -> Result<Option<DisabledWebhook>, Fault> {
        let webhook = match self.webhook(id) {
            Ok(webhook) => webhook,
            Err(Fault(Kind::Refused(Error::NotFound(_)))) => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let owner: Option<String> = members::table
            .filter(members::tenant_id.eq(self.found.uuid()))
            .filter(members::role.eq(Role::Owner.as_str()).and(members::status.eq(MemberStatus::Active.as_str())))
            .order((members::created_at, members::id))
            .select(members::email)
            .first(self.connection)
            .optional()?;
        let Some(owner) = stored_option("members.email", owner)?.filter(|_| !webhook.is_enabled()) else {
            return Ok(None);
        };
        let mut scope = self.scope();
        let (tenant, brand) = (scope.read_tenant()?, scope.default_brand()?);
        Ok(Some(DisabledWebhook { webhook, tenant, brand, owner }))
    }
}
