//! Where callers find the service: the address under which a proxy publishes it, perhaps under a path.

use actix_web::{
    dev::ServiceRequest,
    http::{
        Uri,
        header::{self, HeaderMap, HeaderName, HeaderValue},
        uri::PathAndQuery,
    },
};
use tenantry_domain::service_url;

/// The address under which callers find the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    /// Without a slash at the end.
    url: String,
    /// What stands in front of every path; empty, or with a slash at its beginning and none at its end.
    path: String,
}

impl PublicUrl {
    /// Reads an address such as `https://example.com/tenantry`.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(raw: &str) -> Result<Self, &'static str> {
        let url = service_url(raw)?;
        if url.query().is_some() {
            return Err("must not have a query");
        }
        let path = url.path().trim_end_matches('/');
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        if !path.bytes().all(is_plain) || path.contains("//") {
            return Err("must have a path of letters, digits, - . _ ~ and single slashes, or none");
        }
        Ok(Self { url: format!("{}{path}", url.origin().ascii_serialization()), path: path.to_owned() })
    }

    /// The address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Takes the path off that the proxy has left on. Most proxies take it off themselves.
    pub(crate) fn take_off(&self, request: &mut ServiceRequest) {
        let uri = request.uri();
        let Some(rest) = uri
            .path()
            .strip_prefix(&self.path)
            .filter(|rest| !self.path.is_empty() && (rest.is_empty() || rest.starts_with('/')))
        else {
            return;
        };
        // The path alone, as people write it.
        let rest = if rest.is_empty() { "/" } else { rest };
        let rest = uri.query().map_or_else(|| rest.to_owned(), |query| format!("{rest}?{query}"));
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = PathAndQuery::try_from(rest).ok();
        let Ok(uri) = Uri::from_parts(parts) else { return };
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }

    /// Puts it in front of the paths in the headers of an answer.
    pub(crate) fn put_on(&self, headers: &mut HeaderMap) {
        if self.path.is_empty() {
            return;
        }
        self.replace(headers, header::LOCATION, "/");
        self.replace(headers, header::LINK, "</");
    }

    /// Where a header begins like this, the slash at the end of the beginning is preceded by the path.
    fn replace(&self, headers: &mut HeaderMap, name: HeaderName, beginning: &str) {
        let value =
            headers.get(&name).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix(beginning));
        let value = value.map(|rest| format!("{}{}/{rest}", beginning.trim_end_matches('/'), self.path));
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn an_address_has_a_path_or_none() {
        for (raw, url, path) in [
            ("https://example.com", "https://example.com", ""),
            ("https://example.com/", "https://example.com", ""),
            ("https://Example.com:443/a/b/", "https://example.com/a/b", "/a/b"),
            ("http://localhost:8080/x", "http://localhost:8080/x", "/x"),
        ] {
            assert_eq!(PublicUrl::parse(raw), Ok(PublicUrl { url: url.to_owned(), path: path.to_owned() }));
        }
        for bad in [
            "",
            "/tenantry",
            "http://example.com",
            "https://example.com/a?b",
            "https://example.com/a#b",
            "https://user@example.com",
            "https://example.com/a//b",
            "https://example.com/a%20b",
            "https://example.com/{a}",
        ] {
            assert!(PublicUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_path_is_taken_off_where_it_is_and_put_in_front_of_paths() {
        let public = PublicUrl::parse("https://example.com/t").unwrap();
        for (asked, seen) in [
            ("/t/api/me?a=/t/b", "/api/me?a=/t/b"),
            ("/api/me", "/api/me"),
            ("/t", "/"),
            ("/t?a=b", "/?a=b"),
            ("/tt/api", "/tt/api"),
            ("/t/t/x", "/t/x"),
            ("/t/", "/"),
        ] {
            let mut request = TestRequest::with_uri(asked).to_srv_request();
            public.take_off(&mut request);
            assert_eq!(request.uri().to_string(), seen);
            assert_eq!(request.path(), seen.split('?').next().unwrap());
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::LOCATION, HeaderValue::from_static("/api/brands/1"));
        headers.insert(header::LINK, HeaderValue::from_static("</api/x?cursor=1>; rel=\"next\""));
        public.put_on(&mut headers);
        assert_eq!(headers.get(header::LOCATION).unwrap(), "/t/api/brands/1");
        assert_eq!(headers.get(header::LINK).unwrap(), "</t/api/x?cursor=1>; rel=\"next\"");
        headers.insert(header::LOCATION, HeaderValue::from_static("https://elsewhere.example/"));
        public.put_on(&mut headers);
        assert_eq!(headers.get(header::LOCATION).unwrap(), "https://elsewhere.example/");
    }
}
