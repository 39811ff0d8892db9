//! What it means for a caller that a provider did not answer with what was asked of it.

use std::time::Duration;

use reqwest::RequestBuilder;
use serde::de::DeserializeOwned;
use tenantry_domain::{Error, Provider};
use tokio::time::Instant;

use super::client::{NoAnswer, ProviderAnswer, ProviderClient};

const REFUSED: &str = "provider_refused";

/// Whether a provider refused the credential.
pub(crate) fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Upstream { code: REFUSED, .. })
}

/// Why a provider did not answer with what was asked of it. Why exactly, is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The credential is wrong, or not good for this.
    Refused,
    /// The access token has ended, and is not renewed: its refresh token is not good any more.
    NotRenewed,
    /// Too much was asked.
    RateLimited { retry_after: Option<Duration> },
    /// It is not there, too slow, or broken; or it was so just now, and is left alone for a while.
    Unavailable { retry_after: Option<Duration> },
    /// It answered with what cannot be an answer.
    Nonsense,
}

impl Failure {
    /// What the caller is told.
    pub(crate) fn of(self, provider: Provider) -> Error {
        let name = provider.label();
        let (code, message, retry_after) = match self {
            Self::Refused => {
                let what = match provider {
                    Provider::GoHighLevel => "access token for this location",
                    Provider::Twilio => "auth token",
                    Provider::ElevenLabs | Provider::OpenAi => "API key",
                };
                let hint = "It may be mistyped, revoked or missing a permission. Set a valid one.";
                (REFUSED, format!("{name} rejected the {what}. {hint}"), None)
            }
            Self::NotRenewed => (REFUSED, not_renewed(provider), None),
            Self::RateLimited { retry_after } => {
                let message = format!("{name} is rate limiting this credential. Try again later.");
                ("provider_unavailable", message, retry_after)
            }
            Self::Unavailable { retry_after } => {
                let message = format!("{name} is not responding. Try again later.");
                ("provider_unavailable", message, retry_after)
            }
            Self::Nonsense => {
                let message = format!("{name} sent a response that could not be read. Try again later.");
                ("provider_unavailable", message, None)
            }
        };
        Error::Upstream { code, message, retry_after }
    }
}

/// What is said of an access token that a provider does not renew.
pub(crate) fn not_renewed(provider: Provider) -> String {
    let name = provider.label();
    format!("{name} no longer renews the access token. Connect to {name} again and set the new tokens.")
}

/// One page of one question.
pub(super) struct Question {
    pub(super) provider: Provider,
    /// With the credential.
    pub(super) request: RequestBuilder,
    /// Which statuses besides 401, 402 and 403 say that the credential is not good for this.
    pub(super) refused_with: &'static [u16],
}

/// The answer to a question, as JSON of this form.
pub(super) async fn ask<T: DeserializeOwned>(
    client: &ProviderClient,
    question: Question,
    deadline: Instant,
) -> Result<T, Failure> {
    let Question { provider, request, refused_with } = question;
    let outcome = match client.send(provider, request, deadline).await {
        Ok(answer) => read(&answer, refused_with),
        Err(why @ NoAnswer::TooLarge) => Err((Failure::Nonsense, why.to_string())),
        Err(why) => Err((UNAVAILABLE, why.to_string())),
    };
    outcome.map_err(|(failure, cause)| {
        tracing::warn!(provider = provider.label(), cause, "a provider did not answer as expected");
        failure
    })
}

const UNAVAILABLE: Failure = Failure::Unavailable { retry_after: None };

fn read<T: DeserializeOwned>(answer: &ProviderAnswer, refused_with: &[u16]) -> Result<T, (Failure, String)> {
    let failure = match answer.status {
        200 => return answer.json().map_err(|cause| (Failure::Nonsense, cause)),
        401..=403 => Failure::Refused,
        429 => Failure::RateLimited { retry_after: answer.retry_after },
        408 | 500..=599 => UNAVAILABLE,
        status if refused_with.contains(&status) => Failure::Refused,
        _ => Failure::Nonsense,
    };
    Err((failure, format!("the answer has status {}", answer.status)))
}
