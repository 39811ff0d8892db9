//! A service with one route that Tenantry guards, and one that receives Tenantry's webhooks.

mod tenantry;
mod webhooks;

use std::{env, error::Error, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::HeaderMap,
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    tenantry::{Refusal, Tenantry},
    webhooks::Webhooks,
};

struct App {
    tenantry: Tenantry,
    webhooks: Webhooks,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_ansi(false).init();
    let app = App {
        tenantry: Tenantry::new(
            env::var("TENANTRY_URL").unwrap_or_else(|_| "http://127.0.0.1:8080".to_owned()),
            required("TENANTRY_SERVICE_KEY")?,
        )?,
        webhooks: Webhooks::new(&required("WEBHOOK_SECRET")?)?,
    };
    let router = Router::new()
        .route("/workspaces/{workspace}/conversations", get(conversations))
        .route("/webhooks", post(webhooks::receive))
        .with_state(Arc::new(app));
    let port = env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    tracing::info!("Listening on http://{}", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}

fn required(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("{name} is not set"))
}

async fn conversations(
    State(app): State<Arc<App>>,
    Path(workspace): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let caller = app.tenantry.guard(&headers, "conversations:read", &workspace).await?;
    // Your data is stored under the tenant: the credential says which one, and never the caller.
    Ok(Json(json!({ "tenantId": caller.tenant.id, "workspaceId": workspace, "conversations": [] })))
}
