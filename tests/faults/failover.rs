//! The primary killed under load, again and again, where Patroni chooses another one: `make ha`.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tenantry_tests::{
    Last, Patroni,
    chart::{Colour, Timeline},
    count,
};
use tokio::{
    signal::{
        ctrl_c,
        unix::{SignalKind, signal},
    },
    time::{sleep, timeout},
};

use crate::{
    kit::{Service, Tenantry},
    load::{Attempt, Load, Mix, Retries, check},
};

/// Each of these is one kill.
const KILLS: [Last; 5] = [Last::Anything, Last::Unsent, Last::Untold, Last::Unsent, Last::Untold];
const REPLICAS: usize = 2;

/// All of it takes no longer.
const BOUND: Duration = Duration::from_secs(600);

/// From the end of one failure to the next kill, and from the first good write to the return of the former primary.
const CALM: Duration = Duration::from_secs(6);

/// No answer takes longer. A commit that nobody confirms is given up by the service after these.
const ANSWER: Duration = Duration::from_secs(9);

/// Patroni waits 20 s until it misses a primary, and looks every 5 s. What is more than that is others' work: elections on a busy
/// machine, and the service's.
const FIRST_GOOD: Duration = Duration::from_secs(60);

/// One failure, by the clock.
struct Failure {
    /// Before anything was done to the primary.
    begun: Instant,
    killed: Instant,
    /// When the former primary was started again.
    returned: Instant,
    /// When it followed the new one.
    whole: Instant,
}

/// What clients saw of it.
#[derive(Debug)]
struct Outcome {
    first_read: Duration,
    first_write: Duration,
    longest: Duration,
    refused: usize,
    unanswered: usize,
    /// Of those that were refused, how many after the former primary had followed again.
    late: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_is_killed_five_times_under_load_loses_nothing_and_causes_no_internal_error() {
    let mut terminate = signal(SignalKind::terminate()).unwrap();
    // What is interrupted ends in order: everything that it has started ends with it.
    tokio::select! {
        ran = timeout(BOUND, run()) => assert!(ran.is_ok(), "it takes longer than {} s", BOUND.as_secs()),
        _ = ctrl_c() => panic!("interrupted"),
        _ = terminate.recv() => panic!("terminated"),
    }
}

async fn run() {
    let Some(mut cluster) = tokio::task::block_in_place(Patroni::start) else { return };
    let tenantry = Tenantry::at(&cluster.service_url());
    let replicas: Vec<_> = (0..REPLICAS).map(|_| tenantry.serve()).collect();
    let mix = Mix { clients: 4, readers: 2, usage: true, retries: Retries::EveryOther, ..Mix::default() };
    let load =
        Load::begin(&tenantry, &replicas.iter().map(|replica| replica.base.clone()).collect::<Vec<_>>(), mix).await;
    let began = Instant::now();
    let mut failures = Vec::new();
    for last in KILLS {
        sleep(CALM).await;
        failures.push(fail(&mut cluster, &load, last).await);
    }
    sleep(CALM).await;
    let attempts = load.attempts();
    let seen = load.end().await;
    let outcomes: Vec<_> = (0..KILLS.len()).map(|at| Outcome::of(&attempts, &failures, at)).collect();
    let report = report(&cluster, &outcomes);
    println!("{report}");
    let directory = directory();
    fs::create_dir_all(&directory).unwrap();
    draw(&directory.join("failover.svg"), began, &attempts, &failures);
    let (acknowledged, unacknowledged) = tokio::task::block_in_place(|| check(&seen, &mut cluster.admin()));
    let replayed = seen.iter().filter(|one| one.replayed).count();
    let counts = format!(
        "{} answers, {} of them good; {acknowledged} writes acknowledged and there, {unacknowledged} there that were not; \
         {replayed} answered with what an attempt before had done\n",
        attempts.len(),
        attempts.iter().filter(|one| one.is_good()).count(),
    );
    println!("{counts}The picture is {}", directory.join("failover.svg").display());
    fs::write(directory.join("report.txt"), report + &counts).unwrap();
    assert!(replayed > 0, "some were done by an attempt that was not answered");
    for (outcome, replica) in outcomes.iter().zip(replicas.iter().cycle()) {
        assert_eq!(outcome.unanswered, 0, "{outcome:?}");
        assert!(outcome.refused > 0, "it was killed under load: {outcome:?}");
        assert_eq!(outcome.late, 0, "the former primary is left alone: {outcome:?}");
        assert!(outcome.longest <= ANSWER && outcome.first_write <= FIRST_GOOD, "{outcome:?}");
        is_ready(replica).await;
    }
}

/// Kills the primary, and lets it come back once another one has taken its place.
async fn fail(cluster: &mut Patroni, load: &Load, last: Last) -> Failure {
    let (former, begun) = tokio::task::block_in_place(|| {
        let (former, begun) = (cluster.primary(), Instant::now());
        cluster.kill(former, last);
        (former, begun)
    });
    let killed = Instant::now();
    while !(0..REPLICAS).all(|replica| has_written(load, replica, killed)) {
        assert!(killed.elapsed() < FIRST_GOOD * 2, "a replica does not write any more");
        sleep(Duration::from_millis(100)).await;
    }
    sleep(CALM).await;
    let returned = Instant::now();
    tokio::task::block_in_place(|| {
        cluster.revive(former);
        cluster.until_whole();
        assert_ne!(cluster.primary(), former, "it comes back as a standby");
    });
    let whole = Instant::now();
    sleep(CALM).await;
    // It is asked whether it takes writes, and nobody stays.
    let stays = "SELECT FROM pg_stat_activity WHERE usename = 'tenantry_service' AND backend_start < now() - interval '3 seconds'";
    let staying = tokio::task::block_in_place(|| count(&mut cluster.admin_of(former), stays));
    assert_eq!(staying, 0, "the former primary is left alone");
    Failure { begun, killed, returned, whole }
}

fn has_written(load: &Load, replica: usize, since: Instant) -> bool {
    let is = |one: &Attempt| one.replica == replica && one.has_written() && one.began > since;
    load.attempts().iter().rev().any(is)
}

/// By the same process that was there before.
async fn is_ready(replica: &Service) {
    replica.client().get("/readyz").await.expect(200);
}

impl Outcome {
    /// Of the failure with this number: until the next one.
    fn of(attempts: &[Attempt], failures: &[Failure], at: usize) -> Self {
        let Failure { begun, killed, whole, .. } = failures[at];
        let until = failures.get(at + 1).map(|next| next.begun);
        let of_this = |one: &&Attempt| one.ended > begun && until.is_none_or(|until| one.ended < until);
        let during: Vec<_> = attempts.iter().filter(of_this).collect();
        // Of the replica that took longer.
        let first = |is: fn(&Attempt) -> bool| {
            let of = |replica: usize| {
                let wanted = |one: &&&Attempt| one.replica == replica && one.began > killed && is(one);
                during.iter().filter(wanted).map(|one| one.ended - killed).min().unwrap_or(Duration::MAX)
            };
            (0..REPLICAS).map(of).max().unwrap_or_default()
        };
        let refused = || during.iter().filter(|one| one.status == 503);
        Self {
            first_read: first(|one| one.is_good() && !one.writes),
            first_write: first(Attempt::has_written),
            longest: during.iter().map(|one| one.ended - one.began).max().unwrap_or_default(),
            refused: refused().count(),
            unanswered: during.iter().filter(|one| one.status == 0).count(),
            late: refused().filter(|one| one.began > whole).count(),
        }
    }
}

fn report(cluster: &Patroni, outcomes: &[Outcome]) -> String {
    let mut text = format!(
        "Primary killed {} times; {REPLICAS} replicas (debug build); {}\n\
         its last    first good read s  first good write s  longest answer s     503  no answer\n",
        KILLS.len(),
        cluster.words()
    );
    for (last, outcome) in KILLS.iter().zip(outcomes) {
        text += &format!(
            "{:<10}  {:>17.1}  {:>18.1}  {:>16.1}  {:>6}  {:>9}\n",
            format!("{last:?}"),
            outcome.first_read.as_secs_f64(),
            outcome.first_write.as_secs_f64(),
            outcome.longest.as_secs_f64(),
            outcome.refused,
            outcome.unanswered
        );
    }
    text
}

/// Beside the program.
fn directory() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_tenantry"));
    program.parent().and_then(Path::parent).unwrap().join("ha")
}

fn draw(path: &Path, began: Instant, attempts: &[Attempt], failures: &[Failure]) {
    let last = attempts.iter().map(|one| one.ended).max().unwrap_or(began);
    let seconds = (last - began).as_secs() as usize;
    let per_second = |wanted: fn(&Attempt) -> bool| {
        let mut values = vec![0.0; seconds];
        for one in attempts.iter().filter(|one| wanted(one) && one.ended >= began) {
            if let Some(value) = values.get_mut((one.ended - began).as_secs() as usize) {
                *value += 1.0;
            }
        }
        values
    };
    let when = |time: fn(&Failure) -> Instant| failures.iter().map(|one| (time(one) - began).as_secs_f64()).collect();
    let (blue, green, orange) = (Colour(0x1f, 0x6f, 0xb5), Colour(0x2f, 0x8f, 0x5b), Colour(0xd9, 0x7a, 0x0b));
    let (red, grey) = (Colour(0xc9, 0x3b, 0x4d), Colour(0x6b, 0x72, 0x80));
    Timeline {
        title: "Answers while the primary is killed five times",
        unit: "answers in a second",
        lines: vec![
            ("good, reads", blue, per_second(|one| one.is_good() && !one.writes)),
            ("good, writes", green, per_second(Attempt::has_written)),
            ("503 with Retry-After", orange, per_second(|one| one.status == 503)),
        ],
        marks: vec![
            ("primary killed", red, when(|one| one.killed)),
            ("former primary started again", grey, when(|one| one.returned)),
        ],
    }
    .write(path);
}
