//! Stores on PostgreSQL servers.

use helpdesk_storage::postgres::{PostgresOptions, PostgresStore, StatementMode};
use helpdesk_test_support::postgres::fresh_schema;
use pollster::block_on;

/// Options for a schema that no other test has.
pub(crate) fn options() -> PostgresOptions {
    PostgresOptions::default().with_schema(&fresh_schema()).unwrap()
}

/// A store in a schema of its own.
pub(crate) fn fresh(address: &str, mode: StatementMode) -> PostgresStore {
    block_on(PostgresStore::open(address, options().with_statements(mode))).unwrap()
}
