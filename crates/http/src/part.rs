//! Parts of the API.

use utoipa_actix_web::service_config::ServiceConfig;

/// What readers look for: the heading over some tags in the left column of a documentation page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Workspaces,
    Tenant,
    People,
    CallFluent,
    Operators,
}

impl Group {
    /// All groups with their headings, in the order of the page.
    pub(crate) const ALL: [(Self, &str); 5] = [
        (Self::Workspaces, "Workspaces"),
        (Self::Tenant, "Tenant"),
        (Self::People, "People and access"),
        (Self::CallFluent, "For CallFluent clients"),
        (Self::Operators, "For operators"),
    ];
}

/// A tag of the document, and routes under it. Path and documentation of a route stand at its handler.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    /// The tag.
    pub(crate) tag: &'static str,
    /// Where the tag stands, and what is under it in a sentence; `None` where another part says it.
    pub(crate) about: Option<(Group, &'static str)>,
    /// Adds the routes.
    pub(crate) routes: fn(&mut ServiceConfig<'_>),
}
