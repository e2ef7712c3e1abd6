//! What reports count, by day, by value, and at the edges of both.

use super::*;
use crate::actor::{ActorKind, Author};
use crate::event::{Cause, Event, NewEvent, Origin, Recorded, StatusWhy, StreamId};
use crate::id::{AgentId, CommandId, ContactId, Key, MessageId, OrganizationId, TicketId};
use crate::ticket::message::{MessageKind, MessageMeta};
use crate::ticket::priority::{Channel, Priority, TicketType};
use crate::ticket::status::StatusCategory;
use crate::ticket::{Counters, Ticket, Times};
use expect_test::{Expect, expect};
use serde_json::json;
use uuid::Uuid;

mod laws;
mod rows;
mod time;

/// What happens to a ticket in a test.
#[derive(Debug, Clone, Copy)]
enum Step {
    Open,
    /// Imported solved: when it says it was created, and solved.
    Import(&'static str, Option<&'static str>),
    AgentReplies,
    RequesterReplies,
    BotReplies,
    Set(StatusCategory),
}

const SOLVED: Step = Step::Set(StatusCategory::Solved);
const CLOSED: Step = Step::Set(StatusCategory::Closed);
const REOPENED: Step = Step::Set(StatusCategory::Open);

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn ticket(n: u128, created_at: DateTime<Utc>) -> Ticket {
    serde_json::from_value(json!({
        "id": TicketId(Uuid::from_u128(n)), "number": format!("HD-{n}"), "subject": "",
        "requester": ContactId(Uuid::from_u128(1)), "channel": Channel::Email, "channels": [],
        "status": "new", "category": "new", "newest_public_seq": 0, "newest_public_bytes": 0,
        "counters": Counters::default(), "times": Times::opened(created_at)
    }))
    .unwrap()
}

fn reply(author: Author, at: DateTime<Utc>) -> Event {
    Event::Replied {
        message: MessageMeta {
            id: MessageId(Uuid::nil()),
            seq: 1,
            kind: MessageKind::PublicReply,
            author,
            channel: Channel::Email,
            text_bytes: 0,
            sha256: String::new(),
            attachments: Vec::new(),
            external_id: None,
            sent_at: at,
            truncated: false,
        },
    }
}

fn event(n: u128, at: DateTime<Utc>, step: Step) -> Event {
    let agent = AgentId(Uuid::from_u128(7));
    match step {
        Step::Open => {
            Event::Opened { ticket: Box::new(ticket(n, at)), imported: false, language_by: None }
        }
        Step::Import(created_at, solved_at) => {
            let mut ticket = ticket(n, instant(created_at));
            ticket.category = StatusCategory::Solved;
            ticket.times.solved_at = solved_at.map(instant);
            Event::Opened { ticket: Box::new(ticket), imported: true, language_by: None }
        }
        Step::AgentReplies => reply(Author::Agent { id: agent }, at),
        Step::RequesterReplies => reply(Author::Contact { id: ContactId(Uuid::nil()) }, at),
        Step::BotReplies => reply(Author::Bot { id: agent }, at),
        Step::Set(category) => Event::StatusSet {
            from: key("any"),
            to: key(category.as_str()),
            category,
            why: StatusWhy::ByHand,
            counts: true,
            auto_close_at: None,
        },
    }
}

fn recorded(n: u128, at: DateTime<Utc>, step: Step) -> Recorded {
    let entry = NewEvent {
        stream: StreamId::case(TicketId(Uuid::from_u128(n))),
        at,
        origin: Origin {
            kind: ActorKind::System,
            actor: None,
            on_behalf_of: None,
            ip: None,
            cause: Cause::Command { id: CommandId(Uuid::nil()) },
        },
        event: event(n, at, step),
    };
    Recorded { n: 1, position: 1, entry }
}

/// Every measure there is.
const ALL: [Measure; 6] = [
    Measure::Opened,
    Measure::Solved,
    Measure::Reopened,
    Measure::Backlog,
    Measure::FirstReplySeconds,
    Measure::SolveSeconds,
];

fn query(from: &str, to: &str, zone: &str, group_by: GroupBy, measures: &[Measure]) -> ReportQuery {
    ReportQuery {
        from: instant(from),
        to: instant(to),
        zone: zone.to_owned(),
        group_by,
        measures: measures.to_vec(),
    }
}

fn reporter(query: &ReportQuery) -> Reporter {
    Reporter::new(query).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// The report over a journal of (ticket, when, what), all tickets announced.
fn report(query: &ReportQuery, journal: &[(u128, &str, Step)]) -> Report {
    let mut reporter = reporter(query);
    for (n, at, _) in journal {
        reporter.ticket(&ticket(*n, instant(at)));
    }
    for (n, at, step) in journal {
        reporter.event(&recorded(*n, instant(at), *step));
    }
    reporter.finish()
}

fn check(query: &ReportQuery, journal: &[(u128, &str, Step)], expected: &Expect) {
    expected.assert_eq(&report(query, journal).to_string());
}
