//! `/api/workspaces/{workspaceId}/calendars`.

use actix_web::{HttpResponse, get, web::Data};
use chrono::Utc;
use serde::Serialize;
use tenantry_domain::{Action, Calendar, Conflict, Workspace};
use tenantry_operations::calendars;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer,
    error::Failure,
    extract::{Caller, IfNoneMatch, PathId},
    part::{Group, Part},
    service::{Integrations, Service},
};

/// A calendar for booking appointments.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Calendar)]
pub(crate) struct CalendarView {
    /// The id of the calendar at HighLevel.
    #[schema(example = "BqTwX8QFwXzpegMve9EQ")]
    id: String,
    /// The name, on one line.
    #[schema(example = "Discovery calls")]
    name: String,
    /// A description on one line. `null` if there is none.
    #[schema(example = "Half an hour with sales")]
    description: Option<String>,
    /// Whether the calendar currently accepts bookings.
    is_active: bool,
}

impl From<Calendar> for CalendarView {
    fn from(calendar: Calendar) -> Self {
        let Calendar { id, name, description, is_active } = calendar;
        let description = description.map(|text| text.as_str().to_owned());
        Self { id: id.as_str().to_owned(), name: name.as_str().to_owned(), description, is_active }
    }
}

/// All calendars.
#[derive(Serialize, ToSchema)]
#[schema(as = CalendarList)]
pub(crate) struct CalendarList {
    /// In HighLevel's order.
    data: Vec<CalendarView>,
}

/// What the document says of it, and its routes.
pub(crate) const PART: Part = Part {
    tag: "Calendars",
    about: Some((Group::Workspaces, "The HighLevel calendars in which a workspace's agents can book appointments.")),
    routes,
};

fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list);
}

/// List calendars
///
/// The calendars of the HighLevel location that the workspace is connected to, without drafts. While HighLevel does not
/// respond, the answer has the calendars of its last successful response, with their age in the header `Age`.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::CalendarList)), ("x-conflicts" = json!([Conflict::NotConnected, Conflict::SecretUnreadable]))),
    params(IfNoneMatch),
    responses((status = 200, description = "All calendars.", body = CalendarList), (status = 502, description = "A provider failed."))
)]
#[get("/api/workspaces/{workspaceId}/calendars")]
pub(crate) async fn list(
    caller: Caller,
    id: PathId<Workspace>,
    known: IfNoneMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (credential, workspace) = (&caller.credential, id.id());
    let Integrations { keys, catalogue, .. } = &service.integrations;
    let calendars = calendars::list(&service.store, keys, catalogue, credential, workspace, Utc::now()).await?;
    let view = CalendarList { data: calendars.list.into_iter().map(CalendarView::from).collect() };
    Ok(answer::aged(known.answer_hashed(&view)?, calendars.age))
}
