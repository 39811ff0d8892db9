//! API keys of a tenant.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::{exists, now, select},
    pg::Pg,
    prelude::*,
    sql_types::{Text, Timestamptz, Uuid as SqlUuid},
};
use tenantry_domain::{
    ApiKey, ApiKeyDetails, ApiKeyId, BrandId, Error, InTenant, NewApiKey, Noun, Page, PageRequest, Reach, Refusal,
    TenantId, WorkspaceId,
};
use uuid::Uuid;

use crate::{
    brands::unknown_brand,
    fault::{Fault, stored, violates},
    keyset, places,
    schema::{api_keys, brands, workspaces},
    tx::{Tx, WriteTx},
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys, check_for_backend(Pg))]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    name: String,
    mode: String,
    scopes: Vec<String>,
    brand_id: Option<Uuid>,
    workspace_id: Option<Uuid>,
    last_four: String,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Insertable)]
#[diesel(table_name = api_keys)]
struct NewRow<'a> {
    tenant_id: Uuid,
    id: Uuid,
    secret_hash: &'a [u8],
    name: &'a str,
    mode: &'a str,
    scopes: Vec<&'a str>,
    brand_id: Option<Uuid>,
    workspace_id: Option<Uuid>,
    last_four: &'a str,
    expires_at: Option<DateTime<Utc>>,
}

impl Row {
    fn into_api_key(self) -> Result<ApiKey, Fault> {
        let details = ApiKeyDetails {
            name: stored("api_keys.name", &self.name)?,
            mode: stored("api_keys.mode", &self.mode)?,
            scopes: self.scopes.iter().map(|scope| stored("api_keys.scopes", scope)).collect::<Result<_, _>>()?,
            reach: places::reach(self.brand_id, self.workspace_id),
            expires_at: self.expires_at,
        };
        Ok(ApiKey {
            id: ApiKeyId::from_uuid(self.id),
            tenant_id: TenantId::from_uuid(self.tenant_id),
            details,
            last_four: self.last_four,
            revoked_at: self.revoked_at,
            last_used_at: self.last_used_at,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

impl Tx<'_, InTenant> {
    /// A page of the tenant's keys; with `active` only those that work, or only those that no longer do.
    pub fn api_keys(&mut self, active: Option<bool>, page: &PageRequest) -> Result<Page<ApiKey>, Fault> {
        let mut query =
            api_keys::table.filter(api_keys::tenant_id.eq(self.found.uuid())).select(Row::as_select()).into_boxed();
        let expired = api_keys::expires_at
            .is_not_null()
            .and(api_keys::expires_at.assume_not_null().le(now.into_sql::<Timestamptz>()));
        let ended = api_keys::revoked_at.is_not_null().or(expired);
        match active {
            Some(true) => query = query.filter(diesel::dsl::not(ended)),
            Some(false) => query = query.filter(ended),
            None => {}
        }
        if let Some(position) = &page.after {
            query = query.filter(keyset::after("api_keys", page.sort, position));
        }
        let rows =
            query.order(keyset::order("api_keys", page.sort)).limit(keyset::limit(page)).load(self.connection)?;
        Ok(Page::cut(rows.into_iter().map(Row::into_api_key).collect::<Result<_, _>>()?, page))
    }

    /// A key of the tenant.
    pub fn api_key(&mut self, id: ApiKeyId) -> Result<ApiKey, Fault> {
        let row = api_keys::table
            .filter(api_keys::tenant_id.eq(self.found.uuid()).and(api_keys::id.eq(id.uuid())))
            .select(Row::as_select())
            .first(self.connection)
            .optional()?;
        row.ok_or(Error::NotFound(Noun::ApiKey))?.into_api_key()
    }
}

impl WriteTx<'_, InTenant> {
    /// A key of the tenant, locked until the end of the transaction.
    pub fn lock_api_key(&mut self, id: ApiKeyId) -> Result<ApiKey, Fault> {
        let row = api_keys::table
            .filter(api_keys::tenant_id.eq(self.tx.found.uuid()).and(api_keys::id.eq(id.uuid())))
            .select(Row::as_select())
            .for_no_key_update()
            .first(self.tx.connection)
            .optional()?;
        row.ok_or(Error::NotFound(Noun::ApiKey))?.into_api_key()
    }

    /// Stores a new key; what it is restricted to is there.
    pub fn create_api_key(&mut self, id: ApiKeyId, new: &NewApiKey) -> Result<ApiKey, Fault> {
        let tenant = self.tx.found.uuid();
        match new.details.reach {
            Reach::Nothing | Reach::Assigned(_) | Reach::Tenant => {}
            Reach::Brand(id) => {
                let brand = brands::table.filter(brands::tenant_id.eq(tenant).and(brands::id.eq(id.uuid())));
                if !select(exists(brand)).get_result(self.tx.connection)? {
                    return Err(unknown_brand().into());
                }
            }
            Reach::Workspace(id) => {
                let workspace = workspaces::table
                    .filter(workspaces::tenant_id.eq(tenant).and(workspaces::id.eq(id.uuid())))
                    .filter(workspaces::deleted_at.is_null());
                if !select(exists(workspace)).get_result(self.tx.connection)? {
                    return Err(unknown_workspace().into());
                }
            }
        }
        insert(self.tx.connection, self.tx.found, id, new)
    }

    /// Ends a key now.
    pub fn revoke_api_key(&mut self, id: ApiKeyId) -> Result<ApiKey, Fault> {
        diesel::update(
            api_keys::table.filter(api_keys::tenant_id.eq(self.tx.found.uuid()).and(api_keys::id.eq(id.uuid()))),
        )
        .set((api_keys::revoked_at.eq(now), api_keys::version.eq(api_keys::version + 1), api_keys::updated_at.eq(now)))
        .returning(Row::as_returning())
        .get_result(self.tx.connection)?
        .into_api_key()
    }

    /// Ends a key at a time.
    pub fn expire_api_key(&mut self, id: ApiKeyId, at: DateTime<Utc>) -> Result<ApiKey, Fault> {
        diesel::update(
            api_keys::table.filter(api_keys::tenant_id.eq(self.tx.found.uuid()).and(api_keys::id.eq(id.uuid()))),
        )
        .set((api_keys::expires_at.eq(at), api_keys::version.eq(api_keys::version + 1), api_keys::updated_at.eq(now)))
        .returning(Row::as_returning())
        .get_result(self.tx.connection)?
        .into_api_key()
    }
}

pub(crate) fn insert(
    connection: &mut PgConnection,
    tenant: TenantId,
    id: ApiKeyId,
    new: &NewApiKey,
) -> Result<ApiKey, Fault> {
    let (brand_id, workspace_id) = new.details.reach.restriction();
    let row = NewRow {
        tenant_id: tenant.uuid(),
        id: id.uuid(),
        secret_hash: new.hash.as_bytes(),
        name: new.details.name.as_str(),
        mode: new.details.mode.as_str(),
        scopes: new.details.scopes.iter().map(|scope| scope.as_str()).collect(),
        brand_id: brand_id.map(BrandId::uuid),
        workspace_id: workspace_id.map(WorkspaceId::uuid),
        last_four: &new.last_four,
        expires_at: new.details.expires_at,
    };
    diesel::insert_into(api_keys::table)
        .values(row)
        .returning(Row::as_returning())
        .get_result(connection)
        // What it is restricted to was there a moment ago.
        .map_err(|error| match violates(&error, "api_keys_workspace_fkey") {
            true => unknown_workspace().into(),
            false => Fault::unless_violated(error, "api_keys_brand_fkey", unknown_brand),
        })?
        .into_api_key()
}

fn unknown_workspace() -> Error {
    Error::invalid(Refusal::new("not_found", "is not the id of a workspace").of("workspaceId"))
}

/// Writes down that a key was used, once a minute at most, in a transaction of its own after the request's. Several
/// requests may find the record stale at once: one of them writes, none of them waits. A failure is logged and no more.
pub(crate) fn touch(connection: &mut PgConnection, tenant: TenantId, key: ApiKeyId) {
    const TOUCH: &str = "UPDATE api_keys SET last_used_at = now(), version = version + 1
        WHERE tenant_id = $1 AND id = (
            SELECT id FROM api_keys
            WHERE tenant_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
            FOR NO KEY UPDATE SKIP LOCKED)";
    #[expect(
        clippy::disallowed_methods,
        reason = "beside the door on purpose: it must not fail or slow down the request"
    )]
    let outcome = connection.transaction(|connection| {
        diesel::sql_query("SELECT set_tenant($1)").bind::<Text, _>(tenant.to_string()).execute(connection)?;
        diesel::sql_query(TOUCH).bind::<SqlUuid, _>(tenant.uuid()).bind::<SqlUuid, _>(key.uuid()).execute(connection)
    });
    if let Err(error) = outcome {
        tracing::warn!(%error, %key, "could not write down the use of an API key");
    }
}
