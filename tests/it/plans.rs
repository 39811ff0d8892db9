//! What a request reads of the database does not grow with what its tenant has: not with plans that were made when it had little,
//! and not before the tables were looked at again.

use std::collections::HashMap;

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tenantry_tests::{App, Client, Tenant, lines};

/// Blocks that were read of tables and their indexes, of those that were read at all.
const READ: &str = "
    SELECT format('%s %s', relname, sum(heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit)) AS line
    FROM pg_statio_user_tables GROUP BY relname HAVING sum(heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit) > 0
    ORDER BY relname";

/// More than the workspaces that are there at first, by far.
const MANY: usize = 40_000;

/// Nothing but the service reads the tables, and estimates stay as old as they are.
const NOBODY_LOOKS: &str = "DO $$ DECLARE own regclass; BEGIN
    FOR own IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
        EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', own);
    END LOOP;
END $$";

fn grow(app: &App, tenant: &Tenant) {
    app.database.admin().batch_execute(NOBODY_LOOKS).unwrap();
    let sql = format!(
        "INSERT INTO workspaces (tenant_id, id, brand_id, name, country, operating_language, currency, workspace_type, number,
                                 created_at, updated_at)
         SELECT '{id}', gen_random_uuid(), '{brand}', 'Workspace ' || n, 'DE', 'de', 'EUR', 'b2b', 1000 + n,
                now() - n * interval '1 minute', now() - n * interval '1 minute'
         FROM generate_series(1, {MANY}) AS n;
         UPDATE tenants SET workspace_count = workspace_count + {MANY}, last_workspace_number = 1000 + {MANY} WHERE id = '{id}';
         UPDATE brands SET workspace_count = workspace_count + {MANY} WHERE id = '{brand}'",
        id = tenant.id,
        brand = tenant.brand,
    );
    app.database.admin().batch_execute(&sql).unwrap();
}

/// What is asked often, each with a page where there is one.
async fn ask(client: &Client, workspace: &str) {
    for path in [
        &format!("/api/workspaces/{workspace}"),
        &format!("/api/workspaces/{workspace}/effective"),
        "/api/workspace/get/1",
        "/api/me",
        "/api/tenant",
        "/api/workspaces?limit=20",
        "/api/workspaces?limit=20&sort=-updatedAt",
        "/api/workspaces?limit=20&sort=name",
        "/api/workspaces?limit=20&country=FR",
        "/api/workspaces?limit=20&workspaceType=b2c&country=DE",
        "/api/brands",
    ] {
        client.get(path).await.expect(200);
    }
    let made = client.post("/api/workspaces", json!({ "name": "One more" })).await.expect(201).id();
    client.patch(&format!("/api/workspaces/{made}"), json!({ "name": "Renamed" })).await.expect(200);
    client.delete(&format!("/api/workspaces/{made}")).await.expect(204);
}

/// Ends the server processes of the service, which tell then what they have read, at the latest.
pub(crate) fn end_connections(app: &App) {
    let end = "SELECT pg_terminate_backend(pid, 30000)::text AS line FROM pg_stat_activity
               WHERE datname = current_database() AND usename = 'tenantry_service'";
    let ended = lines(&mut app.database.admin(), end);
    assert!(!ended.is_empty() && ended.iter().all(|ended| ended == "true"), "{ended:?}");
}

/// How many blocks of each table a round of questions reads.
async fn read(app: &App, client: &Client, workspace: &str) -> Vec<(String, u64)> {
    let mut admin = app.database.admin();
    let forget = "SELECT pg_stat_reset()";
    admin.batch_execute(forget).unwrap();
    // The server tells of what it has read at most once a second, and what it read before is not meant.
    while lines(&mut admin, READ).is_empty() {
        client.get(&format!("/api/workspaces/{workspace}")).await.expect(200);
    }
    admin.batch_execute(forget).unwrap();
    ask(client, workspace).await;
    end_connections(app);
    lines(&mut admin, READ)
        .iter()
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(table, blocks)| (table.to_owned(), blocks.parse().unwrap()))
        .collect()
}

/// A service whose one connection has planned everything while the tenant was small.
async fn planned(lane: bool) -> (App, Tenant, String) {
    let app = App::on(tenantry_tests::TestDatabase::new(), |options| {
        options.connections = 1;
        options.look_up_lane = lane;
    })
    .await;
    let acme = app.tenant("Acme").await;
    app.database
        .admin()
        .batch_execute(&format!("UPDATE tenants SET max_workspaces = 1000000 WHERE id = '{}'", acme.id))
        .unwrap();
    app.tenant("Beta").await.workspace("Not Acme's").await;
    let mut workspace = acme.workspace("DACH").await;
    for n in 0..10 {
        workspace = acme.workspace(&format!("One of ten, {n}")).await;
    }
    acme.key(&["workspaces:read"], json!({})).await;
    app.database.admin().batch_execute("ANALYZE").unwrap();
    // A plan for any values is made after the fifth time.
    for _ in 0..7 {
        ask(&acme.owner, &workspace).await;
    }
    (app, acme, workspace)
}

#[tokio::test]
async fn a_tenant_that_grows_to_many_workspaces_costs_as_few_blocks_as_before() {
    for lane in [true, false] {
        let (app, acme, workspace) = planned(lane).await;
        let before: HashMap<_, _> = read(&app, &acme.owner, &workspace).await.into_iter().collect();
        let (app, acme, workspace) = planned(lane).await;
        grow(&app, &acme);
        for (table, read) in read(&app, &acme.owner, &workspace).await {
            // Indexes have become a few levels higher.
            let most = before.get(&table).unwrap_or(&0) * 2 + 100;
            assert!(read <= most, "{read} blocks of {table}, and {:?} before; lane: {lane}", before.get(&table));
        }
    }
}

#[tokio::test]
async fn both_spellings_of_a_letter_and_none_of_its_accents_find_a_name() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    for name in ["Müller", "Mu\u{308}ller", "MULLER", "İzmir", "Straße 1", "STRASSE 2", "５０％", "Ｆｕｌｌ"]
    {
        acme.workspace(name).await;
    }
    for (text, found) in [
        ("m%C3%BCller", 3),
        ("mu%CC%88ller", 3),
        ("Muller", 3),
        ("izmir", 1),
        ("%C4%B0ZM%C4%B0R", 1),
        ("strasse", 2),
        ("stra%C3%9Fe", 2),
        ("50%25", 1),
        ("full", 1),
        ("%EF%BC%85", 1),
        ("mullerin", 0),
    ] {
        let listed = acme.owner.get(&format!("/api/workspaces?q={text}")).await.expect(200);
        assert_eq!(listed.body["data"].as_array().map(Vec::len), Some(found), "{text}: {}", listed.text);
        let brands: Value = acme.owner.get(&format!("/api/brands?q={text}")).await.expect(200).body;
        assert_eq!(brands["data"], json!([]));
    }
}

/// The statements of the administrator's guide that make the index of searches.
fn statements() -> Vec<String> {
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md")).unwrap();
    let section = guide.split_once("### Searches in very large tenants").unwrap().1;
    let block = section.split_once("```sql").unwrap().1.split_once("```").unwrap().0;
    block.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[tokio::test]
async fn with_the_index_of_the_guide_a_search_reads_what_it_finds_and_finds_the_same() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    grow(&app, &acme);
    app.database.admin().batch_execute("ANALYZE").unwrap();
    let list = "/api/workspaces?q=space%201234";
    let before = acme.owner.get(list).await.expect(200).body;
    assert_eq!(before["data"].as_array().map(Vec::len), Some(11));
    assert_eq!(statements().len(), 5);
    for statement in statements() {
        app.database.admin().batch_execute(&statement).unwrap();
    }
    let replica = App::store(&app.database.service_url(), |options| options.connections = 1);
    let client = app.replica_on(&replica).with_key(acme.owner.key());
    app.database.admin().batch_execute("SELECT pg_stat_reset()").unwrap();
    assert_eq!(client.get(list).await.expect(200).body, before);
    let used = "SELECT idx_scan::text AS line FROM pg_stat_user_indexes WHERE indexrelname = 'workspaces_search'";
    end_connections(&app);
    assert_eq!(lines(&mut app.database.admin(), used), ["1"]);
}

/// A tenant with so many workspaces, of which one in ten is gold and ten are of platinum, and one service that has planned nothing yet.
async fn with_gold(many: usize) -> (App, Tenant) {
    let app = App::on(tenantry_tests::TestDatabase::new(), |options| options.connections = 1).await;
    let acme = app.tenant("Acme").await;
    app.tenant("Beta").await.workspace("Not Acme's").await;
    let (id, brand) = (acme.id, &acme.brand);
    let sql = format!(
        "INSERT INTO workspaces (tenant_id, id, brand_id, name, country, operating_language, currency, workspace_type, number,
                                 created_at, updated_at, external_id, metadata)
         SELECT '{id}', gen_random_uuid(), '{brand}', 'Workspace ' || n, 'DE', 'de', 'EUR', 'b2b', 1000 + n,
                now() - n * interval '1 minute', now() - n * interval '1 minute', 'crm-' || n,
                jsonb_build_object('tier', CASE WHEN n % 10 = 0 THEN 'gold' WHEN n * 10 % {many} = 1 THEN 'platinum' ELSE 'silver' END,
                                   'region', CASE WHEN n % 2 = 0 THEN 'eu' ELSE 'us' END)
         FROM generate_series(1, {many}) AS n;
         INSERT INTO workspace_metadata (tenant_id, workspace_id, name, value, created_at)
         SELECT own.tenant_id, own.id, entry.key, entry.value, own.created_at
         FROM workspaces AS own, jsonb_each_text(own.metadata) AS entry",
    );
    let mut admin = app.database.admin();
    admin.batch_execute(NOBODY_LOOKS).unwrap();
    admin.batch_execute(&sql).unwrap();
    // What PostgreSQL does by itself after so many rows, at a time of its own choice.
    admin.batch_execute("VACUUM (FREEZE, ANALYZE) workspaces, workspace_metadata").unwrap();
    admin.batch_execute("ANALYZE").unwrap();
    (app, acme)
}

/// How many blocks of any table this list reads, and how much it shows.
async fn blocks_of(app: &App, client: &Client, list: &str) -> (u64, usize) {
    app.database.admin().batch_execute("SELECT pg_stat_reset()").unwrap();
    let shown = client.get(list).await.expect(200).body["data"].as_array().map(Vec::len);
    end_connections(app);
    let read = lines(&mut app.database.admin(), READ);
    let blocks = read.iter().map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap());
    (blocks.sum(), shown.unwrap())
}

#[tokio::test]
async fn a_list_by_metadata_costs_what_it_shows_and_not_what_there_is() {
    let (few_app, few) = with_gold(1_000).await;
    let (many_app, many) = with_gold(100_000).await;
    for filter in [
        "metadata.tier=gold",
        "metadata.tier=gold&sort=-createdAt",
        "metadata.tier=gold&metadata.region=eu",
        "metadata.region=eu",
        "metadata.tier=none",
        "externalId=crm-500",
    ] {
        let list = format!("/api/workspaces?limit=20&{filter}");
        // What a connection reads of the catalogue when it is new is not of these tables.
        let (before, shown) = blocks_of(&few_app, &few.owner, &list).await;
        let (after, shown_of_many) = blocks_of(&many_app, &many.owner, &list).await;
        assert_eq!(shown, shown_of_many, "{filter}");
        // The trees of two indexes are a level deeper, for each row that is shown.
        let most = before * 3 / 2 + 2 * u64::try_from(shown).unwrap();
        assert!(after <= most, "{filter}: {after} blocks of 100,000 workspaces, and {before} of 1,000");
    }
}
