//! A member's role in the tenant.

use crate::{MemberId, Reach, values::Choice};

/// A member's one role. What each may do stands in the policy table; what each sees is its [`Role::reach`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// May do everything, and alone decides who else owns the tenant.
    Owner,
    /// May do everything that does not touch owners.
    Admin,
    /// Reads the tenant, its limits and its use.
    Billing,
    /// Works in the workspaces it is assigned to.
    Agent,
    /// Reads in the workspaces it is assigned to.
    Observer,
}

impl Choice for Role {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::Owner, "owner"),
        (Self::Admin, "admin"),
        (Self::Billing, "billing"),
        (Self::Agent, "agent"),
        (Self::Observer, "observer"),
    ];
    const MEANING: &'static str = "A member's role in the tenant.";
}
crate::values::choices!(Role);

impl Role {
    /// How far a member of this role reaches.
    pub fn reach(self, member: MemberId) -> Reach {
        match self {
            Self::Owner | Self::Admin => Reach::Tenant,
            Self::Agent | Self::Observer => Reach::Assigned(member),
            Self::Billing => Reach::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_manages_reaches_everything_and_who_works_what_they_are_assigned_to() {
        let member = MemberId::from_uuid(uuid::Uuid::from_u128(7));
        for (role, reach) in [
            (Role::Owner, Reach::Tenant),
            (Role::Admin, Reach::Tenant),
            (Role::Billing, Reach::Nothing),
            (Role::Agent, Reach::Assigned(member)),
            (Role::Observer, Reach::Assigned(member)),
        ] {
            assert_eq!(role.reach(member), reach, "{role}");
        }
    }
}
