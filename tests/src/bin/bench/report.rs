//! What is printed: a table for each scenario, and under it whether what was promised held.

use std::time::Duration;

use crate::client::{Met, quantile};

/// A table whose columns are as wide as what is in them.
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
        let counts = (format!("{:.0}/s", met.rate()), met.refused.len().to_string());
        self.row([vec![name.into(), counts.0], good.to_vec(), vec![counts.1], refused.to_vec()].concat());
    }

    /// Prints it under this heading.
    pub(crate) fn print(&self, heading: &str) {
        println!("\n{heading}");
        let columns = self.0.iter().map(Vec::len).max().unwrap_or_default();
        let wide = |column: usize| self.0.iter().filter_map(|row| Some(row.get(column)?.chars().count())).max();
        let widths: Vec<_> = (0..columns).map(|column| wide(column).unwrap_or_default()).collect();
        for row in &self.0 {
            let cells = row.iter().zip(&widths).enumerate();
            let cells: Vec<_> = cells
                .map(|(at, (cell, &width))| if at == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") })
                .collect();
            println!("  {}", cells.join("  ").trim_end());
        }
    }
}

/// Prints whether a promise held, and with which figure.
pub(crate) fn promise(promise: &str, held: bool, figure: impl AsRef<str>) {
    println!("  {}  {promise}: {}", if held { "held    " } else { "NOT HELD" }, figure.as_ref());
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
