//! A sealed secret is good at its own place and at no other, whoever puts it there.

use serde_json::json;
use tenantry_domain::{Action, WorkspaceId};
use tenantry_operations::integrations;
use tenantry_tests::{App, Log};

use super::{PROVIDERS, behind_the_back, fields, path};

#[tokio::test]
async fn a_sealed_secret_that_is_copied_elsewhere_does_not_open_and_nobody_is_asked_with_it() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let (dach, nordics, theirs) =
        (acme.workspace("DACH").await, acme.workspace("Nordics").await, beta.workspace("DACH").await);
    for (tenant, workspace) in [(&acme, &dach), (&acme, &nordics), (&beta, &theirs)] {
        for provider in PROVIDERS {
            let secret = format!("canary-of-{provider}");
            tenant.owner.put(&path(workspace, provider), fields(provider, &secret)).await.expect(200);
        }
    }
    for (tenant, workspace, provider, what) in [
        (&beta, &theirs, "openai", "another tenant"),
        (&acme, &nordics, "openai", "another workspace"),
        (&acme, &dach, "elevenlabs", "another provider with a field of the same name"),
        (&acme, &dach, "gohighlevel", "another provider and field"),
    ] {
        behind_the_back(
            &app,
            &format!(
                "UPDATE integrations AS here SET sealed_secret = there.sealed_secret, key_version = there.key_version
                 FROM integrations AS there WHERE there.workspace_id = '{dach}' AND there.provider = 'openai'
                 AND here.workspace_id = '{workspace}' AND here.provider = '{provider}'"
            ),
        );
        let here = path(workspace, provider);
        let refused = tenant.owner.post(&format!("{here}/verify"), json!({})).await.expect(409);
        assert_eq!(refused.body["code"], "secret_unreadable", "{what}");
        assert!(!refused.text.contains("canary"), "{}", refused.text);
        assert!(app.providers.requests().is_empty(), "{what}: a provider was asked");
        let shown = tenant.owner.get(&here).await.expect(200);
        assert_eq!(shown.body["verificationStatus"], "unverified", "{what}");
        // Set again, it is good again.
        tenant.owner.put(&here, fields(provider, "canary-set-anew")).await.expect(200);
    }
    let whole = acme.owner.post(&format!("{}/verify", path(&dach, "openai")), json!({})).await.expect(200);
    assert_eq!(whole.body["verificationStatus"], "ok", "the service goes on");
}

#[tokio::test]
async fn a_workspace_of_another_tenant_with_the_very_same_id_is_another_place() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let workspace = acme.workspace("DACH").await;
    acme.owner.put(&path(&workspace, "openai"), fields("openai", "canary-567890")).await.expect(200);
    let copy = |table: &str, more: &str| {
        format!(
            "INSERT INTO {table} ({columns}) SELECT {columns} FROM (
                 SELECT (jsonb_populate_record(row, jsonb_build_object('tenant_id', '{}' {more}))).* FROM {table} AS row) AS copies;",
            beta.id,
            columns = app.database.columns(table)
        )
    };
    let workspaces = copy("workspaces", &format!(", 'brand_id', '{}'", beta.brand));
    behind_the_back(&app, &(workspaces + &copy("integrations", "")));
    let here = path(&workspace, "openai");
    assert_eq!(beta.owner.get(&here).await.expect(200).body["status"], "connected");
    let refused = beta.owner.post(&format!("{here}/verify"), json!({})).await.expect(409);
    assert_eq!(refused.body["code"], "secret_unreadable");
    assert!(app.providers.requests().is_empty());
    acme.owner.post(&format!("{here}/verify"), json!({})).await.expect(200);
}

#[tokio::test]
async fn whatever_is_wrong_with_a_sealed_secret_is_one_error_and_an_alarm() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    let openai = path(&workspace, "openai");
    let (log, _guard) = Log::listen();
    let mut said = Vec::new();
    for damage in [
        "sealed_secret = ''",
        "sealed_secret = '\\x00'",
        "sealed_secret = substring(sealed_secret FOR 14)",
        "sealed_secret = substring(sealed_secret FOR length(sealed_secret) - 1)",
        "sealed_secret = sealed_secret || '\\x00'",
        "sealed_secret = set_byte(sealed_secret, 0, 1)",
        "sealed_secret = set_byte(sealed_secret, 2, 9)",
        "sealed_secret = set_byte(sealed_secret, 3, get_byte(sealed_secret, 3) # 1)",
        "sealed_secret = set_byte(sealed_secret, 20, get_byte(sealed_secret, 20) # 128)",
        "sealed_secret = decode(repeat('ff', 100000), 'hex')",
    ] {
        acme.owner.put(&openai, fields("openai", "canary-567890")).await.expect(200);
        behind_the_back(&app, &format!("UPDATE integrations SET {damage}"));
        let refused = acme.owner.post(&format!("{openai}/verify"), json!({})).await.expect(409);
        said.push(refused.without_request_id());
        let id: WorkspaceId = workspace.parse().unwrap();
        let (keys, provider) = (&app.integrations.keys, "openai".parse().unwrap());
        let operator = acme.operator();
        let opened = integrations::open(&app.store, keys, &operator, id, provider, Action::WorkspaceRead).await;
        assert!(
            matches!(
                opened,
                Err(tenantry_domain::Error::Conflict { code: tenantry_domain::Conflict::SecretUnreadable, .. })
            ),
            "{damage}"
        );
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(app.providers.requests().is_empty());
    let log = log.text();
    let alarms: Vec<_> = log.lines().filter(|line| line.contains("cannot decrypt a stored secret")).collect();
    assert_eq!(alarms.len(), 10, "{log}");
    assert!(alarms.iter().all(|line| line.contains("ERROR") && line.contains(&workspace) && line.contains("openai")));
    assert!(!log.contains("canary"), "{log}");
}

#[tokio::test]
async fn what_is_opened_is_what_was_set() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (workspace, empty) = (acme.workspace("DACH").await, acme.workspace("Empty").await);
    let secret = "~!@#$%^&*()_+-={}|[]:;<>?,/'\"\\`".to_owned() + &"x".repeat(480);
    for provider in PROVIDERS {
        acme.owner.put(&path(&workspace, provider), fields(provider, &secret)).await.expect(200);
        let open = async |id: &str| {
            let (keys, provider, id) = (&app.integrations.keys, provider.parse().unwrap(), id.parse::<WorkspaceId>());
            let (operator, action) = (acme.operator(), Action::WorkspaceRead);
            integrations::open(&app.store, keys, &operator, id.unwrap(), provider, action).await.unwrap().1
        };
        assert_eq!(open(&workspace).await.unwrap().secret.reveal(), secret, "{provider}");
        assert!(open(&empty).await.is_none(), "{provider}");
    }
}
