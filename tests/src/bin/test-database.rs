//! A database server for experiments: prints a line of JSON that says how to reach it, and runs until its standard input is closed
//! or it is interrupted.
#![expect(clippy::print_stdout, reason = "prints how to reach the server")]

fn main() {
    tenantry_tests::serve_database(|urls| println!("{urls}"));
}
