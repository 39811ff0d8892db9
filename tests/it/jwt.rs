//! Tokens of trusted issuers: which hold, which do not, and what happens while an issuer is not there.

mod availability;
mod claims;
mod discovery;
mod logs;
mod names;
mod options;
mod over_http;
mod published_keys;
mod rotation;
mod shared_secret;
mod times;
mod tokens;

use tenantry_auth::jwt::{Issuers, Refused};
use tenantry_tests::issuer::Issuer;

/// Trusts this issuer alone.
fn trusting(issuer: &Issuer) -> Issuers {
    Issuers::new(vec![issuer.options()]).unwrap()
}

/// Whether the token was refused for what it is.
fn is_invalid<T>(result: &Result<T, Refused>) -> bool {
    matches!(result, Err(Refused::Invalid(_) | Refused::UnknownIssuer(_) | Refused::TooLong))
}

/// Waits for what a request in the background will bring about; nobody who verifies a token waits that long.
async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}
