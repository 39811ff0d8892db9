//! What is due without anybody asking for it.

use tenantry_domain::{
    Action, Change, Credential, Error, Holder, InTenant, Origin, PageLimit, PageRequest, Platform, Sort, TenantId,
};
use tenantry_persistence::{Store, TenantFilter};

const ERASE: &str = "erase deleted workspaces";
const CLEAR: &str = "clear the outbox";

/// Erases the workspaces of all tenants that were deleted longer ago than they can be restored; returns how many. Safe to
/// run on several replicas at once, and to stop at any point.
///
/// # Errors
///
/// Those of [`Store::write`].
pub async fn erase_deleted_workspaces(store: &Store) -> Result<usize, Error> {
    let mut erased = 0;
    let mut tenants = Tenants::new(ERASE);
    while let Some(ids) = tenants.next(store).await? {
        for id in ids {
            while erase_one(store, id).await? {
                erased += 1;
            }
        }
    }
    Ok(erased)
}

/// Deletes what nobody needs any more, 30 days after it was over: messages that were sent or dropped, and tokens of invitations
/// that were accepted or revoked or have expired. Returns how many rows. Safe as above.
///
/// # Errors
///
/// Those of [`Store::write`].
pub async fn clear_outbox(store: &Store) -> Result<usize, Error> {
    let mut cleared = 0;
    let mut tenants = Tenants::new(CLEAR);
    while let Some(ids) = tenants.next(store).await? {
        for id in ids {
            loop {
                let some = clear_some(store, id).await?;
                cleared += some;
                if some == 0 {
                    break;
                }
            }
        }
    }
    Ok(cleared)
}

async fn erase_one(store: &Store, tenant: TenantId) -> Result<bool, Error> {
    store
        .write(&job(ERASE, Some(tenant)), InTenant, Action::WorkspaceErase, |tx| {
            Ok(match tx.erase_a_workspace()? {
                Some(workspace) => Change::removed(true, workspace.id, &workspace.details.fields()),
                None => Change::nothing(false),
            })
        })
        .await
}

async fn clear_some(store: &Store, tenant: TenantId) -> Result<usize, Error> {
    store
        .write(&job(CLEAR, Some(tenant)), InTenant, Action::OutboxDeliver, |tx| {
            Ok(Change::bookkeeping(tx.clear_messages()? + tx.clear_tokens()?))
        })
        .await
}

/// All tenants, a page at a time.
struct Tenants {
    job: &'static str,
    request: Option<PageRequest>,
}

impl Tenants {
    fn new(job: &'static str) -> Self {
        Self { job, request: Some(PageRequest { limit: PageLimit::default(), sort: Sort::default(), after: None }) }
    }

    async fn next(&mut self, store: &Store) -> Result<Option<Vec<TenantId>>, Error> {
        let Some(request) = self.request.take() else { return Ok(None) };
        let this = request.clone();
        let page = store
            .read(&job(self.job, None), Platform, Action::TenantList, move |tx| {
                tx.tenants(&TenantFilter::default(), &this)
            })
            .await?;
        self.request = page.next.map(|next| PageRequest { after: Some(next), ..request });
        Ok(Some(page.items.into_iter().map(|tenant| tenant.id).collect()))
    }
}

fn job(name: &'static str, tenant: Option<TenantId>) -> Credential {
    Credential { holder: Holder::Job { name, tenant }, origin: Origin::default() }
}
