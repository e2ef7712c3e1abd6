//! What purging tickets leaves in SQLite's tables.

use crate::sqlite::open;
use crate::work::{received, tenant};
use helpdesk_core::event::StreamKind;
use helpdesk_core::id::{TenantId, TicketId};
use helpdesk_storage::{ChangeSet, Maintain, Store, StoreExt};
use pollster::block_on;
use rusqlite::Connection;
use std::collections::BTreeSet;
use uuid::Uuid;

fn of(tenant: TenantId, n: u64, load: u64) -> ChangeSet {
    let mut change = received(n, load);
    change.tenant = tenant;
    // Entries of tickets alone, so that none of a stretch need stay.
    change.events.retain(|event| event.stream.kind == StreamKind::Case);
    change
}

fn ticket_of(change: &ChangeSet) -> TicketId {
    let case = change.expect.iter().find(|it| it.stream.kind == StreamKind::Case);
    TicketId(case.unwrap().stream.id)
}

/// Rows of two columns, sorted.
fn rows(conn: &Connection, sql: &str) -> BTreeSet<(Vec<u8>, i64)> {
    let mut statement = conn.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// The plain form: the stretches of all entries, the keys of all tickets.
#[test]
fn purged_tickets_leave_the_stretches_and_keys_of_the_others() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("desk.db");
    let store = open(&path);
    let conn = Connection::open(&path).unwrap();
    let tenants = [tenant(), TenantId(Uuid::from_u128(0xB0B))];
    let mut tickets: Vec<(TenantId, TicketId)> = Vec::new();
    // Three of the one, then three of the other: their stretches overlap.
    for n in 1..=120 {
        let tenant = tenants[usize::try_from(n / 3 % 2).unwrap()];
        let load = tickets.iter().filter(|(of, _)| *of == tenant).count() as u64;
        let change = of(tenant, n, load);
        tickets.push((tenant, ticket_of(&change)));
        block_on(store.commit(change)).unwrap();
    }
    // In any order, some at a time, at last all.
    tickets.sort_by_key(|(_, ticket)| ticket.0.as_u128().wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut n_stretches = BTreeSet::new();
    for some in tickets.chunks(7) {
        for tenant in tenants {
            let mine = some.iter().filter(|(of, _)| *of == tenant).map(|(_, it)| (*it, 4));
            let purge = Maintain::PurgeTickets { tenant, tickets: mine.collect() };
            block_on(store.maintain(&purge)).unwrap();
        }
        let stretches = rows(&conn, "SELECT tenant_id, n FROM hd_stretch");
        let all = rows(&conn, "SELECT DISTINCT tenant_id, position / 128 FROM hd_event");
        assert_eq!(stretches, all);
        n_stretches.insert(stretches.len());
        for (tenant, ticket) in some {
            assert!(block_on(store.get_case(*tenant, *ticket)).unwrap().is_none());
        }
        let keys = rows(
            &conn,
            "SELECT stream_id, count(*) FROM hd_unique WHERE stream_kind = 'case' GROUP BY 1",
        );
        let left = rows(&conn, "SELECT id, 1 FROM hd_ticket");
        assert_eq!(keys, left, "each has a key but its number");
    }
    let least = n_stretches.first().copied();
    assert!(n_stretches.len() > 3 && least == Some(1), "{n_stretches:?}: the last place stays");
    block_on(store.commit(of(tenants[0], 121, 60))).unwrap();
}
