//! Envelopes.

use actix_web::HttpResponse;
use serde::Serialize;
use tenantry_domain::{Cap, Conflict, Error, Provider, Role, Slot, SlotHolder};
use tenantry_operations::{
    LongAnswer,
    numbered::{NumberedList, Overview},
    providers::{Calendars, Voices},
};
use utoipa::ToSchema;

use super::error::DialectError;
use crate::{
    answer,
    api::{calendars::CalendarView, voices::VoiceView},
    schema::Word,
};

type RoleWord = Word<Role>;

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

/// Every workspace that the caller can see, by number.
#[derive(Serialize, ToSchema)]
#[schema(as = CallFluentList)]
pub(crate) struct List {
    /// Always true.
    #[schema(example = true)]
    status: bool,
    /// The workspaces.
    data: Vec<Item>,
}

/// Every workspace that the caller can see, by number.
#[derive(Serialize, ToSchema)]
#[schema(as = CallFluentWorkspaces)]
pub(crate) struct Workspaces {
    /// The workspaces.
    workspaces: Vec<Item>,
}

/// A person with a slot in a workspace.
#[derive(Serialize, ToSchema)]
#[schema(as = CallFluentMember)]
pub(crate) struct Person {
    /// The number of the slot, for `invite-delete`.
    #[schema(example = 11)]
    id: i64,
    /// The email address.
    #[schema(example = "ada@example.com", format = "idn-email", pattern = "^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$")]
    email: String,
    /// The role.
    role: RoleWord,
    /// Whether the invitation has not been accepted yet.
    #[schema(example = true)]
    pending: bool,
}

impl From<Slot> for Person {
    fn from(slot: Slot) -> Self {
        Self {
            id: slot.number.get(),
            email: slot.email.as_str().to_owned(),
            role: Word(slot.role),
            pending: matches!(slot.holder, SlotHolder::Invitation(_)),
        }
    }
}

/// A workspace with its settings and members.
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
    /// The monthly limit of minutes in force, from the workspace or the tenant. `null` is unlimited.
    #[schema(example = 300)]
    max_mins: Option<u32>,
    /// The limit of members in force. `null` is unlimited.
    #[schema(example = 10)]
    max_members: Option<u32>,
    /// The limit of agents in force. `null` is unlimited.
    #[schema(example = 6)]
    max_agents: Option<u32>,
    /// Minutes used in the current month. A started minute counts as a full minute.
    #[schema(example = 42)]
    used_mins: i64,
    /// How many members there are, including pending invitations.
    #[schema(example = 3)]
    used_members: i64,
    /// How many agents there are.
    #[schema(example = 2)]
    used_agents: i64,
    /// Twilio SID. `null` if it is not set or the caller may not see integrations.
    #[schema(example = "AC0123456789abcdef0123456789abcdef", pattern = "^AC[0-9a-fA-F]{32}$")]
    sid: Option<String>,
    /// Which secrets are set. `null` if the caller may not see integrations.
    secrets: Option<Secrets>,
    /// Who has a slot in the workspace, by number: members, and pending invitations if the caller may list invitations. `null`
    /// if the caller may not see members.
    members: Option<Vec<Person>>,
}

/// Which secrets are set. Their values are never shown.
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
    /// In HighLevel's order. Empty if the workspace is not connected.
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
pub(super) async fn list(leave: LongAnswer, list: NumberedList) -> Result<HttpResponse, DialectError> {
    Ok(answer::long(leave, || List { status: true, data: items(list) }).await?)
}

/// `{workspaces: […]}`.
pub(super) async fn workspaces(leave: LongAnswer, list: NumberedList) -> Result<HttpResponse, DialectError> {
    Ok(answer::long(leave, || Workspaces { workspaces: items(list) }).await?)
}
