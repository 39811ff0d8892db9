//! The `tenantry` binary: the service, and the command line for operators.
//!
//! This is the only crate that reads the environment. It connects the other crates and makes none of their decisions.

mod commands;
mod consent;
mod database;
mod erasure;
mod exit;
mod housekeeping;
mod logging;
mod master_keys;
mod named;
mod new_file;
mod output;
mod settings;
mod trusted_file;
mod usage;

use clap::{CommandFactory, Parser, Subcommand};

use crate::{
    exit::Exit,
    output::{Format, Output},
};

/// Requests are short and their memory is small and mixed, for which this one takes less time than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The tenant, brand and workspace service.
///
/// Settings come from TENANTRY_* variables and from the TOML file that TENANTRY_CONFIG names.
/// `tenantry config` shows them all. Without DATABASE_URL the service runs an embedded PostgreSQL
/// in TENANTRY_DATA_DIR, so you can try it with `tenantry serve` alone.
#[derive(Parser)]
#[command(name = "tenantry", version, after_help = AFTER_HELP, verbatim_doc_comment)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How to print results and errors
    #[arg(long, global = true, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    output: Format,
}

const AFTER_HELP: &str = "\
Exit codes:
  0  done
  1  failed
  2  wrong usage, or invalid values
  3  not found
  4  conflict
  5  the database does not answer, or is not migrated
  6  wrong settings, or a database role that must not serve";

#[derive(Subcommand)]
enum Command {
    /// Serve requests until stopped by SIGTERM or Ctrl-C
    #[command(after_long_help = SERVE)]
    Serve,
    /// Create, list, limit, suspend and delete tenants
    #[command(subcommand)]
    Tenant(commands::tenant::Tenant),
    /// Create, list and delete the brands of a tenant
    #[command(subcommand)]
    Brand(commands::brand::Brand),
    /// Create, list, delete and restore the workspaces of a tenant
    #[command(subcommand)]
    Workspace(commands::workspace::Workspace),
    /// Create, list, change and remove the members of a tenant
    #[command(subcommand)]
    Member(commands::member::Member),
    /// Create, list, rotate and revoke the API keys of a tenant
    #[command(subcommand)]
    Key(commands::key::Key),
    /// List the emails of tenants, and try again those that were given up
    #[command(subcommand)]
    Outbox(commands::outbox::Outbox),
    /// Delete what is over and was kept long enough: audit events, API keys, invitations, messages
    Housekeeping(commands::housekeeping::Housekeeping),
    /// Run, revert and list the migrations of the database
    #[command(subcommand)]
    Migrate(commands::migrate::Migrate),
    /// Distribute the tables by tenant over the workers of a Citus cluster
    Distribute(commands::distribute::Distribute),
    /// Write the whole database into one file, with the number of rows of each tenant
    Backup(commands::backup::Backup),
    /// Restore a backup and compare every number of rows, or check that it can be restored
    Restore(commands::restore::Restore),
    /// Open psql at the database
    Psql(commands::psql::Psql),
    /// Create a platform key for /api/admin/tenants; it is printed once and not stored
    PlatformKey,
    /// Create a service key for /api/introspect; it is printed once and not stored
    ServiceKey,
    /// Create a master key, which encrypts the secrets of integrations
    MasterKey(commands::master_key::NewMasterKey),
    /// Re-encrypt the secrets of integrations under the current master key, while the service runs
    Reseal(commands::reseal::Reseal),
    /// Print all settings, where each comes from, and what is wrong with them; passwords are masked
    Config,
    /// Print who may do what: the policy, and the permissions that the settings declare
    Policy,
    /// Look at settings, database, keys, mail server, issuers and backups, and say what is wrong and what to do
    Doctor(commands::doctor::Doctor),
    /// Ask a running service whether it is ready; exits with 0 if it is, with 1 if not
    Healthcheck,
    /// Print the OpenAPI document as YAML, or as JSON with --output json
    Openapi,
    /// Print a script that completes commands and options in your shell
    Completions(commands::completions::Completions),
    /// Print the manual page, or write the manual pages of all commands into a directory
    Man(commands::man::Man),
}

const SERVE: &str = "\
Examples:
  Try it, with an embedded database in ./data:
    tenantry serve
  Use your own PostgreSQL, and listen on all addresses:
    DATABASE_URL='postgres://tenantry_service:PASSWORD@db/tenantry' \\
    TENANTRY_MASTER_KEY_FILE=/etc/tenantry/master.key TENANTRY_BIND=0.0.0.0:8080 tenantry serve";

fn main() -> std::process::ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::report(&error),
    };
    let output = Output::new(cli.output);
    match run(cli.command, &output) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(exit) => output.report(&exit),
    }
}

fn run(command: Command, output: &Output) -> Result<(), Exit> {
    // Commands that need no settings work even if the settings are wrong.
    let command = match command {
        Command::Openapi => return commands::openapi::print(output),
        Command::PlatformKey => return commands::house_key::platform(output),
        Command::ServiceKey => return commands::house_key::service(output),
        Command::Completions(shell) => return commands::completions::print(&shell, Cli::command(), output),
        Command::Man(man) => return commands::man::run(&man, Cli::command(), output),
        Command::Config => return commands::config::print(output),
        Command::Doctor(doctor) => return commands::doctor::run(&doctor, output),
        command => command,
    };
    let settings = settings::Settings::read().map_err(Exit::faults)?;
    match command {
        Command::Serve => commands::serve::run(&settings, output),
        Command::Migrate(command) => commands::migrate::run(&command, &settings, output),
        Command::Backup(backup) => commands::backup::run(&backup, &settings, output),
        Command::Restore(restore) => commands::restore::run(&restore, &settings, output),
        Command::Psql(psql) => commands::psql::run(&psql, &settings),
        Command::Tenant(command) => commands::tenant::run(command, &settings, output),
        Command::Key(command) => commands::key::run(command, &settings, output),
        Command::Outbox(command) => commands::outbox::run(command, &settings, output),
        Command::Housekeeping(command) => commands::housekeeping::run(&command, &settings, output),
        Command::Distribute(command) => commands::distribute::run(&command, &settings, output),
        Command::Member(command) => commands::member::run(command, &settings, output),
        Command::MasterKey(new) => commands::master_key::run(&new, &settings, output),
        Command::Reseal(reseal) => commands::reseal::run(&reseal, &settings, output),
        Command::Brand(command) => commands::brand::run(command, &settings, output),
        Command::Workspace(command) => commands::workspace::run(command, &settings, output),
        Command::Policy => commands::policy::print(&settings.permissions, output),
        Command::Healthcheck => commands::healthcheck::run(&settings, output),
        Command::Openapi
        | Command::PlatformKey
        | Command::ServiceKey
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Config
        | Command::Doctor(_) => Ok(()),
    }
}
