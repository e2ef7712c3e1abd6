//! Housekeeping.

use super::failure::{corrupt, failed};
use super::query::{Link, Query, few_of_tenant};
use super::read::{column, count};
use super::write::{base, int};
use crate::doc::{decode_run, encode_run, rewrite_run};
use crate::order::micros;
use crate::{Maintain, Result};
use helpdesk_core::event::{Recorded, StreamId};
use helpdesk_core::id::TenantId;
use tokio_postgres::types::Type;

/// One statement that answers with how many rows it removed or moved; `None` where it is no
/// such statement, or the server tidies up by itself, as it does after [`Maintain::Compact`].
pub(super) fn maintain_query(p: &str, maintain: &Maintain) -> Option<Query> {
    let mut it = Query::kept();
    it.text = match maintain {
        Maintain::PurgeCommands { tenant, now } => {
            let tenant = it.bind(tenant.0, Type::UUID);
            let now = it.bind(micros(*now), Type::INT8);
            counted(&format!(
                "DELETE FROM {p}idem WHERE tenant_id = {tenant} AND expires_at <= {now}"
            ))
        }
        Maintain::PurgeDeadLetters { tenant, before } => {
            let tenant = it.bind(tenant.0, Type::UUID);
            let before = it.bind(micros(*before), Type::INT8);
            counted(&format!(
                "DELETE FROM {p}dead WHERE tenant_id = {tenant} AND died_at < {before}"
            ))
        }
        Maintain::Redrive { tenant, ids, now } => {
            let tenant = it.bind(tenant.0, Type::UUID);
            let now = it.bind(micros(*now), Type::INT8);
            let ids = it.bind((!ids.is_empty()).then(|| ids.clone()), Type::UUID_ARRAY);
            let base = base(p);
            format!(
                "WITH picked AS (DELETE FROM {p}dead AS d WHERE d.tenant_id = {tenant} \
                 AND ({ids} IS NULL OR d.id = ANY({ids})) \
                 AND NOT EXISTS (SELECT 1 FROM {p}outbox AS o \
                 WHERE o.tenant_id = {tenant} AND o.id = d.id) RETURNING d.*), \
                 moved AS (INSERT INTO {p}outbox (tenant_id, id, seq, ordering_key, topic, \
                 not_before, due_at, is_leased, n_claims, n_attempts, doc) \
                 SELECT tenant_id, id, {base} + row_number() OVER (ORDER BY died_at, id), \
                 ordering_key, topic, {now}, {now}, false, n_claims, 0, doc \
                 FROM picked RETURNING 1) \
                 SELECT count(*) FROM moved"
            )
        }
        Maintain::PurgeTickets { tenant, tickets } => {
            it.bind(tenant.0, Type::UUID);
            let (ids, versions): (Vec<_>, Vec<_>) =
                tickets.iter().map(|(id, version)| (id.0, int(*version))).unzip();
            let ids = it.bind(ids, Type::UUID_ARRAY);
            let versions = it.bind(versions, Type::INT8_ARRAY);
            let of_stream = |table: &str| {
                format!(
                    "DELETE FROM {p}{table} AS x USING gone WHERE x.tenant_id = gone.tenant_id \
                     AND x.stream_kind = 'case' AND x.stream_id = gone.id"
                )
            };
            let (events, timers, keys) =
                (of_stream("event"), of_stream("timer"), of_stream("unique"));
            let wanted = few_of_tenant("w", format!("{ids}, {versions}"), "id, version");
            // A ticket that is changed meanwhile is looked at again, and then stays.
            format!(
                "WITH gone AS (DELETE FROM {p}ticket AS t \
                 USING {wanted} WHERE t.tenant_id = w.tenant_id \
                 AND t.id = w.id AND t.version = w.version RETURNING t.tenant_id, t.id), \
                 messages AS (DELETE FROM {p}message AS m USING gone \
                 WHERE m.tenant_id = gone.tenant_id AND m.ticket_id = gone.id), \
                 events AS ({events}), timers AS ({timers}), keys AS ({keys}) \
                 SELECT count(*) FROM gone"
            )
        }
        // Of others than one statement.
        Maintain::Rewrite { .. }
        | Maintain::Lead { .. }
        | Maintain::Resign { .. }
        | Maintain::Compact
        | Maintain::Scrub => return None,
    };
    Some(it)
}

/// Puts other entries into the journal, in an open transaction; how many.
pub(super) async fn rewrite(
    link: Link<'_>,
    p: &str,
    tenant: TenantId,
    entries: &[Recorded],
) -> Result<u64> {
    let mut rest = entries;
    let mut n_rows = 0;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        let stream = first.entry.stream;
        let rows = link.rows(&row_of(p, tenant, stream, first.n)).await.map_err(failed)?;
        let Some(row) = rows.first() else { continue };
        let (position, n): (i64, i64) = (column(row, 0)?, column(row, 1)?);
        let doc: &str = column(row, 2)?;
        let known = decode_run(stream, count(n)?, count(position)?, doc);
        let rewritten = rewrite_run(known.map_err(|bad| corrupt(bad.0))?, first, behind)?;
        let doc = encode_run(&rewritten.run).map_err(|bad| corrupt(bad.0))?;
        let mut it = Query::kept();
        let doc = it.bind(doc, Type::TEXT);
        let tenant = it.bind(tenant.0, Type::UUID);
        let position = it.bind(position, Type::INT8);
        it.text = format!(
            "UPDATE {p}event SET doc = {doc} WHERE tenant_id = {tenant} AND position = {position}"
        );
        link.rows(&it).await.map_err(failed)?;
        n_rows += rewritten.n_entries as u64;
        rest = rewritten.rest;
    }
    Ok(n_rows)
}

/// The row that holds the n-th entry of a stream.
fn row_of(p: &str, tenant: TenantId, stream: StreamId, n: u64) -> Query {
    let mut it = Query::kept();
    let tenant = it.bind(tenant.0, Type::UUID);
    let kind = it.bind(stream.kind.as_str(), Type::TEXT);
    let id = it.bind(stream.id, Type::UUID);
    let n = it.bind(int(n), Type::INT8);
    it.text = format!(
        "SELECT position, n, doc FROM {p}event WHERE tenant_id = {tenant} \
         AND stream_kind = {kind} AND stream_id = {id} AND n >= {n} ORDER BY n LIMIT 1 FOR UPDATE"
    );
    it
}

fn counted(delete: &str) -> String {
    format!("WITH gone AS ({delete} RETURNING 1) SELECT count(*) FROM gone")
}
