//! The way in.

#[cfg(test)]
mod fuzz;

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek},
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, de::DeserializeOwned};
use tenantry_domain::{Change, Error, FieldRefusal, InTenant, Refusal, TenantDetails, counted};
use tenantry_persistence::{Fault, LastNumbers, WriteTx};

use super::lines::{Counts, Line, Target, VERSION};

pub(super) fn all(tx: &mut WriteTx<'_, InTenant>, file: &File) -> Result<Change<Counts>, Fault> {
    let mut lines = Lines::of(file)?;
    let (before, now) = (tx.lock_tenant()?, tx.clock()?);
    let (details, last) = lines.header(now)?;
    tx.make_way()?;
    tx.number_after(last)?;
    let (target, mut counts, mut rank) = (Target { tenant_id: before.id, last, now }, Counts::default(), 1);
    while let Some((number, line)) = lines.next()? {
        if line.rank() < rank {
            return Err(at(number, vec![unexpected(OUT_OF_PLACE)]).into());
        }
        rank = line.rank();
        line.store(tx, target, &mut counts).map_err(|refused| refused.at(number))?;
    }
    tx.check_imported()?;
    let after = if details == before.details { before.clone() } else { tx.update_tenant(&details)? };
    let fields = counts.added_to(after.details.fields());
    Ok(Change::between(counts, before.id, &before.details.fields(), &fields))
}

const OUT_OF_PLACE: &str = "is out of order: the order is brands, workspaces with their integrations, agents, usage \
                            entries, members, invitations, API keys, audit events";

/// Why a line is not stored.
pub(super) enum Refused {
    /// Something in it is not good, or cannot stand beside earlier lines.
    Line(Vec<FieldRefusal>),
    /// Whatever the line is.
    Fault(Fault),
}

impl From<Vec<FieldRefusal>> for Refused {
    fn from(refused: Vec<FieldRefusal>) -> Self {
        Self::Line(refused)
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Refused {
    fn at(self, number: u64) -> Fault {
        match self {
            Self::Line(refused) => at(number, refused).into(),
            Self::Fault(fault) => fault,
        }
    }
}

/// What is refused of a line, each with the line's number.
fn at(number: u64, refused: Vec<FieldRefusal>) -> Error {
    let named = |refusal: FieldRefusal| FieldRefusal { field: format!("line {number} {}", refusal.field), ..refusal };
    Error::Invalid(refused.into_iter().map(named).collect())
}

fn of_line(number: u64, message: impl Into<String>) -> Error {
    Error::invalid(Refusal::new("not_a_line", message).of(format!("line {number}")))
}

pub(super) fn unexpected(message: &str) -> FieldRefusal {
    Refusal::new("unexpected", message).of("type")
}

/// What a header of any version has.
#[derive(Deserialize)]
struct Form {
    version: Option<u32>,
}

/// The longest line, in bytes. The longest that an export writes is a member with its assignments, of which so many fit as nobody
/// has; a brand with every text at its limit and every character escaped is a twentieth of that.
const MAX_LINE: u64 = 8 * 1024 * 1024;

/// The lines of a file, one at a time.
struct Lines<'f> {
    reader: BufReader<&'f File>,
    /// How many were read.
    number: u64,
}

impl<'f> Lines<'f> {
    /// From the start, because the transaction may run again.
    fn of(mut file: &'f File) -> Result<Self, Error> {
        file.rewind().map_err(unreadable)?;
        Ok(Self { reader: BufReader::new(file), number: 0 })
    }

    fn raw(&mut self) -> Result<Option<String>, Error> {
        let mut bytes = Vec::new();
        let mut bounded = (&mut self.reader).take(MAX_LINE + 1);
        if bounded.read_until(b'\n', &mut bytes).map_err(unreadable)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if bounded.limit() == 0 && !bytes.ends_with(b"\n") {
            return Err(of_line(self.number, format!("must not be longer than {MAX_LINE} bytes")));
        }
        match String::from_utf8(bytes) {
            // An editor may have put a byte order mark in front of the file.
            Ok(line) if self.number == 1 => Ok(Some(line.trim_start_matches('\u{feff}').to_owned())),
            Ok(line) => Ok(Some(line)),
            Err(_) => Err(of_line(self.number, "must be UTF-8")),
        }
    }

    fn line(&mut self) -> Result<Option<Line>, Error> {
        let Some(raw) = self.raw()? else { return Ok(None) };
        self.parsed(&raw).map(Some)
    }

    fn parsed<T: DeserializeOwned>(&self, raw: &str) -> Result<T, Error> {
        serde_json::from_str(raw.trim_end()).map_err(|error| {
            // Each line is parsed alone, so that for the parser it is always the first.
            of_line(self.number, error.to_string().replace(" at line 1 column", ", at column"))
        })
    }

    /// What the tenant is to be, by the first line, and the numbers that were given.
    fn header(&mut self, now: DateTime<Utc>) -> Result<(TenantDetails, LastNumbers), Error> {
        let no_header = || of_line(1, "must be the header of an export, with the type \"export\"");
        let raw = self.raw()?.ok_or_else(no_header)?;
        // A header of another version has other fields: its version is read before them.
        let Form { version } = self.parsed(&raw)?;
        if let Some(version) = version.filter(|version| *version != VERSION) {
            let message = format!("is {version}, but this program reads {VERSION}: export the tenant again");
            return Err(at(1, vec![Refusal::new("unknown_version", message).of("version")]));
        }
        match self.parsed(&raw)? {
            Line::Export(header) => header.tenant.into_tenant(now).map_err(|refused| at(1, refused)),
            _ => Err(no_header()),
        }
    }

    /// The next line with its number; nothing after the line that ends the file.
    fn next(&mut self) -> Result<Option<(u64, Line)>, Error> {
        match self.line()? {
            Some(Line::End(end)) if end.lines != self.number - 1 => {
                let message =
                    format!("is {}, but {} before it: the file is incomplete", end.lines, come(self.number - 1));
                Err(at(self.number, vec![Refusal::new("not_whole", message).of("lines")]))
            }
            Some(Line::End(_)) => match self.raw()? {
                None => Ok(None),
                Some(_) => Err(of_line(self.number, "comes after the last line of the export")),
            },
            Some(line) => Ok(Some((self.number, line))),
            None => Err(of_line(self.number + 1, "is missing: the file is cut off")),
        }
    }
}

fn come(lines: u64) -> String {
    format!("{} {}", counted(lines, "line"), if lines == 1 { "comes" } else { "come" })
}

fn unreadable(error: std::io::Error) -> Error {
    Error::Unreadable { code: "unreadable_file", message: format!("The file cannot be read: {error}.") }
}
