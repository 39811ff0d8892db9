//! `tenantry tenant`.

mod change;
mod create;
mod erase;
mod transfer;

use clap::{Args, Subcommand};
use tenantry_domain::{
    Cap, Credential, Error, FieldRefusal, Holder, Input, Line, Origin, Refusal, TENANT_RESTORABLE_DAYS,
    Tenant as Account, TenantId, Use,
};
use tenantry_http::{PlatformTenantView, PlatformTenantWithUsage};
use tenantry_operations::{TenantFilter, tenants};

use self::{
    change::{Limit, State, Update},
    create::Create,
    erase::Erase,
    transfer::{Compare, Export, Import},
};
use super::labels;
use crate::{
    consent::Consent,
    database::with_store,
    exit::Exit,
    named::{self, Meant, One},
    output::{Output, fields, table},
    settings::Settings,
};

/// Create, list, limit, suspend and delete tenants.
#[derive(Subcommand)]
pub(crate) enum Tenant {
    /// Create a tenant with its default brand and its owner's API key, which is printed only once
    #[command(after_long_help = CREATE)]
    Create(Create),
    /// List the tenants, oldest first
    List(List),
    /// Show one tenant with its state, limits and usage
    Show(One),
    /// Change the name of a tenant and the defaults for its new workspaces
    Update(Update),
    /// Change the limits of a tenant; nothing that exists is removed
    Limit(Limit),
    /// Refuse the credentials of a tenant, from their next request on
    Suspend(One),
    /// Accept the credentials of a suspended tenant again
    Reactivate(One),
    /// Let nobody change a tenant, to move it: it can still be read, and nothing is sent for it
    Freeze(One),
    /// Let a frozen tenant be changed again
    Unfreeze(One),
    /// Delete a tenant: its credentials are refused at once, and you can restore it for 30 days
    Delete {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        consent: Consent,
    },
    /// Restore a deleted tenant that has not been erased yet
    Restore(One),
    /// Erase tenants deleted more than 30 days ago, with everything in them, as the owner of the database
    Erase(Erase),
    /// Write a tenant as lines of JSON, without secrets or with encrypted ones
    #[command(after_long_help = EXPORT)]
    Export(Export),
    /// Read an export, as the tenant that it is of or into an empty tenant: everything or nothing
    #[command(after_long_help = IMPORT)]
    Import(Import),
    /// Compare a tenant with an export of it, row by row; exit code 1 if they differ
    #[command(after_long_help = COMPARE)]
    Compare(Compare),
}

const CREATE: &str = "\
Examples:
  A tenant in the Netherlands, with an API key for its owner:
    tenantry tenant create --name Acme --country NL
  With at most 25 workspaces, and an owner who is invited by email:
    tenantry tenant create --name Acme --country NL --max-workspaces 25 --owner-email ada@example.com";

const EXPORT: &str = "\
Examples:
  tenantry tenant export Acme --file acme.ndjson
  tenantry tenant export Acme | gzip > acme.ndjson.gz
  With everything that another service needs to go on:
    tenantry master-key transfer.key --version 1
    tenantry tenant freeze Acme
    tenantry tenant export Acme --sealed transfer.key --file acme.ndjson";

const IMPORT: &str = "\
Examples:
  A copy, in a tenant that you have created for it:
    tenantry tenant import 'Acme (copy)' --file acme.ndjson
  The tenant itself, in another database. It is frozen until you have compared it:
    tenantry tenant import --sealed transfer.key --file acme.ndjson
    tenantry tenant compare --sealed transfer.key acme.ndjson
    tenantry tenant unfreeze Acme";

const COMPARE: &str = "\
Examples:
  tenantry tenant compare acme.ndjson
  With the secrets of a sealed export:
    tenantry tenant compare --sealed transfer.key acme.ndjson";

#[derive(Args)]
pub(crate) struct List {
    /// Only tenants in this state: active, suspended or deleted
    #[arg(long)]
    state: Option<String>,
    /// Only tenants with this text in their name
    #[arg(long)]
    search: Option<String>,
}

impl List {
    fn into_domain(self) -> Result<TenantFilter, Exit> {
        let mut refused = Vec::new();
        let filter = TenantFilter {
            state: parse("state", self.state.as_deref(), &mut refused),
            search: self.search,
            ..TenantFilter::default()
        };
        unless_refused(filter, refused)
    }
}

/// Reads an argument. A refusal is recorded under its name.
pub(crate) fn parse<T: std::str::FromStr<Err = Refusal>>(
    name: &str,
    raw: Option<&str>,
    refused: &mut Vec<FieldRefusal>,
) -> Option<T> {
    raw?.parse().map_err(|refusal: Refusal| refused.push(refusal.of(name))).ok()
}

/// [`parse`], for what an empty value removes.
pub(crate) fn removable<T: std::str::FromStr<Err = Refusal>>(
    name: &str,
    raw: Option<&str>,
    refused: &mut Vec<FieldRefusal>,
) -> Option<Option<T>> {
    if raw == Some("") { Some(None) } else { parse(name, raw, refused).map(Some) }
}

/// What was read, unless something was refused.
pub(crate) fn unless_refused<T>(read: T, refused: Vec<FieldRefusal>) -> Result<T, Exit> {
    if refused.is_empty() { Ok(read) } else { Err(Error::Invalid(refused).into()) }
}

/// [`parse`], as callers of the API are read.
pub(crate) fn read<T: Input<Raw = str>>(name: &str, raw: Option<&str>, refused: &mut Vec<FieldRefusal>) -> Option<T> {
    T::read(raw?).map_err(|refusal| refused.push(refusal.of(name))).ok()
}

pub(crate) fn run(command: Tenant, settings: &Settings, output: &Output) -> Result<(), Exit> {
    crate::logging::start(settings);
    match command {
        Tenant::Create(create) => create::run(create, settings, output),
        Tenant::List(list) => {
            let (filter, operator) = (list.into_domain()?, operator(None)?);
            let tenants = with_store(settings, async |store| {
                Ok(named::all(async |page| tenants::list(store, &operator, filter.clone(), page).await).await?)
            })?;
            print_list(output, &tenants)
        }
        Tenant::Show(one) => {
            let shown = with_store(settings, async |store| {
                let id = named::tenant(store, &one.tenant, Meant::Present).await?;
                Ok(tenants::inspect(store, &operator(None)?, id).await?)
            })?;
            print(output, shown)
        }
        Tenant::Update(update) => change::update(update, settings, output),
        Tenant::Limit(limit) => change::limit(limit, settings, output),
        Tenant::Suspend(one) => change::set(State::Suspended, &one, settings, output),
        Tenant::Reactivate(one) => change::set(State::Active, &one, settings, output),
        Tenant::Restore(one) => change::set(State::Restored, &one, settings, output),
        Tenant::Freeze(one) => change::set(State::Frozen, &one, settings, output),
        Tenant::Unfreeze(one) => change::set(State::Unfrozen, &one, settings, output),
        Tenant::Export(export) => transfer::export(&export, settings, output),
        Tenant::Import(import) => transfer::import(&import, settings, output),
        Tenant::Compare(compare) => transfer::compare(&compare, settings, output),
        Tenant::Erase(erase) => erase::run(&erase, settings, output),
        Tenant::Delete { one, consent } => change::delete(&one, consent, settings, output),
    }
}

fn print_list(output: &Output, tenants: &[Account]) -> Result<(), Exit> {
    let views: Vec<_> = tenants.iter().cloned().map(PlatformTenantView::from).collect();
    output.print(&views, || {
        let row = |tenant: &Account| {
            [
                tenant.id.to_string(),
                tenant.details.name.as_str().to_owned(),
                tenant.details.defaults.country.to_string(),
                tenant.state().to_string(),
                minutes(tenant.created_at),
            ]
        };
        table(["ID", "NAME", "COUNTRY", "STATE", "CREATED"], &tenants.iter().map(row).collect::<Vec<_>>())
    })
}

/// Prints a tenant with its limits and how much it uses of them.
fn print(output: &Output, (tenant, used): (Account, Use)) -> Result<(), Exit> {
    let text = words(&tenant, used);
    output.print(&PlatformTenantWithUsage::from((tenant, used)), || text)
}

fn words(tenant: &Account, used: Use) -> String {
    let cap = |cap: Option<Cap>| cap.map_or_else(|| "no limit".to_owned(), |cap| format!("at most {}", cap.get()));
    let own = |own: Option<Cap>| own.map_or_else(|| "the service's limit".to_owned(), |_| cap(own));
    let (limits, defaults) = (tenant.limits, tenant.details.defaults);
    let state = match (tenant.deleted_at, tenant.suspended_at) {
        (Some(at), _) => {
            let until = at + chrono::Duration::days(TENANT_RESTORABLE_DAYS.into());
            format!("deleted on {}, erased after {}", minutes(at), minutes(until))
        }
        (None, Some(at)) => format!("suspended on {}", minutes(at)),
        (None, None) => tenant.state().to_string(),
    };
    let state = match tenant.frozen_at {
        Some(at) => format!("{state}; frozen on {}", minutes(at)),
        None => state,
    };
    let [external_id, metadata] = labels::words(&tenant.labels);
    fields(&[
        ("id", tenant.id.to_string()),
        ("name", tenant.details.name.as_str().to_owned()),
        ("state", state),
        ("workspaces", format!("{}, {}", used.workspaces, cap(limits.max_workspaces))),
        ("members", used.members.to_string()),
        ("invitations", format!("{} pending, {}", used.pending_invitations, own(limits.max_pending_invitations))),
        (
            "emails a day",
            format!("{}; to one address: {}", own(limits.max_emails_per_day), own(limits.max_emails_per_recipient)),
        ),
        (
            "in each workspace",
            format!(
                "members: {}; agents: {}; minutes a month: {}",
                cap(limits.max_members),
                cap(limits.max_agents),
                cap(limits.max_minutes)
            ),
        ),
        (
            "requests",
            match limits.request_rate() {
                Some(rate) => format!("{} in a second, {} at once", rate.per_second.get(), rate.burst.get()),
                None => "no limit".to_owned(),
            },
        ),
        (
            "new workspaces",
            format!(
                "country {}, language {}, currency {}, type {}",
                defaults.country, defaults.language, defaults.currency, defaults.workspace_type
            ),
        ),
        external_id,
        metadata,
        ("created", minutes(tenant.created_at)),
        ("changed", minutes(tenant.updated_at)),
    ])
}

/// A time for people.
pub(crate) fn minutes(at: chrono::DateTime<chrono::Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// The person at the command line, under the name of their account. The audit log records that name.
pub(crate) fn operator(tenant: Option<TenantId>) -> Result<Credential, Error> {
    #[expect(clippy::disallowed_methods, reason = "the one crate that reads the environment")]
    let name = ["SUDO_USER", "USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()));
    named_operator(&name.unwrap_or_else(|| "operator".to_owned()), tenant)
}

/// An operator with this name. If the name is not valid, the name is "operator".
pub(crate) fn named_operator(name: &str, tenant: Option<TenantId>) -> Result<Credential, Error> {
    let name: Result<Line<120>, Refusal> = name.parse().or_else(|_| "operator".parse());
    let name = name.map_err(|refusal| Error::internal(format!("the operator's name {refusal}")))?;
    Ok(Credential { holder: Holder::Operator { name, tenant }, origin: Origin::default() })
}
