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
        (VerifyOutcome::Limited(_), Ok(answer)) => {
            tracing::info!(%provider, status = answer.status, "a provider limits an integration")
        }
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
    providers.client.send(provider, request, providers.client.deadline()).await
}

fn request(providers: &Providers, provider: Provider, fields: &OpenedFields) -> Option<RequestBuilder> {
    let Providers { client, urls, .. } = providers;
    let secret = fields.secret.reveal();
    match (provider, &fields.plain) {
        (Provider::Twilio, Some(PlainField::Sid(sid))) => {
            let below = |path: &[&str]| {
                let path = [&["2010-04-01", "Accounts"], path].concat();
                urls.at_twilio(fields.twilio_region.unwrap_or_default(), &path)
            };
            match &fields.api_key_sid {
                None => {
                    let url = below(&[&format!("{}.json", sid.as_str())])?;
                    Some(client.get(url).basic_auth(sid.as_str(), Some(secret)))
                }
                // A key may not read the account itself.
                Some(key) => {
                    let mut url = below(&[sid.as_str(), "IncomingPhoneNumbers.json"])?;
                    url.query_pairs_mut().append_pair("PageSize", "1");
                    Some(client.get(url).basic_auth(key.as_str(), Some(secret)))
                }
            }
        }
        (Provider::ElevenLabs, _) => {
            let account = ElevenLabs::of(fields).ok()?;
            let mut url = urls.at_elevenlabs(account.region, &["v2", "voices"])?;
            url.query_pairs_mut().append_pair("page_size", "1");
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
        200 if is_documented(provider, fields, answer) => match account_fault(provider, answer) {
            Some(sentence) => VerifyOutcome::Refused(sentence.to_owned()),
            None => VerifyOutcome::Ok,
        },
        200 => VerifyOutcome::Unavailable(format!("{label} sent a response in an undocumented format.")),
        status @ (400 | 401 | 403 | 404 | 422) => {
            told(provider, fields, status, answer).unwrap_or_else(|| match refusal(provider, fields, status) {
                Some(sentence) => VerifyOutcome::Refused(sentence.to_owned()),
                None => unexpected(label, status),
            })
        }
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

/// What is wrong with an account whose credential is good.
fn account_fault(provider: Provider, answer: &ProviderAnswer) -> Option<&'static str> {
    let body: Value = answer.json().ok().filter(|_| provider == Provider::Twilio)?;
    match body["status"].as_str() {
        Some("suspended") => Some("Twilio has suspended this account."),
        Some("closed") => Some("Twilio has closed this account."),
        _ => None,
    }
}

/// What an answer says beyond its status: of a credential that is good and may not do this, or of something else than the
/// credential. Its words are read and not passed on.
fn told(provider: Provider, fields: &OpenedFields, status: u16, answer: &ProviderAnswer) -> Option<VerifyOutcome> {
    let body: Value = answer.json().unwrap_or_default();
    let limited = |sentence: &str| Some(VerifyOutcome::Limited(sentence.to_owned()));
    let says = |value: &Value, words: &str| value.as_str().is_some_and(|text| text.contains(words));
    match provider {
        Provider::Twilio if body["code"] == ACCOUNT_NOT_ACTIVE => {
            Some(VerifyOutcome::Refused("Twilio has suspended or closed this account.".to_owned()))
        }
        Provider::Twilio if status == 403 && fields.api_key_sid.is_some() => {
            limited("Twilio accepted the API key but does not allow it to list phone numbers.")
        }
        Provider::ElevenLabs if says(&body["detail"]["status"], "missing_permissions") => limited(
            "ElevenLabs accepted the API key but does not allow it to list voices. Give it the permission voices_read.",
        ),
        Provider::OpenAi if says(&body["error"]["code"], "unsupported_country") => Some(VerifyOutcome::Unavailable(
            "OpenAI does not answer in the country that this service runs in.".to_owned(),
        )),
        // The error was a text of its own once.
        Provider::OpenAi
            if status == 403
                || says(&body["error"]["message"], "Missing scopes")
                || says(&body["error"], "Missing scopes") =>
        {
            limited("OpenAI accepted the API key but does not allow it to list models.")
        }
        Provider::GoHighLevel if says(&body["message"], "not authorized for this scope") => {
            limited("HighLevel accepted the access token but does not allow it to read calendars.")
        }
        _ => None,
    }
}

/// Twilio's number for an account that is suspended or closed.
const ACCOUNT_NOT_ACTIVE: u32 = 20_005;

/// What a status says of the fields, where it says something of them.
fn refusal(provider: Provider, fields: &OpenedFields, status: u16) -> Option<&'static str> {
    match (provider, status) {
        (Provider::Twilio, 401 | 403) if fields.api_key_sid.is_some() => {
            Some("Twilio rejected this API key for this account. It may belong to another region.")
        }
        (Provider::Twilio, 401 | 403) => {
            Some("Twilio rejected this SID and auth token. They may belong to another region.")
        }
        (Provider::Twilio, 404) => Some("Twilio has no account with this SID."),
        (Provider::ElevenLabs, 401 | 403) => Some("ElevenLabs rejected the API key. It may belong to another region."),
        (Provider::OpenAi, 401) => Some("OpenAI rejected the API key."),
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
        Provider::Twilio if fields.api_key_sid.is_some() => body["incoming_phone_numbers"].is_array(),
        Provider::Twilio => body["sid"].as_str() == fields.plain.as_ref().map(PlainField::as_str),
        Provider::ElevenLabs => body["voices"].is_array(),
        Provider::OpenAi => body["data"].is_array(),
        Provider::GoHighLevel => body["calendars"].is_array(),
    }
}
