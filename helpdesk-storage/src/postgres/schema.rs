//! The schema, its versions, and how a database gets from one to the next.

use super::failure::{corrupt, failed};
use super::options::PostgresOptions;
use super::query::{Link, Query};
use super::read::column;
use crate::plan::invalid;
use crate::{Result, StoreError};
use deadpool_postgres::Client;
use helpdesk_core::ticket::message::hex;
use sha2::{Digest, Sha256};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

/// The migrations in order; the first makes version 1. A released one never changes.
const MIGRATIONS: &[&str] = &[include_str!("schema_1.sql")];

/// The advisory lock under which schemas are migrated, one process at a time: `helpdesk`.
const MIGRATION_LOCK: i64 = 0x6865_6c70_6465_736b;

/// Puts the feed behind what a restored dump holds, and the server's name beside it.
const MOVE_FEED: &str = "UPDATE {p}feed SET server = own.id, shift = greatest(shift, \
    (SELECT coalesce(max(position) >> 20, 0) FROM {p}event) + 1 - pg_current_xact_id()::text::bigint) \
    FROM (SELECT system_identifier AS id FROM pg_control_system()) AS own WHERE server <> own.id";

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
fn known() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// Looks where the schema stands.
pub(super) async fn check(client: &Client, options: &PostgresOptions) -> Result<SchemaState> {
    let link = Link::Pooled(client, options.statements);
    let found = found(link, options).await?;
    if found < known() {
        return Ok(SchemaState::Behind { found, known: known() });
    }
    if is_elsewhere(link, options).await? {
        return Err(invalid(
            "the database was restored on another server: run `migrate` once, so that the feed \
             goes on behind what it holds",
        ));
    }
    Ok(SchemaState::Current)
}

/// Brings the schema up to date in one transaction.
pub(super) async fn migrate(client: &mut Client, options: &PostgresOptions) -> Result<()> {
    let link = Link::Pooled(client, options.statements);
    let is_current = found(link, options).await? == known();
    if is_current && !is_elsewhere(link, options).await? {
        return Ok(());
    }
    let tx = client.transaction().await.map_err(failed)?;
    let lock =
        format!("SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock({MIGRATION_LOCK})");
    tx.batch_execute(&lock).await.map_err(failed)?;
    // Another process may have been first.
    let sql = pending_sql(Link::Inside(&tx), options).await?;
    tx.batch_execute(&sql).await.map_err(failed)?;
    tx.batch_execute(&MOVE_FEED.replace("{p}", &options.tables())).await.map_err(failed)?;
    tx.commit().await.map_err(failed)
}

/// What [`migrate`] would run to bring the schema up to date.
pub(super) async fn pending_sql(link: Link<'_>, options: &PostgresOptions) -> Result<String> {
    let found = found(link, options).await?;
    let (tables, indexes) = (options.tables(), options.prefix());
    let mut sql = String::new();
    if found < known() {
        let schema = options.schema();
        // Who may not make schemas may still own one.
        let mut query = Query::once();
        let name = query.bind(schema.to_owned(), Type::TEXT);
        query.text = format!("SELECT 1 FROM pg_namespace WHERE nspname = {name}");
        if link.rows(&query).await.map_err(failed)?.is_empty() {
            sql += &format!("CREATE SCHEMA \"{schema}\";\n");
        }
        sql += &format!(
            "CREATE TABLE IF NOT EXISTS {tables}schema \
             (version integer PRIMARY KEY, checksum text NOT NULL, at timestamptz NOT NULL DEFAULT now());\n"
        );
    }
    for (version, migration) in (1..).zip(MIGRATIONS).skip(found as usize) {
        sql += &migration.replace("{p}", &tables).replace("{i}", indexes);
        sql += &format!(
            "INSERT INTO {tables}schema (version, checksum) VALUES ({version}, '{}');\n",
            checksum(migration)
        );
    }
    Ok(sql)
}

/// The database's version, 0 without one.
async fn found(link: Link<'_>, options: &PostgresOptions) -> Result<u32> {
    let mut query = Query::once();
    let schema = query.bind(options.schema().to_owned(), Type::TEXT);
    let table = query.bind(format!("{}schema", options.prefix()), Type::TEXT);
    query.text = format!(
        "SELECT getdatabaseencoding()::text, EXISTS (SELECT 1 FROM pg_tables \
         WHERE schemaname = {schema} AND tablename = {table})"
    );
    let about = only(link, &query).await?;
    let encoding: String = column(&about, 0)?;
    if encoding != "UTF8" {
        return Err(invalid(format!(
            "the database's encoding is {encoding}: make one with `ENCODING 'UTF8'`"
        )));
    }
    if !column::<bool>(&about, 1)? {
        return Ok(0);
    }
    let mut query = Query::once();
    query.text =
        format!("SELECT version, checksum FROM {}schema ORDER BY version", options.tables());
    let mut found = 0;
    for row in link.rows(&query).await.map_err(failed)? {
        let version: i32 = column(&row, 0)?;
        let version = u32::try_from(version).map_err(|_| corrupt("a schema below 0"))?;
        let stored: String = column(&row, 1)?;
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

/// Whether the database was written on another server than the one it is on.
async fn is_elsewhere(link: Link<'_>, options: &PostgresOptions) -> Result<bool> {
    let mut query = Query::once();
    query.text = format!(
        "SELECT server <> (SELECT system_identifier FROM pg_control_system()) FROM {}feed",
        options.tables()
    );
    column(&only(link, &query).await?, 0)
}

async fn only(link: Link<'_>, query: &Query) -> Result<Row> {
    let row = link.rows(query).await.map_err(failed)?.pop();
    row.ok_or_else(|| corrupt("a row of the schema is gone"))
}

/// SHA-256 of a migration before names are put in.
fn checksum(migration: &str) -> String {
    hex(&Sha256::digest(migration.as_bytes()))
}
