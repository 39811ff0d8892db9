//! Each condition of the functions that answer look-ups is needed: without any one of them they answer something else, where row
//! security is off.

use diesel::{PgConnection, connection::SimpleConnection};
use regex::Regex;
use serde_json::json;
use tenantry_domain::Role;
use tenantry_tests::{App, Tenant, lines, new_email};

/// What asks, in a tenant: the columns of the arguments of `look_ups`.
struct Question(String);

/// A tenant in which every row has a twin in the other one, with the same ids and other contents; and rows that must not be found.
async fn twins(app: &App) -> (Tenant, Tenant, Vec<Question>) {
    let (ours, theirs) = (app.tenant("Ours").await, app.tenant("Theirs").await);
    let second = ours.brand("Second").await;
    let (asked, other) = (ours.workspace("Asked for").await, ours.workspace_of(&second, "Other").await);
    let gone = ours.workspace("Gone").await;
    for (scopes, more) in [
        (&["workspaces:read"], json!({ "workspaceId": asked })),
        (&["workspaces:read"], json!({ "brandId": second })),
        (&["workspaces:read"], json!({ "workspaceId": gone })),
        (&["brands:read"], json!({})),
        (&["usage:read"], json!({})),
    ] {
        ours.key(scopes, more).await;
    }
    ours.member(Role::Agent, &[&asked, &gone]).await;
    ours.member(Role::Observer, &[&other]).await;
    ours.member(Role::Agent, &[]).await;
    for (workspace, agents) in [(&asked, 1), (&other, 2)] {
        for _ in 0..agents {
            ours.agent(workspace, json!({})).await;
        }
        let integration = format!("/api/workspaces/{workspace}/integrations/openai");
        ours.owner.put(&integration, json!({ "apiKey": "sk-proj-of-a-twin" })).await.expect(200);
        let usage = json!({ "seconds": 60, "reference": "call" });
        ours.owner.post(&format!("/api/workspaces/{workspace}/usage"), usage).await.expect(201);
    }
    let mut ended = Vec::new();
    for workspace in [&asked, &other, &asked, &asked, &asked] {
        ended.push(ours.invitation(&new_email(), json!({ "workspaceIds": [workspace] })).await);
    }
    ours.owner.delete(&format!("/api/workspaces/{gone}")).await.expect(204);
    let mut admin = app.database.admin();
    let tables = [
        "brands",
        "workspaces",
        "api_keys",
        "members",
        "assignments",
        "agents",
        "usage_months",
        "integrations",
        "invitations",
        "invitation_workspaces",
    ];
    let copies = tables.map(|table| {
        let columns = app.database.columns(table);
        let name = if columns.contains("name") { ", 'name', name || ' of theirs'" } else { "" };
        format!(
            "DELETE FROM {table} WHERE tenant_id = '{theirs}';
             INSERT INTO {table} ({columns}) SELECT {columns} FROM (SELECT (jsonb_populate_record(row, jsonb_build_object(
                 'tenant_id', '{theirs}' {name}))).* FROM {table} AS row WHERE tenant_id = '{ours}') AS copies;
             ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;",
            theirs = theirs.id,
            ours = ours.id
        )
    });
    admin
        .batch_execute(&format!(
            "SET session_replication_role = replica; {}
             ALTER TABLE tenants DISABLE ROW LEVEL SECURITY;
             -- In theirs, other people are assigned, other things are deleted, and one person has another role.
             DELETE FROM assignments WHERE tenant_id = '{theirs}' AND workspace_id = '{asked}';
             INSERT INTO assignments (tenant_id, workspace_id, member_id, number)
                 SELECT tenant_id, '{asked}', id, 1000 + row_number() OVER () FROM members
                 WHERE tenant_id = '{theirs}' AND role = 'observer';
             UPDATE workspaces SET deleted_at = now() WHERE tenant_id = '{theirs}' AND id = '{other}';
             UPDATE workspaces SET deleted_at = NULL WHERE tenant_id = '{theirs}' AND id = '{gone}';
             -- There, one agent more, and everybody else's addresses.
             INSERT INTO agents (tenant_id, id, workspace_id, name, status)
                 SELECT tenant_id, gen_random_uuid(), workspace_id, name, status FROM agents WHERE tenant_id = '{theirs}';
             UPDATE members SET email = 'theirs.' || email WHERE tenant_id = '{theirs}';
             UPDATE invitations SET email = 'theirs.' || email WHERE tenant_id = '{theirs}';
             UPDATE invitations SET expires_at = now() - interval '1 hour' WHERE tenant_id = '{ours}' AND id = '{expired}';
             UPDATE invitations SET accepted_at = now() WHERE tenant_id = '{ours}' AND id = '{accepted}';
             UPDATE invitations SET revoked_at = now() WHERE tenant_id = '{ours}' AND id = '{revoked}';
             INSERT INTO usage_months SELECT tenant_id, workspace_id, (month + way * interval '3 months')::date, seconds
                 FROM usage_months, (VALUES (1), (-1)) AS ways (way) WHERE tenant_id = '{ours}';
             UPDATE brands SET workspace_count = 77 WHERE tenant_id = '{theirs}';
             -- Keys and members that no longer are what they were, beside those that are.
             UPDATE api_keys SET revoked_at = now() WHERE tenant_id = '{ours}' AND scopes = '{{brands:read}}';
             UPDATE api_keys SET expires_at = now() - interval '1 hour' WHERE tenant_id = '{ours}' AND scopes = '{{usage:read}}';
             UPDATE members SET status = 'suspended' WHERE tenant_id = '{ours}' AND role = 'observer';
             -- Somebody with the same name at another issuer.
             UPDATE members SET issuer = 'https://other.example.com/', subject = (SELECT subject FROM members AS one
                 WHERE one.tenant_id = '{ours}' AND role = 'observer')
                 WHERE tenant_id = '{ours}' AND role = 'agent' AND NOT EXISTS (
                     SELECT FROM assignments WHERE tenant_id = '{ours}' AND member_id = members.id)",
            copies.concat(),
            theirs = theirs.id,
            ours = ours.id,
            expired = ended[2],
            accepted = ended[3],
            revoked = ended[4],
        ))
        .unwrap();
    // Everybody asks for everything, and who they are.
    let questions = format!(
        "SELECT format('%L::uuid, %L::bytea, %L::text, %L::text, %L::uuid, %L::bigint', tenant_id, hash, issuer, subject, id, number) AS line
         FROM (SELECT tenant_id, secret_hash AS hash, NULL AS issuer, NULL AS subject FROM api_keys
               UNION ALL SELECT tenant_id, NULL, issuer, subject FROM members
               UNION ALL SELECT tenant_id, NULL, issuer, 'nobody' FROM members) AS who,
              (SELECT id, NULL::bigint AS number FROM workspaces WHERE tenant_id = '{ours}'
               UNION ALL SELECT NULL, number FROM workspaces WHERE tenant_id = '{ours}'
               UNION ALL SELECT NULL, NULL) AS what
         WHERE tenant_id IN ('{ours}', '{theirs}') ORDER BY tenant_id, hash NULLS FIRST, issuer, subject, id, number",
        ours = ours.id,
        theirs = theirs.id
    );
    let questions = lines(&mut admin, &questions).into_iter().map(Question).collect();
    (ours, theirs, questions)
}

/// What the functions answer, or why they do not.
fn answers(service: &mut PgConnection, questions: &[Question]) -> Result<Vec<String>, String> {
    let values: Vec<_> = questions.iter().map(|Question(columns)| format!("({columns})")).collect();
    let rows = |of: &str| format!("(SELECT string_agg(r::text, ' ' ORDER BY r::text) FROM unnest(c.{of}) AS r)");
    let sql = format!(
        "SELECT concat_ws(' ', l::text, c.agents, {months}, {integrations}, {slots}) AS line
         FROM (SELECT array_agg(t), array_agg(h), array_agg(i), array_agg(s), array_agg(w), array_agg(n)
             FROM (VALUES {}) AS v (t, h, i, s, w, n)) AS q (t, h, i, s, w, n), look_ups(t, h, i, s, w, n, true) AS l,
             workspace_contents((l.tenant).id, (l.workspace).id, 200) AS c",
        values.join(", "),
        months = rows("months"),
        integrations = rows("integrations"),
        slots = rows("slots"),
    );
    diesel::RunQueryDsl::load::<Line>(diesel::sql_query(sql), service)
        .map(|rows| rows.into_iter().map(|row| row.line).collect())
        .map_err(|error| error.to_string())
}

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}

#[tokio::test]
async fn without_any_one_of_its_conditions_the_function_answers_something_else() {
    let app = App::start().await;
    let (_ours, _theirs, questions) = twins(&app).await;
    let (mut admin, mut service) = (app.database.admin(), app.database.service());
    let right = answers(&mut service, &questions);
    assert_eq!(right.as_ref().map(Vec::len), Ok(questions.len()), "one row for each question");
    let condition = Regex::new(
        r"(?x) \b[raim]\.\w+ \s (?: = \s [\w.']+ (?:\[i\])? | IS \s NULL\b | BETWEEN \s \(.*?\)::date \s AND \s \(.*?\)::date | > \s now\(\) )
           (?: \s OR \s r\.expires_at \s > \s now\(\) )?",
    )
    .unwrap();
    let mut unnoticed = Vec::new();
    for (what, whole, least) in [
        ("look_ups", "SELECT pg_get_functiondef('look_ups'::regproc) AS line", 25),
        ("workspace_contents", "SELECT pg_get_functiondef('workspace_contents'::regproc) AS line", 9),
        (
            "slots",
            "SELECT 'CREATE OR REPLACE VIEW slots WITH (security_invoker = true) AS ' || pg_get_viewdef('slots'::regclass) AS line",
            7,
        ),
    ] {
        let whole = lines(&mut admin, whole).remove(0);
        let conditions: Vec<_> = condition.find_iter(&whole).collect();
        assert!(conditions.len() >= least, "{what}: {conditions:?}");
        for found in conditions {
            let mutant = format!("{}true{}", &whole[..found.start()], &whole[found.end()..]);
            admin.batch_execute(&mutant).unwrap();
            if answers(&mut service, &questions) == right {
                let line = whole[..found.start()].lines().count();
                unnoticed.push(format!("{what}, line {line}: {}", found.as_str()));
            }
        }
        admin.batch_execute(&whole).unwrap();
    }
    assert_eq!(unnoticed, Vec::<String>::new());
}

/// What the function shows of each tenant: from the start and after a row, both ways, all and what is looked for.
fn pages(service: &mut PgConnection, tenants: &[&Tenant]) -> Result<Vec<String>, String> {
    let tenants: Vec<_> = tenants.iter().map(|tenant| format!("('{}'::uuid)", tenant.id)).collect();
    let sql = format!(
        "SELECT format('%s %s %s %s: %s', tenant, sought, after_id, descending, shown) AS line
         FROM (VALUES {}) AS tenants (tenant), (VALUES (NULL), ('asked')) AS texts (sought), (VALUES (true), (false)) AS ways (descending),
             (SELECT NULL::timestamptz, NULL::uuid UNION ALL SELECT created_at, id FROM workspaces) AS positions (after_time, after_id),
             LATERAL (SELECT array_agg(page.name) FROM page_of_workspaces(tenant, sought, after_time, after_id, descending, 100) AS page)
                 AS pages (shown)
         ORDER BY 1",
        tenants.join(", ")
    );
    diesel::RunQueryDsl::load::<Line>(diesel::sql_query(sql), service)
        .map(|rows| rows.into_iter().map(|row| row.line).collect())
        .map_err(|error| error.to_string())
}

#[tokio::test]
async fn without_any_one_of_its_conditions_the_function_shows_another_page() {
    let app = App::start().await;
    let (ours, theirs, _) = twins(&app).await;
    let (mut admin, mut service) = (app.database.admin(), app.database.service());
    let right = pages(&mut service, &[&ours, &theirs]);
    assert!(right.as_ref().is_ok_and(|pages| pages.len() > 10), "the control: {right:?}");
    let whole = lines(&mut admin, "SELECT pg_get_functiondef('page_of_workspaces'::regproc) AS line").remove(0);
    let condition = Regex::new(
        r"r\.tenant_id = of_tenant|r\.deleted_at IS NULL|\(r\.created_at, r\.id\) [<>] \(after_time, after_id\)|\(pattern IS NULL OR [^)]+\)",
    );
    let conditions: Vec<_> = condition.unwrap().find_iter(&whole).map(|found| found.range()).collect();
    assert_eq!(conditions.len(), 8, "four of each direction");
    for found in conditions {
        let mutant = format!("{}true{}", &whole[..found.start], &whole[found.end..]);
        admin.batch_execute(&mutant).unwrap();
        assert_ne!(pages(&mut service, &[&ours, &theirs]), right, "without {}", &whole[found]);
    }
}
