//! The issuers of access tokens: `[[issuers]]` in the settings file, because each has several parts.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::Deserialize;
use tenantry_auth::jwt::{
    Algorithm, ClaimOptions, DEFAULT_TENANT_CLAIM, DEFAULT_TOKEN_TYPES, EmailVerified, HmacSecret, IssuerOptions,
    Issuers, KeySource, Transport,
};
use tenantry_domain::{IssuerName, Refusal, TenantId, TrustedFor};
use toml::{Table, Value};
use uuid::Uuid;

use super::{Faults, Row, Shown, closest, mask_address, shown_name, suggestion};
use crate::trusted_file::{self, Holds, trimmed};

/// One row for each key of an entry: its name, its default, and its meaning.
const ROWS: &[Row] = &[
    Row("issuer", "", "iss of its tokens, exactly; {tenantid} in it stands for tid of the token"),
    Row("audience", "", "what its tokens may name in audience_claim"),
    Row("audience_claim", "aud", "the claim that is held against audience: aud, client_id, azp, cid or appid"),
    Row("algorithms", "", "algorithms of its signatures. Default: RS256, ES256, ES384, EdDSA; HS256 with a secret"),
    Row("jwks_url", "", "where its keys are. Default: where its discovery document says"),
    Row("hmac_secret_file", "", "file with a secret that is shared with it, instead of published keys"),
    Row("ca_file", "", "certificates (PEM) to trust in addition to the system's"),
    Row("allow_http", "false", "whether its keys may be fetched over http in a private network"),
    Row("subject_claim", "sub", "the claim that identifies a person"),
    Row("tenant_claim", DEFAULT_TENANT_CLAIM, "the claim with the tenant's id"),
    Row("email_claim", "email", "the claim with the email address"),
    Row("email_verified", "email_verified", "the claim that says whether the address is verified, or \"always\""),
    Row(
        "lists_of_one",
        "false",
        "whether a list with one text in it is as good as the text, in tenant_claim and email_claim",
    ),
    Row("directories", "", "which directories {tenantid} stands for. Default: all"),
    Row("tenants", "", "ids of the tenants that its tokens may be for. Default: all"),
    Row("token_types", "at+jwt, JWT", "accepted values of typ"),
];

/// One entry, as the file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    issuer: String,
    audience: OneOrMany,
    audience_claim: Option<String>,
    algorithms: Option<Vec<String>>,
    jwks_url: Option<String>,
    hmac_secret_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    #[serde(default)]
    allow_http: bool,
    subject_claim: Option<String>,
    tenant_claim: Option<String>,
    email_claim: Option<String>,
    email_verified: Option<String>,
    #[serde(default)]
    lists_of_one: bool,
    directories: Option<Vec<String>>,
    tenants: Option<Vec<String>>,
    token_types: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// The issuers in the file, and their settings as `tenantry config` shows them. Errors are added to `faults`.
pub(super) fn read(issuers: Option<Value>, faults: &mut Faults) -> (Issuers, Vec<Shown>) {
    let entries = match issuers {
        Some(Value::Array(entries)) => entries,
        Some(_) => {
            faults.push("", "\"issuers\" in the settings file must be a list: write [[issuers]] above each issuer");
            return (Issuers::none(), Vec::new());
        }
        None => return (Issuers::none(), Vec::new()),
    };
    let known = faults.len();
    let (mut options, mut shown) = (Vec::new(), Vec::new());
    for (number, entry) in (1..).zip(entries) {
        let Value::Table(entry) = entry else {
            faults.push("", format!("[[issuers]] number {number} in the settings file is not a table"));
            continue;
        };
        let before = faults.len();
        unknown(number, &entry, faults);
        let table = entry.clone();
        // What is not a key of an entry was named already.
        let entry: Table = entry.into_iter().filter(|(name, _)| ROWS.iter().any(|row| row.0 == name)).collect();
        match entry.try_into::<Entry>() {
            Ok(entry) => options.extend(entry.into_options(faults)),
            Err(error) => {
                faults.push("", format!("[[issuers]] number {number} in the settings file: {}", one_line(&error)))
            }
        }
        shown.extend(ROWS.iter().map(|row| show(number, row, &table, faults.len() == before)));
    }
    let issuers = match Issuers::new(options) {
        // An issuer may be missing only because it was refused before.
        Ok(_) if faults.len() > known => Issuers::none(),
        Ok(issuers) => issuers,
        Err(more) => {
            more.into_iter().for_each(|fault| faults.push("", fault));
            Issuers::none()
        }
    };
    (issuers, shown)
}

/// Refuses keys that an entry does not have: a misspelt one would silently keep its default.
fn unknown(number: usize, entry: &Table, faults: &mut Faults) {
    for name in entry.keys().filter(|name| !ROWS.iter().any(|row| row.0 == name.as_str())) {
        let meant = closest(name, ROWS.iter().map(|row| row.0));
        let name = shown_name(name);
        faults.push(
            "",
            format!(
                "[[issuers]] number {number} in the settings file: {name} is not a setting of an issuer{}",
                suggestion(meant)
            ),
        );
    }
}

/// A setting of an entry. Of an entry that cannot be read, no value is shown: it may be a secret in the wrong place.
fn show(number: usize, Row(name, default, help): &Row, entry: &Table, is_read: bool) -> Shown {
    let text = |value: &Value| match value {
        Value::String(text) => mask_address(text),
        Value::Boolean(flag) => flag.to_string(),
        // There is no entry with such a value.
        _ => "***".to_owned(),
    };
    let (value, source) = match entry.get(*name) {
        Some(_) if !is_read => (Some("***".to_owned()), "file"),
        Some(Value::Array(list)) => (Some(list.iter().map(text).collect::<Vec<_>>().join(", ")), "file"),
        Some(value) => (Some(text(value)), "file"),
        None => (Some((*default).to_owned()).filter(|default| !default.is_empty()), "default"),
    };
    let name = format!("issuers[{number}].{name}");
    Shown { variable: name.clone(), name, value, source, help }
}

impl Entry {
    fn into_options(self, faults: &mut Faults) -> Option<IssuerOptions> {
        let known = faults.len();
        let named = format!("the issuer \"{:.100}\"", mask_address(&self.issuer));
        if let Err(refusal) = self.issuer.parse::<IssuerName>() {
            let refusal: Refusal = refusal;
            faults.push("", format!("{named}: the name {refusal}"));
        }
        if mask_address(&self.issuer) != self.issuer {
            faults.push("", format!("{named}: the name must not have a user or a password"));
        }
        let algorithms: Vec<Algorithm> = match &self.algorithms {
            Some(names) => names
                .iter()
                .filter_map(|name| {
                    name.parse().map_err(|error| faults.push("", format!("{named}: an algorithm {error}"))).ok()
                })
                .collect(),
            None if self.hmac_secret_file.is_some() => vec![Algorithm::Hs256],
            None => Algorithm::DEFAULT.to_vec(),
        };
        let tenants = self.tenants.map(|ids| {
            parsed::<TenantId>(&ids, faults, |id| {
                format!("{named}: \"{id:.60}\" in tenants is not the id of a tenant", id = mask_address(id))
            })
        });
        let directories = self.directories.map(|ids| {
            parsed::<Uuid>(&ids, faults, |id| {
                format!("{named}: \"{id:.60}\" in directories is not the id of a directory", id = mask_address(id))
            })
        });
        let keys = match (self.jwks_url, self.hmac_secret_file) {
            (Some(url), None) => Some(KeySource::JwksUrl(url)),
            (None, None) => Some(KeySource::Discovery),
            (None, Some(path)) => match trusted_file::read(&path, Holds::Secret, &mut faults.warnings) {
                Ok(secret) => Some(KeySource::HmacSecret(HmacSecret::new(trimmed(&secret)))),
                Err(fault) => {
                    faults.push("", format!("{named}: its hmac_secret_file {} {fault}", shown_path(&path)));
                    None
                }
            },
            (Some(_), Some(_)) => {
                faults.push("", format!("{named} needs either jwks_url or hmac_secret_file, and not both"));
                None
            }
        };
        let certificates = self.ca_file.and_then(|path| {
            trusted_file::read(&path, Holds::Trust, &mut faults.warnings)
                .map_err(|fault| faults.push("", format!("{named}: its ca_file {} {fault}", shown_path(&path))))
                .map(|certificates| certificates.to_vec())
                .ok()
        });
        let (Some(keys), true) = (keys, faults.len() == known) else { return None };
        let usual = ClaimOptions::default();
        Some(IssuerOptions {
            issuer: self.issuer,
            directories,
            audience: match self.audience {
                OneOrMany::One(audience) => vec![audience],
                OneOrMany::Many(audience) => audience,
            },
            algorithms,
            keys,
            transport: Transport { certificates, allow_http: self.allow_http },
            claims: ClaimOptions {
                audience: self.audience_claim.unwrap_or(usual.audience),
                subject: self.subject_claim.unwrap_or(usual.subject),
                tenant: self.tenant_claim.unwrap_or(usual.tenant),
                email: self.email_claim.unwrap_or(usual.email),
                email_verified: match self.email_verified.as_deref() {
                    None => usual.email_verified,
                    Some("always") => EmailVerified::Always,
                    Some(claim) => EmailVerified::Claim(claim.to_owned()),
                },
                lists_of_one: self.lists_of_one,
            },
            trusted_for: tenants.map_or_else(TrustedFor::default, TrustedFor::only),
            token_types: self.token_types.unwrap_or_else(|| DEFAULT_TOKEN_TYPES.map(str::to_owned).to_vec()),
        })
    }
}

/// The name of a file, without the password of an address that stands in its place.
fn shown_path(path: &Path) -> String {
    mask_address(&path.display().to_string())
}

/// The ids in a list. Of each text that is none, `fault` says so.
fn parsed<T: FromStr>(ids: &[String], faults: &mut Faults, fault: impl Fn(&str) -> String) -> Vec<T> {
    ids.iter().filter_map(|id| id.parse().map_err(|_| faults.push("", fault(id))).ok()).collect()
}

/// An error of the TOML library, which puts the key on a second line, without any value of the file: it may be a secret.
pub(super) fn one_line(error: &toml::de::Error) -> String {
    let said = error.to_string().trim_end().replace('\n', " ");
    let Some((kind, rest)) = ["invalid type: ", "invalid value: ", "invalid length "]
        .into_iter()
        .find_map(|start| Some(said.split_once(start)?.1))
        .and_then(|found| Some((found.split([' ', ',']).next()?, found.rsplit_once(", expected ")?.1)))
    else {
        return match said.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`')) {
            Some((name, rest)) => format!("unknown field {}{rest}", shown_name(name)),
            None => said,
        };
    };
    format!("a {kind} where something else is expected: {rest}")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use toml::Table;

    use super::*;

    fn read_with_shown(toml: &str) -> (Issuers, Vec<Shown>, Vec<String>) {
        let mut file: Table = toml.parse().unwrap();
        let mut faults = Faults::default();
        let (issuers, shown) = read(file.remove("issuers"), &mut faults);
        (issuers, shown, faults.texts())
    }

    fn issuers(toml: &str) -> (Issuers, Vec<String>) {
        let (issuers, _, faults) = read_with_shown(toml);
        (issuers, faults)
    }

    /// An entry with this behind what every entry needs.
    fn faults_with(more: &str) -> Vec<String> {
        issuers(&format!("[[issuers]]\nissuer = \"https://a.test/\"\naudience = \"x\"\n{more}")).1
    }

    #[test]
    fn an_entry_has_the_keys_of_the_table_and_no_other() {
        let ca = secret_file();
        for Row(name, ..) in ROWS {
            let value = match *name {
                "issuer" | "audience" => continue,
                "allow_http" | "lists_of_one" => "true".to_owned(),
                "algorithms" => "[\"ES384\"]".to_owned(),
                "token_types" => "[\"JWT\"]".to_owned(),
                "tenants" | "directories" => "[\"0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48\"]".to_owned(),
                "ca_file" | "hmac_secret_file" => format!("\"{}\"", ca.path().display()),
                "jwks_url" => "\"https://a.test/keys\"".to_owned(),
                "audience_claim" => "\"azp\"".to_owned(),
                _ => "\"a.claim\"".to_owned(),
            };
            let faults = faults_with(&format!("{name} = {value}"));
            // What is wrong with it is not that there is no such key.
            assert!(!faults.iter().any(|fault| fault.contains("is not a setting")), "{name}: {faults:?}");
        }
    }

    #[test]
    fn a_misspelt_key_is_met_with_the_one_that_was_meant() {
        for (wrong, meant) in [
            ("jwks_uri", "jwks_url"),
            ("tenantclaim", "tenant_claim"),
            ("subject_clam", "subject_claim"),
            ("allow_https", "allow_http"),
            ("tenant_ids", "tenants"),
        ] {
            let faults = faults_with(&format!("{wrong} = \"x\""));
            let expected = format!("\"{wrong}\" is not a setting of an issuer. Did you mean {meant}?");
            assert!(faults.len() == 1 && faults[0].ends_with(&expected), "{faults:?}");
        }
        let faults = faults_with("colour = \"s3cret\"");
        assert!(faults.len() == 1 && faults[0].contains("\"colour\"") && !faults[0].contains("s3cret"), "{faults:?}");
    }

    #[test]
    fn an_issuer_needs_no_more_than_its_name_and_an_audience() {
        assert_eq!(faults_with(""), [""; 0]);
        assert_eq!(faults_with("email_verified = \"always\"\nlists_of_one = true"), [""; 0]);
    }

    #[test]
    fn settings_that_cannot_mean_what_somebody_wants_are_refused_by_name() {
        for (wrong, words) in [
            ("audience_claim = \"sub\"", "the audience claim must be"),
            ("subject_claim = \"email\"", "the subject claim must identify"),
            ("tenant_claim = \"sub\"", "the tenant claim must not be"),
            ("tenant_claim = \"user_metadata.tenant\"", "user_metadata"),
            ("email_verified = \"/user_metadata/email_verified\"", "user_metadata"),
            ("email_verified = \"\"", "email_verified"),
            ("directories = [\"acme\"]", "\"acme\" in directories"),
            ("directories = [\"0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48\"]", "{tenantid}"),
            ("jwks_url = \"http://keycloak:8080/keys\"", "allow_http = true"),
            ("jwks_url = \"http://id.example.com/keys\"\nallow_http = true", "private network"),
            ("ca_file = \"/nowhere/ca.pem\"", "/nowhere/ca.pem cannot be read"),
        ] {
            let faults = faults_with(wrong);
            assert!(faults.len() == 1 && faults[0].contains(words), "{wrong}: {faults:?}");
        }
        assert_eq!(faults_with("jwks_url = \"http://keycloak:8080/keys\"\nallow_http = true"), [""; 0]);
        let named = |issuer: &str, more: &str| {
            issuers(&format!("[[issuers]]\nissuer = \"{issuer}\"\naudience = \"x\"\n{more}")).1
        };
        let template = "https://login.test/{tenantid}/v2.0";
        assert_eq!(named(template, ""), [""; 0]);
        let always = "email_verified = \"always\"";
        assert!(named(template, always)[0].contains("xms_edov"));
        let directories = format!("{always}\ndirectories = [\"0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48\"]");
        assert_eq!(named(template, &directories), [""; 0]);
        for (pseudo, count) in
            [("common", 1), ("organizations", 1), ("consumers", 1), ("11111111-2222-4333-8444-555555555555", 0)]
        {
            assert_eq!(named(&format!("https://login.microsoftonline.com/{pseudo}/v2.0"), "").len(), count, "{pseudo}");
        }
        for wrong in [
            "https://a.test/<tenantid>/",
            "https://a.test/{tenant}/",
            "https://a.test/{tenantId}/",
            "https://a.test/{tenantid}/{tenantid}",
            "https://a.test/{}",
        ] {
            assert!(
                named(wrong, "jwks_url = \"https://a.test/keys\"").iter().any(|fault| fault.contains("{tenantid}")),
                "{wrong}"
            );
        }
        assert!(named("acme", "").iter().any(|fault| fault.contains("without jwks_url")));
        assert_eq!(named("acme", "jwks_url = \"https://a.test/keys\""), [""; 0]);
    }

    #[test]
    fn the_settings_of_each_issuer_are_shown_with_their_origin_and_without_a_secret() {
        let (_, shown, faults) = read_with_shown(
            "[[issuers]]\nissuer = \"https://a.test/\"\naudience = [\"x\", \"y\"]\nallow_http = true\n\
             [[issuers]]\nissuer = \"https://user:s3cret@b.test/\"\naudience = \"s3cret\"\njwks_url = 5",
        );
        let of = |name: &str| {
            let one = shown.iter().find(|shown| shown.name == name).unwrap();
            (one.value.as_deref(), one.source)
        };
        assert_eq!((shown.len(), faults.len()), (2 * ROWS.len(), 1));
        assert_eq!(of("issuers[1].audience"), (Some("x, y"), "file"));
        assert_eq!(of("issuers[1].allow_http"), (Some("true"), "file"));
        assert_eq!(of("issuers[1].subject_claim"), (Some("sub"), "default"));
        assert_eq!(of("issuers[1].ca_file"), (None, "default"));
        assert_eq!(of("issuers[2].audience"), (Some("***"), "file"));
        assert!(!format!("{shown:?}").contains("s3cret"));
    }

    /// A file with a secret that looks like one.
    fn secret_file() -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, "0f1e2d3c4b5a69788796a5b4c3d2e1f0").unwrap();
        file
    }

    #[test]
    fn an_issuer_is_read_with_its_defaults() {
        let (issuers, faults) = issuers(
            "[[issuers]]\nissuer = \"https://login.example.com/\"\naudience = \"https://api.example.com\"\n\
             algorithms = [\"RS256\", \"EdDSA\"]\njwks_url = \"https://login.example.com/jwks\"",
        );
        assert_eq!((issuers.is_empty(), faults), (false, Vec::new()));
        let (none, shown) = super::read(None, &mut Faults::default());
        assert!(none.is_empty() && shown.is_empty());
    }

    #[test]
    fn an_issuer_is_trusted_for_all_tenants_or_for_those_that_are_named() {
        let with = |tenants: &str| {
            issuers(&format!(
                "[[issuers]]\nissuer = \"a\"\naudience = \"x\"\nalgorithms = [\"RS256\"]\njwks_url = \"https://a.test/\"\n{tenants}"
            ))
        };
        let (one, faults) = with("tenants = [\"0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48\"]");
        assert_eq!((one.is_empty(), faults), (false, Vec::new()));
        for (wrong, words) in [("tenants = []", "leave tenants out"), ("tenants = [\"acme\"]", "\"acme\" in tenants")] {
            let (_, faults) = with(wrong);
            assert!(faults.len() == 1 && faults[0].contains(words), "{faults:?}");
        }
    }

    #[test]
    fn every_fault_of_every_issuer_is_named_and_no_secret_is_shown() {
        let dir = tempfile::tempdir().unwrap();
        let secret = dir.path().join("secret");
        fs::write(&secret, "tooshort\n").unwrap();
        let (issuers, faults) = issuers(&format!(
            "[[issuers]]\nissuer = \"a\"\naudience = \"x\"\nalgorithms = [\"none\"]\njwks_url = \"https://a.test/\"\n\
             [[issuers]]\nissuer = \"b\"\naudience = [\"x\"]\nalgorithms = [\"RS256\"]\n\
             [[issuers]]\nissuer = \"c\"\naudience = [\"x\"]\nalgorithms = [\"HS256\"]\nhmac_secret_file = \"{}\"\n\
             [[issuers]]\nissuer = \"d\"\naudience = [\"x\"]\nalgorithms = [\"RS256\"]\njwks_url = \"http://d.example.com/\"",
            secret.display()
        ));
        assert!(issuers.is_empty());
        for name in ["\"a\"", "\"b\"", "c", "d"] {
            assert!(faults.iter().any(|fault| fault.contains(name)), "{name}: {faults:#?}");
        }
        assert!(!faults.iter().any(|fault| fault.contains("tooshort")), "{faults:#?}");
    }

    #[test]
    fn every_entry_that_is_misspelt_or_incomplete_is_a_fault_of_its_own() {
        let good = "issuer = \"a\"\naudience = \"x\"\njwks_url = \"https://a.test/\"";
        let (_, faults) = issuers(&format!(
            "[[issuers]]\n{good}\njwks_uri = \"\"\n[[issuers]]\nissuer = \"a\"\n[[issuers]]\n{good}\nalgorithms = [5]"
        ));
        let [misspelt, incomplete, wrong] = &faults[..] else { panic!("{faults:?}") };
        assert!(misspelt.contains("number 1") && misspelt.contains("\"jwks_uri\""), "{misspelt}");
        assert!(incomplete.contains("number 2") && incomplete.contains("`audience`"), "{incomplete}");
        assert!(wrong.contains("number 3") && wrong.contains("`algorithms`"), "{wrong}");
        let (_, faults) = issuers("issuers = \"https://login.example.com/\"");
        assert!(faults.len() == 1 && faults[0].contains("[[issuers]]"), "{faults:?}");
    }

    #[test]
    fn no_value_of_an_entry_is_repeated_whatever_is_wrong_with_it() {
        let good = [
            ("issuer", "\"https://login.example.com/\""),
            ("audience", "\"x\""),
            ("algorithms", "[\"RS256\"]"),
            ("jwks_url", "\"https://login.example.com/jwks\""),
        ];
        let bad = [
            "\"s3cret\"",
            "[\"s3cret\"]",
            "{ s3cret = \"s3cret\" }",
            "[{ a = \"s3cret\" }]",
            "\"https://user:s3cret@login.example.com/\"",
            "53127",
        ];
        for name in ROWS.iter().map(|row| row.0).chain(["s3cret"]) {
            for value in bad {
                let lines =
                    good.iter().filter(|(other, _)| *other != name).map(|(name, value)| format!("{name} = {value}\n"));
                let (_, all, faults) =
                    read_with_shown(&format!("[[issuers]]\n{}{name} = {value}\n", lines.collect::<String>()));
                assert!(
                    !value.contains("user:s3cret") || !format!("{all:?}").contains("s3cret"),
                    "{name} = {value}: {all:?}"
                );
                let said = faults.join("\n");
                // An issuer's name, its audience and its claims are no secrets: tokens show them. Nor is the name of a file, or an id.
                let shown = matches!(
                    name,
                    "issuer" | "audience" | "token_types" | "hmac_secret_file" | "ca_file" | "tenants" | "directories"
                ) || name.ends_with("_claim")
                    || name == "email_verified";
                let may_be = shown && ["\"s3cret\"", "[\"s3cret\"]"].contains(&value);
                let repeated = said.contains("53127") || (said.contains("s3cret") && !may_be);
                assert!(!repeated, "{name} = {value}: {said}");
            }
        }
    }
}
