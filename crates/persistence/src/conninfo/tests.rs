//! Connection strings, with libpq as the judge: what it says to a server is what we read.

use std::{
    collections::HashMap,
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
};

use diesel::{Connection, PgConnection};

use super::ConnectionString;

fn words(text: &str) -> Option<Vec<(String, String)>> {
    ConnectionString::parse(text).map(|read| read.words)
}

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
    is("postgres://a,b", &[("host", "a,b"), ("port", ",")]);
    is("postgresql://", &[]);
    is("postgres://db?connect_timeout=1&", &[("host", "db"), ("connect_timeout", "1")]);
    is("postgres://db?ssl=true", &[("host", "db"), ("sslmode", "require")]);
    is("postgres://a:b?c#d:e@db", &[("user", "a"), ("password", "b?c#d:e"), ("host", "db")]);
    is("postgres://:b@db", &[("password", "b"), ("host", "db")]);
    is(
        "postgresql:///tenantry?host=/run/postgresql&hostaddr=&user=a",
        &[("dbname", "tenantry"), ("host", "/run/postgresql"), ("hostaddr", ""), ("user", "a")],
    );
    is("host=db password = 's3 c\\'ret' dbname=t", &[("host", "db"), ("password", "s3 c'ret"), ("dbname", "t")]);
    is("host=db\tpassword=s3\\ c\\\\ret\\", &[("host", "db"), ("password", "s3 c\\ret")]);
    is("dbname='' host=a,b port=1,2", &[("dbname", ""), ("host", "a,b"), ("port", "1,2")]);
}

#[test]
fn what_libpq_would_misread_and_then_repeat_is_refused() {
    for bad in [
        "",
        " ",
        "s3cret",
        "host=db password='open",
        "host db=s3cret",
        "host=db password=pa ss",
        "host=db password=s3 c?ret=x",
        "host=db port=s3cret",
        "mysql://app:s3cret@db/t",
        "mysql://app:s3=cret@db/t",
        "postgres://a:s3c%ret@db/t",
        "postgres://a:s3cret%@db/t",
        "postgres://a:s3%00cret@db/t",
        "postgres://a:s3 cret@db/t",
        "postgres://a:s3cret\n@db/t",
        "postgres://a:s3@cret@db/t",
        "postgres://a:s3/cret@db/t",
        "postgres://a:12/cret@db/t",
        "postgres://a:s3cret@db:notaport/t",
        "postgres://a:s3cret@[::1/t",
        "postgres://a:s3cret@[]/t",
        "postgres://a:s3cret@[::1]x/t",
        "postgres://a:b@db?s3cret",
        "postgres://a:b@db?password=s3=cret",
        "postgres://a:b@db?s3 cret=x",
    ] {
        assert_eq!(words(bad), None, "{bad}");
    }
}

#[test]
fn a_password_is_never_shown_and_the_rest_is() {
    for (text, shown) in [
        ("postgres://app:s3cret@db:5432/tenantry", "postgres://app:***@db:5432/tenantry"),
        ("postgres://app:s3?c#ret@db", "postgres://app:***@db"),
        ("postgres://app@db/t?password=s3cret&a=b", "postgres://app@db/t?password=***&a=b"),
        ("postgres://app@db/t?p%61ssword=s3cret", "postgres://app@db/t?p%61ssword=***"),
        ("postgres:///tenantry?host=/run/postgresql", "postgres:///tenantry?host=/run/postgresql"),
        ("host=db password='s3 cret'  sslpassword=s3cret", "host=db password=*** sslpassword=***"),
        ("host=db scram_client_key=s3cret", "host=db scram_client_key=***"),
    ] {
        assert_eq!(ConnectionString::parse(text).as_ref().map(ConnectionString::shown), Some(shown));
    }
}

#[test]
fn what_a_string_leaves_open_is_added_and_nothing_else() {
    let or = |text: &str| {
        ConnectionString::parse(text).map(|read| read.or(&[("connect_timeout", "5"), ("keepalives", "1")]))
    };
    for (text, expected) in [
        ("postgres://a:b?c@d/e", "user=a password=b?c dbname=e host=d connect_timeout=5 keepalives=1"),
        ("postgres://d?connect_timeout=60&keepalives=0", "host=d connect_timeout=60 keepalives=0"),
        // Words in a value are no words.
        ("password='x connect_timeout=9 '", "password='x connect_timeout=9 ' connect_timeout=5 keepalives=1"),
        ("user='' password=\\'\\\\", "user='' password='\\'\\\\' connect_timeout=5 keepalives=1"),
    ] {
        assert_eq!(or(text).as_deref(), Some(expected));
    }
}

/// What libpq says to a server that asks for the password in clear.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    user: String,
    database: String,
    password: String,
}

/// What libpq says when it connects with this string, in which `{}` stands for where to.
fn said(text: &str, to: SocketAddr, listener: &TcpListener) -> io::Result<Said> {
    let text = text.replace("{}", &to.port().to_string());
    thread::scope(|scope| {
        scope.spawn(move || PgConnection::establish(&text).is_err());
        hear(listener.accept()?.0)
    })
}

fn hear(mut client: TcpStream) -> io::Result<Said> {
    let start_up = loop {
        let message = message(&mut client)?;
        // Version 3 of the protocol. Anything before asks for encryption.
        if message.starts_with(&[0, 3]) {
            break message;
        }
        client.write_all(b"N")?;
    };
    let mut parts = start_up.get(4..).unwrap_or_default().split(|byte| *byte == 0).map(text);
    let mut parameters = HashMap::new();
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        parameters.insert(name, value);
    }
    client.write_all(b"R\0\0\0\x08\0\0\0\x03")?;
    let mut kind = [0];
    client.read_exact(&mut kind)?;
    assert_eq!(&kind, b"p");
    let password = message(&mut client)?;
    let mut parameter = |name: &str| parameters.remove(name).unwrap_or_default();
    Ok(Said {
        user: parameter("user"),
        database: parameter("database"),
        password: text(password.strip_suffix(b"\0").unwrap_or(&password)),
    })
}

/// A message without its length.
fn message(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    client.read_exact(&mut length)?;
    let mut message = vec![0; u32::from_be_bytes(length) as usize - 4];
    client.read_exact(&mut message)?;
    Ok(message)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn libpq_reads_a_hostile_password_as_we_do_and_gets_it_from_us_as_it_is() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let to = listener.local_addr()?;
    for (text, password) in [
        ("postgres://app:s3?cret@127.0.0.1:{}/tenantry", "s3?cret"),
        ("postgres://app:s3#c:r&e=t'\\@127.0.0.1:{}/tenantry", "s3#c:r&e=t'\\"),
        ("postgres://app:%3F%40%25%2F%23%20%27%22%5C%C3%A4@127.0.0.1:{}/tenantry", "?@%/# '\"\\ä"),
        ("postgresql://app@127.0.0.1:{}/tenantry?password=a%26b%3Dc+d", "a&b=c+d"),
        ("postgres:///tenantry?password=x&host=127.0.0.1&port={}&user=app", "x"),
        ("host=127.0.0.1 port={} user=app dbname=tenantry password=?@%2F/#\"", "?@%2F/#\""),
        ("host=127.0.0.1 port={} user=app dbname=tenantry password='s3 c\\'r\\\\et = '", "s3 c'r\\et = "),
        ("host=127.0.0.1 port={} user = app dbname = tenantry password = s3\\ cr'et\\", "s3 cr'et"),
        ("host=127.0.0.1 port={} user=app dbname=tenantry password=one password=two", "two"),
    ] {
        let expected = Said { user: "app".to_owned(), database: "tenantry".to_owned(), password: password.to_owned() };
        assert_eq!(said(text, to, &listener)?, expected, "what libpq reads in {text}");
        let read = ConnectionString::parse(&text.replace("{}", &to.port().to_string()));
        let read = read.ok_or_else(|| io::Error::other(text))?;
        let word = |name: &str| read.words().iter().rfind(|(key, _)| key == name).map(|(_, value)| value.clone());
        let ours = [word("user"), word("dbname"), word("password")].map(Option::unwrap_or_default);
        assert_eq!(ours, [expected.user.as_str(), &expected.database, &expected.password], "what we read in {text}");
        let ours = read.or(&[("connect_timeout", "5")]);
        assert_eq!(said(&ours, to, &listener)?, expected, "what libpq reads in what we make of {text}");
    }
    Ok(())
}

#[test]
fn what_libpq_would_not_begin_to_connect_with_is_known_without_a_server() {
    let objection = |text: &str| ConnectionString::parse(text).unwrap().objection();
    for good in [
        "postgres://app:s3cret@db.example.com:5432/tenantry",
        "postgres://app@a,b:5433/tenantry?target_session_attrs=read-write&connect_timeout=3",
        "postgres://app@db/t?sslmode=verify-full&sslrootcert=/etc/ca.pem&application_name=a%20b",
        "postgres://app@db/t?options=-c%20search_path%3Dx&keepalives_idle=10&ssl=true",
        "host=/run/postgresql dbname=t user=app",
        "host=a,b hostaddr=10.0.0.1,10.0.0.2 dbname=t",
        "hostaddr=10.0.0.1 dbname=t",
        "postgresql://",
    ] {
        assert_eq!(objection(good), None, "{good}");
    }
    for (bad, named) in [
        ("postgres://app:s3cret@db/t?schema=public", "\"schema\""),
        ("postgres://app:s3cret@db/t?pgbouncer=true&connection_limit=1", "\"pgbouncer\""),
        ("postgres://app:s3cret@db/t?sslmode=no-verify", "no-verify"),
        ("postgres://app:s3cret@db/t?sslmode=REQUIRE", "REQUIRE"),
        ("postgres://app:s3cret@db/t?target_session_attrs=master", "master"),
        ("postgres://app:s3cret@db/t?gssencmode=no", "gssencmode"),
        ("postgres://app:s3cret@db/t?connect_timeout=5s", "connect_timeout"),
        ("host=db password=s3cret pool_size=3", "\"pool_size\""),
        ("host=a,b hostaddr=10.0.0.1,10.0.0.2,10.0.0.3 port=1,2", "port"),
    ] {
        let said = objection(bad).unwrap_or_else(|| panic!("{bad} is taken"));
        assert!(said.contains(named) && !said.contains("s3cret"), "{bad}: {said}");
    }
    // What looks like the name of a parameter is a piece of the password.
    let said = ConnectionString::parse("postgres://app:5/x?s3cret=1@db/t").and_then(|read| read.objection());
    let said = said.unwrap_or_default();
    assert!(!said.contains("s3cret"), "{said}");
}
