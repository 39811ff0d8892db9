//! Who the caller is, in the eyes of the tenant.

use tenantry_domain::{Credential, Error};
use tenantry_persistence::Store;
pub use tenantry_persistence::{Caller, Me};

/// Who the caller is.
///
/// # Errors
///
/// Those of [`Store::me`].
pub async fn show(store: &Store, credential: &Credential) -> Result<Me, Error> {
    store.me(credential).await
}
