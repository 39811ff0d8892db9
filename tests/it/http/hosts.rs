//! The `Host` header, byte by byte.

use tenantry_tests::{App, exchange};

#[tokio::test]
async fn a_host_that_is_none_is_refused_on_every_path() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let key = acme.owner.key();
    let ask = async |method: &str, path: &str, host: &str| {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n\r\n");
        exchange(&app.base, request.as_bytes()).await
    };
    for path in ["/healthz", "/readyz", "/metrics", "/docs", "/openapi.json", "/api/tenant", "/api/workspace/get-all"] {
        for host in ["x", "", "tenantry.example:8080", "127.0.0.1", "[::1]:80"] {
            assert_eq!(ask("GET", path, host).await.status, 200, "{path} {host}");
        }
        for host in ["u@x", "a b", "[::1", "x:y", "x/y", "a%zz", "é"] {
            for method in ["GET", "OPTIONS", "DELETE"] {
                assert_eq!(ask(method, path, host).await.status, 400, "{method} {path} {host}");
            }
        }
    }
    for path in ["/", "/nothing", "/api/workspaces/x/y/z"] {
        assert_eq!(ask("GET", path, "u@x").await.json()["code"], "bad_host", "{path}");
        assert_eq!(ask("GET", path, "x").await.status, 404, "{path}");
    }
}
