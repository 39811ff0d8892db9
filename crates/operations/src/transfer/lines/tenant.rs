//! The tenant, which is the first line.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tenantry_domain::{Cap, ExternalId, FieldRefusal, Refusal, Requests, Tenant, TenantDetails};
use tenantry_persistence::LastNumbers;

use super::{Entries, MOST, Reading, VERSION, entries, locale, text};

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::transfer) struct Header {
    version: u32,
    exported_at: DateTime<Utc>,
    pub(in crate::transfer) tenant: TenantLine,
}

/// The tenant. Its limits, its state, its external ID and its metadata are told and not taken over: they are for the platform that it comes to.
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
    pub(in crate::transfer) fn of(tenant: &Tenant, last: LastNumbers, exported_at: DateTime<Utc>) -> Self {
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
        Self { version: VERSION, exported_at, tenant }
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
}
