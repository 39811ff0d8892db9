//! HTTP itself: bodies and their headers, methods, paths, request ids, health and figures.
#![expect(clippy::unwrap_used, reason = "a test ends when something is not as it must be")]

#[path = "http/bodies.rs"]
mod bodies;
#[path = "http/headers.rs"]
mod headers;
#[path = "http/methods.rs"]
mod methods;
#[path = "http/paths.rs"]
mod paths;
#[path = "http/service.rs"]
mod service;
