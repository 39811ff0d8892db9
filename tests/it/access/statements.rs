//! Every statement that the service sends names its tenant, for each table of tenants that it reads or writes: read from the log of
//! the database after every operation of the document, with many kinds of callers, every list by each of its parameters, and the
//! jobs. What row security would hold back anyway must not be asked for. On a distributed database this is also what finds the rows.

use std::{collections::BTreeSet, fs};

use diesel::connection::SimpleConnection;
use regex::Regex;
use serde_json::json;
use tenantry_domain::{Retention, Role, Scope};
use tenantry_operations::{housekeeping, transfer};
use tenantry_persistence::Prepare;
use tenantry_tests::{App, Client, Operation, Rows, Target, Tenant, TestDatabase, lines};

/// What is missing on purpose, of statements with these words, and why. It may only become shorter.
const EXCEPTIONS: [(&str, &str, &str); 1] =
    [("tenants (0 of 1)", r#" FROM "tenants" "#, "the platform lists tenants, and nothing inside them")];

/// Lists are asked with each of these that they take.
const PARAMETERS: [(&str, &str); 16] = [
    ("q", "a"),
    ("sort", "-createdAt"),
    ("limit", "1"),
    ("state", "deleted"),
    ("state", "pending"),
    ("brandId", "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48"),
    ("workspaceId", "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48"),
    ("country", "DE"),
    ("currency", "EUR"),
    ("operatingLanguage", "de"),
    ("workspaceType", "b2b"),
    ("role", "agent"),
    ("status", "active"),
    ("active", "true"),
    ("createdBy", "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48"),
    ("actorId", "somebody"),
];

async fn everybody(tenant: &Tenant) -> Vec<Client> {
    let all: Vec<_> = Scope::all().iter().map(|scope| scope.as_str()).collect();
    let workspace = tenant.workspace("Somewhere").await;
    let mut everybody = vec![
        tenant.owner.clone(),
        tenant.key(&all, json!({ "brandId": tenant.brand })).await,
        tenant.key(&all, json!({ "workspaceId": workspace })).await,
    ];
    for role in [Role::Owner, Role::Agent] {
        everybody.push(tenant.member(role, &[&workspace]).await.1);
    }
    everybody
}

/// Every operation by everybody.
async fn ask(app: &App, lane: bool) {
    let tenant = app.tenant(if lane { "In the lane" } else { "At the door" }).await;
    let everybody = everybody(&tenant).await;
    let mut good = BTreeSet::new();
    for operation in Operation::all().into_iter().filter(Operation::needs_credential) {
        let platform = [app.platform()];
        let clients = if operation.is_of_the_platform() { &platform[..] } else { &everybody[..] };
        for client in clients {
            let mut target = Target::of(&tenant).await;
            let (path, body) = match operation.is_of_the_platform() {
                true => (app.admin_target(&operation).await.1, operation.body()),
                false => (target.path(&operation).await, target.body(&operation).await),
            };
            let answer = operation.send(client, &path, body.as_ref()).await;
            assert!(answer.status < 500, "{operation}: {}", answer.text);
            if answer.status < 300 {
                good.insert(operation.clone());
            }
            if operation.lists() {
                for (name, value) in PARAMETERS {
                    client.get(&format!("{path}?{name}={value}")).await;
                }
            }
        }
    }
    assert!(good.len() > 60, "the control: {} operations succeed", good.len());
}

/// What nobody asks for over HTTP.
async fn jobs(app: &App) {
    let (from, to) = (app.tenant("From").await, app.tenant("To").await);
    from.fill_empty_lists().await;
    housekeeping::erase_deleted_workspaces(&app.store).await.unwrap();
    housekeeping::prune(&app.store, &Retention::default(), true).await.unwrap();
    housekeeping::prune(&app.store, &Retention::default(), false).await.unwrap();
    housekeeping::clear_discarded_secrets(&app.store).await.unwrap();
    housekeeping::compare_counts(&app.store).await.unwrap();
    let file = tempfile::tempfile().unwrap();
    transfer::export(&app.store, &from.operator(), file.try_clone().unwrap()).await.unwrap();
    transfer::import(&app.store, &to.operator(), file).await.unwrap();
    app.store.write_notes().await;
}

/// The statements that the service sent to this database, each once.
fn sent(database: &TestDatabase, name: &str) -> BTreeSet<String> {
    let directory = lines(&mut database.admin(), "SELECT current_setting('data_directory') AS line").remove(0);
    let log = fs::read_to_string(format!("{directory}/../postgres.log")).unwrap();
    let begins = Regex::new(&format!(r"tenantry_service@{name} LOG:  (?:execute [^:]+|statement): (.*)$")).unwrap();
    let (mut sent, mut now): (BTreeSet<String>, Option<String>) = (BTreeSet::new(), None);
    for line in log.lines() {
        if let (Some(statement), Some(more)) = (now.as_mut(), line.strip_prefix('\t')) {
            statement.push(' ');
            statement.push_str(more.trim());
            continue;
        }
        sent.extend(now.take());
        now = begins.captures(line).map(|found| found[1].to_owned());
    }
    sent.extend(now);
    sent
}

/// What a statement does not name the tenant of.
fn forgotten(statement: &str, tables: &[String]) -> Vec<String> {
    let count = |pattern: &str| Regex::new(pattern).unwrap().find_iter(statement).count();
    let mut forgotten = Vec::new();
    for table in tables {
        let uses = count(&format!(r#"(?i)\b(?:FROM|JOIN|UPDATE|INTO|USING)\s+\(*"?{table}"?(?:\s|$|\))"#));
        let column = if table == "tenants" { "id" } else { "tenant_id" };
        let given = r"(?:\$\d+|'[0-9a-f-]{36}')";
        let named = count(&format!(r#""{table}"\."{column}" = {given}"#))
            + count(&format!(r#"(?:^|[ (.]){column} = {given}"#))
            + count(&format!(r#"INTO "?{table}"? \("?(?:\w+"?, "?)*{column}"?"#));
        if named < uses {
            forgotten.push(format!("{table} ({named} of {uses})"));
        }
    }
    forgotten
}

/// Why a distributed database would not do what this statement says.
fn refused_by_citus(statement: &str) -> Option<&'static str> {
    let is = |pattern: &str| Regex::new(pattern).unwrap().is_match(statement);
    let clock = r"(?:clock_timestamp|gen_random_uuid|random)\(\)";
    let reasons = [
        ("SET LOCAL ", "each worker is told the whole string"),
        (&*format!("^UPDATE .*{clock}|^DELETE .*{clock}"), "it is volatile"),
        ("^INSERT .* ON CONFLICT .* DO UPDATE .*(?:now\\(\\)|CURRENT_TIMESTAMP)", "it is not immutable"),
        ("^INSERT .* SELECT .* FOR (?:KEY |NO KEY )?(?:SHARE|UPDATE)", "the rows are stored with COPY"),
        ("^INSERT .* SELECT .* OVER \\((?:ORDER|\\))", "the rows are stored with COPY"),
    ];
    reasons.into_iter().find(|(pattern, _)| is(&format!("(?i){pattern}"))).map(|(_, why)| why)
}

#[test]
fn what_a_distributed_database_refuses_is_noticed() {
    for (statement, is_refused) in [
        ("BEGIN; SET LOCAL jit = off; SELECT set_tenant('x')", true),
        ("BEGIN; SELECT set_config('jit', 'off', true); SELECT set_tenant('x')", false),
        ("UPDATE webhooks SET at = clock_timestamp() WHERE tenant_id = $1", true),
        ("UPDATE webhooks SET at = statement_timestamp() WHERE tenant_id = $1", false),
        ("SELECT FROM webhooks WHERE at < clock_timestamp()", false),
        ("INSERT INTO a (b) VALUES ($1) ON CONFLICT (b) DO UPDATE SET c = now()", true),
        ("INSERT INTO a (b, c) VALUES ($1, now()) ON CONFLICT (b) DO UPDATE SET c = excluded.c", false),
        ("INSERT INTO a (b) SELECT b FROM c WHERE tenant_id = $1 FOR KEY SHARE OF c", true),
        ("INSERT INTO a (b) SELECT b FROM c WHERE tenant_id = $1", false),
        ("INSERT INTO a (b) SELECT row_number() OVER (ORDER BY b) FROM c", true),
        ("INSERT INTO a (b) SELECT row_number() OVER (PARTITION BY tenant_id ORDER BY b) FROM c", false),
    ] {
        assert_eq!(refused_by_citus(statement).is_some(), is_refused, "{statement}");
    }
}

#[test]
fn a_statement_without_its_tenant_is_noticed() {
    let tables = ["tenants".to_owned(), "brands".to_owned(), "workspaces".to_owned()];
    let of = |statement: &str| forgotten(statement, &tables);
    assert_eq!(of(r#"SELECT 1 FROM "brands" WHERE ("brands"."id" = $1)"#), ["brands (0 of 1)"]);
    assert_eq!(of(r#"SELECT 1 FROM "brands" WHERE (("brands"."tenant_id" = $1) AND ("brands"."id" = $2))"#), [""; 0]);
    let join = r#"SELECT 1 FROM ("brands" INNER JOIN "workspaces" ON ("workspaces"."brand_id" = "brands"."id")) WHERE ("brands"."tenant_id" = $1)"#;
    assert_eq!(of(join), ["workspaces (0 of 1)"]);
    assert_eq!(
        of("UPDATE brands SET name = $2 WHERE id IN (SELECT id FROM brands WHERE tenant_id = $1)"),
        ["brands (1 of 2)"]
    );
    assert_eq!(of(r#"INSERT INTO "brands" ("name") VALUES ($1)"#), ["brands (0 of 1)"]);
    assert_eq!(of(r#"INSERT INTO "brands" ("tenant_id", "name") VALUES ($1, $2)"#), [""; 0]);
    assert_eq!(of(r#"SELECT 1 FROM "tenants""#), ["tenants (0 of 1)"]);
}

#[tokio::test]
async fn every_statement_names_its_tenant() {
    let database = TestDatabase::new();
    let name = lines(&mut database.admin(), "SELECT current_database() AS line").remove(0);
    database.admin().batch_execute(&format!("ALTER DATABASE {name} SET log_statement = 'all'")).unwrap();
    let app = App::on(database, |_| {}).await;
    ask(&app, true).await;
    jobs(&app).await;
    let door = App::store(&app.database.service_url(), |pool| {
        pool.look_up_lane = false;
        pool.prepare = Prepare::Never;
    });
    let workspace = app.tenant("At the door").await;
    let client = app.replica_on(&door).with_key(workspace.owner.key());
    let one = workspace.workspace("Asked for").await;
    for path in [format!("/api/workspaces/{one}"), format!("/api/workspaces/{one}/effective"), "/api/me".to_owned()] {
        client.get(&path).await.expect(200);
    }
    let tables = Rows::of(&app.database).tables();
    let sent = sent(&app.database, &name);
    assert!(sent.len() > 150, "{} statements", sent.len());
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for statement in &sent {
        wrong.extend(refused_by_citus(statement).map(|why| format!("{why}: {statement}")));
        let forgotten = forgotten(statement, &tables).join(", ");
        let exception = EXCEPTIONS.iter().find(|(what, words, _)| forgotten == *what && statement.contains(words));
        match exception {
            Some((.., why)) => drop(used.insert(*why)),
            None if forgotten.is_empty() => {}
            None => wrong.push(format!("{forgotten}: {statement}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert_eq!(used.len(), EXCEPTIONS.len(), "an exception is not needed any more: {used:?}");
}
