//! The name of an issuer: one, or one for each directory of a provider that has many.
//!
//! A name with `{tenantid}` in it stands for as many issuers as there are directories (Microsoft Entra ID). Such an `iss` is held
//! against the `tid` of the same token, which says which directory it is.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::shown::for_log;

/// What stands for the id of a directory in the name of an issuer.
pub(crate) const PLACEHOLDER: &str = "{tenantid}";

/// The claim that says which directory a token is from.
const DIRECTORY: &str = "tid";

/// How much of an unknown `iss` stands in the log.
const SHOWN_ISSUER: usize = 200;

/// The name of an issuer, as the settings have it.
#[derive(Debug)]
pub(crate) struct IssuerName {
    text: String,
    /// Which directories are meant; all, unless some are named.
    directories: Option<Vec<Uuid>>,
}

/// `iss` of a token that is of no trusted issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownIssuer {
    /// `iss`, escaped and cut.
    pub shown: String,
    /// The trusted issuer that it is almost, and what they differ in; a sentence.
    pub near_miss: Option<String>,
}

impl IssuerName {
    pub(crate) fn new(text: &str, directories: Option<Vec<Uuid>>) -> Self {
        Self { text: text.to_owned(), directories }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it stands for several issuers.
    pub(crate) fn is_template(&self) -> bool {
        self.text.contains(PLACEHOLDER)
    }

    /// The name of the issuer in the directory that this token is from; none if the token is not from one.
    fn in_directory(&self, payload: &Map<String, Value>) -> Option<String> {
        directory(payload).map(|directory| self.text.replace(PLACEHOLDER, directory))
    }

    /// Whether `iss` of this token is this name.
    pub(crate) fn is(&self, iss: &str, payload: &Map<String, Value>) -> bool {
        match self.is_template() {
            true => self.in_directory(payload).is_some_and(|name| name == iss),
            false => self.text == iss,
        }
    }

    /// The directory of a token with this name; none for a name that stands for one issuer.
    pub(crate) fn directory<'a>(&self, payload: &'a Map<String, Value>) -> Result<Option<&'a str>, &'static str> {
        let Some(directory) = directory(payload).filter(|_| self.is_template()) else { return Ok(None) };
        let named = |all: &Vec<Uuid>| directory.parse().is_ok_and(|id: Uuid| all.contains(&id));
        if !self.directories.as_ref().is_none_or(named) {
            return Err("tid is not one of the directories in the issuer's settings");
        }
        Ok(Some(directory))
    }

    /// What makes `iss` of this token almost this name.
    fn near_miss(&self, iss: &str, payload: &Map<String, Value>) -> Option<String> {
        let known = self.in_directory(payload).unwrap_or_else(|| self.text.clone());
        let differences = differences(iss, &known)?;
        Some(format!("it differs from the trusted issuer \"{}\" in {differences}", self.text))
    }
}

/// The id of the directory that a token is from.
fn directory(payload: &Map<String, Value>) -> Option<&str> {
    payload.get(DIRECTORY)?.as_str().filter(|id| id.len() == 36 && Uuid::parse_str(id).is_ok())
}

impl UnknownIssuer {
    pub(crate) fn new<'a>(
        iss: &str,
        payload: &Map<String, Value>,
        known: impl Iterator<Item = &'a IssuerName>,
    ) -> Self {
        let near_miss = known.filter_map(|known| known.near_miss(iss, payload)).next();
        Self { shown: for_log(iss, SHOWN_ISSUER), near_miss }
    }
}

/// In what two names of issuers differ that are otherwise the same; `None` for two that have nothing to do with each other.
pub(crate) fn differences(one: &str, other: &str) -> Option<String> {
    let (one, other) = (Parts::of(one), Parts::of(other));
    if one.rest.is_empty() || !one.rest.eq_ignore_ascii_case(other.rest) {
        return None;
    }
    let same_scheme = one.scheme.eq_ignore_ascii_case(other.scheme);
    let found: Vec<_> = [
        (one.has_space != other.has_space, "white space around it"),
        (!same_scheme, "the scheme (http, https or none)"),
        (one.slashes != other.slashes, "the slash at the end"),
        (one.rest != other.rest || (same_scheme && one.scheme != other.scheme), "upper and lower case"),
    ]
    .into_iter()
    .filter_map(|(differs, word)| differs.then_some(word))
    .collect();
    (!found.is_empty()).then(|| found.join(" and "))
}

/// The name of an issuer, taken apart where people get it wrong.
struct Parts<'a> {
    has_space: bool,
    scheme: &'a str,
    rest: &'a str,
    slashes: usize,
}

impl<'a> Parts<'a> {
    fn of(name: &'a str) -> Self {
        let trimmed = name.trim();
        let (scheme, rest) = trimmed.split_once("://").unwrap_or(("", trimmed));
        let bare = rest.trim_end_matches('/');
        Self { has_space: trimmed.len() < name.len(), scheme, rest: bare, slashes: rest.len() - bare.len() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DIRECTORY_ID: &str = "11111111-2222-4333-8444-555555555555";

    fn is(name: &str, iss: &str, tid: Value) -> bool {
        IssuerName::new(name, None).is(iss, json!({ "tid": tid }).as_object().unwrap())
    }

    #[test]
    fn a_template_is_the_issuer_of_the_directory_that_the_token_says() {
        let template = "https://login.test/{tenantid}/v2.0";
        let iss = format!("https://login.test/{DIRECTORY_ID}/v2.0");
        assert!(is(template, &iss, json!(DIRECTORY_ID)));
        let other = DIRECTORY_ID.replace('1', "6");
        for tid in [json!(other), json!(null), json!([DIRECTORY_ID]), json!(1), json!(""), json!("{tenantid}")] {
            assert!(!is(template, &iss, tid.clone()), "{tid}");
        }
        assert!(
            !is(template, template, json!("{tenantid}"))
                && !is(template, &iss.replace("v2", "v1"), json!(DIRECTORY_ID))
        );
        // What is no id cannot lead out of its place in the name.
        let as_long = "../evil.test/v2.0/11111111-2222-4333";
        assert_eq!(as_long.len(), DIRECTORY_ID.len());
        for id in
            ["", "x", "../evil", as_long, "11111111222243338444555555555555", "{11111111-2222-4333-8444-555555555555}"]
        {
            assert!(!is(template, &template.replace("{tenantid}", id), json!(id)), "{id}");
        }
        assert!(is("https://login.test/", "https://login.test/", json!(null)));
    }

    #[test]
    fn only_the_named_directories_are_meant() {
        let name = IssuerName::new("https://login.test/{tenantid}/", Some(vec![DIRECTORY_ID.parse().unwrap()]));
        let directory =
            |id: &str| name.directory(json!({ "tid": id }).as_object().unwrap()).map(|id| id.map(str::to_owned));
        assert_eq!(directory(DIRECTORY_ID), Ok(Some(DIRECTORY_ID.to_owned())));
        assert!(directory(&DIRECTORY_ID.replace('1', "6")).is_err());
        let all = IssuerName::new("https://login.test/{tenantid}/", None);
        assert_eq!(all.directory(json!({ "tid": DIRECTORY_ID }).as_object().unwrap()), Ok(Some(DIRECTORY_ID)));
        let one = IssuerName::new("https://login.test/", None);
        assert_eq!(one.directory(json!({ "tid": DIRECTORY_ID }).as_object().unwrap()), Ok(None));
    }

    #[test]
    fn names_that_are_almost_the_same_differ_in_something_that_can_be_said() {
        let known = "https://id.test/Realm/";
        for (almost, word) in [
            ("https://id.test/Realm", "the slash at the end"),
            ("https://id.test/Realm//", "the slash at the end"),
            ("http://id.test/Realm/", "the scheme (http, https or none)"),
            ("id.test/Realm/", "the scheme (http, https or none)"),
            ("https://ID.test/realm/", "upper and lower case"),
            ("HTTPS://id.test/Realm/", "upper and lower case"),
            (" https://id.test/Realm/", "white space around it"),
            ("https://id.test/Realm/\n", "white space around it"),
            (
                "http://id.test/realm",
                "the scheme (http, https or none) and the slash at the end and upper and lower case",
            ),
        ] {
            assert_eq!(differences(almost, known).as_deref(), Some(word), "{almost}");
            assert_eq!(differences(known, almost).as_deref(), Some(word), "{almost}");
        }
        for other in ["", "https://", "https://id.test/", "https://id.test/Realm2/", "https://evil.test/Realm/", known]
        {
            assert_eq!(differences(other, known), None, "{other}");
        }
    }
}
