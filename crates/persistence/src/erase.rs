//! Erasure: everything of a tenant that was deleted long enough ago, its audit log too. The service's role cannot delete a tenant
//! or an audit event, on purpose; so this is the owner's, on a connection of its own beside the door.

use chrono::{DateTime, Duration, Utc};
use diesel::{
    Connection, IntoSql, OptionalExtension, PgConnection, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    dsl::now,
    sql_query,
    sql_types::{Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use tenantry_domain::{Actor, TENANT_RESTORABLE_DAYS, TenantId};
use uuid::Uuid;

use crate::{
    fault::{Fault, Kind},
    platform,
    pool::establish,
};

/// Who erases, for the log of the platform.
const ERASE: &str = "erase tenants";

/// Every table of a tenant, each before those that it refers to; `tenants` itself comes after all of them. A test compares the
/// list with the catalogue.
pub const ERASED_TABLES: &[&str] = &[
    "idempotency_keys",
    "agent_metadata",
    "member_metadata",
    "workspace_metadata",
    "brand_metadata",
    "webhook_deliveries",
    "webhooks",
    "outbox_messages",
    "invitation_tokens",
    "invitation_workspaces",
    "invitations",
    "assignments",
    "members",
    "api_keys",
    "usage_entries",
    "usage_months",
    "agents",
    "integrations",
    "workspaces",
    "brands",
    "audit_events",
];

/// Why nothing was erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The database does not answer or does not let the owner in.
    #[error("cannot connect to the database: {0}")]
    Connect(#[from] diesel::ConnectionError),
    /// A statement failed, and all of this tenant is still there.
    #[error("the database refused: {0}")]
    Database(#[from] diesel::result::Error),
    /// The platform could not be told, and all of this tenant is still there.
    #[error("cannot tell the platform: {0}")]
    Platform(String),
    /// There is no such tenant.
    #[error("Tenant not found")]
    NotFound,
    /// The tenant is not deleted.
    #[error(
        "This tenant is not deleted. Only tenants that were deleted at least {TENANT_RESTORABLE_DAYS} days ago can be erased."
    )]
    NotDeleted,
    /// The tenant can still be restored.
    #[error("This tenant can be restored until {} and cannot be erased before then.", .0.format("%Y-%m-%d %H:%M UTC"))]
    NotDue(DateTime<Utc>),
}

impl From<Fault> for EraseError {
    fn from(Fault(kind): Fault) -> Self {
        match kind {
            Kind::Database(error) => Self::Database(error),
            Kind::Refused(error) => Self::Platform(format!("{error:?}")),
        }
    }
}

/// A connection of the owner. Row security is forced, so that it binds the owner too: each transaction stands in one tenant and
/// could not delete anything of another. The last thing it does to a tenant is done in the platform's own, see [`TenantId::PLATFORM`].
pub struct Eraser {
    connection: PgConnection,
}

/// What was erased of a tenant, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// Which tenant.
    pub tenant: TenantId,
    /// Its name.
    pub name: String,
    /// How many rows of each table, in the order of [`ERASED_TABLES`].
    pub rows: Vec<(&'static str, usize)>,
}

#[derive(QueryableByName)]
struct Deleted {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    deleted_at: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

impl Eraser {
    /// Connects as the owner.
    ///
    /// # Errors
    ///
    /// See [`EraseError`].
    pub fn connect(owner_url: &str) -> Result<Self, EraseError> {
        let mut connection = establish(owner_url)?;
        // Who waits for somebody's lock gives way, and the tenant is erased the next time.
        connection.batch_execute(
            "SET application_name = 'tenantry erase'; SET lock_timeout = '5s'; SET client_min_messages = 'warning'",
        )?;
        Ok(Self { connection })
    }

    /// The tenants that can no longer be restored, the longest deleted first.
    ///
    /// # Errors
    ///
    /// See [`EraseError`].
    pub fn due(&mut self) -> Result<Vec<TenantId>, EraseError> {
        let rows: Vec<Due> = within(&mut self.connection, "SELECT set_platform()", |connection| {
            let sql = format!("SELECT id FROM tenants WHERE {} ORDER BY deleted_at, id", due());
            Ok(sql_query(sql).load(connection)?)
        })?;
        Ok(rows.into_iter().map(|row| TenantId::from_uuid(row.id)).collect())
    }

    /// Erases a tenant, in one transaction; returns what was erased. `None` while another process is at it, or has locked it for
    /// something else.
    ///
    /// # Errors
    ///
    /// [`EraseError::NotFound`], [`EraseError::NotDeleted`] and [`EraseError::NotDue`] for one that is not to be erased, and
    /// faults of the database.
    pub fn erase(&mut self, tenant: TenantId) -> Result<Option<Erased>, EraseError> {
        within(&mut self.connection, &in_tenant(tenant), |connection| erase_all(connection, tenant))
    }

    /// What [`Eraser::erase`] would do now: does it and rolls it back.
    ///
    /// # Errors
    ///
    /// Those of [`Eraser::erase`].
    pub fn rehearse(&mut self, tenant: TenantId) -> Result<Option<Erased>, EraseError> {
        let mut erased = None;
        let outcome = within(&mut self.connection, &in_tenant(tenant), |connection| {
            erased = erase_all(connection, tenant)?;
            Err::<(), _>(diesel::result::Error::RollbackTransaction.into())
        });
        match outcome {
            Ok(()) | Err(EraseError::Database(diesel::result::Error::RollbackTransaction)) => Ok(erased),
            Err(error) => Err(error),
        }
    }
}

pub(crate) fn in_tenant(tenant: TenantId) -> String {
    format!("SELECT set_tenant('{tenant}')")
}

fn erase_all(connection: &mut PgConnection, tenant: TenantId) -> Result<Option<Erased>, EraseError> {
    let name = check(connection, tenant)?;
    // It may have been restored since, or be in somebody else's hands.
    let lock = format!("SELECT id FROM tenants WHERE id = $1 AND {} FOR UPDATE SKIP LOCKED", due());
    let locked = sql_query(lock).bind::<SqlUuid, _>(tenant.uuid()).get_result::<Due>(connection).optional()?;
    if locked.is_none() {
        return Ok(None);
    }
    let mut rows = Vec::new();
    for table in ERASED_TABLES {
        let sql = format!("DELETE FROM {table} WHERE tenant_id = $1");
        rows.push((*table, sql_query(sql).bind::<SqlUuid, _>(tenant.uuid()).execute(connection)?));
    }
    sql_query("DELETE FROM tenants WHERE id = $1").bind::<SqlUuid, _>(tenant.uuid()).execute(connection)?;
    platform::forget(connection, tenant, &Actor::Job(ERASE))?;
    Ok(Some(Erased { tenant, name, rows }))
}

/// What can no longer be restored.
fn due() -> String {
    format!("deleted_at <= now() - make_interval(days => {TENANT_RESTORABLE_DAYS})")
}

/// The name of a tenant that can be erased.
fn check(connection: &mut PgConnection, tenant: TenantId) -> Result<String, EraseError> {
    let row: Option<Deleted> = sql_query("SELECT name, deleted_at FROM tenants WHERE id = $1")
        .bind::<SqlUuid, _>(tenant.uuid())
        .get_result(connection)
        .optional()?;
    let Deleted { name, deleted_at } = row.ok_or(EraseError::NotFound)?;
    let deleted_at = deleted_at.ok_or(EraseError::NotDeleted)?;
    let until = deleted_at + Duration::days(TENANT_RESTORABLE_DAYS.into());
    let clock: DateTime<Utc> = diesel::select(now.into_sql::<Timestamptz>()).get_result(connection)?;
    if until > clock { Err(EraseError::NotDue(until)) } else { Ok(name) }
}

/// A transaction that stands where this statement says.
pub(crate) fn within<T>(
    connection: &mut PgConnection,
    stand: &str,
    work: impl FnOnce(&mut PgConnection) -> Result<T, EraseError>,
) -> Result<T, EraseError> {
    #[expect(clippy::disallowed_methods, reason = "beside the door on purpose: the door's role must not be able to")]
    connection.transaction(|connection| {
        connection.batch_execute(stand)?;
        work(connection)
    })
}
