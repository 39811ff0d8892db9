//! Asks Tenantry whose a credential is, and whether its holder may do what they ask for.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

pub struct Tenantry {
    client: reqwest::Client,
    url: String,
    service_key: String,
}

/// Whose the credential is.
pub struct Caller {
    pub tenant: Tenant,
}

#[derive(Deserialize)]
pub struct Tenant {
    pub id: String,
}

/// Why the caller does not get in.
#[derive(Debug)]
pub enum Refusal {
    Unauthorized,
    Forbidden,
    NotFound,
    Unavailable,
}

#[derive(Deserialize)]
struct Introspection {
    active: bool,
    tenant: Option<Tenant>,
    #[serde(default)]
    answers: Vec<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    allowed: bool,
    reason: Option<String>,
}

impl Tenantry {
    pub fn new(url: String, service_key: String) -> reqwest::Result<Self> {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(2)).build()?;
        Ok(Self { client, url, service_key })
    }

    /// The caller, if they have this permission in this workspace.
    pub async fn guard(&self, headers: &HeaderMap, permission: &str, workspace: &str) -> Result<Caller, Refusal> {
        let token = bearer(headers).ok_or(Refusal::Unauthorized)?;
        let found = self.introspect(token, permission, workspace).await.map_err(|error| {
            // Nobody gets in, and nobody is told that their credential is wrong.
            tracing::error!("Tenantry cannot be asked: {error:?}");
            Refusal::Unavailable
        })?;
        let (true, Some(tenant), Some(answer)) = (found.active, found.tenant, found.answers.first()) else {
            return Err(Refusal::Unauthorized);
        };
        match answer.reason.as_deref() {
            None if answer.allowed => Ok(Caller { tenant }),
            Some("not_found") => Err(Refusal::NotFound),
            reason => {
                if reason == Some("unknown_permission") {
                    tracing::error!("{permission} is not declared in Tenantry's settings");
                }
                Err(Refusal::Forbidden)
            }
        }
    }

    async fn introspect(&self, token: &str, permission: &str, workspace: &str) -> reqwest::Result<Introspection> {
        let question = json!({ "permission": permission, "workspaceId": workspace });
        let request = self.client.post(format!("{}/api/introspect", self.url)).bearer_auth(&self.service_key);
        let answer = request.json(&json!({ "token": token, "questions": [question] })).send().await?;
        answer.error_for_status()?.json().await
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, why) = match self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "A valid API key or access token is required."),
            Self::Forbidden => (StatusCode::FORBIDDEN, "Your credential does not allow this."),
            Self::NotFound => (StatusCode::NOT_FOUND, "Workspace not found."),
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "Access cannot be checked right now. Try again in a moment.")
            }
        };
        let body = Json(json!({ "error": why }));
        match self {
            Self::Unauthorized => (status, [(header::WWW_AUTHENTICATE, "Bearer")], body).into_response(),
            Self::Unavailable => (status, [(header::RETRY_AFTER, "5")], body).into_response(),
            Self::Forbidden | Self::NotFound => (status, body).into_response(),
        }
    }
}
