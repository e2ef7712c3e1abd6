//! Everything that a store holds, and the laws that hold of it at any time.

use chrono::{DateTime, Utc};
use helpdesk::block_on;
use helpdesk::core::agent::{Agent, AgentLoad, Capacity, Presence, Roster, RosterEntry};
use helpdesk::core::case::Share;
use helpdesk::core::case::apply::apply;
use helpdesk::core::case::record::{Record, RecordKey, Stored};
use helpdesk::core::desk::Desk;
use helpdesk::core::event::{AssignedHow, Event, NewEvent, Recorded, StreamId, StreamKind};
use helpdesk::core::id::{AgentId, ContactId, TenantId};
use helpdesk::core::limit::PAGE_MAX;
use helpdesk::core::routing::queue::QueueMode;
use helpdesk::core::routing::select::{Ask, choose};
use helpdesk::core::ticket::priority::Channel;
use helpdesk::storage::{EventQuery, EventSource, ListKind, ListQuery, Shelf, Store};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The whole journal, in the order of the feed.
pub(crate) fn journal(store: &dyn Store, tenant: TenantId) -> Vec<Recorded> {
    rows_after(store, tenant, 0)
}

fn rows_after(store: &dyn Store, tenant: TenantId, mut after: u64) -> Vec<Recorded> {
    let mut rows = Vec::new();
    loop {
        let source = EventSource::News { after, kinds: Vec::new() };
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
        StreamKind::Article,
        StreamKind::Revision,
        StreamKind::Vote,
        StreamKind::SearchSession,
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
/// shares, nobody is given more than there is room for, no ticket goes to two,
/// time does not go backwards in a stream.
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
    check_laws_of(store, tenant, &journal(store, tenant));
}

/// The same of a journal whose archived entries are in their places again.
pub(crate) fn check_laws_of(store: &dyn Store, tenant: TenantId, journal: &[Recorded]) {
    check_fold(store, tenant, journal);
    check_loads(store, tenant);
}

fn check_fold(store: &dyn Store, tenant: TenantId, journal: &[Recorded]) {
    let mut folded: BTreeMap<StreamId, (u64, Option<Record>)> = BTreeMap::new();
    let mut held = Held::default();
    for row in journal {
        let stream = row.entry.stream;
        let entry = folded.entry(stream).or_insert((0, None));
        assert_eq!(row.n, entry.0 + 1, "an event is missing or doubled");
        entry.0 = row.n;
        check_one_owner(entry.1.as_ref(), row);
        let before = shares_of(entry.1.as_ref());
        apply(stream, &mut entry.1, &row.entry.event, row.entry.at).unwrap();
        let after = shares_of(entry.1.as_ref());
        held.change(&before, &after);
        if let Some(agent) = given_by_itself(&row.entry.event) {
            let Some((_, Some(Record::Agent(agent)))) = folded.get(&StreamId::agent(agent)) else {
                panic!("given to nobody: {row:?}")
            };
            // What does not count, or is not live, takes no room.
            if let Some(share) = after.first() {
                held.check(agent, share.channel, row);
            }
        }
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

fn shares_of(record: Option<&Record>) -> Vec<Share> {
    match record {
        Some(Record::Case(case)) => case.shares(),
        _ => Vec::new(),
    }
}

/// Nobody takes, claims or is offered what another has or is offered.
fn check_one_owner(before: Option<&Record>, row: &Recorded) {
    let Some(Record::Case(case)) = before else { return };
    let offered_to = case.offer.as_ref().map(|offer| offer.agent);
    match &row.entry.event {
        Event::Assigned { how, .. } => {
            assert_eq!(offered_to, None, "assigned while it is offered: {row:?}");
            let is_free = case.ticket.assignee.is_none();
            let by_name =
                matches!(how, AssignedHow::ByHand | AssignedHow::Macro | AssignedHow::Escalated);
            assert!(is_free || by_name, "two owners: {row:?}");
        }
        Event::Offered { .. } => {
            assert_eq!((case.ticket.assignee, offered_to), (None, None), "two owners: {row:?}");
        }
        _ => {}
    }
}

/// To whom the desk gave the ticket, where it and no person chose.
fn given_by_itself(event: &Event) -> Option<AgentId> {
    match event {
        Event::Assigned { agent, how: AssignedHow::Automatically | AssignedHow::Taken, .. }
        | Event::Offered { agent, choice: Some(_), .. } => Some(*agent),
        _ => None,
    }
}

/// What agents hold at one place of the journal, in work units.
#[derive(Default)]
struct Held(BTreeMap<(AgentId, Channel), u32>);

impl Held {
    fn change(&mut self, before: &[Share], after: &[Share]) {
        for share in before {
            let units = self.0.get_mut(&(share.agent, share.channel)).unwrap();
            *units -= share.active + share.reserved;
        }
        for share in after {
            let units = self.0.entry((share.agent, share.channel)).or_default();
            *units += share.active + share.reserved;
        }
    }

    fn check(&self, agent: &Agent, channel: Channel, row: &Recorded) {
        let Capacity { total, channels, .. } = &agent.capacity;
        let own = self.0.iter().filter(|((own, _), _)| *own == agent.id);
        let held: u32 = own.map(|(_, units)| units).sum();
        assert!(held <= *total, "holds {held} of {total} after {row:?}");
        let on_channel = self.0.get(&(agent.id, channel)).copied().unwrap_or_default();
        let max = channels.get(&channel).copied().unwrap_or(u32::MAX);
        assert!(on_channel <= max, "holds {on_channel} of {max} on {channel:?} after {row:?}");
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

/// Whoever may be given a waiting ticket has been given it, once timers have fired.
pub(crate) fn check_nobody_waits_in_vain(
    store: &dyn Store,
    tenant: TenantId,
    desk: &Desk,
    now: DateTime<Utc>,
) {
    let roster = roster(store, tenant);
    let answered = last_answered_by(store, tenant);
    for case in cases(store, tenant) {
        let ticket = &case.ticket;
        let is_snoozed = ticket.snoozed_until.is_some_and(|until| until > now);
        let Some(queue) = ticket.queue.as_ref().and_then(|key| desk.queue(key)) else { continue };
        if !case.waits() || is_snoozed || queue.mode == QueueMode::Pull {
            continue;
        }
        let affinity: Vec<AgentId> = answered.get(&ticket.requester).copied().into_iter().collect();
        let seed = desk.selection_seed();
        let calendars = desk.calendars();
        let ask = Ask { queue, ticket, roster: &roster, calendars, affinity: &affinity, now, seed };
        let choice = choose(&ask);
        assert_eq!(choice.chosen, None, "{} waits in vain: {case:#?}", ticket.number);
    }
}

fn last_answered_by(store: &dyn Store, tenant: TenantId) -> BTreeMap<ContactId, AgentId> {
    let rows = list(store, tenant, ListKind::Things(StreamKind::Contact)).into_iter();
    rows.filter_map(|stored| match stored.record {
        Record::Contact(contact) => Some((contact.id, contact.last_answered_by?)),
        _ => None,
    })
    .collect()
}

/// All agents as the store knows them.
pub(crate) fn roster(store: &dyn Store, tenant: TenantId) -> Roster {
    let mut roster = Roster::default();
    for kind in [StreamKind::Agent, StreamKind::Presence, StreamKind::Load] {
        for Stored { version, record } in list(store, tenant, ListKind::Things(kind)) {
            match record {
                Record::Agent(agent) => {
                    let entry = RosterEntry {
                        presence: Presence::none(agent.id),
                        load: AgentLoad::none(agent.id),
                        agent: Arc::new(*agent),
                        agent_version: version,
                        presence_version: 0,
                        load_version: 0,
                    };
                    roster.agents.insert(entry.agent.id, entry);
                }
                Record::Presence(presence) => {
                    let entry = roster.agents.get_mut(&presence.agent).unwrap();
                    (entry.presence, entry.presence_version) = (presence, version);
                }
                Record::Load(load) => {
                    let entry = roster.agents.get_mut(&load.agent).unwrap();
                    (entry.load, entry.load_version) = (load, version);
                }
                other => panic!("{other:?}"),
            }
        }
    }
    roster
}
