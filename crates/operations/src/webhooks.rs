//! Webhooks: list, show, create, update, rotate, test, delete; their deliveries: list, show, resend, replay. Those of the platform are
//! in a tenant of their own, where its credential is at home.

mod client;
mod figures;
mod payload;
mod shares;
mod turn;
mod worker;

use chrono::{DateTime, Utc};
use tenantry_auth::{
    WebhookSecret, WebhookSecrets,
    seal::{MasterKeys, WebhookContext},
};
use tenantry_domain::{
    Action, AuditEventId, Change, Conflict, Credential, Destinations, Error, Fields, InTenant, Overlap, Page,
    PageRequest, Precondition, Refusal, TenantId, Webhook, WebhookDelivery, WebhookDeliveryId, WebhookDetails,
    WebhookEvent, WebhookId, WebhookPatch, WebhookUrl, Written,
};
use tenantry_persistence::{
    Fault, NewWebhook, SealedWebhook, Store, StoredWebhook, WebhookDeliveryFilter, WriteTx, new_id, nowhere,
};

pub use self::{
    client::{LookUp, Timeouts, WebhookClient},
    figures::{Figures, FiguresNow},
    payload::ViewOf,
    worker::{Round, Sender, Workers},
};

/// What webhooks need besides the data: where they may be sent, and figures of how that goes. Clones share the figures.
#[derive(Debug, Clone, Default)]
pub struct Webhooks {
    /// Where they may be sent.
    pub destinations: Destinations,
    /// How that goes in this process.
    pub figures: Figures,
}

/// A page of the tenant's webhooks.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn list(store: &Store, credential: &Credential, page: PageRequest) -> Result<Page<Webhook>, Error> {
    store.read(&credential.at_home(), InTenant, Action::WebhookList, move |tx| tx.webhooks(&page)).await
}

/// A webhook, without its secret.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn show(store: &Store, credential: &Credential, id: WebhookId) -> Result<Webhook, Error> {
    store.read(&credential.at_home(), InTenant, Action::WebhookRead, move |tx| tx.webhook(id)).await
}

/// Makes a webhook. Its secret can be read this once.
///
/// # Errors
///
/// Those of [`Store::write`], `Invalid` for an address to which nothing is sent, and `Conflict` where the tenant has as many as it may.
pub async fn create(
    store: &Store,
    (keys, destinations): (&MasterKeys, &Destinations),
    credential: &Credential,
    details: WebhookDetails,
) -> Result<(Webhook, WebhookSecret), Error> {
    // Whoever may not do it is told that first.
    credential.at_home().tenant().ok_or_else(|| nowhere(credential, Action::WebhookCreate))?;
    let (secret, id, keys) = (WebhookSecret::issue()?, new_id(), keys.clone());
    let (made, destinations) = (secret.clone(), destinations.clone());
    let webhook = store
        .write(&credential.at_home(), InTenant, Action::WebhookCreate, move |tx| {
            allowed(&destinations, &details.url)?;
            can_happen(tx.tenant_id(), details.events.as_deref())?;
            create_in(tx, &keys, id, (details.clone(), made.clone()))
        })
        .await?;
    Ok((webhook, secret))
}

pub(crate) fn create_in(
    tx: &mut WriteTx<'_, InTenant>,
    keys: &MasterKeys,
    id: WebhookId,
    (details, secret): (WebhookDetails, WebhookSecret),
) -> Result<Change<Webhook>, Fault> {
    tx.found_platform()?;
    tx.note_master_key(keys.sealing())?;
    let context = WebhookContext { tenant: tx.tenant_id(), webhook: id, set_at: tx.clock()? };
    let secret = sealed(keys, &context, &WebhookSecrets::after(secret, None), None)?;
    let webhook = tx.create_webhook(id, &NewWebhook { details, secret })?;
    let fields = webhook.fields();
    Ok(Change::created(webhook, id, &fields))
}

fn allowed(destinations: &Destinations, url: &WebhookUrl) -> Result<(), Error> {
    destinations.check(url).map_err(|refusal| Error::invalid(refusal.of("url")))
}

/// Refuses events of which a webhook of the platform is never told.
fn can_happen(tenant: TenantId, events: Option<&[WebhookEvent]>) -> Result<(), Error> {
    let never = |event: &&WebhookEvent| tenant == TenantId::PLATFORM && !event.is_of_the_platform();
    let Some(event) = events.into_iter().flatten().find(never) else { return Ok(()) };
    let message = format!("has \"{event}\": the platform is told of events about tenants, and of nothing inside them");
    Err(Error::invalid(Refusal::new("not_a_choice", message).of("events")))
}

fn sealed(
    keys: &MasterKeys,
    context: &WebhookContext,
    secrets: &WebhookSecrets,
    previous_until: Option<DateTime<Utc>>,
) -> Result<SealedWebhook, Error> {
    let sealed = keys.seal_webhook(context, &secrets.to_plain()?)?;
    Ok(SealedWebhook { sealed, key: keys.sealing().clone(), set_at: context.set_at, previous_until })
}

/// The secrets of a webhook; `None` for one that has none, or whose secrets do not open. That is somebody's mistake or somebody's deed, and worth an alarm.
fn opened(keys: &MasterKeys, stored: &StoredWebhook) -> Option<WebhookSecrets> {
    let sealed = stored.sealed.as_ref()?;
    match keys.open_webhook(&context(&stored.webhook), sealed) {
        Ok(plain) => Some(WebhookSecrets::of_plain(&plain)),
        Err(_) => {
            does_not_open(&stored.webhook);
            None
        }
    }
}

pub(crate) fn context(webhook: &Webhook) -> WebhookContext {
    WebhookContext { tenant: webhook.tenant_id, webhook: webhook.id, set_at: webhook.secret_set_at }
}

/// The alarm.
pub(crate) fn does_not_open(webhook: &Webhook) {
    let (tenant, webhook) = (webhook.tenant_id, webhook.id);
    tracing::error!(
        %tenant, %webhook,
        "cannot decrypt the secret of a webhook: it is damaged, was copied from elsewhere, or is encrypted under another master key"
    );
}

/// Changes a webhook. One that is not enabled is sent nothing, and events that happen meanwhile are not kept for it.
///
/// # Errors
///
/// Those of [`Store::write`], `Invalid` for an address to which nothing is sent, `PreconditionFailed`, and `Conflict` where it is to be
/// enabled and has no secret.
pub async fn update(
    store: &Store,
    destinations: &Destinations,
    credential: &Credential,
    id: WebhookId,
    precondition: Precondition,
    patch: WebhookPatch,
) -> Result<Written<Webhook>, Error> {
    let destinations = destinations.clone();
    store
        .write_and_show(&credential.at_home(), InTenant, Action::WebhookUpdate, move |tx| {
            let StoredWebhook { webhook: before, sealed } = tx.lock_webhook(id)?;
            tx.hold(&precondition, before.version)?;
            if let Some(url) = &patch.url {
                allowed(&destinations, url)?;
            }
            can_happen(tx.tenant_id(), patch.events.as_ref().and_then(Option::as_deref))?;
            let (details, disabled) = (before.details.patched(&patch), before.disabled_after(&patch));
            if details == before.details && disabled == before.disabled {
                return Ok(Change::nothing(before));
            }
            if disabled.is_none() && sealed.is_none() {
                let message = "This webhook has no secret any more. Rotate it first.";
                return Err(Error::conflict(Conflict::SecretUnreadable, message).into());
            }
            let mut after = tx.update_webhook(id, &details, disabled)?;
            // What has failed was its address, or is over.
            if disabled.is_none() && (!before.is_enabled() || details.url != before.details.url) {
                after = tx.begin_webhook_anew(id)?;
            }
            let (before, now) = (before.fields(), after.fields());
            Ok(Change::between(after, id, &before, &now))
        })
        .await
}

/// Gives a webhook a new secret, which can be read this once. The one before signs as well for the overlap.
///
/// # Errors
///
/// Those of [`Store::write`], and `Forbidden` for who may not read it.
pub async fn rotate(
    store: &Store,
    keys: &MasterKeys,
    credential: &Credential,
    id: WebhookId,
    overlap: Overlap,
) -> Result<(Webhook, WebhookSecret), Error> {
    let (secret, keys) = (WebhookSecret::issue()?, keys.clone());
    let made = secret.clone();
    let webhook = store
        .write(&credential.at_home(), InTenant, Action::WebhookRotate, move |tx| {
            // The answer shows what the webhook is.
            tx.permit(Action::WebhookRead)?;
            let before = tx.lock_webhook(id)?;
            tx.note_master_key(keys.sealing())?;
            let now = tx.clock()?;
            let old = opened(&keys, &before);
            let until = old.as_ref().map(|_| now + overlap.duration());
            let context = WebhookContext { set_at: now, ..context(&before.webhook) };
            let secrets = sealed(&keys, &context, &WebhookSecrets::after(made.clone(), old), until)?;
            let after = tx.store_webhook_secrets(id, &secrets)?;
            let (before, now) = (before.webhook.fields(), after.fields());
            Ok(Change::between(after, id, &before, &now))
        })
        .await?;
    Ok((webhook, secret))
}

/// Sends an event to a webhook, whatever it asks for, so that its owner sees whether it arrives.
///
/// # Errors
///
/// Those of [`Store::write`], and `Conflict` for one that is not enabled.
pub async fn test(store: &Store, credential: &Credential, id: WebhookId) -> Result<Written<WebhookDelivery>, Error> {
    let event: AuditEventId = new_id();
    store
        .write_and_show(&credential.at_home(), InTenant, Action::WebhookTest, move |tx| {
            tx.lock_webhook(id)?.webhook.must_be_enabled()?;
            // A step of its own, because the event has to be there before its delivery is.
            tx.step(InTenant, Action::WebhookTest, |_| Ok(tested(id, event)))?;
            Ok(Change::nothing(tx.webhook_delivery(id, WebhookDeliveryId::from_uuid(event.uuid()))?))
        })
        .await
}

/// What a test leaves in the audit log, and sends: an event with this id.
pub(crate) fn tested(id: WebhookId, event: AuditEventId) -> Change<()> {
    let mut change = Change::between((), id, &Fields::new(), &Fields::new().with("test", true));
    if let Some(record) = &mut change.record {
        record.event.id = Some(event);
    }
    change
}

/// Deletes a webhook, with its deliveries.
///
/// # Errors
///
/// Those of [`Store::write`], and `PreconditionFailed`.
pub async fn delete(
    store: &Store,
    credential: &Credential,
    id: WebhookId,
    precondition: Precondition,
) -> Result<(), Error> {
    store
        .write(&credential.at_home(), InTenant, Action::WebhookDelete, move |tx| {
            let before = tx.lock_webhook(id)?.webhook;
            tx.hold(&precondition, before.version)?;
            tx.delete_webhook(id)?;
            Ok(Change::removed((), id, &before.fields()))
        })
        .await
}

/// A page of the deliveries to a webhook.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn deliveries(
    store: &Store,
    credential: &Credential,
    id: WebhookId,
    filter: WebhookDeliveryFilter,
    page: PageRequest,
) -> Result<Page<WebhookDelivery>, Error> {
    store
        .read(&credential.at_home(), InTenant, Action::WebhookDeliveryList, move |tx| {
            tx.webhook_deliveries(id, filter, &page)
        })
        .await
}

/// A delivery to a webhook.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn delivery(
    store: &Store,
    credential: &Credential,
    id: WebhookId,
    delivery: WebhookDeliveryId,
) -> Result<WebhookDelivery, Error> {
    store
        .read(&credential.at_home(), InTenant, Action::WebhookDeliveryList, move |tx| tx.webhook_delivery(id, delivery))
        .await
}

/// Sends an event to a webhook again.
///
/// # Errors
///
/// Those of [`Store::write`], and `Conflict` for a webhook that is not enabled.
pub async fn resend(
    store: &Store,
    credential: &Credential,
    id: WebhookId,
    delivery: WebhookDeliveryId,
) -> Result<Written<WebhookDelivery>, Error> {
    store
        .write_and_show(&credential.at_home(), InTenant, Action::WebhookResend, move |tx| {
            tx.lock_webhook(id)?.webhook.must_be_enabled()?;
            tx.webhook_delivery(id, delivery)?;
            let after = tx.resend(id, delivery)?;
            let resent = Fields::new().with("resentEventId", delivery.to_string());
            Ok(Change::between(after, id, &Fields::new(), &resent))
        })
        .await
}

/// Sends all events since a time to a webhook again, as far as it asks for them. Returns how many.
///
/// # Errors
///
/// Those of [`Store::write`], and `Conflict` for a webhook that is not enabled.
pub async fn replay(
    store: &Store,
    credential: &Credential,
    id: WebhookId,
    since: DateTime<Utc>,
) -> Result<Written<usize>, Error> {
    store
        .write_and_show(&credential.at_home(), InTenant, Action::WebhookReplay, move |tx| {
            tx.lock_webhook(id)?.webhook.must_be_enabled()?;
            let events = tx.replay(id, since)?;
            let fields = Fields::new().with("replayedSince", since.to_rfc3339()).with("replayedEvents", events);
            Ok(Change::between(events, id, &Fields::new(), &fields))
        })
        .await
}

/// Who sends.
fn job(tenant: Option<TenantId>) -> Credential {
    crate::housekeeping::job("deliver webhooks", tenant)
}
