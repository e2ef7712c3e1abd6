//! The schema, its versions, and how a database gets from one to the next.

use super::failure::{corrupt, failed};
use super::options::SqliteOptions;
use super::pool::Tx;
use super::session::{Session, integer};
use crate::{Result, StoreError};
use helpdesk_core::ticket::message::hex;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicI64, Ordering};

/// The migrations in order; the first makes version 1. A released one never changes. Each changes
/// a table or an index, so that [`Seen`] notices it.
const MIGRATIONS: &[&str] = &[
    include_str!("schema_1.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
];

/// Where a database's schema stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaState {
    /// It is the one that this version writes.
    Current,
    /// It is older, or not there (0): it must be migrated.
    Behind {
        /// The database's version.
        found: u32,
        /// Ours.
        known: u32,
    },
}

/// The version that this crate writes.
pub(super) fn known() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// Looks where the schema stands.
pub(super) fn check(conn: &Connection, options: &SqliteOptions) -> Result<SchemaState> {
    let found = found(conn, options.prefix())?;
    if found == known() {
        return Ok(SchemaState::Current);
    }
    Ok(SchemaState::Behind { found, known: known() })
}

/// Brings the schema up to date in one transaction.
pub(super) fn migrate(conn: &Connection, options: &SqliteOptions) -> Result<()> {
    if check(conn, options)? == SchemaState::Current {
        return Ok(());
    }
    // Another process may have been first.
    let tx = Tx::write(conn)?;
    let sql = pending_sql(conn, options)?;
    conn.execute_batch(&sql).map_err(failed)?;
    tx.commit()
}

/// What [`migrate`] would run.
pub(super) fn pending_sql(conn: &Connection, options: &SqliteOptions) -> Result<String> {
    let prefix = options.prefix();
    let found = found(conn, prefix)?;
    let mut sql = String::new();
    if found < known() {
        sql += &format!(
            "CREATE TABLE IF NOT EXISTS {prefix}schema \
             (version INTEGER PRIMARY KEY, checksum TEXT NOT NULL);\n"
        );
    }
    for (version, migration) in (1..).zip(MIGRATIONS).skip(found as usize) {
        sql += &migration.replace("{p}", prefix);
        sql += &format!(
            "INSERT INTO {prefix}schema (version, checksum) VALUES ({version}, '{}');\n",
            checksum(migration)
        );
    }
    Ok(sql)
}

/// The database's version, 0 without one.
fn found(conn: &Connection, prefix: &str) -> Result<u32> {
    let table = format!("{prefix}schema");
    let exists = conn
        .query_row(
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1",
            params![table],
            |_| Ok(()),
        )
        .optional()
        .map_err(failed)?
        .is_some();
    if !exists {
        return Ok(0);
    }
    let sql = format!("SELECT version, checksum FROM {table} ORDER BY version");
    let mut statement = conn.prepare(&sql).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut found = 0;
    while let Some(row) = rows.next().map_err(failed)? {
        let version: u32 = row.get(0).map_err(failed)?;
        let stored: String = row.get(1).map_err(failed)?;
        if let Some(migration) = (version as usize).checked_sub(1).and_then(|at| MIGRATIONS.get(at))
            && (version != found + 1 || stored != checksum(migration))
        {
            return Err(corrupt(format!("schema version {version} is not the one released")));
        }
        found = version;
    }
    if found > known() {
        return Err(StoreError::SchemaNewer { found, known: known() });
    }
    Ok(found)
}

/// What a store has seen of the schema. Another process may bring it further while this one
/// works: whoever goes on with the statements of an earlier version would leave out what the
/// newer one relies on.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// SQLite's own count of the database's changes of tables, as of the last look.
    n_changes: AtomicI64,
}

impl Seen {
    /// Looks whether the schema is still one that this version knows; at the versions only
    /// where a table changed. For the beginning of a transaction.
    pub(super) fn check(&self, session: &Session<'_>) -> Result<()> {
        let n_changes = session
            .first("PRAGMA schema_version", [], |row| integer(row, 0))?
            .ok_or_else(|| corrupt("a database without a schema version"))?;
        if n_changes != self.n_changes.load(Ordering::Relaxed) {
            found(session.conn, session.prefix)?;
            self.n_changes.store(n_changes, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// SHA-256 of a migration before the prefix is put in.
fn checksum(migration: &str) -> String {
    hex(&Sha256::digest(migration.as_bytes()))
}
