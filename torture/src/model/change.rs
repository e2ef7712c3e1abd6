//! What steps mean as the model stands: calls with everything in them.

use super::reference::{Call, Model, TENANTS, at, written};
use super::step::{Part, Step};
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk::core::actor::{ActorKind, Author};
use helpdesk::core::article::{ArticleMeta, ArticleText, Revision, Visibility};
use helpdesk::core::case::Case;
use helpdesk::core::case::archive::tombstone;
use helpdesk::core::case::record::{CommandRecord, OutboxMessage, Record, UniqueKey};
use helpdesk::core::contact::Contact;
use helpdesk::core::effect::Effect;
use helpdesk::core::event::{Cause, Event, NewEvent, Origin, StreamId, StreamKind, TimerKind};
use helpdesk::core::id::{ArticleId, CommandId, ContactId, Key, MessageId, TicketId, TicketNumber};
use helpdesk::core::ticket::Ticket;
use helpdesk::core::ticket::message::{Message, MessageKind, MessageMeta, text_hash};
use helpdesk::core::ticket::priority::Channel;
use helpdesk::core::ticket::status::{StatusCategory, StatusDef};
use helpdesk_storage::{
    ChangeSet, ClaimParams, ClaimWhat, Expect, LeaseToken, Maintain, NewOutbox, Settle, TimerOp,
    UniqueOp,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// How long claims lease.
const LEASE_SECONDS: u32 = 20;
/// How long commands are remembered.
const COMMAND_SECONDS: i64 = 40;
/// Age of the dead letters that are dropped.
const DEAD_SECONDS: i64 = 30;

/// The n-th thing: a ticket, a contact or an article.
pub(crate) fn thing(n: u8) -> StreamId {
    let id = Uuid::from_u128(u128::from(n) + 1);
    match n % 3 {
        0 => StreamId::case(TicketId(id)),
        1 => StreamId::contact(ContactId(id)),
        _ => StreamId::article(ArticleId(id)),
    }
}

/// The ticket nearest to the n-th thing.
fn ticket_id(n: u8) -> TicketId {
    TicketId(thing(n / 3 * 3).id)
}

/// The k-th unique key.
pub(crate) fn unique(k: u8) -> UniqueKey {
    UniqueKey::Domain { domain: format!("{k}.example") }
}

/// The id of the n-th command.
pub(crate) fn command_id(n: u8) -> CommandId {
    CommandId(Uuid::from_u128(u128::from(n)))
}

fn outbox_id(n: u8) -> Uuid {
    Uuid::from_u128(u128::from(n) + 1)
}

impl Model {
    /// The call that a step is.
    pub(super) fn call(&mut self, step: &Step) -> Call {
        let (tenant, now) = (TENANTS[0], at(self.now));
        match step {
            Step::Commit(parts) => Call::Commit(Box::new(self.change(parts))),
            Step::CommitMany(many) => {
                let mut ahead = self.clone();
                let mut series = BTreeSet::new();
                let decided = many.iter().map(|parts| {
                    let change = ahead.change(parts);
                    ahead.commit(&change, &mut series);
                    change
                });
                let changes = decided.collect();
                self.n_commits = ahead.n_commits;
                Call::CommitMany(changes)
            }
            Step::Claim { timers, max, of_all } => {
                let what = if *timers { ClaimWhat::Timers } else { ClaimWhat::Outbox };
                let mut params = ClaimParams::new(what, now, *max);
                params.lease_seconds = LEASE_SECONDS;
                params.tenants = (!of_all).then(|| vec![tenant]);
                Call::Claim(params)
            }
            Step::Settle { lease, how } => {
                let tokens = self.tokens.iter().rev().skip(*lease).take(2);
                let settle =
                    |token: &LeaseToken| Settle { token: *token, now, how: how.at(self.now) };
                Call::Settle(tokens.map(settle).collect())
            }
            Step::PurgeCommands => Call::Maintain(Maintain::PurgeCommands { tenant, now }),
            Step::Redrive { all } => {
                let ids = if *all { Vec::new() } else { (0..7).map(outbox_id).collect() };
                Call::Maintain(Maintain::Redrive { tenant, ids, now })
            }
            Step::PurgeDead => {
                let before = now - TimeDelta::seconds(DEAD_SECONDS);
                Call::Maintain(Maintain::PurgeDeadLetters { tenant, before })
            }
            Step::PurgeTickets(tickets) => {
                let standing = |(n, off): &(u8, i8)| {
                    let ticket = ticket_id(*n);
                    let version = self.version(tenant, StreamId::case(ticket));
                    (ticket, version.saturating_add_signed((*off).into()))
                };
                let tickets = tickets.iter().map(standing).collect();
                Call::Maintain(Maintain::PurgeTickets { tenant, tickets })
            }
            Step::Archive { n } => {
                let entries = self.entries(tenant, thing(*n)).map(|it| tombstone(&it)).collect();
                Call::Maintain(Maintain::Rewrite { tenant, entries })
            }
            Step::Lead { job, owner, seconds } => {
                let (job, owner) = (job.to_string(), owner.to_string());
                Call::Maintain(Maintain::Lead { job, owner, now, lease_seconds: *seconds })
            }
            Step::Resign { job, owner } => {
                let (job, owner) = (job.to_string(), owner.to_string());
                Call::Maintain(Maintain::Resign { job, owner })
            }
            Step::Compact => Call::Maintain(Maintain::Compact),
            Step::Scrub => Call::Maintain(Maintain::Scrub),
            Step::Later(seconds) => {
                self.now += seconds;
                Call::Nothing
            }
            Step::Reopen => Call::Reopen,
        }
    }

    fn change(&mut self, parts: &[Part]) -> ChangeSet {
        self.n_commits += 1;
        let is_other = parts.iter().any(|part| matches!(part, Part::Other));
        let id = CommandId(Uuid::from_u128(self.n_commits));
        let mut change = ChangeSet::new(TENANTS[usize::from(is_other)], id, at(self.now));
        for part in parts {
            self.add(&mut change, part);
        }
        if written(&change).is_none() {
            // Which of the two is told is the backend's.
            change.after = None;
        }
        change
    }

    fn add(&self, change: &mut ChangeSet, part: &Part) {
        let now = at(self.now);
        let later = |seconds: i64| now + TimeDelta::seconds(seconds);
        let expect = |n: u8, off: i8| {
            let version = self.version(change.tenant, thing(n)).saturating_add_signed(off.into());
            Expect { stream: thing(n), version }
        };
        let kind = |kind: u8| TimerKind::ALL[usize::from(kind) % TimerKind::ALL.len()];
        match *part {
            Part::Put { n, off, n_events } => {
                change.expect.push(expect(n, off));
                change.put.push(record(n, self.n_commits, now));
                change.events.extend((0..n_events).map(|_| event(thing(n), self.n_commits, now)));
            }
            Part::Events { n } => {
                change.expect.push(expect(n, 0));
                change.events.push(event(thing(n), self.n_commits, now));
            }
            Part::Expect { n, off } => change.expect.push(expect(n, off)),
            Part::Message { n, seq } => {
                let message = message(ticket_id(n), seq.into(), self.n_commits, now);
                change.put.push(Record::Message(Box::new(message)));
            }
            Part::Unique { k, n, replace } => {
                change.unique.push(UniqueOp::Put { key: unique(k), stream: thing(n), replace });
            }
            Part::Remove { k } => change.unique.push(UniqueOp::Remove { key: unique(k) }),
            Part::Set { n, kind: of, after } => {
                let (stream, kind) = (thing(n), kind(of));
                change.timers.push(TimerOp::Set { stream, kind, due_at: later(after) });
            }
            Part::Cancel { n, kind: of } => {
                change.timers.push(TimerOp::Cancel { stream: thing(n), kind: kind(of) });
            }
            Part::Outbox { id, lane, after } => {
                let message = OutboxMessage {
                    id: outbox_id(id),
                    effect: Effect::NotifyUnroutable { ticket: ticket_id(id) },
                    ordering_key: Uuid::from_u128(u128::from(lane)),
                    not_before: later(after),
                    created_at: now,
                };
                change.outbox.push(NewOutbox { message });
            }
            Part::Done { lease } => change.done.extend(self.tokens.iter().rev().nth(lease)),
            Part::Command { id, content } => {
                change.command = Some(CommandRecord {
                    id: command_id(id),
                    sha256: content.to_string(),
                    result: serde_json::json!({"at": self.now}),
                    expires_at: later(COMMAND_SECONDS),
                });
            }
            Part::After { n_back } => {
                let before = self.n_commits - u128::from(n_back);
                change.after = Some(CommandId(Uuid::from_u128(before)));
            }
            Part::Other => {}
        }
    }
}

/// The n-th thing as the c-th commit writes it.
fn record(n: u8, c: u128, now: DateTime<Utc>) -> Record {
    match thing(n).kind {
        StreamKind::Contact => {
            let contact = Contact::named(ContactId(thing(n).id), format!("Contact {n} of {c}"));
            Record::Contact(Box::new(contact))
        }
        StreamKind::Article => Record::Article(Box::new(article(n, c, now))),
        _ => Record::Case(Box::new(Case::new(ticket(n, c, now)))),
    }
}

fn article(n: u8, c: u128, now: DateTime<Utc>) -> ArticleMeta {
    let text = ArticleText { title: format!("Article {n} of {c}"), body: String::new() };
    let draft = Revision {
        number: 1,
        text_of: 1,
        text_bytes: text.title.len() as u64,
        sha256: text.sha256(),
        category: None,
        labels: Vec::new(),
        visibility: Visibility::Public,
        saved_at: now,
        by: Author::System,
        restored_from: None,
    };
    let key = Key::new(&format!("a{n}")).unwrap();
    ArticleMeta::new(ArticleId(thing(n).id), key, "en".to_owned(), draft)
}

fn ticket(n: u8, c: u128, now: DateTime<Utc>) -> Ticket {
    let open = StatusDef {
        key: Key::new("open").unwrap(),
        name: "Open".to_owned(),
        category: StatusCategory::Open,
    };
    let number = TicketNumber { prefix: Arc::from("HD"), n: u64::from(n) };
    let requester = ContactId(Uuid::from_u128(1));
    let mut ticket = Ticket::blank(ticket_id(n), number, requester, Channel::Email, &open, now);
    ticket.subject = format!("Ticket {n} of {c}");
    ticket
}

fn message(ticket_id: TicketId, seq: u32, c: u128, now: DateTime<Utc>) -> Message {
    let text = format!("Message {seq} of {c}");
    let meta = MessageMeta {
        id: MessageId(Uuid::from_u128(c)),
        seq,
        kind: MessageKind::PublicReply,
        author: Author::Contact { id: ContactId(Uuid::from_u128(1)) },
        channel: Channel::Email,
        text_bytes: text.len() as u64,
        sha256: text_hash(&text, None),
        attachments: Vec::new(),
        external_id: None,
        sent_at: now,
        truncated: false,
    };
    Message { ticket_id, meta, text, html: None, redacted: false }
}

fn event(stream: StreamId, c: u128, at: DateTime<Utc>) -> NewEvent {
    let cause = Cause::Command { id: CommandId(Uuid::from_u128(c)) };
    let kind = ActorKind::System;
    let origin = Origin { kind, actor: None, on_behalf_of: None, ip: None, cause };
    NewEvent { stream, at, origin, event: Event::Woken }
}
