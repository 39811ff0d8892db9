//! Changes in tenants with receivers of every kind: healthy ones, slow ones, some that answer 500 for an hour, and some that hang.
//!
//! First two replicas send while changes keep coming, and the clock of the queues is moved by an hour: how long healthy receivers wait,
//! and what the processes need. Then the replicas are killed at random. In the end everybody is well, and has everything.

use std::{
    collections::{HashMap, HashSet},
    env, fs,
    hash::{BuildHasher, RandomState},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use diesel::{RunQueryDsl, sql_query};
use nix::sys::signal::Signal;
use serde_json::json;
use tenantry_tests::{Client, OwnServer, Receiver, Receiving, count};
use tokio::{
    task::block_in_place,
    time::{Instant, MissedTickBehavior, interval, sleep},
};

use crate::kit::{Service, Tenantry};

const TENANTS: usize = 10;

/// Webhooks of each tenant.
const WEBHOOKS: usize = 5;

/// Workspaces of each tenant, which change in turn.
const WORKSPACES: usize = 8;

/// From one change in a tenant to the next.
const TICK: Duration = Duration::from_millis(400);

/// How long a slow receiver works on an event before it answers.
const SLOW: Duration = Duration::from_secs(2);

/// Healthy receivers have 99 of 100 events after this time.
const PROMISE: Duration = Duration::from_secs(2);

/// What a replica may need in memory for its work, in MiB, however many events there are.
const WORK: u64 = 48;

/// Into so many steps the hour is divided.
const STEPS: usize = 12;

/// How many times a replica is killed.
const KILLS: usize = 10;

/// Longer than the lease of a worker that died, and than an attempt takes that nobody answers.
const PATIENCE: Duration = Duration::from_secs(300);

/// The kinds of receivers: a tenth each of the last three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Healthy,
    Slow,
    Failing,
    Dead,
}

impl Kind {
    fn of(n: usize) -> Self {
        match n % 10 {
            0 => Self::Dead,
            1 => Self::Failing,
            2 => Self::Slow,
            _ => Self::Healthy,
        }
    }

    fn receiving(self) -> Receiving {
        match self {
            Self::Healthy => Receiving::Well,
            Self::Slow => Receiving::Slow(SLOW),
            Self::Failing => Receiving::Status(500, "", String::new()),
            Self::Dead => Receiving::Hang,
        }
    }

    /// Whether it takes what it is sent.
    fn takes(self) -> bool {
        matches!(self, Self::Healthy | Self::Slow)
    }
}

/// Somebody's program, and what it is told of.
struct Hook {
    tenant: usize,
    tenant_id: String,
    id: String,
    kind: Kind,
    receiver: Receiver,
}

/// Who changes something in a tenant.
#[derive(Clone)]
struct Writer {
    tenant: usize,
    owner: Client,
    workspaces: Vec<String>,
}

struct Stage {
    // They go in this order.
    replicas: Vec<Service>,
    programs: Vec<Tenantry>,
    server: OwnServer,
    hooks: Vec<Hook>,
    writers: Vec<Writer>,
}

impl Stage {
    async fn new() -> Self {
        let server = OwnServer::start();
        // The port that a replica has now, it has after each restart.
        let programs: Vec<_> = (0..2)
            .map(|_| {
                let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
                Tenantry::at(&server.service_url())
                    .with("TENANTRY_BIND", &port.to_string())
                    .with("TENANTRY_WEBHOOK_ALLOWED_NETWORKS", "127.0.0.0/8")
            })
            .collect();
        fs::copy(programs[0].path("master.key"), programs[1].path("master.key")).unwrap();
        let replicas: Vec<_> = programs.iter().map(Tenantry::serve).collect();
        let (mut hooks, mut writers) = (Vec::new(), Vec::new());
        for tenant in 0..TENANTS {
            let named = ["tenant", "create", "--name", &format!("Tenant {tenant}"), "--country", "DE"];
            let key = programs[0].json(&named)["apiKey"].as_str().unwrap().to_owned();
            let owner = replicas[tenant % 2].client().with_key(&key);
            let tenant_id = owner.get("/api/me").await.expect(200).body["tenant"]["id"].as_str().unwrap().to_owned();
            for n in 0..WEBHOOKS {
                let (kind, receiver) = (Kind::of(tenant * WEBHOOKS + n), Receiver::start());
                receiver.receive(kind.receiving());
                let wanted = json!({ "url": receiver.url(), "events": ["workspace.update"] });
                let id = owner.post("/api/webhooks", wanted).await.expect(201).id();
                hooks.push(Hook { tenant, tenant_id: tenant_id.clone(), id, kind, receiver });
            }
            let mut workspaces = Vec::new();
            for n in 0..WORKSPACES {
                workspaces
                    .push(owner.post("/api/workspaces", json!({ "name": format!("W {n}") })).await.expect(201).id());
            }
            writers.push(Writer { tenant, owner, workspaces });
        }
        Self { replicas, programs, server, hooks, writers }
    }

    fn clients(&self) -> Vec<Client> {
        self.replicas.iter().map(Service::client).collect()
    }

    /// Lets this time pass for those that take nothing. Each statement is a transaction of its own, so that it waits for nobody with a lock.
    fn pass(&self, time: &str) {
        let mut admin = self.server.admin();
        for Hook { tenant_id, id, .. } in self.hooks.iter().filter(|hook| !hook.kind.takes()) {
            for sql in [
                format!(
                    "UPDATE webhook_deliveries SET next_attempt_at = next_attempt_at - interval '{time}'
                     WHERE tenant_id = '{tenant_id}' AND webhook_id = '{id}' AND state = 'pending'"
                ),
                format!(
                    "UPDATE webhooks SET next_turn_at = next_turn_at - interval '{time}'
                     WHERE tenant_id = '{tenant_id}' AND id = '{id}' AND failures > 0"
                ),
                format!("UPDATE tenants SET webhooks_due_at = now() WHERE id = '{tenant_id}'"),
            ] {
                // A worker that writes down the same rows in another order is no failure of anybody.
                while let Err(error) = sql_query(&sql).execute(&mut admin) {
                    assert!(error.to_string().contains("deadlock"), "{error}");
                }
            }
        }
    }

    /// How many events those of this kind, or of any, have not got yet, of so many changes in each tenant.
    fn missing(&self, kinds: &[Kind], changes: &[usize]) -> usize {
        let wanted = self.hooks.iter().filter(|hook| kinds.contains(&hook.kind));
        let missing = |hook: &Hook| {
            let got: HashSet<String> = hook.receiver.ids().into_iter().map(|(id, _)| id).collect();
            changes[hook.tenant].saturating_sub(got.len())
        };
        wanted.map(missing).sum()
    }

    /// Waits until none of these is missing; meanwhile this happens again and again.
    async fn until_there(&self, kinds: &[Kind], changes: &[usize], meanwhile: impl Fn()) {
        let deadline = Instant::now() + PATIENCE;
        while self.missing(kinds, changes) > 0 {
            assert!(Instant::now() < deadline, "{} events have not arrived", self.missing(kinds, changes));
            block_in_place(&meanwhile);
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// How much memory the larger replica needs, in MiB.
    fn memory(&self) -> u64 {
        let of = |service: &Service| {
            let status = fs::read_to_string(format!("/proc/{}/status", service.pid())).unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
            line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1_024
        };
        self.replicas.iter().map(of).max().unwrap()
    }
}

impl Writer {
    /// Makes changes from this number on, until it is this one and nothing else happens any more. Returns how far it came.
    async fn write(self, from: usize, to: usize, replicas: Vec<Client>, goes_on: Arc<AtomicBool>) -> usize {
        let (mut tick, mut n) = (interval(TICK), from);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while n < to || goes_on.load(Ordering::SeqCst) {
            tick.tick().await;
            let path = format!("/api/workspaces/{}", self.workspaces[n % WORKSPACES]);
            // The name is in the event. What was written and not answered is no change when it is sent again.
            let body = json!({ "name": format!("N {n}") });
            for attempt in 0.. {
                let replica = &replicas[(self.tenant + n + attempt) % replicas.len()];
                let request = self.owner.at(replica).request("PATCH", &path).json(&body);
                match request.timeout(Duration::from_secs(10)).send().await {
                    Ok(answer) if answer.status().as_u16() == 200 => break,
                    Ok(answer) if answer.status().as_u16() != 503 => panic!("{:?}", answer.text().await),
                    _ => sleep(Duration::from_millis(50)).await,
                }
            }
            n += 1;
        }
        n
    }
}

/// How many events there are: as many as the environment says, or as many as a few minutes are enough for.
fn size() -> usize {
    #[expect(clippy::disallowed_methods, reason = "how much is sent is chosen by whoever starts the test")]
    let said = env::var_os("TENANTRY_TEST_WEBHOOK_EVENTS").and_then(|events| events.to_str()?.parse().ok());
    said.unwrap_or(5_000)
}

/// What a receiver has got: how often each event came, when it came first after it had happened, and its number, in this order.
struct Got {
    times: HashMap<String, usize>,
    first: Vec<(usize, String, Duration)>,
}

impl Got {
    fn by(hook: &Hook) -> Self {
        let (mut times, mut first) = (HashMap::new(), Vec::new());
        for request in hook.receiver.received() {
            let seen: &mut usize = times.entry(request.id().to_owned()).or_default();
            *seen += 1;
            if *seen == 1 {
                let event = request.event();
                let name = event["data"]["changes"]["name"]["after"].as_str().unwrap();
                let happened: DateTime<Utc> = event["timestamp"].as_str().unwrap().parse().unwrap();
                let number = name.strip_prefix("N ").unwrap().parse().unwrap();
                first.push((number, request.id().to_owned(), (request.at - happened).to_std().unwrap_or_default()));
            }
        }
        Self { times, first }
    }

    /// Each change is there, under one id, and each thing's changes came in their order where the receiver takes what it is sent.
    fn check(&self, hook: &Hook, changes: usize) {
        let ids: HashMap<usize, &str> = self.first.iter().map(|(number, id, _)| (*number, id.as_str())).collect();
        let missing: Vec<_> = (0..changes).filter(|number| !ids.contains_key(number)).collect();
        assert!(missing.is_empty(), "{:?} {} misses {missing:?}", hook.kind, hook.id);
        assert_eq!(self.first.len(), changes, "{:?} {}: a change has two ids", hook.kind, hook.id);
        if hook.kind.takes() {
            let mut last = [None; WORKSPACES];
            for (number, ..) in &self.first {
                assert!(last[number % WORKSPACES] < Some(*number), "{number} came late to {:?} {}", hook.kind, hook.id);
                last[number % WORKSPACES] = Some(*number);
            }
        }
    }
}

/// How long healthy receivers waited for these changes, in order.
fn waits(got: &[(&Hook, Got)], numbers: impl Fn(usize, usize) -> bool) -> Vec<Duration> {
    let healthy = got.iter().filter(|(hook, _)| hook.kind == Kind::Healthy);
    let of =
        healthy.flat_map(|(hook, got)| got.first.iter().map(move |(number, _, wait)| (hook.tenant, *number, *wait)));
    let mut waits: Vec<_> = of.filter(|(tenant, number, _)| numbers(*tenant, *number)).map(|(.., wait)| wait).collect();
    waits.sort();
    waits
}

fn figures(waits: &[Duration]) -> String {
    let at = |part: f64| waits[((waits.len() - 1) as f64 * part) as usize].as_millis();
    format!("p50 {} ms, p99 {} ms, the longest {} ms, of {}", at(0.5), at(0.99), at(1.0), waits.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_event_is_lost_and_healthy_receivers_wait_for_nobody() {
    let mut stage = Stage::new().await;
    let changes = size() / (TENANTS * WEBHOOKS);
    let (hooks, idle, goes_on) = (stage.hooks.len(), stage.memory(), Arc::new(AtomicBool::new(false)));
    // While everybody is there; a tenth comes while replicas are killed.
    let before = changes - changes / 10;
    let (begun, clients) = (Instant::now(), stage.clients());
    let writing = |from: Vec<usize>, to: usize, stage: &Stage| -> Vec<_> {
        let writers = stage.writers.iter().cloned().zip(from);
        writers
            .map(|(writer, from)| tokio::spawn(writer.write(from, to, clients.clone(), Arc::clone(&goes_on))))
            .collect()
    };
    let writers = writing(vec![0; TENANTS], before, &stage);
    let (all, mut memory) = (TICK * u32::try_from(before).unwrap(), Vec::new());
    for _ in 0..STEPS {
        sleep(all / u32::try_from(STEPS).unwrap()).await;
        memory.push(stage.memory());
        block_in_place(|| stage.pass("5 minutes"));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let wrote = begun.elapsed();
    stage.until_there(&[Kind::Healthy, Kind::Slow], &[before; TENANTS], || {}).await;
    let took = begun.elapsed();
    memory.push(stage.memory());
    let waiting = count(&mut stage.server.admin(), "SELECT FROM webhook_deliveries WHERE state = 'pending'");

    // Killed in the middle of what they do, while changes go on.
    goes_on.store(true, Ordering::SeqCst);
    let writers = writing(vec![before; TENANTS], changes, &stage);
    for n in 0..KILLS {
        sleep(Duration::from_millis(300 + RandomState::new().hash_one(n) % 1_500)).await;
        let victim = usize::try_from(RandomState::new().hash_one(n) % 2).unwrap();
        let service = stage.replicas.remove(victim);
        service.signal(Signal::SIGKILL);
        block_in_place(|| service.wait());
        stage.replicas.insert(victim, block_in_place(|| stage.programs[victim].serve()));
    }
    goes_on.store(false, Ordering::SeqCst);
    let mut done = Vec::new();
    for writer in writers {
        done.push(writer.await.unwrap());
    }
    // What the dead have leased is free when their leases end.
    stage.until_there(&[Kind::Healthy, Kind::Slow], &done, || {}).await;
    let unwell = [Kind::Failing, Kind::Dead];
    for hook in stage.hooks.iter().filter(|hook| unwell.contains(&hook.kind)) {
        hook.receiver.receive(Receiving::Well);
    }
    let well = Instant::now();
    stage.until_there(&unwell, &done, || stage.pass("6 hours")).await;

    let got: Vec<_> = stage.hooks.iter().map(|hook| (hook, Got::by(hook))).collect();
    for (hook, got) in &got {
        got.check(hook, done[hook.tenant]);
    }
    let taken = got.iter().filter(|(hook, _)| hook.kind.takes()).map(|(_, got)| got.times.values());
    let duplicates: usize = taken.map(|times| times.map(|times| times - 1).sum::<usize>()).sum();
    let (calm, killed) = (waits(&got, |_, number| number < before), waits(&got, |_, number| number >= before));
    let (events, taking) = (done.iter().sum::<usize>() * WEBHOOKS, hooks - hooks * 2 / 10);
    let most = memory.iter().copied().max().unwrap();
    println!(
        "{events} events to {hooks} webhooks, of which a tenth each hangs, fails for an hour and takes {} s for each: none missing",
        SLOW.as_secs()
    );
    println!(
        "  {} events in {:.0} s, {:.0} a second arrived where they are taken; healthy receivers: {}",
        before * hooks,
        wrote.as_secs_f64(),
        (before * taking) as f64 / took.as_secs_f64(),
        figures(&calm)
    );
    println!("  memory of a replica: {idle} MiB idle, then {memory:?} MiB");
    println!(
        "  replicas killed {KILLS} times: {}; {duplicates} requests more than once to those that take them, with the same id",
        figures(&killed)
    );
    println!(
        "  the {waiting} and more that waited for those that took nothing were there {:.0} s later",
        well.elapsed().as_secs_f64()
    );
    let late = calm.iter().filter(|wait| **wait > PROMISE).count();
    assert!(late * 100 <= calm.len(), "{late} of {} events came later than {} s", calm.len(), PROMISE.as_secs());
    assert!(most <= idle + WORK, "the memory of a replica grew from {idle} MiB to {most} MiB");
    let failed = count(&mut stage.server.admin(), "SELECT FROM webhook_deliveries WHERE state = 'failed'");
    assert_eq!(failed, 0, "nothing is given up");
}
