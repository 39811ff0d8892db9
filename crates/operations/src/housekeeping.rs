//! What is due without anybody asking for it.

use tenantry_domain::{
    Action, Change, Credential, Error, Holder, InTenant, Origin, PageLimit, PageRequest, Platform, Sort, Tenant,
    TenantId,
};
use tenantry_persistence::{Store, TenantFilter};

const ERASE: &str = "erase deleted workspaces";

/// Erases the workspaces of all tenants that were deleted longer ago than they can be restored; returns how many. Safe to
/// run on several replicas at once, and to stop at any point.
///
/// # Errors
///
/// Those of [`Store::write`].
pub async fn erase_deleted_workspaces(store: &Store) -> Result<usize, Error> {
    let mut erased = 0;
    let mut request = PageRequest { limit: PageLimit::default(), sort: Sort::default(), after: None };
    loop {
        let page_request = request.clone();
        let page = store
            .read(&job(None), Platform, Action::TenantList, move |tx| {
                tx.tenants(&TenantFilter::default(), &page_request)
            })
            .await?;
        for Tenant { id, .. } in page.items {
            while erase_one(store, id).await? {
                erased += 1;
            }
        }
        match page.next {
            Some(next) => request.after = Some(next),
            None => return Ok(erased),
        }
    }
}

async fn erase_one(store: &Store, tenant: TenantId) -> Result<bool, Error> {
    store
        .write(&job(Some(tenant)), InTenant, Action::WorkspaceErase, |tx| {
            Ok(match tx.erase_a_workspace()? {
                Some(workspace) => Change::removed(true, workspace.id, &workspace.details.members()),
                None => Change::nothing(false),
            })
        })
        .await
}

fn job(tenant: Option<TenantId>) -> Credential {
    Credential { holder: Holder::Job { name: ERASE, tenant }, origin: Origin::default() }
}
