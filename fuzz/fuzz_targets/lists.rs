//! Whatever condition, order and cursor a list is asked with, SQLite answers as memory
//! does, where each row is looked at; a cursor of no list is refused, and pages put
//! together are the whole.

#![no_main]

use arbitrary::Unstructured;
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk::core::case::Case;
use helpdesk::core::case::record::Record;
use helpdesk::core::condition::{Condition, Schema};
use helpdesk::core::event::{StreamId, StreamKind};
use helpdesk::core::id::{CommandId, ContactId, Key, TenantId, TicketId, TicketNumber};
use helpdesk::core::ticket::Ticket;
use helpdesk::core::ticket::priority::{Channel, Priority};
use helpdesk::core::ticket::status::{StatusCategory, StatusDef};
use helpdesk::core::view::{Direction, OrderBy};
use helpdesk::storage::{
    ChangeSet, Cursor, Expect, ListKind, ListQuery, Order, Shelf, Store, StoreError, StoreExt,
};
use helpdesk::{MemoryStore, SqliteOptions, SqliteStore, block_on};
use libfuzzer_sys::fuzz_target;
use std::sync::{Arc, LazyLock};
use uuid::Uuid;

const TENANT: TenantId = TenantId(Uuid::from_u128(1));
const N_TICKETS: u64 = 24;

static STORES: LazyLock<[Arc<dyn Store>; 2]> = LazyLock::new(|| {
    let sqlite = SqliteStore::open_in_memory(SqliteOptions::default()).expect("opens");
    let stores: [Arc<dyn Store>; 2] = [Arc::new(MemoryStore::default()), Arc::new(sqlite)];
    for n in 0..N_TICKETS {
        for store in &stores {
            block_on(store.commit(change(n))).expect("commits");
        }
    }
    stores
});

fuzz_target!(|bytes: &[u8]| {
    let Some(query) = query(Unstructured::new(bytes)) else { return };
    let [memory, sqlite] = &*STORES;
    let (left, right) = (block_on(memory.list(&query)), block_on(sqlite.list(&query)));
    match (&left, &right) {
        (Ok(left), Ok(right)) => assert_eq!(left, right, "{query:?}"),
        (Err(StoreError::Invalid { .. }), Err(StoreError::Invalid { .. })) => return,
        _ => panic!("{query:?}: {left:?} and {right:?}"),
    }
    let mut paged = query;
    paged.after = None;
    let mut whole = paged.clone();
    whole.limit = 100;
    let pages = block_on(sqlite.list_all(paged)).expect("lists");
    assert_eq!(pages, block_on(memory.list(&whole)).expect("lists").rows);
});

fn query(mut input: Unstructured<'_>) -> Option<ListQuery> {
    const ORDERS: [OrderBy; 7] = [
        OrderBy::Number,
        OrderBy::CreatedAt,
        OrderBy::UpdatedAt,
        OrderBy::LastRequesterAt,
        OrderBy::Priority,
        OrderBy::DueAt,
        OrderBy::Status,
    ];
    let kind = *input
        .choose(&[
            ListKind::Cases(Shelf::Live),
            ListKind::Cases(Shelf::All),
            ListKind::Things(StreamKind::Case),
            ListKind::Things(StreamKind::Contact),
            ListKind::Messages(TicketId(Uuid::from_u128(1))),
            ListKind::DeadLetters,
            ListKind::ConfigVersions,
        ])
        .ok()?;
    let limit = input.int_in_range(1..=10).ok()?;
    let mut query = ListQuery::all(TENANT, kind, at(0), limit);
    let direction = *input.choose(&[Direction::Ascending, Direction::Descending]).ok()?;
    query.order = Order { by: *input.choose(&ORDERS).ok()?, direction };
    if input.ratio(1, 2).ok()? {
        query.after = Some(Cursor(input.arbitrary::<String>().ok()?));
    }
    let rest = input.take_rest();
    if let Ok(source) = serde_json::from_slice(rest)
        && let Ok(condition) = Condition::parse(&source, &Schema::default())
    {
        query.condition = condition;
    }
    Some(query)
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000, 0).expect("in range") + TimeDelta::seconds(seconds)
}

fn change(n: u64) -> ChangeSet {
    let category = StatusCategory::ALL[n as usize % StatusCategory::ALL.len()];
    let word = format!("status{}", n % 5);
    let status = StatusDef { key: Key::new(&word).expect("a key"), name: word, category };
    let id = TicketId(Uuid::from_u128(u128::from(n) + 1));
    let number = TicketNumber { prefix: Arc::from("HD"), n };
    let requester = ContactId(Uuid::from_u128(u128::from(n % 3)));
    let channel = [Channel::Email, Channel::Chat][n as usize % 2];
    let opened_at = at((n % 7) as i64);
    let mut ticket = Ticket::blank(id, number, requester, channel, &status, opened_at);
    ticket.subject = ["refund", "Rechnung", "it is broken", ""][n as usize % 4].to_owned();
    ticket.priority = [None, Some(Priority::Low), Some(Priority::Urgent)][n as usize % 3];
    ticket.tags.extend((n % 4 == 0).then(|| "vip".to_owned()));
    let mut change = ChangeSet::new(TENANT, CommandId(id.0), opened_at);
    change.expect.push(Expect { stream: StreamId::case(id), version: 0 });
    change.put.push(Record::Case(Box::new(Case::new(ticket))));
    change
}
