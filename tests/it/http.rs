//! HTTP itself: bodies and their headers, methods, paths, request ids, health and figures.

mod bodies;
mod headers;
mod hosts;
mod methods;
mod paths;
mod service;
