//! What every operation of the OpenAPI document has in common, said once: who may call, what may go wrong, which headers
//! come along.

mod access;
mod components;
mod declared;
mod examples;
mod failures;
mod shapes;

use actix_web::http::StatusCode;
use serde_json::Value;
use tenantry_domain::{Action, Choice, Conflict, Noun};
use utoipa::{
    OpenApi,
    openapi::{
        self, RefOr, ResponseBuilder,
        path::{Operation, Parameter, ParameterIn},
    },
};

pub(crate) use self::declared::declare;
use self::failures::{Dialect, Refusals};
use crate::{
    callfluent::{self, DialectErrorBody},
    error::{ErrorCode, FieldErrorCode, FieldProblem, Problem},
    idempotency,
};

/// The document without its routes, which [`crate::routes`] adds.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tenantry API",
        description = include_str!("openapi/intro.md"),
        contact(name = "The Tenantry project"),
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    servers((url = "/", description = "This service")),
    components(schemas(Problem, FieldProblem, ErrorCode, FieldErrorCode, DialectErrorBody))
)]
pub(crate) struct Base;

/// What a handler says of its operation besides its path: the action that it asks the policy for, and the conflicts that it can
/// run into.
const ACTION: &str = "x-action";
const CONFLICTS: &str = "x-conflicts";

/// What a change is answered that its caller may make and not see.
const UNSHOWN: &str =
    "It is done. Your API key may not read the object, so it is not shown. `Location` is the path of a new one.";

/// Completes the document once its routes are known.
pub(crate) fn complete(document: &mut openapi::OpenApi) {
    let mut components = document.components.take().unwrap_or_default();
    access::describe(&mut components);
    components::describe(&mut components);
    let is_of_somebody = |post: &&mut Operation| post.extensions.as_ref().is_some_and(|said| said.contains_key(ACTION));
    let posts = document.paths.paths.values_mut().filter_map(|item| item.post.as_mut());
    // What anybody may ask changes nothing.
    posts.filter(is_of_somebody).for_each(idempotency::describe);
    for_each_operation(document, |path, operation| complete_operation(operation, path, &mut components));
    failures::name_codes(&mut components);
    shapes::unify(&mut components);
    document.components = Some(components);
    examples::add(document);
    components::share_parameters(document);
}

/// A problem of each code that there is, as the service makes it.
pub(crate) fn problems() -> Vec<Value> {
    let components = crate::document().components.unwrap_or_default();
    failures::problems(&components).into_values().collect()
}

/// Visits each operation with its path.
fn for_each_operation(document: &mut openapi::OpenApi, mut visit: impl FnMut(&str, &mut Operation)) {
    for (path, item) in &mut document.paths.paths {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        operations.into_iter().flatten().for_each(|operation| visit(path, operation));
    }
}

fn complete_operation(operation: &mut Operation, path: &str, components: &mut openapi::Components) {
    let tag = operation.tags.as_ref().and_then(|tags| tags.first()).cloned().unwrap_or_default();
    name(operation, &tag);
    let action = operation.extensions.as_ref().and_then(|said| Action::named(said.get(ACTION)?.as_str()?));
    // They are told by the examples of the response.
    let conflicts = operation.extensions.as_mut().and_then(|said| said.remove(CONFLICTS)).unwrap_or_default();
    let word = |code: &Value| code.as_str().and_then(|word| word.parse().ok());
    let mut conflicts: Vec<Conflict> = conflicts.as_array().into_iter().flatten().filter_map(word).collect();
    if let Some(action) = action {
        operation.security = Some(access::credentials(action));
        let text = operation.description.get_or_insert_default();
        *text = format!("{text}\n\n{}", access::permission(action)).trim_start().to_owned();
    }
    components::path_parameters(operation, path);
    components::require_body(operation, components);
    let takes = |name: &str, place: ParameterIn| has(operation, |one| one.parameter_in == place && one.name == name);
    let takes_if_match = takes("If-Match", ParameterIn::Header);
    // What takes both is a write.
    let takes_if_none_match = !takes_if_match && takes("If-None-Match", ParameterIn::Header);
    let takes_key = takes(idempotency::NAME, ParameterIn::Header);
    let in_path = path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).last();
    let responses = &mut operation.responses.responses;
    let status = |status: &str| status.parse::<StatusCode>().unwrap_or_default();
    let declared = responses.keys().map(|known| status(known)).filter(|status| !status.is_success()).collect();
    let mut shows_it = false;
    for (known, response) in responses.iter_mut() {
        let RefOr::T(response) = response else { continue };
        let has_body = response.content.keys().any(|kind| kind == "application/json");
        let tagged = response.headers.contains_key("ETag") || (takes_if_match || takes_if_none_match) && has_body;
        // What has no tag is no thing of which there are versions.
        // What is only accepted is shown, too.
        shows_it |= tagged || status(known) == StatusCode::ACCEPTED;
        response.headers.clear();
        components::header(response, "X-Request-Id");
        if action.is_some_and(access::is_of_tenants) {
            for name in ["RateLimit", "RateLimit-Policy"] {
                components::header(response, name);
            }
        }
        if tagged {
            components::header(response, "ETag");
        }
        if takes_key {
            components::header(response, "Idempotency-Replayed");
        }
        if status(known) == StatusCode::CREATED {
            components::header(response, "Location");
        }
    }
    if action.is_some_and(access::may_answer_unshown) && shows_it {
        let mut unshown = ResponseBuilder::new().description(UNSHOWN).build();
        components::header(&mut unshown, "X-Request-Id");
        responses.insert("204".to_owned(), unshown.into());
    }
    if takes_if_none_match {
        let mut unchanged = ResponseBuilder::new().description("Nothing has changed.").build();
        components::header(&mut unchanged, "X-Request-Id");
        responses.insert("304".to_owned(), unchanged.into());
    }
    if takes_key {
        conflicts.extend(idempotency::CONFLICTS);
    }
    let refusals = Refusals {
        dialect: if tag == callfluent::workspace::PART.tag { Dialect::CallFluent } else { Dialect::Native },
        action,
        conflicts: &conflicts,
        names: action.zip(in_path).map(|(action, name)| components::noun(name).unwrap_or(noun_of(action))),
        takes_body: operation.request_body.is_some(),
        takes_if_match,
        takes_key,
        declared,
    };
    let responses = refusals.responses(components);
    operation.responses.responses.extend(responses);
}

/// What the action is about, by its name. The dialect names workspaces by their numbers.
fn noun_of(action: Action) -> Noun {
    let (word, _) = action.rule().name.split_once('.').unwrap_or_default();
    Noun::ALL.iter().find(|(_, known)| *known == word).map_or(Noun::Workspace, |(noun, _)| *noun)
}

/// Whether an operation of the complete document has parameters in the query.
pub(crate) fn takes_query(operation: &Operation, document: &openapi::OpenApi) -> bool {
    let shared = |reference: &openapi::Ref| {
        let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
        document.components.as_ref().and_then(|components| components.parameters.get(name))
    };
    operation.parameters.iter().flatten().any(|one| {
        let one = match one {
            RefOr::T(one) => Some(one),
            RefOr::Ref(reference) => shared(reference).and_then(|one| match one {
                RefOr::T(one) => Some(one),
                RefOr::Ref(_) => None,
            }),
        };
        one.is_some_and(|one| one.parameter_in == ParameterIn::Query)
    })
}

/// Operations are known by their noun and their verb: `workspaces_show`.
fn name(operation: &mut Operation, tag: &str) {
    let (noun, verb) = (tag.to_lowercase().replace(' ', "_"), operation.operation_id.take().unwrap_or_default());
    operation.operation_id = Some(format!("{noun}_{verb}"));
}

fn has(operation: &Operation, which: impl Fn(&Parameter) -> bool) -> bool {
    operation.parameters.iter().flatten().any(|one| matches!(one, RefOr::T(one) if which(one)))
}
