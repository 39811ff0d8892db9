//! `tenantry tenant create`.

use clap::Args;
use serde::Serialize;
use tenantry_domain::{EmailAddress, Error, Limits, LocaleRequest, NewTenant};
use tenantry_http::{BrandView, PlatformTenantView};
use tenantry_operations::tenants::{self, Founded, FoundedOwner, Owner};

use super::{change::limited, operator, parse, read};
use crate::{commands::labels::NewLabels, database::with_store, exit::Exit, output::Output, settings::Settings};

#[derive(Args)]
pub(crate) struct Create {
    /// Display name
    #[arg(long)]
    name: String,
    /// Default country of new workspaces (ISO 3166-1 alpha-2, such as NL)
    #[arg(long)]
    country: String,
    /// Default language of new workspaces (ISO 639-1). Default: the country's
    #[arg(long)]
    language: Option<String>,
    /// Default currency of new workspaces (ISO 4217). Default: the country's
    #[arg(long)]
    currency: Option<String>,
    /// Default type of new workspaces: b2b or b2c. Default: b2b
    #[arg(long = "type", value_name = "TYPE")]
    workspace_type: Option<String>,
    /// Invite the first owner at this email address instead of creating an API key
    #[arg(long, value_name = "EMAIL")]
    owner_email: Option<String>,
    /// Limit of workspaces: a number, or none. Default: none
    #[arg(long, value_name = "N")]
    max_workspaces: Option<String>,
    /// Limit of members in each workspace, pending invitations included: a number, or none. Default: none
    #[arg(long, value_name = "N")]
    max_members: Option<String>,
    /// Limit of agents in each workspace: a number, or none. Default: none
    #[arg(long, value_name = "N")]
    max_agents: Option<String>,
    /// Limit of minutes a month in each workspace: a number, or none. Default: none
    #[arg(long, value_name = "N")]
    max_minutes: Option<String>,
    #[command(flatten)]
    labels: NewLabels,
}

/// What `tenant create` prints.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    tenant: PlatformTenantView,
    brand: BrandView,
    #[serde(flatten)]
    owner: CreatedOwner,
}

/// How the first owner gets in: one of the two.
#[derive(Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", untagged)]
enum CreatedOwner {
    Key { api_key: String },
    Invitation { invitation_id: String },
}

impl CreatedOwner {
    fn of(owner: &FoundedOwner) -> Self {
        match owner {
            FoundedOwner::Key(secret) => Self::Key { api_key: secret.reveal().to_owned() },
            FoundedOwner::Invitation(id) => Self::Invitation { invitation_id: id.to_string() },
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Key { api_key } => format!("API key  {api_key}\n         Save it now: it is not shown again."),
            Self::Invitation { invitation_id } => {
                format!("invited  {invitation_id}\n         The running service sends the invitation.")
            }
        }
    }
}

impl Create {
    /// Reports all refused values together.
    fn into_domain(self) -> Result<(NewTenant, Owner), Exit> {
        let mut refused = Vec::new();
        let name = read("name", Some(&self.name), &mut refused);
        let locale = LocaleRequest {
            country: parse("country", Some(&self.country), &mut refused),
            language: parse("language", self.language.as_deref(), &mut refused),
            currency: parse("currency", self.currency.as_deref(), &mut refused),
            workspace_type: parse("type", self.workspace_type.as_deref(), &mut refused),
        };
        let email: Option<EmailAddress> = parse("owner-email", self.owner_email.as_deref(), &mut refused);
        let limits = Limits {
            max_workspaces: limited("max-workspaces", self.max_workspaces.as_deref(), &mut refused).flatten(),
            max_members: limited("max-members", self.max_members.as_deref(), &mut refused).flatten(),
            max_agents: limited("max-agents", self.max_agents.as_deref(), &mut refused).flatten(),
            max_minutes: limited("max-minutes", self.max_minutes.as_deref(), &mut refused).flatten(),
            // `tenantry tenant limit` sets the others.
            ..Limits::default()
        };
        let labels = self.labels.read(&mut refused);
        let owner = email.map_or(Owner::Key, |email| Owner::Invitation(email, Default::default()));
        match name {
            Some(name) if refused.is_empty() => Ok((NewTenant { name, locale, limits, labels }, owner)),
            _ => Err(Error::Invalid(refused).into()),
        }
    }
}

pub(super) fn run(create: Create, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let ((new, owner), operator) = (create.into_domain()?, operator(None)?);
    let founded = with_store(settings, async |store| Ok(tenants::create(store, &operator, new, owner).await?))?;
    let Founded { tenant, brand, owner } = founded;
    let (id, name) = (tenant.id, tenant.details.name.clone());
    let (brand_id, slug) = (brand.id, brand.slug.clone());
    let created = Created { tenant: tenant.into(), brand: brand.into(), owner: CreatedOwner::of(&owner) };
    output.print(&created, || {
        format!("tenant   {id}  {}\nbrand    {brand_id}  {slug}\n{}", name.as_str(), created.owner.words())
    })
}
