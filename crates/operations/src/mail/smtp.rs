//! The way to an SMTP server (RFC 5321), over TLS unless somebody asked by name for none.
//!
//! Each email has a connection of its own. A conversation that was given up half-way can then not go on in the next email,
//! and what one email did to the server is over before the next one.

mod lines;

use std::{error::Error as _, fmt, fs, path::PathBuf, str::FromStr, time::Duration};

use lettre::{
    Message,
    transport::smtp::{
        Error,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::ClientId,
    },
};
use tenantry_domain::{Choice, Refusal, THE_EMAIL, THE_RECIPIENT, WAS_REFUSED};
use tokio::time::timeout;

use super::{MailFault, said};
use lines::Lines;

/// How to reach an SMTP server.
#[derive(Debug, Clone)]
pub struct SmtpOptions {
    /// Its name, for which its certificate must be valid, or its address.
    pub host: String,
    /// Its port; the usual one for the security when `None`: 587 for STARTTLS, 465 for TLS, 25 without.
    pub port: Option<u16>,
    /// How the connection is protected.
    pub security: Security,
    /// The user name, together with a password; `None` for a server that asks for neither.
    pub username: Option<String>,
    /// The password.
    pub password: Option<Password>,
    /// A file of certificates (PEM) that are trusted as roots, besides those of the system.
    pub ca_file: Option<PathBuf>,
    /// The name by which this service greets the server: a domain, or an address in brackets.
    pub hello: String,
    /// How long an email may take from the look-up of the host to the last answer of the server.
    pub timeout: Duration,
}

/// How a connection is protected. Nothing ever falls back to less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Security {
    /// It begins in the clear and must be encrypted before anything is said (STARTTLS, RFC 3207).
    #[default]
    StartTls,
    /// It is encrypted from the first byte (RFC 8314).
    Tls,
    /// Not at all: only for a mail catcher on the same machine or network.
    Plain,
}

impl Choice for Security {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::StartTls, "starttls"), (Self::Tls, "tls"), (Self::Plain, "plain")];
}

impl FromStr for Security {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        Self::choose(raw)
    }
}

/// A password, which nobody prints.
#[derive(Clone)]
pub struct Password(String);

impl From<String> for Password {
    fn from(password: String) -> Self {
        Self(password)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The way to one server.
pub(super) struct Smtp {
    host: String,
    port: u16,
    security: Protection,
    credentials: Option<Credentials>,
    hello: ClientId,
    timeout: Duration,
}

enum Protection {
    StartTls(TlsParameters),
    Tls(TlsParameters),
    Plain,
}

/// How long a server may take to say good-bye. Its answer changes nothing.
const FAREWELL: Duration = Duration::from_secs(1);

impl Smtp {
    pub(super) fn new(options: &SmtpOptions) -> Result<Self, String> {
        let credentials = match (&options.username, &options.password) {
            (Some(name), Some(Password(password))) => Some(Credentials::new(name.clone(), password.clone())),
            (None, None) => None,
            (Some(_), None) => return Err("The SMTP user name needs a password.".to_owned()),
            (None, Some(_)) => return Err("The SMTP password needs a user name.".to_owned()),
        };
        let (port, security) = match options.security {
            Security::StartTls => (587, Protection::StartTls(tls(options)?)),
            Security::Tls => (465, Protection::Tls(tls(options)?)),
            Security::Plain if credentials.is_some() => {
                return Err(
                    "An SMTP user name and password cannot be used without TLS. Use starttls or tls.".to_owned()
                );
            }
            Security::Plain => (25, Protection::Plain),
        };
        Ok(Self {
            host: options.host.clone(),
            port: options.port.unwrap_or(port),
            security,
            credentials,
            hello: match options.hello.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                Some(address) => literal(address)?,
                None => ClientId::Domain(options.hello.clone()),
            },
            timeout: options.timeout,
        })
    }

    /// Sends one message. The limit is ours and is on the whole: the library limits no more than connecting, and a server that
    /// says a byte now and then would never exceed a limit on each answer.
    pub(super) async fn send(&self, message: &Message) -> Result<(), MailFault> {
        let conversation = async {
            let mut connection = self.connect().await?;
            let outcome = hand_over(&mut connection, message).await;
            Ok((connection, outcome))
        };
        let (mut connection, outcome) = timeout(self.timeout, conversation).await.unwrap_or_else(|_| {
            let (host, port, limit) = (&self.host, self.port, self.timeout);
            Err(MailFault::Later(format!("{host}:{port} did not accept the email within {limit:?}")))
        })?;
        drop(timeout(FAREWELL, connection.abort()).await);
        outcome
    }

    /// Connects as for an email, and sends none. Returns where to.
    pub(super) async fn greet(&self) -> Result<String, MailFault> {
        let (host, port, limit) = (&self.host, self.port, self.timeout);
        let late = || MailFault::Later(format!("{host}:{port} did not answer within {limit:?}"));
        let mut connection = timeout(self.timeout, self.connect()).await.unwrap_or_else(|_| Err(late()))?;
        drop(timeout(FAREWELL, connection.quit()).await);
        Ok(format!("{host}:{port}"))
    }

    /// A connection on which an email may be sent: encrypted, and with a user, as the options say. Whatever goes wrong so far has
    /// nothing to do with the email.
    async fn connect(&self) -> Result<AsyncSmtpConnection, MailFault> {
        let mut connection = self.protected().await.map_err(|why| {
            let (host, port) = (&self.host, self.port);
            MailFault::Later(format!("no connection to {host}:{port}: {why}"))
        })?;
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await.map_err(|error| self.unknown_user(&error))?;
        }
        Ok(connection)
    }

    async fn protected(&self) -> Result<AsyncSmtpConnection, String> {
        let server = (self.host.as_str(), self.port);
        if let Protection::Tls(tls) = &self.security {
            let connection = AsyncSmtpConnection::connect_tokio1(server, None, &self.hello, Some(tls.clone()), None);
            return connection.await.map_err(|error| words(&error));
        }
        let lines = Lines::connect(server).await.map_err(|error| said(&error.to_string()))?;
        let connection = AsyncSmtpConnection::connect_with_transport(Box::new(lines), &self.hello);
        let mut connection = connection.await.map_err(|error| words(&error))?;
        if let Protection::StartTls(tls) = &self.security {
            connection.starttls(tls.clone(), &self.hello).await.map_err(|error| words(&error))?;
        }
        Ok(connection)
    }

    /// A server may repeat in its answer what it was told, and it was told the password.
    fn unknown_user(&self, error: &Error) -> MailFault {
        let why = match error.status() {
            Some(code) => format!("it answered {code}"),
            None if error.is_client() => "it offers no supported way to log in".to_owned(),
            None => "its answer could not be understood".to_owned(),
        };
        MailFault::Later(format!("{}:{} did not accept the user name and password: {why}", self.host, self.port))
    }
}

/// An address literal (RFC 5321, section 4.1.3), for a machine without a name.
fn literal(address: &str) -> Result<ClientId, String> {
    let refused = || format!("[{address}] is no address for the greeting of the mail server.");
    match address.strip_prefix("IPv6:") {
        Some(address) => address.parse().map(ClientId::Ipv6).map_err(|_| refused()),
        None => address.parse().map(ClientId::Ipv4).map_err(|_| refused()),
    }
}

fn tls(options: &SmtpOptions) -> Result<TlsParameters, String> {
    // A file without any would be taken, and trusted nobody.
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    let mut tls = TlsParameters::builder(options.host.clone());
    if let Some(path) = &options.ca_file {
        let file = path.display();
        let pem = fs::read(path).map_err(|error| format!("The certificates in {file} cannot be read: {error}."))?;
        if !pem.windows(BEGIN.len()).any(|window| window == BEGIN) {
            return Err(format!("There are no certificates in {file}: it must be a PEM file."));
        }
        let certificates = Certificate::from_pem(&pem);
        tls = tls.add_root_certificate(certificates.map_err(|_| format!("The certificates in {file} are not PEM."))?);
    }
    tls.build_rustls().map_err(|error| match &options.ca_file {
        Some(path) => format!("TLS cannot be set up with the certificates in {}: {}.", path.display(), words(&error)),
        None => format!("TLS cannot be set up: {}. Are the system's certificates installed?", words(&error)),
    })
}

/// Gives the message over, command by command, because it matters which of them is refused.
async fn hand_over(connection: &mut AsyncSmtpConnection, message: &Message) -> Result<(), MailFault> {
    let envelope = message.envelope();
    // The sender is the operator's own, and the same in every email.
    let sender = connection.command(Mail::new(envelope.from().cloned(), vec![])).await;
    sender.map_err(|error| MailFault::Later(refusal("the sender", &error)))?;
    for to in envelope.to() {
        let recipient = connection.command(Rcpt::new(to.clone(), vec![])).await;
        recipient.map_err(|error| fault(THE_RECIPIENT, &error))?;
    }
    connection.command(Data).await.map_err(|error| fault(THE_EMAIL, &error))?;
    connection.message(&message.formatted()).await.map_err(|error| fault(THE_EMAIL, &error))?;
    Ok(())
}

/// 5xx is for ever, unless it asks for a user or for encryption (RFC 4954), which the operator can still set up.
fn fault(what: &str, error: &Error) -> MailFault {
    let is_about_the_user = error.status().is_some_and(|code| matches!(u16::from(code), 530 | 534 | 535 | 538));
    let is_final = error.is_permanent() && !is_about_the_user;
    if is_final { MailFault::Never(refusal(what, error)) } else { MailFault::Later(refusal(what, error)) }
}

fn refusal(what: &str, error: &Error) -> String {
    match error.status() {
        Some(_) => format!("{what}{WAS_REFUSED}{}", words(error)),
        None => format!("the connection failed at {what}: {}", words(error)),
    }
}

/// What the server said, or what went wrong before it could, from the outer cause to the inner one.
fn words(error: &Error) -> String {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_words = inner.to_string();
        if !causes.iter().any(|outer: &String| outer.contains(&inner_words)) {
            causes.push(inner_words);
        }
        cause = inner.source();
    }
    let causes = if causes.is_empty() { error.to_string() } else { causes.join(": ") };
    match error.status() {
        Some(code) => said(&format!("{code} {causes}")),
        None => said(&causes),
    }
}
