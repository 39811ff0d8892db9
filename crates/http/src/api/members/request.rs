//! What a caller asks of members.

use serde::Deserialize;
use tenantry_domain::{
    FieldRefusal, Line, MemberId, MemberPatch, MemberStatus, PageLimit, PeopleSort, Refusal, Role, Sort, WorkspaceId,
};
use tenantry_operations::MemberFilter;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::view::{MemberStatusSchema, RoleSchema};
use crate::extract::{ListQuery, Member, Unknown, check_optional, check_required};

/// A change to a member, as a JSON merge patch (RFC 7396): what is left out stays.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "role": "admin" }))]
pub(crate) struct UpdateMember {
    /// Its new role.
    #[serde(default)]
    #[validate(custom(function = check_optional::<Role>))]
    #[schema(value_type = RoleSchema, required = false, example = "admin")]
    role: Member<String>,
    /// `suspended` refuses the member from its next request on; `active` lets it in again.
    #[serde(default)]
    #[validate(custom(function = check_optional::<MemberStatus>))]
    #[schema(value_type = MemberStatusSchema, required = false, example = "active")]
    status: Member<String>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[schema(ignore)]
    unknown: Unknown,
}

impl UpdateMember {
    pub(super) fn into_domain(self) -> Result<MemberPatch, FieldRefusal> {
        Ok(MemberPatch { role: self.role.parse_as("role")?, status: self.status.parse_as("status")? })
    }
}

/// Who is to become an owner.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TransferOwnership {
    /// Another active member of the tenant.
    #[serde(default)]
    #[validate(custom(function = check_required::<MemberId>))]
    #[schema(value_type = Uuid, required, example = "e1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    member_id: Member<String>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[schema(ignore)]
    unknown: Unknown,
}

impl TransferOwnership {
    pub(super) fn into_domain(self) -> Result<MemberId, FieldRefusal> {
        self.member_id.required().map_err(|refusal| refusal.of("memberId"))
    }
}

/// Which members, in which order, and how many at a time.
#[derive(Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct MemberQuery {
    /// Only in this role.
    #[serde(default)]
    #[validate(custom(function = check_optional::<Role>))]
    #[param(value_type = Option<RoleSchema>)]
    role: Member<String>,
    /// Only in this status.
    #[serde(default)]
    #[validate(custom(function = check_optional::<MemberStatus>))]
    #[param(value_type = Option<MemberStatusSchema>)]
    status: Member<String>,
    /// Only assigned to this workspace.
    #[serde(default)]
    #[validate(custom(function = check_optional::<WorkspaceId>))]
    #[param(value_type = Option<Uuid>)]
    workspace_id: Member<String>,
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

impl MemberQuery {
    pub(super) fn filter(&self) -> Result<MemberFilter, FieldRefusal> {
        Ok(MemberFilter {
            role: self.role.parse_as("role")?,
            status: self.status.parse_as("status")?,
            workspace_id: self.workspace_id.parse_as("workspaceId")?,
            search: self.q.parse_as::<Line<254>>("q")?.map(|text| text.as_str().to_owned()),
        })
    }
}

impl ListQuery for MemberQuery {
    fn paging(&self) -> [&Member<String>; 3] {
        [&self.limit, &self.sort, &self.cursor]
    }

    fn sort(&self, asked: &Member<String>) -> Result<Sort, Refusal> {
        Ok(asked.parse::<PeopleSort>()?.unwrap_or_default().0)
    }

    fn signature(&self) -> String {
        format!("members {:?}", (&self.role, &self.status, &self.workspace_id, &self.q))
    }
}
