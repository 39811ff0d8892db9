//! Secrets made to be looked for, in every form in which somebody could have written them down.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// A secret that occurs nowhere else.
#[derive(Debug, Clone)]
pub struct Canary(String);

impl Canary {
    /// A new one that begins like this.
    pub fn new(prefix: &str) -> Self {
        let mut random = [0; 32];
        aws_lc_rs::rand::fill(&mut random).unwrap();
        Self(prefix.to_owned() + &random.map(|byte| format!("{byte:02x}")).concat())
    }

    /// The secret.
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// Each part of it, twelve characters long, as it is, backwards and in hexadecimal digits; and the whole in base64, wherever in a
    /// longer text it may begin.
    pub fn traces(&self) -> Vec<String> {
        let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
        let parts = (0..=self.0.len() - 12).map(|at| &self.0[at..at + 12]);
        let parts =
            parts.flat_map(|part| [part.to_owned(), part.chars().rev().collect(), hex(part), hex(part).to_uppercase()]);
        // The first and the last characters of base64 depend on what is around.
        let inner = |encoded: String| encoded[4..encoded.len() - 4].to_owned();
        let shifted = (0..3).map(|shift| [&vec![b'-'; shift], self.0.as_bytes()].concat());
        let base64 = shifted.flat_map(|bytes| [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)]);
        parts.chain(base64.map(inner)).collect()
    }

    /// A trace of it in this text, if there is one.
    pub fn found_in(&self, text: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(text);
        self.traces().into_iter().find(|trace| text.contains(trace.as_str()))
    }
}
