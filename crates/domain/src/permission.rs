//! Permissions of the product that Tenantry serves: the operator declares them, API keys carry them beside Tenantry's own scopes,
//! and members have them by their role. Tenantry gives and takes them, and says who has them. What they allow, only the product
//! knows.

use std::{fmt, str::FromStr, sync::Arc};

use crate::{
    Description, Error, Grant, Input, Level, Line, Refusal, Role, Scope,
    values::{Choice, choices},
};

/// The name of a declared permission, such as `conversations:read`: a thing and what is done to it, of at most 64 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionName(String);

impl PermissionName {
    const MAX: usize = 64;

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The thing, `conversations` of `conversations:read`.
    fn thing(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }
}

impl FromStr for PermissionName {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        let word = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word.ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
                && word.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'-' | b'_'))
        };
        match raw.split_once(':') {
            Some((thing, deed)) if raw.len() <= Self::MAX && word(thing) && word(deed) => Ok(Self(raw.to_owned())),
            _ => Err(Refusal::new(
                "not_a_choice",
                format!(
                    "must be two words of a-z, 0-9, - and _ with a colon between them, such as conversations:read, and at most {} characters",
                    Self::MAX
                ),
            )),
        }
    }
}

impl fmt::Display for PermissionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an API key carries: a scope of Tenantry, or a permission of the product. A permission that is not declared (any more) stays on
/// the key and allows nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyScope {
    /// A scope of Tenantry.
    Own(Scope),
    /// A permission of the product.
    Declared(PermissionName),
}

impl KeyScope {
    /// The word, on the wire and in the database.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Own(scope) => scope.as_str(),
            Self::Declared(name) => name.as_str(),
        }
    }

    /// Every scope of Tenantry.
    pub fn every_own() -> Vec<Self> {
        Scope::all().into_iter().map(Self::Own).collect()
    }
}

impl From<Scope> for KeyScope {
    fn from(scope: Scope) -> Self {
        Self::Own(scope)
    }
}

impl FromStr for KeyScope {
    type Err = Refusal;

    /// Whether a permission is declared is not known here, see [`Permissions::all_are_known`].
    fn from_str(raw: &str) -> Result<Self, Refusal> {
        match Scope::of_word(raw) {
            Some(scope) => Ok(Self::Own(scope)),
            None => raw.parse().map(Self::Declared).or_else(|_: Refusal| Scope::choose(raw).map(Self::Own)),
        }
    }
}

impl fmt::Display for KeyScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Input for KeyScope {
    type Raw = str;

    fn read(raw: &str) -> Result<Self, Refusal> {
        raw.parse()
    }

    /// The closed list of Tenantry's own. A service adds what it declares to its own document.
    fn description() -> Description {
        Scope::description()
    }
}

impl Choice for Level {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::Workspace, "workspace"), (Self::Brand, "brand"), (Self::Tenant, "tenant")];
    const MEANING: &'static str = "How far an actor has to reach.";
}
choices!(Level);

/// A declared permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// Its name.
    pub name: PermissionName,
    /// The roles that have it; the owner is one of them.
    pub roles: Vec<Role>,
    /// A key that carries it has it only if it reaches at least this far.
    pub level: Level,
    /// What it allows, in a sentence for people.
    pub description: Line<200>,
}

impl Permission {
    /// Refuses whoever does not have it.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] with a sentence that says what is missing.
    pub fn permit(&self, grant: &Grant) -> Result<(), Error> {
        match grant {
            Grant::Scopes { scopes, reach, .. } => {
                let scope = KeyScope::Declared(self.name.clone());
                if !scopes.contains(&scope) {
                    return Err(Error::missing_scope(scope));
                }
                reach.at_least(self.level)
            }
            Grant::Role { role, .. } if self.roles.contains(role) => Ok(()),
            Grant::Role { role, .. } => Err(Error::forbidden(format!("The role {role} does not allow this."))),
            Grant::Platform | Grant::Operator | Grant::Job => {
                Err(Error::forbidden("Only members and API keys of a tenant have permissions of the product."))
            }
        }
    }
}

/// Why a list of permissions cannot be declared; each reads on after the name of the permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotDeclarable {
    /// Its name is one of Tenantry's scopes, or might become one.
    #[error("{0} is a name that Tenantry keeps for its own scopes: {1}:… is not free")]
    Reserved(String, String),
    /// It is there twice.
    #[error("{0} is declared twice")]
    Twice(String),
    /// Nobody could give it to anybody.
    #[error("{0}: roles must include owner, because nobody gives what they do not have")]
    WithoutOwner(String),
}

/// What the operator declares. Clones share it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions(Arc<[Permission]>);

impl Permissions {
    /// Declares these, in their order.
    ///
    /// # Errors
    ///
    /// All that is wrong with them.
    pub fn new(declared: Vec<Permission>) -> Result<Self, Vec<NotDeclarable>> {
        let mut faults = Vec::new();
        for (at, permission) in declared.iter().enumerate() {
            let (name, thing) = (permission.name.to_string(), permission.name.thing());
            let is_own = |word: &str| word.split(':').next() == Some(thing);
            if Scope::ALL.iter().any(|(_, word)| is_own(word)) {
                faults.push(NotDeclarable::Reserved(name.clone(), thing.to_owned()));
            }
            if declared.iter().take(at).any(|earlier| earlier.name == permission.name) {
                faults.push(NotDeclarable::Twice(name.clone()));
            }
            if !permission.roles.contains(&Role::Owner) {
                faults.push(NotDeclarable::WithoutOwner(name));
            }
        }
        if faults.is_empty() { Ok(Self(declared.into())) } else { Err(faults) }
    }

    /// All of them, in the order of their declaration.
    pub fn iter(&self) -> impl Iterator<Item = &Permission> {
        self.0.iter()
    }

    /// The one with this name, if it is declared.
    pub fn named(&self, name: &str) -> Option<&Permission> {
        self.iter().find(|permission| permission.name.as_str() == name)
    }

    /// Everything that a key can carry: Tenantry's scopes, and what is declared.
    pub fn every_scope(&self) -> Vec<KeyScope> {
        let declared = self.iter().map(|permission| KeyScope::Declared(permission.name.clone()));
        KeyScope::every_own().into_iter().chain(declared).collect()
    }

    /// Those that this grant has, of the declared ones.
    pub fn of<'p>(&'p self, grant: &'p Grant) -> impl Iterator<Item = &'p Permission> {
        self.iter().filter(|permission| permission.permit(grant).is_ok())
    }

    /// Refuses a new key that would carry something that is not declared.
    ///
    /// # Errors
    ///
    /// The refusal of `scopes`.
    pub fn all_are_known(&self, scopes: &[KeyScope]) -> Result<(), Error> {
        let unknown = scopes.iter().find(|scope| match scope {
            KeyScope::Own(_) => false,
            KeyScope::Declared(name) => self.named(name.as_str()).is_none(),
        });
        let Some(unknown) = unknown else { return Ok(()) };
        let own = Scope::ALL.iter().map(|(_, word)| *word);
        let words: Vec<_> =
            own.chain(self.iter().map(|one| one.name.as_str())).map(|word| format!("\"{word}\"")).collect();
        let message = format!("must be one of {}, not \"{unknown}\"", words.join(", "));
        Err(Error::invalid(Refusal::new("not_a_choice", message).of("scopes")))
    }

    /// Whether who has this grant may let a key carry this: only what they have themselves. What is not declared now is not lost from
    /// a key that is rotated by itself or by an owner, who has whatever is declared.
    pub(crate) fn may_pass_on(&self, grant: &Grant, name: &PermissionName) -> Result<(), Error> {
        match (grant, self.named(name.as_str())) {
            (Grant::Scopes { .. } | Grant::Operator, _) | (Grant::Role { role: Role::Owner, .. }, None) => Ok(()),
            (_, Some(permission)) => permission.permit(grant).map_err(|_| {
                Error::forbidden(format!(
                    "You cannot give the permission {name} to an API key, because you do not have it."
                ))
            }),
            (_, None) => Err(Error::forbidden(format!(
                "This API key carries the permission {name}, which is not declared at present. Only an owner can rotate it."
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BrandId, MemberId, Reach, may_grant};

    fn permission(name: &str, roles: &[Role], level: Level) -> Permission {
        Permission {
            name: name.parse().unwrap(),
            roles: roles.to_vec(),
            level,
            description: "Reads conversations.".parse().unwrap(),
        }
    }

    fn role(role: Role) -> Grant {
        Grant::Role { member: MemberId::from_uuid(uuid::Uuid::nil()), role }
    }

    fn key(scopes: &[&str], reach: Reach) -> Grant {
        Grant::Scopes { scopes: scopes.iter().map(|word| word.parse().unwrap()).collect(), reach, until: None }
    }

    #[test]
    fn a_name_is_two_words_with_a_colon_between_them() {
        let longest = format!("{}:read", "a".repeat(59));
        for good in ["conversations:read", "a:b", "call-logs:export_all", "v2:r2", &longest] {
            assert_eq!(good.parse::<PermissionName>().unwrap().as_str(), good);
        }
        let long = format!("{}:read", "a".repeat(60));
        for bad in ["", "read", ":read", "a:", "a:b:c", "A:b", "a:B", "a b:c", "1a:b", "a-:b", "ä:b", "a:*", &long] {
            assert!(bad.parse::<PermissionName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_cannot_be_declared_is_named_all_at_once() {
        let all = vec![
            permission("conversations:read", &[Role::Owner], Level::Workspace),
            permission("workspaces:archive", &[Role::Owner], Level::Workspace),
            permission("conversations:read", &[Role::Agent], Level::Workspace),
        ];
        assert_eq!(
            Permissions::new(all).unwrap_err(),
            [
                NotDeclarable::Reserved("workspaces:archive".to_owned(), "workspaces".to_owned()),
                NotDeclarable::Twice("conversations:read".to_owned()),
                NotDeclarable::WithoutOwner("conversations:read".to_owned()),
            ]
        );
    }

    #[test]
    fn a_key_has_what_it_carries_where_it_reaches_far_enough_and_a_member_what_its_role_has() {
        let read = permission("conversations:read", &[Role::Owner, Role::Agent], Level::Brand);
        let brand = Reach::Brand(BrandId::from_uuid(uuid::Uuid::nil()));
        let workspace = Reach::Workspace(crate::WorkspaceId::from_uuid(uuid::Uuid::nil()));
        assert!(read.permit(&key(&["conversations:read"], Reach::Tenant)).is_ok());
        assert!(read.permit(&key(&["conversations:read"], brand)).is_ok());
        assert!(read.permit(&key(&["conversations:read"], workspace)).is_err());
        assert!(read.permit(&key(&["conversations:write", "workspaces:read"], Reach::Tenant)).is_err());
        let roles: Vec<_> = Role::ALL.iter().map(|(one, _)| read.permit(&role(*one)).is_ok()).collect();
        assert_eq!(roles, [true, false, false, true, false]);
        assert!(read.permit(&Grant::Platform).is_err() && read.permit(&Grant::Operator).is_err());
    }

    #[test]
    fn nobody_gives_a_role_or_a_key_what_they_do_not_have() {
        let declared = vec![permission("conversations:read", &[Role::Owner, Role::Agent], Level::Tenant)];
        let declared = Permissions::new(declared).unwrap();
        let none = Permissions::default();
        for given in [Role::Billing, Role::Observer, Role::Agent] {
            assert!(may_grant(&role(Role::Admin), given, &none).is_ok(), "{given}");
            assert!(may_grant(&role(Role::Owner), given, &declared).is_ok(), "{given}");
            assert_eq!(may_grant(&role(Role::Admin), given, &declared).is_ok(), given != Role::Agent, "{given}");
        }
        let mut words: Vec<_> = Scope::ALL.iter().map(|(_, word)| *word).collect();
        let refused = may_grant(&key(&words, Reach::Tenant), Role::Agent, &declared).unwrap_err();
        assert!(
            matches!(&refused, Error::Forbidden { scope: Some(scope), .. } if scope.as_str() == "conversations:read")
        );
        words.push("conversations:read");
        assert!(may_grant(&key(&words, Reach::Tenant), Role::Agent, &declared).is_ok());
        let name: PermissionName = "conversations:read".parse().unwrap();
        for (grant, while_declared, while_not) in [
            (role(Role::Owner), true, true),
            (role(Role::Admin), false, false),
            (role(Role::Agent), true, false),
            (Grant::Operator, true, true),
        ] {
            assert_eq!(declared.may_pass_on(&grant, &name).is_ok(), while_declared, "{grant:?}");
            assert_eq!(none.may_pass_on(&grant, &name).is_ok(), while_not, "{grant:?}");
        }
    }

    #[test]
    fn a_new_key_carries_only_what_is_declared() {
        let declared = permission("conversations:read", &[Role::Owner], Level::Tenant);
        let declared = Permissions::new(vec![declared]).unwrap();
        let scopes = |words: &[&str]| words.iter().map(|word| word.parse().unwrap()).collect::<Vec<KeyScope>>();
        assert!(declared.all_are_known(&scopes(&["workspaces:read", "conversations:read"])).is_ok());
        let every: Vec<_> = declared.every_scope().iter().map(ToString::to_string).collect();
        let own = Scope::ALL.iter().map(|(_, word)| (*word).to_owned());
        assert_eq!(every, own.chain(["conversations:read".to_owned()]).collect::<Vec<_>>());
        let refused = declared.all_are_known(&scopes(&["workspaces:reed"])).unwrap_err().to_string();
        assert!(refused.contains("conversations:read") && refused.contains("not \"workspaces:reed\""), "{refused}");
    }
}
