//! The calendars of a workspace: list.

use chrono::{DateTime, Utc};
use tenantry_auth::seal::MasterKeys;
use tenantry_domain::{Action, Conflict, Credential, Error, InWorkspace, Provider};
use tenantry_persistence::Store;

use crate::{
    integrations,
    providers::{Calendars, Catalogue, HighLevel},
};

/// The calendars of the location in HighLevel that the workspace is connected to. The provider is asked outside of any transaction.
///
/// # Errors
///
/// Those of [`integrations::open`] and of [`Catalogue::calendars`], and `Conflict` for a workspace that is not connected.
pub async fn list(
    store: &Store,
    keys: &MasterKeys,
    catalogue: &Catalogue,
    credential: &Credential,
    workspace: impl Into<InWorkspace>,
    now: DateTime<Utc>,
) -> Result<Calendars, Error> {
    let (integration, fields) =
        integrations::open(store, keys, credential, workspace, Provider::GoHighLevel, Action::CalendarList).await?;
    let account = fields.as_ref().map(HighLevel::of).transpose()?;
    let place = (integration.tenant_id, integration.workspace_id);
    let account = account.ok_or_else(not_connected)?;
    catalogue.calendars(&account, place, now).await
}

fn not_connected() -> Error {
    Error::conflict(
        Conflict::NotConnected,
        "This workspace is not connected to HighLevel. Set its access token and location id first.",
    )
}
