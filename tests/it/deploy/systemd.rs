//! The unit for systemd: the settings in it exist, it ends in time, and systemd itself has nothing against it.

use std::{
    fs::{self, Permissions},
    os::unix::{fs::PermissionsExt, net::UnixDatagram},
    process::Command,
    time::Duration,
};

use nix::sys::signal::Signal;
use tenantry_tests::TestDatabase;

use super::{is_command, text, variables};
use crate::binary::kit::Tenantry;

const UNIT: &str = "deploy/systemd/tenantry.service";

/// The values of a key, in the order in which they stand.
fn values(unit: &str, key: &str) -> Vec<String> {
    let lines = unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    lines.map(str::to_owned).collect()
}

#[test]
fn the_unit_names_settings_and_commands_that_exist_and_gives_the_service_time_to_stop() {
    let (unit, known) = (text(UNIT), variables());
    let commented =
        unit.replace("\n#Environment=", "\nEnvironment=").replace("\n#LoadCredential=", "\nLoadCredential=");
    let credentials: Vec<_> =
        values(&commented, "LoadCredential").iter().map(|value| value.split(':').next().unwrap().to_owned()).collect();
    let mut named = 0;
    for assignment in values(&commented, "Environment") {
        let (name, value) = assignment.split_once('=').unwrap();
        assert!(known.iter().any(|known| known == name), "{name} is a setting");
        if let Some(credential) = value.strip_prefix("%d/") {
            assert!(name.ends_with("_FILE") && credentials.iter().any(|known| known == credential), "{assignment}");
            named += 1;
        }
    }
    assert_eq!(named, credentials.len(), "each credential is used");
    let start = values(&unit, "ExecStart").remove(0);
    let words: Vec<_> = start.split(' ').collect();
    assert!(words[0] == "/usr/local/bin/tenantry" && is_command(&words[1..]), "{start}");
    let default = |name: &str| {
        let shown = Tenantry::embedded().json(&["config"]);
        let row = shown.as_array().unwrap().iter().find(|row| row["variable"] == name).unwrap().clone();
        row["value"].as_str().unwrap().trim_end_matches('s').parse::<u64>().unwrap()
    };
    let stop: u64 = values(&unit, "TimeoutStopSec")[0].trim_end_matches('s').parse().unwrap();
    assert!(stop > default("TENANTRY_SHUTDOWN_GRACE") + 5, "longer than the delay of 5 s and the grace");
    for (key, value) in
        [("DynamicUser", "yes"), ("NoNewPrivileges", "yes"), ("ProtectSystem", "strict"), ("Type", "notify")]
    {
        assert_eq!(values(&unit, key), [value], "{key}");
    }
}

#[test]
fn the_settings_beside_the_unit_are_valid() {
    let tenantry = Tenantry::at("postgres://tenantry_service@db/tenantry").with("TENANTRY_CONFIG", "tenantry.toml");
    // The lines that are commented out as well.
    let all: String = text("deploy/systemd/tenantry.toml")
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
        .flat_map(|line| [line, "\n"])
        .collect();
    fs::write(tenantry.path("tenantry.toml"), all.replace("smtp_username = \"tenantry\"\n", "")).unwrap();
    let shown = tenantry.json(&["config"]);
    let value =
        |name: &str| shown.as_array().unwrap().iter().find(|row| row["variable"] == name).unwrap()["value"].clone();
    assert_eq!(
        (value("TENANTRY_ADMIN_BIND"), value("TENANTRY_SMTP_HOST")),
        ("127.0.0.1:9090".into(), "mail.example.com".into())
    );
}

#[test]
fn systemd_accepts_the_unit_and_finds_little_exposed() {
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("tenantry.service");
    // It must find the program, which is not installed here.
    fs::write(&copy, text(UNIT).replace("/usr/local/bin/tenantry", env!("CARGO_BIN_EXE_tenantry"))).unwrap();
    let ask = |arguments: &[&str]| Command::new("systemd-analyze").args(arguments).arg(&copy).output();
    let Ok(verified) = ask(&["--man=no", "verify"]) else {
        println!("SKIPPED: there is no systemd-analyze on this machine");
        return;
    };
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(verified.status.success() && !said.contains("tenantry.service"), "{said}");
    let exposed = ask(&["security", "--offline=yes", "--threshold=15"]).unwrap();
    let said = String::from_utf8_lossy(&exposed.stdout).into_owned();
    assert!(exposed.status.success(), "an exposure of 1.5 at most: {said}");
}

/// As systemd hears it with `Type=notify`.
#[test]
fn the_service_tells_systemd_when_it_listens_and_when_it_stops() {
    let database = TestDatabase::new();
    let tenantry = Tenantry::on(&database);
    let socket = tenantry.path("notify");
    let hears = UnixDatagram::bind(&socket).unwrap();
    // As that of systemd: started as root, the service is somebody else when it listens.
    fs::set_permissions(&socket, Permissions::from_mode(0o777)).unwrap();
    hears.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    let next = || {
        let mut said = [0; 256];
        let length = hears.recv(&mut said).unwrap();
        String::from_utf8_lossy(&said[..length]).into_owned()
    };
    let tenantry = tenantry.with("NOTIFY_SOCKET", &socket.display().to_string());
    let service = tenantry.serve();
    assert_eq!(next(), "READY=1\n");
    service.signal(Signal::SIGTERM);
    assert_eq!(next(), "STOPPING=1\n");
    assert_eq!(service.wait().0, Some(0));
}
