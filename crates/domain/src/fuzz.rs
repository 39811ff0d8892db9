//! Values that nobody meant: whatever comes, reading it ends, and what is accepted is what its type promises. `PROPTEST_CASES` sets how
//! many are tried.

use std::{fmt::Debug, str::FromStr};

use chrono::{DateTime, Datelike, Utc};
use proptest::prelude::*;
use regex::Regex;

use crate::{
    AccountSid, BrandId, Cap, CountryCode, CurrencyCode, EmailAddress, ForeignId, Form, HexColor, HttpsUrl, Input,
    Instant, Instructions, InvitationDays, LanguageCode, LocationId, Month, PageLimit, PlainSecret, REFUSAL_CODES,
    Refusal, SignatureText, Slug, Sort, TimeZone, Tone, UsageReference, WorkspaceName, WorkspaceNumber,
};

/// Texts that are nearly right, and others.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "\\PC{0,40}",
        "[\\x09-\\x0d \u{85}\u{a0}]{0,90}a[\\x09-\\x0d \u{85}\u{a0}]{0,90}",
        "[ -~]{0,60}",
        "[\\x00-\\x1f\u{80}-\u{a0}\u{2000}-\u{2069}a ]{0,12}",
        "[A-Za-z]{1,4}([-_][A-Za-z]{2})?",
        "[0-9]{1,4}-[0-9]{1,2}(-[0-9]{1,2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2}))?",
        "[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~\"-]{1,12}@([a-z0-9-]{0,8}\\.){0,3}[a-z0-9]{0,4}",
        "(https?|HTTPS|javascript|blob):/{0,3}([a-z]{0,3}(:[a-z]{0,2})?@)?[a-z0-9.\\[\\]:é-]{0,12}(:[0-9]{0,6})?/?[ -~]{0,12}",
        "[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}",
        "[+-]?[0-9]{1,22}(\\.[0-9]{1,3})?",
        "#[0-9a-fA-F]{0,8}",
        "[A-Z][a-z]{1,8}/[A-Z][a-z_]{1,12}",
        "-?(createdAt|updatedAt|name|b2b|friendly)",
    ]
}

/// What every value keeps to: a refusal has a code that is published, and what is accepted fits its own description.
fn keeps<V: Input<Raw = str> + Debug>(raw: &str) -> Result<Option<V>, TestCaseError> {
    match V::read(raw) {
        Err(Refusal { code, message }) => {
            prop_assert!(REFUSAL_CODES.contains(&code), "{code} is not published");
            prop_assert!(message.chars().count() < 800 && !message.chars().any(char::is_control), "{message:?}");
            Ok(None)
        }
        Ok(value) => {
            if let Form::Text { pattern, length: (min, max), .. } = V::description().form {
                let fits = pattern.is_none_or(|pattern| Regex::new(pattern).unwrap().is_match(raw));
                prop_assert!(fits, "{raw:?} is accepted and does not match {pattern:?}");
                let length = raw.chars().count();
                let fits = min.is_none_or(|min| length >= min) && max.is_none_or(|max| length <= max);
                prop_assert!(fits, "{raw:?} is accepted and has {length} characters");
            }
            Ok(Some(value))
        }
    }
}

/// What is kept as it was written reads as itself.
fn again<V: FromStr<Err = Refusal> + PartialEq + Debug>(value: &V, text: &str) -> Result<(), TestCaseError> {
    let read = V::from_str(text);
    prop_assert_eq!(read.as_ref(), Ok(value));
    Ok(())
}

proptest! {
    #[test]
    fn names_and_texts_are_visible_and_come_back(raw in text()) {
        if let Some(name) = keeps::<WorkspaceName>(&raw)? {
            let text = name.as_str();
            again(&name, text)?;
            prop_assert!(!text.is_empty() && text.chars().count() <= 120 && text == text.trim());
            prop_assert!(!text.chars().any(|c| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c)), "{text:?}");
        }
        if let Some(reference) = keeps::<UsageReference>(&raw)? {
            again(&reference, reference.as_str())?;
        }
        for text in [keeps::<Instructions>(&raw)?.map(|text| text.as_str().to_owned()), keeps::<SignatureText>(&raw)?.map(|text| text.as_str().to_owned())].into_iter().flatten() {
            prop_assert!(!text.contains('\r') && !text.contains('\0'), "{text:?}");
            let read = Instructions::from_str(&text);
            prop_assert_eq!(read.as_ref().map(Instructions::as_str), Ok(text.as_str()));
        }
        let foreign = WorkspaceName::of_foreign(&raw);
        if let Some(name) = foreign {
            again(&name, name.as_str())?;
        }
    }

    #[test]
    fn an_address_is_one_address(raw in text()) {
        if let Some(address) = keeps::<EmailAddress>(&raw)? {
            let text = address.as_str();
            again(&address, text)?;
            prop_assert!(text.is_ascii() && text.len() <= 254 && text.matches('@').count() == 1, "{text}");
            prop_assert!(!text.contains([' ', ',', ';', '<', '>', '"', '\\', '(', ')', ':']), "{text}");
            again(&address.key().parse::<EmailAddress>().unwrap(), &address.key())?;
        }
    }

    #[test]
    fn an_address_of_a_page_is_https_without_a_password(raw in text()) {
        if let Some(address) = keeps::<HttpsUrl>(&raw)? {
            let url = url::Url::parse(address.as_str()).unwrap();
            prop_assert_eq!((url.scheme(), url.username(), url.password()), ("https", "", None));
            prop_assert!(url.host_str().is_some_and(|host| !host.is_empty()));
            prop_assert!(!address.as_str().chars().any(|c| c.is_control() || c.is_whitespace()));
        }
    }

    #[test]
    fn codes_are_in_their_lists(raw in text()) {
        if let Some(code) = keeps::<CountryCode>(&raw)? {
            prop_assert!(code.as_str() == raw && CountryCode::all().any(|known| known == code));
        }
        if let Some(code) = keeps::<LanguageCode>(&raw)? {
            prop_assert!(code.as_str() == raw && LanguageCode::all().any(|known| known == code));
        }
        if let Some(code) = keeps::<CurrencyCode>(&raw)? {
            prop_assert!(code.as_str() == raw && CurrencyCode::all().any(|known| known == code));
        }
        if let Some(zone) = keeps::<TimeZone>(&raw)? {
            prop_assert_eq!(zone.as_str(), &raw);
        }
        if let Some(tone) = keeps::<Tone>(&raw)? {
            prop_assert_eq!(tone.as_str(), &raw);
        }
        if let Some(sort) = keeps::<Sort>(&raw)? {
            prop_assert_eq!(sort.as_str(), &raw);
        }
    }

    #[test]
    fn small_values_come_back_as_they_were_written(raw in text()) {
        if let Some(id) = keeps::<BrandId>(&raw)? {
            prop_assert_eq!(id.to_string(), raw.to_ascii_lowercase());
        }
        if let Some(slug) = keeps::<Slug>(&raw)? {
            prop_assert_eq!(slug.as_str(), &raw);
        }
        let slug = Slug::of_name(&raw, "brand");
        again(&slug, slug.as_str())?;
        again(&slug.numbered(u32::MAX), slug.numbered(u32::MAX).as_str())?;
        if let Some(colour) = keeps::<HexColor>(&raw)? {
            prop_assert_eq!(colour.as_str(), &raw);
        }
        if let Some(month) = keeps::<Month>(&raw)? {
            prop_assert_eq!(month.to_string(), raw.clone());
            prop_assert_eq!(Month::of_date(month.first_day()), month);
        }
        if let Some(instant) = keeps::<Instant>(&raw)? {
            prop_assert!((1..=9999).contains(&DateTime::<Utc>::from(instant).year()));
        }
        if let Some(limit) = keeps::<PageLimit>(&raw)? {
            prop_assert!((1..=100).contains(&limit.get()) && limit.to_string() == raw);
        }
        if let Ok(number) = raw.parse::<WorkspaceNumber>() {
            prop_assert!(number.get() > 0 && number.to_string() == raw);
        }
        if let Ok(id) = raw.parse::<ForeignId>() {
            prop_assert!(id.as_str() == raw && raw.bytes().all(|byte| byte.is_ascii_graphic()));
        }
        keeps::<PlainSecret>(&raw)?;
        keeps::<AccountSid>(&raw)?;
        keeps::<LocationId>(&raw)?;
    }

    #[test]
    fn numbers_have_bounds(raw in any::<i64>()) {
        prop_assert_eq!(Cap::try_from(raw).is_ok(), (0..=1_000_000).contains(&raw));
        prop_assert_eq!(InvitationDays::try_from(raw).is_ok(), (1..=30).contains(&raw));
    }
}
