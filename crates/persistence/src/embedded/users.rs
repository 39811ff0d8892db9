//! Users of the system by name, for messages.

use nix::unistd::{Uid, User, geteuid};

/// The name of a user for a message.
pub(super) fn name_of(uid: u32) -> String {
    User::from_uid(Uid::from_raw(uid)).ok().flatten().map_or_else(|| format!("user {uid}"), |user| user.name)
}

/// The name of whoever runs this process, for a message.
pub(super) fn my_name() -> String {
    name_of(geteuid().as_raw())
}
