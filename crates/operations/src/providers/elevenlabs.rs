//! The voices of an account of ElevenLabs: all pages of `GET /v2/voices`.

use std::collections::HashSet;

use serde::Deserialize;
use tenantry_domain::{Provider, Voice, VoiceBrand, VoiceLabel};

use super::{
    Providers,
    credential::{ElevenLabs, XI_API_KEY},
    failure::{Failure, Question, ask},
};

/// How many pages are read at most.
pub const MAX_PAGES: usize = 100;
/// How many voices are shown at most.
pub const MAX_VOICES: usize = 10_000;

/// How many voices are asked for at a time; more are not given. The first page may have more all the same.
const PAGE_SIZE: &str = "100";

#[derive(Deserialize)]
struct Page {
    voices: Vec<Item>,
    has_more: bool,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    voice_id: String,
    name: Option<String>,
}

/// All voices, in the order of ElevenLabs, each once. Of an account with more than [`MAX_VOICES`] the first ones.
pub(super) async fn voices(providers: &Providers, account: &ElevenLabs) -> Result<Vec<Voice>, Failure> {
    let deadline = providers.client.deadline();
    let (mut voices, mut ids, mut tokens) = (Vec::new(), HashSet::new(), HashSet::new());
    let mut token = None;
    for _ in 0..MAX_PAGES {
        let page: Page = ask(&providers.client, question(providers, account, token.as_deref())?, deadline).await?;
        for item in page.voices {
            let voice = voice(item)?;
            if ids.insert(voice.value.clone()) {
                voices.push(voice);
            }
        }
        if !page.has_more {
            return Ok(voices);
        }
        if voices.len() >= MAX_VOICES {
            break;
        }
        let next = page.next_page_token.filter(|token| tokens.insert(token.clone()));
        token = Some(next.ok_or_else(|| nonsense("more pages, and no new token for the next one"))?);
    }
    if voices.len() < MAX_VOICES {
        return Err(nonsense("pages without end"));
    }
    tracing::warn!(provider = "ElevenLabs", shown = MAX_VOICES, "an account has more voices than are shown");
    voices.truncate(MAX_VOICES);
    Ok(voices)
}

fn question(providers: &Providers, account: &ElevenLabs, token: Option<&str>) -> Result<Question, Failure> {
    let mut url = providers.urls.at_elevenlabs(account.region, &["v2", "voices"]).ok_or(Failure::Nonsense)?;
    url.query_pairs_mut().append_pair("page_size", PAGE_SIZE);
    if let Some(token) = token {
        url.query_pairs_mut().append_pair("next_page_token", token);
    }
    let request = providers.client.get(url).header(XI_API_KEY, account.key.clone());
    Ok(Question { provider: Provider::ElevenLabs, request, refused_with: &[] })
}

fn voice(item: Item) -> Result<Voice, Failure> {
    let value = item.voice_id.parse().map_err(|_| nonsense("a voice without an id that can be one"))?;
    let label = VoiceLabel::of_foreign(&item.name.unwrap_or_default());
    let label = label.or_else(|| VoiceLabel::of_foreign(&item.voice_id)).ok_or(Failure::Nonsense)?;
    Ok(Voice { value, label, brand: VoiceBrand::ElevenLabs })
}

fn nonsense(cause: &str) -> Failure {
    tracing::warn!(provider = "ElevenLabs", cause, "a provider did not answer as expected");
    Failure::Nonsense
}
