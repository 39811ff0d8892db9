//! The look-up lane: what waits together is read together, and everybody hears what the door would have told them.

mod conditions;
mod facts;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tenantry_auth::issue;
use tenantry_domain::{KeyMode, MemberDetails, MemberStatus, Person, Role, TenantId};
use tenantry_operations::{LaneState, members};
use tenantry_tests::{Answer, App, Client, People, Tenant, TestDatabase, new_name, stress};
use uuid::Uuid;

fn lane(app: &App) -> LaneState {
    app.store.state().lane
}

/// Holds up whoever reads, until it is dropped.
struct Gate(diesel::PgConnection);

impl Gate {
    fn shut(app: &App) -> Self {
        let mut holder = app.database.admin();
        holder.batch_execute("BEGIN; LOCK TABLE workspaces IN ACCESS EXCLUSIVE MODE").unwrap();
        Self(holder)
    }

    fn open(mut self) {
        self.0.batch_execute("ROLLBACK").unwrap();
    }
}

type Asked = tokio::task::JoinHandle<Answer>;

fn ask(client: &Client, path: &str) -> Asked {
    let (client, path) = (client.clone(), path.to_owned());
    tokio::spawn(async move { client.get(&path).await })
}

/// The reader of the lane reads a look-up of this tenant, and is held up in it.
async fn occupy(app: &App, tenant: &Tenant) -> Asked {
    let before = lane(app).look_ups;
    let asked = ask(&tenant.owner, &format!("/api/workspaces/{}", Uuid::now_v7()));
    while lane(app).look_ups == before {
        tokio::task::yield_now().await;
    }
    asked
}

async fn until_waiting(app: &App, look_ups: u64) {
    while lane(app).waiting < look_ups {
        tokio::task::yield_now().await;
    }
}

async fn answers(asked: Vec<Asked>) -> Vec<Answer> {
    join_all(asked).await.into_iter().map(Result::unwrap).collect()
}

/// A service whose readers wait as long as a test holds them up.
async fn app() -> App {
    let app = App::on(TestDatabase::new(), |pool| pool.statement_timeout = Duration::from_secs(600)).await;
    assert_eq!(lane(&app), LaneState::default());
    app
}

#[tokio::test]
async fn those_who_wait_are_read_together_and_each_hears_what_the_door_says() {
    let app = app().await;
    let door = app.replica_on(&App::store(&app.database.service_url(), |pool| pool.look_up_lane = false));
    let mut questions = Vec::new();
    for n in 1..=2 {
        let tenant = app.tenant(&format!("Tenant {n}")).await;
        let brand = tenant.brand(&format!("Brand {n}")).await;
        let workspace = tenant.workspace_of(&brand, &format!("Workspace {n}")).await;
        let limits = json!({ "maxAgents": n });
        tenant.owner.patch(&format!("/api/workspaces/{workspace}/limits"), limits).await.expect(200);
        let member = tenant.member(Role::Admin, &[]).await.1;
        let assigned = tenant.member(Role::Agent, &[&workspace]).await.1;
        let unassigned = tenant.member(Role::Agent, &[]).await.1;
        let key = tenant.key(&["workspaces:read"], json!({ "workspaceId": workspace })).await;
        let powerless = tenant.key(&["usage:read"], json!({})).await;
        let unknown = app.client().with_key(issue(tenant.id, KeyMode::Live).unwrap().reveal());
        let nowhere = issue(TenantId::from_uuid(Uuid::now_v7()), KeyMode::Live).unwrap();
        let nowhere = app.client().with_key(nowhere.reveal());
        for client in [tenant.owner.clone(), member, assigned, unassigned, key, powerless, unknown, nowhere] {
            questions.push((client.clone(), format!("/api/workspaces/{workspace}")));
            questions.push((client.clone(), format!("/api/workspaces/{workspace}/effective")));
            questions.push((client, "/api/me".to_owned()));
        }
    }
    let mut expected = Vec::new();
    // In no order that anybody could guess, and once each, so that nobody is a stranger who can become known.
    questions.sort_by_key(|(client, path)| (client.key().chars().rev().collect::<String>(), path.clone()));
    for (client, path) in &questions {
        expected.push(client.at(&door).get(path).await);
        assert_eq!(client.get(path).await.status, expected.last().unwrap().status);
    }
    let statuses: BTreeSet<_> = expected.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, BTreeSet::from([200, 401, 403, 404]), "the control");
    let elsewhere = app.tenant("Elsewhere").await;
    elsewhere.owner.get("/api/tenant").await.expect(200);
    let before = lane(&app);
    let gate = Gate::shut(&app);
    let held_up = occupy(&app, &elsewhere).await;
    let asked: Vec<_> = questions.iter().map(|(client, path)| ask(client, path)).collect();
    until_waiting(&app, asked.len() as u64).await;
    gate.open();
    for ((answer, expected), (_, path)) in answers(asked).await.iter().zip(&expected).zip(&questions) {
        assert_eq!(answer.status, expected.status, "{path}: {}", answer.text);
        assert_eq!(answer.without_request_id(), expected.without_request_id(), "{path}");
    }
    held_up.await.unwrap().expect(404);
    let after = lane(&app);
    assert_eq!(after.look_ups - before.look_ups, 1 + questions.len() as u64);
    assert_eq!(after.batches - before.batches, 2, "the one that was held up, and all the others");
}

#[tokio::test]
async fn whoever_asks_for_the_same_several_times_hears_the_same_and_nobody_else_does() {
    let app = app().await;
    let door = app.replica_on(&App::store(&app.database.service_url(), |pool| pool.look_up_lane = false));
    let tenant = app.tenant("Acme").await;
    let (here, there) = (tenant.workspace("Here").await, tenant.workspace("There").await);
    let (assigned, other) =
        (tenant.member(Role::Agent, &[&here]).await.1, tenant.member(Role::Agent, &[&there]).await.1);
    let restricted = tenant.key(&["workspaces:read"], json!({ "workspaceId": there })).await;
    let mut questions = Vec::new();
    for client in [&tenant.owner, &assigned, &other, &restricted] {
        for path in [&here, &there].map(|id| format!("/api/workspaces/{id}")).into_iter().chain(["/api/me".to_owned()])
        {
            questions.push((client.clone(), path, None));
        }
        for ids in [&[&here, &there, &here][..], &[&there, &here], &[]] {
            let ids: Vec<_> = ids.iter().map(|id| json!({ "workspaceId": id })).collect();
            let body = json!({ "token": client.key(), "questions": ids });
            questions.push((app.service(), "/api/introspect".to_owned(), Some(body)));
        }
    }
    let ask = |client: &Client, path: &str, body: &Option<Value>| {
        let (client, path, body) = (client.clone(), path.to_owned(), body.clone());
        tokio::spawn(async move {
            match body {
                Some(body) => client.post(&path, body).await,
                None => client.get(&path).await,
            }
        })
    };
    let mut expected = Vec::new();
    for (client, path, body) in &questions {
        // The first of these also makes the credential one that is known.
        drop(ask(client, path, body).await.unwrap());
        expected.push(ask(&client.at(&door), path, body).await.unwrap());
    }
    let elsewhere = app.tenant("Elsewhere").await;
    let gate = Gate::shut(&app);
    let held_up = occupy(&app, &elsewhere).await;
    let asked: Vec<_> =
        questions.iter().chain(&questions).map(|(client, path, body)| ask(client, path, body)).collect();
    // A question about several workspaces counts for as many, and all of them are one batch.
    until_waiting(&app, 2 * 4 * (1 + 1 + 2 + 2)).await;
    gate.open();
    for ((answer, expected), (_, path, body)) in
        answers(asked).await.iter().zip(expected.iter().chain(&expected)).zip(questions.iter().chain(&questions))
    {
        assert_eq!(answer.status, expected.status, "{path} {body:?}: {}", answer.text);
        assert_eq!(answer.without_request_id(), expected.without_request_id(), "{path} {body:?}");
    }
    held_up.await.unwrap().expect(404);
}

#[tokio::test]
async fn a_person_of_several_tenants_is_in_each_who_they_are_there() {
    let app = app().await;
    let (subject, mut questions) = (new_name("Somebody"), Vec::new());
    let none = json!({ "visibleWorkspaces": null, "role": null });
    for (role, assigned, look_up, me) in [
        (Some(Role::Owner), false, 200, json!({ "visibleWorkspaces": 2, "role": "owner" })),
        (None, false, 401, none),
        (Some(Role::Agent), false, 404, json!({ "visibleWorkspaces": 0, "role": "agent" })),
        (Some(Role::Observer), true, 200, json!({ "visibleWorkspaces": 1, "role": "observer" })),
    ] {
        let tenant = app.tenant("One of several").await;
        let (workspace, _) = (tenant.workspace("Asked for").await, tenant.workspace("Another").await);
        if let Some(role) = role {
            let details = MemberDetails {
                email: People::email(&subject).parse().unwrap(),
                role,
                status: MemberStatus::Active,
                person: Person { issuer: People::ISSUER.parse().unwrap(), subject: subject.parse().unwrap() },
                labels: Default::default(),
            };
            let workspaces = assigned.then(|| workspace.parse().unwrap()).into_iter().collect();
            members::create(&app.store, &tenant.operator(), details, workspaces).await.unwrap();
        }
        let person = app.client().with_key(&app.people.token(&subject, Some(tenant.id), json!({})));
        questions.push((person, format!("/api/workspaces/{workspace}"), look_up, me));
    }
    let elsewhere = app.tenant("Elsewhere").await;
    let gate = Gate::shut(&app);
    let held_up = occupy(&app, &elsewhere).await;
    let look_ups: Vec<_> = questions.iter().map(|(person, path, ..)| ask(person, path)).collect();
    let callers: Vec<_> = questions.iter().map(|(person, ..)| ask(person, "/api/me")).collect();
    until_waiting(&app, 8).await;
    gate.open();
    for (answer, (.., status, _)) in answers(look_ups).await.into_iter().zip(&questions) {
        answer.expect(*status);
    }
    for (answer, (.., me)) in answers(callers).await.into_iter().zip(&questions) {
        let seen =
            json!({ "visibleWorkspaces": answer.body["visibleWorkspaces"], "role": answer.body["member"]["role"] });
        assert_eq!(&seen, me, "{}", answer.text);
    }
    held_up.await.unwrap().expect(404);
}

#[tokio::test]
async fn what_cannot_be_read_fails_alone() {
    let app = app().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let (broken, whole) = (acme.workspace("Broken").await, acme.workspace("Whole").await);
    let other = beta.workspace("Other").await;
    app.database
        .admin()
        .batch_execute(&format!(
            "CREATE POLICY broken ON workspaces AS RESTRICTIVE FOR SELECT
                 USING (CASE WHEN id = '{broken}' THEN 1 / (version - 1) = 0 ELSE true END)"
        ))
        .unwrap();
    let questions = [(&acme, &broken, 500), (&acme, &whole, 200), (&beta, &other, 200), (&acme, &other, 404)];
    let gate = Gate::shut(&app);
    let held_up = occupy(&app, &beta).await;
    let asked = questions.iter().map(|(tenant, id, _)| ask(&tenant.owner, &format!("/api/workspaces/{id}"))).collect();
    until_waiting(&app, 4).await;
    gate.open();
    for (answer, (.., status)) in answers(asked).await.into_iter().zip(questions) {
        answer.expect(status);
    }
    held_up.await.unwrap().expect(404);
    acme.owner.get(&format!("/api/workspaces/{whole}")).await.expect(200);
    assert_eq!(lane(&app).waiting, 0);
}

#[tokio::test]
async fn whoever_waits_too_long_is_told_to_come_back_and_whoever_hangs_up_is_not_read() {
    let app = App::on(TestDatabase::new(), |pool| {
        pool.wait = Duration::from_millis(300);
        pool.statement_timeout = Duration::from_secs(600);
    })
    .await;
    let acme = app.tenant("Acme").await;
    let path = format!("/api/workspaces/{}", acme.workspace("DACH").await);
    let gate = Gate::shut(&app);
    let held_up = occupy(&app, &acme).await;
    let gone = ask(&acme.owner, &path);
    until_waiting(&app, 1).await;
    gone.abort();
    let late = acme.owner.get(&path).await.expect(503);
    assert_eq!(late.body["code"], "overloaded");
    late.header("retry-after");
    gate.open();
    held_up.await.unwrap().expect(404);
    acme.owner.get(&path).await.expect(200);
    let LaneState { waiting, look_ups, .. } = lane(&app);
    assert_eq!((waiting, look_ups), (0, 2), "the one that was held up, and the last one");
}

#[tokio::test]
async fn where_the_lane_cannot_be_the_door_answers() {
    for (how, batches, sql) in [
        ("it is off", 0, "SELECT"),
        ("the function is missing", 1, "DROP FUNCTION look_ups"),
        ("the function is forbidden", 1, "REVOKE EXECUTE ON FUNCTION look_ups FROM PUBLIC, tenantry_service"),
        ("the database is distributed", 1, "CREATE TABLE pg_dist_partition ()"),
    ] {
        let app = App::on(TestDatabase::new(), |pool| pool.look_up_lane = batches > 0).await;
        let acme = app.tenant("Acme").await;
        let path = format!("/api/workspaces/{}", acme.workspace("DACH").await);
        app.database.admin().batch_execute(sql).unwrap();
        for _ in 0..3 {
            assert_eq!(acme.owner.get(&path).await.expect(200).body["name"], "DACH", "{how}");
            app.client().with_key("tnt_live_v1_mistyped").get(&path).await.expect(401);
        }
        assert_eq!(lane(&app).batches, batches, "{how}: it is tried once");
    }
}

#[tokio::test]
async fn where_the_database_is_distributed_meanwhile_the_door_answers_from_then_on() {
    let app = app().await;
    let acme = app.tenant("Acme").await;
    let one = format!("/api/workspaces/{}", acme.workspace("DACH").await);
    let ask = async || {
        for path in [one.as_str(), "/api/workspaces", "/api/workspaces?q=dach", "/api/tenant"] {
            acme.owner.get(path).await.expect(200);
        }
    };
    ask().await;
    let before = lane(&app).batches;
    assert!(before > 0, "the control: it was in the lane");
    // What the function says there: the workers are not told the types of its variables.
    let distributed = r"DO $do$ BEGIN
            EXECUTE replace(pg_get_functiondef('look_ups'::regproc), E'\nBEGIN\n',
                E'\nBEGIN\n RAISE EXCEPTION USING MESSAGE = ''could not determine data type of parameter $9'';\n');
        END $do$;
        CREATE TABLE pg_dist_partition ()";
    app.database.admin().batch_execute(distributed).unwrap();
    ask().await;
    ask().await;
    assert_eq!(lane(&app).batches, before + 1, "it is tried once more");
}

#[tokio::test]
async fn what_was_committed_before_a_look_up_was_asked_is_seen_by_it_on_each_replica() {
    let app = app().await;
    let other = App::store(&app.database.service_url(), |_| {});
    let other = app.replica_on(&other);
    let acme = app.tenant("Acme").await;
    let (workspace, elsewhere) = (acme.workspace("Here").await, acme.workspace("There").await);
    let path = format!("/api/workspaces/{workspace}");
    // Others keep the lane busy, so that there always is a batch under way.
    let (busy, busy_path) = (acme.owner.clone(), format!("/api/workspaces/{elsewhere}"));
    let noise: Vec<_> = [busy.clone(), busy.at(&other)]
        .into_iter()
        .flat_map(|client| std::iter::repeat_n(client, 4))
        .map(|client| {
            let path = busy_path.clone();
            tokio::spawn(async move {
                loop {
                    client.get(&path).await.expect(200);
                }
            })
        })
        .collect();
    let mut seen = BTreeSet::new();
    for _ in 0..25 {
        let (key, id) = acme.key_with_id(&["workspaces:read"], json!({})).await;
        let (member, person) = acme.member(Role::Agent, &[&workspace]).await;
        let all = [key.clone(), key.at(&other), person.clone(), person.at(&other)];
        for client in &all {
            client.get(&path).await.expect(200);
        }
        acme.owner.delete(&format!("/api/api-keys/{id}")).await.expect(204);
        acme.owner.delete(&format!("/api/workspaces/{workspace}/members/{member}")).await.expect(204);
        for (client, status) in all.iter().zip([401, 401, 404, 404]) {
            seen.insert(client.get(&path).await.expect(status).status);
        }
        acme.owner.delete(&format!("/api/members/{member}")).await.expect(204);
        for client in &all[2..] {
            client.get(&path).await.expect(401);
        }
    }
    noise.iter().for_each(tokio::task::JoinHandle::abort);
    app.platform().post(&format!("/api/admin/tenants/{}/suspend", acme.id), json!({})).await.expect(200);
    for client in [busy.clone(), busy.at(&other)] {
        client.get(&path).await.expect(401);
    }
    assert_eq!(seen, BTreeSet::from([401, 404]));
}

#[tokio::test]
async fn tenants_that_change_all_at_once_hear_on_each_replica_what_is_true_at_the_next_request() {
    let app = Arc::new(App::serving(TestDatabase::new(), (2, 256), |_| {}).await);
    let other = app.replica_on(&App::store(&app.database.service_url(), |_| {}));
    let asked = stress(Arc::clone(&app), &other, 48).await;
    assert!(asked > 48 * 100, "{asked} questions");
    assert!(lane(&app).look_ups >= asked as u64 / 2, "in the lane");
}
