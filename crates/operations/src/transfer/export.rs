//! The way out.

use std::{
    fs::File,
    io::{BufWriter, ErrorKind, Seek, Write},
};

use aws_lc_rs::digest::{Context, SHA256};
use serde::Serialize;
use tenantry_domain::{Change, Error, Fields, InTenant, PageLimit, PageRequest, Position, Sort, TenantId};
use tenantry_persistence::{Fault, Tx};

use super::{
    compare::Comparison,
    lines::{self, Counts, End, Header, Line, whole_file},
    sealing::{Sealing, Secrets},
};

/// How many rows are read at a time in the order of their ids.
pub(super) const PAGE: u16 = 500;

pub(super) fn all(tx: &mut Tx<'_, InTenant>, file: &File, sealing: Option<&Sealing>) -> Result<Change<Counts>, Fault> {
    let mut out = Out::into(file, sealing)?;
    let (tenant, counts) = whole(tx, &mut out)?;
    out.end(tenant)?;
    let sealed_under = sealing.map(|sealing| sealing.key.id().to_string());
    let fields = counts.added_to(Fields::new()).with("transferKey", sealed_under);
    Ok(Change::between(counts, tenant, &Fields::new(), &fields))
}

/// Everything but the last line.
pub(super) fn whole(tx: &mut Tx<'_, InTenant>, out: &mut Out<'_>) -> Result<(TenantId, Counts), Fault> {
    let (tenant, last, clock) = (tx.tenant()?, tx.last_numbers()?, tx.clock()?);
    let sealed_under = out.secrets().sealing().map(|sealing| sealing.key.id().clone());
    out.line(Line::Export(Header::of(&tenant, last, (clock, sealed_under))))?;
    let mut counts = Counts::default();
    lines::export(tx, out, &mut counts)?;
    Ok((tenant.id, counts))
}

/// All pages of a list, the oldest first.
pub(super) fn pages(mut page: impl FnMut(&PageRequest) -> Result<Option<Position>, Fault>) -> Result<(), Fault> {
    let mut request = PageRequest { limit: PageLimit::MAX, sort: Sort::default(), after: None };
    loop {
        request.after = page(&request)?;
        if request.after.is_none() {
            return Ok(());
        }
    }
}

/// All rows that are read in the order of their ids.
pub(super) fn by_id<T, I>(
    mut read: impl FnMut(Option<I>) -> Result<Vec<T>, Fault>,
    mut write: impl FnMut(T) -> Result<I, Fault>,
) -> Result<(), Fault> {
    let mut last = None;
    loop {
        let rows = read(last.take())?;
        for row in rows {
            last = Some(write(row)?);
        }
        if last.is_none() {
            return Ok(());
        }
    }
}

/// Where the lines go.
enum Sink<'f> {
    /// Into a file, with a digest of what is in it.
    File(BufWriter<&'f File>, Context),
    /// Nowhere: they are held against those of a file.
    Comparison(&'f mut Comparison),
}

/// The lines that are written, and how many there are.
pub(super) struct Out<'f> {
    sink: Sink<'f>,
    secrets: Secrets,
    lines: u64,
}

impl<'f> Out<'f> {
    /// Into a file from the start, because the transaction may run again.
    fn into(mut file: &'f File, sealing: Option<&Sealing>) -> Result<Self, Fault> {
        file.rewind().and_then(|()| file.set_len(0)).map_err(unwritable)?;
        let secrets = sealing.map_or(Secrets::StayBehind, |sealing| Secrets::Sealed(sealing.clone()));
        Ok(Self { sink: Sink::File(BufWriter::new(file), Context::new(&SHA256)), secrets, lines: 0 })
    }

    /// To be compared.
    pub(super) fn compared(comparison: &'f mut Comparison, secrets: Secrets) -> Self {
        Self { sink: Sink::Comparison(comparison), secrets, lines: 0 }
    }

    /// Whether the lines are only compared.
    pub(super) fn is_compared(&self) -> bool {
        matches!(self.sink, Sink::Comparison(_))
    }

    /// What becomes of secrets.
    pub(super) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Writes a line, and counts one.
    pub(super) fn line(&mut self, line: Line) -> Result<u64, Fault> {
        match &mut self.sink {
            Sink::File(writer, digest) => {
                let json = json(&line)? + "\n";
                digest.update(json.as_bytes());
                writer.write_all(json.as_bytes()).map_err(unwritable)?;
            }
            Sink::Comparison(comparison) => comparison.here(line)?,
        }
        self.lines += 1;
        Ok(1)
    }

    fn end(mut self, tenant: TenantId) -> Result<(), Fault> {
        let (lines, secrets) = (self.lines, self.secrets.clone());
        let Sink::File(writer, digest) = &mut self.sink else { return Ok(()) };
        // So that nobody takes a line away, or puts in another.
        let digest = digest.clone().finish();
        let sealed =
            secrets.sealing().map(|sealing| sealing.key.seal(&whole_file(tenant), digest.as_ref())).transpose()?;
        writeln!(writer, "{}", json(&Line::End(End { lines, sealed }))?).map_err(unwritable)?;
        Ok(writer.flush().map_err(unwritable)?)
    }
}

/// A line as text.
pub(super) fn json(line: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(line).map_err(|error| Error::internal(format!("cannot write a line: {error}")))
}

fn unwritable(error: std::io::Error) -> Error {
    Error::internal(format!("cannot write the export: {}", unwritten(&error)))
}

/// Why an export could not be written, and what to do where that is known.
pub fn unwritten(error: &std::io::Error) -> String {
    let full = matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
    let todo = if full { ". The disk is full: free some space, or choose another place" } else { "" };
    format!("{error}{todo}")
}
