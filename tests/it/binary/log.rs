//! The log of a service that answers.

use futures_util::future::join_all;
use tenantry_tests::TestDatabase;

use super::kit::Tenantry;

/// Prints what it reads until the service serves, and then reads no more for as long as there is a service.
const UNREAD: &str = r#"mkfifo unread
{ sed -u '/"serving"/q' <&3 >&2; while kill -0 $$ 2>/dev/null; do sleep 1; done; } 3<unread &
exec "$@" 2>unread"#;

#[tokio::test]
async fn while_nobody_reads_the_log_requests_are_answered_and_lost_lines_are_counted() {
    let database = TestDatabase::new();
    let service = Tenantry::on(&database).with("TENANTRY_ADDRESS_RATE", "0").serve_in_a_shell(UNREAD);
    let client = service.client();
    let lost = async || {
        let metrics = client.get("/metrics").await.expect(200).text;
        let lost = metrics.lines().find_map(|line| line.strip_prefix("tenantry_log_lines_lost_total "));
        lost.unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(lost().await, 0);
    // More than a pipe holds and than may wait.
    for _ in 0..1_000 {
        for answer in join_all((0..64).map(|_| client.get("/api/me"))).await {
            answer.expect(401);
        }
        if lost().await > 0 {
            return;
        }
    }
    panic!("64,000 lines are not lost, and nobody reads them");
}
