//! Whether a tenant is what a file says: line by line, in both orders the same.

use std::{collections::BTreeMap, fs::File};

use serde::Serialize;
use serde_json::Value;
use tenantry_domain::{Error, InTenant, TenantId};
use tenantry_persistence::{Fault, Tx};

use super::{
    export::{Out, json, whole},
    import::{Lines, at, fits},
    lines::{Comparing, Line},
    sealing::{Sealing, Secrets},
};

/// So many differences are named.
const NAMED: usize = 100;

/// What a comparison has found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Compared {
    /// How many lines are the same on both sides.
    pub same: u64,
    /// How many are not, or are on one side alone.
    pub different: u64,
    /// The first of those, in a sentence each, without any values.
    pub differences: Vec<String>,
    /// Whether secrets were compared too.
    pub secrets: bool,
}

/// Whose file it is.
pub(super) fn tenant_of(file: &File) -> Result<TenantId, Error> {
    Lines::of(file)?.header()?.tenant.id().map_err(|refused| at(1, refused))
}

pub(super) fn all(tx: &mut Tx<'_, InTenant>, file: &File, sealing: Option<&Sealing>) -> Result<Compared, Fault> {
    let mut comparison = Comparison::with(file, sealing)?;
    let secrets = sealing.map_or(Secrets::StayBehind, |sealing| Secrets::Compared(sealing.clone()));
    whole(tx, &mut Out::compared(&mut comparison, secrets))?;
    Ok(comparison.end()?)
}

/// Two rows of lines. What is on one side and was not met on the other one yet is remembered: as long as both are the same that is
/// nothing, however long they are.
pub(super) struct Comparison {
    there: Lines<File>,
    sealing: Option<Sealing>,
    tenant: TenantId,
    /// The header of the file, until it is compared.
    first: Option<Line>,
    /// The file has ended.
    ended: bool,
    only_there: BTreeMap<String, String>,
    only_here: BTreeMap<String, String>,
    found: Compared,
}

impl Comparison {
    fn with(file: &File, sealing: Option<&Sealing>) -> Result<Self, Error> {
        let file = file.try_clone().map_err(|error| Error::internal(format!("cannot read the export: {error}")))?;
        let mut there = Lines::of(file)?;
        let header = there.header()?;
        fits(header.sealed_under.as_deref().filter(|_| sealing.is_some()), sealing)?;
        let tenant = header.tenant.id().map_err(|refused| at(1, refused))?;
        Ok(Self {
            there,
            sealing: sealing.cloned(),
            tenant,
            first: Some(Line::Export(header)),
            ended: false,
            only_there: BTreeMap::new(),
            only_here: BTreeMap::new(),
            found: Compared { secrets: sealing.is_some(), ..Compared::default() },
        })
    }

    /// The next line of the file that is compared.
    fn next(&mut self) -> Result<Option<Line>, Error> {
        while !self.ended {
            let (number, line) = match self.first.take() {
                Some(header) => (1, header),
                None => match self.there.next(self.tenant, self.sealing.as_ref())? {
                    Some(next) => next,
                    None => {
                        self.ended = true;
                        break;
                    }
                },
            };
            let how = self.sealing.as_ref().map_or(Comparing::WithoutSecrets, Comparing::OfFile);
            let line = line.comparable(self.tenant, how).map_err(|refused| at(number, vec![refused]))?;
            if line.is_some() {
                return Ok(line);
            }
        }
        Ok(None)
    }

    /// A line of the tenant, and with it one of the file.
    pub(super) fn here(&mut self, line: Line) -> Result<(), Error> {
        let how = if self.sealing.is_some() { Comparing::OfTenant } else { Comparing::WithoutSecrets };
        let Ok(Some(here)) = line.comparable(self.tenant, how) else { return Ok(()) };
        let there = self.next()?;
        let text = json(&here)?;
        if let Some(there) = there {
            let other = json(&there)?;
            if other == text {
                self.found.same += 1;
                return Ok(());
            }
            self.met(there.name(), other, false);
        }
        self.met(here.name(), text, true);
        Ok(())
    }

    /// A line of one side: the same one of the other side was met before, or is still to come.
    fn met(&mut self, name: String, text: String, is_here: bool) {
        let (own, other) = match is_here {
            true => (&mut self.only_here, &mut self.only_there),
            false => (&mut self.only_there, &mut self.only_here),
        };
        match other.remove(&name) {
            Some(met) if met == text => self.found.same += 1,
            Some(met) => {
                let fields = different(&met, &text).join(", ");
                self.found.differs(format!("{name}: {fields}"));
            }
            None => drop(own.insert(name, text)),
        }
    }

    fn end(mut self) -> Result<Compared, Error> {
        while let Some(there) = self.next()? {
            let text = json(&there)?;
            self.met(there.name(), text, false);
        }
        for name in self.only_there.keys() {
            self.found.differs(format!("{name}: only in the file"));
        }
        for name in self.only_here.keys() {
            self.found.differs(format!("{name}: not in the file"));
        }
        Ok(self.found)
    }
}

impl Compared {
    fn differs(&mut self, what: String) {
        self.different += 1;
        if self.differences.len() < NAMED {
            self.differences.push(what);
        }
    }
}

/// The fields in which two lines differ. What is in them is not told.
fn different(one: &str, other: &str) -> Vec<String> {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let (one, other) = (parsed(one), parsed(other));
    let mut names = Vec::new();
    fields(&one, &other, "", &mut names);
    names
}

fn fields(one: &Value, other: &Value, path: &str, names: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            let all: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in all {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                fields(&one[name], &other[name], &path, names);
            }
        }
        _ if one == other => {}
        _ => names.push(path.to_owned()),
    }
}
