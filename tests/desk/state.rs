//! Everything that a store holds, and the laws that hold of it at any time.

use chrono::{DateTime, Utc};
use helpdesk::block_on;
use helpdesk::core::agent::AgentLoad;
use helpdesk::core::case::apply::apply;
use helpdesk::core::case::record::{Record, RecordKey, Stored};
use helpdesk::core::event::{NewEvent, Recorded, StreamId, StreamKind};
use helpdesk::core::id::TenantId;
use helpdesk::core::limit::PAGE_MAX;
use helpdesk::storage::{EventQuery, EventSource, ListKind, ListQuery, Shelf, Store};
use std::collections::BTreeMap;

/// The whole journal, in the order of the feed.
pub(crate) fn journal(store: &dyn Store, tenant: TenantId) -> Vec<Recorded> {
    rows_after(store, tenant, 0)
}

fn rows_after(store: &dyn Store, tenant: TenantId, mut after: u64) -> Vec<Recorded> {
    let mut rows = Vec::new();
    loop {
        let source = EventSource::Feed { after, kinds: Vec::new() };
        let page = block_on(store.events(&EventQuery::new(tenant, source, PAGE_MAX))).unwrap();
        rows.extend(page.rows);
        match rows.last() {
            Some(last) if page.next.is_some() => after = last.position,
            _ => return rows,
        }
    }
}

pub(crate) fn last_position(store: &dyn Store, tenant: TenantId) -> u64 {
    journal(store, tenant).last().map_or(0, |row| row.position)
}

pub(crate) fn events_after(store: &dyn Store, tenant: TenantId, after: u64) -> Vec<NewEvent> {
    rows_after(store, tenant, after).into_iter().map(|row| row.entry).collect()
}

/// All records of a kind.
pub(crate) fn list(store: &dyn Store, tenant: TenantId, kind: ListKind) -> Vec<Stored> {
    let mut query = ListQuery::all(tenant, kind, DateTime::<Utc>::MIN_UTC, PAGE_MAX);
    let mut rows = Vec::new();
    loop {
        let page = block_on(store.list(&query)).unwrap();
        rows.extend(page.rows);
        match page.next {
            Some(next) => query.after = Some(next),
            None => return rows,
        }
    }
}

pub(crate) fn cases(store: &dyn Store, tenant: TenantId) -> Vec<helpdesk::core::case::Case> {
    let rows = list(store, tenant, ListKind::Cases(Shelf::All)).into_iter();
    rows.filter_map(|stored| match stored.record {
        Record::Case(case) => Some(*case),
        _ => None,
    })
    .collect()
}

/// Every journal entry and record as text, but for command ids and positions.
pub(crate) fn dump(store: &dyn Store, tenant: TenantId) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for row in journal(store, tenant) {
        let NewEvent { stream, at, event, .. } = &row.entry;
        lines.push(format!("{} {stream:?} {at} {event:?}", row.n));
    }
    for stored in list(store, tenant, ListKind::Cases(Shelf::All)) {
        lines.push(format!("{stored:?}"));
        if let Record::Case(case) = &stored.record {
            let messages = list(store, tenant, ListKind::Messages(case.ticket.id));
            lines.extend(messages.iter().map(|stored| format!("{:?}", stored.record)));
        }
    }
    for kind in [
        StreamKind::Contact,
        StreamKind::Organization,
        StreamKind::Agent,
        StreamKind::Presence,
        StreamKind::Load,
    ] {
        lines.extend(list(store, tenant, ListKind::Things(kind)).iter().map(|s| format!("{s:?}")));
    }
    lines
}

/// Two stores hold the same; else the first line in which they differ.
pub(crate) fn assert_same(left: &dyn Store, right: &dyn Store, tenant: TenantId) {
    let (left, right) = (dump(left, tenant), dump(right, tenant));
    let differing = left.iter().zip(&right).position(|(left, right)| left != right);
    if let Some(i) = differing {
        let before = left[i.saturating_sub(3)..i].join("\n");
        panic!("after\n{before}\nleft:  {}\nright: {}", left[i], right[i]);
    }
    assert_eq!(left.len(), right.len(), "one has more than the other");
}

/// Two stores hold the same of each ticket, whatever happened to others between.
pub(crate) fn assert_same_tickets(left: &dyn Store, right: &dyn Store, tenant: TenantId) {
    let of_each = |store: &dyn Store| {
        let mut tickets: BTreeMap<StreamId, Vec<String>> = BTreeMap::new();
        for row in journal(store, tenant) {
            let NewEvent { stream, at, event, .. } = &row.entry;
            if stream.kind == StreamKind::Case {
                let lines = tickets.entry(*stream).or_default();
                lines.push(format!("{} {at} {event:?}", row.n));
            }
        }
        tickets
    };
    let (left, right) = (of_each(left), of_each(right));
    for (stream, left) in &left {
        let right = right.get(stream).map_or(&[][..], Vec::as_slice);
        let differing = left.iter().zip(right).position(|(left, right)| left != right);
        if let Some(i) = differing {
            let before = left[i.saturating_sub(6)..i].join("\n");
            panic!("after\n{before}\nleft:  {}\nright: {}", left[i], right[i]);
        }
        let longer = left.iter().zip(right).count();
        let rest: Vec<_> = left.iter().skip(longer).chain(right.iter().skip(longer)).collect();
        assert!(rest.is_empty(), "one has more than the other: {rest:#?}");
    }
    assert_eq!(left.len(), right.len());
}

/// Folding the journal gives what is stored, loads are the sum of the cases'
/// shares, time does not go backwards in a stream.
pub(crate) fn check_laws(store: &dyn Store, tenant: TenantId) {
    check_laws_but_time(store, tenant);
    let mut last: BTreeMap<StreamId, DateTime<Utc>> = BTreeMap::new();
    for row in journal(store, tenant) {
        let before = last.insert(row.entry.stream, row.entry.at);
        assert!(before.is_none_or(|at| at <= row.entry.at), "time goes backwards: {row:?}");
    }
}

/// The same for hosts whose clocks differ.
pub(crate) fn check_laws_but_time(store: &dyn Store, tenant: TenantId) {
    check_fold(store, tenant, &journal(store, tenant));
    check_loads(store, tenant);
}

fn check_fold(store: &dyn Store, tenant: TenantId, journal: &[Recorded]) {
    let mut folded: BTreeMap<StreamId, (u64, Option<Record>)> = BTreeMap::new();
    for row in journal {
        let stream = row.entry.stream;
        let entry = folded.entry(stream).or_insert((0, None));
        assert_eq!(row.n, entry.0 + 1, "an event is missing or doubled");
        entry.0 = row.n;
        apply(stream, &mut entry.1, &row.entry.event, row.entry.at).unwrap();
    }
    for (stream, (version, record)) in folded {
        if stream.kind == StreamKind::Config {
            continue;
        }
        let found = block_on(store.get(tenant, &[RecordKey::Stream(stream)])).unwrap();
        let stored = found.into_iter().next().flatten().expect("a stream without its record");
        assert_eq!(stored.version, version, "{stream:?}");
        assert_eq!(Some(stored.record), record, "{stream:?}");
    }
}

fn check_loads(store: &dyn Store, tenant: TenantId) {
    let mut summed: BTreeMap<_, (u32, u32)> = BTreeMap::new();
    for case in cases(store, tenant) {
        for share in case.shares() {
            let sum = summed.entry((share.agent, share.channel)).or_default();
            sum.0 += share.active;
            sum.1 += share.reserved;
        }
    }
    let mut stored: BTreeMap<_, (u32, u32)> = BTreeMap::new();
    for load in loads(store, tenant) {
        for (channel, load_of) in &load.channels {
            stored.insert((load.agent, *channel), (load_of.active, load_of.reserved));
        }
    }
    stored.retain(|_, units| *units != (0, 0));
    summed.retain(|_, units| *units != (0, 0));
    assert_eq!(stored, summed, "stored loads are not the sum of the cases'");
}

pub(crate) fn loads(store: &dyn Store, tenant: TenantId) -> Vec<AgentLoad> {
    let rows = list(store, tenant, ListKind::Things(StreamKind::Load)).into_iter();
    rows.filter_map(|stored| match stored.record {
        Record::Load(load) => Some(load),
        _ => None,
    })
    .collect()
}
