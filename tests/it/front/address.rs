//! Whose address it is that a request comes from.

use serde_json::json;
use tenantry_domain::{RequestRate, Requests};
use tenantry_http::{Front, ProxyHeader, Rates, TrustedProxies};
use tenantry_tests::{App, Client, Tenant};

fn behind(networks: &[&str]) -> Front {
    let networks = networks.iter().map(|network| TrustedProxies::network(network).unwrap()).collect();
    Front { proxies: TrustedProxies { networks, header: ProxyHeader::Auto }, ..Front::default() }
}

/// The address that the audit log has for a write with these headers.
async fn recorded(acme: &Tenant, headers: &[(&str, &str)]) -> String {
    let mut request = acme.owner.request("POST", "/api/workspaces").json(&json!({ "name": "Nordics" }));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    acme.owner.send(request).await.expect(201);
    let events = acme.owner.get("/api/audit-events?limit=1").await.expect(200);
    events.body["data"][0]["address"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_audit_log_has_the_address_that_a_trusted_proxy_names() {
    let app = App::behind(behind(&["127.0.0.0/8", "10.0.0.0/8"])).await;
    let acme = app.tenant("Acme").await;
    for (headers, address) in [
        (&[][..], "127.0.0.1"),
        (&[("X-Forwarded-For", "203.0.113.9, 10.0.0.1")], "203.0.113.9"),
        (&[("X-Forwarded-For", "198.51.100.1, 203.0.113.9:4711")], "203.0.113.9"),
        (&[("Forwarded", "for=\"[2001:db8::9]:4711\";proto=https, for=10.0.0.1")], "2001:db8::9"),
        (&[("X-Forwarded-For", "198.51.100.1"), ("X-Forwarded-For", "203.0.113.9")], "203.0.113.9"),
        (&[("X-Forwarded-For", "198.51.100.1, unknown")], "127.0.0.1"),
        (&[("X-Forwarded-For", "203.0.113.9"), ("Forwarded", "for=198.51.100.1")], "127.0.0.1"),
        (&[("X-Real-IP", "203.0.113.9")], "127.0.0.1"),
    ] {
        assert_eq!(recorded(&acme, headers).await, address, "{headers:?}");
    }
}

#[tokio::test]
async fn nobody_else_is_believed() {
    for front in [Front::default(), behind(&["10.0.0.0/8"])] {
        let app = App::behind(front).await;
        let acme = app.tenant("Acme").await;
        for header in [("X-Forwarded-For", "203.0.113.9"), ("Forwarded", "for=203.0.113.9")] {
            assert_eq!(recorded(&acme, &[header]).await, "127.0.0.1");
        }
    }
}

#[tokio::test]
async fn each_client_behind_a_proxy_has_a_limit_of_its_own() {
    let one = Requests::try_from(1).unwrap();
    let address = Some(RequestRate { per_second: one, burst: Requests::try_from(3).unwrap() });
    let app = App::behind_limiting(behind(&["127.0.0.1"]), Rates { address, ..Rates::default() }).await;
    let client = app.client();
    let ask = async |client: &Client, list: &str| {
        client.send(client.request("GET", "/api/me").header("X-Forwarded-For", list)).await.status
    };
    let mut refused = 0;
    for _ in 0..20 {
        // Whatever the client itself has written before.
        refused += u32::from(ask(&client, "198.51.100.1, 203.0.113.9").await == 429);
    }
    assert!(refused > 0, "an address that sends too many requests is refused");
    assert_eq!(ask(&client, "198.51.100.1").await, 401, "another has room");
}
