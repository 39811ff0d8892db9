//! What the manifests say of the toolchain and of dependencies is so.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The packages of the workspace, as cargo reads their manifests.
fn packages() -> Vec<Value> {
    let metadata = ["metadata", "--no-deps", "--format-version=1", "--offline", "--locked"];
    let metadata = Command::new(env!("CARGO")).args(metadata).current_dir(root()).output().unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// Every Rust source below this directory, in one piece and without its comments.
fn sources(directory: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            text += &sources(&entry);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&entry).unwrap();
            text.extend(
                source.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| [line, "\n"]),
            );
        }
    }
    text
}

/// The sources of the targets of this package that a dependency of this kind is for.
fn sources_of(package: &Value, kind: &Value) -> String {
    let targets = package["targets"].as_array().unwrap().iter();
    let of_kind = targets.filter(|target| kind == "dev" || target["kind"] != serde_json::json!(["test"]));
    of_kind.map(|target| sources(Path::new(target["src_path"].as_str().unwrap()).parent().unwrap())).collect()
}

/// Whether the sources name this crate: as the beginning of a path or of an attribute.
fn name(sources: &str, crate_name: &str) -> bool {
    sources.match_indices(crate_name).any(|(at, _)| {
        let before = sources[..at].chars().next_back().unwrap_or(' ');
        let after = &sources[at + crate_name.len()..];
        !before.is_alphanumeric()
            && !"_.\"".contains(before)
            && (after.starts_with("::") || after.starts_with([';', ' ']))
    })
}

/// Sources in this directory, and below it, that are compiled into nothing, because the module above does not name them.
fn outside_the_crate(directory: &Path, root: &Path) -> Vec<String> {
    let module = fs::read_to_string(root).unwrap();
    let mut outside = Vec::new();
    for source in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        let name = source.file_stem().unwrap().to_str().unwrap();
        if source == root || source.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        if !module.contains(&format!("mod {name};")) {
            outside.push(source.display().to_string());
        }
        let below = source.with_extension("");
        if below.is_dir() {
            outside.extend(outside_the_crate(&below, &source));
        }
    }
    outside
}

/// A forgotten `mod` line is silent: the tests of a noun pass, because none runs.
#[test]
fn every_source_is_a_module_of_its_crate() {
    let packages = packages();
    let targets = packages.iter().flat_map(|package| package["targets"].as_array().unwrap());
    let roots = targets.map(|target| Path::new(target["src_path"].as_str().unwrap()));
    let roots = roots.filter(|root| ["lib.rs", "main.rs"].iter().any(|name| root.ends_with(name)));
    let outside: Vec<_> = roots.flat_map(|root| outside_the_crate(root.parent().unwrap(), root)).collect();
    assert_eq!(outside, Vec::<String>::new());
}

#[test]
fn every_dependency_is_used_where_it_is_declared() {
    let mut unused = Vec::new();
    let mut declared = Vec::new();
    for package in packages() {
        let of = package["name"].as_str().unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let called = dependency["name"].as_str().unwrap();
            declared.push(called.to_owned());
            let used = name(&sources_of(&package, &dependency["kind"]), &called.replace('-', "_"));
            if !used {
                unused.push(format!("{of}: {called}"));
            }
        }
    }
    assert_eq!(unused, Vec::<String>::new(), "in no source");
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, shared) = manifest.split_once("[workspace.dependencies]").unwrap();
    let shared = shared.lines().take_while(|line| !line.starts_with('[')).filter_map(|line| line.split_once(" = "));
    let undeclared: Vec<_> =
        shared.map(|(name, _)| name).filter(|name| !declared.iter().any(|used| used == name)).collect();
    assert_eq!(undeclared, Vec::<&str>::new(), "in no package");
}

#[test]
fn one_version_of_rust_is_pinned_everywhere() {
    let value = |file: &str, key: &str| {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_else(|| panic!("{key} in {file}"));
        line.trim_matches(['=', ' ', '"']).to_owned()
    };
    let pinned = value("rust-toolchain.toml", "channel");
    assert_eq!(value("Dockerfile", "ARG RUST_VERSION"), pinned);
    // What is supported is what is tested.
    assert_eq!(format!("{}.0", value("Cargo.toml", "rust-version")), pinned);
}

#[test]
fn every_package_keeps_the_lints_of_the_workspace_and_so_has_no_unsafe_code() {
    for package in packages() {
        let manifest = fs::read_to_string(package["manifest_path"].as_str().unwrap()).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true\n"), "{}", package["name"]);
    }
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("\nunsafe_code = \"forbid\"\n"));
}

/// An exception is somebody's decision of a day, which others look at again.
#[test]
fn every_accepted_advisory_has_a_date_and_a_reason() {
    let deny: toml::Table = fs::read_to_string(root().join("deny.toml")).unwrap().parse().unwrap();
    let accepted = deny["advisories"].get("ignore").and_then(|ignore| ignore.as_array()).cloned().unwrap_or_default();
    for one in accepted {
        let (id, reason) =
            (one.get("id").and_then(|id| id.as_str()), one.get("reason").and_then(|reason| reason.as_str()));
        let dated = reason.and_then(|reason| reason.split(':').next()?.trim().parse::<chrono::NaiveDate>().ok());
        assert!(id.is_some() && dated.is_some(), "write {{ id = \"…\", reason = \"2026-11-28: …\" }} and not {one:?}");
    }
}

/// Every file that git has, or would take.
fn files() -> Vec<std::path::PathBuf> {
    let list = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let list = Command::new("git").args(list).current_dir(root()).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    list.lines().map(|name| root().join(name)).filter(|path| path.is_file()).collect()
}

/// What in this text is a credential that would be accepted somewhere: our own have a checksum, which examples fail on purpose.
fn secrets(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "_+/=:".contains(c)));
    let ours = words.clone().flat_map(|word| word.split('=')).filter(|word| {
        let as_key = tenantry_auth::present(word).is_ok();
        as_key || tenantry_auth::present_invitation(word).is_some()
    });
    let master = words.filter(|word| word.parse::<tenantry_auth::seal::MasterKey>().is_ok());
    let marks = [
        "-----BEGIN PRIVATE KEY",
        "-----BEGIN RSA PRIVATE KEY",
        "-----BEGIN EC PRIVATE KEY",
        "-----BEGIN OPENSSH PRIVATE KEY",
    ];
    let others = marks.into_iter().filter(|mark| text.contains(&format!("{mark}-----\n")));
    ours.chain(master).map(|found| format!("{found:.20}…")).chain(others.map(str::to_owned)).collect()
}

#[test]
fn no_file_of_the_project_holds_a_secret() {
    let key = tenantry_auth::seal::MasterKey::generate(1).unwrap();
    assert_eq!(secrets(&format!("x = \"{}\"\n", key.as_str())).len(), 1, "the control");
    let found: Vec<_> = files()
        .into_iter()
        .filter_map(|path| Some((fs::read_to_string(&path).ok()?, path)))
        .flat_map(|(text, path)| secrets(&text).into_iter().map(move |found| format!("{}: {found}", path.display())))
        .collect();
    assert_eq!(found, Vec::<String>::new());
}

/// What is wrong with what this page puts in backquotes: tests, files and commands that are not there.
fn missing_in(page: &str, tests: &[&str], makefile: &str) -> Vec<String> {
    let quoted = page.split('`').skip(1).step_by(2);
    let is_there = |quoted: &str| {
        let begins = |prefix: &str| tests.iter().any(|test| test.starts_with(prefix));
        if let Some(part) = quoted.split_once("cargo test --test it ").map(|(_, part)| part) {
            tests.iter().any(|test| test.contains(part))
        } else if let Some(parts) = quoted.strip_prefix("make bench ARGS=") {
            parts
                .trim_matches('\'')
                .split(' ')
                .all(|part| root().join(format!("tests/src/bin/bench/{part}.rs")).exists())
        } else if let Some(target) = quoted.strip_prefix("make ") {
            makefile.lines().any(|line| line.starts_with(&format!("{target}:")))
        } else if quoted.starts_with("crates/") || quoted.starts_with("tests/") {
            root().join(quoted).exists()
        } else if quoted.ends_with("::") {
            begins(quoted)
        } else {
            !quoted.contains("::") || tests.contains(&quoted)
        }
    };
    quoted.filter(|quoted| !is_there(quoted)).map(str::to_owned).collect()
}

#[test]
fn the_guarantees_name_tests_commands_and_files_that_exist() {
    let list = Command::new(std::env::current_exe().unwrap()).arg("--list").output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    let tests: Vec<_> = list.lines().filter_map(|line| line.strip_suffix(": test")).collect();
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let wrong = "`manifests::no` `manifesto::` `cargo test --test it manifesto` `make haste` `crates/none` `make bench ARGS='open shut'`";
    assert_eq!(missing_in(wrong, &tests, &makefile).len(), 6, "the control");
    let page = fs::read_to_string(root().join("docs/guarantees.md")).unwrap();
    assert_eq!(missing_in(&page, &tests, &makefile), Vec::<String>::new());
}
