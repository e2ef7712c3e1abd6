//! Reads: by key, lists by a key's order, the journal.

use super::doc::{count, decode, decode_command, decode_record, decode_run, int, stream_kind};
use super::failure::failed;
use super::session::{Session, doc, integer, uuid, word};
use crate::order::{
    check_limit, dead_cursor, dead_place, number_cursor, number_place, page, thing_cursor,
    thing_place,
};
use crate::{Cursor, EventQuery, EventSource, ListKind, ListQuery, Page, Result};
use helpdesk_core::case::record::{Record, RecordKey, Stored};
use helpdesk_core::event::{Recorded, StreamId, StreamKind};
use helpdesk_core::id::{TenantId, TicketId};
use rusqlite::{Params, Row, params};
use uuid::Uuid;

impl Session<'_> {
    /// The record with this key.
    pub(super) fn get(&self, tenant: TenantId, key: &RecordKey) -> Result<Option<Stored>> {
        let id = tenant.0;
        match key {
            RecordKey::Stream(stream) => self.get_stream(tenant, *stream),
            RecordKey::Unique(key) => match self.unique(tenant, key)? {
                Some(stream) => self.get_stream(tenant, stream),
                None => Ok(None),
            },
            RecordKey::Message(TicketId(ticket), seq) => self.first(
                &self.sql.message_get,
                params![id.as_bytes(), ticket.as_bytes(), seq],
                |row| plain(Record::Message(decode("message", doc(row, 0)?)?)),
            ),
            RecordKey::ConfigVersion(version) => {
                self.first(&self.sql.config_get, params![id.as_bytes(), int(*version)], |row| {
                    plain(Record::ConfigVersion(decode("config", doc(row, 0)?)?))
                })
            }
            RecordKey::Command(command) => self.first(
                &self.sql.command_get,
                params![id.as_bytes(), command.0.as_bytes()],
                |row| {
                    let kept = decode_command(*command, word(row, 0)?, doc(row, 1)?)?;
                    plain(Record::Command(Box::new(kept)))
                },
            ),
            RecordKey::DeadLetter(letter) => {
                self.first(&self.sql.dead_get, params![id.as_bytes(), letter.as_bytes()], |row| {
                    plain(Record::DeadLetter(decode("dead letter", doc(row, 0)?)?))
                })
            }
        }
    }

    fn get_stream(&self, tenant: TenantId, stream: StreamId) -> Result<Option<Stored>> {
        let (tenant, id) = (tenant.0.as_bytes(), stream.id.as_bytes());
        let kind = stream.kind;
        let read = |row: &Row<'_>| stored(kind, row);
        match kind {
            StreamKind::Case => self.first(&self.sql.ticket_get, params![tenant, id], read),
            _ => self.first(&self.sql.entity_get, params![tenant, kind.as_str(), id], read),
        }
    }

    /// A page of records.
    pub(super) fn list(&self, query: &ListQuery) -> Result<Page<Stored>> {
        check_limit(query.limit)?;
        match query.kind {
            ListKind::Cases(shelf) => self.list_cases(query, shelf),
            ListKind::Things(kind) => self.list_things(query, kind),
            ListKind::Messages(TicketId(ticket)) => {
                // Numbers start with 1, so 0 is before all of them.
                let after = after_number(query)?.unwrap_or(0);
                let tenant = query.tenant.0;
                let params =
                    params![tenant.as_bytes(), ticket.as_bytes(), int(after), wanted(query)];
                let read = |row: &Row<'_>| {
                    let record = Record::Message(decode("message", doc(row, 0)?)?);
                    Ok((count(integer(row, 1)?)?, Stored { version: 0, record }))
                };
                let mut rows = self.all(&self.sql.placed_list, params, read)?;
                if rows.is_empty() {
                    rows = self.all(&self.sql.message_list, params, read)?;
                }
                Ok(number_page(query, rows))
            }
            ListKind::DeadLetters => self.list_dead(query),
            ListKind::ConfigVersions => {
                let before = after_number(query)?.map_or(i64::MAX, int);
                let tenant = query.tenant.0;
                let params = params![tenant.as_bytes(), before, wanted(query)];
                let rows = self.all(&self.sql.config_list, params, |row| {
                    let record = Record::ConfigVersion(decode("config", doc(row, 0)?)?);
                    Ok((count(integer(row, 1)?)?, Stored { version: 0, record }))
                })?;
                Ok(number_page(query, rows))
            }
        }
    }

    fn list_things(&self, query: &ListQuery, kind: StreamKind) -> Result<Page<Stored>> {
        let after = query.after.as_ref().map(|cursor| thing_place(kind, cursor)).transpose()?;
        let tenant = query.tenant.0;
        // Nothing has an empty id, so it is before all of them.
        let after: &[u8] = after.as_ref().map_or(&[], |id| id.as_bytes());
        let read = |row: &Row<'_>| Ok((uuid(row, 2)?, stored(kind, row)?));
        let rows = match kind {
            StreamKind::Case => {
                let params = params![tenant.as_bytes(), after, wanted(query)];
                self.all(&self.sql.ticket_list, params, read)?
            }
            _ => {
                let params = params![tenant.as_bytes(), kind.as_str(), after, wanted(query)];
                self.all(&self.sql.entity_list, params, read)?
            }
        };
        let page = page(rows, query.limit, |(id, _)| thing_cursor(kind, *id));
        let rows = page.rows.into_iter().map(|(_, stored)| stored).collect();
        Ok(Page { rows, next: page.next })
    }

    fn list_dead(&self, query: &ListQuery) -> Result<Page<Stored>> {
        let after = query.after.as_ref().map(dead_place).transpose()?;
        let (died_at, id) = match &after {
            Some((died_at, id)) => (*died_at, id.as_bytes().as_slice()),
            None => (i64::MIN, [].as_slice()),
        };
        let tenant = query.tenant.0;
        let params = params![tenant.as_bytes(), died_at, id, wanted(query)];
        let rows = self.all(&self.sql.dead_list, params, |row| {
            let record = Record::DeadLetter(decode("dead letter", doc(row, 0)?)?);
            Ok((integer(row, 1)?, uuid(row, 2)?, Stored { version: 0, record }))
        })?;
        let page = page(rows, query.limit, |(died_at, id, _)| dead_cursor(*died_at, *id));
        let rows = page.rows.into_iter().map(|(_, _, stored)| stored).collect();
        Ok(Page { rows, next: page.next })
    }

    /// A page of the journal.
    pub(super) fn events(&self, query: &EventQuery) -> Result<Page<Recorded>> {
        check_limit(query.limit)?;
        let tenant = query.tenant.0;
        match &query.source {
            EventSource::Stream { stream, after } => {
                let (kind, id) = (stream.kind.as_str(), stream.id.as_bytes());
                let params = params![tenant.as_bytes(), kind, id, int(*after)];
                let sql = &self.sql.event_stream;
                let rows = self.entries(sql, params, &[], query.limit + 1, |it| it.n > *after)?;
                Ok(page(rows, query.limit, |last| Cursor(last.n.to_string())))
            }
            // One writes at a time, so nothing comes to stand before what is there.
            EventSource::Feed { after, kinds } | EventSource::News { after, kinds } => {
                let rows = self.feed(tenant, *after, kinds, query.limit + 1)?;
                Ok(page(rows, query.limit, |last| Cursor(last.position.to_string())))
            }
        }
    }

    pub(super) fn feed_end(&self, tenant: TenantId) -> Result<u64> {
        let mut statement = self.prepare(&self.sql.event_end)?;
        let mut rows = statement.query(params![tenant.0.as_bytes()]).map_err(failed)?;
        match rows.next().map_err(failed)? {
            Some(row) => count(integer(row, 0)?),
            None => Ok(0),
        }
    }

    fn feed(
        &self,
        tenant: Uuid,
        after: u64,
        kinds: &[StreamKind],
        wanted: usize,
    ) -> Result<Vec<Recorded>> {
        // What engines follow to stay fresh has an index of its own, in these words.
        let of_roster = [StreamKind::Agent, StreamKind::Config, StreamKind::Presence];
        let is_roster = !kinds.is_empty() && kinds.iter().all(|kind| of_roster.contains(kind));
        let sql = if is_roster { &self.sql.event_roster } else { &self.sql.event_feed };
        let params = params![tenant.as_bytes(), int(after)];
        self.entries(sql, params, kinds, wanted, |it| it.position > after)
    }

    /// The first entries of these kinds (none for all) that come after some
    /// place: the first row may hold some that come before it.
    fn entries(
        &self,
        sql: &str,
        params: impl Params,
        kinds: &[StreamKind],
        n_wanted: usize,
        is_after: impl Fn(&Recorded) -> bool,
    ) -> Result<Vec<Recorded>> {
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query(params).map_err(failed)?;
        let mut found = Vec::new();
        while found.len() < n_wanted {
            let Some(row) = rows.next().map_err(failed)? else { break };
            if kinds.is_empty() || kinds.contains(&stream_kind(word(row, 1)?)?) {
                found.extend(run(row)?.into_iter().filter(&is_after));
            }
        }
        found.truncate(n_wanted);
        Ok(found)
    }
}

/// A row of version and document.
pub(super) fn stored(kind: StreamKind, row: &Row<'_>) -> Result<Stored> {
    let version = count(integer(row, 0)?)?;
    Ok(Stored { version, record: decode_record(kind, doc(row, 1)?)? })
}

fn plain(record: Record) -> Result<Stored> {
    Ok(Stored { version: 0, record })
}

/// The entries of a row of the journal.
pub(super) fn run(row: &Row<'_>) -> Result<Vec<Recorded>> {
    let position = count(integer(row, 0)?)?;
    let stream = StreamId { kind: stream_kind(word(row, 1)?)?, id: uuid(row, 2)? };
    decode_run(stream, count(integer(row, 3)?)?, position, doc(row, 4)?)
}

fn wanted(query: &ListQuery) -> i64 {
    int(query.limit as u64 + 1)
}

fn after_number(query: &ListQuery) -> Result<Option<u64>> {
    query.after.as_ref().map(|cursor| number_place(query.kind, cursor)).transpose()
}

fn number_page(query: &ListQuery, rows: Vec<(u64, Stored)>) -> Page<Stored> {
    let page = page(rows, query.limit, |(n, _)| number_cursor(query.kind, *n));
    let rows = page.rows.into_iter().map(|(_, stored)| stored).collect();
    Page { rows, next: page.next }
}
