//! The Markdown that the program carries with the files that it includes, and the names of its pages.

include!(concat!(env!("OUT_DIR"), "/sources.rs"));

/// The beginning of the title of a link that a part which the program makes takes the place of.
const GENERATED: &str = "\"generated: ";

/// A page in Markdown.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its path in the repository.
    pub(crate) path: &'static str,
    /// Its name in addresses.
    pub(crate) name: String,
    /// What it says.
    pub(crate) text: String,
}

/// All pages, with the parts that the program makes of what it knows.
pub(crate) fn all(generated: &[(&str, String)]) -> Vec<Source> {
    let source = |(path, text): &(&'static str, &'static str)| {
        let lines = text.lines().map(|line| match (generated_by(line, generated), included_by(line, path)) {
            // The part is written like a page in `docs/`.
            (Some(part), _) if path.starts_with("docs/guide/") => one_step_below(part),
            (Some(part), _) => part.to_owned(),
            (None, Some(sample)) => sample,
            (None, None) => format!("{line}\n"),
        });
        Source { path, name: name(path), text: lines.collect() }
    };
    PAGES.iter().map(source).collect()
}

/// The part that takes the place of this line.
fn generated_by<'a>(line: &str, generated: &'a [(&str, String)]) -> Option<&'a str> {
    let (_, rest) = line.split_once(GENERATED).filter(|_| line.starts_with('['))?;
    let wanted = rest.strip_suffix("\")")?;
    generated.iter().find(|(name, _)| *name == wanted).map(|(_, part)| part.as_str())
}

/// The file that takes the place of this line of a page, as a block of code.
fn included_by(line: &str, page: &str) -> Option<String> {
    let (.., (path, code)) = INCLUDED.iter().find(|(of, gives_way, _)| (*of, *gives_way) == (page, line))?;
    let language = match path.rsplit('.').next() {
        Some("py") => "python",
        Some("ts") => "typescript",
        Some("rs") => "rust",
        Some(other) => other,
        None => "text",
    };
    Some(format!("````{language}\n{code}````\n"))
}

/// The part with links to other files as a page has them that stands one step below.
fn one_step_below(part: &str) -> String {
    let mut pieces = part.split("](");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| {
        let step = if piece.starts_with(['#', '/']) { "" } else { "../" };
        text + "](" + step + piece
    })
}

/// The name of the page that stands here: `errors` of `docs/guide/errors.md`, `adr-0001-…` of `docs/adr/0001-….md`.
fn name(path: &str) -> String {
    match path {
        "docs/contents.md" => crate::HOME.to_owned(),
        "docs/adr/README.md" => "decisions".to_owned(),
        _ => {
            let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".md").to_lowercase();
            if path.starts_with("docs/adr/") { format!("adr-{stem}") } else { stem }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_page_has_a_name_of_its_own_that_needs_no_encoding_and_is_no_file() {
        let names: Vec<_> = all(&[]).into_iter().map(|source| source.name).collect();
        let different: HashSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
        let is_plain = |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        assert!(names.iter().all(is_plain), "{names:?}");
    }

    #[test]
    fn links_of_a_part_lead_to_the_same_from_one_step_below() {
        let part = "[a](#b) [c](/docs#d) [e](f.md#g) (h)";
        assert_eq!(one_step_below(part), "[a](#b) [c](/docs#d) [e](../f.md#g) (h)");
    }

    #[test]
    fn a_file_takes_the_place_of_the_line_that_includes_it_and_of_no_other() {
        let (page, line, (_, text)) = INCLUDED.iter().find(|(.., (path, _))| path.ends_with(".py")).unwrap();
        assert_eq!(included_by(line, page), Some(format!("````python\n{text}````\n")));
        assert_eq!(included_by(&format!("See {line}"), page), None);
        assert_eq!(included_by(line, "docs/another.md"), None);
    }

    #[test]
    fn a_generated_part_takes_the_place_of_its_line_and_of_no_other() {
        let parts = [("roles", "| a |\n".to_owned())];
        let line = "[The table](../x.txt \"generated: roles\")";
        assert_eq!(generated_by(line, &parts), Some("| a |\n"));
        for other in ["[The table](../x.txt \"generated: rules\")", "See [it](../x.txt \"generated: roles\")", "[x](y)"]
        {
            assert_eq!(generated_by(other, &parts), None, "{other}");
        }
    }
}
