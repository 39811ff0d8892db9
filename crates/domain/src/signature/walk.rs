//! Goes through HTML as the sanitiser writes it: every element that opens is closed, and every attribute has double quotation
//! marks.

use super::markup::is_void;

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// Text, as it is written.
    Text(&'a str),
    /// The beginning of an element.
    Open(Tag<'a>),
    /// The end of an element.
    Close(&'a str),
}

/// The tag that begins an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// What stands between `<` and `>`.
    pub(super) inside: &'a str,
}

impl<'a> Tag<'a> {
    /// The element's name.
    pub(super) fn name(self) -> &'a str {
        self.inside.split([' ', '/']).next().unwrap_or_default()
    }

    /// Whether nothing stands in the element, and no tag ends it.
    pub(super) fn is_void(self) -> bool {
        is_void(self.name())
    }

    /// The value of an attribute. The sanitiser escapes what would end it.
    pub(super) fn attribute(self, name: &str) -> Option<String> {
        let (_, behind) = self.inside.split_once(&format!(" {name}=\""))?;
        let value = behind.split('"').next()?;
        Some(
            value
                .replace("&quot;", "\"")
                .replace("&nbsp;", "\u{a0}")
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&amp;", "&"),
        )
    }
}

/// The steps through the HTML.
pub(super) fn walk(html: &str) -> impl Iterator<Item = Step<'_>> {
    let mut rest = html;
    std::iter::from_fn(move || {
        if let Some(tag) = rest.strip_prefix('<') {
            let end = end_of_tag(tag);
            let inside = tag.get(..end).unwrap_or_default();
            rest = tag.get(end + 1..).unwrap_or_default();
            return Some(inside.strip_prefix('/').map_or(Step::Open(Tag { inside }), Step::Close));
        }
        let (text, behind) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
        rest = behind;
        (!text.is_empty()).then_some(Step::Text(text))
    })
}

/// Where the tag ends: at the first `>` that is not in quotation marks.
fn end_of_tag(tag: &str) -> usize {
    let mut quoted = false;
    tag.bytes()
        .position(|byte| {
            quoted ^= byte == b'"';
            byte == b'>' && !quoted
        })
        .unwrap_or(tag.len())
}
