//! Who may do what: one table. Code asks for what it is about to do and never looks at scopes or actors itself.

use crate::{Error, Grant, Level, values::Choice};

/// What a caller can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is described by its row in POLICY")]
pub enum Action {
    MeRead,
    TenantCreate,
    TenantList,
    TenantRead,
    TenantUpdate,
    BrandCreate,
    BrandList,
    BrandRead,
    BrandUpdate,
    BrandDelete,
    WorkspaceCreate,
    WorkspaceList,
    WorkspaceRead,
    WorkspaceUpdate,
    WorkspaceDelete,
    WorkspaceRestore,
    WorkspaceErase,
    ApiKeyCreate,
    ApiKeyList,
    ApiKeyRead,
    ApiKeyRevoke,
    ApiKeyRotate,
}

/// What an API key may be allowed to do. `write` does not include `read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Scope {
    WorkspacesRead,
    WorkspacesWrite,
    BrandsRead,
    BrandsWrite,
    KeysRead,
    KeysWrite,
    TenantRead,
    TenantWrite,
}

impl Choice for Scope {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::WorkspacesRead, "workspaces:read"),
        (Self::WorkspacesWrite, "workspaces:write"),
        (Self::BrandsRead, "brands:read"),
        (Self::BrandsWrite, "brands:write"),
        (Self::KeysRead, "keys:read"),
        (Self::KeysWrite, "keys:write"),
        (Self::TenantRead, "tenant:read"),
        (Self::TenantWrite, "tenant:write"),
    ];
}
crate::values::spoken!(Scope);

impl Scope {
    /// Every scope there is.
    pub fn all() -> Vec<Self> {
        Self::ALL.iter().map(|(scope, _)| *scope).collect()
    }
}

/// How an API key comes to be allowed an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRule {
    /// Any key of the tenant.
    Any,
    /// A key with this scope that reaches at least this far.
    Scoped(Scope, Level),
    /// No key.
    Never,
}

/// One row of the policy table.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// What is asked for.
    pub action: Action,
    /// Its name in the audit log and the golden file.
    pub name: &'static str,
    /// For API keys.
    pub key: KeyRule,
    /// Whether an operator at the command line may.
    pub operator: bool,
    /// Whether a job of the service may.
    pub job: bool,
}

const fn row(action: Action, name: &'static str, key: KeyRule, operator: bool, job: bool) -> Rule {
    Rule { action, name, key, operator, job }
}

use {Action as A, KeyRule::*, Level as L, Scope as S};

/// The policy: one row for each action, in the order of [`Action`].
pub const POLICY: &[Rule] = &[
    row(A::MeRead, "me.read", Any, false, false),
    row(A::TenantCreate, "tenant.create", Never, true, false),
    row(A::TenantList, "tenant.list", Never, true, true),
    row(A::TenantRead, "tenant.read", Scoped(S::TenantRead, L::Workspace), true, false),
    row(A::TenantUpdate, "tenant.update", Scoped(S::TenantWrite, L::Tenant), true, false),
    row(A::BrandCreate, "brand.create", Scoped(S::BrandsWrite, L::Tenant), true, false),
    row(A::BrandList, "brand.list", Scoped(S::BrandsRead, L::Workspace), true, false),
    row(A::BrandRead, "brand.read", Scoped(S::BrandsRead, L::Workspace), true, false),
    row(A::BrandUpdate, "brand.update", Scoped(S::BrandsWrite, L::Brand), true, false),
    row(A::BrandDelete, "brand.delete", Scoped(S::BrandsWrite, L::Tenant), true, false),
    row(A::WorkspaceCreate, "workspace.create", Scoped(S::WorkspacesWrite, L::Brand), true, false),
    row(A::WorkspaceList, "workspace.list", Scoped(S::WorkspacesRead, L::Workspace), true, false),
    row(A::WorkspaceRead, "workspace.read", Scoped(S::WorkspacesRead, L::Workspace), true, false),
    row(A::WorkspaceUpdate, "workspace.update", Scoped(S::WorkspacesWrite, L::Workspace), true, false),
    row(A::WorkspaceDelete, "workspace.delete", Scoped(S::WorkspacesWrite, L::Brand), true, false),
    row(A::WorkspaceRestore, "workspace.restore", Scoped(S::WorkspacesWrite, L::Brand), true, false),
    row(A::WorkspaceErase, "workspace.erase", Never, false, true),
    row(A::ApiKeyCreate, "api_key.create", Scoped(S::KeysWrite, L::Tenant), true, false),
    row(A::ApiKeyList, "api_key.list", Scoped(S::KeysRead, L::Tenant), true, false),
    row(A::ApiKeyRead, "api_key.read", Scoped(S::KeysRead, L::Tenant), true, false),
    row(A::ApiKeyRevoke, "api_key.revoke", Scoped(S::KeysWrite, L::Tenant), true, false),
    row(A::ApiKeyRotate, "api_key.rotate", Scoped(S::KeysWrite, L::Tenant), true, false),
];

impl Action {
    /// The action's row. A test keeps the table in the order of the enum.
    pub fn rule(self) -> &'static Rule {
        &POLICY[self as usize]
    }
}

/// Whether the grant allows the action.
///
/// # Errors
///
/// [`Error::Forbidden`] with a sentence that says what is missing.
pub fn permit(grant: &Grant, action: Action) -> Result<(), Error> {
    let rule = action.rule();
    match grant {
        Grant::Scopes { scopes, reach, .. } => match rule.key {
            Any => Ok(()),
            Scoped(scope, _) if !scopes.contains(&scope) => Err(Error::Forbidden {
                message: format!("This needs the scope {scope}, which the API key does not have."),
                scope: Some(scope),
            }),
            Scoped(_, level) if reach.level() < level => Err(Error::forbidden(match level {
                Level::Tenant => "This needs an API key that is not restricted to a brand or workspace.",
                _ => "This needs an API key that is not restricted to a workspace.",
            })),
            Scoped(..) => Ok(()),
            Never => Err(Error::forbidden("This cannot be done with an API key.")),
        },
        Grant::Operator if rule.operator => Ok(()),
        Grant::Job if rule.job => Ok(()),
        Grant::Operator | Grant::Job => Err(Error::forbidden("This cannot be done from here.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BrandId, Reach, WorkspaceId};

    fn scopes(scopes: &[Scope], reach: Reach) -> Grant {
        Grant::Scopes { scopes: scopes.to_vec(), reach, until: None }
    }

    #[test]
    fn the_table_has_one_row_for_each_action_in_order() {
        for (index, rule) in POLICY.iter().enumerate() {
            assert_eq!(rule.action as usize, index, "{}", rule.name);
        }
        assert_eq!(POLICY.len(), A::ApiKeyRotate as usize + 1);
    }

    /// The golden file: rewrite it with `UPDATE_GOLDEN=1 cargo test -p tenantry-domain policy` and read the difference.
    #[test]
    fn the_policy_is_the_one_in_the_golden_file() {
        let brand = Reach::Brand(BrandId::from_uuid(uuid::Uuid::nil()));
        let workspace = Reach::Workspace(WorkspaceId::from_uuid(uuid::Uuid::nil()));
        let mut table = String::from(
            "action             | operator | job | API key: scope, and the least reach it may be restricted to\n",
        );
        for rule in POLICY {
            let mut key = Vec::new();
            let sees = |grant: &Grant| permit(grant, rule.action).is_ok();
            for (scope, word) in Scope::ALL {
                let reach = [("workspace", workspace), ("brand", brand), ("tenant", Reach::Tenant)];
                if let Some((least, _)) = reach.iter().find(|(_, reach)| sees(&scopes(&[*scope], *reach))) {
                    key.push(format!("{word} ({least})"));
                }
            }
            let key = match key.len() {
                0 => "-".to_owned(),
                n if n == Scope::ALL.len() && sees(&scopes(&[], workspace)) => "any".to_owned(),
                _ => key.join(", "),
            };
            let mark = |grant| if sees(&grant) { "yes" } else { "-" };
            table += &format!("{:<18} | {:<8} | {:<3} | {key}\n", rule.name, mark(Grant::Operator), mark(Grant::Job));
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/policy.golden.txt");
        #[expect(clippy::disallowed_methods, reason = "a test's own switch")]
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(path, &table).unwrap();
        }
        assert_eq!(table, std::fs::read_to_string(path).unwrap());
    }
}
