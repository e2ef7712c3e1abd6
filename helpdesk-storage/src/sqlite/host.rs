//! Commits inside a transaction of the host's own.

use super::SqliteOptions;
use super::failure::failed;
use super::prepared::Prepared;
use super::schema::Seen;
use super::session::Session;
use super::statements::Statements;
use crate::{ChangeSet, Committed, Result, Series};
use rusqlite::{Connection, Transaction};
use std::borrow::Cow;

/// Commits change sets as part of a transaction of the host's: its rows and ours are
/// committed together or not at all.
///
/// The database must be one that a [`SqliteStore`](super::SqliteStore) has migrated; the
/// store may be open meanwhile, and sees everything once the host's transaction is
/// committed. Begin it with
/// [`TransactionBehavior::Immediate`](rusqlite::TransactionBehavior::Immediate), so that
/// no other writer comes between what is checked and what is written. The change set of a command,
/// decided by all rules of the desk, is made by the engine's `prepare` (`Helpdesk::prepare` of the
/// crate `helpdesk`).
///
/// ```
/// use helpdesk_core::id::{CommandId, TenantId};
/// use helpdesk_storage::sqlite::rusqlite::{Connection, TransactionBehavior};
/// use helpdesk_storage::sqlite::{SqliteOptions, SqliteStore, in_tx};
/// use helpdesk_storage::ChangeSet;
/// use uuid::Uuid;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("shop.db");
/// let store = SqliteStore::open(&path, SqliteOptions::default())?;
/// let mut conn = Connection::open(&path)?;
/// conn.execute_batch("CREATE TABLE shop_order (id INTEGER PRIMARY KEY)")?;
///
/// let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
/// tx.execute("INSERT INTO shop_order (id) VALUES (20471)", [])?;
/// let now = chrono::DateTime::UNIX_EPOCH;
/// let change_set =
///     ChangeSet::new(TenantId(Uuid::from_u128(1)), CommandId(Uuid::from_u128(2)), now);
/// in_tx(&tx).commit(&change_set)?;
/// tx.commit()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn in_tx<'a>(tx: &'a Transaction<'_>) -> InTx<'a> {
    InTx { conn: tx, options: SqliteOptions::default() }
}

/// A transaction of the host's; see [`in_tx`].
#[derive(Debug)]
pub struct InTx<'a> {
    conn: &'a Connection,
    options: SqliteOptions,
}

impl InTx<'_> {
    /// By the options of the store, of which only the prefix counts here.
    #[must_use]
    pub fn with_options(mut self, options: &SqliteOptions) -> Self {
        self.options = options.clone();
        self
    }

    /// Does what [`Store::commit`](crate::Store::commit) does, in the host's transaction.
    /// Where it fails, nothing of the change set is left in it, and the host may go on.
    ///
    /// # Errors
    ///
    /// As [`Store::commit`](crate::Store::commit).
    pub fn commit(&self, change_set: &ChangeSet) -> Result<Committed> {
        let statements = Statements::new(self.options.prefix());
        let seen = Seen::default();
        let session = Session {
            conn: self.conn,
            sql: &statements,
            prefix: self.options.prefix(),
            busy_timeout: self.options.busy_timeout,
            seen: &seen,
            kept: None,
        };
        Series::default().check(change_set)?;
        let prepared = Prepared::new(Cow::Borrowed(change_set))?;
        seen.check(&session)?;
        let checked = session.check(&prepared)?;
        self.run("SAVEPOINT hd_commit")?;
        match session.write(&prepared, checked) {
            Ok(committed) => {
                self.run("RELEASE hd_commit")?;
                Ok(committed)
            }
            Err(error) => {
                // A full disk may have ended the host's whole transaction by itself.
                if !self.conn.is_autocommit() {
                    self.run("ROLLBACK TO hd_commit")?;
                    self.run("RELEASE hd_commit")?;
                }
                Err(error)
            }
        }
    }

    fn run(&self, sql: &str) -> Result<()> {
        self.conn.execute_batch(sql).map_err(failed)
    }
}
