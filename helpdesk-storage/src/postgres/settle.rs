//! Settlements: leases that end or change, each fenced by its token.

use super::columns::{HeldTimers, claim_count};
use super::query::{Query, few};
use crate::doc::encode;
use crate::order::{lease_end, micros};
use crate::{LeasedThing, Settle, SettleHow};
use std::collections::BTreeSet;
use tokio_postgres::types::Type;
use uuid::Uuid;

/// How a lease ends or changes, as statements know it.
const DONE: i16 = 0;
const RETRY: i16 = 1;
const EXTEND: i16 = 2;
const RELEASE: i16 = 3;
const DEAD: i16 = 4;
const SNOOZE: i16 = 5;

/// The first settlements that name each thing once: what follows must see what they did.
pub(super) fn n_together(settles: &[Settle]) -> usize {
    let mut seen = BTreeSet::new();
    let is_new = |settle: &&Settle| seen.insert((settle.token.tenant, settle.token.thing));
    settles.iter().take_while(is_new).count()
}

/// What statements need of settlements, in columns.
#[derive(Debug, Default)]
struct Columns {
    ats: Vec<i32>,
    tenants: Vec<Uuid>,
    hows: Vec<i16>,
    /// When it is due, where that changes; when it died.
    times: Vec<i64>,
}

impl Columns {
    fn push(&mut self, at: usize, settle: &Settle) {
        let (how, time) = match &settle.how {
            SettleHow::Done => (DONE, micros(settle.now)),
            SettleHow::Retry { at, .. } => (RETRY, micros(*at)),
            SettleHow::Extend { lease_seconds } => (EXTEND, lease_end(settle.now, *lease_seconds)),
            SettleHow::Release => (RELEASE, micros(settle.now)),
            SettleHow::Snooze { until } => (SNOOZE, micros(*until)),
            SettleHow::Dead { .. } => (DEAD, micros(settle.now)),
        };
        self.ats.push(i32::try_from(at).unwrap_or(i32::MAX));
        self.tenants.push(settle.token.tenant.0);
        self.hows.push(how);
        self.times.push(time);
    }

    fn bind(self, query: &mut Query) -> String {
        let ats = query.bind(self.ats, Type::INT4_ARRAY);
        let tenants = query.bind(self.tenants, Type::UUID_ARRAY);
        let hows = query.bind(self.hows, Type::INT2_ARRAY);
        let times = query.bind(self.times, Type::INT8_ARRAY);
        format!("{ats}, {tenants}, {hows}, {times}")
    }
}

/// Settles timers and messages that name each thing once: a statement for each of the
/// two, where there is any. They answer with the places of those whose lease stood.
pub(super) fn settle_queries(p: &str, settles: &[Settle]) -> crate::doc::Result<Vec<Query>> {
    let (timers, messages): (Vec<_>, Vec<_>) = settles
        .iter()
        .enumerate()
        .partition(|(_, settle)| matches!(settle.token.thing, LeasedThing::Timer { .. }));
    let mut queries = Vec::new();
    if !timers.is_empty() {
        queries.push(timers_query(p, &timers));
    }
    if !messages.is_empty() {
        queries.push(outbox_query(p, &messages)?);
    }
    Ok(queries)
}

fn timers_query(p: &str, settles: &[(usize, &Settle)]) -> Query {
    let (mut columns, mut held) = (Columns::default(), HeldTimers::default());
    for (at, settle) in settles {
        let LeasedThing::Timer { stream, kind } = settle.token.thing else { continue };
        columns.push(*at, settle);
        held.keys.push(stream, kind);
        held.generations.push(claim_count(settle.token.generation));
        held.claims.push(claim_count(settle.token.attempt));
    }
    let mut query = Query::kept();
    let columns = columns.bind(&mut query);
    let stream_kinds = query.bind(held.keys.stream_kinds, Type::TEXT_ARRAY);
    let stream_ids = query.bind(held.keys.stream_ids, Type::UUID_ARRAY);
    let kinds = query.bind(held.keys.kinds, Type::TEXT_ARRAY);
    let generations = query.bind(held.generations, Type::INT4_ARRAY);
    let claims = query.bind(held.claims, Type::INT4_ARRAY);
    let settled = few(
        "s",
        format!("{columns}, {stream_kinds}, {stream_ids}, {kinds}, {generations}, {claims}"),
        "at, tenant_id, how, time, stream_kind, stream_id, kind, generation, n_claims",
    );
    query.text = format!(
        "UPDATE {p}timer AS t SET is_leased = (s.how = {EXTEND}), \
         due_at = CASE WHEN s.how IN ({DONE}, {DEAD}) THEN NULL WHEN s.how = {RELEASE} THEN t.set_for \
         ELSE s.time END, \
         n_attempts = CASE WHEN s.how IN ({RELEASE}, {SNOOZE}) THEN greatest(t.n_attempts - 1, 0) \
         ELSE t.n_attempts END \
         FROM {settled} WHERE t.tenant_id = s.tenant_id AND t.stream_kind = s.stream_kind \
         AND t.stream_id = s.stream_id AND t.kind = s.kind AND t.generation = s.generation \
         AND t.n_claims = s.n_claims AND t.is_leased RETURNING s.at"
    );
    query
}

fn outbox_query(p: &str, settles: &[(usize, &Settle)]) -> crate::doc::Result<Query> {
    let mut columns = Columns::default();
    let (mut ids, mut claims, mut whys) = (Vec::new(), Vec::new(), Vec::new());
    for (at, settle) in settles {
        let LeasedThing::Outbox { id } = settle.token.thing else { continue };
        columns.push(*at, settle);
        ids.push(id);
        // A message has no generations.
        let is_possible = settle.token.generation == 0;
        claims.push(if is_possible { claim_count(settle.token.attempt) } else { -1 });
        whys.push(match &settle.how {
            SettleHow::Dead { error } => Some(encode(&(settle.now, error))?),
            _ => None,
        });
    }
    let mut query = Query::kept();
    let columns = columns.bind(&mut query);
    let ids = query.bind(ids, Type::UUID_ARRAY);
    let claims = query.bind(claims, Type::INT4_ARRAY);
    let whys = query.bind(whys, Type::TEXT_ARRAY);
    let settled = few(
        "s",
        format!("{columns}, {ids}, {claims}, {whys}"),
        "at, tenant_id, how, time, id, n_claims, why",
    );
    let fits =
        "o.tenant_id = s.tenant_id AND o.id = s.id AND o.n_claims = s.n_claims AND o.is_leased";
    query.text = format!(
        "WITH s AS MATERIALIZED (SELECT * FROM {settled}), \
         changed AS (UPDATE {p}outbox AS o SET is_leased = (s.how = {EXTEND}), \
         due_at = CASE WHEN s.how = {RELEASE} THEN o.not_before ELSE s.time END, \
         n_attempts = CASE WHEN s.how IN ({RELEASE}, {SNOOZE}) THEN greatest(o.n_attempts - 1, 0) \
         ELSE o.n_attempts END \
         FROM s WHERE s.how IN ({RETRY}, {EXTEND}, {RELEASE}, {SNOOZE}) AND {fits} RETURNING s.at), \
         gone AS (DELETE FROM {p}outbox AS o USING s \
         WHERE s.how IN ({DONE}, {DEAD}) AND {fits} RETURNING s.at, s.how, s.time, s.why, \
         o.tenant_id, o.id, o.n_claims, o.n_attempts, o.ordering_key, o.topic, o.doc), \
         dead AS (INSERT INTO {p}dead (tenant_id, id, died_at, n_claims, n_attempts, \
         ordering_key, topic, why, doc) \
         SELECT tenant_id, id, time, n_claims, n_attempts, ordering_key, topic, why, doc \
         FROM gone WHERE how = {DEAD} ON CONFLICT (tenant_id, id) DO UPDATE SET \
         died_at = excluded.died_at, n_claims = excluded.n_claims, \
         n_attempts = excluded.n_attempts, ordering_key = excluded.ordering_key, \
         topic = excluded.topic, why = excluded.why, doc = excluded.doc) \
         SELECT at FROM changed UNION ALL SELECT at FROM gone"
    );
    Ok(query)
}
