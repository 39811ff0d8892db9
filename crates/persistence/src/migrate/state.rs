//! Where the migrations stand, for anybody who may connect. Changes nothing and waits for nobody.

use diesel::connection::SimpleConnection;

use super::{LOCK, MigrateError, Migration, status, turn};
use crate::pool::{establish, set_local_sql};

/// Where the migrations stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationState {
    /// Every migration that this binary knows, in order.
    pub migrations: Vec<Migration>,
    /// The process of PostgreSQL that holds the lock of migrations.
    pub migrating: Option<i32>,
}

/// Where the migrations stand. The role of the service may ask, too.
///
/// # Errors
///
/// [`MigrateError::Unknown`] when the database knows more than this binary, and faults of the connection.
pub fn migration_state(url: &str) -> Result<MigrationState, MigrateError> {
    let mut connection = establish(url)?;
    // For this transaction alone: behind a pooler, what a session is told stays with whoever gets it next.
    let name = set_local_sql(&[("application_name", "tenantry migrate")]);
    connection.batch_execute(&format!("BEGIN READ ONLY; {name}"))?;
    let migrations = status(&mut connection)?;
    let migrating = turn::holder(&mut connection, LOCK)?.map(|holder| holder.process);
    connection.batch_execute("ROLLBACK")?;
    Ok(MigrationState { migrations, migrating })
}
