//! `If-None-Match` on what is read, `If-Match` on what is written (RFC 9110, section 13.1).

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    http::header::{self, HeaderName},
};
use serde::Serialize;
use tenantry_domain::{Error, Precondition};
use utoipa::{
    IntoParams,
    openapi::{
        ObjectBuilder, Required,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::Type,
    },
};

use crate::{
    answer,
    error::Failure,
    etag::{Etag, Listed},
    schema,
};

/// What the caller has already.
pub(crate) struct IfNoneMatch(Option<Listed>);

impl IfNoneMatch {
    /// What this request says.
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, Failure> {
        listed(request, &header::IF_NONE_MATCH).map(Self)
    }

    /// Whether the caller has what this tag is of.
    pub(crate) fn names(&self, etag: &Etag) -> bool {
        self.0.as_ref().is_some_and(|listed| listed.names(etag))
    }

    /// The view of a thing in this version, or 304 when the caller has it.
    pub(crate) fn answer(&self, version: i64, view: &impl Serialize) -> HttpResponse {
        let etag = Etag::of_version(version);
        self.not_modified(&etag).unwrap_or_else(|| answer::tagged(HttpResponse::Ok(), version, view))
    }

    /// A view that is put together from several things, or 304 when the caller has it.
    pub(crate) fn answer_hashed(&self, view: &impl Serialize) -> Result<HttpResponse, Failure> {
        Ok(self.answer_body(answer::hashed_body(view)?))
    }

    /// The view of a thing in this version and of what belongs to it, or 304 when the caller has it.
    pub(crate) fn answer_composed(&self, version: i64, view: &impl Serialize) -> Result<HttpResponse, Failure> {
        Ok(self.answer_body(answer::composed_body(version, view)?))
    }

    fn answer_body(&self, (body, etag): (Vec<u8>, Etag)) -> HttpResponse {
        self.not_modified(&etag).unwrap_or_else(|| {
            let mut response = HttpResponse::Ok();
            answer::mark(&mut response, &etag);
            response.content_type("application/json").body(body)
        })
    }

    fn not_modified(&self, etag: &Etag) -> Option<HttpResponse> {
        self.names(etag).then(|| {
            let mut response = HttpResponse::NotModified();
            answer::mark(&mut response, etag);
            response.finish()
        })
    }
}

impl FromRequest for IfNoneMatch {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

/// In which state the caller last saw what it is about to change.
pub(crate) struct IfMatch(pub(crate) Precondition);

impl FromRequest for IfMatch {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(listed(request, &header::IF_MATCH).map(|listed| Self(precondition(listed))))
    }
}

fn precondition(if_match: Option<Listed>) -> Precondition {
    match if_match {
        None => Precondition::None,
        Some(Listed::Any) => Precondition::Exists,
        Some(Listed::Tags(tags)) => Precondition::VersionIn(tags.iter().filter_map(|tag| tag.version()).collect()),
    }
}

/// What must be there before something is created or changed at its path: `If-Match` as for a change, or `If-None-Match: *` that
/// nothing is there.
pub(crate) struct PutCondition(pub(crate) Precondition);

impl PutCondition {
    fn of(request: &HttpRequest) -> Result<Self, Failure> {
        let if_match = listed(request, &header::IF_MATCH)?;
        match (if_match, listed(request, &header::IF_NONE_MATCH)?) {
            (if_match, None) => Ok(Self(precondition(if_match))),
            (None, Some(Listed::Any)) => Ok(Self(Precondition::Absent)),
            _ => {
                let message = "If-None-Match can only be * here, and cannot be sent together with If-Match.".to_owned();
                Err(Error::Unreadable { code: "bad_entity_tag", message }.into())
            }
        }
    }
}

impl FromRequest for PutCondition {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl IntoParams for PutCondition {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = "`*` creates the object only if it is not there yet. You get a `412` if it is.";
        let schema = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^\\*$"));
        let absent = ParameterBuilder::new().name(CREATES).parameter_in(ParameterIn::Header).required(Required::False);
        let absent = schema::shared(absent.description(Some(text)).schema(Some(schema)).build(), "IfNoneMatchAny");
        let mut parameters = IfMatch::into_params(place);
        parameters.push(absent);
        parameters
    }
}

/// The header that asks for something new, in the words of the document.
const CREATES: &str = "If-None-Match";

impl IntoParams for IfNoneMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = "The `ETag` of the copy you have, such as `\"3\"`. You get a `304` if nothing has changed.";
        vec![header_parameter("If-None-Match", text)]
    }
}

impl IntoParams for IfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = "The `ETag` of the object you want to change, such as `\"3\"`. You get a `412` if the object has changed since.";
        vec![header_parameter("If-Match", text)]
    }
}

/// `*`, or one or more entity tags in a list that may have empty elements.
const TAGS: &str = r#"^(\*|[ ,]*(W/)?"[!#-~]*"( *,[ ,]*(W/)?"[!#-~]*")*[ ,]*)$"#;

fn header_parameter(name: &str, text: &str) -> Parameter {
    let text_schema = ObjectBuilder::new().schema_type(Type::String).pattern(Some(TAGS));
    let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header).required(Required::False);
    schema::shared(parameter.description(Some(text)).schema(Some(text_schema)).build(), &name.replace('-', ""))
}

fn listed(request: &HttpRequest, name: &HeaderName) -> Result<Option<Listed>, Failure> {
    let mut values = Vec::new();
    for value in request.headers().get_all(name) {
        values.push(value.to_str().unwrap_or("\u{fffd}"));
    }
    if values.is_empty() {
        return Ok(None);
    }
    Listed::parse(&values.join(", ")).map(Some).ok_or_else(|| bad_entity_tag(name))
}

/// The header is no list of entity tags.
pub(crate) fn bad_entity_tag(name: &HeaderName) -> Failure {
    let message = format!("The header {name} must be * or entity tags in double quotes, such as \"3\".");
    Error::Unreadable { code: "bad_entity_tag", message }.into()
}
