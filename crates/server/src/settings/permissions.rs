//! The permissions of the product: `[[permissions]]` in the settings file, because each has several parts.

use serde::Deserialize;
use tenantry_domain::{Level, Line, Permission, PermissionName, Permissions, Refusal, Role};
use toml::{Table, Value};

use super::{Faults, Row, Shown, closest, issuers::one_line, shown_name, suggestion};

/// One row for each key of an entry: its name, its default, and its meaning.
const ROWS: &[Row] = &[
    Row("name", "", "the name that keys carry and other software asks for, such as conversations:read"),
    Row("roles", "", "the roles of members that have it; owner is one of them"),
    Row("level", "workspace", "how far an API key has to reach to have it: workspace, brand or tenant"),
    Row("description", "", "what it allows, in a sentence"),
];

/// One entry, as the file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    roles: Vec<String>,
    level: Option<String>,
    description: String,
}

/// The permissions in the file, and their settings as `tenantry config` shows them. Errors are added to `faults`.
pub(super) fn read(permissions: Option<Value>, faults: &mut Faults) -> (Permissions, Vec<Shown>) {
    let none = Permissions::default;
    let entries = match permissions {
        Some(Value::Array(entries)) => entries,
        Some(_) => {
            faults.push(
                "",
                "\"permissions\" in the settings file must be a list: write [[permissions]] above each permission",
            );
            return (none(), Vec::new());
        }
        None => return (none(), Vec::new()),
    };
    let known = faults.len();
    let (mut declared, mut shown) = (Vec::new(), Vec::new());
    for (number, entry) in (1..).zip(entries) {
        let Value::Table(table) = entry else {
            faults.push("", format!("[[permissions]] number {number} in the settings file is not a table"));
            continue;
        };
        let before = faults.len();
        unknown(number, &table, faults);
        // What is not a key of an entry was named already.
        let entry: Table = table.clone().into_iter().filter(|(name, _)| is_known(name)).collect();
        match entry.try_into::<Entry>() {
            Ok(entry) => declared.extend(entry.into_permission(number, faults)),
            Err(error) => {
                faults.push("", format!("[[permissions]] number {number} in the settings file: {}", one_line(&error)));
            }
        }
        shown.extend(ROWS.iter().map(|row| show(number, row, &table, faults.len() == before)));
    }
    let permissions = Permissions::new(declared).unwrap_or_else(|more| {
        more.into_iter().for_each(|fault| faults.push("", format!("[[permissions]] in the settings file: {fault}")));
        none()
    });
    // One may be missing only because it was refused.
    (if faults.len() > known { none() } else { permissions }, shown)
}

fn is_known(name: &str) -> bool {
    ROWS.iter().any(|row| row.0 == name)
}

/// Refuses keys that an entry does not have: a misspelt one would silently keep its default.
fn unknown(number: usize, entry: &Table, faults: &mut Faults) {
    for name in entry.keys().filter(|name| !is_known(name)) {
        let meant = suggestion(closest(name, ROWS.iter().map(|row| row.0)));
        let name = shown_name(name);
        faults.push(
            "",
            format!(
                "[[permissions]] number {number} in the settings file: {name} is not a setting of a permission{meant}"
            ),
        );
    }
}

/// A setting of an entry. Of an entry that cannot be read, no value is shown: it may be a secret in the wrong place.
fn show(number: usize, Row(name, default, help): &Row, entry: &Table, is_read: bool) -> Shown {
    let text = |value: &Value| value.as_str().map_or_else(|| "***".to_owned(), str::to_owned);
    let (value, source) = match entry.get(*name) {
        Some(_) if !is_read => (Some("***".to_owned()), "file"),
        Some(Value::Array(list)) => (Some(list.iter().map(text).collect::<Vec<_>>().join(", ")), "file"),
        Some(value) => (Some(text(value)), "file"),
        None => (Some((*default).to_owned()).filter(|default| !default.is_empty()), "default"),
    };
    let name = format!("permissions[{number}].{name}");
    Shown { variable: name.clone(), name, value, source, help }
}

impl Entry {
    fn into_permission(self, number: usize, faults: &mut Faults) -> Option<Permission> {
        let known = faults.len();
        let mut refused = |what: &str, refusal: Refusal| {
            faults
                .push("", format!("[[permissions]] number {number} in the settings file: {what} {}", refusal.message));
        };
        let name = self.name.parse::<PermissionName>().map_err(|refusal| refused("name", refusal)).ok();
        let level = match self.level.as_deref() {
            None => Some(Level::Workspace),
            Some(level) => level.parse().map_err(|refusal| refused("level", refusal)).ok(),
        };
        let description = self.description.parse::<Line<200>>().map_err(|refusal| refused("description", refusal)).ok();
        let mut roles = Vec::new();
        for role in &self.roles {
            match role.parse::<Role>() {
                Ok(role) if !roles.contains(&role) => roles.push(role),
                Ok(_) => {}
                Err(refusal) => refused("roles: each", refusal),
            }
        }
        match (name, level, description) {
            (Some(name), Some(level), Some(description)) if faults.len() == known => {
                Some(Permission { name, roles, level, description })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(file: &str) -> (Permissions, Vec<Shown>, Vec<String>) {
        let mut faults = Faults::default();
        let mut file: Table = file.parse().unwrap();
        let (permissions, shown) = read(file.remove("permissions"), &mut faults);
        (permissions, shown, faults.texts())
    }

    #[test]
    fn permissions_are_declared_in_the_file_and_shown() {
        let (permissions, shown, faults) =
            of("[[permissions]]\nname = \"conversations:read\"\nroles = [\"owner\", \"agent\"]\n\
             description = \"Reads conversations.\"\n[[permissions]]\nname = \"calls:make\"\nroles = [\"owner\"]\n\
             level = \"tenant\"\ndescription = \"Makes calls.\"\n");
        assert_eq!(faults, Vec::<String>::new());
        let all: Vec<_> = permissions.iter().map(|one| (one.name.as_str(), one.roles.clone(), one.level)).collect();
        assert_eq!(
            all,
            [
                ("conversations:read", vec![Role::Owner, Role::Agent], Level::Workspace),
                ("calls:make", vec![Role::Owner], Level::Tenant)
            ]
        );
        let said: Vec<_> = shown.iter().map(|one| (one.name.as_str(), one.value.as_deref(), one.source)).collect();
        assert_eq!(said[1], ("permissions[1].roles", Some("owner, agent"), "file"));
        assert_eq!(said[2], ("permissions[1].level", Some("workspace"), "default"));
    }

    #[test]
    fn all_that_is_wrong_is_named_at_once_and_nothing_is_declared() {
        let (permissions, _, faults) = of(
            "[[permissions]]\nname = \"Read\"\nroles = [\"owner\", \"boss\"]\nlevel = \"world\"\n\
             description = \"\"\nrole = 1\n[[permissions]]\nname = \"a:b\"\n[[permissions]]\nname = \"keys:mint\"\nroles = []\n\
             description = \"Mints.\"\n",
        );
        let expected = [
            "\"role\" is not a setting of a permission. Did you mean roles?",
            "number 1 in the settings file: name must be two words",
            "number 1 in the settings file: level must be one of",
            "number 1 in the settings file: description must not be empty",
            "number 1 in the settings file: roles: each must be one of",
            "number 2 in the settings file: missing field `roles`",
            "keys:mint is a name that Tenantry keeps for its own scopes",
            "keys:mint: roles must include owner",
        ];
        assert_eq!(faults.len(), expected.len(), "{faults:#?}");
        for expected in expected {
            assert!(faults.iter().any(|fault| fault.contains(expected)), "{expected}: {faults:#?}");
        }
        assert_eq!(permissions, Permissions::default());
        assert!(of("permissions = 1").2[0].contains("must be a list"));
        assert!(of("permissions = [1]").2[0].contains("is not a table"));
    }
}
