//! Who gets the next database connection: a fair queue of seats, one for each connection.
//!
//! A tenant holds at most as many seats as it leaves free, so that slow requests of one never shut out another. Tenants that
//! wait take turns. Work that reads a lot has only a part of the seats. Credentials that the database has not confirmed lately
//! share a small part, because a forged key can name any tenant. The service's own work, the platform, and batches of look-ups
//! go first.
//!
//! A queue is only as long as what it can expect to have answered in time; beyond that a request is refused at once.

mod hall;
mod plan;
mod recognised;
#[cfg(test)]
mod tests;

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use tenantry_domain::{Credential, Error, Holder, TenantId, Weight, network};
use tokio::sync::oneshot;

pub use self::recognised::Lately;
pub(crate) use self::recognised::Recognised;
use self::{
    hall::{Granted, Hall},
    plan::Plan,
};
use crate::pool::lock;

/// Whose share of the seats a request uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Party {
    /// Somebody asks whether the service is ready.
    Probe,
    /// The platform, an operator, or the service itself.
    House,
    /// A batch of look-ups, see [`crate::lane`], where those who wait take turns.
    Lane,
    /// A tenant, by a credential that the database has confirmed lately.
    Tenant(TenantId),
    /// An address, with a credential that may be made up.
    Stranger(Option<IpAddr>),
}

impl Party {
    /// Whose share a visit with this credential uses.
    pub(crate) fn of(credential: &Credential, recognised: &Recognised) -> Self {
        match credential.holder {
            Holder::Platform { .. } | Holder::Operator { .. } | Holder::Job { .. } => Self::House,
            Holder::ApiKey { tenant, .. } | Holder::Member { tenant, .. }
                if recognised.lately(credential).is_some() =>
            {
                Self::Tenant(tenant)
            }
            Holder::ApiKey { .. } | Holder::Member { .. } => Self::stranger(credential.origin.address),
        }
    }

    /// Somebody at this address.
    pub(crate) fn stranger(address: Option<IpAddr>) -> Self {
        Self::Stranger(address.map(network))
    }
}

/// What became of those who waited, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Queue {
    /// Who waits now.
    pub waiting: u64,
    /// How many were refused at once, because too many waited before them.
    pub refused_full: u64,
    /// How many waited for nothing.
    pub refused_late: u64,
}

/// The seats. Clones share them.
#[derive(Clone)]
pub(crate) struct Seats(Arc<Mutex<Hall>>);

impl Seats {
    /// As many seats as connections. Nobody joins a queue who cannot expect a seat within half of `wait`: the other half is
    /// for estimates that are wrong.
    pub(crate) fn new(seats: usize, wait: Duration) -> Self {
        Self(Arc::new(Mutex::new(Hall::new(Plan::of(seats), wait / 2))))
    }

    /// How many batches of look-ups may be read at once.
    pub(crate) fn lane(&self) -> usize {
        self.hall().lane()
    }

    /// A seat, once it is this party's turn.
    ///
    /// # Errors
    ///
    /// `Overloaded` at once when too many wait already, or at the deadline; `Unavailable` for the service's own work.
    pub(crate) async fn take(&self, party: Party, weight: Weight, deadline: Instant) -> Result<Seat, Error> {
        let (asked, granted) = {
            let mut hall = self.hall();
            let asked = hall.ask(party, weight, Instant::now());
            (asked, hall.grant(Instant::now()))
        };
        self.hand_out(granted);
        let (ticket, turn) = asked.ok_or(Error::Overloaded)?;
        // Whoever stops waiting leaves the queue, also by hanging up.
        let mut place = Waiting { seats: self, party, weight, ticket, over: false };
        match tokio::time::timeout_at(deadline.into(), turn).await {
            Ok(Ok(seat)) => {
                place.over = true;
                Ok(seat)
            }
            _ if matches!(party, Party::Probe | Party::House) => {
                Err(Error::Unavailable { cause: "no database connection became free in time".to_owned() })
            }
            _ => {
                self.hall().queue.refused_late += 1;
                Err(Error::Overloaded)
            }
        }
    }

    /// How many seats are taken, and the queue.
    pub(crate) fn state(&self) -> (usize, Queue) {
        let hall = self.hall();
        (hall.taken(), hall.queue)
    }

    fn hall(&self) -> MutexGuard<'_, Hall> {
        lock(&self.0)
    }

    /// Gives seats to whose turn it is. Whoever has gone meanwhile leaves theirs to the next.
    fn hand_out(&self, granted: Vec<Granted>) {
        for Granted { party, weight, turn } in granted {
            let seat = Seat { seats: self.clone(), party, weight, since: Instant::now(), owner: None };
            // A seat that nobody takes is dropped here, which gives it back.
            drop(turn.send(seat));
        }
    }
}

/// Leave to use one connection, until it is dropped.
pub(crate) struct Seat {
    seats: Seats,
    party: Party,
    weight: Weight,
    since: Instant,
    owner: Option<TenantId>,
}

impl Seat {
    /// The database has confirmed the stranger's credential, so the work goes on in the share of its tenant. Returns whether
    /// there is room in it; if not, the work must be given up and wait for the [`owner`](Self::owner)'s turn.
    pub(crate) fn belongs_to(&mut self, tenant: TenantId) -> bool {
        if !matches!(self.party, Party::Stranger(_)) {
            return true;
        }
        let (moved, granted) = {
            let mut hall = self.seats.hall();
            let moved = hall.reseat(self.party, Party::Tenant(tenant), self.weight, Instant::now());
            (moved, if moved { hall.grant(Instant::now()) } else { Vec::new() })
        };
        if moved {
            self.party = Party::Tenant(tenant);
        } else {
            self.owner = Some(tenant);
        }
        self.seats.hand_out(granted);
        moved
    }

    /// Whose turn the work has to wait for, if it was given up.
    pub(crate) fn owner(&self) -> Option<TenantId> {
        self.owner
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let granted = {
            let mut hall = self.seats.hall();
            hall.leave(self.party, self.weight, self.since.elapsed(), Instant::now());
            hall.grant(Instant::now())
        };
        self.seats.hand_out(granted);
    }
}

/// A place in a queue.
struct Waiting<'a> {
    seats: &'a Seats,
    party: Party,
    weight: Weight,
    ticket: u64,
    over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.seats.hall().forget(self.party, self.weight, self.ticket);
        }
    }
}

type Turn = oneshot::Sender<Seat>;
