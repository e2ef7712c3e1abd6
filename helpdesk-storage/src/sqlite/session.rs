//! A connection with its statements.

use super::failure::{corrupt, failed};
use super::pool::Tx;
use super::schema::Seen;
use super::statements::Statements;
use crate::Result;
use crate::matching::Related;
use helpdesk_core::case::record::{Record, RecordKey};
use helpdesk_core::contact::{Contact, Organization};
use helpdesk_core::event::StreamId;
use helpdesk_core::id::{ContactId, OrganizationId, TenantId, TicketId};
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, Params, Row};
use std::borrow::Cow;
use std::cell::RefCell;
use std::time::Duration;
use uuid::Uuid;

/// A connection with its statements.
pub(super) struct Session<'a> {
    pub(super) conn: &'a Connection,
    pub(super) sql: &'a Statements,
    pub(super) prefix: &'a str,
    pub(super) busy_timeout: Duration,
    pub(super) seen: &'a Seen,
    /// Statements at hand, where they are wanted again and again.
    pub(super) kept: Option<RefCell<Vec<Kept<'a>>>>,
}

/// A statement, and where its text lies.
type Kept<'a> = (*const u8, CachedStatement<'a>);

impl<'a> Session<'a> {
    /// The same for work that uses its statements again and again: to ask the connection for
    /// one copies its text each time.
    pub(super) fn for_many(mut self) -> Self {
        self.kept = Some(RefCell::default());
        self
    }

    /// A transaction that may write, in a schema that this version knows.
    pub(super) fn begin_write(&self) -> Result<Tx<'a>> {
        let tx = Tx::write(self.conn)?;
        self.seen.check(self)?;
        Ok(tx)
    }

    /// One that only reads: all from one snapshot.
    pub(super) fn begin_read(&self) -> Result<Tx<'a>> {
        let tx = Tx::read(self.conn)?;
        self.seen.check(self)?;
        Ok(tx)
    }

    pub(super) fn prepare(&self, sql: &str) -> Result<CachedStatement<'a>> {
        self.conn.prepare_cached(sql).map_err(failed)
    }

    /// The statement with this text of the store's.
    fn take(&self, sql: &str) -> Result<CachedStatement<'a>> {
        if let Some(kept) = &self.kept {
            let mut kept = kept.borrow_mut();
            if let Some(at) = kept.iter().position(|(place, _)| *place == sql.as_ptr()) {
                return Ok(kept.swap_remove(at).1);
            }
        }
        self.prepare(sql)
    }

    /// Keeps the statement at hand for the next time.
    fn keep(&self, sql: &str, statement: CachedStatement<'a>) {
        if let Some(kept) = &self.kept {
            kept.borrow_mut().push((sql.as_ptr(), statement));
        }
    }

    /// Runs a statement; how many rows it changed.
    pub(super) fn run(&self, sql: &str, params: impl Params) -> Result<usize> {
        let mut statement = self.take(sql)?;
        let n_changed = statement.execute(params).map_err(failed)?;
        self.keep(sql, statement);
        Ok(n_changed)
    }

    /// The first row, if there is one.
    pub(super) fn first<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut statement = self.take(sql)?;
        let mut rows = statement.query(params).map_err(failed)?;
        let found = rows.next().map_err(failed)?.map(read).transpose();
        drop(rows);
        self.keep(sql, statement);
        found
    }

    /// All rows.
    pub(super) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query(params).map_err(failed)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            all.push(read(row)?);
        }
        Ok(all)
    }
}

/// A column's integer.
pub(super) fn integer(row: &Row<'_>, at: usize) -> Result<i64> {
    row.get(at).map_err(failed)
}

/// A column's UUID.
pub(super) fn uuid(row: &Row<'_>, at: usize) -> Result<Uuid> {
    let bytes: [u8; 16] = row.get(at).map_err(failed)?;
    Ok(Uuid::from_bytes(bytes))
}

/// A column's word.
pub(super) fn word<'r>(row: &'r Row<'_>, at: usize) -> Result<&'r str> {
    row.get_ref(at).map_err(failed)?.as_str().map_err(|error| corrupt(format!("a word: {error}")))
}

/// A column's document.
pub(super) fn doc<'r>(row: &'r Row<'_>, at: usize) -> Result<ValueRef<'r>> {
    row.get_ref(at).map_err(failed)
}

/// The things of a tenant around its tickets.
pub(super) struct TenantThings<'s, 'a> {
    session: &'s Session<'a>,
    tenant: TenantId,
}

impl<'a> Session<'a> {
    /// Where conditions find what they need.
    pub(super) fn related(&self, tenant: TenantId) -> TenantThings<'_, 'a> {
        TenantThings { session: self, tenant }
    }
}

impl TenantThings<'_, '_> {
    fn record(&self, key: &RecordKey) -> Result<Option<Record>> {
        Ok(self.session.get(self.tenant, key)?.map(|stored| stored.record))
    }
}

impl Related for TenantThings<'_, '_> {
    fn contact(&self, id: ContactId) -> Result<Option<Cow<'_, Contact>>> {
        Ok(match self.record(&RecordKey::Stream(StreamId::contact(id)))? {
            Some(Record::Contact(contact)) => Some(Cow::Owned(*contact)),
            _ => None,
        })
    }

    fn organization(&self, id: OrganizationId) -> Result<Option<Cow<'_, Organization>>> {
        Ok(match self.record(&RecordKey::Stream(StreamId::organization(id)))? {
            Some(Record::Organization(organization)) => Some(Cow::Owned(*organization)),
            _ => None,
        })
    }

    fn text(&self, ticket: TicketId, seq: u32) -> Result<Option<Cow<'_, str>>> {
        Ok(match self.record(&RecordKey::Message(ticket, seq))? {
            Some(Record::Message(message)) => Some(Cow::Owned(message.text)),
            _ => None,
        })
    }
}
