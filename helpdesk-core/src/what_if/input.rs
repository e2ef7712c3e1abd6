//! What people did to a ticket, read from its journal, ready to be done again.
//!
//! What the desk did by itself (timers, rules, clocks, automatic assignments and
//! status changes) is left out: a replay does it again. Source: docs/DESIGN.md,
//! "What does a what-if do?".

use crate::actor::{ActorKind, Author};
use crate::clock::{ClockNews, RetargetedWhy};
use crate::escalation::chain::EscalationNews;
use crate::event::{
    AssignedHow, Cause, Event, OfferEnd, Recorded, RoutedBy, StatusWhy, UnassignedWhy,
};
use crate::id::{AgentId, Key};
use crate::ticket::Ticket;
use crate::ticket::change::Change;
use crate::ticket::message::{MessageKind, MessageMeta};
use crate::ticket::status::StatusCategory;
use chrono::{DateTime, Utc};

/// One thing that somebody did to a ticket.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// When.
    pub at: DateTime<Utc>,
    /// Its place in the tenant's feed: the order of what happened at one instant.
    pub position: u64,
    /// What did it.
    pub by: ActorKind,
    /// Who had the ticket then. Of an import, whoever wrote.
    pub holder: Option<AgentId>,
    /// What.
    pub act: Act,
}

/// What somebody did.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// The ticket came in, with its first message.
    Open {
        /// The ticket at its start.
        ticket: Box<Ticket>,
        /// Its first message; absent for an import without messages.
        first: Option<MessageMeta>,
        /// Changes made with it.
        changes: Vec<Change>,
        /// The queue that somebody named.
        queue: Option<Key>,
    },
    /// Somebody wrote.
    Write {
        /// The message.
        message: MessageMeta,
        /// The status set with it.
        status: Option<(Key, StatusCategory)>,
    },
    /// Fields changed.
    Change {
        /// The changes.
        changes: Vec<Change>,
    },
    /// The status was set.
    Status {
        /// To this.
        to: Key,
        /// What that means.
        category: StatusCategory,
    },
    /// An agent took it, or was given it by somebody.
    Take {
        /// Who.
        agent: AgentId,
        /// How.
        how: AssignedHow,
    },
    /// Somebody took it from its assignee.
    Release,
    /// Somebody offered it.
    Offer {
        /// To whom.
        agent: AgentId,
    },
    /// The agent who was offered it did not want it.
    Reject {
        /// Why.
        reason: String,
    },
    /// Somebody had it routed anew.
    Route {
        /// Into this queue; by the rules when absent.
        queue: Option<Key>,
    },
    /// Out of sight.
    Snooze {
        /// Until then.
        until: DateTime<Utc>,
    },
    /// In sight again.
    Wake,
    /// Spam, or none after all.
    Spam(bool),
    /// Deleted, or restored.
    Delete(bool),
    /// A clock's date was set, or cleared.
    SetDue {
        /// Whose clock.
        metric: Key,
        /// The date.
        to: Option<DateTime<Utc>>,
    },
    /// An agent made its escalation go on.
    Escalate,
    /// An agent gave it back, with a note.
    DeEscalate {
        /// The note.
        note: MessageMeta,
    },
    /// An agent takes care, or no longer.
    Acknowledge {
        /// No longer.
        undo: bool,
    },
}

impl Act {
    /// The message whose text is needed to do this again.
    #[must_use]
    pub fn message(&self) -> Option<&MessageMeta> {
        match self {
            Self::Open { first, .. } => first.as_ref(),
            Self::Write { message, .. } => Some(message),
            Self::DeEscalate { note } => Some(note),
            _ => None,
        }
    }
}

/// What was done in a ticket's journal, in order: every event that a person, a
/// program or a channel caused, and that did not follow from another one.
///
/// The journal is that of one ticket, from its first event. Of an imported ticket
/// the messages come at their own times, and the end of it when it was solved. Where the
/// first event is in the archive, nothing can be done again.
#[must_use]
pub fn inputs(journal: &[Recorded]) -> Vec<Input> {
    let mut reader = Reader::default();
    let is_archived = |row: &Recorded| matches!(row.entry.event, Event::Archived { .. });
    if journal.first().is_some_and(is_archived) {
        return reader.inputs;
    }
    let mut rest = journal;
    while let Some(first) = rest.first() {
        let n = rest.iter().take_while(|row| row.entry.origin.cause == first.entry.origin.cause);
        let (turn, after) = rest.split_at(n.count());
        match first.entry.origin.cause {
            Cause::Command { .. } => reader.turn(turn),
            Cause::Timer { .. } => turn.iter().for_each(|row| reader.hold(&row.entry.event)),
        }
        rest = after;
    }
    reader.inputs
}

#[derive(Default)]
struct Reader {
    inputs: Vec<Input>,
    holder: Option<AgentId>,
    /// Whether what is read came in by an import.
    is_import: bool,
    /// Where the command began whose events are read.
    turn_began: u64,
}

/// What the events of one command say together.
struct Turn {
    has_requester: bool,
    /// Events from here on follow from a step of an escalation.
    follows_from: usize,
    is_forced: bool,
    is_handed_back: bool,
}

impl Turn {
    fn of(rows: &[Recorded]) -> Self {
        let mut turn = Self {
            has_requester: false,
            follows_from: rows.len(),
            is_forced: false,
            is_handed_back: false,
        };
        for (i, row) in rows.iter().enumerate() {
            match &row.entry.event {
                Event::Replied { message } => turn.has_requester |= message.author.is_contact(),
                Event::EscalationChanged { change } => match change.news {
                    EscalationNews::StepFired(_) => turn.follows_from = turn.follows_from.min(i),
                    EscalationNews::Forced { .. } => turn.is_forced = true,
                    EscalationNews::HandedBack { .. } => turn.is_handed_back = true,
                    _ => {}
                },
                _ => {}
            }
        }
        turn
    }
}

impl Reader {
    fn turn(&mut self, rows: &[Recorded]) {
        let turn = Turn::of(rows);
        self.turn_began = rows[0].position;
        let opens = matches!(rows[0].entry.event, Event::Opened { .. });
        self.is_import = matches!(rows[0].entry.event, Event::Opened { imported: true, .. });
        let n_read = if opens { self.open(rows) } else { 0 };
        for (i, row) in rows.iter().enumerate().skip(n_read) {
            let act = match opens {
                true => after_opening(row),
                false => act_of(&row.entry.event, &turn, i >= turn.follows_from),
            };
            if let Some(act) = act {
                self.push(row, act);
            }
            self.hold(&row.entry.event);
        }
        if opens {
            self.end_of_import(&rows[0]);
        }
    }

    /// Reads the opening and what came with it; how many events that took.
    fn open(&mut self, rows: &[Recorded]) -> usize {
        let Event::Opened { ticket, .. } = &rows[0].entry.event else { return 0 };
        let messages = rows.iter().enumerate().find_map(|(i, row)| Some((i, message_of(row)?)));
        let place = rows
            .iter()
            .position(|row| matches!(row.entry.event, Event::Routed { .. } | Event::Unroutable));
        let end = place.unwrap_or(rows.len());
        let mut changes = Vec::new();
        let mut queue = None;
        for row in &rows[..end] {
            match &row.entry.event {
                Event::Updated { changes: more } => changes.extend(more.iter().cloned()),
                // What a model said then is what it says again.
                Event::Predicted { change, .. } => changes.push(change.clone()),
                _ => {}
            }
        }
        if let Some(Event::Routed { queue: named, by: RoutedBy::ByHand, .. }) =
            place.map(|at| &rows[at].entry.event)
        {
            queue = Some(named.clone());
        }
        let (ticket, first) = (ticket.clone(), messages.map(|(_, message)| message.clone()));
        self.push(&rows[0], Act::Open { ticket, first, changes, queue });
        messages.map_or(1, |(i, _)| i + 1)
    }

    fn end_of_import(&mut self, row: &Recorded) {
        let Event::Opened { ticket, imported: true, .. } = &row.entry.event else { return };
        if ticket.category.is_unsolved() {
            return;
        }
        let last = self.inputs.last().map(|input| (input.at, input.position));
        let (last_at, position) = last.unwrap_or((row.entry.at, row.position));
        let solved_at = ticket.times.solved_at.or(ticket.times.closed_at);
        let at = solved_at.unwrap_or(last_at).max(last_at);
        let (to, category) = (ticket.status.clone(), ticket.category);
        let act = Act::Status { to, category };
        self.inputs.push(Input {
            at,
            position,
            by: row.entry.origin.kind,
            holder: self.holder,
            act,
        });
    }

    fn push(&mut self, row: &Recorded, act: Act) {
        if let (
            Act::Status { to, category },
            Some(Input { position, act: Act::Write { message, status }, .. }),
        ) = (&act, self.inputs.last_mut())
            && *position >= self.turn_began
            && status.is_none()
            && !message.author.is_contact()
            && message.kind == MessageKind::PublicReply
        {
            *status = Some((to.clone(), *category));
            return;
        }
        let (at, position) = (row.entry.at, row.position);
        let author = match &act {
            Act::Write { message, .. } => Some(message.author),
            _ => None,
        };
        let holder = match (author, self.is_import) {
            (Some(Author::Agent { id }), true) => Some(id),
            _ => self.holder,
        };
        self.inputs.push(Input { at, position, by: row.entry.origin.kind, holder, act });
    }

    fn hold(&mut self, event: &Event) {
        match event {
            Event::Assigned { agent, .. } => self.holder = Some(*agent),
            Event::Unassigned { .. } => self.holder = None,
            _ => {}
        }
    }
}

/// What an opening brings beside its first message: of an import, the others.
fn after_opening(row: &Recorded) -> Option<Act> {
    let message = message_of(row)?;
    let is_own = message.author != Author::System || message.kind == MessageKind::PublicReply;
    is_own.then(|| Act::Write { message: message.clone(), status: None })
}

fn message_of(row: &Recorded) -> Option<&MessageMeta> {
    match &row.entry.event {
        Event::Replied { message } | Event::Noted { message } => Some(message),
        _ => None,
    }
}

/// What somebody did, of an event that a command caused; `None` for what the desk
/// did by itself.
fn act_of(event: &Event, turn: &Turn, follows: bool) -> Option<Act> {
    if follows {
        return None;
    }
    Some(match event {
        Event::Replied { message } => Act::Write { message: message.clone(), status: None },
        Event::Noted { message } if turn.is_handed_back => {
            Act::DeEscalate { note: message.clone() }
        }
        Event::Noted { message } if message.author != Author::System => {
            Act::Write { message: message.clone(), status: None }
        }
        Event::Updated { .. } if turn.is_forced || turn.is_handed_back => return None,
        Event::Updated { changes } => Act::Change { changes: changes.clone() },
        Event::StatusSet { to, category, why: StatusWhy::ByHand | StatusWhy::Macro, .. } => {
            Act::Status { to: to.clone(), category: *category }
        }
        Event::Assigned { agent, how, .. } => match how {
            AssignedHow::Automatically | AssignedHow::Imported | AssignedHow::Escalated => {
                return None;
            }
            AssignedHow::ByHand
            | AssignedHow::Claimed
            | AssignedHow::Taken
            | AssignedHow::Accepted
            | AssignedHow::Macro => Act::Take { agent: *agent, how: *how },
        },
        Event::Unassigned { why: UnassignedWhy::ByHand, .. } => Act::Release,
        Event::Offered { agent, choice: None, .. } => Act::Offer { agent: *agent },
        Event::OfferEnded { how: OfferEnd::Rejected { reason }, .. } => {
            Act::Reject { reason: reason.clone() }
        }
        Event::Routed { by, queue, .. } => match by {
            RoutedBy::ByHand => Act::Route { queue: Some(queue.clone()) },
            RoutedBy::Rule { .. }
            | RoutedBy::Predicted { .. }
            | RoutedBy::MailboxDefault
            | RoutedBy::DeskDefault => Act::Route { queue: None },
            RoutedBy::Reopened | RoutedBy::Escalated => return None,
        },
        Event::Unroutable => Act::Route { queue: None },
        Event::Snoozed { until } => Act::Snooze { until: *until },
        Event::Woken if !turn.has_requester => Act::Wake,
        Event::MarkedSpam => Act::Spam(true),
        Event::UnmarkedSpam => Act::Spam(false),
        Event::Deleted => Act::Delete(true),
        Event::Restored => Act::Delete(false),
        Event::ClockChanged { change } => match change.news {
            ClockNews::Retargeted { why: RetargetedWhy::DueSet | RetargetedWhy::DueCleared } => {
                Act::SetDue { metric: change.clock.metric.clone(), to: change.clock.due_override }
            }
            _ => return None,
        },
        Event::EscalationChanged { change } => match change.news {
            EscalationNews::Forced { .. } => Act::Escalate,
            EscalationNews::Acknowledged { .. } => Act::Acknowledge { undo: false },
            EscalationNews::Unacknowledged { .. } => Act::Acknowledge { undo: true },
            _ => return None,
        },
        _ => return None,
    })
}
