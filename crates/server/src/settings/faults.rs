//! What is wrong with the settings. All of it is reported together.

use super::variable;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The variable that it is about; empty if it is about the file or about several things.
    pub(crate) setting: String,
    /// What is wrong. Together with the variable in front of it, it is a sentence.
    pub(crate) rule: String,
}

/// A collection of faults, and of what is only worth a warning.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    faults: Vec<Fault>,
    /// Each a sentence.
    pub(crate) warnings: Vec<String>,
}

impl Faults {
    /// Notes what is wrong with the setting of this name.
    pub(crate) fn of(&mut self, name: &str, rule: impl Into<String>) {
        self.push(&variable(name), rule);
    }

    /// Notes what is wrong with a variable, or with none in particular.
    pub(crate) fn push(&mut self, setting: &str, rule: impl Into<String>) {
        self.faults.push(Fault { setting: setting.to_owned(), rule: rule.into() });
    }

    pub(crate) fn len(&self) -> usize {
        self.faults.len()
    }

    pub(crate) fn into_vec(self) -> Vec<Fault> {
        self.faults
    }

    /// Each as a sentence.
    #[cfg(test)]
    pub(crate) fn texts(&self) -> Vec<String> {
        self.faults.iter().map(|fault| format!("{} {}", fault.setting, fault.rule).trim_start().to_owned()).collect()
    }
}
