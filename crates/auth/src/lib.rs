//! Proof of who asks: API keys today.
