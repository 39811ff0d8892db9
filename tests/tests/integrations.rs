//! Integrations: what is stored of them, that nobody sees a secret again, and what providers make of them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends when something is not as it must be")]

#[path = "integrations/fields.rs"]
mod fields;
#[path = "integrations/places.rs"]
mod places;
#[path = "integrations/rotation.rs"]
mod rotation;
#[path = "integrations/secrecy.rs"]
mod secrecy;
#[path = "integrations/verification.rs"]
mod verification;

use std::{
    io,
    sync::{Arc, Mutex},
};

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tenantry_tests::App;

const SID: &str = "AC0123456789abcdef0123456789abcdef";
const PROVIDERS: [&str; 4] = ["twilio", "elevenlabs", "openai", "gohighlevel"];

/// Where a workspace's integration is.
fn path(workspace: &str, provider: &str) -> String {
    format!("/api/workspaces/{workspace}/integrations/{provider}")
}

/// All fields of a provider, with this secret.
fn fields(provider: &str, secret: &str) -> Value {
    match provider {
        "twilio" => json!({ "sid": SID, "authToken": secret }),
        "gohighlevel" => json!({ "locationId": "ve9EPM428h8vShlRW1KT", "accessToken": secret }),
        _ => json!({ "apiKey": secret }),
    }
}

/// Says something to the database as the superuser.
fn behind_the_back(app: &App, sql: &str) {
    app.database.admin().batch_execute(sql).unwrap();
}

/// What is logged on this thread, to the last word.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

/// As long as it lives, the log is kept.
struct Listening {
    _guard: tracing::subscriber::DefaultGuard,
    /// While there is one subscriber alone, an event that another thread comes by first is taken for one that nobody wants.
    _second: tracing::Dispatch,
}

impl Log {
    fn listen() -> (Self, Listening) {
        let log = Self::default();
        let subscriber = |writer: Self| {
            tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_ansi(false)
                .with_writer(move || writer.clone())
                .finish()
        };
        let second = tracing::Dispatch::new(subscriber(Self::default()));
        let guard = tracing::subscriber::set_default(subscriber(log.clone()));
        (log, Listening { _guard: guard, _second: second })
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
