//! The embedded PostgreSQL, against the server programs of this machine. Runs as root and as anybody else.

mod kit;
mod language;

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::PathBuf,
    thread,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::geteuid,
};
use tenantry_persistence::embedded::{Cluster, Error, Role};

use self::kit::{Holder, Home, ask, is_alive, run, server_of};

#[test]
fn first_open_makes_roles_and_database() {
    let home = Home::new();
    let cluster = home.open();
    let (owner, service) = (cluster.owner_url(), cluster.service_url());
    assert_eq!(ask(owner, "current_user || ' in ' || current_database()"), "tenantry_owner in tenantry");
    assert_eq!(ask(service, "current_user || ' in ' || current_database()"), "tenantry_service in tenantry");
    let powers = "SELECT concat(rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication)
                  FROM pg_roles WHERE rolname = current_user";
    assert_eq!(ask(service, powers), "fffff");
    assert_eq!(ask(owner, powers), "fffff");
    run(owner, "CREATE TABLE note (body text); GRANT SELECT ON note TO tenantry_service").unwrap();
    assert_eq!(ask(service, "SELECT count(*) FROM note"), "0");
    assert!(run(service, "CREATE TABLE mine (id int)").unwrap_err().contains("permission denied"));
    assert!(run(service, "CREATE SCHEMA mine").unwrap_err().contains("permission denied"));
    assert!(run(service, "SET ROLE tenantry_owner").unwrap_err().contains("permission denied"));
    let public = "has_schema_privilege('public', 'public', 'USAGE')";
    assert_eq!(ask(owner, public), "false");
    assert!(cluster.notices().is_empty());
    cluster.close().unwrap();
}

#[test]
fn nobody_comes_in_by_network_or_password() {
    let home = Home::new();
    let cluster = home.open();
    let admin = cluster.url_for(Role::Admin, "postgres");
    assert_eq!(ask(&admin, "current_setting('listen_addresses')"), "");
    let rules = "SELECT string_agg(concat_ws(' ', type, database, user_name, auth_method, options, error), ';')
                 FROM pg_hba_file_rules";
    assert_eq!(ask(&admin, rules), "local {all} {all} peer {map=tenantry}");
    assert_eq!(ask(&admin, "SELECT count(*) FROM pg_ident_file_mappings WHERE error IS NOT NULL"), "0");
    assert_eq!(ask(&admin, "SELECT count(*) FROM pg_authid WHERE rolpassword IS NOT NULL"), "0");
    let socket = PathBuf::from(ask(&admin, "trim('\"' from current_setting('unix_socket_directories'))"));
    let meta = fs::metadata(&socket).unwrap();
    assert_eq!(meta.mode() & 0o777, 0o700);
    assert_eq!(meta.uid(), fs::metadata(cluster.location().join("data")).unwrap().uid());
    assert!(socket.starts_with(cluster.location()));
    assert_eq!(fs::metadata(cluster.location()).unwrap().mode() & 0o007, 0);
}

#[test]
fn it_is_made_to_last() {
    let mut home = Home::new();
    home.options.durable = true;
    let cluster = home.open();
    let settings = [
        ("data_checksums", "on"),
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("server_encoding", "UTF8"),
        ("lc_collate", "C"),
        ("TimeZone", "UTC"),
    ];
    for (name, value) in settings {
        let setting = match name {
            "lc_collate" => "SELECT datcollate FROM pg_database WHERE datname = 'tenantry'".to_owned(),
            _ => format!("current_setting('{name}')"),
        };
        assert_eq!(ask(cluster.owner_url(), &setting), value, "{name}");
    }
}

#[test]
fn data_survives_a_stop() {
    let home = Home::new();
    let cluster = home.open();
    run(cluster.owner_url(), "CREATE TABLE note AS SELECT 'kept' AS body").unwrap();
    let server = server_of(&cluster);
    cluster.close().unwrap();
    assert!(!is_alive(server));
    assert_eq!(ask(home.open().owner_url(), "SELECT body FROM note"), "kept");
}

#[test]
fn the_last_one_out_stops_the_server() {
    let home = Home::new();
    let first = home.open();
    let second = home.open();
    let server = server_of(&first);
    assert_eq!(server, server_of(&second));
    first.close().unwrap();
    assert_eq!(ask(second.service_url(), "1"), "1");
    drop(second);
    assert!(!is_alive(server));
}

#[test]
fn processes_share_it_in_any_order() {
    let home = Home::new();
    let holder = Holder::start(&home, &[]);
    let cluster = home.open();
    let server = server_of(&cluster);
    assert_eq!(holder.said(), format!("{server} tenantry_service"));
    holder.finish();
    assert_eq!(ask(cluster.service_url(), "1"), "1", "whoever started it has left");
    cluster.close().unwrap();
    assert!(!is_alive(server));
}

#[test]
fn whoever_is_in_never_loses_the_server() {
    let home = Home::new();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..4 {
                    let cluster = home.open();
                    assert_eq!(ask(cluster.service_url(), "1"), "1");
                    cluster.close().unwrap();
                }
            });
        }
    });
    assert!(!home.options.data_dir.join("postgres/data/postmaster.pid").exists());
}

#[test]
fn a_killed_server_recovers() {
    let mut home = Home::new();
    home.options.durable = true;
    let mut cluster = home.open();
    run(cluster.owner_url(), "CREATE TABLE note AS SELECT 'kept' AS body").unwrap();
    let killed = server_of(&cluster);
    kill(killed, Signal::SIGKILL).unwrap();
    let other = home.open();
    assert_ne!(server_of(&other), killed);
    assert_eq!(ask(other.owner_url(), "SELECT body FROM note"), "kept");
    kill(server_of(&other), Signal::SIGKILL).unwrap();
    cluster.revive().unwrap();
    assert_eq!(ask(cluster.owner_url(), "SELECT body FROM note"), "kept");
}

#[test]
fn the_server_of_a_killed_process_is_taken_over() {
    let home = Home::new();
    let holder = Holder::start(&home, &[]);
    let said = holder.said().to_owned();
    holder.kill();
    let cluster = home.open();
    let server = server_of(&cluster);
    assert_eq!(said, format!("{server} tenantry_service"));
    assert_eq!(ask(cluster.service_url(), "1"), "1");
    cluster.close().unwrap();
    assert!(!is_alive(server));
}

#[test]
fn the_environment_neither_leads_astray_nor_leaks() {
    let home = Home::new();
    let environment = [
        ("PGHOST", "db.example.test"),
        ("PGHOSTADDR", "192.0.2.1"),
        ("PGPORT", "1"),
        ("PGUSER", "mallory"),
        ("PGDATABASE", "other"),
        ("PGSSLMODE", "require"),
        ("PGGSSENCMODE", "require"),
        ("PGDATA", "/nowhere"),
        ("LC_ALL", "xx_YY.UTF-8"),
        ("TENANTRY_MASTER_KEY", "do-not-tell"),
    ];
    let holder = Holder::start(&home, &environment);
    let (pid, user) = holder.said().split_once(' ').unwrap();
    assert_eq!(user, "tenantry_service");
    if let Ok(inherited) = fs::read_to_string(format!("/proc/{pid}/environ")) {
        assert!(!inherited.contains("do-not-tell"), "{inherited}");
    }
    holder.finish();
}

#[test]
fn a_long_path_gets_a_short_socket() {
    let home = Home::below("long/".repeat(30));
    let cluster = home.open();
    let setting = "trim('\"' from current_setting('unix_socket_directories'))";
    let socket = PathBuf::from(ask(&cluster.url_for(Role::Admin, "postgres"), setting));
    assert!(!socket.starts_with(cluster.location()), "{socket:?}");
    assert_eq!(fs::metadata(&socket).unwrap().mode() & 0o777, 0o700);
    assert_eq!(ask(cluster.service_url(), "current_user"), "tenantry_service");
    cluster.close().unwrap();
    assert!(!socket.exists());
}

#[test]
fn any_path_will_do() {
    for path in ["a b/Käse 'n' \"Brot\" & 100%", "x=1,y=2"] {
        let home = Home::below(path);
        let cluster = home.open();
        assert_eq!(ask(cluster.service_url(), "current_user"), "tenantry_service");
    }
}

#[test]
fn a_directory_the_server_cannot_enter_is_replaced() {
    let home = Home::below("closed/data");
    let closed = home.directory.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o700)).unwrap();
    let cluster = home.open();
    let location = cluster.location().to_owned();
    if !geteuid().is_root() {
        assert_eq!((location, cluster.notices()), (home.options.data_dir.join("postgres"), &[][..]));
        return;
    }
    assert!(location.starts_with(&home.options.elsewhere));
    let notice = cluster.notices().concat();
    assert!(notice.contains(location.to_str().unwrap()) && notice.contains(closed.to_str().unwrap()), "{notice}");
    run(cluster.owner_url(), "CREATE TABLE note AS SELECT 'kept' AS body").unwrap();
    cluster.close().unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o755)).unwrap();
    let again = home.open();
    assert_eq!(ask(again.owner_url(), "SELECT body FROM note"), "kept", "never passed over for a new one");
}

#[test]
fn an_existing_cluster_is_not_replaced() {
    let home = Home::below("closed/data");
    home.open().close().unwrap();
    if geteuid().is_root() {
        fs::set_permissions(home.directory.path().join("closed"), Permissions::from_mode(0o700)).unwrap();
        let message = home.refusal();
        assert!(message.contains("cannot enter") && message.contains("closed"), "{message}");
    }
}

#[test]
fn another_user_takes_over() {
    let mut home = Home::new();
    let cluster = home.open();
    run(cluster.owner_url(), "CREATE TABLE note AS SELECT 'kept' AS body").unwrap();
    let data = cluster.location().join("data");
    if !geteuid().is_root() {
        home.options.pg_user = Some("root".to_owned());
        assert!(home.refusal().contains("TENANTRY_PG_USER"));
        return;
    }
    let before = fs::metadata(&data).unwrap().uid();
    home.options.pg_user = Some("nobody".to_owned());
    let beside = home.open();
    assert_eq!(server_of(&beside), server_of(&cluster), "not while the server runs");
    drop((beside, cluster));
    let cluster = home.open();
    assert_ne!(fs::metadata(&data).unwrap().uid(), before);
    assert_eq!(ask(cluster.owner_url(), "SELECT body FROM note"), "kept");
    home.options.pg_user = Some("root".to_owned());
    drop(cluster);
    assert!(home.refusal().contains("refuses to run as root"));
    home.options.pg_user = None;
    assert_eq!(ask(home.open().owner_url(), "SELECT body FROM note"), "kept", "the owner stays");
}

#[test]
fn what_a_kill_left_undone_is_mended() {
    let home = Home::new();
    let cluster = home.open();
    let admin = cluster.url_for(Role::Admin, "postgres");
    run(&admin, "DROP DATABASE tenantry").unwrap();
    run(&admin, "DROP ROLE tenantry_service").unwrap();
    run(&admin, "ALTER ROLE tenantry_owner SUPERUSER").unwrap();
    let partial = cluster.location().join("data.partial.left");
    cluster.close().unwrap();
    fs::create_dir(&partial).unwrap();
    let cluster = home.open();
    assert_eq!(ask(cluster.service_url(), "current_user"), "tenantry_service");
    assert_eq!(ask(cluster.owner_url(), "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"), "false");
}

#[test]
fn a_reused_process_id_is_not_the_server() {
    let home = Home::new();
    let cluster = home.open();
    let stale = cluster.location().join("data/postmaster.pid");
    let text = fs::read_to_string(&stale).unwrap();
    cluster.close().unwrap();
    let rest = text.split_once('\n').unwrap().1;
    fs::write(&stale, format!("{}\n{rest}", std::process::id())).unwrap();
    assert_eq!(ask(home.open().service_url(), "1"), "1");
}

#[test]
fn a_large_log_is_put_aside() {
    let home = Home::new();
    let cluster = home.open();
    let (log, old) = (cluster.location().join("postgres.log"), cluster.location().join("postgres.log.1"));
    cluster.close().unwrap();
    fs::OpenOptions::new().write(true).open(&log).unwrap().set_len(11 * 1024 * 1024).unwrap();
    let cluster = home.open();
    assert!(fs::metadata(&log).unwrap().len() < 1024 * 1024);
    assert_eq!(fs::metadata(&old).unwrap().len(), 11 * 1024 * 1024);
    drop(cluster);
}

#[test]
fn wrong_programs_are_named() {
    let mut home = Home::new();
    let wrong = home.directory.path().join("no programs here");
    home.options.pg_bin = Some(wrong.clone());
    let message = home.refusal();
    assert!(message.contains(wrong.to_str().unwrap()), "{message}");
    assert!(message.contains("TENANTRY_PG_BIN") && message.contains("DATABASE_URL"), "{message}");
}

#[test]
fn programs_too_old_are_told_how_to_be_replaced() {
    let mut home = Home::new();
    let old = home.directory.path().join("old");
    fs::create_dir(&old).unwrap();
    for name in ["postgres", "initdb"] {
        fs::write(old.join(name), "#!/bin/sh\necho 'postgres (PostgreSQL) 12.4'\n").unwrap();
        fs::set_permissions(old.join(name), Permissions::from_mode(0o755)).unwrap();
    }
    home.options.pg_bin = Some(old);
    let message = home.refusal();
    for expected in ["version 15 or later", "version 12", "nstall", "https://www.postgresql.org/download/"] {
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_cluster_wants_its_own_version() {
    let home = Home::new();
    let cluster = home.open();
    let version = cluster.location().join("data/PG_VERSION");
    cluster.close().unwrap();
    fs::write(&version, "9\n").unwrap();
    let message = home.refusal();
    assert!(message.contains("PostgreSQL 9 server") && message.contains("existing database"), "{message}");
    fs::remove_file(&version).unwrap();
    assert!(matches!(Cluster::open(&home.options), Err(Error::NoCluster { .. })));
}

#[test]
fn a_server_that_does_not_start_shows_its_log() {
    let home = Home::new();
    let cluster = home.open();
    let config = cluster.location().join("data/postgresql.conf");
    let log = cluster.location().join("postgres.log");
    cluster.close().unwrap();
    fs::write(&config, "no_such_setting = 1\n").unwrap();
    let message = home.refusal();
    assert!(message.contains("no_such_setting") && message.contains(log.to_str().unwrap()), "{message}");
}

#[test]
fn a_data_directory_that_cannot_be_is_named() {
    let home = Home::below("file/data");
    fs::write(home.directory.path().join("file"), "").unwrap();
    let message = home.refusal();
    assert!(message.contains("file/data") && message.contains("TENANTRY_DATA_DIR"), "{message}");
}
