//! The Compose file: settings and commands exist, and no program of ours has a password in its environment.

use std::{fs, process::Command};

use serde_json::Value;

use super::{is_command, path, text, variables, yaml::document};
use crate::binary::kit::Tenantry;

const FILE: &str = "docker-compose.yml";

/// The one container that writes the passwords into files.
const WRITER: &str = "secrets";

/// The services that run our image, by their names.
fn ours() -> Vec<(String, Value)> {
    let services = document(FILE)["services"].as_object().unwrap().clone();
    services.into_iter().filter(|(_, service)| service.get("build").is_some()).collect()
}

/// What a value is that comes from `.env` alone: as in the file of examples.
fn written_out(value: &str) -> String {
    let Some(variable) = value.strip_prefix("${").and_then(|rest| rest.strip_suffix(":-}")) else {
        return value.to_owned();
    };
    let example = text(".env.example");
    let line = example.lines().find_map(|line| line.trim_start_matches('#').strip_prefix(&format!("{variable}=")));
    line.unwrap_or_else(|| panic!("{variable} is in no line of .env.example")).to_owned()
}

#[test]
fn settings_and_commands_exist_and_passwords_are_in_files() {
    let known = variables();
    let ours = ours();
    let names: Vec<_> = ours.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["secrets", "migrate", "backup", "erase", "housekeeping", "master-key", "tenantry"]);
    for (service, what) in ours.iter().filter(|(service, _)| service != WRITER) {
        for (name, value) in what["environment"].as_object().into_iter().flatten() {
            assert!(known.iter().any(|known| known == name), "{service}: {name} is a setting");
            let value = written_out(value.as_str().unwrap_or_default());
            assert!(!value.contains("PASSWORD") && !value.contains("://tenantry"), "{service}: {name} is in a file");
            // The file is in a volume that this container sees.
            let mounts: Vec<_> =
                what["volumes"].as_array().unwrap().iter().map(|volume| volume.as_str().unwrap()).collect();
            if name.ends_with("_FILE") {
                let directory = value.rsplit_once('/').unwrap().0;
                assert!(mounts.iter().any(|mount| mount.split(':').nth(1) == Some(directory)), "{service}: {value}");
            }
        }
        if let Some(command) = what["command"].as_array() {
            let command: Vec<_> =
                command.iter().map(|word| word.as_str().unwrap()).take_while(|word| !word.starts_with('/')).collect();
            assert!(is_command(&command), "{service}: tenantry {}", command.join(" "));
        }
        for (key, wanted) in [("read_only", Value::Bool(true)), ("cap_drop", serde_json::json!(["ALL"]))] {
            assert_eq!(what[key], wanted, "{service}");
        }
    }
    // Only the service is given its URL, and only operations are given the owner's.
    let sees = |volume: &str| -> Vec<&str> {
        let mounted = |what: &Value| what["volumes"].to_string().contains(&format!("\"{volume}:"));
        ours.iter().filter(|(_, what)| mounted(what)).map(|(name, _)| name.as_str()).collect()
    };
    assert_eq!(sees("service-secrets"), ["secrets", "housekeeping", "tenantry"]);
    assert_eq!(sees("owner-secrets"), ["secrets", "migrate", "erase", "housekeeping"]);
    assert_eq!(sees("backup-secrets"), ["secrets", "backup"]);
    let stop = ours.iter().find(|(name, _)| name == "tenantry").unwrap().1["stop_grace_period"].clone();
    assert!(stop.as_str().unwrap().trim_end_matches('s').parse::<u64>().unwrap() > 35, "delay and grace");
}

#[test]
fn the_files_with_the_passwords_are_as_the_program_wants_them() {
    let directory = tempfile::tempdir().unwrap();
    for role in ["service", "owner", "backup"] {
        fs::create_dir(directory.path().join(role)).unwrap();
    }
    let write = || {
        let mut command = Command::new("sh");
        command.arg(path("docker/write-secrets.sh")).env("SECRETS", directory.path());
        for role in ["OWNER", "SERVICE", "BACKUP"] {
            command.env(format!("TENANTRY_{role}_PASSWORD"), format!("canary{role}"));
        }
        assert!(command.status().unwrap().success());
    };
    write();
    // Each start writes them again.
    write();
    let mut tenantry = Tenantry::embedded();
    for (role, name) in
        [("service", "DATABASE_URL"), ("owner", "OWNER_DATABASE_URL"), ("backup", "BACKUP_DATABASE_URL")]
    {
        let file = directory.path().join(role).join("database-url");
        let files = if role == "service" { 2 } else { 1 };
        assert_eq!(fs::read_dir(directory.path().join(role)).unwrap().count(), files, "{role}");
        let url = format!("postgres://tenantry_{role}:canary{}@postgres:5432/tenantry\n", role.to_uppercase());
        assert_eq!(fs::read_to_string(&file).unwrap(), url);
        tenantry = tenantry.with(&format!("TENANTRY_{name}_FILE"), &file.display().to_string());
    }
    let replica = directory.path().join("service/read-database-url");
    let url = "postgres://tenantry_service:canarySERVICE@replica:5432/tenantry\n";
    assert_eq!(fs::read_to_string(&replica).unwrap(), url);
    tenantry = tenantry.with("TENANTRY_READ_DATABASE_URL_FILE", &replica.display().to_string());
    let ran = tenantry.run(&["config"]).expect(0);
    assert!(!ran.out.contains("canary") && !ran.err.contains("warn"), "{}{}", ran.out, ran.err);
}

#[test]
fn the_file_of_examples_has_every_variable_that_compose_reads() {
    let (compose, example) = (text(FILE), text(".env.example"));
    for variable in compose.split("${").skip(1).map(|rest| rest.split(':').next().unwrap()) {
        let is_there = |line: &str| line.trim_start_matches('#').starts_with(&format!("{variable}="));
        assert!(
            variable.ends_with("_DIGEST}") || variable.ends_with("_DIGEST") || example.lines().any(is_there),
            "{variable}"
        );
    }
}
