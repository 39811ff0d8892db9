//! The `tenantry` binary: the service, and the command line of those who run it.
//!
//! The only crate that reads the environment. It puts the others together and decides nothing that they decide.

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
/// Settings come from TENANTRY_* variables and from a TOML file that TENANTRY_CONFIG names;
/// `tenantry config` shows them all. Without DATABASE_URL the service runs a PostgreSQL of its
/// own in TENANTRY_DATA_DIR: `tenantry serve` is all it takes to try it.
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
  2  wrong usage or refused values
  3  not found
  4  conflict
  5  the database does not answer or is not migrated
  6  wrong settings";

#[derive(Subcommand)]
enum Command {
    /// Answer requests until told to stop (SIGTERM or Ctrl-C)
    Serve,
    /// Run, undo and inspect the migrations of the database
    #[command(subcommand)]
    Migrate(commands::migrate::Migrate),
    /// Create, inspect, limit, suspend and delete tenants
    #[command(subcommand)]
    Tenant(commands::tenant::Tenant),
    /// Make, inspect, rotate and revoke the API keys of a tenant
    #[command(subcommand)]
    Key(commands::key::Key),
    /// List the letters of the tenants, and try again what was given up
    #[command(subcommand)]
    Outbox(commands::outbox::Outbox),
    /// Create, list and remove the members of a tenant
    #[command(subcommand)]
    Member(commands::member::Member),
    /// Make a platform key, for the tenants API under /api/admin; it is printed this once and stored nowhere
    PlatformKey,
    /// Make a master key, under which the secrets of integrations are sealed
    MasterKey(commands::master_key::NewMasterKey),
    /// Seal the secrets of integrations under another master key, while the service runs
    Reseal(commands::reseal::Reseal),
    /// Print the OpenAPI document (YAML; JSON with --output json)
    Openapi,
    /// Print the settings in force, secrets masked, and where each comes from
    Config,
    /// Ask a running service whether it is ready; exits 0 when it is
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
    // What needs no settings works where they are wrong.
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
