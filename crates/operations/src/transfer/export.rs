//! The way out.

use std::{
    fs::File,
    io::{BufWriter, Seek, Write},
};

use serde::Serialize;
use tenantry_domain::{Change, Error, InTenant, MemberId, Members, Page, PageLimit, PageRequest, Position, Sort};
use tenantry_persistence::{AuditFilter, Fault, InvitationFilter, MemberFilter, Placement, Tx};

use super::{
    Counts,
    lines::{ApiKeyLine, AuditEventLine, BrandLine, End, Header, InvitationLine, Line, MemberLine, WorkspaceLine},
};

pub(super) fn all(tx: &mut Tx<'_, InTenant>, file: &File) -> Result<Change<Counts>, Fault> {
    let mut out = Out::into(file)?;
    let (tenant, clock) = (tx.tenant()?, tx.clock()?);
    out.line(&Line::Export(Header::of(&tenant, clock)))?;
    let counts = Counts {
        brands: out.each(tx, |tx, page| tx.brands(None, page), |brand| Line::Brand(BrandLine::of(brand)))?,
        workspaces: out.each(
            tx,
            |tx, page| tx.kept_workspaces(page),
            |kept| Line::Workspace(WorkspaceLine::of(kept)),
        )?,
        members: members(tx, &mut out)?,
        invitations: out.each(
            tx,
            |tx, page| tx.invitations(&InvitationFilter::default(), page),
            |invitation| Line::Invitation(InvitationLine::of(invitation)),
        )?,
        api_keys: out.each(tx, |tx, page| tx.api_keys(None, page), |key| Line::ApiKey(ApiKeyLine::of(key)))?,
        audit_events: out.each(
            tx,
            |tx, page| tx.audit_events(&AuditFilter::default(), page),
            |event| Line::AuditEvent(AuditEventLine::of(event)),
        )?,
    };
    out.end()?;
    Ok(Change::between(counts, tenant.id, &Members::new(), &counts.members()))
}

/// Members are written with their places, which are read a page at a time as well.
fn members(tx: &mut Tx<'_, InTenant>, out: &mut Out<'_>) -> Result<u64, Fault> {
    let mut count = 0;
    let mut after = None;
    loop {
        let page = tx.members(&MemberFilter::default(), &request(after))?;
        let ids: Vec<MemberId> = page.items.iter().map(|member| member.id).collect();
        let places = tx.placements(&ids)?;
        for member in page.items {
            let own: Vec<&Placement> = places.iter().filter(|place| place.member_id == member.id).collect();
            out.line(&Line::Member(MemberLine::of(member, &own)))?;
            count += 1;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(count),
        }
    }
}

/// The oldest first, so that what a line refers to came before it wherever that can be.
fn request(after: Option<Position>) -> PageRequest {
    PageRequest { limit: PageLimit::MAX, sort: Sort::default(), after }
}

/// The file, and how many lines are in it.
struct Out<'f> {
    writer: BufWriter<&'f File>,
    lines: u64,
}

impl<'f> Out<'f> {
    /// From the start, because the transaction may run again.
    fn into(mut file: &'f File) -> Result<Self, Fault> {
        file.rewind().and_then(|()| file.set_len(0)).map_err(unwritable)?;
        Ok(Self { writer: BufWriter::new(file), lines: 0 })
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), Fault> {
        let json =
            serde_json::to_string(line).map_err(|error| Error::internal(format!("cannot write a line: {error}")))?;
        writeln!(self.writer, "{json}").map_err(unwritable)?;
        self.lines += 1;
        Ok(())
    }

    fn each<T>(
        &mut self,
        tx: &mut Tx<'_, InTenant>,
        read: impl Fn(&mut Tx<'_, InTenant>, &PageRequest) -> Result<Page<T>, Fault>,
        line: impl Fn(T) -> Line,
    ) -> Result<u64, Fault> {
        let (mut count, mut after) = (0, None);
        loop {
            let page = read(tx, &request(after))?;
            for item in page.items {
                self.line(&line(item))?;
                count += 1;
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(count),
            }
        }
    }

    fn end(mut self) -> Result<(), Fault> {
        let lines = self.lines;
        self.line(&Line::End(End { lines }))?;
        Ok(self.writer.flush().map_err(unwritable)?)
    }
}

fn unwritable(error: std::io::Error) -> Error {
    Error::internal(format!("cannot write the export: {error}"))
}
