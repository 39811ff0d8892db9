//! What is asked for often and is one statement, read in one round trip: a page of workspaces in the order of creation, all of them or those
//! with a text in their names; and the tenant with what it uses. Who does not reach all of the tenant, and who asks for more, is answered
//! at the [door](crate::door).

use diesel::{PgConnection, QueryResult};
use tenantry_domain::{
    Action, Credential, Error, Holder, InTenant, Noun, Page, PageRequest, Reach, SortBy, Tenant, TenantId, Use, Weight,
    Workspace, WorkspaceState,
};

use crate::{
    admission::{Learned, judge},
    attempt::Attempt,
    door::Store,
    fault::Fault,
    lane::{Lane, PageOfWorkspaces, alone},
    places::{Known, Sight, Visitor},
    pool::Session,
    seats::Party,
    standby::Staleness,
    workspaces::{Row, WorkspaceFilter},
};

impl Store {
    /// A page of workspaces, as it was at one moment. Only who may restore deleted ones may list them.
    ///
    /// # Errors
    ///
    /// See [`Store::read`].
    pub async fn page_of_workspaces(
        &self,
        credential: &Credential,
        filter: WorkspaceFilter,
        page: PageRequest,
    ) -> Result<Page<Workspace>, Error> {
        if let Some(page) = self.page_alone(credential, &filter, &page).await? {
            return Ok(page);
        }
        self.read(credential, InTenant, Action::WorkspaceList, move |tx| {
            if filter.state == WorkspaceState::Deleted {
                tx.permit(Action::WorkspaceRestore)?;
            }
            tx.workspaces(&filter, &page)
        })
        .await
    }

    async fn page_alone(
        &self,
        credential: &Credential,
        filter: &WorkspaceFilter,
        page: &PageRequest,
    ) -> Result<Option<Page<Workspace>>, Error> {
        let only_sought = WorkspaceFilter { search: filter.search.clone(), ..WorkspaceFilter::default() };
        if *filter != only_sought || page.sort.by != SortBy::CreatedAt {
            return Ok(None);
        }
        let asked = PageOfWorkspaces { search: filter.search.clone(), page: page.clone() };
        let read = move |connection: &mut PgConnection, name: Option<&str>, visitor: &Visitor| {
            alone::page(connection, name, visitor, &asked)
        };
        let rows = self.read_alone(credential, Action::WorkspaceList, read).await?;
        let Some(rows) = rows.flatten() else { return Ok(None) };
        let workspaces: Result<_, Fault> = rows.into_iter().map(Row::into_workspace).collect();
        Ok(Some(Page::cut(workspaces.map_err(Fault::into_error)?, page)))
    }

    /// The tenant, and how much it uses of its limits.
    ///
    /// # Errors
    ///
    /// See [`Store::read`].
    pub async fn tenant_and_use(&self, credential: &Credential) -> Result<(Tenant, Use), Error> {
        let read = |connection: &mut PgConnection, name: Option<&str>, visitor: &Visitor| {
            let read = alone::tenant_and_use(connection, name, visitor)?;
            Ok(read.map(|((known, row, counts), pending)| (known, (row, counts, pending))))
        };
        let Some((row, counts, pending_invitations)) = self.read_alone(credential, Action::TenantRead, read).await?
        else {
            return self.read(credential, InTenant, Action::TenantRead, |tx| tx.tenant_and_use()).await;
        };
        let of_limits = Use { workspaces: counts.workspace_count, members: counts.member_count, pending_invitations };
        Ok((row.into_tenant().map_err(Fault::into_error)?, of_limits))
    }

    /// What one statement reads together with who asks, for who may do this and reaches all of the tenant; otherwise why not. `None` when
    /// the door has to be asked.
    async fn read_alone<T: Send + 'static>(
        &self,
        credential: &Credential,
        action: Action,
        read: impl Fn(&mut PgConnection, Option<&str>, &Visitor) -> QueryResult<Option<(Known, T)>> + Send + Sync + 'static,
    ) -> Result<Option<T>, Error> {
        let Some((lane, tenant)) = self.alone(credential, action) else { return Ok(None) };
        let asks = credential.clone();
        let work = move |connection: &mut PgConnection, session: &Session<'_>| {
            let (known, value) = read(connection, session.name(), &Visitor::of(&asks))?.unzip();
            let sight = known.map(|known| Sight { known, found: Some(tenant) });
            let mut learned = Learned::default();
            let judged = judge(&asks, sight, (Noun::Tenant, action), &mut learned);
            if judged.is_ok() && !session.belongs_to(tenant) {
                // It runs again in the turn of its tenant; nobody sees this.
                return Err(Error::Overloaded.into());
            }
            Ok((judged, learned, value))
        };
        let share = (Party::of(credential, &self.recognised), action.weight());
        let Some((judged, learned, value)) = lane.alone(share, work).await? else { return Ok(None) };
        let grant = self.settle(credential, (tenant, action), learned, judged)?;
        Ok(value.filter(|_| grant.reach() == Reach::Tenant))
    }

    /// The lane and the tenant, where that can be asked there: not what was answered before, which the door finds, and not what may be read
    /// from the second database.
    fn alone(&self, credential: &Credential, action: Action) -> Option<(&Lane, TenantId)> {
        let (Holder::ApiKey { tenant, .. } | Holder::Member { tenant, .. }) = credential.holder else { return None };
        let elsewhere = action.weight() == Weight::Heavy && self.has_standby() && Staleness::current().is_some();
        let lane = self.lane.as_ref().filter(|_| !self.rehearsal && !elsewhere && Attempt::current().is_none());
        lane.map(|lane| (lane, tenant))
    }
}
