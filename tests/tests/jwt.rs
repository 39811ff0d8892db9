//! Tokens of trusted issuers: which hold, which do not, and what happens while an issuer is not there.
#![expect(clippy::unwrap_used, reason = "a test ends when something is not as it must be")]

#[path = "jwt/availability.rs"]
mod availability;
#[path = "jwt/logs.rs"]
mod logs;
#[path = "jwt/options.rs"]
mod options;
#[path = "jwt/over_http.rs"]
mod over_http;
#[path = "jwt/published_keys.rs"]
mod published_keys;
#[path = "jwt/rotation.rs"]
mod rotation;
#[path = "jwt/shared_secret.rs"]
mod shared_secret;
#[path = "jwt/times.rs"]
mod times;
#[path = "jwt/tokens.rs"]
mod tokens;

use tenantry_auth::jwt::{Issuers, Refused};
use tenantry_tests::issuer::Issuer;

/// Trusts this issuer alone.
fn trusting(issuer: &Issuer) -> Issuers {
    Issuers::new(vec![issuer.options()]).unwrap()
}

/// Whether the token was refused for what it is.
fn is_invalid<T>(result: &Result<T, Refused>) -> bool {
    matches!(result, Err(Refused::Invalid(_)))
}

/// Waits for what a request in the background will bring about; nobody who verifies a token waits that long.
async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}
