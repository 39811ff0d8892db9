//! Signatures that nobody wrote: whatever comes, what is kept is inert, stays in its place, and is not changed again.

use std::str::FromStr;

use proptest::prelude::*;

use super::{SignatureHtml, markup, removed::removed, style::Style, text};

/// A piece of a document: a tag, an attribute, a declaration, or something that ends one of them at the wrong place.
fn piece() -> impl Strategy<Value = String> {
    let words = |list: &'static str| proptest::sample::select(list.split(' ').collect::<Vec<_>>());
    let tags = "a b big caption dl dt mark picture tt p br div h1 li ul ol table tbody tr td th span font small sup pre hr img blockquote script style svg math \
                mtext mglyph title template noscript form input iframe object select option textarea plaintext xmp";
    let properties = "margin margin-top padding width height font font-size line-height position display color background \
                      letter-spacing vertical-align transform border z-index opacity -moz-binding float clear max-width \
                      min-width max-height overflow text-indent background-image padding-top border-top-width";
    let values = "-9px 9999px 100vh 5em 300% 0 red fixed none block url(x) expression(1) calc(1px) 9px/9 x !important \
                  larger var(--x) \\75rl(x) inherit left hidden inline 900px 9px #fff /**/ 'a;b' linear-gradient(red,blue)";
    let declaration = (words(properties), words(values)).prop_map(|(property, value)| format!("{property}:{value}"));
    let style = proptest::collection::vec(declaration, 1..4).prop_map(|list| list.join(";"));
    let attribute = prop_oneof![
        style.prop_map(|style| format!("style=\"{style}\"")),
        Just("href=javascript:alert(1)".to_owned()),
        Just("href=\"&#106;avascript:alert(1)\"".to_owned()),
        Just("src=\"https://a.example/x\"".to_owned()),
        Just("src=data:text/html,x onerror=alert(1)".to_owned()),
        (words("size width height border title align"), words("+7 1200 -1 99% \"<p>\" x '"))
            .prop_map(|(name, value)| format!("{name}={value}")),
    ];
    let open = (words(tags), proptest::collection::vec(attribute, 0..3))
        .prop_map(|(tag, attributes)| format!("<{tag} {}>", attributes.join(" ")));
    prop_oneof![
        4 => open,
        3 => words(tags).prop_map(|tag| format!("</{tag}>")),
        2 => "[ -~\u{a0}é]{0,8}",
        1 => proptest::sample::select(vec!["<!--", "-->", "<![CDATA[", "]]>", "&lt;", "&#60;", "\"", "'", "<", ">", "/*", "<?", "\t"])
            .prop_map(str::to_owned),
    ]
}

/// What the parser of a browser would find in it: the tags with their attributes, outside quotation marks.
fn tags(html: &str) -> Vec<String> {
    html.split('<').skip(1).map(|tag| tag.split('>').next().unwrap_or_default().to_owned()).collect()
}

fn name_of(tag: &str) -> &str {
    tag.trim_start_matches('/').split(' ').next().unwrap_or_default()
}

proptest! {
    #[test]
    fn what_is_kept_is_inert_and_in_its_place(pieces in proptest::collection::vec(piece(), 0..40)) {
        let raw = pieces.concat();
        let Ok(clean) = SignatureHtml::from_str(&raw) else { return Ok(()) };
        let clean = clean.as_str();
        let again = SignatureHtml::from_str(clean);
        prop_assert_eq!(again.as_ref().map(SignatureHtml::as_str), Ok(clean), "not the same again");
        prop_assert_eq!(text::objection(clean), None);
        prop_assert_eq!(removed(clean), vec![], "what was kept is said to be removed");
        for tag in tags(clean) {
            let name = name_of(&tag);
            prop_assert!(markup::is_kept(name), "{tag} in {clean}");
            // What stands in quotation marks is a value; the rest are names.
            let names: String = tag.split('"').step_by(2).collect();
            prop_assert!(!names.contains(" on") && !names.contains(" id"), "{tag}");
            for (at, value) in tag.split('"').enumerate().filter(|(at, _)| at % 2 == 1) {
                let name = tag.split('"').nth(at - 1).unwrap_or_default();
                if name.ends_with("style=") {
                    let value = value.replace("&quot;", "\"");
                    prop_assert_eq!(Style::of(name_of(tag.as_str()), &value).written(), Some(value.clone()), "{}", tag);
                }
                if name.ends_with("href=") || name.ends_with("src=") {
                    let lower = value.to_ascii_lowercase();
                    prop_assert!(["https:", "http:", "mailto:", "tel:", "sms:"].iter().any(|scheme| lower.trim_start().starts_with(scheme)), "{tag}");
                }
            }
        }
    }

    #[test]
    fn any_style_keeps_only_what_it_keeps_again(style in "[ -~]{0,60}|((margin|width|font|font-size):-?[0-9.]{1,4}(px|em|%|vh|);?){1,4}") {
        for element in ["a", "div", "td", "img"] {
            let Some(kept) = Style::of(element, &style).written() else { continue };
            prop_assert_eq!(Style::of(element, &kept), Style { missed: vec![], ..Style::of(element, &kept) });
            prop_assert_eq!(Style::of(element, &kept).written(), Some(kept.clone()));
            prop_assert!(!kept.contains(['\\', '<', '>', '{', '}', '@', '!']), "{kept}");
        }
    }
}
