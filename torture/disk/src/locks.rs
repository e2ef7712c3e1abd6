//! Locks of one file: those of the file, and those of its shared memory.
//!
//! As SQLite describes them in "File Locking And Concurrency" and "WAL-mode File Format".

use std::collections::BTreeSet;

/// Slots of the shared memory's locks.
pub(crate) const SLOTS: usize = 8;

/// Who holds what; an id for each open file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Locks {
    shared: BTreeSet<u64>,
    reserved: Option<u64>,
    pending: Option<u64>,
    exclusive: Option<u64>,
    slots: [Slot; SLOTS],
}

#[derive(Debug, Clone, Default)]
struct Slot {
    shared: BTreeSet<u64>,
    exclusive: Option<u64>,
}

/// How far an open file has locked it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    None,
    Shared,
    Reserved,
    Exclusive,
}

impl Locks {
    /// Locks further; whether that was free.
    pub(crate) fn lock(&mut self, id: u64, level: Level) -> bool {
        let is_others = |owner: Option<u64>| owner.is_some_and(|owner| owner != id);
        match level {
            Level::None => true,
            Level::Shared => {
                let is_free = !is_others(self.pending) && !is_others(self.exclusive);
                if is_free {
                    self.shared.insert(id);
                }
                is_free
            }
            Level::Reserved => {
                let is_free = !is_others(self.reserved) && !is_others(self.pending);
                if is_free {
                    self.reserved = Some(id);
                }
                is_free
            }
            Level::Exclusive => {
                if is_others(self.pending) || is_others(self.reserved) {
                    return false;
                }
                // It stays pending while readers are there, and no new ones come.
                self.pending = Some(id);
                let is_free = self.shared.iter().all(|other| *other == id);
                if is_free {
                    self.exclusive = Some(id);
                }
                is_free
            }
        }
    }

    /// Unlocks down to a level: shared or none.
    pub(crate) fn unlock(&mut self, id: u64, level: Level) {
        for owner in [&mut self.reserved, &mut self.pending, &mut self.exclusive] {
            if *owner == Some(id) {
                *owner = None;
            }
        }
        if level == Level::None {
            self.shared.remove(&id);
        }
    }

    /// Whether somebody writes or is about to.
    pub(crate) fn is_reserved(&self) -> bool {
        self.reserved.or(self.pending).or(self.exclusive).is_some()
    }

    /// Locks slots of the shared memory: all or none.
    pub(crate) fn lock_slots(&mut self, id: u64, from: usize, n: usize, exclusive: bool) -> bool {
        let slots = self.slots.iter_mut().skip(from).take(n);
        let mut wanted: Vec<&mut Slot> = slots.collect();
        let is_free = wanted.iter().all(|slot| {
            let is_written = slot.exclusive.is_some_and(|owner| owner != id);
            let is_in_the_way = exclusive && slot.shared.iter().any(|owner| *owner != id);
            !is_written && !is_in_the_way
        });
        if is_free {
            for slot in &mut wanted {
                if exclusive {
                    slot.exclusive = Some(id);
                } else {
                    slot.shared.insert(id);
                }
            }
        }
        is_free
    }

    /// Unlocks slots of the shared memory.
    pub(crate) fn unlock_slots(&mut self, id: u64, from: usize, n: usize) {
        for slot in self.slots.iter_mut().skip(from).take(n) {
            slot.shared.remove(&id);
            if slot.exclusive == Some(id) {
                slot.exclusive = None;
            }
        }
    }

    /// Lets go of everything.
    pub(crate) fn drop_all(&mut self, id: u64) {
        self.unlock(id, Level::None);
        self.unlock_slots(id, 0, SLOTS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_waits_for_readers_and_lets_no_new_ones_in() {
        let mut locks = Locks::default();
        assert!(locks.lock(1, Level::Shared) && locks.lock(2, Level::Shared));
        assert!(locks.lock(1, Level::Reserved) && !locks.lock(2, Level::Reserved));
        assert!(!locks.lock(1, Level::Exclusive), "2 reads");
        assert!(!locks.lock(3, Level::Shared), "1 is about to write");
        locks.unlock(2, Level::None);
        assert!(locks.lock(1, Level::Exclusive) && locks.is_reserved());
        locks.unlock(1, Level::None);
        assert!(locks.lock(3, Level::Shared) && !locks.is_reserved());
    }

    #[test]
    fn slots_are_locked_all_or_none() {
        let mut locks = Locks::default();
        assert!(locks.lock_slots(1, 3, 1, false) && locks.lock_slots(2, 3, 1, false));
        assert!(!locks.lock_slots(1, 2, 2, true), "2 reads slot 3");
        assert!(locks.lock_slots(3, 2, 1, true), "and slot 2 was left free");
        locks.drop_all(2);
        assert!(locks.lock_slots(1, 3, 1, true));
        locks.unlock_slots(1, 3, 1);
        assert!(locks.lock_slots(2, 3, 1, true));
    }
}
