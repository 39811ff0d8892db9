//! HTML e-mail signatures: what they commonly use is kept, what could act or leave its place is taken away.

#[cfg(test)]
mod fuzz;
mod style;
mod text;

use std::{borrow::Cow, collections::HashSet, fmt, str::FromStr, sync::LazyLock};

use ammonia::{Builder, UrlRelative};

use crate::{
    Refusal,
    input::{Description, input, thousands},
    text::{PRINTED, bounded, forbidden},
};

/// The longest signature, in characters, both as sent and as stored.
const MAX: usize = 20_000;

/// An HTML e-mail signature, sanitised to an allow-list: text and table markup, links over `https`, `mailto` and `tel`,
/// images over `https`, and a subset of inline styles with bounded values. Never a script, a form, a frame, an event handler, a
/// style that loads something, or one that moves or layers anything. Sanitising it again changes nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct SignatureHtml(String);

impl SignatureHtml {
    /// Takes over HTML that an earlier `from_str` gave and that was kept where nothing else writes. Sanitising is not
    /// repeated: it costs more than everything else about reading a workspace.
    pub fn from_sanitised(html: String) -> Self {
        Self(html)
    }

    /// The sanitised HTML.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SignatureHtml {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        bounded(raw, MAX)?;
        let raw = raw.replace("\r\n", "\n");
        let clean = sanitise(&raw)?;
        if clean.trim().is_empty() {
            return Err(Refusal::new("nothing_left", "has no content that is allowed in an email signature"));
        }
        Ok(Self(clean))
    }
}

input!(
    SignatureHtml,
    str,
    Description::text(format!("HTML, 1 to {} characters; anything unsafe in an email is removed.", thousands(MAX)))
        .length(1, MAX)
        .pattern(PRINTED)
        .example("<p>Kind regards,<br>Acme</p>")
);

impl fmt::Debug for SignatureHtml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Cleans until nothing changes: a parser may read its own output differently once (mutation XSS), and markup that never
/// settles is not one that anybody writes by hand.
fn sanitise(raw: &str) -> Result<String, Refusal> {
    let mut clean = clean_once(raw)?;
    for _ in 0..3 {
        let again = clean_once(&clean)?;
        if again == clean {
            return match text::objection(&clean) {
                Some(why) => Err(Refusal::new("out_of_range", why)),
                None => Ok(clean),
            };
        }
        clean = again;
    }
    Err(Refusal::new("ambiguous_html", "is HTML that changes each time it is parsed: simplify its nesting"))
}

fn clean_once(raw: &str) -> Result<String, Refusal> {
    // Looked for each time, because a character can come as a reference, such as `&#1;`.
    if let Some(c) = raw.chars().find(|c| c.is_control() && !matches!(c, '\t' | '\n')) {
        return Err(forbidden(c, "must be HTML without control characters other than tab and newline"));
    }
    if let Some(why) = too_complex(raw) {
        return Err(Refusal::new("too_complex", format!("{why} for an email signature: simplify its markup")));
    }
    let clean = SANITISER.clean(raw).to_string();
    // Escaping, repeated formatting and the attributes added to links can make it longer than it came; how much longer is
    // nothing that the sender could make sense of.
    if clean.chars().count() > MAX {
        return Err(Refusal::new("too_long", format!("must be at most {MAX} characters long after it is sanitised")));
    }
    Ok(clean)
}

/// The most tags. A signature that fills its 20,000 characters has a few hundred; a parser that is given thousands inside each
/// other needs the square of their number.
const MAX_TAGS: usize = 500;

/// The most elements that a parser may make of the tags.
const MAX_ELEMENTS: usize = 3_000;

/// The most attributes of one tag. A parser compares each with all before it.
const MAX_ATTRIBUTES: usize = 100;

/// Elements whose effect goes on in the next block when they are not closed in theirs: a parser repeats each of them in
/// each block that follows, so that a short text can stand for a very large document. (`a` ends the one before it.)
const FORMATTING: [&str; 13] =
    ["b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// Why a parser would need too long, found without parsing.
fn too_complex(raw: &str) -> Option<String> {
    let (mut tags, mut elements, mut open) = (0, 0, [0_usize; FORMATTING.len()]);
    for tag in raw.split('<').skip(1) {
        tags += 1;
        let (closes, tag) = tag.strip_prefix('/').map_or((false, tag), |tag| (true, tag));
        let end = tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len());
        let (name, rest) = tag.split_at(end);
        if !name.is_empty() && attributes(rest) > MAX_ATTRIBUTES {
            return Some(format!("has a tag with more than {MAX_ATTRIBUTES} attributes, which is too much"));
        }
        if let Some(at) = FORMATTING.iter().position(|known| known.eq_ignore_ascii_case(name)) {
            open[at] = if closes { open[at].saturating_sub(1) } else { open[at] + 1 };
        }
        elements += 1 + open.iter().sum::<usize>();
        if tags > MAX_TAGS {
            return Some(format!("has more than {MAX_TAGS} tags, which is too many"));
        }
        if elements > MAX_ELEMENTS {
            return Some("has too much formatting that is not closed".to_owned());
        }
    }
    None
}

/// How many attributes come behind the name of a tag, at most.
fn attributes(tag: &str) -> usize {
    let (mut count, mut before, mut quote) = (0, b' ', None);
    for byte in tag.bytes() {
        match quote {
            Some(end) => {
                if byte == end {
                    (quote, count) = (None, count + 1);
                }
            }
            None if byte == b'>' => break,
            // Elsewhere it is part of a name.
            None if matches!(byte, b'"' | b'\'') && before == b'=' => quote = Some(byte),
            None => count += usize::from((byte.is_ascii_whitespace() || byte == b'/') && before != b' '),
        }
        // `a = "x"` is one attribute.
        before = match byte {
            b'/' => b' ',
            byte if byte.is_ascii_whitespace() => {
                if before == b'=' {
                    b'='
                } else {
                    b' '
                }
            }
            byte => byte,
        };
    }
    count
}

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    builder
        .tags(words(
            "a abbr b blockquote br center div em font h1 h2 h3 h4 h5 h6 hr i img li ol p pre s small span strong sub sup \
             table tbody td tfoot th thead tr u ul",
        ))
        .clean_content_tags(words("script style title"))
        .generic_attributes(words("align dir lang style title valign"))
        .tag_attributes(
            [
                ("a", "href"),
                ("font", "color face size"),
                ("img", "src alt width height border"),
                ("table", "border cellpadding cellspacing width bgcolor role"),
                ("td", "colspan rowspan width height bgcolor"),
                ("th", "colspan rowspan width height bgcolor scope"),
                ("tr", "bgcolor"),
            ]
            .into_iter()
            .map(|(tag, names)| (tag, words(names)))
            .collect(),
        )
        .url_schemes(words("https mailto tel"))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer"))
        .attribute_filter(|element, attribute, value| match (element, attribute) {
            ("img", "src") if !starts_with_https(value) => None,
            ("font", "size") => text::font_size(value).map(|_| value.into()),
            (_, "style") => style::allowed(value).map(Cow::Owned),
            (_, "width" | "height") => is_side(value).then(|| value.into()),
            (_, "border" | "cellpadding" | "cellspacing" | "colspan" | "rowspan") => {
                value.trim().parse().is_ok_and(|number: u8| number <= MAX_COUNT).then(|| value.into())
            }
            _ => Some(value.into()),
        });
    builder
});

/// The widest border and padding of a table in pixels, and the most columns and rows that a cell covers.
const MAX_COUNT: u8 = 50;

/// A length of an attribute: pixels or a percentage.
fn is_side(value: &str) -> bool {
    let pixels = |value: &str| style::within(&format!("{value}px"), 0.0, style::MAX_SIDE, 0.0);
    pixels(value.trim()) || style::within(value.trim(), 0.0, style::MAX_SIDE, 100.0)
}

fn words(list: &'static str) -> HashSet<&'static str> {
    list.split_whitespace().collect()
}

fn starts_with_https(url: &str) -> bool {
    url.trim_start().get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(raw: &str) -> String {
        SignatureHtml::from_str(raw).map(|html| html.as_str().to_owned()).unwrap_or_default()
    }

    #[test]
    fn what_signatures_use_comes_back_as_it_was() {
        for html in [
            "<p>Freundliche Gruesse,<br>Ihr Acme DACH Team</p>",
            "<table cellpadding=\"0\" cellspacing=\"0\" border=\"0\"><tbody><tr><td style=\"padding-right:8px;color:#0055aa\"><img src=\"https://cdn.example.com/logo.png\" alt=\"Acme\" width=\"80\"></td></tr></tbody></table>",
            "<a href=\"mailto:hello@acme.example\" rel=\"noopener noreferrer\">hello@acme.example</a> &amp; <b>co.</b>",
        ] {
            assert_eq!(clean(html), html);
        }
    }

    #[test]
    fn nothing_active_survives_and_cleaning_twice_changes_nothing() {
        let vectors = [
            "<script>alert(1)</script>x",
            "<img src=x onerror=alert(1)>x",
            "<img src=\"http://tracker.example/p.png\">x",
            "<img src=\"data:image/svg+xml;base64,AAAA\">x",
            "<a href=\"javascript:alert(1)\">x</a>",
            "<a href=\" java\tscript:alert(1)\">x</a>",
            "<svg onload=alert(1)>x</svg>",
            "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">x",
            "<iframe src=https://evil.example></iframe>x",
            "<form action=https://evil.example><input name=p></form>x",
            "<style>@import 'https://evil.example'</style>x",
            "<p style=\"background-image:url(https://evil.example/x)\">x</p>",
            "<p style=\"color:expression(alert(1))\">x</p>",
            "<p style=\"width:1px;position:fixed;top:0\">x</p>",
            "<p style=\"font-family:'\\75rl(x)'\">x</p>",
            "<a href=\"data:text/html,<script>alert(1)</script>\">x</a>",
            "<meta http-equiv=refresh content=\"0;url=https://evil.example\">x",
            "<base href=https://evil.example>x",
            "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">x",
            "<template><script>alert(1)</script></template>x",
            "<x onclick=alert(1)>x</x><p onmouseover=alert(1)>x</p>",
            "<object data=https://evil.example></object><embed src=https://evil.example>x",
        ];
        for vector in vectors {
            let once = clean(vector);
            let lower = once.to_ascii_lowercase();
            // What stands in an escaped attribute or in text is inert; a tag, a handler or a scheme is not.
            for active in [
                "<script",
                "<svg",
                "<math",
                "<iframe",
                "<form",
                "<style",
                "<meta",
                "<base",
                "<template",
                "<object",
                "<embed",
                " onerror=alert(1)>",
                " onload=",
                " onclick=",
                " onmouseover=",
                "href=\"javascript",
                "href=\"data",
                "src=\"http:",
                "src=\"data",
                "url(",
                "expression(",
                "position",
                "behavior",
            ] {
                assert!(!lower.contains(active), "{vector} left {active}: {once}");
            }
            assert_eq!(clean(&once), once, "{vector}");
        }
    }

    #[test]
    fn a_signature_of_which_nothing_is_left_is_refused() {
        for (raw, code) in [
            ("<script>x</script>", "nothing_left"),
            ("", "empty"),
            ("a\0", "forbidden_character"),
            ("a&#1;", "forbidden_character"),
        ] {
            assert_eq!(SignatureHtml::from_str(raw).unwrap_err().code, code);
        }
        assert_eq!(SignatureHtml::from_str(&"x".repeat(20_001)).unwrap_err().code, "too_long");
        assert_eq!(SignatureHtml::from_str(&"&".repeat(20_000)).unwrap_err().code, "too_long");
    }

    #[test]
    fn what_a_parser_would_need_long_for_is_refused_before_it_is_parsed() {
        let all = |unit: &str, times: usize| unit.repeat(times);
        let names: String = (0..3_000).map(|number| format!("{number:x} ")).collect();
        for bomb in [
            (0..1_000).map(|size| format!("<font size={size}><p>")).collect(),
            (0..1_000).map(|size| format!("<FONT SIZE={size}><P>")).collect(),
            (0..50).map(|size| format!("<b class={size}><p>")).collect::<String>() + &all("<p>", 390),
            all("<li><ul>", 1_100),
            all("<div>", 501),
            all("<table><td>", 260),
            all("</p>", 501),
            format!("<p {names}>x"),
            format!("<p title=\">\" {names}>x"),
            format!("<p a\" {names}>x"),
            format!("<p {}>x", names.replace(' ', "/")),
            format!("<p {}>x", names.replace(' ', "=\"\"")),
            format!("x</p {names}>"),
        ] {
            let refused = SignatureHtml::from_str(&bomb).unwrap_err();
            assert_eq!(refused.code, "too_complex", "{bomb:.60}");
        }
        for fine in [
            "<p><b>Acme</b> <font color=\"#0055aa\">Industrial</font> <i>Supply</i></p>".repeat(50),
            all("<p>Many words in one paragraph, which are no attributes. </p>", 240),
            format!("<p>1 &lt; 2 {}</p>", all("word ", 2_000)),
        ] {
            assert_eq!(clean(&fine), fine);
        }
        assert!(SignatureHtml::from_str(&format!("1 < 2 {}", all("word ", 2_000))).is_ok());
    }

    #[test]
    fn attributes_of_size_have_bounds() {
        let cell = |attributes: &str| clean(&format!("<table><tbody><tr><td {attributes}>x</td></tr></tbody></table>"));
        for good in ["width=\"120\"", "width=\"100%\"", "height=\"1200\"", "colspan=\"50\""] {
            assert!(cell(good).contains(good), "{good}");
        }
        for bad in
            ["width=\"9999\"", "width=\"101%\"", "width=\"-1\"", "height=\"100vh\"", "colspan=\"51\"", "rowspan=\"x\""]
        {
            assert!(cell(bad).contains("<td>"), "{bad}");
        }
        assert_eq!(
            clean("<font size=\"+99\">x</font><font size=\"x\">x</font>"),
            "<font size=\"+99\">x</font><font>x</font>"
        );
    }

    #[test]
    fn an_overlay_stays_in_its_place() {
        let overlay = "<a href=\"https://evil.example/\"><img src=\"https://img.example/x.png\" \
                       style=\"margin-top:-340px;margin-left:-40px;width:1200px;height:800px\"></a>";
        assert_eq!(
            clean(overlay),
            "<a href=\"https://evil.example/\" rel=\"noopener noreferrer\"><img src=\"https://img.example/x.png\" \
             style=\"width:1200px;height:800px\"></a>"
        );
        let nested = "<h1><div>".repeat(6) + "x";
        assert_eq!(SignatureHtml::from_str(&nested).unwrap_err().code, "out_of_range");
    }

    #[test]
    fn placeholders_are_literal_text() {
        assert_eq!(clean("{{7*7}} ${x} %s {0}"), "{{7*7}} ${x} %s {0}");
    }
}
