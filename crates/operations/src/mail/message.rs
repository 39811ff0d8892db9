//! An email as an Internet message (RFC 5322).

use email_encoding::headers::{rfc2047, writer::EmailWriter};
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
};
use tenantry_domain::EmailAddress;

use super::{Email, MailFault};

/// The message: the email as text and as HTML, of which a reader shows one.
pub(super) fn compose(email: &Email) -> Result<Message, MailFault> {
    let (from, to) = (address(&email.from_address)?, address(&email.to)?);
    let id = format!("<{}@{}>", email.id, from.domain());
    let builder = match &email.reply_to {
        Some(address_of_a_person) => Message::builder().reply_to(Mailbox::new(None, address(address_of_a_person)?)),
        None => Message::builder(),
    };
    builder
        .message_id(Some(id))
        .date(email.date.into())
        .from(Mailbox::new(Some(email.from_name.as_str().to_owned()), from))
        .to(Mailbox::new(None, to))
        .raw_header(subject(email.subject.as_str())?)
        // Nobody's holiday reply to a machine (RFC 3834).
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
        .multipart(
            MultiPart::alternative()
                .singlepart(part(ContentType::TEXT_PLAIN, &email.text))
                .singlepart(part(ContentType::TEXT_HTML, &email.html)),
        )
        .map_err(|error| MailFault::Never(format!("the email cannot be built: {error}")))
}

fn address(address: &EmailAddress) -> Result<Address, MailFault> {
    address.ascii().parse().map_err(|error| MailFault::Never(format!("{address} cannot be used: {error}")))
}

/// Text that only looks encoded is encoded itself: a reader would decode it, into characters that one line may not have.
fn subject(text: &str) -> Result<HeaderValue, MailFault> {
    const NAME: HeaderName = HeaderName::new_from_ascii_str("Subject");
    if !text.contains("=?") {
        return Ok(HeaderValue::new(NAME, text.to_owned()));
    }
    let mut encoded = String::new();
    rfc2047::encode(text, &mut EmailWriter::new(&mut encoded, NAME.len() + ": ".len(), 0, false))
        .map_err(|error| MailFault::Never(format!("the subject cannot be encoded: {error}")))?;
    Ok(HeaderValue::dangerous_new_pre_encoded(NAME, text.to_owned(), encoded))
}

/// Quoted-printable whatever the content, so that neither a lone carriage return nor a NUL gets onto the wire, and no line is
/// too long for a server.
fn part(kind: ContentType, content: &str) -> SinglePart {
    SinglePart::builder().header(kind).header(ContentTransferEncoding::QuotedPrintable).body(content.to_owned())
}
