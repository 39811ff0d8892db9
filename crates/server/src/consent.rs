//! What destroys something asks first: on a terminal. Elsewhere it needs `--yes`. With `--dry-run` it only says what it would do.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};
use tenantry_operations::Store;

use crate::{database::with_store, exit::Exit, output::Output, settings::Settings};

// No documentation comment: clap would take it for the description of the command.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Consent {
    /// Go ahead without asking; required if there is no terminal to ask on
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    /// Only print what would happen, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// How to go about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Only say what would happen.
    Rehearse,
    /// Say what would happen, and ask.
    Ask,
    /// Just do it.
    Act,
}

impl Consent {
    /// Whether only to say what would happen.
    pub(crate) fn is_dry_run(self) -> bool {
        self.dry_run
    }

    /// How to go about it. Refused if nobody has agreed and nobody can be asked.
    pub(crate) fn manner(self) -> Result<Manner, Exit> {
        match self {
            Self { dry_run: true, .. } => Ok(Manner::Rehearse),
            Self { yes: true, .. } => Ok(Manner::Act),
            _ if io::stdin().is_terminal() => Ok(Manner::Ask),
            _ => Err(Exit::usage(
                "this command asks before it goes ahead, but standard input is not a terminal. Pass --yes to go ahead \
                 without being asked, or --dry-run to see what would happen",
            )),
        }
    }
}

/// Something that was done, or rehearsed.
pub(crate) struct Deed {
    /// What would happen, in sentences that end in the question whether to go ahead.
    pub(crate) would: String,
    /// The same for a script.
    pub(crate) plan: Value,
    /// What has happened, in a line or two.
    pub(crate) done: String,
    /// The same for a script.
    pub(crate) result: Value,
}

/// Does something that destroys data, as far as the operator agrees. The work runs in a rehearsal first, unless nobody wants to know.
/// What it is about is found once, before the question: a name may mean something else by the time of the answer.
pub(crate) fn carry_out<T>(
    consent: Consent,
    settings: &Settings,
    output: &Output,
    find: impl AsyncFnOnce(&Store) -> Result<T, Exit>,
    work: impl AsyncFn(&Store, &T) -> Result<Deed, Exit>,
) -> Result<(), Exit> {
    let manner = consent.manner()?;
    let deed = with_store(settings, async |store| {
        let found = find(store).await?;
        if manner != Manner::Act {
            let deed = work(&store.rehearsal(), &found).await?;
            if manner == Manner::Rehearse {
                return Ok(deed);
            }
            ask(&deed.would)?;
        }
        work(store, &found).await
    })?;
    match manner {
        Manner::Rehearse => print_plan(output, &deed.plan, &deed.would),
        Manner::Ask | Manner::Act => output.print(&deed.result, || deed.done),
    }
}

/// Prints what would happen.
pub(crate) fn print_plan(output: &Output, plan: &Value, would: &str) -> Result<(), Exit> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Plan<'a> {
        dry_run: bool,
        #[serde(flatten)]
        plan: &'a Value,
    }
    output.print(&Plan { dry_run: true, plan }, || format!("{would}\nThis was a dry run: nothing has changed."))
}

/// Asks on the terminal whether to go ahead. An error if not.
pub(crate) fn ask(would: &str) -> Result<(), Exit> {
    let mut terminal = io::stderr().lock();
    let asked = write!(terminal, "{would}\nGo ahead? [y/N] ").and_then(|()| terminal.flush());
    let mut answer = String::new();
    let read = asked.and_then(|()| io::stdin().lock().read_line(&mut answer));
    match (read, answer.trim().to_lowercase().as_str()) {
        (Ok(_), "y" | "yes") => Ok(()),
        _ => Err(Exit::failed("nothing has changed, because the answer was not yes")),
    }
}

/// A thing that a plan names.
pub(crate) fn thing(id: impl ToString, name: &str) -> Value {
    json!({ "id": id.to_string(), "name": name })
}
