//! What callers send: how a value is read, and how it is described to them. Both stand next to the type, so that a length or a
//! pattern is written once. Nothing here knows JSON or OpenAPI.

use crate::{Refusal, values::Choice};

/// A value that callers send.
pub trait Input: Sized {
    /// What they send for it: `str`, `i64` or `bool`.
    type Raw: ?Sized;

    /// Reads what was sent.
    ///
    /// # Errors
    ///
    /// Why it is not accepted.
    fn read(raw: &Self::Raw) -> Result<Self, Refusal>;

    /// What is accepted, for a person and for tools.
    fn description() -> Description;
}

/// What is accepted as a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// In a sentence, or empty where the form says it all.
    pub text: String,
    /// For tools.
    pub form: Form,
    /// A value that is accepted.
    pub example: Option<&'static str>,
}

/// The form of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// Text.
    Text {
        /// The fewest and the most characters.
        length: (Option<usize>, Option<usize>),
        /// A regular expression that it matches as a whole.
        pattern: Option<&'static str>,
        /// What kind of text, such as `uuid`.
        format: Option<&'static str>,
        /// It is never shown again.
        secret: bool,
    },
    /// A whole number from the first of these to the second.
    Number(i64, Option<i64>),
    /// True or false.
    Flag,
    /// One of a closed list.
    Words {
        /// The name of the list.
        name: &'static str,
        /// The words.
        words: Vec<&'static str>,
    },
}

impl Description {
    fn of(form: Form, text: impl Into<String>) -> Self {
        Self { text: text.into(), form, example: None }
    }

    /// Any text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::of(Form::Text { length: (None, None), pattern: None, format: None, secret: false }, text)
    }

    /// A whole number.
    pub fn number(text: impl Into<String>, min: i64, max: impl Into<Option<i64>>) -> Self {
        Self::of(Form::Number(min, max.into()), text)
    }

    /// True or false.
    pub fn flag() -> Self {
        Self::of(Form::Flag, "")
    }

    /// Of `min` to `max` characters. A `min` of 0 is not mentioned.
    #[must_use]
    pub fn length(mut self, min: usize, max: usize) -> Self {
        if let Form::Text { length, .. } = &mut self.form {
            *length = (Some(min).filter(|min| *min > 0), Some(max));
        }
        self
    }

    /// Matching this regular expression.
    #[must_use]
    pub fn pattern(mut self, regex: &'static str) -> Self {
        if let Form::Text { pattern, .. } = &mut self.form {
            *pattern = Some(regex);
        }
        self
    }

    /// Of this kind.
    #[must_use]
    pub fn format(mut self, kind: &'static str) -> Self {
        if let Form::Text { format, .. } = &mut self.form {
            *format = Some(kind);
        }
        self
    }

    /// Never shown again.
    #[must_use]
    pub fn secret(mut self) -> Self {
        if let Form::Text { secret, .. } = &mut self.form {
            *secret = true;
        }
        self
    }

    /// With this example.
    #[must_use]
    pub fn example(mut self, example: &'static str) -> Self {
        self.example = Some(example);
        self
    }
}

impl Input for bool {
    type Raw = bool;

    fn read(raw: &bool) -> Result<Self, Refusal> {
        Ok(*raw)
    }

    fn description() -> Description {
        Description::flag()
    }
}

impl<T: Choice> Input for T {
    type Raw = str;

    fn read(raw: &str) -> Result<Self, Refusal> {
        Self::choose(raw)
    }

    fn description() -> Description {
        let path = std::any::type_name::<T>();
        let name = path.rsplit_once("::").map_or(path, |(_, name)| name);
        let words = T::ALL.iter().map(|(_, word)| *word).collect();
        Description::of(Form::Words { name, words }, T::MEANING)
    }
}

/// A number as people write it: `10,000`.
pub(crate) fn thousands(number: impl ToString) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Gives a type its [`Input`]: text is read by `FromStr`, a whole number by `TryFrom<i64>`.
macro_rules! input {
    ($type:ty, str, $description:expr) => {
        impl $crate::Input for $type {
            type Raw = str;
            fn read(raw: &str) -> Result<Self, $crate::Refusal> {
                raw.parse()
            }
            fn description() -> $crate::Description {
                $description
            }
        }
    };
    ($type:ty, i64, $description:expr) => {
        impl $crate::Input for $type {
            type Raw = i64;
            fn read(raw: &i64) -> Result<Self, $crate::Refusal> {
                Self::try_from(*raw)
            }
            fn description() -> $crate::Description {
                $description
            }
        }
    };
}
pub(crate) use input;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BrandId, Role, WorkspaceName};

    #[test]
    fn numbers_are_written_as_people_write_them() {
        let written = [0, 999, 1_000, 86_400, 1_000_000].map(thousands);
        assert_eq!(written, ["0", "999", "1,000", "86,400", "1,000,000"]);
    }

    #[test]
    fn a_description_says_what_its_type_accepts() {
        let name = WorkspaceName::description();
        assert_eq!(name.text, "One line with a visible character, 1 to 120 characters.");
        assert!(matches!(name.form, Form::Text { length: (Some(1), Some(120)), .. }));
        assert!(matches!(BrandId::description().form, Form::Text { format: Some("uuid"), .. }));
        let words = vec!["owner", "admin", "billing", "agent", "observer"];
        assert_eq!(Role::description().form, Form::Words { name: "Role", words });
    }
}
