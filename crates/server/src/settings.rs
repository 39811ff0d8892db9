//! Settings: read once from the environment and a TOML file, typed, all errors reported together.

mod faults;
mod issuers;
mod mail;
mod retention;

use std::{collections::BTreeMap, ffi::OsString, fs, net::SocketAddr, path::PathBuf, time::Duration};

use tenantry_auth::{PlatformKeyHash, jwt::Issuers};
use tenantry_domain::{MailLimits, RequestRate, Requests, Retention};
use tenantry_http::Rates;
use tenantry_operations::providers::{ProviderUrls, provider_url};
use tenantry_persistence::Prepare;
use toml::{Table, Value};
use url::Url;

pub(crate) use self::{
    faults::{Fault, Faults},
    mail::Mail,
};

/// Everything that can be set.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) bind: SocketAddr,
    pub(crate) admin_bind: Option<SocketAddr>,
    pub(crate) data_dir: PathBuf,
    pub(crate) database_url: Option<String>,
    pub(crate) owner_database_url: Option<String>,
    pub(crate) backup_database_url: Option<String>,
    pub(crate) pg_bin: Option<PathBuf>,
    pub(crate) pg_user: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) database_connections: u32,
    pub(crate) database_wait: Duration,
    pub(crate) statement_timeout: Duration,
    pub(crate) prepare_statements: Prepare,
    pub(crate) platform_keys: Vec<PlatformKeyHash>,
    pub(crate) rates: Rates,
    pub(crate) workers: usize,
    pub(crate) shutdown_delay: Duration,
    pub(crate) shutdown_grace: Duration,
    pub(crate) log_format: LogFormat,
    pub(crate) log_level: String,
    pub(crate) master_key_file: Option<PathBuf>,
    pub(crate) other_master_key_files: Vec<PathBuf>,
    /// `None` only together with a fault.
    pub(crate) provider_urls: Option<ProviderUrls>,
    pub(crate) issuers: Issuers,
    /// `None` in a process that sends no emails.
    pub(crate) mail: Option<Mail>,
    /// Of tenants that have none of their own.
    pub(crate) mail_limits: MailLimits,
    pub(crate) retention: Retention,
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
    pub(crate) name: &'static str,
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
    Row(
        "owner_database_url",
        "",
        "URL of the same database as its owner, for `tenantry migrate`, `tenantry restore`, `tenantry tenant erase` and `tenantry housekeeping`",
    ),
    Row("backup_database_url", "", "URL of the same database as a role that sees all rows, for `tenantry backup`"),
    Row("pg_bin", "", "directory of the PostgreSQL programs for the embedded database. Default: searched for"),
    Row("pg_user", "", "system user that runs the embedded PostgreSQL when the service is started as root"),
    Row(
        "user",
        "",
        "system user that the service becomes when it is started as root. Default: that of the embedded PostgreSQL",
    ),
    Row("database_connections", "8", "number of database connections, each with its own thread, 1 to 1000"),
    Row("database_wait", "2s", "how long a request waits for its turn and a connection before it fails with 503"),
    Row("statement_timeout", "5s", "how long one statement may run"),
    Row(
        "prepare_statements",
        "auto",
        "auto stops preparing statements when a pooler shares sessions; true for one that tracks them; false",
    ),
    Row(
        "platform_key_sha256",
        "",
        "hashes of the platform keys, separated by commas; `tenantry platform-key` creates a key",
    ),
    Row("credential_rate", "10000", "requests in a second that one credential of a tenant may send; 0 for no limit"),
    Row("credential_burst", "20000", "how many of them at once"),
    Row(
        "address_rate",
        "2000",
        "requests in a second from one address with credentials that are wrong or not known yet; 0 for no limit",
    ),
    Row("address_burst", "4000", "how many of them at once"),
    Row("workers", "", "threads that answer requests, 1 to 256. Default: one per processor"),
    Row("shutdown_delay", "5s", "at SIGTERM, how long /readyz returns 503 before the service stops listening"),
    Row("shutdown_grace", "30s", "at shutdown, how long running requests may take to finish"),
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
    Row("mail_from", "", "sender address of emails; required with smtp_host"),
    Row("mail_dir", "", "directory for emails when there is no mail server. Default: mail in data_dir"),
    Row("invitation_link", "", "address where invitations are accepted; must contain {token}; required with smtp_host"),
    Row("mail_signatures", "text", "signatures of brands in emails: text without links, html as written, or none"),
    Row("mail_workers", "2", "how many emails are sent at once, 0 to 16; with 0 this process sends none"),
    Row("mail_poll", "1s", "how often to check the outbox, 100ms to 1h"),
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
        "master_key_file",
        "",
        "file with the master key that encrypts new secrets. Default: only the embedded database has one",
    ),
    Row("other_master_key_files", "", "files with more master keys, used only to decrypt; separated by commas"),
    Row("twilio_url", "https://api.twilio.com", "base URL of Twilio"),
    Row("elevenlabs_url", "", "base URL of ElevenLabs, for all regions. Default: the host of each region"),
    Row("openai_url", "https://api.openai.com", "base URL of OpenAI"),
    Row("gohighlevel_url", "https://services.leadconnectorhq.com", "base URL of HighLevel"),
];

/// The variable that names the settings file.
const CONFIG: &str = "config";

/// The key of the settings file that is a list of tables.
const ISSUERS: &str = "issuers";

/// The setting of which only the first characters are shown.
const PLATFORM_KEYS: &str = "platform_key_sha256";

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
        let issuers = issuers::read(file.remove(ISSUERS), &mut faults);
        let file = flat(file, &mut faults);
        #[expect(clippy::disallowed_methods, reason = "the one crate that reads the environment")]
        if let Ok(url) = std::env::var("DATABASE_URL")
            && !url.is_empty()
        {
            environment.entry("database_url".to_owned()).or_insert(url);
        }
        unknown(&environment, &file, &mut faults);
        let mut settings = Self { issuers, ..Self::of(&Reader { environment, file }, &mut faults) };
        let faults = faults.into_vec();
        for shown in &mut settings.shown {
            // A value that could not be read cannot be masked either.
            if may_hold_secret(shown.name) && faults.iter().any(|fault| fault.setting == shown.variable) {
                shown.value = Some("***".to_owned());
            }
        }
        (settings, faults)
    }

    fn of(reader: &Reader, faults: &mut Faults) -> Self {
        let mut duration = |name| {
            reader.parse(name, faults, |raw| {
                humantime::parse_duration(raw).map_err(|_| "must be a duration such as 2s or 500ms")
            })
        };
        let (database_wait, statement_timeout) = (duration("database_wait"), duration("statement_timeout"));
        let (shutdown_delay, shutdown_grace) = (duration("shutdown_delay"), duration("shutdown_grace"));
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
            pg_bin: reader.text("pg_bin").map(PathBuf::from),
            pg_user: reader.text("pg_user"),
            user: reader.text("user"),
            database_connections: reader
                .parse("database_connections", faults, |raw| match raw.parse() {
                    Ok(n @ 1..=1_000) => Ok(n),
                    _ => Err("must be a whole number from 1 to 1000"),
                })
                .unwrap_or(1),
            database_wait: database_wait.unwrap_or_default(),
            statement_timeout: statement_timeout.unwrap_or_default(),
            prepare_statements: reader
                .parse("prepare_statements", faults, |raw| match raw {
                    "auto" => Ok(Prepare::Auto),
                    "true" => Ok(Prepare::Always),
                    "false" => Ok(Prepare::Never),
                    _ => Err("must be auto, true or false"),
                })
                .unwrap_or(Prepare::Auto),
            platform_keys: reader.hashes(PLATFORM_KEYS, faults),
            rates: Rates {
                credential: reader.rate("credential_rate", "credential_burst", faults),
                address: reader.rate("address_rate", "address_burst", faults),
            },
            workers: reader
                .parse("workers", faults, |raw| match raw.parse() {
                    Ok(n @ 1..=256) => Ok(n),
                    _ => Err("must be a whole number from 1 to 256"),
                })
                .unwrap_or(processors),
            shutdown_delay: shutdown_delay.unwrap_or_default(),
            shutdown_grace: shutdown_grace.unwrap_or_default(),
            log_format: reader
                .parse("log_format", faults, |raw| match raw {
                    "json" => Ok(LogFormat::Json),
                    "pretty" => Ok(LogFormat::Pretty),
                    _ => Err("must be pretty or json"),
                })
                .unwrap_or(LogFormat::Pretty),
            log_level: reader
                .parse("log_level", faults, |raw| {
                    tracing_subscriber::EnvFilter::try_new(raw)
                        .map(|_| raw.to_owned())
                        .map_err(|_| "must be a level such as info, or a filter such as info,tenantry_http=debug")
                })
                .unwrap_or_default(),
            master_key_file: reader.text("master_key_file").map(PathBuf::from),
            other_master_key_files: reader.paths("other_master_key_files"),
            provider_urls: reader.provider_urls(faults),
            issuers: Issuers::none(),
            mail: mail::read(reader, faults),
            mail_limits: mail::limits(reader, faults),
            retention: retention::read(reader, faults),
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
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read the settings file {path}: {error}"));
    let table = text.and_then(|text| {
        text.parse().map_err(|error: toml::de::Error| {
            // The line itself is not repeated, because it may hold a password.
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            format!("the settings file {path} is not valid TOML: line {line}: {}", error.message())
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
                faults.push("", format!("\"{name}\" in the settings file must be one value, not a list or a table"));
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
        let meant = closest(name, names().chain([ISSUERS]));
        faults.push("", format!("\"{name}\" in the settings file is not a setting{}", suggestion(meant)));
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

/// Whether its value may be, or may contain, something that nobody may read.
fn may_hold_secret(name: &str) -> bool {
    name == "smtp_password" || name == PLATFORM_KEYS || name.ends_with("database_url")
}

/// The environment overrides the file, and the file overrides the defaults.
struct Reader {
    environment: Values,
    file: Values,
}

impl Reader {
    fn value<'a>(&'a self, name: &str) -> (Option<&'a str>, &'static str) {
        let default = ROWS.iter().find(|row| row.0 == name).map(|row| row.1).filter(|default| !default.is_empty());
        // An empty value counts as not set, in the file as in the environment.
        let given = |values: &'a Values| values.get(name).map(String::as_str).filter(|value| !value.is_empty());
        match (given(&self.environment), given(&self.file)) {
            (Some(value), _) => (Some(value), "environment"),
            (None, Some(value)) => (Some(value), "file"),
            (None, None) => (default, "default"),
        }
    }

    /// Whether somebody has set it.
    fn is_given(&self, name: &str) -> bool {
        !matches!(self.value(name), (None, _) | (_, "default"))
    }

    fn text(&self, name: &str) -> Option<String> {
        self.value(name).0.map(str::to_owned)
    }

    /// Checks a connection string before the driver does, whose error message would repeat a part of it: the password.
    fn url(&self, name: &str, faults: &mut Faults) -> Option<String> {
        let url = self.text(name)?;
        if is_connection_string(&url) {
            return Some(url);
        }
        faults.of(
            name,
            "must be a URL such as postgres://tenantry_service:PASSWORD@db.example.com:5432/tenantry; in the password write \
             %25 for %, %40 for @, %2F for /, %3A for : (the value is not shown, because it contains the password)",
        );
        None
    }

    /// Several paths, separated by commas.
    fn paths(&self, name: &str) -> Vec<PathBuf> {
        self.value(name).0.into_iter().flat_map(listed).map(PathBuf::from).collect()
    }

    fn provider_urls(&self, faults: &mut Faults) -> Option<ProviderUrls> {
        let mut url = |name: &str| -> Option<Url> {
            let read = provider_url(self.value(name).0?);
            read.map_err(|rule| faults.of(name, rule)).ok()
        };
        let (twilio, elevenlabs) = (url("twilio_url"), url("elevenlabs_url"));
        let (openai, gohighlevel) = (url("openai_url"), url("gohighlevel_url"));
        Some(ProviderUrls { twilio: twilio?, elevenlabs, openai: openai?, gohighlevel: gohighlevel? })
    }

    fn parse<T>(&self, name: &str, faults: &mut Faults, parse: impl Fn(&str) -> Result<T, &'static str>) -> Option<T> {
        let raw = self.value(name).0?;
        parse(raw).map_err(|rule| faults.of(name, format!("{rule}, not \"{raw:.60}\""))).ok()
    }

    /// A number of requests in a second and one at once; `None` where the first is 0.
    fn rate(&self, per_second: &str, burst: &str, faults: &mut Faults) -> Option<RequestRate> {
        let mut number = |name| {
            self.parse(name, faults, |raw| match raw.parse::<i64>() {
                Ok(0) => Ok(None),
                Ok(number) => {
                    Requests::try_from(number).map(Some).map_err(|_| "must be a whole number from 0 to 1000000")
                }
                Err(_) => Err("must be a whole number from 0 to 1000000"),
            })
        };
        let (per_second, burst) = (number(per_second), number(burst));
        let per_second = per_second.flatten()?;
        // A burst of 0 would refuse everything.
        Some(RequestRate { per_second, burst: burst.flatten().unwrap_or(per_second) })
    }

    /// Hashes, separated by commas. A value that is not a hash is not shown, because it may be the key itself.
    fn hashes(&self, name: &str, faults: &mut Faults) -> Vec<PlatformKeyHash> {
        let mut hashes = Vec::new();
        for (at, raw) in self.value(name).0.into_iter().flat_map(listed).enumerate() {
            match raw.parse() {
                Ok(hash) => hashes.push(hash),
                Err(refusal) => faults.of(name, format!("has a wrong value: hash {} {refusal}", at + 1)),
            }
        }
        hashes
    }

    fn show(&self, row: &Row) -> Shown {
        let (value, source) = self.value(row.0);
        let masked = value.map(|value| match row.0 {
            "smtp_password" => "***".to_owned(),
            PLATFORM_KEYS => listed(value).map(|hash| format!("{hash:.8}…")).collect::<Vec<_>>().join(", "),
            name if name.ends_with("database_url") => mask(value),
            _ => value.to_owned(),
        });
        Shown { name: row.0, variable: variable(row.0), value: masked, source, help: row.2 }
    }
}

/// The values of a list that is separated by commas.
fn listed(raw: &str) -> impl Iterator<Item = &str> {
    raw.split(',').map(str::trim).filter(|value| !value.is_empty())
}

/// Whether libpq can read this: a URL with valid parts, or `key=value` words.
fn is_connection_string(raw: &str) -> bool {
    let Some((scheme, rest)) = raw.split_once("://") else {
        return !raw.is_empty() && (raw.contains('\'') || raw.split_whitespace().all(|word| word.contains('=')));
    };
    let mut escapes = rest.split('%').skip(1);
    let escaped = escapes.all(|after| after.len() >= 2 && after.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()));
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let mut hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts).split(',');
    let numbered = |host: &str| match host.rsplit_once(']').map_or(host, |(_, port)| port).rsplit_once(':') {
        Some((_, port)) => port.is_empty() || port.parse::<u16>().is_ok(),
        None => true,
    };
    matches!(scheme, "postgres" | "postgresql")
        && escaped
        && hosts.all(numbered)
        && authority.matches('@').count() <= 1
        && !rest.split_once('/').is_some_and(|(_, path)| path.split('?').next().unwrap_or_default().contains('@'))
}

/// A connection string without its password. If it is not a URL and contains a password, it is not shown at all.
fn mask(url: &str) -> String {
    let authority =
        url.split_once("://").and_then(|(scheme, rest)| rest.rsplit_once('@').map(|(user, host)| (scheme, user, host)));
    match authority {
        Some((scheme, user, host)) if !host.contains("password") => {
            let name = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{name}:***@{host}")
        }
        None if !url.contains("password") => url.to_owned(),
        _ => "***".to_owned(),
    }
}

#[cfg(test)]
mod tests;
