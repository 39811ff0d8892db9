//! The `tenantry` binary: the service, and the command line for operators.
//!
//! This is the only crate that reads the environment. It connects the other crates and makes none of their decisions.

mod commands;
mod database;
mod erasure;
mod exit;
mod logging;
mod master_keys;
mod output;
mod settings;

use clap::{Parser, Subcommand};

use crate::{
    exit::Exit,
    output::{Format, Output},
};

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
    /// How to print results
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
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
    Serve,
    /// Run, revert and list the migrations of the database
    #[command(subcommand)]
    Migrate(commands::migrate::Migrate),
    /// Create, list, limit, suspend and delete tenants
    #[command(subcommand)]
    Tenant(commands::tenant::Tenant),
    /// Create, list, rotate and revoke the API keys of a tenant
    #[command(subcommand)]
    Key(commands::key::Key),
    /// List the emails of tenants, and try again those that were given up
    #[command(subcommand)]
    Outbox(commands::outbox::Outbox),
    /// Create, list and remove the members of a tenant
    #[command(subcommand)]
    Member(commands::member::Member),
    /// Create a platform key for /api/admin/tenants; it is printed once and not stored
    PlatformKey,
    /// Create a master key, which encrypts the secrets of integrations
    MasterKey(commands::master_key::NewMasterKey),
    /// Re-encrypt the secrets of integrations under the current master key, while the service runs
    Reseal(commands::reseal::Reseal),
    /// Print the OpenAPI document as YAML, or as JSON with --output json
    Openapi,
    /// Print the settings in force and where each comes from; passwords are masked
    Config,
    /// Ask a running service whether it is ready; exits with 0 if it is, with 1 if not
    Healthcheck,
}

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.output);
    match run(cli.command, &output) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(exit) => output.report(&exit),
    }
}

fn run(command: Command, output: &Output) -> Result<(), Exit> {
    // Commands that need no settings work even if the settings are wrong.
    match command {
        Command::Openapi => return commands::openapi::print(output),
        Command::PlatformKey => return commands::platform_key::make(output),
        _ => {}
    }
    let settings = settings::Settings::read().map_err(Exit::settings)?;
    match command {
        Command::Serve => commands::serve::run(&settings, output),
        Command::Migrate(command) => commands::migrate::run(&command, &settings, output),
        Command::Tenant(command) => commands::tenant::run(command, &settings, output),
        Command::Key(command) => commands::key::run(command, &settings, output),
        Command::Outbox(command) => commands::outbox::run(command, &settings, output),
        Command::Member(command) => commands::member::run(command, &settings, output),
        Command::MasterKey(new) => commands::master_key::run(&new, &settings, output),
        Command::Reseal(reseal) => commands::reseal::run(&reseal, &settings, output),
        Command::Config => commands::config::print(&settings, output),
        Command::Healthcheck => commands::healthcheck::run(&settings, output),
        Command::Openapi | Command::PlatformKey => Ok(()),
    }
}
