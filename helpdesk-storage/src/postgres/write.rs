//! The one statement of a commit, or of many.
//!
//! It locks what they expect and takes a place in the feed (`go`: one row
//! if all of it holds, else none), and everything that it writes is joined with that
//! row. What can only be seen while it is written, such as a key that is taken by a
//! transaction of the same moment, ends the statement with an error.

use super::batch::Batch;
use super::columns::{Entities, Expected, Keys, Tickets, Timers};
use super::failure::{RACE_WORDS, corrupt};
use super::keys::unique_key;
use super::query::{Place, Query, few_of_tenant};
use crate::doc::{encode, encode_record, encode_run, is_one_run};
use crate::order::micros;
use crate::plan::Slot;
use crate::{ChangeSet, LeasedThing, Result};
use helpdesk_core::case::record::Record;
use helpdesk_core::event::StreamKind;
use tokio_postgres::types::Type;
use uuid::Uuid;

/// Bits of a feed position that count within a transaction.
pub(super) const ORDINAL_BITS: u32 = 20;

/// Feed positions of one transaction, fewer than fit behind its number.
pub(super) const POSITIONS_MAX: i64 = 1 << (ORDINAL_BITS - 1);

/// A count as PostgreSQL keeps it.
pub(super) fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// The feed position before the first one of this transaction.
pub(super) fn base(p: &str) -> String {
    format!(
        "((pg_current_xact_id()::text::bigint + (SELECT shift FROM {p}feed WHERE one)) << {ORDINAL_BITS})"
    )
}

/// How long a batch waits for a transaction that has locked what it expects, or makes what it
/// makes; then it is not done. So who commits with others holds them up no longer.
const LOCKED_MILLIS: u32 = 100;

/// What a commit does where another transaction is in its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Locked {
    /// It waits.
    Wait,
    /// It waits a moment, and is not done then.
    Leave,
}

/// A batch as one statement. It answers with the feed position before its first
/// event, or with no row when an expectation does not hold.
pub(super) fn commit(p: &str, batch: &Batch<'_>, locked: Locked, n_before: i64) -> Result<Query> {
    let Some(first) = batch.changes().next() else { return Ok(Query::default()) };
    let mut it = Commit {
        p,
        query: Query::kept(),
        tenant: Place::FIRST,
        checks: Vec::new(),
        locks: Vec::new(),
        parts: Vec::new(),
        musts: Vec::new(),
    };
    it.tenant = it.query.bind(first.tenant.0, Type::UUID);
    if locked == Locked::Leave {
        // For this transaction, which is the statement. It is the cheapest of the checks, so it
        // comes before the locks.
        let set = format!("set_config('lock_timeout', '{LOCKED_MILLIS}', true) IS NOT NULL");
        it.checks.push(set);
    }
    it.expect(batch);
    it.check_done(batch);
    it.commands(batch)?;
    it.put(batch)?;
    it.bump(batch);
    it.append(batch)?;
    it.unique(batch);
    it.timers(batch);
    it.outbox(batch)?;
    Ok(it.finish(n_before))
}

/// A commit's statement in the making.
struct Commit<'a> {
    p: &'a str,
    query: Query,
    tenant: Place,
    /// What must hold before anything is written.
    checks: Vec<String>,
    /// The parts of the statement that come before `go`.
    locks: Vec<String>,
    /// Those that come after it: they write.
    parts: Vec<String>,
    /// What must have happened when all is written.
    musts: Vec<String>,
}

impl Commit<'_> {
    fn expect(&mut self, batch: &Batch<'_>) {
        let expected = Expected::of(batch);
        for (name, rows, lock) in
            [("written", expected.written, "NO KEY UPDATE"), ("seen", expected.seen, "SHARE")]
        {
            self.lock(&format!("tickets_{name}"), rows.tickets, lock);
            self.lock(&format!("entities_{name}"), rows.entities, lock);
        }
        // What is written and not there is inserted, which finds out by itself.
        let p = self.p;
        if !expected.absent_tickets.is_empty() {
            let ids = self.query.bind(expected.absent_tickets, Type::UUID_ARRAY);
            self.checks.push(format!(
                "NOT EXISTS (SELECT 1 FROM {} JOIN {p}ticket AS t \
                 ON t.tenant_id = x.tenant_id AND t.id = x.id)",
                few_of_tenant("x", ids, "id")
            ));
        }
        if !expected.absent_entities.is_empty() {
            let Keys { kinds, ids } = expected.absent_entities;
            let kinds = self.query.bind(kinds, Type::TEXT_ARRAY);
            let ids = self.query.bind(ids, Type::UUID_ARRAY);
            self.checks.push(format!(
                "NOT EXISTS (SELECT 1 FROM {} JOIN {p}entity AS e \
                 ON e.tenant_id = x.tenant_id AND e.kind = x.kind AND e.id = x.id)",
                few_of_tenant("x", format!("{kinds}, {ids}"), "kind, id")
            ));
        }
    }

    /// Locks things at these versions, in one order for all, so that two commits seldom
    /// lock crosswise.
    fn lock(&mut self, name: &str, rows: super::columns::Versions, lock: &str) {
        if rows.ids.is_empty() {
            return;
        }
        let (p, n) = (self.p, rows.ids.len());
        let n = self.query.bind(n as i64, Type::INT8);
        let ids = self.query.bind(rows.ids, Type::UUID_ARRAY);
        let versions = self.query.bind(rows.versions, Type::INT8_ARRAY);
        self.locks.push(match rows.kinds {
            None => format!(
                "{name} AS MATERIALIZED (SELECT 1 FROM {p}ticket AS t JOIN {} ON t.id = x.id AND t.version = x.version \
                 WHERE t.tenant_id = x.tenant_id ORDER BY t.id FOR {lock} OF t)",
                few_of_tenant("x", format!("{ids}, {versions}"), "id, version")
            ),
            Some(kinds) => {
                let kinds = self.query.bind(kinds, Type::TEXT_ARRAY);
                format!(
                    "{name} AS MATERIALIZED (SELECT 1 FROM {p}entity AS e JOIN {} ON e.kind = x.kind AND e.id = x.id AND e.version = x.version \
                     WHERE e.tenant_id = x.tenant_id ORDER BY e.kind, e.id FOR {lock} OF e)",
                    few_of_tenant("x", format!("{kinds}, {ids}, {versions}"), "kind, id, version")
                )
            }
        });
        self.checks.push(format!("(SELECT count(*) FROM {name}) = {n}"));
    }

    fn check_done(&mut self, batch: &Batch<'_>) {
        let timers = Timers::done(batch.changes());
        let p = self.p;
        if !timers.keys.is_empty() {
            let n = self.query.bind(timers.keys.len() as i64, Type::INT8);
            let (kinds, ids, timers_kinds) = self.timer_keys(timers.keys);
            let generations = self.query.bind(timers.generations, Type::INT4_ARRAY);
            let claims = self.query.bind(timers.claims, Type::INT4_ARRAY);
            self.locks.push(format!(
                "timers_held AS MATERIALIZED (SELECT 1 FROM {p}timer AS t JOIN {} ON t.stream_kind = x.stream_kind AND t.stream_id = x.stream_id AND t.kind = x.kind \
                 AND t.generation = x.generation AND t.n_claims = x.n_claims \
                 WHERE t.tenant_id = x.tenant_id AND t.is_leased \
                 ORDER BY t.stream_kind, t.stream_id, t.kind FOR NO KEY UPDATE OF t)",
                few_of_tenant(
                    "x",
                    format!("{kinds}, {ids}, {timers_kinds}, {generations}, {claims}"),
                    "stream_kind, stream_id, kind, generation, n_claims",
                )
            ));
            self.checks.push(format!("(SELECT count(*) FROM timers_held) = {n}"));
        }
        let (ids, claims) = outbox_done(batch);
        if !ids.is_empty() {
            let n = self.query.bind(ids.len() as i64, Type::INT8);
            let ids = self.query.bind(ids, Type::UUID_ARRAY);
            let claims = self.query.bind(claims, Type::INT4_ARRAY);
            self.locks.push(format!(
                "outbox_held AS MATERIALIZED (SELECT o.tenant_id, o.id FROM {p}outbox AS o JOIN {} ON o.id = x.id AND o.n_claims = x.n_claims \
                 WHERE o.tenant_id = x.tenant_id AND o.is_leased ORDER BY o.id FOR UPDATE OF o)",
                few_of_tenant("x", format!("{ids}, {claims}"), "id, n_claims")
            ));
            self.checks.push(format!("(SELECT count(*) FROM outbox_held) = {n}"));
            self.parts.push(format!(
                "outbox_gone AS (DELETE FROM {p}outbox AS o USING outbox_held AS h, go \
                 WHERE o.tenant_id = h.tenant_id AND o.id = h.id)"
            ));
        }
    }

    /// Remembers the commands. A record that is kept stands in the way, unless it had expired
    /// for all of them.
    fn commands(&mut self, batch: &Batch<'_>) -> Result<()> {
        let of = |change: &'_ ChangeSet| -> Option<(Uuid, i64, i64)> {
            let command = change.command.as_ref()?;
            Some((command.id.0, micros(command.expires_at), micros(change.at)))
        };
        let known: Vec<(Uuid, i64, i64)> = batch.changes().filter_map(of).collect();
        let Some(at) = known.iter().map(|(_, _, at)| *at).min() else { return Ok(()) };
        let docs = batch.changes().filter_map(|change| change.command.as_ref()).map(encode);
        let docs: crate::doc::Result<Vec<String>> = docs.collect();
        let (p, tenant) = (self.p, self.tenant);
        let n = self.query.bind(known.len() as i64, Type::INT8);
        let at = self.query.bind(at, Type::INT8);
        let ids: Vec<Uuid> = known.iter().map(|(id, ..)| *id).collect();
        let ids = self.query.bind(ids, Type::UUID_ARRAY);
        let expires_at: Vec<i64> = known.iter().map(|(_, expires_at, _)| *expires_at).collect();
        let expires_at = self.query.bind(expires_at, Type::INT8_ARRAY);
        let docs = self.query.bind(docs.map_err(unwritable)?, Type::TEXT_ARRAY);
        // `+ 0`: the index of expiries would find all that are kept, and is as cheap as any while
        // the table is young and the statement is planned.
        self.checks.push(format!(
            "NOT EXISTS (SELECT 1 FROM {} JOIN {p}idem AS i ON i.tenant_id = x.tenant_id \
             AND i.id = x.id AND i.expires_at + 0 > {at})",
            few_of_tenant("x", ids, "id")
        ));
        self.parts.push(format!(
            "commands AS (INSERT INTO {p}idem AS i (tenant_id, id, expires_at, doc) \
             SELECT {tenant}, x.* FROM unnest({ids}, {expires_at}, {docs}) \
             AS x(id, expires_at, doc), go \
             ON CONFLICT (tenant_id, id) DO UPDATE \
             SET expires_at = excluded.expires_at, doc = excluded.doc \
             WHERE i.expires_at <= {at} RETURNING 1)"
        ));
        self.musts.push(format!("(SELECT count(*) FROM commands) = {n}"));
        Ok(())
    }

    fn put(&mut self, batch: &Batch<'_>) -> Result<()> {
        let (mut new, mut old) = (Tickets::default(), Tickets::default());
        let (mut made, mut changed) = (Entities::default(), Entities::default());
        let mut messages: (Vec<Uuid>, Vec<i64>, Vec<String>) = Default::default();
        let mut configs: (Vec<i64>, Vec<String>) = Default::default();
        for (slot, record) in batch.put() {
            let doc = encode_record(record).map_err(unwritable)?;
            match slot {
                Slot::Stream(stream) => {
                    let Some(written) = batch.written_to(stream) else { continue };
                    let (is_new, version) = (written.expected == 0, int(written.version));
                    match record {
                        Record::Case(case) if is_new => new.push(case, version, doc),
                        Record::Case(case) => old.push(case, version, doc),
                        _ if is_new => made.push(stream, version, doc),
                        _ => changed.push(stream, version, doc),
                    }
                }
                Slot::Message(ticket, seq) => {
                    messages.0.push(ticket.0);
                    messages.1.push(i64::from(seq));
                    messages.2.push(doc);
                }
                Slot::ConfigVersion(version) => {
                    configs.0.push(int(version));
                    configs.1.push(doc);
                }
            }
        }
        self.insert_tickets(new);
        self.update_tickets(old);
        self.insert_entities(made);
        self.update_entities(changed);
        self.put_messages(messages);
        self.put_configs(configs);
        Ok(())
    }

    fn insert_tickets(&mut self, rows: Tickets) {
        if rows.is_empty() {
            return;
        }
        let (p, tenant) = (self.p, self.tenant);
        let from = rows.bind(&mut self.query);
        let (names, values) = (Tickets::NAMES, Tickets::VALUES);
        self.parts.push(format!(
            "tickets_made AS (INSERT INTO {p}ticket (tenant_id, {names}) \
             SELECT {tenant}, {values} FROM {from}, go)"
        ));
    }

    fn update_tickets(&mut self, rows: Tickets) {
        if rows.is_empty() {
            return;
        }
        let p = self.p;
        let from = rows.bind(&mut self.query);
        let (names, values) = (Tickets::NAMES, Tickets::VALUES);
        self.parts.push(format!(
            "tickets_changed AS (UPDATE {p}ticket AS t SET ({names}) = ROW({values}) \
             FROM {from}, go WHERE t.tenant_id = x.tenant_id AND t.id = x.id)"
        ));
    }

    fn insert_entities(&mut self, rows: Entities) {
        if rows.is_empty() {
            return;
        }
        let (p, tenant) = (self.p, self.tenant);
        let from = rows.bind(&mut self.query);
        self.parts.push(format!(
            "entities_made AS (INSERT INTO {p}entity (tenant_id, kind, id, version, doc) \
             SELECT {tenant}, x.kind, x.id, x.version, x.doc FROM {from}, go)"
        ));
    }

    fn update_entities(&mut self, rows: Entities) {
        if rows.is_empty() {
            return;
        }
        let p = self.p;
        let from = rows.bind(&mut self.query);
        self.parts.push(format!(
            "entities_changed AS (UPDATE {p}entity AS e SET version = x.version, doc = x.doc \
             FROM {from}, go WHERE e.tenant_id = x.tenant_id AND e.kind = x.kind AND e.id = x.id)"
        ));
    }

    fn put_messages(&mut self, (tickets, seqs, docs): (Vec<Uuid>, Vec<i64>, Vec<String>)) {
        if docs.is_empty() {
            return;
        }
        let (p, tenant) = (self.p, self.tenant);
        let tickets = self.query.bind(tickets, Type::UUID_ARRAY);
        let seqs = self.query.bind(seqs, Type::INT8_ARRAY);
        let docs = self.query.bind(docs, Type::TEXT_ARRAY);
        self.parts.push(format!(
            "messages AS (INSERT INTO {p}message (tenant_id, ticket_id, seq, doc) \
             SELECT {tenant}, x.ticket_id, x.seq, x.doc \
             FROM unnest({tickets}, {seqs}, {docs}) AS x(ticket_id, seq, doc), go \
             ON CONFLICT (tenant_id, ticket_id, seq) DO UPDATE SET doc = excluded.doc)"
        ));
    }

    fn put_configs(&mut self, (versions, docs): (Vec<i64>, Vec<String>)) {
        if docs.is_empty() {
            return;
        }
        let (p, tenant) = (self.p, self.tenant);
        let versions = self.query.bind(versions, Type::INT8_ARRAY);
        let docs = self.query.bind(docs, Type::TEXT_ARRAY);
        self.parts.push(format!(
            "configs AS (INSERT INTO {p}config (tenant_id, version, doc) \
             SELECT {tenant}, x.version, x.doc \
             FROM unnest({versions}, {docs}) AS x(version, doc), go \
             ON CONFLICT (tenant_id, version) DO UPDATE SET doc = excluded.doc)"
        ));
    }

    /// Moves the versions of things that have events and no record here.
    fn bump(&mut self, batch: &Batch<'_>) {
        let p = self.p;
        let (mut ids, mut versions) = (Vec::new(), Vec::new());
        let mut entities = Entities::default();
        for written in batch.written().filter(|written| !written.is_put) {
            match written.stream.kind {
                StreamKind::Case => {
                    ids.push(written.stream.id);
                    versions.push(int(written.version));
                }
                _ => entities.push(written.stream, int(written.version), String::new()),
            }
        }
        if !ids.is_empty() {
            let ids = self.query.bind(ids, Type::UUID_ARRAY);
            let versions = self.query.bind(versions, Type::INT8_ARRAY);
            self.parts.push(format!(
                "tickets_moved AS (UPDATE {p}ticket AS t SET version = x.version \
                 FROM {}, go WHERE t.tenant_id = x.tenant_id AND t.id = x.id)",
                few_of_tenant("x", format!("{ids}, {versions}"), "id, version")
            ));
        }
        if !entities.is_empty() {
            let from = entities.bind(&mut self.query);
            self.parts.push(format!(
                "entities_moved AS (UPDATE {p}entity AS e SET version = x.version \
                 FROM {from}, go WHERE e.tenant_id = x.tenant_id AND e.kind = x.kind AND e.id = x.id)"
            ));
        }
    }

    /// Appends the journal's entries, a row for each run of them.
    fn append(&mut self, batch: &Batch<'_>) -> Result<()> {
        let mut rows = Entities::default();
        let mut ordinals: Vec<i64> = Vec::new();
        for member in batch.members() {
            let mut numbers = member.plan.numbers.iter();
            let mut ordinal = member.n_before;
            for run in member.change.events.chunk_by(is_one_run) {
                let (Some(first), Some(n)) = (run.first(), numbers.nth(run.len() - 1)) else {
                    continue;
                };
                ordinal += run.len() as i64;
                ordinals.push(ordinal);
                rows.push(first.stream, int(*n), encode_run(run).map_err(unwritable)?);
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let (p, tenant) = (self.p, self.tenant);
        let Entities { keys: Keys { kinds, ids }, versions: numbers, docs } = rows;
        let kinds = self.query.bind(kinds, Type::TEXT_ARRAY);
        let ids = self.query.bind(ids, Type::UUID_ARRAY);
        let numbers = self.query.bind(numbers, Type::INT8_ARRAY);
        let ordinals = self.query.bind(ordinals, Type::INT8_ARRAY);
        let docs = self.query.bind(docs, Type::TEXT_ARRAY);
        self.parts.push(format!(
            "events AS (INSERT INTO {p}event (tenant_id, stream_kind, stream_id, n, position, doc) \
             SELECT {tenant}, x.kind, x.id, x.n, go.base + x.ordinal, x.doc \
             FROM unnest({kinds}, {ids}, {numbers}, {ordinals}, {docs}) \
             AS x(kind, id, n, ordinal, doc), go)"
        ));
        Ok(())
    }

    fn unique(&mut self, batch: &Batch<'_>) {
        let (p, tenant, plan) = (self.p, self.tenant, batch.unique());
        if !plan.removed.is_empty() {
            let kinds: Vec<&'static str> = plan.removed.iter().map(|key| key.kind()).collect();
            let keys: Vec<Vec<u8>> = plan.removed.iter().map(|key| unique_key(key)).collect();
            let kinds = self.query.bind(kinds, Type::TEXT_ARRAY);
            let keys = self.query.bind(keys, Type::BYTEA_ARRAY);
            self.parts.push(format!(
                "keys_gone AS (DELETE FROM {p}unique AS k \
                 USING {}, go \
                 WHERE k.tenant_id = x.tenant_id AND k.kind = x.kind AND k.key = x.key)",
                few_of_tenant("x", format!("{kinds}, {keys}"), "kind, key")
            ));
        }
        if plan.put.is_empty() {
            return;
        }
        let n = self.query.bind(plan.put.len() as i64, Type::INT8);
        let from = plan.bind(&mut self.query);
        self.parts.push(format!(
            "keys_wanted AS MATERIALIZED (SELECT x.* FROM {from}, go), \
             keys AS (INSERT INTO {p}unique AS k (tenant_id, kind, key, stream_kind, stream_id) \
             SELECT {tenant}, kind, key, stream_kind, stream_id FROM keys_wanted \
             ON CONFLICT (tenant_id, kind, key) DO UPDATE \
             SET stream_kind = excluded.stream_kind, stream_id = excluded.stream_id \
             WHERE EXISTS (SELECT 1 FROM keys_wanted AS x WHERE x.kind = k.kind AND x.key = k.key \
             AND (x.takes OR (x.from_kind = k.stream_kind AND x.from_id = k.stream_id))) \
             RETURNING 1)"
        ));
        self.musts.push(format!("(SELECT count(*) FROM keys) = {n}"));
    }

    fn timers(&mut self, batch: &Batch<'_>) {
        let (p, tenant) = (self.p, self.tenant);
        let Timers { set, gone, .. } = Timers::changed(batch.changes());
        if !gone.is_empty() {
            let (kinds, ids, timer_kinds) = self.timer_keys(gone);
            self.parts.push(format!(
                "timers_gone AS (UPDATE {p}timer AS t SET due_at = NULL, is_leased = false \
                 FROM {}, go WHERE t.tenant_id = x.tenant_id AND t.stream_kind = x.stream_kind \
                 AND t.stream_id = x.stream_id AND t.kind = x.kind \
                 AND t.due_at IS NOT NULL)",
                few_of_tenant(
                    "x",
                    format!("{kinds}, {ids}, {timer_kinds}"),
                    "stream_kind, stream_id, kind"
                )
            ));
        }
        if set.keys.is_empty() {
            return;
        }
        let (kinds, ids, timer_kinds) = self.timer_keys(set.keys);
        let ranks = self.query.bind(set.ranks, Type::INT2_ARRAY);
        let generations = self.query.bind(set.generations, Type::INT4_ARRAY);
        let set_for = self.query.bind(set.set_for, Type::INT8_ARRAY);
        let due_at = self.query.bind(set.due_at, Type::INT8_ARRAY);
        self.parts.push(format!(
            "timers_set AS (INSERT INTO {p}timer AS t (tenant_id, stream_kind, stream_id, kind, \
             rank, generation, set_for, due_at, is_leased, n_claims, n_attempts) \
             SELECT {tenant}, x.*, false, 0, 0 FROM \
             unnest({kinds}, {ids}, {timer_kinds}, {ranks}, {generations}, {set_for}, {due_at}) \
             AS x(stream_kind, stream_id, kind, rank, generation, set_for, due_at), go \
             ON CONFLICT (tenant_id, stream_kind, stream_id, kind) DO UPDATE SET \
             rank = excluded.rank, generation = t.generation + excluded.generation, \
             set_for = excluded.set_for, due_at = excluded.due_at, is_leased = false, \
             n_claims = 0, n_attempts = 0)"
        ));
    }

    fn timer_keys(&mut self, keys: super::columns::TimerKeys) -> (Place, Place, Place) {
        (
            self.query.bind(keys.stream_kinds, Type::TEXT_ARRAY),
            self.query.bind(keys.stream_ids, Type::UUID_ARRAY),
            self.query.bind(keys.kinds, Type::TEXT_ARRAY),
        )
    }

    fn outbox(&mut self, batch: &Batch<'_>) -> Result<()> {
        let placed = || {
            batch.members().iter().flat_map(|member| {
                let messages = member.change.outbox.iter().map(|new| &new.message);
                (member.n_before + 1..).zip(messages)
            })
        };
        let messages = || placed().map(|(_, message)| message);
        let ordinals: Vec<i64> = placed().map(|(ordinal, _)| ordinal).collect();
        if ordinals.is_empty() {
            return Ok(());
        }
        let docs: crate::doc::Result<Vec<String>> = messages().map(encode).collect();
        let topics: Vec<&'static str> = messages().map(|it| it.effect.topic()).collect();
        let (p, tenant) = (self.p, self.tenant);
        let query = &mut self.query;
        let ids = query.bind(messages().map(|it| it.id).collect::<Vec<_>>(), Type::UUID_ARRAY);
        let ordinals = query.bind(ordinals, Type::INT8_ARRAY);
        let lanes: Vec<Uuid> = messages().map(|it| it.ordering_key).collect();
        let lanes = query.bind(lanes, Type::UUID_ARRAY);
        let topics = query.bind(topics, Type::TEXT_ARRAY);
        let due: Vec<i64> = messages().map(|it| micros(it.not_before)).collect();
        let due = query.bind(due, Type::INT8_ARRAY);
        let docs = query.bind(docs.map_err(unwritable)?, Type::TEXT_ARRAY);
        self.parts.push(format!(
            "outbox_put AS (INSERT INTO {p}outbox (tenant_id, id, seq, ordering_key, topic, \
             not_before, due_at, is_leased, n_claims, n_attempts, doc) \
             SELECT {tenant}, x.id, go.base + x.ordinal, x.lane, x.topic, x.due, x.due, \
             false, 0, 0, x.doc \
             FROM unnest({ids}, {ordinals}, {lanes}, {topics}, {due}, {docs}) \
             AS x(id, ordinal, lane, topic, due, doc), go)"
        ));
        Ok(())
    }

    /// The statement. Its answer asks for what must have happened, and where that is
    /// not so, reads the words of an error as a number.
    fn finish(mut self, n_before: i64) -> Query {
        let n_before = self.query.bind(n_before, Type::INT8);
        let base = base(self.p);
        let holds = match self.checks.is_empty() {
            true => "true".to_owned(),
            false => self.checks.join(" AND "),
        };
        let go = format!("go AS MATERIALIZED (SELECT {base} + {n_before} AS base WHERE {holds})");
        let parts: Vec<String> = self.locks.into_iter().chain([go]).chain(self.parts).collect();
        let must = match self.musts.is_empty() {
            true => String::new(),
            false => format!(
                " + CASE WHEN {} THEN 0 ELSE ('{RACE_WORDS}' || go.base)::integer END",
                self.musts.join(" AND ")
            ),
        };
        let parts = parts.join(", ");
        self.query.text = format!("WITH {parts} SELECT go.base{must} AS base FROM go");
        self.query
    }
}

/// The outbox messages that commits finish.
fn outbox_done(batch: &Batch<'_>) -> (Vec<Uuid>, Vec<i32>) {
    let tokens = batch.changes().flat_map(|change| &change.done);
    let done = tokens.filter_map(|token| match token.thing {
        LeasedThing::Outbox { id } => Some((id, i32::try_from(token.attempt).unwrap_or(-1))),
        LeasedThing::Timer { .. } => None,
    });
    done.unzip()
}

fn unwritable(bad: crate::doc::BadDoc) -> crate::StoreError {
    corrupt(bad.0)
}
