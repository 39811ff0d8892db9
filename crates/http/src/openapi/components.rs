//! What operations have in common, as components of the document: headers, and parameters that more than one of them takes.

use std::collections::BTreeMap;

use tenantry_domain::{Choice, Input, Noun, Provider};
use utoipa::openapi::{
    Components, Header, HeaderBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Required, Response, Schema,
    path::{Operation, Parameter, ParameterBuilder, ParameterIn},
    schema::{KnownFormat, SchemaFormat, Type},
};

use crate::{extract::camel_case, schema};

/// The headers of answers, each with what it says.
const HEADERS: [(&str, &str); 5] = [
    ("X-Request-Id", "Identifies the request in the service's logs."),
    ("ETag", "A strong entity tag, for `If-Match` and `If-None-Match`."),
    ("Location", "The path of the new object."),
    ("WWW-Authenticate", "What is missing, as RFC 6750 puts it."),
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

/// The parameters of a path that an operation does not describe itself.
pub(super) fn path_parameters(operation: &mut Operation, path: &str) {
    let parameters = operation.parameters.get_or_insert_default();
    let named = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let missing: Vec<_> = named
        .filter(|name| !parameters.iter().any(|one| matches!(one, RefOr::T(one) if one.name == *name)))
        .filter_map(path_parameter)
        .collect();
    parameters.splice(0..0, missing.into_iter().map(RefOr::T));
}

fn path_parameter(name: &str) -> Option<Parameter> {
    let (text, schema): (String, RefOr<Schema>) = match name {
        PROVIDER => ("The provider.".to_owned(), schema::of_value(&Provider::description()).0),
        name => {
            let text = format!("The unique identifier of the {}.", noun(name)?.lower_case());
            let uuid = ObjectBuilder::new()
                .schema_type(Type::String)
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
            (text, uuid.into())
        }
    };
    let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True);
    Some(parameter.description(Some(text)).schema(Some(schema)).build())
}

/// Moves each parameter that several operations take in the same form into the components.
pub(super) fn share_parameters(document: &mut OpenApi) {
    let mut uses: BTreeMap<String, Vec<(Parameter, usize)>> = BTreeMap::new();
    for_each_parameter(document, |parameter| {
        if let RefOr::T(parameter) = parameter {
            let forms = uses.entry(parameter.name.clone()).or_default();
            match forms.iter_mut().find(|(form, _)| form == parameter) {
                Some((_, count)) => *count += 1,
                None => forms.push((parameter.clone(), 1)),
            }
        }
    });
    let most_used = |forms: Vec<(Parameter, usize)>| forms.into_iter().max_by_key(|(_, count)| *count);
    let shared: BTreeMap<_, _> = uses
        .into_iter()
        .filter_map(|(name, forms)| most_used(forms).filter(|(_, count)| *count > 1).map(|(form, _)| (name, form)))
        .collect();
    for_each_parameter(document, |parameter| {
        if let RefOr::T(form) = parameter
            && shared.get(&form.name) == Some(form)
        {
            *parameter = RefOr::Ref(Ref::new(format!("#/components/parameters/{}", form.name)));
        }
    });
    let components = document.components.get_or_insert_default();
    components.parameters.extend(shared.into_iter().map(|(name, form)| (name, form.into())));
}

fn for_each_parameter(document: &mut OpenApi, mut visit: impl FnMut(&mut RefOr<Parameter>)) {
    super::for_each_operation(document, |_, operation| operation.parameters.iter_mut().flatten().for_each(&mut visit));
}
