//! What every operation of the OpenAPI document has in common, said once: who may call, what may go wrong, which headers
//! come along.

mod failures;
mod shared;

use utoipa::{
    OpenApi,
    openapi::{
        self, HeaderBuilder, ObjectBuilder, RefOr, Required, Response, ResponseBuilder,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
        schema::Type,
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use self::failures::Failing;
use crate::{
    callfluent::DialectErrorBody,
    error::{FieldProblem, Problem},
};

/// The document without its routes, which [`crate::routes`] adds.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tenantry API",
        description = include_str!("openapi/intro.md"),
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    servers((url = "/", description = "This service")),
    tags(
        (name = "Workspaces", description = "Operational units under a brand: regions, business units, product lines. What a workspace leaves open, its brand fills in."),
        (name = "Limits", description = "What a workspace may have at most: its own limits and those of its tenant, of which the smaller one holds."),
        (name = "Agents", description = "The AI agents of a workspace."),
        (name = "Usage", description = "The seconds that a workspace uses: a ledger to which entries are only added, and its sums by month."),
        (name = "Voices", description = "What agents of a workspace can speak with, from OpenAI and ElevenLabs."),
        (name = "Calendars", description = "Where agents of a workspace can book appointments, in HighLevel."),
        (name = "Brands", description = "Customer-facing identities of the tenant: name, colours, sender, signatures, tone. One of them is its default."),
        (name = "Tenant", description = "The account that everything else belongs to, and what its new workspaces start with."),
        (name = "Members", description = "The people in the tenant, each in one role, and the workspaces they are assigned to."),
        (name = "Invitations", description = "Pending members: who is invited to what, until they accept."),
        (name = "API keys", description = "Machine credentials: what they may do, where, and until when. A secret is shown once."),
        (name = "Integrations", description = "Connections of a workspace to providers. Their secrets can be set and are never shown."),
        (name = "Audit", description = "Who did what to what, and when. Written with each change, and never changed."),
        (name = "CallFluent", description = "The same workspaces for clients of the CallFluent Workspace API, by number: paths, bodies and answers are those of its page."),
        (name = "Platform", description = "Tenants as such, for the platform that provisions them: their state and their limits, and nothing of what is inside. With a platform key."),
        (name = "Me", description = "Who the caller is and what it may do."),
        (name = "Service", description = "Health, metrics and this document. No credential needed."),
    ),
    components(schemas(Problem, FieldProblem, DialectErrorBody))
)]
pub(crate) struct Base;

/// The header `X-Request-Id` of every answer.
const REQUEST_ID: &str = "The request in the service's logs.";

/// The names of the security schemes.
const API_KEY: &str = "apiKey";
const ACCESS_TOKEN: &str = "accessToken";

/// The name of the security scheme of the platform.
const PLATFORM_KEY: &str = "platformKey";

/// Whether an operation is the platform's, for which no credential of a tenant is good.
fn is_of_the_platform(path: &str) -> bool {
    path.starts_with("/api/admin/")
}

/// Whether an operation is of the CallFluent dialect, which has no versions and failures of its own form.
fn is_of_the_dialect(path: &str) -> bool {
    path.starts_with("/api/workspace/")
}

/// Completes the document once its routes are known.
pub(crate) fn complete(document: &mut openapi::OpenApi) {
    let components = document.components.get_or_insert_default();
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("tnt_live_v1_…")
        .description(Some("An API key of your tenant: `tnt_live_v1_…`."))
        .build();
    components.security_schemes.insert(API_KEY.to_owned(), RefOr::T(SecurityScheme::Http(scheme)));
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("An access token of a member, from an issuer that the service trusts. It names the tenant."))
        .build();
    components.security_schemes.insert(ACCESS_TOKEN.to_owned(), RefOr::T(SecurityScheme::Http(scheme)));
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("tnt_plat_v1_…")
        .description(Some("A platform key of this service, `tnt_plat_v1_…`, for `/api/admin` and nothing else."))
        .build();
    components.security_schemes.insert(PLATFORM_KEY.to_owned(), RefOr::T(SecurityScheme::Http(scheme)));
    for (path, item) in &mut document.paths.paths {
        let methods = [
            (&mut item.get, "get"),
            (&mut item.post, "post"),
            (&mut item.put, "put"),
            (&mut item.patch, "patch"),
            (&mut item.delete, "delete"),
        ];
        for (operation, method) in methods {
            if let Some(operation) = operation {
                complete_operation(operation, path, method);
            }
        }
    }
    shared::parameters(document);
}

fn complete_operation(operation: &mut Operation, path: &str, method: &str) {
    name(operation);
    let is_api = path.starts_with("/api/");
    let one = method == "get" && is_api && !has_list(operation) && !is_of_the_dialect(path);
    if one {
        let text = "The `ETag` of the answer you have, such as `\"3\"`; 304 when nothing has changed.";
        header_parameter(operation, "If-None-Match", text);
    }
    if failures::takes_if_match(path, method) {
        let text = "The `ETag` of what you mean to change, such as `\"3\"`; 412 when it has changed since.";
        header_parameter(operation, "If-Match", text);
    }
    if is_api {
        let ways: &[&str] = match path {
            path if is_of_the_platform(path) => &[PLATFORM_KEY],
            "/api/tenant/transfer-ownership" | "/api/invitations/accept" => &[ACCESS_TOKEN],
            _ => &[API_KEY, ACCESS_TOKEN],
        };
        operation.security =
            Some(ways.iter().map(|name| SecurityRequirement::new(*name, Vec::<String>::new())).collect());
    }
    let failing = Failing {
        path,
        method,
        has_body: operation.request_body.is_some(),
        is_list: has_list(operation),
        has_query: has_query(operation),
    };
    let responses = &mut operation.responses.responses;
    if one {
        responses
            .insert("304".to_owned(), RefOr::T(ResponseBuilder::new().description("You have it already.").build()));
    }
    for (status, response) in responses.iter_mut() {
        if let RefOr::T(response) = response {
            // A batch answers with several things, which have no tag in common; an entry of a ledger never changes.
            let untagged = path.ends_with("/batch") || path.ends_with("/usage") || is_of_the_dialect(path);
            success_headers(response, status, one || method != "get" && !untagged);
        }
    }
    responses.extend(failing.responses().map(|(status, response)| (status.to_string(), RefOr::T(response))));
}

/// Operations are known by their noun and their verb: `workspaces_show`.
fn name(operation: &mut Operation) {
    let verb = operation.operation_id.take().unwrap_or_default();
    let tag = operation.tags.as_ref().and_then(|tags| tags.first());
    let noun = tag.map(|tag| tag.to_lowercase().replace(' ', "_")).unwrap_or_default();
    operation.operation_id = Some(format!("{noun}_{verb}"));
}

fn has_list(operation: &Operation) -> bool {
    operation
        .parameters
        .iter()
        .flatten()
        .any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.name == "cursor"))
}

fn has_query(operation: &Operation) -> bool {
    let in_query = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query);
    operation.parameters.iter().flatten().any(in_query)
}

fn header_parameter(operation: &mut Operation, name: &str, description: &str) {
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build();
    operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
}

fn success_headers(response: &mut Response, status: &str, tagged: bool) {
    let text = |description: &str| {
        HeaderBuilder::new()
            .description(Some(description))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .build()
    };
    response.headers.insert("X-Request-Id".to_owned(), text(REQUEST_ID).into());
    if tagged && status != "204" && response.content.keys().all(|kind| kind == "application/json") {
        response.headers.insert("ETag".to_owned(), text("A strong entity tag, for If-Match and If-None-Match.").into());
    }
    if status == "201" {
        response.headers.insert("Location".to_owned(), text("The path of what was created.").into());
    }
}
