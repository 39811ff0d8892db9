//! Brands of a tenant.

use chrono::{DateTime, Utc};
use diesel::{dsl::now, pg::Pg, prelude::*, sql_types::Bool};
use serde_json::Value;
use tenantry_domain::{
    ApiKey, Brand, BrandDetails, BrandId, Conflict, Error, ExternalId, FieldRefusal, HexColor, HttpsUrl, InBrand,
    InTenant, InWorkspace, Instructions, Labels, Metadata, NewBrand, Noun, Page, PageRequest, Reach, SenderName,
    SignatureHtml, SignatureText, Slug, TenantId, Tone,
};
use uuid::Uuid;

use crate::{
    assignments::assigned_workspaces,
    fault::{Fault, stored, stored_option, violates},
    keyset::{self, Keyset, search_form, search_pattern},
    labels::{column, having, stored_labels, unless_taken},
    prepared::Prepare,
    schema::{brands, workspaces},
    scope::TenantScope,
    transfer::refusal,
    tx::{Tx, WriteTx},
};

#[derive(Clone, HasQuery)]
#[diesel(table_name = brands)]
pub(crate) struct Row {
    tenant_id: Uuid,
    id: Uuid,
    name: String,
    slug: String,
    is_default: bool,
    logo_url: Option<String>,
    primary_color: Option<String>,
    secondary_color: Option<String>,
    email_from_name: String,
    email_signature_html: Option<String>,
    email_signature_text: Option<String>,
    ai_sender_name: Option<String>,
    ai_sender_title: Option<String>,
    ai_sender_avatar_url: Option<String>,
    tone: Option<String>,
    brand_instructions: Option<String>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    external_id: Option<String>,
    metadata: Value,
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = brands, treat_none_as_null = true)]
struct Columns<'a> {
    name: &'a str,
    slug: &'a str,
    is_default: bool,
    logo_url: Option<&'a str>,
    primary_color: Option<&'a str>,
    secondary_color: Option<&'a str>,
    email_from_name: &'a str,
    email_signature_html: Option<&'a str>,
    email_signature_text: Option<&'a str>,
    ai_sender_name: Option<&'a str>,
    ai_sender_title: Option<&'a str>,
    ai_sender_avatar_url: Option<&'a str>,
    tone: Option<&'a str>,
    brand_instructions: Option<&'a str>,
    external_id: Option<&'a str>,
    metadata: Value,
}

impl<'a> Columns<'a> {
    fn of(details: &'a BrandDetails, slug: &'a Slug, is_default: bool) -> Self {
        Self {
            name: details.name.as_str(),
            slug: slug.as_str(),
            is_default,
            logo_url: details.logo_url.as_ref().map(HttpsUrl::as_str),
            primary_color: details.primary_color.as_ref().map(HexColor::as_str),
            secondary_color: details.secondary_color.as_ref().map(HexColor::as_str),
            email_from_name: details.email_from_name.as_str(),
            email_signature_html: details.email_signature_html.as_ref().map(SignatureHtml::as_str),
            email_signature_text: details.email_signature_text.as_ref().map(SignatureText::as_str),
            ai_sender_name: details.ai_sender_name.as_ref().map(SenderName::as_str),
            ai_sender_title: details.ai_sender_title.as_ref().map(SenderName::as_str),
            ai_sender_avatar_url: details.ai_sender_avatar_url.as_ref().map(HttpsUrl::as_str),
            tone: details.tone.map(Tone::as_str),
            brand_instructions: details.brand_instructions.as_ref().map(Instructions::as_str),
            external_id: column(&details.labels),
            metadata: details.labels.metadata.to_json(),
        }
    }
}

impl Row {
    pub(crate) fn into_brand(self) -> Result<Brand, Fault> {
        let details = BrandDetails {
            name: stored("brands.name", &self.name)?,
            logo_url: stored_option("brands.logo_url", self.logo_url)?,
            primary_color: stored_option("brands.primary_color", self.primary_color)?,
            secondary_color: stored_option("brands.secondary_color", self.secondary_color)?,
            email_from_name: stored("brands.email_from_name", &self.email_from_name)?,
            email_signature_html: self.email_signature_html.map(SignatureHtml::from_sanitised),
            email_signature_text: stored_option("brands.email_signature_text", self.email_signature_text)?,
            ai_sender_name: stored_option("brands.ai_sender_name", self.ai_sender_name)?,
            ai_sender_title: stored_option("brands.ai_sender_title", self.ai_sender_title)?,
            ai_sender_avatar_url: stored_option("brands.ai_sender_avatar_url", self.ai_sender_avatar_url)?,
            tone: stored_option("brands.tone", self.tone)?,
            brand_instructions: stored_option("brands.brand_instructions", self.brand_instructions)?,
            labels: stored_labels("brands", self.external_id, &self.metadata)?,
        };
        Ok(Brand {
            id: BrandId::from_uuid(self.id),
            tenant_id: TenantId::from_uuid(self.tenant_id),
            details,
            slug: stored("brands.slug", &self.slug)?,
            is_default: self.is_default,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

impl Keyset for brands::table {
    type Id = brands::id;
    type Name = brands::name;
    type CreatedAt = brands::created_at;
    type UpdatedAt = brands::updated_at;
}

impl Tx<'_, InTenant> {
    /// A page of the brands that the actor reaches.
    pub fn brands(&mut self, filter: &BrandFilter, page: &PageRequest) -> Result<Page<Brand>, Fault> {
        let mut query = reached(self.found, self.grant.reach());
        if let Some(id) = &filter.external_id {
            query = query.filter(brands::external_id.eq(id.as_str().to_owned()));
        }
        for condition in having(self.found, Noun::Brand, &filter.metadata) {
            query = query.filter(condition);
        }
        if let Some(search) = &filter.search {
            query = query.filter(search_form(brands::name).like(search_pattern(search.clone())));
        }
        let rows = keyset::page::<brands::table, _>(query.select(Row::as_select()), page).load(self.connection)?;
        Ok(Page::cut(rows.into_iter().map(Row::into_brand).collect::<Result<_, _>>()?, page))
    }

    /// The brand that has this external ID, if the actor reaches it.
    pub fn brand_called(&mut self, external_id: &ExternalId) -> Result<Option<Brand>, Fault> {
        let row = reached(self.found, self.grant.reach())
            .filter(brands::external_id.eq(external_id.as_str()))
            .select(Row::as_select())
            .first(self.connection)
            .optional()?;
        row.map(Row::into_brand).transpose()
    }
}

/// Which brands a list shows; what is `None` does not restrict it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BrandFilter {
    /// With this external ID: one at most.
    pub external_id: Option<ExternalId>,
    /// With all of these entries of metadata.
    pub metadata: Metadata,
    /// With this text somewhere in the name, as searches compare it.
    pub search: Option<String>,
}

/// The brands within this reach.
fn reached<'a>(tenant: TenantId, reach: Reach) -> brands::BoxedQuery<'a, Pg> {
    let tenant = tenant.uuid();
    let query = brands::table.filter(brands::tenant_id.eq(tenant)).into_boxed();
    match reach {
        Reach::Tenant => query,
        Reach::Brand(id) => query.filter(brands::id.eq(id.uuid())),
        Reach::Workspace(id) => {
            let of_workspace = workspaces::table
                .filter(workspaces::tenant_id.eq(tenant).and(workspaces::id.eq(id.uuid())))
                .filter(workspaces::deleted_at.is_null())
                .select(workspaces::brand_id);
            query.filter(brands::id.eq_any(of_workspace))
        }
        Reach::Assigned(member) => {
            let of_workspaces = workspaces::table
                .filter(workspaces::tenant_id.eq(tenant).and(workspaces::deleted_at.is_null()))
                .filter(workspaces::id.eq_any(assigned_workspaces(tenant, member.uuid())))
                .select(workspaces::brand_id);
            query.filter(brands::id.eq_any(of_workspaces))
        }
        Reach::Nothing => query.filter(false.into_sql::<Bool>()),
    }
}

impl WriteTx<'_, InTenant> {
    /// The brand that is the default until the end of the transaction, unless this transaction makes another one the default.
    pub fn lock_default_brand(&mut self) -> Result<Brand, Fault> {
        self.scope().lock_tenant()?;
        self.scope().default_brand()
    }

    /// Creates a brand.
    pub fn create_brand(&mut self, id: BrandId, new: &NewBrand) -> Result<Brand, Fault> {
        self.check_external_id(&Labels::default(), &new.details.labels)?;
        self.scope().insert_brand(id, new)
    }

    /// Stores brands as they were elsewhere. What is refused depends on what came before them.
    pub fn import_brands(&mut self, brands: &[&Brand]) -> Result<Option<FieldRefusal>, Fault> {
        let rows = brands.iter().map(|brand| {
            (
                brands::tenant_id.eq(self.found.uuid()),
                brands::id.eq(brand.id.uuid()),
                Columns::of(&brand.details, &brand.slug, brand.is_default),
                brands::version.eq(brand.version),
                brands::created_at.eq(brand.created_at),
                brands::updated_at.eq(brand.updated_at),
            )
        });
        let rows: Vec<_> = rows.collect();
        let stored = diesel::insert_into(brands::table).values(rows).execute(self.connection);
        if stored.is_ok() {
            self.scope().index_new_metadata(brands.iter().map(|brand| brand.id))?;
        }
        refusal(
            stored,
            &[
                ("brands_pkey", "id", "is the id of an earlier brand"),
                ("brands_slug_key", "slug", "is the slug of an earlier brand"),
                ("brands_external_id_key", "externalId", "is the external ID of an earlier brand"),
                ("brands_default_key", "isDefault", "is true for an earlier brand: exactly one is the default"),
            ],
        )
    }
}

impl Tx<'_, InBrand> {
    /// The brand.
    pub fn brand(&mut self) -> Result<Brand, Fault> {
        let id = self.found.id;
        self.scope().brand(id)
    }
}

impl WriteTx<'_, InBrand> {
    /// The brand, locked until the end of the transaction.
    pub fn lock_brand(&mut self) -> Result<Brand, Fault> {
        // Which brand is the default concerns all of them, so that the tenant is locked first, always.
        self.scope().lock_tenant()?;
        self.brand()
    }

    /// Makes the brand the default; returns it and the one that was the default.
    pub fn make_default(&mut self) -> Result<(Brand, Brand), Fault> {
        let (tenant, id) = (self.found.tenant, self.found.id);
        self.scope().lock_tenant()?;
        let former = self.scope().default_brand()?;
        self.scope().unset_default_brand(id)?;
        let row =
            diesel::update(brands::table.filter(brands::tenant_id.eq(tenant.uuid()).and(brands::id.eq(id.uuid()))))
                .set((brands::is_default.eq(true), brands::version.eq(brands::version + 1), brands::updated_at.eq(now)))
                .returning(Row::as_returning())
                .get_result(self.connection)?;
        Ok((row.into_brand()?, former))
    }

    /// Stores details and slug of the brand. Whether it is the default stays.
    pub fn update_brand(&mut self, before: &Brand, brand: &Brand) -> Result<Brand, Fault> {
        let (tenant, id) = (self.found.tenant.uuid(), self.found.id.uuid());
        let (was, labels) = (&before.details.labels, &brand.details.labels);
        self.check_external_id(was, labels)?;
        let after = diesel::update(brands::table.filter(brands::tenant_id.eq(tenant).and(brands::id.eq(id))))
            .set((
                Columns::of(&brand.details, &brand.slug, brand.is_default),
                brands::version.eq(brands::version + 1),
                brands::updated_at.eq(now),
            ))
            .returning(Row::as_returning())
            .prepared()
            .get_result(self.connection)
            .map_err(|error| match violates(&error, "brands_slug_key") {
                true => slug_taken(&brand.slug).into(),
                false => unless_taken(error, labels, Noun::Brand),
            })?
            .into_brand()?;
        self.scope().index_metadata(after.id, &was.metadata, &labels.metadata)?;
        Ok(after)
    }

    /// The API keys that are restricted to the brand, and go when it is deleted.
    pub fn api_keys_of_brand(&mut self) -> Result<Vec<ApiKey>, Fault> {
        let reach = Reach::Brand(self.found.id);
        self.scope().api_keys_restricted_to(reach)
    }

    /// Deletes the brand, and with it the API keys that are restricted to it.
    pub fn delete_brand(&mut self) -> Result<(), Fault> {
        let (tenant, id) = (self.found.tenant.uuid(), self.found.id.uuid());
        let refusal = || {
            Error::conflict(
                Conflict::BrandHasWorkspaces,
                "This brand still has workspaces. Move or delete them first. Deleted workspaces count until they are erased.",
            )
        };
        diesel::delete(brands::table.filter(brands::tenant_id.eq(tenant).and(brands::id.eq(id))))
            .execute(self.connection)
            .map(drop)
            .map_err(|error| Fault::unless_violated(error, "workspaces_brand_fkey", refusal))
    }
}

impl Tx<'_, InWorkspace> {
    /// The brand of the workspace.
    pub fn brand_of_workspace(&mut self) -> Result<Brand, Fault> {
        let brand = self.found.brand;
        self.scope().brand(brand)
    }
}

impl TenantScope<'_> {
    pub(crate) fn brand(&mut self, id: BrandId) -> Result<Brand, Fault> {
        let row = Row::query()
            .filter(brands::tenant_id.eq(self.tenant.uuid()).and(brands::id.eq(id.uuid())))
            .first(self.connection)
            .optional()?;
        row.ok_or(Error::NotFound(Noun::Brand))?.into_brand()
    }

    /// The brand that is meant where none is named.
    pub(crate) fn default_brand(&mut self) -> Result<Brand, Fault> {
        let row = Row::query()
            .filter(brands::tenant_id.eq(self.tenant.uuid()).and(brands::is_default))
            .first(self.connection)
            .optional()?;
        row.ok_or(Error::NotFound(Noun::Brand))?.into_brand()
    }

    pub(crate) fn insert_brand(&mut self, id: BrandId, new: &NewBrand) -> Result<Brand, Fault> {
        // Which brand is the default and which slugs are free concerns all brands: whoever changes it waits here, so that a
        // slug that was free a moment ago still is.
        self.lock_tenant()?;
        if new.is_default {
            self.unset_default_brand(id)?;
        }
        let slug = match &new.slug {
            Some(slug) => slug.clone(),
            None => self.free_slug(&Slug::of_name(new.details.name.as_str(), "brand"))?,
        };
        let brand = self.insert_brand_as(id, new, &slug)?.ok_or_else(|| slug_taken(&slug))?;
        self.index_metadata(id, &Metadata::default(), &new.details.labels.metadata)?;
        Ok(brand)
    }

    fn insert_brand_as(&mut self, id: BrandId, new: &NewBrand, slug: &Slug) -> Result<Option<Brand>, Fault> {
        diesel::insert_into(brands::table)
            .values((
                brands::tenant_id.eq(self.tenant.uuid()),
                brands::id.eq(id.uuid()),
                Columns::of(&new.details, slug, new.is_default),
            ))
            .on_conflict((brands::tenant_id, brands::slug))
            .do_nothing()
            .returning(Row::as_returning())
            .get_result(self.connection)
            .optional()
            .map_err(|error| unless_taken(error, &new.details.labels, Noun::Brand))?
            .map(Row::into_brand)
            .transpose()
    }

    /// The stem itself, or with the smallest number from 2 that is free.
    fn free_slug(&mut self, stem: &Slug) -> Result<Slug, Fault> {
        let taken: std::collections::HashSet<String> = brands::table
            .filter(brands::tenant_id.eq(self.tenant.uuid()))
            // A slug holds no character that LIKE would read as a pattern.
            .filter(brands::slug.eq(stem.as_str()).or(
                brands::slug.like(format!("{}%-%", stem.numbered(1_000_000).as_str().trim_end_matches("-1000000"))),
            ))
            .select(brands::slug)
            .load(self.connection)?
            .into_iter()
            .collect();
        let numbered = (2..).map(|n| stem.numbered(n));
        Ok(std::iter::once(stem.clone())
            .chain(numbered)
            .find(|slug| !taken.contains(slug.as_str()))
            .unwrap_or_else(|| stem.clone()))
    }

    fn unset_default_brand(&mut self, but: BrandId) -> QueryResult<()> {
        diesel::update(
            brands::table.filter(
                brands::tenant_id.eq(self.tenant.uuid()).and(brands::is_default).and(brands::id.ne(but.uuid())),
            ),
        )
        .set((brands::is_default.eq(false), brands::version.eq(brands::version + 1), brands::updated_at.eq(now)))
        .execute(self.connection)
        .map(drop)
    }
}

fn slug_taken(slug: &Slug) -> Error {
    Error::conflict(Conflict::SlugTaken, format!("Another brand already has the slug \"{slug}\"."))
}
