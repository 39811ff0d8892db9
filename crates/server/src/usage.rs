//! Wrong usage: clap's own words for people, and the form of all other errors for scripts.

use std::{ffi::OsString, process::ExitCode};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use tenantry_domain::FieldRefusal;

use crate::{
    exit::Exit,
    output::{Format, Output},
};

/// Reports what is wrong with the arguments, or prints the help or the version that was asked for.
pub(crate) fn report(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {}
        _ if wants_json(std::env::args_os()) => return Output::new(Format::Json).report(&exit(error)),
        _ => {}
    }
    // If nobody reads it, the exit code still tells.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// The arguments could not be read, so that they are only looked at.
fn wants_json(arguments: impl Iterator<Item = OsString>) -> bool {
    let arguments: Vec<_> = arguments.skip(1).take_while(|argument| argument != "--").collect();
    arguments.iter().any(|argument| argument == "--output=json")
        || arguments.windows(2).any(|pair| pair[0] == "--output" && pair[1] == "json")
}

fn exit(error: &clap::Error) -> Exit {
    let message = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            "a command is missing; --help lists them".to_owned()
        }
        _ => sentence(&error.render().to_string()),
    };
    Exit { fields: missing(error), ..Exit::usage(message) }
}

/// What clap says before it comes to the usage, on one line.
fn sentence(rendered: &str) -> String {
    let said = rendered.split("\nUsage:").next().unwrap_or_default();
    let said = said.split("\nFor more information").next().unwrap_or_default();
    let said = said.strip_prefix("error: ").unwrap_or(said).replace("\n\n  tip: ", "; ");
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The arguments that are required and missing, by their names.
fn missing(error: &clap::Error) -> Vec<FieldRefusal> {
    let arguments = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::MissingRequiredArgument, Some(ContextValue::Strings(arguments))) => arguments.as_slice(),
        _ => &[],
    };
    let refusal = |argument: &String| {
        let name = argument.split_whitespace().next().unwrap_or_default();
        tenantry_domain::Refusal::new("required", "is required")
            .of(name.trim_start_matches('-').trim_matches(['<', '>']).to_lowercase())
    };
    arguments.iter().map(refusal).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_wanted_wherever_it_is_asked_for() {
        let wants = |line: &str| wants_json(line.split(' ').map(OsString::from));
        for yes in ["tenantry --output json tenant crate", "tenantry tenant --output=json", "tenantry x --output json"]
        {
            assert!(wants(yes), "{yes}");
        }
        for no in ["tenantry", "tenantry --output text", "tenantry --output", "tenantry -- --output json"] {
            assert!(!wants(no), "{no}");
        }
    }
}
