//! `tenantry tenant`.

use clap::{Args, Subcommand};
use serde::Serialize;
use tenantry_domain::{
    Credential, Error, FieldRefusal, Holder, Limits, Line, LocaleRequest, NewTenant, Origin, PageLimit, PageRequest,
    Refusal, Sort, TenantId,
};
use tenantry_http::{BrandView, TenantView};
use tenantry_operations::{
    TenantFilter,
    tenants::{self, Founded, FoundedOwner, Owner},
};

use crate::{
    database::with_store,
    exit::Exit,
    output::{Output, table},
    settings::Settings,
};

/// What to do with tenants.
#[derive(Subcommand)]
pub(crate) enum Tenant {
    /// Create a tenant with its default brand and its owner's API key, which is printed this once
    Create(Create),
    /// List the tenants, the oldest first
    List,
    /// Show one tenant
    Show {
        /// Its id
        tenant: String,
    },
}

#[derive(Args)]
pub(crate) struct Create {
    /// Display name
    #[arg(long)]
    name: String,
    /// Country of its workspaces unless they say otherwise (ISO 3166-1 alpha-2, such as NL)
    #[arg(long)]
    country: String,
    /// Language (ISO 639-1); the country's unless given
    #[arg(long)]
    language: Option<String>,
    /// Currency (ISO 4217); the country's unless given
    #[arg(long)]
    currency: Option<String>,
    /// b2b or b2c; b2b unless given
    #[arg(long = "type")]
    workspace_type: Option<String>,
}

/// What `tenant create` prints.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    tenant: TenantView,
    brand: BrandView,
    api_key: String,
}

impl Create {
    /// All refused values together.
    fn into_domain(self) -> Result<NewTenant, Exit> {
        let mut refused = Vec::new();
        let name = parse("name", Some(&self.name), &mut refused);
        let locale = LocaleRequest {
            country: parse("country", Some(&self.country), &mut refused),
            language: parse("language", self.language.as_deref(), &mut refused),
            currency: parse("currency", self.currency.as_deref(), &mut refused),
            workspace_type: parse("type", self.workspace_type.as_deref(), &mut refused),
        };
        match name {
            Some(name) if refused.is_empty() => Ok(NewTenant { name, locale, limits: Limits::default() }),
            _ => Err(Error::Invalid(refused).into()),
        }
    }
}

/// Reads an argument; a refusal is noted under its name.
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
        Tenant::Create(create) => {
            let (new, operator) = (create.into_domain()?, operator(None)?);
            let founded =
                with_store(settings, async move |store| tenants::create(store, &operator, new, Owner::Key).await)?;
            let created = Created {
                tenant: founded.tenant.clone().into(),
                brand: founded.brand.clone().into(),
                api_key: secret(&founded),
            };
            output.print(&created, || {
                let (tenant, brand) = (&founded.tenant, &founded.brand);
                format!(
                    "tenant   {}  {}\nbrand    {}  {}\nAPI key  {}\n         Keep it: it is not shown again.",
                    tenant.id,
                    tenant.details.name.as_str(),
                    brand.id,
                    brand.slug,
                    created.api_key
                )
            })
        }
        Tenant::List => {
            let operator = operator(None)?;
            let tenants = with_store(settings, async move |store| all(store, &operator).await)?;
            let views: Vec<_> = tenants.iter().cloned().map(TenantView::from).collect();
            output.print(&views, || {
                let row = |tenant: &tenantry_domain::Tenant| {
                    let country = tenant.details.defaults.country.to_string();
                    [
                        tenant.id.to_string(),
                        tenant.details.name.as_str().to_owned(),
                        country,
                        tenant.created_at.format("%Y-%m-%d %H:%M").to_string(),
                    ]
                };
                table(["ID", "NAME", "COUNTRY", "CREATED"], &tenants.iter().map(row).collect::<Vec<_>>())
            })
        }
        Tenant::Show { tenant } => {
            let operator = operator(Some(tenant_id(&tenant)?))?;
            let tenant = with_store(settings, async move |store| tenants::show(store, &operator).await)?.0;
            let view = TenantView::from(tenant);
            output.print(&view, || serde_json::to_string_pretty(&view).unwrap_or_default())
        }
    }
}

async fn all(store: &tenantry_operations::Store, operator: &Credential) -> Result<Vec<tenantry_domain::Tenant>, Error> {
    let mut request = PageRequest { limit: PageLimit::default(), sort: Sort::default(), after: None };
    let mut tenants = Vec::new();
    loop {
        let page = tenants::list(store, operator, TenantFilter::default(), request.clone()).await?;
        tenants.extend(page.items);
        match page.next {
            Some(next) => request.after = Some(next),
            None => return Ok(tenants),
        }
    }
}

/// The key of the first owner; nothing where they were invited.
pub(crate) fn secret(founded: &Founded) -> String {
    match &founded.owner {
        FoundedOwner::Key(secret) => secret.reveal().to_owned(),
        FoundedOwner::Invitation(_) => String::new(),
    }
}

/// A tenant's id as an argument.
pub(crate) fn tenant_id(raw: &str) -> Result<TenantId, Exit> {
    raw.parse()
        .map_err(|refusal: Refusal| Exit::usage(format!("the tenant {refusal}; `tenantry tenant list` shows them")))
}

/// The person at the command line, by the name of their account, as the audit log will know them.
pub(crate) fn operator(tenant: Option<TenantId>) -> Result<Credential, Error> {
    #[expect(clippy::disallowed_methods, reason = "the one crate that reads the environment")]
    let name = ["SUDO_USER", "USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()));
    named_operator(&name.unwrap_or_else(|| "operator".to_owned()), tenant)
}

/// An operator with this name; one that cannot stand in a line of text is just an operator.
pub(crate) fn named_operator(name: &str, tenant: Option<TenantId>) -> Result<Credential, Error> {
    let name: Result<Line<120>, Refusal> = name.parse().or_else(|_| "operator".parse());
    let name = name.map_err(|refusal| Error::internal(format!("the operator's name {refusal}")))?;
    Ok(Credential { holder: Holder::Operator { name, tenant }, origin: Origin::default() })
}
