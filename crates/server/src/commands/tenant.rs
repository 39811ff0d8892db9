//! `tenantry tenant`.

mod change;
mod create;
mod erase;
mod transfer;

use clap::{Args, Subcommand};
use tenantry_domain::{
    Credential, Error, FieldRefusal, Holder, Line, Origin, PageLimit, PageRequest, Refusal, Sort, TenantId,
};
use tenantry_http::{PlatformTenantView, PlatformTenantWithUsage};
use tenantry_operations::{Store, TenantFilter, tenants};

use self::{
    change::{Limit, State, Update},
    create::Create,
    erase::Erase,
    transfer::{Export, Import},
};
use crate::{
    database::with_store,
    exit::Exit,
    output::{Output, table},
    settings::Settings,
};

/// Create, list, limit, suspend and delete tenants.
#[derive(Subcommand)]
pub(crate) enum Tenant {
    /// Create a tenant with its default brand and its owner's API key, which is printed only once
    Create(Create),
    /// List the tenants, oldest first
    List(List),
    /// Show one tenant with its limits and usage
    Show(One),
    /// Change the name of a tenant and the defaults for its new workspaces
    Update(Update),
    /// Change the limits of a tenant; nothing that exists is removed
    Limit(Limit),
    /// Refuse the credentials of a tenant, from their next request on
    Suspend(One),
    /// Accept the credentials of a suspended tenant again
    Reactivate(One),
    /// Delete a tenant: its credentials are refused, and after 30 days it can be erased
    Delete(One),
    /// Restore a deleted tenant that has not been erased yet
    Restore(One),
    /// Erase tenants deleted more than 30 days ago, with everything in them, as the owner of the database
    Erase(Erase),
    /// Write a tenant as lines of JSON, without secrets
    Export(Export),
    /// Read an export into an empty tenant: everything or nothing
    Import(Import),
}

#[derive(Args)]
pub(crate) struct One {
    /// The tenant's id
    tenant: String,
}

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
        let filter = TenantFilter { state: parse("state", self.state.as_deref(), &mut refused), search: self.search };
        if refused.is_empty() { Ok(filter) } else { Err(Error::Invalid(refused).into()) }
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

pub(crate) fn run(command: Tenant, settings: &Settings, output: &Output) -> Result<(), Exit> {
    crate::logging::start(settings);
    match command {
        Tenant::Create(create) => create::run(create, settings, output),
        Tenant::List(list) => {
            let (filter, operator) = (list.into_domain()?, operator(None)?);
            let tenants = with_store(settings, async move |store| all(store, &operator, &filter).await)?;
            print_list(output, &tenants)
        }
        Tenant::Show(one) => {
            let (id, operator) = (tenant_id(&one.tenant)?, operator(None)?);
            let shown = with_store(settings, async move |store| tenants::inspect(store, &operator, id).await)?;
            let view = PlatformTenantWithUsage::from(shown);
            output.print(&view, || serde_json::to_string_pretty(&view).unwrap_or_default())
        }
        Tenant::Update(update) => change::update(update, settings, output),
        Tenant::Limit(limit) => change::limit(limit, settings, output),
        Tenant::Suspend(one) => change::set(State::Suspended, &one, settings, output),
        Tenant::Reactivate(one) => change::set(State::Active, &one, settings, output),
        Tenant::Restore(one) => change::set(State::Restored, &one, settings, output),
        Tenant::Export(export) => transfer::export(&export, settings, output),
        Tenant::Import(import) => transfer::import(&import, settings, output),
        Tenant::Erase(erase) => erase::run(&erase, settings, output),
        Tenant::Delete(one) => change::delete(&one, settings, output),
    }
}

fn print_list(output: &Output, tenants: &[tenantry_domain::Tenant]) -> Result<(), Exit> {
    let views: Vec<_> = tenants.iter().cloned().map(PlatformTenantView::from).collect();
    output.print(&views, || {
        let row = |tenant: &tenantry_domain::Tenant| {
            [
                tenant.id.to_string(),
                tenant.details.name.as_str().to_owned(),
                tenant.details.defaults.country.to_string(),
                tenant.state().to_string(),
                tenant.created_at.format("%Y-%m-%d %H:%M").to_string(),
            ]
        };
        table(["ID", "NAME", "COUNTRY", "STATE", "CREATED"], &tenants.iter().map(row).collect::<Vec<_>>())
    })
}

async fn all(
    store: &Store,
    operator: &Credential,
    filter: &TenantFilter,
) -> Result<Vec<tenantry_domain::Tenant>, Error> {
    let mut request = PageRequest { limit: PageLimit::default(), sort: Sort::default(), after: None };
    let mut tenants = Vec::new();
    loop {
        let page = tenants::list(store, operator, filter.clone(), request.clone()).await?;
        tenants.extend(page.items);
        match page.next {
            Some(next) => request.after = Some(next),
            None => return Ok(tenants),
        }
    }
}

/// Reads a tenant's id.
pub(crate) fn tenant_id(raw: &str) -> Result<TenantId, Exit> {
    raw.parse().map_err(|refusal: Refusal| {
        Exit::usage(format!("the tenant's id {refusal}; `tenantry tenant list` shows the ids"))
    })
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
