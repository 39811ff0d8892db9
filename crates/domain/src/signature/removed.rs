//! What sanitising takes away that a reader of the signature could miss, so that whoever sent it hears of it.

use std::{
    cell::{Cell, RefCell},
    fmt,
};

use html5ever::{
    Attribute,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts, states::RawKind,
    },
};

use super::{markup, style::Style};
use crate::values::{Choice, choices};

/// The most that is said to be removed. Who reads so many needs no more.
pub const MAX_REMOVED: usize = 50;

/// The longest name of something removed, in characters.
const MAX_NAME: usize = 80;

/// Something that sanitising took away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// What it is.
    pub kind: RemovedKind,
    /// The name of the element, of the attribute or of the property; of a link or an image, its address, cut where it is long.
    pub name: String,
    /// The element that it was, or was at.
    pub element: String,
    /// Which of the elements of that name was the first it happened to, counted from 1.
    pub number: usize,
    /// How often the same was taken away from elements of that name.
    pub count: usize,
}

/// A kind of what sanitising takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovedKind {
    /// An element. Its text stays, unless it is a script or the like.
    Element,
    /// An attribute.
    Attribute,
    /// A declaration in a `style` attribute.
    Style,
    /// The address of a link, whose text stays.
    Link,
    /// An image.
    Image,
}

impl fmt::Display for Removed {
    /// In words, such as "style position of div 2".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, element, number, .. } = self;
        match kind {
            RemovedKind::Element => write!(f, "element {name} {number}"),
            _ => write!(f, "{} {name} of {element} {number}", kind.as_str()),
        }
    }
}

/// What happens to a signature that cannot stay as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignatureHandling {
    /// What is not allowed is removed.
    #[default]
    Sanitise,
    /// It is refused.
    Strict,
}

impl Choice for SignatureHandling {
    const ALL: &'static [(Self, &'static str)] = &[(Self::Sanitise, "sanitise"), (Self::Strict, "strict")];
    const MEANING: &'static str = "What happens to an HTML signature with content that is not allowed in an email.";
}
choices!(SignatureHandling);

impl Choice for RemovedKind {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::Element, "element"),
        (Self::Attribute, "attribute"),
        (Self::Style, "style"),
        (Self::Link, "link"),
        (Self::Image, "image"),
    ];
    const MEANING: &'static str = "What was removed from an HTML signature.";
}
choices!(RemovedKind);

/// Elements without which a signature looks the same: what surrounds a document, and what only holds others.
const WITHOUT_EFFECT: [&str; 12] =
    ["article", "body", "head", "html", "meta", "nobr", "picture", "section", "source", "title", "wbr", "xml"];

/// Attributes that show or do something, of elements that may not have them.
const MISSED: [&str; 10] =
    ["action", "background", "bgcolor", "formaction", "height", "poster", "src", "srcdoc", "usemap", "width"];

/// What is taken away of HTML that [`markup::SANITISER`] cleans, at most [`MAX_REMOVED`].
pub(super) fn removed(html: &str) -> Vec<Removed> {
    let input = BufferQueue::default();
    input.push_back(html.into());
    let tokenizer = Tokenizer::new(Report::default(), TokenizerOpts::default());
    // A script is not run.
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    tokenizer.sink.removed.into_inner()
}

/// Whether what an element says in this property shows on what is in it.
fn shows_within(property: &str) -> bool {
    property == "background-color"
        || ["color", "font", "text-", "line-height"].iter().any(|begin| property.starts_with(begin))
}

#[derive(Default)]
struct Report {
    removed: RefCell<Vec<Removed>>,
    /// How many elements of each name there were.
    seen: RefCell<Vec<(String, usize)>>,
    /// The drawing or the formula that is gone through.
    within: RefCell<Option<String>>,
    plain: Cell<bool>,
}

impl TokenSink for Report {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let Token::TagToken(tag) = token else { return TokenSinkResult::Continue };
        let name = &*tag.name;
        let mut within = self.within.borrow_mut();
        if let Some(outer) = within.as_deref() {
            if tag.kind == TagKind::EndTag && outer == name {
                *within = None;
            }
            return TokenSinkResult::Continue;
        }
        if tag.kind == TagKind::EndTag {
            return TokenSinkResult::Continue;
        }
        self.look_at(&tag);
        match name {
            "svg" | "math" if !tag.self_closing => *within = Some(name.to_owned()),
            "script" => return TokenSinkResult::RawData(RawKind::ScriptData),
            "style" | "iframe" | "noembed" | "noframes" | "xmp" => return TokenSinkResult::RawData(RawKind::Rawtext),
            "title" | "textarea" => return TokenSinkResult::RawData(RawKind::Rcdata),
            "plaintext" => self.plain.set(true),
            _ => {}
        }
        if self.plain.get() { TokenSinkResult::Plaintext } else { TokenSinkResult::Continue }
    }
}

impl Report {
    fn look_at(&self, tag: &Tag) {
        let element = &*tag.name;
        let number = self.count(element);
        let missed = |kind, name: &str| self.add(kind, name, element, number);
        if !markup::is_kept(element) {
            // Those of XML say how Microsoft's programs wrote it.
            if !element.contains(':') && !WITHOUT_EFFECT.contains(&element) {
                missed(RemovedKind::Element, element);
            }
            let body = tag.attrs.iter().filter(|_| element == "body");
            for Attribute { name, value } in body {
                match &*name.local {
                    "bgcolor" | "background" => missed(RemovedKind::Attribute, &name.local),
                    // What is around a signature does not stay, and what it says of colours and letters with it.
                    "style" => {
                        let Style { kept, missed: gone, .. } = Style::of("div", value);
                        let kept = kept.into_iter().map(|one| one.property).filter(|name| shows_within(name));
                        kept.chain(gone).for_each(|name| missed(RemovedKind::Style, &name));
                    }
                    _ => {}
                }
            }
            return;
        }
        for Attribute { name, value } in &tag.attrs {
            let name = &*name.local;
            let known = markup::knows(element, name);
            match (element, name) {
                (_, "style") => Style::of(element, value).missed.iter().for_each(|one| missed(RemovedKind::Style, one)),
                ("a", "href") if markup::attribute(element, name, value).is_none() => missed(RemovedKind::Link, value),
                ("img", "src") if markup::attribute(element, name, value).is_none() => {
                    missed(RemovedKind::Image, value)
                }
                // What says nothing is not missed.
                _ if known
                    && !matches!(value.trim(), "" | "auto")
                    && markup::attribute(element, name, value).is_none() =>
                {
                    missed(RemovedKind::Attribute, name);
                }
                _ if !known && (name.starts_with("on") || MISSED.contains(&name)) => {
                    missed(RemovedKind::Attribute, name);
                }
                _ => {}
            }
        }
    }

    fn count(&self, element: &str) -> usize {
        let mut seen = self.seen.borrow_mut();
        if let Some((_, count)) = seen.iter_mut().find(|(name, _)| name == element) {
            *count += 1;
            return *count;
        }
        seen.push((element.to_owned(), 1));
        1
    }

    fn add(&self, kind: RemovedKind, name: &str, element: &str, number: usize) {
        let cut = |text: &str| text.trim().chars().take(MAX_NAME).collect::<String>();
        let (name, element) = (cut(name), cut(element));
        let mut removed = self.removed.borrow_mut();
        let same = |one: &&mut Removed| one.kind == kind && one.name == name && one.element == element;
        if let Some(one) = removed.iter_mut().find(same) {
            one.count += 1;
        } else if removed.len() < MAX_REMOVED {
            removed.push(Removed { kind, name, element, number, count: 1 });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(html: &str) -> String {
        let said =
            |one: &Removed| format!("{} {} {}#{} x{}", one.kind.as_str(), one.name, one.element, one.number, one.count);
        removed(html).iter().map(said).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn what_a_reader_would_miss_is_named_with_its_place() {
        for (html, expected) in [
            ("<p class=\"x\" id=\"y\" data-z=\"1\">a<o:p></o:p></p><!-- x -->", ""),
            ("<html><head><meta charset=\"x\"><title><b>x</title></head><body>a", ""),
            ("<p style=\"position:fixed;color:red;mso-x:1;-webkit-y:2\">a", "style position p#1 x1"),
            ("<p><p style=\"top:0\"><p style=\"top:1px;left:0\">", "style top p#2 x2; style left p#3 x1"),
            ("<img><img src=\"cid:image001.png@01\" width=\"9\">", "image cid:image001.png@01 img#2 x1"),
            ("<a href=\"skype:x?chat\">x</a><a>", "link skype:x?chat a#1 x1"),
            (
                "<td width=\"9999\" background=\"https://a.example/x\" onclick=\"x()\">",
                "attribute width td#1 x1; attribute background td#1 x1; attribute onclick td#1 x1",
            ),
            (
                "<style>p{color:red}<b x></style><script>'<form>'</script>",
                "element style style#1 x1; element script script#1 x1",
            ),
            (
                "<svg><path d=\"x\"/><a href=\"skype:x\"></a></svg><form>",
                "element svg svg#1 x1; element form form#1 x1",
            ),
            ("<body bgcolor=\"#000\">", "attribute bgcolor body#1 x1"),
            (
                "<body style=\"background:#1a4fa0 url(x);color:#fff;font:12px Arial;word-wrap:break-word;mso-x:1\">",
                "style background-color body#1 x1; style color body#1 x1; style font body#1 x1; style background body#1 x1",
            ),
            ("<body style=\"word-wrap:break-word;-webkit-nbsp-mode:space;line-break:after-white-space\">", ""),
            ("<p style=\"background:#123 url(https://a.example/x.png)\">", "style background p#1 x1"),
            ("<p style=\"background:linear-gradient(red,blue)\">", ""),
            ("<td width=\"\">", ""),
        ] {
            assert_eq!(said(html), expected, "{html}");
        }
    }

    #[test]
    fn the_list_and_its_names_are_bounded() {
        let many: String = (0..99).map(|number| format!("<x{number}>")).collect();
        assert_eq!(removed(&many).len(), MAX_REMOVED);
        let long = format!("<img src=\"data:{}\">", "x".repeat(1_000));
        assert_eq!(removed(&long).first().map(|one| one.name.len()), Some(MAX_NAME));
    }
}
