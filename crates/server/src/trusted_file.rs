//! Files that decide whom the service trusts, or that hold its secrets: who else could change or read them.
//!
//! A file that others can write is refused: they could put their own key or password into it. As root, so is one that belongs to
//! somebody else. A secret that everybody on this machine can read is only warned about, because container platforms mount secrets
//! like that, where nobody else is; if nobody can write it either (mode 0444), they meant it.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use nix::unistd::geteuid;
use zeroize::Zeroizing;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// A secret.
    Secret,
    /// What the service goes by, such as settings and certificates.
    Trust,
}

/// No secret is longer, and no settings file.
const LONGEST: u64 = 1 << 20;

/// The content of a file, if it can be trusted; else a sentence that does not repeat any of it. What is only worth a warning is
/// added to `warnings`.
pub(crate) fn read(path: &Path, holds: Holds, warnings: &mut Vec<String>) -> Result<Zeroizing<Vec<u8>>, String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    let file = File::open(path).map_err(unreadable)?;
    let meta = file.metadata().map_err(unreadable)?;
    // A pipe, such as that of a shell's <(…), has no name that somebody else could open.
    if meta.is_file()
        && let Some(objection) = objection(meta.permissions().mode(), meta.uid(), geteuid().as_raw())
    {
        return Err(objection);
    }
    if holds == Holds::Secret && meta.is_file() && is_exposed(meta.permissions().mode()) {
        let path = path.display();
        warnings.push(format!("everybody on this machine can read {path}, which holds a secret: run chmod 600 {path}"));
    }
    // Its whole room at once: a buffer that grows would leave a part of the secret behind.
    let mut content =
        Zeroizing::new(Vec::with_capacity(usize::try_from(meta.len().min(LONGEST)).unwrap_or_default() + 1));
    file.take(LONGEST + 1).read_to_end(&mut content).map_err(unreadable)?;
    if content.len() as u64 > LONGEST {
        return Err("is longer than 1 MiB".to_owned());
    }
    Ok(content)
}

/// The same as text.
pub(crate) fn read_text(path: &Path, holds: Holds, warnings: &mut Vec<String>) -> Result<Zeroizing<String>, String> {
    let content = read(path, holds, warnings)?;
    str::from_utf8(&content).map(|text| Zeroizing::new(text.to_owned())).map_err(|_| "is not valid UTF-8".to_owned())
}

/// A secret without the newline that an editor adds at the end.
pub(crate) fn trimmed(secret: &[u8]) -> &[u8] {
    let secret = secret.strip_suffix(b"\n").unwrap_or(secret);
    secret.strip_suffix(b"\r").unwrap_or(secret)
}

fn objection(mode: u32, owner: u32, me: u32) -> Option<String> {
    let mode = mode & 0o7777;
    if mode & 0o022 != 0 {
        return Some(format!("can be changed by other users (mode {mode:04o}): run chmod 600 on it"));
    }
    if me == 0 && owner != 0 {
        return Some(format!("belongs to the user {owner}, and this process runs as root: run chown root on it"));
    }
    None
}

fn is_exposed(mode: u32) -> bool {
    mode & 0o004 != 0 && mode & 0o222 != 0
}

#[cfg(test)]
mod tests {
    use super::{is_exposed, objection};

    #[test]
    fn what_others_can_change_is_refused_and_what_all_can_read_is_warned_about() {
        let root = 0;
        for (mode, owner, me, refused, exposed) in [
            (0o600, 7, 7, false, false),
            (0o400, root, 7, false, false),
            (0o640, root, 7, false, false),
            (0o440, root, root, false, false),
            (0o444, root, 7, false, false),
            (0o444, 9, 7, false, false),
            (0o644, root, 7, false, true),
            (0o644, 7, root, true, true),
            (0o600, 7, root, true, false),
            (0o660, 7, 7, true, false),
            (0o602, 7, 7, true, false),
            (0o666, root, root, true, true),
            (0o777, root, root, true, true),
        ] {
            let said = format!("{mode:o} of {owner}, read by {me}");
            assert_eq!(objection(mode, owner, me).is_some(), refused, "{said}");
            assert_eq!(is_exposed(mode), exposed, "{said}");
        }
        assert!(objection(0o100_666, 0, 0).unwrap().contains("0666"));
    }
}
