//! How much there may be of a signature before it is parsed, and what of it is not looked at.

/// The most tags. A signature that fills its 20,000 characters has a few hundred; a parser that is given thousands inside each
/// other needs the square of their number.
const MAX_TAGS: usize = 500;

/// The most elements that a parser may make of the tags.
const MAX_ELEMENTS: usize = 3_000;

/// The most attributes of one tag. A parser compares each with all before it.
const MAX_ATTRIBUTES: usize = 100;

/// Elements whose effect goes on in the next block when they are not closed in theirs: a parser repeats each of them in
/// each block that follows, so that a short text can stand for a very large document. (`a` ends the one before it.)
const FORMATTING: [&str; 13] =
    ["b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// Why a parser would need too long, found without parsing.
pub(super) fn too_complex(raw: &str) -> Option<String> {
    let (mut tags, mut elements, mut open) = (0, 0, [0_usize; FORMATTING.len()]);
    for tag in raw.split('<').skip(1) {
        tags += 1;
        let (closes, tag) = tag.strip_prefix('/').map_or((false, tag), |tag| (true, tag));
        let end = tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len());
        let (name, rest) = tag.split_at(end);
        if !name.is_empty() && attributes(rest).0 > MAX_ATTRIBUTES {
            return Some(format!("has a tag with more than {MAX_ATTRIBUTES} attributes, which is too much"));
        }
        if let Some(at) = FORMATTING.iter().position(|known| known.eq_ignore_ascii_case(name)) {
            open[at] = if closes { open[at].saturating_sub(1) } else { open[at] + 1 };
        }
        elements += 1 + open.iter().sum::<usize>();
        if tags > MAX_TAGS {
            return Some(format!("has more than {MAX_TAGS} tags, which is too many"));
        }
        if elements > MAX_ELEMENTS {
            return Some("has too much formatting that is not closed".to_owned());
        }
    }
    None
}

/// How many attributes come behind the name of a tag, at most, and where the tag ends.
fn attributes(tag: &str) -> (usize, usize) {
    let (mut count, mut before, mut quote) = (0, b' ', None);
    for (at, byte) in tag.bytes().enumerate() {
        match quote {
            Some(end) => {
                if byte == end {
                    (quote, count) = (None, count + 1);
                }
            }
            None if byte == b'>' => return (count, at + 1),
            // Elsewhere it is part of a name.
            None if matches!(byte, b'"' | b'\'') && before == b'=' => quote = Some(byte),
            None => count += usize::from((byte.is_ascii_whitespace() || byte == b'/') && before != b' '),
        }
        // `a = "x"` is one attribute.
        before = match byte {
            b'/' => b' ',
            byte if byte.is_ascii_whitespace() => {
                if before == b'=' {
                    b'='
                } else {
                    b' '
                }
            }
            byte => byte,
        };
    }
    (count, tag.len())
}

/// Elements whose content is no markup and is never kept.
const RAW: [&str; 2] = ["script", "style"];

/// Without comments, and without what stands in styles and scripts. Programs that write mail put far more there than into the
/// signature: what is not kept counts for no limit.
pub(super) fn without_comments(raw: &str) -> String {
    let (mut kept, mut rest) = (String::with_capacity(raw.len()), raw);
    while let Some(at) = rest.find('<') {
        let (text, markup) = rest.split_at(at);
        kept.push_str(text);
        if markup.starts_with("<!--") {
            rest = after_comment(markup);
            continue;
        }
        let name = markup.get(1..).unwrap_or_default().trim_start_matches('/');
        let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        // What is no tag ends with its first character.
        let end = if name.is_empty() { 1 } else { attributes(markup).1 };
        let (tag, behind) = markup.split_at(end);
        kept.push_str(tag);
        rest = match RAW.iter().find(|raw| raw.eq_ignore_ascii_case(name)) {
            Some(raw) if !tag.starts_with("</") => after_content(behind, raw),
            _ => behind,
        };
    }
    kept.push_str(rest);
    kept
}

/// What comes behind the comment that the text begins with. One that does not end goes on to the end.
fn after_comment(markup: &str) -> &str {
    // `<!-->` is one.
    let inside = markup.get(2..).unwrap_or_default();
    let ends = |at: &usize| {
        let before = inside.get(..*at).unwrap_or_default();
        before.ends_with("--") || before.ends_with("--!")
    };
    let end = inside.match_indices('>').map(|(at, _)| at).find(ends);
    end.and_then(|end| inside.get(end + 1..)).unwrap_or_default()
}

/// What comes behind the content of an element, from the tag that closes it on.
fn after_content<'a>(content: &'a str, name: &str) -> &'a str {
    let closes = |markup: &&str| {
        let closing = markup.strip_prefix("</").and_then(|tag| tag.get(..name.len()));
        closing.is_some_and(|closing| closing.eq_ignore_ascii_case(name))
    };
    content.match_indices('<').filter_map(|(at, _)| content.get(at..)).find(closes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_what_is_never_kept_go_and_nothing_else() {
        for (raw, kept) in [
            ("a<!-- b -->c", "ac"),
            ("a<!--[if mso]><p>b<![endif]-->c", "ac"),
            ("<!--[if !mso]><!-->a<!--<![endif]-->b", "ab"),
            ("a<!-->b<!--->c<!--x--!>d", "abcd"),
            ("a<!-- b", "a"),
            ("<p title=\"<!--\">a</p><!-- b --><p>c</p>", "<p title=\"<!--\">a</p><p>c</p>"),
            ("<STYLE type=x>p{}<b></Style>a<script>'<!--'</script>b", "<STYLE type=x></Style>a<script></script>b"),
            ("<style>a", "<style>"),
            ("a < b <!-- c --> <3 </ é<", "a < b  <3 </ é<"),
            ("<styles>a</styles><![if !vml]>b", "<styles>a</styles><![if !vml]>b"),
        ] {
            assert_eq!(without_comments(raw), kept, "{raw}");
        }
    }
}
