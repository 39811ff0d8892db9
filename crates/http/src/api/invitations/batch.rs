//! Many invitations in one request, each with a result of its own.

use actix_web::{HttpResponse, ResponseError, http::header, post, web::Data};
use chrono::Utc;
use serde::{Deserialize, Serialize};
use tenantry_domain::{
    EmailAddress, Error, FieldRefusal, InvitationDays, InvitationDetails, Refusal, Role, WorkspaceId,
};
use tenantry_operations::invitations;
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::{
    request::{check_workspaces, workspaces},
    view::InvitationView,
};
use crate::{
    Service,
    api::members::RoleSchema,
    error::{Failure, Problem},
    extract::{Caller, Member, Unknown, Valid, check_each, check_number, check_required},
};

/// How many addresses one request invites at most.
const MAX_EMAILS: usize = 100;

/// Several people to invite to the same.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "emails": ["ada@example.com", "grace@example.com"], "role": "observer" }))]
pub(crate) struct CreateInvitations {
    /// 1 to 100 addresses. One that is refused does not keep the others out.
    #[serde(default)]
    #[validate(custom(function = check_emails))]
    #[schema(value_type = Vec<String>, required, min_items = 1, max_items = 100)]
    emails: Member<Vec<Member<String>>>,
    /// What each will be in the tenant.
    #[serde(default)]
    #[validate(custom(function = check_required::<Role>))]
    #[schema(value_type = RoleSchema, required, example = "observer")]
    role: Member<String>,
    /// The workspaces that each will be assigned to, at most 100; none unless said.
    #[serde(default)]
    #[validate(custom(function = check_workspaces))]
    #[schema(value_type = Vec<Uuid>, required = false, max_items = 100)]
    workspace_ids: Member<Vec<Member<String>>>,
    /// For how many days they can be accepted: 1 to 30, 7 unless said.
    #[serde(default)]
    #[validate(custom(function = check_number::<InvitationDays>))]
    #[schema(value_type = i64, required = false, minimum = 1, maximum = 30, example = 7)]
    expires_in_days: Member<i64>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[schema(ignore)]
    unknown: Unknown,
}

/// What an address became.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InvitationResult {
    /// The address as it was sent.
    #[schema(example = "ada@example.com")]
    email: String,
    /// The status that a request for this address alone would have got.
    #[schema(example = 201)]
    status: u16,
    /// The invitation, with status 201.
    #[schema(required)]
    invitation: Option<InvitationView>,
    /// What was wrong, with any other status.
    #[schema(required)]
    problem: Option<Problem>,
}

/// The results, in the order of the addresses.
#[derive(Serialize, ToSchema)]
pub(crate) struct InvitationResults {
    /// One for each address.
    data: Vec<InvitationResult>,
}

fn check_emails(member: &Member<Vec<Member<String>>>) -> Result<(), ValidationError> {
    check_each(emails(member))
}

/// The addresses as they were sent; each is judged on its own later.
fn emails(member: &Member<Vec<Member<String>>>) -> Result<Vec<String>, Refusal> {
    let list = member.plain()?.ok_or_else(|| Refusal::new("required", "is required"))?;
    let mut emails = Vec::with_capacity(list.len());
    for member in list {
        emails.push(member.plain()?.cloned().unwrap_or_default());
    }
    match emails.len() {
        0 => Err(Refusal::new("empty", "must name at least one address")),
        1..=MAX_EMAILS => Ok(emails),
        n => Err(Refusal::new("too_many", format!("must name at most {MAX_EMAILS} addresses, these are {n}"))),
    }
}

/// What all of them are invited to.
struct Common {
    role: Role,
    workspaces: Vec<WorkspaceId>,
    days: InvitationDays,
}

impl CreateInvitations {
    fn into_domain(self) -> Result<(Vec<String>, Common), FieldRefusal> {
        let emails = emails(&self.emails).map_err(|refusal| refusal.of("emails"))?;
        let common = Common {
            role: self.role.required().map_err(|refusal| refusal.of("role"))?,
            workspaces: workspaces(&self.workspace_ids).map_err(|refusal| refusal.of("workspaceIds"))?,
            days: self.expires_in_days.number_as("expiresInDays")?.unwrap_or_default(),
        };
        Ok((emails, common))
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
/// To the same role and workspaces. Each address has a result of its own, as if it had been invited alone.
#[utoipa::path(
    tag = "Invitations",
    request_body = CreateInvitations,
    responses((status = 200, description = "A result for each address, in their order.", body = InvitationResults))
)]
#[post("/api/invitations/batch")]
pub(crate) async fn create_each(
    caller: Caller,
    body: Valid<CreateInvitations>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (emails, common) = body.0.into_domain()?;
    let mut data = Vec::with_capacity(emails.len());
    for email in emails {
        data.push(invite(&service, &caller, &common, email).await?);
    }
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(InvitationResults { data }))
}

/// One of them. What concerns the caller and not the address ends the whole request.
async fn invite(
    service: &Service,
    caller: &Caller,
    common: &Common,
    email: String,
) -> Result<InvitationResult, Failure> {
    let address: EmailAddress = match email.parse() {
        Ok(address) => address,
        Err(refusal) => {
            let refusal: Refusal = refusal;
            return Ok(InvitationResult::refused(email, &Failure::from(refusal.of("email"))));
        }
    };
    let details = InvitationDetails { email: address, role: common.role, workspaces: common.workspaces.clone() };
    match invitations::create(&service.store, &caller.credential, details, common.days).await {
        Ok(invitation) => {
            let invitation = Some(InvitationView::of(invitation, Utc::now()));
            Ok(InvitationResult { email, status: 201, invitation, problem: None })
        }
        Err(error @ (Error::Conflict { .. } | Error::Invalid(_))) => {
            Ok(InvitationResult::refused(email, &Failure::from(error)))
        }
        Err(error) => Err(error.into()),
    }
}
