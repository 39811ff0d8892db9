//! Tenants: the list that the platform sees, and the one row that a tenant sees.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::{exists, now},
    pg::Pg,
    prelude::*,
    sql_types::Text,
};
use tenantry_domain::{
    ApiKey, ApiKeyId, Brand, BrandId, Error, InTenant, Locale, NewApiKey, NewBrand, Page, PageRequest, Platform,
    Tenant, TenantDetails, TenantId,
};
use uuid::Uuid;

use crate::{
    api_keys, brands,
    fault::{Fault, stored},
    keyset,
    schema::tenants,
    tx::Tx,
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = tenants, check_for_backend(Pg))]
struct Row {
    id: Uuid,
    name: String,
    default_country: String,
    default_operating_language: String,
    default_currency: String,
    default_workspace_type: String,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = tenants)]
struct Columns<'a> {
    name: &'a str,
    default_country: &'a str,
    default_operating_language: &'a str,
    default_currency: &'a str,
    default_workspace_type: &'a str,
}

impl<'a> Columns<'a> {
    fn of(details: &'a TenantDetails) -> Self {
        Self {
            name: details.name.as_str(),
            default_country: details.defaults.country.as_str(),
            default_operating_language: details.defaults.language.as_str(),
            default_currency: details.defaults.currency.as_str(),
            default_workspace_type: details.defaults.workspace_type.as_str(),
        }
    }
}

impl Row {
    fn into_tenant(self) -> Result<Tenant, Fault> {
        let defaults = Locale {
            country: stored("tenants.default_country", &self.default_country)?,
            language: stored("tenants.default_operating_language", &self.default_operating_language)?,
            currency: stored("tenants.default_currency", &self.default_currency)?,
            workspace_type: stored("tenants.default_workspace_type", &self.default_workspace_type)?,
        };
        Ok(Tenant {
            id: TenantId::from_uuid(self.id),
            details: TenantDetails { name: stored("tenants.name", &self.name)?, defaults },
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// What a tenant starts with besides itself.
#[derive(Debug, Clone)]
pub struct Founding {
    /// The tenant.
    pub tenant: (TenantId, TenantDetails),
    /// Its default brand.
    pub brand: (BrandId, NewBrand),
    /// Its owner's first key.
    pub key: (ApiKeyId, NewApiKey),
}

impl Tx<'_, Platform> {
    /// Creates a tenant with its default brand and first key.
    pub fn found_tenant(&mut self, founding: &Founding) -> Result<(Tenant, Brand, ApiKey), Fault> {
        let (id, details) = &founding.tenant;
        let row = diesel::insert_into(tenants::table)
            .values((tenants::id.eq(id.uuid()), Columns::of(details)))
            .returning(Row::as_returning())
            .get_result(self.connection)?;
        // What follows is inside the new tenant, where the platform itself sees nothing.
        diesel::sql_query("SELECT set_tenant($1)").bind::<Text, _>(id.to_string()).execute(self.connection)?;
        let brand = brands::insert(self.connection, *id, founding.brand.0, &founding.brand.1)?;
        let key = api_keys::insert(self.connection, *id, founding.key.0, &founding.key.1)?;
        Ok((row.into_tenant()?, brand, key))
    }

    /// A page of all tenants.
    pub fn tenants(&mut self, page: &PageRequest) -> Result<Page<Tenant>, Fault> {
        let mut query = tenants::table.select(Row::as_select()).into_boxed();
        if let Some(position) = &page.after {
            query = query.filter(keyset::after("tenants", page.sort, position));
        }
        let rows = query.order(keyset::order("tenants", page.sort)).limit(keyset::limit(page)).load(self.connection)?;
        Ok(Page::cut(rows.into_iter().map(Row::into_tenant).collect::<Result<_, _>>()?, page))
    }

    /// Whether there is any tenant yet.
    pub fn any_tenant(&mut self) -> Result<bool, Fault> {
        Ok(diesel::select(exists(tenants::table.select(tenants::id))).get_result(self.connection)?)
    }
}

impl Tx<'_, InTenant> {
    /// The tenant.
    pub fn tenant(&mut self) -> Result<Tenant, Fault> {
        read(self.connection, self.found)
    }

    /// The tenant, locked until the end of the transaction.
    pub fn lock_tenant(&mut self) -> Result<Tenant, Fault> {
        lock(self.connection, self.found)?;
        self.tenant()
    }

    /// Stores new details.
    pub fn update_tenant(&mut self, details: &TenantDetails) -> Result<Tenant, Fault> {
        diesel::update(tenants::table.filter(tenants::id.eq(self.found.uuid())))
            .set((Columns::of(details), tenants::version.eq(tenants::version + 1), tenants::updated_at.eq(now)))
            .returning(Row::as_returning())
            .get_result(self.connection)?
            .into_tenant()
    }
}

pub(crate) fn read(connection: &mut PgConnection, id: TenantId) -> Result<Tenant, Fault> {
    let row = tenants::table.filter(tenants::id.eq(id.uuid())).select(Row::as_select()).first(connection).optional()?;
    row.ok_or(Error::NotFound("tenant"))?.into_tenant()
}

/// Makes whoever locks the same tenant wait: for what must hold across several of its rows.
pub(crate) fn lock(connection: &mut PgConnection, id: TenantId) -> QueryResult<()> {
    tenants::table
        .filter(tenants::id.eq(id.uuid()))
        .select(tenants::id)
        .for_no_key_update()
        .first::<Uuid>(connection)
        .map(drop)
}
