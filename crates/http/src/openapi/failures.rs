//! What may go wrong with an operation: each status with an example that reads like the answer it stands for.

use serde_json::{Value, json};
use utoipa::openapi::{
    Header, HeaderBuilder, ObjectBuilder, Ref, Response, ResponseBuilder, content::ContentBuilder, schema::Type,
};

use super::{is_of_the_dialect, is_of_the_platform};
use crate::{callfluent::FIXED, error::PROBLEM_JSON};

/// An operation in so far as its failures depend on it.
#[derive(Clone, Copy)]
pub(super) struct Failing<'a> {
    pub(super) path: &'a str,
    pub(super) method: &'a str,
    pub(super) has_body: bool,
    pub(super) is_list: bool,
    pub(super) has_query: bool,
}

/// Title, code and sentence.
type Story = (&'static str, &'static str, String);

impl<'a> Failing<'a> {
    /// Every status that is not a success, with its response.
    pub(super) fn responses(self) -> impl Iterator<Item = (u16, Response)> + use<'a> {
        let Self { path, method, has_body, has_query, .. } = self;
        let is_api = path.starts_with("/api/");
        let (reads, guarded) = (method == "get", takes_if_match(path, method));
        let asks_a_provider = reads && (path.contains("/calendars") || path.ends_with("/voices"));
        let has_id = path.contains('{') && is_api;
        let conflicts = match path {
            "/api/brands" | "/api/brands/{brandId}" | "/api/api-keys/{apiKeyId}/rotate" => !reads,
            "/api/workspaces" | "/api/workspaces/{workspaceId}/restore" => !reads,
            "/api/invitations" | "/api/invitations/{invitationId}" | "/api/invitations/{invitationId}/resend" => !reads,
            "/api/invitations/accept" | "/api/tenant/transfer-ownership" | "/api/members/{memberId}" => !reads,
            "/api/workspaces/{workspaceId}/members/{memberId}" => method == "put",
            "/api/workspaces/{workspaceId}/agents" | "/api/workspaces/{workspaceId}/usage" => !reads,
            "/api/workspaces/{workspaceId}/agents/{agentId}" => method == "patch",
            "/api/workspaces/{workspaceId}/integrations/{provider}/verify" => true,
            "/api/workspace/invite-user" => true,
            _ if asks_a_provider => true,
            path => path.ends_with("/suspend") || path.ends_with("/reactivate"),
        };
        [
            (400, is_api, "The request could not be read."),
            (401, is_api, "No credential, or none that holds."),
            (403, is_api, "The credential is good and does not allow this."),
            (
                404,
                has_id || matches!(path, "/docs/{file}" | "/api/invitations/accept" | "/api/workspace/invite-user"),
                self.absence(),
            ),
            (408, has_body, "The body took too long to arrive."),
            (409, conflicts, "The request and the present state of things do not go together."),
            (412, guarded, "It has changed since the `ETag` in `If-Match`."),
            (413, has_body, "The body is too large."),
            (415, has_body, "The body is not JSON in UTF-8."),
            (422, has_body || has_query, "Values were refused: all of them are named."),
            (500, is_api, "A fault of the service."),
            (502, asks_a_provider, "A provider refuses what is stored for the workspace, or does not answer; with `Retry-After` where it is known."),
            (503, is_api || path == "/readyz", "The service cannot answer now: see `Retry-After`."),
        ]
        .into_iter()
        .filter(|(_, applies, _)| *applies)
        .map(move |(status, _, description)| (status, self.response(status, description)))
    }

    fn absence(self) -> &'static str {
        match self.noun() {
            _ if !self.path.starts_with("/api/") => "There is no such file.",
            _ if is_of_the_dialect(self.path) => "No workspace has the number, or the caller may not see it.",
            "Brand" => "No brand exists with the given ID in the authenticated tenant, or the caller may not see it.",
            "Tenant" => "No tenant exists with the given ID.",
            "API key" => "No API key exists with the given ID in the authenticated tenant.",
            "Invitation" if self.path.ends_with("/accept") => "No invitation was sent with this token.",
            "Invitation" => "No invitation exists with the given ID in the authenticated tenant.",
            "Integration" => {
                "No such workspace or provider, or no connection to it, exists in the authenticated tenant, or the caller may not see it."
            }
            "Member" if self.path.starts_with("/api/workspaces/") => {
                "No such workspace, or no such member in it, exists in the authenticated tenant, or the caller may not see it."
            }
            "Agent" if self.path.ends_with("/{agentId}") => {
                "No such workspace, or no such agent in it, exists in the authenticated tenant, or the caller may not see it."
            }
            "Member" => "No member exists with the given ID in the authenticated tenant, or the caller may not see it.",
            _ => "No workspace exists with the given ID in the authenticated tenant, or the caller may not see it.",
        }
    }

    fn response(self, status: u16, description: &str) -> Response {
        let (kind, schema, example) = if is_of_the_dialect(self.path) {
            ("application/json", "CallFluentError", self.dialect_example(status))
        } else {
            (PROBLEM_JSON, "Error", self.example(status))
        };
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).example(Some(example)).build();
        let response = ResponseBuilder::new().description(description).content(kind, content);
        let response = response.header("X-Request-Id", header(super::REQUEST_ID));
        match status {
            401 | 403 => response.header("WWW-Authenticate", header("What is missing, as RFC 6750 says it.")),
            503 => response.header("Retry-After", header("After how many seconds to try again.")),
            _ => response,
        }
        .build()
    }

    /// As the page has it.
    fn dialect_example(self, status: u16) -> Value {
        let error = match status {
            403 => return json!({ "status": false, "msg": FIXED.forbidden }),
            400 if self.path.ends_with("/create") => {
                return json!({ "status": false, "error": FIXED.limit, "message": FIXED.limit_advice });
            }
            400 if self.has_body => malformed(self).2,
            400 => "The request could not be read.".to_owned(),
            404 => FIXED.not_found.to_owned(),
            409 if self.path.ends_with("/invite-user") => "This invitation has been accepted already.".to_owned(),
            409 => "The stored secret for ElevenLabs cannot be opened any more: set it again.".to_owned(),
            422 if self.path.ends_with("/invite-user") => "workspace_id is required.".to_owned(),
            422 if self.path.ends_with("/create") => "name is required.".to_owned(),
            422 => "maxMins must be a number from 0 to 1000000, this is -1.".to_owned(),
            status => same_everywhere(status).2.to_owned(),
        };
        json!({ "status": false, "error": error })
    }

    fn example(self, status: u16) -> Value {
        let (title, code, error) = match status {
            400 => malformed(self),
            404 => self.missing(),
            409 => self.conflict(),
            422 => return refused(self),
            403 if is_of_the_platform(self.path) => {
                ("Forbidden", "forbidden", "This cannot be done with an API key.".to_owned())
            }
            403 if self.path == "/api/me" => {
                ("Forbidden", "forbidden", "The platform key manages tenants and does not see inside them.".to_owned())
            }
            403 => (
                "Forbidden",
                "insufficient_scope",
                format!("This needs the scope {}, which the API key does not have.", self.scope()),
            ),
            _ => {
                let (title, code, error) = same_everywhere(status);
                (title, code, error.to_owned())
            }
        };
        problem(status, title, code, &error)
    }
}

/// Whether the operation changes something that has versions.
pub(super) fn takes_if_match(path: &str, method: &str) -> bool {
    matches!(method, "patch" | "delete") && !is_of_the_dialect(path)
        || method == "put" && path.ends_with("/integrations/{provider}")
}

/// What does not depend on the failing.
fn same_everywhere(status: u16) -> (&'static str, &'static str, &'static str) {
    match status {
        401 => {
            ("Unauthorized", "invalid_credentials", "The API key is not valid: it may be mistyped, revoked or expired.")
        }
        408 => ("Request Timeout", "body_too_slow", "The body did not arrive within 10 seconds."),
        412 => (
            "Precondition Failed",
            "precondition_failed",
            "It has changed since you read it: read it again, and send the new ETag in If-Match.",
        ),
        413 => ("Payload Too Large", "body_too_large", "The body must be at most 524288 bytes."),
        415 => (
            "Unsupported Media Type",
            "unsupported_media_type",
            "Send the body as Content-Type: application/json, in UTF-8.",
        ),
        502 => ("Bad Gateway", "provider_unavailable", "ElevenLabs does not answer at the moment; please try again."),
        500 => ("Internal Server Error", "internal", "Something went wrong on our side."),
        _ => ("Service Unavailable", "unavailable", "The service cannot answer at the moment; please try again."),
    }
}

fn header(description: &str) -> Header {
    HeaderBuilder::new()
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

fn problem(status: u16, title: &str, code: &str, error: &str) -> Value {
    json!({
        "error": error, "type": "about:blank", "title": title, "status": status, "detail": error, "code": code,
        "requestId": "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48",
    })
}

fn malformed(failing: Failing<'_>) -> Story {
    let tag = |header| format!("The header {header} must be * or entity tags in double quotes, such as \"3\".");
    let (code, error) = if failing.has_body {
        ("malformed_json", "The body is not JSON: EOF while parsing a string at line 1 column 12.".to_owned())
    } else if failing.is_list {
        (
            "bad_cursor",
            "This cursor belongs to another list, filter or sort order. Start again from the first page.".to_owned(),
        )
    } else {
        ("bad_entity_tag", tag(if failing.method == "get" { "if-none-match" } else { "if-match" }))
    };
    ("Bad Request", code, error)
}

fn refused(failing: Failing<'_>) -> Value {
    let (field, code, message) = match failing.noun() {
        _ if failing.is_list => ("limit", "out_of_range", "must be a whole number from 1 to 100"),
        "Brand" => {
            ("primaryColor", "not_a_hex_color", "must be a colour of # and six hexadecimal digits, such as \"#0055AA\"")
        }
        "Tenant" if is_of_the_platform(failing.path) => {
            ("maxWorkspaces", "out_of_range", "must be a number from 0 to 1000000, this is -1")
        }
        "Tenant" => (
            "defaultCountry",
            "unknown_country",
            "must be an ISO 3166-1 alpha-2 country code such as \"DE\", not \"UK\": use \"GB\"",
        ),
        "API key" if failing.path.ends_with("/rotate") => {
            ("overlapSeconds", "out_of_range", "must be 0 to 604800 seconds, this is -1")
        }
        "API key" => ("scopes", "empty", "must name at least one scope"),
        "Member" if failing.path.ends_with("/transfer-ownership") => {
            ("memberId", "not_found", "is not the id of a member")
        }
        "Member" => ("role", "not_a_choice", "must be one of owner, admin, billing, agent, observer"),
        "Integration" => ("apiKey", "surrounding_space", "begins or ends with white space: send it without"),
        "Invitation" if failing.path.ends_with("/accept") => ("token", "required", "is required"),
        "Invitation" if failing.path.ends_with("/resend") => {
            ("expiresInDays", "out_of_range", "must be 1 to 30 days, this is 31")
        }
        "Invitation" if failing.path.ends_with("/batch") => ("emails", "empty", "must name at least one address"),
        "Agent" => ("name", "required", "is required"),
        "Limits" => ("maxAgents", "out_of_range", "must be a number from 0 to 1000000, this is -1"),
        "Usage" if failing.path.ends_with("/check") => {
            ("seconds", "out_of_range", "must be a whole number from 0 to 86400")
        }
        "Usage" if failing.has_query => ("from", "not_a_month", "must be a month such as 2026-11, not before 1970"),
        "Usage" => ("seconds", "out_of_range", "must be a number of seconds from 0 to 86400, this is -1"),
        "Invitation" => (
            "email",
            "not_an_email_address",
            "must be one e-mail address such as \"ada@example.com\": it contains white space or a control character",
        ),
        _ => ("country", "wrong_case", "must be an ISO 3166-1 alpha-2 country code in upper case: use \"SE\""),
    };
    let mut example = problem(422, "Unprocessable Entity", "invalid_fields", &format!("{field} {message}."));
    if let Some(example) = example.as_object_mut() {
        example.insert("fields".to_owned(), json!([{ "field": field, "code": code, "message": message }]));
    }
    example
}

impl Failing<'_> {
    fn noun(self) -> &'static str {
        match self.path {
            path if path.starts_with("/api/brands") => "Brand",
            path if path.starts_with("/api/api-keys") => "API key",
            path if path.starts_with("/api/invitations") => "Invitation",
            path if path.contains("/integrations") => "Integration",
            path if path.starts_with("/api/members") || path.contains("/members") => "Member",
            path if path.contains("/agents") => "Agent",
            path if path.ends_with("/limits") => "Limits",
            path if path.contains("/usage") => "Usage",
            path if path.starts_with("/api/audit-events") => "Audit",
            "/api/tenant/transfer-ownership" => "Member",
            path if path.starts_with("/api/tenant") || is_of_the_platform(path) => "Tenant",
            _ => "Workspace",
        }
    }

    /// As the policy has it: reading and writing are scopes of their own.
    fn scope(self) -> String {
        let noun = match self.noun() {
            "Brand" => "brands",
            "API key" => "keys",
            "Invitation" | "Member" => "members",
            "Integration" => "integrations",
            "Audit" => "audit",
            "Usage" => "usage",
            "Tenant" => "tenant",
            _ => "workspaces",
        };
        format!("{noun}:{}", if self.method == "get" { "read" } else { "write" })
    }

    fn missing(self) -> Story {
        if self.path.starts_with("/api/") {
            let noun = match self.noun() {
                // What is not there is the workspace.
                "Usage" | "Limits" => "Workspace",
                "Agent" if self.path.ends_with("/agents") => "Workspace",
                noun => noun,
            };
            ("Not Found", "not_found", format!("{noun} not found"))
        } else {
            ("Not Found", "no_such_route", "The documentation has no such part; see /docs.".to_owned())
        }
    }

    fn conflict(self) -> Story {
        let (code, error) = match (self.noun(), self.method) {
            _ if self.path.ends_with("/calendars") => {
                ("not_connected", "The workspace is not connected to HighLevel: store an access token and a location.")
            }
            _ if self.path.ends_with("/voices") => {
                ("secret_unreadable", "The stored secret for ElevenLabs cannot be opened any more: set it again.")
            }
            _ if is_of_the_platform(self.path) => ("tenant_deleted", "The tenant is deleted: restore it first."),
            ("API key", _) => ("api_key_ended", "The API key has ended: create a new one instead."),
            ("Brand", "delete") => (
                "brand_has_workspaces",
                "The brand still has workspaces: move or delete them first. A deleted workspace counts until it is erased.",
            ),
            ("Brand", _) => ("slug_taken", "Another brand of the tenant has the slug \"acme-consumer\"."),
            ("Invitation", "post") if self.path == "/api/invitations" => (
                "already_invited",
                "ada@example.com is invited already: send that invitation again, or revoke it first.",
            ),
            ("Invitation", _) => ("invitation_accepted", "This invitation has been accepted already."),
            ("Agent", "post") => ("limit_reached", "The limit of 5 agents in the workspace is reached: there are 5."),
            ("Agent", _) => {
                ("reference_taken", "Another agent of the workspace has the external reference \"agent-4711\".")
            }
            ("Usage", _) => (
                "limit_reached",
                "The limit of 600 minutes a month is reached: 36000 seconds of 2026-03 are used, and 95 more go beyond it.",
            ),
            ("Integration", _) => ("integration_incomplete", "The integration with OpenAI lacks apiKey: set it first."),
            ("Member", "put") => (
                "limit_reached",
                "The limit of 5 members in the workspace, with those who are invited, is reached: there are 5.",
            ),
            ("Member", "post") => ("member_suspended", "A suspended member cannot own the tenant."),
            ("Member", _) => (
                "last_owner",
                "A tenant always keeps an active owner: make somebody else an owner first, or transfer the ownership.",
            ),
            _ => ("limit_reached", "The limit of 25 workspaces is reached: there are 25."),
        };
        ("Conflict", code, error.to_owned())
    }
}
