//! Codes of countries, languages and currencies: the official lists and nothing else.
//!
//! Each list comes from a maintained library. Where the library and the official list differ, the difference is
//! written out beside the type, with the reason. A code is taken exactly as given or refused: another case, spaces or a
//! withdrawn code are never corrected, but the refusal says what to write instead.

mod country;
mod currency;
mod language;

pub use country::CountryCode;
pub use currency::CurrencyCode;
pub use language::LanguageCode;

use crate::{Description, Refusal};

/// How many characters of a refused value a message repeats. A code has three at most, so a person recognises the value
/// by less than this, and a megabyte sent by mistake does not come back in the answer.
const QUOTED_CHARACTERS: usize = 24;

/// The longest value, in bytes, that is examined for a hint. Nothing longer is a misspelt code or a language tag.
const EXAMINED_BYTES: usize = 64;

/// The case a list is written in.
#[derive(Clone, Copy)]
enum Case {
    Upper,
    Lower,
}

impl Case {
    fn name(self) -> &'static str {
        match self {
            Self::Upper => "upper",
            Self::Lower => "lower",
        }
    }

    /// Only ASCII changes: `ı` and `ſ` are no letters of any code, whatever they become in upper case.
    fn apply(self, text: &str) -> String {
        match self {
            Self::Upper => text.to_ascii_uppercase(),
            Self::Lower => text.to_ascii_lowercase(),
        }
    }
}

/// What a refusal says of one kind of code.
struct Kind {
    /// With its article, such as `an ISO 639-1 language code`.
    name: &'static str,
    /// An accepted code, shown when there is nothing better to show.
    example: &'static str,
    case: Case,
    /// The refusal's code for a value that is not in the list.
    unknown: &'static str,
}

impl Kind {
    /// What is accepted, for callers.
    fn description(&self, text: &str, pattern: &'static str) -> Description {
        Description::text(text).pattern(pattern).example(self.example)
    }

    /// Says why `given` is not accepted.
    ///
    /// `find` looks a code up in the accepted list. `advise` is asked what to do about a value that is not in the list
    /// in any case or with any spaces around it; it is given the value in the list's case, trimmed.
    fn refuse(
        &self,
        given: &str,
        find: impl Fn(&str) -> Option<&'static str>,
        advise: impl Fn(&str) -> Option<String>,
    ) -> Refusal {
        let mut advice = None;
        if given.len() <= EXAMINED_BYTES {
            let folded = self.case.apply(given);
            if let Some(code) = find(&folded) {
                let message = format!("must be {} in {} case: {}", self.name, self.case.name(), use_code(code));
                return Refusal::new("wrong_case", message);
            }
            let trimmed = folded.trim();
            advice = find(trimmed).map(use_code).or_else(|| advise(trimmed));
        }
        let mut message = format!("must be {} such as \"{}\", not {}", self.name, self.example, quoted(given));
        if let Some(advice) = advice {
            message.push_str(": ");
            message.push_str(&advice);
        }
        Refusal::new(self.unknown, message)
    }
}

/// The usual advice.
fn use_code(code: &str) -> String {
    format!("use \"{code}\"")
}

/// The entry of a table of advice, kept as pairs because the tables are short and read by people.
fn advised(table: &[(&str, &str)], value: &str) -> Option<String> {
    table.iter().find(|(retired, _)| *retired == value).map(|(_, advice)| (*advice).to_owned())
}

/// The value between quotation marks, shortened, with control and invisible characters escaped.
fn quoted(value: &str) -> String {
    let mut characters = value.chars();
    let start: String = characters.by_ref().take(QUOTED_CHARACTERS).flat_map(char::escape_debug).collect();
    let rest = if characters.next().is_some() { "…" } else { "" };
    format!("\"{start}{rest}\"")
}
