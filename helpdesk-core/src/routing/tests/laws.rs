//! Laws of the choice, under random desks.

use super::*;
use crate::routing::stage::Selector;
use proptest::prelude::*;

#[derive(Debug, Clone)]
struct Worker {
    total: u32,
    on_email: Option<u32>,
    weight: u32,
    active: u32,
    reserved: u32,
    idle: Option<i64>,
    level: u8,
    is_online: bool,
}

fn worker() -> impl Strategy<Value = Worker> {
    let numbers = (0u32..6, prop::option::of(0u32..4), 0u32..4, 0u32..4, 0u32..3);
    let rest = (prop::option::of(0i64..100), 0u8..4, prop::bool::weighted(0.8));
    (numbers, rest).prop_map(
        |((total, on_email, weight, active, reserved), (idle, level, is_online))| Worker {
            total,
            on_email,
            weight,
            active,
            reserved,
            idle,
            level,
            is_online,
        },
    )
}

fn entry_of(n: usize, worker: &Worker) -> RosterEntry {
    let mut made = entry(n as u128 + 1)
        .agent(|a| {
            a.capacity.total = worker.total;
            a.capacity.channels.extend(worker.on_email.map(|units| (Channel::Email, units)));
            a.capacity.weights.insert(Channel::Email, worker.weight);
        })
        .skills(&[("sql", worker.level)])
        .load(Channel::Email, |load| {
            load.active = worker.active;
            load.last_assigned_at = worker.idle.map(ago);
        })
        .load(Channel::Chat, |load| load.reserved = worker.reserved);
    if !worker.is_online {
        made.presence = Presence::none(made.agent.id);
    }
    made
}

fn desk() -> impl Strategy<Value = (Vec<Worker>, &'static str, u8)> {
    (
        prop::collection::vec(worker(), 1..12),
        prop::sample::select(Selector::ALL.map(Selector::as_str).to_vec()),
        0u8..3,
    )
}

fn sql(level: u8) -> Ticket {
    let required_skills = if level == 0 { Vec::new() } else { vec![skill("sql", level)] };
    Ticket { required_skills, ..ticket() }
}

fn within_capacity(entry: &RosterEntry, added: u32) -> bool {
    let capacity = &entry.agent.capacity;
    let held = entry.load.on(Channel::Email);
    let max = capacity.channels.get(&Channel::Email).copied().unwrap_or(u32::MAX);
    entry.load.total() + added <= capacity.total && held.active + held.reserved + added <= max
}

proptest! {
    #[test]
    fn the_choice_does_not_depend_on_the_order_of_agents(
        (workers, selector, level) in desk(),
        turn in 0usize..12,
    ) {
        let entries: Vec<RosterEntry> =
            workers.iter().enumerate().map(|(n, worker)| entry_of(n, worker)).collect();
        let mut turned: Vec<RosterEntry> = entries.iter().rev().cloned().collect();
        turned.rotate_left(turn % entries.len());
        let queue = queue_by(selector);
        let one = choose_with(&queue, &sql(level), &roster(entries), &[]);
        let two = choose_with(&queue, &sql(level), &roster(turned), &[]);
        prop_assert_eq!(one, two);
    }

    #[test]
    fn the_chosen_is_no_worse_than_any_other_candidate((workers, selector, level) in desk()) {
        // Against each candidate alone, the chosen wins too: the order is total.
        let entries: Vec<RosterEntry> =
            workers.iter().enumerate().map(|(n, worker)| entry_of(n, worker)).collect();
        let queue = queue_by(selector);
        let choice = choose_with(&queue, &sql(level), &roster(entries.clone()), &[]);
        let Some(chosen) = choice.chosen else {
            prop_assert!(choice.verdicts.iter().all(|verdict| verdict.reason.is_some()));
            return Ok(());
        };
        for other in &entries {
            let pair = entries.iter().filter(|e| e.agent.id == chosen || e.agent.id == other.agent.id);
            let duel = choose_with(&queue, &sql(level), &roster(pair.cloned()), &[]);
            prop_assert_eq!(duel.chosen, Some(chosen));
        }
    }

    #[test]
    fn no_agent_exceeds_capacity_whatever_is_assigned_and_released(
        (workers, selector, _) in desk(),
        steps in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>(), 0u8..3), 0..60),
    ) {
        let queue = queue_by(selector);
        let mut roster = roster(workers.iter().enumerate().map(|(n, worker)| entry_of(n, worker)));
        let mut given: Vec<(AgentId, u32)> = Vec::new();
        for (release, at, level) in steps {
            if release && !given.is_empty() {
                let (agent, weight) = given.swap_remove(at.index(given.len()));
                let load = &mut roster.agents.get_mut(&agent).unwrap().load;
                load.channels.get_mut(&Channel::Email).unwrap().active -= weight;
                continue;
            }
            let choice = choose_with(&queue, &sql(level), &roster, &[]);
            let Some(agent) = choice.chosen else {
                // Nobody with room and skill was passed over.
                let level_of = |e: &RosterEntry| e.agent.skill_level(&key("sql"));
                for e in roster.agents.values().filter(|e| level_of(e) >= level) {
                    let online = e.presence.state(Channel::Email) == PresenceState::Online;
                    let weight = e.agent.capacity.weight(Channel::Email);
                    prop_assert!(!online || !within_capacity(e, weight));
                }
                continue;
            };
            let entry = roster.agents.get_mut(&agent).unwrap();
            prop_assert_eq!(choice.weight, entry.agent.capacity.weight(Channel::Email));
            prop_assert!(within_capacity(entry, choice.weight));
            prop_assert!(choice.n_taken_added >= u64::from(choice.weight));
            let load = entry.load.channels.entry(Channel::Email).or_default();
            load.active += choice.weight;
            load.n_taken += choice.n_taken_added;
            load.last_assigned_at = Some(now());
            given.push((agent, choice.weight));
        }
    }
}
