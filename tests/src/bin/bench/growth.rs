//! What more data costs: the same requests on data sets of any size.

use tenantry_tests::App;

use crate::{
    Effort,
    asked::{CREATE, LOOK_UP, ME, PAGE, Row, SEARCH, TENANT},
    client::Pace,
    data::{self, Loaded, Set},
    plot,
    report::{Table, rate, say, thousands},
    serving,
    table::{Figure, closed},
};

const CONNECTIONS: usize = 8;

/// With how many times as long a request may take in the largest set as in the smallest.
const ROWS: [(Row, f64); 6] = [(LOOK_UP, 1.3), (PAGE, 1.5), (ME, 1.5), (TENANT, 1.5), (SEARCH, 1.5), (CREATE, 1.5)];

/// What came of a row in tenants of this kind.
pub(crate) struct Growth {
    pub(crate) name: &'static str,
    /// Whether all requests were of the largest tenant.
    pub(crate) in_largest: bool,
    /// For each data set.
    pub(crate) figures: Vec<Figure>,
}

pub(crate) async fn run(effort: Effort) {
    let kinds = [false, true].into_iter();
    let mut grown: Vec<_> = kinds
        .flat_map(|in_largest| ROWS.map(|(row, _)| Growth { name: row.name, in_largest, figures: Vec::new() }))
        .collect();
    let mut sets = Table::new(&["workspaces", "tenants", "in the largest", "loaded in", "size"]);
    for &set in effort.sets {
        let app = serving().await;
        let loaded = data::load(&app, set);
        let Set { workspaces, tenants } = set;
        sets.row([
            thousands(workspaces as f64),
            thousands(tenants as f64),
            thousands(set.of(0) as f64),
            format!("{:.0} s", loaded.took.as_secs_f64()),
            format!("{:.0} MB", loaded.size / 1e6),
        ]);
        measure(&app, &loaded, &mut grown, effort).await;
        app.handle.stop(false).await;
    }
    show(&sets, &grown, effort);
    plot::growth(effort.sets, &grown);
}

async fn measure(app: &App, loaded: &Loaded, grown: &mut [Growth], effort: Effort) {
    let load = |in_largest: bool, row: &Row| {
        let callers = if in_largest { &loaded.of_largest } else { &loaded.callers };
        row.load(&app.base, callers, CONNECTIONS, Pace::Flood)
    };
    let mut rounds = vec![Vec::new(); grown.len()];
    // What writes comes at the end, because the small sets grow by it.
    for writes in [false, true] {
        for round in 0..=effort.rounds {
            let all = grown.iter().zip(ROWS.iter().cycle()).zip(&mut rounds);
            for ((Growth { in_largest, .. }, (row, _)), rounds) in
                all.filter(|((_, (row, _)), _)| row.writes() == writes)
            {
                let figure = closed(app, load(*in_largest, row), row.name, effort.round).await;
                // The first one is for caches.
                rounds.extend((round > 0).then_some(figure));
            }
        }
    }
    for (growth, rounds) in grown.iter_mut().zip(rounds) {
        growth.figures.push(Figure::median(&rounds));
    }
}

fn show(sets: &Table, grown: &[Growth], effort: Effort) {
    sets.print("## Data sets");
    let mut heading = vec!["asked for".to_owned()];
    heading.extend(effort.sets.iter().map(|set| format!("{} workspaces", thousands(set.workspaces as f64))));
    heading.extend(["p99", "growth", "at most"].map(str::to_owned));
    let mut table = Table::new(&heading.iter().map(String::as_str).collect::<Vec<_>>());
    for (Growth { name, in_largest, figures }, (_, most)) in grown.iter().zip(ROWS.iter().cycle()) {
        let [first, .., last] = figures.as_slice() else { continue };
        let mut row = vec![format!("{name}{}", if *in_largest { ", largest tenant" } else { "" })];
        row.extend(figures.iter().map(|figure| rate(figure.rate)));
        let most = if *in_largest { String::new() } else { most.to_string() };
        row.extend([last.times()[1].clone(), format!("{:.2}", first.rate / last.rate), most]);
        table.row(row);
    }
    table.print(&format!("## Growth\n\n{CONNECTIONS} connections, {} callers, {}.", data::CALLERS, effort.rounds()));
    say!("Growth is the rate with the smallest set to that with the largest; p99 is that of the largest.");
}
