//! Claims: what is due is leased, and what others are leasing is passed over.

use super::query::{Place, Query, few, limited};
use super::read::{column, small_count, unreadable};
use crate::doc::{claimed_word, decode, stream_kind, tell_unreadable, timer_kind};
use crate::order::{instant, lease_end, micros};
use crate::{
    ClaimParams, ClaimWhat, Claimed, Lease, LeaseBody, LeaseToken, LeasedThing, Result, StoreError,
    UNREADABLE_SECONDS,
};
use helpdesk_core::case::record::OutboxMessage;
use helpdesk_core::event::StreamId;
use helpdesk_core::id::TenantId;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};
use uuid::Uuid;

/// The values of a claim.
struct Values {
    now: Place,
    until: Place,
    max: Place,
    share: Place,
    tenants: Place,
}

impl Values {
    fn bind(query: &mut Query, params: &ClaimParams) -> Self {
        let tenants: Option<Vec<Uuid>> =
            params.tenants.as_ref().map(|tenants| tenants.iter().map(|it| it.0).collect());
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        Self {
            now: query.bind(micros(params.now), Type::INT8),
            until: query.bind(lease_end(params.now, params.lease_seconds), Type::INT8),
            max: query.bind(count(params.max), Type::INT8),
            share: query.bind(count(params.max.min(params.max_per_tenant)), Type::INT8),
            tenants: query.bind(tenants, Type::UUID_ARRAY),
        }
    }
}

/// A claim as one statement: tenant by tenant, so that each gets its share. Each row has
/// when the next one is due, and a lease where there is one.
pub(super) fn claim_query(p: &str, params: &ClaimParams) -> Query {
    let mut query = Query::kept();
    let values = Values::bind(&mut query, params);
    query.text = match params.what {
        ClaimWhat::Timers => timers(p, &values),
        ClaimWhat::Outbox => outbox(p, &values),
    };
    query
}

/// The tenants that a claim is about, as `named`: those named, or those that have
/// anything in the table, each found by one step in an index.
fn named(table: &str, has_due: &str, tenants: Place) -> String {
    let next = |after: &str| {
        format!(
            "(SELECT t.tenant_id FROM {table} AS t WHERE {has_due}{after} \
             ORDER BY t.tenant_id LIMIT 1)"
        )
    };
    let first = next(&format!(" AND {tenants} IS NULL"));
    let next = next(" AND t.tenant_id > every.id");
    format!(
        "every(id) AS ({first} UNION ALL SELECT {next} FROM every WHERE every.id IS NOT NULL), \
         named AS MATERIALIZED (SELECT id FROM every WHERE id IS NOT NULL \
         UNION SELECT unnest({tenants}))"
    )
}

/// The heads come in the order of the index of due times, so that no more of them are read than are
/// wanted: a kind of timer, by which those of an instant are ranked, is set for one kind of
/// thing. `+ 0` has what was picked found by its key.
fn timers(p: &str, values: &Values) -> String {
    let Values { now, until, max, share, tenants } = values;
    let key = |a: &str, b: &str| {
        ["tenant_id", "stream_kind", "stream_id", "kind"]
            .map(|column| format!("{a}.{column} = {b}.{column}"))
            .join(" AND ")
    };
    let (of_picked, is_picked, of_head) = (key("t", "picked"), key("picked", "t"), key("t", "h"));
    let heads = limited("heads", "h");
    let named = named(&format!("{p}timer"), "t.due_at IS NOT NULL", *tenants);
    format!(
        "WITH RECURSIVE {named}, \
         heads AS MATERIALIZED (SELECT h.* FROM named CROSS JOIN LATERAL \
         (SELECT t.tenant_id, t.stream_kind, t.stream_id, t.kind FROM {p}timer AS t \
         WHERE t.tenant_id = named.id AND t.due_at <= {now} \
         ORDER BY t.due_at, t.rank, t.stream_id LIMIT {share}) AS h), \
         picked AS MATERIALIZED (SELECT t.tenant_id, t.stream_kind, t.stream_id, t.kind, t.due_at \
         FROM {heads} JOIN {p}timer AS t ON {of_head} WHERE t.due_at + 0 <= {now} \
         ORDER BY t.due_at, t.rank, t.stream_id, t.tenant_id, t.stream_kind LIMIT {max} \
         FOR UPDATE OF t SKIP LOCKED), \
         leased AS (UPDATE {p}timer AS t SET due_at = {until}, is_leased = true, \
         n_claims = t.n_claims + 1, n_attempts = t.n_attempts + 1 FROM picked WHERE {of_picked} \
         RETURNING t.*, picked.due_at AS was_due_at), \
         next AS (SELECT min(n.due_at) AS due_at FROM named CROSS JOIN LATERAL \
         (SELECT t.due_at FROM {p}timer AS t WHERE t.tenant_id = named.id \
         AND t.due_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM picked WHERE {is_picked}) \
         ORDER BY t.due_at LIMIT 1) AS n) \
         SELECT next.due_at, l.tenant_id, l.stream_kind, l.stream_id, l.kind, l.generation, \
         l.n_claims, l.n_attempts, l.set_for FROM next LEFT JOIN leased AS l ON true \
         ORDER BY l.was_due_at, l.rank, l.stream_id, l.tenant_id, l.stream_kind"
    )
}

/// Only the first of each lane is picked, and none while one of it is leased: the order
/// of commits of one moment is known only once all of them are done.
fn outbox(p: &str, values: &Values) -> String {
    let Values { now, until, max, share, tenants } = values;
    let is_first = format!(
        "NOT EXISTS (SELECT 1 FROM {p}outbox AS f WHERE f.tenant_id = o.tenant_id \
         AND f.ordering_key = o.ordering_key AND f.id <> o.id \
         AND (f.seq < o.seq OR (f.is_leased AND f.due_at > {now})))"
    );
    let heads = limited("heads", "h");
    let named = named(&format!("{p}outbox"), "true", *tenants);
    format!(
        "WITH RECURSIVE {named}, \
         heads AS MATERIALIZED (SELECT h.* FROM named CROSS JOIN LATERAL \
         (SELECT o.tenant_id, o.id FROM {p}outbox AS o \
         WHERE o.tenant_id = named.id AND o.due_at <= {now} AND {is_first} \
         ORDER BY o.due_at, o.seq LIMIT {share}) AS h), \
         picked AS MATERIALIZED (SELECT o.tenant_id, o.id, o.due_at FROM {heads} \
         JOIN {p}outbox AS o ON o.tenant_id = h.tenant_id AND o.id = h.id \
         WHERE o.due_at + 0 <= {now} ORDER BY o.due_at, o.seq, o.tenant_id LIMIT {max} \
         FOR UPDATE OF o SKIP LOCKED), \
         leased AS (UPDATE {p}outbox AS o SET due_at = {until}, is_leased = true, \
         n_claims = o.n_claims + 1, n_attempts = o.n_attempts + 1 FROM picked \
         WHERE o.tenant_id = picked.tenant_id AND o.id = picked.id \
         RETURNING o.*, picked.due_at AS was_due_at), \
         next AS (SELECT min(n.due_at) AS due_at FROM named CROSS JOIN LATERAL \
         (SELECT o.due_at FROM {p}outbox AS o WHERE o.tenant_id = named.id AND o.due_at >= {} \
         AND {is_first} AND NOT EXISTS (SELECT 1 FROM picked \
         WHERE picked.tenant_id = o.tenant_id AND picked.id = o.id) \
         ORDER BY o.due_at LIMIT 1) AS n) \
         SELECT next.due_at, l.tenant_id, l.id, l.n_claims, l.n_attempts, l.doc \
         FROM next LEFT JOIN leased AS l ON true ORDER BY l.was_due_at, l.seq",
        i64::MIN
    )
}

/// What the rows of [`claim_query`] gave, and those of them that cannot be read.
pub(super) fn claimed<'r>(
    params: &ClaimParams,
    rows: &'r [Row],
) -> Result<(Claimed, Vec<&'r Row>)> {
    let next_due = match rows.first() {
        Some(row) => column::<Option<i64>>(row, 0)?.map(instant),
        None => None,
    };
    let (mut leases, mut unreadable) = (Vec::new(), Vec::new());
    for row in rows {
        let Some(tenant) = column::<Option<Uuid>>(row, 1)? else { continue };
        let lease = match params.what {
            ClaimWhat::Timers => timer_lease(row),
            ClaimWhat::Outbox => outbox_lease(row),
        };
        match lease {
            Ok(lease) => leases.push(lease),
            Err(StoreError::Corrupt { .. }) => {
                let id: Uuid = column(row, id_column(params.what))?;
                tell_unreadable(claimed_word(params.what), tenant, id);
                unreadable.push(row);
            }
            Err(error) => return Err(error),
        }
    }
    Ok((Claimed { leases, next_due }, unreadable))
}

/// Where the id of what is due stands in a row.
fn id_column(what: ClaimWhat) -> usize {
    match what {
        ClaimWhat::Timers => 3,
        ClaimWhat::Outbox => 2,
    }
}

/// Gives leases back of what cannot be read, for a while and without an attempt.
pub(super) fn put_off_query(p: &str, params: &ClaimParams, rows: &[&Row]) -> Query {
    let mut query = Query::once();
    let until = query.bind(lease_end(params.now, UNREADABLE_SECONDS), Type::INT8);
    let tenants = query.bind(all::<Uuid>(rows, 1), Type::UUID_ARRAY);
    let ids = query.bind(all::<Uuid>(rows, id_column(params.what)), Type::UUID_ARRAY);
    let set =
        format!("due_at = {until}, is_leased = false, n_attempts = greatest(t.n_attempts - 1, 0)");
    query.text = match params.what {
        ClaimWhat::Timers => {
            let of = query.bind(all::<String>(rows, 2), Type::TEXT_ARRAY);
            let kinds = query.bind(all::<String>(rows, 4), Type::TEXT_ARRAY);
            let claims = query.bind(all::<i32>(rows, 6), Type::INT4_ARRAY);
            let them = few(
                "x",
                format!("{tenants}, {of}, {ids}, {kinds}, {claims}"),
                "tenant_id, stream_kind, stream_id, kind, n_claims",
            );
            format!(
                "UPDATE {p}timer AS t SET {set} FROM {them} WHERE t.tenant_id = x.tenant_id AND t.stream_kind = x.stream_kind \
                 AND t.stream_id = x.stream_id AND t.kind = x.kind \
                 AND t.n_claims = x.n_claims AND t.is_leased"
            )
        }
        ClaimWhat::Outbox => {
            let claims = query.bind(all::<i32>(rows, 3), Type::INT4_ARRAY);
            let them = few("x", format!("{tenants}, {ids}, {claims}"), "tenant_id, id, n_claims");
            format!(
                "UPDATE {p}outbox AS t SET {set} FROM {them} WHERE t.tenant_id = x.tenant_id AND t.id = x.id \
                 AND t.n_claims = x.n_claims AND t.is_leased"
            )
        }
    };
    query
}

/// A column of rows in which it is always there.
fn all<'r, T: FromSql<'r>>(rows: &[&'r Row], at: usize) -> Vec<Option<T>> {
    rows.iter().map(|row| column(row, at).ok()).collect()
}

fn timer_lease(row: &Row) -> Result<Lease> {
    let tenant = TenantId(column(row, 1)?);
    let of = stream_kind(column(row, 2)?).map_err(unreadable)?;
    let stream = StreamId { kind: of, id: column(row, 3)? };
    let kind = timer_kind(column(row, 4)?).map_err(unreadable)?;
    let generation = small_count(column(row, 5)?)?;
    let attempt = small_count(column(row, 6)?)?;
    let thing = LeasedThing::Timer { stream, kind };
    let body = LeaseBody::Timer { stream, kind, due_at: instant(column(row, 8)?) };
    let token = LeaseToken { tenant, thing, generation, attempt };
    Ok(Lease { token, attempts: small_count(column(row, 7)?)?, body })
}

fn outbox_lease(row: &Row) -> Result<Lease> {
    let tenant = TenantId(column(row, 1)?);
    let thing = LeasedThing::Outbox { id: column(row, 2)? };
    let attempt = small_count(column(row, 3)?)?;
    let message: OutboxMessage =
        decode("outbox message", column::<&str>(row, 5)?).map_err(unreadable)?;
    let token = LeaseToken { tenant, thing, generation: 0, attempt };
    let body = LeaseBody::Outbox(Box::new(message));
    Ok(Lease { token, attempts: small_count(column(row, 4)?)?, body })
}
