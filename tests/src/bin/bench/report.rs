//! What is printed, and written to a file too: a table for each scenario, and under it whether what was promised held.

use std::{fmt::Arguments, fs, io::Write, path::PathBuf, time::Duration};

use crate::client::{Met, quantile};

/// The directory of what a run leaves: `bench` in cargo's target directory.
pub(crate) fn directory() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.ancestors().nth(2).unwrap().join("bench")
}

/// Begins the report of this run.
pub(crate) fn begin() {
    fs::create_dir_all(directory()).unwrap();
    write("report.md", "");
}

/// Writes a file of the run.
pub(crate) fn write(name: &str, text: &str) {
    fs::write(directory().join(name), text).unwrap();
}

/// Prints this, and adds it to the report.
macro_rules! say {
    ($($text:tt)*) => { $crate::report::print(format_args!($($text)*)) };
}
pub(crate) use say;

/// See [`say!`].
#[expect(clippy::print_stdout, reason = "what the program is for")]
pub(crate) fn print(text: Arguments<'_>) {
    println!("{text}");
    let mut report = fs::OpenOptions::new().append(true).open(directory().join("report.md")).unwrap();
    writeln!(report, "{text}").unwrap();
}

/// A table in Markdown whose columns are as wide as what is in them.
pub(crate) struct Table(Vec<Vec<String>>);

impl Table {
    pub(crate) fn new(columns: &[&str]) -> Self {
        Self(vec![columns.iter().map(|&column| column.to_owned()).collect()])
    }

    /// A table of loads: [`loaded`](Self::loaded).
    pub(crate) fn of_loads(first: &str) -> Self {
        Self::new(&[first, "good", "p50", "p99", "p99.9", "refused", "p50", "p99", "longest"])
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.0.push(cells.into_iter().collect());
    }

    /// What a load met with.
    pub(crate) fn loaded(&mut self, name: impl Into<String>, met: &Met) {
        let good = [0.5, 0.99, 0.999].map(|share| time(&met.good, share));
        let refused = [0.5, 0.99, 1.0].map(|share| time(&met.refused, share));
        let counts = (rate(met.rate()), met.refused.len().to_string());
        self.row([vec![name.into(), counts.0], good.to_vec(), vec![counts.1], refused.to_vec()].concat());
    }

    /// Whether there are words in a column, and not figures.
    fn is_text(&self, column: usize) -> bool {
        let cells = self.0.iter().skip(1).filter_map(|row| row.get(column)?.chars().next());
        column == 0 || cells.clone().any(char::is_alphabetic)
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let cells = widths.iter().enumerate().map(|(at, &width)| {
            let cell = cells.get(at).map_or("", String::as_str);
            if self.is_text(at) { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
    }

    /// Prints it under this heading.
    pub(crate) fn print(&self, heading: &str) {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or_default();
        let wide = |column: usize| self.0.iter().filter_map(|row| Some(row.get(column)?.chars().count())).max();
        let widths: Vec<_> = (0..columns).map(|column| wide(column).unwrap_or_default().max(2)).collect();
        let mut lines: Vec<_> = self.0.iter().map(|row| self.line(row, &widths)).collect();
        let rule =
            |(at, &width): (usize, &usize)| if at == 0 { "-".repeat(width) } else { "-".repeat(width - 1) + ":" };
        lines.insert(1, self.line(&widths.iter().enumerate().map(rule).collect::<Vec<_>>(), &widths));
        say!("\n{heading}\n\n{}\n", lines.join("\n"));
    }
}

/// Prints whether a promise held, and with which figure.
pub(crate) fn promise(promise: &str, held: bool, figure: impl AsRef<str>) {
    say!("- {}: {promise}: {}", if held { "held" } else { "NOT HELD" }, figure.as_ref());
}

/// The time that this share does not exceed; a dash if there is none.
fn time(times: &[Duration], share: f64) -> String {
    if times.is_empty() { "-".to_owned() } else { ms(quantile(times, share)) }
}

/// Milliseconds, as exact as somebody reads them.
pub(crate) fn ms(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    if ms < 10.0 { format!("{ms:.2} ms") } else { format!("{ms:.0} ms") }
}

/// So many in a second.
pub(crate) fn rate(per_second: f64) -> String {
    format!("{}/s", thousands(per_second))
}

/// A whole number that is easy to read.
pub(crate) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let group = |(at, digit): (usize, char)| {
        let comma = at > 0 && (digits.len() - at).is_multiple_of(3);
        [comma.then_some(','), Some(digit)].into_iter().flatten()
    };
    digits.char_indices().flat_map(group).collect()
}

/// The middle one of several values.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
