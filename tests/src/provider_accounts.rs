//! The services of others on one port of its own: ElevenLabs, OpenAI, HighLevel and Twilio as far as they are asked, with accounts
//! of the test's making, and with all that such services do when they are not well.

mod apis;
mod server;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use tenantry_operations::providers::{ProviderUrls, provider_url};

use server::Server;

use crate::smtp::{Presented, certificates::Certificates};

/// What stands in every answer that says no: nobody but us may ever read it.
pub const UPSTREAM_WORDS: &str = "upstream-words";

/// How a request is answered instead of as it should be.
#[derive(Debug, Clone, PartialEq)]
pub enum Misbehaviour {
    /// With this status and a body in JSON that would be good with 200.
    Status(u16),
    /// 429, and when to come back.
    TooMany(&'static str),
    /// 200 with this `Content-Type` and this body.
    Say(&'static str, String),
    /// 302 to this address.
    Redirect(String),
    /// 200 and a body without end.
    Endless,
    /// Not at all; the connection stays open.
    Hang,
    /// 200, a length, and then one byte after the other, slower than anybody waits.
    Drip,
    /// 200, a length, and the end of the connection before that.
    Truncate,
    /// The end of the connection.
    Close,
    /// As it should be, after this long.
    Slow(Duration),
    /// With more pages to come, and always the same token.
    SameToken,
    /// With more pages to come, and no token.
    NoToken,
    /// With more pages to come, each with a new token and no voices.
    NoEnd,
}

impl Misbehaviour {
    /// JSON that is not of the right form.
    pub fn json(body: impl ToString) -> Self {
        Self::Say("application/json", body.to_string())
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct ProviderRequest {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl ProviderRequest {
    /// The header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }
}

/// What the services know and what was asked of them.
#[derive(Default)]
struct State {
    /// Keys of ElevenLabs with their voices, and how many of those come in the first page.
    elevenlabs: Vec<(String, Vec<Value>, usize)>,
    openai: Vec<String>,
    /// Tokens of HighLevel with their location and its calendars.
    gohighlevel: Vec<(String, String, Vec<Value>)>,
    /// Refresh tokens of HighLevel with the token that each renews. Each is good for one use.
    renewals: Vec<(String, String)>,
    twilio: Vec<(String, String)>,
    misbehaviour: Option<Misbehaviour>,
    /// For requests with this credential alone.
    misbehaviour_to: Option<(String, Misbehaviour)>,
    requests: Vec<ProviderRequest>,
    connections: usize,
}

/// The running services.
pub struct ProviderServer {
    state: Arc<Mutex<State>>,
    server: Server,
}

impl ProviderServer {
    /// Services without accounts.
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::default());
        Self { server: Server::start(Arc::clone(&state)).await, state }
    }

    /// Services that speak TLS, with a certificate of an authority that nobody knows.
    pub async fn start_unknown() -> Self {
        let state = Arc::new(Mutex::default());
        let acceptor = Certificates::new().acceptor(Presented::UnknownAuthority);
        Self { server: Server::start_tls(Arc::clone(&state), Some(acceptor)).await, state }
    }

    /// Where all of them are.
    pub fn urls(&self) -> ProviderUrls {
        let base = provider_url(&self.base()).unwrap();
        ProviderUrls {
            twilio: Some(base.clone()),
            elevenlabs: Some(base.clone()),
            openai: base.clone(),
            gohighlevel: base,
        }
    }

    /// `http://127.0.0.1:PORT`, with TLS `https://localhost:PORT`.
    pub fn base(&self) -> String {
        self.server.base()
    }

    /// An account of ElevenLabs with these voices.
    pub fn elevenlabs(&self, key: &str, voices: Vec<Value>) {
        self.elevenlabs_with_first_page(key, voices, 100);
    }

    /// An account of ElevenLabs whose first page is larger than was asked for.
    pub fn elevenlabs_with_first_page(&self, key: &str, voices: Vec<Value>, first: usize) {
        let mut state = self.state.lock().unwrap();
        state.elevenlabs.retain(|(known, ..)| known != key);
        state.elevenlabs.push((key.to_owned(), voices, first));
    }

    /// An account of OpenAI.
    pub fn openai(&self, key: &str) {
        self.state.lock().unwrap().openai.push(key.to_owned());
    }

    /// A location in HighLevel with these calendars.
    pub fn gohighlevel(&self, token: &str, location: &str, calendars: Vec<Value>) {
        let mut state = self.state.lock().unwrap();
        state.gohighlevel.retain(|(known, ..)| known != token);
        state.gohighlevel.push((token.to_owned(), location.to_owned(), calendars));
    }

    /// A refresh token that renews this token of HighLevel, which has ended or will.
    pub fn renewal(&self, refresh: &str, token: &str) {
        self.state.lock().unwrap().renewals.push((refresh.to_owned(), token.to_owned()));
    }

    /// This token of HighLevel has ended: it is good for nothing.
    pub fn end(&self, token: &str) {
        for (known, ..) in self.state.lock().unwrap().gohighlevel.iter_mut().filter(|(known, ..)| known == token) {
            *known = format!("ended {known}");
        }
    }

    /// An account of Twilio.
    pub fn twilio(&self, sid: &str, token: &str) {
        self.state.lock().unwrap().twilio.push((sid.to_owned(), token.to_owned()));
    }

    /// Answers like this from now on.
    pub fn misbehave(&self, misbehaviour: Misbehaviour) {
        self.state.lock().unwrap().misbehaviour = Some(misbehaviour);
    }

    /// Answers requests with this credential like this from now on.
    pub fn misbehave_to(&self, credential: &str, misbehaviour: Misbehaviour) {
        self.state.lock().unwrap().misbehaviour_to = Some((credential.to_owned(), misbehaviour));
    }

    /// Answers as it should from now on.
    pub fn behave(&self) {
        let mut state = self.state.lock().unwrap();
        (state.misbehaviour, state.misbehaviour_to) = (None, None);
    }

    /// Closes the port and all connections; whoever connects is refused.
    pub async fn close(&self) {
        self.server.close().await;
    }

    /// Opens the same port again.
    pub async fn open(&self) {
        self.server.open(Arc::clone(&self.state)).await;
    }

    /// All that came, in its order.
    pub fn requests(&self) -> Vec<ProviderRequest> {
        self.state.lock().unwrap().requests.clone()
    }

    /// How many requests came.
    pub fn count(&self) -> usize {
        self.state.lock().unwrap().requests.len()
    }

    /// How often it was connected to.
    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }
}

/// A voice as ElevenLabs shows it, much shortened.
pub fn elevenlabs_voice(id: &str, name: &str) -> Value {
    json!({
        "voice_id": id, "name": name, "category": "premade", "labels": { "accent": "american", "gender": "female" },
        "description": null, "preview_url": "https://voices.example/preview.mp3", "settings": null, "samples": null,
        "fine_tuning": { "is_allowed_to_fine_tune": true, "state": {} }, "available_for_tiers": [], "is_owner": false,
    })
}

/// So many voices, `voice-0000` and so on.
pub fn elevenlabs_voices(count: usize) -> Vec<Value> {
    (0..count).map(|n| elevenlabs_voice(&format!("voice-{n:04}"), &format!("Voice {n}"))).collect()
}

/// A calendar as HighLevel shows it, much shortened.
pub fn gohighlevel_calendar(id: &str, name: &str) -> Value {
    json!({
        "id": id, "locationId": "loc", "groupId": "g", "name": name, "slug": "demo", "widgetSlug": "demo", "calendarType": "event",
        "isActive": true, "slotDuration": 30, "openHours": [{ "daysOfTheWeek": [1], "hours": [{ "openHour": 9 }] }],
    })
}
