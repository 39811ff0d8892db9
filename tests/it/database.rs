//! The database server that the other tests share, in the process that they start for it.

/// On its own it has nothing to do.
#[test]
fn server() {
    tenantry_tests::serve_database_if_asked();
}
