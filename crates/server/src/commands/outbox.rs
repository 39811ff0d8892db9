//! `tenantry outbox`.

use clap::Subcommand;
use serde::Serialize;
use tenantry_domain::{
    Choice, Credential, Error, FieldRefusal, OutboxMessage, OutboxMessageId, OutboxState, PageLimit, PageRequest, Sort,
    TenantId,
};
use tenantry_operations::{Store, TenantFilter, outbox, tenants};

use super::tenant::{operator, parse, tenant_id};
use crate::{
    database::with_store,
    exit::Exit,
    output::{Output, table},
    settings::Settings,
};

/// List the emails of tenants, and try again those that were given up.
#[derive(Subcommand)]
pub(crate) enum Outbox {
    /// List messages, oldest first: sent, still to be sent, and given up
    List {
        /// Only messages of the tenant with this id
        #[arg(long)]
        tenant: Option<String>,
        /// Only messages in this state: pending, sent, dead or dropped
        #[arg(long)]
        state: Option<String>,
    },
    /// Try messages again, starting with the first attempt: those given up, and those waiting
    Retry {
        /// The tenant's id; with --all-dead the default is all tenants
        #[arg(long)]
        tenant: Option<String>,
        /// The messages' ids, as `tenantry outbox list` shows them
        #[arg(requires = "tenant", required_unless_present = "all_dead")]
        messages: Vec<String>,
        /// Try all messages that were given up
        #[arg(long, conflicts_with = "messages")]
        all_dead: bool,
    },
}

/// A message, with its tenant.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageView {
    tenant_id: String,
    id: String,
    kind: &'static str,
    subject_id: String,
    state: String,
    attempts: i32,
    next_attempt_at: Option<String>,
    last_error: Option<String>,
    created_at: String,
}

impl MessageView {
    fn of(tenant: TenantId, message: OutboxMessage) -> Self {
        let waits = message.state == OutboxState::Pending;
        Self {
            tenant_id: tenant.to_string(),
            id: message.id.to_string(),
            kind: message.mail.kind(),
            subject_id: message.mail.subject_id().to_string(),
            state: message.state.to_string(),
            attempts: message.attempts,
            next_attempt_at: waits.then(|| message.next_attempt_at.to_rfc3339()),
            last_error: message.last_error,
            created_at: message.created_at.to_rfc3339(),
        }
    }
}

pub(crate) fn run(command: Outbox, settings: &Settings, output: &Output) -> Result<(), Exit> {
    crate::logging::start(settings);
    let views = match command {
        Outbox::List { tenant, state } => {
            let tenant = tenant.as_deref().map(tenant_id).transpose()?;
            let state = state.as_deref().map(OutboxState::choose).transpose();
            let state = state.map_err(|refusal| Exit::usage(format!("the state {refusal}")))?;
            with_store(settings, async move |store| all(store, tenant, state).await)?
        }
        Outbox::Retry { tenant, all_dead: true, .. } => {
            let tenant = tenant.as_deref().map(tenant_id).transpose()?;
            with_store(settings, async move |store| retry_dead(store, tenant).await)?
        }
        Outbox::Retry { tenant, messages, .. } => {
            let tenant = tenant_id(&tenant.unwrap_or_default())?;
            let ids = ids(&messages)?;
            with_store(settings, async move |store| retry(store, tenant, ids).await)?
        }
    };
    print(output, &views)
}

fn ids(raw: &[String]) -> Result<Vec<OutboxMessageId>, Exit> {
    let mut refused: Vec<FieldRefusal> = Vec::new();
    let ids = raw.iter().filter_map(|raw| parse(raw, Some(raw), &mut refused)).collect();
    if refused.is_empty() { Ok(ids) } else { Err(Error::Invalid(refused).into()) }
}

async fn all(store: &Store, tenant: Option<TenantId>, state: Option<OutboxState>) -> Result<Vec<MessageView>, Error> {
    let mut views = Vec::new();
    for tenant in chosen(store, tenant).await? {
        let operator = operator(Some(tenant))?;
        let mut request = first_page();
        loop {
            let page = outbox::list(store, &operator, state, request.clone()).await?;
            views.extend(page.items.into_iter().map(|message| MessageView::of(tenant, message)));
            match page.next {
                Some(next) => request.after = Some(next),
                None => break,
            }
        }
    }
    Ok(views)
}

async fn retry(store: &Store, tenant: TenantId, ids: Vec<OutboxMessageId>) -> Result<Vec<MessageView>, Error> {
    let operator = operator(Some(tenant))?;
    let mut views = Vec::new();
    for id in ids {
        views.push(MessageView::of(tenant, outbox::retry(store, &operator, id).await?));
    }
    Ok(views)
}

async fn retry_dead(store: &Store, tenant: Option<TenantId>) -> Result<Vec<MessageView>, Error> {
    let mut views = Vec::new();
    for tenant in chosen(store, tenant).await? {
        let retried = outbox::retry_dead(store, &operator(Some(tenant))?).await?;
        views.extend(retried.into_iter().map(|message| MessageView::of(tenant, message)));
    }
    Ok(views)
}

/// The named tenant, or all tenants.
async fn chosen(store: &Store, tenant: Option<TenantId>) -> Result<Vec<TenantId>, Error> {
    if let Some(tenant) = tenant {
        return Ok(vec![tenant]);
    }
    let operator: Credential = operator(None)?;
    let (mut request, mut ids) = (first_page(), Vec::new());
    loop {
        let page = tenants::list(store, &operator, TenantFilter::default(), request.clone()).await?;
        ids.extend(page.items.into_iter().map(|tenant| tenant.id));
        match page.next {
            Some(next) => request.after = Some(next),
            None => return Ok(ids),
        }
    }
}

fn first_page() -> PageRequest {
    PageRequest { limit: PageLimit::default(), sort: Sort::default(), after: None }
}

fn print(output: &Output, views: &[MessageView]) -> Result<(), Exit> {
    output.print(&views, || {
        let row = |view: &MessageView| {
            let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            let (id, tenant) = (view.id.clone(), view.tenant_id.clone());
            let (state, attempts) = (view.state.clone(), view.attempts.to_string());
            [id, tenant, view.kind.to_owned(), state, attempts, text(&view.next_attempt_at), text(&view.last_error)]
        };
        let rows: Vec<_> = views.iter().map(row).collect();
        table(["MESSAGE", "TENANT", "KIND", "STATE", "ATTEMPTS", "NEXT ATTEMPT", "LAST ERROR"], &rows)
    })
}
