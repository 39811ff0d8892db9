//! The calendars of a location in HighLevel: `GET /calendars/`, which has no pages.

use reqwest::{RequestBuilder, header::AUTHORIZATION};
use serde::Deserialize;
use tenantry_domain::{Calendar, CalendarDescription, CalendarName, Provider};

use super::{
    Providers,
    credential::HighLevel,
    failure::{Failure, Question, ask},
};

/// The version of HighLevel's API that is asked for.
const VERSION: &str = "2021-04-15";

#[derive(Deserialize)]
struct Answer {
    calendars: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: String,
    name: Option<String>,
    description: Option<String>,
    is_active: Option<bool>,
}

/// The calendars of the location, drafts left out, in the order of HighLevel.
pub(super) async fn calendars(providers: &Providers, account: &HighLevel) -> Result<Vec<Calendar>, Failure> {
    let request = request(providers, account).ok_or(Failure::Nonsense)?;
    // A location that is not there is answered in several ways.
    let question = Question { provider: Provider::GoHighLevel, request, refused_with: &[400, 404, 422] };
    let answer: Answer = ask(&providers.client, question, providers.client.deadline()).await?;
    answer.calendars.into_iter().map(calendar).collect()
}

/// Asks for them.
pub(super) fn request(providers: &Providers, account: &HighLevel) -> Option<RequestBuilder> {
    let mut url = providers.urls.at_gohighlevel(&["calendars", ""])?;
    url.query_pairs_mut().append_pair("locationId", &account.location).append_pair("showDrafted", "false");
    let request = providers.client.get(url).header(AUTHORIZATION, account.authorization.clone());
    Some(request.header("version", VERSION))
}

fn calendar(item: Item) -> Result<Calendar, Failure> {
    let id = item.id.parse().map_err(|_| {
        let cause = "a calendar without an id that can be one";
        tracing::warn!(provider = "HighLevel", cause, "a provider did not answer as expected");
        Failure::Nonsense
    })?;
    let name = CalendarName::of_foreign(&item.name.unwrap_or_default());
    let name = name.or_else(|| CalendarName::of_foreign(&item.id)).ok_or(Failure::Nonsense)?;
    let description = item.description.and_then(|text| CalendarDescription::of_foreign(&text));
    Ok(Calendar { id, name, description, is_active: item.is_active.unwrap_or(true) })
}
