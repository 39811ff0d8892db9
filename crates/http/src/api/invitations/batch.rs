//! Many invitations in one request, each with a result of its own.

use actix_web::{HttpResponse, ResponseError, http::header, post, web::Data};
use chrono::Utc;
use serde::Serialize;
use tenantry_domain::{
    Action, Description, EmailAddress, Error, Input, InvitationDays, InvitationDetails, Refusal, Role, WorkspaceId,
};
use tenantry_operations::invitations;
use utoipa::ToSchema;

use super::{request::Workspaces, view::InvitationView};
use crate::{
    error::{Failure, Problem},
    extract::{Caller, Entry, Optional, OrDefault, Required, Several, Valid, request},
    service::Service,
};

/// An address as it was sent. Each is judged on its own, later.
pub(crate) struct Address(String);

impl Input for Address {
    type Raw = str;

    fn read(raw: &str) -> Result<Self, Refusal> {
        Ok(Self(raw.to_owned()))
    }

    fn description() -> Description {
        Description::text("")
    }
}

impl Entry for Address {
    const NAMES: (&'static str, &'static str) = ("address", "addresses");
}

request! {
    /// Several people to invite to the same role and workspaces.
    #[example({ "emails": ["barbara@example.com", "edsger@example.com"], "role": "observer" })]
    pub(crate) struct CreateInvitations {
        /// Whom to invite. A refused address does not affect the others.
        emails: Required<Several<Address, 1, 100>>,
        /// The role of each in the tenant.
        role: Required<Role>,
        /// The workspaces that each will be assigned to. Default: none.
        workspace_ids: Optional<Workspaces>,
        /// For how many days the invitations can be accepted.
        expires_in_days: OrDefault<InvitationDays>,
    }
}

/// The result for one address.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InvitationResult {
    /// The address as it was sent.
    #[schema(example = "ada@example.com")]
    email: String,
    /// The status that a separate request for this address would have got.
    #[schema(example = 201)]
    status: u16,
    /// The invitation, with status 201.
    #[schema(required)]
    invitation: Option<InvitationView>,
    /// The error, with any other status.
    #[schema(required)]
    problem: Option<Problem>,
}

/// The results, in the order of the addresses.
#[derive(Serialize, ToSchema)]
pub(crate) struct InvitationResults {
    /// One result for each address.
    data: Vec<InvitationResult>,
}

/// What all of them are invited to.
struct Common {
    role: Role,
    workspaces: Vec<WorkspaceId>,
    days: InvitationDays,
}

impl CreateInvitations {
    fn into_domain(self) -> (Vec<Address>, Common) {
        let workspaces = self.workspace_ids.unwrap_or_default().0;
        (self.emails.0, Common { role: self.role, workspaces, days: self.expires_in_days })
    }
}

impl InvitationResult {
    fn refused(email: String, failure: &Failure) -> Self {
        let status = failure.status_code().as_u16();
        Self { email, status, invitation: None, problem: Some(failure.problem()) }
    }
}

/// Invite several people
///
/// Invites every address to the same role and workspaces. Each address gets its own result, as if it had been invited
/// alone.
#[utoipa::path(
    tag = "Invitations",
    extensions(("x-action" = json!(Action::InvitationCreate))),
    request_body = CreateInvitations,
    responses((status = 200, description = "One result for each address, in the order of the request.", body = InvitationResults))
)]
#[post("/api/invitations/batch")]
pub(crate) async fn create_each(
    caller: Caller,
    body: Valid<CreateInvitations>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (emails, common) = body.0.into_domain();
    let emails: Vec<_> = emails.into_iter().map(|Address(email)| (email.parse::<EmailAddress>(), email)).collect();
    let details = |email: &EmailAddress| InvitationDetails {
        email: email.clone(),
        role: common.role,
        workspaces: common.workspaces.clone(),
    };
    let each = emails.iter().filter_map(|(address, _)| Some(details(address.as_ref().ok()?))).collect();
    let invited = invitations::create_each(&service.store, &caller.credential, each, common.days).await?;
    let (mut invited, now) = (invited.into_iter(), Utc::now());
    let result = |(address, email): (Result<EmailAddress, Refusal>, String)| {
        let outcome = match address {
            Ok(_) => invited.next().unwrap_or_else(|| Err(Error::internal("an address was left out"))),
            Err(refusal) => Err(Error::invalid(refusal.of("email"))),
        };
        match outcome {
            Ok(invitation) => {
                let invitation = Some(InvitationView::of(invitation, now));
                InvitationResult { email, status: 201, invitation, problem: None }
            }
            Err(error) => InvitationResult::refused(email, &Failure::from(error)),
        }
    };
    let data = emails.into_iter().map(result).collect();
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(InvitationResults { data }))
}
