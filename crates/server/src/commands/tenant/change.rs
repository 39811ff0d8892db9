//! `tenantry tenant update`, `limit`, and the commands that change a tenant's state.

use chrono::Utc;
use clap::{ArgGroup, Args};
use serde_json::json;
use tenantry_domain::{
    Error, FieldRefusal, LimitsPatch, LocaleRequest, PlatformPatch, Precondition, Refusal, TENANT_RESTORABLE_DAYS,
    Tenant, TenantPatch, Use, counted,
};
use tenantry_http::PlatformTenantWithUsage;
use tenantry_operations::{ApiKeyFilter, Store, api_keys, tenants};

use super::{operator, parse, print, read};
use crate::{
    commands::labels::ChangedLabels,
    consent::{Consent, Deed, carry_out, thing},
    database::with_store,
    exit::Exit,
    named::{self, Meant, One},
    output::Output,
    settings::Settings,
};

#[derive(Args)]
#[command(override_usage = "tenantry tenant update [OPTIONS] <TENANT>")]
#[command(group = ArgGroup::new("changes").required(true).multiple(true)
    .args(["name", "country", "language", "currency", "workspace_type", "external_id", "metadata"]))]
pub(crate) struct Update {
    #[command(flatten)]
    one: One,
    /// Display name
    #[arg(long)]
    name: Option<String>,
    /// Default country of new workspaces (ISO 3166-1 alpha-2, such as NL)
    #[arg(long)]
    country: Option<String>,
    /// Default language of new workspaces (ISO 639-1, such as nl)
    #[arg(long)]
    language: Option<String>,
    /// Default currency of new workspaces (ISO 4217, such as EUR)
    #[arg(long)]
    currency: Option<String>,
    /// Default type of new workspaces: b2b or b2c
    #[arg(long = "type", value_name = "TYPE")]
    workspace_type: Option<String>,
    #[command(flatten)]
    labels: ChangedLabels,
}

#[derive(Args)]
#[command(override_usage = "tenantry tenant limit [OPTIONS] <TENANT>")]
#[command(group = ArgGroup::new("limits").required(true).multiple(true).args(["max_workspaces", "max_members", "max_agents", "max_minutes",
    "max_pending_invitations", "max_emails_per_day", "max_emails_per_recipient", "requests_per_second", "request_burst"]))]
pub(crate) struct Limit {
    #[command(flatten)]
    one: One,
    /// Limit of workspaces: a number, or none for no limit
    #[arg(long, value_name = "N")]
    max_workspaces: Option<String>,
    /// Limit of members in each workspace with pending invitations: a number, or none
    #[arg(long, value_name = "N")]
    max_members: Option<String>,
    /// Limit of agents in each workspace: a number, or none
    #[arg(long, value_name = "N")]
    max_agents: Option<String>,
    /// Limit of minutes a month in each workspace: a number, or none
    #[arg(long, value_name = "N")]
    max_minutes: Option<String>,
    /// Limit of pending invitations in the tenant: a number, or none for the default
    #[arg(long, value_name = "N")]
    max_pending_invitations: Option<String>,
    /// Limit of emails in 24 hours: a number, or none for the default
    #[arg(long, value_name = "N")]
    max_emails_per_day: Option<String>,
    /// Limit of emails to one address in 24 hours: a number, or none for the default
    #[arg(long, value_name = "N")]
    max_emails_per_recipient: Option<String>,
    /// Limit of requests in a second, by all credentials together: a number, or none
    #[arg(long, value_name = "N")]
    requests_per_second: Option<String>,
    /// Limit of requests at once: a number, or none for as many as in a second
    #[arg(long, value_name = "N")]
    request_burst: Option<String>,
}

/// Reads a limit: `None` if the argument is absent, `Some(None)` for `none`.
pub(super) fn limited<N: TryFrom<i64, Error = Refusal>>(
    name: &str,
    raw: Option<&str>,
    refused: &mut Vec<FieldRefusal>,
) -> Option<Option<N>> {
    let raw = raw?;
    if raw == "none" {
        return Some(None);
    }
    let number = raw.parse::<i64>().map_err(|_| Refusal::new("wrong_type", "must be a number, or none"));
    match number.and_then(N::try_from) {
        Ok(cap) => Some(Some(cap)),
        Err(refusal) => {
            refused.push(refusal.of(name));
            None
        }
    }
}

pub(super) fn update(update: Update, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let mut refused = Vec::new();
    let patch = TenantPatch {
        name: read("name", update.name.as_deref(), &mut refused),
        defaults: LocaleRequest {
            country: parse("country", update.country.as_deref(), &mut refused),
            language: parse("language", update.language.as_deref(), &mut refused),
            currency: parse("currency", update.currency.as_deref(), &mut refused),
            workspace_type: parse("type", update.workspace_type.as_deref(), &mut refused),
        },
    };
    let (external_id, metadata) = update.labels.read(&mut refused);
    let platform = PlatformPatch { external_id, metadata, ..PlatformPatch::default() };
    administer(&update.one, refused, patch, platform, settings, output)
}

pub(super) fn limit(limit: Limit, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let mut refused = Vec::new();
    let limits = LimitsPatch {
        max_workspaces: limited("max-workspaces", limit.max_workspaces.as_deref(), &mut refused),
        max_members: limited("max-members", limit.max_members.as_deref(), &mut refused),
        max_agents: limited("max-agents", limit.max_agents.as_deref(), &mut refused),
        max_minutes: limited("max-minutes", limit.max_minutes.as_deref(), &mut refused),
        max_pending_invitations: limited(
            "max-pending-invitations",
            limit.max_pending_invitations.as_deref(),
            &mut refused,
        ),
        max_emails_per_day: limited("max-emails-per-day", limit.max_emails_per_day.as_deref(), &mut refused),
        max_emails_per_recipient: limited(
            "max-emails-per-recipient",
            limit.max_emails_per_recipient.as_deref(),
            &mut refused,
        ),
        requests_per_second: limited("requests-per-second", limit.requests_per_second.as_deref(), &mut refused),
        request_burst: limited("request-burst", limit.request_burst.as_deref(), &mut refused),
    };
    let platform = PlatformPatch { limits, ..PlatformPatch::default() };
    administer(&limit.one, refused, TenantPatch::default(), platform, settings, output)
}

fn administer(
    one: &One,
    refused: Vec<FieldRefusal>,
    patch: TenantPatch,
    platform: PlatformPatch,
    settings: &Settings,
    output: &Output,
) -> Result<(), Exit> {
    if !refused.is_empty() {
        return Err(Error::Invalid(refused).into());
    }
    let changed = with_store(settings, async |store| {
        let id = named::tenant(store, &one.tenant, Meant::Present).await?;
        Ok(tenants::administer(store, &operator(None)?, id, Precondition::None, patch, platform).await?)
    })?;
    print(output, changed)
}

/// The state that a tenant should get.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Suspended,
    Active,
    Restored,
    Frozen,
    Unfrozen,
}

pub(super) fn set(state: State, one: &One, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let (tenant, used): (Tenant, Use) = with_store(settings, async |store| {
        let (meant, operator) =
            (if state == State::Restored { Meant::Deleted } else { Meant::Present }, operator(None)?);
        let id = named::tenant(store, &one.tenant, meant).await?;
        Ok(match state {
            State::Suspended => tenants::suspend(store, &operator, id).await?,
            State::Active => tenants::reactivate(store, &operator, id).await?,
            State::Restored => tenants::restore(store, &operator, id).await?,
            State::Frozen => tenants::freeze(store, &operator, id).await?,
            State::Unfrozen => tenants::unfreeze(store, &operator, id).await?,
        })
    })?;
    let word =
        if tenant.frozen_at.is_some() { format!("{}, frozen", tenant.state()) } else { tenant.state().to_string() };
    let line = format!("{word}  {}  {}", tenant.id, tenant.details.name.as_str());
    output.print(&PlatformTenantWithUsage::from((tenant, used)), || line)
}

pub(super) fn delete(one: &One, consent: Consent, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let find = async |store: &Store| named::tenant(store, &one.tenant, Meant::Present).await;
    carry_out(consent, settings, output, find, async |store, &id| {
        let above = operator(None)?;
        let (tenant, used) = tenants::inspect(store, &above, id).await?;
        let (inside, now) = (operator(Some(id))?, Utc::now());
        let keys = named::all(async |page| api_keys::list(store, &inside, ApiKeyFilter::default(), page).await).await?;
        let keys = keys.iter().filter(|key| key.revoked_at.is_none() && key.details.lives_at(now).is_ok()).count();
        tenants::delete(store, &above, id, Precondition::None).await?;
        let Use { workspaces, members, pending_invitations } = used;
        let name = tenant.details.name.as_str();
        Ok(Deed {
            would: format!(
                "This deletes the tenant \"{name}\" ({id}). It has {}, {}, {} and {}.\nFrom their next request on, its keys \
                 and members are refused. For {TENANT_RESTORABLE_DAYS} days you can take this back with `tenantry tenant \
                 restore {id}`.\nAfter that the tenant can be erased with all its data.",
                counted(workspaces, "workspace"),
                counted(members, "member"),
                counted(pending_invitations, "pending invitation"),
                counted(keys as u64, "usable API key"),
            ),
            plan: json!({
                "delete": thing(id, name), "restorableDays": TENANT_RESTORABLE_DAYS, "workspaces": workspaces,
                "members": members, "pendingInvitations": pending_invitations, "apiKeys": keys,
            }),
            done: format!(
                "deleted  {id}\n         You can restore it for {TENANT_RESTORABLE_DAYS} days: `tenantry tenant restore {id}`."
            ),
            result: json!({ "deleted": id.to_string() }),
        })
    })
}
