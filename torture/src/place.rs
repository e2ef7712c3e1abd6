//! Stores that outlive the process which opened them.

use helpdesk_storage::memory::MemoryStore;
use helpdesk_storage::postgres::{PostgresOptions, PostgresStore};
use helpdesk_storage::sqlite::{SqliteOptions, SqliteStore, Synchronous};
use helpdesk_storage::{Result, Store};
use helpdesk_test_support::postgres::fresh_schema;
use pollster::block_on;
use rusqlite::Connection;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// Until a server has done what it was sent.
const SENT_ENDS: Duration = Duration::from_millis(300);

/// Where a store lives. A backend joins with a type of its own and an arm in [`place`].
pub(crate) trait Place: Debug + Sync {
    /// The words by which a child process finds it: [`place`] reads them.
    fn words(&self) -> [String; 2];

    /// Opens it as any process does.
    fn open(&self) -> Result<Arc<dyn Store>>;

    /// What the backend itself says of the state that it finds; panics unless it is whole.
    fn check(&self);
}

/// The place that these words name.
pub(crate) fn place(kind: &str, at: &str) -> Box<dyn Place> {
    match kind {
        "sqlite" => Box::new(SqlitePlace::new(Path::new(at))),
        "postgres" => Box::new(PostgresPlace::read(at)),
        _ => panic!("no backend `{kind}`: take sqlite or postgres"),
    }
}

/// The memory of this process: what opens it again finds what was there.
#[derive(Debug, Default)]
pub(crate) struct MemoryPlace(Arc<MemoryStore>);

impl Place for MemoryPlace {
    fn words(&self) -> [String; 2] {
        ["memory".to_owned(), String::new()]
    }

    fn open(&self) -> Result<Arc<dyn Store>> {
        Ok(self.0.clone())
    }

    fn check(&self) {}
}

/// A database in a file.
#[derive(Debug)]
pub(crate) struct SqlitePlace {
    path: PathBuf,
    /// Its folder, if it goes with this.
    _folder: Option<TempDir>,
}

impl SqlitePlace {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_path_buf(), _folder: None }
    }

    /// A database that is gone with this.
    pub(crate) fn fresh() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { path: folder.path().join("desk.db"), _folder: Some(folder) }
    }
}

impl Place for SqlitePlace {
    fn words(&self) -> [String; 2] {
        ["sqlite".to_owned(), self.path.to_str().unwrap().to_owned()]
    }

    fn open(&self) -> Result<Arc<dyn Store>> {
        // The death of a process loses no page that was written, whatever is synced.
        let options = SqliteOptions::default()
            .with_synchronous(Synchronous::Normal)
            .with_readers(2)
            .with_busy_timeout(Duration::from_secs(20));
        Ok(Arc::new(SqliteStore::open(&self.path, options)?))
    }

    fn check(&self) {
        assert_eq!(integrity(&self.path), "ok", "integrity_check of {}", self.path.display());
    }
}

/// A schema of a PostgreSQL server.
#[derive(Debug)]
pub(crate) struct PostgresPlace {
    address: String,
    schema: String,
}

impl PostgresPlace {
    /// A schema of its own on this server.
    pub(crate) fn fresh(address: String) -> Self {
        Self { address, schema: fresh_schema() }
    }

    fn read(at: &str) -> Self {
        let (schema, address) = at.split_once(' ').unwrap();
        Self { address: address.to_owned(), schema: schema.to_owned() }
    }
}

impl Place for PostgresPlace {
    fn words(&self) -> [String; 2] {
        ["postgres".to_owned(), format!("{} {}", self.schema, self.address)]
    }

    fn open(&self) -> Result<Arc<dyn Store>> {
        let options = PostgresOptions::default().with_schema(&self.schema)?.with_connections(4);
        Ok(Arc::new(block_on(PostgresStore::open(&self.address, options))?))
    }

    /// What a killed process had sent, the server still does. It has checked itself what
    /// it found when it started.
    fn check(&self) {
        std::thread::sleep(SENT_ENDS);
    }
}

/// What SQLite says of a database: `ok` for one that is whole.
pub(crate) fn integrity(path: &Path) -> String {
    let database = Connection::open(path).unwrap();
    database.busy_timeout(Duration::from_secs(20)).unwrap();
    let said = database.query_row("PRAGMA integrity_check", [], |row| row.get(0));
    said.unwrap_or_else(|error| error.to_string())
}

/// Every row of every table, as text.
pub(crate) fn tables(path: &Path) -> Vec<String> {
    let database = Connection::open(path).unwrap();
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut statement = database.prepare(names).unwrap();
    let names = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let mut rows = Vec::new();
    for name in names {
        let name = name.unwrap();
        let mut statement = database.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
        let n_columns = statement.column_count();
        let text = statement.query_map([], |row| {
            let values = (0..n_columns).map(|at| row.get::<_, rusqlite::types::Value>(at));
            Ok(format!("{name} {:?}", values.collect::<rusqlite::Result<Vec<_>>>()?))
        });
        rows.extend(text.unwrap().map(|row| row.unwrap()));
    }
    rows
}
