//! What the process takes of its machine, under the names that Prometheus gives it everywhere. Only where there is `/proc`.

#[cfg(target_os = "linux")]
pub(super) use linux::Process;
use prometheus_client::registry::Registry;

/// Nothing, where there is no `/proc`.
#[cfg(not(target_os = "linux"))]
pub(super) struct Process;

#[cfg(not(target_os = "linux"))]
impl Process {
    pub(super) fn register(_: &mut Registry) -> Self {
        Self
    }

    pub(super) fn look(&self) {}
}

#[cfg(target_os = "linux")]
mod linux {
    use std::sync::atomic::{AtomicU64, Ordering};

    use procfs::{ProcResult, process::LimitValue};
    use prometheus_client::metrics::{counter::Counter, gauge::Gauge};

    use super::Registry;

    /// The process, as it was at the last look.
    #[derive(Default)]
    pub(in crate::metrics) struct Process {
        cpu: Counter<f64, AtomicU64>,
        resident: Gauge,
        files: Gauge,
        most_files: Gauge,
        threads: Gauge,
        started: Gauge,
    }

    impl Process {
        pub(in crate::metrics) fn register(registry: &mut Registry) -> Self {
            let all = Self::default();
            registry.register("process_cpu_seconds", "Processor time of the process, in all threads", all.cpu.clone());
            registry.register(
                "process_resident_memory_bytes",
                "Memory of the process that is in RAM",
                all.resident.clone(),
            );
            registry.register("process_open_fds", "Open files and connections", all.files.clone());
            registry.register("process_max_fds", "Files and connections that may be open", all.most_files.clone());
            registry.register("process_threads", "Threads", all.threads.clone());
            registry.register(
                "process_start_time_seconds",
                "When the process started, in seconds since 1970",
                all.started.clone(),
            );
            // Metrics are made when the process starts. What the kernel says of it counts from the start of the machine, which a
            // hardened process may not know.
            all.started.set(chrono::Utc::now().timestamp());
            all
        }

        /// Looks again. What cannot be read stays as it was.
        pub(in crate::metrics) fn look(&self) {
            if let Err(error) = self.read() {
                tracing::debug!(%error, "cannot read what the process takes");
            }
        }

        fn read(&self) -> ProcResult<()> {
            let process = procfs::process::Process::myself()?;
            let (stat, ticks) = (process.stat()?, procfs::ticks_per_second());
            let seconds = (stat.utime + stat.stime) as f64 / ticks as f64;
            self.cpu.inner().store(seconds.to_bits(), Ordering::Relaxed);
            set(&self.resident, stat.rss * procfs::page_size());
            self.threads.set(stat.num_threads);
            if let LimitValue::Value(most) = process.limits()?.max_open_files.soft_limit {
                set(&self.most_files, most);
            }
            set(&self.files, process.fd_count()? as u64);
            Ok(())
        }
    }

    fn set(gauge: &Gauge, value: u64) {
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
    }
}
