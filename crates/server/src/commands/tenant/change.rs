//! `tenantry tenant update`, `limit`, and the commands that change a tenant's state.

use clap::{ArgGroup, Args};
use serde_json::json;
use tenantry_domain::{
    Cap, Error, FieldRefusal, LimitsPatch, LocaleRequest, Precondition, Refusal, TENANT_RESTORABLE_DAYS, Tenant,
    TenantPatch, Use,
};
use tenantry_http::PlatformTenantWithUsage;
use tenantry_operations::tenants;

use super::{One, operator, parse, tenant_id};
use crate::{database::with_store, exit::Exit, output::Output, settings::Settings};

#[derive(Args)]
#[command(override_usage = "tenantry tenant update [OPTIONS] <TENANT>")]
#[command(group = ArgGroup::new("changes").required(true).multiple(true)
    .args(["name", "country", "language", "currency", "workspace_type"]))]
pub(crate) struct Update {
    /// The tenant's id
    tenant: String,
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
    #[arg(long = "type")]
    workspace_type: Option<String>,
}

#[derive(Args)]
#[command(override_usage = "tenantry tenant limit [OPTIONS] <TENANT>")]
#[command(group = ArgGroup::new("limits").required(true).multiple(true).args(["max_workspaces", "max_members", "max_agents", "max_minutes"]))]
pub(crate) struct Limit {
    /// The tenant's id
    tenant: String,
    /// Limit of workspaces: a number, or none for no limit
    #[arg(long)]
    max_workspaces: Option<String>,
    /// Limit of members in each workspace, pending invitations included: a number, or none
    #[arg(long)]
    max_members: Option<String>,
    /// Limit of agents in each workspace: a number, or none
    #[arg(long)]
    max_agents: Option<String>,
    /// Limit of minutes a month in each workspace: a number, or none
    #[arg(long)]
    max_minutes: Option<String>,
}

/// Reads a limit: `None` if the argument is absent, `Some(None)` for `none`.
pub(super) fn cap(name: &str, raw: Option<&str>, refused: &mut Vec<FieldRefusal>) -> Option<Option<Cap>> {
    let raw = raw?;
    if raw == "none" {
        return Some(None);
    }
    let number = raw.parse::<i64>().map_err(|_| Refusal::new("wrong_type", "must be a number, or none"));
    match number.and_then(Cap::try_from) {
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
        name: parse("name", update.name.as_deref(), &mut refused),
        defaults: LocaleRequest {
            country: parse("country", update.country.as_deref(), &mut refused),
            language: parse("language", update.language.as_deref(), &mut refused),
            currency: parse("currency", update.currency.as_deref(), &mut refused),
            workspace_type: parse("type", update.workspace_type.as_deref(), &mut refused),
        },
    };
    administer(&update.tenant, refused, patch, LimitsPatch::default(), settings, output)
}

pub(super) fn limit(limit: Limit, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let mut refused = Vec::new();
    let limits = LimitsPatch {
        max_workspaces: cap("max-workspaces", limit.max_workspaces.as_deref(), &mut refused),
        max_members: cap("max-members", limit.max_members.as_deref(), &mut refused),
        max_agents: cap("max-agents", limit.max_agents.as_deref(), &mut refused),
        max_minutes: cap("max-minutes", limit.max_minutes.as_deref(), &mut refused),
    };
    administer(&limit.tenant, refused, TenantPatch::default(), limits, settings, output)
}

fn administer(
    tenant: &str,
    refused: Vec<FieldRefusal>,
    patch: TenantPatch,
    limits: LimitsPatch,
    settings: &Settings,
    output: &Output,
) -> Result<(), Exit> {
    let (id, operator) = (tenant_id(tenant)?, operator(None)?);
    if !refused.is_empty() {
        return Err(Error::Invalid(refused).into());
    }
    let changed = with_store(settings, async move |store| {
        tenants::administer(store, &operator, id, Precondition::None, patch, limits).await
    })?;
    let view = PlatformTenantWithUsage::from(changed);
    output.print(&view, || serde_json::to_string_pretty(&view).unwrap_or_default())
}

/// The state that a tenant should get.
#[derive(Clone, Copy)]
pub(super) enum State {
    Suspended,
    Active,
    Restored,
}

pub(super) fn set(state: State, one: &One, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let (id, operator) = (tenant_id(&one.tenant)?, operator(None)?);
    let (tenant, used): (Tenant, Use) = with_store(settings, async move |store| match state {
        State::Suspended => tenants::suspend(store, &operator, id).await,
        State::Active => tenants::reactivate(store, &operator, id).await,
        State::Restored => tenants::restore(store, &operator, id).await,
    })?;
    let line = format!("{}  {id}  {}", tenant.state(), tenant.details.name.as_str());
    output.print(&PlatformTenantWithUsage::from((tenant, used)), || line)
}

pub(super) fn delete(one: &One, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let (id, operator) = (tenant_id(&one.tenant)?, operator(None)?);
    with_store(settings, async move |store| tenants::delete(store, &operator, id, Precondition::None).await)?;
    output.print(&json!({ "deleted": id.to_string() }), || {
        format!(
            "deleted  {id}\n         You can restore it for {TENANT_RESTORABLE_DAYS} days: `tenantry tenant restore`."
        )
    })
}
