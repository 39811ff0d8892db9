//! Values of CSS that a signature may have, and how large they may be.

use cssparser::color::parse_named_color;

/// The largest text, in pixels.
pub(super) const MAX_TEXT: f64 = 96.0;
/// The widest and the highest element, in pixels.
pub(super) const MAX_SIDE: f64 = 1_200.0;
/// Beyond this many pixels something is wide: then it becomes no wider than what it stands in.
pub(super) const WIDE: f64 = 800.0;
/// The largest distance between two things, in pixels.
pub(super) const MAX_SPACE: f64 = 200.0;
/// The widest border, in pixels.
pub(super) const MAX_BORDER: f64 = 20.0;
/// The highest line, in pixels and as a multiple of its text.
pub(super) const MAX_LINE: (f64, f64) = (150.0, 3.0);
/// The pixels of an em where the size of the text is not known.
pub(super) const EM: f64 = 16.0;

pub(super) fn is_one_of(value: &str, words: &str) -> bool {
    words.split_whitespace().any(|word| word.eq_ignore_ascii_case(value))
}

/// Whether the value has one to `most` parts, all of which are good. A part ends at a space that is not in parentheses.
pub(super) fn all(value: &str, most: usize, good: impl Fn(&str) -> bool) -> bool {
    let parts: Vec<_> = parts(value, &[' ']).collect();
    (1..=most).contains(&parts.len()) && parts.into_iter().all(good)
}

/// A word, which is a colour or nothing; digits; or one of the functions of numbers.
pub(super) fn is_colour(value: &str) -> bool {
    if let Some(digits) = value.strip_prefix('#') {
        return matches!(digits.len(), 3 | 4 | 6 | 8) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    if let Some((function, numbers)) = value.strip_suffix(')').and_then(|value| value.split_once('(')) {
        let number = |c: char| c.is_ascii_digit() || " .,%/-".contains(c);
        return is_one_of(function, "rgb rgba hsl hsla") && numbers.len() <= 60 && numbers.chars().all(number);
    }
    (3..=30).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_alphabetic())
}

pub(super) fn is_border_width(value: &str) -> bool {
    is_one_of(value, "thin medium thick") || within(value, 0.0, MAX_BORDER, 0.0)
}

pub(super) fn is_border_style(value: &str) -> bool {
    is_one_of(value, "none hidden solid dashed dotted double groove ridge inset outset")
}

pub(super) fn is_space(value: &str) -> bool {
    // Beside large text, an em is large too.
    let few = !matches!(measure(value), Some((times, Unit::Em)) if times > MAX_SPACE / (MAX_TEXT / 2.0));
    few && within(value, 0.0, MAX_SPACE, 50.0)
}

pub(super) fn is_radius(value: &str) -> bool {
    within(value, 0.0, MAX_SPACE, 50.0)
}

pub(super) fn is_marker(value: &str) -> bool {
    is_one_of(
        value,
        "none disc circle square decimal lower-alpha lower-latin lower-roman upper-alpha upper-latin upper-roman",
    )
}

/// What cannot be seen at all would still be there.
pub(super) fn is_opacity(value: &str) -> bool {
    match measure(value) {
        Some((share, Unit::None)) => (0.1..=1.0).contains(&share),
        Some((percent, Unit::Percent)) => (10.0..=100.0).contains(&percent),
        _ => false,
    }
}

pub(super) fn is_weight(value: &str) -> bool {
    is_one_of(value, "normal bold bolder lighter 100 200 300 400 500 600 700 800 900")
}

pub(super) fn is_line_height(value: &str) -> bool {
    value.eq_ignore_ascii_case("normal")
        || match measure(value) {
            Some((times, Unit::None | Unit::Em)) => (0.0..=MAX_LINE.1).contains(&times),
            Some((percent, Unit::Percent)) => (0.0..=MAX_LINE.1 * 100.0).contains(&percent),
            Some((pixels, Unit::Pixel)) => (0.0..=MAX_LINE.0).contains(&pixels),
            None => false,
        }
}

pub(super) fn is_text_size(value: &str) -> bool {
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
pub(super) fn is_family(value: &str) -> bool {
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

/// The plain colour of a background that has more than that; of one with nothing but a gradient, where it begins. Text that was
/// made for the background could not be read without it.
pub(super) fn colour_within(value: &str) -> Option<&str> {
    let is_one = |part: &&str| part.contains(['#', '(']) && is_colour(part) || parse_named_color(part).is_ok();
    let parts = || parts(value, &[' ', ',']);
    let gradient = || {
        let (function, inside) = parts().find_map(|part| part.strip_suffix(')')?.split_once('('))?;
        function.to_ascii_lowercase().ends_with("-gradient").then(|| self::parts(inside, &[' ', ',']).find(is_one))?
    };
    parts().find(is_one).or_else(gradient)
}

/// The parts of a value between separators that are not in parentheses.
pub(super) fn parts<'a>(value: &'a str, separators: &'static [char]) -> impl Iterator<Item = &'a str> {
    let mut depth = 0_u32;
    value.split(move |c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && separators.contains(&c)
    })
}
