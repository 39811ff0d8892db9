//! What was found, and how it is shown.

use serde::Serialize;
use serde_json::json;
use tenantry_domain::counted;

use crate::{exit::Exit, output::Output};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// It is as it should be.
    Ok,
    /// The service works, and something should be done.
    Warning,
    /// The service does not work, or not safely.
    Problem,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    check: &'static str,
    state: State,
    message: String,
    /// What to do about it; `None` if there is nothing to do.
    action: Option<String>,
}

impl Finding {
    pub(super) fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self { check, state: State::Ok, message: message.into(), action: None }
    }

    pub(super) fn warning(check: &'static str, message: impl Into<String>, action: impl Into<String>) -> Self {
        Self { check, state: State::Warning, message: message.into(), action: Some(action.into()) }
    }

    pub(super) fn problem(check: &'static str, message: impl Into<String>, action: impl Into<String>) -> Self {
        Self { check, state: State::Problem, message: message.into(), action: Some(action.into()) }
    }

    /// Of an error that says in its own sentence what to do.
    pub(super) fn of(check: &'static str, exit: &Exit, action: &str) -> Vec<Self> {
        match exit.fields.as_slice() {
            [] => vec![Self::problem(check, exit.message.as_str(), action)],
            fields => fields.iter().map(|field| Self::problem(check, field.message.as_str(), action)).collect(),
        }
    }
}

/// Everything that was looked at, in order.
#[derive(Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    pub(super) fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.0.extend(findings);
    }

    /// Prints all of it. Fails if there is a problem.
    pub(super) fn print(self, output: &Output) -> Result<(), Exit> {
        let count = |state: State| self.0.iter().filter(|finding| finding.state == state).count() as u64;
        let (problems, warnings) = (count(State::Problem), count(State::Warning));
        output.print(&json!({ "healthy": problems == 0, "findings": self.0 }), || self.text(problems, warnings))?;
        match problems {
            0 => Ok(()),
            problems => Err(Exit::failed(format!("{} found", counted(problems, "problem")))),
        }
    }

    fn text(&self, problems: u64, warnings: u64) -> String {
        let width = self.0.iter().map(|finding| finding.check.len()).max().unwrap_or_default();
        let mut lines = Vec::new();
        for Finding { check, state, message, action } in &self.0 {
            lines.push(format!("{:<7}  {check:<width$}  {message}", state.word()));
            lines.extend(action.iter().map(|action| format!("{:<7}  {:<width$}  -> {action}", "", "")));
        }
        let sum = format!("{} and {}", counted(problems, "problem"), counted(warnings, "warning"));
        lines.extend([String::new(), sum]);
        lines.join("\n")
    }
}
