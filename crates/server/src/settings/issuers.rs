//! The issuers of access tokens: `[[issuers]]` in the settings file, because each has several parts.

use std::path::PathBuf;

use serde::Deserialize;
use tenantry_auth::jwt::{
    Algorithm, DEFAULT_TENANT_CLAIM, DEFAULT_TOKEN_TYPES, HmacSecret, IssuerOptions, Issuers, KeySource,
};
use tenantry_domain::{IssuerName, Refusal, TenantId, TrustedFor};
use toml::Value;

use super::{Faults, mask_address, shown_name};
use crate::trusted_file::{self, Holds, trimmed};

/// One entry, as the file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    issuer: String,
    audience: OneOrMany,
    algorithms: Vec<String>,
    jwks_url: Option<String>,
    hmac_secret_file: Option<PathBuf>,
    tenant_claim: Option<String>,
    token_types: Option<Vec<String>>,
    tenants: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// The issuers in the file. Errors are added to `faults`.
pub(super) fn read(issuers: Option<Value>, faults: &mut Faults) -> Issuers {
    let entries = match issuers {
        Some(Value::Array(entries)) => entries,
        Some(_) => {
            faults.push("", "\"issuers\" in the settings file must be a list: write [[issuers]] above each issuer");
            return Issuers::none();
        }
        None => return Issuers::none(),
    };
    let known = faults.len();
    let mut options = Vec::new();
    for (number, entry) in (1..).zip(entries) {
        match entry.try_into::<Entry>() {
            Ok(entry) => options.extend(entry.into_options(faults)),
            Err(error) => {
                faults.push("", format!("[[issuers]] number {number} in the settings file: {}", one_line(&error)))
            }
        }
    }
    match Issuers::new(options) {
        // An issuer may be missing only because it was refused before.
        Ok(_) if faults.len() > known => Issuers::none(),
        Ok(issuers) => issuers,
        Err(more) => {
            more.into_iter().for_each(|fault| faults.push("", fault));
            Issuers::none()
        }
    }
}

impl Entry {
    fn into_options(self, faults: &mut Faults) -> Option<IssuerOptions> {
        let known = faults.len();
        let named = format!("the issuer \"{:.100}\"", mask_address(&self.issuer));
        if let Err(refusal) = self.issuer.parse::<IssuerName>() {
            let refusal: Refusal = refusal;
            faults.push("", format!("{named}: the name {refusal}"));
        }
        let algorithms: Vec<Algorithm> = self
            .algorithms
            .iter()
            .filter_map(|name| {
                name.parse().map_err(|error| faults.push("", format!("{named}: an algorithm {error}"))).ok()
            })
            .collect();
        let tenants = self.tenants.map(|tenants| {
            let one = |id: &String| match id.parse::<TenantId>() {
                Ok(id) => Some(id),
                Err(_) => {
                    faults.push("", format!("{named}: \"{id:.60}\" in tenants is not the id of a tenant"));
                    None
                }
            };
            tenants.iter().filter_map(one).collect()
        });
        let keys = match (self.jwks_url, self.hmac_secret_file) {
            (Some(url), None) => Some(KeySource::JwksUrl(url)),
            (None, Some(path)) => match trusted_file::read(&path, Holds::Secret, &mut faults.warnings) {
                Ok(secret) => Some(KeySource::HmacSecret(HmacSecret::new(trimmed(&secret)))),
                Err(fault) => {
                    faults.push("", format!("{named}: its hmac_secret_file {} {fault}", path.display()));
                    None
                }
            },
            _ => {
                faults.push("", format!("{named} needs either jwks_url or hmac_secret_file, and not both"));
                None
            }
        };
        let (Some(keys), true) = (keys, faults.len() == known) else { return None };
        Some(IssuerOptions {
            issuer: self.issuer,
            audience: match self.audience {
                OneOrMany::One(audience) => vec![audience],
                OneOrMany::Many(audience) => audience,
            },
            algorithms,
            keys,
            tenant_claim: self.tenant_claim.unwrap_or_else(|| DEFAULT_TENANT_CLAIM.to_owned()),
            trusted_for: tenants.map_or_else(TrustedFor::default, TrustedFor::only),
            token_types: self.token_types.unwrap_or_else(|| DEFAULT_TOKEN_TYPES.map(str::to_owned).to_vec()),
        })
    }
}

/// An error of the TOML library, which puts the key on a second line, without any value of the file: it may be a secret.
fn one_line(error: &toml::de::Error) -> String {
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

    fn issuers(toml: &str) -> (Issuers, Vec<String>) {
        let mut file: Table = toml.parse().unwrap();
        let mut faults = Faults::default();
        let issuers = read(file.remove("issuers"), &mut faults);
        (issuers, faults.texts())
    }

    #[test]
    fn an_issuer_is_read_with_its_defaults() {
        let (issuers, faults) = issuers(
            "[[issuers]]\nissuer = \"https://login.example.com/\"\naudience = \"https://api.example.com\"\n\
             algorithms = [\"RS256\", \"EdDSA\"]\njwks_url = \"https://login.example.com/jwks\"",
        );
        assert_eq!((issuers.is_empty(), faults), (false, Vec::new()));
        let none = super::read(None, &mut Faults::default());
        assert!(none.is_empty());
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
            "[[issuers]]\n{good}\nalgorithms = []\njwks_uri = \"\"\n[[issuers]]\n{good}\n[[issuers]]\n{good}\nalgorithms = [5]"
        ));
        let [misspelt, incomplete, wrong] = &faults[..] else { panic!("{faults:?}") };
        assert!(misspelt.contains("number 1") && misspelt.contains("\"jwks_uri\""), "{misspelt}");
        assert!(incomplete.contains("number 2") && incomplete.contains("`algorithms`"), "{incomplete}");
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
        for (name, _) in
            good.iter().chain(&[("s3cret", ""), ("tenant_claim", ""), ("token_types", ""), ("hmac_secret_file", "")])
        {
            for value in bad {
                let lines =
                    good.iter().filter(|(other, _)| other != name).map(|(name, value)| format!("{name} = {value}\n"));
                let (_, faults) = issuers(&format!("[[issuers]]\n{}{name} = {value}\n", lines.collect::<String>()));
                let said = faults.join("\n");
                // An issuer's name, its audience and its claim are no secrets: tokens show them.
                let shown =
                    matches!(*name, "issuer" | "audience" | "tenant_claim" | "token_types" | "hmac_secret_file");
                let repeated = said.contains("53127") || (said.contains("s3cret") && !(shown && value == "\"s3cret\""));
                assert!(!repeated, "{name} = {value}: {said}");
            }
        }
    }
}
