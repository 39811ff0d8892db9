//! Settings: read once from the environment and a TOML file, typed, all errors reported together.

mod faults;
mod issuers;
mod mail;
mod network;
mod permissions;
mod reader;
mod retention;
mod service_links;
mod webhooks;

use std::{
    collections::BTreeMap,
    ffi::OsString,
    net::SocketAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use tenantry_auth::{PlatformKeyHash, ServiceKeyHash, jwt::Issuers};
use tenantry_domain::{MailLimits, Permissions, Retention};
use tenantry_http::{Front, Rates};
use tenantry_operations::providers::{HighLevelApp, ProviderUrls};
use tenantry_persistence::Prepare;
use toml::{Table, Value};

use self::reader::{Reader, mask_address};
pub(crate) use self::{
    faults::{Fault, Faults},
    mail::Mail,
    webhooks::WebhookSettings,
};
use crate::trusted_file::{self, Holds};

/// Everything that can be set.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) bind: SocketAddr,
    pub(crate) admin_bind: Option<SocketAddr>,
    pub(crate) data_dir: PathBuf,
    pub(crate) database_url: Option<String>,
    pub(crate) owner_database_url: Option<String>,
    pub(crate) backup_database_url: Option<String>,
    /// A standby for lists, and how far behind it may be.
    pub(crate) read_database_url: Option<String>,
    pub(crate) read_max_lag: Duration,
    pub(crate) pg_bin: Option<PathBuf>,
    pub(crate) pg_user: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) database_connections: u32,
    pub(crate) database_wait: Duration,
    pub(crate) statement_timeout: Duration,
    pub(crate) prepare_statements: Prepare,
    pub(crate) look_up_lane: bool,
    pub(crate) platform_keys: Vec<PlatformKeyHash>,
    pub(crate) service_keys: Vec<ServiceKeyHash>,
    /// How long a service may keep what it was told about a credential.
    pub(crate) introspection_max_age: Duration,
    pub(crate) rates: Rates,
    /// How long a connection may say nothing after an answer.
    pub(crate) keep_alive: Duration,
    /// What stands between the service and its callers.
    pub(crate) front: Front,
    pub(crate) workers: usize,
    pub(crate) shutdown_delay: Duration,
    pub(crate) shutdown_grace: Duration,
    pub(crate) log_format: LogFormat,
    pub(crate) log_level: String,
    pub(crate) master_key_file: Option<PathBuf>,
    pub(crate) other_master_key_files: Vec<PathBuf>,
    /// `None` only together with a fault.
    pub(crate) provider_urls: Option<ProviderUrls>,
    /// Whose access tokens are renewed.
    pub(crate) highlevel_app: Option<HighLevelApp>,
    pub(crate) issuers: Issuers,
    /// `None` in a process that sends no emails.
    pub(crate) mail: Option<Mail>,
    /// Of tenants that have none of their own.
    pub(crate) mail_limits: MailLimits,
    pub(crate) retention: Retention,
    /// Of the product.
    pub(crate) permissions: Permissions,
    pub(crate) webhooks: WebhookSettings,
    /// What is only worth a warning, each a sentence.
    pub(crate) warnings: Vec<String>,
    /// For `tenantry config`: every setting as text, secrets masked.
    pub(crate) shown: Vec<Shown>,
}

/// How log lines are written: for machines or for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Json,
    Pretty,
}

/// A setting as `tenantry config` shows it.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Shown {
    pub(crate) name: String,
    /// What stands for it where it can also be set by a variable; else its name in the file.
    pub(crate) variable: String,
    pub(crate) value: Option<String>,
    pub(crate) source: &'static str,
    pub(crate) help: &'static str,
}

/// One row for each setting: its name in the file, its default, and its meaning. Its variable is `TENANTRY_` and the name in
/// capitals.
struct Row(&'static str, &'static str, &'static str);

const ROWS: &[Row] = &[
    Row("bind", "127.0.0.1:8080", "address and port to listen on; port 0 picks a free port"),
    Row(
        "admin_bind",
        "",
        "address and port for operators: /metrics and the probes. Default: /metrics is answered on bind",
    ),
    Row("data_dir", "data", "directory of the embedded PostgreSQL, and of emails when there is no mail server"),
    Row("database_url", "", "URL of your own PostgreSQL, as the role that serves requests; DATABASE_URL works too"),
    Row("database_url_file", "", "file that contains database_url; DATABASE_URL_FILE works too"),
    Row(
        "owner_database_url",
        "",
        "URL of the same database as its owner, for `tenantry migrate`, `tenantry restore`, `tenantry tenant erase` and `tenantry housekeeping`",
    ),
    Row("owner_database_url_file", "", "file that contains owner_database_url"),
    Row("backup_database_url", "", "URL of the same database as a role that sees all rows, for `tenantry backup`"),
    Row("backup_database_url_file", "", "file that contains backup_database_url"),
    Row(
        "read_database_url",
        "",
        "URL of a standby of the database, as the role that serves requests: lists and the audit log are read there",
    ),
    Row("read_database_url_file", "", "file that contains read_database_url"),
    Row("read_max_lag", "10s", "how far that standby may be behind, 0s to 1h; otherwise the first database answers"),
    Row("pg_bin", "", "directory of the PostgreSQL programs for the embedded database. Default: searched for"),
    Row("pg_user", "", "system user that runs the embedded PostgreSQL when the service is started as root"),
    Row(
        "user",
        "",
        "system user that the service becomes when it is started as root. Default: that of the embedded PostgreSQL",
    ),
    Row("database_connections", "8", "number of database connections, each with its own thread, 1 to 1000"),
    Row(
        "database_wait",
        "2s",
        "how long a request waits for its turn and a connection before it fails with 503, 10ms to 1h",
    ),
    Row("statement_timeout", "5s", "how long one statement may run, 10ms to 1h"),
    Row(
        "prepare_statements",
        "auto",
        "auto stops preparing statements when a pooler shares sessions; true for one that tracks them; false",
    ),
    Row(
        "look_up_lane",
        "true",
        "whether look-ups of workspaces that wait at the same time are read with one statement",
    ),
    Row(
        "platform_key_sha256",
        "",
        "hashes of the platform keys, separated by commas; `tenantry platform-key` creates a key",
    ),
    Row(
        "service_key_sha256",
        "",
        "hashes of the service keys, separated by commas; `tenantry service-key` creates a key",
    ),
    Row(
        "introspection_max_age",
        "0s",
        "how long a service may keep the answer of /api/introspect, 0s to 1h; a revoked key is good there for as long",
    ),
    Row("credential_rate", "10000", "requests in a second that one credential of a tenant may send; 0 for no limit"),
    Row("credential_burst", "20000", "how many of them at once"),
    Row("service_rate", "10000", "requests in a second that one service key may send; 0 for no limit"),
    Row("service_burst", "20000", "how many of them at once"),
    Row(
        "address_rate",
        "2000",
        "requests in a second from one address with credentials that are wrong or not known yet; 0 for no limit",
    ),
    Row("address_burst", "4000", "how many of them at once"),
    Row(
        "keep_alive",
        "75s",
        "how long a client connection may be idle, 1s to 1h; longer than that of a load balancer in front",
    ),
    Row(
        "public_url",
        "",
        "address under which callers find the service, such as https://example.com/tenantry; may have a path",
    ),
    Row("trusted_proxies", "", "networks of the proxies in front, such as 10.0.0.0/8, separated by commas"),
    Row(
        "proxy_header",
        "auto",
        "where they name the client: X-Forwarded-For, Forwarded, or auto for whichever is there",
    ),
    Row(
        "cors_origins",
        "",
        "origins whose pages may call the API, such as https://app.example.com, separated by commas; * for all",
    ),
    Row("workers", "", "threads that answer requests, 1 to 256. Default: one per processor"),
    Row(
        "shutdown_delay",
        "5s",
        "at SIGTERM, how long /readyz returns 503 before the service stops listening, 0s to 1day",
    ),
    Row("shutdown_grace", "30s", "at shutdown, how long running requests may take to finish, 0s to 1day"),
    Row("log_format", "pretty", "pretty or json"),
    Row("log_level", "info", "error, warn, info, debug, trace, or a filter such as info,tenantry_http=debug"),
    Row("smtp_host", "", "the mail server; without one, emails are saved in mail_dir"),
    Row("smtp_port", "", "port of the mail server. Default: 587 with starttls, 465 with tls, 25 with plain"),
    Row("smtp_security", "starttls", "starttls, tls, or plain for a mail catcher on the same network"),
    Row("smtp_username", "", "user name for the mail server"),
    Row("smtp_password", "", "password for the mail server"),
    Row("smtp_password_file", "", "file that contains the password; use it instead of smtp_password"),
    Row("smtp_ca_file", "", "certificates (PEM) to trust in addition to the system's"),
    Row("smtp_timeout", "30s", "how long one attempt to send an email may take, 1s to 60s"),
    Row("smtp_helo", "", "name by which the mail server is greeted. Default: the domain of mail_from"),
    Row("mail_from", "", "sender address of emails; required with smtp_host"),
    Row("mail_dir", "", "directory for emails when there is no mail server. Default: mail in data_dir"),
    Row(
        "invitation_link",
        "",
        "address where invitations are accepted; must contain {token}. Default: a page of this service, at public_url",
    ),
    Row("mail_reply_to", "none", "who gets answers to invitations: none, or inviter for the member who invites"),
    Row("mail_signatures", "text", "signatures of brands in emails: text without links, html as written, or none"),
    Row("mail_workers", "2", "how many emails are sent at once, 0 to 16; with 0 this process sends none"),
    Row("mail_poll", "5s", "how often to check for emails of other processes, and for retries, 100ms to 1h"),
    Row("invitation_interval", "1m", "least time between two emails of one invitation, 0s to 1day"),
    Row(
        "max_emails_per_day",
        "50",
        "emails that a tenant may send in 24 hours, unless the tenant has a limit of its own",
    ),
    Row("max_emails_per_recipient", "5", "the same to one address"),
    Row("max_pending_invitations", "500", "pending invitations of a tenant, unless the tenant has a limit of its own"),
    Row(
        "audit_retention",
        "forever",
        "how long audit events are kept, 1day or longer, or forever; only the owner deletes them",
    ),
    Row("outbox_retention", "30days", "how long messages that are not pending, and emails saved as files, are kept"),
    Row(
        "invitation_retention",
        "365days",
        "how long invitations are kept that were accepted or revoked or have expired",
    ),
    Row(
        "api_key_retention",
        "365days",
        "how long API keys are kept that were revoked or have expired; only the owner deletes them",
    ),
    Row(
        "webhook_retention",
        "30days",
        "how long deliveries to webhooks are kept that arrived or were given up, or that nobody makes",
    ),
    Row(
        "webhook_workers",
        "32",
        "to how many webhooks events are sent at once, 0 to 256; with 0 this process sends none",
    ),
    Row("webhook_poll", "5s", "how often to check for events of other processes, and for retries, 100ms to 1h"),
    Row(
        "webhook_allowed_networks",
        "",
        "networks that webhooks may be sent to although they are not public, such as 10.0.0.0/8, separated by commas",
    ),
    Row(
        "master_key_file",
        "",
        "file with the master key that encrypts new secrets. Default: only the embedded database has one",
    ),
    Row("other_master_key_files", "", "files with more master keys, used only to decrypt; separated by commas"),
    Row("twilio_url", "", "base URL of Twilio, for all regions. Default: the host of each region"),
    Row("elevenlabs_url", "", "base URL of ElevenLabs, for all regions. Default: the host of each region"),
    Row("openai_url", "https://api.openai.com", "base URL of OpenAI"),
    Row("gohighlevel_url", "https://services.leadconnectorhq.com", "base URL of HighLevel"),
    Row(
        "gohighlevel_client_id",
        "",
        "client id of your HighLevel app, to renew the access tokens that were issued to it",
    ),
    Row("gohighlevel_client_secret", "", "client secret of that app"),
    Row("gohighlevel_client_secret_file", "", "file that contains gohighlevel_client_secret"),
];

/// How long something of the database may take. Without a limit, one lock would hold everybody up.
const PATIENCE: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(60 * 60);

/// How long a part of stopping may take.
const STOPPING: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(24 * 60 * 60);

/// The variable that names the settings file.
const CONFIG: &str = "config";

/// The keys of the settings file that are lists of tables.
const ISSUERS: &str = "issuers";
const PERMISSIONS: &str = "permissions";

/// The settings that are secret as a whole.
const PASSWORDS: [&str; 2] = ["smtp_password", "gohighlevel_client_secret"];

/// The settings of which only the first characters are shown.
const PLATFORM_KEYS: &str = "platform_key_sha256";
const SERVICE_KEYS: &str = "service_key_sha256";

type Values = BTreeMap<String, String>;

impl Settings {
    /// Reads the environment and the settings file that it names.
    pub(crate) fn read() -> Result<Self, Vec<Fault>> {
        let (settings, faults) = Self::read_all();
        if faults.is_empty() { Ok(settings) } else { Err(faults) }
    }

    /// The same with all that is wrong. What is wrong is then only good to be shown.
    pub(crate) fn read_all() -> (Self, Vec<Fault>) {
        let mut faults = Faults::default();
        #[expect(clippy::disallowed_methods, reason = "the one crate that reads the environment")]
        let mut environment = variables(std::env::vars_os(), &mut faults);
        let mut file = environment.remove(CONFIG).map(|path| table(&path, &mut faults)).unwrap_or_default();
        let (issuers, shown_issuers) = issuers::read(file.remove(ISSUERS), &mut faults);
        let (permissions, shown_permissions) = permissions::read(file.remove(PERMISSIONS), &mut faults);
        let file = flat(file, &mut faults);
        if !environment.contains_key("database_url") && !environment.contains_key("database_url_file") {
            for (variable, name) in [("DATABASE_URL", "database_url"), ("DATABASE_URL_FILE", "database_url_file")] {
                #[expect(clippy::disallowed_methods, reason = "the one crate that reads the environment")]
                if let Ok(value) = std::env::var(variable)
                    && !value.is_empty()
                {
                    environment.insert(name.to_owned(), value);
                }
            }
        }
        unknown(&environment, &file, &mut faults);
        let mut settings = Self { issuers, permissions, ..Self::of(&Reader { environment, file }, &mut faults) };
        settings.warnings = std::mem::take(&mut faults.warnings);
        let faults = faults.into_vec();
        for shown in &mut settings.shown {
            // A value that could not be read cannot be masked either.
            if may_hold_secret(&shown.name) && faults.iter().any(|fault| fault.setting == shown.variable) {
                shown.value = Some("***".to_owned());
            }
        }
        settings.shown.extend(shown_issuers.into_iter().chain(shown_permissions));
        (settings, faults)
    }

    fn of(reader: &Reader, faults: &mut Faults) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let mut address = |name| {
            reader.parse(name, faults, |raw| {
                raw.parse().map_err(|_| "must be an address and a port such as 127.0.0.1:8080")
            })
        };
        let (bind, admin_bind) = (address("bind"), address("admin_bind"));
        Self {
            bind: bind.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0))),
            admin_bind,
            data_dir: reader.text("data_dir").unwrap_or_default().into(),
            database_url: reader.url("database_url", faults),
            owner_database_url: reader.url("owner_database_url", faults),
            backup_database_url: reader.url("backup_database_url", faults),
            read_database_url: reader.url("read_database_url", faults),
            read_max_lag: reader
                .duration("read_max_lag", Duration::ZERO..=Duration::from_secs(3_600), faults)
                .unwrap_or_default(),
            pg_bin: reader.text("pg_bin").map(PathBuf::from),
            pg_user: reader.text("pg_user"),
            user: reader.text("user"),
            database_connections: reader
                .parse("database_connections", faults, |raw| match raw.parse() {
                    Ok(n @ 1..=1_000) => Ok(n),
                    _ => Err("must be a whole number from 1 to 1000"),
                })
                .unwrap_or(1),
            database_wait: reader.duration("database_wait", PATIENCE, faults).unwrap_or_default(),
            statement_timeout: reader.duration("statement_timeout", PATIENCE, faults).unwrap_or_default(),
            prepare_statements: reader
                .parse("prepare_statements", faults, |raw| match raw {
                    "auto" => Ok(Prepare::Auto),
                    "true" => Ok(Prepare::Always),
                    "false" => Ok(Prepare::Never),
                    _ => Err("must be auto, true or false"),
                })
                .unwrap_or(Prepare::Auto),
            look_up_lane: reader
                .parse("look_up_lane", faults, |raw| raw.parse().map_err(|_| "must be true or false"))
                .unwrap_or(true),
            platform_keys: reader.hashes(PLATFORM_KEYS, faults),
            service_keys: reader.hashes(SERVICE_KEYS, faults),
            introspection_max_age: reader
                .duration("introspection_max_age", Duration::ZERO..=Duration::from_secs(3_600), faults)
                .unwrap_or_default(),
            rates: Rates {
                credential: reader.rate("credential_rate", "credential_burst", faults),
                service: reader.rate("service_rate", "service_burst", faults),
                address: reader.rate("address_rate", "address_burst", faults),
            },
            keep_alive: network::keep_alive(reader, faults),
            front: network::front(reader, faults),
            workers: reader
                .parse("workers", faults, |raw| match raw.parse() {
                    Ok(n @ 1..=256) => Ok(n),
                    _ => Err("must be a whole number from 1 to 256"),
                })
                .unwrap_or(processors),
            shutdown_delay: reader.duration("shutdown_delay", STOPPING, faults).unwrap_or_default(),
            shutdown_grace: reader.duration("shutdown_grace", STOPPING, faults).unwrap_or_default(),
            log_format: reader
                .parse("log_format", faults, |raw| match raw {
                    "json" => Ok(LogFormat::Json),
                    "pretty" => Ok(LogFormat::Pretty),
                    _ => Err("must be pretty or json"),
                })
                .unwrap_or(LogFormat::Pretty),
            log_level: reader
                .parse("log_level", faults, |raw| {
                    let wrong = "must be a level (error, warn, info, debug, trace, off), or a filter such as info,tenantry_http=debug";
                    // A word that is no level is taken for the name of a module, of which everything is logged, and nothing else.
                    let is_level = |part: &str| part.contains('=') || part.trim().parse::<tracing::level_filters::LevelFilter>().is_ok();
                    let known = raw.split(',').all(is_level) && tracing_subscriber::EnvFilter::try_new(raw).is_ok();
                    if known { Ok(raw.to_owned()) } else { Err(wrong) }
                })
                .unwrap_or_default(),
            master_key_file: reader.text("master_key_file").map(PathBuf::from),
            other_master_key_files: reader.paths("other_master_key_files"),
            provider_urls: reader.provider_urls(faults),
            highlevel_app: reader.highlevel_app(faults),
            issuers: Issuers::none(),
            permissions: Permissions::default(),
            mail: mail::read(reader, faults),
            mail_limits: mail::limits(reader, faults),
            retention: retention::read(reader, faults),
            webhooks: webhooks::read(reader, faults),
            warnings: Vec::new(),
            shown: ROWS.iter().map(|row| reader.show(row)).collect(),
        }
    }
}

/// The variables that start with `TENANTRY_`, by the rest of their names. An empty variable counts as not set.
fn variables(all: impl Iterator<Item = (OsString, OsString)>, faults: &mut Faults) -> Values {
    let mut values = Values::new();
    for (variable, value) in all.filter(|(_, value)| !value.is_empty()) {
        let variable = variable.to_string_lossy().to_lowercase();
        let Some(name) = variable.strip_prefix("tenantry_") else { continue };
        match value.into_string() {
            Ok(value) if service_links::is_one(&variable, &value) => {}
            Ok(value) => {
                values.insert(name.to_owned(), value);
            }
            // The value itself is not repeated, because it may be a password.
            Err(_) => faults.of(name, "is not valid UTF-8"),
        }
    }
    values
}

/// The settings file. A file that cannot be read is a fault.
fn table(path: &str, faults: &mut Faults) -> Table {
    // It may hold passwords; whether it does is not known yet, so that nobody is warned who may read it.
    let text = trusted_file::read_text(Path::new(path), Holds::Trust, &mut faults.warnings);
    let text = text.map_err(|fault| format!("the settings file {path} {fault}"));
    let table = text.and_then(|text| {
        // An editor may have put a byte order mark in front of it.
        let text: &str = text.strip_prefix('\u{feff}').unwrap_or(&text);
        text.parse().map_err(|error: toml::de::Error| {
            // The line itself is not repeated, because it may hold a password.
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let said = error.message();
            let of_the_line = text.lines().nth(line - 1).unwrap_or_default();
            let mut words = of_the_line.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 2);
            let why = if words.any(|word| said.contains(word)) { "it cannot be read" } else { said };
            format!("the settings file {path} is not valid TOML: line {line}: {why}")
        })
    });
    table.map_err(|fault| faults.push("", fault)).unwrap_or_default()
}

/// The settings of one value each, as text.
fn flat(table: Table, faults: &mut Faults) -> Values {
    let mut values = Values::new();
    for (name, value) in table {
        let text = match value {
            Value::String(text) => text,
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Boolean(flag) => flag.to_string(),
            Value::Datetime(time) => time.to_string(),
            Value::Array(_) | Value::Table(_) => {
                let name = shown_name(&name);
                faults.push("", format!("{name} in the settings file must be one value, not a list or a table"));
                continue;
            }
        };
        values.insert(name, text);
    }
    values
}

/// Refuses unknown settings: a misspelt one would silently keep its default.
fn unknown(environment: &Values, file: &Values, faults: &mut Faults) {
    let is_unknown = |name: &&String| !ROWS.iter().any(|row| row.0 == name.as_str());
    let names = || ROWS.iter().map(|row| row.0);
    for name in environment.keys().filter(is_unknown) {
        let meant = closest(name, names().chain([CONFIG])).map(variable);
        faults.of(name, format!("is not a setting{}", suggestion(meant.as_deref())));
    }
    for name in file.keys().filter(is_unknown) {
        let meant = closest(name, names().chain([ISSUERS, PERMISSIONS]));
        let name = shown_name(name);
        faults.push("", format!("{name} in the settings file is not a setting{}", suggestion(meant)));
    }
}

/// The name that is most like this one, if any is. In the file, somebody may have written the name of the variable.
fn closest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let name = name.strip_prefix("tenantry_").unwrap_or(&name);
    let alike = names.map(|known| (strsim::jaro_winkler(name, known), known)).filter(|(alike, _)| *alike > 0.85);
    alike.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}

fn suggestion(meant: Option<&str>) -> String {
    match meant {
        Some(meant) => format!(". Did you mean {meant}?"),
        None => "; `tenantry config` lists all settings".to_owned(),
    }
}

/// The variable of a setting.
fn variable(name: &str) -> String {
    format!("TENANTRY_{}", name.to_uppercase())
}

/// A name that somebody gave in the file, as far as it looks like a name: a misplaced quote makes a name of a password.
fn shown_name(name: &str) -> String {
    let is_name =
        name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'-');
    if is_name || ROWS.iter().any(|row| row.0 == name) {
        format!("\"{name}\"")
    } else {
        "a name that is not shown, because it may be a secret,".to_owned()
    }
}

/// Whether its value may be, or may contain, something that nobody may read.
fn may_hold_secret(name: &str) -> bool {
    PASSWORDS.contains(&name) || [PLATFORM_KEYS, SERVICE_KEYS].contains(&name) || name.ends_with("database_url")
}

#[cfg(test)]
mod tests;
