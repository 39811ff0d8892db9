//! What a service adds to the document of all services: the permissions that its operator has declared. They stand in the list of
//! scopes, so that a generated client can name them, and in a table for people.

use serde_json::Value;
use tenantry_domain::{Permission, Permissions, Scope};
use utoipa::{
    ToSchema,
    openapi::{Object, OpenApi, RefOr, Schema},
};

use crate::schema::{KNOWN, Word, choice_name};

/// Adds these permissions to the document.
pub(crate) fn declare(document: &mut OpenApi, permissions: &Permissions) {
    if permissions.iter().next().is_none() {
        return;
    }
    let words = || permissions.iter().map(|permission| Value::from(permission.name.as_str()));
    let open = Word::<Scope>::name();
    for (name, schema) in document.components.iter_mut().flat_map(|components| &mut components.schemas) {
        let RefOr::T(Schema::Object(schema)) = schema else { continue };
        if *name == open {
            let known = schema.extensions.as_mut().and_then(|said| said.get_mut(KNOWN)).and_then(Value::as_array_mut);
            known.into_iter().for_each(|known| known.extend(words()));
            described(schema, permissions);
        } else if *name == choice_name(&open) {
            schema.enum_values.iter_mut().for_each(|known| known.extend(words()));
            described(schema, permissions);
        }
    }
    let rows: String = permissions.iter().map(row).collect();
    document.info.description.get_or_insert_default().push_str(&format!(
        "\n## Permissions of this service\n\nBeside Tenantry's scopes, API keys of this service can carry these, and members have \
         them by their role. A key has one only if its restriction is no narrower than the level.\n\n\
         | permission | what it allows | roles | level of a key |\n|---|---|---|---|\n{rows}"
    ));
}

fn described(schema: &mut Object, permissions: &Permissions) {
    let words: Vec<_> = permissions.iter().map(|permission| format!("`{}`", permission.name)).collect();
    schema.description.get_or_insert_default().push_str(&format!(" Of this service: {}.", words.join(", ")));
}

fn row(permission: &Permission) -> String {
    let roles: Vec<_> = permission.roles.iter().map(|role| format!("`{role}`")).collect();
    // A bar in the sentence would begin another column, and markup is the operator's to write and not to inject.
    let text = permission.description.as_str().replace('|', "\\|").replace('<', "&lt;");
    format!("| `{}` | {text} | {} | `{}` |\n", permission.name, roles.join(", "), permission.level)
}
