//! External IDs and metadata at the command line: `--external-id ID` and `--metadata NAME=VALUE`.

use std::collections::BTreeMap;

use clap::Args;
use tenantry_domain::{ExternalId, FieldRefusal, Labels, Metadata, MetadataPatch, Refusal, entry, entry_name};

use super::tenant::{parse, removable};

/// The labels of something new.
#[derive(Args)]
pub(crate) struct NewLabels {
    /// Its ID in another system
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// A note about it, such as tier=gold. Give it several times for several notes
    #[arg(long, value_name = "NAME=VALUE")]
    metadata: Vec<String>,
}

/// A change of labels.
#[derive(Args)]
pub(crate) struct ChangedLabels {
    /// Its ID in another system, or nothing to remove it
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// A note about it, such as tier=gold; tier= removes it. May be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    metadata: Vec<String>,
}

impl NewLabels {
    /// Records all refused values.
    pub(crate) fn read(&self, refused: &mut Vec<FieldRefusal>) -> Labels {
        let external_id = parse("external-id", self.external_id.as_deref(), refused);
        let changes = changes(&self.metadata, false, refused);
        let metadata = Metadata::default().patched(&changes).map_err(|refusal| refused.push(refusal.of("metadata")));
        Labels { external_id, metadata: metadata.unwrap_or_default() }
    }
}

impl ChangedLabels {
    /// Records all refused values.
    pub(crate) fn read(&self, refused: &mut Vec<FieldRefusal>) -> (Option<Option<ExternalId>>, Option<MetadataPatch>) {
        let id = removable("external-id", self.external_id.as_deref(), refused);
        let metadata = (!self.metadata.is_empty()).then(|| changes(&self.metadata, true, refused));
        (id, metadata)
    }
}

fn changes(raw: &[String], removable: bool, refused: &mut Vec<FieldRefusal>) -> MetadataPatch {
    let change = |raw: &String| match raw.split_once('=') {
        Some((name, "")) if removable => Ok((entry_name(name)?, None)),
        Some((name, value)) => entry(name, value).map(|(name, value)| (name, Some(value))),
        None => Err(Refusal::new("wrong_type", format!("must be NAME=VALUE, not \"{raw}\""))),
    };
    let mut changes = BTreeMap::new();
    for raw in raw {
        let added = change(raw).and_then(|(name, value)| match changes.insert(name.clone(), value) {
            None => Ok(()),
            Some(_) => Err(Refusal::new("conflicting", format!("has \"{}\" twice", name.as_str()))),
        });
        refused.extend(added.err().map(|refusal| refusal.of("metadata")));
    }
    MetadataPatch::Merge(changes)
}

/// The labels for a person to read, each with its name.
pub(crate) fn words(labels: &Labels) -> [(&'static str, String); 2] {
    let notes: Vec<_> = labels.metadata.entries().map(|(name, value)| format!("{name}={value}")).collect();
    let or_none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
    let external_id = labels.external_id.as_ref().map(ExternalId::as_str).unwrap_or_default().to_owned();
    [("external ID", or_none(external_id)), ("metadata", or_none(notes.join(", ")))]
}
