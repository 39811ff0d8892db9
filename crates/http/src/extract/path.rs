//! Ids in a path.

use std::{
    future::{Ready, ready},
    marker::PhantomData,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Path};
use tenantry_domain::{Id, Identified};
use uuid::Uuid;

use super::request::camel_case;
use crate::error::Failure;

/// An id in the path, by the name of what it identifies: `{workspaceId}`. What is not an id becomes the nil UUID, which nothing
/// has: so it is looked up like any other, by somebody who may, and the answer is that of an id that was never used.
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
        let name = format!("{}Id", camel_case(K::NOUN.as_str()));
        let place = request.match_info().iter().position(|(known, _)| known == name);
        let values = Path::<Vec<String>>::from_request(request, payload).into_inner();
        let raw = values.ok().zip(place).and_then(|(values, place)| values.into_inner().into_iter().nth(place));
        let id = raw.and_then(|raw| raw.parse::<Id<K>>().ok()).map_or(Uuid::nil(), Id::uuid);
        ready(Ok(Self(id, PhantomData)))
    }
}
