//! Random desks for the laws of the indexes: few values of everything, so that
//! ties, edges and refusals of every kind come up.

use super::*;
use crate::routing::queue::RateLimit;
use crate::routing::stage::{Relax, Selector, Stage, Widen};
use crate::ticket::Excluded;

/// Instants of work that loads keep.
pub(crate) const GIVEN_KEPT: usize = 3;

/// Numbers that a seed gives: a linear congruential generator, its upper bits.
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize].clone()
    }

    pub(crate) fn some<T>(&mut self, n: u64, make: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..self.below(n)).map(|_| make(self)).collect()
    }

    pub(crate) fn agent(&mut self) -> AgentId {
        // Not in the order of small numbers.
        id(u128::from(self.below(300) * 7_919 % 300 + 1))
    }

    pub(crate) fn group(&mut self) -> Key {
        key(self.of(&["billing", "sales", "night", "nobody"]))
    }

    pub(crate) fn skill(&mut self) -> SkillLevel {
        let level = self.of(&[0, 1, 1, 2, 3, 5, 15, 16, 200]);
        skill(self.of(&["sql", "french", "law", "tax"]), level)
    }

    pub(crate) fn instant(&mut self) -> Option<DateTime<Utc>> {
        let seconds = self.of(&[None, Some(0), Some(1), Some(10), Some(30), Some(3_600), Some(-5)]);
        seconds.map(ago)
    }

    pub(crate) fn entry(&mut self) -> RosterEntry {
        let name = self.agent();
        let mut made = entry(name.0.as_u128()).agent(|agent| {
            agent.active = !self.once_in(12);
            agent.groups = self.some(4, Self::group);
            agent.skills = self.some(5, Self::skill);
            agent.shift = match self.below(8) {
                0 => Some(key(self.of(&["early", "late", "night", "unknown"]))),
                _ => None,
            };
            agent.capacity.total = self.of(&[0, 1, 2, 3, 6, 6, 10]);
            for channel in [Channel::Email, Channel::Chat] {
                if self.once_in(3) {
                    agent.capacity.channels.insert(channel, self.below(5) as u32);
                }
                if self.once_in(3) {
                    agent.capacity.weights.insert(channel, self.below(3) as u32);
                }
            }
        });
        for channel in [Channel::Email, Channel::Chat] {
            use PresenceState::{Away, Offline, Online};
            let state = self.of(&[Online, Online, Online, Online, Online, Away, Offline]);
            made.presence.channels.insert(channel, on_channel(state));
        }
        self.load(&mut made);
        made
    }

    /// Gives an agent another load.
    pub(crate) fn load(&mut self, entry: &mut RosterEntry) {
        entry.load.channels.clear();
        for channel in [Channel::Email, Channel::Chat, Channel::Phone] {
            if self.once_in(2) {
                entry.load.channels.insert(channel, self.channel_load());
            }
        }
        entry.load.given.clear();
        let given = self.some(4, Self::instant);
        given.into_iter().flatten().for_each(|at| entry.load.note_given(at, GIVEN_KEPT));
    }

    pub(crate) fn channel_load(&mut self) -> ChannelLoad {
        let n_taken = self.of(&[0, 1, 2, 5, 8, 40, 5_000, u64::MAX]);
        let last_assigned_at = self.instant();
        let (active, reserved) = (self.below(3) as u32, self.below(6) as u32 / 4);
        ChannelLoad { active, reserved, last_assigned_at, n_taken }
    }

    fn stage(&mut self) -> Stage {
        Stage {
            after_seconds: self.of(&[0, 0, 60, 3_599, 3_600, 3_601, 9_000]),
            pools: self.some(3, Self::group),
            widen: self.of(&[Widen::Accumulate, Widen::Accumulate, Widen::Replace]),
            relax: self.some(2, |draw| match draw.below(4) {
                0 => Relax::DropPreferred,
                1 => Relax::LowerLevel { by: 2 },
                2 => Relax::DropSkill { skill: draw.skill().skill },
                _ => Relax::DropAll,
            }),
            selector: self.of(&Selector::ALL),
            skip_if_empty: self.once_in(2),
        }
    }

    pub(crate) fn queue(&mut self) -> Queue {
        let mut made = queue(json!({}));
        made.stages = self.some(4, Self::stage);
        made.affinity = !self.once_in(4);
        made.affinity_wait_seconds = self.of(&[None, None, Some(3_600), Some(7_200)]);
        made.cooldown_seconds = self.of(&[None, None, Some(1), Some(10), Some(60), Some(u64::MAX)]);
        made.rate_limit = self.once_in(4).then(|| RateLimit {
            max: 1 + self.below(3) as u32,
            per_seconds: self.of(&[1, 10, 60, u64::MAX]),
        });
        made
    }

    pub(crate) fn ticket(&mut self) -> Ticket {
        Ticket {
            id: ticket_id(u128::from(self.below(1_000))),
            channel: self.of(&[Channel::Email, Channel::Email, Channel::Chat, Channel::Phone]),
            required_skills: self.some(3, Self::skill),
            preferred_skills: self.some(3, Self::skill),
            excluded: match self.below(3) {
                0 => self.some(6, |draw| Excluded { agent: draw.agent(), until: draw.instant() }),
                _ => Vec::new(),
            },
            last_assignee: self.once_in(6).then(|| self.agent()),
            ..ticket()
        }
    }
}
