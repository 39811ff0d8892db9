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
/// dots; behind it a domain of two or more labels of ASCII letters, digits and hyphens, the last of which is no number.
/// Refused are quoted names, comments, display names, lists, address literals, a trailing dot, and white space anywhere,
/// around the address too. An internationalised domain is written in punycode (`xn--…`).
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress(String);

impl EmailAddress {
    const MAX: usize = 254;

    /// The address as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What makes the address unique: all of it in lower case. Servers may tell `Ada@` from `ada@`, but none is known that
    /// does, and people do not.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
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
}

impl FromStr for EmailAddress {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        text::bounded(raw, Self::MAX)?;
        match objection(raw) {
            Some(why) => {
                let message = format!("must be a single email address such as \"ada@example.com\": {why}");
                Err(Refusal::new("not_an_email_address", message))
            }
            None => Ok(Self(raw.to_owned())),
        }
    }
}

/// What is wrong with an address. The library knows the grammar, of which the first rules leave the plain part.
fn objection(raw: &str) -> Option<String> {
    if raw.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Some("it contains white space or a control character".to_owned());
    }
    let (local, domain) = raw.rsplit_once('@').unwrap_or((raw, ""));
    if !local.is_ascii() {
        return Some("the part before the @ must be ASCII".to_owned());
    }
    if !domain.is_ascii() {
        return Some("write the domain in punycode, such as \"xn--bcher-kva.example\"".to_owned());
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
        .format("email")
        .length(1, Self::MAX)
        .pattern(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
        .example("ada@example.com")
);

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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
            "ada@xn--bcher-kva.example",
            "ada@mail-1.example.xn--p1ai",
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
            "ada@bücher.example",
            "ada@bücher。example",
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
            ("ada@bücher.example", "in punycode"),
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
