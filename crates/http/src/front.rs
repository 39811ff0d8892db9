//! What stands between the service and its callers: proxies, the address under which they publish it, and pages of other origins.

mod address;
mod origins;
mod place;

pub(crate) use self::origins::{explained, preflight_refused};
pub use self::{
    address::{ProxyHeader, TrustedProxies},
    origins::Origins,
    place::PublicUrl,
};

/// What stands in front of the service. The default: nothing.
#[derive(Debug, Clone, Default)]
pub struct Front {
    /// The proxies that are believed when they say who the client is.
    pub proxies: TrustedProxies,
    /// The origins whose pages may call the API.
    pub origins: Origins,
    /// Where callers find the service, if that is known.
    pub url: Option<PublicUrl>,
}
