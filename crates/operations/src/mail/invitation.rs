//! The email that invites somebody into a tenant.

use askama::Template;
use chrono::{DateTime, Utc};
use tenantry_domain::{BrandName, EmailAddress, SenderName, SignatureHtml, SignatureText, TenantName, WorkspaceName};
use uuid::Uuid;

use super::{Email, MailFault, Subject};

/// What an invitation says. It is not `Debug`, because its link is a secret.
#[derive(Clone)]
pub struct InvitationEmail {
    /// See [`Email::id`].
    pub id: Uuid,
    /// See [`Email::date`].
    pub date: DateTime<Utc>,
    /// See [`Email::from_address`].
    pub from_address: EmailAddress,
    /// Who is invited.
    pub to: EmailAddress,
    /// Into which tenant.
    pub tenant: TenantName,
    /// The brand that writes.
    pub brand: BrandName,
    /// The brand's name as a sender.
    pub sender: SenderName,
    /// The effective signature for the HTML part.
    pub signature_html: Option<SignatureHtml>,
    /// The effective signature for the plain part.
    pub signature_text: Option<SignatureText>,
    /// The role as it stands behind "as", with its article: `an agent`.
    pub role: String,
    /// The workspaces it is for; the email names the first ten and counts the others.
    pub workspaces: Vec<WorkspaceName>,
    /// Where it is accepted, with its token: [`InvitationLink::with`](super::InvitationLink::with).
    pub link: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

#[derive(Template)]
#[template(path = "invitation.txt")]
struct Text<'a> {
    email: &'a Words<'a>,
}

#[derive(Template)]
#[template(path = "invitation.html")]
struct Html<'a> {
    email: &'a Words<'a>,
}

/// What both templates say.
struct Words<'a> {
    subject: &'a str,
    /// The brand, where that is not the tenant by another word.
    inviter: Option<&'a str>,
    tenant: &'a str,
    role: &'a str,
    workspaces: Vec<&'a str>,
    more_workspaces: usize,
    link: &'a str,
    expires: String,
    signature_html: Option<&'a str>,
    signature_text: Option<&'a str>,
}

/// How many workspaces are named.
const NAMED: usize = 10;

/// Writes the email.
///
/// # Errors
///
/// `Never`, for an email that cannot be written.
pub fn invitation_email(invitation: &InvitationEmail) -> Result<Email, MailFault> {
    let subject = subject(invitation)?;
    let email = &Words {
        subject: subject.as_str(),
        inviter: inviter(invitation),
        tenant: invitation.tenant.as_str(),
        role: &invitation.role,
        workspaces: invitation.workspaces.iter().take(NAMED).map(WorkspaceName::as_str).collect(),
        more_workspaces: invitation.workspaces.len().saturating_sub(NAMED),
        link: &invitation.link,
        expires: invitation.expires_at.format("%A, %-d %B %Y, at %H:%M UTC").to_string(),
        signature_html: invitation.signature_html.as_ref().map(SignatureHtml::as_str),
        signature_text: invitation.signature_text.as_ref().map(SignatureText::as_str),
    };
    let (text, html) = (Text { email }.render(), Html { email }.render());
    let unwritten = |error: askama::Error| MailFault::Never(format!("the invitation cannot be rendered: {error}"));
    Ok(Email {
        id: invitation.id,
        date: invitation.date,
        from_name: invitation.sender.clone(),
        from_address: invitation.from_address.clone(),
        to: invitation.to.clone(),
        text: text.map_err(unwritten)?,
        html: html.map_err(unwritten)?,
        subject,
    })
}

/// Nobody is invited by a tenant to itself.
fn inviter(invitation: &InvitationEmail) -> Option<&str> {
    let brand = invitation.brand.as_str();
    (brand != invitation.tenant.as_str()).then_some(brand)
}

fn subject(invitation: &InvitationEmail) -> Result<Subject, MailFault> {
    let tenant = short(invitation.tenant.as_str());
    let subject = match inviter(invitation) {
        Some(brand) => format!("{} invites you to {tenant}", short(brand)),
        None => format!("You are invited to {tenant}"),
    };
    subject.parse().map_err(|refusal| MailFault::Never(format!("the subject of the invitation {refusal}")))
}

/// A name of a length that leaves the rest of a subject in sight.
fn short(name: &str) -> String {
    const MOST: usize = 80;
    match name.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default().trim_end()),
        None => name.to_owned(),
    }
}
