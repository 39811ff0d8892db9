//! The accepted codes, pinned: every string of two or three letters goes through `FromStr`, and what is accepted is
//! compared with the official lists written out here. The lists come from a second source (the iso-codes data of early
//! 2026, the national currencies compared with ISO 4217 List One of 2026-09-17), not from what the implementation says,
//! so that a new version of a library cannot move a list unseen. The defaults by country come from CLDR 47 likewise,
//! with the decisions that `CountryCode` documents; the library's CLDR 49 differs in one row, the language of Belarus.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::str::FromStr;

use tenantry_domain::{CountryCode, CurrencyCode, LanguageCode, Refusal};

/// ISO 3166-1 alpha-2, officially assigned, in the data of 2026: 249.
const COUNTRIES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW \
    BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI \
    FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN \
    IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME \
    MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF \
    PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV \
    SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE \
    YT ZA ZM ZW";

/// ISO 639-1, in the data of 2026: 183 (`sh` deprecated in 2000, `bh` in 2021).
const LANGUAGES: &str = "\
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee \
    el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io \
    is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn \
    mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se \
    sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo \
    wa wo xh yi yo za zh zu";

/// ISO 4217 List One of 2026-09-17, national currencies: 155.
const CURRENCIES: &str = "\
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF \
    CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD \
    HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL \
    LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP \
    PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT \
    TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";

/// ISO 4217, funds codes of the same list: 10.
const FUNDS: &str = "BOV CHE CHW CLF COU MXV USN UYI UYW XAD";

/// Country, main language, currency; `-` for none.
const DEFAULTS: &str = include_str!("defaults.txt");

fn set(pinned: &str) -> BTreeSet<String> {
    pinned.split_whitespace().map(str::to_owned).collect()
}

/// Every string of `length` letters of both cases.
fn strings(length: u32) -> impl Iterator<Item = String> {
    const LETTERS: &[u8; 52] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    (0..52_usize.pow(length))
        .map(move |number| (0..length).map(|place| char::from(LETTERS[number / 52_usize.pow(place) % 52])).collect())
}

/// Runs all strings of two and three letters, in all cases, and compares what is accepted with `official`; what differs
/// from an official code in its case alone must get the hint, everything else the code for unknown.
fn check_list<C>(official: &BTreeSet<String>, unknown: &str)
where
    C: FromStr<Err = Refusal> + ToString + Debug,
{
    let upper = official.first().unwrap().chars().all(char::is_uppercase);
    let mut accepted = BTreeSet::new();
    for given in strings(2).chain(strings(3)) {
        let folded = if upper { given.to_uppercase() } else { given.to_lowercase() };
        match given.parse::<C>() {
            Ok(code) => {
                assert_eq!(code.to_string(), given, "an accepted code comes back as it was given");
                accepted.insert(given);
            }
            Err(refusal) if official.contains(&folded) => {
                assert_ne!(folded, given, "{given} is official, but: {refusal}");
                assert_eq!(refusal.code, "wrong_case", "{given}");
                assert!(refusal.message.ends_with(&format!("case: use \"{folded}\"")), "{given}: {refusal}");
            }
            Err(refusal) => {
                assert_eq!(refusal.code, unknown, "{given}");
                assert!(refusal.message.contains(&format!("not \"{given}\"")), "{given}: {refusal}");
            }
        }
    }
    let missing: Vec<_> = official.difference(&accepted).collect();
    let surplus: Vec<_> = accepted.difference(official).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "missing: {missing:?}, surplus: {surplus:?}");
}

fn refusal<C: FromStr<Err = Refusal> + Debug>(given: &str) -> Refusal {
    given.parse::<C>().unwrap_err()
}

#[test]
fn countries_are_the_249_officially_assigned() {
    let official = set(COUNTRIES);
    assert_eq!(official.len(), 249);
    check_list::<CountryCode>(&official, "unknown_country");
    assert!(CountryCode::all().map(CountryCode::as_str).eq(official.iter().map(String::as_str)), "all, in code order");
}

#[test]
fn languages_are_the_183_current_ones() {
    let official = set(LANGUAGES);
    assert_eq!(official.len(), 183);
    check_list::<LanguageCode>(&official, "unknown_language");
    assert!(
        LanguageCode::all().map(LanguageCode::as_str).eq(official.iter().map(String::as_str)),
        "all, in code order"
    );
}

#[test]
fn currencies_are_the_national_ones_in_use_and_the_funds() {
    let mut official = set(CURRENCIES);
    assert_eq!((official.len(), set(FUNDS).len()), (155, 10));
    official.extend(set(FUNDS));
    assert_eq!(official.len(), 165);
    check_list::<CurrencyCode>(&official, "unknown_currency");
    assert!(
        CurrencyCode::all().map(CurrencyCode::as_str).eq(official.iter().map(String::as_str)),
        "all, in code order"
    );
}

/// What a list must not have, said once more on its own: a slip in a long pinned list would hide among its entries.
#[test]
fn reserved_withdrawn_and_special_codes_are_refused() {
    for code in
        set("AA AC AN AP BU CP CQ CS DD DG EA EL EU EW EZ FL FX IC OO QM QZ RH SF SU TA TP UK UN XA XK XX YU ZR ZZ")
    {
        assert_eq!(refusal::<CountryCode>(&code).code, "unknown_country", "{code}");
    }
    for code in set("bh in iw ji jw mo sh xx zz qq tlh fil und mul") {
        assert_eq!(refusal::<LanguageCode>(&code).code, "unknown_language", "{code}");
    }
    let special = "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX";
    let withdrawn = "ANG ATS BEF BGN BYR CUC CYP DEM EEK ESP FIM FRF GHC GRD HRK IEP ITL LTL LUF LVL MRO MTL MZM NLG \
        PTE ROL RUR SDD SIT SKK SLL STD TRL USS VEB VEF XEU XFO XFU XRE ZMK ZWD ZWL ZWR";
    for code in set(special).into_iter().chain(set(withdrawn)).chain(set("BTC CNH GGP IMP JEP NTD RMB USDT")) {
        assert_eq!(refusal::<CurrencyCode>(&code).code, "unknown_currency", "{code}");
    }
}

#[test]
fn every_country_has_the_pinned_language_and_currency() {
    let or_none = |code: Option<&'static str>| code.unwrap_or("-");
    let mut pinned = DEFAULTS.lines();
    let mut wrong = Vec::new();
    for country in CountryCode::all() {
        let language = or_none(country.main_language().map(LanguageCode::as_str));
        let currency = or_none(country.currency().map(CurrencyCode::as_str));
        let line = format!("{country} {language} {currency}");
        let expected = pinned.next().unwrap();
        if line != expected {
            wrong.push(format!("{line}, pinned {expected}"));
        }
        let none = u8::from(language == "-") + u8::from(currency == "-");
        assert_eq!(none, if country.as_str() == "AQ" { 2 } else { 0 }, "{country}");
        assert!(!set(FUNDS).contains(currency), "{country} counts in a fund");
    }
    assert_eq!(pinned.next(), None);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_refusal_says_what_to_write() {
    let country = |given: &str| refusal::<CountryCode>(given).message;
    assert_eq!(country("de"), "must be an ISO 3166-1 alpha-2 country code in upper case: use \"DE\"");
    assert_eq!(country("UK"), "must be an ISO 3166-1 alpha-2 country code such as \"DE\", not \"UK\": use \"GB\"");
    assert_eq!(country("QQ"), "must be an ISO 3166-1 alpha-2 country code such as \"DE\", not \"QQ\"");
    let language = |given: &str| refusal::<LanguageCode>(given).message;
    assert_eq!(language("De"), "must be an ISO 639-1 language code in lower case: use \"de\"");
    assert_eq!(language("iw"), "must be an ISO 639-1 language code such as \"de\", not \"iw\": use \"he\"");
    let currency = |given: &str| refusal::<CurrencyCode>(given).message;
    assert_eq!(currency("eUR"), "must be an ISO 4217 currency code in upper case: use \"EUR\"");
    assert_eq!(currency("BGN"), "must be an ISO 4217 currency code such as \"EUR\", not \"BGN\": use \"EUR\"");
}

#[test]
fn advice_covers_the_common_slips() {
    let ends = |refusal: Refusal, advice: &str| {
        assert!(refusal.message.ends_with(&format!("\": {advice}")), "{advice} expected: {refusal}");
    };
    for (given, advice) in [
        ("UK", "use \"GB\""),
        ("uk", "use \"GB\""),
        ("EL", "use \"GR\""),
        ("DEU", "use \"DE\""),
        ("deu", "use \"DE\""),
        ("276", "use \"DE\""),
        (" DE", "use \"DE\""),
        ("de\n", "use \"DE\""),
        ("XK", "Kosovo has no officially assigned code"),
        ("EU", "the European Union is not a country, use the code of a member state"),
    ] {
        ends(refusal::<CountryCode>(given), advice);
    }
    for (given, advice) in [
        ("iw", "use \"he\""),
        ("IW", "use \"he\""),
        ("in", "use \"id\""),
        ("ji", "use \"yi\""),
        ("mo", "use \"ro\""),
        ("sh", "use \"bs\", \"hr\" or \"sr\""),
        ("deu", "use \"de\""),
        ("fil", "use \"tl\""),
        ("de-AT", "use \"de\""),
        ("de_AT.UTF-8", "use \"de\""),
        ("de ", "use \"de\""),
        ("cz", "\"CZ\" is a country, its main language is \"cs\""),
    ] {
        ends(refusal::<LanguageCode>(given), advice);
    }
    for (given, advice) in [
        ("HRK", "use \"EUR\""),
        ("hrk", "use \"EUR\""),
        ("BGN", "use \"EUR\""),
        ("DEM", "use \"EUR\""),
        ("ANG", "use \"XCG\""),
        ("CUC", "use \"CUP\""),
        ("SLL", "use \"SLE\""),
        ("VEF", "use \"VES\""),
        ("ZWL", "use \"ZWG\""),
        ("RMB", "use \"CNY\""),
        (" EUR ", "use \"EUR\""),
        ("CH", "\"CH\" is a country, its currency is \"CHF\""),
        ("XAU", "it is neither a national currency nor a funds code"),
        ("XTS", "it is neither a national currency nor a funds code"),
    ] {
        ends(refusal::<CurrencyCode>(given), advice);
    }
}

/// Advice that names a code must name an accepted one: a hint that is refused in turn helps nobody.
#[test]
fn advice_names_accepted_codes_only() {
    fn check<C: FromStr<Err = Refusal> + Debug>() {
        for given in strings(2).chain(strings(3)).filter(|given| given.bytes().all(|byte| byte.is_ascii_uppercase())) {
            for given in [given.to_lowercase(), given] {
                let Err(refusal) = given.parse::<C>() else { continue };
                let Some((_, advice)) = refusal.message.split_once("use ") else { continue };
                for code in advice.split('"').skip(1).step_by(2) {
                    assert!(code.parse::<C>().is_ok(), "{given}: {refusal}");
                }
            }
        }
    }
    check::<CountryCode>();
    check::<LanguageCode>();
    check::<CurrencyCode>();
}

#[test]
fn garbage_is_refused_in_a_short_harmless_message() {
    fn check<C: FromStr<Err = Refusal> + Debug>(given: &str, unknown: &str) {
        let refusal = refusal::<C>(given);
        assert_eq!(refusal.code, unknown, "{given:.40}");
        assert!(refusal.message.len() < 400, "{} bytes", refusal.message.len());
        let harmless = |character: char| !character.is_control() && !"\u{200b}\u{202e}".contains(character);
        assert!(refusal.message.chars().all(harmless), "{:?}", refusal.message);
    }
    let megabyte = "D".repeat(1 << 20);
    let wide = "\u{10ffff}".repeat(1 << 18);
    for given in [
        "",
        " ",
        "\0",
        "D",
        "1",
        "D\0",
        "DE\0",
        "\u{1b}[31mDE",
        "\u{202e}ED",
        "\u{200b}DE",
        "ＤＥ",
        "ｄｅ",
        "ＥＵＲ",
        "ÐE",
        "DЕ",
        "ıd",
        "ß",
        "EURO",
        "\"DE\"",
        "EU\u{212a}",
        "[\"DE\"]",
        &megabyte,
        &wide,
    ] {
        check::<CountryCode>(given, "unknown_country");
        check::<LanguageCode>(given, "unknown_language");
        check::<CurrencyCode>(given, "unknown_currency");
    }
    assert!(refusal::<CountryCode>(&megabyte).message.ends_with(&format!("not \"{}…\"", "D".repeat(24))));
    assert!(refusal::<CountryCode>("\u{1b}[31m").message.ends_with("not \"\\u{1b}[31m\""));
    assert!(refusal::<CountryCode>("").message.ends_with("not \"\""));
}

#[test]
fn codes_sort_print_and_pad_as_their_text() {
    let (de, fr): (CountryCode, CountryCode) = ("DE".parse().unwrap(), "FR".parse().unwrap());
    assert!(de < fr);
    assert_eq!(format!("{de}|{fr:>4}|{}", de.as_str()), "DE|  FR|DE");
    assert_eq!(BTreeSet::from([fr, de, fr]).len(), 2);
}
