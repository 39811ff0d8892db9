//! What the lines hold, stored many rows at a time.

use std::mem;

use tenantry_domain::{
    Agent, ApiKey, Brand, Change, FieldRefusal, InTenant, Integration, MasterKeyId, Member, SealedSecret, SecretHash,
    UsageEntry, Webhook,
};
use tenantry_persistence::{Fault, KeptAssignment, KeptInvitation, KeptMessage, KeptWorkspace, NewSealed, WriteTx};

use super::at;

/// So many rows are stored together.
const ROWS: usize = 500;

/// Rows of more lines than this, in bytes, are not waited for.
const BYTES: usize = 1024 * 1024;

/// What a line holds, in the words of the domain.
pub(in crate::transfer) enum Row {
    Brand(Brand),
    Workspace(KeptWorkspace),
    Integration((Integration, Option<NewSealed>)),
    Agent(Agent),
    UsageEntry(UsageEntry),
    Member((Member, Vec<KeptAssignment>)),
    Invitation(KeptInvitation),
    ApiKey((ApiKey, SecretHash)),
    Webhook((Webhook, Option<(SealedSecret, MasterKeyId)>)),
    OutboxMessage(KeptMessage),
}

/// Rows that wait to be stored, with the numbers of their lines.
#[derive(Default)]
pub(super) struct Batch {
    rows: Vec<(u64, Row)>,
    bytes: usize,
}

impl Batch {
    /// Takes a row of a line with so many bytes, and stores all when there are enough.
    pub(super) fn add(&mut self, tx: &mut WriteTx<'_, InTenant>, row: (u64, Row), bytes: usize) -> Result<(), Fault> {
        self.rows.push(row);
        self.bytes += bytes;
        if self.rows.len() < ROWS && self.bytes < BYTES { Ok(()) } else { self.store(tx) }
    }

    /// Stores what waits. If it is refused, all is stored once more, each row by itself, until the one is found that is not good.
    pub(super) fn store(&mut self, tx: &mut WriteTx<'_, InTenant>) -> Result<(), Fault> {
        let rows = mem::take(self).rows;
        if tx.part(|tx| stored(tx, &rows).map(Change::nothing))?.is_err() {
            for row in rows.chunks(1) {
                stored(tx, row)?;
            }
        }
        Ok(())
    }
}

/// Stores rows, or refuses them by the number of the first line.
fn stored(tx: &mut WriteTx<'_, InTenant>, rows: &[(u64, Row)]) -> Result<(), Fault> {
    match (rows.first(), refused(tx, rows)?) {
        (Some((number, _)), Some(refused)) => Err(at(*number, vec![refused]).into()),
        _ => Ok(()),
    }
}

/// Stores rows, first those to which others refer, and says what is refused of them.
fn refused<'r>(tx: &mut WriteTx<'_, InTenant>, rows: &'r [(u64, Row)]) -> Result<Option<FieldRefusal>, Fault> {
    macro_rules! store {
        ($($kind:ident => $import:ident),+) => {$(
            let own = |(_, row): &'r (u64, Row)| if let Row::$kind(own) = row { Some(own) } else { None };
            let own: Vec<_> = rows.iter().filter_map(own).collect();
            if !own.is_empty() && let Some(refused) = tx.$import(&own)? {
                return Ok(Some(refused));
            }
        )+};
    }
    store!(
        Brand => import_brands,
        Workspace => import_workspaces,
        Integration => import_integrations,
        Agent => import_agents,
        UsageEntry => import_usage,
        Member => import_members,
        Invitation => import_invitations,
        ApiKey => import_api_keys,
        Webhook => import_webhooks,
        OutboxMessage => import_messages
    );
    Ok(None)
}
