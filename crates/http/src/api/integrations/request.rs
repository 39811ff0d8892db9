//! What a caller asks of integrations.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::Deserialize;
use tenantry_domain::{Error, FieldRefusal, IntegrationPatch, PlainField, PlainSecret, Provider, Refusal};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use super::view::ElevenLabsRegionSchema;
use crate::{
    error::Failure,
    extract::{Member, Unknown, refusals},
};

/// A provider in the path. What is none is looked for, by somebody who may, and not found.
pub(crate) struct PathProvider(pub(crate) Option<Provider>);

impl FromRequest for PathProvider {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let named = request.match_info().get("provider");
        ready(Ok(Self(named.and_then(|word| word.parse().ok()))))
    }
}

/// The fields of an integration; which of them, depends on the provider: `twilio` has `sid` and `authToken`, `elevenlabs` has
/// `apiKey` and `region`, `openai` has `apiKey`, `gohighlevel` has `locationId` and `accessToken`. All but `region` are required.
/// Secrets are 8 to 512 visible ASCII characters, stored exactly as they are sent, and never shown again.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "apiKey": "sk-proj-4f0c1b7a9e" }))]
pub(crate) struct SetIntegration {
    /// Twilio: the SID of the account, `AC` and 32 hexadecimal digits. Not secret.
    #[serde(default)]
    #[schema(value_type = String, required = false, pattern = "^AC[0-9a-fA-F]{32}$", example = "AC0123456789abcdef0123456789abcdef")]
    sid: Member<String>,
    /// Twilio: the auth token of the account. Secret.
    #[serde(default)]
    #[schema(value_type = String, required = false, min_length = 8, max_length = 512, pattern = "^[!-~]+$", write_only, example = "0f1e2d3c4b5a69788796a5b4c3d2e1f0")]
    auth_token: Member<String>,
    /// ElevenLabs, OpenAI: the API key. Secret.
    #[serde(default)]
    #[schema(value_type = String, required = false, min_length = 8, max_length = 512, pattern = "^[!-~]+$", write_only, example = "sk-proj-4f0c1b7a9e")]
    api_key: Member<String>,
    /// ElevenLabs: where the account keeps its data; `us` unless said. Not secret.
    #[serde(default)]
    #[schema(value_type = ElevenLabsRegionSchema, required = false, example = "us")]
    region: Member<String>,
    /// HighLevel: the access token. Secret.
    #[serde(default)]
    #[schema(value_type = String, required = false, min_length = 8, max_length = 512, pattern = "^[!-~]+$", write_only, example = "pit-12345678-90ab-cdef")]
    access_token: Member<String>,
    /// HighLevel: the id of the location, 1 to 64 letters, digits, `-` and `_`. Not secret.
    #[serde(default)]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_-]+$", example = "ve9EPM428h8vShlRW1KT")]
    location_id: Member<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// What is good depends on the provider, which is not in the body: see [`SetIntegration::into_domain`].
impl Validate for SetIntegration {
    fn validate(&self) -> Result<(), ValidationErrors> {
        Ok(())
    }
}

impl SetIntegration {
    /// The fields of the provider, all refusals together. For what is no provider, nothing: it is not found anyway.
    pub(super) fn into_domain(self, provider: Option<Provider>) -> Result<IntegrationPatch, Error> {
        let Some(provider) = provider else { return Ok(IntegrationPatch::default()) };
        let mut refused = self.of_others(provider);
        let secret = match provider {
            Provider::Twilio => &self.auth_token,
            Provider::ElevenLabs | Provider::OpenAi => &self.api_key,
            Provider::GoHighLevel => &self.access_token,
        };
        let secret = noted(secret.required::<PlainSecret>(), provider.secret_field(), &mut refused);
        let plain = match provider {
            Provider::Twilio => noted(self.sid.required(), "sid", &mut refused).map(PlainField::Sid),
            Provider::GoHighLevel => {
                noted(self.location_id.required(), "locationId", &mut refused).map(PlainField::Location)
            }
            Provider::ElevenLabs => {
                let region = noted(self.region.parse(), "region", &mut refused).flatten();
                Some(PlainField::Region(region.unwrap_or_default()))
            }
            Provider::OpenAi => None,
        };
        match secret {
            Some(secret) if refused.is_empty() => Ok(IntegrationPatch::replacing(plain, secret)),
            _ => {
                refused.sort_by(|a, b| a.field.cmp(&b.field));
                Err(Error::Invalid(refused))
            }
        }
    }

    /// Refusals of what belongs to another provider, or to none.
    fn of_others(&self, provider: Provider) -> Vec<FieldRefusal> {
        let members = [
            ("accessToken", &self.access_token),
            ("apiKey", &self.api_key),
            ("authToken", &self.auth_token),
            ("locationId", &self.location_id),
            ("region", &self.region),
            ("sid", &self.sid),
        ];
        let plain = provider.plain_field().map(|(name, _)| name);
        let other = |name: &str| name != provider.secret_field() && Some(name) != plain;
        let refusal =
            |name: &str| Refusal::new("unknown_field", format!("is not a field of {}", provider.label())).of(name);
        let named = members.iter().filter(|(name, member)| other(name) && !matches!(member, Member::Absent));
        let mut unknown = ValidationErrors::new();
        if let Err(error) = self.unknown.check() {
            unknown.add("unknown", error);
        }
        named.map(|(name, _)| refusal(name)).chain(refusals(&unknown)).collect()
    }
}

fn noted<T>(outcome: Result<T, Refusal>, name: &str, refused: &mut Vec<FieldRefusal>) -> Option<T> {
    outcome.map_err(|refusal| refused.push(refusal.of(name))).ok()
}
