//! The email that invites somebody into a tenant.

use std::str::FromStr;

use askama::Template;
use chrono::{DateTime, Utc};
use tenantry_domain::{
    BrandName, EmailAddress, LanguageCode, Role, SenderName, SignatureHtml, SignatureText, TenantName, WorkspaceName,
};
use uuid::Uuid;

use super::{
    Email, MailFault, Subject,
    language::{Language, Piece, filled, text},
    plain,
};

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
    /// The language that it is written in; English if there are no words of it.
    pub language: LanguageCode,
    /// The address of the member who invites.
    pub invited_by: Option<EmailAddress>,
    /// Whether an answer goes to them.
    pub reply_to_inviter: bool,
    /// The role they will have.
    pub role: Role,
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
    language: &'a Language,
    subject: &'a str,
    /// The sentence that invites.
    invites: Vec<Piece<'a>>,
    workspaces: Vec<String>,
    /// How many others there are.
    more: Option<String>,
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
    let language = Language::of(invitation.language);
    let subject = subject(invitation, language)?;
    let (inviter, tenant) = (inviter(invitation), plain::name(invitation.tenant.as_str()));
    let sentence = if inviter.is_some() { language.invited_by } else { language.invited };
    let inviter = inviter.unwrap_or_default();
    let values = [("inviter", inviter.as_str()), ("tenant", &tenant), ("role", language.role(invitation.role))];
    let (expires, more) = (language.time(invitation.expires_at), invitation.workspaces.len().saturating_sub(NAMED));
    let email = &Words {
        language,
        subject: subject.as_str(),
        invites: filled(sentence, &values),
        workspaces: invitation.workspaces.iter().take(NAMED).map(|name| plain::name(name.as_str())).collect(),
        more: (more > 0).then(|| text(language.more, &[("count", &more.to_string())])),
        link: &invitation.link,
        expires: text(language.expires, &[("time", &expires)]),
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
    let (plain, html) = (Text { email }.render(), Html { email }.render());
    let unwritten = |error: askama::Error| MailFault::Never(format!("the invitation cannot be rendered: {error}"));
    Ok(Email {
        id: invitation.id,
        date: invitation.date,
        from_name: sender(invitation),
        from_address: invitation.from_address.clone(),
        to: invitation.to.clone(),
        reply_to: invitation.invited_by.clone().filter(|_| invitation.reply_to_inviter),
        text: plain.map_err(unwritten)?,
        html: html.map_err(unwritten)?,
        subject,
    })
}

/// Who invites: the member, by their address, and the brand, where that is not the tenant by another word. Nobody is invited by a
/// tenant to itself.
fn inviter(invitation: &InvitationEmail) -> Option<String> {
    let brand = brand(invitation).map(plain::name);
    // An issuer has verified it, or an operator has written it down, so that it deceives nobody.
    match (&invitation.invited_by, brand) {
        (Some(member), Some(brand)) => Some(format!("{member} ({brand})")),
        (Some(member), None) => Some(member.to_string()),
        (None, brand) => brand,
    }
}

fn brand(invitation: &InvitationEmail) -> Option<&str> {
    let brand = invitation.brand.as_str();
    (brand != invitation.tenant.as_str()).then_some(brand)
}

fn subject(invitation: &InvitationEmail, language: &Language) -> Result<Subject, MailFault> {
    let tenant = plain::name(&short(invitation.tenant.as_str()));
    let subject = match brand(invitation) {
        Some(brand) => text(language.subject_by, &[("inviter", &plain::name(&short(brand))), ("tenant", &tenant)]),
        None => text(language.subject, &[("tenant", &tenant)]),
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
