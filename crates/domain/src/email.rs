//! E-mail addresses: the plain subset that every mail server delivers to.

use std::{fmt, str::FromStr};

use email_address::Options;

use crate::{
    Refusal,
    input::{Description, input},
    text,
};

/// One e-mail address (RFC 5321), such as `ada@example.com`, of at most 254 characters; kept as it was written.
///
/// In front of the `@` stand 1 to 64 ASCII letters, digits and `!#$%&'*+-/=?^_{|}~` or a back quote, in groups joined by single
/// dots; behind it a domain of two or more labels of letters, digits and hyphens, the last of which is no number.
/// Refused are quoted names, comments, display names, lists, address literals, a trailing dot, and white space anywhere,
/// around the address too.
///
/// An internationalised domain is kept as people write it (`müller.example`), also if a program wrote it in ASCII, and compared and
/// sent to in the one form that the domain name system knows (`xn--mller-kva.example`, [`EmailAddress::ascii`]).
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress {
    written: String,
    /// The same with a domain in ASCII, where that is another.
    ascii: Option<String>,
}

impl EmailAddress {
    const MAX: usize = 254;

    /// The address for people: as written, with an internationalised domain in its own letters.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The address for mail servers, in ASCII.
    pub fn ascii(&self) -> &str {
        self.ascii.as_deref().unwrap_or(&self.written)
    }

    /// What stands behind the `@`, in ASCII.
    pub fn domain(&self) -> &str {
        self.ascii().rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// What makes the address unique: all of it in ASCII and lower case. Servers may tell `Ada@` from `ada@`, but none is known that
    /// does, and people do not.
    pub fn key(&self) -> String {
        self.ascii().to_ascii_lowercase()
    }

    /// Whose mailbox it is, for counting: the key without what stands between a `+` and the `@`, with which many servers let one
    /// mailbox have any number of addresses.
    pub fn mailbox(&self) -> String {
        let key = self.key();
        match key.rsplit_once('@').map(|(local, domain)| (local.split('+').next().unwrap_or_default(), domain)) {
            Some((mailbox, domain)) if !mailbox.is_empty() => format!("{mailbox}@{domain}"),
            _ => key,
        }
    }

    /// So much of the address that its owner recognises it, and nobody else learns it.
    pub fn hint(&self) -> String {
        let (local, domain) = self.written.rsplit_once('@').unwrap_or((&self.written, ""));
        let first: String = local.chars().take(1).collect();
        format!("{first}…@{domain}")
    }
}

impl FromStr for EmailAddress {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        text::bounded(raw, Self::MAX)?;
        let refused = |why: String| {
            let message = format!("must be a single email address such as \"ada@example.com\": {why}");
            Refusal::new("not_an_email_address", message)
        };
        let (written, ascii) = match raw.rsplit_once('@') {
            Some((local, domain)) if local.is_ascii() && has_letters(domain) => match international(domain) {
                Ok((letters, ascii)) => (format!("{local}@{letters}"), Some(format!("{local}@{ascii}"))),
                // One whose letters are not to be had is a domain all the same.
                Err(_) if domain.is_ascii() => (raw.to_owned(), None),
                Err(why) => return Err(refused(why)),
            },
            _ => (raw.to_owned(), None),
        };
        let address = Self { written, ascii };
        text::bounded(address.ascii(), Self::MAX)?;
        match objection(address.ascii()) {
            Some(why) => Err(refused(why)),
            None => Ok(address),
        }
    }
}

/// Whether a domain has other letters than ASCII has, or stands for some (RFC 5890).
fn has_letters(domain: &str) -> bool {
    let is_encoded = |label: &str| label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
    !domain.is_ascii() || domain.split('.').any(is_encoded)
}

/// A domain that is not ASCII in the letters that it stands for, and in ASCII (UTS 46, as browsers do it). What only looks like other
/// letters is refused: it is a mistake, or meant to deceive.
fn international(domain: &str) -> Result<(String, String), String> {
    let wrong = || format!("\"{domain:.100}\" is not a domain");
    if let Some(c) = domain.chars().find(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!("it contains {}", c.escape_unicode()));
    }
    let ascii = idna::domain_to_ascii_strict(domain).map_err(|_| wrong())?;
    let (letters, valid) = idna::domain_to_unicode(&ascii);
    valid.map_err(|_| wrong())?;
    // Other dots than the full stop are typed on other keyboards.
    let is_dot = |c: char| matches!(c, '.' | '\u{3002}' | '\u{FF0E}' | '\u{FF61}');
    let pairs = domain.split(is_dot).zip(letters.split('.'));
    match pairs.into_iter().find(|(written, label)| !written.is_ascii() && label.is_ascii()) {
        Some((written, label)) => {
            Err(format!("\"{written:.100}\" is not \"{label:.100}\": write the letters themselves"))
        }
        None => Ok((letters, ascii)),
    }
}

/// What is wrong with an address. The library knows the grammar, of which the first rules leave the plain part.
fn objection(raw: &str) -> Option<String> {
    if raw.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Some("it contains white space or a control character".to_owned());
    }
    let (local, domain) = raw.rsplit_once('@').unwrap_or((raw, ""));
    if !local.is_ascii() {
        let why = "the part before the @ has letters that many mail servers do not accept yet; use another address of this person";
        return Some(why.to_owned());
    }
    if local.starts_with('"') {
        return Some("quoted names are not supported".to_owned());
    }
    if let Some(c) = domain.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.'))) {
        return Some(format!("a domain cannot contain {c}"));
    }
    if domain.ends_with('.') {
        return Some("a domain cannot end with a dot".to_owned());
    }
    let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
    if let Err(error) = email_address::EmailAddress::parse_with_options(raw, options) {
        return Some(error.to_string().trim_end_matches('.').to_owned());
    }
    let last = domain.rsplit('.').next().unwrap_or_default();
    last.bytes().all(|b| b.is_ascii_digit()).then(|| "the last part of a domain cannot be a number".to_owned())
}

input!(
    EmailAddress,
    str,
    Description::text(format!("One plain email address, at most {} characters.", Self::MAX))
        .format("idn-email")
        .length(1, Self::MAX)
        .pattern(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
        .example("ada@example.com")
);

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.written.fmt(f)
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_address_is_kept_as_written_and_is_unique_in_lower_case() {
        let longest_local = format!("{}@example.com", "a".repeat(64));
        let domain = format!("{0}.{0}.{0}.com", "d".repeat(61));
        let longest = format!("{}@{domain}", "a".repeat(64));
        for raw in [
            "ada@example.com",
            "Ada.Lovelace@Example.COM",
            "ada+tenantry@example.com",
            "a@b.cd",
            "!#$%&'*+-/=?^_`{|}~@example.com",
            "ada@xn--a.example",
            "1@1.example",
            &longest_local,
            &longest,
        ] {
            let address = EmailAddress::from_str(raw).unwrap_or_else(|refusal| panic!("{raw}: {refusal}"));
            assert_eq!((address.as_str(), address.key()), (raw, raw.to_lowercase()));
        }
        assert_eq!(longest.len(), 254);
    }

    #[test]
    fn an_international_domain_is_shown_in_its_letters_and_compared_and_sent_to_in_ascii() {
        for (raw, shown, ascii) in [
            ("Hans@müller.example", "Hans@müller.example", "Hans@xn--mller-kva.example"),
            ("hans@MÜLLER.Example", "hans@müller.example", "hans@xn--mller-kva.example"),
            ("hans@mu\u{308}ller.example", "hans@müller.example", "hans@xn--mller-kva.example"),
            ("a+b@straße.example", "a+b@straße.example", "a+b@xn--strae-oqa.example"),
            ("a@例え.テスト", "a@例え.テスト", "a@xn--r8jz45g.xn--zckzah"),
            ("a@bücher。example", "a@bücher.example", "a@xn--bcher-kva.example"),
            ("a@पत्र.xn--h2brj9c", "a@पत्र.भारत", "a@xn--h2blt9i.xn--h2brj9c"),
            ("Ada@XN--bcher-kva.Example", "Ada@bücher.example", "Ada@xn--bcher-kva.example"),
            ("ada@mail-1.example.xn--p1ai", "ada@mail-1.example.рф", "ada@mail-1.example.xn--p1ai"),
        ] {
            let address = EmailAddress::from_str(raw).unwrap_or_else(|refusal| panic!("{raw}: {refusal}"));
            assert_eq!((address.as_str(), address.ascii()), (shown, ascii), "{raw}");
            assert_eq!(address.key(), ascii.to_lowercase());
            assert_eq!(shown.parse::<EmailAddress>().as_ref(), Ok(&address), "what is shown is the same again");
        }
        let of = |raw: &str| raw.parse::<EmailAddress>().unwrap();
        assert_eq!(of("hans@müller.example").key(), of("HANS@xn--mller-kva.example").key());
        assert_eq!(of("hans@müller.example").domain(), "xn--mller-kva.example");
        assert_eq!(of("hans+x@müller.example").mailbox(), "hans@xn--mller-kva.example");
        assert_eq!(of("hans@müller.example").hint(), "h…@müller.example");
    }

    #[test]
    fn whatever_is_not_one_plain_address_is_refused() {
        for raw in [
            "ada",
            "@example.com",
            "ada@",
            "a@b",
            "a@@example.com",
            "a@b@example.com",
            "\"ada lovelace\"@example.com",
            "\"ada\"@example.com",
            "\"a\r\nb\"@x",
            "\"a\r\nb\"@example.com",
            "ada@example.com\r\nBcc: eve@example.com",
            "ada@example.com\n",
            "ada\0@example.com",
            "ada@exam\u{2028}ple.com",
            " ada@example.com",
            "ada@example.com ",
            "ada@ example.com",
            "ada\u{a0}@example.com",
            "a@[127.0.0.1]",
            "a@[IPv6:::1]",
            "a@127.0.0.1",
            "a@x,b@y",
            "a@example.com,b@example.com",
            "a@example.com;b@example.com",
            "A <a@b>",
            "Ada <ada@example.com>",
            "<ada@example.com>",
            "mailto:ada@example.com",
            "ada(comment)@example.com",
            "ada@example.com(comment)",
            "ädä@example.com",
            "ada@bücher_.example",
            "ada@-bücher.example",
            "ada@bücher",
            "ada@ⓔxample.com",
            "ada@kelvin\u{212A}.com",
            "ada@exa\u{200B}mple.com",
            "ada@ｅｘａｍｐｌｅ.com",
            "ada@bücher.example/x",
            "ada@a\u{202E}ü.example",
            "ada@ü@example.com",
            "josé@bücher.example",
            "ada@example.com.",
            "ada@.example.com",
            "ada@example..com",
            "ada@-example.com",
            "ada@example-.com",
            "ada@exa_mple.com",
            "ada@example.com%20",
            ".ada@example.com",
            "ada.@example.com",
            "a..da@example.com",
            "a\\da@example.com",
            "=?utf-8?q?=0d=0aBcc:?=@x",
            &format!("{}@example.com", "a".repeat(65)),
            &format!("ada@{}.com", "d".repeat(64)),
        ] {
            let refusal = EmailAddress::from_str(raw).expect_err(raw);
            assert_eq!(refusal.code, "not_an_email_address", "{raw:?}");
        }
    }

    #[test]
    fn an_address_is_not_empty_and_has_at_most_254_characters() {
        assert_eq!(EmailAddress::from_str("").unwrap_err().code, "empty");
        let long = |length: usize| format!("a@{}.com", "d.".repeat(200)).split_off(406 - length);
        for length in [255, 320] {
            let refusal = EmailAddress::from_str(&long(length)).unwrap_err();
            assert_eq!(refusal.message, format!("must be at most 254 characters long, but is {length}"));
        }
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        for (raw, hint) in [
            ("josé@example.com", "part before the @"),
            ("ada@ⓔxample.com", "write the letters themselves"),
            ("ada@bücher..example", "not a domain"),
            ("ada@example.com ", "white space"),
            ("\"ada\"@example.com", "quoted"),
            ("ada@example.com.", "end with a dot"),
            ("ada@127.0.0.1", "cannot be a number"),
        ] {
            let refusal = EmailAddress::from_str(raw).unwrap_err();
            assert!(refusal.message.contains(hint), "{raw}: {refusal}");
        }
    }
}
