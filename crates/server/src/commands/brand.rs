//! `tenantry brand`.

use clap::{ArgGroup, Args, Subcommand};
use serde_json::json;
use tenantry_domain::{
    Brand as Found, BrandDetails, BrandId, BrandName, BrandPatch, Credential, Error, NewBrand, Precondition, Reach,
    counted,
};
use tenantry_http::BrandView;
use tenantry_operations::{ApiKeyFilter, BrandFilter, Store, api_keys, brands};

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

/// Create, list, change and delete the brands of a tenant.
#[derive(Subcommand)]
pub(crate) enum Brand {
    /// Create a brand
    Create(Create),
    /// List the brands of a tenant, oldest first
    List(List),
    /// Show one brand
    Show(One),
    /// Change a brand
    Update(Update),
    /// Make a brand the default, in place of the current one
    SetDefault(One),
    /// Delete a brand that has no workspaces, with the API keys that are restricted to it, for good
    Delete {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        consent: Consent,
    },
}

#[derive(Args)]
pub(crate) struct Create {
    #[command(flatten)]
    of: OfTenant,
    /// Display name
    #[arg(long)]
    name: String,
    /// The sender name of the brand's emails. Default: the name
    #[arg(long, value_name = "NAME")]
    email_from_name: Option<String>,
    /// A name for use in URLs, unique in the tenant. Default: made from the name
    #[arg(long)]
    slug: Option<String>,
    /// The tone that the AI writes in, such as friendly. Default: none
    #[arg(long)]
    tone: Option<String>,
    /// Instructions for the AI
    #[arg(long, value_name = "TEXT")]
    instructions: Option<String>,
    /// Make it the default brand, in place of the current one
    #[arg(long)]
    default: bool,
    #[command(flatten)]
    labels: NewLabels,
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    of: OfTenant,
    /// Only brands with this text in their name
    #[arg(long)]
    search: Option<String>,
}

#[derive(Args)]
pub(crate) struct One {
    #[command(flatten)]
    of: OfTenant,
    /// The brand: its id, its slug, or its name if only one brand has it
    brand: String,
}

#[derive(Args)]
#[command(override_usage = "tenantry brand update [OPTIONS] --tenant <TENANT> <BRAND>")]
#[command(group = ArgGroup::new("changes").required(true).multiple(true)
    .args(["name", "slug", "email_from_name", "tone", "instructions", "external_id", "metadata"]))]
pub(crate) struct Update {
    #[command(flatten)]
    one: One,
    /// Display name
    #[arg(long)]
    name: Option<String>,
    /// The sender name of the brand's emails
    #[arg(long, value_name = "NAME")]
    email_from_name: Option<String>,
    /// A name for use in URLs, unique in the tenant
    #[arg(long)]
    slug: Option<String>,
    /// The tone that the AI writes in, such as friendly, or nothing to remove it
    #[arg(long)]
    tone: Option<String>,
    /// Instructions for the AI, or nothing to remove them
    #[arg(long, value_name = "TEXT")]
    instructions: Option<String>,
    #[command(flatten)]
    labels: ChangedLabels,
}

impl Update {
    /// Reports all refused values together.
    fn patch(&self) -> Result<BrandPatch, Exit> {
        let mut refused = Vec::new();
        let (external_id, metadata) = self.labels.read(&mut refused);
        let patch = BrandPatch {
            name: read("name", self.name.as_deref(), &mut refused),
            slug: parse("slug", self.slug.as_deref(), &mut refused),
            email_from_name: read("email-from-name", self.email_from_name.as_deref(), &mut refused),
            tone: removable("tone", self.tone.as_deref(), &mut refused),
            brand_instructions: removable("instructions", self.instructions.as_deref(), &mut refused),
            external_id,
            metadata,
            ..BrandPatch::default()
        };
        unless_refused(patch, refused)
    }
}

impl Create {
    /// Reports all refused values together.
    fn wanted(&self) -> Result<NewBrand, Exit> {
        let mut refused = Vec::new();
        let name: Option<BrandName> = read("name", Some(&self.name), &mut refused);
        let email_from_name = read("email-from-name", self.email_from_name.as_deref(), &mut refused);
        let slug = parse("slug", self.slug.as_deref(), &mut refused);
        let tone = parse("tone", self.tone.as_deref(), &mut refused);
        let brand_instructions = parse("instructions", self.instructions.as_deref(), &mut refused);
        let labels = self.labels.read(&mut refused);
        match name {
            Some(name) if refused.is_empty() => {
                let named = BrandDetails::named(name);
                let email_from_name = email_from_name.unwrap_or_else(|| named.email_from_name.clone());
                let details = BrandDetails { email_from_name, tone, brand_instructions, labels, ..named };
                Ok(NewBrand { details, slug, is_default: self.default })
            }
            _ => Err(Error::Invalid(refused).into()),
        }
    }
}

pub(crate) fn run(command: Brand, settings: &Settings, output: &Output) -> Result<(), Exit> {
    crate::logging::start(settings);
    match command {
        Brand::Create(create) => {
            let new = create.wanted()?;
            let made = in_tenant(settings, &create.of.tenant, async |store, operator| {
                Ok(brands::create(store, operator, new).await?.into_thing())
            })?;
            print_line(output, made)
        }
        Brand::List(list) => {
            let found = in_tenant(settings, &list.of.tenant, async |store, operator| {
                let filter = BrandFilter { search: list.search, ..BrandFilter::default() };
                Ok(named::all(async |page| brands::list(store, operator, filter.clone(), page).await).await?)
            })?;
            print_list(output, &found)
        }
        Brand::Show(one) => {
            let brand = in_tenant(settings, &one.of.tenant, async |store, operator| {
                let id = named::brand(store, operator, &one.brand).await?;
                Ok(brands::show(store, operator, id).await?)
            })?;
            let text = words(&brand);
            output.print(&BrandView::from(brand), || text)
        }
        Brand::Update(update) => changed(&update.one, update.patch()?, settings, output),
        Brand::SetDefault(one) => {
            let patch = BrandPatch { is_default: Some(true), ..BrandPatch::default() };
            changed(&one, patch, settings, output)
        }
        Brand::Delete { one, consent } => {
            let find = async |store: &Store| {
                let operator = named::operator_in(store, &one.of.tenant).await?;
                let id = named::brand(store, &operator, &one.brand).await?;
                Ok((operator, id))
            };
            carry_out(consent, settings, output, find, async |store, (operator, id)| {
                deleted(store, operator, *id).await
            })
        }
    }
}

fn changed(one: &One, patch: BrandPatch, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let brand = in_tenant(settings, &one.of.tenant, async |store, operator| {
        let id = named::brand(store, operator, &one.brand).await?;
        Ok(brands::update(store, operator, id, Precondition::None, patch).await?.into_thing())
    })?;
    print_line(output, brand)
}

async fn deleted(store: &Store, operator: &Credential, id: BrandId) -> Result<Deed, Exit> {
    let brand = brands::show(store, operator, id).await?;
    let keys = named::all(async |page| api_keys::list(store, operator, ApiKeyFilter::default(), page).await).await?;
    let keys = keys.iter().filter(|key| key.details.reach == Reach::Brand(id)).count();
    brands::delete(store, operator, id, Precondition::None).await?;
    let name = brand.details.name.as_str();
    Ok(Deed {
        would: format!(
            "This deletes the brand \"{name}\" ({id}), with {} that can reach only this brand.\nNobody can take that back.",
            counted(keys as u64, "API key"),
        ),
        plan: json!({ "delete": thing(id, name), "apiKeys": keys }),
        done: format!("deleted  {id}"),
        result: json!({ "deleted": id.to_string() }),
    })
}

fn print_line(output: &Output, brand: Found) -> Result<(), Exit> {
    let default = if brand.is_default { "  (default)" } else { "" };
    let line = format!("brand  {}  {}{default}", brand.id, brand.slug.as_str());
    output.print(&BrandView::from(brand), || line)
}

fn print_list(output: &Output, found: &[Found]) -> Result<(), Exit> {
    let views: Vec<_> = found.iter().cloned().map(BrandView::from).collect();
    output.print(&views, || {
        let row = |brand: &Found| {
            [
                brand.id.to_string(),
                brand.slug.as_str().to_owned(),
                brand.details.name.as_str().to_owned(),
                if brand.is_default { "yes" } else { "no" }.to_owned(),
                minutes(brand.created_at),
            ]
        };
        table(["ID", "SLUG", "NAME", "DEFAULT", "CREATED"], &found.iter().map(row).collect::<Vec<_>>())
    })
}

fn words(brand: &Found) -> String {
    let details = &brand.details;
    let or_none = |text: Option<&str>| text.unwrap_or("none").to_owned();
    let set = |is_set: bool| if is_set { "set" } else { "none" }.to_owned();
    let [external_id, metadata] = labels::words(&details.labels);
    fields(&[
        ("id", brand.id.to_string()),
        ("name", details.name.as_str().to_owned()),
        ("slug", brand.slug.as_str().to_owned()),
        ("default", if brand.is_default { "yes" } else { "no" }.to_owned()),
        ("email sender", details.email_from_name.as_str().to_owned()),
        ("logo", or_none(details.logo_url.as_ref().map(|it| it.as_str()))),
        ("primary colour", or_none(details.primary_color.as_ref().map(|it| it.as_str()))),
        ("secondary colour", or_none(details.secondary_color.as_ref().map(|it| it.as_str()))),
        ("AI sender", or_none(details.ai_sender_name.as_ref().map(|it| it.as_str()))),
        ("AI title", or_none(details.ai_sender_title.as_ref().map(|it| it.as_str()))),
        ("tone", or_none(details.tone.map(|it| it.as_str()))),
        ("instructions", or_none(details.brand_instructions.as_ref().map(|it| it.as_str()))),
        ("HTML signature", set(details.email_signature_html.is_some())),
        ("text signature", set(details.email_signature_text.is_some())),
        external_id,
        metadata,
        ("created", minutes(brand.created_at)),
        ("changed", minutes(brand.updated_at)),
    ])
}
