//! Requests: fields that are known by name, accepted all together or refused all together.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny},
};
use tenantry_domain::FieldRefusal;
use validator::{Validate, ValidationError, ValidationErrors, ValidationErrorsKind};

use crate::schema::FieldSchema;

/// A body or the parameters of a query. The macros `request!` and `query!` write it.
pub(crate) trait Request: Sized {
    /// The fields before they are accepted.
    type Fields: DeserializeOwned + Validate;

    /// Fields whose name on the wire is not their own in `camelCase`.
    const RENAMED: &'static [(&'static str, &'static str)];

    /// The fields in the document.
    fn fields() -> Vec<FieldSchema>;

    /// Moves the values out.
    fn take(fields: Self::Fields) -> Result<Self, FieldRefusal>;

    /// The name of a field on the wire.
    fn wire(field: &str) -> String {
        let renamed = Self::RENAMED.iter().find(|(own, _)| *own == field);
        renamed.map_or_else(|| camel_case(field), |(_, wire)| (*wire).to_owned())
    }

    /// The request, or all that is wrong with it, by name.
    fn accept(fields: Self::Fields) -> Result<Self, Vec<FieldRefusal>> {
        match fields.validate() {
            Ok(()) => Self::take(fields).map_err(|refusal| vec![refusal]),
            Err(errors) => Err(refusals(&errors, Self::wire)),
        }
    }
}

/// What the `validator` derive found, in the words of the domain: every field by its name on the wire, in order.
pub(super) fn refusals(errors: &ValidationErrors, wire: impl Fn(&str) -> String) -> Vec<FieldRefusal> {
    let mut refusals = Vec::new();
    for (field, kind) in errors.errors() {
        let ValidationErrorsKind::Struct(found) = kind else { continue };
        for (name, kind) in found.errors() {
            let ValidationErrorsKind::Field(found) = kind else { continue };
            let name = if field == UNKNOWN { name.chars().take(100).collect() } else { wire(field) };
            refusals.extend(found.iter().map(|error| FieldRefusal {
                field: name.clone(),
                // `validator` keeps codes as text that may be owned; ours never are.
                code: if let Cow::Borrowed(code) = error.code { code } else { "invalid" },
                message: error.message.as_deref().unwrap_or("is not valid").to_owned(),
            }));
        }
    }
    refusals.sort_by(|a, b| a.field.cmp(&b.field));
    refusals
}

/// The field that collects what a request must not have.
const UNKNOWN: &str = "unknown";

/// The fields that a request must not have, by name. There are not many: a body and a query have bounds.
#[derive(Debug, Default)]
pub(crate) struct Unknown(BTreeMap<String, IgnoredAny>);

impl Validate for Unknown {
    fn validate(&self) -> Result<(), ValidationErrors> {
        if self.0.is_empty() {
            return Ok(());
        }
        let unknown = || ValidationError::new("unknown_field").with_message("is unknown (check the spelling)".into());
        let names = self.0.keys().map(|name| (name.clone().into(), ValidationErrorsKind::Field(vec![unknown()])));
        Err(ValidationErrors(names.collect()))
    }
}

impl<'de> Deserialize<'de> for Unknown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self)
    }
}

pub(crate) fn camel_case(field: &str) -> String {
    let mut name = String::with_capacity(field.len());
    let mut upper = false;
    for c in field.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                name.extend(c.to_uppercase());
                upper = false;
            }
            c => name.push(c),
        }
    }
    name
}

/// Declares the fields of a request: a line each, whose type says what is accepted, and a sentence for the document. The struct
/// holds the values that come of them: `name: Required<WorkspaceName>` is a `WorkspaceName`.
///
/// A field is called as here, in `camelCase`, or as it says: `auth_token as "auth_token"`. `=> AgentPatch` adds `into_domain`, for a
/// type of the domain that has the same fields.
macro_rules! fields {
    (
        $(#[doc = $doc:literal])+
        $vis:vis struct $name:ident $(=> $domain:ident)? {
            $($(#[doc = $text:literal])* $field:ident $(as $wire:literal)? : $type:ty,)*
        }
    ) => {
        $(#[doc = $doc])+
        $vis struct $name {
            $($(#[doc = $text])* pub(crate) $field: <$type as $crate::extract::Taken>::Value,)*
        }

        $crate::extract::into_domain! { $name [$($domain)?] [$($field)*] }

        const _: () = {
            use validator::Validate;

            #[derive(Default, serde::Deserialize, Validate)]
            #[serde(default, rename_all = "camelCase")]
            #[validate(nest_all_fields)]
            pub(crate) struct Fields {
                $($(#[serde(rename = $wire)])? $field: $type,)*
                #[serde(flatten)]
                unknown: $crate::extract::Unknown,
            }

            impl $crate::extract::Request for $name {
                type Fields = Fields;

                const RENAMED: &'static [(&'static str, &'static str)] = &[$($((stringify!($field), $wire),)?)*];

                fn fields() -> Vec<$crate::schema::FieldSchema> {
                    vec![$(<$type as $crate::extract::Taken>::describe(
                        Self::wire(stringify!($field)),
                        concat!($($text),*),
                    )),*]
                }

                fn take(fields: Fields) -> Result<Self, tenantry_domain::FieldRefusal> {
                    let Fields { $($field,)* unknown: _ } = fields;
                    Ok(Self {
                        $($field: $crate::extract::Taken::take($field)
                            .map_err(|refusal| refusal.of(Self::wire(stringify!($field))))?,)*
                    })
                }
            }
        };
    };
}

/// Moves all fields of a request into a type of the domain, where one is named.
macro_rules! into_domain {
    ($name:ident [] [$($field:ident)*]) => {};
    ($name:ident [$domain:ident] [$($field:ident)*]) => {
        impl $name {
            /// The request in the words of the domain.
            pub(crate) fn into_domain(self) -> $domain {
                $domain { $($field: self.$field,)* }
            }
        }
    };
}

/// Declares a body: its [`fields!`], an example, and the name of its schema where that is not its own.
macro_rules! request {
    (
        $(#[doc = $doc:literal])+
        #[example($($example:tt)+)]
        $vis:vis struct $name:ident $(as $component:ident)? $(=> $domain:ident)? { $($fields:tt)* }
    ) => {
        $crate::extract::fields! { $(#[doc = $doc])+ $vis struct $name $(=> $domain)? { $($fields)* } }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let fields = <Self as $crate::extract::Request>::fields();
                $crate::schema::of_request(fields, concat!($($doc),+), serde_json::json!($($example)+))
            }
        }

        impl utoipa::ToSchema for $name {
            $(
                fn name() -> std::borrow::Cow<'static, str> {
                    stringify!($component).into()
                }
            )?

            fn schemas(schemas: &mut Vec<$crate::schema::Named>) {
                let fields = <Self as $crate::extract::Request>::fields();
                schemas.extend(fields.into_iter().filter_map(|field| field.component));
            }
        }
    };
}

/// Declares the parameters of a query: their [`fields!`].
macro_rules! query {
    ($(#[doc = $doc:literal])+ $vis:vis struct $name:ident $(=> $domain:ident)? { $($fields:tt)* }) => {
        $crate::extract::fields! { $(#[doc = $doc])+ $vis struct $name $(=> $domain)? { $($fields)* } }

        impl utoipa::IntoParams for $name {
            fn into_params(
                _: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
            ) -> Vec<utoipa::openapi::path::Parameter> {
                <Self as $crate::extract::Request>::fields().into_iter().map($crate::extract::parameter).collect()
            }
        }
    };
}

pub(crate) use {fields, into_domain, query, request};
