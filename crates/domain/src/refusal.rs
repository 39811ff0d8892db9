//! Why a value was refused: one shape for every newtype of this crate, so that every face of the service (HTTP, command
//! line, settings) can say the same thing about the same value.

use std::fmt;

/// What the code of a refused field of a request can be. Refusals that only a command prints have other codes.
pub const REFUSAL_CODES: &[&str] = &[
    "required",
    "null",
    "wrong_type",
    "unknown_field",
    "empty",
    "too_long",
    "forbidden_character",
    "too_short",
    "surrounding_space",
    "masked",
    "not_an_account_sid",
    "not_an_api_key_sid",
    "not_a_location_id",
    "wrong_case",
    "unknown_country",
    "unknown_language",
    "unknown_currency",
    "unknown_time_zone",
    "not_a_choice",
    "not_a_uuid",
    "not_a_slug",
    "not_a_hex_color",
    "not_an_https_url",
    "not_a_webhook_url",
    "forbidden_address",
    "not_a_time",
    "not_a_month",
    "out_of_range",
    "in_the_past",
    "in_the_future",
    "conflicting",
    "not_an_email_address",
    "too_many",
    "not_found",
    "nothing_left",
    "not_allowed_in_email",
    "ambiguous_html",
    "too_complex",
    "not_supported",
];

/// The reason a single value was refused, in words for the person who sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Stable and machine readable, `snake_case`, such as `too_long`.
    pub code: &'static str,
    /// A sentence without the field's name, such as `must be at most 120 characters, this is 131`.
    pub message: String,
}

impl Refusal {
    /// A refusal with its stable code and its sentence.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The same refusal, said of one member of a request.
    #[must_use]
    pub fn of(self, field: impl Into<String>) -> FieldRefusal {
        FieldRefusal { field: field.into(), code: self.code, message: self.message }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

/// A [`Refusal`] together with the member of the request it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRefusal {
    /// The member's name as the caller wrote it, `camelCase`.
    pub field: String,
    /// See [`Refusal::code`].
    pub code: &'static str,
    /// See [`Refusal::message`].
    pub message: String,
}
