//! Workspaces, with their limits and integrations.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tenantry_auth::seal::{MasterKeys, SealContext};
use tenantry_domain::{
    ApiKeySid, Cap, ExternalId, FieldRefusal, InTenant, Instructions, Integration, PlainField, PlainSecret, Provider,
    Refusal, SecretTrace, SignatureHtml, SignatureText, TenantId, Verification, Workspace, WorkspaceDetails,
    WorkspaceId, WorkspaceLimits,
};
use tenantry_persistence::{Fault, KeptWorkspace, NewSealed, StoredIntegration, Tx};
use zeroize::Zeroizing;

use super::{Counts, Entries, Line, Reading, Target, entries, locale, text};
use crate::{
    integrations::context,
    transfer::{
        export::{Out, pages},
        sealing::{Sealing, Secrets},
    },
};

/// What its secret is called where it is sealed.
const KIND: &str = "integration";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::transfer) struct WorkspaceLine {
    id: String,
    number: i64,
    brand_id: String,
    name: String,
    country: String,
    operating_language: String,
    currency: String,
    workspace_type: String,
    workspace_instructions: Option<String>,
    email_signature_html: Option<String>,
    email_signature_text: Option<String>,
    max_members: Option<u32>,
    max_agents: Option<u32>,
    max_minutes: Option<u32>,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    metadata: Entries,
    time_zone: String,
    limits_version: i64,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    deleted_at: Option<DateTime<Utc>>,
}

impl WorkspaceLine {
    /// Writes every workspace, each with its integrations behind it.
    pub(super) fn export(tx: &mut Tx<'_, InTenant>, out: &mut Out<'_>, counts: &mut Counts) -> Result<(), Fault> {
        pages(|page| {
            let page = tx.kept_workspaces(page)?;
            let ids: Vec<WorkspaceId> = page.items.iter().map(|kept| kept.workspace.id).collect();
            let integrations = tx.integrations_of(&ids)?;
            for (kept, id) in page.items.into_iter().zip(ids) {
                counts.workspaces += out.line(Line::Workspace(Self::of(kept)))?;
                for stored in integrations.iter().filter(|stored| stored.integration.workspace_id == id) {
                    let line = IntegrationLine::of(stored, out.secrets())?;
                    counts.secrets_to_set += u64::from(line.had_secret() && line.sealed.is_none());
                    counts.integrations += out.line(Line::Integration(line))?;
                }
            }
            Ok(page.next)
        })
    }

    fn of(kept: KeptWorkspace) -> Box<Self> {
        let KeptWorkspace { workspace, number, limits, limits_version } = kept;
        let details = workspace.details;
        Box::new(Self {
            id: workspace.id.to_string(),
            number: number.get(),
            brand_id: details.brand_id.to_string(),
            name: details.name.as_str().to_owned(),
            country: details.locale.country.to_string(),
            operating_language: details.locale.language.to_string(),
            currency: details.locale.currency.to_string(),
            workspace_type: details.locale.workspace_type.to_string(),
            workspace_instructions: text(details.workspace_instructions.as_ref(), Instructions::as_str),
            email_signature_html: text(details.email_signature_html.as_ref(), SignatureHtml::as_str),
            email_signature_text: text(details.email_signature_text.as_ref(), SignatureText::as_str),
            max_members: limits.max_members.map(Cap::get),
            max_agents: limits.max_agents.map(Cap::get),
            max_minutes: limits.max_minutes.map(Cap::get),
            external_id: text(details.labels.external_id.as_ref(), ExternalId::as_str),
            metadata: entries(&details.labels.metadata),
            time_zone: limits.time_zone.as_str().to_owned(),
            limits_version,
            version: workspace.version,
            created_at: workspace.created_at,
            updated_at: workspace.updated_at,
            deleted_at: workspace.deleted_at,
        })
    }

    pub(super) fn into_workspace(self, target: Target) -> Result<KeptWorkspace, Vec<FieldRefusal>> {
        let mut reading = Reading::at(target.now);
        let (id, brand_id) = (reading.value("id", &self.id), reading.value("brandId", &self.brand_id));
        let number = reading.given("number", self.number, ("lastWorkspaceNumber", target.last.workspace));
        let name = reading.value("name", &self.name);
        let locale = locale(
            &mut reading,
            [
                ("country", &self.country),
                ("operatingLanguage", &self.operating_language),
                ("currency", &self.currency),
                ("workspaceType", &self.workspace_type),
            ],
        );
        let workspace_instructions = reading.optional("workspaceInstructions", self.workspace_instructions.as_deref());
        let email_signature_html = reading.optional("emailSignatureHtml", self.email_signature_html.as_deref());
        let email_signature_text = reading.optional("emailSignatureText", self.email_signature_text.as_deref());
        let labels = reading.labels(self.external_id.as_deref(), &self.metadata);
        let max_members = reading.cap("maxMembers", self.max_members);
        let max_agents = reading.cap("maxAgents", self.max_agents);
        let max_minutes = reading.cap("maxMinutes", self.max_minutes);
        let time_zone = reading.value("timeZone", &self.time_zone);
        let limits_version = reading.version("limitsVersion", self.limits_version);
        let version = reading.version("version", self.version);
        let created_at = reading.time("createdAt", self.created_at);
        let updated_at = reading.time("updatedAt", self.updated_at);
        let deleted_at = reading.optional_time("deletedAt", self.deleted_at);
        let details = brand_id.zip(name).zip(locale).map(|((brand_id, name), locale)| WorkspaceDetails {
            brand_id,
            name,
            locale,
            workspace_instructions,
            email_signature_html,
            email_signature_text,
            labels,
        });
        let limits = time_zone.map(|time_zone| WorkspaceLimits { max_members, max_agents, max_minutes, time_zone });
        reading.end(id.zip(number).zip(details.zip(limits)).map(|((id, number), (details, limits))| KeptWorkspace {
            number,
            workspace: Workspace {
                id,
                tenant_id: target.tenant_id,
                details,
                version,
                created_at,
                updated_at,
                deleted_at,
            },
            limits,
            limits_version,
        }))
    }
}

/// An integration. That it had a secret is told, and not the secret.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::transfer) struct IntegrationLine {
    workspace_id: String,
    provider: String,
    plain: Option<String>,
    #[serde(default)]
    api_key_sid: Option<String>,
    #[serde(default)]
    twilio_region: Option<String>,
    secret: Option<TraceLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sealed: Option<String>,
    verification_status: String,
    verified_at: Option<DateTime<Utc>>,
    last_error: Option<String>,
    version: i64,
    updated_at: Option<DateTime<Utc>>,
}

/// What may be known of a secret.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TraceLine {
    last_four: Option<String>,
    set_at: DateTime<Utc>,
    #[serde(default)]
    renewable: bool,
}

impl IntegrationLine {
    fn of(stored: &StoredIntegration, secrets: &Secrets) -> Result<Box<Self>, Fault> {
        let StoredIntegration { integration, sealed } = stored;
        let trace = |trace: &SecretTrace| TraceLine {
            last_four: trace.last_four.clone(),
            set_at: trace.set_at,
            renewable: trace.renewable,
        };
        let mut line = Box::new(Self {
            workspace_id: integration.workspace_id.to_string(),
            provider: integration.provider.to_string(),
            plain: text(integration.plain.as_ref(), PlainField::as_str),
            api_key_sid: text(integration.api_key_sid.as_ref(), ApiKeySid::as_str),
            twilio_region: integration.twilio_region.map(|region| region.to_string()),
            secret: integration.secret.as_ref().map(trace),
            sealed: None,
            verification_status: integration.verification.status.to_string(),
            verified_at: integration.verification.verified_at,
            last_error: integration.verification.last_error.clone(),
            version: integration.version,
            updated_at: integration.updated_at,
        });
        if let Some(sealed) = sealed {
            let open = |keys: &MasterKeys| {
                let secret = keys.open(&context(integration), sealed).ok()?;
                Some(Zeroizing::new(secret.to_stored().as_bytes().to_vec()))
            };
            line.sealed = secrets.written((integration.tenant_id, KIND, &line.place()), open)?;
        }
        Ok(line)
    }

    /// What its secret is bound to.
    fn place(&self) -> String {
        let set_at = self.secret.as_ref().map_or(0, |secret| secret.set_at.timestamp_micros());
        format!("{}/{}/{set_at}", self.workspace_id, self.provider)
    }

    /// Whether there is a secret.
    pub(super) fn had_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// The secret that came along, sealed under the master key of this service.
    pub(super) fn secret(&self, target: Target, sealing: &Sealing) -> Result<Option<NewSealed>, Vec<FieldRefusal>> {
        let Some(trace) = &self.secret else { return Ok(None) };
        let opened = sealing.opened((target.tenant_id, KIND, &self.place()), self.sealed.as_deref());
        let opened = opened.map_err(|refused| vec![refused])?;
        let unreadable = || vec![Refusal::new("not_sealed", "does not hold a secret").of("sealed")];
        let secret = std::str::from_utf8(&opened).ok().and_then(PlainSecret::from_stored).ok_or_else(unreadable)?;
        let mut reading = Reading::at(target.now);
        let workspace = reading.value("workspaceId", &self.workspace_id);
        let provider: Option<Provider> = reading.value("provider", &self.provider);
        let (workspace, provider) = reading.end(workspace.zip(provider))?;
        let (field, set_at) = (provider.secret_field(), trace.set_at);
        let context = SealContext { tenant: target.tenant_id, workspace, provider, field, set_at };
        let sealed = sealing.keys.seal(&context, &secret).map_err(|_| unreadable())?;
        let (last_four, renewable) = (trace.last_four.clone(), trace.renewable);
        Ok(Some(NewSealed { sealed, key: sealing.keys.sealing().clone(), last_four, renewable }))
    }

    /// The same line with what its secret is compared by.
    pub(super) fn revealed(
        mut self: Box<Self>,
        tenant: TenantId,
        sealing: &Sealing,
    ) -> Result<Box<Self>, FieldRefusal> {
        sealing.reveal((tenant, KIND, &self.place()), &mut self.sealed)?;
        Ok(self)
    }

    /// The same line as it is without its secret and without what the provider said of it, which is a change that its version counts.
    pub(super) fn bare(mut self: Box<Self>) -> Box<Self> {
        self.version = self.version.saturating_add(self.had_secret().into());
        (self.secret, self.sealed, self.api_key_sid, self.twilio_region) = (None, None, None, None);
        let none = Verification::default();
        self.verification_status = none.status.to_string();
        (self.verified_at, self.last_error) = (none.verified_at, none.last_error);
        self
    }

    /// The integration, with what belongs to its secret if that comes along.
    pub(super) fn into_integration(self: Box<Self>, target: Target) -> Result<Integration, Vec<FieldRefusal>> {
        let line = *if target.sealed { self } else { self.bare() };
        let mut reading = Reading::at(target.now);
        let workspace_id = reading.value("workspaceId", &line.workspace_id);
        let provider: Option<Provider> = reading.value("provider", &line.provider);
        let plain = provider.zip(line.plain.as_deref()).map(|(provider, raw)| PlainField::parse(provider, raw));
        let plain = plain.and_then(|plain| reading.parsed("plain", plain));
        let api_key_sid = reading.optional("apiKeySid", line.api_key_sid.as_deref());
        let twilio_region = reading.optional("twilioRegion", line.twilio_region.as_deref());
        let status = reading.value("verificationStatus", &line.verification_status);
        let verified_at = reading.optional_time("verifiedAt", line.verified_at);
        let version = reading.version("version", line.version);
        let updated_at = reading.optional_time("updatedAt", line.updated_at);
        let trace = line.secret.map(|trace| SecretTrace {
            last_four: trace.last_four,
            set_at: reading.time("secret.setAt", trace.set_at),
            renewable: trace.renewable,
        });
        reading.end(workspace_id.zip(provider).zip(status).map(|((workspace_id, provider), status)| Integration {
            tenant_id: target.tenant_id,
            workspace_id,
            provider,
            plain,
            api_key_sid,
            twilio_region,
            secret: trace,
            verification: Verification { status, verified_at, last_error: line.last_error },
            version,
            updated_at,
        }))
    }
}
