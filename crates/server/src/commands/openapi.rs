//! `tenantry openapi`.

use crate::{
    exit::Exit,
    output::{Format, Output},
};

/// Prints the document as it is served.
pub(crate) fn print(output: &Output) -> Result<(), Exit> {
    let document = tenantry_http::document();
    match output.format() {
        Format::Text => {
            let yaml = tenantry_http::to_yaml(&document)
                .map_err(|error| Exit::failed(format!("cannot write the document: {error}")))?;
            output.line(yaml.trim_end())
        }
        Format::Json => output.print(&document, String::new),
    }
}
