//! The voices of a workspace: list.

use chrono::{DateTime, Utc};
use tenantry_auth::seal::MasterKeys;
use tenantry_domain::{Action, Credential, Error, InWorkspace, Provider};
use tenantry_persistence::Store;

use crate::{
    integrations,
    providers::{Catalogue, ElevenLabs, Voices},
};

/// The voices that agents of the workspace can speak with: those of the account of ElevenLabs too that it is connected to. The
/// provider is asked outside of any transaction.
///
/// # Errors
///
/// Those of [`integrations::open`] and of [`Catalogue::voices`].
pub async fn list(
    store: &Store,
    keys: &MasterKeys,
    catalogue: &Catalogue,
    credential: &Credential,
    workspace: impl Into<InWorkspace>,
    now: DateTime<Utc>,
) -> Result<Voices, Error> {
    let (integration, fields) =
        integrations::open(store, keys, credential, workspace, Provider::ElevenLabs, Action::VoiceList).await?;
    let account = fields.as_ref().map(ElevenLabs::of).transpose()?;
    let place = (integration.tenant_id, integration.workspace_id);
    catalogue.voices(account.as_ref(), place, now).await
}
