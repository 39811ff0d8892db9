//! Query parameters: known by name, valid all together or refused all together.

use std::{
    borrow::Cow,
    collections::HashSet,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::de::{
    DeserializeOwned, Deserializer, IntoDeserializer, Visitor,
    value::{Error as Twice, MapDeserializer},
};
use tenantry_domain::Error;
use utoipa::openapi::{
    RefOr, Required, Schema,
    path::{Parameter as Documented, ParameterBuilder, ParameterIn},
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
pub(super) fn read<'q, T: DeserializeOwned>(pairs: &'q [Pair<'q>]) -> Result<T, Failure> {
    let (entries, pairs): (Vec<_>, Vec<_>) =
        pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).partition(|(name, _)| is_of_metadata(name));
    let mut parameters: Vec<_> = pairs.into_iter().map(|(name, value)| (name, Parameter::Text(value))).collect();
    if !entries.is_empty() {
        let mut names = HashSet::new();
        if let Some((twice, _)) = entries.iter().find(|(name, _)| !names.insert(*name)) {
            return Err(duplicate_parameter(twice));
        }
        let named = |(name, value): (&'q str, _)| (name.split_once('.').map_or(name, |(_, name)| name), value);
        parameters.push((METADATA, Parameter::Entries(entries.into_iter().map(named).collect())));
    }
    T::deserialize(MapDeserializer::<_, Twice>::new(parameters.into_iter())).map_err(|error| {
        let error = error.to_string();
        let name = error.split_once("duplicate field `").and_then(|(_, rest)| rest.split_once('`'));
        match name {
            Some((name, _)) => duplicate_parameter(name),
            None => unreadable_query("The query could not be read."),
        }
    })
}

/// What parameters such as `metadata.tier` belong to.
pub(super) const METADATA: &str = "metadata";

fn is_of_metadata(name: &str) -> bool {
    name.strip_prefix(METADATA).is_some_and(|rest| rest.starts_with('.'))
}

/// The value of a parameter, or those of several that belong together.
enum Parameter<'q> {
    Text(&'q str),
    Entries(Vec<(&'q str, &'q str)>),
}

impl<'de> IntoDeserializer<'de, Twice> for Parameter<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Parameter<'_> {
    type Error = Twice;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Twice> {
        match self {
            Self::Text(text) => visitor.visit_str(text),
            Self::Entries(entries) => visitor.visit_map(MapDeserializer::new(entries.into_iter())),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
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
pub(crate) fn parameter(mut field: FieldSchema) -> Documented {
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
