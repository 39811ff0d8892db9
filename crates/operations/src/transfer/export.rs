//! The way out.

use std::{
    fs::File,
    io::{BufWriter, ErrorKind, Seek, Write},
};

use serde::Serialize;
use tenantry_domain::{Change, Error, Fields, InTenant, PageLimit, PageRequest, Position, Sort};
use tenantry_persistence::{Fault, Tx};

use super::lines::{self, Counts, End, Header, Line};

/// How many rows are read at a time in the order of their ids.
pub(super) const PAGE: u16 = 500;

pub(super) fn all(tx: &mut Tx<'_, InTenant>, file: &File) -> Result<Change<Counts>, Fault> {
    let mut out = Out::into(file)?;
    let (tenant, last, clock) = (tx.tenant()?, tx.last_numbers()?, tx.clock()?);
    out.line(&Line::Export(Header::of(&tenant, last, clock)))?;
    let mut counts = Counts::default();
    lines::export(tx, &mut out, &mut counts)?;
    out.end()?;
    Ok(Change::between(counts, tenant.id, &Fields::new(), &counts.added_to(Fields::new())))
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

/// The file, and how many lines are in it.
pub(super) struct Out<'f> {
    writer: BufWriter<&'f File>,
    lines: u64,
}

impl<'f> Out<'f> {
    /// From the start, because the transaction may run again.
    fn into(mut file: &'f File) -> Result<Self, Fault> {
        file.rewind().and_then(|()| file.set_len(0)).map_err(unwritable)?;
        Ok(Self { writer: BufWriter::new(file), lines: 0 })
    }

    /// Writes a line, and counts one.
    pub(super) fn line(&mut self, line: &impl Serialize) -> Result<u64, Fault> {
        let json =
            serde_json::to_string(line).map_err(|error| Error::internal(format!("cannot write a line: {error}")))?;
        writeln!(self.writer, "{json}").map_err(unwritable)?;
        self.lines += 1;
        Ok(1)
    }

    fn end(mut self) -> Result<(), Fault> {
        let lines = self.lines;
        self.line(&Line::End(End { lines }))?;
        Ok(self.writer.flush().map_err(unwritable)?)
    }
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
