//! Currencies: ISO 4217.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use iso_currency::{Currency, IntoEnumIterator};

use super::{Case, CountryCode, Kind, advised, use_code};
use crate::{Refusal, input::input};

const KIND: Kind =
    Kind { name: "an ISO 4217 currency code", example: "EUR", case: Case::Upper, unknown: "unknown_currency" };

/// In code order; the library keeps the order of its own table.
static ALL: LazyLock<Vec<CurrencyCode>> = LazyLock::new(|| {
    let mut all: Vec<_> = Currency::iter()
        .filter(|currency| is_accepted(*currency))
        .map(|currency| CurrencyCode(currency.code()))
        .collect();
    all.sort_unstable();
    all
});

/// National currencies in use and funds codes. The library's flags say which those are, with two corrections.
fn is_accepted(currency: Currency) -> bool {
    match currency {
        // Flagged as superseded by VED, yet current: Amendment 170 keeps VES for all transactions, and adds VED for
        // internal use during the redenomination of 2021. List One has both.
        Currency::VES => true,
        // Flagged as special like the metals, yet a funds code: Amendment 179 registered it in List Two (funds codes),
        // and List One marks it as a fund.
        Currency::XAD => true,
        // Special are metals, bond market units, the supranational units XDR, XSU and XUA, XTS (tests) and XXX (none).
        other => !other.is_special() && other.is_superseded().is_none(),
    }
}

/// What people send for a currency although ISO 4217 has withdrawn it or never had it, where the library knows nothing
/// of it. Withdrawn codes that the library still has say themselves what came after them.
const ADVICE: &[(&str, &str)] = &[
    ("ANG", "use \"XCG\""),
    ("AZM", "use \"AZN\""),
    ("BYR", "use \"BYN\""),
    ("GHC", "use \"GHS\""),
    ("MRO", "use \"MRU\""),
    ("MZM", "use \"MZN\""),
    ("ROL", "use \"RON\""),
    ("RUR", "use \"RUB\""),
    ("SDD", "use \"SDG\""),
    ("STD", "use \"STN\""),
    ("TMM", "use \"TMT\""),
    ("TRL", "use \"TRY\""),
    ("VEB", "use \"VES\""),
    ("VEF", "use \"VES\""),
    ("ZMK", "use \"ZMW\""),
    // Customary, never in the standard.
    ("NIS", "use \"ILS\""),
    ("NTD", "use \"TWD\""),
    ("RMB", "use \"CNY\""),
    ("STG", "use \"GBP\""),
];

/// What the euro replaced, beside the lev and the kuna, which the library knows.
const BEFORE_EURO: &[&str] = &[
    "ATS", "BEF", "CYP", "DEM", "EEK", "ESP", "FIM", "FRF", "GRD", "IEP", "ITL", "LTL", "LUF", "LVL", "MTL", "NLG",
    "PTE", "SIT", "SKK", "XEU",
];

/// A currency: an ISO 4217 code of a national currency in use or a funds code, in upper case.
///
/// The list is List One as published on 2026-09-17 without metals, bond market units, supranational units, the test code
/// and the code for no currency: 155 national currencies, counting those that several countries share (`EUR`, `XAF`,
/// `XCD`, `XCG`, `XOF`, `XPF`), and 10 funds codes (`BOV`, `CHE`, `CHW`, `CLF`, `COU`, `MXV`, `USN`, `UYI`, `UYW`,
/// `XAD`). It is taken from `iso_currency` 0.7 with two corrections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CurrencyCode(&'static str);

impl CurrencyCode {
    /// All 165, in code order.
    pub fn all() -> impl ExactSizeIterator<Item = Self> + Clone {
        ALL.iter().copied()
    }

    /// The three letters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// The accepted code that is exactly `code`.
    pub(super) fn find(code: &str) -> Option<Self> {
        ALL.binary_search_by(|known| known.0.cmp(code)).ok().and_then(|at| ALL.get(at).copied())
    }
}

/// What to write instead of `value`, which is in upper case and not in the list.
fn advise(value: &str) -> Option<String> {
    if let Some(known) = Currency::from_code(value) {
        return match known.is_superseded() {
            Some(_) => CurrencyCode::find(known.latest().code()).map(|code| use_code(code.as_str())),
            None => Some("it is neither a national currency nor a funds code".to_owned()),
        };
    }
    if BEFORE_EURO.contains(&value) {
        return Some(use_code("EUR"));
    }
    advised(ADVICE, value).or_else(|| of_country(value))
}

/// A country where a currency belongs, such as `CH` for `CHF`.
fn of_country(value: &str) -> Option<String> {
    let country = CountryCode::find(value)?;
    let currency = country.currency()?;
    Some(format!("\"{country}\" is a country, its currency is \"{currency}\""))
}

impl FromStr for CurrencyCode {
    type Err = Refusal;

    /// Takes exactly one of the 165 codes.
    ///
    /// # Errors
    ///
    /// `wrong_case` for a code of the list in another case, `unknown_currency` for everything else.
    fn from_str(given: &str) -> Result<Self, Self::Err> {
        Self::find(given).ok_or_else(|| KIND.refuse(given, |code| Self::find(code).map(Self::as_str), advise))
    }
}

input!(CurrencyCode, str, KIND.description("ISO 4217, upper case; currencies and funds codes in force.", "^[A-Z]{3}$"));

impl fmt::Display for CurrencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}
