//! Who waits in the lane, and whose turn it is.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use tenantry_domain::Error;

use super::{Asker, Question};
use crate::seats::Party;

/// How many look-ups one statement answers at most, unless a single question is more. A batch is then a few milliseconds of work, and
/// whoever comes next waits as long.
const BATCH: usize = 64;

/// Nobody joins when so many wait. One party has at most as many as it leaves free.
const WAITING: usize = 8_192;

/// So many of a party may always wait, whatever they are taken to cost: an estimate can be wrong.
const ALWAYS: usize = 16;

/// What a look-up is taken to cost before any was read, in seconds.
const ASSUMED: f64 = 0.000_1;

/// How much the latest batch counts in the average.
const LATEST: f64 = 0.1;

/// Credentials that are not known yet have at most this part of a batch, because a forged key can name any tenant.
const STRANGERS: usize = 3;

pub(super) struct Ticket {
    pub(super) question: Question,
    pub(super) asker: Asker,
}

impl Ticket {
    /// How many look-ups it is.
    pub(super) fn weight(&self) -> usize {
        self.question.weight()
    }
}

/// What the look-up lane is doing, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LaneState {
    /// Look-ups that wait now.
    pub waiting: u64,
    /// Look-ups that were read.
    pub look_ups: u64,
    /// Statements that read them.
    pub batches: u64,
    /// Look-ups that were refused at once, because too many waited before them.
    pub refused: u64,
}

pub(super) struct Joined {
    pub(super) number: u64,
    /// Nobody will read it but a reader that is started now.
    pub(super) reader_is_missing: bool,
    /// A reader waits for it, and has to be told.
    pub(super) reader_lingers: bool,
}

pub(super) struct Line {
    most_readers: usize,
    patience: Duration,
    readers: usize,
    /// Whether the only reader waits for somebody to come.
    lingers: bool,
    /// Who waits. A party whose tickets have all left stays until its turn.
    parties: HashMap<Party, Own>,
    /// The same parties, in the order of their turns.
    turns: VecDeque<Party>,
    waiting: usize,
    numbers: u64,
    /// How long the lane as a whole takes for a look-up on average, in seconds.
    average: f64,
    state: LaneState,
}

/// The line of one party.
#[derive(Default)]
struct Own {
    tickets: VecDeque<(u64, Ticket)>,
    /// How many look-ups they are.
    weight: usize,
}

impl Line {
    /// Nobody joins who cannot expect an answer in this time.
    pub(super) fn new(most_readers: usize, patience: Duration) -> Self {
        Self {
            most_readers,
            patience,
            readers: 0,
            lingers: false,
            parties: HashMap::new(),
            turns: VecDeque::new(),
            waiting: 0,
            numbers: 0,
            average: ASSUMED,
            state: LaneState::default(),
        }
    }

    pub(super) fn state(&self) -> LaneState {
        LaneState { waiting: self.waiting as u64, ..self.state }
    }

    pub(super) fn join(&mut self, party: Party, ticket: Ticket) -> Result<Joined, Error> {
        let (ahead, weight) = (self.parties.get(&party).map_or(0, |own| own.weight), ticket.weight());
        if !self.may_join(ahead, weight) {
            self.state.refused += 1;
            return Err(Error::Overloaded);
        }
        self.numbers += 1;
        self.waiting += weight;
        let own = self.parties.entry(party).or_insert_with(|| {
            self.turns.push_back(party);
            Own::default()
        });
        own.weight += weight;
        own.tickets.push_back((self.numbers, ticket));
        // Another one is worth it when those who read cannot take all: fewer readers have fuller batches.
        let reader_is_missing = self.readers < self.most_readers && self.waiting > self.readers * BATCH;
        self.readers += usize::from(reader_is_missing);
        Ok(Joined { number: self.numbers, reader_is_missing, reader_lingers: self.lingers })
    }

    /// Whether who joins with so many look-ups behind so many of its party can expect an answer in time.
    fn may_join(&self, ahead: usize, weight: usize) -> bool {
        if ahead + weight > WAITING.saturating_sub(self.waiting) {
            return false;
        }
        let rivals = self.turns.len().max(1);
        let before = ((ahead + weight) * rivals).min(self.waiting + weight);
        ahead < ALWAYS || before as f64 * self.average <= self.patience.as_secs_f64()
    }

    /// Leaves the line; false when it is being read.
    pub(super) fn leave(&mut self, party: Party, number: u64) -> bool {
        let Some(own) = self.parties.get_mut(&party) else { return false };
        let at = own.tickets.binary_search_by_key(&number, |(number, _)| *number);
        let Some((_, ticket)) = at.ok().and_then(|at| own.tickets.remove(at)) else { return false };
        own.weight -= ticket.weight();
        self.waiting -= ticket.weight();
        true
    }

    /// A batch of those whose turn it is, one of each party at a time. `None` when the others take all who wait, and this reader has
    /// ended.
    pub(super) fn take(&mut self) -> Option<Vec<Ticket>> {
        if self.readers > 1 && self.waiting <= (self.readers - 1) * BATCH {
            self.reader_ends();
            return None;
        }
        let (mut taken, mut size, mut strangers, mut passed) = (Vec::new(), 0, 0, 0);
        while size < BATCH && passed < self.turns.len() {
            let Some(party) = self.turns.pop_front() else { break };
            let is_stranger = matches!(party, Party::Stranger(_));
            if is_stranger && strangers >= BATCH / STRANGERS {
                self.turns.push_back(party);
                passed += 1;
                continue;
            }
            passed = 0;
            let Some(own) = self.parties.get_mut(&party) else { continue };
            let weight = own.tickets.front().map_or(0, |(_, ticket)| ticket.weight());
            if size > 0 && size + weight > BATCH {
                // It begins the next batch.
                self.turns.push_front(party);
                break;
            }
            if let Some((_, ticket)) = own.tickets.pop_front() {
                own.weight -= weight;
                self.waiting -= weight;
                if !ticket.asker.is_closed() {
                    strangers += if is_stranger { weight } else { 0 };
                    size += weight;
                    taken.push(ticket);
                }
            }
            if own.tickets.is_empty() {
                self.parties.remove(&party);
            } else {
                self.turns.push_back(party);
            }
        }
        if taken.is_empty() {
            self.reader_ends();
            return None;
        }
        self.state.batches += 1;
        self.state.look_ups += size as u64;
        Some(taken)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// Whether a reader may wait for somebody to come: the only one, when there is nobody. It does, if so.
    pub(super) fn lingers(&mut self) -> bool {
        self.lingers = self.readers == 1 && self.is_empty();
        self.lingers
    }

    /// It waits no longer.
    pub(super) fn lingered(&mut self) {
        self.lingers = false;
    }

    pub(super) fn reader_ends(&mut self) {
        self.readers -= 1;
    }

    /// A batch of this size took so long.
    pub(super) fn took(&mut self, time: Duration, size: usize) {
        let each = time.as_secs_f64() / (size * self.readers.max(1)) as f64;
        self.average += LATEST * (each - self.average);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use tenantry_domain::TenantId;
    use tokio::sync::oneshot;
    use uuid::Uuid;

    use super::*;

    fn tenant(n: u128) -> Party {
        Party::Tenant(TenantId::from_uuid(Uuid::from_u128(n)))
    }

    fn stranger() -> Party {
        Party::stranger(Some(IpAddr::V4(Ipv4Addr::LOCALHOST)))
    }

    type Waits = oneshot::Receiver<Result<super::super::Answer, Error>>;

    fn join(line: &mut Line, party: Party) -> Result<(u64, bool, Waits), Error> {
        let (asker, waits) = oneshot::channel();
        let question = Question::nobody();
        let joined = line.join(party, Ticket { question, asker })?;
        Ok((joined.number, joined.reader_is_missing, waits))
    }

    /// Joins with a question of so many look-ups.
    fn join_with(line: &mut Line, party: Party, look_ups: usize) -> (u64, Waits) {
        let (asker, waits) = oneshot::channel();
        let joined = line.join(party, Ticket { question: Question::of_many(look_ups), asker }).unwrap();
        (joined.number, waits)
    }

    #[test]
    fn a_question_of_many_look_ups_takes_as_much_of_a_batch_as_they_do() {
        let mut line = a_line();
        let (_, _large) = join_with(&mut line, tenant(1), 100);
        let (_, _small) = join_with(&mut line, tenant(2), 30);
        let (_, _next) = join_with(&mut line, tenant(3), 40);
        let (leaves, _) = join_with(&mut line, tenant(3), 40);
        assert_eq!(line.state().waiting, 210);
        assert!(line.leave(tenant(3), leaves));
        assert_eq!(line.state().waiting, 170);
        let mut sizes: Vec<Vec<_>> = Vec::new();
        while line.state().waiting > 0 {
            // A reader that is not needed any more takes nothing and ends.
            sizes.extend(line.take().map(|batch| batch.iter().map(Ticket::weight).collect()));
        }
        assert_eq!(sizes, [vec![100], vec![30], vec![40]], "the second and the third are more than one batch");
        assert_eq!((line.state().waiting, line.state().look_ups), (0, 170));
    }

    fn a_line() -> Line {
        Line::new(2, Duration::from_secs(1))
    }

    #[test]
    fn a_flood_of_one_tenant_leaves_the_next_one_its_turn() {
        let mut line = a_line();
        let flood: Vec<_> = (0..1_000).map(|_| join(&mut line, tenant(1)).unwrap()).collect();
        let (_, _, mut other) = join(&mut line, tenant(2)).unwrap();
        let batch = line.take().unwrap();
        assert_eq!(batch.len(), 64);
        drop(batch);
        assert!(
            other.try_recv().is_err_and(|error| error == oneshot::error::TryRecvError::Closed),
            "it was in the batch"
        );
        drop(flood);
    }

    #[test]
    fn those_whom_nobody_knows_have_a_third_of_a_batch() {
        let mut line = a_line();
        let strangers: Vec<_> = (0..100).map(|_| join(&mut line, stranger()).unwrap()).collect();
        assert_eq!(line.take().unwrap().len(), 21, "also when nobody else waits");
        let known: Vec<_> = (0..100).map(|_| join(&mut line, tenant(1)).unwrap()).collect();
        assert_eq!(line.take().unwrap().len(), 64);
        assert_eq!(line.state().waiting, 200 - 21 - 64);
        drop((strangers, known));
    }

    #[test]
    fn a_tenant_waits_with_no_more_than_it_leaves_free_and_with_no_more_than_can_be_answered_in_time() {
        let mut line = a_line();
        let mut waiting = Vec::new();
        while let Ok(joined) = join(&mut line, tenant(1)) {
            waiting.push(joined);
        }
        assert_eq!(waiting.len(), WAITING / 2);
        assert_eq!(line.state().refused, 1);
        waiting.push(join(&mut line, tenant(2)).unwrap());
        // Look-ups turn out to take 10 ms each.
        for _ in 0..1_000 {
            line.took(Duration::from_millis(20), 1);
        }
        let mut slow = Vec::new();
        while let Ok(joined) = join(&mut line, tenant(3)) {
            slow.push(joined);
        }
        assert_eq!(slow.len(), 33, "three parties in turns have 100 answers in a second");
    }

    #[test]
    fn another_reader_is_started_when_those_who_read_cannot_take_all_and_ends_when_they_can() {
        let mut line = a_line();
        let started: Vec<_> = (0..200).map(|_| join(&mut line, tenant(1)).unwrap()).collect();
        let numbers: Vec<_> = started.iter().filter(|(_, missing, _)| *missing).map(|(number, ..)| *number).collect();
        assert_eq!(numbers, [1, BATCH as u64 + 1], "two at most");
        for left in [136, 72, 8] {
            assert_eq!(line.take().unwrap().len(), BATCH);
            assert_eq!(line.state().waiting, left);
        }
        assert!(line.take().is_none(), "the other reader takes the rest");
        assert_eq!(line.take().unwrap().len(), 8);
        assert!(line.take().is_none());
        assert!(join(&mut line, tenant(1)).unwrap().1);
    }

    #[test]
    fn only_the_last_reader_lingers_and_only_while_nobody_waits() {
        let mut line = a_line();
        let asked: Vec<_> = (0..=BATCH).map(|_| join(&mut line, tenant(1)).unwrap()).collect();
        assert!(!line.lingers(), "there are two");
        assert_eq!(line.take().unwrap().len(), BATCH);
        assert!(line.take().is_none(), "the other one takes the last");
        assert!(!line.lingers(), "somebody waits");
        assert_eq!(line.take().unwrap().len(), 1);
        assert!(line.lingers());
        let ticket = |asker| Ticket { question: Question::nobody(), asker };
        assert!(line.join(tenant(1), ticket(oneshot::channel().0)).unwrap().reader_lingers, "it has to be told");
        line.lingered();
        assert!(!line.join(tenant(1), ticket(oneshot::channel().0)).unwrap().reader_lingers);
        drop(asked);
    }

    #[test]
    fn whoever_leaves_and_comes_again_has_one_turn_as_before() {
        let mut line = a_line();
        for _ in 0..3 {
            let (number, ..) = join(&mut line, tenant(1)).unwrap();
            assert!(line.leave(tenant(1), number));
        }
        let waiting: Vec<_> = (0..100).map(|n| join(&mut line, tenant(1 + n % 2)).unwrap()).collect();
        drop(line.take().unwrap());
        let left = |party| line.parties.get(&tenant(party)).map_or(0, |own| own.tickets.len());
        assert_eq!([left(1), left(2)], [18, 18], "of 64, each has half");
        drop(waiting);
    }

    #[test]
    fn whoever_leaves_or_hangs_up_is_not_read() {
        let mut line = a_line();
        let (number, _, leaves) = join(&mut line, tenant(1)).unwrap();
        let (_, _, hangs_up) = join(&mut line, tenant(2)).unwrap();
        let (stays, _, _answer) = join(&mut line, tenant(1)).unwrap();
        assert!(line.leave(tenant(1), number));
        assert!(!line.leave(tenant(1), number));
        drop(hangs_up);
        assert_eq!(line.take().unwrap().len(), 1);
        assert!(!line.leave(tenant(1), stays), "it is being read");
        assert_eq!(line.state().waiting, 0);
        drop(leaves);
    }
}
