//! What a service is told about a credential.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_domain::{Denial, Role};
use tenantry_operations::introspection::{Active, Caller, Introspection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::request::Asked;
use crate::{api::millis_option, extract::Shown, schema::Word};

type DenialWord = Word<Denial>;
type RoleWord = Word<Role>;

/// What there is to say of a credential. Names with `_` are those of RFC 7662, and are left out where there is nothing to say, because
/// `null` is no value there. If `active` is `false`, there is nothing else, except for a suspended tenant.
#[derive(Serialize, ToSchema)]
#[schema(as = Introspection)]
pub(crate) struct IntrospectionView {
    /// Whether the credential is good. Do nothing for it if not.
    #[schema(example = true)]
    active: bool,
    /// What the credential carries, separated by spaces: scopes of an API key, and the declared permissions that count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "workspaces:read conversations:read")]
    scope: Option<String>,
    /// The id of the API key. Not there for a member.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "d1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    client_id: Option<String>,
    /// The email address of the member. Not there for an API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "grace@example.com")]
    username: Option<String>,
    /// `Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Bearer")]
    token_type: Option<&'static str>,
    /// When the credential expires, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 1_800_439_200)]
    exp: Option<i64>,
    /// Who it is: the id of the API key, or what the issuer calls the member.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "auth0|65f0c1")]
    sub: Option<String>,
    /// The issuer of the access token. Not there for an API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "https://login.example.com/")]
    iss: Option<String>,
    /// `suspended` if the credential would be good, but its tenant is suspended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = DenialWord, example = "suspended")]
    reason: Option<DenialWord>,
    /// The tenant of the credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    tenant: Option<IntrospectedTenantView>,
    /// Whose the credential is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    actor: Option<IntrospectedActorView>,
    /// An answer for each question, in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    answers: Option<Vec<AnswerView>>,
    /// Until when the credential holds.
    #[serde(skip)]
    until: Option<DateTime<Utc>>,
}

/// The tenant of a credential.
#[derive(Serialize, ToSchema)]
#[schema(as = IntrospectedTenant)]
pub(crate) struct IntrospectedTenantView {
    /// Its id.
    #[schema(example = "a0b1c2d3-4567-49ab-8def-0123456789ab")]
    id: Uuid,
    /// Its name.
    #[schema(example = "Acme Industrial Supply")]
    name: String,
}

/// Whose a credential is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = IntrospectedActor)]
pub(crate) struct IntrospectedActorView {
    /// `api_key` or `member`.
    #[serde(rename = "type")]
    #[schema(example = "api_key")]
    kind: &'static str,
    /// The id of the API key or the member.
    #[schema(example = "d1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    id: Uuid,
    /// The name of the API key, or the email address of the member.
    #[schema(example = "CRM synchronisation")]
    name: String,
    /// The member's role. `null` for an API key.
    #[schema(required, example = json!(null))]
    role: Option<RoleWord>,
    /// Scopes of the API key, and the declared permissions that count.
    #[schema(example = json!(["workspaces:read", "conversations:read"]))]
    scopes: Vec<String>,
    /// The brand that the API key is restricted to.
    #[schema(required, example = json!(null))]
    brand_id: Option<Uuid>,
    /// The workspace that the API key is restricted to.
    #[schema(required, example = json!(null))]
    workspace_id: Option<Uuid>,
    /// When the credential expires.
    #[serde(serialize_with = "millis_option")]
    #[schema(required, example = "2027-01-20T10:00:00.000Z")]
    expires_at: Option<DateTime<Utc>>,
}

/// The answer to one question.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = IntrospectionAnswer)]
pub(crate) struct AnswerView {
    /// As it was asked.
    #[schema(required, example = "conversations:read")]
    permission: Option<String>,
    /// As it was asked.
    #[schema(required, example = "c1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    workspace_id: Option<String>,
    /// Whether the holder may do that.
    #[schema(example = true)]
    allowed: bool,
    /// Why not. `null` if they may.
    #[schema(required, example = json!(null))]
    reason: Option<DenialWord>,
}

impl AnswerView {
    fn of(asked: Asked, answer: Result<(), Denial>) -> Self {
        Self {
            permission: asked.question.permission,
            workspace_id: asked.workspace_id,
            allowed: answer.is_ok(),
            reason: answer.err().map(Word),
        }
    }
}

/// What is said of a credential that is not good: nothing.
const INACTIVE: IntrospectionView = IntrospectionView {
    active: false,
    scope: None,
    client_id: None,
    username: None,
    token_type: None,
    exp: None,
    sub: None,
    iss: None,
    reason: None,
    tenant: None,
    actor: None,
    answers: None,
    until: None,
};

impl IntrospectionView {
    pub(super) fn of(found: Introspection, shown: &Shown, asked: Vec<Asked>) -> Self {
        match found {
            Introspection::Inactive => INACTIVE,
            Introspection::Suspended => Self {
                reason: Some(Word(Denial::Suspended)),
                answers: Some(asked.into_iter().map(|one| AnswerView::of(one, Err(Denial::Suspended))).collect()),
                ..INACTIVE
            },
            Introspection::Active(active) => Self::of_active(*active, shown, asked),
        }
    }

    fn of_active(active: Active, shown: &Shown, asked: Vec<Asked>) -> Self {
        let Active { tenant, caller, scopes, answers } = active;
        let common = Self {
            active: true,
            scope: Some(scopes.join(" ")).filter(|scope| !scope.is_empty()),
            token_type: Some("Bearer"),
            tenant: Some(IntrospectedTenantView {
                id: tenant.id.uuid(),
                name: tenant.details.name.as_str().to_owned(),
            }),
            answers: Some(
                asked.into_iter().zip(answers).map(|(asked, answer)| AnswerView::of(asked, answer)).collect(),
            ),
            ..INACTIVE
        };
        match caller {
            Caller::ApiKey(key) => {
                let (brand_id, workspace_id) = key.details.reach.restriction();
                let until = key.details.expires_at;
                let (id, name) = (key.id.uuid(), key.details.name.as_str().to_owned());
                Self {
                    client_id: Some(id.to_string()),
                    sub: Some(id.to_string()),
                    exp: until.map(|at| at.timestamp()),
                    until,
                    actor: Some(IntrospectedActorView {
                        kind: "api_key",
                        id,
                        name,
                        role: None,
                        scopes,
                        brand_id: brand_id.map(|id| id.uuid()),
                        workspace_id: workspace_id.map(|id| id.uuid()),
                        expires_at: until,
                    }),
                    ..common
                }
            }
            Caller::Member(member) => {
                let email = member.details.email.as_str().to_owned();
                let person = member.details.person;
                Self {
                    username: Some(email.clone()),
                    sub: Some(person.subject.as_str().to_owned()),
                    iss: Some(person.issuer.as_str().to_owned()),
                    exp: shown.until.map(|at| at.timestamp()),
                    until: shown.until,
                    actor: Some(IntrospectedActorView {
                        kind: "member",
                        id: member.id.uuid(),
                        name: email,
                        role: Some(Word(member.details.role)),
                        scopes,
                        brand_id: None,
                        workspace_id: None,
                        expires_at: shown.until,
                    }),
                    ..common
                }
            }
        }
    }

    /// Until when the credential holds, if it does; without an end where it has none.
    pub(super) fn until(&self) -> Option<Option<DateTime<Utc>>> {
        self.active.then_some(self.until)
    }
}
