//! Who holds a seat, who waits, and whose turn it is. Time is passed in.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use tenantry_domain::Weight;
use tokio::sync::oneshot;

use super::{Party, Plan, Queue, Seat, Turn};

/// Nobody joins when so many wait, however quick the work is.
const WAITING: u64 = 8_192;

/// So many of a tenant may always wait, whatever they are taken to cost: an estimate can be wrong.
const ALWAYS: usize = 16;

/// Beyond so many, those that neither hold nor wait are forgotten.
const PARTIES: usize = 16_384;

/// What work is taken to cost before any was seen.
const ASSUMED: Duration = Duration::from_millis(2);

/// Heavy work that takes longer than this on average keeps a processor of the database busy. A tenant does one such at a time.
const SLOW: Duration = Duration::from_millis(20);

/// How much the latest work counts in the average.
const LATEST: f64 = 0.1;

/// A seat for somebody whose turn it is.
pub(super) struct Granted {
    pub(super) party: Party,
    pub(super) weight: Weight,
    pub(super) turn: Turn,
}

pub(super) struct Hall {
    plan: Plan,
    /// How long somebody may expect to wait.
    patience: Duration,
    lines: HashMap<(Party, Weight), Line>,
    /// The lines in which somebody waits, in the order of their turns. The house and the lane have none: they go first.
    turns: VecDeque<(Party, Weight)>,
    tickets: u64,
    held: Held,
    pub(super) queue: Queue,
}

/// How many seats are taken, by what they are limited by.
#[derive(Default)]
struct Held {
    house: usize,
    lane: usize,
    tenants: usize,
    heavy: usize,
    strangers: usize,
}

/// What a party holds and waits for, of one weight.
struct Line {
    held: usize,
    waiting: VecDeque<(u64, Turn)>,
    in_turns: bool,
    /// How long work takes on average, in seconds.
    average: f64,
    /// When work last began on an idle line, or ended.
    progress: Instant,
}

impl Line {
    fn new(now: Instant) -> Self {
        Self { held: 0, waiting: VecDeque::new(), in_turns: false, average: ASSUMED.as_secs_f64(), progress: now }
    }

    /// How long the next work can be expected to take: as long as usual, or as long as nothing has got done.
    fn expected(&self, now: Instant) -> f64 {
        let stalled = if self.held > 0 { now.duration_since(self.progress).as_secs_f64() } else { 0.0 };
        self.average.max(stalled)
    }
}

impl Hall {
    pub(super) fn new(plan: Plan, patience: Duration) -> Self {
        let (lines, turns) = (HashMap::new(), VecDeque::new());
        Self { plan, patience, lines, turns, tickets: 0, held: Held::default(), queue: Queue::default() }
    }

    pub(super) fn lane(&self) -> usize {
        self.plan.lane
    }

    pub(super) fn taken(&self) -> usize {
        self.held.house + self.held.lane + self.held.tenants
    }

    /// Joins the queue; `None` when it is too long.
    pub(super) fn ask(&mut self, party: Party, weight: Weight, now: Instant) -> Option<(u64, oneshot::Receiver<Seat>)> {
        if self.lines.len() >= PARTIES {
            self.lines.retain(|_, line| line.held > 0 || !line.waiting.is_empty());
        }
        if !self.may_join(party, weight, now) {
            self.queue.refused_full += 1;
            return None;
        }
        self.tickets += 1;
        let (turn, receiver) = oneshot::channel();
        let line = self.lines.entry((party, weight)).or_insert_with(|| Line::new(now));
        line.waiting.push_back((self.tickets, turn));
        self.queue.waiting += 1;
        if !line.in_turns && !goes_first(party) {
            line.in_turns = true;
            self.turns.push_back((party, weight));
        }
        Some((self.tickets, receiver))
    }

    /// Whether somebody who joins now can expect their turn in time.
    fn may_join(&self, party: Party, weight: Weight, now: Instant) -> bool {
        if goes_first(party) || self.may_take(party, weight) {
            return true;
        }
        if self.queue.waiting >= WAITING {
            return false;
        }
        let line = self.lines.get(&(party, weight));
        let ahead = line.map_or(0, |line| line.waiting.len());
        if ahead < ALWAYS && matches!(party, Party::Tenant(_)) {
            return true;
        }
        let each = line.map_or(ASSUMED.as_secs_f64(), |line| line.expected(now));
        let rivals = self.turns.len() + usize::from(!line.is_some_and(|line| line.in_turns));
        // Of n parties that all have more to do, each has 1/(n + 1) of the seats, and as many are free.
        let seats = match (party, weight) {
            (Party::Stranger(_), _) => self.plan.strangers as f64 / rivals as f64,
            (_, Weight::Heavy) => (self.plan.heavy as f64 / (rivals + 1) as f64).min(self.at_once(party) as f64),
            (_, Weight::Light) => self.plan.common() as f64 / (rivals + 1) as f64,
        };
        (ahead + 1) as f64 * each <= self.patience.as_secs_f64() * seats
    }

    /// Leaves the queue without a seat.
    pub(super) fn forget(&mut self, party: Party, weight: Weight, ticket: u64) {
        let Some(line) = self.lines.get_mut(&(party, weight)) else { return };
        if let Ok(at) = line.waiting.binary_search_by_key(&ticket, |(ticket, _)| *ticket) {
            line.waiting.remove(at);
            self.queue.waiting -= 1;
        }
    }

    /// Gives free seats to those whose turn it is.
    pub(super) fn grant(&mut self, now: Instant) -> Vec<Granted> {
        let mut granted = Vec::new();
        for party in [Party::Probe, Party::House, Party::Lane] {
            for weight in [Weight::Light, Weight::Heavy] {
                while self.may_take(party, weight) && self.next(party, weight, now, &mut granted) {}
            }
        }
        // Once around, and again from wherever somebody got a seat.
        let mut left = self.turns.len();
        while left > 0 && self.taken() < self.plan.seats {
            left -= 1;
            let Some((party, weight)) = self.turns.pop_front() else { break };
            let got = self.may_take(party, weight) && self.next(party, weight, now, &mut granted);
            if let Some(line) = self.lines.get_mut(&(party, weight)) {
                line.in_turns = !line.waiting.is_empty();
                if line.in_turns {
                    self.turns.push_back((party, weight));
                }
            }
            if got {
                left = self.turns.len();
            }
        }
        granted
    }

    /// Gives a seat to the first of the line; false when there is nobody.
    fn next(&mut self, party: Party, weight: Weight, now: Instant, granted: &mut Vec<Granted>) -> bool {
        let Some(line) = self.lines.get_mut(&(party, weight)) else { return false };
        let Some((_, turn)) = line.waiting.pop_front() else { return false };
        self.queue.waiting -= 1;
        self.sit(party, weight, now);
        granted.push(Granted { party, weight, turn });
        true
    }

    /// Whether the party may have one more seat.
    fn may_take(&self, party: Party, weight: Weight) -> bool {
        let Held { house, lane, tenants, heavy, strangers } = self.held;
        if self.taken() >= self.plan.seats {
            return false;
        }
        let beyond = house.saturating_sub(self.plan.reserved);
        let free = self.plan.common().saturating_sub(tenants + lane + beyond);
        let held = |weight| self.lines.get(&(party, weight)).map_or(0, |line| line.held);
        match party {
            // However many ask at once whether the service is ready.
            Party::Probe => held(Weight::Light) == 0,
            Party::House => house < self.plan.reserved || beyond < free,
            Party::Lane => lane < self.plan.lane && free > 0,
            Party::Tenant(_) | Party::Stranger(_) => {
                held(Weight::Light) + held(Weight::Heavy) < free
                    && (weight == Weight::Light
                        || held(Weight::Heavy) < self.plan.heavy.saturating_sub(heavy).min(self.at_once(party)))
                    && (matches!(party, Party::Tenant(_)) || strangers < self.plan.strangers)
            }
        }
    }

    /// How much heavy work of the party may go on at once, however many seats there are.
    fn at_once(&self, party: Party) -> usize {
        let slow = self.lines.get(&(party, Weight::Heavy)).is_some_and(|line| line.average > SLOW.as_secs_f64());
        if slow { 1 } else { usize::MAX }
    }

    fn sit(&mut self, party: Party, weight: Weight, now: Instant) {
        let line = self.lines.entry((party, weight)).or_insert_with(|| Line::new(now));
        if line.held == 0 {
            line.progress = now;
        }
        line.held += 1;
        self.count(party, weight, |held| *held += 1);
    }

    fn rise(&mut self, party: Party, weight: Weight) {
        if let Some(line) = self.lines.get_mut(&(party, weight)) {
            line.held -= 1;
        }
        self.count(party, weight, |held| *held -= 1);
    }

    fn count(&mut self, party: Party, weight: Weight, step: impl Fn(&mut usize)) {
        match party {
            Party::Probe | Party::House => return step(&mut self.held.house),
            Party::Lane => return step(&mut self.held.lane),
            Party::Tenant(_) | Party::Stranger(_) => {}
        }
        step(&mut self.held.tenants);
        if weight == Weight::Heavy {
            step(&mut self.held.heavy);
        }
        if matches!(party, Party::Stranger(_)) {
            step(&mut self.held.strangers);
        }
    }

    /// Gives a seat back after work that took so long.
    pub(super) fn leave(&mut self, party: Party, weight: Weight, took: Duration, now: Instant) {
        self.rise(party, weight);
        if let Some(line) = self.lines.get_mut(&(party, weight)) {
            line.average += LATEST * (took.as_secs_f64() - line.average);
            line.progress = now;
        }
    }

    /// Moves a seat from one party to another, if that may have it.
    pub(super) fn reseat(&mut self, from: Party, to: Party, weight: Weight, now: Instant) -> bool {
        self.rise(from, weight);
        let room = self.may_take(to, weight);
        self.sit(if room { to } else { from }, weight, now);
        room
    }
}

/// Whether the party waits for nobody's turn.
fn goes_first(party: Party) -> bool {
    matches!(party, Party::Probe | Party::House | Party::Lane)
}
