//! All routes, and the OpenAPI document that follows from them.

use utoipa::{OpenApi as _, openapi::tag::TagBuilder};
use utoipa_actix_web::{AppExt, service_config::ServiceConfig};

use crate::{about, api, callfluent, openapi, part::Part};

/// All parts, in the order of the document.
fn parts() -> impl Iterator<Item = Part> {
    api::PARTS.iter().copied().chain([callfluent::workspace::PART, api::admin::PART, about::PART])
}

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
    openapi::complete(&mut document);
    document
}
