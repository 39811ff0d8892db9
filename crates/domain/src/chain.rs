//! Errors of libraries, for the log.

use std::error::Error;

/// An error with its causes: the outermost often says only that something failed.
///
/// ```
/// let error = std::io::Error::other("the disk is full");
/// assert_eq!(tenantry_domain::chain(&error), "the disk is full");
/// ```
pub fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", chain(cause)),
        None => error.to_string(),
    }
}
