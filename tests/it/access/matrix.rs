//! Every operation × every kind of actor → status, in one file that a person can read.

use std::collections::BTreeMap;

use chrono::Utc;
use serde_json::json;
use tenantry_domain::{Action, Choice, Grant, KeyMode, KeyScope, MemberId, Reach, Role, Scope, TenantId, permit};
use tenantry_tests::{Answer, App, Client, Contract, Operation, Rows, Target, Tenant, difference, golden, new_name};

use super::comparable;

/// A kind of actor, in the order in which the file names them.
#[derive(Clone, Copy, PartialEq)]
enum Actor {
    Nobody,
    Malformed,
    Unknown,
    Revoked,
    Expired,
    OtherTenant,
    Only(Scope),
    OtherBrand,
    WorkspaceOfOtherBrand,
    SiblingWorkspace,
    OwnBrand,
    OwnWorkspace,
    Owner,
    Token(Token),
    Stranger,
    Removed,
    Suspended,
    OtherTenantsMember,
    Platform,
    Service,
    Unassigned(Role),
    Member(Role),
}

/// What is wrong with a token of somebody who owns the tenant.
#[derive(Clone, Copy, PartialEq)]
enum Token {
    Garbled,
    Expired,
    OfAnotherAudience,
    OfAnUnknownIssuer,
    OfNobody,
    WithoutTenant,
    ForAnotherTenant,
}

impl Token {
    const ALL: [(Self, &str); 7] = [
        (Self::Garbled, "token with a flipped signature"),
        (Self::Expired, "expired token"),
        (Self::OfAnotherAudience, "token of another audience"),
        (Self::OfAnUnknownIssuer, "token of an unknown issuer"),
        (Self::OfNobody, "token without a subject"),
        (Self::WithoutTenant, "token without a tenant"),
        (Self::ForAnotherTenant, "token for a tenant of which its holder is no member"),
    ];
}

impl Actor {
    fn all() -> Vec<Self> {
        use Actor::*;
        let mut all = vec![Nobody, Malformed, Unknown, Revoked, Expired, OtherTenant];
        all.extend(Scope::all().into_iter().map(Only));
        all.extend([OtherBrand, WorkspaceOfOtherBrand, SiblingWorkspace, OwnBrand, OwnWorkspace, Owner]);
        all.extend(self::Token::ALL.map(|(wrong, _)| Token(wrong)));
        all.extend([Stranger, Removed, Suspended, OtherTenantsMember, Platform, Service]);
        all.extend([Role::Agent, Role::Observer].map(Unassigned));
        all.extend(Role::ALL.iter().rev().map(|(role, _)| Member(*role)));
        all
    }

    fn words(self) -> String {
        match self {
            Self::Nobody => "no key".to_owned(),
            Self::Malformed => "malformed key".to_owned(),
            Self::Unknown => "unknown key".to_owned(),
            Self::Revoked => "revoked key".to_owned(),
            Self::Expired => "expired key".to_owned(),
            Self::OtherTenant => "owner of another tenant".to_owned(),
            Self::Only(scope) => format!("only {scope}"),
            Self::OtherBrand => "all scopes in another brand".to_owned(),
            Self::WorkspaceOfOtherBrand => "all scopes in a workspace of another brand".to_owned(),
            Self::SiblingWorkspace => "all scopes in another workspace of the brand".to_owned(),
            Self::OwnBrand => "all scopes in the brand".to_owned(),
            Self::OwnWorkspace => "all scopes in the workspace".to_owned(),
            Self::Owner => "owner's key".to_owned(),
            Self::Token(wrong) => self::Token::ALL
                .iter()
                .find(|(token, _)| *token == wrong)
                .map(|(_, words)| (*words).to_owned())
                .unwrap(),
            Self::Stranger => "token of a stranger".to_owned(),
            Self::Removed => "token of a removed member".to_owned(),
            Self::Suspended => "token of a suspended member".to_owned(),
            Self::Platform => "platform key".to_owned(),
            Self::Service => "service key".to_owned(),
            Self::OtherTenantsMember => "member of another tenant (owner)".to_owned(),
            Self::Unassigned(role) => format!("member ({role}, not assigned)"),
            Self::Member(role @ (Role::Agent | Role::Observer)) => format!("member ({role}, assigned)"),
            Self::Member(role) => format!("member ({role})"),
        }
    }

    fn is_known(self) -> bool {
        use Actor::*;
        !matches!(self, Nobody | Malformed | Unknown | Revoked | Expired | Token(_) | Stranger | Removed | Suspended)
    }

    /// What the tenant or the service has given it, where that does not depend on the place.
    fn grant(self) -> Option<Grant> {
        let scopes = |scopes| Some(Grant::Scopes { scopes, reach: Reach::Tenant, until: None });
        match self {
            Self::Only(scope) => scopes(vec![scope.into()]),
            Self::Owner => scopes(KeyScope::every_own()),
            Self::Unassigned(role) | Self::Member(role) => {
                Some(Grant::Role { member: MemberId::from_uuid(uuid::Uuid::nil()), role })
            }
            Self::Platform => Some(Grant::Platform),
            _ => None,
        }
    }

    /// Whether it belongs to the other tenant.
    fn is_foreign(self) -> bool {
        matches!(self, Self::OtherTenant | Self::OtherTenantsMember)
    }

    /// Whether it proves who a person is, be they a member or not.
    fn is_a_person(self) -> bool {
        use self::Token::{ForAnotherTenant, WithoutTenant};
        use Actor::*;
        matches!(self, Token(WithoutTenant | ForAnotherTenant) | Stranger | Removed | Suspended | OtherTenantsMember)
            || matches!(self, Unassigned(_) | Member(_))
    }
}

/// A service with the tenant whose things are asked for, and another one.
struct Cast {
    app: App,
    ours: Tenant,
    theirs: Tenant,
    /// A replica without a look-up lane, which gets every other write.
    door: Client,
    writes: usize,
    rows: Rows,
}

impl Cast {
    async fn new() -> Self {
        let app = App::start().await;
        let (ours, theirs) = (app.tenant("Ours").await, app.tenant("Theirs").await);
        let rows = Rows::of(&app.database);
        let door = app.replica_on(&App::store(&app.database.service_url(), |pool| pool.look_up_lane = false));
        Self { app, ours, theirs, door, writes: 0, rows }
    }

    async fn client(&self, actor: Actor, target: &mut Target<'_>) -> Client {
        let ours = &self.ours;
        let all: Vec<_> = Scope::all().iter().map(|scope| scope.as_str()).collect();
        match actor {
            Actor::Nobody => self.app.client(),
            Actor::Malformed => self.app.client().with_key("tnt_live_v1_mistyped"),
            Actor::Unknown => {
                self.app.client().with_key(tenantry_auth::issue(ours.id, KeyMode::Live).unwrap().reveal())
            }
            Actor::Revoked => {
                let (client, id) = ours.key_with_id(&all, json!({})).await;
                ours.owner.delete(&format!("/api/api-keys/{id}")).await.expect(204);
                client
            }
            Actor::Expired => {
                let (client, id) = ours.key_with_id(&all, json!({})).await;
                let sql = format!("UPDATE api_keys SET expires_at = now() WHERE id = '{id}'");
                diesel::connection::SimpleConnection::batch_execute(&mut self.app.database.admin(), &sql).unwrap();
                client
            }
            Actor::OtherTenant => self.theirs.owner.clone(),
            Actor::Only(scope) => ours.key(&[scope.as_str()], json!({})).await,
            Actor::OtherBrand => {
                let brand = ours.brand(&new_name("Other")).await;
                ours.key(&all, json!({ "brandId": brand })).await
            }
            Actor::WorkspaceOfOtherBrand => {
                let brand = ours.brand(&new_name("Other")).await;
                let workspace = ours.workspace_of(&brand, "Other").await;
                ours.key(&all, json!({ "workspaceId": workspace })).await
            }
            Actor::SiblingWorkspace => {
                let workspace = ours.workspace_of(target.brand(), "Sibling").await;
                ours.key(&all, json!({ "workspaceId": workspace })).await
            }
            Actor::OwnBrand => ours.key(&all, json!({ "brandId": target.brand() })).await,
            Actor::OwnWorkspace => ours.key(&all, json!({ "workspaceId": target.workspace().await })).await,
            Actor::Owner => ours.owner.clone(),
            Actor::Token(wrong) => {
                let subject = ours.member_called(Role::Owner, &[]).await.1;
                self.app.client().with_key(&self.token(wrong, &subject))
            }
            Actor::Stranger => {
                let token = self.app.people.token(&new_name("Stranger"), Some(ours.id), json!({}));
                self.app.client().with_key(&token)
            }
            Actor::Removed => {
                let (id, client) = ours.member(Role::Admin, &[]).await;
                ours.owner.delete(&format!("/api/members/{id}")).await.expect(204);
                client
            }
            Actor::Suspended => {
                let (id, client) = ours.member(Role::Admin, &[]).await;
                ours.owner.patch(&format!("/api/members/{id}"), json!({ "status": "suspended" })).await.expect(200);
                client
            }
            Actor::Platform => self.app.platform(),
            Actor::Service => self.app.service(),
            Actor::OtherTenantsMember => self.theirs.member(Role::Owner, &[]).await.1,
            Actor::Unassigned(role) => ours.member(role, &[]).await.1,
            // Who is assigned to nothing leaves the brand empty.
            Actor::Member(role @ (Role::Owner | Role::Admin | Role::Billing)) => ours.member(role, &[]).await.1,
            Actor::Member(role) => {
                let workspace = target.workspace().await;
                ours.member(role, &[&workspace]).await.1
            }
        }
    }

    /// A token of this owner of our tenant, with one thing wrong with it.
    fn token(&self, wrong: Token, subject: &str) -> String {
        let ours = Some(self.ours.id);
        let token = |more| self.app.people.token(subject, ours, more);
        match wrong {
            Token::Garbled => {
                let token = token(json!({}));
                let (message, signature) = token.rsplit_once('.').unwrap();
                let flipped = if signature.starts_with('A') { 'B' } else { 'A' };
                format!("{message}.{flipped}{}", &signature[1..])
            }
            Token::Expired => {
                let now = Utc::now().timestamp();
                token(json!({ "iat": now - 600, "exp": now - 31 }))
            }
            Token::OfAnotherAudience => token(json!({ "aud": "https://another.tenantry.test" })),
            Token::OfAnUnknownIssuer => token(json!({ "iss": "https://login.another.test/" })),
            Token::OfNobody => token(json!({ "sub": "" })),
            Token::WithoutTenant => self.app.people.token(subject, None, json!({})),
            Token::ForAnotherTenant => self.app.people.token(subject, Some(self.theirs.id), json!({})),
        }
    }

    /// One call, and what it must and must not have done to the rows.
    async fn play(&mut self, operation: &Operation, actor: Actor) -> Answer {
        let ours = self.ours.clone();
        let mut target = Target::of(&ours).await;
        let mut client = self.client(actor, &mut target).await;
        if operation.writes() {
            self.writes += 1;
            if self.writes.is_multiple_of(2) {
                client = client.at(&self.door);
            }
        }
        let (path, mut body) = (target.path(operation).await, target.body(operation).await);
        if let (Actor::Platform, Some(events)) = (actor, body.as_mut().and_then(|body| body.get_mut("events"))) {
            // Those of the example are inside a tenant, of which the platform is told nothing.
            *events = json!(["tenant.suspend"]);
        }
        let before = self.rows.all();
        let answer = operation.send(&client, &path, body.as_ref()).await;
        let changes = difference(&before, &self.rows.all());
        let here = format!("{operation} by {}: {} {changes:#?}", actor.words(), answer.status);
        match (answer.status, operation.writes()) {
            (200..300, true) => {
                assert!(!changes.is_empty(), "succeeds and does nothing: {here}");
                let tenant = match actor {
                    Actor::Platform => TenantId::PLATFORM,
                    _ if actor.is_foreign() => self.theirs.id,
                    _ => self.ours.id,
                }
                .to_string();
                assert!(changes.iter().all(|row| row.contains(&tenant)), "reaches across: {here}");
            }
            (200..300, false) => assert!(changes.is_empty(), "reads and writes: {here}"),
            _ => assert!(changes.is_empty(), "refuses and does something: {here}"),
        }
        if !operation.writes() && operation.needs_credential() {
            let at_the_door = operation.send(&client.at(&self.door), &path, body.as_ref()).await;
            assert_eq!(comparable(&at_the_door), comparable(&answer), "lane and door: {here}");
        }
        answer
    }
}

/// What must hold whatever the file says.
fn assert_rules(operation: &Operation, actor: Actor, status: u16) {
    let here = format!("{operation} by {}: {status}", actor.words());
    if let (Some(action), Some(grant)) = (operation.action(), actor.grant())
        && permit(&grant, action).is_err()
    {
        assert!([401, 403, 404].contains(&status), "the policy refuses: {here}");
    }
    if operation.action() == Some(Action::InvitationAccept) {
        // The token in the body is of no invitation: that is what only a person is told.
        assert_eq!(status, if actor.is_a_person() { 404 } else { 401 }, "{here}");
    } else if actor == Actor::Platform
        && operation.action().is_some_and(|action| permit(&Grant::Platform, action).is_ok())
    {
        // There it has things of its own, and finds nobody else's.
        assert!(if operation.has_id() { status == 404 } else { (200..300).contains(&status) }, "{here}");
    } else if matches!(actor, Actor::Platform | Actor::Service) && operation.needs_credential() {
        assert_eq!(status, 403, "{here}");
    } else if !operation.needs_credential()
        || actor == Actor::Member(Role::Owner)
        || actor == Actor::Owner && !operation.needs_a_person()
    {
        assert!((200..300).contains(&status), "the control: {here}");
    } else if !actor.is_known() {
        assert_eq!(status, 401, "{here}");
    } else if actor.is_foreign() && operation.has_id() {
        assert_eq!(status, 404, "{here}");
    }
}

#[tokio::test]
async fn each_operation_answers_each_kind_of_actor_as_the_golden_file_says() {
    let contract = Contract::get();
    let mut file = String::from(
        "What each operation answers to whom. What its path names is one of our tenant's, made for the call: \"the brand\", \"the\n\
         workspace\" in it, or an API key. A list answers everybody who may read it, each with what is theirs to see.\n",
    );
    // The dialect looks a number up before it is refused, and has tests of its own.
    let native = |operation: &Operation| !operation.is_of_the_platform() && !operation.is_of_the_dialect();
    for operation in Operation::all().into_iter().filter(native) {
        let mut cast = Cast::new().await;
        let mut by_status: BTreeMap<u16, Vec<String>> = BTreeMap::new();
        for actor in Actor::all() {
            let answer = cast.play(&operation, actor).await;
            contract.hold(&operation, &answer);
            assert_rules(&operation, actor, answer.status);
            by_status.entry(answer.status).or_default().push(actor.words());
        }
        file += &format!("\n{operation}\n");
        for (status, actors) in by_status {
            let all = actors.len() == Actor::all().len();
            file += &wrapped(status, &if all { vec!["everybody".to_owned()] } else { actors });
        }
        // It would run until the test ends, and there is one for each operation.
        cast.app.handle.stop(false).await;
    }
    golden("access.golden.txt", &file);
}

/// `200  one, another`, continued on lines of their own where it is long.
fn wrapped(status: u16, words: &[String]) -> String {
    let (mut text, mut line) = (String::new(), format!("  {status} "));
    for (at, word) in words.iter().enumerate() {
        let word = if at + 1 < words.len() { format!(" {word},") } else { format!(" {word}") };
        if line.len() + word.len() > 110 {
            text += &format!("{line}\n");
            line = " ".repeat(6);
        }
        line += &word;
    }
    text + &line + "\n"
}
