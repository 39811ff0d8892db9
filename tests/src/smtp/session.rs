//! One conversation, as RFC 5321 has it.

use std::{io, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

use super::{Encryption, ReceivedMail, Said, Shared, Turn};

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// The server's side of one connection.
pub(super) struct Session {
    stream: Box<dyn Stream>,
    unread: Vec<u8>,
    encrypted: bool,
    turn: Turn,
    number: usize,
    shared: Arc<Shared>,
}

impl Session {
    pub(super) fn new(stream: TcpStream, turn: Turn, number: usize, shared: Arc<Shared>) -> Self {
        Self { stream: Box::new(stream), unread: Vec::new(), encrypted: false, turn, number, shared }
    }

    /// Until one of the two has had enough. That a client goes away is no fault of the server.
    pub(super) async fn converse(mut self) {
        drop(self.talk().await);
        drop(self.stream.shutdown().await);
    }

    async fn talk(&mut self) -> io::Result<()> {
        if self.shared.encryption == Encryption::Tls {
            self.encrypt().await?;
        }
        let mut goes_on = self.greet().await?;
        let mut mail = ReceivedMail { from: String::new(), to: Vec::new(), content: Vec::new() };
        while goes_on && let Some(line) = self.hear().await? {
            goes_on = self.obey(&line, &mut mail).await?;
        }
        Ok(())
    }

    /// False when the conversation is over; so in the next two.
    async fn greet(&mut self) -> io::Result<bool> {
        match self.turn.clone() {
            Turn::Greet(reply) => self.say(&reply).await.map(|()| false),
            Turn::Creep => loop {
                self.stream.write_all(b"2").await?;
                self.stream.flush().await?;
                // The pace of this server; nobody waits for it to end.
                tokio::time::sleep(Duration::from_millis(20)).await;
            },
            Turn::Stall => {
                self.stream.write_all(b"2").await?;
                self.listen_in_silence().await.map(|()| false)
            }
            _ => self.say("220 mail.example.com ESMTP").await.map(|()| true),
        }
    }

    async fn obey(&mut self, line: &str, mail: &mut ReceivedMail) -> io::Result<bool> {
        match line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "EHLO" => match self.turn.clone() {
                Turn::Hello(reply) => self.say(&reply).await?,
                _ => self.extensions().await?,
            },
            "STARTTLS" if self.shared.encryption == Encryption::StartTls && !self.encrypted => {
                self.consent().await?;
                // What was sent ahead of the encryption is none of it.
                self.unread.clear();
                self.encrypt().await?;
            }
            "AUTH" => self.log_in(line).await?,
            "MAIL" => {
                *mail = ReceivedMail { from: address(line), to: Vec::new(), content: Vec::new() };
                let reply = if let Turn::Sender(reply) = &self.turn { reply.clone() } else { ok() };
                self.say(&reply).await?;
            }
            "RCPT" => {
                let reply = if let Turn::Recipient(reply) = &self.turn { reply.clone() } else { ok() };
                if reply.starts_with('2') {
                    mail.to.push(address(line));
                }
                self.say(&reply).await?;
            }
            "DATA" if mail.to.is_empty() => self.say("554 5.5.1 no valid recipients").await?,
            "DATA" => {
                self.say("354 go ahead").await?;
                mail.content = self.content().await?;
                return self.take(mail.clone()).await;
            }
            "NOOP" | "RSET" => self.say(&ok()).await?,
            "QUIT" => return self.say("221 2.0.0 bye").await.map(|()| false),
            _ => self.say("502 5.5.2 what?").await?,
        }
        Ok(true)
    }

    async fn extensions(&mut self) -> io::Result<()> {
        self.say("250-mail.example.com").await?;
        if self.shared.encryption == Encryption::StartTls && !self.encrypted {
            self.say("250-STARTTLS").await?;
        }
        if self.shared.login.is_some() {
            self.say("250-AUTH PLAIN LOGIN").await?;
        }
        self.say("250 8BITMIME").await
    }

    /// The answer to STARTTLS, in one piece with what may be injected.
    async fn consent(&mut self) -> io::Result<()> {
        let injected = if let Turn::Inject(lines) = &self.turn { lines.as_slice() } else { &[] };
        let consent = [&["220 2.0.0 go ahead".to_owned()], injected].concat().join("\r\n");
        self.say(&consent).await
    }

    /// `AUTH PLAIN` with everything in one line (RFC 4616).
    async fn log_in(&mut self, line: &str) -> io::Result<()> {
        if self.turn == Turn::EchoPassword {
            return self.say(&format!("500 5.5.2 not understood: {line}")).await;
        }
        let told = line.rsplit(' ').next().and_then(|told| BASE64_STANDARD.decode(told).ok()).unwrap_or_default();
        let known = self.shared.login.as_ref().map(|(name, password)| format!("\0{name}\0{password}"));
        let welcome = known.is_some_and(|known| known.as_bytes() == told);
        self.say(if welcome { "235 2.7.0 welcome" } else { "535 5.7.8 user name or password unknown" }).await
    }

    /// Does with a whole message what the turn says.
    async fn take(&mut self, mail: ReceivedMail) -> io::Result<bool> {
        match self.turn.clone() {
            Turn::Content(reply) => {
                self.say(&reply).await?;
                return Ok(true);
            }
            Turn::Vanish => return Ok(false),
            Turn::EchoLink => {
                let text = mail.text();
                let link = text.split_whitespace().find(|word| word.starts_with("https://")).unwrap_or_default();
                self.say(&format!("450 4.7.1 I do not like {link}")).await?;
                return Ok(true);
            }
            _ => self.shared.mails.lock().unwrap().push(mail),
        }
        if self.turn == Turn::AcceptAndVanish {
            return Ok(false);
        }
        self.say("250 2.0.0 queued").await?;
        if self.turn == Turn::AcceptAndStall {
            self.listen_in_silence().await?;
        }
        Ok(true)
    }

    /// The lines up to the lone dot, without the dots that were added.
    async fn content(&mut self) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        loop {
            let Some(line) = self.line().await? else { return Err(io::ErrorKind::UnexpectedEof.into()) };
            match line.strip_prefix(b".") {
                Some(b"\r\n") => return Ok(content),
                Some(rest) => content.extend_from_slice(rest),
                None => content.extend_from_slice(&line),
            }
        }
    }

    async fn listen_in_silence(&mut self) -> io::Result<()> {
        while self.hear().await?.is_some() {}
        Ok(())
    }

    async fn encrypt(&mut self) -> io::Result<()> {
        let stream = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        self.stream = Box::new(self.shared.acceptor.clone().accept(stream).await?);
        self.encrypted = true;
        Ok(())
    }

    /// The next line of the client; none when it has closed.
    async fn hear(&mut self) -> io::Result<Option<String>> {
        let Some(line) = self.line().await? else { return Ok(None) };
        let line = String::from_utf8_lossy(line.strip_suffix(b"\r\n").unwrap_or(&line)).into_owned();
        self.record(true, &line);
        Ok(Some(line))
    }

    /// The next bytes up to and with `\r\n`, and with nothing less.
    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|window| window == b"\r\n") {
                let rest = self.unread.split_off(end + 2);
                return Ok(Some(std::mem::replace(&mut self.unread, rest)));
            }
            if self.stream.read_buf(&mut self.unread).await? == 0 {
                return Ok(None);
            }
        }
    }

    async fn say(&mut self, line: &str) -> io::Result<()> {
        self.record(false, line);
        let bytes = format!("{line}\r\n").into_bytes();
        let step = if self.turn == Turn::Trickle { 1 } else { bytes.len() };
        for piece in bytes.chunks(step) {
            self.stream.write_all(piece).await?;
            self.stream.flush().await?;
        }
        Ok(())
    }

    fn record(&self, by_client: bool, line: &str) {
        let said = Said { by_client, encrypted: self.encrypted, line: line.to_owned() };
        self.shared.conversations.lock().unwrap()[self.number].lines.push(said);
    }
}

fn ok() -> String {
    "250 2.0.0 ok".to_owned()
}

/// The address of `MAIL FROM:<…>` or `RCPT TO:<…>`, without parameters.
fn address(line: &str) -> String {
    let from_bracket = line.split_once('<').map_or("", |(_, rest)| rest);
    from_bracket.split_once('>').map_or("", |(address, _)| address).to_owned()
}
