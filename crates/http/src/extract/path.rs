//! Ids in a path.

use std::{
    future::{Ready, ready},
    marker::PhantomData,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Path};
use tenantry_domain::{Id, Identified};
use uuid::Uuid;

use crate::error::Failure;

/// The one id in the path. What is not an id becomes the nil UUID, which nothing has: so it is looked up like any other, by
/// somebody who may, and the answer is that of an id that was never used.
pub(crate) struct PathId<K>(Uuid, PhantomData<fn() -> K>);

impl<K> PathId<K> {
    pub(crate) fn id(&self) -> Id<K> {
        Id::from_uuid(self.0)
    }
}

impl<K: Identified> FromRequest for PathId<K> {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let raw = Path::<String>::from_request(request, payload).into_inner();
        let id = raw.ok().and_then(|raw| raw.parse::<Id<K>>().ok()).map_or(Uuid::nil(), Id::uuid);
        ready(Ok(Self(id, PhantomData)))
    }
}
