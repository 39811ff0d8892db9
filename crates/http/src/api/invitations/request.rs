//! What a caller asks of invitations.

use serde::Deserialize;
use tenantry_domain::{
    EmailAddress, FieldRefusal, InvitationDays, InvitationDetails, InvitationState, Line, PageLimit, PeopleSort,
    Refusal, Role, Sort, WorkspaceId,
};
use tenantry_operations::InvitationFilter;
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

use super::view::InvitationStateSchema;
use crate::{
    api::members::RoleSchema,
    extract::{ListQuery, Member, Unknown, check_each, check_number, check_optional, check_required},
};

/// How many workspaces one invitation assigns at most.
const MAX_WORKSPACES: usize = 100;

/// Whom to invite to what. Nobody invites to a role that may do more than they may themselves.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "email": "ada@example.com",
    "role": "agent",
    "workspaceIds": ["c1a2b3c4-5678-4abc-9ef0-1234567890ab"],
}))]
pub(crate) struct CreateInvitation {
    /// One plain e-mail address, at most 254 characters; what is invited or a member in another case is the same address.
    #[serde(default)]
    #[validate(custom(function = check_required::<EmailAddress>))]
    #[schema(value_type = String, required, max_length = 254, example = "ada@example.com")]
    email: Member<String>,
    /// What the invitee will be in the tenant.
    #[serde(default)]
    #[validate(custom(function = check_required::<Role>))]
    #[schema(value_type = RoleSchema, required, example = "agent")]
    role: Member<String>,
    /// The workspaces that the invitee will be assigned to, at most 100; none unless said.
    #[serde(default)]
    #[validate(custom(function = check_workspaces))]
    #[schema(value_type = Vec<Uuid>, required = false, max_items = 100)]
    workspace_ids: Member<Vec<Member<String>>>,
    /// For how many days it can be accepted: 1 to 30, 7 unless said.
    #[serde(default)]
    #[validate(custom(function = check_number::<InvitationDays>))]
    #[schema(value_type = i64, required = false, minimum = 1, maximum = 30, example = 7)]
    expires_in_days: Member<i64>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[schema(ignore)]
    unknown: Unknown,
}

pub(super) fn check_workspaces(member: &Member<Vec<Member<String>>>) -> Result<(), ValidationError> {
    check_each(workspaces(member))
}

pub(super) fn workspaces(member: &Member<Vec<Member<String>>>) -> Result<Vec<WorkspaceId>, Refusal> {
    let mut ids = Vec::new();
    for member in member.plain()?.into_iter().flatten() {
        let id: WorkspaceId = member.required()?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    if ids.len() > MAX_WORKSPACES {
        let message = format!("must name at most {MAX_WORKSPACES} workspaces, these are {}", ids.len());
        return Err(Refusal::new("too_many", message));
    }
    Ok(ids)
}

impl CreateInvitation {
    pub(super) fn into_domain(self) -> Result<(InvitationDetails, InvitationDays), FieldRefusal> {
        let details = InvitationDetails {
            email: self.email.required().map_err(|refusal| refusal.of("email"))?,
            role: self.role.required().map_err(|refusal| refusal.of("role"))?,
            workspaces: workspaces(&self.workspace_ids).map_err(|refusal| refusal.of("workspaceIds"))?,
        };
        Ok((details, self.expires_in_days.number_as("expiresInDays")?.unwrap_or_default()))
    }
}

/// How long the invitation is to live from now on.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResendInvitation {
    /// For how many days it can be accepted: 1 to 30, 7 unless said.
    #[serde(default)]
    #[validate(custom(function = check_number::<InvitationDays>))]
    #[schema(value_type = i64, required = false, minimum = 1, maximum = 30, example = 7)]
    expires_in_days: Member<i64>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[schema(ignore)]
    unknown: Unknown,
}

impl ResendInvitation {
    pub(super) fn into_domain(self) -> Result<InvitationDays, FieldRefusal> {
        Ok(self.expires_in_days.number_as("expiresInDays")?.unwrap_or_default())
    }
}

/// The token of an invitation.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AcceptInvitation {
    /// As it stands in the link of the newest message.
    #[serde(default)]
    #[validate(custom(function = check_token))]
    #[schema(value_type = String, required, example = "tnt_inv_v1_4sRqZ0uPXt1aGm7LwYcN9k2hD5jF8eBvQo3TxWyKz6iUbMnJpCrVlE1gAdSf0H5qR2wX")]
    token: Member<String>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[schema(ignore)]
    unknown: Unknown,
}

fn check_token(member: &Member<String>) -> Result<(), ValidationError> {
    check_each(token(member))
}

fn token(member: &Member<String>) -> Result<String, Refusal> {
    match member.plain()? {
        Some(token) => Ok(token.clone()),
        None => Err(Refusal::new("required", "is required")),
    }
}

impl AcceptInvitation {
    pub(super) fn into_domain(self) -> Result<String, FieldRefusal> {
        token(&self.token).map_err(|refusal| refusal.of("token"))
    }
}

/// Which invitations, in which order, and how many at a time.
#[derive(Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct InvitationQuery {
    /// Only in this state.
    #[serde(default)]
    #[validate(custom(function = check_optional::<InvitationState>))]
    #[param(value_type = Option<InvitationStateSchema>)]
    state: Member<String>,
    /// Only to this role.
    #[serde(default)]
    #[validate(custom(function = check_optional::<Role>))]
    #[param(value_type = Option<RoleSchema>)]
    role: Member<String>,
    /// Only with this text somewhere in the e-mail address, in either case.
    #[serde(default)]
    #[validate(custom(function = check_optional::<Line<254>>))]
    #[param(value_type = Option<String>, max_length = 254)]
    q: Member<String>,
    /// `createdAt`, `updatedAt` or `email`; with `-` in front, the largest first. `createdAt` unless said.
    #[serde(default)]
    #[validate(custom(function = check_optional::<PeopleSort>))]
    #[param(value_type = Option<String>)]
    sort: Member<String>,
    /// How many at most: 1 to 100, 50 unless said.
    #[serde(default)]
    #[validate(custom(function = check_optional::<PageLimit>))]
    #[param(value_type = Option<u8>, minimum = 1, maximum = 100)]
    limit: Member<String>,
    /// The `nextCursor` of the page before, with the same filters and sort.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    cursor: Member<String>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[param(ignore)]
    unknown: Unknown,
}

impl InvitationQuery {
    pub(super) fn filter(&self) -> Result<InvitationFilter, FieldRefusal> {
        Ok(InvitationFilter {
            state: self.state.parse_as("state")?,
            role: self.role.parse_as("role")?,
            search: self.q.parse_as::<Line<254>>("q")?.map(|text| text.as_str().to_owned()),
        })
    }
}

impl ListQuery for InvitationQuery {
    fn paging(&self) -> [&Member<String>; 3] {
        [&self.limit, &self.sort, &self.cursor]
    }

    fn sort(&self, asked: &Member<String>) -> Result<Sort, Refusal> {
        Ok(asked.parse::<PeopleSort>()?.unwrap_or_default().0)
    }

    fn signature(&self) -> String {
        format!("invitations {:?}", (&self.state, &self.role, &self.q))
    }
}
