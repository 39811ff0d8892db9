//! The email that invites somebody into a tenant.

use std::str::FromStr;

use askama::Template;
use chrono::{DateTime, Utc};
use tenantry_domain::{BrandName, EmailAddress, SenderName, SignatureHtml, SignatureText, TenantName, WorkspaceName};
use uuid::Uuid;

use super::{Email, MailFault, Subject, plain};

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
    /// How much of the signatures is sent.
    pub signatures: Signatures,
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

/// How much of the signatures of brands and workspaces is in emails. Whoever has a tenant writes them, and they are sent from the
/// operator's domain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Signatures {
    /// None.
    None,
    /// The beginning of the plain one, in both parts, without links.
    #[default]
    Text,
    /// Both as they are written: for an operator who trusts all tenants.
    Html,
}

impl FromStr for Signatures {
    type Err = ();

    fn from_str(raw: &str) -> Result<Self, ()> {
        match raw {
            "none" => Ok(Self::None),
            "text" => Ok(Self::Text),
            "html" => Ok(Self::Html),
            _ => Err(()),
        }
    }
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
    inviter: Option<String>,
    tenant: String,
    role: &'a str,
    workspaces: Vec<String>,
    more_workspaces: usize,
    link: &'a str,
    expires: String,
    signature_html: Option<&'a str>,
    signature_text: Option<String>,
    /// Whether the HTML part has the plain signature.
    only_text: bool,
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
        inviter: inviter(invitation).map(plain::name),
        tenant: plain::name(invitation.tenant.as_str()),
        role: &invitation.role,
        workspaces: invitation.workspaces.iter().take(NAMED).map(|name| plain::name(name.as_str())).collect(),
        more_workspaces: invitation.workspaces.len().saturating_sub(NAMED),
        link: &invitation.link,
        expires: invitation.expires_at.format("%A, %-d %B %Y, at %H:%M UTC").to_string(),
        signature_html: match invitation.signatures {
            Signatures::Html => invitation.signature_html.as_ref().map(SignatureHtml::as_str),
            Signatures::Text | Signatures::None => None,
        },
        signature_text: invitation.signature_text.as_ref().and_then(|text| match invitation.signatures {
            Signatures::Html => Some(text.as_str().to_owned()),
            Signatures::Text => Some(beginning(text.as_str())),
            Signatures::None => None,
        }),
        only_text: invitation.signatures == Signatures::Text,
    };
    let (text, html) = (Text { email }.render(), Html { email }.render());
    let unwritten = |error: askama::Error| MailFault::Never(format!("the invitation cannot be rendered: {error}"));
    Ok(Email {
        id: invitation.id,
        date: invitation.date,
        from_name: sender(invitation),
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
    let tenant = plain::name(&short(invitation.tenant.as_str()));
    let subject = match inviter(invitation) {
        Some(brand) => format!("{} invites you to {tenant}", plain::name(&short(brand))),
        None => format!("You are invited to {tenant}"),
    };
    Subject::around(subject).map_err(|refusal| MailFault::Never(format!("the subject of the invitation {refusal}")))
}

/// The name of the sender, which must not look like another address than the one behind it.
fn sender(invitation: &InvitationEmail) -> SenderName {
    SenderName::of_foreign(&plain::unlinked(invitation.sender.as_str())).unwrap_or_else(|| invitation.sender.clone())
}

/// So much of a signature that it says who writes, and no more: what comes from the operator's domain is not for others to write.
fn beginning(signature: &str) -> String {
    const LINES: usize = 10;
    const CHARACTERS: usize = 500;
    let lines: Vec<_> = signature.lines().take(LINES).map(plain::name).collect();
    lines.join("\n").chars().take(CHARACTERS).collect::<String>().trim_end().to_owned()
}

/// A name of a length that leaves the rest of a subject in sight.
fn short(name: &str) -> String {
    const MOST: usize = 80;
    match name.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default().trim_end()),
        None => name.to_owned(),
    }
}
