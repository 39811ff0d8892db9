//! HTML e-mail signatures: what they commonly use is kept, what could act is taken away.

use std::{collections::HashSet, fmt, str::FromStr, sync::LazyLock};

use ammonia::{Builder, UrlRelative};

use crate::{
    Refusal,
    input::{Description, input, thousands},
    text,
};

/// The longest signature, in characters, both as sent and as stored.
const MAX: usize = 20_000;

/// An HTML e-mail signature, sanitised to an allow-list: text and table markup, links over `https`, `mailto` and `tel`,
/// images over `https`, and a subset of inline styles. Never a script, a form, a frame, an event handler or a style that
/// loads something. Sanitising it again changes nothing.
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
        text::bounded(raw, MAX)?;
        let raw = raw.replace("\r\n", "\n");
        if let Some(c) = raw.chars().find(|c| c.is_control() && !matches!(c, '\t' | '\n')) {
            return Err(text::forbidden(c, "must be HTML without control characters other than tab and newline"));
        }
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
            return Ok(clean);
        }
        clean = again;
    }
    Err(Refusal::new("ambiguous_html", "is HTML that changes each time it is parsed: simplify its nesting"))
}

fn clean_once(raw: &str) -> Result<String, Refusal> {
    if growth(raw) > MAX_GROWTH {
        return Err(Refusal::new("too_complex", "has too much formatting for an email signature: simplify its markup"));
    }
    let clean = SANITISER.clean(raw).to_string();
    // Escaping, repeated formatting and the attributes added to links can make it longer than it came; how much longer is
    // nothing that the sender could make sense of.
    if clean.chars().count() > MAX {
        return Err(Refusal::new("too_long", format!("must be at most {MAX} characters long after it is sanitised")));
    }
    Ok(clean)
}

/// The most elements that a parser may make of formatting. Signatures of office programs come to a few thousand.
const MAX_GROWTH: usize = 60_000;

/// Elements whose effect goes on in the next block when they are not closed in theirs: a parser repeats each of them in
/// each block that follows, so that a short text can stand for a very large document. (`a` ends the one before it.)
const FORMATTING: [&str; 13] =
    ["b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// How many elements a parser may make of formatting at most: each opened one, repeated at each tag.
fn growth(raw: &str) -> usize {
    let name =
        |tag: &str| tag.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_ascii_lowercase();
    let tags = raw.split('<').skip(1);
    let formatting = tags.clone().filter(|tag| FORMATTING.contains(&name(tag).as_str())).count();
    formatting * tags.count()
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
        .filter_style_properties(words(
            "background-color border border-bottom border-collapse border-color border-left border-radius border-right \
             border-spacing border-style border-top border-width color display font font-family font-size font-style \
             font-weight height letter-spacing line-height margin margin-bottom margin-left margin-right margin-top \
             max-width min-width padding padding-bottom padding-left padding-right padding-top text-align \
             text-decoration text-transform vertical-align white-space width",
        ))
        .url_schemes(words("https mailto tel"))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer"))
        .attribute_filter(|element, attribute, value| match (element, attribute) {
            ("img", "src") if !starts_with_https(value) => None,
            // An allowed property may still carry a function that loads or (in old clients) runs something.
            (_, "style") if loads_or_runs(value) => None,
            _ => Some(value.into()),
        });
    builder
});

fn words(list: &'static str) -> HashSet<&'static str> {
    list.split_whitespace().collect()
}

fn starts_with_https(url: &str) -> bool {
    url.trim_start().get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"))
}

fn loads_or_runs(style: &str) -> bool {
    let style = style.to_ascii_lowercase();
    ["url", "expression", "image", "\\", "/*", "@", "var(", "behavior", "javascript"]
        .iter()
        .any(|part| style.contains(part))
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
            ] {
                assert!(!lower.contains(active), "{vector} left {active}: {once}");
            }
            assert_eq!(clean(&once), once, "{vector}");
        }
    }

    #[test]
    fn a_signature_of_which_nothing_is_left_is_refused() {
        for (raw, code) in [("<script>x</script>", "nothing_left"), ("", "empty"), ("a\0", "forbidden_character")] {
            assert_eq!(SignatureHtml::from_str(raw).unwrap_err().code, code);
        }
        assert_eq!(SignatureHtml::from_str(&"x".repeat(20_001)).unwrap_err().code, "too_long");
        assert_eq!(SignatureHtml::from_str(&"&".repeat(20_000)).unwrap_err().code, "too_long");
    }

    #[test]
    fn formatting_that_a_parser_would_multiply_is_refused_before_it_is_parsed() {
        let bomb: String = (0..1_000).map(|size| format!("<font size={size}><p>")).collect();
        assert_eq!(SignatureHtml::from_str(&bomb).unwrap_err().code, "too_complex");
        let capitals = bomb.to_uppercase();
        assert_eq!(SignatureHtml::from_str(&capitals).unwrap_err().code, "too_complex");
        let long = "<p><b>Acme</b> <font color=\"#0055aa\">Industrial</font> <i>Supply</i></p>".repeat(50);
        assert_eq!(clean(&long), long);
    }

    #[test]
    fn placeholders_are_literal_text() {
        assert_eq!(clean("{{7*7}} ${x} %s {0}"), "{{7*7}} ${x} %s {0}");
    }
}
