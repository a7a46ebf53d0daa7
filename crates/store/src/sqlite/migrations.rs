//! The schema, step by step.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::faults::fault;
use crate::error::{StoreError, StoreResult};

/// Migration N takes a database from schema N − 1 to schema N. What was released is never changed.
const MIGRATIONS: [&str; 11] = [
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_blocks.sql"),
    include_str!("migrations/0003_library.sql"),
    include_str!("migrations/0004_generations.sql"),
    include_str!("migrations/0005_embedded.sql"),
    include_str!("migrations/0006_owners.sql"),
    include_str!("migrations/0007_shared.sql"),
    include_str!("migrations/0008_trash.sql"),
    include_str!("migrations/0009_users.sql"),
    include_str!("migrations/0010_provider_keys.sql"),
    include_str!("migrations/0011_limits.sql"),
];

/// The newest schema that this program knows.
pub(super) const NEWEST: i64 = MIGRATIONS.len() as i64;

/// Brings the schema up to date, each step in its own transaction, which looks at the version
/// again: of processes that start at the same time, one does it and the others wait.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> StoreResult<()> {
    let fault = |error| fault(path, error);
    if version(connection, path)? == NEWEST {
        return Ok(());
    }
    for (number, migration) in (1_i64..).zip(MIGRATIONS) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault)?;
        if version(&transaction, path)? < number {
            transaction.execute_batch(migration).map_err(fault)?;
            transaction.pragma_update(None, "user_version", number).map_err(fault)?;
        }
        transaction.commit().map_err(fault)?;
    }
    Ok(())
}

/// The number of the database's schema, 0 if it is empty; an error if it is not ours.
fn version(connection: &Connection, path: &Path) -> StoreResult<i64> {
    let fault = |error| fault(path, error);
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(fault)?;
    if found > NEWEST {
        return Err(StoreError::Newer { path: path.into(), found, known: NEWEST });
    }
    if found == 0 {
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(fault)?;
        if tables != 0 {
            let detail = "it holds tables of another program".to_owned();
            return Err(StoreError::Corrupt { path: path.into(), detail });
        }
    }
    Ok(found)
}
