//! Erases tenants that can no longer be restored, as the owner of the database.

use tenantry_domain::TenantId;
use tenantry_persistence::{EraseError, Eraser};

/// Erases these tenants as far as they are due, each in a separate transaction. Returns the ids of those that were erased, and the
/// last error. A tenant that cannot be erased now does not hold up the others.
pub(crate) fn erase_due(eraser: &mut Eraser, due: Vec<TenantId>) -> (Vec<TenantId>, Option<EraseError>) {
    let (mut erased, mut fault) = (Vec::new(), None);
    for id in due {
        match eraser.erase(id) {
            Ok(Some(_)) => {
                tracing::info!(tenant = %id, "erased a tenant that was deleted more than 30 days ago");
                erased.push(id);
            }
            // Another process was faster, or the tenant has been restored.
            Ok(None) | Err(EraseError::NotFound | EraseError::NotDeleted | EraseError::NotDue(_)) => {}
            Err(error) => {
                tracing::warn!(tenant = %id, %error, "could not erase a deleted tenant; trying again later");
                fault = Some(error);
            }
        }
    }
    (erased, fault)
}

/// What `tenantry serve` does every hour in its embedded database, which it owns.
pub(crate) fn keep_house(owner_url: &str) {
    let erased = Eraser::connect(owner_url).and_then(|mut eraser| {
        let due = eraser.due()?;
        Ok(erase_due(&mut eraser, due))
    });
    if let Err(error) = erased {
        tracing::warn!(%error, "could not look for deleted tenants; trying again later");
    }
}
