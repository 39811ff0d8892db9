//! A new master key takes over while everything goes on.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use serde_json::json;
use tenantry_auth::seal::{MasterKey, MasterKeys};
use tenantry_domain::{Action, Credential, Error, Holder, Origin, WorkspaceId};
use tenantry_operations::integrations::{self, Resealed, Resealing, needed_master_keys, reseal};
use tenantry_operations::providers::Timeouts;
use tenantry_tests::{App, Tenant};

use super::{PROVIDERS, behind_the_back, fields, path};

/// Keys as the files hold them: version 1, 2 and 3.
struct Files([String; 3]);

impl Files {
    fn new() -> Self {
        Self([1, 2, 3].map(|version| MasterKey::generate(version).unwrap().to_string()))
    }

    /// The keys of these versions; the first one seals.
    fn keys(&self, versions: &[usize]) -> MasterKeys {
        let mut keys = versions.iter().map(|version| self.0[version - 1].parse().unwrap());
        MasterKeys::new(keys.next().unwrap(), keys.collect()).unwrap()
    }
}

/// A service that seals under version 1, and two tenants with two workspaces of four integrations each.
struct Stage {
    app: App,
    files: Files,
    tenants: [Tenant; 2],
    workspaces: Vec<(usize, String)>,
}

const SECRETS: u64 = 16;

impl Stage {
    async fn new() -> Self {
        let files = Files::new();
        let app = App::integrating(files.keys(&[1]), Timeouts::default()).await;
        let tenants = [app.tenant("Acme").await, app.tenant("Beta").await];
        let mut workspaces = Vec::new();
        for (at, tenant) in tenants.iter().enumerate() {
            for name in ["DACH", "Nordics"] {
                let workspace = tenant.workspace(name).await;
                for provider in PROVIDERS {
                    let secret = secret(&workspace, provider);
                    tenant.owner.put(&path(&workspace, provider), fields(provider, &secret)).await.expect(200);
                }
                workspaces.push((at, workspace));
            }
        }
        Self { app, files, tenants, workspaces }
    }

    async fn reseal(&self, keys: &MasterKeys, how: Resealing) -> Result<Resealed, Error> {
        reseal(&self.app.store, keys, &operator(), how).await
    }

    /// Opens every secret with these keys, which must be what was set; how many do not open.
    async fn unopened(&self, keys: &MasterKeys) -> usize {
        let mut unopened = 0;
        for (at, workspace) in &self.workspaces {
            for provider in PROVIDERS {
                let (operator, id) = (self.tenants[*at].operator(), workspace.parse::<WorkspaceId>().unwrap());
                let (store, named) = (&self.app.store, provider.parse().unwrap());
                match integrations::open(store, keys, &operator, id, named, Action::WorkspaceRead).await {
                    Ok((_, opened)) => {
                        let opened = opened.unwrap().secret;
                        assert!(opened.reveal().starts_with(&secret(workspace, provider)), "{provider}");
                    }
                    Err(Error::Conflict { .. }) => unopened += 1,
                    Err(error) => panic!("{error:?}"),
                }
            }
        }
        unopened
    }

    fn under(&self, version: u16) -> i64 {
        self.app.database.rows(&format!(
            "SELECT FROM integrations WHERE key_version = {version}
             AND get_byte(sealed_secret, 1) * 256 + get_byte(sealed_secret, 2) = {version}"
        ))
    }

    async fn needed(&self) -> Vec<u16> {
        let mut versions: Vec<_> =
            needed_master_keys(&self.app.store).await.unwrap().iter().map(|key| key.version()).collect();
        versions.sort_unstable();
        versions
    }
}

fn operator() -> Credential {
    Credential { holder: Holder::Operator { name: "ada".parse().unwrap(), tenant: None }, origin: Origin::default() }
}

fn secret(workspace: &str, provider: &str) -> String {
    format!("{provider}-{workspace}")
}

#[tokio::test]
async fn everything_is_sealed_anew_while_it_is_read_and_written_and_then_the_old_key_is_not_needed() {
    let stage = Stage::new().await;
    let both = stage.files.keys(&[2, 1]);
    let (reads, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
    // What still seals under the old key, as the last of the replicas to be replaced.
    let (at, workspace) = &stage.workspaces[0];
    let writing = async {
        let mut written = 0;
        while !ended.load(Ordering::SeqCst) {
            let body = fields("openai", &format!("{}-{written}", secret(workspace, "openai")));
            stage.tenants[*at].owner.put(&path(workspace, "openai"), body).await.expect(200);
            written += 1;
        }
        written
    };
    let reading = async {
        while !ended.load(Ordering::SeqCst) {
            assert_eq!(stage.unopened(&both).await, 0, "a read failed");
            reads.fetch_add(1, Ordering::SeqCst);
        }
    };
    let resealing = async {
        let done = stage.reseal(&both, Resealing::Reseal).await.unwrap();
        ended.store(true, Ordering::SeqCst);
        done
    };
    let (written, (), done) = tokio::join!(writing, reading, resealing);
    assert!(
        written > 0 && reads.load(Ordering::SeqCst) > 0 && done.resealed >= SECRETS && done.unopened == 0,
        "{done:?}"
    );
    // What was written after its turn is left for the next run, with no old replica left.
    let rest = stage.reseal(&both, Resealing::Reseal).await.unwrap();
    assert!(rest.resealed <= 1 && rest.left.is_empty(), "{rest:?}");
    assert_eq!((stage.under(1), stage.under(2)), (0, SECRETS as i64));
    assert_eq!(stage.needed().await, [2]);
    assert_eq!(stage.unopened(&stage.files.keys(&[2])).await, 0);
    assert_eq!(
        stage.unopened(&stage.files.keys(&[1])).await as u64,
        SECRETS,
        "a backup of before still needs the old key"
    );
    let again = stage.reseal(&stage.files.keys(&[2]), Resealing::Reseal).await.unwrap();
    assert_eq!(again, Resealed::default());
}

#[tokio::test]
async fn a_run_that_was_stopped_is_taken_up_where_it_was() {
    let stage = Stage::new().await;
    let both = stage.files.keys(&[2, 1]);
    let mut sealed = 0;
    for stop_at in [5, 9, 14] {
        behind_the_back(
            &stage.app,
            // With the eyes of the superuser, so that it counts in all tenants.
            &format!(
                "CREATE OR REPLACE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
                     IF (SELECT count(*) FROM integrations WHERE key_version = 2) >= {stop_at} THEN RAISE EXCEPTION 'stopped'; END IF;
                     RETURN NEW; END $$;
                 CREATE OR REPLACE TRIGGER stop BEFORE UPDATE ON integrations FOR EACH ROW EXECUTE FUNCTION stop()"
            ),
        );
        assert!(stage.reseal(&both, Resealing::Reseal).await.is_err());
        assert!(stage.under(2) > sealed, "some of it is done");
        sealed = stage.under(2);
        assert_eq!((sealed + stage.under(1), stage.needed().await), (SECRETS as i64, vec![1, 2]));
        assert_eq!(stage.unopened(&both).await, 0);
    }
    behind_the_back(&stage.app, "DROP TRIGGER stop ON integrations");
    let done = stage.reseal(&both, Resealing::Reseal).await.unwrap();
    assert_eq!((done.resealed as i64, stage.under(2)), (SECRETS as i64 - sealed, SECRETS as i64));
    assert_eq!((stage.unopened(&stage.files.keys(&[2])).await, stage.needed().await), (0, vec![2]));
}

#[tokio::test]
async fn two_runs_at_once_do_it_once() {
    let stage = Stage::new().await;
    let both = stage.files.keys(&[2, 1]);
    let (one, other) = tokio::join!(stage.reseal(&both, Resealing::Reseal), stage.reseal(&both, Resealing::Reseal));
    assert_eq!(one.unwrap().resealed + other.unwrap().resealed, SECRETS);
    assert_eq!((stage.under(2), stage.needed().await), (SECRETS as i64, vec![2]));
    assert_eq!(stage.unopened(&stage.files.keys(&[2])).await, 0);
}

#[tokio::test]
async fn a_dry_run_counts_and_changes_nothing() {
    let stage = Stage::new().await;
    let mut rows = tenantry_tests::Rows::of(&stage.app.database);
    let before = rows.all();
    let store = stage.app.store.rehearsal();
    for (keys, how, resealed) in [
        (&[2, 1][..], Resealing::Reseal, SECRETS),
        (&[3], Resealing::Reseal, 0),
        (&[3], Resealing::Discard { lost: Some(1) }, 0),
    ] {
        let would = reseal(&store, &stage.files.keys(keys), &operator(), how).await.unwrap();
        let left = BTreeMap::from([(1, SECRETS as i64)]);
        assert_eq!(would, Resealed { tenants: 2, resealed, unopened: SECRETS - resealed, left });
    }
    assert_eq!(rows.all(), before);
}

#[tokio::test]
async fn nothing_that_anybody_sees_changes_and_the_log_names_the_operator_once_for_each_tenant() {
    let stage = Stage::new().await;
    let (at, workspace) = &stage.workspaces[0];
    let owner = &stage.tenants[*at].owner;
    owner.post(&format!("{}/verify", path(workspace, "openai")), json!({})).await.expect(200);
    let before = owner.get(&path(workspace, "openai")).await.expect(200);
    stage.reseal(&stage.files.keys(&[2, 1]), Resealing::Reseal).await.unwrap();
    let after = owner.get(&path(workspace, "openai")).await.expect(200);
    assert_eq!((after.etag(), &after.body), (before.etag(), &before.body));
    let events =
        "SELECT FROM audit_events WHERE action = 'integration.reseal' AND actor_id = 'ada' AND subject_type = 'tenant'
                  AND changes = '{\"masterKeyVersions\": {\"before\": [1, 2], \"after\": [2]}}'";
    assert_eq!(stage.app.database.rows(events), 2);
}

#[tokio::test]
async fn what_does_not_open_stays_is_reported_and_can_be_discarded() {
    let stage = Stage::new().await;
    let (at, workspace) = &stage.workspaces[0];
    behind_the_back(
        &stage.app,
        &format!(
            "UPDATE integrations SET sealed_secret = set_byte(sealed_secret, 20, get_byte(sealed_secret, 20) # 1)
                  WHERE workspace_id = '{workspace}' AND provider = 'openai'"
        ),
    );
    let both = stage.files.keys(&[2, 1]);
    let done = stage.reseal(&both, Resealing::Reseal).await.unwrap();
    let left = BTreeMap::from([(1, 1)]);
    assert_eq!(done, Resealed { tenants: 2, resealed: SECRETS - 1, unopened: 1, left });
    assert_eq!(stage.needed().await, [1, 2], "the old key is still asked for");
    let done = stage.reseal(&both, Resealing::Discard { lost: None }).await.unwrap();
    assert_eq!(done, Resealed { tenants: 1, resealed: 0, unopened: 1, left: BTreeMap::new() });
    assert_eq!(stage.needed().await, [2]);
    let owner = &stage.tenants[*at].owner;
    let shown = owner.get(&path(workspace, "openai")).await.expect(200);
    assert_eq!((shown.body["status"].as_str(), shown.etag()), (Some("not_connected"), "\"2\""));
    let event = format!(
        "SELECT FROM audit_events WHERE subject_id = '{workspace}' AND action = 'integration.reseal'
                         AND changes = '{{\"openai.apiKey\": {{\"before\": \"set\", \"after\": null}}}}'"
    );
    assert_eq!(stage.app.database.rows(&event), 1);
    // A key that is lost: everything under it is discarded, and the service can start again.
    let other = stage.reseal(&stage.files.keys(&[3]), Resealing::Discard { lost: Some(1) }).await.unwrap();
    assert_eq!(
        (other.unopened, other.left),
        (SECRETS - 1, BTreeMap::from([(2, SECRETS as i64 - 1)])),
        "another key's stay"
    );
    let done = stage.reseal(&stage.files.keys(&[3]), Resealing::Discard { lost: Some(2) }).await.unwrap();
    assert_eq!((done.unopened, done.left.is_empty(), stage.needed().await.is_empty()), (SECRETS - 1, true, true));
}

#[tokio::test]
async fn a_secret_of_before_does_not_open_in_its_own_place() {
    let stage = Stage::new().await;
    let (at, workspace) = &stage.workspaces[0];
    let place = format!("WHERE workspace_id = '{workspace}' AND provider = 'openai'");
    let keep = format!("CREATE TABLE kept AS SELECT sealed_secret FROM integrations {place}");
    behind_the_back(&stage.app, &keep);
    let body = fields("openai", &format!("{}-2", secret(workspace, "openai")));
    stage.tenants[*at].owner.put(&path(workspace, "openai"), body).await.expect(200);
    assert_eq!(stage.unopened(&stage.files.keys(&[1])).await, 0);
    let put_back = format!("UPDATE integrations SET sealed_secret = (SELECT sealed_secret FROM kept) {place}");
    behind_the_back(&stage.app, &put_back);
    assert_eq!(stage.unopened(&stage.files.keys(&[1])).await, 1);
}

/// What a program sealed under version 1 before the time was bound: the same form, written here once more.
fn sealed_in_form_1(key: &str, place: &[&[u8]], secret: &str) -> Vec<u8> {
    use aws_lc_rs::aead::{AES_256_GCM, Aad, RandomizedNonceKey};
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, &key[3..]).unwrap();
    let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes).unwrap();
    let parts = [&[1][..], &[0, 1]].into_iter().chain(place.iter().copied());
    let data: Vec<u8> = parts.flat_map(|part| [&(part.len() as u64).to_be_bytes()[..], part].concat()).collect();
    let mut sealed = secret.as_bytes().to_vec();
    let nonce = key.seal_in_place_append_tag(Aad::from(data), &mut sealed).unwrap();
    [&[1, 0, 1], nonce.as_ref().as_slice(), &sealed].concat()
}

#[tokio::test]
async fn resealing_takes_secrets_of_the_old_form_along_whatever_their_key() {
    let stage = Stage::new().await;
    let (at, workspace) = &stage.workspaces[0];
    let id = |text: &str| text.parse::<uuid::Uuid>().unwrap().as_bytes().to_vec();
    let tenant = id(&stage.tenants[*at].id.to_string());
    let sealed = sealed_in_form_1(
        &stage.files.0[0],
        &[&tenant, &id(workspace), b"openai", b"apiKey"],
        &secret(workspace, "openai"),
    );
    let hex: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
    let place = format!("WHERE workspace_id = '{workspace}' AND provider = 'openai'");
    behind_the_back(&stage.app, &format!("UPDATE integrations SET sealed_secret = '\\x{hex}' {place}"));
    assert_eq!(stage.unopened(&stage.files.keys(&[1])).await, 0, "it still opens");
    let done = stage.reseal(&stage.files.keys(&[1]), Resealing::Reseal).await.unwrap();
    assert_eq!((done.tenants, done.resealed), (1, 1));
    assert_eq!(
        stage.app.database.rows("SELECT FROM integrations WHERE get_byte(sealed_secret, 0) = 2"),
        SECRETS as i64
    );
    assert_eq!(stage.unopened(&stage.files.keys(&[1])).await, 0);
    let again = stage.reseal(&stage.files.keys(&[1]), Resealing::Reseal).await.unwrap();
    assert_eq!((again.tenants, again.resealed), (0, 0));
}

#[tokio::test]
async fn a_replica_with_another_key_of_the_same_version_does_not_seal_in_the_same_tenant() {
    let stage = Stage::new().await;
    let impostor = Files::new();
    let objections = impostor.keys(&[1]).objections(&needed_master_keys(&stage.app.store).await.unwrap());
    assert!(objections.len() == 1 && objections[0].contains("is not the one"), "{objections:?}");
    let (at, workspace) = &stage.workspaces[0];
    let other = stage.app.replica_with(impostor.keys(&[1])).with_key(stage.tenants[*at].owner.key());
    other.put(&path(workspace, "openai"), fields("openai", "canary-567890")).await.expect(500);
    assert_eq!(stage.unopened(&stage.files.keys(&[1])).await, 0, "what was there is there");
    let missing = stage.files.keys(&[2]).objections(&needed_master_keys(&stage.app.store).await.unwrap());
    assert!(missing.len() == 1 && missing[0].contains("version 1 is missing"), "{missing:?}");
}
