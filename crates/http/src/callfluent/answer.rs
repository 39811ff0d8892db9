//! Envelopes.

use actix_web::HttpResponse;
use serde::Serialize;
use tenantry_domain::{Cap, Conflict, Error, Provider, Slot, SlotHolder};
use tenantry_operations::{
    numbered::{NumberedList, Overview},
    providers::{Calendars, Voices},
};
use utoipa::ToSchema;

use super::error::DialectError;
use crate::{
    answer,
    api::{calendars::CalendarView, voices::VoiceView},
};

/// A workspace in a list.
#[derive(Serialize, ToSchema)]
#[schema(as = CallFluentWorkspace)]
pub(crate) struct Item {
    /// Its number in its tenant.
    #[schema(example = 1)]
    id: i64,
    /// Its name.
    #[schema(example = "First Workspace")]
    name: String,
}

/// Every workspace that the caller sees, by number.
#[derive(Serialize, ToSchema)]
#[schema(as = CallFluentList)]
pub(crate) struct List {
    /// Always true.
    #[schema(example = true)]
    status: bool,
    /// The workspaces.
    data: Vec<Item>,
}

/// Every workspace that the caller sees, by number.
#[derive(Serialize, ToSchema)]
#[schema(as = CallFluentWorkspaces)]
pub(crate) struct Workspaces {
    /// The workspaces.
    workspaces: Vec<Item>,
}

/// Somebody with a slot in a workspace.
#[derive(Serialize, ToSchema)]
#[schema(as = CallFluentMember)]
pub(crate) struct Person {
    /// The number of the slot, for `invite-delete`.
    #[schema(example = 11)]
    id: i64,
    /// Their address.
    #[schema(example = "ada@example.com")]
    email: String,
    /// Their role.
    #[schema(example = "agent")]
    role: &'static str,
    /// Whether they have not accepted yet.
    #[schema(example = true)]
    pending: bool,
}

impl From<Slot> for Person {
    fn from(slot: Slot) -> Self {
        Self {
            id: slot.number.get(),
            email: slot.email.as_str().to_owned(),
            role: slot.role.as_str(),
            pending: matches!(slot.holder, SlotHolder::Invitation(_)),
        }
    }
}

/// A workspace with what `update` sets, and who is in it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CallFluentWorkspaceInfo)]
pub(crate) struct Info {
    /// Its number in its tenant.
    #[schema(example = 1)]
    id: i64,
    /// Its name.
    #[schema(example = "First Workspace")]
    name: String,
    /// Minutes in a month that hold here, be they the workspace's or the tenant's; `null` for no limit.
    #[schema(example = 300)]
    max_mins: Option<u32>,
    /// How many members there may be, as for `maxMins`.
    #[schema(example = 10)]
    max_members: Option<u32>,
    /// How many agents there may be, as for `maxMins`.
    #[schema(example = 6)]
    max_agents: Option<u32>,
    /// Minutes used in the present month; one that has begun counts.
    #[schema(example = 42)]
    used_mins: i64,
    /// Members there are, those too who have not accepted yet.
    #[schema(example = 3)]
    used_members: i64,
    /// Agents there are.
    #[schema(example = 2)]
    used_agents: i64,
    /// Twilio SID; `null` where there is none, or for a caller who may not see integrations.
    #[schema(example = "AC0123456789abcdef0123456789abcdef")]
    sid: Option<String>,
    /// Which secrets are set; `null` for a caller who may not see integrations.
    secrets: Option<Secrets>,
    /// Who has a slot here, by number; `null` for a caller who may not see members.
    members: Option<Vec<Person>>,
}

/// Which secrets are set. What they are is never shown.
#[derive(Serialize, ToSchema)]
#[schema(as = CallFluentSecrets)]
pub(crate) struct Secrets {
    /// Twilio auth token.
    auth_token: bool,
    /// ElevenLabs API key.
    elevenlabs_key: bool,
    /// OpenAI API key.
    openai_key: bool,
}

/// One workspace.
#[derive(Serialize, ToSchema)]
#[schema(as = CallFluentInfo)]
pub(crate) struct Shown {
    /// Always true.
    #[schema(example = true)]
    status: bool,
    /// The workspace.
    data: Info,
}

/// The calendars of a workspace.
#[derive(Serialize, ToSchema)]
#[schema(as = CallFluentCalendars)]
pub(crate) struct CalendarData {
    /// Always true.
    #[schema(example = true)]
    status: bool,
    /// In the order of HighLevel; empty where it is not connected.
    data: Vec<CalendarView>,
}

impl From<Overview> for Info {
    fn from(overview: Overview) -> Self {
        let Overview { number, workspace, limits, integrations, slots } = overview;
        let of = |provider| integrations.iter().flatten().find(|integration| integration.provider == provider);
        let has = |provider| of(provider).is_some_and(|integration| integration.secret.is_some());
        let in_force = limits.limits.in_force;
        Self {
            id: number.get(),
            name: workspace.details.name.as_str().to_owned(),
            max_mins: in_force.minutes.effective().map(Cap::get),
            max_members: in_force.members.effective().map(Cap::get),
            max_agents: in_force.agents.effective().map(Cap::get),
            used_mins: limits.month.minutes(),
            used_members: limits.members,
            used_agents: limits.agents,
            sid: of(Provider::Twilio).and_then(|twilio| twilio.plain.as_ref()).map(|sid| sid.as_str().to_owned()),
            secrets: integrations.is_some().then(|| Secrets {
                auth_token: has(Provider::Twilio),
                elevenlabs_key: has(Provider::ElevenLabs),
                openai_key: has(Provider::OpenAi),
            }),
            members: slots.map(|slots| slots.into_iter().map(Person::from).collect()),
        }
    }
}

/// `{status: true, data: …}` with all that there is to know of one workspace.
pub(super) fn info(overview: Overview) -> HttpResponse {
    answer::listing().json(Shown { status: true, data: overview.into() })
}

/// A bare list of voices.
pub(super) fn voices(voices: Voices) -> HttpResponse {
    let list: Vec<_> = voices.list.into_iter().map(VoiceView::from).collect();
    answer::aged(answer::listing().json(list), voices.age)
}

/// `{status: true, data: […]}`; empty for a workspace that is not connected.
pub(super) fn calendars(outcome: Result<Calendars, Error>) -> Result<HttpResponse, DialectError> {
    let calendars = match outcome {
        Err(Error::Conflict { code: Conflict::NotConnected, .. }) => Calendars { list: Vec::new(), age: None },
        outcome => outcome?,
    };
    let data = calendars.list.into_iter().map(CalendarView::from).collect();
    Ok(answer::aged(answer::listing().json(CalendarData { status: true, data }), calendars.age))
}

fn items(list: NumberedList) -> Vec<Item> {
    list.into_iter().map(|(number, name)| Item { id: number.get(), name }).collect()
}

/// `{status: true, data: […]}`, with which every change is answered.
pub(super) fn list(list: NumberedList) -> HttpResponse {
    answer::listing().json(List { status: true, data: items(list) })
}

/// `{workspaces: […]}`.
pub(super) fn workspaces(list: NumberedList) -> HttpResponse {
    answer::listing().json(Workspaces { workspaces: items(list) })
}
