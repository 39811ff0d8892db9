//! `tenantry workspace`.

use clap::{ArgGroup, Args, Subcommand};
use serde_json::json;
use tenantry_domain::{
    BrandId, Credential, Error, LocaleRequest, NewWorkspace, Precondition, RESTORABLE_DAYS, Workspace as Found,
    WorkspaceId, WorkspacePatch, counted,
};
use tenantry_http::WorkspaceView;
use tenantry_operations::{Store, WorkspaceFilter, agents, assignments, brands, workspaces};

use super::{
    labels::{self, ChangedLabels, NewLabels},
    tenant::{minutes, parse, read, removable, unless_refused},
};
use crate::{
    consent::{Consent, Deed, carry_out, thing},
    exit::Exit,
    named::{self, OfTenant, in_tenant},
    output::{Output, fields, table},
    settings::Settings,
};

/// Create, list, change, delete and restore the workspaces of a tenant.
#[derive(Subcommand)]
pub(crate) enum Workspace {
    /// Create a workspace under a brand
    #[command(after_long_help = CREATE)]
    Create(Create),
    /// List the workspaces of a tenant, oldest first
    List(List),
    /// Show one workspace
    Show(One),
    /// Change a workspace
    Update(Update),
    /// Delete a workspace: it disappears at once, can be restored for 30 days, and is then erased
    Delete {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        consent: Consent,
    },
    /// Restore a deleted workspace
    Restore(Deleted),
}

const CREATE: &str = "\
Example:
  tenantry workspace create --tenant Acme --name Nordics --country SE";

#[derive(Args)]
pub(crate) struct Create {
    #[command(flatten)]
    of: OfTenant,
    /// Display name
    #[arg(long)]
    name: String,
    /// The brand: its id, its slug, or its name if only one brand has it. Default: the tenant's default brand
    #[arg(long)]
    brand: Option<String>,
    /// Country (ISO 3166-1 alpha-2, such as NL). Default: the tenant's
    #[arg(long)]
    country: Option<String>,
    /// Operating language (ISO 639-1, such as nl). Default: that of the country if you name one, or the tenant's
    #[arg(long)]
    language: Option<String>,
    /// Currency (ISO 4217, such as EUR). Default: that of the country if you name one, or the tenant's
    #[arg(long)]
    currency: Option<String>,
    /// Type: b2b or b2c. Default: the tenant's
    #[arg(long = "type", value_name = "TYPE")]
    workspace_type: Option<String>,
    /// Instructions for the AI
    #[arg(long, value_name = "TEXT")]
    instructions: Option<String>,
    #[command(flatten)]
    labels: NewLabels,
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    of: OfTenant,
    /// Only workspaces of this brand: its id, its slug, or its name if only one brand has it
    #[arg(long, conflicts_with = "deleted")]
    brand: Option<String>,
    /// Only workspaces with this text in their name
    #[arg(long, conflicts_with = "deleted")]
    search: Option<String>,
    /// The deleted workspaces that can be restored, instead of the others
    #[arg(long)]
    deleted: bool,
}

#[derive(Args)]
pub(crate) struct One {
    #[command(flatten)]
    of: OfTenant,
    /// The workspace: its id, or its name if only one workspace has it
    workspace: String,
}

#[derive(Args)]
#[command(override_usage = "tenantry workspace update [OPTIONS] --tenant <TENANT> <WORKSPACE>")]
#[command(group = ArgGroup::new("changes").required(true).multiple(true)
    .args(["name", "brand", "country", "language", "currency", "workspace_type", "instructions", "external_id", "metadata"]))]
pub(crate) struct Update {
    #[command(flatten)]
    one: One,
    /// Display name
    #[arg(long)]
    name: Option<String>,
    /// The brand: its id, its slug, or its name if only one brand has it
    #[arg(long)]
    brand: Option<String>,
    /// Country (ISO 3166-1 alpha-2, such as NL)
    #[arg(long)]
    country: Option<String>,
    /// Operating language (ISO 639-1, such as nl)
    #[arg(long)]
    language: Option<String>,
    /// Currency (ISO 4217, such as EUR)
    #[arg(long)]
    currency: Option<String>,
    /// Type: b2b or b2c
    #[arg(long = "type", value_name = "TYPE")]
    workspace_type: Option<String>,
    /// Instructions for the AI, or nothing to remove them
    #[arg(long, value_name = "TEXT")]
    instructions: Option<String>,
    #[command(flatten)]
    labels: ChangedLabels,
}

impl Update {
    /// Everything but the brand, which is looked up. Reports all refused values together.
    fn patch(&self) -> Result<WorkspacePatch, Exit> {
        let mut refused = Vec::new();
        let (external_id, metadata) = self.labels.read(&mut refused);
        let patch = WorkspacePatch {
            name: read("name", self.name.as_deref(), &mut refused),
            locale: LocaleRequest {
                country: parse("country", self.country.as_deref(), &mut refused),
                language: parse("language", self.language.as_deref(), &mut refused),
                currency: parse("currency", self.currency.as_deref(), &mut refused),
                workspace_type: parse("type", self.workspace_type.as_deref(), &mut refused),
            },
            workspace_instructions: removable("instructions", self.instructions.as_deref(), &mut refused),
            external_id,
            metadata,
            ..WorkspacePatch::default()
        };
        unless_refused(patch, refused)
    }
}

#[derive(Args)]
pub(crate) struct Deleted {
    #[command(flatten)]
    of: OfTenant,
    /// The workspace: its id, or its name if only one deleted workspace has it
    workspace: String,
}

impl Create {
    /// Reports all refused values together.
    fn wanted(&self) -> Result<NewWorkspace, Exit> {
        let mut refused = Vec::new();
        let name = read("name", Some(&self.name), &mut refused);
        let locale = LocaleRequest {
            country: parse("country", self.country.as_deref(), &mut refused),
            language: parse("language", self.language.as_deref(), &mut refused),
            currency: parse("currency", self.currency.as_deref(), &mut refused),
            workspace_type: parse("type", self.workspace_type.as_deref(), &mut refused),
        };
        let workspace_instructions = parse("instructions", self.instructions.as_deref(), &mut refused);
        let labels = self.labels.read(&mut refused);
        match name {
            Some(name) if refused.is_empty() => Ok(NewWorkspace {
                name,
                locale,
                workspace_instructions,
                email_signature_html: None,
                email_signature_text: None,
                labels,
            }),
            _ => Err(Error::Invalid(refused).into()),
        }
    }
}

/// The brand that was named, if one was.
async fn brand_if_named(store: &Store, operator: &Credential, named: Option<&str>) -> Result<Option<BrandId>, Exit> {
    match named {
        Some(named) => Ok(Some(named::brand(store, operator, named).await?)),
        None => Ok(None),
    }
}

pub(crate) fn run(command: Workspace, settings: &Settings, output: &Output) -> Result<(), Exit> {
    crate::logging::start(settings);
    match command {
        Workspace::Create(create) => {
            let new = create.wanted()?;
            let made = in_tenant(settings, &create.of.tenant, async |store, operator| {
                let brand = brand_if_named(store, operator, create.brand.as_deref()).await?;
                Ok(workspaces::create(store, operator, brand, new).await?.into_thing())
            })?;
            print_line(output, made)
        }
        Workspace::List(list) if list.deleted => {
            let deleted = in_tenant(settings, &list.of.tenant, async |store, operator| {
                named::deleted_workspaces(store, operator).await
            })?;
            print_deleted(output, &deleted)
        }
        Workspace::List(list) => {
            let found = in_tenant(settings, &list.of.tenant, async |store, operator| {
                let brand_id = brand_if_named(store, operator, list.brand.as_deref()).await?;
                let filter = WorkspaceFilter { brand_id, search: list.search, ..WorkspaceFilter::default() };
                Ok(named::all(async |page| workspaces::list(store, operator, filter.clone(), page).await).await?)
            })?;
            print_list(output, &found)
        }
        Workspace::Show(one) => {
            let (workspace, brand) = in_tenant(settings, &one.of.tenant, async |store, operator| {
                let id = named::workspace(store, operator, &one.workspace).await?;
                let workspace = workspaces::show(store, operator, id).await?;
                let brand = brands::show(store, operator, workspace.details.brand_id).await?;
                Ok((workspace, brand.details.name.as_str().to_owned()))
            })?;
            let text = words(&workspace, &brand);
            output.print(&WorkspaceView::from(workspace), || text)
        }
        Workspace::Update(update) => {
            let (one, patch) = (&update.one, update.patch()?);
            let changed = in_tenant(settings, &one.of.tenant, async |store, operator| {
                let id = named::workspace(store, operator, &one.workspace).await?;
                let brand_id = brand_if_named(store, operator, update.brand.as_deref()).await?;
                let patch = WorkspacePatch { brand_id, ..patch };
                Ok(workspaces::update(store, operator, id, Precondition::None, patch).await?.into_thing())
            })?;
            print_line(output, changed)
        }
        Workspace::Delete { one, consent } => {
            let find = async |store: &Store| {
                let operator = named::operator_in(store, &one.of.tenant).await?;
                let id = named::workspace(store, &operator, &one.workspace).await?;
                Ok((operator, id))
            };
            carry_out(consent, settings, output, find, async |store, (operator, id)| {
                deleted(store, operator, (&one.of.tenant, *id)).await
            })
        }
        Workspace::Restore(one) => {
            let restored = in_tenant(settings, &one.of.tenant, async |store, operator| {
                let id = named::deleted_workspace(store, operator, &one.workspace).await?;
                Ok(workspaces::restore(store, operator, id).await?.into_thing())
            })?;
            print_line(output, restored)
        }
    }
}

async fn deleted(store: &Store, operator: &Credential, (tenant, id): (&str, WorkspaceId)) -> Result<Deed, Exit> {
    let workspace = workspaces::show(store, operator, id).await?;
    let members = named::all(async |page| assignments::list(store, operator, id, page).await).await?.len();
    let agents =
        named::all(async |page| agents::list(store, operator, id, Default::default(), page).await).await?.len();
    workspaces::delete(store, operator, id, Precondition::None).await?;
    let name = workspace.details.name.as_str();
    let back = format!("`tenantry workspace restore --tenant \"{tenant}\" {id}`");
    Ok(Deed {
        would: format!(
            "This deletes the workspace \"{name}\" ({id}). It has {} and {}.\nFor {RESTORABLE_DAYS} days you can take this back \
             with {back}. After that it is erased.",
            counted(members as u64, "assigned member"),
            counted(agents as u64, "agent"),
        ),
        plan: json!({
            "delete": thing(id, name), "restorableDays": RESTORABLE_DAYS, "members": members, "agents": agents,
        }),
        done: format!("deleted  {id}\n         You can restore it for {RESTORABLE_DAYS} days: {back}."),
        result: json!({ "deleted": id.to_string() }),
    })
}

fn print_line(output: &Output, workspace: Found) -> Result<(), Exit> {
    let line = format!("workspace  {}  {}", workspace.id, workspace.details.name.as_str());
    output.print(&WorkspaceView::from(workspace), || line)
}

fn print_list(output: &Output, found: &[Found]) -> Result<(), Exit> {
    let views: Vec<_> = found.iter().cloned().map(WorkspaceView::from).collect();
    output.print(&views, || {
        let row = |workspace: &Found| {
            let (details, locale) = (&workspace.details, &workspace.details.locale);
            [
                workspace.id.to_string(),
                details.name.as_str().to_owned(),
                locale.country.to_string(),
                locale.language.to_string(),
                locale.currency.to_string(),
                locale.workspace_type.to_string(),
                details.brand_id.to_string(),
            ]
        };
        table(
            ["ID", "NAME", "COUNTRY", "LANGUAGE", "CURRENCY", "TYPE", "BRAND"],
            &found.iter().map(row).collect::<Vec<_>>(),
        )
    })
}

/// The same view as of the others, with the time when each was deleted.
fn print_deleted(output: &Output, deleted: &[Found]) -> Result<(), Exit> {
    let views: Vec<_> = deleted.iter().cloned().map(WorkspaceView::from).collect();
    output.print(&views, || {
        let row = |workspace: &Found| {
            [
                workspace.id.to_string(),
                workspace.details.name.as_str().to_owned(),
                workspace.deleted_at.map(minutes).unwrap_or_default(),
                workspace.erased_at().map(minutes).unwrap_or_default(),
            ]
        };
        table(["ID", "NAME", "DELETED", "RESTORABLE UNTIL"], &deleted.iter().map(row).collect::<Vec<_>>())
    })
}

fn words(workspace: &Found, brand: &str) -> String {
    let (details, locale) = (&workspace.details, &workspace.details.locale);
    let set = |is_set: bool| if is_set { "its own" } else { "the brand's" }.to_owned();
    let [external_id, metadata] = labels::words(&details.labels);
    fields(&[
        ("id", workspace.id.to_string()),
        ("name", details.name.as_str().to_owned()),
        ("brand", format!("{brand} ({})", details.brand_id)),
        ("country", locale.country.to_string()),
        ("language", locale.language.to_string()),
        ("currency", locale.currency.to_string()),
        ("type", locale.workspace_type.to_string()),
        (
            "instructions",
            details.workspace_instructions.as_ref().map_or_else(|| "none".to_owned(), |it| it.as_str().to_owned()),
        ),
        ("HTML signature", set(details.email_signature_html.is_some())),
        ("text signature", set(details.email_signature_text.is_some())),
        external_id,
        metadata,
        ("created", minutes(workspace.created_at)),
        ("changed", minutes(workspace.updated_at)),
    ])
}
