//! The tenant, which is the first line.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tenantry_domain::{
    Cap, ExternalId, FieldRefusal, Limits, MasterKeyId, Refusal, Requests, Tenant, TenantDetails, TenantId,
};
use tenantry_persistence::LastNumbers;

use super::{Entries, MOST, Reading, VERSION, entries, locale, text};

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::transfer) struct Header {
    version: u32,
    exported_at: DateTime<Utc>,
    /// The key of the transfer, if secrets come along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::transfer) sealed_under: Option<String>,
    pub(in crate::transfer) tenant: TenantLine,
}

/// The tenant. A tenant that is there already takes over its name and its defaults alone: its limits, its state, its external ID and its
/// metadata are for the platform that it comes to. Since when it was frozen is only told.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::transfer) struct TenantLine {
    id: String,
    name: String,
    default_country: String,
    default_operating_language: String,
    default_currency: String,
    default_workspace_type: String,
    max_workspaces: Option<u32>,
    max_members: Option<u32>,
    max_agents: Option<u32>,
    max_minutes: Option<u32>,
    #[serde(default)]
    max_pending_invitations: Option<u32>,
    #[serde(default)]
    max_emails_per_day: Option<u32>,
    #[serde(default)]
    max_emails_per_recipient: Option<u32>,
    #[serde(default)]
    requests_per_second: Option<u32>,
    #[serde(default)]
    request_burst: Option<u32>,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    metadata: Entries,
    last_workspace_number: i64,
    last_slot_number: i64,
    suspended_at: Option<DateTime<Utc>>,
    deleted_at: Option<DateTime<Utc>>,
    #[serde(default)]
    frozen_at: Option<DateTime<Utc>>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Header {
    pub(in crate::transfer) fn of(
        tenant: &Tenant,
        last: LastNumbers,
        (exported_at, sealed_under): (DateTime<Utc>, Option<MasterKeyId>),
    ) -> Self {
        let defaults = tenant.details.defaults;
        let tenant = TenantLine {
            id: tenant.id.to_string(),
            name: tenant.details.name.as_str().to_owned(),
            default_country: defaults.country.to_string(),
            default_operating_language: defaults.language.to_string(),
            default_currency: defaults.currency.to_string(),
            default_workspace_type: defaults.workspace_type.to_string(),
            max_workspaces: tenant.limits.max_workspaces.map(Cap::get),
            max_members: tenant.limits.max_members.map(Cap::get),
            max_agents: tenant.limits.max_agents.map(Cap::get),
            max_minutes: tenant.limits.max_minutes.map(Cap::get),
            max_pending_invitations: tenant.limits.max_pending_invitations.map(Cap::get),
            max_emails_per_day: tenant.limits.max_emails_per_day.map(Cap::get),
            max_emails_per_recipient: tenant.limits.max_emails_per_recipient.map(Cap::get),
            requests_per_second: tenant.limits.requests_per_second.map(Requests::get),
            request_burst: tenant.limits.request_burst.map(Requests::get),
            external_id: text(tenant.labels.external_id.as_ref(), ExternalId::as_str),
            metadata: entries(&tenant.labels.metadata),
            last_workspace_number: last.workspace,
            last_slot_number: last.slot,
            suspended_at: tenant.suspended_at,
            deleted_at: tenant.deleted_at,
            frozen_at: tenant.frozen_at,
            version: tenant.version,
            created_at: tenant.created_at,
            updated_at: tenant.updated_at,
        };
        let sealed_under = sealed_under.map(|key| key.to_string());
        Self { version: VERSION, exported_at, sealed_under, tenant }
    }

    /// The same header without what two exports of the same tenant differ in.
    pub(in crate::transfer) fn comparable(self) -> Self {
        let (exported_at, tenant) = (DateTime::UNIX_EPOCH, TenantLine { frozen_at: None, ..self.tenant });
        Self { exported_at, sealed_under: None, tenant, ..self }
    }
}

impl TenantLine {
    /// What the tenant is to be, and the numbers that it must not give again.
    pub(in crate::transfer) fn into_tenant(
        self,
        now: DateTime<Utc>,
    ) -> Result<(TenantDetails, LastNumbers), Vec<FieldRefusal>> {
        let mut reading = Reading::at(now);
        let name = reading.value("tenant.name", &self.name);
        let defaults = locale(
            &mut reading,
            [
                ("tenant.defaultCountry", &self.default_country),
                ("tenant.defaultOperatingLanguage", &self.default_operating_language),
                ("tenant.defaultCurrency", &self.default_currency),
                ("tenant.defaultWorkspaceType", &self.default_workspace_type),
            ],
        );
        let last = LastNumbers { workspace: self.last_workspace_number, slot: self.last_slot_number };
        for (field, number) in [("tenant.lastWorkspaceNumber", last.workspace), ("tenant.lastSlotNumber", last.slot)] {
            if !(0..=MOST).contains(&number) {
                reading
                    .refuse(Refusal::new("out_of_range", format!("must be from 0 to {MOST}, not {number}")).of(field));
            }
        }
        reading.end(name.zip(defaults).map(|(name, defaults)| (TenantDetails { name, defaults }, last)))
    }

    /// The id of the tenant.
    pub(in crate::transfer) fn id(&self) -> Result<TenantId, Vec<FieldRefusal>> {
        self.id.parse().map_err(|refusal: Refusal| vec![refusal.of("tenant.id")])
    }

    /// The whole tenant as it was, and the numbers that it must not give again.
    pub(in crate::transfer) fn into_whole(
        self,
        now: DateTime<Utc>,
    ) -> Result<(Tenant, LastNumbers), Vec<FieldRefusal>> {
        let mut reading = Reading::at(now);
        let id = reading.value("tenant.id", &self.id);
        let limits = Limits {
            max_workspaces: reading.cap("tenant.maxWorkspaces", self.max_workspaces),
            max_members: reading.cap("tenant.maxMembers", self.max_members),
            max_agents: reading.cap("tenant.maxAgents", self.max_agents),
            max_minutes: reading.cap("tenant.maxMinutes", self.max_minutes),
            max_pending_invitations: reading.cap("tenant.maxPendingInvitations", self.max_pending_invitations),
            max_emails_per_day: reading.cap("tenant.maxEmailsPerDay", self.max_emails_per_day),
            max_emails_per_recipient: reading.cap("tenant.maxEmailsPerRecipient", self.max_emails_per_recipient),
            requests_per_second: requests(&mut reading, "tenant.requestsPerSecond", self.requests_per_second),
            request_burst: requests(&mut reading, "tenant.requestBurst", self.request_burst),
        };
        let labels = reading.labels(self.external_id.as_deref(), &self.metadata);
        let suspended_at = reading.optional_time("tenant.suspendedAt", self.suspended_at);
        let deleted_at = reading.optional_time("tenant.deletedAt", self.deleted_at);
        let version = reading.version("tenant.version", self.version);
        let created_at = reading.time("tenant.createdAt", self.created_at);
        let updated_at = reading.time("tenant.updatedAt", self.updated_at);
        let id = reading.end(id)?;
        let (details, last) = self.into_tenant(now)?;
        let frozen_at = Some(now);
        let tenant = Tenant {
            id,
            details,
            limits,
            labels,
            suspended_at,
            deleted_at,
            frozen_at,
            version,
            created_at,
            updated_at,
        };
        Ok((tenant, last))
    }
}

fn requests(reading: &mut Reading, field: &str, raw: Option<u32>) -> Option<Requests> {
    raw.and_then(|raw| reading.parsed(field, Requests::try_from(i64::from(raw))))
}
