//! Parts of the API.

use utoipa_actix_web::service_config::ServiceConfig;

/// A tag of the document, and routes under it. Path and documentation of a route stand at its handler.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    /// The tag.
    pub(crate) tag: &'static str,
    /// What is under the tag, in a sentence; `None` where another part says it.
    pub(crate) about: Option<&'static str>,
    /// Adds the routes.
    pub(crate) routes: fn(&mut ServiceConfig<'_>),
}
