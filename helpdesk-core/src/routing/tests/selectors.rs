//! Which of several candidates gets a ticket.

use super::*;
use crate::event::ChosenBy;

fn chosen(selector: &str, ticket: &Ticket, entries: Vec<RosterEntry>) -> (u128, ChosenBy) {
    let choice = choose_with(&queue_by(selector), ticket, &roster(entries), &[]);
    (choice.chosen.unwrap().0.as_u128(), choice.by.unwrap())
}

/// Agent 2 is the better one, agent 1 has the lower id.
#[test]
fn each_selector_decides() {
    let idle = |n, seconds| entry(n).assigned_on(Channel::Email, seconds);
    let rows = [
        ("longest_idle", idle(1, 60), idle(2, 61)),
        ("longest_idle", idle(1, 60), entry(2)),
        ("longest_idle", idle(1, 60), idle(2, 61).assigned_on(Channel::Chat, 1)),
        ("most_spare", entry(1).capacity(10).active(5), entry(2).capacity(30).active(14)),
        (
            "most_spare",
            entry(1).capacity(3).active(1),
            entry(2).capacity(1_000_000).active(333_333),
        ),
        ("least_loaded", entry(1).active(3), entry(2).active(2)),
        ("least_loaded", entry(1).load(Channel::Chat, |l| l.reserved = 3), entry(2).active(2)),
        (
            "weighted_round_robin",
            entry(1).capacity(10).taken(100),
            entry(2).capacity(20).taken(199),
        ),
        ("weighted_round_robin", entry(1).taken(u64::MAX), entry(2).taken(u64::MAX - 1)),
        ("best_skill", entry(1).skills(&[("sql", 4)]), entry(2).skills(&[("sql", 5)])),
        ("best_skill", entry(1).skills(&[("sql", 4), ("tax", 9)]), entry(2).skills(&[("sql", 5)])),
        (
            "best_skill",
            entry(1).skills(&[("sql", 4), ("tax", 3)]),
            entry(2).skills(&[("sql", 4), ("law", 5)]),
        ),
    ];
    let ticket = Ticket {
        preferred_skills: vec![skill("law", 2), skill("tax", 3)],
        required_skills: vec![skill("sql", 4)],
        ..ticket()
    };
    for (n, (selector, one, two)) in rows.into_iter().enumerate() {
        let able =
            |e: RosterEntry| if e.agent.skills.is_empty() { e.skills(&[("sql", 4)]) } else { e };
        let wanted = (2, ChosenBy::Selector);
        assert_eq!(chosen(selector, &ticket, vec![able(one), able(two)]), wanted, "row {n}");
    }
}

#[test]
fn every_tie_goes_by_fewer_active_then_longest_since_assigned_then_id() {
    for selector in
        ["longest_idle", "most_spare", "least_loaded", "weighted_round_robin", "best_skill"]
    {
        // The same load; what agent 2 has reserved, agent 1 has active.
        let reserved = entry(2).load(Channel::Email, |l| l.reserved = 2);
        let fewer = chosen(selector, &ticket(), vec![entry(1).active(2), reserved]);
        assert_eq!(fewer, (2, ChosenBy::FewerActive), "{selector}");
        // On another channel, so that they are idle on this one for equally long.
        let on_chat = |n, seconds| entry(n).assigned_on(Channel::Chat, seconds);
        let longest = chosen(selector, &ticket(), vec![on_chat(1, 60), on_chat(2, 61)]);
        assert_eq!(longest, (2, ChosenBy::LongestSinceAssigned), "{selector}");
        let never = chosen(selector, &ticket(), vec![on_chat(1, 60), entry(2)]);
        assert_eq!(never, (2, ChosenBy::LongestSinceAssigned), "{selector}");
        let lowest = chosen(selector, &ticket(), vec![entry(3), entry(2)]);
        assert_eq!(lowest, (2, ChosenBy::AgentId), "{selector}");
    }
}

#[test]
fn what_decided_is_what_sets_the_chosen_apart_from_the_second() {
    let entries = vec![entry(1).active(1), entry(2).active(1), entry(3).active(9)];
    assert_eq!(chosen("least_loaded", &ticket(), entries), (1, ChosenBy::AgentId));
    assert_eq!(chosen("least_loaded", &ticket(), vec![entry(5)]), (5, ChosenBy::OnlyCandidate));
    let with_full = vec![entry(5), entry(6).active(10)];
    assert_eq!(chosen("least_loaded", &ticket(), with_full), (5, ChosenBy::OnlyCandidate));
}

#[test]
fn random_follows_seed_ticket_and_agent_only() {
    let queue = queue_by("random");
    let pick = |n: u128, seed: u64, loaded: u32| {
        let roster = roster((1..=4).map(|n| entry(n).active(loaded * n as u32)));
        let ticket = Ticket { id: ticket_id(n), ..ticket() };
        let ask = Ask {
            queue: &queue,
            ticket: &ticket,
            roster: &roster,
            calendars: &Calendars::default(),
            affinity: &[],
            now: now(),
            seed,
        };
        choose(&ask).chosen.unwrap().0.as_u128()
    };
    let mut n_chosen = [0; 5];
    for n in 0..400 {
        assert_eq!(pick(n, 1, 0), pick(n, 1, 2));
        n_chosen[pick(n, 1, 0) as usize] += 1;
    }
    assert!(n_chosen[1..].iter().all(|n| (70..130).contains(n)), "{n_chosen:?}");
    assert!((0..50).any(|n| pick(n, 1, 0) != pick(n, 2, 0)));
}

/// Gives `n` tickets one after the other, all solved at once; who got how many.
fn turns(roster: &mut Roster, n: usize) -> Vec<usize> {
    let queue = queue_by("weighted_round_robin");
    let mut n_taken = vec![0; roster.agents.len() + 1];
    for _ in 0..n {
        let choice = choose_with(&queue, &ticket(), roster, &[]);
        let agent = choice.chosen.unwrap();
        let load = &mut roster.agents.get_mut(&agent).unwrap().load;
        load.channels.entry(Channel::Email).or_default().n_taken += choice.n_taken_added;
        n_taken[agent.0.as_u128() as usize] += 1;
    }
    n_taken
}

#[test]
fn turns_are_in_proportion_to_capacity() {
    let mut roster = roster([entry(1).capacity(1), entry(2).capacity(3), entry(3).capacity(6)]);
    assert_eq!(turns(&mut roster, 10), [0, 1, 3, 6]);
    assert_eq!(turns(&mut roster, 1_000), [0, 100, 300, 600]);
}

#[test]
fn who_comes_back_from_a_month_off_is_not_buried() {
    let mut roster = roster([
        entry(1).capacity(10).taken(10_000),
        entry(2).capacity(10).taken(10_000),
        entry(3).capacity(10).taken(17),
    ]);
    // At most one full capacity behind the others: 10 units to catch up.
    assert_eq!(turns(&mut roster, 10), [0, 0, 0, 10]);
    assert_eq!(turns(&mut roster, 300), [0, 100, 100, 100]);
}
