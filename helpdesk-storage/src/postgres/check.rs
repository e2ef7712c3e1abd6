//! Why a commit was not done: what stands is read, and checked as by every backend.

use super::columns::{HeldTimers, Keys, Timers, claim_count};
use super::failure::{corrupt, failed};
use super::keys::unique_key;
use super::query::{Link, Query, few_of_tenant};
use super::read::{column, count, unreadable};
use crate::doc::{decode, stream_kind};
use crate::order::micros;
use crate::plan::{check_expected, check_outbox, plan_unique};
use crate::{ChangeSet, Committed, LeasedThing, Result, StoreError, UniqueOp};
use helpdesk_core::case::record::{CommandRecord, UniqueKey};
use helpdesk_core::event::{StreamId, StreamKind};
use helpdesk_core::id::Version;
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::types::Type;
use uuid::Uuid;

/// What a commit looks at, as it stands.
#[derive(Debug, Default)]
struct Standing {
    command: Option<CommandRecord>,
    versions: BTreeMap<StreamId, Version>,
    n_held: usize,
    owners: BTreeMap<(String, Vec<u8>), StreamId>,
    outbox: BTreeSet<Uuid>,
}

/// Checks a change set that makes sense against what stands.
///
/// `None` when nothing is wrong with it any more, so that it may be tried again.
///
/// # Errors
///
/// What [`Store::commit`](crate::Store::commit) says.
pub(super) async fn check(
    link: Link<'_>,
    p: &str,
    change: &ChangeSet,
) -> Result<Option<Committed>> {
    let standing = read(link, p, change).await?;
    if let (Some(known), Some(command)) = (&standing.command, &change.command)
        && micros(known.expires_at) > micros(change.at)
    {
        if known.sha256 != command.sha256 {
            return Err(StoreError::KeyReused { command_id: command.id });
        }
        return Ok(Some(Committed::replayed(known.clone())));
    }
    let version = |stream| Ok(standing.versions.get(&stream).copied().unwrap_or(0));
    check_expected(change, version)?;
    if !are_possible(change) || standing.n_held != change.done.len() {
        return Err(StoreError::StaleLease);
    }
    plan_unique(&change.unique, |key| {
        let owner = standing.owners.get(&(key.kind().to_owned(), unique_key(key)));
        Ok(owner.copied())
    })?;
    check_outbox(change, |id| Ok(standing.outbox.contains(&id)))?;
    Ok(None)
}

/// Whether it can be seen without a look at what stands that it is refused.
pub(super) fn is_refused(change: &ChangeSet) -> bool {
    let mut ids: BTreeSet<Uuid> = change
        .done
        .iter()
        .filter_map(|token| match token.thing {
            LeasedThing::Outbox { id } => Some(id),
            LeasedThing::Timer { .. } => None,
        })
        .collect();
    !are_possible(change) || !change.outbox.iter().all(|new| ids.insert(new.message.id))
}

/// Whether the leases to finish are the tenant's, each there once.
fn are_possible(change: &ChangeSet) -> bool {
    let mut things = BTreeSet::new();
    change.done.iter().all(|token| {
        let is_numbered = match token.thing {
            LeasedThing::Timer { .. } => true,
            LeasedThing::Outbox { .. } => token.generation == 0,
        };
        token.tenant == change.tenant && things.insert(token.thing) && is_numbered
    })
}

/// Parts of the answer, by their first column.
const COMMAND: i32 = 0;
const VERSION: i32 = 1;
const HELD: i32 = 2;
const OWNER: i32 = 3;
const OUTBOX: i32 = 4;

async fn read(link: Link<'_>, p: &str, change: &ChangeSet) -> Result<Standing> {
    let query = standing_query(p, change);
    let mut standing = Standing::default();
    for row in link.rows(&query).await.map_err(failed)? {
        match column::<i32>(&row, 0)? {
            COMMAND => {
                let doc: &str = column(&row, 5)?;
                standing.command = Some(decode("command", doc).map_err(unreadable)?);
            }
            VERSION => {
                let kind = stream_kind(column(&row, 1)?).map_err(unreadable)?;
                let stream = StreamId { kind, id: column(&row, 2)? };
                standing.versions.insert(stream, count(column(&row, 3)?)?);
            }
            HELD => standing.n_held += 1,
            OWNER => {
                let kind = stream_kind(column(&row, 1)?).map_err(unreadable)?;
                let owner = StreamId { kind, id: column(&row, 2)? };
                let key = (column::<String>(&row, 5)?, column::<Vec<u8>>(&row, 4)?);
                standing.owners.insert(key, owner);
            }
            OUTBOX => {
                standing.outbox.insert(column(&row, 2)?);
            }
            other => return Err(corrupt(format!("a part {other} of what stands"))),
        }
    }
    Ok(standing)
}

/// Reads all of it from one snapshot.
fn standing_query(p: &str, change: &ChangeSet) -> Query {
    let mut query = Query::kept();
    let tenant = query.bind(change.tenant.0, Type::UUID);
    let command = query.bind(change.command.as_ref().map(|command| command.id.0), Type::UUID);
    let (mut tickets, mut entities) = (Vec::new(), Keys::default());
    for expect in &change.expect {
        match expect.stream.kind {
            StreamKind::Case => tickets.push(expect.stream.id),
            _ => entities.push(expect.stream),
        }
    }
    let tickets = query.bind(tickets, Type::UUID_ARRAY);
    let kinds = query.bind(entities.kinds, Type::TEXT_ARRAY);
    let ids = query.bind(entities.ids, Type::UUID_ARRAY);
    let HeldTimers { keys, generations, claims } = Timers::done(std::iter::once(change));
    let t_kinds = query.bind(keys.stream_kinds, Type::TEXT_ARRAY);
    let t_ids = query.bind(keys.stream_ids, Type::UUID_ARRAY);
    let t_timers = query.bind(keys.kinds, Type::TEXT_ARRAY);
    let t_generations = query.bind(generations, Type::INT4_ARRAY);
    let t_claims = query.bind(claims, Type::INT4_ARRAY);
    let (mut o_ids, mut o_claims) = (Vec::new(), Vec::new());
    for token in &change.done {
        if let LeasedThing::Outbox { id } = token.thing {
            o_ids.push(id);
            o_claims.push(claim_count(token.attempt));
        }
    }
    let o_ids = query.bind(o_ids, Type::UUID_ARRAY);
    let o_claims = query.bind(o_claims, Type::INT4_ARRAY);
    let keys: Vec<&UniqueKey> = change.unique.iter().map(key_of).collect();
    let u_kinds: Vec<&'static str> = keys.iter().map(|key| key.kind()).collect();
    let u_kinds = query.bind(u_kinds, Type::TEXT_ARRAY);
    let u_keys: Vec<Vec<u8>> = keys.iter().map(|key| unique_key(key)).collect();
    let u_keys = query.bind(u_keys, Type::BYTEA_ARRAY);
    let new: Vec<Uuid> = change.outbox.iter().map(|new| new.message.id).collect();
    let new = query.bind(new, Type::UUID_ARRAY);
    let tickets = few_of_tenant("x", tickets, "id");
    let entities = few_of_tenant("x", format!("{kinds}, {ids}"), "kind, id");
    let timers = few_of_tenant(
        "x",
        format!("{t_kinds}, {t_ids}, {t_timers}, {t_generations}, {t_claims}"),
        "stream_kind, stream_id, kind, generation, n_claims",
    );
    let messages = few_of_tenant("x", format!("{o_ids}, {o_claims}"), "id, n_claims");
    let keys = few_of_tenant("x", format!("{u_kinds}, {u_keys}"), "kind, key");
    let new = few_of_tenant("x", new, "id");
    query.text = format!(
        "SELECT {COMMAND} AS part, NULL::text AS kind, NULL::uuid AS id, NULL::bigint AS n, \
         NULL::bytea AS key, doc FROM {p}idem WHERE tenant_id = {tenant} AND id = {command} \
         UNION ALL SELECT {VERSION}, 'case', t.id, t.version, NULL, NULL FROM {tickets} \
         JOIN {p}ticket AS t ON t.tenant_id = x.tenant_id AND t.id = x.id \
         UNION ALL SELECT {VERSION}, e.kind, e.id, e.version, NULL, NULL \
         FROM {entities} \
         JOIN {p}entity AS e ON e.tenant_id = x.tenant_id AND e.kind = x.kind AND e.id = x.id \
         UNION ALL SELECT {HELD}, NULL, NULL, NULL, NULL, NULL \
         FROM {timers} JOIN {p}timer AS t ON t.tenant_id = x.tenant_id AND t.stream_kind = x.stream_kind \
         AND t.stream_id = x.stream_id AND t.kind = x.kind AND t.generation = x.generation \
         AND t.n_claims = x.n_claims AND t.is_leased \
         UNION ALL SELECT {HELD}, NULL, NULL, NULL, NULL, NULL \
         FROM {messages} JOIN {p}outbox AS o ON o.tenant_id = x.tenant_id AND o.id = x.id \
         AND o.n_claims = x.n_claims AND o.is_leased \
         UNION ALL SELECT {OWNER}, k.stream_kind, k.stream_id, NULL, k.key, k.kind \
         FROM {keys} JOIN {p}unique AS k ON k.tenant_id = x.tenant_id AND k.kind = x.kind AND k.key = x.key \
         UNION ALL SELECT {OUTBOX}, NULL, o.id, NULL, NULL, NULL FROM {new} \
         JOIN {p}outbox AS o ON o.tenant_id = x.tenant_id AND o.id = x.id"
    );
    query
}

/// The key that something is done to.
pub(super) fn key_of(op: &UniqueOp) -> &UniqueKey {
    match op {
        UniqueOp::Put { key, .. } | UniqueOp::Remove { key } => key,
    }
}
