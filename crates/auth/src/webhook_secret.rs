//! The secrets of webhooks, and signatures with them, as Standard Webhooks defines both.

use std::fmt;

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use tenantry_domain::{Error, PlainSecret};
use zeroize::Zeroizing;

const PREFIX: &str = "whsec_";
const BYTES: usize = 32;

/// Stands between two secrets that are sealed together.
const BETWEEN: char = ',';

/// A secret that a webhook's receiver knows: `whsec_` and 32 random bytes in base64. Prints as `redacted`.
#[derive(Clone)]
pub struct WebhookSecret(Zeroizing<String>);

impl WebhookSecret {
    /// A new one.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] when the operating system has no randomness to give.
    pub fn issue() -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        getrandom::fill(bytes.as_mut_slice())
            .map_err(|error| Error::internal(format!("the system gives no random bytes: {error}")))?;
        Ok(Self(Zeroizing::new(format!("{PREFIX}{}", STANDARD.encode(bytes.as_slice())))))
    }

    /// The secret, for whom it was made.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The signature of a message that is sent at this time.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] for what is no secret of ours.
    fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> Result<String, Error> {
        let encoded = self.0.strip_prefix(PREFIX).unwrap_or_default();
        let key = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| Error::internal("a webhook has no secret"))?);
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &key));
        context.update(format!("{id}.{timestamp}.").as_bytes());
        context.update(body);
        Ok(format!("v1,{}", STANDARD.encode(context.sign().as_ref())))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(redacted)")
    }
}

/// The secrets of a webhook: the one that is in force, and the one before it.
#[derive(Debug, Clone)]
pub struct WebhookSecrets {
    current: WebhookSecret,
    previous: Option<WebhookSecret>,
}

impl WebhookSecrets {
    /// A new secret, after these.
    pub fn after(current: WebhookSecret, before: Option<Self>) -> Self {
        Self { current, previous: before.map(|before| before.current) }
    }

    /// The header `webhook-signature`: a signature with each secret that is in force.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] for what are no secrets of ours.
    pub fn sign(&self, with_previous: bool, id: &str, timestamp: i64, body: &[u8]) -> Result<String, Error> {
        let previous = self.previous.iter().filter(|_| with_previous);
        let signatures: Result<Vec<_>, _> =
            std::iter::once(&self.current).chain(previous).map(|secret| secret.sign(id, timestamp, body)).collect();
        Ok(signatures?.join(" "))
    }

    /// Both in one text, to be sealed.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] for what cannot be sealed, which no secret of ours is.
    pub fn to_plain(&self) -> Result<PlainSecret, Error> {
        let mut text = Zeroizing::new(self.current.reveal().to_owned());
        if let Some(previous) = &self.previous {
            text = Zeroizing::new(format!("{}{BETWEEN}{}", text.as_str(), previous.reveal()));
        }
        text.parse().map_err(|_| Error::internal("the secret of a webhook cannot be sealed"))
    }

    /// What was sealed.
    pub fn of_plain(plain: &PlainSecret) -> Self {
        let secret = |text: &str| WebhookSecret(Zeroizing::new(text.to_owned()));
        match plain.reveal().split_once(BETWEEN) {
            Some((current, previous)) => Self { current: secret(current), previous: Some(secret(previous)) },
            None => Self { current: secret(plain.reveal()), previous: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_specification() {
        let secret = WebhookSecret(Zeroizing::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()));
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn both_secrets_come_back_and_neither_prints_itself() {
        let (first, second) = (WebhookSecret::issue().unwrap(), WebhookSecret::issue().unwrap());
        assert!(first.reveal().starts_with("whsec_") && first.reveal().len() == 50);
        let one = WebhookSecrets::after(first.clone(), None);
        let two = WebhookSecrets::after(second.clone(), Some(WebhookSecrets::of_plain(&one.to_plain().unwrap())));
        let back = WebhookSecrets::of_plain(&two.to_plain().unwrap());
        let header = back.sign(true, "id", 1, b"body").unwrap();
        let alone = [&second, &first].map(|secret| secret.sign("id", 1, b"body").unwrap());
        assert_eq!(header, alone.join(" "));
        assert_eq!(back.sign(false, "id", 1, b"body").unwrap(), alone[0]);
        let printed = format!("{back:?}");
        assert!(!printed.contains("whsec_"), "{printed}");
    }

    #[test]
    fn a_secret_is_thirty_two_random_bytes() {
        let bytes = || {
            let secret = WebhookSecret::issue().unwrap();
            STANDARD.decode(secret.reveal().strip_prefix(PREFIX).unwrap()).unwrap()
        };
        let secrets: std::collections::HashSet<_> = (0..100).map(|_| bytes()).collect();
        assert!(secrets.len() == 100 && secrets.iter().all(|secret| secret.len() == 32));
        assert!(!secrets.contains([0; 32].as_slice()) && !secrets.contains([1; 32].as_slice()));
    }
}
