//! The file of a backup: a tar archive of two members, `database.dump` and `manifest.json`. The manifest comes last, so that a file
//! that was cut off has none.

use std::{
    fs::File,
    io::{self, BufRead, Read, Seek, SeekFrom, Write},
};

use sha2::{Digest, Sha256};
use tar::Header;

use super::{BackupError, Dump, FORMAT, Manifest};

const DUMP: &str = "database.dump";
const MANIFEST: &str = "manifest.json";
const BLOCK: u64 = 512;

/// More than the counts of a million tenants.
const LONGEST_MANIFEST: u64 = 1 << 30;

/// Writes the dump behind the place of its header, which needs the length that only the end tells.
pub(super) struct Writer {
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl Writer {
    pub(super) fn new(mut file: File) -> io::Result<Self> {
        file.set_len(0)?;
        file.seek(SeekFrom::Start(BLOCK))?;
        Ok(Self { file, hash: Sha256::new(), bytes: 0 })
    }

    pub(super) fn finish(mut self, manifest: impl FnOnce(Dump) -> Manifest) -> io::Result<Archive> {
        let padding = (BLOCK - self.bytes % BLOCK) % BLOCK;
        io::copy(&mut io::repeat(0).take(padding), &mut self.file)?;
        let manifest = manifest(Dump { bytes: self.bytes, sha256: hexadecimal(&self.hash.finalize()) });
        let text = serde_json::to_vec_pretty(&manifest)?;
        self.file.write_all(header(MANIFEST, text.len() as u64, &manifest)?.as_bytes())?;
        self.file.write_all(&text)?;
        let end = (BLOCK - text.len() as u64 % BLOCK) % BLOCK + 2 * BLOCK;
        io::copy(&mut io::repeat(0).take(end), &mut self.file)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(header(DUMP, self.bytes, &manifest)?.as_bytes())?;
        // Some file systems only say now that the disk is full.
        self.file.sync_all()?;
        Ok(Archive { file: self.file, manifest, from: BLOCK })
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn header(name: &str, bytes: u64, manifest: &Manifest) -> io::Result<Header> {
    let mut header = Header::new_gnu();
    header.set_path(name)?;
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_mtime(u64::try_from(manifest.made_at.timestamp()).unwrap_or_default());
    header.set_cksum();
    Ok(header)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A backup that is whole.
#[derive(Debug)]
pub struct Archive {
    file: File,
    manifest: Manifest,
    /// Where the dump begins.
    from: u64,
}

impl Archive {
    /// Reads all of a file and checks that it is a whole, undamaged backup of a version that this program knows.
    ///
    /// # Errors
    ///
    /// [`BackupError::File`] if it is not, and [`BackupError::Io`] for a file that cannot be read.
    pub fn open(file: File) -> Result<Self, BackupError> {
        let (mut dump, mut manifest) = (None, None);
        let no_backup =
            |why: String| BackupError::File(format!("the file is not a backup of Tenantry, or it was cut off: {why}"));
        let mut archive = tar::Archive::new(&file);
        // What the library says repeats what is in the file, which may be a secret of somebody who named another file.
        let no_archive = |_| no_backup("it is not a tar archive as a whole".to_owned());
        for entry in archive.entries_with_seek().map_err(no_archive)? {
            let mut entry = entry.map_err(no_archive)?;
            let name = entry.path_bytes().into_owned();
            if name == DUMP.as_bytes() {
                dump = Some((entry.raw_file_position(), entry.size()));
            } else if name == MANIFEST.as_bytes() {
                let mut text = Vec::new();
                entry.by_ref().take(LONGEST_MANIFEST).read_to_end(&mut text).map_err(no_archive)?;
                manifest = Some(text);
            }
        }
        let (Some((from, bytes)), Some(manifest)) = (dump, manifest) else {
            return Err(no_backup(format!("it lacks {DUMP} or {MANIFEST}")));
        };
        let no_manifest = |error: serde_json::Error| {
            no_backup(format!("{MANIFEST} is wrong at line {}, column {}", error.line(), error.column()))
        };
        let format = serde_json::from_slice::<Format>(&manifest).map_err(no_manifest)?.format;
        if format != FORMAT {
            return Err(BackupError::File(format!(
                "the backup has version {format}, and this program reads version {FORMAT}: use the program that made it"
            )));
        }
        let manifest: Manifest = serde_json::from_slice(&manifest).map_err(no_manifest)?;
        let mut archive = Self { file, manifest, from };
        let found = archive.hash().map_err(|error| BackupError::Io("read the backup", error))?;
        if found != archive.manifest.dump || found.bytes != bytes {
            return Err(BackupError::File(
                "the backup is damaged: the dump in it is not the one that was written".to_owned(),
            ));
        }
        Ok(archive)
    }

    /// What the backup says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    pub(super) fn into_manifest(self) -> Manifest {
        self.manifest
    }

    /// The dump, from its beginning.
    pub(super) fn dump(&mut self) -> io::Result<impl Read + '_> {
        self.file.seek(SeekFrom::Start(self.from))?;
        Ok((&self.file).take(self.manifest.dump.bytes))
    }

    fn hash(&mut self) -> io::Result<Dump> {
        let (mut hash, mut bytes) = (Sha256::new(), 0);
        let mut dump = io::BufReader::with_capacity(1 << 16, self.dump()?);
        loop {
            let part = dump.fill_buf()?;
            if part.is_empty() {
                return Ok(Dump { bytes, sha256: hexadecimal(&hash.finalize()) });
            }
            hash.update(part);
            let read = part.len();
            bytes += read as u64;
            dump.consume(read);
        }
    }
}

#[derive(serde::Deserialize)]
struct Format {
    format: u32,
}
