//! `/api/workspaces/{workspaceId}/voices`.

use actix_web::{HttpResponse, get, web::Data};
use chrono::Utc;
use serde::Serialize;
use tenantry_domain::{Action, Conflict, Voice, VoiceBrand, Workspace};
use tenantry_operations::voices;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer,
    error::Failure,
    extract::{Caller, IfNoneMatch, PathId},
    part::{Group, Part},
    schema::Word,
    service::{Integrations, Service},
};

type VoiceBrandWord = Word<VoiceBrand>;

/// A voice that an agent can speak with.
#[derive(Serialize, ToSchema)]
#[schema(as = Voice)]
pub(crate) struct VoiceView {
    /// The id of the voice at its provider.
    #[schema(example = "alloy")]
    value: String,
    /// A label for people, on one line.
    #[schema(example = "Friendly and expressive male")]
    label: String,
    /// The provider of the voice.
    brand: VoiceBrandWord,
}

impl From<Voice> for VoiceView {
    fn from(voice: Voice) -> Self {
        let Voice { value, label, brand } = voice;
        Self { value: value.as_str().to_owned(), label: label.as_str().to_owned(), brand: Word(brand) }
    }
}

/// All voices.
#[derive(Serialize, ToSchema)]
#[schema(as = VoiceList)]
pub(crate) struct VoiceList {
    /// The voices of OpenAI, then those of ElevenLabs.
    data: Vec<VoiceView>,
}

/// What the document says of it, and its routes.
pub(crate) const PART: Part = Part {
    tag: "Voices",
    about: Some((Group::Workspaces, "The voices that a workspace's agents can use, from OpenAI and ElevenLabs.")),
    routes,
};

fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list);
}

/// List voices
///
/// The built-in voices of OpenAI, and all voices of the ElevenLabs account that the workspace is connected to. While
/// ElevenLabs does not respond, the answer has the voices of its last successful response, with their age in the header
/// `Age`.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::VoiceList)), ("x-conflicts" = json!([Conflict::SecretUnreadable]))),
    params(IfNoneMatch),
    responses((status = 200, description = "All voices.", body = VoiceList), (status = 502, description = "A provider failed."))
)]
#[get("/api/workspaces/{workspaceId}/voices")]
pub(crate) async fn list(
    caller: Caller,
    id: PathId<Workspace>,
    known: IfNoneMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (credential, workspace) = (&caller.credential, id.id());
    let Integrations { keys, catalogue, .. } = &service.integrations;
    let voices = voices::list(&service.store, keys, catalogue, credential, workspace, Utc::now()).await?;
    let view = VoiceList { data: voices.list.into_iter().map(VoiceView::from).collect() };
    Ok(answer::aged(known.answer_hashed(&view)?, voices.age))
}
