//! The way in.

#[cfg(test)]
mod fuzz;
mod rows;

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek},
};

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, de::DeserializeOwned};
use tenantry_domain::{Change, Conflict, Error, FieldRefusal, InTenant, Platform, Refusal, TenantId, counted};
use tenantry_persistence::{Fault, WriteTx};

use self::rows::Batch;
pub(super) use self::rows::Row;
use super::{
    lines::{Counts, End, Header, Line, Target, VERSION, whole_file},
    sealing::Sealing,
};

/// Into a tenant that is there, and that has nothing yet. Secrets stay behind.
pub(super) fn into_tenant(tx: &mut WriteTx<'_, InTenant>, file: &File) -> Result<Change<Counts>, Fault> {
    let mut lines = Lines::of(file)?;
    let (before, now) = (tx.lock_tenant()?, tx.clock()?);
    let header = lines.header()?;
    if header.sealed_under.is_some() {
        let message = "is set: a sealed export creates its tenant. Import it without naming a tenant";
        return Err(at(1, vec![Refusal::new("conflicting", message).of("sealedUnder")]).into());
    }
    let (details, last) = header.tenant.into_tenant(now).map_err(|refused| at(1, refused))?;
    tx.make_way()?;
    tx.number_after(last)?;
    let target = Target { tenant_id: before.id, last, now, sealed: false };
    let counts = store_all(tx, &mut lines, target, None)?;
    tx.check_imported()?;
    tx.check_imported_limits()?;
    let after = if details == before.details { before.clone() } else { tx.update_tenant(&details)? };
    let fields = counts.added_to(after.details.fields());
    Ok(Change::between(counts, before.id, &before.details.fields(), &fields))
}

/// As the tenant that it was elsewhere, which is not there yet. It is frozen until somebody looks after it.
pub(super) fn moved(
    tx: &mut WriteTx<'_, Platform>,
    file: &File,
    sealing: Option<&Sealing>,
) -> Result<Change<Counts>, Fault> {
    let mut lines = Lines::of(file)?;
    let now = tx.clock()?;
    let header = lines.header()?;
    fits(header.sealed_under.as_deref(), sealing)?;
    let (tenant, last) = header.tenant.into_whole(now).map_err(|refused| at(1, refused))?;
    let target = Target { tenant_id: tenant.id, last, now, sealed: sealing.is_some() };
    let counts = tx.move_in((&tenant, last), |tx| {
        if let Some(sealing) = sealing {
            tx.note_master_key(sealing.keys.sealing())?;
        }
        let counts = store_all(tx, &mut lines, target, sealing)?;
        tx.check_imported()?;
        tx.note_imported_mail()?;
        tx.settle_master_keys()?;
        Ok(Change::created(counts, tenant.id, &counts.added_to(tenant.fields())))
    })?;
    Ok(Change::nothing(counts))
}

/// Whether the file is sealed under the key that is given.
pub(super) fn fits(sealed_under: Option<&str>, sealing: Option<&Sealing>) -> Result<(), Error> {
    let message = match (sealed_under, sealing.map(|sealing| sealing.key.id().to_string())) {
        (None, None) => return Ok(()),
        (Some(under), Some(key)) if under == key => return Ok(()),
        (Some(under), Some(key)) => {
            format!("This export is sealed under the transfer key {under}, and not under {key}.")
        }
        (Some(under), None) => {
            format!("This export is sealed under the transfer key {under}. Name the file of that key with --sealed.")
        }
        (None, Some(_)) => "This export is not sealed. Leave out --sealed.".to_owned(),
    };
    Err(Error::conflict(Conflict::TransferKeyMismatch, message))
}

fn store_all(
    tx: &mut WriteTx<'_, InTenant>,
    lines: &mut Lines<&File>,
    target: Target,
    sealing: Option<&Sealing>,
) -> Result<Counts, Fault> {
    let (mut counts, mut rank, mut batch) = (Counts::default(), 1, Batch::default());
    loop {
        let next = lines.next(target.tenant_id, sealing).and_then(|next| {
            let Some((number, line)) = next else { return Ok(None) };
            if line.rank() < rank {
                return Err(at(number, vec![unexpected(OUT_OF_PLACE)]));
            }
            rank = line.rank();
            let row = line.read(target, sealing, &mut counts).map_err(|refused| at(number, refused))?;
            Ok(Some(row.map(|row| (number, row))))
        });
        match next {
            Ok(Some(Some(row))) => batch.add(tx, row, lines.length)?,
            Ok(Some(None)) => {}
            // What is wrong with an earlier line is said first.
            Ok(None) | Err(_) => {
                batch.store(tx)?;
                return Ok(next.map(|_| counts)?);
            }
        }
    }
}

const OUT_OF_PLACE: &str = "is out of order: the order is brands, workspaces with their integrations, agents, usage \
                            entries, members, invitations, API keys, webhooks, emails, audit events";

/// What is refused of a line, each with the line's number.
pub(super) fn at(number: u64, refused: Vec<FieldRefusal>) -> Error {
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
pub(super) struct Lines<F: Read> {
    reader: BufReader<F>,
    /// How many were read.
    number: u64,
    /// The bytes of the last one.
    length: usize,
    /// Of all that were read.
    digest: Context,
    /// Of all but the last one.
    before: Context,
}

impl<F: Read + Seek> Lines<F> {
    /// From the start, because the transaction may run again.
    pub(super) fn of(mut file: F) -> Result<Self, Error> {
        file.rewind().map_err(unreadable)?;
        let digest = Context::new(&SHA256);
        Ok(Self { reader: BufReader::new(file), number: 0, length: 0, before: digest.clone(), digest })
    }

    fn raw(&mut self) -> Result<Option<String>, Error> {
        let mut bytes = Vec::new();
        let mut bounded = (&mut self.reader).take(MAX_LINE + 1);
        if bounded.read_until(b'\n', &mut bytes).map_err(unreadable)? == 0 {
            return Ok(None);
        }
        let too_long = bounded.limit() == 0 && !bytes.ends_with(b"\n");
        (self.number, self.length) = (self.number + 1, bytes.len());
        self.before = self.digest.clone();
        self.digest.update(&bytes);
        if too_long {
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

    /// The first line.
    pub(super) fn header(&mut self) -> Result<Header, Error> {
        let no_header = || of_line(1, "must be the header of an export, with the type \"export\"");
        let raw = self.raw()?.ok_or_else(no_header)?;
        // A header of another version has other fields: its version is read before them.
        let Form { version } = self.parsed(&raw)?;
        if let Some(version) = version.filter(|version| *version != VERSION) {
            let message = format!("is {version}, but this program reads {VERSION}: export the tenant again");
            return Err(at(1, vec![Refusal::new("unknown_version", message).of("version")]));
        }
        match self.parsed(&raw)? {
            Line::Export(header) => Ok(header),
            _ => Err(no_header()),
        }
    }

    /// The next line with its number; nothing after the line that ends the file.
    pub(super) fn next(&mut self, tenant: TenantId, sealing: Option<&Sealing>) -> Result<Option<(u64, Line)>, Error> {
        match self.line()? {
            Some(Line::End(end)) if end.lines != self.number - 1 => {
                let message =
                    format!("is {}, but {} before it: the file is incomplete", end.lines, come(self.number - 1));
                Err(at(self.number, vec![Refusal::new("not_whole", message).of("lines")]))
            }
            Some(Line::End(end)) => {
                let (number, digest) = (self.number, self.before.clone().finish());
                if let Some(sealing) = sealing {
                    is_whole(&end, (tenant, sealing), digest.as_ref()).map_err(|refused| at(number, vec![refused]))?;
                }
                match self.raw()? {
                    None => Ok(None),
                    Some(_) => Err(of_line(self.number, "comes after the last line of the export")),
                }
            }
            Some(line) => Ok(Some((self.number, line))),
            None => Err(of_line(self.number + 1, "is missing: the file is cut off")),
        }
    }
}

/// Whether the file is what was written by somebody who has the key of the transfer.
fn is_whole(end: &End, (tenant, sealing): (TenantId, &Sealing), digest: &[u8]) -> Result<(), FieldRefusal> {
    let context = whole_file(tenant);
    let sealed = sealing.opened((tenant, context.kind, context.place), end.sealed.as_deref())?;
    if sealed.as_slice() == digest {
        return Ok(());
    }
    let message = "does not fit the lines before it: the file was changed after it was exported";
    Err(Refusal::new("not_whole", message).of("sealed"))
}

fn come(lines: u64) -> String {
    format!("{} {}", counted(lines, "line"), if lines == 1 { "comes" } else { "come" })
}

fn unreadable(error: std::io::Error) -> Error {
    Error::Unreadable { code: "unreadable_file", message: format!("The file cannot be read: {error}.") }
}
