//! Webhooks of a tenant, their secrets as sealed as they came.

use chrono::{DateTime, Utc};
use diesel::{dsl::now, prelude::*};
use tenantry_domain::{
    Cap, DisabledReason, Error, FieldRefusal, InTenant, MAX_WEBHOOKS, MasterKeyId, Noun, Page, PageRequest, Refusal,
    SealedSecret, TenantId, Webhook, WebhookDescription, WebhookDetails, WebhookId, limit_reached,
};
use uuid::Uuid;

use crate::{
    fault::{Fault, stored, stored_option},
    keyset::{self, Keyset},
    schema::webhooks,
    transfer::refusal,
    tx::{Tx, WriteTx},
    webhook_queue::soonest_turn,
};

#[derive(HasQuery)]
#[diesel(table_name = webhooks)]
pub(crate) struct Row {
    tenant_id: Uuid,
    id: Uuid,
    url: String,
    events: Option<Vec<String>>,
    description: Option<String>,
    disabled_reason: Option<String>,
    sealed_secrets: Option<Vec<u8>>,
    secret_set_at: DateTime<Utc>,
    previous_until: Option<DateTime<Utc>>,
    failing_since: Option<DateTime<Utc>>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = webhooks, treat_none_as_null = true)]
struct Columns<'a> {
    url: &'a str,
    events: Option<Vec<&'static str>>,
    description: Option<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(details: &'a WebhookDetails) -> Self {
        let events = details.events.as_ref();
        Self {
            url: details.url.as_str(),
            events: events.map(|events| events.iter().map(|event| event.as_str()).collect()),
            description: details.description.as_ref().map(WebhookDescription::as_str),
        }
    }
}

/// A webhook with its sealed secrets.
#[derive(Debug, Clone)]
pub struct StoredWebhook {
    /// The webhook.
    pub webhook: Webhook,
    /// Its secrets, unless they were given up.
    pub sealed: Option<SealedSecret>,
}

/// The secrets of a webhook that are to be stored.
#[derive(Debug, Clone)]
pub struct SealedWebhook {
    /// The secrets.
    pub sealed: SealedSecret,
    /// The key they are sealed under.
    pub key: MasterKeyId,
    /// When the newer one was made.
    pub set_at: DateTime<Utc>,
    /// Until when the one before is good.
    pub previous_until: Option<DateTime<Utc>>,
}

/// A webhook that is to be stored.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// See [`WebhookDetails`].
    pub details: WebhookDetails,
    /// Its secret.
    pub secret: SealedWebhook,
}

impl Row {
    pub(crate) fn into_stored(self) -> Result<StoredWebhook, Fault> {
        // A kind of event that this program does not know any more is asked for in vain.
        let known = |events: Vec<String>| events.iter().filter_map(|event| event.parse().ok()).collect();
        let webhook = Webhook {
            id: WebhookId::from_uuid(self.id),
            tenant_id: TenantId::from_uuid(self.tenant_id),
            details: WebhookDetails {
                url: stored("webhooks.url", &self.url)?,
                events: self.events.map(known),
                description: stored_option("webhooks.description", self.description)?,
            },
            disabled: stored_option("webhooks.disabled_reason", self.disabled_reason)?,
            failing_since: self.failing_since,
            secret_set_at: self.secret_set_at,
            previous_until: self.previous_until,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        };
        Ok(StoredWebhook { webhook, sealed: self.sealed_secrets.map(SealedSecret::from_bytes) })
    }
}

impl Keyset for webhooks::table {
    type Id = webhooks::id;
    type Name = webhooks::url;
    type CreatedAt = webhooks::created_at;
    type UpdatedAt = webhooks::updated_at;
}

impl Tx<'_, InTenant> {
    /// A page of the tenant's webhooks.
    pub fn webhooks(&mut self, page: &PageRequest) -> Result<Page<Webhook>, Fault> {
        let query = Row::query().filter(webhooks::tenant_id.eq(self.found.uuid())).into_boxed();
        let rows: Vec<Row> = keyset::page::<webhooks::table, _>(query, page).load(self.connection)?;
        let found = rows.into_iter().map(|row| Ok(row.into_stored()?.webhook)).collect::<Result<_, Fault>>()?;
        Ok(Page::cut(found, page))
    }

    /// A webhook of the tenant.
    pub fn webhook(&mut self, id: WebhookId) -> Result<Webhook, Fault> {
        let row = this(self.found, id).select(Row::as_select()).first::<Row>(self.connection).optional()?;
        Ok(row.ok_or(Error::NotFound(Noun::Webhook))?.into_stored()?.webhook)
    }

    /// Webhooks by id: the next ones after this.
    pub fn webhooks_after(&mut self, last: Option<WebhookId>, limit: u16) -> Result<Vec<StoredWebhook>, Fault> {
        let mut query = Row::query().filter(webhooks::tenant_id.eq(self.found.uuid())).into_boxed();
        if let Some(last) = last {
            query = query.filter(webhooks::id.gt(last.uuid()));
        }
        let rows: Vec<Row> = query.order(webhooks::id).limit(limit.into()).load(self.connection)?;
        rows.into_iter().map(Row::into_stored).collect()
    }
}

impl WriteTx<'_, InTenant> {
    /// A webhook of the tenant, locked until the end of the transaction. Whoever locks the tenant too does that after it.
    pub fn lock_webhook(&mut self, id: WebhookId) -> Result<StoredWebhook, Fault> {
        let row = this(self.found, id)
            .select(Row::as_select())
            .for_no_key_update()
            .first::<Row>(self.connection)
            .optional()?;
        row.ok_or(Error::NotFound(Noun::Webhook))?.into_stored()
    }

    /// Stores a new webhook, if the tenant may have one more.
    pub fn create_webhook(&mut self, id: WebhookId, new: &NewWebhook) -> Result<Webhook, Fault> {
        let whose = if self.found == TenantId::PLATFORM { "The platform" } else { "This tenant" };
        self.scope().lock_tenant()?;
        let used: i64 =
            webhooks::table.filter(webhooks::tenant_id.eq(self.found.uuid())).count().get_result(self.connection)?;
        if used >= MAX_WEBHOOKS {
            let cap = Cap::try_from(MAX_WEBHOOKS).map_err(|refusal| Error::internal(refusal.to_string()))?;
            return Err(limit_reached(whose, Noun::Webhook, cap, used).into());
        }
        let row: Row = diesel::insert_into(webhooks::table)
            .values((
                webhooks::tenant_id.eq(self.found.uuid()),
                webhooks::id.eq(id.uuid()),
                Columns::of(&new.details),
                webhooks::sealed_secrets.eq(new.secret.sealed.as_bytes()),
                webhooks::key_version.eq(i32::from(new.secret.key.version())),
                webhooks::secret_set_at.eq(new.secret.set_at),
            ))
            .returning(Row::as_returning())
            .get_result(self.connection)?;
        Ok(row.into_stored()?.webhook)
    }

    /// Stores new details, and whether it is enabled.
    pub fn update_webhook(
        &mut self,
        id: WebhookId,
        details: &WebhookDetails,
        disabled: Option<DisabledReason>,
    ) -> Result<Webhook, Fault> {
        let row: Row = diesel::update(this(self.found, id))
            .set((Columns::of(details), reason(disabled), changed()))
            .returning(Row::as_returning())
            .get_result(self.connection)?;
        Ok(row.into_stored()?.webhook)
    }

    /// Forgets what has failed, and sends soon what waits: at once, but not while somebody may be sending to it.
    pub fn begin_webhook_anew(&mut self, id: WebhookId) -> Result<Webhook, Fault> {
        let row: Row = diesel::update(this(self.found, id))
            .set((
                webhooks::failing_since.eq(None::<DateTime<Utc>>),
                webhooks::failures.eq(0),
                webhooks::next_turn_at.eq(soonest_turn()),
            ))
            .returning(Row::as_returning())
            .get_result(self.connection)?;
        self.tell_webhooks()?;
        Ok(row.into_stored()?.webhook)
    }

    /// Sends nothing to it any more, for this reason.
    pub fn disable_webhook(&mut self, id: WebhookId, why: DisabledReason) -> Result<Webhook, Fault> {
        let row: Row = diesel::update(this(self.found, id))
            .set((reason(Some(why)), changed()))
            .returning(Row::as_returning())
            .get_result(self.connection)?;
        Ok(row.into_stored()?.webhook)
    }

    /// Stores other secrets.
    pub fn store_webhook_secrets(&mut self, id: WebhookId, secret: &SealedWebhook) -> Result<Webhook, Fault> {
        let row: Row = diesel::update(this(self.found, id))
            .set((
                webhooks::sealed_secrets.eq(secret.sealed.as_bytes()),
                webhooks::key_version.eq(i32::from(secret.key.version())),
                webhooks::secret_set_at.eq(secret.set_at),
                webhooks::previous_until.eq(secret.previous_until),
                changed(),
            ))
            .returning(Row::as_returning())
            .get_result(self.connection)?;
        Ok(row.into_stored()?.webhook)
    }

    /// Takes a webhook away, with its deliveries.
    pub fn delete_webhook(&mut self, id: WebhookId) -> Result<(), Fault> {
        diesel::delete(this(self.found, id)).execute(self.connection)?;
        Ok(())
    }

    /// Stores webhooks as they were elsewhere, with their secrets if those came along. The keys of the secrets are noted already.
    pub fn import_webhooks(
        &mut self,
        webhooks: &[&(Webhook, Option<(SealedSecret, MasterKeyId)>)],
    ) -> Result<Option<FieldRefusal>, Fault> {
        let rows = webhooks.iter().map(|(webhook, secret)| {
            let secret = secret.as_ref();
            (
                webhooks::tenant_id.eq(self.found.uuid()),
                webhooks::id.eq(webhook.id.uuid()),
                Columns::of(&webhook.details),
                reason(webhook.disabled),
                webhooks::sealed_secrets.eq(secret.map(|(sealed, _)| sealed.as_bytes())),
                webhooks::key_version.eq(secret.map(|(_, key)| i32::from(key.version()))),
                (
                    webhooks::secret_set_at.eq(webhook.secret_set_at),
                    webhooks::previous_until.eq(webhook.previous_until),
                ),
                // How many turns have failed is not told; that one has is enough to go on.
                (
                    webhooks::failing_since.eq(webhook.failing_since),
                    webhooks::failures.eq(i32::from(webhook.failing_since.is_some())),
                ),
                webhooks::version.eq(webhook.version),
                webhooks::created_at.eq(webhook.created_at),
                webhooks::updated_at.eq(webhook.updated_at),
            )
        });
        let rows: Vec<_> = rows.collect();
        let stored = diesel::insert_into(webhooks::table).values(rows).execute(self.connection);
        let refused = refusal(stored, &[("webhooks_pkey", "id", "is the id of an earlier webhook")])?;
        if refused.is_some() {
            return Ok(refused);
        }
        let used: i64 =
            webhooks::table.filter(webhooks::tenant_id.eq(self.found.uuid())).count().get_result(self.connection)?;
        let message = || format!("is one more than the {MAX_WEBHOOKS} webhooks that a tenant may have");
        Ok((used > MAX_WEBHOOKS).then(|| Refusal::new("too_many", message()).of("id")))
    }
}

/// The one row of a webhook.
#[diesel::dsl::auto_type]
pub(crate) fn this(tenant: TenantId, id: WebhookId) -> _ {
    let (tenant, id): (Uuid, Uuid) = (tenant.uuid(), id.uuid());
    webhooks::table.filter(webhooks::tenant_id.eq(tenant).and(webhooks::id.eq(id)))
}

#[diesel::dsl::auto_type]
fn changed() -> _ {
    (webhooks::version.eq(webhooks::version + 1_i64), webhooks::updated_at.eq(now))
}

#[diesel::dsl::auto_type]
fn reason(disabled: Option<DisabledReason>) -> _ {
    let enabled: bool = disabled.is_none();
    let word: Option<&'static str> = disabled.map(DisabledReason::as_str);
    (webhooks::enabled.eq(enabled), webhooks::disabled_reason.eq(word))
}
