//! The table of contents: `docs/contents.md`, in which each heading is a group and each item of a list is a page.

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};

use crate::{links::joined, sources::Source};

/// The file with the table of contents.
const CONTENTS: &str = "docs/contents.md";

/// The heading over pages that the table of contents does not name.
const REST: &str = "More";

/// A group of pages.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    /// Its heading.
    pub title: String,
    /// Its pages.
    pub entries: Vec<Entry>,
}

/// A page in the table of contents.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name in its address.
    pub name: String,
    /// What the table of contents calls it.
    pub title: String,
}

/// Reads the table of contents. Pages that it does not name follow at the end. The pages of decisions have a table of their own.
pub(crate) fn read(contents: &str, sources: &[Source]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    // What else an item links to is not what it is about.
    let (mut text, mut path, mut is_first) = (String::new(), None, false);
    for event in Parser::new(contents) {
        match event {
            Event::Start(Tag::Heading { .. }) => text.clear(),
            Event::Start(Tag::Item) => is_first = true,
            Event::Start(Tag::Link { dest_url, .. }) if is_first => {
                text.clear();
                path = Some(joined(CONTENTS, &dest_url));
            }
            Event::Text(part) | Event::Code(part) => text.push_str(&part),
            Event::End(TagEnd::Heading(HeadingLevel::H2)) => {
                groups.push(Group { title: std::mem::take(&mut text), entries: Vec::new() });
            }
            Event::End(TagEnd::Link) if std::mem::take(&mut is_first) => {
                let source = sources.iter().find(|source| Some(source.path) == path.as_deref());
                if let (Some(group), Some(source)) = (groups.last_mut(), source) {
                    group.entries.push(Entry { name: source.name.clone(), title: std::mem::take(&mut text) });
                }
            }
            _ => {}
        }
    }
    let is_named = |name: &str| groups.iter().flat_map(|group| &group.entries).any(|entry| entry.name == name);
    let rest = sources
        .iter()
        .filter(|source| source.path != CONTENTS && !source.path.starts_with("docs/adr/") && !is_named(&source.name));
    let entries: Vec<_> = rest.map(|source| Entry { name: source.name.clone(), title: title(&source.text) }).collect();
    if !entries.is_empty() {
        groups.push(Group { title: REST.to_owned(), entries });
    }
    groups
}

/// The group that the file does not have, as the file would have it.
pub(crate) fn rest_as_markdown(groups: &[Group]) -> String {
    let rest = groups.iter().filter(|group| group.title == REST).map(|group| {
        let items = group.entries.iter().map(|entry| format!("- [{}](/docs/{})\n", entry.title, entry.name));
        format!("\n## {REST}\n\n{}", items.collect::<String>())
    });
    rest.collect()
}

/// The first heading.
fn title(text: &str) -> String {
    text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &'static str, name: &str) -> Source {
        Source { path, name: name.to_owned(), text: format!("# The {name}\n") }
    }

    #[test]
    fn pages_stand_in_their_groups_and_what_is_not_named_at_the_end() {
        let sources = [
            source("docs/contents.md", "guide"),
            source("docs/guide/a.md", "a"),
            source("docs/b.md", "b"),
            source("docs/c.md", "c"),
            source("docs/adr/0001-x.md", "adr-0001-x"),
        ];
        let groups = read("# Guide\n\n## Start\n\n- [First](guide/a.md): with [a link](b.md).\n", &sources);
        let entry = |name: &str, title: &str| Entry { name: name.to_owned(), title: title.to_owned() };
        let start = Group { title: "Start".to_owned(), entries: vec![entry("a", "First")] };
        let rest = Group { title: "More".to_owned(), entries: vec![entry("b", "The b"), entry("c", "The c")] };
        assert_eq!(groups, [start, rest]);
        assert_eq!(rest_as_markdown(&groups), "\n## More\n\n- [The b](/docs/b)\n- [The c](/docs/c)\n");
    }
}
