//! The letter that invites somebody into a tenant.

use askama::Template;
use chrono::{DateTime, Utc};
use tenantry_domain::{
    BrandName, EmailAddress, Line, SenderName, SignatureHtml, SignatureText, TenantName, WorkspaceName,
};
use uuid::Uuid;

use super::{Letter, MailFault, Subject};

/// What an invitation says. It is not `Debug`, because its link is a secret.
#[derive(Clone)]
pub struct InvitationLetter {
    /// See [`Letter::id`].
    pub id: Uuid,
    /// See [`Letter::date`].
    pub date: DateTime<Utc>,
    /// See [`Letter::from_address`].
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
    /// The workspaces it is for; the letter names the first ten and counts the others.
    pub workspaces: Vec<WorkspaceName>,
    /// Where it is accepted, with its token: [`InvitationLink::with`](super::InvitationLink::with).
    pub link: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// Who invites; the brand does when `None`.
    pub inviter: Option<Inviter>,
}

/// A person who invites.
#[derive(Debug, Clone)]
pub struct Inviter {
    /// The person's name.
    pub name: Option<Line<120>>,
    /// The person's address.
    pub email: EmailAddress,
}

#[derive(Template)]
#[template(path = "invitation.txt")]
struct Text<'a> {
    letter: &'a Words<'a>,
}

#[derive(Template)]
#[template(path = "invitation.html")]
struct Html<'a> {
    letter: &'a Words<'a>,
}

/// What both templates say.
struct Words<'a> {
    subject: &'a str,
    inviter: String,
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

/// Writes the letter.
///
/// # Errors
///
/// `Never`, for a letter that cannot be written.
pub fn invitation_letter(invitation: &InvitationLetter) -> Result<Letter, MailFault> {
    let subject = subject(invitation)?;
    let letter = &Words {
        subject: subject.as_str(),
        inviter: invitation.inviter.as_ref().map_or_else(|| invitation.brand.as_str().to_owned(), Inviter::in_full),
        tenant: invitation.tenant.as_str(),
        role: &invitation.role,
        workspaces: invitation.workspaces.iter().take(NAMED).map(WorkspaceName::as_str).collect(),
        more_workspaces: invitation.workspaces.len().saturating_sub(NAMED),
        link: &invitation.link,
        expires: invitation.expires_at.format("%A, %-d %B %Y, at %H:%M UTC").to_string(),
        signature_html: invitation.signature_html.as_ref().map(SignatureHtml::as_str),
        signature_text: invitation.signature_text.as_ref().map(SignatureText::as_str),
    };
    let (text, html) = (Text { letter }.render(), Html { letter }.render());
    let unwritten = |error: askama::Error| MailFault::Never(format!("the invitation cannot be written: {error}"));
    Ok(Letter {
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

fn subject(invitation: &InvitationLetter) -> Result<Subject, MailFault> {
    let inviter = invitation.inviter.as_ref().map_or(invitation.brand.as_str(), Inviter::in_short);
    let subject = format!("{} invites you to {}", short(inviter), short(invitation.tenant.as_str()));
    subject.parse().map_err(|refusal| MailFault::Never(format!("the subject of the invitation {refusal}")))
}

impl Inviter {
    fn in_short(&self) -> &str {
        self.name.as_ref().map_or(self.email.as_str(), Line::as_str)
    }

    fn in_full(&self) -> String {
        match &self.name {
            Some(name) => format!("{} ({})", name.as_str(), self.email),
            None => self.email.to_string(),
        }
    }
}

/// A name of a length that leaves the rest of a subject in sight.
fn short(name: &str) -> String {
    const MOST: usize = 80;
    match name.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default().trim_end()),
        None => name.to_owned(),
    }
}
