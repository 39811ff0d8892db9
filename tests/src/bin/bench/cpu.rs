//! What the service and PostgreSQL use of the processors. On Linux only; elsewhere it is not known.

use std::{fs, time::Duration};

use nix::sys::resource::{UsageWho, getrusage};

/// How much has been used so far.
#[derive(Clone, Copy)]
pub(crate) struct Used {
    service: Duration,
    postgres: Option<Duration>,
}

impl Used {
    pub(crate) fn now() -> Self {
        let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
        let time =
            |time: nix::sys::time::TimeVal| Duration::from_micros((time.tv_sec() * 1_000_000 + time.tv_usec()) as u64);
        Self { service: time(usage.user_time()) + time(usage.system_time()), postgres: postgres() }
    }

    /// What has been used since for each of so many requests, by the service and by PostgreSQL.
    pub(crate) fn each(self, requests: usize) -> [String; 2] {
        let now = Self::now();
        let each = |time: Duration| format!("{:.0} µs", time.as_secs_f64() * 1e6 / requests.max(1) as f64);
        let postgres = now.postgres.zip(self.postgres).map(|(now, before)| each(now.saturating_sub(before)));
        [each(now.service - self.service), postgres.unwrap_or_else(|| "-".to_owned())]
    }
}

/// All processes of PostgreSQL, whoever's they are: a measurement has the machine to itself.
fn postgres() -> Option<Duration> {
    let mut nanoseconds = 0;
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let path = process.path();
        if fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "postgres") {
            let used = fs::read_to_string(path.join("schedstat")).ok();
            nanoseconds += used.and_then(|text| text.split(' ').next()?.parse::<u64>().ok()).unwrap_or_default();
        }
    }
    Some(Duration::from_nanos(nanoseconds))
}
