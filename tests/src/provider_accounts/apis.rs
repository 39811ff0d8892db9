//! What each service answers to a request that it understands.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{Misbehaviour, ProviderRequest, State, UPSTREAM_WORDS};

/// Status and body.
pub(super) type Answer = (u16, Value);

impl State {
    /// The answer of whichever service has this path.
    pub(super) fn answer(&mut self, request: &ProviderRequest, misbehaviour: Option<&Misbehaviour>) -> Answer {
        let path = request.target.split('?').next().unwrap_or_default();
        match path {
            "/v2/voices" => self.voices(request, misbehaviour),
            "/v1/models" => self.models(request),
            // It fails before it uses anything up.
            "/oauth/token" if matches!(misbehaviour, Some(Misbehaviour::Status(_))) => (200, Value::Null),
            "/oauth/token" => self.renew(request),
            _ if request.method != "GET" => (405, json!({ "message": UPSTREAM_WORDS })),
            "/calendars/" => self.calendars(request),
            _ => self.twilio_account(path, request),
        }
    }

    fn elevenlabs_account(&self, request: &ProviderRequest) -> Option<&(String, Vec<Value>, usize)> {
        let key = request.header("xi-api-key")?;
        self.elevenlabs.iter().find(|(known, ..)| known == key)
    }

    fn voices(&self, request: &ProviderRequest, misbehaviour: Option<&Misbehaviour>) -> Answer {
        let Some((_, voices, first)) = self.elevenlabs_account(request) else { return elevenlabs_refusal() };
        let asked: usize = request.parameter("page_size").map_or(10, |size| size.parse().unwrap());
        assert!((1..=100).contains(&asked), "it takes no other size");
        let token = request.parameter("next_page_token");
        let start = token.map_or(0, |token| token.strip_prefix("from-").unwrap().parse().unwrap());
        let size = if token.is_none() { asked.max(*first) } else { asked };
        let end = voices.len().min(start + size);
        let (has_more, next) = match misbehaviour {
            Some(Misbehaviour::SameToken) => (true, Some("from-0".to_owned())),
            Some(Misbehaviour::NoToken) => (true, None),
            Some(Misbehaviour::NoEnd) => (true, Some(format!("from-{}", start + size))),
            _ => (end < voices.len(), (end < voices.len()).then(|| format!("from-{end}"))),
        };
        let page = voices.get(start..end).unwrap_or_default();
        let body =
            json!({ "voices": page, "has_more": has_more, "total_count": voices.len(), "next_page_token": next });
        (200, body)
    }

    fn models(&self, request: &ProviderRequest) -> Answer {
        if bearer(request).is_some_and(|key| self.openai.iter().any(|known| known == key)) {
            return (200, json!({ "object": "list", "data": [{ "id": "gpt-realtime", "object": "model" }] }));
        }
        let message = format!("Incorrect API key provided: {UPSTREAM_WORDS}");
        (401, json!({ "error": { "message": message, "type": "invalid_request_error", "code": "invalid_api_key" } }))
    }

    fn calendars(&self, request: &ProviderRequest) -> Answer {
        let refusal = |status: u16, message: &str| {
            (status, json!({ "statusCode": status, "message": format!("{message} {UPSTREAM_WORDS}") }))
        };
        if request.header("version") != Some("2021-04-15") {
            return refusal(400, "version header was not found.");
        }
        let token = bearer(request);
        let account = self.gohighlevel.iter().find(|(known, ..)| token == Some(known.as_str()));
        let Some((_, location, calendars)) = account else { return refusal(401, "Invalid JWT") };
        if request.parameter("locationId") != Some(location.as_str()) {
            return refusal(403, "The token does not have access to this location.");
        }
        assert_eq!(request.parameter("showDrafted"), Some("false"));
        (200, json!({ "calendars": calendars, "traceId": "t" }))
    }

    /// A new token for a refresh token, which is used up (RFC 6749, section 6).
    fn renew(&mut self, request: &ProviderRequest) -> Answer {
        let refusal = |error: &str| (400, json!({ "error": error, "error_description": UPSTREAM_WORDS }));
        let form: Vec<(String, String)> = url::form_urlencoded::parse(request.body.as_bytes()).into_owned().collect();
        let field = |name: &str| form.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
        let (app, user) = ([field("client_id"), field("client_secret")], field("user_type"));
        if request.method != "POST" || app != ["app-id", "app-secret"] || user != "Location" {
            return refusal("invalid_client");
        }
        let known = self.renewals.iter().position(|(refresh, _)| refresh == field("refresh_token"));
        let Some(known) = known.filter(|_| field("grant_type") == "refresh_token") else {
            return refusal("invalid_grant");
        };
        let (refresh, old) = self.renewals.remove(known);
        let new = format!("{refresh}-gave-this");
        for (token, ..) in &mut self.gohighlevel {
            if *token == old || *token == format!("ended {old}") {
                token.clone_from(&new);
            }
        }
        let next = format!("{refresh}-next");
        self.renewals.push((next.clone(), new.clone()));
        let body = json!({
            "access_token": new, "token_type": "Bearer", "expires_in": 86_399, "refresh_token": next, "scope": "calendars.readonly",
            "userType": "Location", "locationId": "loc", "companyId": "co", "userId": "u",
        });
        (200, body)
    }

    fn twilio_account(&self, path: &str, request: &ProviderRequest) -> Answer {
        let sid = path.strip_prefix("/2010-04-01/Accounts/").and_then(|rest| rest.strip_suffix(".json"));
        let Some(sid) = sid else { return (404, json!({ "message": UPSTREAM_WORDS })) };
        let expects = |token: &str| format!("Basic {}", STANDARD.encode(format!("{sid}:{token}")));
        let known = self.twilio.iter().find(|(known, _)| known == sid);
        match known.filter(|(_, token)| request.header("authorization") == Some(&expects(token))) {
            Some((_, token)) => (
                200,
                json!({ "sid": sid, "auth_token": token, "friendly_name": "Acme", "status": "active", "type": "Full" }),
            ),
            None => (401, json!({ "code": 20003, "message": format!("Authenticate {UPSTREAM_WORDS}"), "status": 401 })),
        }
    }
}

fn elevenlabs_refusal() -> Answer {
    (401, json!({ "detail": { "status": "invalid_api_key", "message": format!("Invalid API key {UPSTREAM_WORDS}") } }))
}

fn bearer(request: &ProviderRequest) -> Option<&str> {
    request.header("authorization")?.strip_prefix("Bearer ")
}
