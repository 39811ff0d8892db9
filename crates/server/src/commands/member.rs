//! `tenantry member`.

use clap::{Args, Subcommand};
use serde_json::json;
use tenantry_domain::{
    Credential, EmailAddress, Error, IssuerName, Member as Person, MemberDetails, MemberId, MemberStatus, Noun,
    PageLimit, PageRequest, Precondition, Refusal, Role, Sort, Subject, WorkspaceId,
};
use tenantry_http::MemberView;
use tenantry_operations::{MemberFilter, Store, members};

use super::tenant::{operator, parse, tenant_id};
use crate::{
    database::with_store,
    exit::Exit,
    output::{Output, table},
    settings::Settings,
};

/// Create, list and remove the members of a tenant.
#[derive(Subcommand)]
pub(crate) enum Member {
    /// Create a member without an invitation, such as the first owner
    Create(Create),
    /// List the members of a tenant
    List(List),
    /// Remove a member; they are refused from their next request on
    Remove(Remove),
}

#[derive(Args)]
pub(crate) struct Create {
    /// The tenant's id
    #[arg(long, value_name = "ID")]
    tenant: String,
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
    /// The id of a workspace to assign them to; can be repeated
    #[arg(long = "workspace")]
    workspaces: Vec<String>,
}

#[derive(Args)]
pub(crate) struct List {
    /// The tenant's id
    #[arg(long)]
    tenant: String,
    /// Only members with this role
    #[arg(long)]
    role: Option<String>,
    /// Only members assigned to the workspace with this id
    #[arg(long)]
    workspace: Option<String>,
    /// Only members with this status: active or suspended
    #[arg(long)]
    status: Option<String>,
}

#[derive(Args)]
pub(crate) struct Remove {
    /// The tenant's id
    #[arg(long)]
    tenant: String,
    /// The member's id, as `tenantry member list` shows it
    #[arg(required_unless_present = "email", conflicts_with = "email")]
    member: Option<String>,
    /// The member's email address, instead of the id
    #[arg(long)]
    email: Option<String>,
}

impl Create {
    /// Reports all refused values together.
    fn into_domain(self) -> Result<(MemberDetails, Vec<WorkspaceId>), Exit> {
        let mut refused = Vec::new();
        let email = parse("email", Some(&self.email), &mut refused);
        let role = parse("role", Some(&self.role), &mut refused);
        let issuer: Option<IssuerName> = parse("issuer", Some(&self.issuer), &mut refused);
        let subject: Option<Subject> = parse("subject", Some(&self.subject), &mut refused);
        let mut workspaces = Vec::new();
        for raw in &self.workspaces {
            let id: Option<WorkspaceId> = parse("workspace", Some(raw), &mut refused);
            workspaces.extend(id.filter(|id| !workspaces.contains(id)));
        }
        match (email, role, issuer, subject) {
            (Some(email), Some(role), Some(issuer), Some(subject)) if refused.is_empty() => {
                let person = tenantry_domain::Person { issuer, subject };
                Ok((MemberDetails { email, role, status: MemberStatus::Active, person }, workspaces))
            }
            _ => Err(Error::Invalid(refused).into()),
        }
    }
}

impl List {
    fn filter(&self) -> Result<MemberFilter, Exit> {
        let mut refused = Vec::new();
        let filter = MemberFilter {
            role: parse::<Role>("role", self.role.as_deref(), &mut refused),
            status: parse("status", self.status.as_deref(), &mut refused),
            workspace_id: parse("workspace", self.workspace.as_deref(), &mut refused),
            search: None,
        };
        if refused.is_empty() { Ok(filter) } else { Err(Error::Invalid(refused).into()) }
    }
}

/// How a member is named.
enum Named {
    Id(MemberId),
    Email(EmailAddress),
}

impl Remove {
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
            let operator = operator(Some(tenant_id(&create.tenant)?))?;
            let (details, workspaces) = create.into_domain()?;
            let member =
                with_store(settings, async move |store| members::create(store, &operator, details, workspaces).await)?;
            let line = format!("{}  {}  {}", member.id, member.details.email.as_str(), member.details.role);
            output.print(&MemberView::from(member), || line)
        }
        Member::List(list) => {
            let (operator, filter) = (operator(Some(tenant_id(&list.tenant)?))?, list.filter()?);
            let members = with_store(settings, async move |store| all(store, &operator, &filter).await)?;
            print_list(output, &members)
        }
        Member::Remove(remove) => {
            let (operator, named) = (operator(Some(tenant_id(&remove.tenant)?))?, remove.named()?);
            let id = with_store(settings, async move |store| {
                let id = find(store, &operator, &named).await?;
                members::remove(store, &operator, id, Precondition::None).await.map(|()| id)
            })?;
            output.print(&json!({ "removed": id.to_string() }), || format!("removed  {id}"))
        }
    }
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
    let mut request = PageRequest { limit: PageLimit::default(), sort: Sort::default(), after: None };
    let mut found = Vec::new();
    loop {
        let page = members::list(store, operator, filter.clone(), request.clone()).await?;
        found.extend(page.items);
        match page.next {
            Some(next) => request.after = Some(next),
            None => return Ok(found),
        }
    }
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
