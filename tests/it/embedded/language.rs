//! The language in which PostgreSQL writes its messages. The service tells faults apart by them.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
};

use tenantry_persistence::{embedded::Role, objection_to};

use super::kit::{Home, ask, run};

/// Server programs that prefer German wherever the locale of a session is not plain `C`.
fn german_programs(home: &Home) -> PathBuf {
    let other = Home::new();
    let cluster = other.open();
    let real = ask(&cluster.url_for(Role::Admin, "postgres"), "SELECT setting FROM pg_config WHERE name = 'BINDIR'");
    cluster.close().unwrap();
    let programs = home.directory.path().join("german");
    fs::create_dir(&programs).unwrap();
    for name in ["postgres", "initdb"] {
        let script = format!("#!/bin/sh\nLANGUAGE=de exec '{real}/{name}' \"$@\"\n");
        fs::write(programs.join(name), script).unwrap();
        fs::set_permissions(programs.join(name), Permissions::from_mode(0o755)).unwrap();
    }
    programs
}

#[test]
fn a_server_whose_messages_are_not_english_is_refused_until_they_are() {
    let mut home = Home::new();
    home.options.pg_bin = Some(german_programs(&home));
    let cluster = home.open();
    let (admin, service) = (cluster.url_for(Role::Admin, "postgres"), cluster.service_url());
    let is_english = || run(service, "SELECT 1 / 0").unwrap_err().contains("division by zero");
    assert!(is_english());
    assert_eq!(objection_to(service), Ok(None));

    // Translations are a part of the server package. Without them every locale speaks English, and none is refused.
    run(&admin, "ALTER ROLE tenantry_service SET lc_messages TO 'C.UTF-8'").unwrap();
    let objection = objection_to(service).unwrap();
    assert_eq!(objection.is_none(), is_english(), "{objection:?}");

    if let Some(objection) = objection {
        assert!(objection.contains("lc_messages is \"C.UTF-8\""), "{objection}");
        let cure = objection.find("ALTER ROLE").map(|start| &objection[start..]).unwrap();
        run(&admin, cure).unwrap();
        assert!(is_english());
        assert_eq!(objection_to(service), Ok(None));
    }
}
