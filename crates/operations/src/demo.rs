//! The demo tenant: one thing of each kind, with ids that are known beforehand, so that there is something to try requests on.

use tenantry_auth::{Secret, WebhookSecret, seal::MasterKeys};
use tenantry_domain::{
    Action, AgentDetails, AgentStatus, ApiKeyDetails, BrandDetails, Change, Credential, Error, Holder, InBrand,
    InTenant, InWorkspace, InvitationDays, InvitationDetails, KeyMode, Labels, Limits, LocaleRequest, MemberDetails,
    MemberStatus, Metadata, NewBrand, NewTenant, NewWorkspace, Origin, Person, Reach, Record, Refusal, Role, Scope,
    TenantId, WebhookDetails, WorkspaceType, demo,
};
use tenantry_persistence::Store;

use crate::{
    agents, api_keys, brands, invitations, members,
    tenants::{self, FoundedOwner, Owner},
    webhooks, workspaces,
};

/// Creates the demo tenant if there is no tenant at all. Returns the key of its owner, which can be read this once.
///
/// # Errors
///
/// Those of [`Store::write`].
pub async fn create_if_first(store: &Store, keys: &MasterKeys) -> Result<Option<Secret>, Error> {
    if tenants::any(store, &first_start(None)?).await? {
        return Ok(None);
    }
    let start = Start::new().map_err(|refusal| Error::internal(format!("the demo tenant {refusal}")))?;
    let ids = (demo::TENANT, demo::BRAND);
    let founded = tenants::found(store, &first_start(None)?, ids, start.tenant.clone(), Owner::Key).await?;
    // The key is shown only here. So it must not be lost with the rest of the demo tenant.
    if let Err(error) = fill((store, keys), &first_start(Some(demo::TENANT))?, start).await {
        tracing::warn!(?error, "the demo tenant is incomplete: some examples of the documentation do not work there");
    }
    match founded.owner {
        FoundedOwner::Key(secret) => Ok(Some(secret)),
        FoundedOwner::Invitation(_) => Err(Error::internal("the demo tenant has no key")),
    }
}

/// Who the audit log names.
fn first_start(tenant: Option<TenantId>) -> Result<Credential, Error> {
    let name = "first start".parse().map_err(|refusal: Refusal| Error::internal(refusal.to_string()))?;
    Ok(Credential { holder: Holder::Operator { name, tenant }, origin: Origin::default() })
}

/// What the tenant starts with.
struct Start {
    tenant: NewTenant,
    other_brand: NewBrand,
    workspace: NewWorkspace,
    agent: AgentDetails,
    member: MemberDetails,
    invitation: InvitationDetails,
    key: ApiKeyDetails,
    webhook: WebhookDetails,
}

/// What another system calls the things that can be looked for by it.
fn labels() -> Result<Labels, Refusal> {
    let metadata = Metadata::of([("tier", "gold")])?;
    Ok(Labels { external_id: Some(demo::EXTERNAL_ID.parse()?), metadata })
}

impl Start {
    fn new() -> Result<Self, Refusal> {
        let locale = LocaleRequest {
            country: Some("DE".parse()?),
            language: Some("de".parse()?),
            currency: Some("EUR".parse()?),
            workspace_type: Some(WorkspaceType::B2b),
        };
        let instructions = "All prices must include VAT. Refer customers to the German returns policy for DACH orders.";
        Ok(Self {
            tenant: NewTenant {
                name: "Acme Industrial Supply".parse()?,
                locale,
                limits: Limits::default(),
                labels: labels()?,
            },
            other_brand: NewBrand {
                details: BrandDetails { labels: labels()?, ..BrandDetails::named("Acme Outlet".parse()?) },
                slug: None,
                is_default: false,
            },
            workspace: NewWorkspace {
                name: "DACH Region".parse()?,
                locale,
                workspace_instructions: Some(instructions.parse()?),
                email_signature_html: Some("<p>Freundliche Gruesse,<br>Ihr Acme DACH Team</p>".parse()?),
                email_signature_text: Some("Freundliche Gruesse,\nIhr Acme DACH Team".parse()?),
                labels: labels()?,
            },
            agent: AgentDetails {
                name: "Reception".parse()?,
                external_reference: Some("agent-4711".parse()?),
                voice: Some("shimmer".parse()?),
                status: AgentStatus::Active,
                labels: Labels::default(),
            },
            // No issuer that a service trusts is at this address, so nobody can sign in as this member.
            member: MemberDetails {
                email: "grace@example.com".parse()?,
                role: Role::Agent,
                status: MemberStatus::Active,
                person: Person { issuer: "https://login.example.com/".parse()?, subject: "auth0|65f0c1".parse()? },
                labels: Labels::default(),
            },
            invitation: InvitationDetails {
                email: "alan@example.com".parse()?,
                role: Role::Agent,
                workspaces: vec![demo::WORKSPACE],
            },
            key: ApiKeyDetails {
                name: "CRM synchronisation".parse()?,
                mode: KeyMode::Live,
                scopes: vec![Scope::WorkspacesRead.into()],
                reach: Reach::Tenant,
                expires_at: None,
            },
            webhook: WebhookDetails {
                // No name ends like this, so nothing is sent.
                url: "https://receiver.invalid/webhooks".parse()?,
                events: Some(vec!["workspace.create".parse()?, "workspace.update".parse()?]),
                description: Some("Keeps the CRM up to date".parse()?),
            },
        })
    }
}

async fn fill((store, keys): (&Store, &MasterKeys), credential: &Credential, start: Start) -> Result<(), Error> {
    let Start { tenant: _, other_brand, workspace, agent, member, invitation, key, webhook } = start;
    store
        .write(credential, InTenant, Action::BrandCreate, move |tx| {
            brands::create_in(tx, demo::OTHER_BRAND, &other_brand)
        })
        .await?;
    store
        .write(credential, InBrand::Default, Action::WorkspaceCreate, move |tx| {
            workspaces::create_in(tx, demo::WORKSPACE, &workspace)
        })
        .await?;
    store
        .write(credential, InWorkspace::Id(demo::WORKSPACE), Action::AgentCreate, move |tx| {
            agents::create_in(tx, demo::AGENT, &agent)
        })
        .await?;
    store
        .write(credential, InTenant, Action::MemberCreate, move |tx| {
            members::create_in(tx, demo::MEMBER, &member, &[demo::WORKSPACE])
        })
        .await?;
    store
        .write(credential, InTenant, Action::InvitationCreate, move |tx| {
            let change = invitations::create_in(tx, demo::INVITATION, &invitation, InvitationDays::default())?;
            // Nobody is at this address, so no email is sent to it.
            let record = change.record.map(|record| Record { mail: None, ..record });
            Ok(Change { value: change.value, record })
        })
        .await?;
    let (_, new) = api_keys::prepare(credential, Action::ApiKeyCreate, key)?;
    store
        .write(credential, InTenant, Action::ApiKeyCreate, move |tx| api_keys::create_in(tx, demo::API_KEY, &new))
        .await?;
    let (keys, secret) = (keys.clone(), WebhookSecret::issue()?);
    store
        .write(credential, InTenant, Action::WebhookCreate, move |tx| {
            webhooks::create_in(tx, &keys, demo::WEBHOOK, (webhook.clone(), secret.clone()))
        })
        .await?;
    store
        .write(credential, InTenant, Action::WebhookTest, |_| Ok(webhooks::tested(demo::WEBHOOK, demo::WEBHOOK_TEST)))
        .await?;
    Ok(())
}
