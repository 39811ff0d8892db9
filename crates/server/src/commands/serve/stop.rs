//! The signals that stop the service.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{exit::Exit, settings::Settings};

/// Waits for signals.
pub(super) struct Stop {
    terminate: Signal,
    interrupt: Signal,
    /// `None` if whoever started the service has it ignore this signal, as `nohup` does.
    hangup: Option<Signal>,
}

/// A signal that stops the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Terminate,
    Interrupt,
    Hangup,
}

impl Stop {
    /// From now on these signals do not end the process.
    pub(super) fn listen() -> Result<Self, Exit> {
        let listen = |kind| signal(kind).map_err(|error| Exit::failed(format!("cannot listen for signals: {error}")));
        let hangup = (!ignores_hangup()).then(|| listen(SignalKind::hangup())).transpose()?;
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())?, hangup })
    }

    /// Waits until the service is asked to stop.
    pub(super) async fn asked(&mut self) -> Asked {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => Asked::Terminate,
            _ = self.interrupt.recv() => Asked::Interrupt,
            _ = hangup => Asked::Hangup,
        }
    }
}

impl Asked {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
            Self::Hangup => "SIGHUP",
        }
    }

    /// How long the service still accepts connections. Somebody at a terminal, who presses Ctrl-C, has no load balancer and waits.
    pub(super) fn delay(self, settings: &Settings) -> Duration {
        if self == Self::Interrupt { Duration::ZERO } else { settings.shutdown_delay }
    }
}

/// Whether this process was started so that it ignores SIGHUP. Only Linux tells without an unsafe call; elsewhere `nohup` has no effect.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
