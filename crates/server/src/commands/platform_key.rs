//! `tenantry platform-key`.

use serde_json::json;
use tenantry_auth::{PlatformKeyHash, issue_platform};

use crate::{exit::Exit, output::Output};

/// Creates a key and prints it with the hash by which the service recognises it.
pub(crate) fn make(output: &Output) -> Result<(), Exit> {
    let key = issue_platform()?;
    let (secret, hash) = (key.reveal().to_owned(), PlatformKeyHash::of(&key).to_string());
    output.print(&json!({ "platformKey": secret, "sha256": hash }), || {
        format!(
            "platform key  {secret}
SHA-256       {hash}
              Save the key now: it is not shown again. Start the service with the hash:
              TENANTRY_PLATFORM_KEY_SHA256={hash}
              To replace a key, list both hashes, separated by a comma, until nobody uses the old key."
        )
    })
}
