//! All that there is to know of a workspace is read in the lane as well, and told as at the door.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tenantry_auth::issue;
use tenantry_domain::{Choice, KeyMode, Month, Role, Scope, TimeZone};
use tenantry_operations::Store;
use tenantry_tests::{Answer, App, Client, Tenant, lines, new_email};

use super::{Gate, answers, app, ask, lane, occupy, until_waiting};

/// What one question counts as in the lane.
const WEIGHT: u64 = 4;

fn no_lane(app: &App) -> Store {
    App::store(&app.database.service_url(), |pool| pool.look_up_lane = false)
}

/// From now on the door answers nobody.
fn shut_the_door(app: &App) {
    let sql = "REVOKE EXECUTE ON FUNCTION set_tenant(text) FROM PUBLIC, tenantry_service";
    app.database.admin().batch_execute(sql).unwrap();
}

/// A tenant with something of everything in its first workspace, and other things in the second. The numbers of its rows are those of
/// every other tenant that is made like this.
async fn furnished(app: &App, n: i64) -> (Tenant, Vec<Client>) {
    let tenant = app.tenant(&format!("Tenant {n}")).await;
    let (brand, all) = (tenant.brand("Second").await, Scope::all());
    let (first, second) = (tenant.workspace("First").await, tenant.workspace_of(&brand, "Second").await);
    let gone = tenant.workspace("Gone").await;
    tenant.owner.delete(&format!("/api/workspaces/{gone}")).await.expect(204);
    let limits = json!({ "maxAgents": 10 + n, "maxMembers": 20 + n, "timeZone": "Pacific/Apia" });
    tenant.owner.patch(&format!("/api/workspaces/{first}/limits"), limits).await.expect(200);
    let (auth_token, openai_key) = (format!("token-of-{n}"), format!("sk-proj-{n}-0123456789"));
    let changes = match n {
        1 => json!({ "sid": format!("AC{n:032}"), "auth_token": auth_token }),
        _ => json!({ "sid": format!("AC{n:032}"), "openai_key": openai_key }),
    };
    tenant.owner.put("/api/workspace/update/1", changes).await.expect(200);
    for workspace in [&first, &first, &second].iter().take(1 + n as usize) {
        tenant.agent(workspace, json!({})).await;
        let usage = json!({ "seconds": 61 * n, "reference": format!("call {}", new_email()) });
        tenant.owner.post(&format!("/api/workspaces/{workspace}/usage"), usage).await.expect(201);
    }
    let mut ended = Vec::new();
    for role in [Role::Agent, Role::Admin, Role::Agent, Role::Agent, Role::Agent] {
        let invited = json!({ "role": role.as_str(), "workspaceIds": [first] });
        ended.push(tenant.invitation(&new_email(), invited).await);
    }
    let elsewhere = json!({ "role": "agent", "workspaceIds": [second] });
    tenant.invitation(&new_email(), elsewhere).await;
    let [expired, accepted, revoked] = [&ended[2], &ended[3], &ended[4]];
    tenant.owner.delete(&format!("/api/invitations/{revoked}")).await.expect(204);
    app.database
        .admin()
        .batch_execute(&format!(
            "UPDATE invitations SET expires_at = now() WHERE id = '{expired}';
             UPDATE invitations SET accepted_at = now() WHERE id = '{accepted}';
             -- Last year.
             INSERT INTO usage_months SELECT tenant_id, workspace_id, (month - interval '1 year')::date, 86400 FROM usage_months
                 WHERE tenant_id = '{}'",
            tenant.id
        ))
        .unwrap();
    let every: Vec<_> = all.iter().map(|scope| scope.as_str()).collect();
    let mut callers = vec![tenant.owner.clone()];
    for more in [json!({ "workspaceId": first }), json!({ "workspaceId": second }), json!({ "brandId": brand })] {
        callers.push(tenant.key(&every, more).await);
    }
    for (role, _) in Role::ALL {
        callers.push(tenant.member(*role, &[&first]).await.1);
        callers.push(tenant.member(*role, &[]).await.1);
    }
    let (revoked, id) = tenant.key_with_id(&every, json!({})).await;
    tenant.owner.delete(&format!("/api/api-keys/{id}")).await.expect(204);
    callers.push(revoked);
    callers.push(app.client().with_key(issue(tenant.id, KeyMode::Live).unwrap().reveal()));
    callers.push(tenant.key(&["brands:read"], json!({})).await);
    for scope in &every {
        callers.push(tenant.key(&["workspaces:read", scope], json!({})).await);
    }
    (tenant, callers)
}

fn data(answer: &Answer) -> Value {
    answer.body["data"].clone()
}

#[tokio::test]
async fn what_is_told_of_a_workspace_is_what_the_door_tells() {
    let app = app().await;
    let door = app.replica_on(&no_lane(&app));
    let mut questions = Vec::new();
    for n in 1..=2 {
        for client in furnished(&app, n).await.1 {
            questions.extend([1, 2, 3, 99].map(|number| (client.clone(), format!("/api/workspace/get/{number}"))));
        }
    }
    // What all of them are told of the first workspace, and a few of the others.
    let mut turn = 0..;
    questions.retain(|(_, path)| path.ends_with("/1") || turn.next().is_some_and(|turn| turn % 7 < 2));
    let mut expected = Vec::new();
    for (client, path) in &questions {
        expected.push(client.at(&door).get(path).await);
    }
    let seen = |what: &dyn Fn(&Value) -> bool| expected.iter().filter(|answer| what(&data(answer))).count();
    let statuses: BTreeSet<_> = expected.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, BTreeSet::from([200, 401, 403, 404]), "the control");
    assert!(seen(&|data| data["secrets"]["auth_token"] == true) > 5, "the control");
    assert!(seen(&|data| data["id"] == 1 && data["secrets"].is_null()) > 5, "the control");
    assert!(seen(&|data| data["id"] == 1 && data["members"].is_null()) > 5, "the control");
    let pending = |data: &Value| data["members"].to_string().contains(r#""pending":true"#);
    assert!(seen(&pending) > 5, "the control");
    assert!(seen(&|data| data["id"] == 1 && data["members"].is_array() && !pending(data)) > 1, "the control");
    let elsewhere = app.tenant("Elsewhere").await;
    elsewhere.owner.get("/api/tenant").await.expect(200);
    app.store.write_notes().await;
    shut_the_door(&app);
    let before = lane(&app);
    let mut told = Vec::new();
    for (client, path) in &questions {
        told.push(client.get(path).await);
    }
    assert_eq!(lane(&app).look_ups - before.look_ups, WEIGHT * questions.len() as u64);
    // Some of both tenants once more, all of them together.
    let together: Vec<_> = (0..questions.len()).step_by(questions.len() / 16).take(16).collect();
    let before = lane(&app);
    let gate = Gate::shut(&app);
    let held_up = occupy(&app, &elsewhere).await;
    let asked: Vec<_> = together.iter().map(|at| ask(&questions[*at].0, &questions[*at].1)).collect();
    until_waiting(&app, WEIGHT * asked.len() as u64).await;
    gate.open();
    let again = answers(asked).await;
    held_up.await.unwrap().expect(404);
    assert!(lane(&app).batches - before.batches < 6, "together");
    for (at, answer) in (0..questions.len()).zip(&told).chain(together.into_iter().zip(&again)) {
        let (expected, path) = (&expected[at], &questions[at].1);
        assert_eq!(answer.status, expected.status, "{path}: {}", answer.text);
        assert_eq!(answer.without_request_id(), expected.without_request_id(), "{path}");
    }
}

#[tokio::test]
async fn each_part_of_what_is_told_is_that_of_the_workspace() {
    let app = app().await;
    let (ours, _) = furnished(&app, 1).await;
    let (theirs, _) = furnished(&app, 2).await;
    shut_the_door(&app);
    for (tenant, agents, minutes, secrets) in [(&ours, 2, 3, [true, false]), (&theirs, 2, 5, [false, true])] {
        let n = if tenant.id == ours.id { 1 } else { 2 };
        let shown = data(&tenant.owner.get("/api/workspace/get/1").await.expect(200));
        assert_eq!(shown["usedAgents"], agents, "{shown}");
        assert_eq!(shown["usedMins"], minutes, "{shown}");
        assert_eq!(shown["maxAgents"], 10 + n, "{shown}");
        assert_eq!(shown["sid"], format!("AC{n:032}"), "{shown}");
        assert_eq!(
            [&shown["secrets"]["auth_token"], &shown["secrets"]["openai_key"]],
            [&json!(secrets[0]), &json!(secrets[1])]
        );
        let members = shown["members"].as_array().unwrap();
        let pending = members.iter().filter(|member| member["pending"] == true).count();
        assert_eq!((pending, members.len()), (2, 2 + Role::ALL.len()), "{shown}");
        assert_eq!(shown["usedMembers"], members.len());
        let numbers: Vec<_> = members.iter().map(|member| member["id"].as_i64()).collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
        let second = data(&tenant.owner.get("/api/workspace/get/2").await.expect(200));
        assert_eq!(
            (&second["sid"], &second["usedMembers"], &second["usedAgents"]),
            (&Value::Null, &json!(1), &json!(n - 1))
        );
    }
}

#[tokio::test]
async fn whoever_may_not_see_the_workspace_is_refused_and_that_is_in_the_log() {
    let app = app().await;
    let acme = app.tenant("Acme").await;
    acme.workspace("DACH").await;
    let store = no_lane(&app);
    let door = app.replica_on(&store);
    let (one, one_id) = acme.key_with_id(&["brands:read"], json!({})).await;
    let (other, other_id) = acme.key_with_id(&["brands:read"], json!({})).await;
    let before = lane(&app).look_ups;
    one.get("/api/workspace/get/1").await.expect(403);
    assert_eq!(lane(&app).look_ups, before + WEIGHT);
    other.at(&door).get("/api/workspace/get/1").await.expect(403);
    app.store.write_notes().await;
    store.write_notes().await;
    let log = acme.owner.get("/api/audit-events?action=attempt.refuse").await.expect(200);
    let log = log.body["data"].as_array().unwrap();
    let of = |id: &str| log.iter().find(|event| event["actor"]["id"] == *id).unwrap();
    let told = |event: &Value| [event["changes"].clone(), event["subject"].clone()];
    assert_eq!(told(of(&one_id)), told(of(&other_id)));
    assert_eq!(of(&one_id)["changes"]["scope"]["after"], "workspaces:read");
}

#[tokio::test]
async fn so_much_that_others_would_wait_for_it_is_told_at_the_door() {
    let app = app().await;
    let acme = app.tenant("Acme").await;
    let (agents, slots) = (acme.workspace("Agents").await, acme.workspace("Slots").await);
    let (tenant, door) = (acme.id, app.replica_on(&no_lane(&app)));
    for more in [198, 1, 1, 1] {
        app.database
            .admin()
            .batch_execute(&format!(
                "INSERT INTO agents (tenant_id, id, workspace_id, name, status)
                     SELECT '{tenant}', gen_random_uuid(), '{agents}', 'Agent', 'active' FROM generate_series(1, {more});
                 WITH new AS (
                     INSERT INTO invitations (tenant_id, id, email, email_key, role, expires_at)
                     SELECT '{tenant}', id, id || '@example.com', id || '@example.com', 'agent', now() + interval '1 day'
                     FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, {more})) AS ids RETURNING id
                 ) INSERT INTO invitation_workspaces (tenant_id, invitation_id, workspace_id, number)
                   SELECT '{tenant}', id, '{slots}', last + row_number() OVER () FROM new,
                          (SELECT coalesce(max(number), 0) AS last FROM invitation_workspaces) AS numbered"
            ))
            .unwrap();
        for path in ["/api/workspace/get/1", "/api/workspace/get/2"] {
            let (shown, told) = (acme.owner.get(path).await, acme.owner.at(&door).get(path).await);
            assert_eq!(data(&shown.expect(200)), data(&told.expect(200)));
        }
    }
    let count = |shown: &Answer, what: &str| data(shown)[what].clone();
    assert_eq!(count(&acme.owner.get("/api/workspace/get/1").await, "usedAgents"), 201);
    assert_eq!(count(&acme.owner.get("/api/workspace/get/2").await, "usedMembers"), 201);
}

#[tokio::test]
async fn the_present_month_of_every_time_zone_is_among_those_that_are_read() {
    let app = app().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    let mut admin = app.database.admin();
    admin
        .batch_execute(&format!(
            "INSERT INTO usage_months SELECT '{tenant}', '{workspace}', month::date, 60
                 FROM generate_series('2027-01-01'::date, '2029-01-01', interval '1 month') AS month;
             -- A clock that can be set.
             CREATE SCHEMA clock;
             CREATE FUNCTION clock.now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT current_setting(''clock.now'')::timestamptz';
             ALTER FUNCTION workspace_contents SET search_path = clock, pg_catalog, public",
            tenant = acme.id
        ))
        .unwrap();
    let zones = ["Etc/GMT+12", "Pacific/Kiritimati", "UTC"].map(|zone| zone.parse::<TimeZone>().unwrap());
    let mut asked = 0;
    for session in ["Etc/GMT+12", "Pacific/Kiritimati"] {
        admin.batch_execute(&format!("SET TIME ZONE '{session}'")).unwrap();
        let read = lines(
            &mut admin,
            &format!(
                "SELECT concat_ws(' ', extract(epoch FROM set_config('clock.now', time::text, true)::timestamptz)::bigint,
                                  (SELECT string_agg(to_char(month, 'YYYY-MM'), ',') FROM unnest(c.months))) AS line
                 FROM generate_series('2027-02-01'::timestamptz, '2028-12-01', interval '6 hours') AS time,
                      LATERAL (SELECT set_config('clock.now', time::text, true) AS is_set OFFSET 0) AS clock,
                      workspace_contents('{}', CASE WHEN is_set <> '' THEN '{workspace}'::uuid END, 200) AS c",
                acme.id
            ),
        );
        for line in read {
            let (time, months) = line.split_once(' ').unwrap();
            let time = chrono::DateTime::from_timestamp(time.parse().unwrap(), 0).unwrap();
            let months: Vec<Month> = months.split(',').map(|month| month.parse().unwrap()).collect();
            for zone in &zones {
                assert!(months.contains(&zone.month_at(time)), "{time} in {zone:?}: {months:?}");
            }
            assert!(months.len() <= 3, "{months:?}");
            asked += 1;
        }
    }
    assert!(asked > 5_000, "{asked}");
}
