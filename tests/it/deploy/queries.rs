//! The queries of dashboard and alerts ask only for what the service serves.

use std::collections::BTreeSet;

use promql_parser::{
    parser::{Expr, VectorSelector},
    util::{ExprVisitor, walk_expr},
};
use serde_json::Value;

use super::{
    is_section,
    metrics::{Served, served},
    yaml::{document, having},
};

/// What Prometheus itself adds to every sample.
const ADDED: [&str; 2] = ["job", "instance"];

/// What is asked for in one query: metrics with their labels, and the labels that results are grouped by.
#[derive(Default)]
struct Asked {
    metrics: Vec<(String, BTreeSet<String>)>,
    grouped: BTreeSet<String>,
}

impl Asked {
    fn of(query: &str) -> Self {
        // Variables of Grafana, which stand for a time, for a text, or for a name.
        let query = query.replace("$__rate_interval", "5m").replace("$job", "tenantry").replace("$instance", ".*");
        let tree = promql_parser::parser::parse(&query).unwrap_or_else(|error| panic!("{query}: {error}"));
        let mut asked = Self::default();
        walk_expr(&mut asked, &tree).unwrap();
        asked
    }

    fn selector(&mut self, selector: &VectorSelector) {
        let name = selector.name.clone().expect("a metric has a name");
        let labels = selector.matchers.matchers.iter().map(|matcher| matcher.name.clone()).collect();
        self.metrics.push((name, labels));
    }

    /// What the service does not serve.
    fn unknown(&self, served: &Served) -> Vec<String> {
        let mut unknown = Vec::new();
        let mut known: BTreeSet<&str> = ADDED.into_iter().chain(["le"]).collect();
        for (name, labels) in &self.metrics {
            match served.get(name) {
                None => unknown.push(name.clone()),
                Some(has) => {
                    known.extend(has.iter().map(String::as_str));
                    let is_unknown = |label: &&String| !has.contains(*label) && !ADDED.contains(&label.as_str());
                    unknown.extend(labels.iter().filter(is_unknown).map(|label| format!("{name}: {label}")));
                }
            }
        }
        unknown.extend(self.grouped.iter().filter(|label| !known.contains(label.as_str())).cloned());
        unknown
    }
}

impl ExprVisitor for Asked {
    type Error = String;

    fn pre_visit(&mut self, tree: &Expr) -> Result<bool, String> {
        match tree {
            Expr::VectorSelector(selector) => self.selector(selector),
            Expr::MatrixSelector(selector) => self.selector(&selector.vs),
            Expr::Aggregate(aggregate) => {
                let labels = aggregate.modifier.iter().flat_map(|modifier| modifier.labels().labels.clone());
                self.grouped.extend(labels);
            }
            _ => {}
        }
        Ok(true)
    }
}

fn rules() -> Vec<Value> {
    let groups = document("deploy/prometheus/alerts.yaml");
    having(&groups, "rules").into_iter().flat_map(|rules| rules.as_array().unwrap().clone()).collect()
}

fn dashboard() -> Value {
    serde_json::from_str(&super::text("deploy/grafana/tenantry.json")).unwrap()
}

fn queries() -> Vec<String> {
    let (rules, dashboard) = (rules(), dashboard());
    let expressions = rules.iter().chain([&dashboard]).flat_map(|value| having(value, "expr"));
    expressions.map(|expression| expression.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_query_asks_for_metrics_and_labels_that_the_service_serves_and_none_is_forgotten() {
    let served = served().await;
    for (query, wrong) in [
        ("rate(tenantry_http_request_total[5m])", "tenantry_http_request_total"),
        ("sum by (rout) (tenantry_http_requests_total)", "rout"),
        ("tenantry_database_connections{sate=\"busy\"} > 1", "tenantry_database_connections: sate"),
        ("histogram_quantile(0.9, sum by (le) (rate(tenantry_latency_bucket[5m])))", "tenantry_latency_bucket"),
    ] {
        assert_eq!(Asked::of(query).unknown(&served), [wrong], "the control");
    }
    let queries = queries();
    assert!(queries.len() > 50, "{}", queries.len());
    let asked: Vec<_> = queries.iter().map(|query| Asked::of(query)).collect();
    let unknown: Vec<_> = asked
        .iter()
        .zip(&queries)
        .flat_map(|(asked, query)| asked.unknown(&served).into_iter().map(move |one| (one, query)))
        .collect();
    assert_eq!(unknown, []);
    let used: BTreeSet<&str> = asked.iter().flat_map(|asked| &asked.metrics).map(|(name, _)| name.as_str()).collect();
    let unused: Vec<_> = served.keys().filter(|name| !used.contains(name.as_str())).collect();
    assert_eq!(unused, Vec::<&String>::new(), "in no panel and in no alert");
}

#[test]
fn every_alert_says_what_to_do_and_where_it_is_described() {
    let rules = rules();
    let mut names = BTreeSet::new();
    for rule in &rules {
        let text = |member: &str| {
            rule.pointer(member).and_then(Value::as_str).unwrap_or_else(|| panic!("{member} of {}", rule["alert"]))
        };
        assert!(names.insert(text("/alert")), "{} is there twice", rule["alert"]);
        assert!(["critical", "warning", "info"].contains(&text("/labels/severity")), "{rule}");
        assert!(text("/annotations/summary").len() > 10 && text("/annotations/description").len() > 40, "{rule}");
        assert!(is_section(text("/annotations/runbook")), "{}: {}", rule["alert"], text("/annotations/runbook"));
        // What a template names is a label of the result: one that it is grouped by, or that Prometheus adds.
        for template in rule.to_string().split("$labels.").skip(1) {
            let label: String = template.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let asked = Asked::of(text("/expr"));
            let is_kept = asked.grouped.is_empty() || asked.grouped.contains(&label);
            assert!(is_kept, "{} has no label {label}", rule["alert"]);
        }
    }
    assert!(!is_section("docs/operations.md#no-such-section") && !is_section("docs/no-such-page.md"), "the control");
    let page = super::text("docs/operations.md");
    assert!(names.iter().all(|name| page.contains(&format!("`{name}`"))), "docs/operations.md lists every alert");
}

#[test]
fn the_panels_of_the_dashboard_have_ids_of_their_own_and_do_not_overlap() {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_i64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
    let mut taken = BTreeSet::new();
    for panel in panels {
        let at = |member: &str| panel["gridPos"][member].as_i64().unwrap();
        assert!(at("x") + at("w") <= 24, "{}", panel["title"]);
        for cell in (at("x")..at("x") + at("w")).flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y))) {
            assert!(taken.insert(cell), "{} lies over another panel", panel["title"]);
        }
    }
}
