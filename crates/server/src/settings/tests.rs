//! What settings are read as, and what is said of them.

use std::{fs, os::unix::ffi::OsStringExt};

use super::{
    reader::{mask, mask_address},
    *,
};

#[test]
fn a_password_is_never_shown() {
    for (url, shown) in [
        ("postgres://app:s3?c#ret@db:5432/tenantry", "postgres://app:***@db:5432/tenantry"),
        ("host=db password='s3 cret'", "host=db password=***"),
        ("postgres://app:s3/cret@db/tenantry", "***"),
        ("s3cret", "***"),
    ] {
        assert_eq!(mask(url), shown);
    }
    assert_eq!(mask_address("http://app:s3cret@proxy:8080/"), "http://app:***@proxy:8080/");
    assert_eq!(mask_address("http://proxy:8080/"), "http://proxy:8080/");
}

#[test]
fn a_connection_string_that_would_be_misread_is_refused_before_the_driver_repeats_it() {
    let environment = Values::from([("database_url".to_owned(), "postgres://app:s3c%ret@db/t".to_owned())]);
    let mut faults = Faults::default();
    Settings::of(&Reader { environment, file: Values::new() }, &mut faults);
    let faults = faults.texts();
    assert!(faults.len() == 1 && faults[0].contains("TENANTRY_DATABASE_URL") && !faults[0].contains("s3c"));
}

#[test]
fn a_platform_key_in_the_place_of_its_hash_is_refused_and_not_shown() {
    let key = tenantry_auth::issue_platform().unwrap();
    let hash = PlatformKeyHash::of(&key).to_string();
    let read = |value: &str| {
        let mut faults = Faults::default();
        let environment = Values::from([(PLATFORM_KEYS.to_owned(), value.to_owned())]);
        let settings = Settings::of(&Reader { environment, file: Values::new() }, &mut faults);
        let shown = settings.shown.into_iter().find(|shown| shown.name == PLATFORM_KEYS).unwrap().value;
        (settings.platform_keys.len(), faults.texts(), shown)
    };
    let (known, faults, shown) = read(&format!("{hash}, {} ,", hash.to_uppercase()));
    assert_eq!((known, faults), (2, vec![]));
    assert_eq!(shown.unwrap(), format!("{}…, {}…", &hash[..8], hash[..8].to_uppercase()));
    let (_, faults, shown) = read(&format!("{hash},{}", key.reveal()));
    assert!(faults.len() == 1 && faults[0].contains("hash 2") && faults[0].contains("not the key itself"));
    assert!(!format!("{faults:?} {shown:?}").contains(&key.reveal()[12..]));
}

#[test]
fn an_app_of_highlevel_needs_its_id_and_its_secret_and_the_secret_is_not_shown() {
    let read = |given: &[(&str, &str)]| {
        let mut faults = Faults::default();
        let environment = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let settings = Settings::of(&Reader { environment, file: Values::new() }, &mut faults);
        assert!(!format!("{:?} {:?}", settings.shown, settings.highlevel_app).contains("s3cret"));
        (settings.highlevel_app.map(|app| app.client_id), faults.texts())
    };
    let (id, secret) = (("gohighlevel_client_id", "app"), ("gohighlevel_client_secret", "s3cret-s3cret"));
    assert_eq!(read(&[]), (None, vec![]));
    assert_eq!(read(&[id, secret]), (Some("app".to_owned()), vec![]));
    for (given, name) in [(id, "CLIENT_ID needs"), (secret, "CLIENT_SECRET needs")] {
        let (app, faults) = read(&[given]);
        assert!(app.is_none() && faults.len() == 1 && faults[0].contains(name), "{faults:?}");
    }
    let (_, faults) = read(&[id, ("gohighlevel_client_secret", "s3cret\n")]);
    assert!(faults.len() == 1 && !faults[0].contains("s3cret"), "{faults:?}");
}

#[test]
fn a_variable_or_a_line_that_cannot_be_read_is_named_and_not_shown() {
    let not_text = |text: &str| OsString::from_vec([text.as_bytes(), b"\xff"].concat());
    let all = [
        ("TENANTRY_WORKERS".into(), "2".into()),
        ("TENANTRY_BIND".into(), "".into()),
        ("TENANTRY_SMTP_PASSWORD".into(), not_text("s3cret")),
        ("OTHER".into(), not_text("s3cret")),
    ];
    let mut faults = Faults::default();
    let values = variables(all.into_iter(), &mut faults);
    assert_eq!(values, Values::from([("workers".to_owned(), "2".to_owned())]));
    assert_eq!(faults.texts(), ["TENANTRY_SMTP_PASSWORD is not valid UTF-8"]);

    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, "workers = 2\nsmtp_password = \"s3cret\n").unwrap();
    let mut faults = Faults::default();
    assert!(table(file.path().to_str().unwrap(), &mut faults).is_empty());
    let faults = faults.texts();
    assert!(faults.len() == 1 && faults[0].contains("line 2") && !faults[0].contains("s3cret"), "{faults:?}");
}

#[test]
fn every_kind_of_single_value_is_read_as_its_text() {
    let file = "workers = 1_0\nprepare_statements = false\nlog_level = 'info'\nmail_poll = 1.5\nbind = []\n[smtp_host]";
    let mut faults = Faults::default();
    let values = flat(file.parse().unwrap(), &mut faults);
    let faults = faults.texts();
    let expected = [("workers", "10"), ("prepare_statements", "false"), ("log_level", "info"), ("mail_poll", "1.5")];
    assert_eq!(values, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    assert!(faults.len() == 2 && faults[0].contains("\"bind\"") && faults[1].contains("\"smtp_host\""), "{faults:?}");
}

#[test]
fn all_faults_are_reported_together_and_each_names_its_setting() {
    let environment = [("bind", "nowhere"), ("workers", "0"), ("database_wait", "soon"), ("log_format", "xml")];
    let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut faults = Faults::default();
    Settings::of(&Reader { environment, file: Values::new() }, &mut faults);
    let faults = faults.texts();
    for name in ["TENANTRY_BIND", "TENANTRY_WORKERS", "TENANTRY_DATABASE_WAIT", "TENANTRY_LOG_FORMAT"] {
        assert!(faults.iter().any(|fault| fault.contains(name)), "{name}: {faults:?}");
    }
}

#[test]
fn no_duration_stops_everything_or_is_too_long_for_the_database() {
    let read = |name: &str, value: &str| {
        let environment = Values::from([(name.to_owned(), value.to_owned())]);
        let mut faults = Faults::default();
        Settings::of(&Reader { environment, file: Values::new() }, &mut faults);
        faults.texts()
    };
    for name in ["database_wait", "statement_timeout"] {
        for bad in ["0s", "9ms", "2h", "40days"] {
            let faults = read(name, bad);
            let says =
                |fault: &String| fault.contains(&variable(name)) && fault.contains("must be from 10ms to 1h, not");
            assert!(faults.len() == 1 && says(&faults[0]), "{name} {bad}: {faults:?}");
        }
        assert_eq!(read(name, "10ms"), Vec::<String>::new());
        assert_eq!(read(name, "1h"), Vec::<String>::new());
    }
    for name in ["shutdown_delay", "shutdown_grace"] {
        assert_eq!(read(name, "0s"), Vec::<String>::new());
        assert!(read(name, "2days")[0].contains("must be from 0s to 1day, not 2days"));
    }
}

#[test]
fn a_log_level_is_a_level_or_names_what_it_is_of() {
    let read = |level: &str| {
        let environment = Values::from([("log_level".to_owned(), level.to_owned())]);
        let mut faults = Faults::default();
        Settings::of(&Reader { environment, file: Values::new() }, &mut faults);
        faults.texts()
    };
    for good in ["info", "WARN", "off", "info,tenantry_http=debug", "tenantry_http=trace"] {
        assert_eq!(read(good), Vec::<String>::new(), "{good}");
    }
    for bad in ["warning", "verbose", "info,warning", "tenantry_http", "info,tenantry_http=loud"] {
        let faults = read(bad);
        assert!(faults.len() == 1 && faults[0].contains("TENANTRY_LOG_LEVEL"), "{bad}: {faults:?}");
    }
}

#[test]
fn the_defaults_are_good_and_the_environment_wins_over_the_file() {
    let mut faults = Faults::default();
    let file = Values::from([("workers".to_owned(), "3".to_owned()), ("bind".to_owned(), "[::1]:1".to_owned())]);
    let environment = Values::from([("workers".to_owned(), "2".to_owned())]);
    let settings = Settings::of(&Reader { environment, file }, &mut faults);
    assert_eq!(faults.texts(), Vec::<String>::new());
    assert_eq!((settings.workers, settings.bind.to_string()), (2, "[::1]:1".to_owned()));
}

#[test]
fn a_misspelt_name_is_met_with_the_one_that_was_meant() {
    let names = |all: &[&str]| all.iter().map(|name| ((*name).to_owned(), "s3cret".to_owned())).collect::<Values>();
    let mut faults = Faults::default();
    unknown(&names(&["bnid", "smtp_passwrod", "colour"]), &names(&["TENANTRY_WORKERS", "issuer", "x"]), &mut faults);
    assert_eq!(
        faults.texts(),
        [
            "TENANTRY_BNID is not a setting. Did you mean TENANTRY_BIND?",
            "TENANTRY_COLOUR is not a setting; `tenantry config` lists all settings",
            "TENANTRY_SMTP_PASSWROD is not a setting. Did you mean TENANTRY_SMTP_PASSWORD?",
            "\"TENANTRY_WORKERS\" in the settings file is not a setting. Did you mean workers?",
            "\"issuer\" in the settings file is not a setting. Did you mean issuers?",
            "\"x\" in the settings file is not a setting; `tenantry config` lists all settings",
        ]
    );
}

#[test]
fn a_broken_line_is_named_and_none_of_it_is_repeated() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for broken in [
        "smtp_password = \"s3cret",
        "smtp_password = s3cret",
        "smtp_password = 's3cret' s3cret",
        "smtp_password s3cret",
        "smtp_password = \"\\s3cret\"",
        "smtp_password = \"s3cret\"\nsmtp_password = \"s3cret\"",
        "s3cret = 1\ns3cret = 2",
        "[s3cret]\n[s3cret]",
        "[s3cret\na = 1",
        "database_url = { s3cret = 1, s3cret = 2 }",
        "database_url = postgres://user:s3cret@db/t",
        "smtp_password = 0s3cret",
        "s3cret.s3cret = 1\ns3cret = 1",
        "a = [1, s3cret]",
    ] {
        fs::write(&file, format!("workers = 2\n{broken}\n")).unwrap();
        let mut faults = Faults::default();
        let table = table(file.path().to_str().unwrap(), &mut faults);
        assert!(table.is_empty(), "{broken}");
        let faults = faults.texts();
        assert!(
            faults.len() == 1 && faults[0].contains("line ") && !faults[0].contains("s3cret"),
            "{broken}: {faults:?}"
        );
    }
}

#[test]
fn a_name_that_may_be_a_secret_is_not_repeated_and_no_value_ever_is() {
    for file in [
        "s3cret-55 = 1",
        "'postgres://user:s3cret-55@db' = 1",
        "'s3cret-55 with spaces' = [1]",
        "smtp_password = ['s3cret-55']",
        "smtp_password = { s3cret-55 = 1 }",
        "database_url = { password = 's3cret-55' }",
        "database_url = 's3cret-55'",
        "[smtp]\npassword = 's3cret-55'",
        "bind = 'https://user:s3cret-55@host'",
        "twilio_url = 'https://user:s3cret-55@host'",
        "mail_from = 'https://user:s3cret-55@host'",
        "invitation_link = 'https://user:s3cret-55@host/{token}'",
        "smtp_host = 'smtp://user:s3cret-55@host'",
    ] {
        let mut faults = Faults::default();
        let file = flat(file.parse().unwrap(), &mut faults);
        unknown(&Values::new(), &file, &mut faults);
        let settings = Settings::of(&Reader { environment: Values::new(), file: file.clone() }, &mut faults);
        let shown: Vec<_> = settings.shown.iter().filter(|shown| shown.name != "database_url").collect();
        let said = format!("{:?} {shown:?}", faults.texts());
        assert!(!said.contains("s3cret-55"), "{file:?}: {said}");
    }
}

#[test]
fn a_secret_can_be_in_a_file_that_only_those_can_change_who_may() {
    use std::os::unix::fs::PermissionsExt;
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, "postgres://app:s3cret@db/tenantry\n").unwrap();
    let path = file.path().display().to_string();
    let read = |mode: u32, more: &[(&str, &str)]| {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let mut faults = Faults::default();
        let environment = [("database_url_file", path.as_str())].into_iter().chain(more.iter().copied());
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let settings = Settings::of(&Reader { environment, file: Values::new() }, &mut faults);
        assert!(!format!("{:?} {:?}", faults.texts(), settings.shown).contains("s3cret"));
        (settings.database_url, faults.warnings.clone(), faults.texts())
    };
    let url = Some("postgres://app:s3cret@db/tenantry".to_owned());
    for mode in [0o600, 0o400, 0o640, 0o444] {
        assert_eq!(read(mode, &[]), (url.clone(), vec![], vec![]), "{mode:o}");
    }
    let (found, warnings, _) = read(0o644, &[]);
    assert!(found == url && warnings.len() == 1 && warnings[0].contains("chmod 600"), "{warnings:?}");
    for mode in [0o666, 0o620, 0o602] {
        let (found, _, faults) = read(mode, &[]);
        assert!(
            found.is_none() && faults.len() == 1 && faults[0].contains("can be changed by other users"),
            "{faults:?}"
        );
    }
    let (_, _, faults) = read(0o600, &[("database_url", "postgres://app:s3cret@db/other")]);
    assert!(faults.len() == 1 && faults[0].contains("are both set"), "{faults:?}");
}
