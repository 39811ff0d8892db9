//! Compresses the script of the documentation page: no request waits for it, and the program does not carry it twice.

use std::{error::Error, fs::File, io::Write, path::Path};

use flate2::{Compression, GzBuilder};

const SCRIPT: &str = "scalar.js";

fn main() -> Result<(), Box<dyn Error>> {
    // Only a new version of the crate that brings the script changes it, and then cargo runs this again in any case.
    println!("cargo::rerun-if-changed=build.rs");
    let script = scalar_api_reference::get_asset(SCRIPT).ok_or("scalar_api_reference has no scalar.js")?;
    #[expect(clippy::disallowed_methods, reason = "cargo tells build scripts where to write in the environment")]
    let directory = std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    let file = File::create(Path::new(&directory).join(SCRIPT).with_extension("js.gz"))?;
    // Without a time and a file name, the same script always becomes the same bytes.
    let mut gzip = GzBuilder::new().write(file, Compression::best());
    gzip.write_all(&script)?;
    gzip.finish()?;
    Ok(())
}
