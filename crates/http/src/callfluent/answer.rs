//! Envelopes.

use actix_web::HttpResponse;
use serde::Serialize;
use tenantry_domain::{Credential, Holding, PlaceHolder, WorkspaceNumber};
use tenantry_operations::workspaces;
use utoipa::ToSchema;

use super::refusal::Refusal;
use crate::{Service, etag};

/// A workspace in a list.
#[derive(Serialize, ToSchema)]
#[schema(as = CallFluentWorkspace)]
pub(crate) struct Item {
    /// Its number in its tenant.
    #[schema(example = 1)]
    id: i64,
    /// Its name.
    #[schema(example = "First Workspace")]
    name: String,
}

/// Every workspace that the caller sees, by number.
#[derive(Serialize, ToSchema)]
#[schema(as = CallFluentList)]
pub(crate) struct List {
    /// Always true.
    #[schema(example = true)]
    status: bool,
    /// The workspaces.
    data: Vec<Item>,
}

/// Every workspace that the caller sees, by number.
#[derive(Serialize, ToSchema)]
#[schema(as = CallFluentWorkspaces)]
pub(crate) struct Workspaces {
    /// The workspaces.
    workspaces: Vec<Item>,
}

/// Somebody with a place in a workspace.
#[derive(Serialize, ToSchema)]
#[schema(as = CallFluentMember)]
pub(crate) struct Person {
    /// The number of the place, for `invite-delete`.
    #[schema(example = 11)]
    id: i64,
    /// Their address.
    #[schema(example = "ada@example.com")]
    email: String,
    /// Their role.
    #[schema(example = "agent")]
    role: &'static str,
    /// Whether they have not accepted yet.
    #[schema(example = true)]
    pending: bool,
}

impl From<PlaceHolder> for Person {
    fn from(holder: PlaceHolder) -> Self {
        Self {
            id: holder.number.get(),
            email: holder.email.as_str().to_owned(),
            role: holder.role.as_str(),
            pending: matches!(holder.holder, Holding::Invitation(_)),
        }
    }
}

async fn items(service: &Service, credential: &Credential) -> Result<Vec<Item>, Refusal> {
    let all = workspaces::numbered(&service.store, credential).await?;
    let item = |(number, name): (WorkspaceNumber, String)| Item { id: number.get(), name };
    Ok(all.into_iter().map(item).collect())
}

/// `{status: true, data: […]}`, with which every change is answered.
pub(super) async fn list(service: &Service, credential: &Credential) -> Result<HttpResponse, Refusal> {
    Ok(etag::listing().json(List { status: true, data: items(service, credential).await? }))
}

/// `{workspaces: […]}`.
pub(super) async fn workspaces(service: &Service, credential: &Credential) -> Result<HttpResponse, Refusal> {
    Ok(etag::listing().json(Workspaces { workspaces: items(service, credential).await? }))
}
