//! The voices of a workspace: list.

use chrono::{DateTime, Utc};
use tenantry_domain::{Action, Credential, Error, Unauthenticated, WorkspaceId};

use crate::providers::{Catalogue, ElevenLabs, Voices};

/// The voices that agents of the workspace can speak with. `open` goes through the door for this action and brings the account of
/// ElevenLabs that the workspace is connected to, if any; the provider is asked afterwards.
///
/// # Errors
///
/// Those of `open` and of [`Catalogue::voices`].
pub async fn list(
    catalogue: &Catalogue,
    credential: &Credential,
    workspace: WorkspaceId,
    open: impl AsyncFnOnce(Action) -> Result<Option<ElevenLabs>, Error>,
    now: DateTime<Utc>,
) -> Result<Voices, Error> {
    let account = open(Action::VoiceList).await?;
    let tenant = credential.tenant().ok_or(Error::Unauthenticated(Unauthenticated::Invalid))?;
    catalogue.voices(account.as_ref(), (tenant, workspace), now).await
}
