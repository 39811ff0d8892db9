//! Proof of who asks: API keys, platform keys and the tokens of invitations.
//!
//! What is presented becomes a [`Holder`](tenantry_domain::Holder), or a hash to look up, when it holds cryptographically,
//! without a look at the database: whether the tenant knows it is for the door to find out. This crate refuses to know HTTP
//! and SQL, and to show a secret: [`Secret`] prints as `redacted`.

mod api_key;
mod base62;
mod invitation_token;
mod platform_key;
mod secret;

pub use api_key::{issue, present};
pub use invitation_token::{issue_invitation, present_invitation};
pub use platform_key::{NotAPlatformKeyHash, PlatformKeyHash, PlatformKeys, issue_platform, looks_like_platform_key};
pub use secret::Secret;
