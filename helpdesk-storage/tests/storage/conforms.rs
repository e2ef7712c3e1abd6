//! Each backend passes the suite.

use crate::servers::fresh;
use helpdesk_storage::memory::MemoryStore;
use helpdesk_storage::postgres::StatementMode;
use helpdesk_storage::sqlite::{SqliteOptions, SqliteStore, Synchronous};
use helpdesk_storage::{Store, conformance};
use std::sync::Arc;

fn check(store: impl Fn() -> Arc<dyn Store>) {
    let outcome = pollster::block_on(conformance::run(async |_| Ok(store())));
    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
    let report = outcome.unwrap();
    assert!(report.skipped.is_empty(), "{report}");
    assert_eq!(report.n_passed, conformance::cases().len());
}

#[test]
fn memory_store_conforms() {
    check(|| Arc::new(MemoryStore::default()));
}

#[test]
fn sqlite_store_in_memory_conforms() {
    check(|| Arc::new(SqliteStore::open_in_memory(SqliteOptions::default()).unwrap()));
}

fn check_files(options: &SqliteOptions) {
    let directory = tempfile::tempdir().unwrap();
    let n = std::sync::atomic::AtomicU32::new(0);
    let options = options.clone().with_synchronous(Synchronous::Off);
    check(|| {
        let n = n.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = directory.path().join(format!("{n}.db"));
        Arc::new(SqliteStore::open(path, options.clone()).unwrap())
    });
}

#[test]
fn sqlite_store_conforms() {
    check_files(&SqliteOptions::default());
}

#[test]
fn sqlite_store_with_its_file_mapped_conforms() {
    check_files(&SqliteOptions::default().with_mapped_bytes(1 << 30));
}

#[test]
fn postgres_store_conforms() {
    let address = helpdesk_test_support::postgres::shared().unwrap();
    check(|| Arc::new(fresh(&address, StatementMode::Prepared)));
}

#[test]
fn postgres_store_without_named_statements_conforms() {
    let address = helpdesk_test_support::postgres::shared().unwrap();
    check(|| Arc::new(fresh(&address, StatementMode::Unnamed)));
}
