//! API keys, which are taken over if their hashes come along, and the audit log, which is told and not taken over.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};
use serde_json::Value;
use tenantry_auth::seal::MasterKeys;
use tenantry_domain::{
    ApiKey, ApiKeyDetails, ApiKeyId, AuditRecord, BrandId, FieldRefusal, InTenant, KeyScope, Reach, SecretHash,
    TenantId, WorkspaceId,
};
use tenantry_persistence::{ApiKeyFilter, AuditFilter, Fault, Tx};
use zeroize::Zeroizing;

use super::{Counts, Line, Reading, Target};
use crate::transfer::{
    export::{Out, pages},
    sealing::{Sealing, hash_of},
};

/// An API key: what there is to know of it. Its hash is sealed, or not there.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::transfer) struct ApiKeyLine {
    id: String,
    name: String,
    mode: String,
    scopes: Vec<String>,
    brand_id: Option<String>,
    workspace_id: Option<String>,
    last_four: String,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    replaced_by: Option<String>,
    last_used_at: Option<DateTime<Utc>>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    #[serde(default)]
    created_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
}

/// What its hash is called where it is sealed.
const KIND: &str = "API key";

impl ApiKeyLine {
    /// Writes every API key.
    pub(super) fn export(tx: &mut Tx<'_, InTenant>, out: &mut Out<'_>, counts: &mut Counts) -> Result<(), Fault> {
        pages(|page| {
            let page = tx.api_keys(&ApiKeyFilter::default(), page)?;
            let sealed = out.secrets().sealing().is_some();
            let ids: Vec<ApiKeyId> = page.items.iter().map(|key| key.id).filter(|_| sealed).collect();
            let hashes = tx.hashes_of(&ids)?;
            for key in page.items {
                let (tenant, id) = (key.tenant_id, key.id);
                let hash = hashes.iter().find(|(of, _)| *of == id);
                let open = |_: &MasterKeys| Some(Zeroizing::new(hash?.1.as_bytes().to_vec()));
                let mut line = Self::of(key);
                line.sealed = out.secrets().written((tenant, KIND, &line.id), open)?;
                counts.api_keys += out.line(Line::ApiKey(line))?;
            }
            Ok(page.next)
        })
    }

    fn of(key: ApiKey) -> Box<Self> {
        let (brand, workspace) = key.details.reach.restriction();
        Box::new(Self {
            id: key.id.to_string(),
            name: key.details.name.as_str().to_owned(),
            mode: key.details.mode.to_string(),
            scopes: key.details.scopes.iter().map(ToString::to_string).collect(),
            brand_id: brand.map(|id| id.to_string()),
            workspace_id: workspace.map(|id| id.to_string()),
            last_four: key.last_four,
            expires_at: key.details.expires_at,
            revoked_at: key.revoked_at,
            replaced_by: key.replaced_by.map(|id| id.to_string()),
            last_used_at: key.last_used_at,
            version: key.version,
            created_at: key.created_at,
            updated_at: key.updated_at,
            created_by: key.created_by.map(|maker| maker.to_string()),
            sealed: None,
        })
    }

    /// The same line with what its hash is compared by.
    pub(super) fn revealed(
        mut self: Box<Self>,
        tenant: TenantId,
        sealing: &Sealing,
    ) -> Result<Box<Self>, FieldRefusal> {
        sealing.reveal((tenant, KIND, &self.id), &mut self.sealed)?;
        Ok(self)
    }

    /// The key with the hash that came along.
    pub(super) fn into_api_key(
        self: Box<Self>,
        target: Target,
        sealing: &Sealing,
    ) -> Result<(ApiKey, SecretHash), Vec<FieldRefusal>> {
        let hash = sealing.opened((target.tenant_id, KIND, &self.id), self.sealed.as_deref());
        let hash = hash.and_then(|opened| hash_of(&opened)).map_err(|refused| vec![refused])?;
        let mut reading = Reading::at(target.now);
        let (id, name) = (reading.value("id", &self.id), reading.value("name", &self.name));
        let mode = reading.value("mode", &self.mode);
        let scopes: Vec<KeyScope> = self.scopes.iter().filter_map(|scope| reading.value("scopes", scope)).collect();
        let brand: Option<BrandId> = reading.optional("brandId", self.brand_id.as_deref());
        let workspace: Option<WorkspaceId> = reading.optional("workspaceId", self.workspace_id.as_deref());
        let reach = match (workspace, brand) {
            (Some(id), _) => Reach::Workspace(id),
            (None, Some(id)) => Reach::Brand(id),
            (None, None) => Reach::Tenant,
        };
        let expires_at = self.expires_at.map(|at| reading.someday("expiresAt", at));
        let details = name.zip(mode).map(|(name, mode)| ApiKeyDetails { name, mode, scopes, reach, expires_at });
        let replaced_by = reading.optional("replacedBy", self.replaced_by.as_deref());
        let created_by = reading.optional("createdBy", self.created_by.as_deref());
        let revoked_at = reading.optional_time("revokedAt", self.revoked_at);
        let last_used_at = reading.optional_time("lastUsedAt", self.last_used_at);
        let version = reading.version("version", self.version);
        let created_at = reading.time("createdAt", self.created_at);
        let updated_at = reading.time("updatedAt", self.updated_at);
        let (tenant_id, last_four) = (target.tenant_id, self.last_four);
        let key = reading.end(id.zip(details).map(|(id, details)| ApiKey {
            id,
            tenant_id,
            details,
            last_four,
            created_by,
            revoked_at,
            replaced_by,
            last_used_at,
            version,
            created_at,
            updated_at,
        }))?;
        Ok((key, hash))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::transfer) struct AuditEventLine {
    id: String,
    occurred_at: DateTime<Utc>,
    action: String,
    actor_type: String,
    actor_id: String,
    subject_type: String,
    subject_id: String,
    #[serde(deserialize_with = "skipped")]
    changes: Value,
    request_id: Option<String>,
    address: Option<String>,
}

/// What is not taken over is not kept in memory either.
fn skipped<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| Value::Null)
}

impl AuditEventLine {
    /// Writes the whole audit log.
    pub(super) fn export(tx: &mut Tx<'_, InTenant>, out: &mut Out<'_>, counts: &mut Counts) -> Result<(), Fault> {
        if out.is_compared() {
            return Ok(());
        }
        pages(|page| {
            let page = tx.audit_events(&AuditFilter::default(), page)?;
            for event in page.items {
                counts.audit_events += out.line(Line::AuditEvent(Self::of(event)))?;
            }
            Ok(page.next)
        })
    }

    fn of(event: AuditRecord) -> Box<Self> {
        Box::new(Self {
            id: event.id.to_string(),
            occurred_at: event.occurred_at,
            action: event.action,
            actor_type: event.actor_type,
            actor_id: event.actor_id,
            subject_type: event.subject_type,
            subject_id: event.subject_id.to_string(),
            changes: event.changes,
            request_id: event.request_id,
            address: event.address,
        })
    }
}
