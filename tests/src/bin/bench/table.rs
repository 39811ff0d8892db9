//! Everything in one table, in one run: what is answered without the service, by the service, and by PostgreSQL alone.

use std::time::Duration;

use serde_json::Value;
use tenantry_auth::jwt::Issuers;
use tenantry_tests::App;

use crate::{
    Effort,
    asked::{
        BARE, CALLFLUENT, CREATE, Caller, EFFECTIVE, FOREIGN, INTROSPECT, INTROSPECT_MANY, LOOK_UP, LOOK_UP_BY_TOKEN,
        ME, MISTYPED_KEY, PAGE, Row, SEARCH, TENANT, TOKEN, UNKNOWN_KEY, UPDATE, USAGE,
    },
    bare::{self, WORKERS},
    client::{Load, Met, Pace, quantile},
    cpu::Used,
    data::{self, CALLERS, Set},
    pgbench::{self, CLIENTS, Recorder},
    plot,
    report::{self, Table, median, ms, rate, thousands},
    serving,
};

/// How many connections ask at once.
pub(crate) const CONNECTIONS: [usize; 4] = [1, CLIENTS, 32, 256];

/// About a hundred workspaces in each tenant, and some thousands in the first.
const SET: Set = Set { workspaces: 30_000, tenants: CALLERS + 1 };

/// Up to which time to an answer a load is one that the service can carry.
const SOON: Duration = Duration::from_millis(100);

/// More than a client can send when it does not wait for answers.
const MOST: f64 = 20_000.0;

/// Something that is measured.
struct Measured {
    row: Row,
    /// Where it differs from the row's name.
    name: String,
    base: String,
    callers: Vec<Caller>,
    recorder: Option<Recorders>,
}

/// Who knows the statements of a row.
#[derive(Clone, Copy, PartialEq)]
enum Recorders {
    Lane,
    Door,
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) name: String,
    /// For each number of connections.
    pub(crate) closed: Vec<Figure>,
    /// Requests that come in an even stream, half as many as can be answered soon.
    open: Figure,
    pgbench: Option<Figure>,
}

/// Of one load: medians of the rounds.
#[derive(Default, Clone)]
pub(crate) struct Figure {
    pub(crate) rate: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Microseconds of processor time for each request.
    pub(crate) service: Option<f64>,
    pub(crate) postgres: Option<f64>,
}

impl Figure {
    pub(crate) fn median(rounds: &[Self]) -> Self {
        let of = |part: fn(&Self) -> Option<f64>| {
            let values: Vec<_> = rounds.iter().filter_map(part).collect();
            (!values.is_empty()).then(|| median(values))
        };
        Self {
            rate: of(|round| Some(round.rate)).unwrap_or_default(),
            p50: of(|round| Some(round.p50)).unwrap_or_default(),
            p99: of(|round| Some(round.p99)).unwrap_or_default(),
            service: of(|round| round.service),
            postgres: of(|round| round.postgres),
        }
    }

    pub(crate) fn of(met: &Met, [service, postgres]: [Option<f64>; 2]) -> Self {
        let time = |share| quantile(&met.good, share).as_secs_f64();
        Self { rate: met.rate(), p50: time(0.5), p99: time(0.99), service, postgres }
    }

    pub(crate) fn times(&self) -> [String; 2] {
        [self.p50, self.p99].map(|time| if time > 0.0 { ms(Duration::from_secs_f64(time)) } else { "-".to_owned() })
    }

    pub(crate) fn cpu(&self) -> [String; 2] {
        [self.service, self.postgres].map(|time| time.map_or_else(|| "-".to_owned(), |time| format!("{time:.0} µs")))
    }
}

/// A load without an end that ends after this time, and what it needed.
pub(crate) async fn closed(app: &App, load: Load, name: &str, time: Duration) -> Figure {
    let used = Used::now(&app.database);
    let met = load.run_for(time).await;
    let cpu = used.each(&app.database, met.good.len());
    assert!(met.others == 0, "{name}: {} answers of another status", met.others);
    Figure::of(&met, cpu)
}

/// Measures the bare answer and the rows that have this in their names.
pub(crate) async fn run(effort: Effort, wanted: &str) {
    let app = serving().await;
    let callers = data::load(&app, SET).callers;
    let door = App::store(&app.database.service_url(), |pool| {
        crate::small(pool);
        pool.look_up_lane = false;
    });
    let door = app.replica_on(&door);
    let mut all = rows(&app, door.base(), &callers).await;
    let names: Vec<_> = all.iter().map(|row| row.name.clone()).collect();
    assert!(names.iter().any(|name| name.contains(wanted)), "no row has \"{wanted}\" in its name: there are {names:?}");
    all.retain(|row| row.row.name == BARE.name || row.name.contains(wanted));
    let mut figures: Vec<_> = all.iter().map(|row| Figures { name: row.name.clone(), ..Figures::default() }).collect();
    for connections in CONNECTIONS {
        let mut rounds = vec![Vec::new(); all.len()];
        for round in 0..=effort.rounds {
            for (Measured { row, base, callers, .. }, rounds) in all.iter().zip(&mut rounds) {
                let load = row.load(base, callers, connections, Pace::Flood);
                // The first one is for caches, and short.
                let time = if round > 0 { effort.round } else { effort.round / 4 };
                let figure = closed(&app, load, row.name, time).await;
                rounds.extend((round > 0).then_some(figure));
            }
        }
        for (figures, rounds) in figures.iter_mut().zip(rounds) {
            figures.closed.push(Figure::median(&rounds));
        }
    }
    for (measured, figures) in all.iter().zip(&mut figures) {
        figures.open = open(&app, measured, &figures.closed, effort).await;
    }
    for which in [Recorders::Lane, Recorders::Door] {
        let mut recorder = Recorder::start(&app, which == Recorders::Lane).await;
        for (measured, figures) in all.iter().zip(&mut figures).filter(|(row, _)| row.recorder == Some(which)) {
            figures.pgbench = Some(alone(&app, &mut recorder, measured, effort.round).await);
        }
    }
    show(&figures, effort);
    plot::connections(&figures);
    app.handle.stop(false).await;
}

/// This caller, as often as there are workspaces for it to ask for.
fn for_each_workspace(caller: &Caller) -> Vec<Caller> {
    let questions: Vec<Value> = serde_json::from_str(&caller.questions).unwrap();
    let ids = questions.iter().map(|question| question["workspaceId"].as_str().unwrap());
    ids.map(|id| Caller { workspace: id.to_owned(), ..caller.clone() }).collect()
}

/// The rows, in their order.
async fn rows(app: &App, door: &str, callers: &[Caller]) -> Vec<Measured> {
    let first = app.client().with_key(&callers[0].key);
    let body: Value = first.get(&format!("/api/workspaces/{}", callers[0].workspace)).await.expect(200).body;
    let issuers = Issuers::new(vec![app.people.options()]).unwrap();
    let (bare, checked) = (bare::serve(body.clone(), None), bare::serve(body, Some(issuers)));
    let row = |row: Row, name: &str, base: &str, callers: &[Caller], recorder| {
        let name = format!("{}{name}", row.name);
        Measured { row, name, base: base.to_owned(), callers: callers.to_vec(), recorder }
    };
    let (one, lane) = (&callers[..1], app.base.as_str());
    let elsewhere = for_each_workspace(&callers[0]);
    let (by_lane, by_door) = (Some(Recorders::Lane), Some(Recorders::Door));
    vec![
        row(BARE, "", &bare, one, None),
        row(TOKEN, "", &checked, one, None),
        row(LOOK_UP, ", lane", lane, one, by_lane),
        row(LOOK_UP_BY_TOKEN, ", lane", lane, one, by_lane),
        row(LOOK_UP, ", lane, each for another workspace", lane, &elsewhere, by_lane),
        row(LOOK_UP_BY_TOKEN, ", lane, each for another workspace", lane, &elsewhere, by_lane),
        row(LOOK_UP, ", lane, each in another tenant", lane, callers, by_lane),
        row(LOOK_UP_BY_TOKEN, ", lane, each in another tenant", lane, callers, by_lane),
        row(LOOK_UP, ", door", door, one, by_door),
        row(LOOK_UP_BY_TOKEN, ", door", door, one, by_door),
        row(EFFECTIVE, "", lane, one, by_lane),
        row(CALLFLUENT, "", lane, one, by_lane),
        row(ME, "", lane, one, by_lane),
        row(INTROSPECT, ", lane", lane, one, by_lane),
        row(INTROSPECT, ", lane, each in another tenant", lane, callers, by_lane),
        row(INTROSPECT, ", door", door, one, by_door),
        row(INTROSPECT_MANY, ", lane", lane, one, by_lane),
        row(TENANT, "", lane, one, by_lane),
        row(PAGE, "", lane, one, by_lane),
        row(SEARCH, "", lane, one, by_lane),
        row(CREATE, "", lane, callers, by_lane),
        row(UPDATE, "", lane, callers, by_lane),
        row(USAGE, "", lane, callers, by_lane),
        row(UNKNOWN_KEY, "", lane, one, None),
        row(MISTYPED_KEY, "", lane, one, None),
        row(FOREIGN, "", lane, one, None),
    ]
}

/// Requests that come whether or not those before are answered.
async fn open(app: &App, measured: &Measured, closed: &[Figure], effort: Effort) -> Figure {
    let soon = closed.iter().filter(|figure| figure.p99 <= SOON.as_secs_f64());
    let knee = soon.map(|figure| figure.rate).fold(0.0, f64::max);
    let pace = Pace::Open { rate: (knee / 2.0).min(MOST), time: effort.round * 2 };
    let used = Used::now(&app.database);
    let met = measured.row.load(&measured.base, &measured.callers, 0, pace).run().await;
    let cpu = used.each(&app.database, met.good.len());
    Figure::of(&met, cpu)
}

/// PostgreSQL without the service.
async fn alone(app: &App, recorder: &mut Recorder, measured: &Measured, time: Duration) -> Figure {
    let scripts = recorder.scripts(&measured.row.requests(&measured.callers)).await;
    report::write(&format!("{}.sql", measured.name.replace(", ", "-").replace(['/', ' '], "-")), &scripts[0]);
    let used = Used::now(&app.database);
    let rate = pgbench::run(app, &scripts, time);
    let [_, postgres] = used.each(&app.database, (rate * time.as_secs_f64().max(1.0)) as usize);
    Figure { rate, postgres, ..Figure::default() }
}

/// The table with one line for each row, and the one with everything that was measured.
fn show(figures: &[Figures], effort: Effort) {
    let bare = &figures[0].closed;
    let ratio = |rate: f64, best: f64| format!("{:.2}", rate / best);
    let mut heading = vec!["asked for".to_owned()];
    heading.extend(CONNECTIONS.map(|connections| format!("{connections} conn.")));
    heading.extend(["of bare at 32", "of bare at 256", "pgbench, 8", "of pgbench at 8"].map(str::to_owned));
    heading.extend(["service at 32", "PostgreSQL at 32", "half the knee", "its p99"].map(str::to_owned));
    let mut summary = Table::new(&heading.iter().map(String::as_str).collect::<Vec<_>>());
    for Figures { name, closed, open, pgbench } in figures {
        let rates = closed.iter().map(|figure| thousands(figure.rate));
        let of_bare = [2, 3].map(|at| ratio(closed[at].rate, bare[at].rate));
        let of_pgbench = pgbench.as_ref().map(|alone| [thousands(alone.rate), ratio(closed[1].rate, alone.rate)]);
        let mut row = vec![name.clone()];
        row.extend(rates.chain(of_bare).chain(of_pgbench.unwrap_or_default()).chain(closed[2].cpu()));
        row.extend([thousands(open.rate), open.times()[1].clone()]);
        summary.row(row);
    }
    let rounds = effort.rounds();
    summary.print(&format!("## Rates: requests in a second\n\n{WORKERS} threads of the service, {rounds}."));
    let mut all = Table::new(&["load", "asked for", "rate", "of bare", "p50", "p99", "service", "PostgreSQL"]);
    let mut line = |load: &str, name: &str, figure: &Figure, bare: Option<f64>| {
        let head = [load.to_owned(), name.to_owned(), rate(figure.rate)];
        let of_bare = bare.map(|bare| ratio(figure.rate, bare)).unwrap_or_default();
        all.row([&head[..], &[of_bare], &figure.times(), &figure.cpu()].concat());
    };
    for (at, connections) in CONNECTIONS.iter().enumerate() {
        for Figures { name, closed, .. } in figures {
            line(
                &format!("{connections} connection{}", if *connections == 1 { "" } else { "s" }),
                name,
                &closed[at],
                Some(bare[at].rate),
            );
        }
    }
    for Figures { name, open, .. } in figures {
        line("half the knee", name, open, None);
    }
    for (name, alone) in figures.iter().filter_map(|figures| Some((&figures.name, figures.pgbench.as_ref()?))) {
        line("pgbench, 8 clients", name, alone, None);
    }
    all.print("## Everything that was measured");
}
