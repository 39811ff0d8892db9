//! Requests of many clients while something happens, and what must be true of the database afterwards.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use diesel::PgConnection;
use serde_json::{Value, json};
use tenantry_tests::{Client, count, lines};
use tokio::{task::JoinHandle, time::sleep};

use crate::kit::Tenantry;

/// Longer than anything may take: whoever gets no answer by then gets none at all.
const NEVER: Duration = Duration::from_secs(90);

/// What a request asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    Read,
    Create { name: String },
    Rename { path: String, name: String },
    Invite { email: String },
    Use { reference: String },
}

impl Asked {
    /// What tells it from everything else that its client asks for.
    fn name(&self) -> &str {
        match self {
            Self::Read => "",
            Self::Create { name } | Self::Rename { name, .. } => name,
            Self::Invite { email: name } | Self::Use { reference: name } => name,
        }
    }
}

/// One request and what became of it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) replica: usize,
    pub(crate) asked: Asked,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
    /// 0 if there was no whole answer.
    pub(crate) status: u16,
    /// Whether this is the stored answer to an attempt from before.
    pub(crate) replayed: bool,
    /// The id of what was made.
    pub(crate) id: Option<String>,
    /// The answer, if it was none of the expected ones.
    pub(crate) strange: Option<String>,
}

impl Seen {
    pub(crate) fn is_good(&self) -> bool {
        is_good(self.status)
    }

    pub(crate) fn took(&self) -> Duration {
        self.ended - self.began
    }
}

/// One answer, also one after which the client asked again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    pub(crate) replica: usize,
    pub(crate) writes: bool,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
    pub(crate) status: u16,
    /// Whether this is the stored answer to an attempt from before.
    pub(crate) replayed: bool,
}

impl Attempt {
    pub(crate) fn is_good(&self) -> bool {
        is_good(self.status)
    }

    /// Whether something was written now.
    pub(crate) fn has_written(&self) -> bool {
        self.writes && self.is_good() && !self.replayed
    }
}

fn is_good(status: u16) -> bool {
    matches!(status, 200 | 201)
}

/// Clients that send requests until they are told to stop.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Vec<Seen>>>,
    attempts: Arc<Mutex<Vec<Attempt>>>,
    clients: Vec<JoinHandle<()>>,
}

/// How a load is made.
#[derive(Clone, Copy)]
pub(crate) struct Mix {
    /// Clients of each replica, each for a tenant of its own.
    pub(crate) clients: usize,
    /// Those of each replica that only read, beside these: nothing that writes keeps them waiting.
    pub(crate) readers: usize,
    /// How long a client rests between two requests.
    pub(crate) pause: Duration,
    /// Whether some of the requests invite people.
    pub(crate) invites: bool,
    /// Whether some of the requests record usage.
    pub(crate) usage: bool,
    /// Whose writes are sent again, with the same `Idempotency-Key`, until they are acknowledged.
    pub(crate) retries: Retries,
}

/// Which clients of a load send again what was not acknowledged.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Retries {
    Nobody,
    EveryOther,
    Everybody,
}

impl Default for Mix {
    fn default() -> Self {
        Self {
            clients: 8,
            readers: 0,
            pause: Duration::from_millis(20),
            invites: false,
            usage: false,
            retries: Retries::Nobody,
        }
    }
}

impl Load {
    /// Begins, with the clients of each replica in tenants of their own, which this makes with the program.
    pub(crate) async fn begin(tenantry: &Tenantry, replicas: &[String], mix: Mix) -> Self {
        let (stop, seen, attempts) = (Arc::new(AtomicBool::new(false)), Arc::default(), Arc::default());
        let mut clients = Vec::new();
        for n in 0..mix.clients + mix.readers {
            let made = tenantry.json(&["tenant", "create", "--name", &format!("Tenant {n}"), "--country", "DE"]);
            let key = made["apiKey"].as_str().unwrap().to_owned();
            for (replica, base) in replicas.iter().enumerate() {
                let owner = Client::new(base).with_key(&key);
                let made = owner.post("/api/workspaces", json!({ "name": format!("Own {n}-{replica}") })).await;
                let own = format!("/api/workspaces/{}", made.expect(201).id());
                let (seen, attempts, stop) = (Arc::clone(&seen), Arc::clone(&attempts), Arc::clone(&stop));
                let one = One { owner, own, replica, number: n, mix, seen, attempts, stop };
                clients.push(tokio::spawn(one.ask()));
            }
        }
        Self { stop, seen, attempts, clients }
    }

    /// Waits until every replica has given this many more good answers.
    pub(crate) async fn until_good(&self, replicas: usize, many: usize) {
        let from = Instant::now();
        loop {
            let mut good = vec![0; replicas];
            for one in self.seen.lock().unwrap().iter().filter(|one| one.began > from && one.is_good()) {
                good[one.replica] += 1;
            }
            if good.iter().all(|good| *good >= many) {
                return;
            }
            assert!(from.elapsed() < NEVER, "a replica does not answer any more: {good:?} good answers");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Every answer so far.
    pub(crate) fn attempts(&self) -> Vec<Attempt> {
        self.attempts.lock().unwrap().clone()
    }

    /// Waits until somebody is refused from now on.
    pub(crate) async fn until_refused(&self) {
        let from = Instant::now();
        while !self.seen.lock().unwrap().iter().any(|one| one.began > from && one.status == 503) {
            assert!(from.elapsed() < NEVER, "nobody is refused");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Stops, and says what was seen, in the order of the answers.
    pub(crate) async fn end(self) -> Vec<Seen> {
        self.stop.store(true, Ordering::SeqCst);
        for client in self.clients {
            client.await.unwrap();
        }
        let mut seen = std::mem::take(&mut *self.seen.lock().unwrap());
        seen.sort_by_key(|one| one.ended);
        seen
    }
}

/// One client.
struct One {
    owner: Client,
    own: String,
    replica: usize,
    number: usize,
    mix: Mix,
    seen: Arc<Mutex<Vec<Seen>>>,
    attempts: Arc<Mutex<Vec<Attempt>>>,
    stop: Arc<AtomicBool>,
}

impl One {
    async fn ask(self) {
        let (number, replica) = (self.number, self.replica);
        let mut turn = 0;
        while !self.stop.load(Ordering::SeqCst) {
            turn += 1;
            let name = format!("{number}-{replica}-{turn}");
            // Of the five, these two only read.
            let kind = if number < self.mix.clients { turn % 5 } else { turn % 2 * 2 };
            match kind {
                0 => self.send(Asked::Read, "GET", "/api/workspaces?limit=10", None).await,
                3 if self.mix.usage => {
                    let (path, body) = (format!("{}/usage", self.own), json!({ "seconds": 1, "reference": name }));
                    self.send(Asked::Use { reference: name }, "POST", &path, Some(body)).await;
                }
                1 | 3 => {
                    let body = json!({ "name": name });
                    self.send(Asked::Create { name }, "POST", "/api/workspaces", Some(body)).await;
                }
                2 if self.mix.invites => {
                    let email = format!("{name}@example.com");
                    let body = json!({ "email": email, "role": "agent" });
                    self.send(Asked::Invite { email }, "POST", "/api/invitations", Some(body)).await;
                }
                2 => self.send(Asked::Read, "GET", &self.own, None).await,
                _ => {
                    let body = json!({ "name": name });
                    self.send(Asked::Rename { path: self.own.clone(), name }, "PATCH", &self.own, Some(body)).await;
                }
            }
            sleep(self.mix.pause).await;
        }
    }

    fn retries(&self) -> bool {
        match self.mix.retries {
            Retries::Nobody => false,
            Retries::EveryOther => self.number.is_multiple_of(2),
            Retries::Everybody => true,
        }
    }

    async fn send(&self, asked: Asked, method: &str, path: &str, body: Option<Value>) {
        let key = format!("\"{}\"", asked.name());
        let began = Instant::now();
        loop {
            let asked_at = Instant::now();
            let mut request = self.owner.request(method, path).timeout(NEVER);
            if let Some(body) = &body {
                request = request.json(body);
            }
            let retries = self.retries() && method == "POST";
            if retries {
                request = request.header("idempotency-key", &key);
            }
            let answer = async {
                let response = request.send().await.ok()?;
                let replayed = response.headers().contains_key("idempotency-replayed");
                let mut status = response.status().as_u16();
                let untold = status == 503 && !response.headers().contains_key("retry-after");
                let text = response.text().await.ok()?;
                if untold {
                    // Whoever is refused must be told when to come back: this is as strange as an internal error.
                    status = 500;
                }
                Some((status, replayed, text))
            };
            let (status, replayed, text) = answer.await.unwrap_or_default();
            let (replica, writes, ended) = (self.replica, asked != Asked::Read, Instant::now());
            let attempt = Attempt { replica, writes, began: asked_at, ended, status, replayed };
            self.attempts.lock().unwrap().push(attempt);
            let unknown = matches!(status, 0 | 503) || text.contains("request_in_progress");
            if retries && unknown && began.elapsed() < NEVER {
                sleep(self.mix.pause).await;
                continue;
            }
            let body = serde_json::from_str::<Value>(&text).unwrap_or_default();
            let id = body["id"].as_str().map(ToOwned::to_owned);
            let strange = (!matches!(status, 0 | 200 | 201 | 503)).then_some(text);
            let seen = Seen { replica: self.replica, asked, began, ended, status, replayed, id, strange };
            return self.seen.lock().unwrap().push(seen);
        }
    }
}

/// Holds what was acknowledged against what is there: nothing is lost, nothing is there twice, and everything that is there has
/// its event in the audit log. Returns how many writes were acknowledged, and how many are there although they were not.
#[track_caller]
pub(crate) fn check(seen: &[Seen], admin: &mut PgConnection) -> (usize, usize) {
    let strange: Vec<_> = seen.iter().filter_map(|one| Some((one.status, one.strange.as_ref()?))).collect();
    assert!(strange.is_empty(), "{} strange answers, such as {:?}", strange.len(), strange.first());
    let (made, more) = check_creates(seen, admin);
    let (renamed, also) = check_renames(seen, admin);
    let (invited, besides) = check_invitations(seen, admin);
    let (used, too) = check_usage(seen, admin);
    (made + renamed + invited + used, more + also + besides + too)
}

/// How often each of these lines is there.
fn tally(admin: &mut PgConnection, sql: &str) -> HashMap<String, usize> {
    let mut tally = HashMap::new();
    for line in lines(admin, sql) {
        *tally.entry(line).or_default() += 1;
    }
    tally
}

fn check_creates(seen: &[Seen], admin: &mut PgConnection) -> (usize, usize) {
    let there = tally(admin, "SELECT name || ' ' || id AS line FROM workspaces");
    let events = tally(admin, "SELECT subject_id::text AS line FROM audit_events WHERE action = 'workspace.create'");
    let mut by_name: HashMap<&str, Vec<&str>> = HashMap::new();
    for line in there.keys() {
        let (name, id) = line.rsplit_once(' ').unwrap();
        by_name.entry(name).or_default().push(id);
        assert_eq!(events.get(id), Some(&1), "the events of workspace {name}");
    }
    assert_eq!(events.len(), there.len(), "there are no events of what is not there");
    let (mut acknowledged, mut unacknowledged) = (0, 0);
    for one in seen {
        let Asked::Create { name } = &one.asked else { continue };
        let found = by_name.get(name.as_str()).map_or(&[][..], Vec::as_slice);
        match (one.status, found) {
            (201, [id]) => {
                assert_eq!(Some(*id), one.id.as_deref(), "{name}");
                acknowledged += 1;
            }
            (201, _) => panic!("{name} was acknowledged and is there {} times", found.len()),
            (_, []) => {}
            (_, [_]) => unacknowledged += 1,
            _ => panic!("{name} is there {} times", found.len()),
        }
    }
    (acknowledged, unacknowledged)
}

fn check_renames(seen: &[Seen], admin: &mut PgConnection) -> (usize, usize) {
    let names: HashMap<_, _> = lines(admin, "SELECT '/api/workspaces/' || id || ' ' || name AS line FROM workspaces")
        .into_iter()
        .filter_map(|line| line.split_once(' ').map(|(path, name)| (path.to_owned(), name.to_owned())))
        .collect();
    let events = tally(
        admin,
        "SELECT '/api/workspaces/' || subject_id AS line FROM audit_events WHERE action = 'workspace.update'",
    );
    let mut by_path: HashMap<&str, Vec<(&str, bool)>> = HashMap::new();
    for one in seen {
        if let Asked::Rename { path, name } = &one.asked {
            by_path.entry(path).or_default().push((name, one.is_good()));
        }
    }
    let (mut acknowledged, mut unacknowledged) = (0, 0);
    for (path, renamings) in by_path {
        let good = renamings.iter().filter(|(_, good)| *good).count();
        let happened = events.get(path).copied().unwrap_or_default();
        assert!(good <= happened, "{path}: {good} renamings were acknowledged, and {happened} happened");
        (acknowledged, unacknowledged) = (acknowledged + good, unacknowledged + happened - good);
        let last_good = renamings.iter().rposition(|(_, good)| *good).unwrap_or_default();
        let last = renamings[last_good..].iter().any(|(name, _)| *name == names[path]);
        assert!(last || good == 0, "{path} has a name from before the last that was acknowledged: {}", names[path]);
    }
    let versions = "SELECT FROM workspaces AS w WHERE version - 1 <> (SELECT count(*) FROM audit_events AS e
                    WHERE e.tenant_id = w.tenant_id AND e.subject_id = w.id AND e.action = 'workspace.update')";
    assert_eq!(count(admin, versions), 0, "each change has its event");
    (acknowledged, unacknowledged)
}

fn check_invitations(seen: &[Seen], admin: &mut PgConnection) -> (usize, usize) {
    let there = tally(admin, "SELECT email AS line FROM invitations");
    let events = "SELECT FROM invitations AS i WHERE 1 <> (SELECT count(*) FROM audit_events AS e
                  WHERE e.tenant_id = i.tenant_id AND e.subject_id = i.id AND e.action = 'invitation.create')";
    assert_eq!(count(admin, events), 0, "each invitation has its event");
    let (mut acknowledged, mut unacknowledged) = (0, 0);
    for one in seen {
        let Asked::Invite { email } = &one.asked else { continue };
        match (one.status, there.get(email)) {
            (201, Some(1)) => acknowledged += 1,
            (201, found) => panic!("{email} was invited and is there {found:?} times"),
            (_, Some(_)) => unacknowledged += 1,
            (_, None) => {}
        }
    }
    (acknowledged, unacknowledged)
}

fn check_usage(seen: &[Seen], admin: &mut PgConnection) -> (usize, usize) {
    let there = tally(admin, "SELECT reference AS line FROM usage_entries");
    let events = count(admin, "SELECT FROM audit_events WHERE action = 'usage.record'");
    assert_eq!(usize::try_from(events), Ok(there.len()), "each entry has its event");
    let sums = "SELECT FROM usage_months AS m WHERE seconds <> (SELECT sum(e.seconds) FROM usage_entries AS e
                WHERE e.tenant_id = m.tenant_id AND e.workspace_id = m.workspace_id AND e.month = m.month)";
    assert_eq!(count(admin, sums), 0, "each month is the sum of its entries");
    let (mut acknowledged, mut unacknowledged) = (0, 0);
    for one in seen {
        let Asked::Use { reference } = &one.asked else { continue };
        match (one.status, there.get(reference)) {
            (201, Some(1)) => acknowledged += 1,
            (201, found) => panic!("{reference} was recorded and is there {found:?} times"),
            (_, Some(_)) => unacknowledged += 1,
            (_, None) => {}
        }
    }
    (acknowledged, unacknowledged)
}

/// The longest answer, of all with whole ones.
pub(crate) fn longest(seen: &[Seen]) -> Duration {
    seen.iter().map(Seen::took).max().unwrap_or_default()
}
