//! The calendars of a workspace: list.

use chrono::{DateTime, Utc};
use tenantry_domain::{Action, Credential, Error, Unauthenticated, WorkspaceId};

use crate::providers::{Calendars, Catalogue, HighLevel};

/// The calendars of the location in HighLevel that the workspace is connected to. `open` goes through the door for this action and
/// brings its token and its location; the provider is asked afterwards.
///
/// # Errors
///
/// Those of `open` and of [`Catalogue::calendars`], and `Conflict` for a workspace that is not connected.
pub async fn list(
    catalogue: &Catalogue,
    credential: &Credential,
    workspace: WorkspaceId,
    open: impl AsyncFnOnce(Action) -> Result<Option<HighLevel>, Error>,
    now: DateTime<Utc>,
) -> Result<Calendars, Error> {
    let account = open(Action::CalendarList).await?;
    let tenant = credential.tenant().ok_or(Error::Unauthenticated(Unauthenticated::Invalid))?;
    let account = account.ok_or_else(not_connected)?;
    catalogue.calendars(&account, (tenant, workspace), now).await
}

fn not_connected() -> Error {
    Error::conflict(
        "not_connected",
        "The workspace is not connected to HighLevel: store an access token and a location.",
    )
}
