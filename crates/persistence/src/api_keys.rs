//! API keys of a tenant.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::{exists, now, select},
    prelude::*,
    sql_types::Timestamptz,
};
use tenantry_domain::{
    ApiKey, ApiKeyDetails, ApiKeyId, BrandId, Error, InTenant, Maker, NewApiKey, Noun, Page, PageRequest, Reach,
    TenantId, WorkspaceId, unknown_brand, unknown_workspace,
};
use uuid::Uuid;

use crate::{
    fault::{Fault, stored, stored_option, violates},
    keyset::{self, Keyset},
    places,
    schema::{api_keys, brands, workspaces},
    scope::TenantScope,
    tx::{Tx, WriteTx},
};

#[derive(Clone, HasQuery)]
#[diesel(table_name = api_keys)]
pub(crate) struct Row {
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
    created_by: Option<String>,
    replaced_by: Option<Uuid>,
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
    created_by: String,
}

impl Row {
    pub(crate) fn into_api_key(self) -> Result<ApiKey, Fault> {
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
            created_by: stored_option("api_keys.created_by", self.created_by)?,
            revoked_at: self.revoked_at,
            replaced_by: self.replaced_by.map(ApiKeyId::from_uuid),
            last_used_at: self.last_used_at,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// Which API keys a list shows; what is `None` does not restrict it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiKeyFilter {
    /// Only those that work, or only those that no longer do.
    pub active: Option<bool>,
    /// Made by this actor: an id, or a name.
    pub created_by: Option<String>,
}

impl Keyset for api_keys::table {
    type Id = api_keys::id;
    type Name = api_keys::name;
    type CreatedAt = api_keys::created_at;
    type UpdatedAt = api_keys::updated_at;
}

impl Tx<'_, InTenant> {
    /// A page of the tenant's keys.
    pub fn api_keys(&mut self, filter: &ApiKeyFilter, page: &PageRequest) -> Result<Page<ApiKey>, Fault> {
        let mut query = Row::query().filter(api_keys::tenant_id.eq(self.found.uuid())).into_boxed();
        let expired = api_keys::expires_at
            .is_not_null()
            .and(api_keys::expires_at.assume_not_null().le(now.into_sql::<Timestamptz>()));
        let ended = api_keys::revoked_at.is_not_null().or(expired);
        if let Some(id) = &filter.created_by {
            let makers: Vec<_> = Maker::with_id(id).iter().map(ToString::to_string).collect();
            query = query.filter(api_keys::created_by.eq_any(makers));
        }
        match filter.active {
            Some(true) => query = query.filter(diesel::dsl::not(ended)),
            Some(false) => query = query.filter(ended),
            None => {}
        }
        let rows = keyset::page::<api_keys::table, _>(query, page).load(self.connection)?;
        Ok(Page::cut(rows.into_iter().map(Row::into_api_key).collect::<Result<_, _>>()?, page))
    }

    /// A key of the tenant.
    pub fn api_key(&mut self, id: ApiKeyId) -> Result<ApiKey, Fault> {
        let row = Row::query()
            .filter(api_keys::tenant_id.eq(self.found.uuid()).and(api_keys::id.eq(id.uuid())))
            .first(self.connection)
            .optional()?;
        row.ok_or(Error::NotFound(Noun::ApiKey))?.into_api_key()
    }
}

impl WriteTx<'_, InTenant> {
    /// A key of the tenant, locked until the end of the transaction.
    pub fn lock_api_key(&mut self, id: ApiKeyId) -> Result<ApiKey, Fault> {
        let row = Row::query()
            .filter(api_keys::tenant_id.eq(self.found.uuid()).and(api_keys::id.eq(id.uuid())))
            .for_no_key_update()
            .first(self.connection)
            .optional()?;
        row.ok_or(Error::NotFound(Noun::ApiKey))?.into_api_key()
    }

    /// Stores a new key; what it is restricted to is there.
    pub fn create_api_key(&mut self, id: ApiKeyId, new: &NewApiKey) -> Result<ApiKey, Fault> {
        let tenant = self.found.uuid();
        match new.details.reach {
            Reach::Nothing | Reach::Assigned(_) | Reach::Tenant => {}
            Reach::Brand(id) => {
                let brand = brands::table.filter(brands::tenant_id.eq(tenant).and(brands::id.eq(id.uuid())));
                if !select(exists(brand)).get_result(self.connection)? {
                    return Err(unknown_brand().into());
                }
            }
            Reach::Workspace(id) => {
                let workspace = workspaces::table
                    .filter(workspaces::tenant_id.eq(tenant).and(workspaces::id.eq(id.uuid())))
                    .filter(workspaces::deleted_at.is_null());
                if !select(exists(workspace)).get_result(self.connection)? {
                    return Err(unknown_workspace().into());
                }
            }
        }
        let maker = Maker::of(&self.actor);
        self.scope().insert_api_key(id, new, &maker)
    }

    /// Ends a key now.
    pub fn revoke_api_key(&mut self, id: ApiKeyId) -> Result<ApiKey, Fault> {
        diesel::update(
            api_keys::table.filter(api_keys::tenant_id.eq(self.found.uuid()).and(api_keys::id.eq(id.uuid()))),
        )
        .set((api_keys::revoked_at.eq(now), api_keys::version.eq(api_keys::version + 1), api_keys::updated_at.eq(now)))
        .returning(Row::as_returning())
        .get_result(self.connection)?
        .into_api_key()
    }

    /// Ends a key at a time, and notes which one takes its place.
    pub fn replace_api_key(&mut self, id: ApiKeyId, by: ApiKeyId, at: DateTime<Utc>) -> Result<ApiKey, Fault> {
        diesel::update(
            api_keys::table.filter(api_keys::tenant_id.eq(self.found.uuid()).and(api_keys::id.eq(id.uuid()))),
        )
        .set((
            api_keys::expires_at.eq(at),
            api_keys::replaced_by.eq(by.uuid()),
            api_keys::version.eq(api_keys::version + 1),
            api_keys::updated_at.eq(now),
        ))
        .returning(Row::as_returning())
        .get_result(self.connection)?
        .into_api_key()
    }
}

impl TenantScope<'_> {
    /// The keys that reach exactly this brand or this workspace, whether they still work or not.
    pub(crate) fn api_keys_restricted_to(&mut self, reach: Reach) -> Result<Vec<ApiKey>, Fault> {
        let mut query = Row::query().filter(api_keys::tenant_id.eq(self.tenant.uuid())).into_boxed();
        match reach.restriction() {
            (Some(brand), _) => query = query.filter(api_keys::brand_id.eq(brand.uuid())),
            (_, Some(workspace)) => query = query.filter(api_keys::workspace_id.eq(workspace.uuid())),
            (None, None) => return Ok(Vec::new()),
        }
        let rows: Vec<Row> = query.order(api_keys::id).load(self.connection)?;
        rows.into_iter().map(Row::into_api_key).collect()
    }

    pub(crate) fn insert_api_key(&mut self, id: ApiKeyId, new: &NewApiKey, maker: &Maker) -> Result<ApiKey, Fault> {
        let (brand_id, workspace_id) = new.details.reach.restriction();
        let row = NewRow {
            tenant_id: self.tenant.uuid(),
            id: id.uuid(),
            secret_hash: new.hash.as_bytes(),
            name: new.details.name.as_str(),
            mode: new.details.mode.as_str(),
            scopes: new.details.scopes.iter().map(|scope| scope.as_str()).collect(),
            brand_id: brand_id.map(BrandId::uuid),
            workspace_id: workspace_id.map(WorkspaceId::uuid),
            last_four: &new.last_four,
            expires_at: new.details.expires_at,
            created_by: maker.to_string(),
        };
        diesel::insert_into(api_keys::table)
            .values(row)
            .returning(Row::as_returning())
            .get_result(self.connection)
            // What it is restricted to was there a moment ago.
            .map_err(|error| match violates(&error, "api_keys_workspace_fkey") {
                true => unknown_workspace().into(),
                false => Fault::unless_violated(error, "api_keys_brand_fkey", unknown_brand),
            })?
            .into_api_key()
    }
}
