//! Who may call an operation, as the policy table has it, in the words of the document.

use tenantry_domain::{Action, Choice, Error, Grant, KeyRule, Level, May, MemberId, Role, permit};
use utoipa::openapi::{
    Components,
    security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
};
use uuid::Uuid;

/// The security schemes, each by its name, the form of its credential and what it is.
const SCHEMES: [(&str, &str, &str); 4] = [
    (API_KEY, "tnt_live_v1_…", "An API key of your tenant: `tnt_live_v1_…`."),
    (
        ACCESS_TOKEN,
        "JWT",
        "A member's access token (JWT) from an issuer that the service trusts. The token names the tenant.",
    ),
    (
        PLATFORM_KEY,
        "tnt_plat_v1_…",
        "A platform key of this service, `tnt_plat_v1_…`. It works for `/api/admin`, and for `/api/webhooks` of the platform.",
    ),
    (
        SERVICE_KEY,
        "tnt_svc_v1_…",
        "A service key of this service, `tnt_svc_v1_…`. It works for `/api/introspect` only.",
    ),
];
const API_KEY: &str = "apiKey";
const ACCESS_TOKEN: &str = "accessToken";
const PLATFORM_KEY: &str = "platformKey";
const SERVICE_KEY: &str = "serviceKey";

/// Adds the security schemes.
pub(super) fn describe(components: &mut Components) {
    for (name, form, text) in SCHEMES {
        let scheme =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format(form).description(Some(text)).build();
        components.security_schemes.insert(name.to_owned(), SecurityScheme::Http(scheme).into());
    }
}

/// The roles that may, and whether only about themselves.
fn roles(action: Action) -> impl Iterator<Item = (&'static str, May)> {
    Role::ALL.iter().map(move |(role, word)| (*word, action.rule().role(*role))).filter(|(_, may)| *may != May::No)
}

fn is_for_the_platform(action: Action) -> bool {
    permit(&Grant::Platform, action).is_ok()
}

/// Whether the table allows nobody, because something else decides that a person brings along.
pub(super) fn is_for_people(action: Action) -> bool {
    action.rule().key == KeyRule::Never && roles(action).next().is_none() && !is_for_the_platform(action)
}

/// Whether it takes the credentials of tenants, whose requests are counted.
pub(super) fn is_of_tenants(action: Action) -> bool {
    action.rule().key != KeyRule::Never || roles(action).next().is_some()
}

/// Whether an API key can be refused for a scope that it lacks.
pub(super) fn needs_a_scope(action: Action) -> bool {
    matches!(action.rule().key, KeyRule::Scoped(..))
}

/// Whether a key can be allowed the action that may not read what it writes.
pub(super) fn may_answer_unshown(action: Action) -> bool {
    let scope = |action: Action| match action.rule().key {
        KeyRule::Scoped(scope, _) => Some(scope),
        _ => None,
    };
    action.reader().and_then(scope).is_some_and(|reads| scope(action) != Some(reads))
}

/// The credentials with which the action can be allowed.
pub(super) fn credentials(action: Action) -> Vec<SecurityRequirement> {
    let keys = action.rule().key != KeyRule::Never;
    let platform = is_for_the_platform(action);
    let people = roles(action).next().is_some() || is_for_people(action);
    [(API_KEY, keys), (ACCESS_TOKEN, people), (PLATFORM_KEY, platform)]
        .into_iter()
        .filter(|(_, accepted)| *accepted)
        .map(|(name, _)| SecurityRequirement::new(name, Vec::<String>::new()))
        .collect()
}

/// What the policy answers a role that may not.
pub(super) fn refused_role() -> Error {
    let observer = Grant::Role { member: MemberId::from_uuid(Uuid::nil()), role: Role::Observer };
    permit(&observer, Action::WorkspaceCreate).err().unwrap_or_else(|| Error::forbidden(""))
}

/// Which permission the action needs, in Markdown.
pub(super) fn permission(action: Action) -> String {
    let key = match action.rule().key {
        KeyRule::Any => "any API key".to_owned(),
        KeyRule::Scoped(scope, level) => {
            let reach = match level {
                Level::Tenant => ", not restricted to a brand or workspace",
                Level::Brand => ", not restricted to a workspace",
                Level::Workspace => "",
            };
            format!("an API key with the scope `{scope}`{reach}")
        }
        KeyRule::Never if is_for_the_platform(action) => return "**Permission:** a platform key.".to_owned(),
        KeyRule::Never => "no API keys".to_owned(),
    };
    let word = |(role, may)| format!("`{role}`{}", if may == May::Own { " (own data only)" } else { "" });
    let roles: Vec<_> = roles(action).map(word).collect();
    match roles.as_slice() {
        [] => {
            "**Permission:** your own access token. You need not be a member yet. API keys are not accepted.".to_owned()
        }
        all if all.len() == Role::ALL.len() && !all.iter().any(|role| role.ends_with(')')) => {
            format!("**Permission:** {key}, or a member in any role.")
        }
        some if is_for_the_platform(action) => format!(
            "**Permission:** {key}, or a member in the role {}. With a platform key, it is about what is the platform's own.",
            some.join(", ")
        ),
        some => format!("**Permission:** {key}, or a member in the role {}.", some.join(", ")),
    }
}
