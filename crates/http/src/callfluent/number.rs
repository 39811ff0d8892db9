//! Numbers in a path.

use std::{
    future::{Ready, ready},
    marker::PhantomData,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Path};
use tenantry_domain::{Number, Numbered};

use crate::error::Failure;

/// The one number in the path. What is none becomes 0, which nothing has: so it is looked up like any other.
pub(crate) struct PathNumber<K>(i64, PhantomData<fn() -> K>);

impl<K: Numbered> PathNumber<K> {
    pub(crate) fn number(&self) -> Number<K> {
        Number::given(self.0)
    }
}

impl<K: Numbered> FromRequest for PathNumber<K> {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let raw = Path::<String>::from_request(request, payload).into_inner();
        let number = raw.ok().and_then(|raw| raw.parse::<Number<K>>().ok()).map_or(0, Number::get);
        ready(Ok(Self(number, PhantomData)))
    }
}
