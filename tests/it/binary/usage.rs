//! Wrong usage, completions and manual pages: what needs neither settings nor a database.

use std::fs;

use serde_json::{Value, json};

use super::kit::Tenantry;

#[test]
fn wrong_usage_is_json_for_a_script() {
    let tenantry = Tenantry::embedded();
    for (line, said) in [
        ("migrate stats --output json", "unrecognized subcommand 'stats'; a similar subcommand exists: 'status'"),
        ("--output=json tenant list --stat x", "unexpected argument '--stat' found"),
        (
            "--output json key revoke --yes",
            "the following required arguments were not provided: --tenant <TENANT> <KEY>",
        ),
        ("--output json", "a command is missing"),
        ("--output json tenant", "a command is missing"),
        ("migrate revert --count many --output json", "invalid value 'many' for '--count <COUNT>'"),
    ] {
        let refused = tenantry.run(&line.split(' ').collect::<Vec<_>>()).expect(2);
        let error: Value =
            serde_json::from_str(&refused.err).unwrap_or_else(|error| panic!("{error}: {}", refused.err));
        let members: Vec<_> = error.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!((members, &error["exitCode"]), (vec!["error", "exitCode", "fields"], &json!(2)));
        assert!(error["error"].as_str().unwrap().starts_with(said), "{error}");
        assert!(refused.out.is_empty() && refused.err.lines().count() == 1, "{}", refused.err);
    }
    let missing = tenantry.run(&["tenant", "create", "--output", "json"]).expect(2);
    let error: Value = serde_json::from_str(&missing.err).unwrap();
    let required = |field| json!({ "field": field, "code": "required", "message": "is required" });
    assert_eq!(error["fields"], json!([required("name"), required("country")]));
    let people = tenantry.run(&["tenant", "crate"]).expect(2);
    assert!(
        people.err.starts_with("error: unrecognized subcommand") && people.err.contains("Usage:"),
        "{}",
        people.err
    );
    assert!(tenantry.run(&["--output", "json", "--help"]).expect(0).out.contains("Usage:"));
}

/// The names of all commands, with those below them, as `tenant create`.
fn commands(tenantry: &Tenantry) -> Vec<Vec<String>> {
    let (mut open, mut all): (Vec<Vec<String>>, Vec<Vec<String>>) = (vec![Vec::new()], Vec::new());
    while let Some(command) = open.pop() {
        let arguments: Vec<_> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let help = tenantry.run(&arguments).expect(0).out;
        let below = help.split_once("Commands:\n").map_or("", |(_, rest)| rest.split("\n\n").next().unwrap());
        let names = below.lines().filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
        open.extend(names.map(|name| [command.clone(), vec![name.to_owned()]].concat()));
        all.push(command);
    }
    all
}

#[test]
fn completions_and_manual_pages_name_every_command() {
    let tenantry = Tenantry::embedded().with("TENANTRY_WORKERS", "none");
    let commands = commands(&tenantry);
    assert!(commands.len() > 40, "{commands:?}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = tenantry.run(&["completions", shell]).expect(0).out;
        for name in commands.iter().flatten() {
            assert!(script.contains(name.as_str()), "{name} in {shell}");
        }
    }
    tenantry.run(&["completions", "csh"]).expect(2);
    let page = tenantry.run(&["man"]).expect(0).out;
    assert!(page.contains(".TH tenantry 1") && page.contains("Exit codes"), "{page}");
    let written = tenantry.json(&["man", "share/man1"]);
    assert_eq!(written["pages"], json!(commands.len()));
    for command in &commands {
        let name = [&["tenantry".to_owned()][..], command].concat().join("-");
        let page =
            fs::read_to_string(tenantry.path(&format!("share/man1/{name}.1"))).unwrap_or_else(|_| panic!("{name}"));
        assert!(page.contains(".SH SYNOPSIS"), "{name}: {page}");
    }
    assert_eq!(fs::read_dir(tenantry.path("share/man1")).unwrap().count(), commands.len());
    assert!(!tenantry.path("data").exists(), "all without a database");
}
