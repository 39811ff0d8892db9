//! What a workspace may have at most: its own caps, those of its tenant, and of each two the smaller.

use crate::{Cap, Limits, TimeZone, audit::Fields, values::Choice};

/// What a workspace's own managers cap, and where its months begin. `None` is unlimited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceLimits {
    /// Members assigned to the workspace; pending invitations count.
    pub max_members: Option<Cap>,
    /// AI agents in the workspace.
    pub max_agents: Option<Cap>,
    /// Minutes of usage in a month.
    pub max_minutes: Option<Cap>,
    /// The time zone in which months are counted.
    pub time_zone: TimeZone,
}

/// A change to a workspace's limits: an outer `None` stays, an inner `None` takes a cap off.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of WorkspaceLimits")]
pub struct WorkspaceLimitsPatch {
    pub max_members: Option<Option<Cap>>,
    pub max_agents: Option<Option<Cap>>,
    pub max_minutes: Option<Option<Cap>>,
    pub time_zone: Option<TimeZone>,
}

impl WorkspaceLimits {
    /// These limits with the change applied.
    #[must_use]
    pub fn patched(&self, patch: &WorkspaceLimitsPatch) -> Self {
        Self {
            max_members: patch.max_members.unwrap_or(self.max_members),
            max_agents: patch.max_agents.unwrap_or(self.max_agents),
            max_minutes: patch.max_minutes.unwrap_or(self.max_minutes),
            time_zone: patch.time_zone.clone().unwrap_or_else(|| self.time_zone.clone()),
        }
    }

    /// These limits together with those of the tenant.
    pub fn within(&self, tenant: Limits) -> LimitsInForce {
        LimitsInForce {
            members: Limit { own: self.max_members, tenant: tenant.max_members },
            agents: Limit { own: self.max_agents, tenant: tenant.max_agents },
            minutes: Limit { own: self.max_minutes, tenant: tenant.max_minutes },
        }
    }

    /// The fields as the audit log names them.
    pub fn fields(&self) -> Fields {
        Fields::new()
            .with("maxMembers", self.max_members.map(Cap::get))
            .with("maxAgents", self.max_agents.map(Cap::get))
            .with("maxMinutes", self.max_minutes.map(Cap::get))
            .with("timeZone", self.time_zone.as_str())
    }
}

/// What caps one thing in a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The workspace's own cap.
    pub own: Option<Cap>,
    /// The tenant's limit, which applies to each of its workspaces.
    pub tenant: Option<Cap>,
}

impl Limit {
    /// The smaller of the two.
    pub fn effective(self) -> Option<Cap> {
        self.own.into_iter().chain(self.tenant).min()
    }

    /// Whose the smaller one is; the workspace's where they are the same.
    pub fn source(self) -> LimitSource {
        match (self.own, self.tenant) {
            (None, None) => LimitSource::None,
            (Some(own), Some(tenant)) if tenant < own => LimitSource::Tenant,
            (None, Some(_)) => LimitSource::Tenant,
            (Some(_), _) => LimitSource::Workspace,
        }
    }
}

/// Whose cap is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitSource {
    /// The workspace's own.
    Workspace,
    /// The tenant's.
    Tenant,
    /// Nobody's: there is none.
    None,
}

impl Choice for LimitSource {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::Workspace, "workspace"), (Self::Tenant, "tenant"), (Self::None, "none")];
    const MEANING: &'static str = "Whose limit is in force.";
}
crate::values::choices!(LimitSource);

/// What is in force in a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitsInForce {
    /// See [`WorkspaceLimits::max_members`].
    pub members: Limit,
    /// See [`WorkspaceLimits::max_agents`].
    pub agents: Limit,
    /// See [`WorkspaceLimits::max_minutes`].
    pub minutes: Limit,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_cap_is_in_force_and_says_whose_it_is() {
        let cap = |number: i64| Cap::try_from(number).unwrap();
        for (own, tenant, effective, source) in [
            (None, None, None, LimitSource::None),
            (Some(3), None, Some(3), LimitSource::Workspace),
            (None, Some(5), Some(5), LimitSource::Tenant),
            (Some(3), Some(5), Some(3), LimitSource::Workspace),
            (Some(7), Some(5), Some(5), LimitSource::Tenant),
            (Some(5), Some(5), Some(5), LimitSource::Workspace),
            (Some(0), Some(5), Some(0), LimitSource::Workspace),
        ] {
            let limit = Limit { own: own.map(cap), tenant: tenant.map(cap) };
            assert_eq!((limit.effective(), limit.source()), (effective.map(cap), source), "{limit:?}");
        }
    }

    #[test]
    fn each_cap_of_a_workspace_is_held_against_its_own_of_the_tenant() {
        let cap = |number: i64| Some(Cap::try_from(number).unwrap());
        let zone: TimeZone = "Europe/Berlin".parse().unwrap();
        let own = WorkspaceLimits {
            max_members: cap(1),
            max_agents: cap(2),
            max_minutes: cap(3),
            time_zone: "UTC".parse().unwrap(),
        };
        let tenant = Limits { max_members: cap(4), max_agents: cap(5), max_minutes: cap(6), ..Limits::default() };
        let expected = LimitsInForce {
            members: Limit { own: cap(1), tenant: cap(4) },
            agents: Limit { own: cap(2), tenant: cap(5) },
            minutes: Limit { own: cap(3), tenant: cap(6) },
        };
        assert_eq!(own.within(tenant), expected);
        assert_eq!(own.patched(&WorkspaceLimitsPatch::default()), own);
        let none = WorkspaceLimitsPatch::default;
        for (patch, changed) in [
            (
                WorkspaceLimitsPatch { max_members: Some(None), ..none() },
                WorkspaceLimits { max_members: None, ..own.clone() },
            ),
            (
                WorkspaceLimitsPatch { max_agents: Some(cap(9)), ..none() },
                WorkspaceLimits { max_agents: cap(9), ..own.clone() },
            ),
            (
                WorkspaceLimitsPatch { max_minutes: Some(None), ..none() },
                WorkspaceLimits { max_minutes: None, ..own.clone() },
            ),
            (
                WorkspaceLimitsPatch { time_zone: Some(zone.clone()), ..none() },
                WorkspaceLimits { time_zone: zone, ..own.clone() },
            ),
        ] {
            assert_eq!(own.patched(&patch), changed);
        }
    }
}
