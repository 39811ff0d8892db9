//! What a provider knows a workspace by. None of it is ever printed.

use reqwest::header::{HeaderName, HeaderValue};
use tenantry_domain::{ElevenLabsRegion, Error, PlainField, Provider};

use super::{OpenedFields, failure::Failure};

/// An API key of ElevenLabs.
#[derive(Debug, Clone)]
pub struct ElevenLabs {
    pub(super) key: HeaderValue,
    pub(super) region: ElevenLabsRegion,
}

impl ElevenLabs {
    /// The key of an account in this region.
    ///
    /// # Errors
    ///
    /// [`Error::Upstream`] for what cannot be sent and so cannot be a key, as if ElevenLabs had refused it.
    pub fn new(key: &str, region: ElevenLabsRegion) -> Result<Self, Error> {
        Ok(Self { key: secret("", key, Provider::ElevenLabs)?, region })
    }

    /// That of an integration.
    ///
    /// # Errors
    ///
    /// As for [`ElevenLabs::new`].
    pub fn of(fields: &OpenedFields) -> Result<Self, Error> {
        let region = match &fields.plain {
            Some(PlainField::Region(region)) => *region,
            _ => ElevenLabsRegion::default(),
        };
        Self::new(fields.secret.reveal(), region)
    }
}

/// An access token of HighLevel and the location that it is for.
#[derive(Debug, Clone)]
pub struct HighLevel {
    pub(super) authorization: HeaderValue,
    pub(super) location: String,
}

impl HighLevel {
    /// The token for this location.
    ///
    /// # Errors
    ///
    /// [`Error::Upstream`] for what cannot be sent and so cannot be a token, as if HighLevel had refused it.
    pub fn new(token: &str, location: &str) -> Result<Self, Error> {
        let authorization = secret("Bearer ", token, Provider::GoHighLevel)?;
        Ok(Self { authorization, location: location.to_owned() })
    }

    /// That of an integration.
    ///
    /// # Errors
    ///
    /// As for [`HighLevel::new`].
    pub fn of(fields: &OpenedFields) -> Result<Self, Error> {
        Self::new(fields.secret.reveal(), fields.plain.as_ref().map_or("", PlainField::as_str))
    }
}

/// The header of ElevenLabs for its keys.
pub(super) const XI_API_KEY: HeaderName = HeaderName::from_static("xi-api-key");

/// The value of a header with a secret in it.
fn secret(scheme: &str, secret: &str, provider: Provider) -> Result<HeaderValue, Error> {
    // A header could carry more than that, and nobody's secret has it.
    let is_one = !secret.is_empty() && secret.bytes().all(|byte| byte.is_ascii_graphic());
    let value = HeaderValue::from_str(&format!("{scheme}{secret}")).ok().filter(|_| is_one);
    let mut value = value.ok_or_else(|| Failure::Refused.of(provider))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_with_a_secret_in_it_does_not_print_it() {
        let key = ElevenLabs::new("canary-567890", ElevenLabsRegion::Us).unwrap().key;
        assert_eq!((format!("{key:?}").as_str(), key.as_bytes()), ("Sensitive", b"canary-567890".as_slice()));
    }
}
