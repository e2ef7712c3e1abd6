//! What one inbound mail commits, for tests and benches.

use chrono::{DateTime, TimeDelta, Utc};
use helpdesk_core::actor::{ActorKind, Author};
use helpdesk_core::agent::{AgentLoad, ChannelLoad};
use helpdesk_core::case::Case;
use helpdesk_core::case::record::{CommandRecord, OutboxMessage, Record, UniqueKey};
use helpdesk_core::contact::{Contact, Identity};
use helpdesk_core::effect::{AgentNews, Effect};
use helpdesk_core::event::{
    AssignedHow, Cause, ChoiceShort, ChosenBy, Event, NewEvent, Origin, RoutedBy, StreamId,
    TimerKind,
};
use helpdesk_core::id::{
    AgentId, CommandId, ContactId, IdSource, Key, MessageId, TenantId, TicketId, TicketNumber,
};
use helpdesk_core::ticket::Ticket;
use helpdesk_core::ticket::message::{Message, MessageKind, MessageMeta, text_hash};
use helpdesk_core::ticket::priority::{Channel, Priority};
use helpdesk_core::ticket::status::{StatusCategory, StatusDef};
use helpdesk_storage::{ChangeSet, Expect, NewOutbox, TimerOp, UniqueOp};
use std::sync::Arc;
use uuid::Uuid;

pub(crate) fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

pub(crate) fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_603_600, 123_456_000).unwrap()
}

pub(crate) fn tenant() -> TenantId {
    TenantId(Uuid::from_u128(0xA11CE))
}

pub(crate) fn ticket(id: TicketId, n: u64, now: DateTime<Utc>) -> Ticket {
    let open =
        StatusDef { key: key("open"), name: "Open".to_owned(), category: StatusCategory::Open };
    let number = TicketNumber { prefix: Arc::from("HD"), n };
    let requester = ContactId(Uuid::from_u128(1));
    let mut ticket = Ticket::blank(id, number, requester, Channel::Email, &open, now);
    ticket.subject = format!("Invoice {n} is missing from our account");
    ticket.mailbox = Some(key("support"));
    ticket.language = Some("en".to_owned());
    ticket.priority = Some(Priority::Normal);
    ticket.queue = Some(key("billing"));
    ticket.entered_queue_at = Some(now);
    ticket.group = Some(key("billing"));
    ticket.assignee = Some(agent());
    ticket.tier = Some(key("l1"));
    ticket.tags = vec!["invoice".to_owned()];
    ticket.newest_public_seq = 1;
    ticket.newest_public_bytes = 400;
    ticket.counters.messages = 1;
    ticket.times.assigned_at = Some(now);
    ticket.times.last_requester_at = Some(now);
    ticket
}

/// Ticket `n`: a case, a message, five events, a contact, a load, two outbox
/// messages, a timer, a command and three unique keys. `load` is the load's version.
pub(crate) fn received(n: u64, load: u64) -> ChangeSet {
    let now = start() + TimeDelta::milliseconds(i64::try_from(n).unwrap() * 900);
    let scrambled = u128::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15_1234_5678_9ABC_DEF1);
    let command = CommandId(Uuid::from_u128(scrambled));
    let mut ids = IdSource::new(now, command);
    let mut ticket = ticket(ids.derive(), n, now);
    let contact = contact(ids.derive(), n);
    ticket.requester = contact.id;
    let message = message(&ticket, ids.derive(), n);
    let case_stream = StreamId::case(ticket.id);
    let contact_stream = StreamId::contact(contact.id);
    let mut change = ChangeSet::new(tenant(), command, now);
    change.expect = vec![
        Expect { stream: case_stream, version: 0 },
        Expect { stream: contact_stream, version: 0 },
        Expect { stream: StreamId::load(agent()), version: load },
    ];
    change.events = events(&ticket, &contact, &message, command);
    change.unique = unique(n, &contact, case_stream);
    change.timers = vec![TimerOp::Set {
        stream: case_stream,
        kind: TimerKind::IdleUnassign,
        due_at: now + TimeDelta::hours(8),
    }];
    change.outbox = outbox(ticket.id, now, &mut ids);
    change.command = Some(CommandRecord {
        id: command,
        sha256: text_hash(&n.to_string(), None),
        result: serde_json::json!({"ticket": ticket.id, "number": format!("HD-{n}")}),
        expires_at: now + TimeDelta::days(7),
    });
    let mut loads = AgentLoad::none(agent());
    let load = ChannelLoad { active: 7, reserved: 0, last_assigned_at: Some(now), n_taken: 7 };
    loads.channels.insert(Channel::Email, load);
    change.put = vec![
        Record::Case(Box::new(Case::new(ticket))),
        Record::Message(Box::new(message)),
        Record::Contact(Box::new(contact)),
        Record::Load(loads),
    ];
    change
}

/// The agent who gets all tickets.
pub(crate) fn agent() -> AgentId {
    AgentId(Uuid::from_u128(0xA6))
}

fn message(ticket: &Ticket, id: MessageId, n: u64) -> Message {
    let text = "Hello, we did not get the invoice for our last order yet. ".repeat(7);
    let meta = MessageMeta {
        id,
        seq: 1,
        kind: MessageKind::PublicReply,
        author: Author::Contact { id: ticket.requester },
        channel: Channel::Email,
        text_bytes: text.len() as u64,
        sha256: text_hash(&text, None),
        attachments: Vec::new(),
        external_id: Some(format!("<{n}.abcdef@mail.example.com>")),
        sent_at: ticket.times.created_at,
        truncated: false,
    };
    Message { ticket_id: ticket.id, meta, text, html: None, redacted: false }
}

fn contact(id: ContactId, n: u64) -> Contact {
    let mut contact = Contact::named(id, format!("Person {n}"));
    contact.identities.push(Identity::email(&format!("person{n}@example.com")));
    contact.language = Some("en".to_owned());
    contact
}

fn events(
    ticket: &Ticket,
    contact: &Contact,
    message: &Message,
    command: CommandId,
) -> Vec<NewEvent> {
    let origin = Origin {
        kind: ActorKind::System,
        actor: None,
        on_behalf_of: None,
        ip: None,
        cause: Cause::Command { id: command },
    };
    let at = ticket.times.created_at;
    let created = Event::ContactCreated { contact: Box::new(contact.clone()) };
    let opened =
        Event::Opened { ticket: Box::new(ticket.clone()), imported: false, language_by: None };
    let replied = Event::Replied { message: message.meta.clone() };
    let of_case = [opened, replied, routed(at), assigned()];
    let stream = StreamId::contact(contact.id);
    let mut events = vec![NewEvent { stream, at, origin: origin.clone(), event: created }];
    let stream = StreamId::case(ticket.id);
    events.extend(of_case.map(|event| NewEvent { stream, at, origin: origin.clone(), event }));
    events
}

fn routed(entered_queue_at: DateTime<Utc>) -> Event {
    Event::Routed {
        queue: key("billing"),
        group: key("billing"),
        by: RoutedBy::Rule { rule: key("invoices"), because: vec!["invoice".to_owned()] },
        entered_queue_at,
        priority: None,
        ticket_type: None,
        tags: Vec::new(),
        skills: Vec::new(),
    }
}

fn assigned() -> Event {
    let choice = ChoiceShort {
        stage: 0,
        by: ChosenBy::FewerActive,
        selector: "least_loaded".to_owned(),
        n_candidates: 3,
        refused: Vec::new(),
    };
    Event::Assigned {
        agent: agent(),
        how: AssignedHow::Automatically,
        weight: 1,
        counts: true,
        answer_by: None,
        idle_seconds: None,
        choice: Some(choice),
    }
}

fn unique(n: u64, contact: &Contact, case: StreamId) -> Vec<UniqueOp> {
    let put = |key, stream| UniqueOp::Put { key, stream, replace: false };
    let number = TicketNumber { prefix: Arc::from("HD"), n };
    let external_id = format!("<{n}.abcdef@mail.example.com>");
    let identity = UniqueKey::Identity { key: contact.identities[0].lookup_key() };
    vec![
        put(UniqueKey::Number { number }, case),
        put(identity, StreamId::contact(contact.id)),
        put(UniqueKey::Message { mailbox: Some(key("support")), external_id }, case),
    ]
}

fn outbox(ticket: TicketId, now: DateTime<Utc>, ids: &mut IdSource) -> Vec<NewOutbox> {
    let effects = [
        Effect::NotifyAgent { ticket, agent: agent(), news: AgentNews::Assigned },
        Effect::NotifyGroup { ticket, group: key("billing") },
    ];
    let message = |effect| OutboxMessage {
        id: ids.derive(),
        effect,
        ordering_key: ticket.0,
        not_before: now,
        created_at: now,
    };
    effects.map(message).map(|message| NewOutbox { message }).into()
}
