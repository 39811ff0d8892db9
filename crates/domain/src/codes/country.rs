//! Countries: ISO 3166-1 alpha-2, and what a country implies when a request leaves it out.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use icu_locale::subtags::Region;
use icu_locale::{LanguageIdentifier, LocaleExpander};
use iso_currency::{Country, Currency};

use super::{Case, CurrencyCode, Kind, LanguageCode, advised, use_code};
use crate::{Refusal, input::input};

const KIND: Kind =
    Kind { name: "an ISO 3166-1 alpha-2 country code", example: "DE", case: Case::Upper, unknown: "unknown_country" };

/// In code order; `rust_iso3166` keeps the order of the English names.
static ALL: LazyLock<Vec<CountryCode>> = LazyLock::new(|| {
    let mut all: Vec<_> = rust_iso3166::ALL_ALPHA2.iter().copied().map(CountryCode).collect();
    all.sort_unstable();
    all
});

/// What people send for a country although it is not, or no longer, officially assigned.
const ADVICE: &[(&str, &str)] = &[
    // Exceptionally reserved or merely customary.
    ("EL", "use \"GR\""),
    ("UK", "use \"GB\""),
    ("EU", "the European Union is not a country, use the code of a member state"),
    // What a user-assigned code means, two parties agree among themselves. Taken here, it would go to whoever reads the workspace,
    // and an installation that takes it would export what another one refuses.
    ("XK", "Kosovo has no officially assigned code"),
    // Withdrawn, ISO 3166-3.
    ("AN", "the Netherlands Antilles were dissolved, use \"BQ\", \"CW\" or \"SX\""),
    ("BU", "use \"MM\""),
    ("CS", "Serbia and Montenegro were separated, use \"RS\" or \"ME\""),
    ("DD", "use \"DE\""),
    ("FX", "use \"FR\""),
    ("TP", "use \"TL\""),
    ("YU", "Yugoslavia was dissolved, use the code of a successor state such as \"RS\""),
    ("ZR", "use \"CD\""),
];

/// CLDR's root entry is `und` → `en-Latn-US`, and it lists no region whose likely language the root entry already gives.
/// The library looks the root entry up for the United States only. All regions it leaves open but Antarctica have
/// English as an official language or as that of their administration.
const ROOT_LANGUAGE: &str = "en";

/// Where the answer of CLDR is no ISO 639-1 language, or not what the country does business in.
const MAIN_LANGUAGE: &[(&str, Option<&str>)] = &[
    // No state, no population, no official language: CLDR has no entry, and its root entry (English) would be a guess.
    ("AQ", None),
    // CLDR: pap (Papiamento), which has no ISO 639-1 code. Dutch is an official language of both.
    ("BQ", Some("nl")),
    ("CW", Some("nl")),
    // CLDR: no (the macrolanguage) for this uninhabited Norwegian island alone, nb for Norway and Svalbard.
    ("BV", Some("nb")),
    // CLDR: tpi (Tok Pisin), pau (Palauan), tkl (Tokelauan) and tvl (Tuvaluan), none of them with an ISO 639-1 code.
    // English is an official language, or that of the administration, in all four.
    ("PG", Some("en")),
    ("PW", Some("en")),
    ("TK", Some("en")),
    ("TV", Some("en")),
    // CLDR: fil (Filipino), which has no ISO 639-1 code. Filipino is standardised Tagalog; CLDR treats tl as its alias.
    ("PH", Some("tl")),
    // CLDR: ak (Akan), af (Afrikaans), ar (Arabic), sn (Shona). English is the language of law and administration in all four, and
    // the only official one but in Zimbabwe, where it is one of sixteen.
    ("GH", Some("en")),
    ("NA", Some("en")),
    ("SS", Some("en")),
    ("ZW", Some("en")),
    // CLDR: fr. Most people speak a creole; law, schools and forms are in English.
    ("MU", Some("en")),
    ("SC", Some("en")),
    // CLDR: sg (Sango), sw (Swahili), bm (Bambara), ha (Hausa), wo (Wolof). They are spoken, and French is written.
    ("CF", Some("fr")),
    ("CD", Some("fr")),
    ("ML", Some("fr")),
    ("NE", Some("fr")),
    ("SN", Some("fr")),
    // CLDR: gn (Guarani) and sw (Swahili), both official beside the language that companies write.
    ("PY", Some("es")),
    ("UG", Some("en")),
];

/// Where `iso_currency` 0.7 is wrong about the present currency, or names several. Checked against ISO 4217 List One of
/// 2026-09-17 and CLDR's currencies by territory.
const CURRENCY: &[(&str, &str)] = &[
    // The US dollar circulates beside the national currency; the national one is what prices and accounts are kept in.
    ("BB", "BBD"),
    ("BM", "BMD"),
    ("HT", "HTG"),
    ("KH", "KHR"),
    ("PA", "PAB"),
    // Likewise the Indian rupee in Bhutan and the rand in Lesotho, each beside a national currency at par.
    ("BT", "BTN"),
    ("LS", "LSL"),
    // The library has the territory under the rand only: the columns of its Namibia dollar row are swapped.
    ("NA", "NAD"),
    // List One has no universal currency here; the administration uses the pound, as CLDR has it.
    ("GS", "GBP"),
    // List One and CLDR have the US dollar only.
    ("IO", "USD"),
    // Dollarised in 2001. The colón is still in List One but no longer circulates.
    ("SV", "USD"),
    // The library calls VES superseded by VED. It is the other way round for users: VES stayed the code for all
    // transactions, VED is for internal use during the redenomination of 2021 (Amendment 170).
    ("VE", "VES"),
];

/// A country or territory: an officially assigned ISO 3166-1 alpha-2 code, in upper case.
///
/// The list is that of `rust_iso3166` 0.2.0 (taken from iso-codes 4.20.1 of 2026-01-01): 249 codes, the official number.
/// Reserved (`EU`, `UK`), user-assigned (`XK`) and withdrawn (`AN`) codes are not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountryCode(&'static str);

impl CountryCode {
    /// All 249, in code order.
    pub fn all() -> impl ExactSizeIterator<Item = Self> + Clone {
        ALL.iter().copied()
    }

    /// The two letters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// The language a workspace in this country speaks unless it says otherwise.
    ///
    /// It is the likely language of the region in CLDR (version 49 in `icu_locale` 2.4), as long as that is the official language
    /// that businesses write in: Russian in Belarus and Kazakhstan, Swahili in Kenya. Where most people speak one language and
    /// offices, schools and companies write another official one, it is the latter: English in Ghana, French in Mali. A region that
    /// CLDR leaves out has the language of CLDR's root entry, English. Where the answer has no ISO 639-1 code, another official
    /// language of the country stands in. `None` for Antarctica only.
    #[must_use]
    pub fn main_language(self) -> Option<LanguageCode> {
        if let Some((_, decided)) = MAIN_LANGUAGE.iter().find(|(country, _)| *country == self.0) {
            return decided.and_then(LanguageCode::find);
        }
        // The extended data, because the common data covers only the locales that CLDR translates well.
        let expander = LocaleExpander::new_extended();
        let mut likely = LanguageIdentifier::from(Region::try_from_str(self.0).ok());
        expander.maximize(&mut likely);
        if likely.language.is_unknown() {
            return LanguageCode::find(ROOT_LANGUAGE);
        }
        LanguageCode::find(likely.language.as_str())
    }

    /// The currency a workspace in this country counts in unless it says otherwise: the one prices and accounts are
    /// kept in today, never a funds code.
    ///
    /// From `iso_currency` 0.7, corrected where it is outdated or names several. `None` for Antarctica only.
    #[must_use]
    pub fn currency(self) -> Option<CurrencyCode> {
        if let Some((_, decided)) = CURRENCY.iter().find(|(country, _)| *country == self.0) {
            return CurrencyCode::find(decided);
        }
        let country = Country::from_str(self.0).ok()?;
        let mut used = Currency::from_country(country)
            .into_iter()
            .filter(|currency| !currency.is_fund())
            .filter_map(|currency| CurrencyCode::find(currency.code()));
        // Several that nobody has chosen between are no answer: the library's order means nothing.
        used.next().filter(|_| used.next().is_none())
    }

    /// The accepted code that is exactly `code`.
    pub(super) fn find(code: &str) -> Option<Self> {
        ALL.binary_search_by(|known| known.0.cmp(code)).ok().and_then(|at| ALL.get(at).copied())
    }
}

/// What to write instead of `value`, which is in upper case and not in the list.
fn advise(value: &str) -> Option<String> {
    advised(ADVICE, value)
        .or_else(|| rust_iso3166::from_alpha3(value).map(|country| use_code(country.alpha2)))
        .or_else(|| rust_iso3166::from_numeric_str(value).map(|country| use_code(country.alpha2)))
}

impl FromStr for CountryCode {
    type Err = Refusal;

    /// Takes exactly one of the 249 codes.
    ///
    /// # Errors
    ///
    /// `wrong_case` for a code of the list in another case, `unknown_country` for everything else.
    fn from_str(given: &str) -> Result<Self, Self::Err> {
        Self::find(given).ok_or_else(|| KIND.refuse(given, |code| Self::find(code).map(Self::as_str), advise))
    }
}

input!(
    CountryCode,
    str,
    KIND.description("ISO 3166-1 alpha-2, upper case; officially assigned codes only.", "^[A-Z]{2}$")
);

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}
