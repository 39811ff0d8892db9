//! Proof of who asks: API keys.
//!
//! What is presented becomes a [`Holder`](tenantry_domain::Holder) when it holds cryptographically, without a look at the
//! database: whether the tenant knows it is for the door to find out. This crate refuses to know HTTP and SQL, and to show
//! a secret: [`Secret`] prints as `redacted`.

mod api_key;
mod base62;

pub use api_key::{Secret, issue, present};
