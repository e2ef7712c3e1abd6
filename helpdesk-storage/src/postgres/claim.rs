//! Claims: what is due is leased, and what others are leasing is passed over.

use super::query::{Place, Query};
use super::read::{column, small_count, unreadable};
use crate::doc::{decode, stream_kind, timer_kind};
use crate::order::{instant, lease_end, micros};
use crate::{ClaimParams, ClaimWhat, Claimed, Lease, LeaseBody, LeaseToken, LeasedThing, Result};
use helpdesk_core::case::record::OutboxMessage;
use helpdesk_core::event::StreamId;
use helpdesk_core::id::TenantId;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

/// The values of a claim.
struct Values {
    now: Place,
    until: Place,
    max: Place,
    tenants: Place,
}

impl Values {
    fn bind(query: &mut Query, params: &ClaimParams) -> Self {
        let tenants: Option<Vec<Uuid>> =
            params.tenants.as_ref().map(|tenants| tenants.iter().map(|it| it.0).collect());
        Self {
            now: query.bind(micros(params.now), Type::INT8),
            until: query.bind(lease_end(params.now, params.lease_seconds), Type::INT8),
            max: query.bind(i64::try_from(params.max).unwrap_or(i64::MAX), Type::INT8),
            tenants: query.bind(tenants, Type::UUID_ARRAY),
        }
    }
}

/// A claim as one statement. Each row has when the next one is due, and a lease where
/// there is one.
pub(super) fn claim_query(p: &str, params: &ClaimParams) -> Query {
    let mut query = Query::kept();
    let values = Values::bind(&mut query, params);
    query.text = match params.what {
        ClaimWhat::Timers => timers(p, &values),
        ClaimWhat::Outbox => outbox(p, &values),
    };
    query
}

fn timers(p: &str, values: &Values) -> String {
    let Values { now, until, max, tenants } = values;
    let key = |a: &str, b: &str| {
        ["tenant_id", "stream_kind", "stream_id", "kind"]
            .map(|column| format!("{a}.{column} = {b}.{column}"))
            .join(" AND ")
    };
    let (of_picked, is_picked) = (key("t", "picked"), key("picked", "t"));
    let order = "due_at, rank, stream_id, tenant_id, stream_kind";
    format!(
        "WITH picked AS MATERIALIZED (SELECT tenant_id, stream_kind, stream_id, kind, due_at, rank \
         FROM {p}timer WHERE due_at <= {now} AND ({tenants} IS NULL OR tenant_id = ANY({tenants})) \
         ORDER BY {order} LIMIT {max} FOR UPDATE SKIP LOCKED), \
         leased AS (UPDATE {p}timer AS t SET due_at = {until}, is_leased = true, \
         n_claims = t.n_claims + 1, n_attempts = t.n_attempts + 1 FROM picked WHERE {of_picked} \
         RETURNING t.*, picked.due_at AS was_due_at), \
         next AS (SELECT min(due_at) AS due_at FROM (SELECT t.due_at FROM {p}timer AS t \
         WHERE t.due_at IS NOT NULL AND ({tenants} IS NULL OR t.tenant_id = ANY({tenants})) \
         AND NOT EXISTS (SELECT 1 FROM picked WHERE {is_picked}) \
         ORDER BY t.due_at LIMIT 1) AS first) \
         SELECT next.due_at, l.tenant_id, l.stream_kind, l.stream_id, l.kind, l.generation, \
         l.n_claims, l.n_attempts, l.set_for FROM next LEFT JOIN leased AS l ON true \
         ORDER BY l.was_due_at, l.rank, l.stream_id, l.tenant_id, l.stream_kind"
    )
}

/// Only the first of each lane is picked, and none while one of it is leased: the order
/// of commits of one moment is known only once all of them are done.
fn outbox(p: &str, values: &Values) -> String {
    let Values { now, until, max, tenants } = values;
    let is_first = format!(
        "NOT EXISTS (SELECT 1 FROM {p}outbox AS f WHERE f.tenant_id = o.tenant_id \
         AND f.ordering_key = o.ordering_key AND f.id <> o.id \
         AND (f.seq < o.seq OR (f.is_leased AND f.due_at > {now})))"
    );
    format!(
        "WITH picked AS MATERIALIZED (SELECT o.tenant_id, o.id, o.due_at, o.seq \
         FROM {p}outbox AS o \
         WHERE o.due_at <= {now} AND ({tenants} IS NULL OR o.tenant_id = ANY({tenants})) \
         AND {is_first} ORDER BY o.due_at, o.seq LIMIT {max} FOR UPDATE OF o SKIP LOCKED), \
         leased AS (UPDATE {p}outbox AS o SET due_at = {until}, is_leased = true, \
         n_claims = o.n_claims + 1, n_attempts = o.n_attempts + 1 FROM picked \
         WHERE o.tenant_id = picked.tenant_id AND o.id = picked.id \
         RETURNING o.*, picked.due_at AS was_due_at), \
         next AS (SELECT min(due_at) AS due_at FROM (SELECT o.due_at FROM {p}outbox AS o \
         WHERE ({tenants} IS NULL OR o.tenant_id = ANY({tenants})) AND {is_first} \
         AND NOT EXISTS (SELECT 1 FROM picked \
         WHERE picked.tenant_id = o.tenant_id AND picked.id = o.id) \
         ORDER BY o.due_at LIMIT 1) AS first) \
         SELECT next.due_at, l.tenant_id, l.id, l.n_claims, l.n_attempts, l.doc \
         FROM next LEFT JOIN leased AS l ON true ORDER BY l.was_due_at, l.seq"
    )
}

/// What the rows of [`claim_query`] gave.
pub(super) fn claimed(params: &ClaimParams, rows: &[Row]) -> Result<Claimed> {
    let next_due = match rows.first() {
        Some(row) => column::<Option<i64>>(row, 0)?.map(instant),
        None => None,
    };
    let mut leases = Vec::new();
    for row in rows {
        if column::<Option<Uuid>>(row, 1)?.is_some() {
            leases.push(match params.what {
                ClaimWhat::Timers => timer_lease(row)?,
                ClaimWhat::Outbox => outbox_lease(row)?,
            });
        }
    }
    Ok(Claimed { leases, next_due })
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
    let message: OutboxMessage = decode("outbox message", column(row, 5)?).map_err(unreadable)?;
    let token = LeaseToken { tenant, thing, generation: 0, attempt };
    let body = LeaseBody::Outbox(Box::new(message));
    Ok(Lease { token, attempts: small_count(column(row, 4)?)?, body })
}
