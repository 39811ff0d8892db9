//! `tenantry config`.

use serde::Serialize;

use crate::{
    exit::Exit,
    output::{Format, Output, table},
    settings::{Fault, Settings, Shown},
};

/// A setting, with what is wrong with it.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    shown: &'a Shown,
    faults: Vec<&'a str>,
}

/// Prints the settings in force. What is wrong is marked where it stands, and the exit code is then that of wrong settings.
pub(crate) fn print(output: &Output) -> Result<(), Exit> {
    let (settings, faults) = Settings::read_all();
    let of = |shown: &Shown| -> Vec<&str> {
        faults.iter().filter(|fault| fault.setting == shown.variable).map(|fault| fault.rule.as_str()).collect()
    };
    let lines: Vec<_> = settings.shown.iter().map(|shown| Line { shown, faults: of(shown) }).collect();
    output.print(&lines, || text(&lines, &faults))?;
    match (faults.len(), output.format()) {
        (0, _) => Ok(()),
        (_, Format::Json) => Err(Exit::faults(faults)),
        // They stand in the table.
        (1, Format::Text) => Err(marked("1 fault in the settings, marked with ! above")),
        (many, Format::Text) => Err(marked(&format!("{many} faults in the settings, marked with ! above"))),
    }
}

fn marked(message: &str) -> Exit {
    Exit { message: message.to_owned(), ..Exit::faults(Vec::new()) }
}

fn text(lines: &[Line<'_>], faults: &[Fault]) -> String {
    let row = |line: &Line<'_>| {
        let Shown { variable, value, source, help, .. } = line.shown;
        let value = value.clone().unwrap_or_else(|| "(none)".to_owned());
        [variable.clone(), value, (*source).to_owned(), (*help).to_owned()]
    };
    let table = table(["SETTING", "VALUE", "FROM", "MEANING"], &lines.iter().map(row).collect::<Vec<_>>());
    if faults.is_empty() {
        return table;
    }
    let mut printed = table.lines();
    let mut text: Vec<String> = printed.next().map(|head| format!("  {head}")).into_iter().collect();
    for (row, line) in printed.zip(lines) {
        text.push(format!("{} {row}", if line.faults.is_empty() { ' ' } else { '!' }));
        text.extend(line.faults.iter().map(|fault| format!("    ^ {fault}")));
    }
    // What stands nowhere in the table: a name that no setting has, and what is wrong with the file as a whole.
    for Fault { setting, rule } in faults {
        if !lines.iter().any(|line| line.shown.variable == *setting) {
            text.push(format!("! {}", format!("{setting} {rule}").trim_start()));
        }
    }
    text.join("\n")
}
