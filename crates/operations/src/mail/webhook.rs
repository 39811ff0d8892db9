//! The email that tells a tenant's owner that a webhook was disabled.

use askama::Template;
use chrono::{DateTime, Utc};
use tenantry_domain::{DISABLED_AFTER_DAYS, DisabledReason, EmailAddress, SenderName};
use tenantry_persistence::DisabledWebhook;
use url::Url;
use uuid::Uuid;

use super::{
    Email, MailFault, Subject,
    language::{Language, Piece, filled, text},
    plain,
};

#[derive(Template)]
#[template(path = "webhook_disabled.txt")]
struct Text<'a> {
    email: &'a Words<'a>,
}

#[derive(Template)]
#[template(path = "webhook_disabled.html")]
struct Html<'a> {
    email: &'a Words<'a>,
}

/// What both templates say.
struct Words<'a> {
    language: &'a Language,
    subject: &'a str,
    /// The sentence that says why.
    disabled: Vec<Piece<'a>>,
    what_to_do: String,
    which: String,
}

/// Writes the email, in the language of the tenant.
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
    let language = Language::of(tenant.details.defaults.language);
    let words = language.webhook;
    let host = Url::parse(webhook.details.url.as_str()).ok().and_then(|url| url.host_str().map(str::to_owned));
    let host = plain::name(&host.unwrap_or_default());
    let (tenant, days) = (plain::name(tenant.details.name.as_str()), DISABLED_AFTER_DAYS.to_string());
    let values = [("webhook", host.as_str()), ("tenant", &tenant), ("days", &days)];
    let since = language.time(webhook.failing_since.unwrap_or(webhook.updated_at));
    let subject = Subject::around(text(words.subject, &[("webhook", &short(&host))]))
        .map_err(|refusal| MailFault::Never(format!("the subject of the email {refusal}")))?;
    let email = &Words {
        language,
        subject: subject.as_str(),
        disabled: match webhook.disabled {
            Some(DisabledReason::Gone) => filled(words.gone, &values),
            _ => filled(words.failing, &values),
        },
        what_to_do: text(words.what_to_do, &[("time", &since)]),
        which: text(words.which, &[("id", &webhook.id.to_string())]),
    };
    let (plain, html) = (Text { email }.render(), Html { email }.render());
    let unwritten = |error: askama::Error| MailFault::Never(format!("the email cannot be rendered: {error}"));
    let own = brand.details.email_from_name.clone();
    Ok(Email {
        id,
        date,
        from_name: SenderName::of_foreign(&plain::unlinked(own.as_str())).unwrap_or(own),
        from_address: from_address.clone(),
        to: owner.clone(),
        reply_to: None,
        text: plain.map_err(unwritten)?,
        html: html.map_err(unwritten)?,
        subject,
    })
}

fn short(host: &str) -> String {
    host.chars().take(100).collect()
}
