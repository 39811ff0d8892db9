//! What the service needs inside the server: two roles and a database. Right after every start, whatever a
//! killed process left undone.

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    sql_query,
    sql_types::{Binary, Bool},
};

use super::{error::Error, postmaster::Postmaster};

/// Only what differs is changed, so that opening beside a running service writes nothing.
const ROLES: &str = "
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_owner') THEN
        CREATE ROLE tenantry_owner LOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_service') THEN
        CREATE ROLE tenantry_service LOGIN;
    END IF;
    IF EXISTS (
        SELECT FROM pg_roles WHERE rolname IN ('tenantry_owner', 'tenantry_service')
        AND (NOT rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
    ) THEN
        ALTER ROLE tenantry_owner LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS;
        ALTER ROLE tenantry_service LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS;
    END IF;
END
$$";

const DATABASE: &str = "CREATE DATABASE tenantry OWNER tenantry_owner";

const SCHEMA: &str = "
DO $$
BEGIN
    IF has_schema_privilege('public', 'public', 'USAGE') OR has_schema_privilege('public', 'public', 'CREATE') THEN
        REVOKE ALL ON SCHEMA public FROM PUBLIC;
    END IF;
    IF NOT has_schema_privilege('tenantry_service', 'public', 'USAGE') THEN
        GRANT USAGE ON SCHEMA public TO tenantry_service;
    END IF;
END
$$";

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    yes: bool,
}

#[derive(QueryableByName)]
struct Content {
    #[diesel(sql_type = Binary)]
    content: Vec<u8>,
}

/// Whether the server at the other end is the one that `postmaster` describes.
pub(super) fn is_the_same(connection: &mut PgConnection, postmaster: &Postmaster) -> Result<bool, Error> {
    let query = sql_query("SELECT pg_read_binary_file('postmaster.pid') AS content");
    let seen: Content = query.get_result(connection).map_err(failed("identifying the server"))?;
    Ok(postmaster.is_the_same(&seen.content))
}

/// Creates the roles and the database, and mends them. `admin_url` gives the superuser's address of a database.
pub(super) fn run(admin_url: impl Fn(&str) -> String) -> Result<(), Error> {
    let mut connection = connect(&admin_url("postgres"))?;
    connection.batch_execute(ROLES).map_err(failed("creating the roles"))?;
    let query = sql_query("SELECT EXISTS (SELECT FROM pg_database WHERE datname = 'tenantry') AS yes");
    let exists: Answer = query.get_result(&mut connection).map_err(failed("looking for the database"))?;
    if !exists.yes {
        connection.batch_execute(DATABASE).map_err(failed("creating the database"))?;
    }
    let mut connection = connect(&admin_url("tenantry"))?;
    connection.batch_execute(SCHEMA).map_err(failed("revoking public access to the schema"))
}

fn connect(url: &str) -> Result<PgConnection, Error> {
    PgConnection::establish(url).map_err(failed("connecting"))
}

fn failed<E: std::error::Error + Send + Sync + 'static>(doing: &'static str) -> impl FnOnce(E) -> Error {
    move |source| Error::Setup { doing, source: Box::new(source) }
}
