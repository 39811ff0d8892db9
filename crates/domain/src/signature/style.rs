//! Inline styles of a signature: which declarations stay, and how large their values may be.
//!
//! Nothing moves out of its place or lies over something else: no position, no transformation, no negative margin, nothing that is
//! measured by the window. A declaration that is not allowed goes, and the others of its element stay. What stays is put together
//! from values that were read in full, so it means the same to every program that reads it.

/// The largest text, in pixels.
pub(super) const MAX_TEXT: f64 = 96.0;
/// The widest and the highest element, in pixels.
pub(super) const MAX_SIDE: f64 = 1_200.0;
/// The largest distance between two things, in pixels.
const MAX_SPACE: f64 = 200.0;
/// The widest border, in pixels.
const MAX_BORDER: f64 = 20.0;
/// The highest line, in pixels and as a multiple of its text.
const MAX_LINE: (f64, f64) = (150.0, 3.0);
/// The pixels of an em where the size of the text is not known.
const EM: f64 = 16.0;

/// The declarations that are allowed, in their order; `None` if there are none.
pub(super) fn allowed(style: &str) -> Option<String> {
    let kept: Vec<_> = declarations(&uncommented(style))
        .filter(|(property, value)| allows(property, value))
        .map(|(property, value)| format!("{property}:{value}"))
        .collect();
    (!kept.is_empty()).then(|| kept.join(";"))
}

/// Names in lower case, and values with single spaces and without `!important`, which would override the page around them.
pub(super) fn declarations(style: &str) -> impl Iterator<Item = (String, String)> {
    style.split(';').filter_map(|declaration| {
        let (property, value) = declaration.split_once(':')?;
        let value = value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        let important = value.rsplit_once('!').filter(|(_, word)| word.trim().eq_ignore_ascii_case("important"));
        let value = important.map_or(value.as_str(), |(value, _)| value.trim_end()).to_owned();
        Some((property.trim().to_ascii_lowercase(), value))
    })
}

/// Without comments. One that does not end goes on to the end.
fn uncommented(style: &str) -> String {
    let mut parts = style.split("/*");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + " " + part.split_once("*/").map_or("", |(_, rest)| rest))
}

fn allows(property: &str, value: &str) -> bool {
    let one = |words: &str| is_one_of(value, words);
    match property {
        "color" | "background" | "background-color" => is_colour(value),
        "border-color" => all(value, 4, is_colour),
        "border" | "border-top" | "border-right" | "border-bottom" | "border-left" => {
            all(value, 3, |part| is_border_width(part) || is_border_style(part) || is_colour(part))
        }
        "border-width" => all(value, 4, is_border_width),
        "border-style" => all(value, 4, is_border_style),
        "border-collapse" => one("collapse separate"),
        "border-spacing" => all(value, 2, |part| within(part, 0.0, MAX_SPACE, 0.0)),
        "border-radius" => all(value, 4, |part| within(part, 0.0, MAX_SPACE, 50.0)),
        "display" => {
            one("block inline inline-block table inline-table table-row table-cell table-row-group table-header-group \
             table-footer-group")
        }
        "font" => font(value).is_some(),
        "font-family" => is_family(value),
        "font-size" => is_text_size(value),
        "font-style" => one("normal italic oblique"),
        "font-weight" => is_weight(value),
        "letter-spacing" => one("normal") || within(value, -1.0, MAX_BORDER, 0.0),
        "line-height" => is_line_height(value),
        "margin" => all(value, 4, |part| part.eq_ignore_ascii_case("auto") || is_space(part)),
        "margin-top" | "margin-right" | "margin-bottom" | "margin-left" => one("auto") || is_space(value),
        "padding" => all(value, 4, is_space),
        "padding-top" | "padding-right" | "padding-bottom" | "padding-left" => is_space(value),
        "width" | "height" | "min-width" | "max-width" => one("auto none") || within(value, 0.0, MAX_SIDE, 100.0),
        "text-align" => one("left right center justify start end"),
        "text-decoration" => all(value, 4, |part| is_colour(part) || within(part, 0.0, MAX_BORDER, 0.0)),
        "text-transform" => one("none uppercase lowercase capitalize"),
        "vertical-align" => one("baseline top middle bottom sub super text-top text-bottom -webkit-baseline-middle"),
        "white-space" => one("normal nowrap pre pre-line pre-wrap"),
        _ => false,
    }
}

fn is_one_of(value: &str, words: &str) -> bool {
    words.split_whitespace().any(|word| word.eq_ignore_ascii_case(value))
}

/// Whether the value has one to `most` parts, all of which are good. A part ends at a space that is not in parentheses.
fn all(value: &str, most: usize, good: impl Fn(&str) -> bool) -> bool {
    let mut depth = 0_u32;
    let parts = value.split(|c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ' ' && depth == 0
    });
    let parts: Vec<_> = parts.collect();
    (1..=most).contains(&parts.len()) && parts.into_iter().all(good)
}

/// A word, which is a colour or nothing; digits; or one of the functions of numbers.
fn is_colour(value: &str) -> bool {
    if let Some(digits) = value.strip_prefix('#') {
        return matches!(digits.len(), 3 | 4 | 6 | 8) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    if let Some((function, numbers)) = value.strip_suffix(')').and_then(|value| value.split_once('(')) {
        let number = |c: char| c.is_ascii_digit() || " .,%/-".contains(c);
        return is_one_of(function, "rgb rgba hsl hsla") && numbers.len() <= 60 && numbers.chars().all(number);
    }
    (3..=30).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn is_border_width(value: &str) -> bool {
    is_one_of(value, "thin medium thick") || within(value, 0.0, MAX_BORDER, 0.0)
}

fn is_border_style(value: &str) -> bool {
    is_one_of(value, "none hidden solid dashed dotted double groove ridge inset outset")
}

fn is_space(value: &str) -> bool {
    within(value, 0.0, MAX_SPACE, 50.0)
}

fn is_weight(value: &str) -> bool {
    is_one_of(value, "normal bold bolder lighter 100 200 300 400 500 600 700 800 900")
}

fn is_line_height(value: &str) -> bool {
    value.eq_ignore_ascii_case("normal")
        || match measure(value) {
            Some((times, Unit::None | Unit::Em)) => (0.0..=MAX_LINE.1).contains(&times),
            Some((percent, Unit::Percent)) => (0.0..=MAX_LINE.1 * 100.0).contains(&percent),
            Some((pixels, Unit::Pixel)) => (0.0..=MAX_LINE.0).contains(&pixels),
            None => false,
        }
}

fn is_text_size(value: &str) -> bool {
    // What it comes to is not beyond the limit either way: see `text.rs`.
    text_size(value, EM).is_some_and(|size| (0.0..=MAX_TEXT).contains(&size))
}

/// The pixels of a size of text inside text of `outer` pixels.
pub(super) fn text_size(value: &str, outer: f64) -> Option<f64> {
    const WORDS: [(&str, f64); 8] = [
        ("xx-small", 9.0),
        ("x-small", 10.0),
        ("small", 13.0),
        ("medium", 16.0),
        ("large", 18.0),
        ("x-large", 24.0),
        ("xx-large", 32.0),
        ("xxx-large", 48.0),
    ];
    if let Some((_, size)) = WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(value)) {
        return Some(*size);
    }
    match value.to_ascii_lowercase().as_str() {
        "larger" => return Some(outer * 1.2),
        "smaller" => return Some(outer / 1.2),
        _ => {}
    }
    match measure(value)? {
        (pixels, Unit::Pixel) => Some(pixels),
        (times, Unit::Em) => Some(times * outer),
        (percent, Unit::Percent) => Some(percent / 100.0 * outer),
        (number, Unit::None) => (number == 0.0).then_some(0.0),
    }
}

/// The size and the height of lines in the shorthand `font`, with a family behind them.
pub(super) fn font(value: &str) -> Option<(&str, Option<&str>)> {
    let mut rest = value;
    loop {
        let (word, behind) = rest.split_once(' ')?;
        if is_one_of(word, "normal italic oblique small-caps") || is_weight(word) {
            rest = behind;
            continue;
        }
        let (size, line) = word.split_once('/').map_or((word, None), |(size, line)| (size, Some(line)));
        let good = is_text_size(size) && line.is_none_or(is_line_height) && is_family(behind);
        return good.then_some((size, line));
    }
}

/// Names of fonts, in quotes or not.
fn is_family(value: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.');
    value.len() <= 400
        && value.split(',').map(str::trim).all(|name| {
            let inner = ['"', '\'']
                .iter()
                .find_map(|quote| name.strip_prefix(*quote).and_then(|name| name.strip_suffix(*quote)))
                .unwrap_or(name);
            !inner.is_empty() && inner.chars().all(plain)
        })
}

/// Whether it is a length from `least` to `most` pixels, or a percentage up to `percent`.
pub(super) fn within(value: &str, least: f64, most: f64, percent: f64) -> bool {
    match measure(value) {
        Some((pixels, Unit::Pixel)) => (least..=most).contains(&pixels),
        Some((times, Unit::Em)) => (least..=most).contains(&(times * EM)),
        Some((share, Unit::Percent)) => (0.0..=percent).contains(&share),
        Some((number, Unit::None)) => number == 0.0,
        None => false,
    }
}

/// What a number measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    None,
    Pixel,
    Em,
    Percent,
}

/// A number with its unit. Lengths are in pixels, and those of the font in ems.
pub(super) fn measure(value: &str) -> Option<(f64, Unit)> {
    let end = value.find(|c: char| !matches!(c, '0'..='9' | '.' | '-' | '+')).unwrap_or(value.len());
    let (digits, unit) = value.split_at(end);
    // As far as CSS goes with this: a sign in front, and digits behind a point.
    let number: f64 = digits.parse().ok().filter(|_| digits.len() <= 12 && !digits.ends_with('.'))?;
    let (factor, unit) = match unit.to_ascii_lowercase().as_str() {
        "" => (1.0, Unit::None),
        "%" => (1.0, Unit::Percent),
        "px" => (1.0, Unit::Pixel),
        "pt" => (96.0 / 72.0, Unit::Pixel),
        "pc" => (16.0, Unit::Pixel),
        "in" => (96.0, Unit::Pixel),
        "cm" => (96.0 / 2.54, Unit::Pixel),
        "mm" => (9.6 / 2.54, Unit::Pixel),
        "em" => (1.0, Unit::Em),
        "rem" => (EM, Unit::Pixel),
        "ex" | "ch" => (0.5, Unit::Em),
        _ => return None,
    };
    Some((number * factor, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_signatures_use_stays_as_it_was_written() {
        for style in [
            "color:#fff;background:#1a4fa0",
            "color:rgb(0 0 0 / 80%);background-color:rgba(0,0,0,.1)",
            "border:1px solid #ccc;border-top:2px dotted red;border-left:solid #1F3864 1.5pt;border-right:medium none",
            "border-collapse:collapse;border-spacing:0;border-radius:8px 4px",
            "margin:0 auto;margin-top:4px;padding:0cm 5.4pt 0cm 5.4pt",
            "width:100%;max-width:600px;min-width:200px;height:.4166in;width:1.25in",
            "font:bold 12px Arial;font:italic 700 10pt/1.4 'Segoe UI',sans-serif",
            "font-family:'Segoe UI',Arial,\"Curlz MT\",sans-serif;font-size:medium;font-size:1.2em;font-size:80%",
            "line-height:18px;line-height:1.5;line-height:120%;letter-spacing:-0.2px;letter-spacing:.5px",
            "vertical-align:-webkit-baseline-middle;text-align:center;white-space:nowrap;display:inline-block",
            "text-decoration:underline;text-decoration:none;text-transform:uppercase;font-weight:600",
        ] {
            assert_eq!(allowed(style).as_deref(), Some(style));
        }
        assert_eq!(
            allowed(" COLOR : Red ; /* ; */ Font-Size:12PX !important;;margin:\n1px\t2px ").as_deref(),
            Some("color:Red;font-size:12PX;margin:1px 2px")
        );
        assert_eq!(
            allowed("color:red;background:url(x);font-family:'Imagery'").as_deref(),
            Some("color:red;font-family:'Imagery'")
        );
    }

    #[test]
    fn nothing_leaves_its_place_or_outgrows_its_box() {
        for style in [
            "margin-top:-340px",
            "margin:0 -1px",
            "margin:1px 1px 1px 1px 1px",
            "margin-left:100%",
            "padding:201px",
            "padding:-1px",
            "width:100vw",
            "height:100vh",
            "height:1201px",
            "width:101%",
            "width:calc(100% - 10px)",
            "width:1e9px",
            "font-size:9999px",
            "font-size:100vmax",
            "font-size:7em",
            "font-size:-1px",
            "font:9999px/1 x",
            "font:12px/99 x",
            "font:12px",
            "line-height:99",
            "line-height:-1",
            "letter-spacing:-50px",
            "border:9999px solid red",
            "border-width:21px",
            "border-spacing:9999px",
            "position:fixed",
            "top:0",
            "inset:0",
            "transform:scale(99)",
            "translate:-99px",
            "scale:9",
            "zoom:99",
            "z-index:9",
            "float:left",
            "opacity:0",
            "overflow:visible",
            "outline:9999px solid red",
            "box-shadow:0 0 0 9999px red",
            "text-shadow:0 -99px red",
            "text-indent:-9999px",
            "clip-path:none",
            "filter:none",
            "display:none",
            "display:fixed",
            "display:flex",
            "display:list-item",
            "vertical-align:99px",
            "color:var(--x)",
            "color:expression(alert(1))",
            "color:rgb(calc(1))",
            "background:url(https://evil.example/x)",
            "background:linear-gradient(red,blue)",
            "background-image:none",
            "font-family:'\\75rl(x)'",
            "font-family:'a;b'",
            "font-family:'a",
            "content:'x'",
            "behavior:url(x)",
            "-moz-binding:url(x)",
            "--x:1px",
            "color:red}*{color:blue",
            "width:1.px",
            "width:+-1px",
            "width:infpx",
            "width:NaN",
            "all:initial",
            "columns:9",
            "rotate:9deg",
        ] {
            assert_eq!(allowed(style), None, "{style}");
        }
    }
}
