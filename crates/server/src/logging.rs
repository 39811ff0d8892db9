//! Log lines on the standard error, as JSON for machines or for people.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::settings::{LogFormat, Settings};

/// What actix says of its own start and stop, the service says itself. A filter that names the target has its way.
const QUIET: &str = "actix_server=warn";

/// Starts logging; called once.
pub(crate) fn start(settings: &Settings) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(format!("{QUIET},{}", settings.log_level)))
        .with_writer(std::io::stderr)
        .with_target(false);
    // A second start finds logging there, which is what it wanted.
    let _ = match settings.log_format {
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
        LogFormat::Pretty => builder.with_ansi(std::io::stderr().is_terminal()).compact().try_init(),
    };
}
