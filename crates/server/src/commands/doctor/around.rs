//! What is around the database: settings, files, mail server, issuers, keys of the platform, backups.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use chrono::Utc;
use tenantry_auth::jwt::IssuerState;
use tenantry_domain::counted;
use tenantry_operations::mail::MailOptions;
use tenantry_persistence::backup::Archive;

use super::report::Finding;
use crate::{
    commands::serve::{mailer, room},
    settings::{Fault, Settings},
};

pub(super) fn settings(settings: &Settings, faults: Vec<Fault>) -> Vec<Finding> {
    const CHECK: &str = "settings";
    let see = "see the table in docs/operations.md, or `tenantry config`";
    let mut findings: Vec<_> = faults
        .into_iter()
        .map(|Fault { setting, rule }| Finding::problem(CHECK, format!("{setting} {rule}").trim_start(), see))
        .collect();
    if findings.is_empty() {
        let given = settings.shown.iter().filter(|shown| shown.source != "default" && shown.value.is_some()).count();
        findings.push(Finding::ok(CHECK, format!("valid; {} set by you", counted(given as u64, "value"))));
    }
    let warning = |warning: &String| Finding::warning(CHECK, warning.as_str(), "change the file as it says");
    findings.extend(settings.warnings.iter().map(warning));
    findings
}

/// Whether there is room for connections.
pub(super) fn open_files(settings: &Settings) -> Vec<Finding> {
    const CHECK: &str = "open files";
    let room = room(settings);
    let has = format!("the process may open {}", counted(room.descriptors as u64, "file"));
    let raise = "raise the hard limit: `LimitNOFILE=` in a systemd unit, `ulimit -Hn` in a shell, `ulimits` in Docker";
    vec![if room.descriptors < room.needed {
        Finding::problem(CHECK, format!("{has}, and needs {}", room.needed), raise)
    } else if room.connections < FEW {
        Finding::warning(CHECK, format!("{has}: room for {} of callers", connections(room.connections)), raise)
    } else {
        Finding::ok(CHECK, format!("{has}: room for {} of callers", connections(room.connections)))
    }]
}

/// Fewer connections than a load balancer opens.
const FEW: usize = 500;

fn connections(count: usize) -> String {
    counted(count as u64, "connection")
}

/// Whether an email could be sent now. None is sent.
pub(super) async fn mail(settings: &Settings) -> Vec<Finding> {
    const CHECK: &str = "mail";
    let Some(mail) = &settings.mail else {
        return vec![Finding::ok(CHECK, "this process sends no emails, because TENANTRY_MAIL_WORKERS is 0")];
    };
    let mailer = match mailer(settings) {
        Ok(Some(mailer)) => mailer,
        Ok(None) => return Vec::new(),
        Err(exit) => return Finding::of(CHECK, &exit, "correct the TENANTRY_SMTP_… settings"),
    };
    vec![match (mailer.check().await, &mail.options) {
        (Ok(Some(server)), _) => Finding::ok(CHECK, format!("{server} takes emails from this machine; none was sent")),
        (Ok(None), MailOptions::Files(directory)) => Finding::warning(
            CHECK,
            format!("emails are saved in {} and reach nobody", directory.display()),
            "set TENANTRY_SMTP_HOST to your mail server",
        ),
        (Ok(None), MailOptions::Smtp(_)) => Finding::ok(CHECK, "a mail server is set"),
        (Err(fault), _) => Finding::problem(
            CHECK,
            fault.to_string(),
            "check the TENANTRY_SMTP_… settings, the firewall and the certificate of the mail server; emails wait in the outbox until then",
        ),
    }]
}

/// Whether the keys of each issuer can be had.
pub(super) async fn issuers(settings: &Settings) -> Vec<Finding> {
    const CHECK: &str = "issuers";
    if settings.issuers.is_empty() {
        let says = "no issuer is trusted, so only API keys are accepted";
        return vec![Finding::ok(CHECK, says)];
    }
    settings.issuers.refresh(Utc::now()).await;
    let of = |IssuerState { issuer, usable_keys, .. }: IssuerState| match usable_keys {
        0 => Finding::problem(
            CHECK,
            format!("the keys of {issuer} cannot be fetched or used; the log above says why"),
            "check `issuer`, `jwks_url` and `ca_file` in the settings file, and that this machine may connect to the issuer",
        ),
        keys => Finding::ok(CHECK, format!("{issuer} has {}", counted(keys as u64, "usable key"))),
    };
    settings.issuers.states(Utc::now()).into_iter().map(of).collect()
}

pub(super) fn platform_keys(settings: &Settings) -> Finding {
    const CHECK: &str = "platform keys";
    match settings.platform_keys.len() {
        0 => Finding::ok(CHECK, "none, so /api/admin accepts nobody"),
        keys => Finding::ok(CHECK, format!("{} accepted at /api/admin", counted(keys as u64, "key"))),
    }
}

/// How old the newest backup is, and whether it is whole.
pub(super) fn newest_backup(directory: Option<&Path>, oldest: Duration) -> Finding {
    const CHECK: &str = "backups";
    let make = "make one with `tenantry backup FILE`, from cron";
    let Some(directory) = directory else {
        let says = "it is not known how old the newest backup is";
        return Finding::warning(CHECK, says, "name the directory of the backups: `tenantry doctor --backups DIR`");
    };
    let shown = directory.display();
    let path = match newest(directory) {
        Ok(Some(path)) => path,
        Ok(None) => return Finding::problem(CHECK, format!("there is no backup (*.tar) in {shown}"), make),
        Err(error) => {
            let says = format!("{shown} cannot be read: {error}");
            return Finding::problem(CHECK, says, "run this as a user who may read it, or name another directory");
        }
    };
    let archive = File::open(&path).map_err(|error| error.to_string());
    let archive = archive.and_then(|file| Archive::open(file).map_err(|error| error.to_string()));
    match archive {
        Err(error) => Finding::problem(CHECK, format!("{}: {error}", path.display()), make),
        Ok(archive) => {
            let age = (Utc::now() - archive.manifest().made_at).to_std().unwrap_or_default();
            let age_in_words = humantime::format_duration(Duration::from_secs(age.as_secs() / 60 * 60));
            let says = format!("{} is whole and {age_in_words} old", path.display());
            match age <= oldest {
                true => Finding::ok(CHECK, says),
                false => Finding::problem(CHECK, says, make),
            }
        }
    }
}

/// The file that was written last.
fn newest(directory: &Path) -> std::io::Result<Option<PathBuf>> {
    let mut found: Option<(SystemTime, PathBuf)> = None;
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "tar") {
            continue;
        }
        let written = fs::metadata(&path)?.modified()?;
        if found.as_ref().is_none_or(|(newest, _)| written > *newest) {
            found = Some((written, path));
        }
    }
    Ok(found.map(|(_, path)| path))
}
