//! The door to the data, and nothing beside it.
