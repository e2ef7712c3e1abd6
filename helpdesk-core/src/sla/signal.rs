//! What clocks hear of a ticket, and what they look at.

use super::def::Slot;
use super::metric::Metric;
use super::policy::SlaPolicy;
use crate::actor::{ActorKind, Author};
use crate::calendar::Calendar;
use crate::condition::Facts;
use crate::id::Key;
use crate::ticket::message::{MessageKind, MessageMeta};
use crate::ticket::status::StatusCategory;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::fmt;

/// A message, as clocks see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageSignal {
    /// Who wrote it; their role at that time.
    pub by: ActorKind,
    /// Whether requesters can read it.
    pub public: bool,
}

impl MessageSignal {
    /// What clocks see of this message.
    #[must_use]
    pub fn of(message: &MessageMeta) -> Self {
        let by = match message.author {
            Author::Contact { .. } => ActorKind::Requester,
            Author::Agent { .. } => ActorKind::Agent,
            Author::Bot { .. } => ActorKind::Bot,
            Author::System => ActorKind::System,
        };
        Self { by, public: message.kind == MessageKind::PublicReply }
    }
}

/// What happened to a ticket, as its clocks hear it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// It was opened; by the writer of its first message, where it has one.
    Created {
        /// The message it was opened with.
        message: Option<MessageSignal>,
    },
    /// A message came.
    Message(MessageSignal),
    /// Its status changed.
    Status {
        /// The category before.
        from: StatusCategory,
    },
    /// A plain field changed, such as the priority.
    Fields,
    /// Its group changed.
    Group,
    /// Its assignee changed.
    Assignee,
    /// It was merged into another ticket.
    Merged,
    /// Another ticket was merged into it.
    Absorbed {
        /// Since when the other's requester waits for an answer.
        waiting_since: DateTime<Utc>,
    },
    /// It was deleted.
    Deleted,
    /// It is spam.
    Spam,
    /// It was deleted or spam, and is so no more.
    Restored,
    /// Another policy was chosen for it, or none.
    Policy,
    /// A calendar has a new revision.
    Calendar,
    /// Somebody set a date by hand.
    DueSet {
        /// For this metric.
        metric: Key,
        /// The date.
        due_at: DateTime<Utc>,
    },
    /// Somebody cleared that date.
    DueCleared {
        /// For this metric.
        metric: Key,
    },
}

/// What clocks look at beside facts: the ticket as it stands after the signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketNow {
    /// What its status means.
    pub category: StatusCategory,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// Whether a human agent has answered in public.
    pub answered: bool,
}

/// The key of the calendar that is on every desk: around the clock.
pub const ALWAYS: &str = "always";

/// Calendars by key, each in one or more revisions; the last is in force.
///
/// Older revisions are needed for one thing: [`Recalculation::FromNow`](
/// super::policy::Recalculation::FromNow) counts a running stretch up to the
/// change in the revision that was in force. Where that is gone, the stretch
/// counts in the present one.
#[derive(Debug, Clone)]
pub struct CalendarRevisions {
    by_key: BTreeMap<Key, Vec<(u64, Calendar)>>,
    always: Calendar,
}

/// Equal with the same keys in the same revisions.
impl PartialEq for CalendarRevisions {
    fn eq(&self, other: &Self) -> bool {
        fn names(calendars: &CalendarRevisions) -> impl Iterator<Item = (&Key, u64)> {
            let all = calendars.by_key.iter();
            all.flat_map(|(key, own)| own.iter().map(move |(revision, _)| (key, *revision)))
        }
        names(self).eq(names(other))
    }
}

impl Default for CalendarRevisions {
    fn default() -> Self {
        Self { by_key: BTreeMap::new(), always: Calendar::always() }
    }
}

impl CalendarRevisions {
    /// The same, and this calendar in force under this key.
    #[must_use]
    pub fn with(mut self, key: Key, revision: u64, calendar: Calendar) -> Self {
        self.by_key.entry(key).or_default().push((revision, calendar));
        self
    }

    /// Adds an earlier revision of a calendar.
    pub fn add_former(&mut self, key: Key, revision: u64, calendar: Calendar) {
        self.by_key.entry(key).or_default().insert(0, (revision, calendar));
    }

    /// Takes back what came after this revision: it is in force again. Nothing
    /// where it is gone.
    pub fn take_back_to(&mut self, key: &Key, revision: u64) {
        if let Some(revisions) = self.by_key.get_mut(key)
            && let Some(at) = revisions.iter().position(|(own, _)| *own == revision)
        {
            revisions.truncate(at + 1);
        }
    }

    /// The calendar in force under this key, with its revision. `always`, and a
    /// key that is none, is around the clock, revision 0.
    #[must_use]
    pub fn current(&self, key: &Key) -> (u64, &Calendar) {
        let last = self.by_key.get(key).and_then(|revisions| revisions.last());
        last.map_or((0, &self.always), |(revision, calendar)| (*revision, calendar))
    }

    /// This revision of a calendar; the one in force where it is gone.
    #[must_use]
    pub fn revision(&self, key: &Key, revision: u64) -> &Calendar {
        let revisions = self.by_key.get(key).map_or(&[][..], Vec::as_slice);
        let own = revisions.iter().rev().find(|(own, _)| *own == revision);
        own.map_or_else(|| self.current(key).1, |(_, calendar)| calendar)
    }
}

/// Everything that moves a ticket's clocks beside the signal.
#[derive(Clone, Copy)]
pub struct ClockContext<'a> {
    /// What the desk measures. A metric may look at those before it.
    pub metrics: &'a [Metric],
    /// The ticket's policy for requesters, by [`pick`](super::policy::pick).
    pub requester_policy: Option<&'a SlaPolicy>,
    /// The ticket's policy between groups.
    pub group_policy: Option<&'a SlaPolicy>,
    /// The desk's calendars.
    pub calendars: &'a CalendarRevisions,
    /// The ticket after the signal.
    pub ticket: TicketNow,
    /// Its facts, for conditions.
    pub facts: &'a dyn Facts,
}

impl<'a> ClockContext<'a> {
    /// The policy of a slot.
    #[must_use]
    pub fn policy(&self, slot: Slot) -> Option<&'a SlaPolicy> {
        match slot {
            Slot::Requester => self.requester_policy,
            Slot::Group => self.group_policy,
        }
    }
}

impl fmt::Debug for ClockContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClockContext").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}
