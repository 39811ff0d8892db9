//! Results on standard output: text for people, or JSON for scripts.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::ValueEnum;
use serde::Serialize;
use serde_json::json;
use tenantry_domain::FieldRefusal;

use crate::exit::Exit;

/// How to print results. The variants have no documentation, because it would fill six lines of every help text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

/// Standard output in the requested format.
pub(crate) struct Output(Format);

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Self(format)
    }

    pub(crate) fn format(&self) -> Format {
        self.0
    }

    /// Prints a value as JSON, or what `text` makes of it.
    pub(crate) fn print(&self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Exit> {
        match self.0 {
            Format::Text => self.line(&text()),
            Format::Json => {
                self.line(&serde_json::to_string_pretty(value).map_err(|error| Exit::failed(error.to_string()))?)
            }
        }
    }

    /// Reports on standard error what went wrong.
    pub(crate) fn report(&self, exit: &Exit) -> ExitCode {
        let text = match self.0 {
            Format::Text => {
                let line = |f: &FieldRefusal| match f.field.as_str() {
                    "" => format!("\n  {}", f.message),
                    field => format!("\n  {field}: {}", f.message),
                };
                let fields: String = exit.fields.iter().map(line).collect();
                format!("tenantry: {}{fields}", exit.message)
            }
            Format::Json => {
                let fields: Vec<_> = exit
                    .fields
                    .iter()
                    .map(|f| json!({ "field": f.field, "code": f.code, "message": f.message }))
                    .collect();
                json!({ "error": exit.message, "exitCode": exit.code, "fields": fields }).to_string()
            }
        };
        // If nobody reads standard error, the exit code still tells.
        let _ = writeln!(std::io::stderr(), "{text}");
        ExitCode::from(exit.code)
    }

    /// Prints a line. If the reader has gone away, that is not an error.
    pub(crate) fn line(&self, text: &str) -> Result<(), Exit> {
        let mut out = io::stdout().lock();
        match writeln!(out, "{text}").and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Exit::failed(format!("cannot write the result: {error}")))
            }
            _ => Ok(()),
        }
    }
}

/// A table of columns as wide as their widest cell.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        rows.iter().map(|row| row[column].chars().count()).chain([head[column].len()]).max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |cells: [&str; N]| {
        let padded: Vec<_> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let head = line(head);
    let rows = rows.iter().map(|row| line(std::array::from_fn(|column| row[column].as_str())));
    std::iter::once(head).chain(rows).collect::<Vec<_>>().join("\n")
}

/// Labels with their values, one in each line.
pub(crate) fn fields(fields: &[(&str, String)]) -> String {
    let width = fields.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    let line = |(label, value): &(&str, String)| format!("{label:<width$}  {value}").trim_end().to_owned();
    fields.iter().map(line).collect::<Vec<_>>().join("\n")
}
