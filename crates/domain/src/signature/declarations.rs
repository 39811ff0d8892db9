//! What a `style` attribute declares, as CSS reads it: comments, escapes and brackets included. What cannot be read costs itself
//! alone.

use cssparser::{Delimiter, ParseError, Parser, Token};

/// One declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declaration {
    /// The property, in lower case.
    pub(super) property: String,
    /// The value as it was written, with single spaces, without comments and without `!important`, which would override the
    /// page around it.
    pub(super) value: String,
}

/// The declarations, in their order.
pub(super) fn declarations(style: &str) -> Vec<Declaration> {
    let (mut parser, mut found) = (Parser::new(style), Vec::new());
    while !parser.is_exhausted() {
        found.extend(parser.parse_until_after(Delimiter::Semicolon, declaration).ok());
    }
    found
}

fn declaration<'i>(input: &mut Parser<'i>) -> Result<Declaration, ParseError<()>> {
    let property = input.expect_ident()?.to_ascii_lowercase();
    input.expect_colon()?;
    Ok(Declaration { property, value: unimportant(&value(input)).to_owned() })
}

/// The rest of the input.
fn value(input: &mut Parser<'_>) -> String {
    let mut text = String::new();
    loop {
        let start = input.position();
        let (is_space, opens) = match input.next_including_whitespace_and_comments() {
            Err(_) => return text.trim_end().to_owned(),
            Ok(token) => (matches!(token, Token::WhiteSpace(_) | Token::Comment(_)), opens(token)),
        };
        if opens {
            // Its content goes with it.
            let _: Result<(), ParseError<()>> = input.parse_nested_block(|inner| {
                while inner.next().is_ok() {}
                Ok(())
            });
        }
        if !is_space {
            let token = input.slice_from(start).split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            text.push_str(&token);
        } else if !text.is_empty() && !text.ends_with(' ') {
            text.push(' ');
        }
    }
}

fn opens(token: &Token<'_>) -> bool {
    matches!(token, Token::Function(_) | Token::ParenthesisBlock | Token::SquareBracketBlock | Token::CurlyBracketBlock)
}

fn unimportant(value: &str) -> &str {
    let important = value.rsplit_once('!').filter(|(_, word)| word.trim().eq_ignore_ascii_case("important"));
    important.map_or(value, |(value, _)| value.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_costs_itself_alone() {
        for (style, values) in [
            (
                " COLOR : Red ; /* ; */ Font-Size:12PX !important;;margin:\n1px/**/\t2px ",
                "color:Red|font-size:12PX|margin:1px 2px",
            ),
            ("color:red;/* no end", "color:red"),
            ("color:red;<!-- x:y -->;width:1px", "color:red|width:1px"),
            (
                "background:url(data:image/png;base64,AA==);width:1px",
                "background:url(data:image/png;base64,AA==)|width:1px",
            ),
            ("font-family:'a;b',c;width:1px", "font-family:'a;b',c|width:1px"),
            ("x:(a;b);y:{c;d};width:1px", "x:(a;b)|y:{c;d}|width:1px"),
            ("color;:red;4:5;@import 'x';width:1px", "width:1px"),
            ("co\\6cor:red", "color:red"),
            ("width:1px}*{x:y;color:red", "width:1px}*{x:y;color:red"),
            ("\u{feff}color:red;width:1px", "\u{feff}color:red|width:1px"),
        ] {
            let read: Vec<_> = declarations(style).into_iter().map(|one| one.property + ":" + &one.value).collect();
            assert_eq!(read.join("|"), values, "{style}");
        }
    }
}
