//! Connection strings of libpq, taken apart, so that its programs can be told about a database in a file that only this user can read.
//! On a command line everybody would see the password.

/// The keywords of a connection string with their values: of a URL, or of `key=value` words. `None` if it is neither.
pub(crate) fn words(text: &str) -> Option<Vec<(String, String)>> {
    match text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://")) {
        Some(rest) => of_url(rest),
        None => of_words(text),
    }
}

/// `[user[:password]@][host[:port],…][/database][?key=value&…]`, each part with `%XX` for special characters.
fn of_url(rest: &str) -> Option<Vec<(String, String)>> {
    let mut words = Vec::new();
    let mut add = |key: &str, value: &str| -> Option<()> {
        words.push((decoded(key)?, decoded(value)?));
        Some(())
    };
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = before.split_once('/').unwrap_or((before, ""));
    let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    for (key, value) in [("user", user), ("password", password), ("dbname", database)] {
        if !value.is_empty() {
            add(key, value)?;
        }
    }
    if !hosts.is_empty() {
        let apart: Vec<_> = hosts.split(',').map(host_and_port).collect();
        let (hosts, ports): (Vec<_>, Vec<_>) = apart.into_iter().unzip();
        add("host", &hosts.join(","))?;
        if ports.iter().any(|port| !port.is_empty()) {
            add("port", &ports.join(","))?;
        }
    }
    for (key, value) in query.split('&').filter_map(|word| word.split_once('=')) {
        add(key, value)?;
    }
    Some(words)
}

/// The host may be an IPv6 address in brackets.
fn host_and_port(host: &str) -> (&str, &str) {
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => (address, port.trim_start_matches(':')),
        None => host.split_once(':').unwrap_or((host, "")),
    }
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        decoded.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
    }
    String::from_utf8(decoded).ok()
}

/// `key = 'value'`, with white space around the sign, and `\'` for a quote in a value.
fn of_words(text: &str) -> Option<Vec<(String, String)>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=')?;
        let mut characters = after.trim_start().chars();
        let mut value = String::new();
        let quoted = characters.as_str().starts_with('\'');
        if quoted {
            characters.next();
        }
        loop {
            match characters.next() {
                Some('\\') => value.push(characters.next()?),
                Some('\'') if quoted => break,
                Some(character) if !quoted && character.is_whitespace() => break,
                Some(character) => value.push(character),
                None if quoted => return None,
                None => break,
            }
        }
        words.push((key.trim().to_owned(), value));
        rest = characters.as_str().trim_start();
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[track_caller]
    fn is(text: &str, expected: &[(&str, &str)]) {
        let expected: Vec<_> = expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        assert_eq!(words(text), Some(expected), "{text}");
    }

    #[test]
    fn a_connection_string_is_taken_apart_as_libpq_does_it() {
        is(
            "postgres://app:s3%40c%2Fr%25et@db:5433/tenantry?sslmode=require",
            &[
                ("user", "app"),
                ("password", "s3@c/r%et"),
                ("dbname", "tenantry"),
                ("host", "db"),
                ("port", "5433"),
                ("sslmode", "require"),
            ],
        );
        is("postgresql://[::1]:5432,other/t", &[("dbname", "t"), ("host", "::1,other"), ("port", "5432,")]);
        is(
            "postgresql:///t?host=%2Frun&hostaddr=&user=a",
            &[("dbname", "t"), ("host", "/run"), ("hostaddr", ""), ("user", "a")],
        );
        is("host=db password = 's3 c\\'ret' dbname=t", &[("host", "db"), ("password", "s3 c'ret"), ("dbname", "t")]);
        assert_eq!(words("host=db password='open"), None);
        assert_eq!(words("postgres://a:%zz@db/t"), None);
    }
}
