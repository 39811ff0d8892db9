//! `tenantry key`.

use std::time::Duration;

use chrono::{DateTime, Datelike, Utc};
use clap::{Args, Subcommand};
use serde_json::json;
use tenantry_auth::Secret;
use tenantry_domain::{
    ApiKey, ApiKeyDetails, ApiKeyId, Credential, Error, KeyMode, KeyScope, Overlap, Permissions, Precondition, Reach,
    Refusal,
};
use tenantry_http::ApiKeyView;
use tenantry_operations::{ApiKeyFilter, Store, api_keys};

use super::tenant::{minutes, parse, read};
use crate::{
    consent::{Consent, Deed, carry_out, thing},
    exit::Exit,
    named::{self, OfTenant, in_tenant},
    output::{Output, fields, table},
    settings::Settings,
};

/// Create, list, rotate and revoke the API keys of a tenant.
#[derive(Subcommand)]
pub(crate) enum Key {
    /// Create a key, which is printed only once
    #[command(after_long_help = CREATE)]
    Create(Create),
    /// List the keys, including revoked and expired ones
    List(OfTenant),
    /// Show one key, without its secret
    Show(One),
    /// Replace a key with a new one, which is printed only once; the old key ends after the overlap
    Rotate {
        #[command(flatten)]
        one: One,
        /// How long the old key keeps working, such as 1h; at most 7 days
        #[arg(long, default_value = "1day", value_name = "TIME")]
        overlap: humantime::Duration,
    },
    /// Revoke a key at once, for good
    Revoke {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        consent: Consent,
    },
}

const CREATE: &str = "\
Examples:
  A key that may do everything in the tenant:
    tenantry key create --tenant Acme --name \"Back office\"
  A key that reads the workspaces of one brand, for 90 days:
    tenantry key create --tenant Acme --name Website --scope workspaces:read --brand shop --expires-in 90days";

#[derive(Args)]
pub(crate) struct One {
    #[command(flatten)]
    of: OfTenant,
    /// The key's id, as `tenantry key list` shows it; never the key itself
    key: String,
}

#[derive(Args)]
pub(crate) struct Create {
    #[command(flatten)]
    of: OfTenant,
    /// Name of the key
    #[arg(long)]
    name: String,
    /// A scope, such as workspaces:read, or a permission of the settings; can be repeated. Default: every scope
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Restrict the key to this brand: its id, its slug, or its name if only one brand has it
    #[arg(long, conflicts_with = "workspace")]
    brand: Option<String>,
    /// Restrict the key to this workspace: its id, or its name if only one workspace has it
    #[arg(long)]
    workspace: Option<String>,
    /// Let the key expire after this time, such as 90days. Default: never
    #[arg(long, value_name = "TIME")]
    expires_in: Option<humantime::Duration>,
    /// Mode of the key: live or test
    #[arg(long, default_value = "live")]
    mode: String,
}

impl Create {
    /// Everything but the reach, which is looked up. Reports all refused values together.
    fn into_domain(self, now: DateTime<Utc>, permissions: &Permissions) -> Result<ApiKeyDetails, Exit> {
        let mut refused = Vec::new();
        let name = read("name", Some(&self.name), &mut refused);
        let mode: Option<KeyMode> = parse("mode", Some(&self.mode), &mut refused);
        let mut scopes: Vec<KeyScope> =
            self.scopes.iter().filter_map(|scope| parse("scope", Some(scope), &mut refused)).collect();
        if self.scopes.is_empty() {
            scopes = permissions.every_scope();
        }
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
                Ok(ApiKeyDetails { name, mode, scopes, reach: Reach::Tenant, expires_at })
            }
            _ => Err(Error::Invalid(refused).into()),
        }
    }
}

fn end(now: DateTime<Utc>, time: Duration) -> Result<DateTime<Utc>, Refusal> {
    let time = chrono::Duration::from_std(time).ok();
    let end = time.and_then(|time| now.checked_add_signed(time)).filter(|end| end.year() <= 9999);
    end.ok_or_else(|| Refusal::new("out_of_range", "must end before the year 10000"))
}

pub(crate) fn run(command: Key, settings: &Settings, output: &Output) -> Result<(), Exit> {
    crate::logging::start(settings);
    match command {
        Key::Create(create) => {
            let now = Utc::now();
            let (tenant, brand, workspace) = (create.of.tenant.clone(), create.brand.clone(), create.workspace.clone());
            let details = create.into_domain(now, &settings.permissions)?;
            let made = in_tenant(settings, &tenant, async |store, operator| {
                let reach = match (brand.as_deref(), workspace.as_deref()) {
                    (Some(brand), _) => Reach::Brand(named::brand(store, operator, brand).await?),
                    (None, Some(named)) => Reach::Workspace(named::workspace(store, operator, named).await?),
                    (None, None) => Reach::Tenant,
                };
                Ok(api_keys::create(store, operator, ApiKeyDetails { reach, ..details }).await?)
            })?;
            print_made(output, made)
        }
        Key::List(of) => {
            let keys = in_tenant(settings, &of.tenant, async |store, operator| {
                Ok(named::all(async |page| api_keys::list(store, operator, ApiKeyFilter::default(), page).await)
                    .await?)
            })?;
            print_list(output, &keys)
        }
        Key::Show(one) => {
            let id = one.id()?;
            let key = in_tenant(settings, &one.of.tenant, async |store, operator| {
                Ok(api_keys::show(store, operator, id).await?)
            })?;
            let text = words(&key);
            output.print(&ApiKeyView::from(key), || text)
        }
        Key::Rotate { one, overlap } => {
            let id = one.id()?;
            let seconds = i64::try_from(overlap.as_secs()).unwrap_or(i64::MAX);
            let overlap =
                Overlap::try_from(seconds).map_err(|refusal| Exit::usage(format!("the overlap {refusal}")))?;
            let made = in_tenant(settings, &one.of.tenant, async |store, operator| {
                Ok(api_keys::rotate(store, operator, id, overlap).await?)
            })?;
            print_made(output, made)
        }
        Key::Revoke { one, consent } => {
            let id = one.id()?;
            let find = async |store: &Store| named::operator_in(store, &one.of.tenant).await;
            carry_out(consent, settings, output, find, async |store, operator| revoke(store, operator, id).await)
        }
    }
}

async fn revoke(store: &Store, operator: &Credential, id: ApiKeyId) -> Result<Deed, Exit> {
    let key = api_keys::show(store, operator, id).await?;
    api_keys::revoke(store, operator, id, Precondition::None, false).await?;
    let name = key.details.name.as_str();
    let mut would =
        format!("This revokes the API key \"{name}\" (…{}, {id}), which is {}.", key.last_four, state(&key));
    would += &match key.last_used_at {
        Some(at) => format!(" It was last used on {}.", minutes(at)),
        None => " It was never used.".to_owned(),
    };
    would += "\nWhoever uses it is refused from the next request on. Nobody can take that back.";
    let used = key.last_used_at.map(|at| at.to_rfc3339());
    Ok(Deed {
        would,
        plan: json!({ "revoke": thing(id, name), "lastUsedAt": used }),
        done: format!("revoked  {id}"),
        result: json!({ "revoked": id.to_string() }),
    })
}

impl One {
    fn id(&self) -> Result<ApiKeyId, Exit> {
        self.key.parse().map_err(|refusal: Refusal| {
            Exit::usage(format!("the key's id {refusal}; `tenantry key list` shows the ids"))
        })
    }
}

fn words(key: &ApiKey) -> String {
    let details = &key.details;
    let scopes: Vec<_> = details.scopes.iter().map(ToString::to_string).collect();
    fields(&[
        ("id", key.id.to_string()),
        ("name", details.name.as_str().to_owned()),
        ("key", format!("…{}", key.last_four)),
        ("mode", details.mode.to_string()),
        ("state", state(key)),
        ("reach", reach(key)),
        ("scopes", scopes.join(" ")),
        ("last used", key.last_used_at.map_or_else(|| "never".to_owned(), minutes)),
        ("created", minutes(key.created_at)),
        ("created by", key.created_by.as_ref().map_or_else(|| "unknown".to_owned(), ToString::to_string)),
    ])
}

fn state(key: &ApiKey) -> String {
    match (key.revoked_at, key.details.expires_at) {
        (Some(_), _) => "revoked".to_owned(),
        (None, Some(at)) if at <= Utc::now() => "expired".to_owned(),
        (None, Some(at)) => format!("active until {}", minutes(at)),
        (None, None) => "active".to_owned(),
    }
}

fn reach(key: &ApiKey) -> String {
    match key.details.reach.restriction() {
        (Some(id), _) => format!("brand {id}"),
        (None, Some(id)) => format!("workspace {id}"),
        (None, None) => "tenant".to_owned(),
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
        let row = |key: &ApiKey| {
            let name = key.details.name.as_str().to_owned();
            [key.id.to_string(), name, format!("…{}", key.last_four), state(key), reach(key)]
        };
        table(["ID", "NAME", "KEY", "STATE", "REACH"], &keys.iter().map(row).collect::<Vec<_>>())
    })
}
