//! The email that tells a tenant's owner that a webhook was disabled.

use askama::Template;
use chrono::{DateTime, Utc};
use tenantry_domain::{DISABLED_AFTER_DAYS, DisabledReason, EmailAddress, SenderName};
use tenantry_persistence::DisabledWebhook;
use url::Url;
use uuid::Uuid;

use super::{Email, MailFault, Subject, plain};

#[derive(Template)]
#[template(path = "webhook_disabled.txt")]
struct Text<'a> {
    email: &'a Words,
}

#[derive(Template)]
#[template(path = "webhook_disabled.html")]
struct Html<'a> {
    email: &'a Words,
}

/// What both templates say.
struct Words {
    subject: String,
    host: String,
    tenant: String,
    why: String,
    since: String,
    id: Uuid,
}

/// Writes the email.
///
/// # Errors
///
/// `Never`, for an email that cannot be written.
pub(crate) fn webhook_email(
    (id, date): (Uuid, DateTime<Utc>),
    from_address: &EmailAddress,
    disabled: &DisabledWebhook,
) -> Result<Email, MailFault> {
    let DisabledWebhook { webhook, tenant, brand, owner } = disabled;
    let host = Url::parse(webhook.details.url.as_str()).ok().and_then(|url| url.host_str().map(str::to_owned));
    let host = plain::name(&host.unwrap_or_default());
    let tenant = plain::name(tenant.details.name.as_str());
    let since = webhook.failing_since.unwrap_or(webhook.updated_at);
    let email = &Words {
        subject: format!("Webhook disabled: {}", short(&host)),
        why: match webhook.disabled {
            Some(DisabledReason::Gone) => "its receiver answered 410 Gone.".to_owned(),
            _ => format!("for {DISABLED_AFTER_DAYS} days nothing could be delivered."),
        },
        since: since.format("%Y-%m-%d %H:%M UTC").to_string(),
        id: webhook.id.uuid(),
        host,
        tenant,
    };
    let unwritten = |error: askama::Error| MailFault::Never(format!("the email cannot be rendered: {error}"));
    let subject = Subject::around(email.subject.clone())
        .map_err(|refusal| MailFault::Never(format!("the subject of the email {refusal}")))?;
    let own = brand.details.email_from_name.clone();
    Ok(Email {
        id,
        date,
        from_name: SenderName::of_foreign(&plain::unlinked(own.as_str())).unwrap_or(own),
        from_address: from_address.clone(),
        to: owner.clone(),
        reply_to: None,
        subject,
        text: Text { email }.render().map_err(unwritten)?,
        html: Html { email }.render().map_err(unwritten)?,
    })
}

fn short(host: &str) -> String {
    host.chars().take(100).collect()
}
