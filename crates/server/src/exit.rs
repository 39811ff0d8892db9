//! How a command fails: a sentence for people and an exit code for scripts.

use tenantry_domain::{Error, FieldRefusal};

use crate::settings::Fault;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Exit {
    pub(crate) code: u8,
    pub(crate) message: String,
    pub(crate) fields: Vec<FieldRefusal>,
}

impl Exit {
    fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), fields: Vec::new() }
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(1, message)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(2, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(3, message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(4, message)
    }

    pub(crate) fn database(message: impl Into<String>) -> Self {
        Self::new(5, message)
    }

    /// Settings that are wrong together, or a database that they must not name.
    pub(crate) fn settings(faults: Vec<String>) -> Self {
        Self::faults(faults.into_iter().map(|rule| Fault { setting: String::new(), rule }).collect())
    }

    /// What is wrong with the settings, by their names.
    pub(crate) fn faults(faults: Vec<Fault>) -> Self {
        let field = |Fault { setting, rule }| FieldRefusal { field: setting, code: "invalid_setting", message: rule };
        Self { fields: faults.into_iter().map(field).collect(), ..Self::new(6, "the settings are not valid") }
    }

    /// Whether the sentence contains these words.
    pub(crate) fn says(&self, words: &str) -> bool {
        self.message.contains(words)
    }

    /// The same with one more sentence.
    pub(crate) fn and(self, more: &str) -> Self {
        Self { message: format!("{}; {more}", self.message), ..self }
    }
}

impl From<Error> for Exit {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::Invalid(fields) => Self { code: 2, message: "some values are not valid".to_owned(), fields },
            Error::NotFound(_) => Self::new(3, message),
            Error::Conflict { .. } | Error::KeyReused | Error::PreconditionFailed | Error::TooMany { .. } => {
                Self::new(4, message)
            }
            // An operator may see causes. A caller of the API must not.
            Error::Unavailable { cause } => Self::database(cause),
            Error::Internal { cause } => Self::failed(cause),
            Error::TenantFrozen => Self::new(4, format!("{message} `tenantry tenant unfreeze` ends this.")),
            Error::Overloaded | Error::Upstream { .. } => Self::failed(message),
            Error::Unreadable { .. } | Error::Unauthenticated(_) | Error::Forbidden { .. } => Self::failed(message),
        }
    }
}
