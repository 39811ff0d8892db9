//! What a caller asks of integrations.

use std::{
    collections::BTreeMap,
    future::{Future, Ready, ready},
    pin::Pin,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};
use serde::de::IgnoredAny;
use tenantry_domain::{
    API_KEY_SECRET, API_KEY_SID, AccountSid, ApiKeySid, ElevenLabsRegion, Error, IntegrationPatch, LocationId,
    PlainField, PlainSecret, Provider, REFRESH_TOKEN, Refusal, TwilioRegion,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{Ref, RefOr, Schema, schema::AnyOfBuilder},
};

use crate::{
    error::Failure,
    extract::{Body, Optional, OrDefault, Request, Required, read_json, request},
    schema::Named,
    service::Service,
};

/// A provider in the path. What is none is looked for, by somebody who may, and not found.
pub(crate) struct PathProvider(pub(crate) Option<Provider>);

impl FromRequest for PathProvider {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(provider(request))))
    }
}

fn provider(request: &HttpRequest) -> Option<Provider> {
    request.match_info().get("provider").and_then(|word| word.parse().ok())
}

request! {
    /// The fields of an integration with Twilio: the account, and either its auth token or an API key with its secret.
    #[example({ "sid": "AC0123456789abcdef0123456789abcdef", "authToken": "0f1e2d3c4b5a69788796a5b4c3d2e1f0" })]
    pub(crate) struct SetTwilio {
        /// The SID of the account.
        sid: Required<AccountSid>,
        /// The auth token of the account. Required unless `apiKeySid` and `apiKeySecret` are sent.
        auth_token: Optional<PlainSecret>,
        /// The SID of an API key of the account, instead of the auth token.
        api_key_sid: Optional<ApiKeySid>,
        /// The secret of that API key.
        api_key_secret: Optional<PlainSecret>,
        /// The region in which the auth token or the API key was created. It is good there alone.
        region: OrDefault<TwilioRegion>,
    }
}

request! {
    /// The fields of an integration with ElevenLabs.
    #[example({ "apiKey": "sk_4f0c1b7a9e", "region": "eu" })]
    pub(crate) struct SetElevenLabs {
        /// The API key of the account.
        api_key: Required<PlainSecret>,
        /// The region in which the account stores its data.
        region: OrDefault<ElevenLabsRegion>,
    }
}

request! {
    /// The fields of an integration with OpenAI.
    #[example({ "apiKey": "sk-proj-4f0c1b7a9e" })]
    pub(crate) struct SetOpenAi {
        /// The API key of the account.
        api_key: Required<PlainSecret>,
    }
}

request! {
    /// The fields of an integration with HighLevel.
    #[example({ "locationId": "ve9EPM428h8vShlRW1KT", "accessToken": "pit-12345678-90ab-cdef" })]
    pub(crate) struct SetHighLevel {
        /// The id of the location.
        location_id: Required<LocationId>,
        /// The access token.
        access_token: Required<PlainSecret>,
        /// The refresh token of an OAuth access token, which ends after a day. Tenantry then renews the access token, if the
        /// operator has set the app that the tokens were issued to. Nobody else may use this refresh token: it is good for one use.
        refresh_token: Optional<PlainSecret>,
    }
}

/// The fields of an integration. Which they are, depends on the provider in the path.
pub(crate) struct SetIntegration(pub(crate) IntegrationPatch);

impl FromRequest for SetIntegration {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (provider, body) = (provider(request), Body::from_request(request, payload));
        let service = request.app_data::<Data<Service>>();
        let can_renew = service.is_some_and(|service| service.integrations.providers.can_renew());
        Box::pin(async move {
            let fields = move |body: &[u8]| match provider {
                Some(provider) => fields(provider, can_renew, body),
                None => read_json::<BTreeMap<String, IgnoredAny>>(body).map(|_| IntegrationPatch::default()),
            };
            body.await?.read(fields).await.map(Self)
        })
    }
}

/// All fields of this provider.
fn fields(provider: Provider, can_renew: bool, body: &[u8]) -> Result<IntegrationPatch, Failure> {
    let (plain, secret) = match provider {
        Provider::Twilio => {
            return twilio(accept(body, provider)?);
        }
        Provider::ElevenLabs => {
            let SetElevenLabs { api_key, region } = accept(body, provider)?;
            (Some(PlainField::Region(region)), api_key)
        }
        Provider::OpenAi => {
            let SetOpenAi { api_key } = accept(body, provider)?;
            (None, api_key)
        }
        Provider::GoHighLevel => {
            let SetHighLevel { location_id, access_token, refresh_token } = accept(body, provider)?;
            let secret = match refresh_token {
                Some(refresh_token) if can_renew => access_token.renewed_with(refresh_token, None),
                Some(_) => return Err(Error::Invalid(vec![no_app().of(REFRESH_TOKEN)]).into()),
                None => access_token,
            };
            (Some(PlainField::Location(location_id)), secret)
        }
    };
    Ok(IntegrationPatch::replacing(plain, secret))
}

/// Without the app that it was issued to, nobody can use a refresh token.
fn no_app() -> Refusal {
    let message = "cannot be used: this service has no HighLevel app. Send the access token alone, or ask the operator to set \
                   TENANTRY_GOHIGHLEVEL_CLIENT_ID";
    Refusal::new("not_supported", message)
}

/// The fields of Twilio: one of the two secrets, and the SID of the key exactly with that of the key.
fn twilio(fields: SetTwilio) -> Result<IntegrationPatch, Failure> {
    let SetTwilio { sid, auth_token, api_key_sid, api_key_secret, region } = fields;
    let refuse =
        |field: &str, code, message: &str| Err(Error::Invalid(vec![Refusal::new(code, message).of(field)]).into());
    let plain = Some(PlainField::Sid(sid));
    match (auth_token, api_key_sid, api_key_secret) {
        (Some(token), None, None) => Ok(IntegrationPatch::replacing(plain, token).in_region(region)),
        (None, Some(key), Some(secret)) => {
            Ok(IntegrationPatch::replacing(plain, secret).of_api_key(key).in_region(region))
        }
        (None, None, None) => refuse("authToken", "required", "is required, or apiKeySid and apiKeySecret instead"),
        (None, None, Some(_)) => refuse(API_KEY_SID, "required", "is required with apiKeySecret"),
        (None, Some(_), None) => refuse(API_KEY_SECRET, "required", "is required with apiKeySid"),
        (Some(_), ..) => refuse("authToken", "conflicting", "cannot be combined with apiKeySid and apiKeySecret"),
    }
}

/// The fields of a provider. A field of another one is refused as that.
fn accept<T: Request>(body: &[u8], provider: Provider) -> Result<T, Failure> {
    T::accept(read_json(body)?).map_err(|mut refusals| {
        let known = [SetTwilio::fields(), SetElevenLabs::fields(), SetOpenAi::fields(), SetHighLevel::fields()];
        for refusal in refusals.iter_mut().filter(|refusal| refusal.code == "unknown_field") {
            if known.iter().flatten().any(|field| field.name == refusal.field) {
                refusal.message = format!("is not a field of {}", provider.label());
            }
        }
        Error::Invalid(refusals).into()
    })
}

impl PartialSchema for SetIntegration {
    fn schema() -> RefOr<Schema> {
        let names = [SetTwilio::name(), SetElevenLabs::name(), SetOpenAi::name(), SetHighLevel::name()];
        let any = AnyOfBuilder::new().description(Some("The fields of an integration. They depend on the provider."));
        let mut any = names.into_iter().fold(any, |any, name| any.item(Ref::from_schema_name(name))).build();
        any.example = Some(serde_json::json!({ "apiKey": "sk-proj-4f0c1b7a9e" }));
        Schema::AnyOf(any).into()
    }
}

impl ToSchema for SetIntegration {
    fn schemas(schemas: &mut Vec<Named>) {
        add::<SetTwilio>(schemas);
        add::<SetElevenLabs>(schemas);
        add::<SetOpenAi>(schemas);
        add::<SetHighLevel>(schemas);
    }
}

fn add<T: ToSchema>(schemas: &mut Vec<Named>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_is_refused_where_nobody_can_use_it() {
        let body = br#"{ "locationId": "loc", "accessToken": "canary-access", "refreshToken": "canary-refresh" }"#;
        let read = |can_renew| fields(Provider::GoHighLevel, can_renew, body);
        let secret = read(true).ok().and_then(|patch| patch.secret).flatten().unwrap();
        assert_eq!(secret.renewal().unwrap().refresh_token(), "canary-refresh");
        let Err(Failure::Domain(Error::Invalid(refusals))) = read(false) else { panic!("it is not refused") };
        assert_eq!((refusals.len(), refusals[0].field.as_str(), refusals[0].code), (1, REFRESH_TOKEN, "not_supported"));
        assert!(!refusals[0].message.contains("canary"));
    }
}
