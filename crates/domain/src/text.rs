//! Text that people write: one line or several, bounded in characters, free of what could forge a line or reorder it.

use std::{fmt, str::FromStr};

use crate::{
    Refusal,
    input::{Description, Input, thousands},
};

/// One line of text, 1 to `MAX` characters (Unicode scalar values). Surrounding white space counts, and is taken off.
///
/// Refused are control characters, line and paragraph separators, and the bidirectional embeddings, overrides and
/// isolates (U+202A–U+202E, U+2066–U+2069), with which a name could reorder the text around it.
#[derive(Clone, PartialEq, Eq)]
pub struct Line<const MAX: usize>(String);

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
pub type AgentReference = Line<200>;
/// A voice, as its provider names it.
pub type VoiceName = Line<200>;
/// What an entry of usage is called by who records it.
pub type UsageReference = Line<200>;
/// The name or title of a sender, as it stands in a `From` line or under a message.
pub type SenderName = Line<120>;
/// Instructions to the AI, of a brand or of a workspace.
pub type Instructions = Paragraphs<10_000>;
/// A plain-text e-mail signature.
pub type SignatureText = Paragraphs<5_000>;

/// What [`Line`] takes, for tools: white space around something visible, without the characters that are refused.
const LINE: &str = r"^[\u0009-\u000D\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]*[^\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069\u0020\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]([^\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]*[^\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069\u0020\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000])?[\u0009-\u000D\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]*$";

/// What [`Paragraphs`] takes, for tools.
const PARAGRAPHS: &str = r"^([^\u0000-\u0008\u000B-\u001F\u007F-\u009F]|\r\n)*[^\u0000-\u0020\u007F-\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]([^\u0000-\u0008\u000B-\u001F\u007F-\u009F]|\r\n)*$";

/// Text without control characters other than tab and line ends, for tools.
pub(crate) const PRINTED: &str = r"^([^\u0000-\u0008\u000B-\u001F\u007F-\u009F]|\r\n)*$";

impl<const MAX: usize> Line<MAX> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> Line<MAX> {
    /// What can be shown of a text that others wrote and nobody here can correct: on one line, without what [`Line`] refuses,
    /// and cut where it is too long. `None` when nothing remains.
    pub fn of_foreign(raw: &str) -> Option<Self> {
        let spaced = |c: char| if c.is_control() || breaks_a_line(c) || reorders_text(c) { ' ' } else { c };
        let plain: String = raw.chars().map(spaced).collect();
        let words: Vec<_> = plain.split_whitespace().collect();
        let cut: String = words.join(" ").chars().take(MAX).collect();
        let text = cut.trim_end();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }
}

impl<const MAX: usize> From<Line<MAX>> for String {
    fn from(line: Line<MAX>) -> Self {
        line.0
    }
}

impl<const MAX: usize> Input for Line<MAX> {
    type Raw = str;

    fn read(raw: &str) -> Result<Self, Refusal> {
        raw.parse()
    }

    fn description() -> Description {
        Description::text(format!("One line, 1 to {} characters.", thousands(MAX))).length(1, MAX).pattern(LINE)
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

impl<const MAX: usize> FromStr for Line<MAX> {
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

fn breaks_a_line(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

fn reorders_text(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

impl<const MAX: usize> fmt::Debug for Line<MAX> {
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
        for c in ['\u{202E}', '\u{2066}', '\u{2028}', '\u{85}', '\u{1b}', '\r'] {
            assert_eq!(WorkspaceName::from_str(&format!("a{c}b")).unwrap_err().code, "forbidden_character", "{c:?}");
        }
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
