//! Figures for Prometheus. docs/operations.md describes each of them.

mod process;
mod webhooks;
mod work;

use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use chrono::{DateTime, Utc};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use tenantry_auth::{CredentialKind, jwt::IssuerState};
use tenantry_domain::Provider;
use tenantry_operations::{LaneState, PoolState, Queue, Seen, StandbyState, providers::Ended, webhooks::FiguresNow};

use self::{
    process::Process,
    webhooks::Webhooks,
    work::{Work, count, store},
};
use crate::rate::Policy;

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RouteLabels {
    method: String,
    route: String,
}

/// The service's figures: requests by route template and status, their latency, and the database pool.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    latency: Family<RouteLabels, Histogram>,
    connections: Family<PoolLabels, Gauge>,
    waiting: Gauge,
    refused: Family<RefusedLabels, Counter>,
    lane: Lane,
    read_database: ReadDatabase,
    limited: Family<LimitedLabels, Counter>,
    introspections: Family<IntrospectionLabels, Counter>,
    lost_lines: Counter,
    lost_log_lines: fn() -> u64,
    database: Gauge,
    refused_credentials: Family<KindLabels, Counter>,
    work: Work,
    process: Process,
    webhooks: Webhooks,
}

/// What is known elsewhere, at the time of a scrape.
pub(crate) struct Figures {
    pub(crate) pool: PoolState,
    pub(crate) issuers: Vec<IssuerState>,
    pub(crate) providers: Vec<(Provider, Ended, u64)>,
    pub(crate) seen: Seen,
    pub(crate) webhooks: FiguresNow,
    pub(crate) now: DateTime<Utc>,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct VersionLabels {
    version: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct PoolLabels {
    state: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RefusedLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct IntrospectionLabels {
    result: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LimitedLabels {
    policy: &'static str,
}

/// The look-up lane.
#[derive(Default)]
struct Lane {
    waiting: Gauge,
    look_ups: Counter,
    batches: Counter,
    refused: Counter,
}

impl Lane {
    fn set(&self, state: LaneState) {
        let LaneState { waiting, look_ups, batches, refused } = state;
        self.waiting.set(count(waiting));
        for (counter, count) in [(&self.look_ups, look_ups), (&self.batches, batches), (&self.refused, refused)] {
            store(counter, count);
        }
    }
}

/// The second database.
#[derive(Default)]
struct ReadDatabase {
    reads: Family<ReadLabels, Counter>,
    is_out: Gauge,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReadLabels {
    from: &'static str,
}

impl ReadDatabase {
    fn set(&self, state: StandbyState) {
        let StandbyState { reads, passed, is_out } = state;
        for (from, count) in [("standby", reads), ("primary", passed)] {
            store(&self.reads.get_or_create(&ReadLabels { from }), count);
        }
        self.is_out.set(i64::from(is_out));
    }
}

/// The label of methods that are not HTTP's own.
const OTHER: &str = "other";

/// What may come of a question about a credential.
pub(crate) const RESULTS: [&str; 3] = ["active", "inactive", "suspended"];

/// The kinds of credentials that are refused.
const KINDS: [&str; 5] = ["none", "api_key", "access_token", "platform_key", "service_key"];

const BUCKETS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

impl Metrics {
    pub(crate) fn new(lost_log_lines: fn() -> u64) -> Self {
        let requests = Family::default();
        let latency = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        let (connections, database, refused_credentials) = (Family::default(), Gauge::default(), Family::default());
        let build = Family::<VersionLabels, Gauge>::default();
        build.get_or_create(&VersionLabels { version: env!("CARGO_PKG_VERSION") }).set(1);
        let (waiting, refused, limited) = (Gauge::default(), Family::default(), Family::default());
        let introspections = Family::default();
        let mut registry = Registry::default();
        let (lane, read_database, lost_lines) = (Lane::default(), ReadDatabase::default(), Counter::default());
        registry.register("tenantry_build_info", "The version; the value is always 1", build);
        registry.register(
            "tenantry_log_lines_lost",
            "Lines of the log that were lost, because they were not read in time",
            lost_lines.clone(),
        );
        registry.register(
            "tenantry_credentials_refused",
            "Requests answered 401, by the kind of credential that they presented",
            refused_credentials.clone(),
        );
        for result in RESULTS {
            drop(introspections.get_or_create(&IntrospectionLabels { result }));
        }
        for kind in KINDS {
            drop(refused_credentials.get_or_create(&KindLabels { kind }));
        }
        registry.register("tenantry_database_up", "Whether there is a database: 1 or 0", database.clone());
        registry.register("tenantry_http_requests", "Requests answered", requests.clone());
        registry.register("tenantry_http_request_duration_seconds", "Time to the answer's first byte", latency.clone());
        registry.register(
            "tenantry_database_connections",
            "Database connections: allowed, open, busy, and abandoned because nothing was answered on them",
            connections.clone(),
        );
        registry.register("tenantry_database_waiting", "Requests that wait for a database connection", waiting.clone());
        registry.register(
            "tenantry_database_refused",
            "Requests refused for want of a database connection: full, at once; late, after the wait",
            refused.clone(),
        );
        registry.register("tenantry_lane_waiting", "Look-ups that wait in the look-up lane", lane.waiting.clone());
        registry.register("tenantry_lane_look_ups", "Look-ups read in the look-up lane", lane.look_ups.clone());
        registry.register("tenantry_lane_batches", "Statements that read them", lane.batches.clone());
        registry.register(
            "tenantry_lane_refused",
            "Look-ups refused at once, because too many waited in the look-up lane",
            lane.refused.clone(),
        );
        registry.register(
            "tenantry_read_database_reads",
            "Lists that were to come from the read database, and where they came from",
            read_database.reads.clone(),
        );
        registry.register(
            "tenantry_read_database_out",
            "1 while the read database is left alone, because it was too far behind or did not answer",
            read_database.is_out.clone(),
        );
        registry.register("tenantry_rate_limited", "Requests refused with 429", limited.clone());
        for policy in Policy::ALL {
            drop(limited.get_or_create(&LimitedLabels { policy: policy.as_str() }));
        }
        registry.register(
            "tenantry_introspections",
            "Credentials that services asked about: active, inactive, or suspended with their tenant",
            introspections.clone(),
        );
        let work = Work::register(&mut registry);
        let process = Process::register(&mut registry);
        let webhooks = Webhooks::register(&mut registry);
        Self {
            registry,
            requests,
            latency,
            connections,
            waiting,
            refused,
            lane,
            read_database,
            limited,
            introspections,
            lost_lines,
            lost_log_lines,
            database,
            refused_credentials,
            work,
            process,
            webhooks,
        }
    }

    /// Counts an answer to what was no request.
    pub(crate) fn no_request(&self, status: StatusCode) {
        let labels = Labels { method: OTHER.to_owned(), route: "(none)".to_owned(), status: status.as_u16() };
        self.requests.get_or_create(&labels).inc();
    }

    /// Counts an answer. Methods that are not HTTP's own are one label, so that callers cannot make labels up.
    pub(crate) fn answered(&self, method: &Method, route: String, status: StatusCode, elapsed: Duration) {
        let known =
            [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
        let method = known.iter().find(|known| *known == method).map_or(OTHER, |known| known.as_str()).to_owned();
        self.requests
            .get_or_create(&Labels { method: method.clone(), route: route.clone(), status: status.as_u16() })
            .inc();
        self.latency.get_or_create(&RouteLabels { method, route }).observe(elapsed.as_secs_f64());
    }

    /// Counts a request whose credential was refused; `None` if it had none.
    pub(crate) fn refused(&self, credential: Option<CredentialKind>) {
        let [none, api_key, access_token, platform_key, service_key] = KINDS;
        let kind = match credential {
            None => none,
            Some(CredentialKind::ApiKey) => api_key,
            Some(CredentialKind::AccessToken) => access_token,
            Some(CredentialKind::PlatformKey) => platform_key,
            Some(CredentialKind::ServiceKey) => service_key,
        };
        self.refused_credentials.get_or_create(&KindLabels { kind }).inc();
    }

    /// Counts a request that came too early.
    pub(crate) fn limited(&self, policy: Policy) {
        self.limited.get_or_create(&LimitedLabels { policy: policy.as_str() }).inc();
    }

    /// Counts a credential that a service asked about, by what came of it.
    pub(crate) fn introspected(&self, result: &'static str) {
        self.introspections.get_or_create(&IntrospectionLabels { result }).inc();
    }

    /// All figures in the OpenMetrics text format.
    pub(crate) fn print(&self, figures: Figures) -> Result<String, std::fmt::Error> {
        let Figures { pool, issuers, providers, seen, webhooks, now } = figures;
        self.webhooks.set(webhooks);
        self.database.set(pool.answers.into());
        for (state, value) in
            [("allowed", pool.connections), ("open", pool.open), ("busy", pool.busy), ("abandoned", pool.abandoned)]
        {
            self.connections.get_or_create(&PoolLabels { state }).set(value.into());
        }
        let Queue { waiting, refused_full, refused_late } = pool.queue;
        self.waiting.set(count(waiting));
        for (reason, count) in [("full", refused_full), ("late", refused_late)] {
            store(&self.refused.get_or_create(&RefusedLabels { reason }), count);
        }
        self.lane.set(pool.lane);
        self.read_database.set(pool.standby);
        store(&self.lost_lines, (self.lost_log_lines)());
        self.work.saw(seen, now);
        self.work.asked(providers, issuers);
        self.process.look();
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Figures in the text format 0.0.4 of Prometheus, from OpenMetrics: there a counter is called in full where its type is told, and
/// nothing marks the end.
pub(crate) fn as_text_0_0_4(openmetrics: &str) -> String {
    let counters: Vec<_> =
        openmetrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    let mut text = String::with_capacity(openmetrics.len());
    for line in openmetrics.lines().filter(|line| *line != "# EOF" && !line.starts_with("# UNIT ")) {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(what), Some(name), Some(rest)) if counters.contains(&name) => {
                text.push_str(&format!("# {what} {name}_total {rest}"));
            }
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_format_calls_a_counter_in_full_and_has_no_end() {
        let openmetrics = "# HELP a_requests Requests answered.\n# TYPE a_requests counter\na_requests_total{x=\"y z\"} 1\n\
                           # HELP a_seconds Time.\n# TYPE a_seconds histogram\n# UNIT a_seconds seconds\n\
                           a_seconds_sum 0.5\n# EOF\n";
        let text = "# HELP a_requests_total Requests answered.\n# TYPE a_requests_total counter\na_requests_total{x=\"y z\"} 1\n\
                    # HELP a_seconds Time.\n# TYPE a_seconds histogram\na_seconds_sum 0.5\n";
        assert_eq!(as_text_0_0_4(openmetrics), text);
    }
}
