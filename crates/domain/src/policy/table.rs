//! The policy as a table for people.

use std::fmt::Write as _;

use uuid::Uuid;

use super::{
    KeyRule::{Any, Never, Scoped},
    May, NO, POLICY, YES, permit,
};
use crate::{BrandId, Grant, KeyScope, Level, MemberId, Permissions, Reach, Role, WorkspaceId, values::Choice};

/// The policy as a table: a row for each action, then one for each declared permission. How far a key has to reach is
/// found out with [`permit`], which decides every request.
pub fn policy_table(permissions: &Permissions) -> String {
    let width = permissions.iter().map(|one| one.name.as_str().len()).fold(18, usize::max);
    let mut table = format!(
        "{:<width$} | operator | job | platform | owner | admin | billing | agent | observer | API key: scope, and the least reach it \
         may be restricted to\n",
        "action"
    );
    for rule in POLICY {
        let roles = Role::ALL.iter().map(|(role, _)| rule.role(*role));
        let key = match rule.key {
            Any => "any".to_owned(),
            Never => "-".to_owned(),
            Scoped(scope, _) => {
                format!("{scope} ({})", least(|grant| permit(grant, rule.action).is_ok(), &scope.into()))
            }
        };
        let others = [Grant::Operator, Grant::Job, Grant::Platform].map(|grant| permit(&grant, rule.action).is_ok());
        row(&mut table, (rule.name, width), others, roles, &key);
    }
    for permission in permissions.iter() {
        let member = MemberId::from_uuid(Uuid::nil());
        let may = |role| if permission.permit(&Grant::Role { member, role }).is_ok() { YES } else { NO };
        let scope = KeyScope::Declared(permission.name.clone());
        let key = format!("{scope} ({})", least(|grant| permission.permit(grant).is_ok(), &scope));
        let roles = Role::ALL.iter().map(|(role, _)| may(*role));
        row(&mut table, (permission.name.as_str(), width), [false; 3], roles, &key);
    }
    table
}

/// The narrowest restriction of a key with this scope that is still enough.
fn least(is_enough: impl Fn(&Grant) -> bool, scope: &KeyScope) -> Level {
    let workspace = Reach::Workspace(WorkspaceId::from_uuid(Uuid::nil()));
    let brand = Reach::Brand(BrandId::from_uuid(Uuid::nil()));
    let enough = |reach: &Reach| is_enough(&Grant::Scopes { scopes: vec![scope.clone()], reach: *reach, until: None });
    [workspace, brand].into_iter().find(enough).unwrap_or(Reach::Tenant).level()
}

fn row(
    table: &mut String,
    (name, width): (&str, usize),
    others: [bool; 3],
    roles: impl Iterator<Item = May>,
    key: &str,
) {
    let mark = |may| if may { "yes" } else { "-" };
    let [operator, job, platform] = others.map(mark);
    let mut line = format!("{name:<width$} | {operator:<8} | {job:<3} | {platform:<8} | ");
    for (may, (_, word)) in roles.zip(Role::ALL) {
        let may = match may {
            May::No => "-",
            May::Own => "own",
            May::Yes => "yes",
        };
        // Writing to a string cannot fail.
        let _ = write!(line, "{may:<width$} | ", width = word.len());
    }
    *table += &format!("{line}{key}\n");
}
