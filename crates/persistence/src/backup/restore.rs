//! Restores a backup into an empty database, and compares what is there then with what the manifest says.

use std::{collections::BTreeSet, path::Path};

use diesel::{PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types};

use super::{Archive, BackupError, Manifest, Rows, client::Programs, connect, rows};
use crate::migrate::known_versions;

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The rows that were restored and counted.
    pub rows: Rows,
    /// How many waiting emails were held back: they may have been sent since the backup.
    pub emails_held_back: u64,
}

#[derive(QueryableByName)]
struct Target {
    #[diesel(sql_type = sql_types::Text)]
    role: String,
    #[diesel(sql_type = sql_types::Text)]
    database: String,
    #[diesel(sql_type = sql_types::Text)]
    owner: String,
    #[diesel(sql_type = sql_types::Bool)]
    is_owner: bool,
    #[diesel(sql_type = sql_types::Bool)]
    has_service: bool,
    #[diesel(sql_type = sql_types::BigInt)]
    relations: i64,
    #[diesel(sql_type = sql_types::Integer)]
    server: i32,
}

const TARGET: &str = "SELECT current_user::text AS role, datname::text AS database, rolname::text AS owner,
        pg_has_role(current_user, datdba, 'MEMBER') AS is_owner,
        EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_service') AS has_service,
        (SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
         WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema') AS relations,
        current_setting('server_version_num')::int / 10000 AS server
    FROM pg_database JOIN pg_roles ON pg_roles.oid = datdba WHERE datname = current_database()";

/// Checks that this backup can be restored into the database at this URL: that it is empty, that the role owns it, and that the
/// versions fit. Changes nothing.
///
/// # Errors
///
/// See [`BackupError`].
pub fn check_target(url: &str, manifest: &Manifest) -> Result<(), BackupError> {
    target(&mut connect(url)?, manifest).map(drop)
}

fn target(connection: &mut PgConnection, manifest: &Manifest) -> Result<Target, BackupError> {
    let known: BTreeSet<_> = known_versions().into_iter().collect();
    let unknown: Vec<_> = manifest.migrations.iter().filter(|version| !known.contains(*version)).collect();
    if let Some(first) = unknown.first() {
        return Err(BackupError::File(format!(
            "the backup has the migration {first}, which this program does not know: restore it with the newer program that made it \
             (version {})",
            manifest.tenantry
        )));
    }
    let target: Target = sql_query(TARGET).get_result(connection)?;
    let Target { role, database, owner, .. } = &target;
    if u32::try_from(target.server).unwrap_or_default() < manifest.server {
        return Err(BackupError::File(format!(
            "the backup was made from PostgreSQL {}, and this server is PostgreSQL {}: restore it into version {} or later",
            manifest.server, target.server, manifest.server
        )));
    }
    if !target.is_owner {
        return Err(BackupError::Role(format!(
            "the database role \"{role}\" does not own the database \"{database}\". Restore as its owner \"{owner}\": set \
             TENANTRY_OWNER_DATABASE_URL"
        )));
    }
    if !target.has_service {
        return Err(BackupError::Role(
            "this server has no role tenantry_service, which the backup grants permissions to. As an administrator run CREATE ROLE \
             tenantry_service LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD '…'"
                .to_owned(),
        ));
    }
    if target.relations > 0 {
        return Err(BackupError::NotEmpty(format!(
            "the database \"{database}\" is not empty, and a restore overwrites nothing. As an administrator create an empty one with \
             CREATE DATABASE \"{database}_restored\" OWNER \"{owner}\", and let the database URLs name it"
        )));
    }
    Ok(target)
}

/// Restores a backup into the empty database at this URL, which this role owns: all of it or nothing. Compares the rows with the
/// manifest, holds back the emails that were waiting, and takes the right to connect from everybody but the service.
///
/// # Errors
///
/// See [`BackupError`].
pub fn restore(archive: &mut Archive, url: &str, pg_bin: Option<&Path>) -> Result<Restored, BackupError> {
    let manifest = archive.manifest().clone();
    let mut connection = connect(url)?;
    let Target { database, owner, server, .. } = target(&mut connection, &manifest)?;
    let programs = Programs::find(pg_bin, manifest.pg_dump.max(u32::try_from(server).unwrap_or_default()))?;
    programs.restore(url, &owner, archive)?;
    connection.batch_execute(&format!("SET ROLE \"{owner}\""))?;
    let rows = unforced(&mut connection, "ROLLBACK", rows::count)?;
    let differences = manifest.rows.differences(&rows);
    if !differences.is_empty() {
        return Err(BackupError::Differs(format!(
            "the database does not have the rows that the backup says it has, so do not use it: {}",
            differences.join("; ")
        )));
    }
    let emails_held_back = hold_back_emails(&mut connection, &manifest, &rows)?;
    connection.batch_execute(&format!(
        "REVOKE ALL ON DATABASE \"{database}\" FROM PUBLIC; GRANT CONNECT ON DATABASE \"{database}\" TO tenantry_service;
         DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_backup') THEN
             GRANT CONNECT ON DATABASE \"{database}\" TO tenantry_backup;
         END IF; END $$"
    ))?;
    Ok(Restored { rows, emails_held_back })
}

/// They are given up and not lost: an operator looks at them and has them sent.
fn hold_back_emails(connection: &mut PgConnection, manifest: &Manifest, rows: &Rows) -> Result<u64, BackupError> {
    if !rows.tables.contains_key("outbox_messages") {
        return Ok(0);
    }
    let why = format!("held back by a restore of the backup of {}", manifest.made_at.format("%Y-%m-%d %H:%M UTC"));
    let held = unforced(connection, "COMMIT", |connection| {
        let held =
            "UPDATE outbox_messages SET state = 'dead', last_error = $1, updated_at = now() WHERE state = 'pending'";
        let held = sql_query(held).bind::<sql_types::Text, _>(why).execute(connection)?;
        sql_query("UPDATE tenants SET mail_due_at = NULL WHERE mail_due_at IS NOT NULL").execute(connection)?;
        Ok(held)
    })?;
    Ok(held as u64)
}

#[derive(QueryableByName)]
struct Forced {
    #[diesel(sql_type = sql_types::Text)]
    name: String,
}

/// A transaction in which row security does not bind the owner. In a database that was empty a moment ago nobody waits for its locks.
fn unforced<T>(
    connection: &mut PgConnection,
    end: &str,
    work: impl FnOnce(&mut PgConnection) -> Result<T, diesel::result::Error>,
) -> Result<T, BackupError> {
    let forced = "SELECT relname::text AS name FROM pg_class
        WHERE relforcerowsecurity AND relnamespace = 'public'::regnamespace ORDER BY 1";
    connection.batch_execute("BEGIN")?;
    let forced: Vec<Forced> = sql_query(forced).load(connection)?;
    let alter = |connection: &mut PgConnection, how: &str| {
        let tables =
            forced.iter().map(|table| format!("ALTER TABLE public.\"{}\" {how} ROW LEVEL SECURITY;", table.name));
        connection.batch_execute(&tables.collect::<String>())
    };
    alter(connection, "NO FORCE")?;
    let done = work(connection)?;
    alter(connection, "FORCE")?;
    connection.batch_execute(end)?;
    Ok(done)
}
