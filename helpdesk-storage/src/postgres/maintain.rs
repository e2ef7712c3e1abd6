//! Housekeeping.

use super::query::Query;
use super::write::base;
use crate::Maintain;
use crate::order::micros;
use tokio_postgres::types::Type;

/// One statement that answers with how many rows it removed or moved; `None` where the
/// server tidies up by itself, as it does after [`Maintain::Compact`].
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
        Maintain::Compact => return None,
    };
    Some(it)
}

fn counted(delete: &str) -> String {
    format!("WITH gone AS ({delete} RETURNING 1) SELECT count(*) FROM gone")
}
