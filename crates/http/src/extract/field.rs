//! The fields of requests: each says by its type what it takes, whether it must be there, and what null means.

use std::{fmt::Display, marker::PhantomData};

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tenantry_domain::{Input, Refusal};
use validator::{Validate, ValidationError, ValidationErrors};

use super::given::{Given, Read};
use crate::schema::{self, FieldSchema};

/// A value that must be there.
pub(crate) type Required<V> = Field<MustBe<V>>;
/// A value that may be left out, and must not be null.
pub(crate) type Optional<V> = Field<MayBe<V>>;
/// A value that may be left out, and must not be null, as the plainer type that its user wants.
pub(crate) type OptionalAs<V, T> = Field<MayBeAs<V, T>>;
/// A value that may be left out or null, which is the same.
pub(crate) type Nullable<V> = Field<OrNull<V>>;
/// A change of a value: left out, it stays; null, it is gone.
pub(crate) type Clearable<V> = Field<Change<V>>;
/// A value that is its type's default when it is left out. It must not be null.
pub(crate) type OrDefault<V> = Field<Else<V>>;

/// What a field takes.
pub(crate) trait Rule {
    /// What it is read as.
    type Read: Read;
    /// What comes of it.
    type Value;
    /// Whether it must be there.
    const REQUIRED: bool = false;
    /// Whether it may be null.
    const NULLABLE: bool = false;

    fn judge(given: Given<Self::Read>) -> Result<Self::Value, Refusal>;

    /// What it is when it is left out.
    fn default() -> Option<Value> {
        None
    }
}

/// A field by its rule: the value, or why it is refused.
#[derive(Debug)]
pub(crate) struct Field<R: Rule>(Result<R::Value, Refusal>);

/// What the fields of a request have in common.
pub(crate) trait Taken {
    /// What comes of the field.
    type Value;

    /// Moves the value out.
    fn take(self) -> Result<Self::Value, Refusal>;

    /// The field in the document, by its name on the wire and its own sentence.
    fn describe(name: String, text: &str) -> FieldSchema;
}

impl<R: Rule> Taken for Field<R> {
    type Value = R::Value;

    fn take(self) -> Result<R::Value, Refusal> {
        self.0
    }

    fn describe(name: String, text: &str) -> FieldSchema {
        let (schema, component) = R::Read::schema();
        let schema = if R::NULLABLE { schema::or_null(schema) } else { schema };
        FieldSchema { name, required: R::REQUIRED, schema: schema::described(schema, text, R::default()), component }
    }
}

impl<R: Rule> Default for Field<R> {
    fn default() -> Self {
        Self(R::judge(Given::Absent))
    }
}

impl<'de, R: Rule> Deserialize<'de> for Field<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Given::deserialize(deserializer).map(R::judge).map(Self)
    }
}

impl<R: Rule> Validate for Field<R> {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let Err(refusal) = &self.0 else { return Ok(()) };
        let mut errors = ValidationErrors::new();
        errors.add("", ValidationError::new(refusal.code).with_message(refusal.message.clone().into()));
        Err(errors)
    }
}

/// The rule of [`Required`].
#[derive(Debug)]
pub(crate) struct MustBe<V>(PhantomData<V>);
/// The rule of [`Optional`].
#[derive(Debug)]
pub(crate) struct MayBe<V>(PhantomData<V>);
/// The rule of [`OptionalAs`].
#[derive(Debug)]
pub(crate) struct MayBeAs<V, T>(PhantomData<(V, T)>);
/// The rule of [`Nullable`].
#[derive(Debug)]
pub(crate) struct OrNull<V>(PhantomData<V>);
/// The rule of [`Clearable`].
#[derive(Debug)]
pub(crate) struct Change<V>(PhantomData<V>);
/// The rule of [`OrDefault`].
#[derive(Debug)]
pub(crate) struct Else<V>(PhantomData<V>);

impl<V: Read> Rule for MustBe<V> {
    type Read = V;
    type Value = V;
    const REQUIRED: bool = true;

    fn judge(given: Given<V>) -> Result<V, Refusal> {
        given.required()
    }
}

impl<V: Read> Rule for MayBe<V> {
    type Read = V;
    type Value = Option<V>;

    fn judge(given: Given<V>) -> Result<Option<V>, Refusal> {
        given.optional()
    }
}

impl<V: Read + Into<T>, T> Rule for MayBeAs<V, T> {
    type Read = V;
    type Value = Option<T>;

    fn judge(given: Given<V>) -> Result<Option<T>, Refusal> {
        given.optional().map(|value| value.map(V::into))
    }
}

impl<V: Read> Rule for OrNull<V> {
    type Read = V;
    type Value = Option<V>;
    const NULLABLE: bool = true;

    fn judge(given: Given<V>) -> Result<Option<V>, Refusal> {
        given.clearable().map(Option::flatten)
    }
}

impl<V: Read> Rule for Change<V> {
    type Read = V;
    type Value = Option<Option<V>>;
    const NULLABLE: bool = true;

    fn judge(given: Given<V>) -> Result<Option<Option<V>>, Refusal> {
        given.clearable()
    }
}

impl<V: Read + Input + Default + Display> Rule for Else<V> {
    type Read = V;
    type Value = V;

    fn judge(given: Given<V>) -> Result<V, Refusal> {
        given.optional().map(Option::unwrap_or_default)
    }

    fn default() -> Option<Value> {
        Some(schema::default_of(&V::description(), &V::default().to_string()))
    }
}
