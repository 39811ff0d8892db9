//! What callers call a thing of ours, and note about it: an external ID and metadata. Every noun that has them has both, and all
//! rules of them are here.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde_json::{Map, Value};

use crate::{
    Conflict, Error, Noun, Refusal,
    audit::Fields,
    input::{Description, input},
    text::{bounded, forbidden, is_visible, may_be_ignored},
};

/// What another system calls a thing. Unique among the tenant's things of the same noun; of tenants, unique among all tenants.
///
/// It is compared byte for byte and never changed: neither its case nor its spelling in Unicode, and no white space is taken off.
/// So whatever people would not see is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalId(String);

/// The name of an entry of [`Metadata`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetadataName(String);

/// The value of an entry of [`Metadata`], kept as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataValue(String);

/// Text of visible characters, with spaces only between them, for tools. Not all characters that show nothing are excluded,
/// because a pattern cannot tell them all.
const VISIBLE: &str = r"^[^\u0000-\u0020\u007F-\u00A0\u00AD\u034F\u061C\u115F\u1160\u1680\u17B4\u17B5\u180B-\u180F\u2000-\u200F\u2028-\u202F\u205F-\u206F\u2800\u3000\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB]([^\u0000-\u001F\u007F-\u00A0\u00AD\u034F\u061C\u115F\u1160\u1680\u17B4\u17B5\u180B-\u180F\u2000-\u200F\u2028-\u202F\u205F-\u206F\u2800\u3000\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB]*[^\u0000-\u0020\u007F-\u00A0\u00AD\u034F\u061C\u115F\u1160\u1680\u17B4\u17B5\u180B-\u180F\u2000-\u200F\u2028-\u202F\u205F-\u206F\u2800\u3000\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB])?$";

/// [`VISIBLE`] without square brackets.
const NAME: &str = r"^[^\u0000-\u0020\[\]\u007F-\u00A0\u00AD\u034F\u061C\u115F\u1160\u1680\u17B4\u17B5\u180B-\u180F\u2000-\u200F\u2028-\u202F\u205F-\u206F\u2800\u3000\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB]([^\u0000-\u001F\[\]\u007F-\u00A0\u00AD\u034F\u061C\u115F\u1160\u1680\u17B4\u17B5\u180B-\u180F\u2000-\u200F\u2028-\u202F\u205F-\u206F\u2800\u3000\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB]*[^\u0000-\u0020\[\]\u007F-\u00A0\u00AD\u034F\u061C\u115F\u1160\u1680\u17B4\u17B5\u180B-\u180F\u2000-\u200F\u2028-\u202F\u205F-\u206F\u2800\u3000\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB])?$";

/// Text without control characters other than tab and newline, for tools.
const PRINTED: &str = r"^[^\u0000-\u0008\u000B-\u001F\u007F-\u009F]+$";

impl ExternalId {
    /// The most characters.
    pub const MAX: usize = 255;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ExternalId {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        visible(raw, Self::MAX).map(Self)
    }
}

input!(
    ExternalId,
    str,
    Description::text("1 to 255 visible characters, with spaces only between them. Upper and lower case differ.")
        .length(1, ExternalId::MAX)
        .pattern(VISIBLE)
);

impl MetadataName {
    /// The most characters.
    pub const MAX: usize = 40;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MetadataName {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        let name = visible(raw, Self::MAX)?;
        match name.chars().find(|c| matches!(c, '[' | ']')) {
            Some(c) => Err(forbidden(c, "must have no square brackets")),
            None => Ok(Self(name)),
        }
    }
}

input!(
    MetadataName,
    str,
    Description::text("1 to 40 visible characters without square brackets.").length(1, MetadataName::MAX).pattern(NAME)
);

impl MetadataValue {
    /// The most characters.
    pub const MAX: usize = 500;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MetadataValue {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        bounded(raw, Self::MAX)?;
        match raw.chars().find(|c| c.is_control() && !matches!(c, '\t' | '\n')) {
            Some(c) => Err(forbidden(c, "must be text without control characters other than tab and newline")),
            None => Ok(Self(raw.to_owned())),
        }
    }
}

input!(MetadataValue, str, Description::text("1 to 500 characters.").length(1, MetadataValue::MAX).pattern(PRINTED));

/// The text as it is, if people see all of it.
fn visible(raw: &str, max: usize) -> Result<String, Refusal> {
    bounded(raw, max)?;
    if raw.trim() != raw {
        return Err(Refusal::new("surrounding_space", "must not begin or end with white space"));
    }
    let hidden = |c: &char| *c != ' ' && (c.is_control() || c.is_whitespace() || may_be_ignored(*c));
    if let Some(c) = raw.chars().find(hidden) {
        return Err(forbidden(c, "must have only visible characters"));
    }
    match raw.chars().any(is_visible) {
        true => Ok(raw.to_owned()),
        false => Err(Refusal::new("empty", "must have a visible character")),
    }
}

/// Notes of callers about a thing: text by name, which means nothing here.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Metadata(BTreeMap<MetadataName, MetadataValue>);

impl Metadata {
    /// The most entries.
    pub const MAX: usize = 50;

    /// The entries by name.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As an object of JSON.
    pub fn to_json(&self) -> Value {
        self.entries().map(|(name, value)| (name.to_owned(), value.into())).collect::<Map<_, _>>().into()
    }

    /// Of pairs of text.
    ///
    /// # Errors
    ///
    /// The first name or value that is refused, or that there are too many.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Refusal> {
        let changes = pairs.into_iter().map(|(name, value)| {
            let (name, value) = entry(name, value)?;
            Ok((name, Some(value)))
        });
        Self::default().patched(&MetadataPatch::Merge(changes.collect::<Result<_, _>>()?))
    }

    /// Of an object of JSON.
    ///
    /// # Errors
    ///
    /// As [`Metadata::of`].
    pub fn from_json(stored: &Value) -> Result<Self, Refusal> {
        let object = stored.as_object().ok_or_else(|| Refusal::new("wrong_type", "is not an object"))?;
        Self::of(object.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default())))
    }

    /// These notes with the change applied.
    ///
    /// # Errors
    ///
    /// That there would be too many.
    pub fn patched(&self, patch: &MetadataPatch) -> Result<Self, Refusal> {
        let MetadataPatch::Merge(changes) = patch else { return Ok(Self::default()) };
        let mut entries = self.0.clone();
        for (name, change) in changes {
            match change {
                Some(value) => drop(entries.insert(name.clone(), value.clone())),
                None => drop(entries.remove(name)),
            }
        }
        match entries.len() {
            n if n > Self::MAX => {
                Err(Refusal::new("too_many", format!("can have at most {} entries, and would have {n}", Self::MAX)))
            }
            _ => Ok(Self(entries)),
        }
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.entries()).finish()
    }
}

/// A change to [`Metadata`], as a JSON merge patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetadataPatch {
    /// All of it goes: the patch is `null`.
    Clear,
    /// Each of these gets this value, or goes; what is not named stays.
    Merge(BTreeMap<MetadataName, Option<MetadataValue>>),
}

/// One entry of metadata.
///
/// # Errors
///
/// Why name or value is refused, in words that name the entry.
pub fn entry(name: &str, value: &str) -> Result<(MetadataName, MetadataValue), Refusal> {
    Ok((entry_name(name)?, entry_value(name, value.parse())?))
}

/// The name of an entry of metadata.
///
/// # Errors
///
/// Why it is refused, in words that name it.
pub fn entry_name(name: &str) -> Result<MetadataName, Refusal> {
    let about = |refusal: Refusal| {
        let shown: String = name.chars().take(MetadataName::MAX).filter(|c| !c.is_control()).collect();
        Refusal::new(refusal.code, format!("has the name \"{shown}\", which {}", refusal.message))
    };
    name.parse().map_err(about)
}

/// The value of the entry of metadata that has this name.
///
/// # Errors
///
/// The refusal, in words that name the entry.
pub fn entry_value<T>(name: &str, value: Result<T, Refusal>) -> Result<T, Refusal> {
    value.map_err(|refusal| Refusal::new(refusal.code, format!("has \"{name}\", whose value {}", refusal.message)))
}

/// What callers call a thing, and note about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// What another system calls it.
    pub external_id: Option<ExternalId>,
    /// What callers note about it.
    pub metadata: Metadata,
}

impl Labels {
    /// These labels with the changes applied: an outer `None` stays, an inner one clears.
    ///
    /// # Errors
    ///
    /// That there would be too much metadata.
    pub fn patched(
        &self,
        external_id: &Option<Option<ExternalId>>,
        metadata: &Option<MetadataPatch>,
    ) -> Result<Self, Error> {
        let refused = |refusal: Refusal| Error::invalid(refusal.of("metadata"));
        Ok(Self {
            external_id: external_id.clone().unwrap_or_else(|| self.external_id.clone()),
            metadata: match metadata {
                Some(patch) => self.metadata.patched(patch).map_err(refused)?,
                None => self.metadata.clone(),
            },
        })
    }

    /// Adds the fields as the audit log names them. No metadata is no field, as it was before there was any.
    pub fn add_to(&self, fields: Fields) -> Fields {
        let metadata = if self.metadata.is_empty() { Value::Null } else { self.metadata.to_json() };
        fields.with("externalId", self.external_id.as_ref().map(ExternalId::as_str)).with("metadata", metadata)
    }

    /// The refusal of an external ID that another thing has.
    pub fn taken(&self, noun: Noun) -> Error {
        let id = self.external_id.as_ref().map(ExternalId::as_str).unwrap_or_default();
        let message = format!("Another {} already has the external ID \"{id}\".", noun.lower_case());
        Error::conflict(Conflict::ExternalIdTaken, message)
    }
}

/// The refusal of a new external ID by who does not see everything that could have it.
pub fn sees_too_little_to_name() -> Error {
    Error::forbidden(
        "Only a caller who can see the whole tenant can set an external ID, because it must be unique in the tenant.",
    )
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    fn merge(changes: &[(&str, Option<&str>)]) -> MetadataPatch {
        let change = |(name, value): &(&str, Option<&str>)| {
            (name.parse().unwrap(), value.map(|value: &str| value.parse().unwrap()))
        };
        MetadataPatch::Merge(changes.iter().map(change).collect())
    }

    #[test]
    fn an_external_id_is_kept_as_it_is_or_refused() {
        let pattern = Regex::new(&Regex::new(r"\\u([0-9A-F]{4})").unwrap().replace_all(VISIBLE, r"\x{$1}")).unwrap();
        for good in ["1", "crm-4711", "ACME GmbH & Co. KG", "a/b", "ü", "u\u{308}", "客户", "..", "😀"] {
            assert_eq!(good.parse::<ExternalId>().unwrap().as_str(), good);
            assert!(pattern.is_match(good), "{good}");
        }
        assert_ne!("a".parse::<ExternalId>(), "A".parse());
        for (raw, code) in [
            ("", "empty"),
            (" a", "surrounding_space"),
            ("a\n", "surrounding_space"),
            ("a\tb", "forbidden_character"),
            ("a\u{1}b", "forbidden_character"),
            ("a\u{200B}b", "forbidden_character"),
            ("a\u{202E}b", "forbidden_character"),
            ("a\u{FFF9}b", "forbidden_character"),
            ("a\u{A0}b", "forbidden_character"),
            ("\u{FEFF}a", "forbidden_character"),
            ("\u{301}", "empty"),
        ] {
            assert_eq!(raw.parse::<ExternalId>().unwrap_err().code, code, "{raw:?}");
            // A pattern does not know marks.
            assert!(!pattern.is_match(raw) || raw == "\u{301}", "{raw:?}");
        }
        assert!("ü".repeat(255).parse::<ExternalId>().is_ok());
        assert_eq!("x".repeat(256).parse::<ExternalId>().unwrap_err().code, "too_long");
    }

    #[test]
    fn metadata_has_bounds() {
        assert!(entry(&"n".repeat(40), &"v".repeat(500)).is_ok());
        for (name, value, words) in [
            ("", "v", "has the name \"\", which must not be empty"),
            ("tier ", "v", "has the name \"tier \", which must not begin or end with white space"),
            ("a[b]", "v", "has the name \"a[b]\", which must have no square brackets, but contains U+005B"),
            ("b]", "v", "has the name \"b]\", which must have no square brackets, but contains U+005D"),
            ("a\u{1}b", "v", "has the name \"ab\", which must have only visible characters, but contains U+0001"),
            ("tier", "", "has \"tier\", whose value must not be empty"),
            (
                "tier",
                "a\rb",
                "has \"tier\", whose value must be text without control characters other than tab and newline, but contains U+000D",
            ),
        ] {
            assert_eq!(entry(name, value).unwrap_err().message, words);
        }
        let refused = entry(&"n".repeat(41), "v").unwrap_err();
        assert!(refused.code == "too_long" && refused.message.matches('n').count() < 60, "{}", refused.message);
        assert_eq!(entry("n", &"v".repeat(501)).unwrap_err().code, "too_long");
        assert_eq!(entry("n", " line\n\tline ").unwrap().1.as_str(), " line\n\tline ");
    }

    #[test]
    fn a_merge_patch_sets_removes_and_clears() {
        let was = Metadata::of([("tier", "gold"), ("region", "eu")]).unwrap();
        let is = was.patched(&merge(&[("tier", None), ("plan", Some("a")), ("other", None)])).unwrap();
        assert_eq!(is.to_json(), serde_json::json!({ "plan": "a", "region": "eu" }));
        assert_eq!(was.patched(&merge(&[])).unwrap(), was);
        assert!(was.patched(&MetadataPatch::Clear).unwrap().is_empty());
        assert_eq!(Metadata::from_json(&is.to_json()), Ok(is));
        let many: Vec<_> = (0..50).map(|n| n.to_string()).collect();
        let full = Metadata::of(many.iter().map(|name| (name.as_str(), "v"))).unwrap();
        let refusal = full.patched(&merge(&[("more", Some("v"))])).unwrap_err();
        assert_eq!(refusal.message, "can have at most 50 entries, and would have 51");
        assert!(full.patched(&merge(&[("more", Some("v")), ("0", None)])).is_ok());
    }

    #[test]
    fn what_has_no_labels_has_none_in_the_audit_log() {
        let none = Labels::default().add_to(Fields::new());
        assert_eq!(none, Fields::new().with("externalId", None::<String>).with("metadata", Value::Null));
        let taken = Labels { external_id: Some("x".parse().unwrap()), ..Labels::default() }.taken(Noun::ApiKey);
        assert_eq!(taken.to_string(), "Another API key already has the external ID \"x\".");
    }

    #[test]
    fn a_label_that_is_not_named_stays() {
        let id = |id: &str| Some(id.parse::<ExternalId>().unwrap());
        let metadata = Metadata::of([("tier", "gold")]).unwrap();
        let was = Labels { external_id: id("crm-1"), metadata: metadata.clone() };
        assert_eq!(was.patched(&None, &None).unwrap(), was);
        let changed = was.patched(&Some(id("crm-2")), &None).unwrap();
        assert_eq!(changed, Labels { external_id: id("crm-2"), metadata: metadata.clone() });
        assert_eq!(was.patched(&Some(None), &None).unwrap(), Labels { external_id: None, metadata });
        let changed = was.patched(&None, &Some(merge(&[("tier", None)]))).unwrap();
        assert_eq!(changed, Labels { external_id: id("crm-1"), metadata: Metadata::default() });
        let names: Vec<_> = (0..51).map(|n| n.to_string()).collect();
        let many: Vec<_> = names.iter().map(|name| (name.as_str(), Some("v"))).collect();
        assert!(was.patched(&None, &Some(merge(&many))).is_err());
    }

    #[test]
    fn what_has_labels_has_them_in_the_audit_log() {
        let labels = Labels { external_id: Some("x".parse().unwrap()), metadata: Metadata::of([("a", "b")]).unwrap() };
        let metadata = serde_json::json!({ "a": "b" });
        let expected = Fields::new().with("externalId", Some("x")).with("metadata", metadata);
        assert_eq!(labels.add_to(Fields::new()), expected);
        assert!(!labels.metadata.is_empty() && Metadata::default().is_empty());
    }
}
