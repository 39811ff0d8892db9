//! Names in emails. Whoever has a tenant chooses them, and the email comes from the operator's domain: so a name must not become a
//! link, look like another address, or reorder or hide the words around it.

/// A name, such that no mail program makes a link of a part of it: `evil.com` becomes `evil .com`. What nobody sees is taken out, and
/// a name that is written from right to left stays where it stands.
pub(super) fn name(text: &str) -> String {
    isolated(&unlinked(text))
}

/// Text without what mail programs take for an address: a space parts it.
pub(super) fn unlinked(text: &str) -> String {
    let seen: Vec<char> = text.chars().filter(|c| !is_invisible(*c)).collect();
    let at = |i: usize| seen.get(i).copied();
    let mut out = String::with_capacity(text.len() + 8);
    for (i, c) in seen.iter().copied().enumerate() {
        let before = i.checked_sub(1).and_then(at).filter(|c| !c.is_whitespace());
        let after = at(i + 1).filter(|c| !c.is_whitespace());
        let apart = match (before, c, after) {
            (Some(_), c, Some(_)) if is_dot(c) => begins_label(seen.get(i + 1..).unwrap_or_default()),
            // An address of mail, also one that is written as the name of its sender.
            (Some(_), '@' | '＠', Some(after)) => after.is_alphanumeric(),
            // A scheme: `https:`, `mailto:`, `tel:`.
            (Some(before), ':', Some(_)) => before.is_alphabetic(),
            _ => false,
        };
        if apart {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// What a domain may have between its labels.
fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{3002}' | '\u{FF0E}' | '\u{FF61}' | '\u{2024}')
}

/// Whether what follows a dot can be the rest of a domain or of an IP address, and not that of an abbreviation such as `e.V.` or
/// `U.S.`: two letters or digits, or one that is not ASCII.
fn begins_label(rest: &[char]) -> bool {
    // Joiners and marks within a label hide nothing of it.
    let rest: Vec<char> =
        rest.iter().copied().filter(|c| !matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}')).collect();
    let label: Vec<char> = rest.iter().copied().take_while(|c| c.is_alphanumeric() || *c == '-').collect();
    let is_number = label.iter().all(char::is_ascii_digit);
    let more = rest.get(label.len()).copied().is_some_and(is_dot)
        && rest.get(label.len() + 1).copied().is_some_and(char::is_alphanumeric);
    match label.as_slice() {
        [] => false,
        // `Version 2.0` is no address, and `10.0.0.1` is one.
        _ if is_number => more,
        [one] => !one.is_ascii(),
        _ => true,
    }
}

/// Characters that show nothing, or that change how others are shown. Joiners stay: emoji and some scripts are written with them.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180E}' | '\u{200B}'
        | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Between marks that keep its direction to itself, if it has another one than ours.
fn isolated(text: &str) -> String {
    let right_to_left = |c| {
        matches!(c, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}' | '\u{10800}'..='\u{10FFF}'
            | '\u{1E800}'..='\u{1EFFF}')
    };
    if text.chars().any(right_to_left) { format!("{FIRST_STRONG_ISOLATE}{text}{POP_ISOLATE}") } else { text.to_owned() }
}

/// Begins and ends text whose direction is its own.
pub(super) const FIRST_STRONG_ISOLATE: char = '\u{2068}';
pub(super) const POP_ISOLATE: char = '\u{2069}';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_an_address_is_parted() {
        for (name, shown) in [
            ("Win at evil.com now", "Win at evil .com now"),
            ("https://evil.com/login?a=1", "https ://evil .com/login?a=1"),
            ("www.evil.co.uk", "www .evil .co .uk"),
            ("http://2130706433/", "http ://2130706433/"),
            ("10.0.0.1:8080/x", "10 .0 .0.1:8080/x"),
            ("support@paypal.com", "support @paypal .com"),
            ("mailto:eve", "mailto :eve"),
            ("tel:+18005551234", "tel :+18005551234"),
            ("evil。com", "evil 。com"),
            ("evil．com", "evil ．com"),
            ("пример.рф", "пример .рф"),
            ("食狮.中", "食狮 .中"),
            ("xn--80ak6aa92e.xn--p1ai", "xn--80ak6aa92e .xn--p1ai"),
            ("evil\u{200B}.\u{2060}com", "evil .com"),
            ("a.b.co", "a.b .co"),
            ("evil.com.", "evil .com."),
            ("(evil.com)", "(evil .com)"),
            ("Booking.com B.V.", "Booking .com B.V."),
        ] {
            assert_eq!(unlinked(name), shown);
        }
    }

    #[test]
    fn an_ordinary_name_is_shown_as_it_is() {
        for name in [
            "Acme Inc.",
            "St. Mary's",
            "Tennis e.V.",
            "U.S. Steel",
            "Version 2.0",
            "Project: X",
            "10:30 club",
            "A & B / C",
            "株式会社テナント",
            "Bücher & Söhne",
            "👩\u{200D}💻 Devs",
            "می\u{200C}خواهم",
            "…",
            "a . b",
            "Room @ 5",
            "No. 1",
        ] {
            assert_eq!(unlinked(name), name);
        }
    }

    #[test]
    fn nothing_hides_or_reorders_and_what_runs_the_other_way_keeps_to_itself() {
        let hidden = "A\u{AD}c\u{200B}m\u{200E}e\u{202E}\u{2066}\u{E0041}\u{FEFF}\u{61C}";
        assert_eq!(name(hidden), "Acme");
        assert_eq!(name("אקמה"), "\u{2068}אקמה\u{2069}");
        assert_eq!(name("شركة 12"), "\u{2068}شركة 12\u{2069}");
    }
}
