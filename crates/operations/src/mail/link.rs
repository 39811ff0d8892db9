//! The address that an invitation leads to.

use std::str::FromStr;

use tenantry_domain::{Refusal, is_this_machine};
use url::Url;

/// Where an invitation is accepted: the address of a page of the operator's own, with `{token}` where the token belongs, such
/// as `https://app.example.com/join#{token}`. Behind a `#` it does not reach that page's server, nor its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationLink(String);

const PLACE: &str = "{token}";

impl InvitationLink {
    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The link with this token, which must consist of letters, digits, `-` and `_`.
    pub fn with(&self, token: &str) -> String {
        self.0.replacen(PLACE, token, 1)
    }
}

impl FromStr for InvitationLink {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        match objection(raw) {
            Some(why) => Err(Refusal::new(
                "not_an_invitation_link",
                format!("must be a URL such as \"https://app.example.com/join#{PLACE}\": {why}"),
            )),
            None => Ok(Self(raw.to_owned())),
        }
    }
}

fn objection(raw: &str) -> Option<String> {
    if raw.len() > 2_000 {
        return Some("it is longer than 2,000 characters".to_owned());
    }
    // The URL standard drops tabs and newlines silently.
    if raw.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Some("it contains white space or a control character".to_owned());
    }
    if raw.matches(PLACE).count() != 1 {
        return Some(format!("it must contain {PLACE} exactly once"));
    }
    if raw.replacen(PLACE, "", 1).contains(['{', '}']) {
        return Some(format!("it has braces besides those of {PLACE}"));
    }
    let link = match Url::parse(&raw.replacen(PLACE, "token", 1)) {
        Ok(link) => link,
        Err(error) => return Some(error.to_string()),
    };
    if !link.username().is_empty() || link.password().is_some() {
        return Some("it contains a user name or password".to_owned());
    }
    // A browser opens the link, and browsers keep all of `.localhost` to this machine (RFC 6761).
    let is_here = is_this_machine(&link) || link.domain().is_some_and(|name| name.ends_with(".localhost"));
    match link.scheme() {
        "https" => {}
        "http" if is_here => {}
        "http" => return Some("http is allowed only for this machine".to_owned()),
        scheme => return Some(format!("its scheme is {scheme:.20}")),
    }
    // Two tokens, one server.
    let other = Url::parse(&raw.replacen(PLACE, "other", 1)).ok();
    if other.is_none_or(|other| other.origin() != link.origin()) {
        return Some(format!("{PLACE} must come after the host"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_where_the_pattern_says() {
        for (pattern, link) in [
            ("https://app.example.com/join#{token}", "https://app.example.com/join#aZ09"),
            ("https://app.example.com/join/{token}/now?a=%7B", "https://app.example.com/join/aZ09/now?a=%7B"),
            ("https://app.example.com:8443/?t={token}&x=1", "https://app.example.com:8443/?t=aZ09&x=1"),
            ("http://localhost:3000/{token}", "http://localhost:3000/aZ09"),
            ("http://app.localhost/{token}", "http://app.localhost/aZ09"),
            ("http://127.0.0.1:3000/{token}", "http://127.0.0.1:3000/aZ09"),
            ("http://[::1]:3000/{token}", "http://[::1]:3000/aZ09"),
        ] {
            let parsed = InvitationLink::from_str(pattern).unwrap_or_else(|refusal| panic!("{pattern}: {refusal}"));
            assert_eq!((parsed.as_str(), parsed.with("aZ09").as_str()), (pattern, link));
        }
    }

    #[test]
    fn a_pattern_that_makes_no_safe_link_is_refused() {
        for pattern in [
            "",
            "{token}",
            "/join/{token}",
            "https://app.example.com/join",
            "https://app.example.com/{token}/{token}",
            "https://app.example.com/{TOKEN}",
            "https://app.example.com/{{token}}",
            "https://app.example.com/{locale}/join#{token}",
            "https://app.example.com/{token }",
            "https://{token}.example.com/",
            "https://app.example.com:{token}/",
            "https://{token}@app.example.com/",
            "https://user:secret@app.example.com/{token}",
            "http://app.example.com/{token}",
            "http://10.0.0.1/{token}",
            "http://localhost.example.com/{token}",
            "{token}://app.example.com/",
            "javascript:alert('{token}')",
            "mailto:ada@example.com?subject={token}",
            "https://app.example.com/ {token}",
            "https://app.example.com/\n{token}",
            " https://app.example.com/{token}",
            "https://exa mple.com/{token}",
            "https:///{token}",
        ] {
            let refusal = InvitationLink::from_str(pattern).expect_err(pattern);
            assert_eq!(refusal.code, "not_an_invitation_link", "{pattern:?}");
        }
    }
}
