//! Query parameters: known by name, valid all together or refused all together.

use std::{
    borrow::Cow,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::de::{
    DeserializeOwned,
    value::{Error as Twice, MapDeserializer},
};
use tenantry_domain::Error;
use utoipa::openapi::{
    RefOr, Required, Schema,
    path::{Parameter, ParameterBuilder, ParameterIn},
};

use super::Request;
use crate::{
    error::Failure,
    schema::{FieldSchema, referring},
};

/// The parameters of a request as a `T`.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: Request + 'static> FromRequest for Query<T> {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl<T: Request> Query<T> {
    /// The parameters of this request.
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, Failure> {
        T::accept(read(&pairs(request)?)?).map(Self).map_err(|refusals| Error::Invalid(refusals).into())
    }
}

/// The most parameters of a query.
const MAX_PARAMETERS: usize = 100;

/// A name and its value, decoded.
pub(super) type Pair<'q> = (Cow<'q, str>, Cow<'q, str>);

/// The parameters in the order in which they were sent. What is percent-encoded must be UTF-8: else it would be replaced, and
/// something else looked for than was asked.
pub(super) fn pairs(request: &HttpRequest) -> Result<Vec<Pair<'_>>, Failure> {
    let query = request.query_string();
    if percent_encoding::percent_decode_str(query).decode_utf8().is_err() {
        return Err(unreadable_query("The query must be UTF-8, percent-encoded."));
    }
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).take(MAX_PARAMETERS + 1).collect();
    match pairs.len() {
        0..=MAX_PARAMETERS => Ok(pairs),
        _ => Err(unreadable_query(&format!("The query has more than {MAX_PARAMETERS} parameters."))),
    }
}

/// Reads fields. They never fail to deserialise, so that what is left is one that is there twice.
pub(super) fn read<T: DeserializeOwned>(pairs: &[Pair<'_>]) -> Result<T, Failure> {
    let pairs = pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
    T::deserialize(MapDeserializer::<_, Twice>::new(pairs)).map_err(|error| {
        let error = error.to_string();
        let name = error.split_once("duplicate field `").and_then(|(_, rest)| rest.split_once('`'));
        match name {
            Some((name, _)) => duplicate_parameter(name),
            None => unreadable_query("The query could not be read."),
        }
    })
}

/// The query has a parameter twice.
pub(crate) fn duplicate_parameter(name: &str) -> Failure {
    let message = format!("The query has the parameter \"{name}\" twice.");
    Error::Unreadable { code: "duplicate_parameter", message }.into()
}

/// The query is not one.
pub(crate) fn unreadable_query(message: &str) -> Failure {
    Error::Unreadable { code: "unreadable_query", message: message.to_owned() }.into()
}

/// A field as a parameter of the document.
pub(crate) fn parameter(mut field: FieldSchema) -> Parameter {
    let text = match &mut field.schema {
        RefOr::T(Schema::Object(object)) => object.description.take(),
        RefOr::Ref(reference) => Some(std::mem::take(&mut reference.description)),
        RefOr::T(_) => None,
    };
    let parameter = ParameterBuilder::new()
        .name(field.name)
        .parameter_in(ParameterIn::Query)
        .required(if field.required { Required::True } else { Required::False })
        .description(text.filter(|text| !text.is_empty()))
        .schema(Some(field.schema))
        .build();
    referring(parameter, field.component)
}
