//! How large the text of a sanitised signature is, where sizes that depend on the text around them multiply.

use super::{
    declarations::{Declaration, declarations},
    values::{self, MAX_TEXT, Unit},
    walk::{Step, Tag, walk},
};

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

/// How far text may reach beyond its line, in pixels.
const MOST_REACH: f64 = 10.0;

/// How high a font is, as a multiple of its size, with the parts of letters that hang down.
const FONT_HEIGHT: f64 = 1.2;

/// What is wrong with the sizes, in words that complete a sentence. The HTML is as the sanitiser writes it.
pub(super) fn objection(html: &str) -> Option<String> {
    let mut within = vec![PLAIN];
    for step in walk(html) {
        let here = within.last().copied().unwrap_or(PLAIN);
        match step {
            // A space takes clicks too where it reaches.
            Step::Text(text) if is_visible(text) || text.contains("&nbsp;") && here.reach() > MOST_REACH => {
                if let Some(why) = objection_to(here) {
                    return Some(why);
                }
            }
            Step::Text(_) => {}
            Step::Open(tag) if tag.is_void() => {}
            Step::Open(tag) => within.push(inner(here, tag)),
            Step::Close(_) => {
                within.pop();
            }
        }
    }
    None
}

impl Text {
    /// How high its lines are, in pixels.
    fn line(self) -> f64 {
        match self.line {
            Line::Times(times) => times * self.size,
            Line::Pixels(pixels) => pixels,
        }
    }

    /// How far it reaches beyond its line, above and below, in pixels.
    fn reach(self) -> f64 {
        (self.size * FONT_HEIGHT - self.line()) / 2.0
    }
}

fn objection_to(text: Text) -> Option<String> {
    let line = text.line();
    if text.size > MAX_TEXT {
        Some(format!("must not have text larger than {MAX_TEXT} pixels, but nested sizes multiply to {:.0}", text.size))
    } else if line < text.size * LEAST_LINE || text.reach() > MOST_REACH {
        Some(format!(
            "must not have lines that overlap, but text of {:.0} pixels has lines of {line:.0}: set line-height with font-size",
            text.size
        ))
    } else {
        None
    }
}

fn is_visible(text: &str) -> bool {
    text.replace("&nbsp;", "").chars().any(|c| !c.is_whitespace() && !matches!(c, '\u{200b}'..='\u{200d}' | '\u{feff}'))
}

/// The text in an element with this tag, inside other text.
fn inner(outer: Text, tag: Tag<'_>) -> Text {
    let Text { size, mut line } = outer;
    let mut size = size
        * match tag.name() {
            "big" => 1.2,
            "h1" => 2.0,
            "h2" => 1.5,
            "h3" => 1.17,
            "h5" | "sub" | "sup" | "small" => 0.83,
            "h6" => 0.67,
            _ => 1.0,
        };
    if let Some(named) = tag.attribute("size").filter(|_| tag.name() == "font") {
        size = font_size(&named).unwrap_or(size);
    }
    let declared = tag.attribute("style").map(|style| declarations(&style)).unwrap_or_default();
    let mut high = None;
    for Declaration { property, value } in &declared {
        let said = match property.as_str() {
            "font-size" => Some(value.as_str()),
            "font" => values::font(value).map(|(size, line)| {
                high = Some(line.unwrap_or("normal"));
                size
            }),
            "line-height" => {
                high = Some(value.as_str());
                None
            }
            _ => None,
        };
        size = said.and_then(|said| values::text_size(said, outer.size)).unwrap_or(size);
    }
    if let Some(high) = high {
        line = match values::measure(high) {
            None => PLAIN.line,
            Some((times, Unit::None)) => Line::Times(times),
            Some((times, Unit::Em)) => Line::Pixels(times * size),
            Some((percent, Unit::Percent)) => Line::Pixels(percent / 100.0 * size),
            Some((pixels, Unit::Pixel)) => Line::Pixels(pixels),
        };
    }
    Text { size, line }
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
            "<p style=\"font:96px/1 a\">x</p>",
        ] {
            assert_eq!(objection(good), None, "{good}");
        }
        for bad in [
            "<p style=\"line-height:0\">x</p>",
            "<p style=\"line-height:18px\"><span style=\"font-size:90px\">x</span></p>",
            "<p style=\"font:20px/10% x\">x</p>",
            "<a style=\"font-size:90px;line-height:0\">&nbsp;</a>",
            "<font size=\"7\" style=\"line-height:.7\">x</font>",
        ] {
            assert!(objection(bad).is_some_and(|why| why.contains("overlap")), "{bad}");
        }
    }
}
