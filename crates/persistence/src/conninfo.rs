//! Connection strings of libpq: the one place that takes them apart, as libpq does it.
//!
//! Stricter than libpq in one thing: a password with a special character that is not escaped makes other parts look odd, and libpq
//! then repeats a piece of it as the name of a host or an option. Such a string is refused here, before anything can repeat it.

#[cfg(test)]
mod tests;

use diesel::{Connection, PgConnection};

/// Nothing can be in here, so that a socket in it leads nowhere.
const NOWHERE: &str = "/dev/null/tenantry";

/// Parameters whose values are whole numbers.
const NUMBERS: [&str; 6] =
    ["connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"];

/// A connection string that libpq can read, taken apart.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectionString {
    words: Vec<(String, String)>,
    shown: String,
}

impl ConnectionString {
    /// Takes apart a URL, or `key=value` words. `None` if it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let (words, shown) = match Url::split(text) {
            Some(url) => (url.words()?, url.shown()),
            None => {
                let words = of_words(text).filter(|words| !words.is_empty())?;
                let shown = joined(words.iter().map(|(key, value)| (key.as_str(), unless_secret(key, value))));
                (words, shown)
            }
        };
        let is_keyword = |key: &str| key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let is_port = |port: &str| port.is_empty() || port.parse::<u16>().is_ok();
        let is_plausible = words.iter().all(|(key, value)| match key.as_str() {
            "port" => value.split(',').map(|port| port.trim_matches(is_space)).all(is_port),
            key => !key.is_empty() && is_keyword(key),
        });
        is_plausible.then_some(Self { words, shown })
    }

    /// The string without its passwords.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Why libpq would not even begin to connect: a parameter or a value that it does not know. What it says contains no value of a
    /// secret.
    pub fn objection(&self) -> Option<String> {
        let asked = PgConnection::establish(&self.leading_nowhere()).err()?.to_string();
        let said = asked.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(name) = said.strip_prefix("invalid connection option ") {
            // A piece of a password that is not escaped can look like the name of a parameter.
            let is_safe = !self.shown.split_once('?').is_some_and(|(_, query)| query.contains('@'));
            let name = if is_safe { format!(" {name}") } else { String::new() };
            return Some(format!(
                "has a parameter{name} that libpq does not know: remove it, or write it as libpq does"
            ));
        }
        if !said.starts_with("connection to server ") {
            return Some(format!("is refused by libpq: {said}"));
        }
        // These libpq reads only later.
        let number =
            |(key, value): &&(String, String)| NUMBERS.contains(&key.as_str()) && value.parse::<i32>().is_err();
        self.words.iter().find(number).map(|(key, _)| format!("has a parameter \"{key}\" that must be a whole number"))
    }

    /// The same words, but with as many hosts that do not exist: libpq looks at everything else before it connects.
    fn leading_nowhere(&self) -> String {
        let count = |key: &str| {
            let last = self.words.iter().rev().find(|(own, _)| own == key);
            last.map_or(0, |(_, value)| value.split(',').count())
        };
        let hosts = vec![NOWHERE; count("host").max(count("hostaddr")).max(1)].join(",");
        let others = self.words.iter().filter(|(key, _)| !["host", "hostaddr"].contains(&key.as_str()));
        let others = others.map(|(key, value)| (key.as_str(), value.as_str()));
        // With a host of its own, a service would lead somewhere.
        joined(others.chain([("host", hosts.as_str()), ("hostaddr", "")]))
    }

    /// The keywords with their values. If one comes twice, the last one counts.
    pub(crate) fn words(&self) -> &[(String, String)] {
        &self.words
    }

    /// A connection string with the same words, and these where it does not have them.
    pub(crate) fn or(&self, defaults: &[(&str, &str)]) -> String {
        let own = self.words.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let says = |key: &str| self.words.iter().any(|(own, _)| own == key);
        joined(own.chain(defaults.iter().copied().filter(|(key, _)| !says(key))))
    }
}

/// A URL in pieces, none of them decoded: `[user[:password]@][host[:port],…][/database][?key=value&…]`.
struct Url<'a> {
    scheme: &'a str,
    user: Option<&'a str>,
    password: Option<&'a str>,
    hosts: &'a str,
    database: Option<&'a str>,
    query: Option<&'a str>,
}

impl<'a> Url<'a> {
    fn split(text: &'a str) -> Option<Self> {
        let (scheme, rest) =
            text.split_once("://").filter(|(scheme, _)| ["postgres", "postgresql"].contains(scheme))?;
        // Credentials end with the first @ that no slash comes before. A question mark or # may stand in them.
        let (credentials, rest) = match rest.find(['@', '/']) {
            Some(at) if rest[at..].starts_with('@') => (Some(&rest[..at]), &rest[at + 1..]),
            _ => (None, rest),
        };
        let (user, password) = match credentials.map(|both| (both, both.split_once(':'))) {
            None => (None, None),
            Some((_, Some((user, password)))) => (Some(user), Some(password)),
            Some((user, None)) => (Some(user), None),
        };
        let (before, query) = rest.split_once('?').map_or((rest, None), |(before, query)| (before, Some(query)));
        let (hosts, database) = before.split_once('/').map_or((before, None), |(hosts, name)| (hosts, Some(name)));
        Some(Self { scheme, user, password, hosts, database, query })
    }

    fn words(&self) -> Option<Vec<(String, String)>> {
        // What is left of a password in which @ or a slash is not escaped.
        if [Some(self.hosts), self.database].into_iter().flatten().any(|part| part.contains('@')) {
            return None;
        }
        let mut words = Vec::new();
        for (key, part) in [("user", self.user), ("password", self.password), ("dbname", self.database)] {
            if let Some(value) = part.filter(|value| !value.is_empty()) {
                words.push((key.to_owned(), decoded(value)?));
            }
        }
        let apart: Vec<_> = self.hosts.split(',').map(host_and_port).collect::<Option<_>>()?;
        let (hosts, ports): (Vec<_>, Vec<_>) = apart.into_iter().unzip();
        for (key, parts) in [("host", hosts), ("port", ports)] {
            let list = parts.join(",");
            if !list.is_empty() {
                words.push((key.to_owned(), decoded(&list)?));
            }
        }
        let query = self.query.filter(|query| !query.is_empty());
        // One & at the end is allowed.
        for pair in query.iter().flat_map(|query| query.strip_suffix('&').unwrap_or(query).split('&')) {
            let (key, value) = pair.split_once('=').filter(|(_, value)| !value.contains('='))?;
            words.push(match (decoded(key)?, decoded(value)?) {
                // As the driver of Java has it.
                (key, value) if key == "ssl" && value == "true" => ("sslmode".to_owned(), "require".to_owned()),
                word => word,
            });
        }
        Some(words)
    }

    fn shown(&self) -> String {
        let mut shown = format!("{}://", self.scheme);
        if let Some(user) = self.user {
            shown.push_str(user);
            shown.push_str(if self.password.is_some() { ":***@" } else { "@" });
        }
        shown.push_str(self.hosts);
        if let Some(database) = self.database {
            shown.push('/');
            shown.push_str(database);
        }
        for (at, pair) in self.query.iter().flat_map(|query| query.split('&')).enumerate() {
            shown.push(if at == 0 { '?' } else { '&' });
            match pair.split_once('=') {
                Some((key, value)) => {
                    // The name of a secret can be escaped, too.
                    let name = decoded(key).unwrap_or_default();
                    shown.push_str(&format!("{key}={}", unless_secret(&name, value)));
                }
                None => shown.push_str(pair),
            }
        }
        shown
    }
}

/// The host may be an IPv6 address in brackets.
fn host_and_port(part: &str) -> Option<(&str, &str)> {
    let Some(rest) = part.strip_prefix('[') else { return Some(part.split_once(':').unwrap_or((part, ""))) };
    let (address, after) = rest.split_once(']').filter(|(address, _)| !address.is_empty())?;
    match after.strip_prefix(':') {
        Some(port) => Some((address, port)),
        None => after.is_empty().then_some((address, "")),
    }
}

/// With `%XX` for special characters. Newer versions of libpq refuse a space, and cut off what comes after a line break.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        let byte = if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            u8::try_from(digit()? * 16 + digit()?).ok().filter(|byte| *byte != 0)?
        } else if is_space(char::from(byte)) {
            return None;
        } else {
            byte
        };
        decoded.push(byte);
    }
    String::from_utf8(decoded).ok()
}

/// `key = 'value'`, with white space around the sign, and a backslash before a character that stands for itself.
fn of_words(text: &str) -> Option<Vec<(String, String)>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=')?;
        let mut characters = after.trim_start_matches(is_space).chars();
        let mut value = String::new();
        let quoted = characters.as_str().starts_with('\'');
        if quoted {
            characters.next();
        }
        loop {
            match characters.next() {
                Some('\\') => value.extend(characters.next()),
                Some('\'') if quoted => break,
                Some(character) if !quoted && is_space(character) => break,
                Some(character) => value.push(character),
                None if quoted => return None,
                None => break,
            }
        }
        words.push((key.trim_end_matches(is_space).to_owned(), value));
        rest = characters.as_str().trim_start_matches(is_space);
    }
    Some(words)
}

fn joined<'a>(words: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let word = |(key, value): (&str, &str)| {
        let is_plain = |character: char| character.is_ascii_graphic() && !['\'', '\\'].contains(&character);
        if !value.is_empty() && value.chars().all(is_plain) {
            format!("{key}={value}")
        } else {
            format!("{key}='{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
        }
    };
    words.map(word).collect::<Vec<_>>().join(" ")
}

fn unless_secret<'a>(key: &str, value: &'a str) -> &'a str {
    let is_secret = key.contains("password") || key.contains("secret") || key.ends_with("_key");
    if is_secret { "***" } else { value }
}

/// What C calls space.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t'..='\r')
}
