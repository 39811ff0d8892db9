//! What is told and not taken over: API keys without their secrets, and the audit log.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};
use serde_json::Value;
use tenantry_domain::{ApiKey, AuditRecord, InTenant};
use tenantry_persistence::{ApiKeyFilter, AuditFilter, Fault, Tx};

use super::{Counts, Line};
use crate::transfer::export::{Out, pages};

/// An API key: what there is to know of it, and nothing by which it could be used or guessed.
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
}

impl ApiKeyLine {
    /// Writes every API key.
    pub(super) fn export(tx: &mut Tx<'_, InTenant>, out: &mut Out<'_>, counts: &mut Counts) -> Result<(), Fault> {
        pages(|page| {
            let page = tx.api_keys(&ApiKeyFilter::default(), page)?;
            for key in page.items {
                counts.api_keys += out.line(&Line::ApiKey(Self::of(key)))?;
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
        })
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
        pages(|page| {
            let page = tx.audit_events(&AuditFilter::default(), page)?;
            for event in page.items {
                counts.audit_events += out.line(&Line::AuditEvent(Self::of(event)))?;
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
