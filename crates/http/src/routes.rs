//! All routes, and the OpenAPI document that follows from them.

use serde_json::json;
use utoipa::{OpenApi as _, openapi::tag::TagBuilder};
use utoipa_actix_web::{AppExt, service_config::ServiceConfig};

use crate::{
    about, api, callfluent, openapi,
    part::{Group, Part},
};

/// All parts, in the order of the document.
fn parts() -> impl Iterator<Item = Part> {
    api::PARTS.iter().copied().chain([callfluent::workspace::PART, api::admin::PART, about::PART])
}

/// The extension in which documentation pages look for the groups of tags.
const TAG_GROUPS: &str = "x-tagGroups";

/// Adds all routes.
pub(crate) fn all(config: &mut ServiceConfig<'_>) {
    parts().for_each(|part| (part.routes)(config));
}

/// The OpenAPI 3.1 document of all routes.
pub fn document() -> utoipa::openapi::OpenApi {
    let (_, mut document) =
        actix_web::App::new().into_utoipa_app().openapi(openapi::Base::openapi()).configure(all).split_for_parts();
    let tag = |part: Part| Some(TagBuilder::new().name(part.tag).description(Some(part.about?.1)).build());
    document.tags = Some(parts().filter_map(tag).collect());
    let groups = Group::ALL.map(|(group, name)| {
        let parts = parts().filter(|part| part.about.is_some_and(|(of, _)| of == group));
        json!({ "name": name, "tags": parts.map(|part| part.tag).collect::<Vec<_>>() })
    });
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
