//! Whether a provider takes the fields of an integration: one request to each, which changes nothing there.

use serde_json::Value;
use tenantry_domain::{ElevenLabsRegion, PlainField, Provider};

use super::{
    OpenedFields, Providers, VerifyOutcome, below,
    client::{NoAnswer, ProviderAnswer, secret_header},
};

/// The version of HighLevel's interface that is spoken.
const HIGHLEVEL_VERSION: &str = "2021-04-15";

pub(super) async fn verify(providers: &Providers, provider: Provider, fields: &OpenedFields) -> VerifyOutcome {
    let answer = ask(providers, provider, fields).await;
    let outcome = judge(provider, fields, &answer);
    // Of the answer its status is all that is worth a line; the body may hold the secret.
    match (&outcome, &answer) {
        (VerifyOutcome::Ok, _) => {}
        (_, Ok(answer)) => {
            tracing::info!(%provider, status = answer.status, "a provider did not confirm an integration")
        }
        (_, Err(why)) => tracing::warn!(%provider, ?why, "a provider could not be asked about an integration"),
    }
    outcome
}

async fn ask(providers: &Providers, provider: Provider, fields: &OpenedFields) -> Result<ProviderAnswer, NoAnswer> {
    let Providers { client, urls } = providers;
    let secret = fields.secret.reveal();
    let request = match (provider, &fields.plain) {
        (Provider::Twilio, Some(PlainField::Sid(sid))) => {
            let url = below(&urls.twilio, &["2010-04-01", "Accounts", &format!("{}.json", sid.as_str())]);
            client.get(url).map(|request| request.basic_auth(sid.as_str(), Some(secret)))
        }
        (Provider::ElevenLabs, plain) => {
            let region = match plain {
                Some(PlainField::Region(region)) => *region,
                _ => ElevenLabsRegion::default(),
            };
            let request = client.get(urls.at_elevenlabs(region, &["v1", "user"]));
            request.zip(secret_header(&fields.secret)).map(|(request, key)| request.header("xi-api-key", key))
        }
        (Provider::OpenAi, _) => {
            client.get(below(&urls.openai, &["v1", "models"])).map(|request| request.bearer_auth(secret))
        }
        (Provider::GoHighLevel, Some(PlainField::Location(location))) => {
            let url = urls.at_gohighlevel(&["calendars", ""]).map(|mut url| {
                url.query_pairs_mut().append_pair("locationId", location.as_str()).append_pair("showDrafted", "false");
                url
            });
            client.get(url).map(|request| request.bearer_auth(secret).header("Version", HIGHLEVEL_VERSION))
        }
        (Provider::Twilio | Provider::GoHighLevel, _) => None,
    };
    client.send(request).await
}

fn judge(provider: Provider, fields: &OpenedFields, answer: &Result<ProviderAnswer, NoAnswer>) -> VerifyOutcome {
    let label = provider.label();
    let answer = match answer {
        Ok(answer) => answer,
        Err(why) => return VerifyOutcome::Unavailable(why.sentence(label)),
    };
    match answer.status {
        200 if is_documented(provider, fields, &answer.body) => VerifyOutcome::Ok,
        200 => VerifyOutcome::Unavailable(format!("{label} answered in a form that is not the documented one.")),
        status @ (400 | 401 | 403 | 404 | 422) => match refusal(provider, status) {
            Some(sentence) => VerifyOutcome::Refused(sentence.to_owned()),
            None => unexpected(label, status),
        },
        429 => VerifyOutcome::Unavailable(match answer.retry_after {
            Some(1) => format!("{label} asks to be asked less often: try again after 1 second."),
            Some(wait) => format!("{label} asks to be asked less often: try again after {wait} seconds."),
            None => format!("{label} asks to be asked less often: try again later."),
        }),
        300..400 => VerifyOutcome::Unavailable(format!("{label} answered with a redirect, which is not followed.")),
        status => unexpected(label, status),
    }
}

fn unexpected(label: &str, status: u16) -> VerifyOutcome {
    VerifyOutcome::Unavailable(format!("{label} answered with the status {status}: try again later."))
}

/// What a status says of the fields, where it says something of them.
fn refusal(provider: Provider, status: u16) -> Option<&'static str> {
    match (provider, status) {
        (Provider::Twilio, 401 | 403) => Some("Twilio does not accept this SID with this auth token."),
        (Provider::Twilio, 404) => Some("Twilio knows no account with this SID."),
        (Provider::ElevenLabs, 401 | 403) => Some(
            "ElevenLabs does not accept the API key, or the key may not read the account (user_read), or it is of another region.",
        ),
        (Provider::OpenAi, 401) => Some("OpenAI does not accept the API key."),
        (Provider::OpenAi, 403) => Some("OpenAI accepts the API key, and does not allow it to list models."),
        (Provider::GoHighLevel, 401 | 403) => {
            Some("HighLevel does not accept the access token for this location, or the token may not read calendars.")
        }
        (Provider::GoHighLevel, 400 | 404 | 422) => Some("HighLevel knows no location with this id."),
        _ => None,
    }
}

/// Whether a body is what the provider documents: any server in between can say 200.
fn is_documented(provider: Provider, fields: &OpenedFields, body: &[u8]) -> bool {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return false };
    match provider {
        Provider::Twilio => body["sid"].as_str() == fields.plain.as_ref().map(PlainField::as_str),
        Provider::ElevenLabs => body.is_object(),
        Provider::OpenAi => body["data"].is_array(),
        Provider::GoHighLevel => body["calendars"].is_array(),
    }
}
