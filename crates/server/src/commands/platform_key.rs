//! `tenantry platform-key`.

use serde_json::json;
use tenantry_auth::{PlatformKeyHash, issue_platform};

use crate::{exit::Exit, output::Output};

/// Makes a key and prints it with the hash by which the service will know it.
pub(crate) fn make(output: &Output) -> Result<(), Exit> {
    let key = issue_platform()?;
    let (secret, hash) = (key.reveal().to_owned(), PlatformKeyHash::of(&key).to_string());
    output.print(&json!({ "platformKey": secret, "sha256": hash }), || {
        format!(
            "platform key  {secret}
SHA-256       {hash}
              Keep the key: it is not shown again. The service knows it by its hash. Start it with
              TENANTRY_PLATFORM_KEY_SHA256={hash}
              To replace a key, list both hashes with a comma between them until nobody uses the old one."
        )
    })
}
