//! The calendars of a workspace: list.

use chrono::{DateTime, Utc};
use tenantry_auth::seal::MasterKeys;
use tenantry_domain::{Action, Conflict, Credential, Error, InWorkspace, Provider};
use tenantry_persistence::Store;

use crate::{
    integrations::{self, Opened, Renewing},
    providers::{Calendars, Catalogue, HighLevel, is_refusal},
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
    let fields = fields.ok_or_else(not_connected)?;
    let place = (integration.tenant_id, integration.workspace_id);
    let renewing = Renewing::of(store, keys, catalogue.providers(), credential, now);
    let ask = async |opened: &Opened| catalogue.calendars(&HighLevel::of(&opened.fields)?, place, now).await;
    let refused = |answer: &Result<Calendars, Error>| answer.as_ref().is_err_and(is_refusal);
    renewing.ask(Opened { integration, fields }, ask, refused).await?.1
}

fn not_connected() -> Error {
    Error::conflict(
        Conflict::NotConnected,
        "This workspace is not connected to HighLevel. Set its access token and location id first.",
    )
}
