//! The manifests for Kubernetes: what they say of the program is so, and no pod may do more than it must.

use std::{collections::BTreeMap, fs, time::Duration};

use serde_json::Value;

use super::{
    is_command, path, text, variables,
    yaml::{document, documents, having, strings},
};
use crate::binary::kit::Tenantry;

const ROOT: &str = "deploy/kustomize";

/// Every file of manifests, by its name in the repository.
fn files() -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![ROOT.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(path(&directory)).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{directory}/{}", entry.file_name().to_str().unwrap());
            match entry.path().is_dir() {
                true => open.push(name),
                false => found.push(name),
            }
        }
    }
    found.sort();
    found
}

/// Every object, with its file. Those of kustomize itself are none.
fn objects() -> Vec<(String, Value)> {
    let manifests = files().into_iter().filter(|name| name.ends_with(".yaml") && !name.ends_with("kustomization.yaml"));
    manifests.flat_map(|name| documents(&name).into_iter().map(move |object| (name.clone(), object))).collect()
}

/// The settings in `settings.env`.
fn settings() -> BTreeMap<String, String> {
    let text = text(&format!("{ROOT}/base/settings.env"));
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once('=').unwrap()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn seconds(text: &str) -> u64 {
    text.strip_suffix('s').unwrap().parse().unwrap()
}

#[test]
fn every_file_is_named_by_a_kustomization_and_the_base_has_what_a_service_needs() {
    let mut kinds: Vec<_> = objects().iter().map(|(_, object)| object["kind"].as_str().unwrap().to_owned()).collect();
    kinds.sort();
    let wanted = "CronJob CronJob Deployment HorizontalPodAutoscaler Job NetworkPolicy PodDisruptionBudget Service ServiceAccount";
    assert_eq!(kinds, wanted.split(' ').collect::<Vec<_>>());
    for name in files().iter().filter(|name| name.ends_with("kustomization.yaml")) {
        let (directory, kustomization) = (name.trim_end_matches("/kustomization.yaml"), document(name));
        let mut named: Vec<_> = having(&kustomization, "resources").into_iter().flat_map(strings).collect();
        named.extend(having(&kustomization, "envs").into_iter().flat_map(strings));
        named.extend(having(&kustomization, "components").into_iter().flat_map(strings));
        for resource in &named {
            assert!(path(&format!("{directory}/{resource}")).exists(), "{name}: {resource}");
        }
        for entry in fs::read_dir(path(directory)).unwrap().map(|entry| entry.unwrap()) {
            let file = entry.file_name().into_string().unwrap();
            let is_named = entry.path().is_dir() || file == "kustomization.yaml" || named.contains(&file.as_str());
            assert!(is_named, "{name} does not name {file}");
        }
        for image in having(&kustomization, "images").into_iter().flat_map(|images| images.as_array().unwrap()) {
            assert_eq!(image["newTag"], env!("CARGO_PKG_VERSION"), "{name}");
        }
    }
}

#[test]
fn probes_and_ports_are_those_of_the_service() {
    let deployment = document(&format!("{ROOT}/base/deployment.yaml"));
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let ports: BTreeMap<&str, i64> = container["ports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|port| (port["name"].as_str().unwrap(), port["containerPort"].as_i64().unwrap()))
        .collect();
    let settings = settings();
    let port = |name: &str| settings[name].rsplit_once(':').unwrap().1.parse::<i64>().unwrap();
    assert_eq!((ports["http"], ports["admin"]), (port("TENANTRY_BIND"), port("TENANTRY_ADMIN_BIND")));
    let document_of_the_api = serde_json::to_value(tenantry_http::document()).unwrap();
    for (probe, wanted) in [("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")]
    {
        let asked = &container[probe]["httpGet"];
        assert_eq!(asked["path"], wanted, "a service whose database is away must not be killed");
        assert!(document_of_the_api["paths"][wanted]["get"].is_object(), "{wanted} is a route");
        assert_eq!(ports[asked["port"].as_str().unwrap()], ports["admin"], "{probe}");
    }
    let annotations = &deployment["spec"]["template"]["metadata"]["annotations"];
    assert_eq!(annotations["prometheus.io/port"], ports["admin"].to_string());
    assert!(document_of_the_api["paths"][annotations["prometheus.io/path"].as_str().unwrap()].is_object());
    let service = document(&format!("{ROOT}/base/service.yaml"));
    assert!(ports.contains_key(service["spec"]["ports"][0]["targetPort"].as_str().unwrap()));
    let policy = document(&format!("{ROOT}/base/network-policy.yaml"));
    let open: Vec<_> = having(&policy["spec"]["ingress"], "port").iter().map(|port| port.as_i64().unwrap()).collect();
    assert_eq!(open, [ports["http"], ports["admin"]]);
    // The selectors find the pods, and only those that serve.
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    for (name, selector) in [
        ("deployment", &deployment["spec"]["selector"]["matchLabels"]),
        ("service", &service["spec"]["selector"]),
        ("budget", &document(&format!("{ROOT}/base/disruption-budget.yaml"))["spec"]["selector"]["matchLabels"]),
    ] {
        assert_eq!(selector, labels, "{name}");
    }
}

#[test]
fn settings_exist_and_are_valid_and_no_secret_is_in_the_environment() {
    let (known, settings) = (variables(), settings());
    for name in settings.keys() {
        assert!(known.contains(name), "settings.env: {name} is a setting");
    }
    let valid =
        settings.iter().fold(Tenantry::at("postgres://tenantry_service@db/tenantry"), |tenantry, (name, value)| {
            tenantry.with(name, value)
        });
    valid.run(&["config"]).expect(0);
    for (file, object) in objects() {
        for variable in having(&object, "env").into_iter().flat_map(|env| env.as_array().unwrap()) {
            let (name, value) = (variable["name"].as_str().unwrap(), variable["value"].as_str().unwrap_or_default());
            assert!(known.iter().any(|known| known == name), "{file}: {name} is a setting");
            assert!(name.ends_with("_FILE") && value.starts_with("/run/secrets/"), "{file}: {name} is in a file");
            // The file is in one of the secrets that are mounted.
            let mounts = having(&object, "mountPath");
            assert!(mounts.iter().any(|mount| value.starts_with(mount.as_str().unwrap())), "{file}: {value}");
        }
        for command in having(&object, "args") {
            let command = strings(command);
            assert!(is_command(&command), "{file}: tenantry {}", command.join(" "));
        }
    }
    assert!(!is_command(&["migrate", "ruin"]), "the control");
}

#[test]
fn a_pod_has_as_long_as_the_service_needs_to_stop() {
    let settings = settings();
    let needed = seconds(&settings["TENANTRY_SHUTDOWN_DELAY"]) + seconds(&settings["TENANTRY_SHUTDOWN_GRACE"]);
    let deployment = document(&format!("{ROOT}/base/deployment.yaml"));
    let given = &deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"];
    assert!(Duration::from_secs(given.as_u64().unwrap()) > Duration::from_secs(needed));
    // While it stops, others serve.
    assert_eq!(deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"], 0);
    assert!(deployment["spec"]["replicas"].as_u64().unwrap() >= 2);
}

#[test]
fn no_pod_may_do_more_than_it_must() {
    let user = text("Dockerfile").lines().find_map(|line| line.strip_prefix("USER ")).unwrap().to_owned();
    let mut pods = 0;
    for (file, object) in objects() {
        for pod in having(&object, "spec").into_iter().filter(|spec| spec.get("containers").is_some()) {
            pods += 1;
            let of_pod = &pod["securityContext"];
            assert_eq!(pod["automountServiceAccountToken"], false, "{file}");
            assert_eq!(
                (&of_pod["runAsNonRoot"], &of_pod["seccompProfile"]["type"]),
                (&true.into(), &"RuntimeDefault".into())
            );
            assert_eq!(format!("{}:{}", of_pod["runAsUser"], of_pod["runAsGroup"]), user, "{file}");
            for container in pod["containers"].as_array().unwrap() {
                let own = &container["securityContext"];
                assert_eq!(
                    (&own["allowPrivilegeEscalation"], &own["readOnlyRootFilesystem"]),
                    (&false.into(), &true.into())
                );
                assert_eq!(own["capabilities"]["drop"], serde_json::json!(["ALL"]), "{file}");
                for least in ["/resources/requests/cpu", "/resources/requests/memory", "/resources/limits/memory"] {
                    assert!(container.pointer(least).is_some(), "{file}: {least}");
                }
            }
        }
    }
    assert_eq!(pods, 4);
}
