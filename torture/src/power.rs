//! The power goes off at any write, any sync: what was acked is there at the next start.
//!
//! SQLite works on a disk that keeps what was synced and any part of the rest. With
//! [`Synchronous::Full`] nothing acked is lost; with `Normal` the database is whole and
//! the last commits may be gone. That this would be seen at all is proven by [`bites`]:
//! with `Off` the same runs lose what was acked.
//! Source: spec/storage.md, "Reliability suite", 6.

use crate::chaos::{Ends, is_unknown};
use crate::finish::{LEASES_END, engine, finish};
use crate::laws::{self, cases_of, reply_of};
use crate::office::{Hand, TENANT, open, start};
use crate::part::Setting;
use crate::place::integrity;
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk::block_on;
use helpdesk::core::id::TicketId;
use helpdesk::core::limit::PAGE_MAX;
use helpdesk_storage::chaos::Dice;
use helpdesk_storage::sqlite::{SqliteOptions, SqliteStore, Synchronous};
use helpdesk_storage::{ListKind, ListQuery, Maintain, Shelf, Store};
use helpdesk_torture_disk::{Disk, Fault, Loss, Trouble};
use std::collections::BTreeSet;
use std::sync::Arc;

const FILE: &str = "desk.db";
const N_STEPS: u64 = 30;
/// Times that the power of one desk goes off.
const N_LOSSES: u64 = 2;
/// Writes and syncs after which the power goes off: while the desk is set up, or later.
const CALLS_EARLY: u64 = 400;
const CALLS_LATE: u64 = 3_000;

/// What one desk went through.
struct Desk {
    disk: Arc<Disk>,
    synchronous: Synchronous,
    dice: Dice,
    hand: Hand,
    now: DateTime<Utc>,
    ends: Ends,
    delivered: BTreeSet<(TicketId, u32)>,
}

/// Loses the power with a full sync and with a normal one; how many commands were acked.
pub(crate) fn run(seed: u64, _: &Setting) -> u64 {
    let mut n_acked = 0;
    for synchronous in [Synchronous::Full, Synchronous::Normal] {
        let mut desk = Desk::new(seed, synchronous);
        for _ in 0..N_LOSSES {
            desk.work();
            desk.lose_power();
            let store = desk.open().unwrap();
            assert_eq!(integrity(&desk.disk.path(FILE)), "ok");
            desk.check(&store);
        }
        n_acked += desk.ends.acked.len() as u64;
    }
    n_acked
}

/// Loses the power without a sync; 1 where that lost something acked or left no whole
/// database, as it may.
pub(crate) fn bites(seed: u64, _: &Setting) -> u64 {
    let mut desk = Desk::new(seed, Synchronous::Off);
    desk.work();
    desk.lose_power();
    let is_whole = match desk.open() {
        Err(_) => false,
        Ok(store) => {
            integrity(&desk.disk.path(FILE)) == "ok" && laws::n_lost(&*store, &desk.ends.acked) == 0
        }
    };
    u64::from(!is_whole)
}

impl Desk {
    fn new(seed: u64, synchronous: Synchronous) -> Self {
        Self {
            disk: Disk::new(),
            synchronous,
            dice: Dice::new(seed),
            hand: Hand::new(seed),
            now: start(),
            ends: Ends::default(),
            delivered: BTreeSet::new(),
        }
    }

    fn open(&self) -> helpdesk_storage::Result<Arc<dyn Store>> {
        let options = SqliteOptions::default().with_synchronous(self.synchronous).with_readers(1);
        Ok(Arc::new(SqliteStore::open(self.disk.path(FILE), options)?))
    }

    /// Works until the power goes off, or for a while.
    fn work(&mut self) {
        let max = if self.dice.percent(25) { CALLS_EARLY } else { CALLS_LATE };
        let at = self.dice.below(max);
        self.disk.fail(Fault { trouble: Trouble::Off, at, n_calls: 1 });
        let Ok(store) = self.open() else { return };
        let (desk, recorder) = engine(store.clone());
        if block_on(open(&desk)).is_ok() {
            for _ in 0..N_STEPS {
                if !self.step(&desk, &*store) {
                    break;
                }
            }
        }
        self.delivered.extend(recorder.delivered().iter().filter_map(reply_of));
    }

    /// One thing that happens; `false` once the power is off.
    fn step(&mut self, desk: &helpdesk::Helpdesk, store: &dyn Store) -> bool {
        self.now += TimeDelta::seconds(self.dice.below(60) as i64);
        let now = self.now;
        match self.dice.below(10) {
            0 => is_on(&block_on(desk.tick(now, 20))),
            1 => is_on(&block_on(desk.deliver(now, 20))),
            2 => block_on(store.maintain(&Maintain::Compact)).is_ok(),
            _ => {
                let query = ListQuery::all(TENANT, ListKind::Cases(Shelf::Live), now, PAGE_MAX);
                let Ok(page) = block_on(store.list(&query)) else { return false };
                let (actor, call) = self.hand.next(&cases_of(page.rows), now);
                let id = call.command_id;
                self.ends.take(id, block_on(desk.execute(&actor, call, now)))
            }
        }
    }

    fn lose_power(&mut self) {
        let dice = &mut self.dice;
        self.disk = self.disk.survivor(Loss::Power, &mut |bound| dice.below(bound));
    }

    /// What must hold after a loss, and once the desk went on.
    fn check(&mut self, store: &Arc<dyn Store>) {
        let is_full = self.synchronous == Synchronous::Full;
        if is_full {
            laws::check_acked(&**store, &self.ends.acked);
        }
        laws::check(&**store);
        let (end, delivered) = finish(store, self.now, &[LEASES_END]);
        self.now = end;
        self.delivered.extend(delivered);
        laws::check(&**store);
        laws::check_nothing_due(&**store, end);
        laws::check_nobody_waits(&**store, end);
        if is_full {
            laws::check_refused(&**store, &self.ends.refused);
            laws::check_delivered(&**store, &self.delivered);
        }
    }
}

/// Whether the power is on: nothing else fails here.
fn is_on<T>(result: &helpdesk::Result<T>) -> bool {
    if let Err(error) = result {
        assert!(is_unknown(error), "{error}: {:?}", error.body());
    }
    result.is_ok()
}
