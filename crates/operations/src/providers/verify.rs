//! Whether a provider takes the fields of an integration: one request to each, which changes nothing there.

use reqwest::RequestBuilder;
use serde_json::Value;
use tenantry_domain::{PlainField, Provider, counted};

use super::{
    OpenedFields, Providers, VerifyOutcome, below,
    client::{NoAnswer, ProviderAnswer},
    credential::{ElevenLabs, HighLevel, XI_API_KEY},
    failure::Failure,
    gohighlevel,
};

/// What the provider says of the fields, and whether it failed as a provider.
pub(super) async fn verify(
    providers: &Providers,
    provider: Provider,
    fields: &OpenedFields,
) -> (VerifyOutcome, Result<(), Failure>) {
    let answer = ask(providers, provider, fields).await;
    let outcome = judge(provider, fields, &answer);
    // Of the answer its status is all that is worth a line; the body may hold the secret.
    match (&outcome, &answer) {
        (VerifyOutcome::Ok, _) => {}
        (_, Ok(answer)) => {
            tracing::info!(%provider, status = answer.status, "a provider rejected an integration")
        }
        (_, Err(why)) => tracing::warn!(%provider, %why, "could not verify an integration with its provider"),
    }
    let said = match (&outcome, &answer) {
        (_, Ok(answer)) if answer.status == 429 => Err(Failure::RateLimited { retry_after: answer.retry_after }),
        (VerifyOutcome::Unavailable(_), _) => Err(Failure::Unavailable { retry_after: None }),
        _ => Ok(()),
    };
    (outcome, said)
}

async fn ask(providers: &Providers, provider: Provider, fields: &OpenedFields) -> Result<ProviderAnswer, NoAnswer> {
    let request = request(providers, provider, fields);
    let request = request.ok_or_else(|| NoAnswer::Unreachable("these fields make no request".to_owned()))?;
    providers.client.send(request, providers.client.deadline()).await
}

fn request(providers: &Providers, provider: Provider, fields: &OpenedFields) -> Option<RequestBuilder> {
    let Providers { client, urls, .. } = providers;
    let secret = fields.secret.reveal();
    match (provider, &fields.plain) {
        (Provider::Twilio, Some(PlainField::Sid(sid))) => {
            let url = below(&urls.twilio, &["2010-04-01", "Accounts", &format!("{}.json", sid.as_str())])?;
            Some(client.get(url).basic_auth(sid.as_str(), Some(secret)))
        }
        (Provider::ElevenLabs, _) => {
            let account = ElevenLabs::of(fields).ok()?;
            let url = urls.at_elevenlabs(account.region, &["v1", "user"])?;
            Some(client.get(url).header(XI_API_KEY, account.key))
        }
        (Provider::OpenAi, _) => Some(client.get(below(&urls.openai, &["v1", "models"])?).bearer_auth(secret)),
        (Provider::GoHighLevel, Some(_)) => gohighlevel::request(providers, &HighLevel::of(fields).ok()?),
        (Provider::Twilio | Provider::GoHighLevel, _) => None,
    }
}

fn judge(provider: Provider, fields: &OpenedFields, answer: &Result<ProviderAnswer, NoAnswer>) -> VerifyOutcome {
    let label = provider.label();
    let answer = match answer {
        Ok(answer) => answer,
        Err(why) => return VerifyOutcome::Unavailable(sentence(why, label)),
    };
    match answer.status {
        200 if is_documented(provider, fields, answer) => VerifyOutcome::Ok,
        200 => VerifyOutcome::Unavailable(format!("{label} sent a response in an undocumented format.")),
        status @ (400 | 401 | 403 | 404 | 422) => match refusal(provider, status) {
            Some(sentence) => VerifyOutcome::Refused(sentence.to_owned()),
            None => unexpected(label, status),
        },
        429 => VerifyOutcome::Unavailable(match answer.retry_after.map(|wait| wait.as_secs()) {
            Some(wait) => {
                format!("{label} is rate limiting requests. Try again in {}.", counted(wait, "second"))
            }
            None => format!("{label} is rate limiting requests. Try again later."),
        }),
        300..400 => {
            VerifyOutcome::Unavailable(format!("{label} answered with a redirect, which Tenantry does not follow."))
        }
        status => unexpected(label, status),
    }
}

fn sentence(why: &NoAnswer, label: &str) -> String {
    match why {
        NoAnswer::Late => format!("{label} did not answer in time."),
        NoAnswer::Unreachable(_) => format!("{label} could not be reached."),
        NoAnswer::TooLarge => format!("{label} sent a response that is too large."),
    }
}

fn unexpected(label: &str, status: u16) -> VerifyOutcome {
    VerifyOutcome::Unavailable(format!("{label} answered with status {status}. Try again later."))
}

/// What a status says of the fields, where it says something of them.
fn refusal(provider: Provider, status: u16) -> Option<&'static str> {
    match (provider, status) {
        (Provider::Twilio, 401 | 403) => Some("Twilio rejected this SID and auth token."),
        (Provider::Twilio, 404) => Some("Twilio has no account with this SID."),
        (Provider::ElevenLabs, 401 | 403) => Some(
            "ElevenLabs rejected the API key. The key may lack the permission user_read, or belong to another region.",
        ),
        (Provider::OpenAi, 401) => Some("OpenAI rejected the API key."),
        (Provider::OpenAi, 403) => Some("OpenAI accepted the API key but does not allow it to list models."),
        (Provider::GoHighLevel, 401 | 403) => Some(
            "HighLevel rejected the access token for this location. The token may lack the permission to read calendars.",
        ),
        (Provider::GoHighLevel, 400 | 404 | 422) => Some("HighLevel has no location with this id."),
        _ => None,
    }
}

/// Whether a body is what the provider documents: any server in between can say 200.
fn is_documented(provider: Provider, fields: &OpenedFields, answer: &ProviderAnswer) -> bool {
    let Ok(body) = answer.json::<Value>() else { return false };
    match provider {
        Provider::Twilio => body["sid"].as_str() == fields.plain.as_ref().map(PlainField::as_str),
        Provider::ElevenLabs => body.is_object(),
        Provider::OpenAi => body["data"].is_array(),
        Provider::GoHighLevel => body["calendars"].is_array(),
    }
}
