//! What a service needs when nobody asks for anything, and its memory then and after a load.

use crate::{
    Effort,
    asked::{Caller, LOOK_UP},
    client::Pace,
    cpu::Process,
    program::Service,
    report::{Table, say, thousands},
};

pub(crate) async fn run(effort: Effort) {
    let service = Service::start();
    let mine = [Caller {
        key: service.key.clone(),
        workspace: tenantry_domain::demo::WORKSPACE.to_string(),
        ..Caller::default()
    }];
    // What it does at its start is not meant.
    tokio::time::sleep(effort.round * 2).await;
    let now = || Some((Process::now(service.pid())?, service.postgres()?.used()?));
    let Some((before, postgres_before)) = now() else {
        return say!("What an idle service needs is not known on this system.");
    };
    tokio::time::sleep(effort.idle).await;
    let Some((after, postgres_after)) = now() else { return };
    let met = LOOK_UP.load(&service.base, &mine, 256, Pace::Flood).run_for(effort.round * 2).await;
    let Some((loaded, _)) = now() else { return };
    let mebibytes = |kibibytes: u64| format!("{:.0} MiB", kibibytes as f64 / 1024.0);
    let seconds = effort.idle.as_secs_f64();
    let ms = |time: std::time::Duration| format!("{:.0} ms", time.as_secs_f64() * 1e3);
    let mut table = Table::new(&["of the program, with its defaults", "figure"]);
    let mut row = |name: &str, figure: String| table.row([name.to_owned(), figure]);
    row(&format!("wake-ups in {seconds} s"), thousands((after.waits - before.waits) as f64));
    row(&format!("processor time in {seconds} s"), ms(after.time - before.time));
    row(&format!("processor time of PostgreSQL in {seconds} s"), ms(postgres_after - postgres_before));
    row("memory", mebibytes(after.resident));
    row(
        &format!("memory after {} look-ups on 256 connections", thousands(met.good.len() as f64)),
        mebibytes(loaded.resident),
    );
    table.print("## An idle service");
}
