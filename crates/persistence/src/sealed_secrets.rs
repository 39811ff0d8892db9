//! Sealed secrets as such, for those who look after the master keys.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::{
    dsl::{IntervalDsl, count_star, now, sql},
    prelude::*,
    sql_types::{Bool, Text, Timestamptz},
};
use tenantry_domain::{
    Error, InTenant, MasterKeyId, Platform, Provider, SealedSecret, TenantId, VerificationStatus, WorkspaceId,
};
use uuid::Uuid;

use crate::{
    fault::{Fault, stored},
    schema::{integrations, tenants},
    tx::{Tx, WriteTx},
};

/// A secret that is sealed under another key than it should be.
#[derive(Debug, Clone)]
pub struct StaleSecret {
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Its provider.
    pub provider: Provider,
    /// The secret.
    pub sealed: SealedSecret,
    /// The version of the key that it is stored under.
    pub version: u16,
    /// When it was set.
    pub set_at: DateTime<Utc>,
}

/// For how many days a secret is kept that was put aside.
pub const DISCARDED_DAYS: i32 = 30;

/// Workspace, provider, secret, version, and when it was set.
type SealedRow = (Uuid, String, Option<Vec<u8>>, Option<i32>, Option<DateTime<Utc>>);

impl Tx<'_, Platform> {
    /// The master keys that any tenant's secrets are sealed under.
    pub fn master_keys(&mut self) -> Result<Vec<MasterKeyId>, Fault> {
        let keys: Vec<String> =
            tenants::table.select(sql::<Text>("unnest(sealed_under)")).distinct().load(self.connection)?;
        keys.iter().map(|key| stored("tenants.sealed_under", key)).collect()
    }

    /// Up to `limit` tenants behind this one, in the order of their ids, that have secrets.
    pub fn tenants_with_secrets(&mut self, after: Option<TenantId>, limit: i64) -> Result<Vec<TenantId>, Fault> {
        let ids: Vec<Uuid> = tenants::table
            .filter(tenants::sealed_under.ne(Vec::<String>::new()))
            .filter(tenants::id.gt(after.map_or(Uuid::nil(), TenantId::uuid)))
            .order(tenants::id)
            .limit(limit)
            .select(tenants::id)
            .load(self.connection)?;
        Ok(ids.into_iter().map(TenantId::from_uuid).collect())
    }
}

impl Tx<'_, InTenant> {
    /// How many secrets of the tenant are sealed under each version of the master key.
    pub fn count_sealed(&mut self) -> Result<BTreeMap<u16, i64>, Fault> {
        let counts: Vec<(Option<i32>, i64)> = integrations::table
            .filter(integrations::tenant_id.eq(self.found.uuid()).and(integrations::key_version.is_not_null()))
            .group_by(integrations::key_version)
            .select((integrations::key_version, count_star()))
            .load(self.connection)?;
        let of_webhooks = self.count_sealed_webhooks()?;
        let mut sums = BTreeMap::new();
        for (version, count) in counts.into_iter().chain(of_webhooks) {
            *sums.entry(version_of(version)?).or_default() += count;
        }
        Ok(sums)
    }
}

impl WriteTx<'_, InTenant> {
    /// The next secret behind this place that is sealed under another version than this, or in an old form; locked until the end of
    /// the transaction.
    pub fn next_stale_secret(
        &mut self,
        version: u16,
        after: Option<(WorkspaceId, Provider)>,
    ) -> Result<Option<StaleSecret>, Fault> {
        let row: Option<SealedRow> = integrations::table
            .filter(integrations::tenant_id.eq(self.found.uuid()).and(behind(after)))
            .filter(integrations::key_version.is_not_null())
            .filter(
                integrations::key_version
                    .is_distinct_from(i32::from(version))
                    .or(sql::<Bool>(r"substring(integrations.sealed_secret FOR 1) <> '\x02'::bytea")),
            )
            .order((integrations::workspace_id, integrations::provider))
            .select((
                integrations::workspace_id,
                integrations::provider,
                integrations::sealed_secret,
                integrations::key_version,
                integrations::secret_set_at,
            ))
            .for_no_key_update()
            .first(self.connection)
            .optional()?;
        row.map(|(workspace, provider, sealed, version, set_at)| {
            Ok(StaleSecret {
                workspace: WorkspaceId::from_uuid(workspace),
                provider: stored("integrations.provider", &provider)?,
                sealed: SealedSecret::from_bytes(sealed.unwrap_or_default()),
                version: version_of(version)?,
                set_at: set_at.unwrap_or_default(),
            })
        })
        .transpose()
    }

    /// Stores the same secret sealed anew. Nothing that anybody sees has changed, so that its version stays.
    pub fn store_resealed(
        &mut self,
        workspace: WorkspaceId,
        provider: Provider,
        sealed: &SealedSecret,
        key: &MasterKeyId,
    ) -> Result<(), Fault> {
        diesel::update(this(self.found, workspace, provider))
            .set((
                integrations::sealed_secret.eq(sealed.as_bytes()),
                integrations::key_version.eq(i32::from(key.version())),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Puts a secret aside, which is then not set any more, and forgets what the provider said of it.
    pub fn discard_sealed(&mut self, workspace: WorkspaceId, provider: Provider, version: u16) -> Result<(), Fault> {
        let noted = self.scope().noted_master_keys()?;
        let key = noted.into_iter().find(|key| key.version() == version);
        let key = key.unwrap_or_else(|| MasterKeyId::new(version, [0; 8]));
        diesel::update(this(self.found, workspace, provider))
            .set((
                (
                    integrations::discarded_secret.eq(integrations::sealed_secret),
                    integrations::discarded_key.eq(key.to_string()),
                    integrations::discarded_last_four.eq(integrations::last_four),
                    integrations::discarded_set_at.eq(integrations::secret_set_at),
                    integrations::discarded_at.eq(now),
                ),
                integrations::sealed_secret.eq(None::<Vec<u8>>),
                integrations::key_version.eq(None::<i32>),
                integrations::last_four.eq(None::<String>),
                integrations::secret_set_at.eq(None::<DateTime<Utc>>),
                integrations::verification_status.eq(VerificationStatus::Unverified.as_str()),
                integrations::verified_at.eq(None::<DateTime<Utc>>),
                integrations::last_error.eq(None::<String>),
                integrations::limited.eq(false),
                integrations::version.eq(integrations::version + 1),
                integrations::updated_at.eq(now),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// The next secret behind this place that was put aside, where no other was set since; with the key it is sealed under.
    pub fn next_discarded(
        &mut self,
        after: Option<(WorkspaceId, Provider)>,
    ) -> Result<Option<(WorkspaceId, Provider, MasterKeyId)>, Fault> {
        self.scope().lock_tenant()?;
        let row: Option<(Uuid, String, Option<String>)> = integrations::table
            .filter(integrations::tenant_id.eq(self.found.uuid()).and(behind(after)))
            .filter(integrations::discarded_at.is_not_null().and(integrations::sealed_secret.is_null()))
            .order((integrations::workspace_id, integrations::provider))
            .select((integrations::workspace_id, integrations::provider, integrations::discarded_key))
            .for_no_key_update()
            .first(self.connection)
            .optional()?;
        row.map(|(workspace, provider, key)| {
            let provider = stored("integrations.provider", &provider)?;
            let key = stored("integrations.discarded_key", &key.unwrap_or_default())?;
            Ok((WorkspaceId::from_uuid(workspace), provider, key))
        })
        .transpose()
    }

    /// Puts a secret back that was put aside.
    pub fn take_back_discarded(
        &mut self,
        workspace: WorkspaceId,
        provider: Provider,
        key: &MasterKeyId,
    ) -> Result<(), Fault> {
        diesel::update(this(self.found, workspace, provider))
            .set((
                integrations::sealed_secret.eq(integrations::discarded_secret),
                integrations::key_version.eq(i32::from(key.version())),
                integrations::last_four.eq(integrations::discarded_last_four),
                integrations::secret_set_at.eq(integrations::discarded_set_at),
                no_discarded(),
                integrations::version.eq(integrations::version + 1),
                integrations::updated_at.eq(now),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Deletes the secrets that were put aside too long ago; returns how many.
    pub fn clear_discarded(&mut self) -> Result<usize, Fault> {
        let long_ago = now.into_sql::<Timestamptz>() - DISCARDED_DAYS.days();
        let old = integrations::table
            .filter(integrations::tenant_id.eq(self.found.uuid()))
            .filter(integrations::discarded_at.is_not_null())
            .filter(integrations::discarded_at.assume_not_null().lt(long_ago));
        Ok(diesel::update(old).set(no_discarded()).execute(self.connection)?)
    }

    /// Notes at the tenant the master keys that its secrets still need, and no others; returns those of before and those of now.
    pub fn settle_master_keys(&mut self) -> Result<(Vec<MasterKeyId>, Vec<MasterKeyId>), Fault> {
        self.scope().lock_tenant()?;
        let before = self.scope().noted_master_keys()?;
        let needed = self.count_sealed()?;
        let after: Vec<_> = before.iter().filter(|key| needed.contains_key(&key.version())).cloned().collect();
        if after != before {
            self.scope().note_master_keys(&after)?;
        }
        Ok((before, after))
    }
}

fn version_of(stored: Option<i32>) -> Result<u16, Fault> {
    stored
        .and_then(|version| u16::try_from(version).ok())
        .ok_or_else(|| Error::internal("integrations.key_version holds a value that is no version").into())
}

/// What is behind a place, in the order of workspaces and providers.
#[diesel::dsl::auto_type]
fn behind(after: Option<(WorkspaceId, Provider)>) -> _ {
    let workspace: Uuid = after.map_or(Uuid::nil(), |(workspace, _)| workspace.uuid());
    let provider: &'static str = after.map_or("", |(_, provider)| provider.as_str());
    integrations::workspace_id
        .gt(workspace)
        .or(integrations::workspace_id.eq(workspace).and(integrations::provider.gt(provider)))
}

/// The one row of a place and a provider.
#[diesel::dsl::auto_type]
fn this(tenant: TenantId, workspace: WorkspaceId, provider: Provider) -> _ {
    let (tenant, workspace): (Uuid, Uuid) = (tenant.uuid(), workspace.uuid());
    let provider: &'static str = provider.as_str();
    integrations::table.filter(
        integrations::tenant_id
            .eq(tenant)
            .and(integrations::workspace_id.eq(workspace))
            .and(integrations::provider.eq(provider)),
    )
}

/// Nothing is put aside.
#[derive(AsChangeset)]
#[diesel(table_name = integrations, treat_none_as_null = true)]
struct NoDiscarded {
    discarded_secret: Option<Vec<u8>>,
    discarded_key: Option<String>,
    discarded_last_four: Option<String>,
    discarded_set_at: Option<DateTime<Utc>>,
    discarded_at: Option<DateTime<Utc>>,
}

fn no_discarded() -> NoDiscarded {
    NoDiscarded {
        discarded_secret: None,
        discarded_key: None,
        discarded_last_four: None,
        discarded_set_at: None,
        discarded_at: None,
    }
}
