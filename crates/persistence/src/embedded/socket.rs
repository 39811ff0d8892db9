//! The directory of the server's socket, and the connection strings that lead to it.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::{
    account::Account,
    error::Error,
    place::{Place, short_hash},
};

/// PostgreSQL names its socket after a port, even where there is none.
const PORT: &str = "5432";
const SOCKET: &str = ".s.PGSQL.5432";

/// The shortest limit of the systems we run on (macOS; Linux has 107).
const LONGEST: usize = 103;

/// Makes the directory for the socket of a server that is about to start: private to its account, in the
/// home of the cluster if the path is short enough, else in a directory for short-lived files.
pub(super) fn prepare(place: &Place) -> Result<PathBuf, Error> {
    let inside = place.home.join("socket");
    if fits(&inside) {
        place.account.give(&inside).or_else(absent_is_fine).map_err(Error::file("change the owner of", &inside))?;
        return match make_private(&inside, &place.account) {
            Ok(true) => clear(&inside).map(|()| inside.clone()).map_err(Error::file("clear", &inside)),
            Ok(false) => {
                Err(Error::file("use", &inside)(io::Error::other("it is not a directory that belongs to this user")))
            }
            Err(error) => Err(Error::file("create", &inside)(error)),
        };
    }
    let mut last = io::Error::other("the paths of all directories for temporary files are too long");
    let name = format!("tenantry-{}", short_hash(&place.home));
    for candidate in bases().iter().flat_map(|base| (0..10).map(|n| base.join(format!("{name}-{n}")))) {
        // Somebody else may have made a directory of this name, to be in between: then it is the next one.
        match make_private(&candidate, &place.account) {
            Ok(true) if fits(&candidate) => {
                return clear(&candidate).map(|()| candidate.clone()).map_err(Error::file("clear", &candidate));
            }
            Ok(_) => {}
            Err(error) => last = error,
        }
    }
    Err(Error::file("create a private directory with a short path for the socket of", &place.home)(last))
}

/// Removes what a stopped server may have left: the socket, and a directory outside the home.
pub(super) fn tidy(directory: &Path, home: &Path) {
    if !directory.starts_with(home) && clear(directory).is_ok() {
        // Only ever removes an empty directory; one that is not is somebody's and stays.
        drop(fs::remove_dir(directory));
    }
}

/// Not the runtime directory of a login session: it goes away with the session, and a service that was left
/// running would lose its database. In `/run` only root can make one, and a service that was root when it did finds it again.
fn bases() -> [PathBuf; 3] {
    [PathBuf::from("/run"), PathBuf::from("/tmp"), std::env::temp_dir()]
}

/// Whether the system and libpq take the path: libpq reads a comma as the end of a host.
fn fits(directory: &Path) -> bool {
    let bytes = directory.as_os_str().as_encoded_bytes();
    bytes.len() + 1 + SOCKET.len() <= LONGEST && !bytes.contains(&b',') && !bytes.contains(&b'"')
}

/// Makes the directory, or finds one made before; false if it is not the account's.
fn make_private(directory: &Path, account: &Account) -> io::Result<bool> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Ok(()) => account.give(directory)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let meta = fs::symlink_metadata(directory)?;
    if !meta.is_dir() || meta.uid() != account.uid {
        return Ok(false);
    }
    if meta.mode() & 0o777 != 0o700 {
        fs::set_permissions(directory, Permissions::from_mode(0o700))?;
    }
    Ok(true)
}

/// A killed server leaves its socket, and the lock beside it names a process id that may be another's by now.
fn clear(directory: &Path) -> io::Result<()> {
    for name in [SOCKET.to_owned(), format!("{SOCKET}.lock")] {
        fs::remove_file(directory.join(name)).or_else(absent_is_fine)?;
    }
    Ok(())
}

fn absent_is_fine(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// A connection string for libpq. Everything that the environment could change is said, and the server must
/// run as `server_user`: nobody else's can step in.
pub(super) fn url(directory: &Path, server_user: &str, role: &str, database: &str) -> String {
    format!(
        "postgresql:///{}?host={}&hostaddr=&port={PORT}&user={}&requirepeer={}&sslmode=disable&gssencmode=disable\
         &connect_timeout=10",
        encoded(database.as_bytes()),
        encoded(directory.as_os_str().as_encoded_bytes()),
        encoded(role.as_bytes()),
        encoded(server_user.as_bytes()),
    )
}

fn encoded(bytes: &[u8]) -> String {
    let one = |byte: &u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(*byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    bytes.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::{Path, fits, url};

    #[test]
    fn a_url_hides_nothing_of_the_path() {
        let made = url(Path::new("/tmp/Müller & Söhne/a%b"), "postgres", "tenantry_owner", "tenantry");
        assert!(made.starts_with("postgresql:///tenantry?host=%2Ftmp%2FM%C3%BCller%20%26%20S%C3%B6hne%2Fa%25b&"));
    }

    #[test]
    fn only_a_path_that_the_system_takes_fits() {
        assert!(fits(Path::new(&format!("/{}", "a".repeat(88)))));
        assert!(!fits(Path::new(&format!("/{}", "a".repeat(89)))));
        assert!(!fits(Path::new("/tmp/a,b")));
    }
}
