//! A file that a command writes: it overwrites nothing, only its owner can read it, and it has its name only when it is complete.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;
use tenantry_operations::transfer::unwritten;

use crate::exit::Exit;

/// A file that is being written, under another name in the directory of its path. It is removed after an error. A process that is
/// killed leaves it.
pub(crate) struct NewFile {
    temporary: NamedTempFile,
    path: Option<PathBuf>,
    what: &'static str,
}

impl NewFile {
    /// Begins a file for this path, which must not exist; for none, a temporary one. `what` is what it will be, such as "export".
    pub(crate) fn begin(path: Option<&Path>, what: &'static str) -> Result<Self, Exit> {
        if let Some(path) = path.filter(|path| path.symlink_metadata().is_ok()) {
            return Err(already_there(path, what));
        }
        let temporary = beside(path).map_err(|error| unwritable(path, what, &error))?;
        Ok(Self { temporary, path: path.map(Path::to_owned), what })
    }

    /// Another handle of it, with the same position.
    pub(crate) fn file(&self) -> Result<File, Exit> {
        self.temporary.as_file().try_clone().map_err(|error| self.unwritable(&error))
    }

    /// Gives it its name. One without a path goes away.
    pub(crate) fn finish(self) -> Result<(), Exit> {
        let Some(path) = self.path.clone() else { return Ok(()) };
        // Some file systems only say now that the disk is full.
        self.temporary.as_file().sync_all().map_err(|error| self.unwritable(&error))?;
        let what = self.what;
        self.temporary.persist_noclobber(&path).map(drop).map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => already_there(&path, what),
            _ => unwritable(Some(&path), what, &error.error),
        })
    }

    fn unwritable(&self, error: &io::Error) -> Exit {
        unwritable(self.path.as_deref(), self.what, error)
    }
}

fn beside(path: Option<&Path>) -> io::Result<NamedTempFile> {
    let Some(path) = path else { return NamedTempFile::new() };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    tempfile::Builder::new().prefix(&format!(".{name}.")).suffix(".part").tempfile_in(directory)
}

/// That the file could not be written, and why.
pub(crate) fn unwritable(path: Option<&Path>, what: &str, error: &io::Error) -> Exit {
    let to = path.map_or_else(|| "standard output".to_owned(), |path| path.display().to_string());
    Exit::failed(format!("cannot write the {what} to {to}: {}", unwritten(error)))
}

fn already_there(path: &Path, what: &str) -> Exit {
    let path = path.display();
    let article = if what.starts_with('e') { "an" } else { "a" };
    Exit::conflict(format!(
        "{path} already exists, and {article} {what} overwrites nothing: name another file, or remove it first"
    ))
}
