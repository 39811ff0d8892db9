//! The services of others that a workspace is connected to, as far as the service talks to them: over the network, and never
//! inside a transaction.
//!
//! There is one way out: bounded in time and size, without redirects. What a provider says in words is not stored, logged or
//! passed on. Whoever calls hears it in ours.

mod breaker;
mod cache;
mod catalogue;
mod credential;
mod elevenlabs;
mod gohighlevel;
mod http;
mod openai;
mod url;

pub use breaker::{FAILURES, OPEN_FOR};
pub use cache::{FRESH_FOR, MAX_ANSWERS, STALE_FOR};
pub use catalogue::{Calendars, Catalogue, Voices};
pub use credential::{ElevenLabs, ElevenLabsRegion, HighLevel};
pub use elevenlabs::{MAX_PAGES, MAX_VOICES};
pub use http::{MAX_ANSWER, Timeouts};
pub use url::{ProviderUrls, provider_url};
