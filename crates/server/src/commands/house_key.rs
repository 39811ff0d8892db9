//! `tenantry platform-key` and `tenantry service-key`.

use serde_json::json;
use tenantry_auth::{HouseKey, KeyHash, PlatformKey, Secret, ServiceKey, issue_platform, issue_service};

use crate::{exit::Exit, output::Output};

/// Creates a platform key and prints it with the hash by which the service recognises it.
pub(crate) fn platform(output: &Output) -> Result<(), Exit> {
    print::<PlatformKey>(&issue_platform()?, ("platformKey", "TENANTRY_PLATFORM_KEY_SHA256"), output)
}

/// The same for a service key.
pub(crate) fn service(output: &Output) -> Result<(), Exit> {
    print::<ServiceKey>(&issue_service()?, ("serviceKey", "TENANTRY_SERVICE_KEY_SHA256"), output)
}

fn print<K: HouseKey>(key: &Secret, (field, variable): (&str, &str), output: &Output) -> Result<(), Exit> {
    let (secret, hash) = (key.reveal().to_owned(), KeyHash::<K>::of(key).to_string());
    output.print(&json!({ field: secret, "sha256": hash }), || {
        format!(
            "{:<12}  {secret}
SHA-256       {hash}
              Save the key now: it is not shown again. Start the service with the hash:
              {variable}={hash}
              To replace a key, list both hashes, separated by a comma, until nobody uses the old key.",
            K::NAME
        )
    })
}
