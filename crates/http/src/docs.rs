//! The documentation page: Scalar over the OpenAPI document.

use std::sync::{LazyLock, OnceLock};

use actix_web::{HttpRequest, HttpResponse};
use tenantry_domain::Permissions;
use utoipa::openapi::OpenApi;

use crate::{
    extract::IfNoneMatch,
    front::PublicUrl,
    openapi::declare,
    page::{File, Kept, Page, SCRIPT},
};

/// Scripts and requests only to this service. Scalar sets its styles from its script, which needs `unsafe-inline` for styles.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
                      font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page.
pub(crate) static PAGE: LazyLock<Page> = LazyLock::new(|| {
    let files = vec![
        ("scalar.js", File::of_gzip(SCRIPT, include_bytes!(concat!(env!("OUT_DIR"), "/scalar.js.gz")))),
        ("start.js", File::of(SCRIPT, include_str!("docs/start.js"))),
        ("icon.svg", File::of("image/svg+xml", include_str!("docs/icon.svg"))),
    ];
    Page::of("docs", include_str!("docs/page.html"), files, POLICY)
});

/// The document in both forms. Nobody waits for them at the start of the service: they are made for their first reader.
pub(crate) struct Documents {
    server: Option<String>,
    permissions: Permissions,
    json: OnceLock<File>,
    yaml: OnceLock<File>,
}

impl Documents {
    /// Those of a service that is published here, for a product with these permissions.
    pub(crate) fn at(url: Option<&PublicUrl>, permissions: Permissions) -> Self {
        let server = url.map(|url| url.as_str().to_owned());
        Self { server, permissions, json: OnceLock::new(), yaml: OnceLock::new() }
    }

    fn document(&self) -> OpenApi {
        let mut document = crate::document();
        for server in document.servers.iter_mut().flatten() {
            server.url = self.server.clone().unwrap_or_else(|| server.url.clone());
        }
        declare(&mut document, &self.permissions);
        document
    }

    pub(crate) fn json(&self, request: &HttpRequest, known: &IfNoneMatch) -> HttpResponse {
        let made = || File::of("application/json", serde_json::to_string(&self.document()).unwrap_or_default());
        self.json.get_or_init(made).answer(HttpResponse::Ok(), request, known, Kept::AskFirst)
    }

    pub(crate) fn yaml(&self, request: &HttpRequest, known: &IfNoneMatch) -> HttpResponse {
        let made = || File::of("application/yaml", crate::to_yaml(&self.document()).unwrap_or_default());
        self.yaml.get_or_init(made).answer(HttpResponse::Ok(), request, known, Kept::AskFirst)
    }
}
