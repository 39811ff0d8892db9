//! `tenantry member`.

use clap::{ArgGroup, Args, Subcommand};
use serde_json::json;
use tenantry_domain::{
    Credential, EmailAddress, Error, InvitationState, IssuerName, Member as Person, MemberDetails, MemberId,
    MemberPatch, MemberStatus, Noun, Precondition, Refusal, Role, Subject, counted,
};
use tenantry_http::MemberView;
use tenantry_operations::{ApiKeyFilter, InvitationFilter, MemberFilter, Store, api_keys, invitations, members};

use super::{
    labels::{ChangedLabels, NewLabels},
    tenant::{parse, unless_refused},
};
use crate::{
    consent::{Consent, Deed, carry_out},
    exit::Exit,
    named::{self, OfTenant, in_tenant},
    output::{Output, table},
    settings::Settings,
};

/// Create, list, change and remove the members of a tenant.
#[derive(Subcommand)]
pub(crate) enum Member {
    /// Create a member without an invitation, such as the first owner
    #[command(after_long_help = CREATE)]
    Create(Create),
    /// List the members of a tenant
    List(List),
    /// Change a member's email address, role, status, identity or labels; they keep their id, assignments and history
    #[command(after_long_help = UPDATE)]
    #[command(override_usage = "tenantry member update [OPTIONS] --tenant <TENANT> <CHANGES> [MEMBER]")]
    Update(Update),
    /// Remove a member; they are refused from their next request on
    Remove(Remove),
}

const CREATE: &str = "\
Example:
  tenantry member create --tenant Acme --email ada@example.com --role owner \\
    --issuer https://login.example.com/ --subject 'auth0|65f0c1'";

const UPDATE: &str = "\
Examples:
  Ada has another address:
    tenantry member update --tenant Acme --email ada@example.com --new-email ada.lovelace@example.com
  Her company has another identity provider:
    tenantry member update --tenant Acme --email ada@example.com \\
      --issuer https://id.example.com/realms/acme --subject b8e0c9e2-1111-4222-8333-444455556666";

#[derive(Args)]
pub(crate) struct Create {
    #[command(flatten)]
    of: OfTenant,
    /// Email address
    #[arg(long)]
    email: String,
    /// Role: owner, admin, billing, agent or observer
    #[arg(long)]
    role: String,
    /// The issuer of their access tokens, exactly as in iss
    #[arg(long, value_name = "ISS")]
    issuer: String,
    /// Their id at the issuer, exactly as in sub
    #[arg(long, value_name = "SUB")]
    subject: String,
    /// A workspace to assign them to: its id, or its name if only one workspace has it; can be repeated
    #[arg(long = "workspace", value_name = "WORKSPACE")]
    workspaces: Vec<String>,
    #[command(flatten)]
    labels: NewLabels,
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    of: OfTenant,
    /// Only members with this role
    #[arg(long)]
    role: Option<String>,
    /// Only members assigned to this workspace, named by its id or its name
    #[arg(long)]
    workspace: Option<String>,
    /// Only members with this status: active or suspended
    #[arg(long)]
    status: Option<String>,
}

/// A member, by their id or their address.
#[derive(Args)]
struct Who {
    /// The member's id, as `tenantry member list` shows it
    #[arg(required_unless_present = "email", conflicts_with = "email")]
    member: Option<String>,
    /// The member's email address, instead of the id
    #[arg(long)]
    email: Option<String>,
}

#[derive(Args)]
pub(crate) struct Update {
    #[command(flatten)]
    of: OfTenant,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    change: Changes,
}

#[derive(Args)]
#[command(group = ArgGroup::new("changes").required(true).multiple(true)
    .args(["new_email", "role", "status", "issuer", "subject", "external_id", "metadata"]))]
struct Changes {
    /// New email address
    #[arg(long)]
    new_email: Option<String>,
    /// New role: owner, admin, billing, agent or observer
    #[arg(long)]
    role: Option<String>,
    /// New status: active or suspended
    #[arg(long)]
    status: Option<String>,
    /// The issuer of their access tokens from now on, exactly as in iss
    #[arg(long, value_name = "ISS")]
    issuer: Option<String>,
    /// Their id at the issuer from now on, exactly as in sub, or in the subject_claim of the issuer's settings
    #[arg(long, value_name = "SUB")]
    subject: Option<String>,
    #[command(flatten)]
    labels: ChangedLabels,
}

#[derive(Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    of: OfTenant,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    consent: Consent,
}

impl Create {
    /// Everything but the workspaces, which are looked up. Reports all refused values together.
    fn details(&self) -> Result<MemberDetails, Exit> {
        let mut refused = Vec::new();
        let email = parse("email", Some(&self.email), &mut refused);
        let role = parse("role", Some(&self.role), &mut refused);
        let issuer: Option<IssuerName> = parse("issuer", Some(&self.issuer), &mut refused);
        let subject: Option<Subject> = parse("subject", Some(&self.subject), &mut refused);
        let labels = self.labels.read(&mut refused);
        match (email, role, issuer, subject) {
            (Some(email), Some(role), Some(issuer), Some(subject)) if refused.is_empty() => {
                let person = tenantry_domain::Person { issuer, subject };
                Ok(MemberDetails { email, role, status: MemberStatus::Active, person, labels })
            }
            _ => Err(Error::Invalid(refused).into()),
        }
    }
}

impl List {
    /// Everything but the workspace, which is looked up.
    fn filter(&self) -> Result<MemberFilter, Exit> {
        let mut refused = Vec::new();
        let filter = MemberFilter {
            role: parse::<Role>("role", self.role.as_deref(), &mut refused),
            status: parse("status", self.status.as_deref(), &mut refused),
            ..MemberFilter::default()
        };
        unless_refused(filter, refused)
    }
}

/// How a member is named.
enum Named {
    Id(MemberId),
    Email(EmailAddress),
}

impl Changes {
    /// All of it, or all that is refused of it.
    fn patch(&self) -> Result<MemberPatch, Exit> {
        let mut refused = Vec::new();
        let (external_id, metadata) = self.labels.read(&mut refused);
        let patch = MemberPatch {
            email: parse("new-email", self.new_email.as_deref(), &mut refused),
            role: parse("role", self.role.as_deref(), &mut refused),
            status: parse("status", self.status.as_deref(), &mut refused),
            issuer: parse("issuer", self.issuer.as_deref(), &mut refused),
            subject: parse("subject", self.subject.as_deref(), &mut refused),
            external_id,
            metadata,
        };
        unless_refused(patch, refused)
    }
}

impl Who {
    fn named(&self) -> Result<Named, Exit> {
        let usage = |what: &str, refusal: Refusal| Exit::usage(format!("the member's {what} {refusal}"));
        match (&self.member, &self.email) {
            (Some(id), _) => id.parse().map(Named::Id).map_err(|refusal| usage("id", refusal)),
            (None, Some(email)) => email.parse().map(Named::Email).map_err(|refusal| usage("email address", refusal)),
            (None, None) => Err(Exit::usage("name the member by their id, or with --email")),
        }
    }
}

pub(crate) fn run(command: Member, settings: &Settings, output: &Output) -> Result<(), Exit> {
    crate::logging::start(settings);
    match command {
        Member::Create(create) => {
            let details = create.details()?;
            let member = in_tenant(settings, &create.of.tenant, async |store, operator| {
                let mut workspaces = Vec::new();
                for named in &create.workspaces {
                    let id = named::workspace(store, operator, named).await?;
                    workspaces.extend((!workspaces.contains(&id)).then_some(id));
                }
                Ok(members::create(store, operator, details, workspaces).await?)
            })?;
            let line = format!("{}  {}  {}", member.id, member.details.email.as_str(), member.details.role);
            output.print(&MemberView::from(member), || line)
        }
        Member::List(list) => {
            let filter = list.filter()?;
            let members = in_tenant(settings, &list.of.tenant, async |store, operator| {
                let workspace_id = match &list.workspace {
                    Some(named) => Some(named::workspace(store, operator, named).await?),
                    None => None,
                };
                Ok(all(store, operator, &MemberFilter { workspace_id, ..filter }).await?)
            })?;
            print_list(output, &members)
        }
        Member::Update(update) => {
            let (person, patch) = (update.who.named()?, update.change.patch()?);
            let member = in_tenant(settings, &update.of.tenant, async |store, operator| {
                let id = find(store, operator, &person).await?;
                Ok(members::update(store, operator, id, Precondition::None, patch).await?)
            })?;
            let line = format!("{}  {}  {}", member.id, member.details.email.as_str(), member.details.role);
            output.print(&MemberView::from(member), || line)
        }
        Member::Remove(remove) => {
            let person = remove.who.named()?;
            let find = async |store: &Store| {
                let operator = named::operator_in(store, &remove.of.tenant).await?;
                let id = find(store, &operator, &person).await?;
                Ok((operator, id))
            };
            carry_out(remove.consent, settings, output, find, async |store, (operator, id)| {
                removed(store, operator, *id).await
            })
        }
    }
}

async fn removed(store: &Store, operator: &Credential, id: MemberId) -> Result<Deed, Exit> {
    let members::Shown { member, count, .. } = members::show(store, operator, id).await?;
    let left = left_behind(store, operator, id).await?;
    members::remove(store, operator, id, Precondition::None).await?;
    let (email, role) = (member.details.email.as_str(), member.details.role);
    Ok(Deed {
        would: format!(
            "This removes the member {email} ({id}), with the role {role} and {}.\nThey are refused from their next request on. \
             To let them in again, invite them.{left}",
            counted(count, "assigned workspace"),
        ),
        plan: json!({
            "remove": { "id": id.to_string(), "email": email, "role": role.to_string() }, "assignments": count,
        }),
        done: format!("removed  {id}"),
        result: json!({ "removed": id.to_string() }),
    })
}

/// What the member made that goes with them or stays; nothing where they made nothing.
async fn left_behind(store: &Store, operator: &Credential, id: MemberId) -> Result<String, Error> {
    let maker = Some(id.to_string());
    let pending = InvitationFilter {
        state: Some(InvitationState::Pending),
        invited_by: maker.clone(),
        ..InvitationFilter::default()
    };
    let pending = named::all(async |page| invitations::list(store, operator, pending.clone(), page).await).await?.len();
    let keys = ApiKeyFilter { active: Some(true), created_by: maker };
    let keys = named::all(async |page| api_keys::list(store, operator, keys.clone(), page).await).await?;
    let mut text = String::new();
    if pending > 0 {
        text += &format!("\nThis also revokes {}.", counted(pending as u64, "pending invitation"));
    }
    for key in &keys {
        text +=
            &format!("\nAn API key that they created keeps working: \"{}\" ({}).", key.details.name.as_str(), key.id);
    }
    Ok(text)
}

async fn find(store: &Store, operator: &Credential, named: &Named) -> Result<MemberId, Error> {
    let email = match named {
        Named::Id(id) => return Ok(*id),
        Named::Email(email) => email.key(),
    };
    let filter = MemberFilter { search: Some(email.clone()), ..MemberFilter::default() };
    let found = all(store, operator, &filter).await?.into_iter().find(|member| member.details.email.key() == email);
    found.map(|member| member.id).ok_or(Error::NotFound(Noun::Member))
}

async fn all(store: &Store, operator: &Credential, filter: &MemberFilter) -> Result<Vec<Person>, Error> {
    named::all(async |page| members::list(store, operator, filter.clone(), page).await).await
}

fn print_list(output: &Output, members: &[Person]) -> Result<(), Exit> {
    let views: Vec<_> = members.iter().cloned().map(MemberView::from).collect();
    output.print(&views, || {
        let row = |member: &Person| {
            let details = &member.details;
            [
                member.id.to_string(),
                details.email.as_str().to_owned(),
                details.role.to_string(),
                details.status.to_string(),
                details.person.subject.as_str().to_owned(),
            ]
        };
        table(["ID", "EMAIL", "ROLE", "STATUS", "SUBJECT"], &members.iter().map(row).collect::<Vec<_>>())
    })
}
