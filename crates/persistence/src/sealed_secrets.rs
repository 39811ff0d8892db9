//! Sealed secrets as such, for those who look after the master keys.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::{
    dsl::{count_star, now, sql},
    prelude::*,
    sql_types::Text,
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
}

/// Workspace, provider, secret and version.
type SealedRow = (Uuid, String, Option<Vec<u8>>, Option<i32>);

impl Tx<'_, Platform> {
    /// The master keys that any tenant's secrets are sealed under.
    pub fn master_keys(&mut self) -> Result<Vec<MasterKeyId>, Fault> {
        let keys: Vec<String> =
            tenants::table.select(sql::<Text>("unnest(sealed_under)")).distinct().load(self.connection)?;
        keys.iter().map(|key| stored("tenants.sealed_under", key)).collect()
    }

    /// Up to `limit` tenants behind this one, in the order of their ids, that have secrets sealed under another key than this.
    pub fn tenants_with_stale_secrets(
        &mut self,
        key: &MasterKeyId,
        after: Option<TenantId>,
        limit: i64,
    ) -> Result<Vec<TenantId>, Fault> {
        let ids: Vec<Uuid> = tenants::table
            .filter(diesel::dsl::not(tenants::sealed_under.is_contained_by(vec![key.to_string()])))
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
        counts.into_iter().map(|(version, count)| Ok((version_of(version)?, count))).collect()
    }
}

impl WriteTx<'_, InTenant> {
    /// The next secret behind this place that is sealed under another version than this, locked until the end of the transaction.
    pub fn next_stale_secret(
        &mut self,
        version: u16,
        after: Option<(WorkspaceId, Provider)>,
    ) -> Result<Option<StaleSecret>, Fault> {
        let (workspace, provider) =
            after.map_or((Uuid::nil(), ""), |(workspace, provider)| (workspace.uuid(), provider.as_str()));
        let behind = integrations::workspace_id
            .gt(workspace)
            .or(integrations::workspace_id.eq(workspace).and(integrations::provider.gt(provider)));
        let row: Option<SealedRow> = integrations::table
            .filter(integrations::tenant_id.eq(self.found.uuid()).and(behind))
            .filter(integrations::key_version.is_not_null())
            .filter(integrations::key_version.is_distinct_from(i32::from(version)))
            .order((integrations::workspace_id, integrations::provider))
            .select((
                integrations::workspace_id,
                integrations::provider,
                integrations::sealed_secret,
                integrations::key_version,
            ))
            .for_no_key_update()
            .first(self.connection)
            .optional()?;
        row.map(|(workspace, provider, sealed, version)| {
            Ok(StaleSecret {
                workspace: WorkspaceId::from_uuid(workspace),
                provider: stored("integrations.provider", &provider)?,
                sealed: SealedSecret::from_bytes(sealed.unwrap_or_default()),
                version: version_of(version)?,
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
        diesel::update(
            integrations::table.filter(integrations::tenant_id.eq(self.found.uuid())).filter(
                integrations::workspace_id.eq(workspace.uuid()).and(integrations::provider.eq(provider.as_str())),
            ),
        )
        .set((
            integrations::sealed_secret.eq(sealed.as_bytes()),
            integrations::key_version.eq(i32::from(key.version())),
        ))
        .execute(self.connection)?;
        Ok(())
    }

    /// Discards a secret, and what the provider said of it.
    pub fn discard_sealed(&mut self, workspace: WorkspaceId, provider: Provider) -> Result<(), Fault> {
        diesel::update(
            integrations::table.filter(integrations::tenant_id.eq(self.found.uuid())).filter(
                integrations::workspace_id.eq(workspace.uuid()).and(integrations::provider.eq(provider.as_str())),
            ),
        )
        .set((
            integrations::sealed_secret.eq(None::<Vec<u8>>),
            integrations::key_version.eq(None::<i32>),
            integrations::last_four.eq(None::<String>),
            integrations::secret_set_at.eq(None::<DateTime<Utc>>),
            integrations::verification_status.eq(VerificationStatus::Unverified.as_str()),
            integrations::verified_at.eq(None::<DateTime<Utc>>),
            integrations::last_error.eq(None::<String>),
            integrations::version.eq(integrations::version + 1),
            integrations::updated_at.eq(now),
        ))
        .execute(self.connection)?;
        Ok(())
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
