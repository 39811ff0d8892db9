//! Log lines on standard error, as JSON for machines or as text for people.

use std::{io::IsTerminal, sync::OnceLock};

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{EnvFilter, fmt::writer::BoxMakeWriter};

use crate::settings::{LogFormat, Settings};

/// How many lines wait at most for whoever reads them.
const WAITING: usize = 16_384;

/// The one log of the process.
static LOST: OnceLock<ErrorCounter> = OnceLock::new();

/// Starts logging; called once.
pub(crate) fn start(settings: &Settings) {
    start_with(settings, BoxMakeWriter::new(std::io::stderr));
}

/// Starts logging for a command that shows settings which may be wrong, their log level among them: warnings and errors, as text.
pub(crate) fn start_quietly(settings: &Settings) {
    let quiet = Settings { log_level: "warn".to_owned(), warnings: Vec::new(), ..settings.clone() };
    start_with(&quiet, BoxMakeWriter::new(std::io::stderr));
}

/// Starts logging on a thread of its own, which nobody waits for: if the lines are not read in time, they are lost, and counted. The
/// last ones are written when the guard is dropped.
pub(crate) fn start_aside(settings: &Settings) -> WorkerGuard {
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(WAITING)
        .thread_name("log")
        .finish(std::io::stderr());
    LOST.get_or_init(|| writer.error_counter());
    start_with(settings, BoxMakeWriter::new(writer));
    guard
}

/// How many lines were lost.
pub(crate) fn lost_lines() -> u64 {
    LOST.get().map_or(0, |lost| lost.dropped_lines() as u64)
}

/// The parser of HTML warns of what it does not support in the signature that somebody sent. That is nothing for an operator to read.
fn filter(level: &str) -> EnvFilter {
    let filter = EnvFilter::new(level);
    match "html5ever=error".parse() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => filter,
    }
}

fn start_with(settings: &Settings, writer: BoxMakeWriter) {
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter(&settings.log_level)).with_writer(writer).with_target(false);
    // A second call finds logging already started, which is fine.
    let _ = match settings.log_format {
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
        LogFormat::Pretty => builder.with_ansi(std::io::stderr().is_terminal()).compact().try_init(),
    };
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
}
