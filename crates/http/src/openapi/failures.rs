//! What may go wrong with an operation: responses that all operations share, each with an example that is made the way the
//! service makes the answer it stands for.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use actix_web::{
    ResponseError,
    http::{Method, StatusCode, header},
};
use chrono::{DateTime, TimeDelta};
use serde_json::Value;
use tenantry_domain::{Action, Cap, Choice, Conflict, CountryCode, Error, MailLimit, Noun, Scope, Unauthenticated};
use tenantry_operations::providers::too_many_verifications;
use utoipa::{
    ToSchema,
    openapi::{
        Components, Ref, RefOr, Response, ResponseBuilder,
        content::ContentBuilder,
        example::{Example, ExampleBuilder},
    },
};

use super::{access, components};
use crate::{
    callfluent,
    error::{ErrorCode, Failure, PROBLEM_JSON},
    extract::{self, camel_case},
    fallback, front, host, idempotency, middleware, page,
    rate::{Exceeded, Policy},
    schema,
};

/// In which words failures are told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Native,
    CallFluent,
}

impl Dialect {
    fn prefix(self) -> &'static str {
        match self {
            Self::Native => "",
            Self::CallFluent => "CallFluent",
        }
    }

    fn body(self) -> (&'static str, &'static str) {
        match self {
            Self::Native => (PROBLEM_JSON, "Problem"),
            Self::CallFluent => ("application/json", "CallFluentError"),
        }
    }

    fn example(self, failure: Failure) -> Value {
        match self {
            Self::Native => {
                let mut problem = serde_json::to_value(failure.problem()).unwrap_or_default();
                problem["requestId"] = "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48".into();
                problem
            }
            Self::CallFluent => callfluent::example(failure),
        }
    }
}

/// What an operation can be refused for, besides what everything can.
pub(super) struct Refusals<'a> {
    pub(super) dialect: Dialect,
    /// What it asks the policy; `None` for what needs no credential.
    pub(super) action: Option<Action>,
    pub(super) conflicts: &'a [Conflict],
    /// Of what it may find nothing.
    pub(super) names: Option<Noun>,
    pub(super) takes_body: bool,
    pub(super) takes_if_match: bool,
    pub(super) takes_key: bool,
    /// Statuses that the handler says itself.
    pub(super) declared: Vec<StatusCode>,
}

impl Refusals<'_> {
    /// The responses by status, which are put into the components.
    pub(super) fn responses(self, components: &mut Components) -> Vec<(String, RefOr<Response>)> {
        let Self { dialect, action, conflicts, names, takes_body, takes_if_match, takes_key, declared } = self;
        let mut kinds = Vec::new();
        if let Some(action) = action {
            let forbidden = if access::needs_a_scope(action) { Kind::Forbidden } else { Kind::ForbiddenForRole };
            let unauthorized =
                if access::is_for_people(action) { Kind::UnauthorizedPerson } else { Kind::Unauthorized };
            kinds.extend([Kind::BadRequest, unauthorized, forbidden, Kind::TooManyRequests]);
            // An unknown parameter is one, too.
            let invalid = if takes_key { Kind::InvalidFieldsOrKey } else { Kind::InvalidFields };
            let writes = !action.rule().subjects.is_empty() && !action.goes_on_frozen();
            let unavailable = if writes { Kind::UnavailableOrFrozen } else { Kind::Unavailable };
            kinds.extend([invalid, Kind::Internal, unavailable]);
        } else if takes_body {
            // Of anybody who has the token of an invitation.
            kinds.extend([
                Kind::BadRequest,
                Kind::TooManyRequests,
                Kind::InvalidFields,
                Kind::Internal,
                // Who accepts an invitation writes; who only looks at it meets no conflict.
                if conflicts.is_empty() { Kind::Unavailable } else { Kind::UnavailableOrFrozen },
            ]);
        } else {
            kinds.push(Kind::BadHeader);
        }
        if takes_body {
            kinds.extend([Kind::BodyTooSlow, Kind::BodyTooLarge, Kind::NotJson]);
        }
        if takes_if_match {
            kinds.push(Kind::PreconditionFailed);
        }
        if matches!(action, Some(Action::InvitationCreate | Action::InvitationResend | Action::TenantCreate)) {
            kinds.push(Kind::TooManyEmails);
        }
        if action == Some(Action::IntegrationVerify) {
            kinds.push(Kind::TooManyVerifications);
        }
        kinds.extend(names.map(Kind::NotFound));
        for status in declared {
            match status {
                StatusCode::NOT_FOUND => kinds.push(
                    action
                        .and_then(|action| action.rule().subjects.first().copied())
                        .or(takes_body.then_some(Noun::Invitation))
                        .map_or(Kind::NoSuchRoute, Kind::NotFound),
                ),
                StatusCode::UNAUTHORIZED => kinds.push(Kind::UnauthorizedService),
                StatusCode::BAD_GATEWAY => kinds.push(Kind::ProviderFailed),
                StatusCode::SERVICE_UNAVAILABLE => kinds.push(Kind::Unavailable),
                _ => {}
            }
        }
        let mut responses: Vec<_> = kinds.into_iter().map(|kind| kind.in_components(dialect, components)).collect();
        if !conflicts.is_empty() {
            responses.push(("409".to_owned(), conflict(dialect, conflicts, components)));
        }
        responses
    }
}

/// A failure that many operations share.
#[derive(Clone, Copy)]
enum Kind {
    BadRequest,
    BadHeader,
    Unauthorized,
    UnauthorizedPerson,
    UnauthorizedService,
    Forbidden,
    ForbiddenForRole,
    NotFound(Noun),
    NoSuchRoute,
    BodyTooSlow,
    PreconditionFailed,
    BodyTooLarge,
    NotJson,
    InvalidFields,
    TooManyRequests,
    TooManyEmails,
    TooManyVerifications,
    InvalidFieldsOrKey,
    Internal,
    ProviderFailed,
    Unavailable,
    UnavailableOrFrozen,
}

impl Kind {
    /// Its name in the components, what it means, and failures as the service makes them.
    fn described(self) -> (Cow<'static, str>, Cow<'static, str>, Vec<Failure>) {
        let all = |errors: Vec<Error>| errors.into_iter().map(Failure::from).collect();
        let (name, text, failures): (&str, &str, Vec<Failure>) = match self {
            Self::BadRequest => (
                "BadRequest",
                "The request could not be read.",
                vec![
                    extract::read_json::<Value>(b"{\"name\": \"Nordics").err().unwrap_or_else(extract::not_json),
                    extract::not_an_object(),
                    extract::too_complex("has more than 1000 values"),
                    extract::duplicate_field("name"),
                    extract::unreadable_body(),
                    extract::unreadable_query("The query must be UTF-8, percent-encoded."),
                    extract::duplicate_parameter("limit"),
                    extract::bad_cursor(),
                    extract::bad_entity_tag(&header::IF_MATCH),
                    extract::several_credentials(),
                    host::bad_host(),
                    idempotency::bad_key(),
                ],
            ),
            Self::BadHeader => (
                "BadHeader",
                "A header of the request could not be read.",
                vec![host::bad_host(), extract::bad_entity_tag(&header::IF_NONE_MATCH)],
            ),
            Self::Unauthorized => {
                use Unauthenticated::{Invalid, Missing, Suspended, TokenTooLong};
                let errors = [Missing, Invalid, TokenTooLong, Suspended].map(Error::Unauthenticated).into();
                ("Unauthorized", "The credential is missing or not valid.", all(errors))
            }
            Self::UnauthorizedPerson => {
                use Unauthenticated::{Missing, NotAPerson, Token, TokenTooLong};
                let errors = [Missing, Token, TokenTooLong, NotAPerson].map(Error::Unauthenticated).into();
                ("UnauthorizedPerson", "The access token is missing or not valid.", all(errors))
            }
            Self::UnauthorizedService => {
                use Unauthenticated::{Invalid, Missing, NotAService};
                let errors = [Missing, Invalid, NotAService].map(Error::Unauthenticated).into();
                ("UnauthorizedService", "The service key is missing or not valid.", all(errors))
            }
            Self::Forbidden => (
                "Forbidden",
                "The credential is valid but does not allow this.",
                all(vec![Error::missing_scope(Scope::WorkspacesWrite), access::refused_role()]),
            ),
            Self::ForbiddenForRole => (
                "ForbiddenForRole",
                "The credential is valid but does not allow this.",
                all(vec![access::refused_role()]),
            ),
            Self::NotFound(noun) => {
                let name = camel_case(&format!("_{}_not_found", noun.as_str()));
                let text = format!("Your tenant has no such {}, or you may not see it.", noun.lower_case());
                return (name.into(), text.into(), all(vec![Error::NotFound(noun)]));
            }
            Self::NoSuchRoute => ("NoSuchRoute", "There is nothing at this path.", vec![page::no_such_file()]),
            Self::BodyTooSlow => ("BodyTooSlow", "The body took too long to arrive.", vec![extract::too_slow()]),
            Self::PreconditionFailed => (
                "PreconditionFailed",
                "The object has changed since the `ETag` in `If-Match`.",
                all(vec![Error::PreconditionFailed]),
            ),
            Self::BodyTooLarge => ("BodyTooLarge", "The body is too large.", vec![extract::too_large()]),
            Self::NotJson => (
                "UnsupportedMediaType",
                "The body is not JSON in UTF-8.",
                vec![extract::not_json(), extract::encoded()],
            ),
            Self::InvalidFields => {
                let text = "Some fields or parameters are not valid. All of them are listed.";
                ("InvalidFields", text, all(vec![invalid_field()]))
            }
            Self::InvalidFieldsOrKey => {
                let text = "Some fields or parameters are not valid, and all of them are listed. Or the `Idempotency-Key` belongs to another request.";
                ("InvalidFieldsOrKey", text, all(vec![invalid_field(), Error::KeyReused]))
            }
            Self::TooManyEmails => (
                "TooManyEmails",
                "The limits on emails or requests leave no room now. Try again after `Retry-After` seconds.",
                all([(MailLimit::Interval, 42), (MailLimit::Tenant(Cap::of(50)), 6 * 60 * 60)]
                    .map(|(limit, seconds)| {
                        let now = DateTime::UNIX_EPOCH;
                        limit.refusal(Some(now + TimeDelta::seconds(seconds)), now)
                    })
                    .into())
                .into_iter()
                .chain([too_many_requests()])
                .collect(),
            ),
            Self::TooManyRequests => (
                "TooManyRequests",
                "Too many requests. Try again after `Retry-After` seconds.",
                vec![too_many_requests()],
            ),
            Self::TooManyVerifications => (
                "TooManyVerifications",
                "Too many requests or verifications just now. Try again after `Retry-After` seconds.",
                vec![Failure::from(too_many_verifications()), too_many_requests()],
            ),
            Self::Internal => ("InternalError", "The service failed.", all(vec![Error::internal("")])),
            Self::ProviderFailed => (
                "ProviderFailed",
                "A provider rejected the stored credential or did not respond.",
                all(vec![
                    upstream("provider_unavailable", "ElevenLabs is not responding. Try again later."),
                    upstream(
                        "provider_refused",
                        "ElevenLabs rejected the API key. It may be mistyped, revoked or missing a permission. Set a valid one.",
                    ),
                ]),
            ),
            Self::Unavailable => (
                "Unavailable",
                "The service cannot answer now. Try again after `Retry-After` seconds.",
                all(vec![Error::Unavailable { cause: String::new() }, Error::Overloaded]),
            ),
            Self::UnavailableOrFrozen => (
                "UnavailableOrFrozen",
                "The service cannot answer now, or the tenant is being moved. Try again after `Retry-After` seconds.",
                all(vec![Error::Unavailable { cause: String::new() }, Error::Overloaded, Error::TenantFrozen]),
            ),
        };
        (name.into(), text.into(), failures)
    }

    /// Puts the response into the components, and returns its status with a reference to it.
    fn in_components(self, dialect: Dialect, components: &mut Components) -> (String, RefOr<Response>) {
        let (name, text, failures) = self.described();
        let name = format!("{}{name}", dialect.prefix());
        let status = failures.first().map_or(StatusCode::INTERNAL_SERVER_ERROR, ResponseError::status_code);
        let (media, schema) = dialect.body();
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema)));
        let content = match <[Failure; 1]>::try_from(failures) {
            Ok([failure]) => content.example(Some(dialect.example(failure))),
            Err(several) => content.examples_from_iter(several.into_iter().map(|failure| {
                let code = failure.code();
                (code, ExampleBuilder::new().value(Some(dialect.example(failure))))
            })),
        };
        let mut response = ResponseBuilder::new().description(text).content(media, content.build()).build();
        components::header(&mut response, "X-Request-Id");
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => components::header(&mut response, "WWW-Authenticate"),
            StatusCode::SERVICE_UNAVAILABLE => components::header(&mut response, "Retry-After"),
            StatusCode::TOO_MANY_REQUESTS => {
                for name in ["Retry-After", "RateLimit", "RateLimit-Policy"] {
                    components::header(&mut response, name);
                }
            }
            _ => {}
        }
        let reference = RefOr::Ref(Ref::from_response_name(name.clone()));
        components.responses.insert(name, response.into());
        (status.as_str().to_owned(), reference)
    }
}

/// Names the codes of all failures in the document, which is what `code` is known to be.
pub(super) fn name_codes(components: &mut Components) {
    let schema = schema::open("Why a request failed.", problems(components).into_keys());
    components.schemas.insert(ErrorCode::name().into_owned(), schema.into());
}

/// A problem of each code, as the service makes it, by the codes.
pub(super) fn problems(components: &Components) -> BTreeMap<String, Value> {
    // The answers of no operation: to what is no request, and to a path with another method.
    let of_none = middleware::no_requests().into_iter().chain([
        fallback::method_not_allowed(&Method::POST, "GET"),
        front::preflight_refused(
            "Pages of the origin \"https://app.example.com\" may not call this service.".to_owned(),
        ),
    ]);
    let mut problems: BTreeMap<_, _> =
        of_none.map(|failure| (failure.code().to_owned(), Dialect::Native.example(failure))).collect();
    collect(&serde_json::to_value(components).unwrap_or_default(), &mut problems);
    problems
}

/// All problems in here, by their codes.
fn collect(part: &Value, problems: &mut BTreeMap<String, Value>) {
    if let (Some(code), true) = (part["code"].as_str(), part.get("requestId").is_some()) {
        problems.entry(code.to_owned()).or_insert_with(|| part.clone());
    }
    match part {
        Value::Object(fields) => fields.values().for_each(|part| collect(part, problems)),
        Value::Array(parts) => parts.iter().for_each(|part| collect(part, problems)),
        _ => {}
    }
}

fn too_many_requests() -> Failure {
    Failure::Exceeded(Exceeded { policy: Policy::Credential, wait: Duration::from_secs(1) })
}

fn invalid_field() -> Error {
    let refused = "se".parse::<CountryCode>().err().map(|refusal| refusal.of("country"));
    Error::Invalid(refused.into_iter().collect())
}

fn upstream(code: &'static str, message: &str) -> Error {
    Error::Upstream { code, message: message.to_owned(), retry_after: None }
}

/// The conflicts of one operation, each with an example from the components.
fn conflict(dialect: Dialect, conflicts: &[Conflict], components: &mut Components) -> RefOr<Response> {
    let (media, schema) = dialect.body();
    let examples = conflicts.iter().map(|conflict| {
        let name = format!("{}{}", dialect.prefix(), conflict.word());
        let example = dialect.example(Error::conflict(*conflict, sentence(*conflict)).into());
        let reference: RefOr<Example> = RefOr::Ref(Ref::new(format!("#/components/examples/{name}")));
        components.examples.insert(name, ExampleBuilder::new().value(Some(example)).into());
        (conflict.word(), reference)
    });
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).examples_from_iter(examples);
    let text = "The request conflicts with the current state.";
    let mut response = ResponseBuilder::new().description(text).content(media, content.build()).build();
    components::header(&mut response, "X-Request-Id");
    response.into()
}

/// What the conflict may be told like.
fn sentence(conflict: Conflict) -> &'static str {
    match conflict {
        Conflict::LimitReached => "This workspace has reached its limit of 5 agents. It has 5.",
        Conflict::SlugTaken => "Another brand already has the slug \"acme-consumer\".",
        Conflict::ExternalIdTaken => "Another workspace already has the external ID \"crm-4711\".",
        Conflict::DefaultBrand => "The default brand cannot be deleted. Make another brand the default first.",
        Conflict::BrandHasWorkspaces => {
            "This brand still has workspaces. Move or delete them first. Deleted workspaces count until they are erased."
        }
        Conflict::AlreadyMember => "ada@example.com is already a member of this tenant.",
        Conflict::LastOwner => {
            "A tenant must always have an active owner. Make another member an owner first, or transfer the ownership."
        }
        Conflict::MemberSuspended => "A suspended member cannot become the owner of the tenant.",
        Conflict::AlreadyInvited => {
            "ada@example.com already has a pending invitation. Send it again, or revoke it first."
        }
        Conflict::InvitationAccepted => "This invitation has already been accepted.",
        Conflict::InvitationRevoked => "This invitation has been revoked.",
        Conflict::InvitationReplaced => "This link has been replaced by a newer one. Use the link in the latest email.",
        Conflict::InvitationExpired => "This invitation has expired. Ask for it to be sent again.",
        Conflict::ApiKeyEnded => "This API key is revoked or expired. Create a new one instead.",
        Conflict::ApiKeyRotated => {
            "This API key was already rotated. If you do not have the secret of the new key d1a2b3c4-5678-4abc-9ef0-1234567890ab, rotate that one."
        }
        Conflict::OwnApiKey => {
            "This is the API key you are using. Rotate it to replace it. To revoke it anyway, add ?revokeOwn=true."
        }
        Conflict::ReferenceTaken => {
            "Another agent in this workspace already has the external reference \"agent-4711\"."
        }
        Conflict::ReferenceConflict => {
            "The reference \"call-4711\" already belongs to another entry in this workspace: 60 seconds of usage at 2026-03-02T10:00:00Z. Use a new reference for each entry."
        }
        Conflict::RefundExceedsUsage => "Only 60 seconds were used in 2026-03, so 90 seconds cannot be refunded.",
        Conflict::NotConnected => {
            "This workspace is not connected to HighLevel. Set its access token and location id first."
        }
        Conflict::IntegrationIncomplete => "The integration with OpenAI is missing apiKey. Set it first.",
        Conflict::SecretUnreadable => "The stored secret for ElevenLabs can no longer be decrypted. Set it again.",
        Conflict::TenantDeleted => "This tenant is deleted. Restore it first.",
        Conflict::TenantNotEmpty => {
            "An import needs an empty tenant, but this one has workspaces. Create a new tenant for it."
        }
        Conflict::TenantExists => {
            "The tenant 0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48 is already in this database. Nothing was imported."
        }
        Conflict::TransferKeyMismatch => "This export is sealed under another transfer key.",
        Conflict::MessageSent => "This message has been sent. To send another one, send the invitation again.",
        Conflict::MessageDropped => "This message was dropped because it was no longer needed.",
        Conflict::RequestInProgress => {
            "A request with this Idempotency-Key is still in progress. Send it again in a few seconds."
        }
        Conflict::AnswerUnreadable => {
            "This request was already carried out, but its answer can no longer be decrypted. Read the object to see the result."
        }
        Conflict::WebhookDisabled => "This webhook is not enabled. Enable it first: send PATCH with \"enabled\": true.",
    }
}
