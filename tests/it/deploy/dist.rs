//! What is packed for a release.

use std::{
    collections::BTreeSet,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
};

use super::path;

fn pack(into: &Path, epoch: &str) -> (String, Vec<u8>) {
    let (sbom, program) = (into.join("bill.json"), into.join("program"));
    fs::write(&sbom, "{}\n").unwrap();
    // Stands for the program, which is large in a debug build.
    fs::write(&program, format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_tenantry"))).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let directory = into.join("dist");
    let mut command = Command::new("sh");
    command.arg(path("scripts/dist.sh")).args([&program, &sbom, &directory]);
    let done = command.env("SOURCE_DATE_EPOCH", epoch).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let mut names: Vec<_> =
        fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert!(names.len() == 2 && names[1] == format!("{}.sha256", names[0]), "{names:?}");
    let sum = Command::new("sha256sum").args(["--check", "--quiet", &names[1]]).current_dir(&directory).status();
    assert!(sum.unwrap().success());
    (names[0].clone(), fs::read(directory.join(&names[0])).unwrap())
}

fn run(program: &str, arguments: &[&str], directory: &Path) -> String {
    let done = Command::new(program).args(arguments).current_dir(directory).output().unwrap();
    assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn a_release_has_all_that_an_operator_needs_and_packing_it_again_gives_the_same_bytes() {
    if cfg!(not(target_os = "linux")) {
        println!("SKIPPED: GNU tar and sha256sum may not be on this machine");
        return;
    }
    let [one, other, later] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let (name, bytes) = pack(one.path(), "1790000000");
    assert!(bytes == pack(other.path(), "1790000000").1, "the same input, the same bytes");
    assert!(bytes != pack(later.path(), "1790000001").1, "the control");
    let root = name.strip_suffix(".tar.gz").unwrap();
    assert!(root.starts_with(&format!("tenantry-{}-", env!("CARGO_PKG_VERSION"))), "{name}");
    let unpacked = tempfile::tempdir().unwrap();
    let archive = one.path().join("dist").join(&name);
    run("tar", &["-xzf", archive.to_str().unwrap()], unpacked.path());
    let home = unpacked.path().join(root);
    run("sha256sum", &["--check", "--quiet", "SHA256SUMS"], &home);
    assert!(run("bin/tenantry", &["--version"], &home).contains(env!("CARGO_PKG_VERSION")));
    let listed: BTreeSet<_> = run("tar", &["-tzf", archive.to_str().unwrap()], unpacked.path())
        .lines()
        .filter_map(|line| Some(line.strip_prefix(root)?.trim_start_matches('/').to_owned()))
        .collect();
    for wanted in [
        "bin/tenantry",
        "share/man/man1/tenantry.1",
        "share/man/man1/tenantry-doctor.1",
        "share/completions/bash/tenantry",
        "share/completions/zsh/_tenantry",
        "share/completions/fish/tenantry.fish",
        "share/completions/powershell/tenantry.ps1",
        "docs/operations.md",
        "docs/upgrading.md",
        "openapi.yaml",
        "deploy/systemd/tenantry.service",
        "deploy/kustomize/base/deployment.yaml",
        "deploy/grafana/tenantry.json",
        "deploy/prometheus/alerts.yaml",
        "LICENSE-MIT",
        "tenantry.cdx.json",
    ] {
        assert!(listed.contains(wanted), "{wanted}: {listed:?}");
    }
}
