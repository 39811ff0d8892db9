//! What a server has on record.

use mail_parser::{Message, MessageParser};

/// All that was said on one connection.
#[derive(Debug, Clone, Default)]
pub struct Conversation {
    /// The lines, but for the content of messages.
    pub lines: Vec<Said>,
}

/// A line of a conversation, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Whether the client said it.
    pub by_client: bool,
    /// Whether it was encrypted.
    pub encrypted: bool,
    /// The line.
    pub line: String,
}

impl Conversation {
    /// What the client said, in order.
    pub fn commands(&self) -> Vec<&str> {
        self.lines.iter().filter(|said| said.by_client).map(|said| said.line.as_str()).collect()
    }

    /// What the client said in the clear, in order.
    pub fn commands_in_the_clear(&self) -> Vec<&str> {
        let in_the_clear = |said: &&Said| said.by_client && !said.encrypted;
        self.lines.iter().filter(in_the_clear).map(|said| said.line.as_str()).collect()
    }
}

/// A message that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedMail {
    /// The sender of the envelope, without angle brackets.
    pub from: String,
    /// The recipients of the envelope, without angle brackets.
    pub to: Vec<String>,
    /// The message as it was before dots were added to it.
    pub content: Vec<u8>,
}

impl ReceivedMail {
    /// The message, read.
    #[track_caller]
    pub fn parsed(&self) -> Message<'_> {
        MessageParser::default().parse(&self.content).expect("a message")
    }

    /// The values of the headers with this name as they were sent, without line ends; those of the parts are none of them.
    pub fn headers(&self, name: &str) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.content);
        let head = text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ").replace("\r\n\t", " ");
        let headers = head.split("\r\n").filter_map(|line| line.split_once(':'));
        let named = headers.filter(|(found, _)| found.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.trim().to_owned()).collect()
    }

    /// The text part, decoded, with `\n` at the ends of its lines.
    #[track_caller]
    pub fn text(&self) -> String {
        self.parsed().body_text(0).expect("a text part").replace("\r\n", "\n")
    }

    /// The HTML part, decoded, with `\n` at the ends of its lines.
    #[track_caller]
    pub fn html(&self) -> String {
        self.parsed().body_html(0).expect("an HTML part").replace("\r\n", "\n")
    }
}
