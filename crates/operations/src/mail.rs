//! Mail: emails, and the mailer that hands each of them to an SMTP server or writes it to a file.
//!
//! A mailer makes one attempt and says whether another one could help. When, and how often, is for whoever calls it. An email
//! keeps its identifier over all attempts, so that a recipient who gets it twice can tell.

mod files;
mod invitation;
mod language;
mod link;
mod message;
mod plain;
mod smtp;
mod webhook;

use std::{fmt, path::PathBuf, str::FromStr, sync::Arc};

use chrono::{DateTime, Utc};
use tenantry_domain::{EmailAddress, Line, Refusal, SenderName};
use uuid::Uuid;

pub(crate) use files::Saved;
pub use invitation::{InvitationEmail, Signatures, invitation_email};
pub use link::InvitationLink;
pub use smtp::{Password, Security, SmtpOptions};
pub(crate) use webhook::webhook_email;

/// Where emails go.
#[derive(Debug, Clone)]
pub enum MailOptions {
    /// To an SMTP server.
    Smtp(SmtpOptions),
    /// Into this directory, as `.eml` files; it is made when it is missing, for its owner only.
    Files(PathBuf),
}

/// What an email is about, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject(String);

impl Subject {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One of our words around names, which may stand between marks that keep their direction to themselves.
    fn around(text: String) -> Result<Self, Refusal> {
        text.replace([plain::FIRST_STRONG_ISOLATE, plain::POP_ISOLATE], "").parse::<Line<200>>().map(|_| Self(text))
    }
}

impl FromStr for Subject {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        raw.parse::<Line<200>>().map(|line| Self(line.as_str().to_owned()))
    }
}

/// An email to one recipient, as plain text and as HTML.
#[derive(Clone)]
pub struct Email {
    /// Names the email in its `Message-ID`, `<id@domain of from_address>`, and as a file. The same at each attempt.
    pub id: Uuid,
    /// When it was written, for its `Date`. The same at each attempt.
    pub date: DateTime<Utc>,
    /// The name of the sender.
    pub from_name: SenderName,
    /// The address of the sender, to which a server reports what it could not deliver.
    pub from_address: EmailAddress,
    /// The one recipient.
    pub to: EmailAddress,
    /// To whom an answer goes; `None` for the sender.
    pub reply_to: Option<EmailAddress>,
    /// The subject.
    pub subject: Subject,
    /// The email as plain text.
    pub text: String,
    /// The email as an HTML document.
    pub html: String,
}

/// What it says stays out of logs: it may be a link that opens something.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Email").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why an email was not sent, in words for an operator. Nothing in them is secret, and they are one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailFault {
    /// Another attempt may succeed: nobody answered, the connection was not safe, or the server asked for patience. When the
    /// last answer was lost, the email may have been delivered all the same.
    Later(String),
    /// The server will not take this email.
    Never(String),
}

impl MailFault {
    /// The words.
    pub fn reason(&self) -> &str {
        match self {
            Self::Later(reason) | Self::Never(reason) => reason,
        }
    }
}

impl fmt::Display for MailFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for MailFault {}

/// Sends emails. Cheap to clone; emails do not share a connection, so that any number can be sent at once.
#[derive(Clone)]
pub struct Mailer(Arc<Way>);

enum Way {
    Smtp(smtp::Smtp),
    Files(PathBuf),
}

impl Mailer {
    /// A mailer with these options. It connects to nobody yet.
    ///
    /// # Errors
    ///
    /// A sentence for an operator about options that cannot work, such as a file of certificates that cannot be read.
    pub fn new(options: &MailOptions) -> Result<Self, String> {
        Ok(Self(Arc::new(match options {
            MailOptions::Smtp(options) => Way::Smtp(smtp::Smtp::new(options)?),
            MailOptions::Files(directory) => Way::Files(directory.clone()),
        })))
    }

    /// Makes one attempt to send an email. `Ok` means that the server has taken it over, or that the file is on the disk.
    ///
    /// # Errors
    ///
    /// A [`MailFault`], which says whether to try again.
    pub async fn send(&self, email: &Email) -> Result<(), MailFault> {
        let message = message::compose(email)?;
        match &*self.0 {
            Way::Smtp(smtp) => smtp.send(&message).await,
            Way::Files(directory) => files::write(directory, email.id, &message.formatted()).await,
        }
    }

    /// Connects to the mail server as for an email, encrypts, logs in, and sends nothing. Returns which server it is; `None` for a
    /// mailer that saves emails as files.
    ///
    /// # Errors
    ///
    /// Why no email could be sent now.
    pub async fn check(&self) -> Result<Option<String>, MailFault> {
        match &*self.0 {
            Way::Smtp(smtp) => smtp.greet().await.map(Some),
            Way::Files(_) => Ok(None),
        }
    }

    /// The emails that it saved as files and are still there; `None` for a mailer that sends.
    pub(crate) async fn saved(&self) -> Option<Saved> {
        match &*self.0 {
            Way::Smtp(_) => None,
            Way::Files(directory) => Some(files::saved(directory).await),
        }
    }

    /// Deletes these files; returns how many.
    pub(crate) async fn delete(&self, saved: Saved) -> usize {
        match &*self.0 {
            Way::Smtp(_) => 0,
            Way::Files(directory) => files::delete(directory, saved).await,
        }
    }
}

/// Others' words in a line of ours: what controls or reorders text is escaped, and what is long is cut.
fn said(words: &str) -> String {
    const MOST: usize = 300;
    let mut said = String::new();
    for c in words.trim().chars().take(MOST) {
        match c {
            '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
                said.extend(c.escape_unicode())
            }
            c if c.is_control() => said.extend(c.escape_default()),
            c => said.push(c),
        }
    }
    if words.trim().chars().nth(MOST).is_some() {
        said.push('…');
    }
    said
}
