//! Who asks: the `Authorization` header, read without a look at the database. Nothing else of a request is worth work before that.

use std::{
    convert::Infallible,
    future::{Future, Ready, ready},
    pin::Pin,
};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, http::header, web::Data};
use chrono::{DateTime, Utc};
use tenantry_auth::{
    CredentialKind, KeyHash,
    jwt::{Refused, UnknownIssuer, VerifiedToken},
};
use tenantry_domain::{
    Credential, Error, Holder, Invitee, NoEmail, Origin, Person, Refusal, SecretHash, TenantId, Unauthenticated,
};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{query::Query, request::query};
use crate::{
    error::Failure,
    fallback::Table,
    idempotency,
    request_id::{self, request_id},
    service::{Service, Trust},
};

/// A caller whose credential holds cryptographically. Whether the tenant knows it, the door finds out.
pub(crate) struct Caller {
    pub(crate) credential: Credential,
}

impl FromRequest for Caller {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (request, announce) = (request.clone(), Recognised::announce(request));
        Box::pin(async move {
            let credential = match presented(&request).await {
                Ok(credential) => credential,
                // Whoever guesses is told to slow down instead.
                Err(failure) => return Err(stranger(&request).err().unwrap_or(failure)),
            };
            if let Some(Service { store, limiter, metrics, .. }) = service(&request) {
                limiter.admit(&request, metrics, &credential, store.lately(&credential))?;
            }
            known_parameters(&request)?;
            drop(announce);
            idempotency::key(&request)?;
            if let Some(tenant) = credential.tenant() {
                request_id::of_tenant(tenant);
            }
            Ok(Self { credential })
        })
    }
}

/// Somebody with an access token of their own, who may be no member of any tenant yet.
pub(crate) struct Invited(pub(crate) Invitee);

impl FromRequest for Invited {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (request, announce) = (request.clone(), Recognised::announce(request));
        Box::pin(async move {
            stranger(&request)?;
            let token = bearer(&request)?;
            if CredentialKind::of(token) != CredentialKind::AccessToken {
                return Err(Error::Unauthenticated(Unauthenticated::NotAPerson).into());
            }
            let token = verified(&request, token).await?;
            known_parameters(&request)?;
            drop(announce);
            idempotency::key(&request)?;
            let email = token.email.as_deref().map_err(|reason| *reason);
            let email = email.and_then(|email| email.parse().map_err(|_| NoEmail::NotAnAddress));
            if let Err(reason) = email {
                tracing::info!(issuer = token.issuer, %reason, "an access token does not prove an email address");
            }
            Ok(Self(Invitee {
                person: person(&token)?,
                email,
                origin: origin(&request),
                trusted_for: token.trusted_for,
            }))
        })
    }
}

/// A service that asks about the credentials of others, and that can do nothing else.
pub(crate) struct AskingService {
    request: HttpRequest,
}

impl FromRequest for AskingService {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let announce = Recognised::announce(request);
        let admitted = asking_service(request).and_then(|()| known_parameters(request));
        drop(announce);
        ready(admitted.map(|()| Self { request: request.clone() }))
    }
}

/// A credential that a service was shown.
pub(crate) struct Shown {
    /// One that is of no form that any tenant knows is looked up as one that is in no tenant: the answer and the way to it are those
    /// of a credential that nobody knows.
    pub(crate) credential: Credential,
    /// Until when its issuer lets it hold, where that is not for the database to know.
    pub(crate) until: Option<DateTime<Utc>>,
}

impl AskingService {
    /// The credential that it was shown.
    pub(crate) async fn shown(&self, token: &str) -> Result<Shown, Failure> {
        let request = &self.request;
        let found = match CredentialKind::of(token) {
            CredentialKind::ApiKey => match tenantry_auth::present(token) {
                Ok(holder) => Some((holder, None)),
                Err(reason) => {
                    tracing::info!(reason, "a service asked about an API key that is malformed");
                    None
                }
            },
            CredentialKind::AccessToken => match verified(request, token).await {
                Ok(token) => match token.tenant {
                    Some(tenant) => Some((Holder::Member { tenant, person: person(&token)? }, Some(token.expires_at))),
                    None => None,
                },
                Err(Failure::Domain(Error::Unauthenticated(_))) => None,
                Err(failure) => return Err(failure),
            },
            CredentialKind::PlatformKey | CredentialKind::ServiceKey => None,
        };
        if let Some((Holder::ApiKey { tenant, .. } | Holder::Member { tenant, .. }, _)) = &found {
            request_id::of_tenant(*tenant);
        }
        let nobodys = || Holder::ApiKey { tenant: TenantId::from_uuid(Uuid::nil()), hash: SecretHash::new([0; 32]) };
        let (holder, until) = found.unwrap_or_else(|| (nobodys(), None));
        Ok(Shown { credential: Credential { holder, origin: origin(request) }, until })
    }
}

/// Recognises the service that asks. Whoever guesses is told to slow down instead.
fn asking_service(request: &HttpRequest) -> Result<(), Failure> {
    let refused = |failure: Failure| Err(stranger(request).err().unwrap_or(failure));
    let key = match bearer(request) {
        Ok(key) => key,
        Err(failure) => return refused(failure),
    };
    if CredentialKind::of(key) != CredentialKind::ServiceKey {
        return refused(Error::Unauthenticated(Unauthenticated::NotAService).into());
    }
    match service_key(request, key) {
        Ok(key) => service(request)
            .map_or(Ok(()), |Service { limiter, metrics, .. }| limiter.admit_service(request, metrics, key)),
        Err(failure) => refused(failure),
    }
}

/// By which the settings know the service key.
fn service_key(request: &HttpRequest, key: &str) -> Result<String, Failure> {
    let keys = trust(request).map(|trust| trust.services.clone()).unwrap_or_default();
    keys.recognise(key).map(KeyHash::fingerprint).map_err(|reason| {
        tracing::info!(reason, "refused a service key");
        Error::Unauthenticated(Unauthenticated::Invalid).into()
    })
}

/// Somebody without a credential, who is counted by their address.
pub(crate) struct Anybody(pub(crate) Origin);

impl FromRequest for Anybody {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let admitted = stranger(request).and_then(|()| known_parameters(request));
        ready(admitted.map(|()| Self(origin(request))))
    }
}

/// Lets the body wait for the credential: the parts of a request are extracted side by side.
pub(super) struct Recognised(Option<oneshot::Receiver<Infallible>>);

impl Recognised {
    /// What is waited for until it is dropped.
    pub(super) fn announce(request: &HttpRequest) -> oneshot::Sender<Infallible> {
        let (sender, receiver) = oneshot::channel();
        request.extensions_mut().insert(Self(Some(receiver)));
        sender
    }

    /// What the credential of this request has announced. Nothing, for a route without one.
    pub(super) fn of(request: &HttpRequest) -> Self {
        request.extensions_mut().remove().unwrap_or(Self(None))
    }

    /// Returns once the credential holds. If it does not, the request ends meanwhile.
    pub(super) async fn wait(self) {
        if let Some(receiver) = self.0 {
            drop(receiver.await);
        }
    }
}

query! {
    /// The parameters of an operation that has none.
    struct NoParameters {}
}

/// Refuses parameters where the document has none. An operation that has some reads them itself.
fn known_parameters(request: &HttpRequest) -> Result<(), Failure> {
    let table = request.app_data::<Data<Table>>();
    let reads_them =
        table.zip(request.match_pattern()).is_none_or(|(table, path)| table.takes_query(&path, request.method()));
    if reads_them || request.query_string().is_empty() {
        return Ok(());
    }
    Query::<NoParameters>::of(request).map(drop)
}

async fn presented(request: &HttpRequest) -> Result<Credential, Failure> {
    let holder = holder(request, bearer(request)?).await?;
    Ok(Credential { holder, origin: origin(request) })
}

/// Counts a request without a credential that a tenant is known to have.
fn stranger(request: &HttpRequest) -> Result<(), Failure> {
    service(request).map_or(Ok(()), |Service { limiter, metrics, .. }| limiter.admit_stranger(request, metrics))
}

fn origin(request: &HttpRequest) -> Origin {
    Origin { request_id: Some(request_id()), address: request.peer_addr().map(|address| address.ip()) }
}

/// RFC 6750, section 2.1: the scheme in any case, one space, one token, one header.
fn bearer(request: &HttpRequest) -> Result<&str, Failure> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let Some(first) = headers.next() else { return Err(Error::Unauthenticated(Unauthenticated::Missing).into()) };
    if headers.next().is_some() {
        return Err(several_credentials());
    }
    let Ok(value) = first.to_str() else { return Err(Error::Unauthenticated(Unauthenticated::Invalid).into()) };
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() => Ok(token),
        _ => Err(Error::Unauthenticated(Unauthenticated::Missing).into()),
    }
}

/// Who presents it, by the kind of credential that its form shows.
async fn holder(request: &HttpRequest, token: &str) -> Result<Holder, Failure> {
    match CredentialKind::of(token) {
        CredentialKind::PlatformKey => {
            let keys = trust(request).map(|trust| trust.platform.clone()).unwrap_or_default();
            return match keys.recognise(token) {
                Ok(hash) => {
                    let key = hash.fingerprint();
                    tracing::info!(key, "recognised a platform key");
                    Ok(Holder::Platform { key, tenant: None })
                }
                Err(reason) => {
                    tracing::info!(reason, "refused a platform key");
                    Err(Error::Unauthenticated(Unauthenticated::Invalid).into())
                }
            };
        }
        CredentialKind::ServiceKey => {
            let key = service_key(request, token)?;
            tracing::info!(key, "refused a service key where it can do nothing");
            return Err(Error::forbidden(
                "A service key can only ask about credentials: POST /api/introspect. It cannot do anything else.",
            )
            .into());
        }
        CredentialKind::ApiKey => {
            return tenantry_auth::present(token).map_err(|reason| {
                tracing::info!(reason = format!("it is malformed: {reason}"), "refused an API key");
                Error::Unauthenticated(Unauthenticated::Invalid).into()
            });
        }
        CredentialKind::AccessToken => {}
    }
    let token = verified(request, token).await?;
    let Some(tenant) = token.tenant else {
        tracing::info!(reason = "it names no tenant", "refused an access token");
        return Err(Error::Unauthenticated(Unauthenticated::Token).into());
    };
    Ok(Holder::Member { tenant, person: person(&token)? })
}

/// What the token proves. Why it proves nothing is for the log.
async fn verified(request: &HttpRequest, token: &str) -> Result<VerifiedToken, Failure> {
    let issuers = trust(request).map(|trust| trust.issuers.clone()).unwrap_or_default();
    issuers.verify(token, Utc::now()).await.map_err(|refused| match refused {
        Refused::Invalid(reason) => {
            tracing::info!(reason, "refused an access token");
            Error::Unauthenticated(Unauthenticated::Token).into()
        }
        Refused::UnknownIssuer(UnknownIssuer { ref shown, ref near_miss }) => {
            let (reason, iss, hint) = (refused.to_string(), shown, near_miss.as_deref());
            tracing::info!(reason, iss, hint, "refused an access token");
            Error::Unauthenticated(Unauthenticated::Token).into()
        }
        Refused::TooLong => {
            tracing::info!(reason = refused.to_string(), "refused an access token");
            Error::Unauthenticated(Unauthenticated::TokenTooLong).into()
        }
        Refused::NoKeys => Error::Unavailable { cause: refused.to_string() }.into(),
    })
}

fn person(token: &VerifiedToken) -> Result<Person, Error> {
    let wrong = |refusal: Refusal| Error::internal(format!("a verified token has a name that {refusal}"));
    Ok(Person { issuer: token.issuer.parse().map_err(wrong)?, subject: token.subject.parse().map_err(wrong)? })
}

/// Whom the service trusts.
fn trust(request: &HttpRequest) -> Option<&Trust> {
    service(request).map(|service| &service.trust)
}

fn service(request: &HttpRequest) -> Option<&Service> {
    request.app_data::<Data<Service>>().map(|service| service.get_ref())
}

/// There is more than one credential.
pub(crate) fn several_credentials() -> Failure {
    let message = "Send one Authorization header, not several.".to_owned();
    Error::Unreadable { code: "several_credentials", message }.into()
}
