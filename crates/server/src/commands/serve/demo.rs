//! The demo data that the first start of an embedded database creates, so that there is something to look up.

use std::net::SocketAddr;

use tenantry_domain::{
    Credential, Error, Limits, LocaleRequest, NewTenant, NewWorkspace, Refusal, TenantId, WorkspaceId, WorkspaceType,
};
use tenantry_operations::{
    Store,
    tenants::{self, Owner},
    workspaces,
};

use crate::commands::tenant::{named_operator, secret};

/// The demo tenant.
pub(super) struct Demo {
    key: String,
    workspace: WorkspaceId,
}

/// Creates the demo tenant if there is no tenant yet.
pub(super) async fn create_if_first(store: &Store) -> Result<Option<Demo>, Error> {
    if tenants::any(store, &first_start(None)?).await? {
        return Ok(None);
    }
    let (tenant, workspace) = examples().map_err(|refusal| Error::internal(format!("the demo tenant {refusal}")))?;
    let founded = tenants::create(store, &first_start(None)?, tenant, Owner::Key).await?;
    let workspace = workspaces::create(store, &first_start(Some(founded.tenant.id))?, None, workspace).await?;
    Ok(Some(Demo { key: secret(&founded), workspace: workspace.id }))
}

fn first_start(tenant: Option<TenantId>) -> Result<Credential, Error> {
    named_operator("first start", tenant)
}

/// The example from the published contract.
fn examples() -> Result<(NewTenant, NewWorkspace), Refusal> {
    let locale = LocaleRequest {
        country: Some("DE".parse()?),
        language: Some("de".parse()?),
        currency: Some("EUR".parse()?),
        workspace_type: Some(WorkspaceType::B2b),
    };
    let instructions = "All prices must include VAT. Refer customers to the German returns policy for DACH orders.";
    let workspace = NewWorkspace {
        name: "DACH Region".parse()?,
        locale,
        workspace_instructions: Some(instructions.parse()?),
        email_signature_html: Some("<p>Freundliche Gruesse,<br>Ihr Acme DACH Team</p>".parse()?),
        email_signature_text: Some("Freundliche Gruesse,\nIhr Acme DACH Team".parse()?),
    };
    Ok((NewTenant { name: "Acme Industrial Supply".parse()?, locale, limits: Limits::default() }, workspace))
}

impl Demo {
    /// What to do next, with a command that can be pasted.
    pub(super) fn banner(&self, address: SocketAddr) -> String {
        let (key, workspace, base) = (&self.key, self.workspace, base(address));
        format!(
            "
  Tenantry is running with a demo tenant: Acme Industrial Supply.

  Documentation   {base}/docs
  API key         {key}
                  Save it now: it is not shown again.

  To look up its workspace:

    curl -H \"Authorization: Bearer {key}\" {base}/api/workspaces/{workspace}

  Press Ctrl-C to stop the service and its database. The data stays.
"
        )
    }
}

/// The banner of every start after the first one.
pub(super) fn later_banner(address: SocketAddr) -> String {
    let base = base(address);
    let program = std::env::args().next().unwrap_or_else(|| "tenantry".to_owned());
    format!(
        "
  Tenantry is running with your existing data.

  Documentation   {base}/docs
  New API key     {program} tenant list
                  {program} key create --tenant NAME --name \"My key\"

  Press Ctrl-C to stop the service and its database. The data stays.
"
    )
}

/// The URL of the service for a browser on this machine.
fn base(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    }
}
