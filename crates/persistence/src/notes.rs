//! What is noted beside the requests, and written down together a while later: no request waits for it, and none depends on it.

use std::{
    collections::HashMap,
    hash::Hash,
    mem,
    sync::{Arc, Mutex},
    time::Duration,
};

use diesel::{PgConnection, RunQueryDsl};
use tenantry_domain::{Error, TenantId, Weight};
use tokio::sync::Notify;

use crate::{
    fault::Fault,
    freeze::may_write,
    pool::{Pool, Session, lock},
    seats::Party,
};

/// How many notes are written in one transaction, which keeps their rows locked.
const TOGETHER: usize = 256;

/// Something that is noted: what makes two notes the same one.
pub(crate) trait Note: Eq + Hash + Send + 'static {
    /// What the first note of it knows besides.
    type More: Send + 'static;

    /// So many are noted at most. The next request that would note another one does so again.
    const AT_MOST: usize;
    /// What it is, for the log.
    const WHAT: &'static str;

    /// The tenant that it belongs to.
    fn tenant(&self) -> TenantId;

    /// Writes what was noted in a tenant, in which the transaction stands. May be called more than once for the same notes.
    fn write(connection: &mut PgConnection, tenant: TenantId, notes: &[&(Self, Self::More)]) -> Result<(), Fault>
    where
        Self: Sized;
}

/// Notes that wait. Clones share them.
pub(crate) struct Notes<N: Note>(Arc<Waiting<N>>);

struct Waiting<N: Note> {
    notes: Mutex<HashMap<N, N::More>>,
    /// There are some to be written.
    first: Notify,
}

impl<N: Note> Clone for Notes<N> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<N: Note> Notes<N> {
    /// Writes down what is noted, so long after the first was. While nothing is noted, nothing wakes up.
    pub(crate) fn written_by(pool: &Pool, after: Duration) -> Self {
        let notes = Self(Arc::new(Waiting { notes: Mutex::default(), first: Notify::new() }));
        let (this, weak) = (notes.clone(), pool.downgrade());
        pool.spawn(async move {
            loop {
                this.0.first.notified().await;
                tokio::time::sleep(after).await;
                let Some(pool) = weak.upgrade() else { return };
                this.write(&pool).await;
            }
        });
        notes
    }

    /// Notes it, unless it is noted already.
    pub(crate) fn note(&self, note: N, more: impl FnOnce(&N) -> N::More) {
        let mut notes = lock(&self.0.notes);
        if notes.len() >= N::AT_MOST || notes.contains_key(&note) {
            return;
        }
        let more = more(&note);
        notes.insert(note, more);
        if notes.len() == 1 {
            self.0.first.notify_one();
        }
    }

    /// Writes what is noted. A failure is logged and no more.
    pub(crate) async fn write(&self, pool: &Pool) {
        let mut noted: Vec<_> = mem::take(&mut *lock(&self.0.notes)).into_iter().collect();
        while !noted.is_empty() {
            let together = noted.split_off(noted.len().saturating_sub(TOGETHER));
            let notes = together.len();
            if let Err(error) = write(pool, together).await {
                tracing::warn!(%error, notes, "could not record {}", N::WHAT);
            }
        }
    }
}

async fn write<N: Note>(pool: &Pool, notes: Vec<(N, N::More)>) -> Result<(), Error> {
    let notes = Mutex::new(notes);
    let work = move |connection: &mut PgConnection, session: &Session<'_>| {
        let notes = lock(&notes);
        let mut tenants: HashMap<TenantId, Vec<_>> = HashMap::new();
        for note in notes.iter() {
            tenants.entry(note.0.tenant()).or_default().push(note);
        }
        let written = tenants.iter().try_for_each(|(tenant, notes)| {
            // Beside the door on purpose: no credential asks for it.
            diesel::sql_query(format!("SELECT set_tenant('{tenant}')")).execute(connection)?;
            // What is noted of a tenant that is frozen, or is being frozen, is forgotten.
            if may_write(connection, *tenant)? { N::write(connection, *tenant, notes) } else { Ok(()) }
        });
        session.finish(connection, written)
    };
    pool.run((Party::House, Weight::Light), "BEGIN", work).await
}
