//! `tenantry outbox`.

use clap::Subcommand;
use serde::Serialize;
use tenantry_domain::{Choice, Error, FieldRefusal, OutboxMessage, OutboxMessageId, OutboxState, TenantId};
use tenantry_operations::{Store, TenantFilter, outbox, tenants};

use super::tenant::{operator, parse, unless_refused};
use crate::{
    database::with_store,
    exit::Exit,
    named::{self, Meant},
    output::{Output, table},
    settings::Settings,
};

/// List the emails of tenants, and try again those that were given up.
#[derive(Subcommand)]
pub(crate) enum Outbox {
    /// List messages, oldest first: sent, still to be sent, and given up
    List {
        /// Only messages of this tenant, named by its id, or its name if only one tenant has it
        #[arg(long)]
        tenant: Option<String>,
        /// Only messages in this state: pending, sent, dead or dropped
        #[arg(long)]
        state: Option<String>,
    },
    /// Try messages again, starting with the first attempt: those given up, and those waiting
    Retry {
        /// The tenant: its id, or its name if only one tenant has it. Default with --all-dead: all
        #[arg(long)]
        tenant: Option<String>,
        /// The messages' ids, as `tenantry outbox list` shows them
        #[arg(requires = "tenant", required_unless_present = "all_dead", value_name = "MESSAGE")]
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
            let state = state.as_deref().map(OutboxState::choose).transpose();
            let state = state.map_err(|refusal| Exit::usage(format!("the state {refusal}")))?;
            with_store(settings, async |store| all(store, tenant.as_deref(), state).await)?
        }
        Outbox::Retry { tenant, all_dead: true, .. } => {
            with_store(settings, async |store| retry_dead(store, tenant.as_deref()).await)?
        }
        Outbox::Retry { tenant, messages, .. } => {
            let ids = ids(&messages)?;
            with_store(settings, async |store| {
                let tenant = named::tenant(store, &tenant.unwrap_or_default(), Meant::Present).await?;
                Ok(retry(store, tenant, ids).await?)
            })?
        }
    };
    print(output, &views)
}

fn ids(raw: &[String]) -> Result<Vec<OutboxMessageId>, Exit> {
    let mut refused: Vec<FieldRefusal> = Vec::new();
    let ids = raw.iter().filter_map(|raw| parse(raw, Some(raw), &mut refused)).collect();
    unless_refused(ids, refused)
}

async fn all(store: &Store, tenant: Option<&str>, state: Option<OutboxState>) -> Result<Vec<MessageView>, Exit> {
    let mut views = Vec::new();
    for tenant in chosen(store, tenant).await? {
        let operator = operator(Some(tenant))?;
        let messages = named::all(async |page| outbox::list(store, &operator, state, page).await).await?;
        views.extend(messages.into_iter().map(|message| MessageView::of(tenant, message)));
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

async fn retry_dead(store: &Store, tenant: Option<&str>) -> Result<Vec<MessageView>, Exit> {
    let mut views = Vec::new();
    for tenant in chosen(store, tenant).await? {
        let retried = outbox::retry_dead(store, &operator(Some(tenant))?).await?;
        views.extend(retried.into_iter().map(|message| MessageView::of(tenant, message)));
    }
    Ok(views)
}

/// The named tenant, or all tenants.
async fn chosen(store: &Store, tenant: Option<&str>) -> Result<Vec<TenantId>, Exit> {
    if let Some(named) = tenant {
        return Ok(vec![named::tenant(store, named, Meant::Present).await?]);
    }
    let operator = operator(None)?;
    let all = named::all(async |page| tenants::list(store, &operator, TenantFilter::default(), page).await).await?;
    Ok(all.into_iter().map(|tenant| tenant.id).collect())
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
