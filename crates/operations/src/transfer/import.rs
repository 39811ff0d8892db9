//! The way in.

use std::{
    fs::File,
    io::{BufRead, BufReader, Seek},
};

use tenantry_domain::{Change, Error, FieldRefusal, InTenant, Members, Refusal, TenantDetails};
use tenantry_persistence::{Fault, WriteTx};

use super::{
    Counts,
    lines::{Header, Line, VERSION},
};

pub(super) fn all(tx: &mut WriteTx<'_, InTenant>, file: &File) -> Result<Change<Counts>, Fault> {
    let mut lines = Lines::of(file)?;
    let before = tx.lock_tenant()?;
    let details = lines.header()?;
    tx.make_way()?;
    let mut counts = Counts::default();
    while let Some((number, line)) = lines.next()? {
        let refused = match line {
            Line::Brand(line) => {
                counts.brands += 1;
                tx.import_brand(&line.into_brand(before.id).map_err(|refused| at(number, refused))?)?
            }
            Line::Workspace(line) => {
                counts.workspaces += 1;
                tx.import_workspace(&line.into_workspace(before.id).map_err(|refused| at(number, refused))?)?
            }
            Line::Member(line) => {
                counts.members += 1;
                let (member, places) = line.into_member(before.id).map_err(|refused| at(number, refused))?;
                tx.import_member(&member, &places)?
            }
            Line::Invitation(line) => {
                counts.invitations += 1;
                tx.import_invitation(&line.into_invitation(before.id).map_err(|refused| at(number, refused))?)?
            }
            Line::ApiKey(_) | Line::AuditEvent(_) => None,
            Line::Export(_) | Line::End(_) => Some(unexpected("is in the middle of the file")),
        };
        if let Some(refused) = refused {
            return Err(at(number, vec![refused]).into());
        }
    }
    tx.check_imported()?;
    let after = if details == before.details { before.clone() } else { tx.update_tenant(&details)? };
    let members = counts.added_to(after.details.members());
    Ok(Change::between(counts, before.id, &before.details.members(), &members))
}

/// What is refused of a line, each with the line's number.
fn at(number: u64, refused: Vec<FieldRefusal>) -> Error {
    let named = |refusal: FieldRefusal| FieldRefusal { field: format!("line {number} {}", refusal.field), ..refusal };
    Error::Invalid(refused.into_iter().map(named).collect())
}

fn of_line(number: u64, message: impl Into<String>) -> Error {
    Error::invalid(Refusal::new("not_a_line", message).of(format!("line {number}")))
}

fn unexpected(message: &str) -> FieldRefusal {
    Refusal::new("unexpected", message).of("type")
}

impl Counts {
    /// As the audit log has them.
    pub(super) fn members(self) -> Members {
        self.added_to(Members::new())
    }

    fn added_to(self, members: Members) -> Members {
        members
            .with("brands", self.brands)
            .with("workspaces", self.workspaces)
            .with("members", self.members)
            .with("invitations", self.invitations)
            .with("apiKeys", self.api_keys)
            .with("auditEvents", self.audit_events)
    }
}

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
        if self.reader.read_until(b'\n', &mut bytes).map_err(unreadable)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        match String::from_utf8(bytes) {
            Ok(line) => Ok(Some(line)),
            Err(_) => Err(of_line(self.number, "must be UTF-8")),
        }
    }

    fn line(&mut self) -> Result<Option<Line>, Error> {
        let Some(raw) = self.raw()? else { return Ok(None) };
        let line = serde_json::from_str(raw.trim_end()).map_err(|error| {
            // Each line is parsed alone, so that for the parser it is always the first.
            of_line(self.number, error.to_string().replace(" at line 1 column", ", at column"))
        })?;
        Ok(Some(line))
    }

    /// What the tenant is to be, by the first line.
    fn header(&mut self) -> Result<TenantDetails, Error> {
        match self.line()? {
            Some(Line::Export(Header { version: VERSION, tenant, .. })) => {
                tenant.into_details().map_err(|refused| at(1, refused))
            }
            Some(Line::Export(Header { version, .. })) => {
                let message = format!("is {version}, but this program reads {VERSION}");
                Err(at(1, vec![Refusal::new("unknown_version", message).of("version")]))
            }
            _ => Err(of_line(1, "must be the header of an export, with the type \"export\"")),
        }
    }

    /// The next line with its number; nothing after the line that ends the file.
    fn next(&mut self) -> Result<Option<(u64, Line)>, Error> {
        match self.line()? {
            Some(Line::End(end)) if end.lines != self.number - 1 => {
                let message =
                    format!("is {}, but {} lines precede it: the file is incomplete", end.lines, self.number - 1);
                Err(at(self.number, vec![Refusal::new("not_whole", message).of("lines")]))
            }
            Some(Line::End(_)) => match self.raw()? {
                None => Ok(None),
                Some(_) => Err(of_line(self.number, "comes after the end of the export")),
            },
            Some(line) => Ok(Some((self.number, line))),
            None => Err(of_line(self.number + 1, "is missing: the file ends before the end of the export")),
        }
    }
}

fn unreadable(error: std::io::Error) -> Error {
    Error::Unreadable { code: "unreadable_file", message: format!("The file cannot be read: {error}.") }
}
