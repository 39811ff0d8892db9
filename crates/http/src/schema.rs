//! Schemas of the OpenAPI document that follow from types: of the values that callers send, of closed lists, of requests.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::Value;
use tenantry_domain::{Choice, Description, Form, Input, KeyScope, Scope};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        KnownFormat, Object, ObjectBuilder, Ref, RefOr, Schema, SchemaFormat,
        path::Parameter,
        schema::{AdditionalProperties, OneOfBuilder, SchemaType, Type},
    },
};

/// Named schemas, each as the document lists it.
pub(crate) type Named = (String, RefOr<Schema>);

/// A word in an answer. What it can be today is known, but clients must be ready for more: so the document has it as an open
/// string, and as a closed list only in requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word<T>(pub(crate) T);

impl<T: Choice> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.word())
    }
}

impl<T: Choice> PartialSchema for Word<T> {
    fn schema() -> RefOr<Schema> {
        match T::description().form {
            Form::Words { words, .. } => open(T::MEANING, words).into(),
            _ => object(&T::description()).into(),
        }
    }
}

impl<T: Choice> ToSchema for Word<T> {
    fn name() -> Cow<'static, str> {
        match T::description().form {
            Form::Words { name, .. } => name.into(),
            _ => "".into(),
        }
    }
}

/// What an API key carries, in an answer: a [`Word`] of Tenantry's scopes, or one that the operator declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ScopeWord(pub(crate) KeyScope);

impl Serialize for ScopeWord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl PartialSchema for ScopeWord {
    fn schema() -> RefOr<Schema> {
        Word::<Scope>::schema()
    }
}

impl ToSchema for ScopeWord {
    fn name() -> Cow<'static, str> {
        Word::<Scope>::name()
    }
}

/// What tools read the known words of an open list from.
pub(crate) const KNOWN: &str = "x-extensible-enum";

/// A string that is one of these words today, and may be another one tomorrow. Not an `enum`: generators would make a closed type
/// of that, which fails on a word that it does not know.
pub(crate) fn open<W: Into<Value>>(text: &str, words: impl IntoIterator<Item = W>) -> Object {
    let words: Vec<Value> = words.into_iter().map(Into::into).collect();
    let listed: Vec<_> = words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect();
    let text = format!("{text} Known values: {}. Accept others, too: new ones may be added.", listed.join(", "));
    let mut schema = ObjectBuilder::new().schema_type(Type::String).description(Some(text.trim())).build();
    schema.example = words.first().cloned();
    schema.extensions = Some([(KNOWN, Value::from(words))].into_iter().collect());
    schema
}

/// Gives the words of an answer that the code has as text, and not as a [`Choice`], their name in the document.
macro_rules! open_list {
    ($(#[doc = $doc:literal])+ $vis:vis struct $name:ident: $words:expr) => {
        $(#[doc = $doc])+
        $vis struct $name;

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::schema::open(concat!($($doc),+), $words).into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}
pub(crate) use open_list;

/// The schema of a value, for a component or for a parameter.
pub(crate) fn object(description: &Description) -> Object {
    let Description { form, text, example } = description;
    let schema = ObjectBuilder::new().description(Some(text).filter(|text| !text.is_empty()));
    let mut schema = match form {
        Form::Text { length: (min, max), pattern, format, .. } => schema
            .schema_type(Type::String)
            .format(format.map(|format| SchemaFormat::Custom(format.to_owned())))
            .min_length(*min)
            .max_length(*max)
            .pattern(*pattern)
            .build(),
        Form::Number(min, max) => schema
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(Some(number(*min)))
            .maximum(max.map(number))
            .build(),
        Form::Flag => schema.schema_type(Type::Boolean).build(),
        Form::Words { words, .. } => schema.schema_type(Type::String).enum_values(Some(words.iter().copied())).build(),
    };
    schema.example = example.map(Value::from);
    schema.write_only = matches!(form, Form::Text { secret: true, .. }).then_some(true);
    schema
}

fn number(number: i64) -> utoipa::Number {
    utoipa::Number::Int(isize::try_from(number).unwrap_or(isize::MAX))
}

/// A value as a request names it: closed lists stand in the components, as `RoleChoice` beside the open `Role` of answers, and
/// everything else in place. Returns the component too.
pub(crate) fn of_value(description: &Description) -> (RefOr<Schema>, Option<Named>) {
    match &description.form {
        Form::Words { name, .. } => {
            let name = choice_name(name);
            (Ref::from_schema_name(&name).into(), Some((name, object(description).into())))
        }
        _ => (object(description).into(), None),
    }
}

/// The name of a closed list of requests, beside the open list of answers.
pub(crate) fn choice_name(name: &str) -> String {
    format!("{name}Choice")
}

/// What `default` says, in JSON.
pub(crate) fn default_of(description: &Description, written: &str) -> Value {
    match description.form {
        Form::Number(..) | Form::Flag => serde_json::from_str(written).unwrap_or(Value::Null),
        Form::Text { .. } | Form::Words { .. } => written.into(),
    }
}

/// The same value, or null.
pub(crate) fn or_null(schema: RefOr<Schema>) -> RefOr<Schema> {
    match schema {
        RefOr::T(Schema::Object(mut object)) => {
            if let SchemaType::Type(single) = object.schema_type {
                object.schema_type = SchemaType::Array(vec![single, Type::Null]);
            }
            object.into()
        }
        other => OneOfBuilder::new().item(other).item(ObjectBuilder::new().schema_type(Type::Null)).into(),
    }
}

/// The same value, described by a sentence of its field in front of its own.
pub(crate) fn described(mut schema: RefOr<Schema>, text: &str, default: Option<Value>) -> RefOr<Schema> {
    let text = text.trim();
    let joined = |own: Option<&str>| match own {
        Some(own) if !own.is_empty() => format!("{text} {own}").trim().to_owned(),
        _ => text.to_owned(),
    };
    let some = |own: Option<&str>| Some(joined(own)).filter(|text| !text.is_empty());
    match &mut schema {
        RefOr::Ref(reference) => {
            reference.description = joined(None);
            reference.default = default;
        }
        RefOr::T(Schema::Object(object)) => {
            object.description = some(object.description.as_deref());
            object.default = default;
        }
        RefOr::T(Schema::Array(array)) => {
            array.description = some(array.description.as_deref());
            array.default = default;
        }
        RefOr::T(Schema::OneOf(choice)) => {
            choice.description = some(choice.description.as_deref());
            choice.default = default;
        }
        RefOr::T(_) => {}
    }
    schema
}

/// By this extension a parameter says under which name it stands in the components. It is not in the document.
pub(crate) const SHARED: &str = "x-shared-as";

/// By this extension a parameter brings along the schema that it refers to. It is not in the document.
pub(crate) const REFERS_TO: &str = "x-refers-to";

/// A parameter that several operations have.
pub(crate) fn shared(mut parameter: Parameter, name: &str) -> Parameter {
    parameter.extensions.get_or_insert_default().insert(SHARED.to_owned(), name.into());
    parameter
}

/// A parameter that refers to this schema.
pub(crate) fn referring(mut parameter: Parameter, component: Option<Named>) -> Parameter {
    if let Some(component) = component.and_then(|component| serde_json::to_value(component).ok()) {
        parameter.extensions.get_or_insert_default().insert(REFERS_TO.to_owned(), component);
    }
    parameter
}

/// A field of a request, for the document.
pub(crate) struct FieldSchema {
    /// Its name on the wire.
    pub(crate) name: String,
    /// Whether it must be there.
    pub(crate) required: bool,
    /// What it takes.
    pub(crate) schema: RefOr<Schema>,
    /// What the schema refers to.
    pub(crate) component: Option<Named>,
}

/// A body with these fields and no others.
pub(crate) fn of_request(fields: Vec<FieldSchema>, text: &str, example: Value) -> RefOr<Schema> {
    let body = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(text.trim()))
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
    let body = fields.into_iter().fold(body, |body, field| {
        let body = if field.required { body.required(&field.name) } else { body };
        body.property(field.name, field.schema)
    });
    let mut body = body.build();
    body.example = Some(example);
    body.into()
}

/// The example of a body.
pub(crate) fn example_of<T: PartialSchema>() -> Option<Value> {
    match T::schema() {
        RefOr::T(Schema::Object(body)) => body.example,
        _ => None,
    }
}
