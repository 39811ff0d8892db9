//! Keeps a sanitised signature in its box, where one attribute alone cannot say whether it leaves it.

use super::{
    style::Style,
    values::{Unit, WIDE, measure},
    walk::{Step, Tag, walk},
};

/// What ends floating boxes, which otherwise reach into what follows the signature.
const CLEAR: &str = "<div style=\"clear:both\"></div>";

/// The HTML with nothing in it that leaves its box: images without an address, which show a broken picture, are gone; what is wide
/// is no wider than what it stands in; and what floats ends with the signature.
pub(super) fn contained(html: &str) -> String {
    let (mut kept, mut cells, mut floats) = (String::with_capacity(html.len()), 0_usize, false);
    for step in walk(html) {
        match step {
            Step::Text(text) => kept.push_str(text),
            Step::Close(name) => {
                cells = cells.saturating_sub(usize::from(is_cell(name)));
                kept.push_str(&format!("</{name}>"));
            }
            Step::Open(tag) if tag.name() == "img" && tag.attribute("src").is_none() => {}
            Step::Open(tag) => {
                let style = tag.attribute("style").map(|style| Style::of(tag.name(), &style)).unwrap_or_default();
                // A cell ends what floats in it.
                floats |= cells == 0 && does_float(tag, &style);
                cells += usize::from(is_cell(tag.name()));
                kept.push_str(&format!("<{}>", written(tag, style)));
            }
        }
    }
    if floats && !kept.ends_with(CLEAR) {
        kept.push_str(CLEAR);
    }
    kept
}

fn is_cell(name: &str) -> bool {
    matches!(name, "td" | "th")
}

fn does_float(tag: Tag<'_>, style: &Style) -> bool {
    let floats = style.last("float").is_some_and(|value| !value.eq_ignore_ascii_case("none"));
    let side = |value: &String| ["left", "right"].iter().any(|side| side.eq_ignore_ascii_case(value.trim()));
    floats || matches!(tag.name(), "img" | "table" | "hr") && tag.attribute("align").as_ref().is_some_and(side)
}

/// The tag, with a style that bounds it.
fn written(tag: Tag<'_>, mut style: Style) -> String {
    let mut inside = tag.inside.to_owned();
    // A cell that is no cell has a fixed height, and what is higher lies on what follows.
    if !style.is_table_part(tag.name()) && matches!(tag.name(), "table" | "tr" | "td" | "th") {
        inside = without(&inside, "height");
    }
    let is_wide = |value: &str| match measure(value) {
        Some((pixels, Unit::Pixel | Unit::None)) => pixels > WIDE,
        // Text may be six times as large as is usual.
        Some((times, Unit::Em)) => times * super::values::MAX_TEXT > WIDE,
        _ => false,
    };
    let width = tag.attribute("width").filter(|_| !matches!(tag.name(), "td" | "th"));
    let is_wide = width.is_some_and(|width| is_wide(width.trim())) || style.last("width").is_some_and(is_wide);
    if is_wide && style.last("max-width").is_none() {
        style.bound();
        inside = without(&inside, "style");
        let value = style.written().unwrap_or_default().replace('"', "&quot;");
        inside.push_str(&format!(" style=\"{value}\""));
    }
    inside
}

/// A tag without an attribute.
fn without(tag: &str, name: &str) -> String {
    let Some((before, behind)) = tag.split_once(&format!(" {name}=\"")) else { return tag.to_owned() };
    let rest = behind.split_once('"').map_or("", |(_, rest)| rest);
    format!("{before}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wide_or_floats_is_bounded_and_stays_so() {
        for (html, kept) in [
            ("<img alt=\"x\">a", "a"),
            ("<a href=\"x\"><img></a>", "<a href=\"x\"></a>"),
            ("<img src=\"x\" width=\"801\">", "<img src=\"x\" width=\"801\" style=\"max-width:100%\">"),
            (
                "<div style=\"width:900px;font-family:&quot;a&quot;\" dir=\"ltr\">a</div>",
                "<div dir=\"ltr\" style=\"width:900px;font-family:&quot;a&quot;;max-width:100%\">a</div>",
            ),
            ("<p style=\"width:9em\">a</p>", "<p style=\"width:9em;max-width:100%\">a</p>"),
            ("<p style=\"width:900px;max-width:600px\">a</p>", "<p style=\"width:900px;max-width:600px\">a</p>"),
            ("<p style=\"float:left\">a</p>", "<p style=\"float:left\">a</p><div style=\"clear:both\"></div>"),
            ("<img src=\"x\" align=\"LEFT\">", "<img src=\"x\" align=\"LEFT\"><div style=\"clear:both\"></div>"),
            ("<td><img src=\"x\" align=\"left\"></td>a", "<td><img src=\"x\" align=\"left\"></td>a"),
            ("<p align=\"left\" style=\"float:none\">a</p>", "<p align=\"left\" style=\"float:none\">a</p>"),
            ("<td height=\"9\" style=\"display:block\">a</td>", "<td style=\"display:block\">a</td>"),
            ("<td height=\"9\" style=\"color:red\">a</td>", "<td height=\"9\" style=\"color:red\">a</td>"),
        ] {
            assert_eq!(contained(html), kept, "{html}");
            assert_eq!(contained(kept), kept);
        }
    }
}
