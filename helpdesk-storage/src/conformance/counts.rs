//! Counts.

use super::Outcome;
use super::kit::{Kit, Random, area, at, id, same};
use super::lists::{any_scope, any_tickets, condition};
use crate::{Bucket, CountBy, CountQuery, Shelf};
use helpdesk_core::access::scope::Scope;
use helpdesk_core::id::ContactId;
use helpdesk_core::ticket::Ticket;
use serde_json::json;
use std::collections::BTreeMap;

area!("count":
    nothing_counts_zero,
    every_grouping_counts_what_the_scope_permits,
    a_cap_stops_each_bucket,
    a_count_looks_at_shelf_and_condition,
);

const GROUPINGS: [CountBy; 5] =
    [CountBy::Nothing, CountBy::Status, CountBy::Assignee, CountBy::Group, CountBy::Queue];

fn group(by: CountBy, it: &Ticket) -> Option<String> {
    match by {
        CountBy::Nothing => None,
        CountBy::Status => Some(it.status.to_string()),
        CountBy::Assignee => it.assignee.map(|id| id.to_string()),
        CountBy::Group => it.group.as_ref().map(ToString::to_string),
        CountBy::Queue => it.queue.as_ref().map(ToString::to_string),
    }
}

fn buckets<'a>(by: CountBy, cap: u64, tickets: impl Iterator<Item = &'a Ticket>) -> Vec<Bucket> {
    let mut counts: BTreeMap<Option<String>, u64> = BTreeMap::new();
    if by == CountBy::Nothing {
        counts.insert(None, 0);
    }
    for it in tickets {
        *counts.entry(group(by, it)).or_default() += 1;
    }
    counts.into_iter().map(|(key, n)| Bucket { key, n: n.min(cap), capped: n > cap }).collect()
}

async fn count(kit: &Kit, query: &CountQuery) -> Result<Vec<Bucket>, String> {
    kit.store.count(query).await.map_err(|error| format!("count: {error}"))
}

async fn nothing_counts_zero(kit: Kit) -> Outcome {
    for by in GROUPINGS {
        let found = count(&kit, &CountQuery::all(kit.tenant, by, at(0))).await?;
        same(&format!("{by:?}"), found, buckets(by, 9, [].into_iter()))?;
    }
    Ok(())
}

async fn every_grouping_counts_what_the_scope_permits(kit: Kit) -> Outcome {
    let mut random = Random(7);
    let tickets = any_tickets(&kit, &mut random).await?;
    for _ in 0..30 {
        let scope = any_scope(&mut random, 2)?;
        for by in GROUPINGS {
            let mut query = CountQuery::all(kit.tenant, by, at(0));
            query.shelf = Shelf::All;
            query.scope = scope.clone();
            let wanted = buckets(by, u64::MAX, tickets.iter().filter(|it| scope.permits(it)));
            same(&format!("{by:?} in {scope:?}"), count(&kit, &query).await?, wanted)?;
        }
    }
    Ok(())
}

async fn a_cap_stops_each_bucket(kit: Kit) -> Outcome {
    let tickets = any_tickets(&kit, &mut Random(8)).await?;
    let all = [Scope::All, Scope::Participant(ContactId(id(1)))];
    for (scope, by) in all.iter().flat_map(|scope| GROUPINGS.map(|by| (scope, by))) {
        let permitted = || tickets.iter().filter(|it| scope.permits(it));
        let n = permitted().count() as u64;
        for cap in [0, 1, 5, n.saturating_sub(1), n, n + 1] {
            let mut query = CountQuery::all(kit.tenant, by, at(0));
            query.shelf = Shelf::All;
            query.scope = scope.clone();
            query.cap = cap;
            let wanted = buckets(by, cap, permitted());
            same(&format!("{by:?} up to {cap}"), count(&kit, &query).await?, wanted)?;
        }
    }
    Ok(())
}

async fn a_count_looks_at_shelf_and_condition(kit: Kit) -> Outcome {
    let tickets = any_tickets(&kit, &mut Random(9)).await?;
    for by in GROUPINGS {
        let mut query = CountQuery::all(kit.tenant, by, at(0));
        query.condition = condition(&json!({"field": "group", "is": "it"}))?;
        let in_group = |it: &&Ticket| {
            it.is_live() && it.group.as_ref().is_some_and(|group| group.as_str() == "it")
        };
        let wanted = buckets(by, u64::MAX, tickets.iter().filter(in_group));
        same(&format!("{by:?}"), count(&kit, &query).await?, wanted)?;
        query.shelf = Shelf::Deleted;
        query.condition = condition(&json!({"field": "priority", "set": true}))?;
        let urgent = |it: &&Ticket| it.deleted && it.priority.is_some();
        let wanted = buckets(by, u64::MAX, tickets.iter().filter(urgent));
        same(&format!("{by:?} of deleted"), count(&kit, &query).await?, wanted)?;
    }
    Ok(())
}
