//! Lists the Markdown of the repository, and the pictures in it, for the program to carry.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};

/// Pages that stand elsewhere, because people look for them there.
const AT_THE_ROOT: [&str; 2] = ["CHANGELOG.md", "CONTRIBUTING.md"];

fn main() -> Result<(), Box<dyn Error>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo tells build scripts where to read and write in the environment"
    )]
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).ok_or(format!("{name} is not set"));
    let root = variable("CARGO_MANIFEST_DIR")?.join("../..").canonicalize()?;
    let (mut pages, mut pictures) = (Vec::new(), Vec::new());
    for name in AT_THE_ROOT {
        println!("cargo::rerun-if-changed={}", root.join(name).display());
        pages.push(root.join(name));
    }
    println!("cargo::rerun-if-changed={}", root.join("docs").display());
    below(&root.join("docs"), &mut |path| match path.extension().and_then(|extension| extension.to_str()) {
        Some("md") => pages.push(path),
        Some("svg") => pictures.push(path),
        _ => {}
    })?;
    let list = format!(
        "/// Each page: its path in the repository, and its text.\npub(crate) const PAGES: &[(&str, &str)] = &[\n{}];\n\
         /// Each picture in the same way.\npub(crate) const PICTURES: &[(&str, &str)] = &[\n{}];\n",
        rows(&root, pages)?,
        rows(&root, pictures)?
    );
    fs::write(variable("OUT_DIR")?.join("sources.rs"), list)?;
    Ok(())
}

fn below(directory: &Path, take: &mut impl FnMut(PathBuf)) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            below(&path, take)?;
        } else {
            take(path);
        }
    }
    Ok(())
}

/// In the order of their names, so that the same files always become the same program.
fn rows(root: &Path, mut paths: Vec<PathBuf>) -> Result<String, Box<dyn Error>> {
    paths.sort();
    let row = |path: PathBuf| {
        let name = path.strip_prefix(root)?.to_str().ok_or("a path is not UTF-8")?.replace('\\', "/");
        Ok(format!("    ({name:?}, include_str!({:?})),\n", path.display().to_string()))
    };
    paths.into_iter().map(row).collect()
}
