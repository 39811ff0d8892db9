//! The platform key, from the command that makes it to the service that trusts it.

use nix::sys::signal::Signal;
use tenantry_tests::TestDatabase;

use super::kit::Tenantry;

#[test]
fn a_platform_key_is_made_without_settings_and_printed_with_its_hash() {
    let tenantry = Tenantry::embedded().with("TENANTRY_WORKERS", "none");
    let made = tenantry.json(&["platform-key"]);
    let members: Vec<_> = made.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["platformKey", "sha256"]);
    assert!(made["platformKey"].as_str().unwrap().starts_with("tnt_plat_v1_"));
    assert_ne!(made, tenantry.json(&["platform-key"]), "each is new");
    let text = tenantry.run(&["platform-key"]).expect(0).out;
    assert!(text.contains("TENANTRY_PLATFORM_KEY_SHA256=") && text.contains("it is not shown again"), "{text}");
    assert!(!tenantry.path("data").exists(), "and stored nowhere");
}

#[tokio::test]
async fn the_service_trusts_the_keys_whose_hashes_it_is_given_and_says_none_of_them() {
    let database = TestDatabase::new();
    let keys: Vec<_> = (0..3).map(|_| Tenantry::embedded().json(&["platform-key"])).collect();
    let text = |at: usize, member: &str| keys[at][member].as_str().unwrap();
    let hashes = format!("{}, {}", text(0, "sha256"), text(1, "sha256").to_uppercase());
    let tenantry =
        Tenantry::on(&database).with("TENANTRY_PLATFORM_KEY_SHA256", &hashes).with("TENANTRY_LOG_LEVEL", "trace");
    let service = tenantry.serve();
    for (at, status) in [(0, 200), (1, 200), (2, 401)] {
        let client = service.client().with_key(text(at, "platformKey"));
        client.get("/api/admin/tenants").await.expect(status);
    }
    service.signal(Signal::SIGTERM);
    let (_, log) = service.wait();
    for key in &keys {
        assert!(!log.contains(&key["platformKey"].as_str().unwrap()[12..]), "a key in the log");
    }
    let shown = tenantry.run(&["config"]).expect(0).out;
    assert!(shown.contains(&format!("{}…", &text(0, "sha256")[..8])) && !shown.contains(text(0, "sha256")), "{shown}");
    let wrong = Tenantry::on(&database).with("TENANTRY_PLATFORM_KEY_SHA256", text(0, "platformKey"));
    let refused = wrong.run(&["serve"]).expect(6);
    assert!(refused.err.contains("not the key itself") && !refused.err.contains(&text(0, "platformKey")[12..]));
}
