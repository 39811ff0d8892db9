//! Who asks: the `Authorization` header, read without a look at the database. Nothing else of a request is worth work before that.

use std::{
    convert::Infallible,
    future::{Future, Ready, ready},
    pin::Pin,
};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, http::header, web::Data};
use chrono::Utc;
use tenantry_auth::{
    CredentialKind,
    jwt::{Refused, UnknownIssuer, VerifiedToken},
};
use tenantry_domain::{Credential, Error, Holder, Invitee, Origin, Person, Refusal, Unauthenticated};
use tokio::sync::oneshot;

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
            if let Err(reason) = token.email {
                tracing::info!(issuer = token.issuer, reason, "an access token does not prove an email address");
            }
            // An address that is not one of ours was not invited.
            let email = token.email.as_deref().ok().and_then(|email| email.parse().ok());
            Ok(Self(Invitee {
                person: person(&token)?,
                email,
                origin: origin(&request),
                trusted_for: token.trusted_for,
            }))
        })
    }
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
    let token = first
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    token.map(|(_, token)| token).ok_or_else(|| Error::Unauthenticated(Unauthenticated::Invalid).into())
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
                    Ok(Holder::Platform { key })
                }
                Err(reason) => {
                    tracing::info!(reason, "refused a platform key");
                    Err(Error::Unauthenticated(Unauthenticated::Invalid).into())
                }
            };
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
