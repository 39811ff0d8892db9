//! What every operation of the OpenAPI document has in common, said once: who may call, what may go wrong, which headers
//! come along.

use serde_json::{Value, json};
use utoipa::{
    OpenApi,
    openapi::{
        self, HeaderBuilder, ObjectBuilder, Ref, RefOr, Required, Response, ResponseBuilder,
        content::ContentBuilder,
        path::{Operation, ParameterBuilder, ParameterIn},
        schema::Type,
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use crate::error::{FieldProblem, PROBLEM_JSON, Problem};

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
        (name = "Workspaces", description = "Operational units under a brand: regions, business units, product lines."),
        (name = "Brands", description = "Customer-facing identities of the tenant; one of them is its default."),
        (name = "Tenant", description = "The account that everything else belongs to."),
        (name = "API keys", description = "Machine credentials: what they may do, where, and until when."),
        (name = "Me", description = "Who the caller is."),
        (name = "Service", description = "Health, figures and this document. No credential needed."),
    ),
    components(schemas(Problem, FieldProblem))
)]
pub(crate) struct Base;

/// The name of the security scheme.
const API_KEY: &str = "apiKey";

/// Completes the document once its routes are known.
pub(crate) fn complete(document: &mut openapi::OpenApi) {
    let components = document.components.get_or_insert_default();
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("tnt_live_v1_…")
        .description(Some("An API key of the tenant, as `Authorization: Bearer tnt_live_v1_…`."))
        .build();
    components.security_schemes.insert(API_KEY.to_owned(), RefOr::T(SecurityScheme::Http(scheme)));
    for (path, item) in &mut document.paths.paths {
        let methods = [
            (&mut item.get, "get"),
            (&mut item.post, "post"),
            (&mut item.patch, "patch"),
            (&mut item.delete, "delete"),
        ];
        for (operation, method) in methods {
            if let Some(operation) = operation {
                complete_operation(operation, path, method);
            }
        }
    }
}

fn complete_operation(operation: &mut Operation, path: &str, method: &str) {
    let name = operation.operation_id.take().unwrap_or_default();
    let tag = operation
        .tags
        .as_ref()
        .and_then(|tags| tags.first())
        .map(|tag| tag.to_lowercase().replace(' ', "_"))
        .unwrap_or_default();
    operation.operation_id = Some(format!("{tag}_{name}"));
    let is_api = path.starts_with("/api/");
    let (reads, has_body) = (method == "get", operation.request_body.is_some());
    let has_id = path.contains('{') && is_api;
    let one = reads && is_api && !has_list(operation);
    let guarded = matches!(method, "patch" | "delete");
    if one {
        header_parameter(
            operation,
            "If-None-Match",
            "The ETag of the answer you have, such as `\"3\"`; 304 when nothing has changed.",
        );
    }
    if guarded {
        header_parameter(
            operation,
            "If-Match",
            "The ETag of what you mean to change, such as `\"3\"`; 412 when it has changed since.",
        );
    }
    if is_api {
        operation.security = Some(vec![SecurityRequirement::new(API_KEY, Vec::<String>::new())]);
    }
    let conflicts = matches!(
        (path, method),
        ("/api/brands", "post") | ("/api/brands/{brandId}", _) | ("/api/api-keys/{apiKeyId}/rotate", _)
    ) && !reads;
    let failures = [
        (400, is_api, "The request could not be read."),
        (401, is_api, "No credential, or none that holds."),
        (403, is_api && path != "/api/me", "The credential is good and does not allow this."),
        (404, has_id || path == "/docs/{file}", "There is no such thing, or none that the caller may see."),
        (408, has_body, "The body took too long to arrive."),
        (409, conflicts, "The request and the present state of things do not go together."),
        (412, guarded, "It has changed since the ETag in If-Match."),
        (413, has_body, "The body is too large."),
        (415, has_body, "The body is not JSON in UTF-8."),
        (422, has_body || is_api && reads && !one, "Values were refused: all of them are named."),
        (500, is_api, "A fault of the service."),
        (503, is_api || path == "/readyz", "The service cannot answer at the moment; try again after `Retry-After`."),
    ];
    let responses = &mut operation.responses.responses;
    if one {
        responses
            .insert("304".to_owned(), RefOr::T(ResponseBuilder::new().description("You have it already.").build()));
    }
    for (status, response) in responses.iter_mut() {
        if let RefOr::T(response) = response {
            success_headers(response, status, one || method != "get");
        }
    }
    for (status, _, description) in failures.into_iter().filter(|(_, applies, _)| *applies) {
        responses.insert(status.to_string(), RefOr::T(failure(status, description, path)));
    }
}

fn has_list(operation: &Operation) -> bool {
    operation
        .parameters
        .iter()
        .flatten()
        .any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.name == "cursor"))
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
    response.headers.insert("X-Request-Id".to_owned(), text("The request in the service's logs.").into());
    if tagged && status != "204" && response.content.keys().all(|kind| kind == "application/json") {
        response.headers.insert("ETag".to_owned(), text("A strong entity tag, for If-Match and If-None-Match.").into());
    }
    if status == "201" {
        response.headers.insert("Location".to_owned(), text("The path of what was created.").into());
    }
}

fn failure(status: u16, description: &str, path: &str) -> Response {
    let content =
        ContentBuilder::new().schema(Some(Ref::from_schema_name("Error"))).example(Some(example(status, path))).build();
    ResponseBuilder::new().description(description).content(PROBLEM_JSON, content).build()
}

/// An example that reads like the answer it stands for.
fn example(status: u16, path: &str) -> Value {
    let noun = if path.contains("brand") {
        "Brand"
    } else if path.contains("api-key") {
        "API key"
    } else {
        "Workspace"
    };
    let (title, code, error) = match status {
        400 => (
            "Bad Request",
            "malformed_json",
            "The body is not JSON: EOF while parsing a string at line 1 column 9.".to_owned(),
        ),
        401 => (
            "Unauthorized",
            "invalid_credentials",
            "The API key is not valid: it may be mistyped, revoked or expired.".to_owned(),
        ),
        403 => (
            "Forbidden",
            "insufficient_scope",
            "This needs the scope workspaces:write, which the API key does not have.".to_owned(),
        ),
        404 => ("Not Found", "not_found", format!("{noun} not found")),
        408 => ("Request Timeout", "body_too_slow", "The body did not arrive within 10 seconds.".to_owned()),
        409 => ("Conflict", "slug_taken", "Another brand of the tenant has the slug \"acme\".".to_owned()),
        412 => (
            "Precondition Failed",
            "precondition_failed",
            "It has changed since you read it: read it again, and send the new ETag in If-Match.".to_owned(),
        ),
        413 => ("Payload Too Large", "body_too_large", "The body must be at most 524288 bytes.".to_owned()),
        415 => (
            "Unsupported Media Type",
            "unsupported_media_type",
            "Send the body as Content-Type: application/json, in UTF-8.".to_owned(),
        ),
        422 => ("Unprocessable Entity", "invalid_fields", "name is required.".to_owned()),
        500 => ("Internal Server Error", "internal", "Something went wrong on our side.".to_owned()),
        _ => (
            "Service Unavailable",
            "unavailable",
            "The service cannot answer at the moment; please try again.".to_owned(),
        ),
    };
    let mut example = json!({
        "error": error, "type": "about:blank", "title": title, "status": status, "detail": error, "code": code,
        "requestId": "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48",
    });
    if status == 422 {
        example["fields"] = json!([{ "field": "name", "code": "required", "message": "is required" }]);
    }
    example
}
