//! How many workspaces and members there are is kept and not counted: it is right whatever happens, and put right if it is not.

use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tenantry_domain::Role;
use tenantry_operations::{housekeeping, transfer};
use tenantry_tests::{App, Client, Tenant, lines};

/// Counts that are not what there is.
const WRONG: &str = "
    SELECT id FROM tenants WHERE member_count <> (SELECT count(*) FROM members WHERE tenant_id = tenants.id)
        OR workspace_count <> (SELECT count(*) FROM workspaces WHERE tenant_id = tenants.id AND deleted_at IS NULL)
    UNION ALL SELECT id FROM brands WHERE workspace_count <>
        (SELECT count(*) FROM workspaces WHERE tenant_id = brands.tenant_id AND brand_id = brands.id AND deleted_at IS NULL)";

fn wrong(app: &App) -> i64 {
    app.database.rows(WRONG)
}

fn behind_the_back(app: &App, sql: &str) {
    app.database.admin().batch_execute(sql).unwrap();
}

/// What `/api/tenant` and `/api/me` say of the workspaces.
async fn shown(tenant: &Tenant) -> (Value, Value) {
    let used = tenant.owner.get("/api/tenant").await.expect(200).body["use"]["workspaces"].clone();
    (used, tenant.owner.get("/api/me").await.expect(200).body["visibleWorkspaces"].clone())
}

#[tokio::test]
async fn whatever_makes_moves_or_removes_a_workspace_counts_it() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    app.tenant("Beta").await.workspace("Not Acme's").await;
    let second = acme.brand("Second").await;
    let ids = [acme.workspace("One").await, acme.workspace("Two").await, acme.workspace_of(&second, "Three").await];
    let of_second = acme.key(&["tenant:read"], json!({ "brandId": second })).await;
    let seen = async |client: &Client| client.get("/api/me").await.expect(200).body["visibleWorkspaces"].clone();
    assert_eq!((shown(&acme).await, seen(&of_second).await), ((json!(3), json!(3)), json!(1)));

    let one = |id: &str| format!("/api/workspaces/{id}");
    acme.owner.patch(&one(&ids[0]), json!({ "brandId": second })).await.expect(200);
    acme.owner.patch(&one(&ids[0]), json!({ "brandId": second, "name": "Stays" })).await.expect(200);
    assert_eq!((wrong(&app), seen(&of_second).await), (0, json!(2)));
    acme.owner.delete(&one(&ids[0])).await.expect(204);
    acme.owner.delete(&one(&ids[0])).await.expect(404);
    assert_eq!((wrong(&app), shown(&acme).await, seen(&of_second).await), (0, (json!(2), json!(2)), json!(1)));
    for _ in 0..2 {
        acme.owner.post(&format!("{}/restore", one(&ids[0])), json!({})).await.expect(200);
    }
    assert_eq!((wrong(&app), shown(&acme).await), (0, (json!(3), json!(3))));

    // What is refused counts nothing.
    acme.owner.post("/api/workspaces", json!({ "name": "None", "country": "XX" })).await.expect(422);
    behind_the_back(&app, &format!("UPDATE tenants SET max_workspaces = 3 WHERE id = '{}'", acme.id));
    acme.owner.post("/api/workspaces", json!({ "name": "Fourth" })).await.expect(409);
    acme.owner.delete(&one(&ids[1])).await.expect(204);
    acme.workspace("Fourth").await;
    acme.owner.post(&format!("{}/restore", one(&ids[1])), json!({})).await.expect(409);
    assert_eq!((wrong(&app), shown(&acme).await), (0, (json!(3), json!(3))));

    // What is erased was not counted any more.
    behind_the_back(
        &app,
        "UPDATE workspaces SET deleted_at = deleted_at - interval '31 days' WHERE deleted_at IS NOT NULL",
    );
    assert_eq!(housekeeping::erase_deleted_workspaces(&app.store).await.unwrap(), 1);
    assert_eq!(wrong(&app), 0);
}

#[tokio::test]
async fn many_at_once_are_counted_one_by_one() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let second = acme.brand("Second").await;
    let replica = app.replica().with_key(acme.owner.key());
    let mut ids = Vec::new();
    for n in 0..12 {
        ids.push(acme.workspace_of(if n % 2 == 0 { &acme.brand } else { &second }, "One").await);
    }
    behind_the_back(&app, &format!("UPDATE tenants SET max_workspaces = 14 WHERE id = '{}'", acme.id));
    let act = async |n: usize, id: &String| {
        let client = if n.is_multiple_of(2) { &acme.owner } else { &replica };
        let one = format!("/api/workspaces/{id}");
        match n % 4 {
            0 => client.post("/api/workspaces", json!({ "name": "One more", "brandId": second })).await.status,
            1 => client.patch(&one, json!({ "brandId": acme.brand })).await.status,
            2 => client.patch(&one, json!({ "brandId": second })).await.status,
            _ => client.delete(&one).await.status,
        }
    };
    let statuses = join_all((0..36).map(|n| act(n, &ids[(n * 7) % ids.len()]))).await;
    assert!(statuses.iter().all(|status| [200, 201, 204, 404, 409].contains(status)), "{statuses:?}");
    assert_eq!(wrong(&app), 0);
    let there = app.database.rows("SELECT id FROM workspaces WHERE deleted_at IS NULL");
    assert!(there <= 14, "{there} workspaces where 14 are allowed");
}

#[tokio::test]
async fn members_who_come_and_go_and_a_tenant_that_is_imported_are_counted() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    acme.member(Role::Owner, &[]).await;
    let (leaves, _) = acme.member(Role::Agent, &[&workspace]).await;
    let (_, agent) = acme.member(Role::Agent, &[&workspace]).await;
    acme.owner.delete(&format!("/api/members/{leaves}")).await.expect(204);
    let members = async |tenant: &Tenant| tenant.owner.get("/api/tenant").await.body["use"]["members"].clone();
    assert_eq!((wrong(&app), members(&acme).await), (0, json!(2)));
    assert_eq!(agent.get("/api/me").await.expect(200).body["visibleWorkspaces"], 1, "those it was given");
    let gone = acme.workspace("Gone").await;
    acme.owner.delete(&format!("/api/workspaces/{gone}")).await.expect(204);

    let beta = app.tenant("Beta").await;
    let file = tempfile::tempfile().unwrap();
    transfer::export(&app.store, &acme.operator(), file.try_clone().unwrap()).await.unwrap();
    transfer::import(&app.store, &beta.operator(), file).await.unwrap();
    assert_eq!((wrong(&app), shown(&beta).await, members(&beta).await), (0, (json!(1), json!(1)), json!(2)));
}

#[tokio::test]
async fn counts_that_somebody_left_wrong_are_put_right_and_others_are_left_alone() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    for tenant in [&acme, &beta] {
        tenant.workspace("One").await;
        tenant.member(Role::Admin, &[]).await;
    }
    assert_eq!(housekeeping::compare_counts(&app.store).await.unwrap(), 0);
    // As the version before writes, which does not count.
    let unseen = format!(
        "INSERT INTO workspaces (tenant_id, id, brand_id, name, country, operating_language, currency, workspace_type, number)
         SELECT tenant_id, gen_random_uuid(), brand_id, 'Uncounted', country, operating_language, currency, workspace_type, 77
         FROM workspaces WHERE tenant_id = '{id}' LIMIT 1;
         DELETE FROM members WHERE tenant_id = '{id}'",
        id = acme.id
    );
    behind_the_back(&app, &unseen);
    let written = format!("SELECT xmin::text AS line FROM tenants WHERE id = '{}'", beta.id);
    let before = lines(&mut app.database.admin(), &written);
    assert_eq!(wrong(&app), 2);
    assert_eq!(housekeeping::compare_counts(&app.store).await.unwrap(), 2);
    assert_eq!(wrong(&app), 0);
    assert_eq!(lines(&mut app.database.admin(), &written), before, "what is right is not written");
    assert_eq!(shown(&acme).await, (json!(2), json!(2)));
}
