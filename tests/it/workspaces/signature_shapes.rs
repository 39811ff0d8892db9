//! Signatures as mail programs and generators write them: what is stored of each, and what is said to be gone.

use std::{fmt::Write, fs, path::Path};

use insta::assert_snapshot;
use tenantry_domain::SignatureHtml;

#[test]
fn what_mail_programs_and_generators_write_is_kept_as_the_snapshots_say() {
    let shapes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/it/workspaces/shapes");
    let mut files: Vec<_> = fs::read_dir(shapes).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 12);
    for file in files {
        let signature: SignatureHtml = fs::read_to_string(&file).unwrap().parse().unwrap();
        let mut shown = signature.as_str().to_owned();
        for one in signature.removed() {
            let (kind, name, element) = (one.kind.as_str(), &one.name, &one.element);
            write!(shown, "\nremoved: {kind} {name:.60} of {element} {}, {} times", one.number, one.count).unwrap();
        }
        assert_snapshot!(file.file_stem().unwrap().to_str().unwrap(), shown);
    }
}
