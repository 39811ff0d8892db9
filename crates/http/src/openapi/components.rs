//! What operations have in common, as components of the document: headers, and parameters that more than one of them takes.

use std::collections::BTreeMap;

use serde_json::Value;
use tenantry_domain::{Choice, ExternalId, Input, Noun, Provider, demo};
use utoipa::openapi::{
    Components, Header, HeaderBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Required, Response, Schema,
    path::{Operation, Parameter, ParameterBuilder, ParameterIn},
    schema::{KnownFormat, SchemaFormat, Type},
};

use crate::{
    extract::camel_case,
    schema::{self, Named, REFERS_TO, SHARED},
};

/// The headers of answers, each with what it says.
const HEADERS: [(&str, &str); 8] = [
    ("X-Request-Id", "Identifies the request in the service's logs."),
    ("ETag", "The version of the object, for `If-Match` and `If-None-Match`."),
    ("Location", "The path of the new object."),
    ("Idempotency-Replayed", "`true` if this is the answer to an earlier request with the same `Idempotency-Key`."),
    ("WWW-Authenticate", "Which credential or scope is missing (RFC 6750)."),
    (
        "RateLimit",
        "How many requests are left, and in how many seconds the quota is whole again (draft-ietf-httpapi-ratelimit-headers).",
    ),
    ("RateLimit-Policy", "The quotas that count this request, and their windows in seconds."),
    ("Retry-After", "How many seconds to wait before you try again."),
];

/// Adds the headers.
pub(super) fn describe(components: &mut Components) {
    for (name, text) in HEADERS {
        let header: Header = HeaderBuilder::new()
            .description(Some(text))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .build();
        components.headers.insert(name.to_owned(), header.into());
    }
}

/// Gives the answer one of the headers.
pub(super) fn header(response: &mut Response, name: &str) {
    response.headers.insert(name.to_owned(), RefOr::Ref(Ref::new(format!("#/components/headers/{name}"))));
}

/// What a parameter of a path identifies, if it has an id.
pub(super) fn noun(parameter: &str) -> Option<Noun> {
    if parameter == PROVIDER {
        return Some(Noun::Integration);
    }
    let id = |noun: &Noun| format!("{}Id", camel_case(noun.as_str())) == parameter;
    Noun::ALL.iter().map(|(noun, _)| *noun).find(id)
}

const PROVIDER: &str = "provider";

const EXTERNAL_ID: &str = "externalId";

/// The parameters of a path that an operation does not describe itself.
pub(super) fn path_parameters(operation: &mut Operation, path: &str) {
    let puts = operation.request_body.is_some();
    let parameters = operation.parameters.get_or_insert_default();
    let named = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let missing: Vec<_> = named
        .filter(|name| !parameters.iter().any(|one| matches!(one, RefOr::T(one) if one.name == *name)))
        .filter_map(|name| path_parameter(name, puts))
        .collect();
    parameters.splice(0..0, missing.into_iter().map(RefOr::T));
}

/// Its example is of the demo tenant, where it can be sent as it is.
/// What is put under an external ID is new.
fn path_parameter(name: &str, puts: bool) -> Option<Parameter> {
    let (text, example, (schema, component)): (String, Option<Value>, (RefOr<Schema>, _)) = match name {
        PROVIDER => {
            let provider = schema::of_value(&Provider::description());
            ("The provider.".to_owned(), Some(Provider::ElevenLabs.as_str().into()), provider)
        }
        EXTERNAL_ID => {
            let text = "The external ID, percent-encoded.".to_owned();
            let example = if puts { demo::NEW_EXTERNAL_ID } else { demo::EXTERNAL_ID };
            (text, Some(example.into()), schema::of_value(&ExternalId::description()))
        }
        name => {
            let noun = noun(name)?;
            let text = format!("The unique identifier of the {}.", noun.lower_case());
            let example = demo::id_of(noun).map(|id| id.to_string().into());
            let uuid = ObjectBuilder::new()
                .schema_type(Type::String)
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
            (text, example, (uuid.into(), None))
        }
    };
    let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True);
    let parameter = parameter.description(Some(text)).example(example).schema(Some(schema)).build();
    let shared = camel_case(&format!("_{name}"));
    let shared = if puts && name == EXTERNAL_ID { format!("New{shared}") } else { shared };
    Some(schema::shared(schema::referring(parameter, component), &shared))
}

/// Says whether the body must be there: an empty one is an empty object, which is enough where no field is required.
pub(super) fn require_body(operation: &mut Operation, components: &Components) {
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    let required = |schema: &RefOr<Schema>| requires_a_field(schema, components);
    let mut contents = body.content.values().filter_map(|content| match content {
        RefOr::T(content) => content.schema.as_ref(),
        RefOr::Ref(_) => None,
    });
    let required = contents.any(required);
    body.required = Some(if required { Required::True } else { Required::False });
}

fn requires_a_field(schema: &RefOr<Schema>, components: &Components) -> bool {
    match schema {
        RefOr::Ref(reference) => {
            let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
            components.schemas.get(name).is_some_and(|schema| requires_a_field(schema, components))
        }
        RefOr::T(Schema::Object(object)) => !object.required.is_empty(),
        RefOr::T(Schema::AnyOf(any)) => any.items.iter().all(|one| requires_a_field(one, components)),
        RefOr::T(_) => false,
    }
}

/// Moves every parameter that has a name for it into the components, and every schema that a parameter brings along.
pub(super) fn share_parameters(document: &mut OpenApi) {
    let (mut shared, mut schemas) = (BTreeMap::new(), Vec::new());
    super::for_each_operation(document, |_, operation| {
        for parameter in operation.parameters.iter_mut().flatten() {
            let RefOr::T(own) = parameter else { continue };
            let schema = take_off(own, REFERS_TO).and_then(|named| serde_json::from_value::<Named>(named).ok());
            schemas.extend(schema);
            if let Some(Value::String(name)) = take_off(own, SHARED) {
                let reference = Ref::new(format!("#/components/parameters/{name}"));
                shared.insert(name, std::mem::replace(parameter, RefOr::Ref(reference)));
            }
        }
    });
    let components = document.components.get_or_insert_default();
    components.parameters.extend(shared);
    components.schemas.extend(schemas);
}

/// Takes an extension off that is not for the document.
fn take_off(parameter: &mut Parameter, extension: &str) -> Option<Value> {
    let value = parameter.extensions.as_mut()?.remove(extension)?;
    parameter.extensions = parameter.extensions.take().filter(|rest| !rest.is_empty());
    Some(value)
}
