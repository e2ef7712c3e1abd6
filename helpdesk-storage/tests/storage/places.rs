//! What SQLite finds without a row or an index for it, memory finds the same way: tickets by
//! their own numbers, messages beside each other, the journal of one tenant among others, lanes of
//! the outbox by their tickets.

use crate::work::{start, ticket};
use helpdesk_core::actor::{ActorKind, Author};
use helpdesk_core::case::Case;
use helpdesk_core::case::record::{OutboxMessage, Record, RecordKey, UniqueKey};
use helpdesk_core::effect::Effect;
use helpdesk_core::event::{Cause, Event, NewEvent, Origin, Recorded, StreamId};
use helpdesk_core::id::{CommandId, ContactId, MessageId, TenantId, TicketId, TicketNumber};
use helpdesk_core::ticket::message::{Message, MessageKind, MessageMeta, text_hash};
use helpdesk_core::ticket::priority::Channel;
use helpdesk_storage::memory::MemoryStore;
use helpdesk_storage::sqlite::{SqliteOptions, SqliteStore};
use helpdesk_storage::{
    ChangeSet, ClaimParams, ClaimWhat, EventQuery, EventSource, Expect, ListKind, ListQuery,
    Maintain, NewOutbox, Settle, SettleHow, Store, UniqueOp,
};
use pollster::block_on;
use proptest::prelude::*;
use std::sync::Arc;
use uuid::Uuid;

/// Tenants, tickets of each, numbers that they may have, messages of each.
const TENANTS: u8 = 3;
const TICKETS: u8 = 4;
const NUMBERS: u8 = 4;
const MESSAGES: u8 = 3;

/// One step of one tenant.
#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<Part>),
    Purge {
        n: u8,
    },
    /// Leases what is first in its lane, and ends so many leases one way, the others another.
    Deliver {
        n_done: usize,
        is_dead: bool,
    },
    /// Dead letters are tried again.
    Redrive,
    Scrub,
}

/// A part of a change set.
#[derive(Debug, Clone)]
enum Part {
    /// Puts ticket `n` with a number, and so many entries.
    Put { n: u8, number: u8, events: u8 },
    /// Puts a message, of a ticket that may not be there.
    Message { n: u8, seq: u8 },
    /// A ticket's number finds the ticket.
    Key { number: u8, n: u8, replace: bool },
    /// It does not any more.
    Remove { number: u8 },
    /// Somebody is told of a ticket: the i-th message.
    Notify { i: u8, n: u8 },
}

fn part() -> impl Strategy<Value = Part> {
    let put = (0..TICKETS, 0..NUMBERS, 0..4_u8);
    let key = (0..NUMBERS, 0..TICKETS, any::<bool>());
    prop_oneof![
        4 => put.prop_map(|(n, number, events)| Part::Put { n, number, events }),
        3 => (0..TICKETS, 1..=MESSAGES).prop_map(|(n, seq)| Part::Message { n, seq }),
        3 => key.prop_map(|(number, n, replace)| Part::Key { number, n, replace }),
        1 => (0..NUMBERS).prop_map(|number| Part::Remove { number }),
        3 => (0..12_u8, 0..TICKETS).prop_map(|(i, n)| Part::Notify { i, n }),
    ]
}

fn step() -> impl Strategy<Value = (u8, Step)> {
    // As engines do: a new ticket with its number, its entries and its first message.
    let opened = (0..TICKETS, 0..NUMBERS, 1..4_u8, any::<bool>()).prop_map(
        |(n, number, events, message_first)| {
            let put = Part::Put { n, number, events };
            let message = Part::Message { n, seq: 1 };
            let key = Part::Key { number, n, replace: false };
            if message_first { vec![message, put, key] } else { vec![put, message, key] }
        },
    );
    let step = prop_oneof![
        6 => opened.prop_map(Step::Commit),
        6 => prop::collection::vec(part(), 1..4).prop_map(Step::Commit),
        2 => (0..TICKETS).prop_map(|n| Step::Purge { n }),
        4 => (0..3_usize, any::<bool>()).prop_map(|(n_done, is_dead)| Step::Deliver { n_done, is_dead }),
        1 => Just(Step::Redrive),
        1 => Just(Step::Scrub),
    ];
    (0..TENANTS, step)
}

fn tenant(who: u8) -> TenantId {
    TenantId(Uuid::from_u128(u128::from(who) + 7))
}

fn id(n: u8) -> TicketId {
    TicketId(Uuid::from_u128(u128::from(n) + 1))
}

/// Of two prefixes, so that some have the same count.
fn number(k: u8) -> TicketNumber {
    TicketNumber { prefix: Arc::from(["HD", "X"][usize::from(k % 2)]), n: u64::from(k / 2) }
}

fn message(n: u8, seq: u8, c: u128) -> Message {
    let text = format!("Message {seq} of {c}");
    let meta = MessageMeta {
        id: MessageId(Uuid::from_u128(c)),
        seq: seq.into(),
        kind: MessageKind::PublicReply,
        author: Author::Contact { id: ContactId(Uuid::from_u128(1)) },
        channel: Channel::Email,
        text_bytes: text.len() as u64,
        sha256: text_hash(&text, None),
        attachments: Vec::new(),
        external_id: None,
        sent_at: start(),
        truncated: false,
    };
    Message { ticket_id: id(n), meta, text, html: None, redacted: false }
}

fn event(n: u8, c: u128) -> NewEvent {
    let cause = Cause::Command { id: CommandId(Uuid::from_u128(c)) };
    let kind = ActorKind::System;
    let origin = Origin { kind, actor: None, on_behalf_of: None, ip: None, cause };
    NewEvent { stream: StreamId::case(id(n)), at: start(), origin, event: Event::Woken }
}

/// Two stores that must say the same.
struct Pair {
    memory: MemoryStore,
    sqlite: SqliteStore,
    n_commits: u128,
}

impl Pair {
    fn version(&self, who: u8, n: u8) -> u64 {
        let key = RecordKey::Stream(StreamId::case(id(n)));
        let found = block_on(self.memory.get(tenant(who), &[key])).unwrap();
        found[0].as_ref().map_or(0, |stored| stored.version)
    }

    fn change(&mut self, who: u8, parts: &[Part]) -> ChangeSet {
        self.n_commits += 1;
        let c = self.n_commits;
        let mut change = ChangeSet::new(tenant(who), CommandId(Uuid::from_u128(c)), start());
        for part in parts {
            match *part {
                Part::Put { n, number: k, events } => {
                    let stream = StreamId::case(id(n));
                    change.expect.push(Expect { stream, version: self.version(who, n) });
                    let mut ticket = ticket(id(n), 1, start());
                    ticket.number = number(k);
                    ticket.subject = format!("Ticket {n} of {c}");
                    change.put.push(Record::Case(Box::new(Case::new(ticket))));
                    change.events.extend((0..events).map(|_| event(n, c)));
                }
                Part::Message { n, seq } => {
                    change.put.push(Record::Message(Box::new(message(n, seq, c))));
                }
                Part::Key { number: k, n, replace } => {
                    let (key, stream) =
                        (UniqueKey::Number { number: number(k) }, StreamId::case(id(n)));
                    change.unique.push(UniqueOp::Put { key, stream, replace });
                }
                Part::Notify { i, n } => {
                    let message = OutboxMessage {
                        id: Uuid::from_u128(u128::from(i) + 1),
                        effect: Effect::NotifyUnroutable { ticket: id(n) },
                        ordering_key: id(n).0,
                        not_before: start(),
                        created_at: start(),
                    };
                    change.outbox.push(NewOutbox { message });
                }
                Part::Remove { number: k } => {
                    change
                        .unique
                        .push(UniqueOp::Remove { key: UniqueKey::Number { number: number(k) } });
                }
            }
        }
        change
    }

    /// What both say of a tenant.
    fn told(&self, who: u8) -> [Vec<String>; 2] {
        let last = block_on(self.memory.feed_end(tenant(who))).unwrap();
        [told(&self.memory, who, last), told(&self.sqlite, who, last)]
    }

    /// Does one step with both, and says what each answered.
    fn answers(&mut self, who: u8, step: &Step) -> [String; 2] {
        match step {
            Step::Commit(parts) => {
                let change = self.change(who, parts);
                let answer = |store: &dyn Store| {
                    let committed = block_on(store.commit(change.clone()));
                    committed.map_or_else(|error| error.to_string(), |it| format!("{it:?}"))
                };
                [answer(&self.memory), answer(&self.sqlite)]
            }
            Step::Purge { n } => {
                let tickets = vec![(id(*n), self.version(who, *n))];
                let purge = Maintain::PurgeTickets { tenant: tenant(who), tickets };
                let answer = |store: &dyn Store| format!("{:?}", block_on(store.maintain(&purge)));
                [answer(&self.memory), answer(&self.sqlite)]
            }
            Step::Deliver { n_done, is_dead } => [
                deliver(&self.memory, who, *n_done, *is_dead),
                deliver(&self.sqlite, who, *n_done, *is_dead),
            ],
            Step::Redrive => {
                let redrive =
                    Maintain::Redrive { tenant: tenant(who), ids: Vec::new(), now: start() };
                let answer =
                    |store: &dyn Store| format!("{:?}", block_on(store.maintain(&redrive)));
                [answer(&self.memory), answer(&self.sqlite)]
            }
            Step::Scrub => {
                block_on(self.sqlite.maintain(&Maintain::Scrub)).unwrap();
                [String::new(), String::new()]
            }
        }
    }
}

/// What is first in its lane; some of it is done or dead then, the rest waits for the next claim.
fn deliver(store: &dyn Store, who: u8, n_done: usize, is_dead: bool) -> String {
    let mut params = ClaimParams::new(ClaimWhat::Outbox, start(), 10);
    params.tenants = Some(vec![tenant(who)]);
    let claimed = block_on(store.claim(&params)).unwrap();
    let settles = claimed.leases.iter().enumerate().map(|(i, lease)| {
        let how = match i < n_done {
            true if is_dead => SettleHow::Dead { error: "no".to_owned() },
            true => SettleHow::Done,
            false => SettleHow::Release,
        };
        Settle { token: lease.token, now: start(), how }
    });
    let settled = block_on(store.settle(settles.collect())).unwrap();
    format!("{claimed:?} {settled:?}")
}

/// All that a store says of a tenant, whose journal is read from several places up to the last.
fn told(store: &dyn Store, who: u8, last: u64) -> Vec<String> {
    let tenant = tenant(who);
    let mut keys: Vec<RecordKey> = Vec::new();
    for k in 0..NUMBERS {
        keys.push(RecordKey::Unique(UniqueKey::Number { number: number(k) }));
    }
    for n in 0..TICKETS {
        keys.push(RecordKey::Stream(StreamId::case(id(n))));
        keys.extend((1..=MESSAGES).map(|seq| RecordKey::Message(id(n), seq.into())));
    }
    let mut lines: Vec<String> = Vec::new();
    for (key, found) in keys.iter().zip(block_on(store.get(tenant, &keys)).unwrap()) {
        let alone = block_on(store.get(tenant, std::slice::from_ref(key))).unwrap();
        assert_eq!(format!("{:?}", alone[0]), format!("{found:?}"));
        lines.push(format!("{key:?}: {found:?}"));
    }
    for n in 0..TICKETS {
        let mut query = ListQuery::all(tenant, ListKind::Messages(id(n)), start(), 2);
        loop {
            let page = block_on(store.list(&query)).unwrap();
            lines.extend(page.rows.iter().map(|row| format!("{n}: {row:?}")));
            let Some(next) = page.next else { break };
            query.after = Some(next);
        }
        let source = EventSource::Stream { stream: StreamId::case(id(n)), after: 0 };
        let history = block_on(store.events(&EventQuery::new(tenant, source, 1_000))).unwrap();
        lines.extend(history.rows.iter().map(|row| format!("{row:?}")));
    }
    let feed = |first: u64| -> Vec<Recorded> {
        let (mut after, mut rows) = (first, Vec::new());
        loop {
            let source = EventSource::Feed { after, kinds: Vec::new() };
            let page = block_on(store.events(&EventQuery::new(tenant, source, 5))).unwrap();
            let Some(last) = page.rows.last() else { break };
            after = last.position;
            rows.extend(page.rows);
        }
        rows
    };
    let all = feed(0);
    let end = block_on(store.feed_end(tenant)).unwrap();
    assert_eq!(end, all.last().map_or(0, |last| last.position));
    for first in [0, 1, 127, 128, 129, last / 2, last.saturating_sub(1), last, last + 1] {
        let rows: Vec<Recorded> = feed(first);
        // Where a ticket that went had the last place, SQLite keeps that place.
        let rows = rows.iter().filter(|row| !row.entry.stream.id.is_nil());
        lines.extend(rows.map(|row| format!("after {first}: {row:?}")));
    }
    lines
}

fn check(steps: &[(u8, Step)]) {
    let sqlite = SqliteStore::open_in_memory(SqliteOptions::default()).unwrap();
    let mut pair = Pair { memory: MemoryStore::default(), sqlite, n_commits: 0 };
    for (who, step) in steps {
        let [memory, sqlite] = pair.answers(*who, step);
        assert_eq!(memory, sqlite, "{who}: {step:?}");
        for who in 0..TENANTS {
            let [memory, sqlite] = pair.told(who);
            for (memory, sqlite) in memory.iter().zip(&sqlite) {
                assert_eq!(memory, sqlite, "{who} after {step:?}");
            }
            assert_eq!(memory.len(), sqlite.len(), "{who} after {step:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn sqlite_finds_what_memory_finds(steps in prop::collection::vec(step(), 1..24)) {
        check(&steps);
    }
}

#[test]
fn each_tenant_reads_its_own_of_a_long_journal() {
    // Long runs of one tenant and turns of all, over many stretches of the journal.
    let put = |n: u8| Step::Commit(vec![Part::Put { n, number: n, events: 3 }]);
    let sqlite = SqliteStore::open_in_memory(SqliteOptions::default()).unwrap();
    let mut pair = Pair { memory: MemoryStore::default(), sqlite, n_commits: 0 };
    let long = (0..200).map(|_| 0).chain((0..90).map(|i| i % TENANTS)).chain((0..150).map(|_| 1));
    for (i, who) in long.enumerate() {
        let n = u8::try_from(i % usize::from(TICKETS)).unwrap();
        let [memory, sqlite] = pair.answers(who, &put(n));
        assert_eq!(memory, sqlite);
        if i % 60 == 59 {
            let [memory, sqlite] = pair.answers(who, &Step::Purge { n });
            assert_eq!(memory, sqlite);
        }
    }
    for who in 0..TENANTS {
        let [memory, sqlite] = pair.told(who);
        assert_eq!(memory, sqlite, "tenant {who}");
    }
}
