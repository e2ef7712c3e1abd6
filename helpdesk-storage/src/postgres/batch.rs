//! Change sets that one statement commits, as if one after the other.
//!
//! A statement sees what stood when it began, and can write a row only once. So of a thing that
//! several of them write, what the first expects is expected and what the last leaves is
//! written; each has its own entries in the journal. A change set that this would not do
//! right ends the batch before it: one that needs what another of them removed, puts or finishes.

use super::check::{is_refused, key_of};
use super::keys::UniquePlan;
use super::write::{POSITIONS_MAX, int};
use crate::plan::{Plan, Slot, Written};
use crate::{ChangeSet, Committed, LeasedThing, Result, Series, TimerOp};
use helpdesk_core::case::record::{Record, UniqueKey};
use helpdesk_core::event::{StreamId, TimerKind};
use helpdesk_core::id::{CommandId, Version};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Change sets of one statement: what they lock is locked until its end.
pub(super) const BATCH_MAX: usize = 64;
/// Bytes of their messages' texts, unless a single one has more.
const TEXT_BYTES_MAX: usize = 4 << 20;

/// A change set in a batch.
#[derive(Debug)]
pub(super) struct Member<'a> {
    pub(super) change: &'a ChangeSet,
    pub(super) plan: Plan,
    /// Places in the feed that those before it take.
    pub(super) n_before: i64,
}

impl Member<'_> {
    /// What it did, where the batch's first place in the feed comes after this one.
    pub(super) fn committed(&self, base: u64) -> Committed {
        let n_events = self.change.events.len() as u64;
        let last = base + self.n_before.unsigned_abs() + n_events;
        Committed::new(self.plan.versions(), (n_events > 0).then_some(last))
    }
}

/// Change sets of one tenant that one statement commits: all of them, or none.
#[derive(Debug, Default)]
pub(super) struct Batch<'a> {
    members: Vec<Member<'a>>,
    unique: UniquePlan<'a>,
    /// The version that each thing must have before.
    expected: BTreeMap<StreamId, Version>,
    /// The things they write.
    written: BTreeMap<StreamId, Written>,
    /// What members do something to that no later one may touch.
    touched: Touched<'a>,
    n_places: i64,
    n_text_bytes: usize,
}

/// What a change set does something to, other than things with versions.
#[derive(Debug, Default)]
struct Touched<'a> {
    commands: BTreeSet<CommandId>,
    keys: BTreeSet<&'a UniqueKey>,
    /// Put, or finished.
    outbox: BTreeSet<Uuid>,
    /// Finished, set or canceled.
    timers: BTreeSet<(StreamId, TimerKind)>,
    /// Those of them that are finished.
    finished: BTreeSet<(StreamId, TimerKind)>,
}

impl<'a> Batch<'a> {
    /// One change set; `None` where it is refused by its looks.
    ///
    /// # Errors
    ///
    /// As [`Plan::new`].
    pub(super) fn of_one(change: &'a ChangeSet) -> Result<Option<Self>> {
        let mut batch = Self::default();
        Ok(batch.take(change, Plan::new(change)?).then_some(batch))
    }

    /// As many of these from the first on as fit, and are in their turn. Empty where the first
    /// is to be refused.
    pub(super) fn of(changes: impl Iterator<Item = &'a ChangeSet>, series: &Series) -> Self {
        let mut batch = Self::default();
        for change in changes {
            if !batch.is_turn_of(change, series) {
                break;
            }
            let Ok(plan) = Plan::new(change) else { break };
            if !batch.take(change, plan) {
                break;
            }
        }
        batch
    }

    pub(super) fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    pub(super) fn changes(&self) -> impl Iterator<Item = &'a ChangeSet> {
        self.members.iter().map(|member| member.change)
    }

    pub(super) fn unique(&self) -> &UniquePlan<'a> {
        &self.unique
    }

    /// The things that are expected, each with its version and with what is written to it.
    pub(super) fn expected(&self) -> impl Iterator<Item = (StreamId, Version, Option<&Written>)> {
        let written = |stream| self.written.get(stream);
        self.expected.iter().map(move |(stream, version)| (*stream, *version, written(stream)))
    }

    pub(super) fn written(&self) -> impl Iterator<Item = &Written> {
        self.written.values()
    }

    pub(super) fn written_to(&self, stream: StreamId) -> Option<&Written> {
        self.written.get(&stream)
    }

    /// The records they put, the last of each.
    pub(super) fn put(&self) -> BTreeMap<Slot, &'a Record> {
        let of = |member: &Member<'a>| -> Vec<(Slot, &'a Record)> {
            member.plan.slots.iter().copied().zip(&member.change.put).collect()
        };
        self.members.iter().flat_map(of).collect()
    }

    /// Whether the change set comes after one that was committed, or is a member.
    fn is_turn_of(&self, change: &ChangeSet, series: &Series) -> bool {
        let is_member = |after| self.changes().any(|before| before.commit_id == after);
        series.check(change).is_ok() || change.after.is_some_and(is_member)
    }

    /// Takes a change set in, unless it does not fit or is refused by its looks.
    fn take(&mut self, change: &'a ChangeSet, plan: Plan) -> bool {
        let unique = UniquePlan::of(&change.unique);
        if is_refused(change) || unique.is_refused {
            return false;
        }
        let touched = Touched::by(change);
        let n_places = int(change.events.len().max(change.outbox.len()) as u64);
        let n_text_bytes = text_bytes(change);
        if let Some(first) = self.members.first() {
            let fits = first.change.tenant == change.tenant
                && self.members.len() < BATCH_MAX
                && self.n_places + n_places <= POSITIONS_MAX
                && self.n_text_bytes + n_text_bytes <= TEXT_BYTES_MAX
                && change.expect.iter().all(|expect| {
                    self.version(expect.stream).is_none_or(|version| version == expect.version)
                })
                && self.touched.lets(&touched);
            if !fits {
                return false;
            }
        }
        for expect in &change.expect {
            // What members write is as they leave it.
            self.expected.entry(expect.stream).or_insert(expect.version);
        }
        for written in &plan.written {
            let whole = self.written.entry(written.stream).or_insert(*written);
            whole.version = written.version;
            whole.is_put |= written.is_put;
        }
        self.unique.append(unique);
        self.touched.append(touched);
        self.members.push(Member { change, plan, n_before: self.n_places });
        self.n_places += n_places;
        self.n_text_bytes += n_text_bytes;
        true
    }

    /// The version that a thing has after all members, where one of them expects it.
    fn version(&self, stream: StreamId) -> Option<Version> {
        let written = self.written.get(&stream).map(|written| written.version);
        written.or_else(|| self.expected.get(&stream).copied())
    }
}

impl<'a> Touched<'a> {
    fn by(change: &'a ChangeSet) -> Self {
        let mut it = Self {
            commands: change.command.iter().map(|command| command.id).collect(),
            keys: change.unique.iter().map(key_of).collect(),
            outbox: change.outbox.iter().map(|new| new.message.id).collect(),
            ..Self::default()
        };
        for token in &change.done {
            match token.thing {
                LeasedThing::Timer { stream, kind } => {
                    it.finished.insert((stream, kind));
                }
                LeasedThing::Outbox { id } => {
                    it.outbox.insert(id);
                }
            }
        }
        it.timers.clone_from(&it.finished);
        it.timers.extend(change.timers.iter().map(|op| match *op {
            TimerOp::Set { stream, kind, .. } | TimerOp::Cancel { stream, kind } => (stream, kind),
        }));
        it
    }

    /// Whether one that does this can come after. A timer may be set again, but what is finished
    /// must be leased as it stood.
    fn lets(&self, next: &Self) -> bool {
        self.commands.is_disjoint(&next.commands)
            && self.keys.is_disjoint(&next.keys)
            && self.outbox.is_disjoint(&next.outbox)
            && self.timers.is_disjoint(&next.finished)
    }

    fn append(&mut self, mut next: Self) {
        self.commands.append(&mut next.commands);
        self.keys.append(&mut next.keys);
        self.outbox.append(&mut next.outbox);
        self.timers.append(&mut next.timers);
        self.finished.append(&mut next.finished);
    }
}

/// The bytes of a change set that there is no small bound for.
fn text_bytes(change: &ChangeSet) -> usize {
    let of = |record: &Record| match record {
        Record::Message(message) => {
            message.text.len() + message.html.as_ref().map_or(0, String::len)
        }
        _ => 0,
    };
    change.put.iter().map(of).sum()
}
