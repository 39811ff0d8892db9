//! Finds the programs of PostgreSQL on this machine: those of the server, and those that dump and restore.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{
    advice::{self, OLDEST},
    error::Error,
};

/// Where packages put the programs: the parent, how the versioned directory in it begins, and what follows it.
const PACKAGED: [(&str, &str, &str); 9] = [
    ("/usr/lib/postgresql", "", "bin"),          // Debian, Ubuntu
    ("/usr", "pgsql-", "bin"),                   // Fedora, RHEL: packages of the PostgreSQL project
    ("/usr/lib", "postgresql", "bin"),           // openSUSE
    ("/usr/libexec", "postgresql", ""),          // Alpine
    ("/usr/lib64", "postgresql-", "bin"),        // Gentoo
    ("/opt/homebrew/opt", "postgresql@", "bin"), // Homebrew on Apple silicon
    ("/usr/local/opt", "postgresql@", "bin"),    // Homebrew on Intel
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql@", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// The programs of one version, in one directory.
#[derive(Debug, Clone)]
pub(crate) struct Binaries {
    pub(crate) directory: PathBuf,
    pub(crate) major: u32,
}

impl Binaries {
    /// The programs to use: those in `chosen` if it is given, else the first that fit. An existing cluster
    /// can only be run by its own major version, `exactly`.
    pub(crate) fn find(chosen: Option<&Path>, exactly: Option<u32>) -> Result<Binaries, Error> {
        choose(candidates_or(chosen, &SERVER), &SERVER, exactly, |major| {
            exactly.map_or(major >= OLDEST, |exact| major == exact)
        })
    }

    /// Programs that dump and restore a server of this major version: `pg_dump` refuses a server that is newer than itself.
    pub(crate) fn find_clients(chosen: Option<&Path>, at_least: u32) -> Result<Binaries, Error> {
        choose(candidates_or(chosen, &CLIENTS), &CLIENTS, Some(at_least), |major| major >= at_least)
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

/// Programs that lie together. The first one tells their version.
struct Set {
    programs: &'static [&'static str],
    /// What is missing where there are none of this version, or none at all.
    wanted: fn(Option<u32>) -> String,
}

const SERVER: Set = Set {
    programs: &["postgres", "initdb"],
    wanted: |exactly| match exactly {
        Some(major) => format!("The PostgreSQL {major} server, which the existing database needs,"),
        None => format!("A PostgreSQL server, version {OLDEST} or later,"),
    },
};

const CLIENTS: Set = Set {
    programs: &["pg_dump", "pg_restore", "psql"],
    wanted: |major| {
        let major = major.unwrap_or(OLDEST);
        format!("A set of pg_dump, pg_restore and psql of version {major} or later, which this database needs,")
    },
};

fn candidates_or(chosen: Option<&Path>, set: &Set) -> Vec<(&'static str, PathBuf)> {
    match chosen {
        Some(directory) => vec![("TENANTRY_PG_BIN", directory.to_owned())],
        None => candidates(set),
    }
}

fn choose(
    candidates: Vec<(&'static str, PathBuf)>,
    set: &Set,
    major: Option<u32>,
    fits: impl Fn(u32) -> bool,
) -> Result<Binaries, Error> {
    let mut seen = BTreeSet::new();
    let mut looked = String::new();
    for (origin, directory) in candidates {
        if !seen.insert(directory.canonicalize().unwrap_or_else(|_| directory.clone())) {
            continue;
        }
        let found = match inspect(&directory, set) {
            Ok(major) if fits(major) => {
                return Ok(Binaries { directory, major });
            }
            Ok(major) => format!("version {major}"),
            Err(nothing) => nothing,
        };
        looked.push_str(&format!("  {} ({origin}): {found}\n", directory.display()));
    }
    let wanted = (set.wanted)(major);
    let looked = if looked.is_empty() {
        "Tenantry looked in pg_config, the PATH and the usual package directories.\n".to_owned()
    } else {
        format!("Tenantry looked in:\n{looked}")
    };
    Err(Error::NoServer { wanted, looked, advice: advice::install() })
}

/// The major version of the programs in `directory`, or what is missing there.
fn inspect(directory: &Path, set: &Set) -> Result<u32, String> {
    for name in set.programs {
        if !is_program(&directory.join(name)) {
            return Err(format!("has no program {name}"));
        }
    }
    let first = set.programs[0];
    let said = output_of(&directory.join(first), "--version").ok_or(format!("{first} --version does not work"))?;
    version(&said).ok_or_else(|| format!("{first} --version says {said:?}"))
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian ...)`, of betas too (`18beta1`).
fn version(said: &str) -> Option<u32> {
    let number = said.split("(PostgreSQL)").nth(1)?.trim_start();
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn candidates(set: &Set) -> Vec<(&'static str, PathBuf)> {
    let mut found = Vec::new();
    if let Some(said) = output_of(Path::new("pg_config"), "--bindir") {
        found.push(("pg_config --bindir", PathBuf::from(said)));
    }
    #[expect(clippy::disallowed_methods, reason = "the search path is no setting of ours")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    for directory in std::env::split_paths(&path).filter(|directory| directory.is_absolute()) {
        if is_program(&directory.join(set.programs[0])) {
            found.push(("PATH", real_directory(&directory, set)));
        }
    }
    for (parent, begins, below) in PACKAGED {
        found.extend(versions_in(Path::new(parent), begins).map(|directory| ("package", directory.join(below))));
    }
    found
}

/// A link in PATH may be alone there; the programs lie together where it points to.
fn real_directory(directory: &Path, set: &Set) -> PathBuf {
    let real = directory.join(set.programs[0]).canonicalize().ok();
    let real = real.and_then(|program| program.parent().map(Path::to_owned));
    real.filter(|real| set.programs.iter().all(|name| is_program(&real.join(name))))
        .unwrap_or_else(|| directory.to_owned())
}

/// The directories in `parent` whose name is `begins` and a version, newest first.
fn versions_in(parent: &Path, begins: &str) -> impl Iterator<Item = PathBuf> + use<> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let rest = name.to_str().and_then(|name| name.strip_prefix(begins));
        if let Some(number) = rest.and_then(|rest| rest.parse::<f32>().ok()).filter(|number| *number >= 1.0) {
            found.push((number as u32, entry.path()));
        }
    }
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, directory)| directory)
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// What of the environment a program gets that works with a database: libpq's own variables, and what it needs to run.
const INHERITED: [&str; 6] = ["HOME", "PATH", "USER", "TERM", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

/// A program of PostgreSQL, without the settings of this service: they may hold passwords.
pub(crate) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    #[expect(clippy::disallowed_methods, reason = "handed on to a child, not read")]
    let ours = std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        name.starts_with("PG") || INHERITED.contains(&name.as_ref())
    });
    command.envs(ours).env("LC_ALL", "C");
    command
}

fn output_of(program: &Path, argument: &str) -> Option<String> {
    let mut command = command(program);
    let done = command.arg(argument).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let said = String::from_utf8(done.stdout).ok()?.trim().to_owned();
    (done.status.success() && !said.is_empty()).then_some(said)
}

#[cfg(test)]
mod tests {
    use super::{Binaries, CLIENTS, SERVER, choose, fs, inspect, version, versions_in};

    #[test]
    fn reads_versions() {
        assert_eq!(version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(version("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(version("postgres (PostgreSQL) 9.6.24"), Some(9));
        assert_eq!(version("zsh: command not found"), None);
    }

    #[test]
    fn newest_comes_first() -> std::io::Result<()> {
        let parent = tempfile::tempdir()?;
        for name in ["pgsql-9.6", "pgsql-15", "pgsql-17", "pgsql-local", "java-21"] {
            fs::create_dir(parent.path().join(name))?;
        }
        let found: Vec<_> = versions_in(parent.path(), "pgsql-").collect();
        assert_eq!(found, ["pgsql-17", "pgsql-15", "pgsql-9.6"].map(|name| parent.path().join(name)));
        Ok(())
    }

    #[test]
    fn one_message_when_there_is_none() {
        let refused =
            choose(Vec::new(), &SERVER, None, |_| true).map(|found| found.directory).map_err(|error| error.to_string());
        let message = refused.err().unwrap_or_default();
        assert!(message.contains("version 15 or later") && message.contains("DATABASE_URL"), "{message}");
    }

    #[test]
    fn the_programs_of_this_machine_are_found() -> Result<(), super::Error> {
        let found = Binaries::find(None, None)?;
        assert_eq!(inspect(&found.directory, &SERVER), Ok(found.major));
        let clients = Binaries::find_clients(None, found.major)?;
        assert!(inspect(&clients.directory, &CLIENTS).is_ok_and(|major| major >= found.major));
        let none = Binaries::find_clients(None, 999).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(none.contains("pg_dump") && none.contains("version 999 or later"), "{none}");
        assert!(found.major >= super::OLDEST);
        Ok(())
    }
}
