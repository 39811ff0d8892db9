//! External IDs and metadata in requests: in a path, in a body, in a query.

use std::{
    collections::BTreeMap,
    future::{Ready, ready},
    marker::PhantomData,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Path};
use serde::de::MapAccess;
use tenantry_domain::{
    Error, ExternalId, Input, Metadata, MetadataName, MetadataPatch, MetadataValue, Refusal, entry_name, entry_value,
};
use utoipa::openapi::{
    ObjectBuilder, RefOr, Schema,
    schema::{AdditionalProperties, SchemaType, Type},
};

use super::{
    field::{Field, Rule},
    given::{Given, Read},
    query::METADATA,
};
use crate::{
    error::Failure,
    schema::{self, Named},
};

/// Metadata of something new. Left out or null, it has none.
pub(crate) type NewMetadata = Field<Whole>;
/// A change of metadata. Left out, it stays; null, all of it is gone.
pub(crate) type ChangedMetadata = Field<Merged>;
/// Metadata that something must have: a parameter for each entry.
pub(crate) type MatchedMetadata = Field<Matched>;

/// The rule of [`NewMetadata`].
#[derive(Debug)]
pub(crate) struct Whole;
/// The rule of [`ChangedMetadata`].
#[derive(Debug)]
pub(crate) struct Merged;
/// The rule of [`MatchedMetadata`].
#[derive(Debug)]
pub(crate) struct Matched;

impl Rule for Whole {
    type Read = Entries<InBody>;
    type Value = Metadata;
    const NULLABLE: bool = true;

    fn judge(given: Given<Self::Read>) -> Result<Metadata, Refusal> {
        let change = given_change(given)?;
        change.map_or_else(|| Ok(Metadata::default()), |change| Metadata::default().patched(&change))
    }
}

impl Rule for Merged {
    type Read = Entries<InBody>;
    type Value = Option<MetadataPatch>;
    const NULLABLE: bool = true;

    fn judge(given: Given<Self::Read>) -> Result<Option<MetadataPatch>, Refusal> {
        given_change(given)
    }
}

/// Not as other fields that can be cleared: what is empty here is an entry.
fn given_change(given: Given<Entries<InBody>>) -> Result<Option<MetadataPatch>, Refusal> {
    match given {
        Given::Absent => Ok(None),
        Given::Null => Ok(Some(MetadataPatch::Clear)),
        Given::Value(entries) => Ok(Some(entries.into())),
        Given::Refused(refusal) => Err(refusal),
    }
}

impl Rule for Matched {
    type Read = Entries<InQuery>;
    type Value = Metadata;

    fn judge(given: Given<Self::Read>) -> Result<Metadata, Refusal> {
        given
            .optional()?
            .map_or_else(|| Ok(Metadata::default()), |entries| Metadata::default().patched(&entries.into()))
    }
}

/// Where entries stand.
pub(crate) trait Place {
    const WORDS: &'static str;
    /// Whether null takes an entry away.
    const REMOVABLE: bool;

    fn schema() -> Schema;
}

/// In an object of JSON.
#[derive(Debug)]
pub(crate) struct InBody;
/// In parameters such as `metadata.tier=gold`.
#[derive(Debug)]
pub(crate) struct InQuery;

impl Place for InBody {
    const WORDS: &'static str = "an object of strings";
    const REMOVABLE: bool = true;

    fn schema() -> Schema {
        let value = schema::or_null(schema::object(&MetadataValue::description()).into());
        let names = schema::object(&MetadataName::description());
        let text = format!("Up to {} entries. `null` removes an entry.", Metadata::MAX);
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some(text))
            .property_names(Some(Schema::Object(names)))
            .additional_properties(Some(AdditionalProperties::RefOr(value)))
            .into()
    }
}

impl Place for InQuery {
    const WORDS: &'static str = "sent by the name of each entry, as in metadata.tier=gold";
    const REMOVABLE: bool = false;

    /// Each property is a parameter of its own, as OpenAPI writes an object in a query (`style: form`, `explode: true`).
    fn schema() -> Schema {
        let value = schema::object(&MetadataValue::description());
        let names = ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .pattern(Some(format!("^{METADATA}\\.[!-Z^-~]{{1,{}}}$", MetadataName::MAX)));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .property_names(Some(Schema::Object(names.build())))
            .additional_properties(Some(AdditionalProperties::RefOr(value.into())))
            .into()
    }
}

/// Entries by name; null where one is to go.
#[derive(Debug)]
pub(crate) struct Entries<P>(BTreeMap<MetadataName, Option<MetadataValue>>, PhantomData<P>);

impl<P> From<Entries<P>> for MetadataPatch {
    fn from(entries: Entries<P>) -> Self {
        Self::Merge(entries.0)
    }
}

impl<P: Place> Read for Entries<P> {
    const WORDS: &'static str = P::WORDS;

    fn of_object<'de, A: MapAccess<'de>>(mut object: A) -> Result<Option<Result<Self, Refusal>>, A::Error> {
        let mut entries = Ok(BTreeMap::new());
        // All of it is taken, whatever it is.
        while let Some(name) = object.next_key::<String>()? {
            let value = object.next_value::<Given<MetadataValue>>()?;
            if let Ok(known) = &mut entries
                && let Err(refusal) = add(known, &name, value, P::REMOVABLE)
            {
                entries = Err(refusal);
            }
        }
        Ok(Some(entries.map(|entries| Self(entries, PhantomData))))
    }

    fn schema() -> (RefOr<Schema>, Option<Named>) {
        (P::schema().into(), None)
    }
}

fn add(
    known: &mut BTreeMap<MetadataName, Option<MetadataValue>>,
    name: &str,
    value: Given<MetadataValue>,
    removable: bool,
) -> Result<(), Refusal> {
    let key = entry_name(name)?;
    // `clearable` says how to remove an entry, which a query cannot.
    let value = match removable {
        true => value.clearable().map(Option::flatten),
        false => value.required().map(Some),
    };
    let value = entry_value(name, value)?;
    match known.insert(key, value) {
        None => Ok(()),
        Some(_) => Err(Refusal::new("conflicting", format!("has \"{name}\" twice"))),
    }
}

/// An external ID in the path: `{externalId}`.
pub(crate) struct PathExternalId(Result<ExternalId, Refusal>);

impl PathExternalId {
    /// The external ID; `None` for what none can be, which is then looked for like one that nothing has.
    pub(crate) fn wanted(self) -> Option<ExternalId> {
        self.0.ok()
    }

    /// The external ID that something is to have.
    pub(crate) fn given(self) -> Result<ExternalId, Failure> {
        self.0.map_err(|refusal| Error::invalid(refusal.of("externalId")).into())
    }
}

impl FromRequest for PathExternalId {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        // Else what is no text would be replaced, and two external IDs would become one.
        if percent_encoding::percent_decode_str(request.uri().path()).decode_utf8().is_err() {
            return ready(Ok(Self(Err(Refusal::new("forbidden_character", "must be UTF-8, percent-encoded")))));
        }
        let values = Path::<String>::from_request(request, payload).into_inner();
        ready(Ok(Self(values.map_or_else(|_| "".parse(), |value| value.into_inner().parse()))))
    }
}
