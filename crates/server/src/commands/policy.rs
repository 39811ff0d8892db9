//! `tenantry policy`.

use serde_json::{Value, json};
use tenantry_domain::{Choice, KeyRule, Level, May, POLICY, Permissions, Role, policy_table};

use crate::{exit::Exit, output::Output};

/// Prints who may do what: the policy of this version, and below it what the settings declare.
pub(crate) fn print(permissions: &Permissions, output: &Output) -> Result<(), Exit> {
    output.print(&as_json(permissions), || policy_table(permissions).trim_end().to_owned())
}

fn as_json(permissions: &Permissions) -> Value {
    let actions: Vec<_> = POLICY
        .iter()
        .map(|rule| {
            let of =
                |may: May| Role::ALL.iter().filter(move |(role, _)| rule.role(*role) == may).map(|(_, word)| *word);
            let (scope, level) = match rule.key {
                KeyRule::Scoped(scope, level) => (Some(scope.as_str()), Some(level.as_str())),
                KeyRule::Any => (None, Some(Level::Workspace.as_str())),
                KeyRule::Never => (None, None),
            };
            let (roles, own): (Vec<_>, Vec<_>) = (of(May::Yes).collect(), of(May::Own).collect());
            json!({ "action": rule.name, "roles": roles, "rolesAboutThemselves": own, "scope": scope, "level": level })
        })
        .collect();
    let declared: Vec<_> = permissions
        .iter()
        .map(|one| {
            let roles: Vec<_> = one.roles.iter().map(|role| role.as_str()).collect();
            let (name, level, description) = (one.name.as_str(), one.level.as_str(), one.description.as_str());
            json!({ "name": name, "roles": roles, "level": level, "description": description })
        })
        .collect();
    json!({ "actions": actions, "permissions": declared })
}
