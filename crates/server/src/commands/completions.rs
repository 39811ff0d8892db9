//! `tenantry completions`.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::{exit::Exit, output::Output};

/// Print a script that completes commands and options in your shell.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  bash   tenantry completions bash > ~/.local/share/bash-completion/completions/tenantry
  zsh    tenantry completions zsh > \"${fpath[1]}/_tenantry\"
  fish   tenantry completions fish > ~/.config/fish/completions/tenantry.fish";

pub(crate) fn print(completions: &Completions, mut program: Command, output: &Output) -> Result<(), Exit> {
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut program, "tenantry", &mut script);
    output.line(String::from_utf8_lossy(&script).trim_end())
}
