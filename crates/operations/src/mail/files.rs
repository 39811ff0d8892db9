//! Emails as files, for a service without an SMTP server.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tokio::{fs, io::AsyncWriteExt};
use uuid::Uuid;

use super::{MailFault, said};

/// Writes a message to `ID.eml`. The same email is the same file, which is whole or is not there. Files hold links that open
/// something, so that they are for their owner only.
pub(super) async fn write(directory: &Path, id: Uuid, message: &[u8]) -> Result<(), MailFault> {
    let file = directory.join(format!("{id}.eml"));
    let unfinished = directory.join(format!(".{id}.{}.unfinished", Uuid::now_v7()));
    let written = async {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).await?;
        create(&unfinished, message).await?;
        fs::rename(&unfinished, &file).await?;
        fs::File::open(directory).await?.sync_all().await
    };
    match written.await {
        Ok(()) => Ok(()),
        Err(error) => {
            // A file that was not finished is of no use, and a full disk has no room for it.
            drop(fs::remove_file(&unfinished).await);
            Err(MailFault::Later(format!("cannot write {}: {}", file.display(), said(&error.to_string()))))
        }
    }
}

async fn create(path: &PathBuf, content: &[u8]) -> io::Result<()> {
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).await?;
    fill(file, content).await
}

async fn fill(mut file: fs::File, content: &[u8]) -> io::Result<()> {
    file.write_all(content).await?;
    // The write goes on behind this file, and only a flush says how it ended: `sync_all` is silent about a disk that is full.
    file.flush().await?;
    file.sync_all().await
}

/// After how long a file that is not finished never will be: an attempt takes a minute at most.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// What is in a directory of emails. A file that has another name than those here is none of ours.
#[derive(Debug, Default)]
pub(crate) struct Saved {
    /// The messages that were saved.
    pub(crate) messages: BTreeSet<Uuid>,
    /// Files that somebody began who has died since.
    pub(crate) unfinished: Vec<PathBuf>,
}

/// What is in the directory, as far as it can be read.
pub(super) async fn saved(directory: &Path) -> Saved {
    let mut saved = Saved::default();
    match fs::read_dir(directory).await {
        Ok(mut entries) => loop {
            match entries.next_entry().await {
                Ok(Some(entry)) => note(&mut saved, &entry).await,
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, directory = %directory.display(), "cannot list the saved emails");
                    break;
                }
            }
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(%error, directory = %directory.display(), "cannot list the saved emails"),
    }
    saved
}

async fn note(saved: &mut Saved, entry: &fs::DirEntry) {
    let name = entry.file_name();
    let Some(name) = name.to_str() else { return };
    if let Some(id) = name.strip_suffix(".eml").and_then(|stem| stem.parse().ok()) {
        saved.messages.insert(id);
    } else if name.starts_with('.') && name.ends_with(".unfinished") {
        let changed = entry.metadata().await.and_then(|metadata| metadata.modified()).ok();
        let age = changed.and_then(|changed| SystemTime::now().duration_since(changed).ok());
        if age.is_some_and(|age| age > ABANDONED) {
            saved.unfinished.push(entry.path());
        }
    }
}

/// Deletes these files; returns how many.
pub(super) async fn delete(directory: &Path, saved: Saved) -> usize {
    let messages = saved.messages.iter().map(|id| directory.join(format!("{id}.eml")));
    let mut deleted = 0;
    for path in messages.chain(saved.unfinished) {
        match fs::remove_file(&path).await {
            Ok(()) => deleted += 1,
            // Another replica was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(%error, file = %path.display(), "cannot delete a saved email"),
        }
    }
    deleted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Linux has a disk that is always full.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_email_for_which_the_disk_has_no_room_is_not_taken_for_saved() {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").await.unwrap();
        assert_eq!(fill(full, b"Dear Ada").await.unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
