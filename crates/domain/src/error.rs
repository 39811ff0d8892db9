//! Everything that can go wrong with a request, once; each face of the service gives it its own form.

use std::time::Duration;

use crate::{Conflict, FieldRefusal, KeyScope, Noun};

/// Why a request was not answered with what it asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request could not be read.
    #[error("{message}")]
    Unreadable {
        /// Stable, `snake_case`.
        code: &'static str,
        /// A sentence for a person.
        message: String,
    },
    /// No credential, or none that holds.
    #[error("{0}")]
    Unauthenticated(Unauthenticated),
    /// The actor sees the thing and may not do this to it.
    #[error("{message}")]
    Forbidden {
        /// A sentence for a person.
        message: String,
        /// The scope that is missing, where it is one.
        scope: Option<KeyScope>,
    },
    /// There is no such thing, or none that this actor may know of; the two are not told apart.
    #[error("{} not found", .0.capitalised())]
    NotFound(Noun),
    /// Values that were refused, all of them.
    #[error("{}", one_sentence(.0))]
    Invalid(Vec<FieldRefusal>),
    /// The request and the present state of things do not go together.
    #[error("{message}")]
    Conflict {
        /// Which.
        code: Conflict,
        /// A sentence for a person.
        message: String,
    },
    /// The thing is no longer as the caller last saw it.
    #[error(
        "The condition in If-Match or If-None-Match does not hold: the object has changed, or whether it exists. Read it again, and send its new ETag in If-Match."
    )]
    PreconditionFailed,
    /// The idempotency key belongs to another request of the same actor.
    #[error("This Idempotency-Key was already used for another request. Use a new key for each new request.")]
    KeyReused,
    /// Something this service needs does not answer; trying again later may help.
    #[error("The service is temporarily unavailable. Try again in a few seconds.")]
    Unavailable {
        /// For the log.
        cause: String,
    },
    /// The caller has caused as much of something as may be for now.
    #[error("{message}")]
    TooMany {
        /// Stable, `snake_case`.
        code: &'static str,
        /// A sentence for a person, which also says when to try again.
        message: String,
        /// After how long there is room again, where there ever is.
        retry_after: Option<Duration>,
    },
    /// More is asked than can be answered in time, by everybody together or by this tenant.
    #[error("Too many requests are waiting. Try again in a few seconds.")]
    Overloaded,
    /// The tenant can only be read for now, because it moves to another database.
    #[error("This tenant is being moved and cannot be changed right now. Reading still works. Try again later.")]
    TenantFrozen,
    /// A service of somebody else was needed and did not answer with what was asked of it.
    #[error("{message}")]
    Upstream {
        /// Stable, `snake_case`.
        code: &'static str,
        /// A sentence for a person, in our words.
        message: String,
        /// After how long to try again, where that is known.
        retry_after: Option<Duration>,
    },
    /// A fault of the service itself.
    #[error("Something went wrong on our side.")]
    Internal {
        /// For the log.
        cause: String,
    },
}

/// Why a credential was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unauthenticated {
    /// None was presented.
    #[error("Send an API key or an access token: \"Authorization: Bearer …\".")]
    Missing,
    /// One was presented that is malformed, unknown, revoked or expired; which, is not said.
    #[error("The API key is not valid. It may be mistyped, revoked or expired.")]
    Invalid,
    /// A token was presented that does not hold, or whose holder is no member; which, is not said.
    #[error(
        "The access token is not valid. It may have expired, come from another issuer, be meant for another audience, or belong to someone who is not an active member of the tenant."
    )]
    Token,
    /// A token was presented that is too long to be read. Which of its claims make it so, only its issuer can change.
    #[error(
        "The access token is longer than 16 KiB and was not read. Have your identity provider put fewer claims into it, such as roles or groups."
    )]
    TokenTooLong,
    /// A key was presented where only a person can be meant.
    #[error("This endpoint needs a user's access token. API keys are not accepted.")]
    NotAPerson,
    /// Something else was presented where only a service may ask.
    #[error("This endpoint needs a service key, which begins with tnt_svc_v1_. No other credential is accepted.")]
    NotAService,
    /// The credential is good, and its tenant is suspended.
    #[error("This tenant is suspended. Contact the operator of this service.")]
    Suspended,
}

impl Error {
    /// A refusal of the policy that is not about a scope.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::Forbidden { message: message.into(), scope: None }
    }

    /// A refusal of the policy for want of a scope.
    pub fn missing_scope(scope: impl Into<KeyScope>) -> Self {
        let scope = scope.into();
        let message = format!("This needs the scope {scope}, which your API key does not have.");
        Self::Forbidden { message, scope: Some(scope) }
    }

    /// An invalid field.
    pub fn invalid(refusal: FieldRefusal) -> Self {
        Self::Invalid(vec![refusal])
    }

    /// A conflict with its stable code and its sentence.
    pub fn conflict(code: Conflict, message: impl Into<String>) -> Self {
        Self::Conflict { code, message: message.into() }
    }

    /// That a tenant is deleted, and has to be restored before it can be changed.
    pub fn tenant_deleted() -> Self {
        Self::conflict(Conflict::TenantDeleted, "This tenant is deleted. Restore it first.")
    }

    /// The same error, for a caller who may not read what it is about: a conflict says which it is, and not what there is.
    #[must_use]
    pub fn without_figures(self) -> Self {
        match self {
            Self::Conflict { code: code @ Conflict::LimitReached, .. } => {
                Self::conflict(code, "This would exceed a limit.")
            }
            Self::Conflict { code: code @ Conflict::RefundExceedsUsage, .. } => {
                Self::conflict(code, "The refund is larger than what was used in its month.")
            }
            Self::Conflict { code: code @ Conflict::ReferenceConflict, .. } => Self::conflict(
                code,
                "This reference already belongs to another entry in this workspace. Use a new reference for each entry.",
            ),
            Self::Conflict { code: code @ Conflict::IntegrationIncomplete, .. } => {
                Self::conflict(code, "The integration is missing a field. Set all of them first.")
            }
            other => other,
        }
    }

    /// A fault of the service itself.
    pub fn internal(cause: impl Into<String>) -> Self {
        Self::Internal { cause: cause.into() }
    }
}

fn one_sentence(fields: &[FieldRefusal]) -> String {
    let each: Vec<_> = fields.iter().map(|f| format!("{} {}", f.field, f.message)).collect();
    format!("{}.", each.join("; "))
}

/// What the caller asks of the state of a thing before it is changed (RFC 9110, `If-Match`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing: the last write wins.
    #[default]
    None,
    /// That it is there.
    Exists,
    /// That it is in one of these versions.
    VersionIn(Vec<i64>),
    /// That it is not there (`If-None-Match: *`).
    Absent,
}

impl Precondition {
    /// Holds the precondition against the present version.
    ///
    /// # Errors
    ///
    /// [`Error::PreconditionFailed`].
    pub fn hold(&self, version: i64) -> Result<(), Error> {
        match self {
            Self::VersionIn(versions) if !versions.contains(&version) => Err(Error::PreconditionFailed),
            Self::Absent => Err(Error::PreconditionFailed),
            _ => Ok(()),
        }
    }

    /// Holds the precondition against a thing that is not there.
    ///
    /// # Errors
    ///
    /// [`Error::PreconditionFailed`].
    pub fn hold_of_nothing(&self) -> Result<(), Error> {
        match self {
            Self::None | Self::Absent => Ok(()),
            Self::Exists | Self::VersionIn(_) => Err(Error::PreconditionFailed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_read_like_the_contract_says() {
        assert_eq!(Error::NotFound(Noun::Workspace).to_string(), "Workspace not found");
        assert_eq!(Error::NotFound(Noun::ApiKey).to_string(), "API key not found");
    }
}
