//! Which elements and attributes a signature may have. The sanitiser and the report of what it took away both ask here.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use ammonia::{Builder, UrlRelative};

use super::{
    address,
    style::Style,
    text,
    values::{MAX_SIDE, WIDE, within},
};

/// Elements that stay.
pub(super) const ELEMENTS: &str = "a abbr address b big blockquote br caption center cite code col colgroup dd del div dl dt em font \
                                   h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strike strong sub sup \
                                   table tbody td tfoot th thead tr tt u ul var";

/// Elements that go with everything in them.
const WITH_CONTENT: &str = "script style title";

/// Attributes of every element.
const EVERYWHERE: &str = "align dir lang style title valign";

/// Attributes of some elements.
const ATTRIBUTES: [(&str, &str); 14] = [
    ("a", "href"),
    ("br", "clear"),
    ("col", "span width"),
    ("colgroup", "span width"),
    ("font", "color face size"),
    ("hr", "color noshade size width"),
    ("img", "src alt width height border hspace vspace"),
    ("li", "type value"),
    ("ol", "type start reversed"),
    ("table", "border cellpadding cellspacing width height bgcolor role"),
    ("td", "colspan rowspan width height bgcolor nowrap"),
    ("th", "colspan rowspan width height bgcolor nowrap scope"),
    ("tr", "bgcolor height"),
    ("ul", "type"),
];

/// The widest border and padding of a table in pixels, and the most columns and rows that a cell covers.
const MAX_COUNT: u8 = 50;

/// The thickest rule, in pixels.
const MAX_RULE: u8 = 100;

struct Lists {
    elements: HashSet<&'static str>,
    with_content: HashSet<&'static str>,
    everywhere: HashSet<&'static str>,
    attributes: HashMap<&'static str, HashSet<&'static str>>,
}

fn words(list: &'static str) -> HashSet<&'static str> {
    list.split_whitespace().collect()
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| Lists {
    elements: words(ELEMENTS),
    with_content: words(WITH_CONTENT),
    everywhere: words(EVERYWHERE),
    attributes: ATTRIBUTES.into_iter().map(|(element, names)| (element, words(names))).collect(),
});

pub(super) static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    builder
        .tags(LISTS.elements.clone())
        .clean_content_tags(LISTS.with_content.clone())
        .generic_attributes(LISTS.everywhere.clone())
        .tag_attributes(LISTS.attributes.clone())
        .url_schemes(words(address::SCHEMES))
        // `attribute` decides on these.
        .url_relative(UrlRelative::PassThrough)
        .link_rel(Some("noopener noreferrer"))
        .attribute_filter(|element, attribute, value| match (element, attribute) {
            // Set by the sanitiser itself.
            ("a", "rel") => Some(value.into()),
            _ => self::attribute(element, attribute, value),
        });
    builder
});

/// Whether the element stays.
pub(super) fn is_kept(element: &str) -> bool {
    LISTS.elements.contains(element)
}

/// Whether nothing can stand in the element.
pub(super) fn is_void(element: &str) -> bool {
    matches!(element, "br" | "col" | "hr" | "img")
}

/// Whether the element may have the attribute, with some value.
pub(super) fn knows(element: &str, attribute: &str) -> bool {
    LISTS.everywhere.contains(attribute) || LISTS.attributes.get(element).is_some_and(|known| known.contains(attribute))
}

/// The value of an attribute that the element may have, as it stays; `None` if the attribute goes.
pub(super) fn attribute<'a>(element: &str, attribute: &str, value: &'a str) -> Option<Cow<'a, str>> {
    let up_to = |most: u8| value.trim().parse().is_ok_and(|number: u8| number <= most).then(|| value.into());
    match (element, attribute) {
        ("a", "href") => address::of_link(value),
        ("img", "src") => address::of_image(value),
        ("font", "size") => text::font_size(value).map(|_| value.into()),
        ("hr", "size") => up_to(MAX_RULE),
        ("ol", "start") | ("li", "value") => value.trim().parse::<i16>().is_ok().then(|| value.into()),
        (_, "style") => Style::of(element, value).written().map(Cow::Owned),
        // Cells and columns cannot be kept from growing beyond it.
        ("td" | "th" | "col" | "colgroup", "width") => is_side(value, WIDE).then(|| value.into()),
        (_, "width" | "height") => is_side(value, MAX_SIDE).then(|| value.into()),
        (_, "border" | "cellpadding" | "cellspacing" | "colspan" | "rowspan" | "span" | "hspace" | "vspace") => {
            up_to(MAX_COUNT)
        }
        _ => Some(value.into()),
    }
}

/// A length of an attribute: pixels, with or without a unit, or a percentage.
fn is_side(value: &str, most: f64) -> bool {
    let value = value.trim();
    within(&format!("{value}px"), 0.0, most, 0.0) || within(value, 0.0, most, 100.0)
}
