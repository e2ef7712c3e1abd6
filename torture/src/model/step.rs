//! Steps, as small numbers that meet each other.

use helpdesk_storage::SettleHow;
use proptest::prelude::*;

/// Things: tickets, contacts and articles in turn.
pub(crate) const N_THINGS: u8 = 7;

/// One step.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// One change set.
    Commit(Vec<Part>),
    /// Several at once, each decided on what those before it are about to do.
    CommitMany(Vec<Vec<Part>>),
    /// Leases timers or messages, of one tenant or of all.
    Claim { timers: bool, max: usize, of_all: bool },
    /// Ends leases from the n-th last on, two at most: late ones, too.
    Settle { lease: usize, how: How },
    /// Forgets commands.
    PurgeCommands,
    /// Puts dead letters back: all, or only some.
    Redrive { all: bool },
    /// Drops old dead letters.
    PurgeDead,
    /// Removes tickets, each at the version that stands, plus so much.
    PurgeTickets(Vec<(u8, i8)>),
    /// Puts tombstones where a thing's entries stand.
    Archive { n: u8 },
    /// Takes the lead of a job, or keeps it, for so many seconds.
    Lead { job: u8, owner: u8, seconds: u32 },
    /// Gives it back.
    Resign { job: u8, owner: u8 },
    /// Folds what a backend has to fold.
    Compact,
    /// Leaves no bytes of what was removed.
    Scrub,
    /// Time goes on by so many seconds.
    Later(i64),
    /// The store is closed and opened again.
    Reopen,
}

/// How a lease ends, with times from now.
#[derive(Debug, Clone)]
pub(crate) enum How {
    Done,
    RetryIn(i64),
    Dead,
    ExtendBy(u32),
    Release,
    SnoozeFor(i64),
}

impl How {
    pub(crate) fn at(&self, now: i64) -> SettleHow {
        let error = || "no".to_owned();
        match *self {
            Self::Done => SettleHow::Done,
            Self::RetryIn(seconds) => {
                SettleHow::Retry { at: super::reference::at(now + seconds), error: error() }
            }
            Self::Dead => SettleHow::Dead { error: error() },
            Self::ExtendBy(lease_seconds) => SettleHow::Extend { lease_seconds },
            Self::Release => SettleHow::Release,
            Self::SnoozeFor(seconds) => {
                SettleHow::Snooze { until: super::reference::at(now + seconds) }
            }
        }
    }
}

/// A part of a change set. `n` is a thing.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    /// Writes a thing; it is expected at the version that stands, plus `off`.
    Put {
        n: u8,
        off: i8,
        n_events: u8,
    },
    /// Events without the record.
    Events {
        n: u8,
    },
    /// Expects a thing, and leaves it.
    Expect {
        n: u8,
        off: i8,
    },
    /// A message of a ticket.
    Message {
        n: u8,
        seq: u8,
    },
    Unique {
        k: u8,
        n: u8,
        replace: bool,
    },
    Remove {
        k: u8,
    },
    Set {
        n: u8,
        kind: u8,
        after: i64,
    },
    Cancel {
        n: u8,
        kind: u8,
    },
    Outbox {
        id: u8,
        lane: u8,
        after: i64,
    },
    /// Finishes the n-th last lease.
    Done {
        lease: usize,
    },
    /// Remembers a command: a known one with the same content is a replay.
    Command {
        id: u8,
        content: u8,
    },
    /// It comes after the n-th last commit before it: one of the same call, or another.
    After {
        n_back: u8,
    },
    /// All of it for the other tenant.
    Other,
}

/// A thing.
fn n() -> impl Strategy<Value = u8> {
    0..N_THINGS
}

/// How far a version is off.
fn off() -> impl Strategy<Value = i8> {
    prop_oneof![8 => Just(0i8), 1 => Just(1), 1 => Just(-1)]
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        5 => (n(), off(), 0..3u8).prop_map(|(n, off, n_events)| Part::Put { n, off, n_events }),
        1 => n().prop_map(|n| Part::Events { n }),
        1 => (n(), off()).prop_map(|(n, off)| Part::Expect { n, off }),
        1 => (n(), 1..4u8).prop_map(|(n, seq)| Part::Message { n, seq }),
        2 => (0..3u8, n(), any::<bool>()).prop_map(|(k, n, replace)| Part::Unique { k, n, replace }),
        1 => (0..3u8).prop_map(|k| Part::Remove { k }),
        3 => (n(), 0..13u8, 0..30i64).prop_map(|(n, kind, after)| Part::Set { n, kind, after }),
        1 => (n(), 0..13u8).prop_map(|(n, kind)| Part::Cancel { n, kind }),
        3 => (0..20u8, 0..5u8, 0..10i64).prop_map(|(id, lane, after)| Part::Outbox { id, lane, after }),
        1 => (0..8usize).prop_map(|lease| Part::Done { lease }),
        2 => (0..6u8, 0..2u8).prop_map(|(id, content)| Part::Command { id, content }),
        1 => (1..3u8).prop_map(|n_back| Part::After { n_back }),
        1 => Just(Part::Other),
    ]
}

fn how() -> impl Strategy<Value = How> {
    prop_oneof![
        1 => Just(How::Done),
        1 => (0..40i64).prop_map(How::RetryIn),
        2 => Just(How::Dead),
        1 => (0..40u32).prop_map(How::ExtendBy),
        1 => Just(How::Release),
        1 => (0..40i64).prop_map(How::SnoozeFor),
    ]
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let parts = || prop::collection::vec(part(), 0..5);
    prop_oneof![
        8 => parts().prop_map(Step::Commit),
        3 => prop::collection::vec(parts(), 0..8).prop_map(Step::CommitMany),
        6 => (any::<bool>(), 0..4usize, any::<bool>())
            .prop_map(|(timers, max, of_all)| Step::Claim { timers, max, of_all }),
        6 => (0..6usize, how()).prop_map(|(lease, how)| Step::Settle { lease, how }),
        1 => Just(Step::PurgeCommands),
        3 => any::<bool>().prop_map(|all| Step::Redrive { all }),
        1 => Just(Step::PurgeDead),
        2 => prop::collection::vec((n(), off()), 1..3).prop_map(Step::PurgeTickets),
        1 => n().prop_map(|n| Step::Archive { n }),
        2 => (0..2u8, 0..2u8, 0..60u32)
            .prop_map(|(job, owner, seconds)| Step::Lead { job, owner, seconds }),
        1 => (0..2u8, 0..2u8).prop_map(|(job, owner)| Step::Resign { job, owner }),
        1 => Just(Step::Compact),
        1 => Just(Step::Scrub),
        3 => (0..50i64).prop_map(Step::Later),
        1 => Just(Step::Reopen),
    ]
}
