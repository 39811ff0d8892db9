//! The native API over HTTP, and its documentation page.
