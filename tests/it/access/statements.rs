//! Every statement that the service sends names its tenant, for each table of tenants that it reads or writes: read from the log of
//! the database after every operation of the document, with many kinds of callers, every list by each of its parameters, what sends
//! emails and webhooks, an invitation that is accepted, and the jobs. What row security would hold back anyway must not be asked for. On a distributed database this is also what finds the rows.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    sync::LazyLock,
};

use diesel::connection::SimpleConnection;
use regex::{Regex, RegexSet};
use serde_json::json;
use tenantry_domain::{Retention, Role, Scope};
use tenantry_operations::{housekeeping, transfer};
use tenantry_persistence::Prepare;
use tenantry_tests::{App, Client, Operation, People, Receiver, Receiving, Rows, Target, Tenant, TestDatabase, lines};

use crate::{
    outbox,
    webhooks::{self, webhook},
};

/// What is missing on purpose, of statements with these words, and why. It may only become shorter.
const EXCEPTIONS: [(&str, &str, &str); 1] =
    [("tenants (0 of 1)", r#" FROM "tenants" "#, "the platform lists tenants, and nothing inside them")];

/// What is read through a view names its tenant as well.
const VIEWS: &str =
    "SELECT relname::text AS line FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'";

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

/// What is sent, and what comes of it: a person accepts an invitation, twice as if the first answer had been lost, and a receiver fails
/// for so long that its webhook is disabled.
async fn sending(app: &App) {
    let (tenant, server, receiver) = (app.tenant("Sends").await, outbox::server(), Receiver::start());
    let workspace = tenant.workspace("Somewhere").await;
    tenant.member(Role::Owner, &[]).await;
    webhook(&tenant, &receiver, json!(null)).await;
    tenant.invitation(&People::email("Ada"), json!({ "workspaceIds": [workspace] })).await;
    assert!(outbox::deliver(app, &server).await.sent > 0);
    let mails = server.mails();
    let mail = mails.iter().find(|mail| mail.to == [People::email("Ada")]).unwrap();
    let body = json!({ "token": outbox::token(mail) });
    let person = app.client().with_key(&app.people.token("Ada", None, json!({})));
    for _ in 1..=2 {
        let request = person.request("POST", "/api/invitations/accept").header("Idempotency-Key", "once");
        person.send(request.json(&body)).await.expect(201);
    }
    webhooks::deliver(app).await;
    receiver.receive(Receiving::Status(500, "", String::new()));
    for _ in 1..=2 {
        tenant.workspace("Somewhere else").await;
        webhooks::deliver(app).await;
        app.database.admin().batch_execute("UPDATE webhooks SET failing_since = now() - interval '5 days'").unwrap();
        webhooks::wait_for_the_next_attempt(app);
    }
    assert!(outbox::deliver(app, &server).await.sent > 0, "the owner is told of the webhook");
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

/// A table, and what the statement calls it if that is something else.
static USE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"\b(?i:FROM|JOIN|UPDATE|INTO|USING)\s+\(*"?(\w+)"?(?:\s+(?:AS\s+)?([a-z]\w*))?"#).unwrap()
});
/// A column that is compared with a value, or with a column of another table.
static CONDITION: LazyLock<Regex> = LazyLock::new(|| {
    let column = |name: &str| format!(r#"(?:"?\b(?<{name}>\w+)"?\.)?"?\b(?<{name}_column>id|tenant_id)\b"?"#);
    Regex::new(&format!(r"{} = (?:\$\d+|'[0-9a-f-]{{36}}'|{})", column("one"), column("other"))).unwrap()
});
static INSERT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"INTO "?(\w+)"? \(([^)]*)\)"#).unwrap());

/// What a statement does not name the tenant of. A table that says that it has the tenant of another one is named as that is.
fn forgotten(statement: &str, tables: &[String]) -> Vec<String> {
    let column = |table: &str| if table == "tenants" { "id" } else { "tenant_id" };
    let (mut uses, mut called, mut named) = (HashMap::new(), HashMap::new(), HashMap::<&str, usize>::new());
    for used in USE.captures_iter(statement) {
        if let Some(table) = tables.iter().find(|table| **table == used[1]) {
            *uses.entry(table.as_str()).or_insert(0) += 1;
            called.insert(used.get(2).map_or(table.as_str(), |alias| alias.as_str()), table.as_str());
            called.insert(table, table);
        }
    }
    let used: Vec<_> = tables.iter().map(String::as_str).filter(|table| uses.contains_key(table)).collect();
    let (mut bare, mut ties) = (Vec::new(), Vec::new());
    for found in CONDITION.captures_iter(statement) {
        let side = |name: &str| {
            let table = called.get(&found.name(name)?.as_str())?;
            (found[&*format!("{name}_column")] == *column(table)).then_some(*table)
        };
        match (side("one"), side("other")) {
            (Some(one), Some(other)) => ties.push((one, other)),
            (Some(one), None) if found.name("other_column").is_none() => *named.entry(one).or_default() += 1,
            (None, None) if found.name("one").is_none() && found.name("other_column").is_none() => {
                bare.push(found["one_column"].to_owned());
            }
            _ => {}
        }
    }
    for found in INSERT.captures_iter(statement) {
        if let Some(table) = used.iter().find(|table| found[1] == ***table)
            && found[2].split(", ").any(|name| name.trim_matches('"') == column(table))
        {
            *named.entry(table).or_default() += 1;
        }
    }
    let lacks = |named: &HashMap<&str, usize>, table: &str| named.get(table).copied().unwrap_or(0) < uses[table];
    // A condition without the name of a table is about one table, and no more.
    for name in bare {
        if let Some(table) = used.iter().find(|table| column(table) == name && lacks(&named, table)) {
            *named.entry(table).or_default() += 1;
        }
    }
    while let Some(at) = ties.iter().position(|(one, other)| lacks(&named, one) != lacks(&named, other)) {
        let (one, other) = ties.remove(at);
        *named.entry(if lacks(&named, one) { one } else { other }).or_default() += 1;
    }
    let said = |table: &&str| format!("{table} ({} of {})", named.get(table).unwrap_or(&0), uses[table]);
    used.iter().filter(|table| lacks(&named, table)).map(said).collect()
}

/// What a distributed database would not do, and why.
const REFUSED: [(&str, &str); 6] = [
    ("SET LOCAL ", "each worker is told the whole string"),
    (r"^(?:UPDATE|DELETE) .*(?:clock_timestamp|gen_random_uuid|random)\(\)", "it is volatile"),
    (
        r"^(?:UPDATE|DELETE) (?:.*\bcoalesce\([^()]*|[^(]*\bCASE .*)\b(?:now|statement_timestamp)\(\)",
        "it is conditional",
    ),
    (r"^INSERT .* ON CONFLICT .* DO UPDATE .*(?:now\(\)|CURRENT_TIMESTAMP)", "it is not immutable"),
    (r"^INSERT .* SELECT .* FOR (?:KEY |NO KEY )?(?:SHARE|UPDATE)", "the rows are stored with COPY"),
    (r"^INSERT .* SELECT .* OVER \((?:ORDER|\))", "the rows are stored with COPY"),
];

/// Why a distributed database would not do what this statement says.
fn refused_by_citus(statement: &str) -> Option<&'static str> {
    static PATTERNS: LazyLock<RegexSet> =
        LazyLock::new(|| RegexSet::new(REFUSED.map(|(pattern, _)| format!("(?i){pattern}"))).unwrap());
    PATTERNS.matches(statement).iter().next().map(|at| REFUSED[at].1)
}

#[test]
fn what_a_distributed_database_refuses_is_noticed() {
    for (statement, is_refused) in [
        ("BEGIN; SET LOCAL jit = off; SELECT set_tenant('x')", true),
        ("BEGIN; SELECT set_config('jit', 'off', true); SELECT set_tenant('x')", false),
        ("UPDATE webhooks SET at = clock_timestamp() WHERE tenant_id = $1", true),
        ("UPDATE webhooks SET at = statement_timestamp() WHERE tenant_id = $1", false),
        ("UPDATE webhooks SET at = coalesce(at, now()) WHERE tenant_id = $1", true),
        ("UPDATE webhooks SET at = CASE WHEN at IS NULL THEN now() END WHERE tenant_id = $1", true),
        ("UPDATE webhooks SET at = least(at, now()) WHERE tenant_id = $1", false),
        ("UPDATE tenants SET at = (SELECT min(CASE WHEN failures > 0 THEN now() END) FROM webhooks)", false),
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
    let tied = "SELECT 1 FROM brands AS b JOIN workspaces w ON w.tenant_id = b.tenant_id AND w.brand_id = b.id";
    assert_eq!(of(&format!("{tied} WHERE b.tenant_id = $1")), [""; 0]);
    assert_eq!(of(&format!("{tied} WHERE b.id = $1")), ["brands (0 of 1)", "workspaces (0 of 1)"]);
    let of_tenant = r#"UPDATE "tenants" SET at = (SELECT min(at) FROM brands WHERE brands.tenant_id = tenants.id)"#;
    assert_eq!(of(&format!(r#"{of_tenant} WHERE ("tenants"."id" = $1)"#)), [""; 0]);
    assert_eq!(of(of_tenant), ["tenants (0 of 1)", "brands (0 of 1)"]);
    let once = "DELETE FROM brands WHERE tenant_id = $1 AND NOT EXISTS (SELECT FROM workspaces WHERE brand_id = $2)";
    assert_eq!(of(once), ["workspaces (0 of 1)"]);
}

#[tokio::test]
async fn every_statement_names_its_tenant() {
    let database = TestDatabase::new();
    let name = lines(&mut database.admin(), "SELECT current_database() AS line").remove(0);
    database.admin().batch_execute(&format!("ALTER DATABASE {name} SET log_statement = 'all'")).unwrap();
    let app = App::on(database, |_| {}).await;
    // First, while nobody else has a webhook.
    sending(&app).await;
    ask(&app, true).await;
    jobs(&app).await;
    let door = App::store(&app.database.service_url(), |pool| {
        pool.look_up_lane = false;
        pool.prepare = Prepare::Never;
    });
    let workspace = app.tenant("At the door").await;
    let client = app.replica_on(&door).with_key(workspace.owner.key());
    let one = workspace.workspace("Asked for").await;
    let of_one = format!("/api/workspaces/{one}");
    for path in [&of_one, &format!("{of_one}/effective"), "/api/me", "/api/workspace/get/1"] {
        client.get(path).await.expect(200);
    }
    let mut tables = Rows::of(&app.database).tables();
    tables.extend(lines(&mut app.database.admin(), VIEWS));
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
