//! Emails as files, for a service without an SMTP server.

use std::{
    io,
    path::{Path, PathBuf},
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
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).await?;
    file.write_all(content).await?;
    file.sync_all().await
}
