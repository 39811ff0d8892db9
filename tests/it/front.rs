//! What stands between the service and its callers: proxies, pages of other origins, and the address where it is published.

mod address;
mod nginx;
mod origins;
mod place;
