//! What operators deploy says only what is so: metrics, settings, commands, paths and ports are those of the program.

mod compose;
mod dist;
mod kubernetes;
mod metrics;
mod queries;
mod replica;
mod systemd;
mod yaml;

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::binary::kit::Tenantry;

/// A file of the repository.
fn path(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The variables of all settings, as `tenantry config` lists them.
fn variables() -> Vec<String> {
    let shown = Tenantry::embedded().json(&["config"]);
    let mut variables: Vec<String> =
        shown.as_array().unwrap().iter().map(|row| row["variable"].as_str().unwrap().to_owned()).collect();
    // These two work as well, and the settings file has a variable and no key.
    variables.extend(["DATABASE_URL", "DATABASE_URL_FILE", "TENANTRY_CONFIG"].map(str::to_owned));
    variables
}

/// Whether the program has this command: its help can be read.
fn is_command(arguments: &[&str]) -> bool {
    let names: Vec<_> = arguments.iter().copied().filter(|argument| !argument.starts_with('-')).collect();
    Tenantry::embedded().run(&[&names[..], &["--help"]].concat()).code == 0
}

/// How GitHub names the anchor of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
}

/// Whether there is a page of this name with this anchor, as in `docs/operations.md#mail`.
fn is_section(link: &str) -> bool {
    let Some((page, wanted)) = link.split_once('#') else { return path(link).is_file() };
    path(page).is_file()
        && text(page)
            .lines()
            .filter_map(|line| line.strip_prefix('#'))
            .any(|line| anchor(line.trim_start_matches('#').trim()) == wanted)
}
