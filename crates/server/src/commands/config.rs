//! `tenantry config`.

use crate::{
    exit::Exit,
    output::{Output, table},
    settings::{Settings, Shown},
};

/// Prints the settings in force.
pub(crate) fn print(settings: &Settings, output: &Output) -> Result<(), Exit> {
    let row = |shown: &Shown| {
        let value = shown.value.clone().unwrap_or_else(|| "(none)".to_owned());
        [shown.variable.clone(), value, shown.source.to_owned(), shown.help.to_owned()]
    };
    output.print(&settings.shown, || {
        let rows: Vec<_> = settings.shown.iter().map(row).collect();
        table(["SETTING", "VALUE", "FROM", "MEANING"], &rows)
    })
}
