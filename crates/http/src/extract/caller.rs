//! Who asks: the `Authorization` header, read without a look at the database.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header};
use tenantry_domain::{Credential, Error, Holder, Origin, Unauthenticated};

use crate::{error::Failure, telemetry};

/// A caller whose credential has the form of one. Whether the tenant knows it, the door finds out.
pub(crate) struct Caller {
    pub(crate) credential: Credential,
}

impl FromRequest for Caller {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(holder(request).map(|holder| {
            let credential = Credential { holder, origin: origin(request) };
            if let Some(tenant) = credential.tenant() {
                telemetry::of_tenant(tenant);
            }
            Self { credential }
        }))
    }
}

fn origin(request: &HttpRequest) -> Origin {
    Origin { request_id: Some(telemetry::request_id()), address: request.peer_addr().map(|address| address.ip()) }
}

/// RFC 6750, section 2.1: the scheme in any case, one space, one token, one header.
fn holder(request: &HttpRequest) -> Result<Holder, Failure> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let Some(first) = headers.next() else { return Err(Error::Unauthenticated(Unauthenticated::Missing).into()) };
    if headers.next().is_some() {
        let message = "Send one Authorization header, not several.".to_owned();
        return Err(Error::Unreadable { code: "several_credentials", message }.into());
    }
    let token = first
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, token)) = token else { return Err(Error::Unauthenticated(Unauthenticated::Invalid).into()) };
    tenantry_auth::present(token).map_err(|error| Error::Unauthenticated(error).into())
}
