//! `tenantry doctor`: looks at everything that the service needs, and says what to do about what is wrong.
//!
//! Each check asks whoever knows already: the settings, the door, the mailer, the issuers. It changes nothing and sends no email.

mod around;
mod database;
mod report;

use std::path::PathBuf;

use clap::Args;

use self::report::{Finding, Findings};
use crate::{exit::Exit, output::Output, settings::Settings};

/// Look at settings, database, keys, mail server, issuers and backups, and say what is wrong and what to do about it.
///
/// It changes nothing and sends no email. Run it as the user that runs the service, with the same settings.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Doctor {
    /// Directory of the backups (*.tar): reads the newest one, and says how old it is
    #[arg(long, value_name = "DIR")]
    backups: Option<PathBuf>,
    /// How old the newest backup may be
    #[arg(long, value_name = "AGE", default_value = "26h", value_parser = humantime::parse_duration)]
    backup_age: std::time::Duration,
}

const EXAMPLES: &str = "\
Examples:
  Before the first start, and after each change of the settings:
    tenantry doctor
  In a script; exits with 1 if there is a problem:
    tenantry doctor --output json --backups /var/backups/tenantry";

/// Looks at everything. What is wrong with one thing does not keep it from looking at the others.
pub(crate) fn run(doctor: &Doctor, output: &Output) -> Result<(), Exit> {
    let (settings, faults) = Settings::read_all();
    crate::logging::start_quietly(&settings);
    let mut findings = Findings::default();
    let are_valid = faults.is_empty();
    findings.extend(around::settings(&settings, faults));
    if are_valid {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Exit::failed(format!("cannot start: {error}")))?;
        findings.extend(database::look(&settings, &runtime)?);
        findings.extend(around::open_files(&settings));
        findings.extend(runtime.block_on(around::mail(&settings)));
        findings.extend(runtime.block_on(around::issuers(&settings)));
        findings.push(around::platform_keys(&settings));
        findings.extend(database::backups(&settings));
        findings.push(around::newest_backup(doctor.backups.as_deref(), doctor.backup_age));
    } else {
        let says = "nothing else was looked at, because the settings are not valid";
        findings.push(Finding::warning("settings", says, "correct them, then run `tenantry doctor` again"));
    }
    findings.print(output)
}
