//! The address for operators.

use nix::sys::signal::Signal;
use tenantry_tests::{Client, RawConnection, TestDatabase};

use crate::binary::kit::Tenantry;

#[tokio::test(flavor = "multi_thread")]
async fn with_an_address_of_their_own_figures_are_nowhere_else_and_the_probes_are_at_both() {
    let database = TestDatabase::new();
    let service = Tenantry::on(&database).with("TENANTRY_ADMIN_BIND", "127.0.0.1:0").serve();
    let operators = Client::new(&format!("http://{}", service.serving["admin"].as_str().unwrap()));
    let callers = service.client();
    for probe in ["/healthz", "/readyz"] {
        operators.get(probe).await.expect(200);
        callers.get(probe).await.expect(200);
    }
    assert!(operators.get("/metrics").await.expect(200).text.contains("tenantry_http_requests"));
    for method in ["GET", "HEAD", "OPTIONS", "POST"] {
        assert_eq!(callers.send(callers.request(method, "/metrics")).await.status, 404, "{method}");
    }
    for path in ["/", "/api/me", "/docs", "/openapi.json", "/api/admin/tenants"] {
        operators.get(path).await.expect(404);
    }
    service.stop(Signal::SIGTERM);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_one_figures_are_where_they_were() {
    let database = TestDatabase::new();
    let service = Tenantry::on(&database).serve();
    service.client().get("/metrics").await.expect(200);
    service.stop(Signal::SIGTERM);
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_are_answered_while_all_connections_of_callers_are_taken() {
    let database = TestDatabase::new();
    let tenantry = Tenantry::on(&database).with("TENANTRY_ADMIN_BIND", "127.0.0.1:0");
    let service = tenantry.serve_in_a_shell("ulimit -n 128; exec \"$@\"");
    let operators = Client::new(&format!("http://{}", service.serving["admin"].as_str().unwrap()));
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(RawConnection::open(&service.base).await);
    }
    for _ in 0..20 {
        operators.get("/readyz").await.expect(200);
        operators.get("/metrics").await.expect(200);
    }
    service.stop(Signal::SIGTERM);
}
