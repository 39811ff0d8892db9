//! What a service asks about a credential.

use std::borrow::Cow;

use serde::{Deserialize, de::value::MapAccessDeserializer};
use tenantry_domain::{Error, FieldRefusal, MAX_QUESTIONS, Question, Refusal, demo};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, Ref, RefOr, Schema, schema::Type},
};

use crate::{
    error::Failure,
    extract::{
        Entry, Nullable, OfForm, Optional, Read, Request, Required, Several, Verbatim, duplicate_field, request,
    },
    schema::Named,
};

request! {
    /// A credential that a service was shown, and what it wants to know about it.
    #[example({
        "token": "tnt_live_v1_2qPXNHqRM3jZy6kT0uWc4sVbXk81GdTq5RzLmN7oYpAeHfJ9wKx3C2Q0tZ9u",
        "questions": [
            { "permission": "conversations:read", "workspaceId": demo::WORKSPACE.to_string() },
            { "permission": "usage.record" },
        ],
    })]
    pub(crate) struct Introspect {
        /// The API key or the access token. It is neither logged nor stored.
        token: Required<Verbatim>,
        /// Ignored: the form of the credential says what it is (RFC 7662, section 2.1).
        token_type_hint as "token_type_hint": Optional<Verbatim>,
        /// What its holder wants to do.
        questions: Optional<Several<Asked, 0, MAX_QUESTIONS>>,
    }
}

request! {
    /// Whether the holder of the credential may do something. Without a permission: whether they may see the workspace.
    #[example({ "permission": "conversations:read", "workspaceId": demo::WORKSPACE.to_string() })]
    pub(crate) struct IntrospectionQuestion {
        /// An action of the policy, such as `usage.record`, or a declared permission, such as `conversations:read`.
        permission: Nullable<Verbatim>,
        /// In which workspace. An id that is malformed or unknown is answered with `not_found`.
        workspace_id: Nullable<Verbatim>,
    }
}

impl Introspect {
    /// The credential and the questions.
    pub(super) fn into_parts(self) -> (String, Vec<Asked>) {
        // It says nothing that the credential does not.
        drop(self.token_type_hint);
        (self.token.0, self.questions.map(|questions| questions.0).unwrap_or_default())
    }
}

/// A question, with what was written for the workspace: the answer repeats it.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(super) question: Question,
    pub(super) workspace_id: Option<String>,
}

impl Asked {
    fn new(permission: Option<String>, workspace_id: Option<String>) -> Result<Self, Refusal> {
        Ok(Self { question: Question::new(permission, workspace_id.as_deref())?, workspace_id })
    }
}

impl Read for Asked {
    const WORDS: &'static str = "an object";

    fn of_object<'de, A: serde::de::MapAccess<'de>>(object: A) -> Result<Option<Result<Self, Refusal>>, A::Error> {
        let fields = <IntrospectionQuestion as Request>::Fields::deserialize(MapAccessDeserializer::new(object))?;
        let one = |refusal: &FieldRefusal| format!("{} {}", refusal.field, refusal.message);
        let read = IntrospectionQuestion::accept(fields).map_err(|refusals| match refusals.as_slice() {
            [first, ..] => Refusal::new(first.code, refusals.iter().map(one).collect::<Vec<_>>().join("; ")),
            [] => Refusal::new("wrong_type", "is not valid"),
        });
        let text = |given: Option<Verbatim>| given.map(|text| text.0);
        Ok(Some(read.and_then(|one| Self::new(text(one.permission), text(one.workspace_id)))))
    }

    fn schema() -> (RefOr<Schema>, Option<Named>) {
        let name = <IntrospectionQuestion as ToSchema>::name().into_owned();
        (Ref::from_schema_name(&name).into(), Some((name, <IntrospectionQuestion as PartialSchema>::schema())))
    }
}

impl Entry for Asked {
    const NAMES: (&'static str, &'static str) = ("question", "questions");
    const LIST: &'static str = "a list of objects";

    fn at(position: usize, refusal: Refusal) -> Refusal {
        Refusal::new(refusal.code, format!("has a wrong question: number {position} {}", refusal.message))
    }
}

/// The same as a form, with one question at most.
pub(crate) struct IntrospectForm;

impl PartialSchema for IntrospectForm {
    fn schema() -> RefOr<Schema> {
        let text = |text: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(text));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some(
                "A credential that a service was shown, as RFC 7662 has it, and one question. Other parameters are ignored.",
            ))
            .property("token", text("The API key or the access token. It is neither logged nor stored."))
            .required("token")
            .property("token_type_hint", text("Ignored."))
            .property("permission", text("As in a question."))
            .property("workspaceId", text("As in a question."))
            .into()
    }
}

impl ToSchema for IntrospectForm {}

impl OfForm for Introspect {
    /// Parameters that are not known are ignored, as RFC 6749 (section 3.2) demands. None may be there twice.
    fn of_form(form: Vec<(Cow<'_, str>, Cow<'_, str>)>) -> Result<Self, Failure> {
        let take = |name: &str| {
            let mut values = form.iter().filter(|(one, _)| one == name).map(|(_, value)| value.as_ref().to_owned());
            match (values.next(), values.next()) {
                (value, None) => Ok(value),
                (_, Some(_)) => Err(duplicate_field(name)),
            }
        };
        let (token, hint) = (take("token")?, take("token_type_hint")?);
        let questions = match (take("permission")?, take("workspaceId")?) {
            (None, None) => None,
            (permission, workspace) => {
                let asked = Asked::new(permission, workspace).map_err(|refusal| refusal.of("permission"))?;
                Some(Several(vec![asked]))
            }
        };
        match token {
            Some(token) => Ok(Self { token: Verbatim(token), token_type_hint: hint.map(Verbatim), questions }),
            None => Err(Error::invalid(Refusal::new("required", "is required").of("token")).into()),
        }
    }
}
