//! The questions that are asked most: which workspace is this, and may this caller see it? Who is this caller? In the
//! [lane](crate::lane) if there is one, and else at the [door](crate::door), with the same answer.

use tenantry_domain::{
    Action, Actor, ApiKey, Brand, Change, Credential, Error, Grant, Identified, InTenant, InWorkspace, LimitsInForce,
    Member, Noun, Reach, Tenant, TenantId, Workspace, WorkspaceId, permit,
};
use uuid::Uuid;

use crate::{
    admission::{Learned, judge},
    api_keys,
    door::{Access, Store},
    fault::Fault,
    key_uses::KeyUse,
    lane::{Asks, CallerRows, EffectiveRows, Found, IntrospectionRows, Question, Rows},
    members,
    places::{FoundInTenant, FoundWorkspace, Place, Sight, Visitor, WholeWorkspace},
    seats::Party,
    tx::Tx,
};

/// What whoever asks for a workspace does.
pub(crate) const ACTION: Action = Action::WorkspaceRead;

/// The caller, its tenant and how much of it the caller sees.
#[derive(Debug)]
pub struct Me {
    /// The tenant.
    pub tenant: Tenant,
    /// Who it is.
    pub caller: Caller,
    /// How many workspaces it sees.
    pub visible_workspaces: i64,
}

/// What its tenant knows of a credential that somebody else was shown.
#[derive(Debug)]
pub struct Introspected {
    /// The tenant.
    pub tenant: Tenant,
    /// Whose it is.
    pub caller: Caller,
    /// What it has been given.
    pub grant: Grant,
    /// Which of the workspaces it sees, in the order in which they were asked for.
    pub seen: Vec<bool>,
}

/// Whom a tenant lets in.
#[derive(Debug)]
pub enum Caller {
    /// A machine, by this key.
    ApiKey(ApiKey),
    /// A person: this member.
    Member(Member),
}

/// Where a look-up stands, as far as it was found.
enum Stand {
    Tenant(TenantId),
    Workspace(FoundWorkspace),
}

impl FoundInTenant for Stand {
    fn tenant(&self) -> TenantId {
        match self {
            Self::Tenant(id) => *id,
            Self::Workspace(found) => found.tenant,
        }
    }

    fn is_at(&self) -> Option<(Noun, Uuid)> {
        match self {
            Self::Tenant(id) => FoundInTenant::is_at(id),
            Self::Workspace(found) => FoundInTenant::is_at(found),
        }
    }

    fn visible(&self, reach: Reach) -> bool {
        match self {
            Self::Tenant(id) => FoundInTenant::visible(id, reach),
            Self::Workspace(found) => FoundInTenant::visible(found, reach),
        }
    }
}

impl Caller {
    /// Whose the rows are.
    fn of_rows(key: Option<api_keys::Row>, member: Option<members::Row>) -> Result<Self, Fault> {
        match (key, member) {
            (Some(key), _) => Ok(Self::ApiKey(key.into_api_key()?)),
            (None, Some(member)) => Ok(Self::Member(member.into_member()?)),
            (None, None) => Err(nobody().into()),
        }
    }

    /// Who is at work.
    fn of(tx: &mut Tx<'_, InTenant>) -> Result<Self, Fault> {
        match *tx.actor() {
            Actor::ApiKey(id) => Ok(Self::ApiKey(tx.api_key(id)?)),
            Actor::Member(id) => Ok(Self::Member(tx.member_with_id(id)?)),
            _ => Err(nobody().into()),
        }
    }
}

impl Stand {
    fn of(rows: &Rows, tenant: TenantId) -> Option<Self> {
        match rows {
            Rows::Workspace(found) => found.as_ref().map(|(place, _)| Self::Workspace(*place)),
            Rows::Effective(found) => found.as_ref().map(|(place, ..)| Self::Workspace(*place)),
            Rows::Facts(found) => found.as_ref().map(|(place, ..)| Self::Workspace(*place)),
            Rows::Caller(_) | Rows::Introspection(_) => Some(Self::Tenant(tenant)),
        }
    }
}

impl Store {
    /// A workspace.
    ///
    /// # Errors
    ///
    /// See [`Store::read`].
    pub async fn workspace(&self, credential: &Credential, place: InWorkspace) -> Result<Workspace, Error> {
        match self.look_up(credential, Asks::Workspace(place), (Workspace::NOUN, ACTION)).await? {
            Some((_, Rows::Workspace(Some((_, row))))) => row.into_workspace().map_err(Fault::into_error),
            _ => self.read(credential, WholeWorkspace(place), ACTION, |tx| tx.whole_workspace()).await,
        }
    }

    /// A workspace with what decides what is in force in it: its brand, and its limits together with the tenant's.
    ///
    /// # Errors
    ///
    /// See [`Store::read`].
    pub async fn workspace_with_brand(
        &self,
        credential: &Credential,
        place: InWorkspace,
    ) -> Result<(Workspace, Brand, LimitsInForce), Error> {
        let rows = self.look_up(credential, Asks::Effective(place), (Workspace::NOUN, ACTION)).await?;
        if let Some((_, Rows::Effective(Some((_, row, more))))) = rows {
            let of_rows = || {
                let EffectiveRows { limits, tenant, brand } = *more;
                let in_force = limits.into_limits()?.within(tenant.into_tenant()?.limits);
                Ok((row.into_workspace()?, brand.into_brand()?, in_force))
            };
            return of_rows().map_err(Fault::into_error);
        }
        self.read(credential, place, ACTION, |tx| {
            Ok((tx.workspace()?, tx.brand_of_workspace()?, tx.limits()?.in_force))
        })
        .await
    }

    /// Who the caller is, in the eyes of its tenant.
    ///
    /// # Errors
    ///
    /// See [`Store::read`]; `Forbidden` for whoever is neither a key nor a member of a tenant.
    pub async fn me(&self, credential: &Credential) -> Result<Me, Error> {
        let rows = self.look_up(credential, Asks::Caller, (Tenant::NOUN, Action::MeRead)).await?;
        if let Some((grant, Rows::Caller(rows))) = rows {
            let of_rows = || {
                let CallerRows { tenant, key, member, workspaces, reached } = *rows;
                let caller = Caller::of_rows(key, member)?;
                let visible_workspaces = match grant.reach() {
                    Reach::Tenant => workspaces,
                    Reach::Brand(_) | Reach::Workspace(_) | Reach::Assigned(_) => reached,
                    Reach::Nothing => 0,
                };
                Ok(Me { tenant: tenant.into_tenant()?, caller, visible_workspaces })
            };
            return of_rows().map_err(Fault::into_error);
        }
        self.read(credential, InTenant, Action::MeRead, |tx| {
            let caller = Caller::of(tx)?;
            let (tenant, visible_workspaces) = tx.tenant_and_reached()?;
            Ok(Me { tenant, caller, visible_workspaces })
        })
        .await
    }

    /// What its tenant knows of a credential that somebody else was shown, and which of these workspaces it sees. The tenant is asked
    /// as by whoever may ask who they are. It is not the request of that caller, so that no `Idempotency-Key` concerns it.
    ///
    /// # Errors
    ///
    /// See [`Store::read`].
    pub async fn introspect(&self, shown: &Credential, places: Vec<WorkspaceId>) -> Result<Introspected, Error> {
        let asks = Asks::Introspection(places.as_slice().into());
        let rows = self.look_up(shown, asks, (Tenant::NOUN, Action::MeRead)).await?;
        if let Some((grant, Rows::Introspection(rows))) = rows {
            let of_rows = || {
                let IntrospectionRows { tenant, key, member, places } = *rows;
                let sees = |place: &Option<FoundWorkspace>| place.is_some_and(|found| sees(&grant, found));
                let seen = places.iter().map(sees).collect();
                let (tenant, caller) = (tenant.into_tenant()?, Caller::of_rows(key, member)?);
                Ok(Introspected { tenant, caller, grant, seen })
            };
            return of_rows().map_err(Fault::into_error);
        }
        self.enter(shown, InTenant, Action::MeRead, Access::Read, move |tx| {
            let visitor = Visitor::of(tx.credential);
            let (caller, tenant, grant) = (Caller::of(tx)?, tx.tenant()?, tx.grant().clone());
            let mut seen = Vec::with_capacity(places.len());
            for id in &places {
                let sight = InWorkspace::Id(*id).find(tx.connection, &visitor)?;
                seen.push(sight.and_then(|sight| sight.found).is_some_and(|found| sees(&grant, found)));
            }
            Ok(Change::nothing(Introspected { tenant, caller, grant, seen }))
        })
        .await
    }

    /// What was read in the lane, if the caller may have it, and what it has been given; `None` where the door has to be asked.
    pub(crate) async fn look_up(
        &self,
        credential: &Credential,
        asks: Asks,
        what: (Noun, Action),
    ) -> Result<Option<(Grant, Rows)>, Error> {
        let lane = self.lane.as_ref().filter(|_| !self.rehearsal).zip(credential.tenant());
        let Some((lane, tenant)) = lane else { return Ok(None) };
        let also = asks.also();
        let party = Party::of(credential, &self.recognised);
        let Some(answer) = lane.ask(party, Question::of(credential, asks)).await? else { return Ok(None) };
        let (sight, rows) =
            answer.map(|Found { known, rows }| (Sight { known, found: Stand::of(&rows, tenant) }, rows)).unzip();
        let mut learned = Learned::default();
        let judged = judge(credential, sight, what, &mut learned).and_then(|admitted| {
            also.map_or(Ok(()), |action| permit(&admitted.1, action))?;
            Ok(admitted)
        });
        let grant = self.settle(credential, (tenant, what.1), learned, judged)?;
        Ok(rows.map(|rows| (grant, rows)))
    }

    /// Lets everybody know what was learned of a credential that was judged without the door, as the door does.
    pub(crate) fn settle<F>(
        &self,
        credential: &Credential,
        (tenant, action): (TenantId, Action),
        mut learned: Learned,
        judged: Result<(Actor, Grant, F), Fault>,
    ) -> Result<Grant, Error> {
        learned.tell(&self.recognised, credential, judged.as_ref().err());
        self.refusals.tell(credential, action, &mut learned, judged.as_ref().err());
        if let Some(key) = learned.stale_key {
            self.key_uses.note(KeyUse { tenant, key }, |_| ());
        }
        judged.map(|(_, grant, _)| grant).map_err(Fault::into_error)
    }
}

/// Whether who has this grant may know of the workspace.
fn sees(grant: &Grant, found: FoundWorkspace) -> bool {
    FoundInTenant::visible(&found, grant.reach())
}

fn nobody() -> Error {
    Error::forbidden("Only members and API keys of a tenant can do this.")
}
