//! The value of each setting: where it comes from, how it is read, and how it is shown.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tenantry_auth::{HouseKey, KeyHash};
use tenantry_domain::{Refusal, RequestRate, Requests};
use tenantry_operations::providers::{HighLevelApp, ProviderUrls, provider_url};
use tenantry_persistence::ConnectionString;
use url::Url;

use super::{Faults, PASSWORDS, PLATFORM_KEYS, ROWS, Row, SERVICE_KEYS, Shown, Values, variable};
use crate::trusted_file::{self, Holds, trimmed};

/// The environment overrides the file, and the file overrides the defaults.
pub(super) struct Reader {
    pub(super) environment: Values,
    pub(super) file: Values,
}

impl Reader {
    pub(super) fn value<'a>(&'a self, name: &str) -> (Option<&'a str>, &'static str) {
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
    pub(super) fn is_given(&self, name: &str) -> bool {
        !matches!(self.value(name), (None, _) | (_, "default"))
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.value(name).0.map(str::to_owned)
    }

    /// Checks a connection string before the driver does, whose error message would repeat a part of it: the password.
    pub(super) fn url(&self, name: &str, faults: &mut Faults) -> Option<String> {
        let url = self.secret(name, faults)?;
        if let Some(read) = ConnectionString::parse(&url) {
            if let Some(objection) = read.objection() {
                faults.of(name, objection);
            }
            return Some(url);
        }
        faults.of(
            name,
            "must be a URL such as postgres://tenantry_service:PASSWORD@db.example.com:5432/tenantry; in the password write \
             %25 for %, %40 for @, %2F for /, %20 for a space (the value is not shown, because it contains the password)",
        );
        None
    }

    /// A value that may be in a file of its own, which another setting names. No error message repeats it.
    pub(super) fn secret(&self, name: &str, faults: &mut Faults) -> Option<String> {
        let in_file = format!("{name}_file");
        for values in [&self.environment, &self.file] {
            let given = |name: &str| values.get(name).filter(|value| !value.is_empty());
            match (given(name), given(&in_file)) {
                (Some(_), Some(_)) => {
                    faults.of(&in_file, format!("and {} are both set: remove one", variable(name)));
                    return None;
                }
                (Some(value), None) => return Some(value.clone()),
                (None, Some(path)) => return secret_in(path, &in_file, faults),
                (None, None) => {}
            }
        }
        None
    }

    /// Several paths, separated by commas.
    pub(super) fn paths(&self, name: &str) -> Vec<PathBuf> {
        self.value(name).0.into_iter().flat_map(listed).map(PathBuf::from).collect()
    }

    pub(super) fn provider_urls(&self, faults: &mut Faults) -> Option<ProviderUrls> {
        let mut url = |name: &str| -> Option<Url> {
            let read = provider_url(self.value(name).0?);
            read.map_err(|rule| faults.of(name, rule)).ok()
        };
        let (twilio, elevenlabs) = (url("twilio_url"), url("elevenlabs_url"));
        let (openai, gohighlevel) = (url("openai_url"), url("gohighlevel_url"));
        Some(ProviderUrls { twilio, elevenlabs, openai: openai?, gohighlevel: gohighlevel? })
    }

    /// The app of HighLevel that access tokens are renewed for: all of it, or none.
    pub(super) fn highlevel_app(&self, faults: &mut Faults) -> Option<HighLevelApp> {
        let secret = self.secret("gohighlevel_client_secret", faults);
        match (self.text("gohighlevel_client_id"), secret) {
            (Some(client_id), Some(secret)) => match secret.parse() {
                Ok(client_secret) => return Some(HighLevelApp { client_id, client_secret }),
                Err(Refusal { message, .. }) => faults.of("gohighlevel_client_secret", message),
            },
            (Some(_), None) => faults.of(
                "gohighlevel_client_id",
                "needs TENANTRY_GOHIGHLEVEL_CLIENT_SECRET or TENANTRY_GOHIGHLEVEL_CLIENT_SECRET_FILE",
            ),
            (None, Some(_)) => faults.of("gohighlevel_client_secret", "needs TENANTRY_GOHIGHLEVEL_CLIENT_ID"),
            (None, None) => {}
        }
        None
    }

    pub(super) fn parse<T>(
        &self,
        name: &str,
        faults: &mut Faults,
        parse: impl Fn(&str) -> Result<T, &'static str>,
    ) -> Option<T> {
        let raw = self.value(name).0?;
        parse(raw).map_err(|rule| faults.of(name, format!("{rule}, not \"{:.60}\"", mask_address(raw)))).ok()
    }

    /// A duration within these bounds.
    pub(super) fn duration(
        &self,
        name: &str,
        bounds: std::ops::RangeInclusive<Duration>,
        faults: &mut Faults,
    ) -> Option<Duration> {
        let duration = self.parse(name, faults, |raw| {
            humantime::parse_duration(raw).map_err(|_| "must be a duration such as 2s or 500ms")
        })?;
        if bounds.contains(&duration) {
            return Some(duration);
        }
        let shown = humantime::format_duration;
        let (least, most) = (shown(*bounds.start()), shown(*bounds.end()));
        faults.of(name, format!("must be from {least} to {most}, not {}", shown(duration)));
        None
    }

    /// A number of requests in a second and one at once; `None` where the first is 0.
    pub(super) fn rate(&self, per_second: &str, burst: &str, faults: &mut Faults) -> Option<RequestRate> {
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
    pub(super) fn hashes<K: HouseKey>(&self, name: &str, faults: &mut Faults) -> Vec<KeyHash<K>> {
        let mut hashes = Vec::new();
        for (at, raw) in self.value(name).0.into_iter().flat_map(listed).enumerate() {
            match raw.parse() {
                Ok(hash) => hashes.push(hash),
                Err(refusal) => faults.of(name, format!("has a wrong value: hash {} {refusal}", at + 1)),
            }
        }
        hashes
    }

    pub(super) fn show(&self, row: &Row) -> Shown {
        let (value, source) = self.value(row.0);
        let masked = value.map(|value| match row.0 {
            name if PASSWORDS.contains(&name) => "***".to_owned(),
            PLATFORM_KEYS | SERVICE_KEYS => {
                listed(value).map(|hash| format!("{hash:.8}…")).collect::<Vec<_>>().join(", ")
            }
            name if name.ends_with("database_url") => mask(value),
            _ => mask_address(value),
        });
        Shown { name: row.0.to_owned(), variable: variable(row.0), value: masked, source, help: row.2 }
    }
}

/// The values of a list that is separated by commas.
pub(super) fn listed(raw: &str) -> impl Iterator<Item = &str> {
    raw.split(',').map(str::trim).filter(|value| !value.is_empty())
}

/// The secret in a file, without the newline that an editor leaves behind.
fn secret_in(path: &str, setting: &str, faults: &mut Faults) -> Option<String> {
    let text = trusted_file::read_text(Path::new(path), Holds::Secret, &mut faults.warnings);
    let text = text.map_err(|fault| faults.of(setting, format!("names {path}, which {fault}"))).ok()?;
    let secret = str::from_utf8(trimmed(text.as_bytes())).unwrap_or_default();
    if secret.is_empty() {
        faults.of(setting, format!("names {path}, which is empty"));
    }
    Some(secret.to_owned())
}

/// A connection string without its passwords. One that cannot be read is not shown at all.
pub(super) fn mask(text: &str) -> String {
    ConnectionString::parse(text).map_or_else(|| "***".to_owned(), |string| string.shown().to_owned())
}

/// Any value, without the password of an address in it. An address here needs none, and somebody may still have written one.
pub(super) fn mask_address(value: &str) -> String {
    let address = value.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?)));
    match address {
        Some((scheme, (user, host))) => {
            let name = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{name}:***@{host}")
        }
        None => value.to_owned(),
    }
}
