//! All routes, and the OpenAPI document that follows from them.

use serde_json::json;
use utoipa::{OpenApi as _, openapi::tag::TagBuilder};
use utoipa_actix_web::{AppExt, service_config::ServiceConfig};

use crate::{about, api, callfluent, openapi, part::Part};

/// All parts, in the order of the document.
fn parts() -> impl Iterator<Item = Part> {
    api::PARTS.iter().copied().chain([callfluent::workspace::PART, api::admin::PART, about::PART])
}

/// The tags by what readers look for, for the left column of a documentation page.
const GROUPS: [(&str, &[Part]); 5] = [
    (
        "Workspaces",
        &[
            api::workspaces::PART,
            api::agents::PART,
            api::usage::PART,
            api::limits::PART,
            api::integrations::PART,
            api::voices::PART,
            api::calendars::PART,
        ],
    ),
    ("Tenant", &[api::tenant::PART, api::brands::PART, api::audit_events::PART]),
    ("People and access", &[api::members::PART, api::invitations::PART, api::api_keys::PART, api::me::PART]),
    ("For CallFluent clients", &[callfluent::workspace::PART]),
    ("For operators", &[api::admin::PART, about::PART]),
];

/// The extension in which documentation pages look for [`GROUPS`].
const TAG_GROUPS: &str = "x-tagGroups";

/// Adds all routes.
pub(crate) fn all(config: &mut ServiceConfig<'_>) {
    parts().for_each(|part| (part.routes)(config));
}

/// The OpenAPI 3.1 document of all routes.
pub fn document() -> utoipa::openapi::OpenApi {
    let (_, mut document) =
        actix_web::App::new().into_utoipa_app().openapi(openapi::Base::openapi()).configure(all).split_for_parts();
    let tag = |part: Part| Some(TagBuilder::new().name(part.tag).description(Some(part.about?)).build());
    document.tags = Some(parts().filter_map(tag).collect());
    let group = |(name, parts): &(&str, &[Part])| {
        let tags: Vec<_> = parts.iter().map(|part| part.tag).collect();
        json!({ "name": name, "tags": tags })
    };
    let groups: Vec<_> = GROUPS.iter().map(group).collect();
    document.extensions = Some([(TAG_GROUPS, json!(groups))].into_iter().collect());
    openapi::complete(&mut document);
    document
}

/// A document in YAML. Times are in quotes: readers of YAML 1.1 would take them for times, and not for the strings that they are.
///
/// # Errors
///
/// It cannot be written.
pub fn to_yaml(document: &utoipa::openapi::OpenApi) -> Result<String, String> {
    let yaml = document.to_yaml().map_err(|error| error.to_string())?;
    let lines = yaml.lines().map(|line| match line.rsplit_once(' ') {
        Some((start, value)) if is_time(value) && start.ends_with([':', '-']) => format!("{start} '{value}'\n"),
        _ => format!("{line}\n"),
    });
    Ok(lines.collect())
}

/// Whether a plain scalar is a time or a date.
fn is_time(value: &str) -> bool {
    value.parse::<chrono::DateTime<chrono::Utc>>().is_ok() || value.parse::<chrono::NaiveDate>().is_ok()
}
