//! Access tokens of HighLevel that end after a day: `POST /oauth/token` (RFC 6749, section 6) gives a new one, and a new refresh token.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use tenantry_domain::{PlainSecret, Provider, TenantId, WorkspaceId};

use super::{
    Providers,
    failure::{Failure, Question, ask},
};

/// The app of HighLevel's marketplace that tokens were issued to.
#[derive(Clone)]
pub struct HighLevelApp {
    /// Its client id.
    pub client_id: String,
    /// Its client secret.
    pub client_secret: PlainSecret,
}

impl fmt::Debug for HighLevelApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HighLevelApp").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    refresh_token: String,
    /// In seconds.
    expires_in: Option<i64>,
}

impl Providers {
    /// The same providers, where access tokens that were issued to this app are renewed.
    #[must_use]
    pub fn renewing(self, app: Option<HighLevelApp>) -> Self {
        Self { app, ..self }
    }

    /// Whether access tokens can be renewed.
    pub fn can_renew(&self) -> bool {
        self.app.is_some()
    }

    /// A new access token and a new refresh token for an access token that has ended. The refresh token is used up then.
    pub(crate) async fn renew(
        &self,
        place: (TenantId, WorkspaceId),
        secret: &PlainSecret,
        now: DateTime<Utc>,
    ) -> Result<PlainSecret, Failure> {
        let (Some(app), Some(renewal)) = (&self.app, secret.renewal()) else { return Err(Failure::NotRenewed) };
        let url = self.urls.at_gohighlevel(&["oauth", "token"]).ok_or(Failure::Nonsense)?;
        let form = [
            ("client_id", app.client_id.as_str()),
            ("client_secret", app.client_secret.reveal()),
            ("grant_type", "refresh_token"),
            ("refresh_token", renewal.refresh_token()),
            ("user_type", "Location"),
        ];
        let key = self.fingerprints.key(Provider::GoHighLevel, place, [renewal.refresh_token().as_bytes(), b"renewal"]);
        let permit = self.breakers.permit(&key, now)?;
        let request = self.client.post_form(url, &form);
        // `invalid_grant` is 400 (RFC 6749, section 5.2).
        let question = Question { provider: Provider::GoHighLevel, request, refused_with: &[400, 422] };
        let answer = ask::<Answer>(&self.client, question, self.client.deadline()).await;
        permit.record(&answer);
        let answer =
            answer.map_err(|failure| if failure == Failure::Refused { Failure::NotRenewed } else { failure })?;
        let read = |token: String| token.parse::<PlainSecret>().map_err(|_| Failure::Nonsense);
        let ends_at = answer.expires_in.and_then(|seconds| now.checked_add_signed(TimeDelta::try_seconds(seconds)?));
        Ok(read(answer.access_token)?.renewed_with(read(answer.refresh_token)?, ends_at))
    }
}
