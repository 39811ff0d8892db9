//! `pg_dump`, `pg_restore` and `psql`: found on this machine, and told about the database in a file, so that no password is on a
//! command line.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, Write},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use tempfile::NamedTempFile;

use super::{Archive, BackupError, archive::Writer};
use crate::{
    conninfo::ConnectionString,
    embedded::binaries::{self, Binaries},
};

/// The name of the database in the file.
const SERVICE: &str = "tenantry";

/// The programs of one version.
pub(crate) struct Programs(Binaries);

impl Programs {
    /// Those that work with a server of this major version.
    pub(crate) fn find(pg_bin: Option<&Path>, server: u32) -> Result<Self, BackupError> {
        Ok(Self(Binaries::find_clients(pg_bin, server)?))
    }

    pub(super) fn major(&self) -> u32 {
        self.0.major
    }

    /// Dumps what a snapshot shows.
    pub(super) fn dump(&self, url: &str, snapshot: &str, to: &mut Writer) -> Result<(), BackupError> {
        let service = Service::of(url)?;
        let mut command = self.command("pg_dump", Some(&service));
        command.args(["--format=custom", "--no-password", "--lock-wait-timeout=60000"]);
        // The rows of a partition are those of its table: so they are counted, and so they find their partition again.
        command.arg("--load-via-partition-root");
        command.arg(format!("--snapshot={snapshot}")).arg(format!("--dbname=service={SERVICE}"));
        let mut running = Running::start("pg_dump", command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
        let copied = running.child.stdout.take().map(|mut out| io::copy(&mut out, to));
        if let Some(Err(error)) = copied {
            running.kill();
            return Err(BackupError::Write(error));
        }
        running.finish()
    }

    /// Restores a dump, all of it or nothing, with this role as the owner of everything.
    pub(super) fn restore(&self, url: &str, owner: &str, archive: &mut Archive) -> Result<(), BackupError> {
        let service = Service::of(url)?;
        let mut command = self.command("pg_restore", Some(&service));
        command.args(["--single-transaction", "--exit-on-error", "--no-owner", "--no-password"]);
        command.arg(format!("--role={owner}")).arg(format!("--dbname=service={SERVICE}"));
        let mut running = Running::start("pg_restore", command.stdin(Stdio::piped()).stdout(Stdio::null()))?;
        let copied = feed(&mut running.child, archive.dump().map_err(unread)?);
        // What pg_restore says comes first: it is why it does not read on.
        running.finish()?;
        copied.map_err(unread)
    }

    /// How many rows of each table a dump holds. Needs no database.
    pub(super) fn count(&self, archive: &mut Archive) -> Result<BTreeMap<String, u64>, BackupError> {
        let mut command = self.command("pg_restore", None);
        command.args(["--data-only", "--file=-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut running = Running::start("pg_restore", &mut command)?;
        let (stdin, stdout) = (running.child.stdin.take(), running.child.stdout.take());
        let dump = archive.dump().map_err(unread)?;
        let counted = thread::scope(|scope| {
            let counting =
                scope.spawn(|| stdout.map_or_else(|| Ok(BTreeMap::new()), |out| count_lines(BufReader::new(out))));
            let fed = stdin.map_or(Ok(()), |stdin| pour(dump, stdin));
            let counted = counting.join().unwrap_or_else(|_| Err(io::Error::other("the counting failed")));
            fed.and(counted)
        });
        running.finish()?;
        counted.map_err(unread)
    }

    /// `psql` at this database, with the terminal of this process. Returns its exit code.
    pub(crate) fn psql(&self, url: &str, arguments: &[std::ffi::OsString]) -> Result<i32, BackupError> {
        let service = Service::of(url)?;
        let mut command = self.command("psql", Some(&service));
        command.arg(format!("--dbname=service={SERVICE}")).args(arguments);
        let status = command.status().map_err(|error| BackupError::Io("run psql", error))?;
        Ok(status.code().unwrap_or(1))
    }

    fn command(&self, program: &str, service: Option<&Service>) -> Command {
        let mut command = binaries::command(&self.0.program(program));
        if let Some(Service(file)) = service {
            command.env("PGSERVICEFILE", file.path());
        }
        command
    }
}

fn unread(error: io::Error) -> BackupError {
    BackupError::Io("read the backup", error)
}

fn feed(child: &mut Child, dump: impl Read) -> io::Result<()> {
    child.stdin.take().map_or(Ok(()), |stdin| pour(dump, stdin))
}

/// A reader that has gone away says itself why.
fn pour(mut from: impl Read, mut to: impl Write) -> io::Result<()> {
    match io::copy(&mut from, &mut to) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Counts the lines of each `COPY`, which are rows: a newline in a value is written as `\n`.
fn count_lines(mut script: impl BufRead) -> io::Result<BTreeMap<String, u64>> {
    let (mut counts, mut inside) = (BTreeMap::new(), None::<String>);
    let mut line = Vec::new();
    while script.read_until(b'\n', &mut line)? > 0 {
        match &inside {
            Some(_) if line == b"\\.\n" => inside = None,
            Some(table) => *counts.entry(table.clone()).or_default() += 1,
            None => inside = table_of(&line),
        }
        line.clear();
    }
    Ok(counts)
}

/// The table in `COPY public.brands (…) FROM stdin;`.
fn table_of(line: &[u8]) -> Option<String> {
    let line = str::from_utf8(line).ok()?.strip_prefix("COPY public.")?;
    line.ends_with("FROM stdin;\n").then(|| line.split(' ').next().unwrap_or_default().trim_matches('"').to_owned())
}

/// A program that runs, with what it says as errors in a file.
struct Running {
    program: &'static str,
    child: Child,
    said: File,
}

impl Running {
    fn start(program: &'static str, command: &mut Command) -> Result<Self, BackupError> {
        let said = tempfile::tempfile().map_err(|error| BackupError::Io("create a temporary file", error))?;
        let also = said.try_clone().map_err(|error| BackupError::Io("open a temporary file", error))?;
        let child = command.stderr(Stdio::from(also)).spawn();
        let child = child.map_err(|error| BackupError::Program { program, said: error.to_string() })?;
        Ok(Self { program, child, said })
    }

    fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn finish(mut self) -> Result<(), BackupError> {
        let status = self.child.wait().map_err(|error| BackupError::Io("wait for a program", error))?;
        if status.success() {
            return Ok(());
        }
        let mut said = Vec::new();
        // What cannot be read is left out: the status tells.
        let _ = self.said.rewind().and_then(|()| self.said.read_to_end(&mut said));
        let said = String::from_utf8_lossy(&said);
        let said = said.lines().map(str::trim).filter(|line| !line.is_empty()).take(5).collect::<Vec<_>>().join("; ");
        let said = if said.is_empty() { status.to_string() } else { said };
        Err(BackupError::Program { program: self.program, said })
    }
}

/// A file that only this user can read, and that goes away with this.
struct Service(NamedTempFile);

impl Service {
    fn of(url: &str) -> Result<Self, BackupError> {
        let unread = || BackupError::Role("the database URL cannot be read".to_owned());
        let string = ConnectionString::parse(url).ok_or_else(unread)?;
        let mut text = format!("[{SERVICE}]\n");
        for (key, value) in string.words() {
            if value.contains('\n') || value.trim() != value {
                return Err(BackupError::Role(format!(
                    "the {key} in the database URL begins or ends with white space"
                )));
            }
            text.push_str(&format!("{key}={value}\n"));
        }
        let failed = |error| BackupError::Io("create a temporary file", error);
        let mut file = NamedTempFile::new().map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.flush()).map_err(failed)?;
        Ok(Self(file))
    }
}

#[cfg(test)]
mod tests {
    use super::count_lines;

    #[test]
    fn the_rows_of_a_script_are_counted_by_table() -> std::io::Result<()> {
        let script = "--\nSET x = 1;\nCOPY public.brands (tenant_id, name) FROM stdin;\na\tCOPY public.x (\nb\t\\\\.\n\\.\n\n\
                      COPY public.\"order\" (id) FROM stdin;\n\\.\nCOPY public.agents (id) FROM stdin;\n1\n\\.\n";
        let counts = count_lines(script.as_bytes())?;
        let expected = [("agents", 1), ("brands", 2)].map(|(table, rows)| (table.to_owned(), rows));
        assert_eq!(counts, expected.into());
        Ok(())
    }
}
