//! Text that people write: one line or several, bounded in characters, free of what could forge a line or reorder it.

use std::{fmt, str::FromStr};

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory},
};

use crate::{
    Refusal,
    input::{Description, Input, thousands},
};

/// One line of text, 1 to `MAX` characters (Unicode scalar values). Surrounding white space counts, and is taken off.
///
/// Refused are control characters, line and paragraph separators, and the bidirectional embeddings, overrides and
/// isolates (U+202A–U+202E, U+2066–U+2069), with which a name could reorder the text around it.
///
/// What a person is to read has a visible character, and is composed (NFC) when a caller sends it: `é` is one name in either
/// spelling. What another system compares (`EXACT`) is kept as it came.
///
/// `from_str` reads what is stored, also by earlier versions, which took any line. Callers' input is read by [`Input::read`].
#[derive(Clone, PartialEq, Eq)]
pub struct Line<const MAX: usize, const EXACT: bool = false>(String);

/// Several lines of text, 1 to `MAX` characters; control characters other than tab and newline are refused, and `CRLF`
/// counts as two characters and becomes a newline.
#[derive(Clone, PartialEq, Eq)]
pub struct Paragraphs<const MAX: usize>(String);

/// A tenant's name.
pub type TenantName = Line<120>;
/// A brand's name.
pub type BrandName = Line<120>;
/// A workspace's name.
pub type WorkspaceName = Line<120>;
/// An API key's name.
pub type ApiKeyName = Line<120>;
/// An AI agent's name.
pub type AgentName = Line<120>;
/// What another system calls an AI agent.
pub type AgentReference = Line<200, true>;
/// A voice, as its provider names it.
pub type VoiceName = Line<200, true>;
/// What an entry of usage is called by who records it.
pub type UsageReference = Line<200, true>;
/// The name or title of a sender, as it stands in a `From` line or under a message.
pub type SenderName = Line<120>;
/// Instructions to the AI, of a brand or of a workspace.
pub type Instructions = Paragraphs<10_000>;
/// A plain-text e-mail signature.
pub type SignatureText = Paragraphs<5_000>;

/// What [`Line`] takes, for tools: white space around something visible, without the characters that are refused.
const LINE: &str = r"^[\u0009-\u000D\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]*[^\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069\u0020\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]([^\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]*[^\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069\u0020\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000])?[\u0009-\u000D\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]*$";

/// What a [`Line`] for people takes, for tools: with a character that is not one of those that show nothing. Not all of these are excluded here,
/// because a pattern cannot tell marks from letters.
const NAME: &str = r"^[\u0009-\u000D\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]*([^\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069\u0020\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000][^\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]*)?[^\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069\u0020\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u2060-\u2065\u206A-\u206F\u2800\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB]([^\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]*[^\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069\u0020\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000])?[\u0009-\u000D\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]*$";

/// What [`Paragraphs`] takes, for tools.
const PARAGRAPHS: &str = r"^([^\u0000-\u0008\u000B-\u001F\u007F-\u009F]|\r\n)*[^\u0000-\u0020\u007F-\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]([^\u0000-\u0008\u000B-\u001F\u007F-\u009F]|\r\n)*$";

/// Text without control characters other than tab and line ends, for tools.
pub(crate) const PRINTED: &str = r"^([^\u0000-\u0008\u000B-\u001F\u007F-\u009F]|\r\n)*$";

impl<const MAX: usize, const EXACT: bool> Line<MAX, EXACT> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize, const EXACT: bool> Line<MAX, EXACT> {
    /// What can be shown of a text that others wrote and nobody here can correct: on one line, without what [`Line`] refuses,
    /// and cut where it is too long. `None` when nothing remains.
    pub fn of_foreign(raw: &str) -> Option<Self> {
        let spaced = |c: char| if c.is_control() || breaks_a_line(c) || reorders_text(c) { ' ' } else { c };
        let plain: String = raw.chars().map(spaced).collect();
        let words: Vec<_> = plain.split_whitespace().collect();
        let cut: String = words.join(" ").chars().take(MAX).collect();
        let text = cut.trim_end();
        text.chars().any(is_visible).then(|| Self(text.to_owned()))
    }
}

impl<const MAX: usize, const EXACT: bool> From<Line<MAX, EXACT>> for String {
    fn from(line: Line<MAX, EXACT>) -> Self {
        line.0
    }
}

impl<const MAX: usize, const EXACT: bool> Input for Line<MAX, EXACT> {
    type Raw = str;

    fn read(raw: &str) -> Result<Self, Refusal> {
        let line: Self = raw.parse()?;
        if EXACT {
            return Ok(line);
        }
        if !line.0.chars().any(is_visible) {
            return Err(Refusal::new("empty", "must have a visible character"));
        }
        let composed = ComposingNormalizerBorrowed::new_nfc().normalize(&line.0).into_owned();
        // A few characters are longer when they are composed.
        bounded(&composed, MAX)?;
        Ok(Self(composed))
    }

    fn description() -> Description {
        let (what, pattern) = if EXACT { ("One line", LINE) } else { ("One line with a visible character", NAME) };
        Description::text(format!("{what}, 1 to {} characters.", thousands(MAX))).length(1, MAX).pattern(pattern)
    }
}

impl<const MAX: usize> Input for Paragraphs<MAX> {
    type Raw = str;

    fn read(raw: &str) -> Result<Self, Refusal> {
        raw.parse()
    }

    fn description() -> Description {
        let text = format!("1 to {} characters, on one or more lines.", thousands(MAX));
        Description::text(text).length(1, MAX).pattern(PARAGRAPHS)
    }
}

impl<const MAX: usize> Paragraphs<MAX> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize, const EXACT: bool> FromStr for Line<MAX, EXACT> {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        let text = raw.trim();
        if text.is_empty() {
            return Err(empty());
        }
        // What was sent is counted, as whoever holds it against the schema counts it.
        bounded(raw, MAX)?;
        match text.chars().find(|c| c.is_control() || breaks_a_line(*c) || reorders_text(*c)) {
            Some(c) => Err(forbidden(c, "must be one line of visible text")),
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl<const MAX: usize> FromStr for Paragraphs<MAX> {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        let text = raw.replace("\r\n", "\n");
        if text.trim().is_empty() {
            return Err(empty());
        }
        bounded(raw, MAX)?;
        match text.chars().find(|c| c.is_control() && !matches!(c, '\t' | '\n')) {
            Some(c) => Err(forbidden(c, "must be text without control characters other than tab and newline")),
            None => Ok(Self(text)),
        }
    }
}

/// Refuses text that is empty or longer than `max` characters.
pub(crate) fn bounded(text: &str, max: usize) -> Result<(), Refusal> {
    if text.is_empty() {
        return Err(empty());
    }
    let length = text.chars().count();
    if length > max {
        return Err(Refusal::new("too_long", format!("must be at most {max} characters long, but is {length}")));
    }
    Ok(())
}

fn empty() -> Refusal {
    Refusal::new("empty", "must not be empty")
}

pub(crate) fn forbidden(c: char, rule: &str) -> Refusal {
    Refusal::new("forbidden_character", format!("{rule}, but contains U+{:04X}", u32::from(c)))
}

/// Whether it shows something by itself. A mark needs a letter, and what Unicode lets programs ignore is ignored by most.
pub(crate) fn is_visible(c: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    let shows = !matches!(
        category,
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::SpaceSeparator
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::NonspacingMark
            | GeneralCategory::SpacingMark
            | GeneralCategory::EnclosingMark
    );
    shows && !may_be_ignored(c)
}

/// Whether it shows nothing, and is neither a mark nor white space.
pub(crate) fn may_be_ignored(c: char) -> bool {
    // Characters of their own that are blank: a pattern of Braille without dots, and a note without a head.
    const BLANK: [char; 2] = ['\u{2800}', '\u{1D159}'];
    let format = CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::Format;
    format || BLANK.contains(&c) || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

fn breaks_a_line(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

fn reorders_text(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

impl<const MAX: usize, const EXACT: bool> fmt::Debug for Line<MAX, EXACT> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<const MAX: usize> fmt::Debug for Paragraphs<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_of_visible_text_counted_in_characters() {
        assert_eq!(WorkspaceName::from_str("  DACH Region \u{a0}").unwrap().as_str(), "DACH Region");
        assert!(WorkspaceName::from_str(&"😀".repeat(120)).is_ok());
        assert_eq!(WorkspaceName::from_str(&"😀".repeat(121)).unwrap_err().code, "too_long");
        assert!(WorkspaceName::from_str(&format!("{:119}\u{85}", "a")).is_ok());
        assert_eq!(WorkspaceName::from_str(&format!("{:120}\u{85}", "a")).unwrap_err().code, "too_long");
        for (raw, code) in
            [("", "empty"), (" \t\n", "empty"), ("a\nb", "forbidden_character"), ("a\0b", "forbidden_character")]
        {
            assert_eq!(WorkspaceName::from_str(raw).unwrap_err().code, code, "{raw:?}");
        }
        for c in ['\u{202A}', '\u{202E}', '\u{2066}', '\u{2069}', '\u{2028}', '\u{2029}', '\u{85}', '\u{1b}', '\r'] {
            assert_eq!(WorkspaceName::from_str(&format!("a{c}b")).unwrap_err().code, "forbidden_character", "{c:?}");
        }
    }

    #[test]
    fn a_name_has_a_visible_character() {
        let marks = ['\u{301}', '\u{20DD}', '\u{93E}', '\u{FE0F}', '\u{E0100}'];
        let blanks = [
            '\u{AD}',
            '\u{34F}',
            '\u{61C}',
            '\u{115F}',
            '\u{1160}',
            '\u{17B4}',
            '\u{180E}',
            '\u{200B}',
            '\u{200D}',
            '\u{200E}',
            '\u{2060}',
            '\u{2063}',
            '\u{206A}',
            '\u{2800}',
            '\u{3164}',
            '\u{FEFF}',
            '\u{FFA0}',
            '\u{FFF9}',
            '\u{1D159}',
            '\u{1D173}',
            '\u{E0041}',
        ];
        for c in marks.into_iter().chain(blanks) {
            for raw in [c.to_string(), format!(" {c}\u{200B} {c} ")] {
                assert_eq!(WorkspaceName::read(&raw).unwrap_err().code, "empty", "{raw:?}");
                // What an earlier version stored is read.
                assert!(WorkspaceName::from_str(&raw).is_ok() && UsageReference::read(&raw).is_ok(), "{raw:?}");
            }
            assert!(WorkspaceName::read(&format!("a{c}")).is_ok());
        }
        for seen in
            ["0", ".", "é", "ß", "字", "ㅤa", "😀", "👨\u{200D}👩", "\u{5D0}", "\u{FFFD}", "\u{E000}", "₿", "\u{1FAE8}"]
        {
            assert!(WorkspaceName::read(seen).is_ok(), "{seen:?}");
        }
    }

    #[test]
    fn both_spellings_of_a_letter_are_one_name() {
        for (sent, kept) in [
            ("Mu\u{308}ller", "Müller"),
            ("Müller", "Müller"),
            ("\u{1100}\u{1161}", "가"),
            ("\u{212B}", "Å"),
            ("ﬁ", "ﬁ"),
        ] {
            assert_eq!(WorkspaceName::read(sent).unwrap().as_str(), kept);
        }
        assert_eq!(UsageReference::read("u\u{308}").unwrap().as_str(), "u\u{308}");
        // It becomes two characters.
        assert_eq!(WorkspaceName::read(&"\u{958}".repeat(120)).unwrap_err().code, "too_long");
    }

    #[test]
    fn what_others_wrote_becomes_one_line_of_visible_text_or_nothing() {
        let plain = |raw: &str| Line::<10>::of_foreign(raw).map(|line| line.as_str().to_owned());
        assert_eq!(plain(" a\r\n\tb\u{202E}c\u{1b}[31m "), Some("a b c [31m".to_owned()));
        assert_eq!(plain("123456789 abc"), Some("123456789".to_owned()));
        assert_eq!(plain(&"😀".repeat(11)), Some("😀".repeat(10)));
        for nothing in ["", " \n\t", "\0\u{2028}\u{2066}"] {
            assert_eq!(plain(nothing), None, "{nothing:?}");
        }
        for raw in [" a\u{85}b\u{2029}", "x\u{202A}y"] {
            let line = Line::<10>::of_foreign(raw).unwrap();
            assert_eq!(Line::from_str(line.as_str()), Ok(line));
        }
    }

    #[test]
    fn paragraphs_keep_tabs_and_newlines_and_nothing_else_that_controls() {
        assert_eq!(Instructions::from_str("a\r\n\tb\n").unwrap().as_str(), "a\n\tb\n");
        assert_eq!(Instructions::from_str(" \n ").unwrap_err().code, "empty");
        for raw in ["a\rb", "a\0", "\u{7f}", "\u{9b}31m"] {
            assert_eq!(Instructions::from_str(raw).unwrap_err().code, "forbidden_character", "{raw:?}");
        }
        assert_eq!(SignatureText::from_str(&"x".repeat(5_001)).unwrap_err().code, "too_long");
        assert!(SignatureText::from_str(&"x\r\n ".repeat(1_250)).is_ok());
        assert_eq!(SignatureText::from_str(&"x\r\n".repeat(1_667)).unwrap_err().code, "too_long");
    }
}
