//! Moving a tenant at the command line, as the manual says.

use std::fs;

use diesel::connection::SimpleConnection;
use serde_json::json;
use tenantry_tests::{App, Client};

use super::kit::Tenantry;

#[tokio::test]
async fn a_tenant_is_frozen_exported_imported_compared_and_unfrozen() {
    let (here, there) = (App::start().await, App::start().await);
    let (from, to) = (Tenantry::on(&here.database), Tenantry::on(&there.database));
    let made = from.json(&["tenant", "create", "--name", "Acme", "--country", "DE"]);
    let (id, key) = (made["tenant"]["id"].as_str().unwrap(), made["apiKey"].as_str().unwrap());
    let owner = |app: &App| -> Client { app.client().with_key(key) };
    owner(&here).post("/api/workspaces", json!({ "name": "DACH" })).await.expect(201);
    from.json(&["master-key", "transfer.key", "--version", "1"]);
    let frozen = from.run(&["tenant", "freeze", "Acme"]).expect(0).out;
    assert_eq!(frozen, format!("active, frozen  {id}  Acme\n"));
    assert!(from.run(&["tenant", "show", "Acme"]).expect(0).out.contains("active; frozen on "));
    let update = from.run(&["tenant", "update", "Acme", "--name", "Other"]).expect(4);
    assert!(update.err.contains("is being moved") && update.err.contains("tenantry tenant unfreeze"), "{}", update.err);
    let sealed = ["tenant", "export", "Acme", "--sealed", "transfer.key", "--file", "acme.ndjson"];
    assert_eq!(from.json(&sealed)["exported"]["apiKeys"], 1);
    for name in ["acme.ndjson", "transfer.key"] {
        fs::copy(from.path(name), to.path(name)).unwrap();
    }
    let without = to.run(&["tenant", "import", "--file", "acme.ndjson"]).expect(4);
    assert!(without.err.contains("sealed under the transfer key 1:"), "{}", without.err);
    to.run(&["tenant", "import", id, "--sealed", "transfer.key", "--file", "acme.ndjson"]).expect(2);
    let import = ["tenant", "import", "--sealed", "transfer.key", "--file", "acme.ndjson"];
    let imported = to.json(&import);
    assert_eq!(
        (&imported["tenant"], &imported["frozen"], &imported["imported"]["apiKeys"]),
        (&json!(id), &json!(true), &json!(1))
    );
    assert!(to.run(&import).expect(4).err.contains("already in this database"));
    let compare = ["tenant", "compare", "--sealed", "transfer.key", "acme.ndjson"];
    for side in [&from, &to] {
        let compared = side.json(&compare);
        assert_eq!((&compared["different"], &compared["secrets"]), (&json!(0), &json!(true)), "{compared}");
        assert!(side.run(&["tenant", "compare", "acme.ndjson"]).expect(0).out.contains("without secrets"));
    }
    owner(&there).post("/api/workspaces", json!({ "name": "Too soon" })).await.expect(503);
    to.run(&["tenant", "unfreeze", id]).expect(0);
    owner(&there).post("/api/workspaces", json!({ "name": "New" })).await.expect(201);
    owner(&here).post("/api/workspaces", json!({ "name": "Too late" })).await.expect(503);
    there.database.admin().batch_execute("UPDATE workspaces SET name = 'Renamed' WHERE name = 'DACH'").unwrap();
    let differs = to.run(&compare).expect(1);
    assert!(differs.out.contains(": name\n"), "{}", differs.out);
    assert!(differs.err.contains("is not what the file says"), "{}", differs.err);
}
