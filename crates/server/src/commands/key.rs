//! `tenantry key`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde_json::json;
use tenantry_auth::Secret;
use tenantry_domain::{
    ApiKey, ApiKeyDetails, ApiKeyId, BrandId, Credential, Error, KeyMode, Overlap, PageLimit, PageRequest,
    Precondition, Reach, Refusal, Scope, Sort, WorkspaceId,
};
use tenantry_http::ApiKeyView;
use tenantry_operations::{Store, api_keys};

use super::tenant::{operator, parse, tenant_id};
use crate::{
    database::with_store,
    exit::Exit,
    output::{Output, table},
    settings::Settings,
};

/// Create, list, rotate and revoke the API keys of a tenant.
#[derive(Subcommand)]
pub(crate) enum Key {
    /// Create a key, which is printed only once
    Create(Create),
    /// List the keys, including revoked and expired ones
    List {
        /// The tenant's id
        #[arg(long)]
        tenant: String,
    },
    /// Show one key, without its secret
    Show(One),
    /// Replace a key by a new one, which is printed only once; the old key ends after the overlap
    Rotate {
        #[command(flatten)]
        one: One,
        /// How long the old key keeps working, such as 1h; at most 7 days
        #[arg(long, default_value = "1day")]
        overlap: humantime::Duration,
    },
    /// Revoke a key at once
    Revoke(One),
}

#[derive(Args)]
pub(crate) struct One {
    /// The tenant's id
    #[arg(long)]
    tenant: String,
    /// The key's id, as `tenantry key list` shows it; never the key itself
    key: String,
}

#[derive(Args)]
pub(crate) struct Create {
    /// The tenant's id
    #[arg(long)]
    tenant: String,
    /// Name of the key
    #[arg(long)]
    name: String,
    /// A scope, such as workspaces:read; can be repeated. Default: every scope
    #[arg(long = "scope")]
    scopes: Vec<String>,
    /// Restrict the key to the brand with this id
    #[arg(long, conflicts_with = "workspace")]
    brand: Option<String>,
    /// Restrict the key to the workspace with this id
    #[arg(long)]
    workspace: Option<String>,
    /// Let the key expire after this time, such as 90days. Default: never
    #[arg(long)]
    expires_in: Option<humantime::Duration>,
    /// live or test
    #[arg(long, default_value = "live")]
    mode: String,
}

impl Create {
    fn into_domain(self, now: DateTime<Utc>) -> Result<ApiKeyDetails, Exit> {
        let mut refused = Vec::new();
        let name = parse("name", Some(&self.name), &mut refused);
        let mode: Option<KeyMode> = parse("mode", Some(&self.mode), &mut refused);
        let mut scopes: Vec<Scope> =
            self.scopes.iter().filter_map(|scope| parse("scope", Some(scope), &mut refused)).collect();
        if self.scopes.is_empty() {
            scopes = Scope::all();
        }
        let brand: Option<BrandId> = parse("brand", self.brand.as_deref(), &mut refused);
        let workspace: Option<WorkspaceId> = parse("workspace", self.workspace.as_deref(), &mut refused);
        let reach = brand.map(Reach::Brand).or(workspace.map(Reach::Workspace)).unwrap_or(Reach::Tenant);
        let expires_at = match self.expires_in.map(|time| end(now, time.into())) {
            Some(Err(refusal)) => {
                refused.push(refusal.of("expires-in"));
                None
            }
            Some(Ok(at)) => Some(at),
            None => None,
        };
        match (name, mode) {
            (Some(name), Some(mode)) if refused.is_empty() => {
                Ok(ApiKeyDetails { name, mode, scopes, reach, expires_at })
            }
            _ => Err(Error::Invalid(refused).into()),
        }
    }
}

fn end(now: DateTime<Utc>, time: Duration) -> Result<DateTime<Utc>, Refusal> {
    let time = chrono::Duration::from_std(time).ok();
    time.and_then(|time| now.checked_add_signed(time)).ok_or_else(|| Refusal::new("out_of_range", "is too long"))
}

pub(crate) fn run(command: Key, settings: &Settings, output: &Output) -> Result<(), Exit> {
    crate::logging::start(settings);
    match command {
        Key::Create(create) => {
            let (operator, now) = (operator(Some(tenant_id(&create.tenant)?))?, Utc::now());
            let details = create.into_domain(now)?;
            let made = with_store(settings, async move |store| api_keys::create(store, &operator, details, now).await)?;
            print_made(output, made)
        }
        Key::List { tenant } => {
            let operator = operator(Some(tenant_id(&tenant)?))?;
            let keys = with_store(settings, async move |store| all(store, &operator).await)?;
            print_list(output, &keys)
        }
        Key::Show(one) => {
            let (operator, id) = one.parse()?;
            let key = with_store(settings, async move |store| api_keys::show(store, &operator, id).await)?;
            let view = ApiKeyView::from(key);
            output.print(&view, || serde_json::to_string_pretty(&view).unwrap_or_default())
        }
        Key::Rotate { one, overlap } => {
            let (operator, id) = one.parse()?;
            let seconds = i64::try_from(overlap.as_secs()).unwrap_or(i64::MAX);
            let overlap =
                Overlap::try_from(seconds).map_err(|refusal| Exit::usage(format!("the overlap {refusal}")))?;
            let made = with_store(settings, async move |store| {
                api_keys::rotate(store, &operator, id, overlap, Utc::now()).await
            })?;
            print_made(output, made)
        }
        Key::Revoke(one) => {
            let (operator, id) = one.parse()?;
            with_store(settings, async move |store| {
                api_keys::revoke(store, &operator, id, Precondition::None, false).await
            })?;
            output.print(&json!({ "revoked": id.to_string() }), || format!("revoked  {id}"))
        }
    }
}

impl One {
    fn parse(&self) -> Result<(Credential, ApiKeyId), Exit> {
        let id = self.key.parse().map_err(|refusal: Refusal| {
            Exit::usage(format!("the key's id {refusal}; `tenantry key list` shows the ids"))
        })?;
        Ok((operator(Some(tenant_id(&self.tenant)?))?, id))
    }
}

async fn all(store: &Store, operator: &Credential) -> Result<Vec<ApiKey>, Error> {
    let mut request = PageRequest { limit: PageLimit::default(), sort: Sort::default(), after: None };
    let mut keys = Vec::new();
    loop {
        let page = api_keys::list(store, operator, None, request.clone()).await?;
        keys.extend(page.items);
        match page.next {
            Some(next) => request.after = Some(next),
            None => return Ok(keys),
        }
    }
}

fn print_made(output: &Output, (key, secret): (ApiKey, Secret)) -> Result<(), Exit> {
    let (id, secret) = (key.id, secret.reveal().to_owned());
    output.print(&json!({ "apiKey": secret, "key": ApiKeyView::from(key) }), || {
        format!("id       {id}\nAPI key  {secret}\n         Save it now: it is not shown again.")
    })
}

fn print_list(output: &Output, keys: &[ApiKey]) -> Result<(), Exit> {
    let views: Vec<_> = keys.iter().cloned().map(ApiKeyView::from).collect();
    output.print(&views, || {
        let now = Utc::now();
        let state = |key: &ApiKey| match (key.revoked_at, key.details.expires_at) {
            (Some(_), _) => "revoked".to_owned(),
            (None, Some(at)) if at <= now => "expired".to_owned(),
            (None, Some(at)) => format!("until {}", at.format("%Y-%m-%d %H:%M")),
            (None, None) => "active".to_owned(),
        };
        let row = |key: &ApiKey| {
            let reach = match key.details.reach.restriction() {
                (Some(id), _) => format!("brand {id}"),
                (None, Some(id)) => format!("workspace {id}"),
                (None, None) => "tenant".to_owned(),
            };
            let name = key.details.name.as_str().to_owned();
            [key.id.to_string(), name, format!("…{}", key.last_four), state(key), reach]
        };
        table(["ID", "NAME", "KEY", "STATE", "REACH"], &keys.iter().map(row).collect::<Vec<_>>())
    })
}
