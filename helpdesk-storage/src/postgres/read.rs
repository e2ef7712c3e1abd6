//! Reads: by key, lists by a key's order, the journal.

use super::failure::{corrupt, failed};
use super::keys::unique_key;
use super::query::{Link, Query, few_of_tenant};
use super::write::{ORDINAL_BITS, int};
use crate::doc::{BadDoc, decode, decode_record, decode_run, stream_kind};
use crate::order::{
    check_limit, dead_cursor, dead_place, number_cursor, number_place, page, thing_cursor,
    thing_place,
};
use crate::{Cursor, EventQuery, EventSource, ListKind, ListQuery, Page, Result, StoreError};
use chrono::{DateTime, Utc};
use helpdesk_core::case::record::{DeadLetter, Record, RecordKey, Stored, UniqueKey};
use helpdesk_core::event::{Recorded, StreamId, StreamKind};
use helpdesk_core::id::TenantId;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};
use uuid::Uuid;

/// A column of a row.
pub(super) fn column<'r, T: FromSql<'r>>(row: &'r Row, at: usize) -> Result<T> {
    row.try_get(at).map_err(|error| corrupt(format!("a column: {error}")))
}

/// A count as it was kept.
pub(super) fn count(n: i64) -> Result<u64> {
    u64::try_from(n).map_err(|_| corrupt(format!("{n} where a count should be")))
}

/// A small count as it was kept.
pub(super) fn small_count(n: i32) -> Result<u32> {
    u32::try_from(n).map_err(|_| corrupt(format!("{n} where a count should be")))
}

/// A document that cannot be read.
pub(super) fn unreadable(bad: BadDoc) -> StoreError {
    corrupt(bad.0)
}

/// A dead letter of its columns.
pub(super) fn dead_letter(doc: &str, n_attempts: i32, why: &str) -> Result<DeadLetter> {
    let message = decode("outbox message", doc).map_err(unreadable)?;
    let (died_at, error): (DateTime<Utc>, String) = decode("death", why).map_err(unreadable)?;
    Ok(DeadLetter { message, attempts: small_count(n_attempts)?, died_at, error })
}

/// What a row of [`get`] is.
#[derive(Debug, Clone, Copy)]
enum Part {
    Stream,
    Message,
    Config,
    Command,
    Dead,
}

impl Part {
    const ALL: [Self; 5] = [Self::Stream, Self::Message, Self::Config, Self::Command, Self::Dead];
}

/// The statement of a [`get`] in the making: a part for each kind of key that is asked for.
struct Get<'a> {
    p: &'a str,
    /// Its first value is the tenant.
    query: Query,
    parts: Vec<String>,
}

impl Get<'_> {
    /// Adds a part: `select` names what is selected of `t`, `values` joins it with the
    /// rows `x` of its keys.
    fn part(&mut self, part: Part, select: &str, keys: &str, table: &str, on: &str) {
        let (p, part) = (self.p, part as i32);
        self.parts.push(format!(
            "SELECT x.at, {part} AS part, {select} FROM {keys} JOIN {p}{table} AS t \
             ON t.tenant_id = x.tenant_id AND {on}"
        ));
    }

    fn by_id(&mut self, part: Part, select: &str, table: &str, keys: &[(i32, Uuid)]) {
        if keys.is_empty() {
            return;
        }
        let (ats, ids): (Vec<i32>, Vec<Uuid>) = keys.iter().copied().unzip();
        let ats = self.query.bind(ats, Type::INT4_ARRAY);
        let ids = self.query.bind(ids, Type::UUID_ARRAY);
        let keys = few_of_tenant("x", format!("{ats}, {ids}"), "at, id");
        self.part(part, select, &keys, table, "t.id = x.id");
    }

    fn entities(&mut self, keys: &[(i32, StreamId)]) {
        if keys.is_empty() {
            return;
        }
        let ats: Vec<i32> = keys.iter().map(|(at, _)| *at).collect();
        let kinds: Vec<&'static str> =
            keys.iter().map(|(_, stream)| stream.kind.as_str()).collect();
        let ids: Vec<Uuid> = keys.iter().map(|(_, stream)| stream.id).collect();
        let ats = self.query.bind(ats, Type::INT4_ARRAY);
        let kinds = self.query.bind(kinds, Type::TEXT_ARRAY);
        let ids = self.query.bind(ids, Type::UUID_ARRAY);
        let keys = few_of_tenant("x", format!("{ats}, {kinds}, {ids}"), "at, kind, id");
        self.part(Part::Stream, ENTITY, &keys, "entity", "t.kind = x.kind AND t.id = x.id");
    }

    fn unique(&mut self, keys: &[(i32, &UniqueKey)]) {
        if keys.is_empty() {
            return;
        }
        let p = self.p;
        let ats: Vec<i32> = keys.iter().map(|(at, _)| *at).collect();
        let kinds: Vec<&'static str> = keys.iter().map(|(_, key)| key.kind()).collect();
        let texts: Vec<Vec<u8>> = keys.iter().map(|(_, key)| unique_key(key)).collect();
        let ats = self.query.bind(ats, Type::INT4_ARRAY);
        let kinds = self.query.bind(kinds, Type::TEXT_ARRAY);
        let texts = self.query.bind(texts, Type::BYTEA_ARRAY);
        let keys = few_of_tenant("k", format!("{ats}, {kinds}, {texts}"), "at, kind, key");
        // `OFFSET 0`: the keys are looked up first, by themselves.
        let keys = format!(
            "(SELECT k.tenant_id, k.at, u.stream_kind, u.stream_id FROM {keys} \
             JOIN {p}unique AS u ON u.tenant_id = k.tenant_id AND u.kind = k.kind \
             AND u.key = k.key OFFSET 0) AS x"
        );
        let on = "x.stream_kind = 'case' AND t.id = x.stream_id";
        self.part(Part::Stream, TICKET, &keys, "ticket", on);
        let on = "t.kind = x.stream_kind AND t.id = x.stream_id";
        self.part(Part::Stream, ENTITY, &keys, "entity", on);
    }

    fn messages(&mut self, keys: &[(i32, Uuid, i64)]) {
        if keys.is_empty() {
            return;
        }
        let ats: Vec<i32> = keys.iter().map(|key| key.0).collect();
        let tickets: Vec<Uuid> = keys.iter().map(|key| key.1).collect();
        let seqs: Vec<i64> = keys.iter().map(|key| key.2).collect();
        let ats = self.query.bind(ats, Type::INT4_ARRAY);
        let tickets = self.query.bind(tickets, Type::UUID_ARRAY);
        let seqs = self.query.bind(seqs, Type::INT8_ARRAY);
        let keys = few_of_tenant("x", format!("{ats}, {tickets}, {seqs}"), "at, ticket_id, seq");
        let on = "t.ticket_id = x.ticket_id AND t.seq = x.seq";
        self.part(Part::Message, PLAIN, &keys, "message", on);
    }

    fn configs(&mut self, keys: &[(i32, i64)]) {
        if keys.is_empty() {
            return;
        }
        let (ats, versions): (Vec<i32>, Vec<i64>) = keys.iter().copied().unzip();
        let ats = self.query.bind(ats, Type::INT4_ARRAY);
        let versions = self.query.bind(versions, Type::INT8_ARRAY);
        let keys = few_of_tenant("x", format!("{ats}, {versions}"), "at, version");
        self.part(Part::Config, PLAIN, &keys, "config", "t.version = x.version");
    }
}

/// What is selected of each table: version, kind, document, and of a dead letter why and
/// after how many attempts.
const TICKET: &str = "t.version, 'case'::text, t.doc, NULL::text, NULL::integer";
const ENTITY: &str = "t.version, t.kind, t.doc, NULL::text, NULL::integer";
const PLAIN: &str = "0::bigint, NULL::text, t.doc, NULL::text, NULL::integer";
const DEAD: &str = "0::bigint, NULL::text, t.doc, t.why, t.n_attempts";

/// The records with these keys, by one statement and so from one snapshot.
pub(super) fn get_query(p: &str, tenant: TenantId, keys: &[RecordKey]) -> Query {
    let mut query = Query::kept();
    query.bind(tenant.0, Type::UUID);
    let (mut tickets, mut entities, mut unique) = (Vec::new(), Vec::new(), Vec::new());
    let (mut messages, mut configs) = (Vec::new(), Vec::new());
    let (mut commands, mut dead) = (Vec::new(), Vec::new());
    for (at, key) in (0..).zip(keys) {
        match key {
            RecordKey::Stream(it) if it.kind == StreamKind::Case => tickets.push((at, it.id)),
            RecordKey::Stream(it) => entities.push((at, *it)),
            RecordKey::Unique(it) => unique.push((at, it)),
            RecordKey::Message(ticket, seq) => messages.push((at, ticket.0, i64::from(*seq))),
            RecordKey::ConfigVersion(version) => configs.push((at, int(*version))),
            RecordKey::Command(id) => commands.push((at, id.0)),
            RecordKey::DeadLetter(id) => dead.push((at, *id)),
        }
    }
    let mut get = Get { p, query, parts: Vec::new() };
    get.by_id(Part::Stream, TICKET, "ticket", &tickets);
    get.entities(&entities);
    get.unique(&unique);
    get.messages(&messages);
    get.configs(&configs);
    get.by_id(Part::Command, PLAIN, "idem", &commands);
    get.by_id(Part::Dead, DEAD, "dead", &dead);
    get.query.text = get.parts.join(" UNION ALL ");
    get.query
}

/// The records of the rows of [`get_query`], in the order of their `n` keys.
pub(super) fn got(rows: &[Row], n: usize) -> Result<Vec<Option<Stored>>> {
    let mut found: Vec<Option<Stored>> = vec![None; n];
    for row in rows {
        let at: i32 = column(row, 0)?;
        let part: i32 = column(row, 1)?;
        let part = usize::try_from(part).ok().and_then(|part| Part::ALL.get(part));
        let doc: &str = column(row, 4)?;
        let stored = match part {
            Some(Part::Stream) => {
                let kind = stream_kind(column(row, 3)?).map_err(unreadable)?;
                let version = count(column(row, 2)?)?;
                Stored { version, record: decode_record(kind, doc).map_err(unreadable)? }
            }
            Some(Part::Message) => {
                plain(Record::Message(decode("message", doc).map_err(unreadable)?))
            }
            Some(Part::Config) => {
                plain(Record::ConfigVersion(decode("config", doc).map_err(unreadable)?))
            }
            Some(Part::Command) => {
                plain(Record::Command(decode("command", doc).map_err(unreadable)?))
            }
            Some(Part::Dead) => {
                let letter = dead_letter(doc, column(row, 6)?, column(row, 5)?)?;
                plain(Record::DeadLetter(Box::new(letter)))
            }
            None => return Err(corrupt("a part of an answer that was not asked for")),
        };
        if let Some(place) = usize::try_from(at).ok().and_then(|at| found.get_mut(at)) {
            *place = Some(stored);
        }
    }
    Ok(found)
}

/// The records with these keys, in their order.
pub(super) async fn get(
    link: Link<'_>,
    p: &str,
    tenant: TenantId,
    keys: &[RecordKey],
) -> Result<Vec<Option<Stored>>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let rows = link.rows(&get_query(p, tenant, keys)).await.map_err(failed)?;
    got(&rows, keys.len())
}

/// A page of what stands in the order of its key: the statement.
pub(super) fn list_query(p: &str, query: &ListQuery) -> Result<Query> {
    check_limit(query.limit)?;
    let mut it = Query::kept();
    let tenant = it.bind(query.tenant.0, Type::UUID);
    let limit = it.bind(query.limit as i64 + 1, Type::INT8);
    let after = query.after.as_ref();
    it.text = match query.kind {
        ListKind::Cases(_) | ListKind::Things(StreamKind::Case) => {
            let after = after.map(|it| thing_place(StreamKind::Case, it)).transpose()?;
            let after = it.bind(after, Type::UUID);
            format!(
                "SELECT version, doc, id FROM {p}ticket WHERE tenant_id = {tenant} \
                 AND ({after} IS NULL OR id > {after}) ORDER BY id LIMIT {limit}"
            )
        }
        ListKind::Things(kind) => {
            let after = after.map(|it| thing_place(kind, it)).transpose()?;
            let after = it.bind(after, Type::UUID);
            let kind = it.bind(kind.as_str(), Type::TEXT);
            format!(
                "SELECT version, doc, id FROM {p}entity WHERE tenant_id = {tenant} \
                 AND kind = {kind} AND ({after} IS NULL OR id > {after}) ORDER BY id LIMIT {limit}"
            )
        }
        ListKind::Messages(ticket) => {
            // Numbers start with 1, so 0 is before all of them.
            let after = it.bind(after_number(query)?.map_or(0, int), Type::INT8);
            let ticket = it.bind(ticket.0, Type::UUID);
            format!(
                "SELECT seq, doc FROM {p}message WHERE tenant_id = {tenant} \
                 AND ticket_id = {ticket} AND seq > {after} ORDER BY seq LIMIT {limit}"
            )
        }
        ListKind::DeadLetters => {
            let after = after.map(dead_place).transpose()?;
            let (died_at, id) = after.unwrap_or((i64::MIN, Uuid::nil()));
            let died_at = it.bind(died_at, Type::INT8);
            let id = it.bind(id, Type::UUID);
            format!(
                "SELECT died_at, doc, id, n_attempts, why FROM {p}dead WHERE tenant_id = {tenant} \
                 AND (died_at, id) > ({died_at}, {id}) ORDER BY died_at, id LIMIT {limit}"
            )
        }
        ListKind::ConfigVersions => {
            let before = it.bind(after_number(query)?.map_or(i64::MAX, int), Type::INT8);
            format!(
                "SELECT version, doc FROM {p}config WHERE tenant_id = {tenant} \
                 AND version < {before} ORDER BY version DESC LIMIT {limit}"
            )
        }
    };
    Ok(it)
}

/// The page of the rows of [`list_query`].
pub(super) fn listed(query: &ListQuery, rows: &[Row]) -> Result<Page<Stored>> {
    let numbered = |record: fn(&str) -> crate::doc::Result<Record>| {
        let read = |row: &Row| {
            let record = record(column(row, 1)?).map_err(unreadable)?;
            Ok((count(column(row, 0)?)?, plain(record)))
        };
        let rows: Result<Vec<(u64, Stored)>> = rows.iter().map(read).collect();
        let page = page(rows?, query.limit, |(n, _)| number_cursor(query.kind, *n));
        Ok(without_keys(page))
    };
    let things = |kind: StreamKind| {
        let read = |row: &Row| {
            let record = decode_record(kind, column::<&str>(row, 1)?).map_err(unreadable)?;
            let stored = Stored { version: count(column(row, 0)?)?, record };
            Ok((column::<Uuid>(row, 2)?, stored))
        };
        let rows: Result<Vec<(Uuid, Stored)>> = rows.iter().map(read).collect();
        let page = page(rows?, query.limit, |(id, _)| thing_cursor(kind, *id));
        Ok(without_keys(page))
    };
    match query.kind {
        ListKind::Cases(_) => things(StreamKind::Case),
        ListKind::Things(kind) => things(kind),
        ListKind::Messages(_) => numbered(|doc| Ok(Record::Message(decode("message", doc)?))),
        ListKind::ConfigVersions => {
            numbered(|doc| Ok(Record::ConfigVersion(decode("config", doc)?)))
        }
        ListKind::DeadLetters => {
            let read = |row: &Row| {
                let letter = dead_letter(column(row, 1)?, column(row, 3)?, column(row, 4)?)?;
                let place: (i64, Uuid) = (column(row, 0)?, column(row, 2)?);
                Ok((place, plain(Record::DeadLetter(Box::new(letter)))))
            };
            let rows: Result<Vec<((i64, Uuid), Stored)>> = rows.iter().map(read).collect();
            let page = page(rows?, query.limit, |((died_at, id), _)| dead_cursor(*died_at, *id));
            Ok(without_keys(page))
        }
    }
}

fn without_keys<K>(page: Page<(K, Stored)>) -> Page<Stored> {
    Page { rows: page.rows.into_iter().map(|(_, stored)| stored).collect(), next: page.next }
}

fn after_number(query: &ListQuery) -> Result<Option<u64>> {
    query.after.as_ref().map(|cursor| number_place(query.kind, cursor)).transpose()
}

/// The first feed position that may still be taken by a transaction under way.
fn horizon(p: &str) -> String {
    format!(
        "((pg_snapshot_xmin(pg_current_snapshot())::text::bigint \
         + (SELECT shift FROM {p}feed WHERE one)) << {ORDINAL_BITS})"
    )
}

/// A page of the journal: the statement. A row holds a run of entries and names the
/// last one, so the first row may also hold some that come before.
pub(super) fn events_query(p: &str, query: &EventQuery) -> Result<Query> {
    check_limit(query.limit)?;
    let mut it = Query::kept();
    let tenant = it.bind(query.tenant.0, Type::UUID);
    let limit = it.bind(query.limit as i64 + 1, Type::INT8);
    let select = format!("SELECT position, stream_kind, stream_id, n, doc FROM {p}event");
    it.text = match &query.source {
        EventSource::Stream { stream, after } => {
            let kind = it.bind(stream.kind.as_str(), Type::TEXT);
            let id = it.bind(stream.id, Type::UUID);
            let after = it.bind(int(*after), Type::INT8);
            format!(
                "{select} WHERE tenant_id = {tenant} AND stream_kind = {kind} \
                 AND stream_id = {id} AND n > {after} ORDER BY n LIMIT {limit}"
            )
        }
        EventSource::Feed { after, kinds } | EventSource::News { after, kinds } => {
            let after = it.bind(int(*after), Type::INT8);
            let until = match query.source {
                EventSource::News { .. } => String::new(),
                _ => format!(" AND position < {}", horizon(p)),
            };
            let of_kinds = of_kinds(&mut it, kinds);
            format!(
                "{select} WHERE tenant_id = {tenant} AND position > {after}{until}{of_kinds} \
                 ORDER BY position LIMIT {limit}"
            )
        }
    };
    Ok(it)
}

/// The part of a statement that picks kinds of streams; none for all.
fn of_kinds(query: &mut Query, kinds: &[StreamKind]) -> String {
    // What engines follow to stay fresh has an index of its own, in these words.
    let of_roster = [StreamKind::Agent, StreamKind::Config, StreamKind::Presence];
    let roster = match !kinds.is_empty() && kinds.iter().all(|kind| of_roster.contains(kind)) {
        true => " AND stream_kind IN ('agent', 'config', 'presence')",
        false => "",
    };
    if kinds.is_empty() {
        return String::new();
    }
    let kinds: Vec<&'static str> = kinds.iter().map(|kind| kind.as_str()).collect();
    let kinds = query.bind(kinds, Type::TEXT_ARRAY);
    format!("{roster} AND stream_kind = ANY({kinds})")
}

/// The page of the rows of [`events_query`].
pub(super) fn events(query: &EventQuery, rows: &[Row]) -> Result<Page<Recorded>> {
    let mut found: Vec<Recorded> = Vec::new();
    for row in rows {
        let stream_kind = stream_kind(column(row, 1)?).map_err(unreadable)?;
        let stream = StreamId { kind: stream_kind, id: column(row, 2)? };
        let (position, n) = (count(column(row, 0)?)?, count(column(row, 3)?)?);
        let run = decode_run(stream, n, position, column::<&str>(row, 4)?).map_err(unreadable)?;
        found.extend(run.into_iter().filter(|entry| match &query.source {
            EventSource::Stream { after, .. } => entry.n > *after,
            EventSource::Feed { after, .. } | EventSource::News { after, .. } => {
                entry.position > *after
            }
        }));
    }
    found.truncate(query.limit + 1);
    Ok(page(found, query.limit, |last| match query.source {
        EventSource::Stream { .. } => Cursor(last.n.to_string()),
        EventSource::Feed { .. } | EventSource::News { .. } => Cursor(last.position.to_string()),
    }))
}

/// The tenant's last feed position that is settled: the statement.
pub(super) fn feed_end_query(p: &str, tenant: TenantId) -> Query {
    let mut it = Query::kept();
    let tenant = it.bind(tenant.0, Type::UUID);
    let horizon = horizon(p);
    it.text = format!(
        "SELECT position FROM {p}event WHERE tenant_id = {tenant} AND position < {horizon} \
         ORDER BY position DESC LIMIT 1"
    );
    it
}

/// A record without a version.
fn plain(record: Record) -> Stored {
    Stored { version: 0, record }
}
