//! Lists and counts of cases.
//!
//! Where columns say all that is asked, it is one statement. Else the cases that they
//! let through are read in batches, in one transaction and so from one snapshot, with
//! what the condition looks at beside them, and tested.

use super::failure::failed;
use super::filter::{Where, order_by};
use super::query::{Link, Query};
use super::read::{column, count, get, unreadable};
use super::write::int;
use crate::doc::decode;
use crate::matching::{Related, Wanted, group_of};
use crate::order::{Place, case_cursor, case_place, check_limit, page};
use crate::{
    Bucket, CountBy, CountQuery, Direction, ListQuery, Order, OrderBy, Page, Projection, Result,
    Shelf,
};
use helpdesk_core::case::Case;
use helpdesk_core::case::record::{Record, RecordKey, Stored};
use helpdesk_core::case::summary::CaseSummary;
use helpdesk_core::contact::{Contact, Organization};
use helpdesk_core::event::StreamId;
use helpdesk_core::id::{ContactId, OrganizationId, TenantId, TicketId, Version};
use helpdesk_core::limit::PAGE_MAX;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

/// A case with its version.
type Found = (Version, Box<Case>);

/// How many rows more each batch of a list reads than the one before.
const BATCH_GROWTH: usize = 4;

/// Whether one statement answers it.
pub(super) fn is_one_statement(query: &ListQuery, shelf: Shelf) -> bool {
    Wanted::of_list(query, shelf).is_unconditional()
}

/// A page of cases; `link` is one transaction where that is more than one statement.
pub(super) async fn list(
    link: Link<'_>,
    p: &str,
    query: &ListQuery,
    shelf: Shelf,
) -> Result<Page<Stored>> {
    check_limit(query.limit)?;
    let order = query.order;
    let wanted = Wanted::of_list(query, shelf);
    let mut after = query.after.as_ref().map(|it| case_place(order, it)).transpose()?;
    let mut found: Vec<Found> = Vec::new();
    let mut size = query.limit + 1;
    loop {
        let batch = batch_query(p, query, shelf, after.as_ref(), size);
        let rows = link.rows(&batch).await.map_err(failed)?;
        let is_last = rows.len() < size;
        let cases = read(&rows)?;
        after = cases.last().map(|(_, case)| Place::of(order.by, case));
        take_wanted(link, p, query.tenant, wanted, cases, &mut found).await?;
        if is_last || found.len() > query.limit {
            break;
        }
        size = (size * BATCH_GROWTH).min(PAGE_MAX);
    }
    let page = page(found, query.limit, |(_, case)| case_cursor(order, &Place::of(order.by, case)));
    let stored = |(version, case): Found| {
        let record = match query.projection {
            Projection::Full => Record::Case(case),
            Projection::Summary => Record::Summary(Box::new(CaseSummary::of(&case))),
        };
        Stored { version, record }
    };
    Ok(Page { rows: page.rows.into_iter().map(stored).collect(), next: page.next })
}

fn batch_query(
    p: &str,
    query: &ListQuery,
    shelf: Shelf,
    after: Option<&Place>,
    size: usize,
) -> Query {
    let mut filter = Where::new(query.tenant, shelf);
    filter.and_scope(&query.scope.to_filter());
    filter.and_condition(&query.condition);
    if let Some(place) = after {
        filter.and_after(query.order, place);
    }
    let Where { text, query: mut it } = filter;
    let order = order_by(query.order);
    it.text =
        format!("SELECT version, doc FROM {p}ticket WHERE {text} ORDER BY {order} LIMIT {size}");
    it
}

fn read(rows: &[Row]) -> Result<Vec<Found>> {
    let case = |row: &Row| {
        let case = decode("case", column::<&str>(row, 1)?).map_err(unreadable)?;
        Ok((count(column(row, 0)?)?, case))
    };
    rows.iter().map(case).collect()
}

/// Adds those that are wanted.
async fn take_wanted(
    link: Link<'_>,
    p: &str,
    tenant: TenantId,
    wanted: Wanted<'_>,
    cases: Vec<Found>,
    found: &mut Vec<Found>,
) -> Result<()> {
    let beside = Beside::read(link, p, tenant, wanted, &cases).await?;
    for (version, case) in cases {
        if wanted.takes(&case, &beside)? {
            found.push((version, case));
        }
    }
    Ok(())
}

/// How many cases, by columns alone; `None` where they do not say it.
pub(super) fn count_query(p: &str, query: &CountQuery) -> Option<Query> {
    if !Wanted::of_count(query).is_unconditional() {
        return None;
    }
    let mut filter = Where::new(query.tenant, query.shelf);
    filter.and_scope(&query.scope.to_filter());
    let Where { text, query: mut it } = filter;
    let from = format!("FROM {p}ticket WHERE {text}");
    let group = match query.by {
        CountBy::Nothing => {
            let cap = it.bind(int(query.cap).saturating_add(1), Type::INT8);
            it.text =
                format!("SELECT count(*), NULL::text FROM (SELECT 1 {from} LIMIT {cap}) AS capped");
            return Some(it);
        }
        CountBy::Status => "status",
        CountBy::Assignee => "assignee_id",
        CountBy::Group => "group_key",
        CountBy::Queue => "queue_key",
    };
    it.text = format!("SELECT count(*), {group}::text {from} GROUP BY {group}");
    Some(it)
}

/// The buckets of the rows of [`count_query`].
pub(super) fn counted(query: &CountQuery, rows: &[Row]) -> Result<Vec<Bucket>> {
    let mut counts: BTreeMap<Option<String>, u64> = BTreeMap::new();
    for row in rows {
        counts.insert(column(row, 1)?, count(column(row, 0)?)?);
    }
    Ok(buckets(query, counts))
}

/// How many cases, one by one, in one transaction.
pub(super) async fn count_cases(
    link: Link<'_>,
    p: &str,
    query: &CountQuery,
) -> Result<Vec<Bucket>> {
    let wanted = Wanted::of_count(query);
    let mut counts = BTreeMap::new();
    if query.by == CountBy::Nothing {
        counts.insert(None, 0);
    }
    // By number, which has an index; any order would do.
    let mut all = ListQuery::all(query.tenant, crate::ListKind::Cases(query.shelf), query.now, 1);
    all.order = Order { by: OrderBy::Number, direction: Direction::Ascending };
    all.scope = query.scope.clone();
    all.condition = query.condition.clone();
    let mut after: Option<Place> = None;
    loop {
        let batch = batch_query(p, &all, query.shelf, after.as_ref(), PAGE_MAX);
        let rows = link.rows(&batch).await.map_err(failed)?;
        let is_last = rows.len() < PAGE_MAX;
        let cases = read(&rows)?;
        after = cases.last().map(|(_, case)| Place::of(OrderBy::Number, case));
        let mut found = Vec::new();
        take_wanted(link, p, query.tenant, wanted, cases, &mut found).await?;
        for (_, case) in found {
            *counts.entry(group_of(query.by, &case.ticket)).or_default() += 1;
        }
        let is_enough = query.by == CountBy::Nothing && counts.values().any(|n| *n > query.cap);
        if is_last || is_enough {
            return Ok(buckets(query, counts));
        }
    }
}

fn buckets(query: &CountQuery, counts: BTreeMap<Option<String>, u64>) -> Vec<Bucket> {
    let bucket = |(key, n): (_, u64)| Bucket { key, n: n.min(query.cap), capped: n > query.cap };
    counts.into_iter().map(bucket).collect()
}

/// What stands beside some cases, as far as a condition looks at it.
#[derive(Debug, Default)]
struct Beside {
    contacts: BTreeMap<ContactId, Contact>,
    organizations: BTreeMap<OrganizationId, Organization>,
    texts: BTreeMap<(TicketId, u32), String>,
}

impl Beside {
    async fn read(
        link: Link<'_>,
        p: &str,
        tenant: TenantId,
        wanted: Wanted<'_>,
        cases: &[Found],
    ) -> Result<Self> {
        let needs = wanted.needs();
        let mut keys: BTreeSet<RecordKey> = BTreeSet::new();
        for (_, case) in cases {
            let ticket = &case.ticket;
            if needs.requester {
                keys.insert(RecordKey::Stream(StreamId::contact(ticket.requester)));
            }
            if let Some(id) = ticket.organization.filter(|_| needs.organization) {
                keys.insert(RecordKey::Stream(StreamId::organization(id)));
            }
            if needs.body && ticket.newest_public_seq > 0 {
                keys.insert(RecordKey::Message(ticket.id, ticket.newest_public_seq));
            }
        }
        let keys: Vec<RecordKey> = keys.into_iter().collect();
        let mut beside = Self::default();
        for stored in get(link, p, tenant, &keys).await?.into_iter().flatten() {
            match stored.record {
                Record::Contact(it) => {
                    beside.contacts.insert(it.id, *it);
                }
                Record::Organization(it) => {
                    beside.organizations.insert(it.id, *it);
                }
                Record::Message(it) => {
                    beside.texts.insert((it.ticket_id, it.meta.seq), it.text);
                }
                _ => {}
            }
        }
        Ok(beside)
    }
}

impl Related for Beside {
    fn contact(&self, id: ContactId) -> Result<Option<Cow<'_, Contact>>> {
        Ok(self.contacts.get(&id).map(Cow::Borrowed))
    }

    fn organization(&self, id: OrganizationId) -> Result<Option<Cow<'_, Organization>>> {
        Ok(self.organizations.get(&id).map(Cow::Borrowed))
    }

    fn text(&self, ticket: TicketId, seq: u32) -> Result<Option<Cow<'_, str>>> {
        Ok(self.texts.get(&(ticket, seq)).map(|text| Cow::Borrowed(text.as_str())))
    }
}
