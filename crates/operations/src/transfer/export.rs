//! The way out.

use std::{
    fs::File,
    io::{BufWriter, ErrorKind, Seek, Write},
};

use serde::Serialize;
use tenantry_domain::{
    Change, Error, InTenant, InvitationId, MemberId, Members, PageLimit, PageRequest, Position, Sort, WorkspaceId,
};
use tenantry_persistence::{AuditFilter, Fault, InvitationFilter, MemberFilter, Tx};

use super::{
    Counts,
    lines::{
        AgentLine, ApiKeyLine, AuditEventLine, BrandLine, End, Header, IntegrationLine, InvitationLine, Line,
        MemberLine, UsageEntryLine, WorkspaceLine,
    },
};

/// How many rows are read at a time in the order of their ids.
const PAGE: u16 = 500;

pub(super) fn all(tx: &mut Tx<'_, InTenant>, file: &File) -> Result<Change<Counts>, Fault> {
    let mut out = Out::into(file)?;
    let (tenant, last, clock) = (tx.tenant()?, tx.last_numbers()?, tx.clock()?);
    out.line(&Line::Export(Header::of(&tenant, last, clock)))?;
    let mut counts = Counts::default();
    pages(|page| {
        let page = tx.brands(None, page)?;
        for brand in page.items {
            counts.brands += out.line(&Line::Brand(BrandLine::of(brand)))?;
        }
        Ok(page.next)
    })?;
    workspaces(tx, &mut out, &mut counts)?;
    by_id(
        |last| tx.agents_after(last, PAGE),
        |agent| {
            let id = agent.id;
            counts.agents += out.line(&Line::Agent(AgentLine::of(agent)))?;
            Ok(id)
        },
    )?;
    by_id(
        |last| tx.usage_after(last, PAGE),
        |entry| {
            let id = entry.id;
            counts.usage_entries += out.line(&Line::UsageEntry(UsageEntryLine::of(entry)))?;
            Ok(id)
        },
    )?;
    people(tx, &mut out, &mut counts)?;
    pages(|page| {
        let page = tx.api_keys(None, page)?;
        for key in page.items {
            counts.api_keys += out.line(&Line::ApiKey(ApiKeyLine::of(key)))?;
        }
        Ok(page.next)
    })?;
    pages(|page| {
        let page = tx.audit_events(&AuditFilter::default(), page)?;
        for event in page.items {
            counts.audit_events += out.line(&Line::AuditEvent(AuditEventLine::of(event)))?;
        }
        Ok(page.next)
    })?;
    out.end()?;
    Ok(Change::between(counts, tenant.id, &Members::new(), &counts.members()))
}

/// Workspaces, each with its integrations behind it.
fn workspaces(tx: &mut Tx<'_, InTenant>, out: &mut Out<'_>, counts: &mut Counts) -> Result<(), Fault> {
    pages(|page| {
        let page = tx.kept_workspaces(page)?;
        let ids: Vec<WorkspaceId> = page.items.iter().map(|kept| kept.workspace.id).collect();
        let integrations = tx.integrations_of(&ids)?;
        for (kept, id) in page.items.into_iter().zip(ids) {
            counts.workspaces += out.line(&Line::Workspace(WorkspaceLine::of(kept)))?;
            for integration in integrations.iter().filter(|integration| integration.workspace_id == id) {
                let line = IntegrationLine::of(integration.clone());
                counts.secrets_to_set += u64::from(line.had_secret());
                counts.integrations += out.line(&Line::Integration(line))?;
            }
        }
        Ok(page.next)
    })
}

/// Members with their assignments, and invitations with their slots.
fn people(tx: &mut Tx<'_, InTenant>, out: &mut Out<'_>, counts: &mut Counts) -> Result<(), Fault> {
    pages(|page| {
        let page = tx.members(&MemberFilter::default(), page)?;
        let ids: Vec<MemberId> = page.items.iter().map(|member| member.id).collect();
        let assignments = tx.assignments_of(&ids)?;
        for member in page.items {
            counts.members += out.line(&Line::Member(MemberLine::of(member, &assignments)))?;
        }
        Ok(page.next)
    })?;
    pages(|page| {
        let page = tx.invitations(&InvitationFilter::default(), page)?;
        let ids: Vec<InvitationId> = page.items.iter().map(|invitation| invitation.id).collect();
        let slots = tx.slots_of(&ids)?;
        for invitation in page.items {
            counts.invitations += out.line(&Line::Invitation(InvitationLine::of(invitation, &slots)))?;
        }
        Ok(page.next)
    })
}

/// All pages of a list, the oldest first.
fn pages(mut page: impl FnMut(&PageRequest) -> Result<Option<Position>, Fault>) -> Result<(), Fault> {
    let mut request = PageRequest { limit: PageLimit::MAX, sort: Sort::default(), after: None };
    loop {
        request.after = page(&request)?;
        if request.after.is_none() {
            return Ok(());
        }
    }
}

/// All rows that are read in the order of their ids.
fn by_id<T, I>(
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

    /// Writes a line, and counts one.
    fn line(&mut self, line: &impl Serialize) -> Result<u64, Fault> {
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
    let full = matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
    let todo = if full { ". The disk is full: free some space, or choose another place" } else { "" };
    Error::internal(format!("cannot write the export: {error}{todo}"))
}
