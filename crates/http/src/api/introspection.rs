//! `/api/introspect`: other software asks about a credential that it was shown (RFC 7662).

mod request;
mod view;

use std::time::Duration;

use actix_web::{HttpResponse, http::header, post, web::Data};
use chrono::{DateTime, Utc};
use tenantry_operations::introspection::{self, Introspection};
use utoipa_actix_web::service_config::ServiceConfig;

use self::{
    request::{Introspect, IntrospectForm},
    view::IntrospectionView,
};
use crate::{
    error::Failure,
    extract::{AskingService, ValidOrForm},
    metrics::RESULTS,
    part::{Group, Part},
    service::Service,
};

/// What the document says of it, and its routes.
pub(crate) const PART: Part = Part {
    tag: "Introspection",
    about: Some((Group::People, "Other services ask whose a credential is and what it may do. Needs a service key.")),
    routes,
};

fn routes(config: &mut ServiceConfig<'_>) {
    config.service(ask);
}

/// Introspect a credential
///
/// Says whose an API key or an access token is and, for each question, whether its holder may do that (RFC 7662). A credential that is
/// malformed, unknown, expired, revoked or of another service gets `{"active": false}` and nothing else. If only its tenant is
/// suspended, `active` is `false` and `reason` is `suspended`. A question names a permission, a workspace, or both. A permission is the name of an
/// action of the policy, such as `usage.record`, or one that the operator has declared, such as `conversations:read`. A workspace
/// alone asks whether the holder may see it. `Cache-Control` says how long you may keep the answer.
///
/// **Permission:** a service key. No other credential is accepted.
#[utoipa::path(
    tag = PART.tag,
    security(("serviceKey" = [])),
    request_body(content((Introspect = "application/json"), (IntrospectForm = "application/x-www-form-urlencoded"))),
    responses((status = 200, description = "What there is to say of the credential.", body = IntrospectionView, example = json!({
        "active": true,
        "scope": "workspaces:read conversations:read",
        "client_id": "d1a2b3c4-5678-4abc-9ef0-1234567890ab",
        "token_type": "Bearer",
        "exp": 1_800_439_200,
        "sub": "d1a2b3c4-5678-4abc-9ef0-1234567890ab",
        "tenant": { "id": "a0b1c2d3-4567-49ab-8def-0123456789ab", "name": "Acme Industrial Supply" },
        "actor": {
            "type": "api_key",
            "id": "d1a2b3c4-5678-4abc-9ef0-1234567890ab",
            "name": "CRM synchronisation",
            "role": null,
            "scopes": ["workspaces:read", "conversations:read"],
            "brandId": null,
            "workspaceId": null,
            "expiresAt": "2027-01-20T10:00:00.000Z"
        },
        "answers": [
            { "permission": "conversations:read", "workspaceId": "c1a2b3c4-5678-4abc-9ef0-1234567890ab", "allowed": true, "reason": null },
            { "permission": "usage.record", "workspaceId": null, "allowed": false, "reason": "insufficient_scope" }
        ]
    })), (status = 401, description = "There is no service key."))
)]
#[post("/api/introspect")]
pub(crate) async fn ask(
    asker: AskingService,
    body: ValidOrForm<Introspect>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (token, asked) = body.0.into_parts();
    let shown = asker.shown(&token).await?;
    let questions: Vec<_> = asked.iter().map(|asked| asked.question.clone()).collect();
    let found = introspection::introspect(&service.store, &shown.credential, &questions).await?;
    let [active, inactive, suspended] = RESULTS;
    service.metrics.introspected(match &found {
        Introspection::Active(_) => active,
        Introspection::Suspended => suspended,
        Introspection::Inactive => inactive,
    });
    let view = IntrospectionView::of(found, &shown, asked);
    let keep = kept_for(view.until(), service.introspection_max_age, Utc::now());
    let control = match keep.as_secs() {
        0 => "no-store".to_owned(),
        seconds => format!("private, max-age={seconds}"),
    };
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, control)).json(view))
}

/// For how long an answer may be kept: no longer than the credential holds, and not at all if it does not.
fn kept_for(until: Option<Option<DateTime<Utc>>>, most: Duration, now: DateTime<Utc>) -> Duration {
    match until {
        None => Duration::ZERO,
        Some(None) => most,
        Some(Some(until)) => most.min((until - now).to_std().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_no_longer_than_the_credential_holds() {
        let (now, minute) = (Utc::now(), Duration::from_secs(60));
        let at = |seconds| Some(Some(now + chrono::Duration::seconds(seconds)));
        assert_eq!(kept_for(None, minute, now), Duration::ZERO, "of none that holds");
        assert_eq!(kept_for(Some(None), minute, now), minute);
        assert_eq!(kept_for(at(3_600), minute, now), minute);
        assert_eq!(kept_for(at(10), minute, now), Duration::from_secs(10));
        assert_eq!(kept_for(at(-10), minute, now), Duration::ZERO);
        assert_eq!(kept_for(Some(None), Duration::ZERO, now), Duration::ZERO);
    }
}
