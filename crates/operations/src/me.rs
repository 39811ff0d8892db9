//! Who the caller is, in the eyes of the tenant.

use tenantry_domain::{Action, Actor, ApiKey, Credential, Error, InTenant, Tenant};
use tenantry_persistence::Store;

/// The caller, its tenant and how much of it the caller sees.
#[derive(Debug)]
pub struct Me {
    /// The tenant.
    pub tenant: Tenant,
    /// The key that was presented.
    pub key: ApiKey,
    /// How many workspaces it sees.
    pub visible_workspaces: i64,
}

/// Who the caller is.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn show(store: &Store, credential: &Credential) -> Result<Me, Error> {
    store
        .read(credential, InTenant, Action::MeRead, |tx| {
            let Actor::ApiKey(id) = *tx.actor() else {
                return Err(Error::forbidden("Only a caller with an API key can ask who it is.").into());
            };
            Ok(Me { tenant: tx.tenant()?, key: tx.api_key(id)?, visible_workspaces: tx.count_workspaces()? })
        })
        .await
}
