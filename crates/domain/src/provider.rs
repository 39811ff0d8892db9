//! Providers that a workspace can be connected to, and what each wants to know that is not secret.

use std::str::FromStr;

use crate::{
    Refusal,
    input::{Description, input},
    text,
    values::{Choice, choices},
};

/// Whom a workspace can be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Telephony.
    Twilio,
    /// Voices.
    ElevenLabs,
    /// Models and voices.
    OpenAi,
    /// HighLevel: calendars.
    GoHighLevel,
}

impl Choice for Provider {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::Twilio, "twilio"),
        (Self::ElevenLabs, "elevenlabs"),
        (Self::OpenAi, "openai"),
        (Self::GoHighLevel, "gohighlevel"),
    ];
    const MEANING: &'static str = "A provider that a workspace can connect to.";
}
choices!(Provider);

impl Provider {
    /// What it calls itself.
    pub fn label(self) -> &'static str {
        match self {
            Self::Twilio => "Twilio",
            Self::ElevenLabs => "ElevenLabs",
            Self::OpenAi => "OpenAI",
            Self::GoHighLevel => "HighLevel",
        }
    }

    /// The names of the fields of which one holds the secret.
    pub fn secret_fields(self) -> &'static [&'static str] {
        match self {
            Self::Twilio => &["authToken", API_KEY_SECRET],
            Self::ElevenLabs | Self::OpenAi => &["apiKey"],
            Self::GoHighLevel => &["accessToken"],
        }
    }

    /// The name of the field that is secret, where nothing else is said. Secrets are sealed for it.
    pub fn secret_field(self) -> &'static str {
        match self {
            Self::Twilio => "authToken",
            Self::ElevenLabs | Self::OpenAi => "apiKey",
            Self::GoHighLevel => "accessToken",
        }
    }

    /// The name of the field that is not secret, where there is one, and whether the connection needs it.
    pub fn plain_field(self) -> Option<(&'static str, bool)> {
        match self {
            Self::Twilio => Some(("sid", true)),
            Self::ElevenLabs => Some((REGION, false)),
            Self::OpenAi => None,
            Self::GoHighLevel => Some(("locationId", true)),
        }
    }
}

/// The field with the region of an account.
pub const REGION: &str = "region";
/// The field with the SID of an API key.
pub const API_KEY_SID: &str = "apiKeySid";
/// The field with what HighLevel renews its access token with.
pub const REFRESH_TOKEN: &str = "refreshToken";
/// The field with the secret of an API key that has a SID.
pub const API_KEY_SECRET: &str = "apiKeySecret";

/// The SID of a Twilio account: `AC` followed by 32 hexadecimal digits. No secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSid(String);

/// The SID of a Twilio API key: `SK` followed by 32 hexadecimal digits. No secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeySid(String);

/// The id of a HighLevel location: 1 to 64 letters, digits, `-` and `_`. No secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocationId(String);

/// Where ElevenLabs keeps an account's data. An account with data residency has keys that work in its own region alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ElevenLabsRegion {
    /// The United States, as for every account without data residency.
    #[default]
    Us,
    /// The European Union.
    Eu,
    /// India.
    In,
}

impl Choice for ElevenLabsRegion {
    const ALL: &'static [(Self, &'static str)] = &[(Self::Us, "us"), (Self::Eu, "eu"), (Self::In, "in")];
    const MEANING: &'static str = "The region in which an ElevenLabs account stores its data.";
}
choices!(ElevenLabsRegion);

/// Where Twilio handles the requests of an account. Auth tokens and API keys are good in one region alone.
///
/// Source: Twilio's documents on its global infrastructure, 2026. What they say of `jp1` is contradictory, so that it is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TwilioRegion {
    /// The United States, as for every account that was given no other.
    #[default]
    Us1,
    /// Ireland.
    Ie1,
    /// Australia.
    Au1,
}

impl Choice for TwilioRegion {
    const ALL: &'static [(Self, &'static str)] = &[(Self::Us1, "us1"), (Self::Ie1, "ie1"), (Self::Au1, "au1")];
    const MEANING: &'static str = "The region in which Twilio accepts a credential.";
}
choices!(TwilioRegion);

impl AccountSid {
    /// The SID.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ApiKeySid {
    /// The SID.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl LocationId {
    const MAX: usize = 64;

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountSid {
    type Err = Refusal;

    /// A refusal does not repeat the value: it may be the token, in the wrong place.
    fn from_str(raw: &str) -> Result<Self, Refusal> {
        if is_sid("AC", raw) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(Refusal::new("not_an_account_sid", "must be an account SID: AC followed by 32 hexadecimal digits"))
        }
    }
}

impl FromStr for ApiKeySid {
    type Err = Refusal;

    /// As at [`AccountSid`].
    fn from_str(raw: &str) -> Result<Self, Refusal> {
        if is_sid("SK", raw) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(Refusal::new(
                "not_an_api_key_sid",
                "must be the SID of an API key: SK followed by 32 hexadecimal digits",
            ))
        }
    }
}

/// Whether it is a SID of Twilio, of the kind that begins with these letters.
fn is_sid(kind: &str, raw: &str) -> bool {
    raw.strip_prefix(kind)
        .is_some_and(|digits| digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

impl FromStr for LocationId {
    type Err = Refusal;

    /// As at [`AccountSid`].
    fn from_str(raw: &str) -> Result<Self, Refusal> {
        text::bounded(raw, Self::MAX)?;
        if raw.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(Refusal::new("not_a_location_id", "must be a location id of letters, digits, - and _"))
        }
    }
}

input!(
    AccountSid,
    str,
    Description::text("`AC` followed by 32 hexadecimal digits.")
        .pattern("^AC[0-9a-fA-F]{32}$")
        .example("AC0123456789abcdef0123456789abcdef")
);
input!(
    ApiKeySid,
    str,
    Description::text("`SK` followed by 32 hexadecimal digits.")
        .pattern("^SK[0-9a-fA-F]{32}$")
        .example("SK0123456789abcdef0123456789abcdef")
);
input!(
    LocationId,
    str,
    Description::text(format!("1 to {} letters, digits, `-` and `_`.", Self::MAX))
        .length(1, Self::MAX)
        .pattern("^[A-Za-z0-9_-]+$")
        .example("ve9EPM428h8vShlRW1KT")
);

/// The field of an integration that is not secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the types say it")]
pub enum PlainField {
    Sid(AccountSid),
    Region(ElevenLabsRegion),
    Location(LocationId),
}

impl PlainField {
    /// Reads the value of the provider's field, by its name.
    ///
    /// # Errors
    ///
    /// The refusal of the value; of any value, where the provider has no such field.
    pub fn parse(provider: Provider, raw: &str) -> Result<Self, Refusal> {
        match provider {
            Provider::Twilio => raw.parse().map(Self::Sid),
            Provider::ElevenLabs => raw.parse().map(Self::Region),
            Provider::GoHighLevel => raw.parse().map(Self::Location),
            Provider::OpenAi => Err(Refusal::new("unknown_field", "is not a field of this provider")),
        }
    }

    /// The value.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Sid(sid) => sid.as_str(),
            Self::Region(region) => region.as_str(),
            Self::Location(id) => id.as_str(),
        }
    }

    pub(crate) fn is_of(&self, provider: Provider) -> bool {
        matches!(
            (self, provider),
            (Self::Sid(_), Provider::Twilio)
                | (Self::Region(_), Provider::ElevenLabs)
                | (Self::Location(_), Provider::GoHighLevel)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SID: &str = "AC0123456789abcdef0123456789ABCDEF";

    #[test]
    fn each_field_has_its_form_and_no_refusal_repeats_it() {
        assert_eq!(PlainField::parse(Provider::Twilio, SID).unwrap().as_str(), SID);
        assert_eq!(PlainField::parse(Provider::GoHighLevel, "ve9EPM428h8vShlRW1KT").unwrap().as_str().len(), 20);
        assert_eq!(PlainField::parse(Provider::ElevenLabs, "eu"), Ok(PlainField::Region(ElevenLabsRegion::Eu)));
        for (provider, bad) in [
            (Provider::Twilio, "".to_owned()),
            (Provider::Twilio, SID[1..].to_owned()),
            (Provider::Twilio, SID.to_lowercase()),
            (Provider::Twilio, format!("{SID}0")),
            (Provider::Twilio, format!("{SID}\n")),
            (Provider::Twilio, format!("AC{}/..", &SID[5..])),
            (Provider::GoHighLevel, "".to_owned()),
            (Provider::GoHighLevel, "a&b=c".to_owned()),
            (Provider::GoHighLevel, "x".repeat(65)),
            (Provider::ElevenLabs, "EU".to_owned()),
            (Provider::ElevenLabs, "moon".to_owned()),
            (Provider::OpenAi, "anything".to_owned()),
        ] {
            let refusal = PlainField::parse(provider, &bad).unwrap_err();
            assert!(bad.len() < 5 || !refusal.message.contains(&bad), "{}", refusal.message);
        }
    }
}
