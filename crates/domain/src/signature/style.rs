//! Inline styles of a signature: which declarations stay, and how large their values may be.
//!
//! Nothing moves out of its place or lies over something else: no position, no transformation, no negative margin, nothing that is
//! measured by the window. A declaration that is not allowed goes, and the others of its element stay. What stays is put together
//! from values that were read in full, so it means the same to every program that reads it.

use super::{
    declarations::{Declaration, declarations},
    removed::MAX_REMOVED,
    values::*,
};

/// What is left of a style attribute.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Style {
    /// What stays, in its order.
    pub(super) kept: Vec<Declaration>,
    /// The properties that go and that a reader would miss.
    pub(super) missed: Vec<String>,
}

impl Style {
    /// Of an element with this name.
    pub(super) fn of(element: &str, style: &str) -> Self {
        let mut read = Self::default();
        for Declaration { property, value } in declarations(style) {
            match kept(&property, &value) {
                Some(declaration) => read.kept.push(declaration),
                None if is_background(&property) => {
                    let colour = colour_within(&value);
                    let is_all = colour.is_some() && !names_an_image(&value);
                    read.kept.extend(colour.map(of_background));
                    if !is_all {
                        read.missed.push(property);
                    }
                }
                // Of Microsoft's programs, of one browser, or for the writing of mail.
                None if property.starts_with('-') || property.starts_with("mso-") => {}
                None if is_one_of(&property, WITHOUT_EFFECT) => {}
                None if read.missed.len() >= MAX_REMOVED => {}
                None => read.missed.push(property),
            }
        }
        read.contain(element);
        read
    }

    /// Lets the element be no wider than what it stands in.
    pub(super) fn bound(&mut self) {
        self.kept.push(Declaration { property: "max-width".to_owned(), value: "100%".to_owned() });
    }

    /// As an attribute; `None` if nothing stays.
    pub(super) fn written(&self) -> Option<String> {
        let written: Vec<_> = self.kept.iter().map(|one| format!("{}:{}", one.property, one.value)).collect();
        (!written.is_empty()).then(|| written.join(";"))
    }

    /// The value that is in force.
    pub(super) fn last(&self, property: &str) -> Option<&str> {
        self.kept.iter().rev().find(|one| one.property == property).map(|one| one.value.as_str())
    }

    /// Keeps what is in the element within it.
    fn contain(&mut self, element: &str) {
        let display = self.last("display").map(str::to_ascii_lowercase);
        // What is higher than a fixed height lies on what follows. Images are scaled, and cells grow.
        let scales = matches!(element, "img" | "hr");
        let grows = self.is_table_part(element);
        let hides = self.last("overflow").is_some();
        for one in &mut self.kept {
            if one.property == "height" && !scales && !grows && !hides && measure(&one.value).is_some() {
                one.property = "min-height".to_owned();
            }
            if one.property == "max-width" && !within(&one.value, 0.0, WIDE, 100.0) && measure(&one.value).is_some() {
                one.value = "100%".to_owned();
            }
        }
        // In a line, the space above and below text takes no room, and so lies on other lines.
        if !hides && self.kept.iter().any(|one| one.property == "max-height") {
            self.kept.retain(|one| one.property != "max-height");
            self.missed.push("max-height".to_owned());
        }
        let inline = display.as_deref().map_or(INLINE.contains(&element), |display| display == "inline");
        if inline && self.kept.iter().any(is_high) {
            self.kept.retain(|one| one.property != "display");
            self.kept.push(Declaration { property: "display".to_owned(), value: "inline-block".to_owned() });
        }
    }

    /// Whether the element is a table or a part of one, which grow with what is in them.
    pub(super) fn is_table_part(&self, element: &str) -> bool {
        let display = self.last("display").map(str::to_ascii_lowercase);
        match display.as_deref() {
            Some(display) => display.starts_with("table") || display == "inline-table",
            None => matches!(element, "table" | "tbody" | "thead" | "tfoot" | "tr" | "td" | "th"),
        }
    }
}

/// Elements that stand in a line of text.
const INLINE: [&str; 25] = [
    "a", "abbr", "b", "big", "cite", "code", "del", "em", "font", "i", "ins", "kbd", "mark", "q", "s", "samp", "small",
    "span", "strike", "strong", "sub", "sup", "tt", "u", "var",
];

/// Properties without which a signature looks the same.
const WITHOUT_EFFECT: &str = "caret-color orphans widows line-break text-size-adjust text-rendering box-sizing color-scheme \
                              font-feature-settings font-kerning font-optical-sizing font-variation-settings font-language-override \
                              font-size-adjust font-synthesis hyphens outline cursor user-select page quotes text-decoration-skip-ink \
                              text-decoration-thickness font-variant-alternates font-variant-east-asian font-variant-ligatures \
                              font-variant-numeric font-variant-position";

/// Whether it takes room above and below that is worth a line of its own.
fn is_high(one: &Declaration) -> bool {
    const LOW: f64 = 4.0;
    let parts: Vec<_> = one.value.split(' ').collect();
    let vertical: Vec<&str> = match one.property.as_str() {
        "padding" => parts.iter().copied().take(1).chain(parts.get(2).copied()).collect(),
        "padding-top" | "padding-bottom" => parts,
        property if property.starts_with("border") && !property.contains("radius") => parts,
        _ => return false,
    };
    vertical.into_iter().any(|part| match measure(part) {
        Some((pixels, Unit::Pixel)) => pixels > LOW,
        // Text may be that large.
        Some((times, Unit::Em)) => times * MAX_TEXT > LOW,
        Some((share, Unit::Percent)) => share > 0.0,
        Some((_, Unit::None)) | None => false,
    })
}

fn is_background(property: &str) -> bool {
    matches!(property, "background" | "background-image")
}

/// Whether a background has a picture, besides its colour.
fn names_an_image(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    ["url(", "image(", "image-set("].iter().any(|function| value.contains(function))
}

fn of_background(value: &str) -> Declaration {
    let value = if is_one_of(value, "none initial unset") { "transparent" } else { value };
    Declaration { property: "background-color".to_owned(), value: value.to_owned() }
}

/// The declaration in the form in which it stays; `None` if it goes.
fn kept(property: &str, value: &str) -> Option<Declaration> {
    if property == "background" && is_colour(value) {
        return Some(of_background(value));
    }
    let declaration = || Declaration { property: property.to_owned(), value: value.to_owned() };
    allows(property, value).then(declaration)
}

fn allows(property: &str, value: &str) -> bool {
    let one = |words: &str| is_one_of(value, words);
    match property {
        "color" | "background-color" => is_colour(value),
        "border-top-color" | "border-right-color" | "border-bottom-color" | "border-left-color" => is_colour(value),
        "border-color" => all(value, 4, is_colour),
        "border" | "border-top" | "border-right" | "border-bottom" | "border-left" => {
            all(value, 3, |part| is_border_width(part) || is_border_style(part) || is_colour(part))
        }
        "border-width" => all(value, 4, is_border_width),
        "border-top-width" | "border-right-width" | "border-bottom-width" | "border-left-width" => {
            is_border_width(value)
        }
        "border-style" => all(value, 4, is_border_style),
        "border-top-style" | "border-right-style" | "border-bottom-style" | "border-left-style" => {
            is_border_style(value)
        }
        "border-collapse" => one("collapse separate"),
        "border-spacing" => all(value, 2, |part| within(part, 0.0, MAX_SPACE, 0.0)),
        "border-radius" => all(value, 4, is_radius),
        "border-top-left-radius"
        | "border-top-right-radius"
        | "border-bottom-right-radius"
        | "border-bottom-left-radius" => all(value, 2, is_radius),
        "caption-side" => one("top bottom"),
        "clear" => one("none left right both"),
        "direction" => one("ltr rtl"),
        "display" => one(
            "none block inline inline-block table inline-table table-row table-cell table-row-group table-header-group \
             table-footer-group",
        ),
        "empty-cells" => one("show hide"),
        "float" => one("none left right"),
        "font" => font(value).is_some(),
        "font-family" => is_family(value),
        "font-size" => is_text_size(value),
        "font-style" => one("normal italic oblique"),
        "font-variant" | "font-variant-caps" => one("normal small-caps all-small-caps"),
        "font-weight" => is_weight(value),
        "letter-spacing" => one("normal") || within(value, -1.0, MAX_BORDER, 0.0),
        "line-height" => is_line_height(value),
        "list-style" => all(value, 2, |part| is_marker(part) || is_one_of(part, "inside outside")),
        "list-style-position" => one("inside outside"),
        "list-style-type" => is_marker(value),
        "margin" => all(value, 4, |part| part.eq_ignore_ascii_case("auto") || is_space(part)),
        "margin-top" | "margin-right" | "margin-bottom" | "margin-left" => one("auto") || is_space(value),
        "padding" => all(value, 4, is_space),
        "padding-top" | "padding-right" | "padding-bottom" | "padding-left" => is_space(value),
        "min-width" => one("auto") || within(value, 0.0, WIDE, 100.0),
        "width" | "height" | "min-height" | "max-width" | "max-height" => {
            one("auto none") || within(value, 0.0, MAX_SIDE, 100.0)
        }
        "object-fit" => one("contain cover fill none scale-down"),
        "opacity" => is_opacity(value),
        "overflow" | "overflow-x" | "overflow-y" => one("hidden"),
        "overflow-wrap" | "word-wrap" => one("normal break-word anywhere"),
        "table-layout" => one("auto fixed"),
        "text-align" => one("left right center justify start end"),
        "text-decoration" => all(value, 4, |part| is_colour(part) || within(part, 0.0, MAX_BORDER, 0.0)),
        "text-decoration-color" => is_colour(value),
        "text-decoration-line" => all(value, 3, |part| is_one_of(part, "none underline overline line-through")),
        "text-decoration-style" => one("solid double dotted dashed wavy"),
        "text-indent" => within(value, 0.0, MAX_SPACE, 50.0),
        "text-transform" => one("none uppercase lowercase capitalize"),
        "vertical-align" => one("baseline top middle bottom sub super text-top text-bottom -webkit-baseline-middle"),
        "white-space" => one("normal nowrap pre pre-line pre-wrap"),
        "word-break" => one("normal break-all break-word keep-all"),
        "word-spacing" => one("normal") || within(value, 0.0, MAX_SPACE, 0.0),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(style: &str) -> Option<String> {
        Style::of("td", style).written()
    }

    #[test]
    fn what_signatures_use_stays_as_it_was_written() {
        for style in [
            "color:#fff;background-color:#1a4fa0",
            "color:rgb(0 0 0 / 80%);background-color:rgba(0,0,0,.1)",
            "border:1px solid #ccc;border-top:2px dotted red;border-left:solid #1F3864 1.5pt;border-right:medium none",
            "border-left-color:#123456;border-top-width:2px;border-bottom-style:solid;border-top-left-radius:4px 2px",
            "border-collapse:collapse;border-spacing:0;border-radius:8px 4px",
            "margin:0 auto;margin-top:4px;padding:0cm 5.4pt 0cm 5.4pt",
            "width:100%;max-width:600px;min-width:200px;height:.4166in;width:1.25in",
            "font:bold 12px Arial;font:italic 700 10pt/1.4 'Segoe UI',sans-serif",
            "font-family:'Segoe UI',Arial,\"Curlz MT\",sans-serif;font-size:medium;font-size:1.2em;font-size:80%",
            "line-height:18px;line-height:1.5;line-height:120%;letter-spacing:-0.2px;letter-spacing:.5px",
            "vertical-align:-webkit-baseline-middle;text-align:center;white-space:nowrap;display:table-cell",
            "text-decoration:underline;text-decoration:none;text-transform:uppercase;font-weight:600;font-variant:small-caps",
            "float:left;clear:both;opacity:.5;overflow:hidden;direction:rtl;word-break:break-all;overflow-wrap:break-word",
            "list-style-type:none;list-style:none inside;text-indent:4px;table-layout:fixed;object-fit:cover;display:none",
        ] {
            assert_eq!(allowed(style).as_deref(), Some(style));
        }
        assert_eq!(
            allowed(" COLOR : Red ; /* ; */ Font-Size:12PX !important;;margin:\n1px\t2px ").as_deref(),
            Some("color:Red;font-size:12PX;margin:1px 2px")
        );
        assert_eq!(
            allowed("color:red;x:url(x);font-family:'Imagery'").as_deref(),
            Some("color:red;font-family:'Imagery'")
        );
    }

    #[test]
    fn a_background_keeps_its_colour() {
        for (style, kept) in [
            ("background:#1a4fa0", Some("#1a4fa0")),
            ("BACKGROUND:Navy", Some("Navy")),
            ("background:none", Some("transparent")),
            ("background:#fff url(https://a.example/x.png) no-repeat center", Some("#fff")),
            ("background:url(data:image/png;base64,AA==) repeat-x 0 0 / 10px rgb(1, 2, 3)", Some("rgb(1, 2, 3)")),
            ("background:linear-gradient(90deg,#000,#fff)", Some("#000")),
            ("background:linear-gradient(to right, rgba(1,2,3,.5) 10%, red)", Some("rgba(1,2,3,.5)")),
            ("background-image:-webkit-linear-gradient(top,navy,red)", Some("navy")),
            ("background:linear-gradient(red,blue),#123", Some("#123")),
            ("background:url(x)", None),
            ("background:var(--x) no-repeat", None),
            ("background-image:none", None),
        ] {
            let kept = kept.map(|colour| format!("background-color:{colour}"));
            assert_eq!(allowed(style), kept, "{style}");
        }
    }

    #[test]
    fn what_is_in_an_element_stays_within_it() {
        for (element, style, kept) in [
            ("div", "height:1px", "min-height:1px"),
            ("div", "height:auto", "height:auto"),
            ("div", "height:1px;overflow:hidden", "height:1px;overflow:hidden"),
            ("div", "max-height:0;overflow:hidden", "max-height:0;overflow:hidden"),
            ("div", "max-height:0;color:red", "color:red"),
            ("td", "height:1px", "height:1px"),
            ("td", "height:1px;display:block", "min-height:1px;display:block"),
            ("div", "display:table-cell;height:1px", "display:table-cell;height:1px"),
            ("img", "height:1px;display:block", "height:1px;display:block"),
            ("a", "padding:8px 14px", "padding:8px 14px;display:inline-block"),
            ("a", "padding:4px 14px", "padding:4px 14px"),
            ("a", "padding:0 0 200px", "padding:0 0 200px;display:inline-block"),
            ("span", "padding-top:.1em", "padding-top:.1em;display:inline-block"),
            ("span", "border:20px solid red", "border:20px solid red;display:inline-block"),
            ("div", "display:inline;padding:99px", "padding:99px;display:inline-block"),
            ("a", "padding:9px;display:block", "padding:9px;display:block"),
            ("p", "padding:9px", "padding:9px"),
            ("div", "max-width:900px", "max-width:100%"),
        ] {
            assert_eq!(Style::of(element, style).written().as_deref(), Some(kept), "{element} {style}");
            assert_eq!(Style::of(element, kept).written().as_deref(), Some(kept), "{element} {style}");
        }
    }

    #[test]
    fn what_goes_is_named_unless_nobody_would_miss_it() {
        let missed = Style::of(
            "p",
            "position:fixed;mso-line-height-rule:exactly;-webkit-x:1;color:red;caret-color:red;Margin:-9px",
        )
        .missed;
        assert_eq!(missed, ["position", "margin"]);
    }

    #[test]
    fn nothing_leaves_its_place_or_outgrows_its_box() {
        for style in [
            "margin-top:-340px",
            "margin:0 -1px",
            "margin:1px 1px 1px 1px 1px",
            "margin-left:100%",
            "padding:201px",
            "padding:5em",
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
            "opacity:0",
            "overflow:visible",
            "outline:9999px solid red",
            "box-shadow:0 0 0 9999px red",
            "text-shadow:0 -99px red",
            "text-indent:-9999px",
            "clip-path:none",
            "filter:none",
            "display:fixed",
            "display:flex",
            "display:list-item",
            "vertical-align:99px",
            "color:var(--x)",
            "color:expression(alert(1))",
            "color:rgb(calc(1))",
            "background:url(https://evil.example/x)",
            "background-image:none",
            "font-family:'\\75rl(x)'",
            "font-family:'a;b'",
            "font-family:'a",
            "content:'x'",
            "color:red}*{color:blue",
            "text-indent:-1px",
            "min-width:801px",
            "float:inline-start",
            "overflow:auto",
            "opacity:.01",
            "word-spacing:-9px",
            "writing-mode:vertical-rl",
            "shape-outside:circle(9px)",
            "behavior:url(x)",
            "-moz-binding:url(x)",
            "--x:1px",
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
