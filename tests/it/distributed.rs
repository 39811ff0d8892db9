//! What the service does itself because a distributed database cannot, tried on one server that is made like one.

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tenantry_persistence::AuditPartitions;
use tenantry_tests::{App, TestDatabase};

use crate::binary::kit::Tenantry;

/// An index that is unique beyond a tenant is not unique any more, as after `tenantry distribute`.
fn without_unique_indexes(database: &TestDatabase) {
    let planned = Tenantry::on(database).json(&["distribute", "--dry-run"]);
    let statements = planned["statements"].as_array().unwrap().iter().filter_map(Value::as_str);
    let made_anew: Vec<_> = statements.filter(|statement| statement.starts_with("DROP INDEX")).collect();
    assert!(!made_anew.is_empty());
    made_anew.into_iter().for_each(|statement| database.admin().batch_execute(statement).unwrap());
}

#[tokio::test]
async fn an_external_id_belongs_to_one_tenant_where_no_index_sees_to_it() {
    let app = App::start().await;
    without_unique_indexes(&app.database);
    let platform = app.platform();
    let tenant = |name: &str, id: &str| json!({ "name": name, "country": "DE", "externalId": id });
    let first = platform.post("/api/admin/tenants", tenant("First", "crm-1")).await.expect(201);
    let taken = platform.post("/api/admin/tenants", tenant("Second", "crm-1")).await.expect(409);
    assert_eq!(taken.body["code"], "external_id_taken");
    // At the same moment, too: through any replica, and in either way.
    let replicas = [app.platform(), platform.at(&app.replica())];
    let at_once = (0..8).map(|number| {
        let (client, body) = (&replicas[number % 2], tenant(&format!("Racer {number}"), "crm-2"));
        async move {
            match number < 6 {
                true => client.post("/api/admin/tenants", body).await.status,
                false => {
                    let body = json!({ "name": body["name"], "country": "DE" });
                    client.put("/api/admin/tenants/by-external-id/crm-2", body).await.status
                }
            }
        }
    });
    let answers = futures_util::future::join_all(at_once).await;
    assert_eq!(answers.iter().filter(|status| **status == 201).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|status| [200, 201, 409].contains(status)), "{answers:?}");
    let path = |id: &str| format!("/api/admin/tenants/{id}");
    let other = platform.post("/api/admin/tenants", tenant("Other", "crm-3")).await.expect(201);
    platform.patch(&path(&other.id()), json!({ "externalId": "crm-1" })).await.expect(409);
    platform.patch(&path(&other.id()), json!({ "externalId": "crm-3", "name": "Still it" })).await.expect(200);
    // A deleted one gives it up, and is not restored while another one has it.
    platform.delete(&path(&first.id())).await.expect(204);
    platform.patch(&path(&other.id()), json!({ "externalId": "crm-1" })).await.expect(200);
    let restore = format!("{}/restore", path(&first.id()));
    platform.post(&restore, json!({})).await.expect(409);
    platform.patch(&path(&other.id()), json!({ "externalId": null })).await.expect(200);
    platform.post(&restore, json!({})).await.expect(200);
    let twice =
        "SELECT external_id FROM tenants WHERE deleted_at IS NULL GROUP BY external_id HAVING count(external_id) > 1";
    assert_eq!(app.database.rows(twice), 0);
}

#[tokio::test]
async fn months_of_the_audit_log_are_made_without_what_citus_refuses() {
    let hints = "SELECT FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relname LIKE 'audit_events_2%' AND attoptions @> '{n_distinct=1}'";
    let months = "SELECT FROM pg_class WHERE relname LIKE 'audit_events_2%' AND relispartition AND relkind = 'r' AND relrowsecurity";
    for is_distributed in [false, true] {
        let database = TestDatabase::new();
        if is_distributed {
            // By this table of its extension it is known.
            database.admin().batch_execute("CREATE TABLE pg_dist_partition ()").unwrap();
        }
        let made = AuditPartitions::connect(&database.owner_url()).unwrap().make_ahead().unwrap() as i64;
        assert!(made > 0);
        assert_eq!((database.rows(months), database.rows(hints)), (made, if is_distributed { 0 } else { made }));
    }
}
