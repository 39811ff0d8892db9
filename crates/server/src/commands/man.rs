//! `tenantry man`.

use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man as Page;
use serde_json::json;

use crate::{exit::Exit, output::Output};

/// Print the manual page, or write the manual pages of all commands into a directory.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Man {
    /// Write tenantry.1, tenantry-serve.1 and so on into this directory. Default: print tenantry(1)
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  Read it    tenantry man | man -l -
  Install    tenantry man ~/.local/share/man/man1";

pub(crate) fn run(man: &Man, program: Command, output: &Output) -> Result<(), Exit> {
    let mut program = program.disable_help_subcommand(true);
    program.build();
    let Some(directory) = &man.directory else {
        let mut page = Vec::new();
        Page::new(program)
            .render(&mut page)
            .map_err(|error| Exit::failed(format!("cannot write the page: {error}")))?;
        return output.line(String::from_utf8_lossy(&page).trim_end());
    };
    let written =
        std::fs::create_dir_all(directory).and_then(|()| clap_mangen::generate_to(program.clone(), directory));
    written.map_err(|error| Exit::failed(format!("cannot write into {}: {error}", directory.display())))?;
    let pages = count(&program);
    output.print(&json!({ "directory": directory, "pages": pages }), || {
        format!("wrote {pages} manual pages into {}", directory.display())
    })
}

fn count(command: &Command) -> usize {
    1 + command.get_subcommands().filter(|below| !below.is_hide_set()).map(count).sum::<usize>()
}
