//! Lists the Markdown of the repository, the pictures in it and the files that its pages include, for the program to carry.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};

/// How the line of a page ends that gives way to the file which it links to.
const INCLUDED: &str = " \"included\")";

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
    let included = included(&root, &pages)?;
    let list = format!(
        "/// Each page: its path in the repository, and its text.\npub(crate) const PAGES: &[(&str, &str)] = &[\n{}];\n\
         /// Each picture in the same way.\npub(crate) const PICTURES: &[(&str, &str)] = &[\n{}];\n\
         /// Each line of a page that gives way to a file: the page, the line, and the file in the same way.\n\
         pub(crate) const INCLUDED: &[(&str, &str, (&str, &str))] = &[\n{included}];\n",
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

/// What these pages include. A file that is missing is an error, so that no page is without its sample.
fn included(root: &Path, pages: &[PathBuf]) -> Result<String, Box<dyn Error>> {
    let mut found = String::new();
    for page in pages {
        let (text, directory) = (fs::read_to_string(page)?, page.parent().ok_or("a page is in no directory")?);
        for line in text.lines().filter(|line| line.starts_with('[')) {
            let link = line.strip_suffix(INCLUDED).and_then(|line| line.split_once("](")).map(|(_, link)| link);
            let Some(link) = link else { continue };
            let file = directory.join(link).canonicalize();
            let file = file.map_err(|error| format!("{link} in {}: {error}", page.display()))?;
            found += &format!("    ({:?}, {line:?}, {}),\n", in_repository(root, page)?, row(root, &file)?);
        }
    }
    Ok(found)
}

/// In the order of their names, so that the same files always become the same program.
fn rows(root: &Path, mut paths: Vec<PathBuf>) -> Result<String, Box<dyn Error>> {
    paths.sort();
    paths.iter().map(|path| Ok(format!("    {},\n", row(root, path)?))).collect()
}

/// A file: its path in the repository, and what it says.
fn row(root: &Path, path: &Path) -> Result<String, Box<dyn Error>> {
    Ok(format!("({:?}, include_str!({:?}))", in_repository(root, path)?, path.display().to_string()))
}

fn in_repository(root: &Path, path: &Path) -> Result<String, Box<dyn Error>> {
    Ok(path.strip_prefix(root)?.to_str().ok_or("a path is not UTF-8")?.replace('\\', "/"))
}
