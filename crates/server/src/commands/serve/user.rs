//! Who the service is once it no longer has to be root.
//!
//! As root it binds its ports, reads its files and starts the embedded database. Then it becomes an ordinary user for good: a fault in what
//! answers requests is then not a fault of root.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::{Command, Stdio},
};

use nix::unistd::{User, geteuid, setgid, setuid};
use tenantry_operations::mail::MailOptions;
use tenantry_persistence::embedded;

use crate::{exit::Exit, settings::Settings};

/// Becomes the user of the settings, or the one that runs the embedded database (`cluster_user`). False if nothing has changed.
pub(super) fn leave_root(settings: &Settings, cluster_user: Option<&str>) -> Result<bool, Exit> {
    if !geteuid().is_root() {
        return stay(settings);
    }
    let Some(user) = choose(settings, cluster_user)? else { return Ok(false) };
    if let Some(MailOptions::Files(directory)) = settings.mail.as_ref().map(|mail| &mail.options)
        && !hand_over(directory, &user)
    {
        tracing::warn!(
            "the service stays root: the user {} cannot write to {}, where emails are saved; set TENANTRY_MAIL_DIR to a directory that \
             they can enter, or TENANTRY_SMTP_HOST",
            user.name,
            directory.display()
        );
        return Ok(false);
    }
    become_for_good(&user).map_err(|error| {
        Exit::failed(format!("cannot become the user {}: {error}; TENANTRY_USER names another", user.name))
    })?;
    tracing::info!(user = user.name, "no longer root");
    Ok(true)
}

/// An ordinary user can become nobody else.
fn stay(settings: &Settings) -> Result<bool, Exit> {
    let me = User::from_uid(geteuid()).ok().flatten().map(|user| user.name);
    match &settings.user {
        Some(name) if Some(name) != me.as_ref() => Err(Exit::settings(vec![format!(
            "TENANTRY_USER names {name}, but only root can become another user: unset it, or start the service as root or as {name}"
        )])),
        _ => Ok(false),
    }
}

/// Whom to become; `None` to stay root.
fn choose(settings: &Settings, cluster_user: Option<&str>) -> Result<Option<User>, Exit> {
    let refused = |fault: String| Err(Exit::settings(vec![fault]));
    let name = match (settings.user.as_deref(), cluster_user) {
        (Some("root"), _) => {
            tracing::warn!("the service stays root, because TENANTRY_USER says so");
            return Ok(None);
        }
        (Some(name), Some(owner)) if name != owner => {
            return refused(format!(
                "TENANTRY_USER names {name}, but the embedded PostgreSQL runs as {owner} and lets only that user in: unset TENANTRY_USER"
            ));
        }
        (Some(name), _) | (None, Some(name)) => name.to_owned(),
        (None, None) => match embedded::usual_user(settings.pg_user.as_deref()) {
            Ok(name) => name,
            Err(_) => {
                tracing::warn!("the service stays root: name another system user in TENANTRY_USER");
                return Ok(None);
            }
        },
    };
    match User::from_name(&name).ok().flatten() {
        Some(user) if user.uid.is_root() => {
            refused(format!("TENANTRY_USER names {name}, who is root too; name another user"))
        }
        Some(user) => Ok(Some(user)),
        None => refused(format!("TENANTRY_USER names {name}, but there is no such user")),
    }
}

/// Gives a directory of root's to the user, and says whether they can use it.
fn hand_over(directory: &Path, user: &User) -> bool {
    let given = || {
        // Those above can be passed through, as the data directory of root can.
        if let Some(above) = directory.parent().filter(|above| !above.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o711).create(above)?;
        }
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let meta = fs::symlink_metadata(directory)?;
        if meta.is_dir() && meta.uid() == 0 {
            chown(directory, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
        }
        // Asked of the system itself, as that user.
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "cd -- \"$1\" && test -w .", "sh"]).arg(directory).env_clear();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.gid(user.gid.as_raw()).uid(user.uid.as_raw()).status()
    };
    given().is_ok_and(|status| status.success())
}

/// All threads of the process become the user. As root does it, it cannot be undone.
fn become_for_good(user: &User) -> io::Result<()> {
    // The groups of root. This system call is missing in the library's bindings for macOS, where a service of root keeps them.
    #[cfg(not(target_vendor = "apple"))]
    nix::unistd::setgroups(&[user.gid])?;
    setgid(user.gid)?;
    setuid(user.uid)?;
    if geteuid().is_root() || setuid(0.into()).is_ok() {
        Err(io::Error::other("this process is still root"))
    } else {
        Ok(())
    }
}
