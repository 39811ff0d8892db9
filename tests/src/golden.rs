//! Golden files: what the service does, as it was committed.

use std::{fs, path::Path};

/// Compares a text with the golden file of this name below `tests/it`; `make golden` writes the file instead.
#[track_caller]
pub fn golden(name: &str, text: &str) {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/it")).join(name);
    #[expect(clippy::disallowed_methods, reason = "the switch that `make golden` turns")]
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).unwrap();
    }
    let golden = fs::read_to_string(path).unwrap_or_default();
    let difference = only(&golden, text, "-") + &only(text, &golden, "+");
    assert!(golden == text, "{name} is not what the service does. If this is meant: make golden\n{difference}");
}

/// The lines of a text that the other lacks, each under the line that begins its block.
fn only(text: &str, other: &str, mark: &str) -> String {
    let (mut lines, mut head) = (String::new(), "");
    for line in text.lines() {
        head = if line.starts_with(' ') { head } else { line };
        let block = other.split("\n\n").find(|block| block.lines().next() == Some(head)).unwrap_or_default();
        if !block.lines().any(|known| known == line) {
            lines += &format!("{mark} {head}: {}\n", line.trim());
        }
    }
    lines
}
