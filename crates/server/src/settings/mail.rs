//! How emails are sent, and what is in them.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use chrono::TimeDelta;
use tenantry_domain::{Cap, EmailAddress, MailLimits, Refusal};
use tenantry_operations::mail::{InvitationLink, MailOptions, Password, Security, Signatures, SmtpOptions};

use super::{Faults, Reader};

/// How this process sends emails.
#[derive(Clone)]
pub(crate) struct Mail {
    pub(crate) options: MailOptions,
    pub(crate) from: EmailAddress,
    /// Where invitations are accepted; `None` means a page of this service.
    pub(crate) link: Option<InvitationLink>,
    pub(crate) signatures: Signatures,
    /// Whether an answer to an invitation goes to the member who invites.
    pub(crate) reply_to_inviter: bool,
    /// How many emails are sent at once, 1 or more.
    pub(crate) workers: usize,
    pub(crate) poll: Duration,
}

/// The sender of emails that are only saved as files.
const NOBODY: &str = "tenantry@localhost.localdomain";

/// Settings that make sense only with a mail server.
const OF_SMTP: [&str; 8] = [
    "smtp_port",
    "smtp_security",
    "smtp_username",
    "smtp_password",
    "smtp_password_file",
    "smtp_ca_file",
    "smtp_timeout",
    "smtp_helo",
];

/// The mail settings. `None` if no emails are sent, or if something is wrong; errors are added to `faults`.
pub(super) fn read(reader: &Reader, faults: &mut Faults) -> Option<Mail> {
    let known = faults.len();
    let from: Option<EmailAddress> = of_domain(reader, "mail_from", faults);
    let smtp = smtp(reader, from.as_ref(), faults);
    let link = of_domain(reader, "invitation_link", faults);
    let reply_to_inviter = reader.parse("mail_reply_to", faults, |raw| match raw {
        "none" => Ok(false),
        "inviter" => Ok(true),
        _ => Err("must be none or inviter"),
    });
    let signatures =
        reader.parse("mail_signatures", faults, |raw| raw.parse().map_err(|()| "must be none, text or html"));
    let workers = reader.parse("mail_workers", faults, |raw| match raw.parse() {
        Ok(n @ 0..=16) => Ok(n),
        _ => Err("must be a whole number from 0 to 16"),
    });
    let poll = reader.duration("mail_poll", Duration::from_millis(100)..=Duration::from_secs(3_600), faults);
    let has_server = reader.is_given("smtp_host");
    if has_server {
        for (name, what) in [
            ("mail_from", "it is the sender address of emails, such as no-reply@example.com"),
            (
                "invitation_link",
                "it is the address where invitations are accepted, such as https://app.example.com/join#{token}. Or set \
                 TENANTRY_PUBLIC_URL, and they lead to a page of this service",
            ),
        ] {
            // The service has a page of its own, for who knows its address.
            let has_page = name == "invitation_link" && reader.is_given("public_url");
            if !reader.is_given(name) && !has_page {
                faults.of(name, format!("is required with TENANTRY_SMTP_HOST: {what}"));
            }
        }
        if reader.is_given("mail_dir") {
            faults.of("mail_dir", "cannot be set together with TENANTRY_SMTP_HOST: emails are either saved or sent");
        }
    } else {
        for name in OF_SMTP.into_iter().filter(|name| reader.is_given(name)) {
            faults.of(name, "has no effect without TENANTRY_SMTP_HOST: set that too, or remove this");
        }
    }
    let options = match smtp {
        Some(smtp) => MailOptions::Smtp(smtp),
        None => MailOptions::Files(
            reader
                .text("mail_dir")
                .map_or_else(|| PathBuf::from(reader.text("data_dir").unwrap_or_default()).join("mail"), PathBuf::from),
        ),
    };
    let workers = workers.filter(|workers| *workers > 0)?;
    let from = from.or_else(|| NOBODY.parse().ok())?;
    (faults.len() == known).then_some(Mail {
        options,
        from,
        link,
        signatures: signatures?,
        reply_to_inviter: reply_to_inviter?,
        workers,
        poll: poll?,
    })
}

/// How much email a tenant may cause that has no limits of its own.
pub(super) fn limits(reader: &Reader, faults: &mut Faults) -> MailLimits {
    let mut cap = |name| {
        reader.parse(name, faults, |raw| {
            let cap = raw.parse::<i64>().ok().and_then(|number| Cap::try_from(number).ok());
            cap.ok_or("must be a whole number from 0 to 1000000")
        })
    };
    let (per_tenant, per_recipient) = (cap("max_emails_per_day"), cap("max_emails_per_recipient"));
    let (pending_invitations, safe) = (cap("max_pending_invitations"), MailLimits::default());
    let interval = reader.duration("invitation_interval", Duration::ZERO..=Duration::from_secs(86_400), faults);
    MailLimits {
        interval: interval.and_then(|interval| TimeDelta::from_std(interval).ok()).unwrap_or(safe.interval),
        per_tenant: per_tenant.unwrap_or(safe.per_tenant),
        per_recipient: per_recipient.unwrap_or(safe.per_recipient),
        pending_invitations: pending_invitations.unwrap_or(safe.pending_invitations),
    }
}

fn smtp(reader: &Reader, from: Option<&EmailAddress>, faults: &mut Faults) -> Option<SmtpOptions> {
    let port = reader.parse("smtp_port", faults, |raw| match raw.parse() {
        Ok(0) | Err(_) => Err("must be a port from 1 to 65535"),
        Ok(port) => Ok(port),
    });
    let security = reader
        .parse("smtp_security", faults, |raw| raw.parse::<Security>().map_err(|_| "must be starttls, tls or plain"));
    let timeout = reader.duration("smtp_timeout", Duration::from_secs(1)..=Duration::from_secs(60), faults);
    let (username, password) = (reader.text("smtp_username"), password(reader, faults));
    let has_password = reader.is_given("smtp_password") || reader.is_given("smtp_password_file");
    match (&username, has_password) {
        (Some(_), false) => {
            faults.of("smtp_username", "needs TENANTRY_SMTP_PASSWORD or TENANTRY_SMTP_PASSWORD_FILE");
        }
        (None, true) => faults.of("smtp_password", "needs TENANTRY_SMTP_USERNAME"),
        (Some(_), true) if security == Some(Security::Plain) => faults.of(
            "smtp_security",
            "is plain, and no password is sent without encryption: use starttls or tls, or remove the user name",
        ),
        _ => {}
    }
    // Servers want a full name (RFC 5321, section 4.1.4), and a container has none.
    let hello = reader.parse("smtp_helo", faults, |raw| if is_name(raw) { Ok(raw.to_owned()) } else { Err(HELO) });
    let hello = hello.or_else(|| from.map(|from| from.domain().to_owned()));
    Some(SmtpOptions {
        host: reader.parse("smtp_host", faults, |raw| if is_host(raw) { Ok(raw.to_owned()) } else { Err(HOST) })?,
        hello: hello.unwrap_or_default(),
        port,
        security: security?,
        username,
        password,
        ca_file: reader.text("smtp_ca_file").map(PathBuf::from),
        timeout: timeout?,
    })
}

const HOST: &str = "must be the name or the address of a host, such as mail.example.com, without scheme and port";

fn is_host(raw: &str) -> bool {
    raw.parse::<IpAddr>().is_ok() || url::Host::parse(raw).is_ok_and(|host| matches!(host, url::Host::Domain(_)))
}

const HELO: &str = "must be a full domain name such as app.example.com, or an address in brackets such as [192.0.2.1]";

/// Whether a mail server can be greeted by this name.
fn is_name(raw: &str) -> bool {
    if let Some(address) = raw.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return match address.strip_prefix("IPv6:") {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => address.parse::<Ipv4Addr>().is_ok(),
        };
    }
    // The same names that can stand behind the @ of an address.
    format!("a@{raw}").parse::<EmailAddress>().is_ok_and(|address| address.as_str() == address.ascii())
}

/// The password. No error message repeats it.
fn password(reader: &Reader, faults: &mut Faults) -> Option<Password> {
    reader.secret("smtp_password", faults).map(Password::from)
}

fn of_domain<T: FromStr<Err = Refusal>>(reader: &Reader, name: &str, faults: &mut Faults) -> Option<T> {
    let raw = reader.text(name)?;
    raw.parse().map_err(|refusal: Refusal| faults.of(name, refusal.message)).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::settings::Values;

    fn mail(settings: &[(&str, &str)]) -> (Option<Mail>, Vec<String>) {
        let environment = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut faults = Faults::default();
        let mail = read(&Reader { environment, file: Values::new() }, &mut faults);
        (mail, faults.texts())
    }

    #[test]
    fn the_server_is_a_host_and_no_url() {
        for good in ["mail.example.com", "smtp-relay", "192.0.2.1", "2001:db8::1", "m\u{fc}nchen.example"] {
            assert_eq!(with(&[("smtp_host", good)]).1, Vec::<String>::new(), "{good}");
        }
        for bad in ["mail.example.com:587", "https://mail.example.com", "smtp://mail", "a b", "mail/", "u@mail"] {
            let faults = with(&[("smtp_host", bad)]).1;
            assert!(faults.iter().any(|fault| fault.contains("TENANTRY_SMTP_HOST must be the name")), "{faults:?}");
        }
    }

    const SERVER: [(&str, &str); 3] = [
        ("smtp_host", "mail.example.com"),
        ("mail_from", "no-reply@example.com"),
        ("invitation_link", "https://app.example.com/join#{token}"),
    ];

    fn with(more: &[(&'static str, &'static str)]) -> (Option<Mail>, Vec<String>) {
        mail(&[&SERVER, more].concat())
    }

    #[test]
    fn without_a_server_emails_are_saved_in_the_data_directory() {
        let (mail, faults) = mail(&[("data_dir", "/srv/tenantry")]);
        let mail = mail.unwrap();
        assert_eq!(faults, Vec::<String>::new());
        assert!(matches!(&mail.options, MailOptions::Files(path) if path.to_str() == Some("/srv/tenantry/mail")));
        assert_eq!((mail.workers, mail.poll, mail.link), (2, Duration::from_secs(5), None));
    }

    #[test]
    fn a_server_is_reached_with_starttls_by_default() {
        let (mail, faults) = with(&[]);
        assert_eq!(faults, Vec::<String>::new());
        let Some(Mail { options: MailOptions::Smtp(smtp), from, .. }) = mail else { panic!("no server") };
        assert_eq!((smtp.security, smtp.port, smtp.timeout), (Security::StartTls, None, Duration::from_secs(30)));
        assert_eq!(from.as_str(), "no-reply@example.com");
        assert!(with(&[("mail_workers", "0")]).0.is_none());
    }

    #[test]
    fn a_server_is_greeted_by_the_domain_of_the_sender_or_as_the_settings_say() {
        let hello = |more: &[(&'static str, &'static str)]| match with(more).0.unwrap().options {
            MailOptions::Smtp(smtp) => smtp.hello,
            MailOptions::Files(_) => panic!("no server"),
        };
        assert_eq!(hello(&[]), "example.com");
        assert_eq!(hello(&[("smtp_helo", "app.example.org")]), "app.example.org");
        assert_eq!(hello(&[("smtp_helo", "[192.0.2.1]")]), "[192.0.2.1]");
        assert_eq!(hello(&[("smtp_helo", "[IPv6:2001:db8::1]")]), "[IPv6:2001:db8::1]");
        for bad in ["vm", "vm.", "a b.example", "192.0.2.1", "[vm]", "müller.example", "a.example\r\nRCPT"] {
            let (_, faults) = with(&[("smtp_helo", bad)]);
            assert!(faults.len() == 1 && faults[0].contains("SMTP_HELO"), "{bad}: {faults:?}");
        }
    }

    #[test]
    fn with_a_public_address_invitations_lead_to_the_page_of_the_service() {
        let server = [("smtp_host", "mail.example.com"), ("mail_from", "no-reply@example.com")];
        let (found, faults) = mail(&[&server[..], &[("public_url", "https://example.com/t")]].concat());
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!(found.unwrap().link, None);
        assert_eq!(mail(&server).1.len(), 1);
        assert!(with(&[("mail_reply_to", "inviter")]).0.unwrap().reply_to_inviter);
        assert!(!with(&[]).0.unwrap().reply_to_inviter && with(&[("mail_reply_to", "ada")]).0.is_none());
    }

    #[test]
    fn settings_that_do_not_fit_together_are_all_reported() {
        let refused = |(mail, faults): (Option<Mail>, Vec<String>), named: &[&str]| {
            assert!(mail.is_none());
            assert_eq!(faults.len(), named.len(), "{faults:#?}");
            for name in named {
                assert!(faults.iter().any(|fault| fault.contains(name)), "{name}: {faults:#?}");
            }
            assert!(!faults.iter().any(|fault| fault.contains("s3cret")), "{faults:#?}");
        };
        refused(
            mail(&[("smtp_host", "mail.example.com"), ("mail_dir", "mail")]),
            &["MAIL_FROM", "INVITATION_LINK", "MAIL_DIR"],
        );
        let alone = [("smtp_port", "25"), ("smtp_security", "tls"), ("smtp_ca_file", "ca.pem"), ("smtp_timeout", "9s")];
        refused(mail(&alone), &["SMTP_PORT", "SMTP_SECURITY", "SMTP_CA_FILE", "SMTP_TIMEOUT"]);
        refused(with(&[("smtp_username", "acme")]), &["SMTP_USERNAME needs"]);
        refused(with(&[("smtp_password", "s3cret")]), &["SMTP_PASSWORD needs"]);
        let user = [("smtp_username", "acme"), ("smtp_password", "s3cret")];
        refused(with(&[&user[..], &[("smtp_security", "plain")]].concat()), &["SMTP_SECURITY is plain"]);
        refused(with(&[&user[..], &[("smtp_password_file", "/nowhere")]].concat()), &["both set"]);
        refused(
            with(&[
                ("smtp_port", "0"),
                ("smtp_security", "ssl"),
                ("smtp_timeout", "2m"),
                ("mail_poll", "0s"),
                ("mail_workers", "17"),
            ]),
            &["SMTP_PORT", "SMTP_SECURITY", "SMTP_TIMEOUT", "MAIL_POLL", "MAIL_WORKERS"],
        );
        refused(
            mail(&[("mail_from", "Acme <a@example.com>"), ("invitation_link", "http://app.example.com/{token}")]),
            &["MAIL_FROM", "INVITATION_LINK"],
        );
    }

    #[test]
    fn the_defaults_are_those_that_are_safe() {
        let read = |settings: &[(&str, &str)]| {
            let environment = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let mut faults = Faults::default();
            (limits(&Reader { environment, file: Values::new() }, &mut faults), faults.texts())
        };
        assert_eq!(read(&[]), (MailLimits::default(), Vec::new()));
        let (limits, faults) = read(&[("invitation_interval", "0s"), ("max_emails_per_recipient", "0")]);
        assert_eq!((limits.interval, limits.per_recipient.get()), (TimeDelta::zero(), 0));
        assert_eq!(faults, Vec::<String>::new());
        let (_, faults) = read(&[
            ("invitation_interval", "2days"),
            ("max_emails_per_day", "-1"),
            ("max_pending_invitations", "many"),
        ]);
        assert_eq!(faults.len(), 3, "{faults:#?}");
    }

    #[test]
    fn a_password_can_be_in_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("password");
        fs::write(&file, "s3cret\n").unwrap();
        let path = file.display().to_string();
        let (mail, faults) =
            mail(&[&SERVER[..], &[("smtp_username", "acme"), ("smtp_password_file", path.as_str())]].concat());
        assert_eq!(faults, Vec::<String>::new());
        let Some(Mail { options: MailOptions::Smtp(smtp), .. }) = mail else { panic!("no server") };
        assert!(smtp.password.is_some() && !format!("{smtp:?}").contains("s3cret"));
    }
}
