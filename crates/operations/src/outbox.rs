//! The outbox: deliver what is due, list, try again.
//!
//! A message belongs to whoever has claimed it, for as long as a lease lasts, and is sent outside of any transaction. So each is
//! sent once by any number of workers, and once more only after one of them has died in between.

mod email;

use chrono::Duration;
use tenantry_auth::Secret;
use tenantry_domain::{
    ATTEMPTS, Action, Change, Conflict, Credential, EmailAddress, Error, InTenant, Mail, OutboxMessage,
    OutboxMessageId, OutboxState, Page, PageLimit, PageRequest, Platform, Sort, TenantId, pause,
};
use tenantry_persistence::{DisabledWebhook, DueInvitation, Pick, Store};

use crate::{
    chance::chance,
    insist::{insist, is_passing},
    mail::{InvitationLink, MailFault, Mailer, Signatures, webhook_email},
};

/// The name of the job.
pub const DELIVER: &str = "deliver mail";

/// How many tenants a round visits at most.
const TENANTS: i64 = 100;

/// How many messages of one tenant a round tries at most; the rest waits until the others have had their turn.
const BATCH: usize = 20;

/// Who sends, and how.
#[derive(Clone)]
pub struct Sender {
    /// Makes the attempts. One may take a minute at most, which is half of the time that a message belongs to who has claimed it.
    pub mailer: Mailer,
    /// The address of the sender.
    pub from_address: EmailAddress,
    /// Where invitations are accepted.
    pub link: InvitationLink,
    /// How much of the tenants' signatures is sent.
    pub signatures: Signatures,
    /// Whether an answer to an invitation goes to the member who invites.
    pub reply_to_inviter: bool,
}

/// What one round has come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Emails that were taken over.
    pub sent: usize,
    /// Emails that are tried again later.
    pub postponed: usize,
    /// Emails that are given up.
    pub dead: usize,
    /// Messages for which there was no more reason.
    pub dropped: usize,
}

impl std::ops::AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        let Self { sent, postponed, dead, dropped } = other;
        self.sent += sent;
        self.postponed += postponed;
        self.dead += dead;
        self.dropped += dropped;
    }
}

impl Report {
    /// Whether there was nothing to do.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One round over the tenants with messages that are due: a bounded number of each, one email after the other. Any number of
/// rounds may run at once, in one process or in several. Between two emails it asks whether to go on.
///
/// # Errors
///
/// `Unavailable` without a database. What is wrong with one tenant's messages goes to the log, and stops no other tenant.
pub async fn deliver_due(store: &Store, sender: &Sender, go_on: impl Fn() -> bool) -> Result<Report, Error> {
    let due = store.read(&job(None), Platform, Action::OutboxDeliver, |tx| tx.tenants_with_mail_due(TENANTS)).await?;
    let mut report = Report::default();
    for tenant in due {
        match visit(store, sender, tenant, &go_on, &mut report).await {
            Ok(()) => {}
            Err(error) if is_passing(&error) => return Err(error),
            // It was frozen meanwhile. An email that was just sent is sent once more when the tenant is not frozen any more.
            Err(Error::TenantFrozen) => tracing::info!(%tenant, "the tenant is frozen; its email waits"),
            Err(error) => tracing::error!(%tenant, ?error, "could not deliver a tenant's email; will try again"),
        }
    }
    Ok(report)
}

async fn visit(
    store: &Store,
    sender: &Sender,
    tenant: TenantId,
    go_on: &impl Fn() -> bool,
    report: &mut Report,
) -> Result<(), Error> {
    for turn in 0..BATCH {
        if !go_on() {
            return Ok(());
        }
        // Half of the turns for what has just come, half for what waits longest, so that neither starves.
        let pick = if turn % 2 == 0 { Pick::Newest } else { Pick::LeastTried };
        match claim(store, tenant, pick).await? {
            Claim::Nothing => return Ok(()),
            Claim::Dropped => report.dropped += 1,
            Claim::Due(message, due, token) => {
                let outcome = attempt(sender, &message, &due, &token).await;
                match note(store, tenant, message, outcome, &token).await? {
                    OutboxState::Sent => report.sent += 1,
                    OutboxState::Dead => report.dead += 1,
                    _ => report.postponed += 1,
                }
            }
        }
    }
    store
        .write(&job(Some(tenant)), InTenant, Action::OutboxDeliver, |tx| {
            tx.note_mail_due(true).map(Change::bookkeeping)
        })
        .await
}

enum Claim {
    Nothing,
    Dropped,
    Due(OutboxMessage, Due, Secret),
}

/// What a message is written from.
enum Due {
    Invitation(Box<DueInvitation>),
    Webhook(Box<DisabledWebhook>),
}

/// Claims a message, with a token of its own. The hash of the token is stored before the email leaves, so that whoever gets the
/// email can use it.
async fn claim(store: &Store, tenant: TenantId, pick: Pick) -> Result<Claim, Error> {
    let token = tenantry_auth::issue_invitation(tenant)?;
    let hash = token.hash();
    let claimed = store
        .write(&job(Some(tenant)), InTenant, Action::OutboxDeliver, move |tx| {
            let lets_in = tx.lock_tenant()?;
            // It may have been suspended since the round began; then its messages wait.
            if lets_in.suspended_at.is_some() || lets_in.deleted_at.is_some() {
                return Ok(Change::bookkeeping(None));
            }
            let Some(message) = tx.claim_message(pick)? else {
                tx.note_mail_due(false)?;
                return Ok(Change::bookkeeping(None));
            };
            let due = match message.mail {
                Mail::Invitation(id) => {
                    let due = tx.due_invitation(id)?;
                    if due.is_some() {
                        tx.add_invitation_token(id, &hash)?;
                    }
                    due.map(|due| Due::Invitation(Box::new(due)))
                }
                Mail::WebhookDisabled(id) => tx.disabled_webhook(id)?.map(|due| Due::Webhook(Box::new(due))),
            };
            if due.is_none() {
                tx.mark_dropped(&message)?;
            }
            Ok(Change::bookkeeping(Some((message, due))))
        })
        .await?;
    Ok(match claimed {
        None => Claim::Nothing,
        Some((_, None)) => Claim::Dropped,
        Some((message, Some(due))) => Claim::Due(message, due, token),
    })
}

async fn attempt(sender: &Sender, message: &OutboxMessage, due: &Due, token: &Secret) -> Result<(), MailFault> {
    let email = match due {
        Due::Invitation(due) => email::of_invitation(sender, message, due, &sender.link.with(token.reveal()))?,
        Due::Webhook(due) => webhook_email((message.id.uuid(), message.created_at), &sender.from_address, due)?,
    };
    sender.mailer.send(&email).await
}

/// Writes down what has become of an attempt, and says so in the log, where neither addresses nor tokens belong.
async fn note(
    store: &Store,
    tenant: TenantId,
    message: OutboxMessage,
    outcome: Result<(), MailFault>,
    token: &Secret,
) -> Result<OutboxState, Error> {
    let state = match &outcome {
        Ok(()) => OutboxState::Sent,
        Err(MailFault::Never(_)) => OutboxState::Dead,
        Err(MailFault::Later(_)) if message.attempts >= ATTEMPTS => OutboxState::Dead,
        Err(MailFault::Later(_)) => OutboxState::Pending,
    };
    let reason = outcome.err().map(|fault| without_tokens(fault.reason(), token)).unwrap_or_default();
    let (id, attempts, logged) = (message.id, message.attempts, without_addresses(&reason));
    let wait = pause(attempts, chance());
    insist(|| async {
        let (message, reason) = (message.clone(), reason.clone());
        store
            .write(&job(Some(tenant)), InTenant, Action::OutboxDeliver, move |tx| {
                match state {
                    OutboxState::Sent => tx.mark_sent(&message),
                    OutboxState::Dead => tx.mark_dead(&message, &reason),
                    _ => tx.mark_failed(&message, &reason, wait),
                }
                .map(Change::bookkeeping)
            })
            .await
    })
    .await?;
    match state {
        OutboxState::Sent => tracing::info!(%tenant, message = %id, attempts, "sent an email"),
        OutboxState::Dead => {
            tracing::error!(%tenant, message = %id, attempts, reason = logged, "gave up on an email")
        }
        _ => {
            let seconds = Duration::num_seconds(&wait);
            tracing::warn!(%tenant, message = %id, attempts, reason = logged, seconds, "could not send an email; will try again");
        }
    }
    Ok(state)
}

/// A server may repeat what it does not like, and that may be the link.
fn without_tokens(reason: &str, token: &Secret) -> String {
    reason.replace(token.reveal(), "***")
}

fn without_addresses(reason: &str) -> String {
    let hidden = |word: &str| if word.contains('@') { "***".to_owned() } else { word.to_owned() };
    reason.split(' ').map(hidden).collect::<Vec<_>>().join(" ")
}

fn job(tenant: Option<TenantId>) -> Credential {
    crate::housekeeping::job(DELIVER, tenant)
}

/// A page of the tenant's outbox, of messages in this state or of all.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn list(
    store: &Store,
    credential: &Credential,
    state: Option<OutboxState>,
    page: PageRequest,
) -> Result<Page<OutboxMessage>, Error> {
    store.read(credential, InTenant, Action::OutboxList, move |tx| tx.outbox_messages(state, &page)).await
}

/// Has a message tried again, from the first attempt on: one that is dead, or one that waits for its next attempt.
///
/// # Errors
///
/// Those of [`Store::write`], and `Conflict` for one that was sent or dropped.
pub async fn retry(store: &Store, credential: &Credential, id: OutboxMessageId) -> Result<OutboxMessage, Error> {
    store
        .write(credential, InTenant, Action::OutboxRetry, move |tx| {
            // First, as everybody does who changes both.
            tx.lock_tenant()?;
            let before = tx.lock_message(id)?;
            let message = match before.state {
                OutboxState::Dead | OutboxState::Pending => tx.retry_message(id)?,
                OutboxState::Sent => {
                    let message = "This message has been sent. To send another one, send the invitation again.";
                    return Err(Error::conflict(Conflict::MessageSent, message).into());
                }
                OutboxState::Dropped => {
                    let message = "This message was dropped because it was no longer needed.";
                    return Err(Error::conflict(Conflict::MessageDropped, message).into());
                }
            };
            let (before, after) = (before.fields(), message.fields());
            if before == after {
                return Ok(Change::nothing(message));
            }
            Ok(Change::between(message, id, &before, &after))
        })
        .await
}

/// Has all messages of the tenant tried again that are dead; returns them.
///
/// # Errors
///
/// Those of [`retry`].
pub async fn retry_dead(store: &Store, credential: &Credential) -> Result<Vec<OutboxMessage>, Error> {
    let mut request = PageRequest { limit: PageLimit::default(), sort: Sort::default(), after: None };
    let mut retried = Vec::new();
    loop {
        let page = list(store, credential, Some(OutboxState::Dead), request.clone()).await?;
        for message in page.items {
            match retry(store, credential, message.id).await {
                Ok(message) => retried.push(message),
                // Somebody else was faster, and there is no more reason.
                Err(Error::Conflict { .. } | Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        match page.next {
            Some(next) => request.after = Some(next),
            None => return Ok(retried),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_an_address_nor_a_token_is_logged() {
        let token = tenantry_auth::issue_invitation(TenantId::from_uuid(uuid::Uuid::nil())).unwrap();
        let said = format!("the email was refused: 550 <ada@example.com> may not get https://x/#{}", token.reveal());
        let reason = without_tokens(&said, &token);
        assert_eq!(reason, "the email was refused: 550 <ada@example.com> may not get https://x/#***");
        assert_eq!(without_addresses(&reason), "the email was refused: 550 *** may not get https://x/#***");
    }
}
