//! Small values with a closed or checked form: colours, addresses, slugs, and the closed lists.

use std::{fmt, str::FromStr};

use url::Url;

use crate::{
    Refusal,
    input::{Description, input},
    text, web_address,
};

/// A colour as `#` and six hexadecimal digits, such as `#0055AA`; kept as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HexColor(String);

/// An absolute `https` address of at most 2,048 characters, without credentials in it; kept as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpsUrl(String);

/// A name fit for a URL: lower-case letters and digits in groups joined by single hyphens, 1 to 60 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slug(String);

/// An identifier that somebody else's service gave to a thing of its own: 1 to 128 visible ASCII characters, compared exactly.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ForeignId(String);

impl ForeignId {
    const MAX: usize = 128;

    /// The identifier as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ForeignId {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        text::bounded(raw, Self::MAX)?;
        match raw.chars().find(|c| !c.is_ascii_graphic()) {
            Some(c) => Err(text::forbidden(c, "must be visible ASCII characters without spaces")),
            None => Ok(Self(raw.to_owned())),
        }
    }
}

impl HexColor {
    /// The colour as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HexColor {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        let digits = raw.strip_prefix('#').unwrap_or_default();
        if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(Refusal::new(
                "not_a_hex_color",
                "must be a colour in the form # and six hexadecimal digits, such as \"#0055AA\"",
            ))
        }
    }
}

input!(
    HexColor,
    str,
    Description::text("`#` and six hexadecimal digits.").pattern("^#[0-9A-Fa-f]{6}$").example("#0055AA")
);

impl HttpsUrl {
    const MAX: usize = 2_048;

    /// The address as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HttpsUrl {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        text::bounded(raw, Self::MAX)?;
        let refusal = |why: &str| Refusal::new("not_an_https_url", format!("must be an absolute https URL: {why}"));
        // The URL standard drops tabs and newlines silently; an address that is shown to people must not have any.
        if raw.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(refusal("it contains white space or a control character"));
        }
        let url = Url::parse(raw).map_err(|error| refusal(&error.to_string()))?;
        if let Some(why) = web_address::objection(raw, &url) {
            return Err(refusal(&why));
        }
        match (url.scheme(), url.username(), url.password()) {
            ("https", "", None) => Ok(Self(raw.to_owned())),
            ("https", ..) => Err(refusal("it contains a user name or password")),
            (scheme, ..) => Err(refusal(&format!("its scheme is {scheme:.20}"))),
        }
    }
}

input!(
    HttpsUrl,
    str,
    Description::text("An absolute https URL.")
        .format("uri")
        .length(1, Self::MAX)
        .example("https://cdn.example.com/acme/logo.png")
);

impl Slug {
    const MAX: usize = 60;

    /// The slug.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The slug of a name: transliterated, lower case; `fallback` where nothing of the name can be said in ASCII.
    pub fn of_name(name: &str, fallback: &'static str) -> Self {
        let slug = slug::slugify(name);
        let cut = slug.get(..Self::MAX.min(slug.len())).unwrap_or_default().trim_end_matches('-');
        Self(if cut.is_empty() { fallback } else { cut }.to_owned())
    }

    /// The `n`th alternative of this slug, `acme-2` for 2, still within the length limit.
    #[must_use]
    pub fn numbered(&self, n: u32) -> Self {
        let suffix = format!("-{n}");
        let room = Self::MAX - suffix.len();
        let stem = self.0.get(..room.min(self.0.len())).unwrap_or_default().trim_end_matches('-');
        Self(format!("{stem}{suffix}"))
    }
}

impl FromStr for Slug {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        text::bounded(raw, Self::MAX)?;
        let group = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if raw.split('-').all(group) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(Refusal::new(
                "not_a_slug",
                "must be lower-case letters a-z and digits in groups joined by single hyphens, such as \"acme-eu\"",
            ))
        }
    }
}

input!(
    Slug,
    str,
    Description::text(format!(
        "Lower-case letters and digits in groups joined by hyphens, 1 to {} characters.",
        Self::MAX
    ))
    .length(1, Self::MAX)
    .pattern("^[a-z0-9]+(-[a-z0-9]+)*$")
    .example("acme-consumer")
);

/// One of a short, closed list of words.
pub trait Choice: Copy + PartialEq + 'static {
    /// Every value with its word on the wire and in the database.
    const ALL: &'static [(Self, &'static str)];

    /// What the words are about, in a sentence.
    const MEANING: &'static str = "";

    /// The word of this value.
    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(value, _)| *value == self).map_or("", |(_, word)| word)
    }

    /// The value with exactly this word.
    fn of_word(raw: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, word)| *word == raw).map(|(value, _)| *value)
    }

    /// Reads one of the words, exactly as written in [`Choice::ALL`]; another case is refused with a hint.
    fn choose(raw: &str) -> Result<Self, Refusal> {
        if let Some(value) = Self::of_word(raw) {
            return Ok(value);
        }
        if let Some((_, word)) = Self::ALL.iter().find(|(_, word)| word.eq_ignore_ascii_case(raw)) {
            return Err(Refusal::new("wrong_case", format!("is in the wrong case: use \"{word}\"")));
        }
        let words: Vec<_> = Self::ALL.iter().map(|(_, word)| format!("\"{word}\"")).collect();
        Err(Refusal::new("not_a_choice", format!("must be one of {}", words.join(", "))))
    }
}

/// Whether a workspace's conversations are with businesses or with consumers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkspaceType {
    /// Business to business.
    B2b,
    /// Business to consumer.
    B2c,
}

impl Choice for WorkspaceType {
    const ALL: &'static [(Self, &'static str)] = &[(Self::B2b, "b2b"), (Self::B2c, "b2c")];
    const MEANING: &'static str = "Business to business, or business to consumer.";
}

/// The tone in which the AI writes for a brand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Warm and informal.
    Friendly,
    /// Businesslike.
    Professional,
    /// Formal address.
    Formal,
    /// The language of the trade.
    Trade,
}

impl Choice for Tone {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::Friendly, "friendly"),
        (Self::Professional, "professional"),
        (Self::Formal, "formal"),
        (Self::Trade, "trade"),
    ];
    const MEANING: &'static str = "The tone the AI writes in.";
}

/// Gives every [`Choice`] its `FromStr`, `as_str` and `Display`.
macro_rules! choices {
    ($($choice:ty),+) => {$(
        impl $choice {
            /// The word on the wire and in the database.
            pub fn as_str(self) -> &'static str {
                <Self as $crate::values::Choice>::word(self)
            }
        }
        impl std::str::FromStr for $choice {
            type Err = $crate::Refusal;
            fn from_str(raw: &str) -> Result<Self, $crate::Refusal> {
                <Self as $crate::values::Choice>::choose(raw)
            }
        }
        impl std::fmt::Display for $choice {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )+};
}
pub(crate) use choices;
choices!(WorkspaceType, Tone);

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_one_of_two_words() {
        assert_eq!("b2b".parse(), Ok(WorkspaceType::B2b));
        assert_eq!([WorkspaceType::B2b, WorkspaceType::B2c].map(WorkspaceType::as_str), ["b2b", "b2c"]);
        assert!(WorkspaceType::from_str("B2B").unwrap_err().message.contains("use \"b2b\""));
        for bad in ["b2b ", "b2c2", "", "ｂ2b", "0"] {
            assert_eq!(WorkspaceType::from_str(bad).unwrap_err().code, "not_a_choice", "{bad}");
        }
    }

    #[test]
    fn colours_are_six_digits() {
        assert_eq!(HexColor::from_str("#0055aA").unwrap().as_str(), "#0055aA");
        for bad in ["", "#", "0055AA", "#05A", "#0055AG", "#0055AA0", "#００55AA", "red"] {
            assert!(HexColor::from_str(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn foreign_ids_are_taken_as_they_are_or_not_at_all() {
        assert_eq!(ForeignId::from_str("21m00Tcm4TlvDq8ikWAM").unwrap().as_str(), "21m00Tcm4TlvDq8ikWAM");
        for bad in ["", " a", "a ", "a b", "a\n", "ä", "a\0"] {
            assert!(ForeignId::from_str(bad).is_err(), "{bad:?}");
        }
        assert!(ForeignId::from_str(&"x".repeat(128)).is_ok());
        assert_eq!(ForeignId::from_str(&"x".repeat(129)).unwrap_err().code, "too_long");
    }

    #[test]
    fn addresses_are_https_and_carry_no_credentials() {
        let good = "https://cdn.example.com/logo.png?v=2";
        assert_eq!(HttpsUrl::from_str(good).unwrap().as_str(), good);
        let address = |length: usize| HttpsUrl::from_str(&format!("https://a.example/{}", "x".repeat(length - 18)));
        assert!(address(2_048).is_ok() && address(2_049).is_err());
        for bad in [
            "",
            "/logo.png",
            "http://a.example",
            "javascript:alert(1)",
            "https://",
            "https://u:p@a.example",
            "https://a.exa\nmple",
            "https://a b",
            "https://a.example/a b",
            "https://a.example/\u{7f}",
        ] {
            assert!(HttpsUrl::from_str(bad).is_err(), "{bad}");
        }
        assert_eq!(
            HttpsUrl::from_str(&format!("https://a.example/{}", "x".repeat(2_048))).unwrap_err().code,
            "too_long"
        );
    }

    #[test]
    fn slugs_come_from_names_and_stay_short() {
        assert_eq!(Slug::of_name("Acme Industrial Supply", "brand").as_str(), "acme-industrial-supply");
        assert_eq!(Slug::of_name("Müller & Söhne", "brand").as_str(), "muller-sohne");
        assert_eq!(Slug::of_name("!!!", "brand").as_str(), "brand");
        let long = Slug::of_name(&"ab ".repeat(60), "brand");
        assert!(long.as_str().len() <= 60 && Slug::from_str(long.as_str()).is_ok());
        assert!(Slug::from_str(long.numbered(1_000).as_str()).is_ok());
        assert_eq!(Slug::of_name("Acme", "brand").numbered(2).as_str(), "acme-2");
        assert_eq!(Slug::of_name(&"a".repeat(61), "brand").as_str(), "a".repeat(60));
        assert_eq!(Slug::of_name(&"a".repeat(60), "brand").numbered(2).as_str(), format!("{}-2", "a".repeat(58)));
        assert!(Slug::from_str(&"a".repeat(60)).is_ok());
        for bad in ["", "Acme", "-a", "a-", "a--b", "a b", "ä", &"a".repeat(61)] {
            assert!(Slug::from_str(bad).is_err(), "{bad}");
        }
    }
}
