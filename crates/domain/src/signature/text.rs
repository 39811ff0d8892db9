//! How large the text of a sanitised signature is, where sizes that depend on the text around them multiply.

use super::style::{self, MAX_TEXT, Unit};

/// The text inside an element.
#[derive(Debug, Clone, Copy)]
struct Text {
    /// In pixels.
    size: f64,
    line: Line,
}

/// How high its lines are.
#[derive(Debug, Clone, Copy)]
enum Line {
    /// As many times as high as the text.
    Times(f64),
    /// So many pixels, whatever the text is.
    Pixels(f64),
}

/// What browsers begin with.
const PLAIN: Text = Text { size: 16.0, line: Line::Times(1.2) };

/// The least height of lines as a multiple of their text: with less, text lies on what is above it.
const LEAST_LINE: f64 = 0.7;

/// What is wrong with the sizes, in words that complete a sentence. The HTML is as the sanitiser writes it: every element that
/// opens is closed, and every attribute has quotation marks.
pub(super) fn objection(html: &str) -> Option<String> {
    let mut within = vec![PLAIN];
    let mut rest = html;
    loop {
        let here = within.last().copied().unwrap_or(PLAIN);
        let (text, tag) = rest.split_once('<').unwrap_or((rest, ""));
        if is_visible(text) {
            if here.size > MAX_TEXT {
                return Some(format!(
                    "must not have text larger than {MAX_TEXT} pixels, but nested sizes multiply to {:.0}",
                    here.size
                ));
            }
            let line = match here.line {
                Line::Times(times) => times * here.size,
                Line::Pixels(pixels) => pixels,
            };
            if line < here.size * LEAST_LINE {
                return Some(format!(
                    "must not have lines that overlap, but text of {:.0} pixels has lines of {line:.0}: set line-height with \
                     font-size",
                    here.size
                ));
            }
        }
        if tag.is_empty() {
            return None;
        }
        let end = end_of_tag(tag);
        let inside = tag.get(..end).unwrap_or_default();
        rest = tag.get(end + 1..).unwrap_or_default();
        if inside.starts_with('/') {
            within.pop();
            continue;
        }
        let name = inside.split([' ', '/']).next().unwrap_or_default();
        if !matches!(name, "br" | "hr" | "img") {
            within.push(inner(here, name, inside));
        }
    }
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

fn is_visible(text: &str) -> bool {
    text.replace("&nbsp;", "").chars().any(|c| !c.is_whitespace() && !matches!(c, '\u{200b}'..='\u{200d}' | '\u{feff}'))
}

/// The text in an element with this tag, inside other text.
fn inner(outer: Text, name: &str, tag: &str) -> Text {
    let Text { size, mut line } = outer;
    let mut size = size
        * match name {
            "h1" => 2.0,
            "h2" => 1.5,
            "h3" => 1.17,
            "h5" | "sub" | "sup" | "small" => 0.83,
            "h6" => 0.67,
            _ => 1.0,
        };
    if let Some(named) = attribute(tag, "size").filter(|_| name == "font") {
        size = font_size(&named).unwrap_or(size);
    }
    let declared: Vec<_> = attribute(tag, "style").iter().flat_map(|style| style::declarations(style)).collect();
    let mut high = None;
    for (property, value) in &declared {
        let said = match property.as_str() {
            "font-size" => Some(value.as_str()),
            "font" => style::font(value).map(|(size, line)| {
                high = Some(line.unwrap_or("normal"));
                size
            }),
            "line-height" => {
                high = Some(value.as_str());
                None
            }
            _ => None,
        };
        size = said.and_then(|said| style::text_size(said, outer.size)).unwrap_or(size);
    }
    if let Some(high) = high {
        line = match style::measure(high) {
            None => PLAIN.line,
            Some((times, Unit::None)) => Line::Times(times),
            Some((times, Unit::Em)) => Line::Pixels(times * size),
            Some((percent, Unit::Percent)) => Line::Pixels(percent / 100.0 * size),
            Some((pixels, Unit::Pixel)) => Line::Pixels(pixels),
        };
    }
    Text { size, line }
}

/// The value of an attribute. The sanitiser escapes what would end it.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, behind) = tag.split_once(&format!(" {name}=\""))?;
    let value = behind.split('"').next()?;
    Some(value.replace("&quot;", "\"").replace("&nbsp;", " ").replace("&amp;", "&"))
}

/// The pixels of a size from 1 to 7, or of one beside 3.
pub(super) fn font_size(named: &str) -> Option<f64> {
    const SIZES: [f64; 7] = [10.0, 13.0, 16.0, 18.0, 24.0, 32.0, 48.0];
    let number: i32 = named.trim().parse().ok()?;
    let number = if named.trim().starts_with(['+', '-']) { number.saturating_add(3) } else { number };
    SIZES.get(usize::try_from(number.clamp(1, 7) - 1).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_grows_to_a_limit_however_its_size_is_said() {
        for good in [
            "<h1>x</h1>",
            "<font size=\"7\"><b>x</b></font>",
            "<p style=\"font-size:96px\">x</p>",
            "<h1><span style=\"font-size:2em\">x</span></h1>",
            "<div style=\"font-size:6em\"><p style=\"font-size:12px\">x</p></div>",
            "<div style=\"font-size:6em\"><p style=\"font-size:6em\">&nbsp;<br></p></div>",
        ] {
            assert_eq!(objection(good), None, "{good}");
        }
        for bad in [
            "<h1><div><h1><div><h1>x</h1></div></h1></div></h1>",
            "<p style=\"font-size:3em\"><span style=\"font-size:300%\">x</span></p>",
            "<p style=\"font:5em x\"><span style=\"font-size:larger\"><b style=\"font-size:2em\">x</b></span></p>",
        ] {
            assert!(objection(bad).is_some_and(|why| why.contains("larger than 96")), "{bad}");
        }
    }

    #[test]
    fn lines_of_text_do_not_lie_on_each_other() {
        for good in [
            "<p style=\"line-height:18px;font-size:13px\">x</p>",
            "<td style=\"line-height:0\"><img src=\"https://a.example/x.png\"></td>",
            "<td style=\"font-size:0;line-height:0\"> &nbsp;</td>",
            "<p style=\"line-height:1px\">&nbsp;</p>",
            "<p style=\"font:20px/1 'a',&quot;b&quot;\">x</p>",
        ] {
            assert_eq!(objection(good), None, "{good}");
        }
        for bad in [
            "<p style=\"line-height:0\">x</p>",
            "<p style=\"line-height:18px\"><span style=\"font-size:90px\">x</span></p>",
            "<p style=\"font:20px/10% x\">x</p>",
        ] {
            assert!(objection(bad).is_some_and(|why| why.contains("overlap")), "{bad}");
        }
    }
}
