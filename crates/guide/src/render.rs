//! One page: from Markdown to HTML, with its headings and with what can be looked for in it.

use std::{collections::HashMap, iter::Peekable};

use pulldown_cmark::{Alignment, CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd, html};

use crate::{
    Page,
    links::{Links, Target, joined},
    sources::{PICTURES, Source},
};

/// What stands for the reader's own address and key in samples, with the name of the field that they put it into.
const FILLED: [(&str, &str); 2] = [("$TENANTRY_URL", "url"), ("$TENANTRY_KEY", "key")];

/// A heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// 2 or more.
    pub level: usize,
    /// Its anchor.
    pub id: String,
    /// Its text.
    pub text: String,
}

/// What stands below a heading, without markup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The anchor of the heading; empty at the beginning of the page.
    pub id: String,
    /// The heading.
    pub heading: String,
    /// The text.
    pub text: String,
}

/// Renders a page.
pub(crate) fn page(source: &Source, links: &Links) -> Page {
    let options = Options::ENABLE_TABLES | Options::ENABLE_HEADING_ATTRIBUTES | Options::ENABLE_STRIKETHROUGH;
    let mut writer = Writer {
        source,
        links,
        events: Vec::new(),
        open: Vec::new(),
        ids: HashMap::new(),
        title: String::new(),
        headings: Vec::new(),
        sections: vec![Section { id: String::new(), heading: String::new(), text: String::new() }],
        has_samples: false,
    };
    let mut events = Parser::new_ext(&source.text, options).peekable();
    while let Some(event) = events.next() {
        writer.take(event, &mut events);
    }
    let Writer { events, title, headings, mut sections, has_samples, .. } = writer;
    if let Some(first) = sections.first_mut() {
        first.heading.clone_from(&title);
    }
    let mut out = String::new();
    html::push_html(&mut out, events.into_iter());
    let text = sections.first().map(|first| first.text.trim()).unwrap_or_default();
    let summary = text.split_inclusive(". ").next().unwrap_or_default().trim().to_owned();
    Page { title, summary, html: out, headings, sections, has_samples }
}

struct Writer<'a> {
    source: &'a Source,
    links: &'a Links,
    events: Vec<Event<'a>>,
    /// How the links that are open end.
    open: Vec<&'static str>,
    /// How often each anchor was asked for.
    ids: HashMap<String, usize>,
    title: String,
    headings: Vec<Heading>,
    sections: Vec<Section>,
    has_samples: bool,
}

impl<'a> Writer<'a> {
    fn take(&mut self, event: Event<'a>, events: &mut Peekable<Parser<'a>>) {
        match event {
            Event::Start(Tag::Heading { level, id, .. }) => self.heading(level as usize, id.as_deref(), events),
            Event::Start(Tag::CodeBlock(kind)) => self.code(&kind, events),
            Event::Start(Tag::Image { dest_url, .. }) => self.picture(&dest_url, events),
            Event::Start(Tag::Link { dest_url, .. }) => self.link(&dest_url),
            Event::End(TagEnd::Link) => {
                let end = self.open.pop().unwrap_or_default();
                self.markup(end);
            }
            Event::Start(Tag::Table(columns)) => {
                self.markup("<div class=\"table\" tabindex=\"0\">");
                // Alignments would be styles in attributes, which the policy of the pages refuses.
                self.events.push(Event::Start(Tag::Table(vec![Alignment::None; columns.len()])));
            }
            Event::End(TagEnd::Table) => {
                self.events.push(Event::End(TagEnd::Table));
                self.markup("</div>");
            }
            // Markup is shown and not obeyed.
            Event::Html(text) | Event::InlineHtml(text) => self.text(text),
            Event::Text(text) => self.text(text),
            Event::Code(text) => {
                self.found(&text);
                self.events.push(Event::Code(text));
            }
            other => {
                if matches!(other, Event::SoftBreak | Event::HardBreak | Event::End(_)) {
                    self.found(" ");
                }
                self.events.push(other);
            }
        }
    }

    fn markup(&mut self, text: impl Into<CowStr<'a>>) {
        self.events.push(Event::Html(text.into()));
    }

    fn text(&mut self, text: CowStr<'a>) {
        self.found(&text);
        self.events.push(Event::Text(text));
    }

    /// Notes what can be looked for.
    fn found(&mut self, text: &str) {
        if let Some(section) = self.sections.last_mut() {
            section.text.push_str(text);
        }
    }

    fn heading(&mut self, level: usize, id: Option<&str>, events: &mut Peekable<Parser<'a>>) {
        let (mut inner, mut text) = (Vec::new(), String::new());
        for event in events.by_ref().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_)))) {
            if let Event::Text(part) | Event::Code(part) = &event {
                text.push_str(part);
            }
            // Headings are links to themselves, and there are no links in links.
            if !matches!(event, Event::Start(Tag::Link { .. }) | Event::End(TagEnd::Link)) {
                inner.push(event);
            }
        }
        if level == 1 && self.title.is_empty() {
            // It stands above the content.
            self.title = text;
            return;
        }
        let id = self.id(id.map_or_else(|| anchor(&text), str::to_owned));
        self.markup(format!("<h{level} id=\"{id}\"><a class=\"anchor\" href=\"#{id}\">"));
        self.events.append(&mut inner);
        self.markup(format!("</a></h{level}>\n"));
        self.sections.push(Section { id: id.clone(), heading: text.clone(), text: String::new() });
        self.headings.push(Heading { level, id, text });
    }

    /// The anchor, with a number if it is not the first of its kind.
    fn id(&mut self, wanted: String) -> String {
        let before = self.ids.entry(wanted.clone()).or_default();
        *before += 1;
        if *before == 1 { wanted } else { format!("{wanted}-{}", *before - 1) }
    }

    fn link(&mut self, link: &str) {
        let (begin, end) = match self.links.resolve(self.source.path, link) {
            Target::Address(address) => (format!("<a href=\"{}\">", quoted(&address)), "</a>"),
            Target::File(path) => {
                (format!("<span class=\"file\" title=\"In the repository: {}\">", quoted(&path)), "</span>")
            }
        };
        self.markup(begin);
        self.open.push(end);
    }

    /// A picture is part of the page, so that the colours of the page reach it.
    fn picture(&mut self, link: &str, events: &mut Peekable<Parser<'a>>) {
        let mut says = String::new();
        for event in events.by_ref().take_while(|event| !matches!(event, Event::End(TagEnd::Image))) {
            if let Event::Text(part) | Event::Code(part) = event {
                says.push_str(&part);
            }
        }
        let path = joined(self.source.path, link);
        let picture = PICTURES.iter().find(|(name, _)| *name == path).map_or("", |(_, svg)| svg);
        match picture.strip_prefix("<svg ") {
            Some(rest) => self.markup(format!("<svg role=\"img\" aria-label=\"{}\" {rest}", quoted(&says))),
            None => self.text(says.into()),
        }
    }

    fn code(&mut self, kind: &CodeBlockKind<'a>, events: &mut Peekable<Parser<'a>>) {
        let language = match kind {
            CodeBlockKind::Fenced(info) => info.split_whitespace().next().unwrap_or("text").to_owned(),
            CodeBlockKind::Indented => "text".to_owned(),
        };
        let mut code = String::new();
        for event in events.by_ref().take_while(|event| !matches!(event, Event::End(TagEnd::CodeBlock))) {
            if let Event::Text(part) = event {
                code.push_str(&part);
            }
        }
        self.found(&code);
        self.markup(format!(
            "<div class=\"sample\" data-language=\"{}\"><pre tabindex=\"0\"><code>",
            quoted(&language)
        ));
        let mut rest = code.as_str();
        while let Some((at, (variable, field))) =
            FILLED.iter().filter_map(|filled| Some((rest.find(filled.0)?, filled))).min()
        {
            self.has_samples = true;
            let (before, after) = rest.split_at(at);
            self.events.push(Event::Text(before.to_owned().into()));
            self.markup(format!("<span data-fill=\"{field}\">{variable}</span>"));
            rest = after.strip_prefix(variable).unwrap_or_default();
        }
        self.events.push(Event::Text(rest.to_owned().into()));
        self.markup("</code></pre></div>\n");
    }
}

/// The anchor of a heading, as readers of the repository know it.
fn anchor(text: &str) -> String {
    let kept = text.to_lowercase();
    let kept = kept.chars().filter_map(|character| match character {
        ' ' => Some('-'),
        '-' | '_' => Some(character),
        other => other.is_alphanumeric().then_some(other),
    });
    kept.collect()
}

/// A value between the quotes of an attribute.
fn quoted(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str) -> Page {
        let source = Source { path: "docs/guide/x.md", name: "x".to_owned(), text: text.to_owned() };
        page(&source, &Links::new([("docs/y.md", "y")].into_iter()))
    }

    #[test]
    fn headings_have_the_anchors_that_the_repository_gives_them() {
        let page = rendered(
            "# Title\n\nFirst. Second.\n\n## Versions: ETag and `If-Match`\n\n## Limits\n\n## Limits\n\n### `x` {#y_z}\n",
        );
        let ids: Vec<_> = page.headings.iter().map(|heading| (heading.level, heading.id.as_str())).collect();
        assert_eq!(ids, [(2, "versions-etag-and-if-match"), (2, "limits"), (2, "limits-1"), (3, "y_z")]);
        assert_eq!((page.title.as_str(), page.summary.as_str()), ("Title", "First."));
        assert_eq!(page.sections[1].heading, "Versions: ETag and If-Match");
        assert!(
            page.html.contains("<h3 id=\"y_z\"><a class=\"anchor\" href=\"#y_z\"><code>x</code></a></h3>"),
            "{}",
            page.html
        );
    }

    #[test]
    fn markup_is_text_and_nothing_in_a_page_is_a_style_or_a_script() {
        let page = rendered(
            "<script>alert(1)</script>\n\nA <b onclick=\"x\">b</b> [l](javascript:x) ![p](https://x.example/p.svg)\n\n| a |\n|--:|\n| <i> |\n\n```\"><script>\n<u>\n```\n",
        );
        for tag in ["<script", "<b", "<i>", "<u>", "<img", "style=", "javascript:"] {
            assert!(!page.html.contains(tag) || tag == "javascript:", "{tag}: {}", page.html);
        }
        assert!(!page.html.contains("href=\"javascript:"), "{}", page.html);
    }

    #[test]
    fn links_lead_to_pages_and_files_of_the_repository_are_named() {
        let html = rendered("[a](../y.md#b) and [c](../../Cargo.toml)").html;
        let wanted = "<a href=\"y#b\">a</a> and <span class=\"file\" title=\"In the repository: Cargo.toml\">c</span>";
        assert!(html.contains(wanted), "{html}");
    }

    #[test]
    fn samples_have_room_for_the_readers_own_address_and_key() {
        let page = rendered("```sh\ncurl \"$TENANTRY_URL/<x>\" -H \"Bearer $TENANTRY_KEY\"\n```\n");
        let wanted = "curl \"<span data-fill=\"url\">$TENANTRY_URL</span>/&lt;x&gt;\" -H \"Bearer <span data-fill=\"key\">$TENANTRY_KEY</span>\"";
        assert!(page.has_samples && page.html.contains(wanted), "{}", page.html);
        assert!(!rendered("`$TENANTRY_URL`").has_samples);
    }
}
