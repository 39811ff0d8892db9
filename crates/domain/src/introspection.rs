//! What other software asks about a credential, and what it is told: by the policy that every route asks, and with the same eyes.

use std::str::FromStr;

use crate::{
    Action, Error, Grant, May, Permissions, Refusal, WorkspaceId, permit,
    values::{Choice, choices},
};

/// The most questions in one request.
pub const MAX_QUESTIONS: usize = 100;

/// Whether the holder of a credential may do something, perhaps in a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What: the name of an action in the policy table or of a declared permission. `None`: see the workspace.
    pub permission: Option<String>,
    /// Where. One that cannot be an id is none that is there, as in a path.
    pub workspace: Option<WorkspaceId>,
}

impl Question {
    /// Reads one, as it was asked.
    ///
    /// # Errors
    ///
    /// It asks for nothing.
    pub fn new(permission: Option<String>, workspace: Option<&str>) -> Result<Self, Refusal> {
        if permission.is_none() && workspace.is_none() {
            return Err(Refusal::new("required", "must have a permission, a workspaceId, or both"));
        }
        let nowhere = || WorkspaceId::from_uuid(uuid::Uuid::nil());
        let workspace = workspace.map(|id| WorkspaceId::from_str(id).unwrap_or_else(|_| nowhere()));
        Ok(Self { permission, workspace })
    }

    /// The answer, for somebody with this grant who sees the workspace or does not.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn answer(&self, grant: &Grant, permissions: &Permissions, sees: bool) -> Result<(), Denial> {
        if self.workspace.is_some() && !sees {
            return Err(Denial::NotFound);
        }
        let Some(name) = &self.permission else { return may(grant, Action::WorkspaceRead) };
        match (Action::named(name), permissions.named(name)) {
            (Some(action), _) => may(grant, action),
            (None, Some(permission)) => permission.permit(grant).map_err(Denial::of),
            (None, None) => Err(Denial::UnknownPermission),
        }
    }
}

/// Whether the grant allows the action. What a role may do about itself alone is no, because nobody is named.
fn may(grant: &Grant, action: Action) -> Result<(), Denial> {
    if let Grant::Role { role, .. } = grant
        && action.rule().role(*role) == May::Own
    {
        return Err(Denial::Forbidden);
    }
    permit(grant, action).map_err(Denial::of)
}

/// Why the answer is no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// There is no such workspace, or none that the holder may know of.
    NotFound,
    /// The API key lacks the scope.
    InsufficientScope,
    /// The key is restricted too narrowly, or the role does not allow it.
    Forbidden,
    /// The policy has no such action, and nobody has declared such a permission.
    UnknownPermission,
    /// The tenant is suspended.
    Suspended,
}

impl Choice for Denial {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::NotFound, "not_found"),
        (Self::InsufficientScope, "insufficient_scope"),
        (Self::Forbidden, "forbidden"),
        (Self::UnknownPermission, "unknown_permission"),
        (Self::Suspended, "suspended"),
    ];
    const MEANING: &'static str = "Why something is not allowed.";
}
choices!(Denial);

impl Denial {
    fn of(refused: Error) -> Self {
        match refused {
            Error::Forbidden { scope: Some(_), .. } => Self::InsufficientScope,
            _ => Self::Forbidden,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Level, MemberId, Permission, Reach, Role, Scope};

    fn answer(grant: &Grant, permission: Option<&str>, workspace: Option<&str>, sees: bool) -> Result<(), Denial> {
        let read = Permission {
            name: "conversations:read".parse().unwrap(),
            roles: vec![Role::Owner, Role::Agent],
            level: Level::Brand,
            description: "Reads.".parse().unwrap(),
        };
        let permissions = Permissions::new(vec![read]).unwrap();
        Question::new(permission.map(str::to_owned), workspace).unwrap().answer(grant, &permissions, sees)
    }

    #[test]
    fn the_answer_is_that_of_the_routes_in_their_order() {
        let id = uuid::Uuid::from_u128(7).to_string();
        let here = Some(id.as_str());
        let key = Grant::Scopes { scopes: vec![Scope::UsageWrite.into()], reach: Reach::Tenant, until: None };
        assert_eq!(answer(&key, Some("usage.record"), here, true), Ok(()));
        assert_eq!(answer(&key, Some("usage.record"), here, false), Err(Denial::NotFound), "404 before 403");
        assert_eq!(answer(&key, Some("usage.refund"), here, false), Err(Denial::NotFound));
        assert_eq!(answer(&key, Some("usage.refund"), here, true), Err(Denial::InsufficientScope));
        assert_eq!(answer(&key, None, here, true), Err(Denial::InsufficientScope), "which workspaces.read would allow");
        assert_eq!(answer(&key, Some("tenant.create"), None, false), Err(Denial::Forbidden));
        assert_eq!(answer(&key, Some("conversations:read"), None, false), Err(Denial::InsufficientScope));
        assert_eq!(answer(&key, Some("usage:write"), None, false), Err(Denial::UnknownPermission));
        let agent = Grant::Role { member: MemberId::from_uuid(uuid::Uuid::nil()), role: Role::Agent };
        assert_eq!(answer(&agent, None, here, true), Ok(()));
        assert_eq!(answer(&agent, Some("conversations:read"), here, true), Ok(()));
        assert_eq!(answer(&agent, Some("workspace.create"), None, false), Err(Denial::Forbidden));
        assert_eq!(answer(&agent, Some("member.remove"), None, false), Err(Denial::Forbidden), "only themselves");
        assert!(Question::new(None, None).is_err());
        assert_eq!(Question::new(None, Some("../1")).unwrap().workspace.unwrap().uuid(), uuid::Uuid::nil());
    }
}
