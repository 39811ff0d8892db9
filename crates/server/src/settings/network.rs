//! What stands between the service and its callers.

use std::time::Duration;

use tenantry_http::{Front, Origins, ProxyHeader, PublicUrl, TrustedProxies};

use super::{Faults, Reader, reader::listed};

const KEEP_ALIVE: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(60 * 60);

/// How long a connection may say nothing after an answer.
pub(super) fn keep_alive(reader: &Reader, faults: &mut Faults) -> Duration {
    reader.duration("keep_alive", KEEP_ALIVE, faults).unwrap_or(*KEEP_ALIVE.start())
}

/// Who is believed, who is allowed, and where the service is published.
pub(super) fn front(reader: &Reader, faults: &mut Faults) -> Front {
    let networks = reader.parse("trusted_proxies", faults, |raw| listed(raw).map(TrustedProxies::network).collect());
    let header = reader.parse("proxy_header", faults, |raw| raw.parse::<ProxyHeader>());
    if reader.is_given("proxy_header") && !reader.is_given("trusted_proxies") {
        faults.of("proxy_header", "has no effect without TENANTRY_TRUSTED_PROXIES: set that too, or remove this");
    }
    Front {
        proxies: TrustedProxies { networks: networks.unwrap_or_default(), header: header.unwrap_or_default() },
        origins: origins(reader, faults),
        url: reader.parse("public_url", faults, PublicUrl::parse),
    }
}

fn origins(reader: &Reader, faults: &mut Faults) -> Origins {
    let mut origins = Vec::new();
    let all: Vec<_> = reader.value("cors_origins").0.into_iter().flat_map(listed).collect();
    for origin in &all {
        match Origins::origin(origin) {
            _ if *origin == "*" => {}
            Ok(origin) => origins.push(origin),
            Err(rule) => faults.of("cors_origins", format!("{rule}, not \"{origin:.60}\"")),
        }
    }
    match all[..] {
        [] => Origins::Own,
        ["*"] => Origins::Any,
        _ if all.contains(&"*") => {
            faults.of("cors_origins", "has * among others: write * alone, or the origins alone");
            Origins::Own
        }
        _ => Origins::These(origins),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Values;

    fn read(settings: &[(&str, &str)]) -> (Duration, Front, Vec<String>) {
        let environment = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (reader, mut faults) = (Reader { environment, file: Values::new() }, Faults::default());
        let (keep_alive, front) = (keep_alive(&reader, &mut faults), front(&reader, &mut faults));
        (keep_alive, front, faults.texts())
    }

    #[test]
    fn by_default_nothing_stands_in_front() {
        let (keep_alive, front, faults) = read(&[]);
        assert_eq!((keep_alive, faults), (Duration::from_secs(75), Vec::<String>::new()));
        assert_eq!((front.proxies.networks.len(), front.origins, front.url), (0, Origins::Own, None));
    }

    #[test]
    fn lists_are_separated_by_commas() {
        let (keep_alive, front, faults) = read(&[
            ("keep_alive", "620s"),
            ("trusted_proxies", "10.0.0.0/8, fd00::/8,127.0.0.1,"),
            ("proxy_header", "x-forwarded-for"),
            ("cors_origins", "https://a.example, http://localhost:3000"),
            ("public_url", "https://example.com/tenantry/"),
        ]);
        assert_eq!((keep_alive, faults), (Duration::from_secs(620), Vec::<String>::new()));
        assert_eq!((front.proxies.networks.len(), front.proxies.header), (3, ProxyHeader::XForwardedFor));
        let origins = ["https://a.example", "http://localhost:3000"].map(str::to_owned).to_vec();
        assert_eq!(front.origins, Origins::These(origins));
        assert_eq!(front.url.unwrap().as_str(), "https://example.com/tenantry");
        assert_eq!(read(&[("cors_origins", "*")]).1.origins, Origins::Any);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (name, value) in [
            ("keep_alive", "0s"),
            ("keep_alive", "2h"),
            ("keep_alive", "75"),
            ("trusted_proxies", "10.0.0.1/8"),
            ("trusted_proxies", "10.0.0.0/8 10.1.0.0/16"),
            ("trusted_proxies", "proxy"),
            ("proxy_header", "forwarded"),
            ("cors_origins", "https://a.example/"),
            ("cors_origins", "*,https://a.example"),
            ("public_url", "example.com"),
            ("public_url", "http://example.com"),
        ] {
            let (_, _, faults) = read(&[(name, value)]);
            assert!(faults.len() == 1 && faults[0].contains(&name.to_uppercase()), "{name}={value}: {faults:?}");
        }
    }
}
