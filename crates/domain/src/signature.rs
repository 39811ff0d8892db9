//! HTML e-mail signatures: what they commonly use is kept, what could act or leave its place is taken away.

mod address;
mod bounds;
mod boxes;
mod declarations;
#[cfg(test)]
mod fuzz;
mod markup;
mod removed;
mod style;
mod text;
mod values;
mod walk;

use std::{fmt, str::FromStr};

pub use self::removed::{MAX_REMOVED, Removed, RemovedKind, SignatureHandling};
use crate::{
    Refusal,
    input::{Description, input, thousands},
    text::{PRINTED, bounded, forbidden},
};

/// The longest signature as it is stored, in characters.
const MAX: usize = 20_000;

/// The longest HTML that is looked at, in characters: a signature with all that a mail program puts around it, and a small picture
/// or two, which do not stay.
const MAX_SENT: usize = 200_000;

/// An HTML e-mail signature, sanitised to an allow-list: text and table markup, links that lead somewhere, images over `https`, and
/// a subset of inline styles with bounded values. Never a script, a form, a frame, an event handler, a style that loads something,
/// or one that moves or layers anything. Sanitising it again changes nothing. Two are the same if their HTML is.
#[derive(Clone)]
pub struct SignatureHtml {
    html: String,
    removed: Vec<Removed>,
}

impl PartialEq for SignatureHtml {
    fn eq(&self, other: &Self) -> bool {
        self.html == other.html
    }
}

impl Eq for SignatureHtml {}

impl SignatureHtml {
    /// Takes over HTML that an earlier `from_str` gave and that was kept where nothing else writes. Sanitising is not
    /// repeated: it costs more than everything else about reading a workspace.
    pub fn from_sanitised(html: String) -> Self {
        Self { html, removed: Vec::new() }
    }

    /// The sanitised HTML.
    pub fn as_str(&self) -> &str {
        &self.html
    }

    /// What sanitising took away, at most [`MAX_REMOVED`]; nothing for one that was stored.
    pub fn removed(&self) -> &[Removed] {
        &self.removed
    }
}

impl FromStr for SignatureHtml {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        bounded(raw, MAX_SENT)?;
        let raw = bounds::without_comments(&raw.replace("\r\n", "\n"));
        let html = sanitise(&raw)?;
        if html.trim().is_empty() {
            return Err(Refusal::new("nothing_left", "has no content that is allowed in an email signature"));
        }
        Ok(Self { html, removed: removed::removed(&raw) })
    }
}

input!(
    SignatureHtml,
    str,
    Description::text(format!(
        "HTML, 1 to {} characters as sent and {} as stored; anything unsafe in an email is removed.",
        thousands(MAX_SENT),
        thousands(MAX)
    ))
    .length(1, MAX_SENT)
    .pattern(PRINTED)
    .example("<p>Kind regards,<br>Acme</p>")
);

impl fmt::Debug for SignatureHtml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.html.fmt(f)
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
    if let Some(why) = bounds::too_complex(raw) {
        return Err(Refusal::new("too_complex", format!("{why} for an email signature: simplify its markup")));
    }
    let clean = fitting(markup::SANITISER.clean(raw).to_string())?;
    fitting(boxes::contained(&clean))
}

/// Escaping, repeated formatting and the attributes added to links can make it longer than it came; how much longer is nothing that the
/// sender could make sense of.
fn fitting(clean: String) -> Result<String, Refusal> {
    if clean.chars().count() > MAX {
        return Err(Refusal::new("too_long", format!("must be at most {MAX} characters long after it is sanitised")));
    }
    Ok(clean)
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
        assert_eq!(SignatureHtml::from_str(&" ".repeat(200_001)).unwrap_err().code, "too_long");
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
             style=\"width:1200px;height:800px;max-width:100%\"></a>"
        );
        let nested = "<h1><div>".repeat(6) + "x";
        assert_eq!(SignatureHtml::from_str(&nested).unwrap_err().code, "out_of_range");
    }

    #[test]
    fn what_does_not_stay_counts_for_no_limit_and_is_said() {
        let long = "x".repeat(30_000);
        let raw = format!("<p>a<!-- {long} --><img src=\"data:image/png;base64,{long}\"></p><style>{long}</style>");
        let signature = SignatureHtml::from_str(&raw).unwrap();
        assert_eq!(signature.as_str(), "<p>a</p>");
        let kinds: Vec<_> = signature.removed().iter().map(|one| (one.kind, one.count)).collect();
        assert_eq!(kinds, [(RemovedKind::Image, 1), (RemovedKind::Element, 1)]);
        assert_eq!(SignatureHtml::from_str(signature.as_str()).unwrap().removed(), []);
    }

    #[test]
    fn what_people_use_stays() {
        for html in [
            "<dl><dt>a</dt><dd>b</dd></dl><address><code>c</code><tt>d</tt><big>e</big><mark>f</mark></address>",
            "<s>a</s><strike>b</strike><del>c</del><ins>d</ins>",
            "<table height=\"9\"><caption>a</caption><tbody><tr height=\"9\"><td nowrap=\"\">b</td></tr></tbody></table>",
            "<hr width=\"98%\" size=\"1\" color=\"#ccc\" noshade=\"\"><ol type=\"a\" start=\"3\"><li value=\"5\">a</li></ol>",
            "<a href=\"{{booking_link}}\" rel=\"noopener noreferrer\">a</a><img src=\"{{logo}}\" hspace=\"4\">",
        ] {
            assert_eq!(clean(html), html);
        }
        assert_eq!(
            clean("<a href=\"//a.example/x\">a</a>"),
            "<a href=\"https://a.example/x\" rel=\"noopener noreferrer\">a</a>"
        );
        assert_eq!(clean("<p>a<img src=\"cid:x\"></p>"), "<p>a</p>");
    }

    #[test]
    fn placeholders_are_literal_text() {
        assert_eq!(clean("{{7*7}} ${x} %s {0}"), "{{7*7}} ${x} %s {0}");
    }
}
