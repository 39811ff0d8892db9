//! More than the service can do: how much of it is done, what is refused and how soon, and how soon all is well again.

use std::time::{Duration, Instant};

use tenantry_tests::App;

use crate::{
    asked::{CREATE, Caller, LOOK_UP},
    client::{Load, Met, Pace, quantile},
    report::{Table, ms, promise},
    requests::Requests,
    serving,
};

/// How many connect at once.
const CROWD: usize = 2_000;

/// A request is answered soon enough up to the knee.
const SOON: Duration = Duration::from_millis(100);

/// How soon a refusal has to come.
const REFUSED: Duration = Duration::from_millis(100);

/// How soon all is well again.
const BACK: Duration = Duration::from_secs(10);

pub(crate) async fn run(time: Duration) {
    let app = serving().await;
    let tenant = app.tenant("Many").await;
    let one = tenant.workspace("One").await;
    let owner = [Caller::owner(&tenant, &one)];
    for (name, row) in [("look-ups", LOOK_UP), ("creates in one tenant", CREATE)] {
        let requests = row.requests(&owner);
        beyond_the_knee(&app, name, &requests, time).await;
        crowd(&app, name, &requests).await;
    }
    app.handle.stop(false).await;
}

async fn load(app: &App, requests: &Requests, rate: f64, time: Duration) -> Met {
    let (base, requests) = (app.base.clone(), requests.clone());
    Load { base, requests, connections: 0, pace: Pace::Open { rate, time } }.run().await
}

/// Whether this is how a load is met that the service can carry.
fn is_calm(met: &Met, rate: f64) -> bool {
    met.share() >= 0.99 && met.rate() >= rate * 0.95 && quantile(&met.good, 0.99) <= SOON
}

/// Finds the rate up to which everything is answered soon, and offers two and five times as much.
async fn beyond_the_knee(app: &App, name: &str, requests: &Requests, time: Duration) {
    let mut table = Table::of_loads("offered");
    let mut rate = 0.4 * flat_out(app, requests, time).await;
    let mut knee = None;
    loop {
        let mut met = load(app, requests, rate, time).await;
        if !is_calm(&met, rate) {
            // Once more: something else on the machine may have been in the way.
            met = load(app, requests, rate, time).await;
        }
        table.loaded(format!("{rate:.0}/s"), &met);
        if is_calm(&met, rate) {
            knee = Some((rate, met));
            rate *= 1.15;
        } else if knee.is_some() || rate < 1.0 {
            break;
        } else {
            rate /= 2.0;
        }
    }
    let heading = format!("overload with {name}: an open load, {} s each", time.as_secs());
    let Some((knee, calm)) = knee else {
        table.print(&heading);
        return promise("there is a knee", false, "nothing is answered within 100 ms");
    };
    let mut kept = Vec::new();
    for factor in [2.0, 5.0] {
        let met = load(app, requests, knee * factor, time).await;
        table.loaded(format!("{:.0}/s, {factor} × the knee", knee * factor), &met);
        kept.push((factor, met, recovery(app, requests, knee).await));
    }
    table.print(&heading);
    for (factor, met, back) in kept {
        let share = met.rate() / calm.rate();
        promise(
            &format!("goodput at {factor} × the knee is at least 0.8 of the knee's"),
            share >= 0.8,
            format!("{share:.2}"),
        );
        let (refused, longest) = (quantile(&met.refused, 0.99), quantile(&met.refused, 1.0));
        promise(
            &format!("99 of 100 refusals at {factor} × come within 100 ms"),
            refused <= REFUSED,
            format!("{}, longest {}", ms(refused), ms(longest)),
        );
        promise(
            &format!("all is well within 10 s after {factor} ×"),
            back <= BACK,
            if back < Duration::from_millis(1) { "at once".to_owned() } else { ms(back) },
        );
    }
}

/// How many a second there are with as few clients as keep the service busy.
async fn flat_out(app: &App, requests: &Requests, time: Duration) -> f64 {
    let load = Load { base: app.base.clone(), requests: requests.clone(), connections: 16, pace: Pace::Flood };
    load.run_for(time).await.rate()
}

/// The time until half of the knee is answered for half a second without a refusal and without a wait.
async fn recovery(app: &App, requests: &Requests, knee: f64) -> Duration {
    let started = Instant::now();
    loop {
        let back = started.elapsed();
        let met = load(app, requests, knee / 2.0, Duration::from_millis(500)).await;
        if back > 2 * BACK || met.refused.is_empty() && quantile(&met.good, 0.99) < SOON {
            return back;
        }
    }
}

/// Very many who ask at the same moment. Connecting costs the one process that plays them all as much as it costs the service, so that
/// this is told and not promised.
async fn crowd(app: &App, name: &str, requests: &Requests) {
    let mut table = Table::of_loads("round");
    let mut best = Duration::MAX;
    for round in 1..=3 {
        for (what, pace) in
            [("connecting and asking", Pace::Crowd { connected: false }), ("asking", Pace::Crowd { connected: true })]
        {
            let load = Load { base: app.base.clone(), requests: requests.clone(), connections: CROWD, pace };
            let met = load.run().await;
            table.loaded(format!("{round}: {what}"), &met);
            if matches!(pace, Pace::Crowd { connected: true }) {
                best = best.min(quantile(&met.refused, 0.99));
            }
        }
    }
    table.print(&format!("{CROWD} clients at once with one of the {name} each"));
    promise("of those who ask, 99 of 100 refusals come within 100 ms, in the best round", best <= REFUSED, ms(best));
}
