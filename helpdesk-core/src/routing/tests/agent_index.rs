//! The index of agents says what the scan of all agents says.

use super::index_desk::{Draw, GIVEN_KEPT};
use super::*;
use crate::routing::agent_index::{AgentIndex, Found};
use crate::routing::stage::Selector;
use proptest::prelude::*;

/// Steps of one random desk.
const STEPS: usize = 60;

/// A roster, and its index as it was told of each change.
struct Desk {
    roster: Roster,
    index: AgentIndex,
    calendars: Calendars,
    draw: Draw,
}

impl Desk {
    fn new(seed: u64, calendars: Calendars) -> Self {
        let mut draw = Draw(seed);
        let n = draw.of(&[3, 30, 300]);
        let roster = roster((0..draw.below(n)).map(|_| draw.entry()));
        let kept: Vec<Selector> = Selector::ALL.into_iter().filter(|_| draw.once_in(2)).collect();
        Self { index: AgentIndex::new(&roster, kept), roster, calendars, draw }
    }

    fn change(&mut self) {
        match self.draw.below(8) {
            0 => {
                let entry = self.draw.entry();
                self.index.put(&entry);
                self.roster.agents.insert(entry.agent.id, entry);
            }
            1 => {
                let gone = self.draw.agent();
                self.index.remove(gone);
                self.roster.agents.remove(&gone);
            }
            n => {
                let from = self.draw.agent();
                let Some((_, entry)) = self.roster.agents.range_mut(from..).next() else { return };
                if n < 5 {
                    self.draw.load(entry);
                    self.index.put_load(&entry.load);
                    return;
                }
                let channel = self.draw.of(&[Channel::Email, Channel::Chat, Channel::Phone]);
                let load = self.draw.channel_load();
                entry.load.channels.insert(channel, load);
                self.index.change_load(entry.agent.id, channel, |it| *it = load);
            }
        }
    }

    /// Asks both for an agent, and gives them the ticket.
    fn ask(&mut self) {
        let (queue, ticket) = (self.draw.queue(), self.draw.ticket());
        let affinity = self.draw.some(3, Draw::agent);
        let (calendars, seed) = (&self.calendars, self.draw.below(9));
        let roster = &self.roster;
        let ask = &Ask {
            queue: &queue,
            ticket: &ticket,
            roster,
            calendars,
            affinity: &affinity,
            now: now(),
            seed,
        };
        let choice = choose(ask);
        let found = self.index.choose(ask);
        assert_eq!(found, Found::from(&choice), "{}", told(&choice));
        let explained = self.index.choose_explained(ask);
        assert_eq!(Found::from(&explained), found);
        assert_eq!(explained.short(), choice.short(), "{}", told(&choice));
        assert_eq!(told(&explained), told(&choice));
        let Some(entry) = choice.chosen.and_then(|id| self.roster.agents.get_mut(&id)) else {
            return;
        };
        let given_at = now() - TimeDelta::seconds(self.draw.below(2) as i64);
        let give = |load: &mut ChannelLoad| {
            load.active += choice.weight;
            load.n_taken = load.n_taken.saturating_add(choice.n_taken_added);
            load.last_assigned_at = Some(given_at);
        };
        give(entry.load.channels.entry(ticket.channel).or_default());
        entry.load.note_given(given_at, GIVEN_KEPT);
        if self.draw.once_in(2) {
            self.index.put_load(&entry.load);
        } else {
            self.index.change_load(entry.agent.id, ticket.channel, give);
        }
    }
}

fn check(seed: u64, calendars: &Calendars) {
    let mut desk = Desk::new(seed, calendars.clone());
    for _ in 0..STEPS {
        desk.change();
        desk.ask();
    }
    // Told of everybody at once, and in another order, it says the same.
    let mut entries: Vec<&RosterEntry> = desk.roster.agents.values().collect();
    let turn = desk.draw.below(7) as usize % entries.len().max(1);
    entries.rotate_left(turn);
    entries.reverse();
    let mut index = AgentIndex::new(&Roster::default(), Selector::ALL);
    entries.into_iter().for_each(|entry| index.put(entry));
    assert_eq!(index.len(), desk.roster.agents.len());
    desk.index = index;
    (0..5).for_each(|_| desk.ask());
}

#[test]
fn the_index_chooses_as_the_scan_does() {
    let calendars = &shifts();
    let config = ProptestConfig::with_cases(100);
    proptest!(config, |(seed in any::<u64>())| check(seed, calendars));
}

#[test]
fn an_agent_who_is_not_known_changes_nothing() {
    let mut index = AgentIndex::new(&roster([entry(1)]), Selector::ALL);
    index.remove(id(1));
    index.change_load(id(1), Channel::Email, |load| load.active += 1);
    index.put_load(&AgentLoad::none(id(1)));
    index.put(&entry(2));
    index.change_load(id(1), Channel::Email, |load| load.active += 1);
    assert_eq!(index.len(), 1);
    let (queue, ticket) = (queue(json!({})), ticket());
    let (roster, calendars) = (&roster([entry(2)]), &Calendars::default());
    let (queue, ticket, now) = (&queue, &ticket, now());
    let ask = &Ask { queue, ticket, roster, calendars, affinity: &[], now, seed: 0 };
    assert_eq!(index.choose(ask), Found::from(&choose(ask)));
}

/// Everybody holds something, is given something, and lets go: blocks fill, split and join.
#[test]
fn a_busy_desk_goes_round_for_long() {
    for selector in Selector::ALL {
        let queue = queue_by(selector.as_str());
        let mut roster = roster((1..=400).map(|n| entry(n).capacity(3)));
        let mut index = AgentIndex::new(&roster, [selector]);
        let mut draw = Draw(7);
        let mut held: Vec<AgentId> = Vec::new();
        for n in 0..3_000 {
            if held.len() > 900 || (draw.once_in(3) && !held.is_empty()) {
                let agent = held.swap_remove(draw.below(held.len() as u64) as usize);
                let entry = roster.agents.get_mut(&agent).unwrap();
                entry.load.channels.get_mut(&Channel::Email).unwrap().active -= 1;
                index.change_load(agent, Channel::Email, |load| load.active -= 1);
            }
            let calendars = &Calendars::default();
            // Many at the same instant.
            let (ticket, now) = (ticket(), now() + TimeDelta::milliseconds(n / 50));
            let ask = &Ask {
                queue: &queue,
                ticket: &ticket,
                roster: &roster,
                calendars,
                affinity: &[],
                now,
                seed: n as u64,
            };
            let found = index.choose(ask);
            // The scan is dear: it is asked now and then.
            if n % 10 == 0 {
                assert_eq!(found, Found::from(&choose(ask)), "{selector:?} {n}");
            }
            let entry = roster.agents.get_mut(&found.chosen.unwrap()).unwrap();
            let load = entry.load.channels.entry(Channel::Email).or_default();
            (load.active, load.last_assigned_at) = (load.active + 1, Some(now));
            load.n_taken += found.n_taken_added;
            index.put_load(&entry.load);
            held.push(entry.agent.id);
        }
    }
}
