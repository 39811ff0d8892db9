//! Languages: ISO 639-1.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use isolang::Language;

use super::{Case, CountryCode, Kind, advised, use_code};
use crate::{Refusal, input::input};

const KIND: Kind =
    Kind { name: "an ISO 639-1 language code", example: "de", case: Case::Lower, unknown: "unknown_language" };

/// In `isolang` 2.4 but no longer in ISO 639-1: `sh` (Serbo-Croatian) was deprecated in 2000. SIL's table, which the
/// library is made from, still has it, with a remark that says so.
const WITHDRAWN: &[&str] = &["sh"];

/// In code order. The library gives out its languages only in the order of ISO 639-3, so every pair of letters is tried.
static ALL: LazyLock<Vec<LanguageCode>> = LazyLock::new(|| {
    ('a'..='z')
        .flat_map(|first| ('a'..='z').map(move |second| String::from_iter([first, second])))
        .filter_map(|code| Language::from_639_1(&code)?.to_639_1())
        .filter(|code| !WITHDRAWN.contains(code))
        .map(LanguageCode)
        .collect()
});

/// What people send for a language although it is not, or no longer, in ISO 639-1.
const ADVICE: &[(&str, &str)] = &[
    // Withdrawn. `bh` went in 2021: it was a group of languages, which ISO 639-1 does not code.
    ("bh", "it was withdrawn in 2021 and stood for several languages, none of which has a code in ISO 639-1"),
    ("in", "use \"id\""),
    ("iw", "use \"he\""),
    ("ji", "use \"yi\""),
    ("jw", "use \"jv\""),
    ("mo", "use \"ro\""),
    ("sh", "use \"bs\", \"hr\" or \"sr\""),
    // Three-letter codes that have no two-letter code of their own but are what a two-letter code usually means.
    ("arb", "use \"ar\""),
    ("cmn", "use \"zh\""),
    ("fil", "use \"tl\""),
];

/// A language: a current ISO 639-1 code, in lower case.
///
/// The list is that of `isolang` 2.4 (SIL's ISO 639-3 table and its column of two-letter codes) without `sh`: 183 codes,
/// the number of ISO 639 Set 1 since `bh` was withdrawn in 2021. The old spellings `in`, `iw`, `ji`, `jw` and `mo` are
/// not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LanguageCode(&'static str);

impl LanguageCode {
    /// All 183, in code order.
    pub fn all() -> impl ExactSizeIterator<Item = Self> + Clone {
        ALL.iter().copied()
    }

    /// The two letters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// The accepted code that is exactly `code`.
    pub(super) fn find(code: &str) -> Option<Self> {
        ALL.binary_search_by(|known| known.0.cmp(code)).ok().and_then(|at| ALL.get(at).copied())
    }
}

/// What to write instead of `value`, which is in lower case and not in the list.
fn advise(value: &str) -> Option<String> {
    advised(ADVICE, value).or_else(|| {
        let shorter = || Language::from_639_3(value).and_then(|language| LanguageCode::find(language.to_639_1()?));
        // A tag such as de-AT or de_AT.UTF-8: the country has a member of its own.
        let of_tag = || value.split_once(['-', '_']).and_then(|(language, _)| LanguageCode::find(language));
        shorter().or_else(of_tag).map(|code| use_code(code.as_str())).or_else(|| of_country(value))
    })
}

/// A country where a language belongs, such as `cz` for `cs`, is a common slip.
fn of_country(value: &str) -> Option<String> {
    let country = CountryCode::find(&value.to_ascii_uppercase())?;
    let language = country.main_language()?;
    Some(format!("\"{country}\" is a country, its main language is \"{language}\""))
}

impl FromStr for LanguageCode {
    type Err = Refusal;

    /// Takes exactly one of the 183 codes.
    ///
    /// # Errors
    ///
    /// `wrong_case` for a code of the list in another case, `unknown_language` for everything else.
    fn from_str(given: &str) -> Result<Self, Self::Err> {
        Self::find(given).ok_or_else(|| KIND.refuse(given, |code| Self::find(code).map(Self::as_str), advise))
    }
}

input!(LanguageCode, str, KIND.description("ISO 639-1, lower case.", "^[a-z]{2}$"));

impl fmt::Display for LanguageCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}
