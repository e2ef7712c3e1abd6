//! Agents who had the ticket, or its requester, before.

use super::*;
use crate::event::ChosenBy;
use crate::ticket::Excluded;
use expect_test::expect;

fn had_by(n: u128) -> Ticket {
    Ticket { last_assignee: Some(id(n)), ..ticket() }
}

/// Agents 1 to 3; 1 is idle for longest, so the selector would choose 1.
fn three() -> Roster {
    roster((1..=3).map(|n| entry(n).assigned_on(Channel::Email, 1_000 - n as i64)))
}

fn change(roster: &mut Roster, n: u128, change: impl FnOnce(RosterEntry) -> RosterEntry) {
    let entry = roster.agents.remove(&id(n)).unwrap();
    roster.agents.insert(id(n), change(entry));
}

#[test]
fn the_assignee_before_comes_first_then_who_answered_the_requester() {
    let queue = queue(json!({}));
    let choice = choose_with(&queue, &had_by(3), &three(), &[id(2)]);
    assert_eq!((choice.chosen, choice.by), (Some(id(3)), Some(ChosenBy::Affinity)));
    let choice = choose_with(&queue, &ticket(), &three(), &[id(9), id(3), id(2)]);
    assert_eq!(choice.chosen, Some(id(3)));
    assert!(choice.verdict(id(2)).unwrap().affinity && !choice.verdict(id(1)).unwrap().affinity);
}

#[test]
fn a_queue_may_do_without() {
    let queue = queue(json!({"affinity": false, "affinity_wait_seconds": 9_000}));
    assert_eq!(choose_with(&queue, &had_by(3), &three(), &[id(2)]).chosen, Some(id(1)));
}

#[test]
fn affinity_never_overrides_a_refusal() {
    let mut roster = three();
    change(&mut roster, 3, |e| e.groups(&["sales"]));
    let queue = queue(json!({"affinity_wait_seconds": 9_000}));
    let choice = choose_with(&queue, &had_by(3), &roster, &[]);
    assert_eq!((choice.chosen, choice.by), (Some(id(1)), Some(ChosenBy::Selector)));
}

#[test]
fn a_ticket_waits_for_an_agent_who_is_only_busy() {
    // The ticket has waited for 3600 s.
    let rows: [(u64, Option<u128>, Option<DateTime<Utc>>); 3] =
        [(3_599, Some(1), None), (3_600, Some(1), None), (3_601, None, Some(ago(-1)))];
    let mut roster = three();
    change(&mut roster, 3, |e| e.active(10));
    for (wait, chosen, look_again_at) in rows {
        let queue = queue(json!({"affinity_wait_seconds": wait}));
        let choice = choose_with(&queue, &had_by(3), &roster, &[]);
        assert_eq!(choice.chosen, chosen.map(id), "{wait}");
        assert_eq!(choice.look_again_at, look_again_at, "{wait}");
        assert_eq!(choice.waits_for, chosen.is_none().then_some(id(3)), "{wait}");
    }
    let queue = queue(json!({"affinity_wait_seconds": 7_200}));
    expect![[r#"
        stage 1 of queue billing: 2 of 3 agents can take it
        waits for #3, who is only busy; looks again at 2026-06-01 13:00
        #1: can take it (idle since 2026-06-01 11:43:21)
        #2: can take it (idle since 2026-06-01 11:43:22)
        #3: no room"#]]
    .assert_eq(&told(&choose_with(&queue, &had_by(3), &roster, &[])));
    // Another preferred agent who is free is as good.
    assert_eq!(choose_with(&queue, &had_by(3), &roster, &[id(2)]).chosen, Some(id(2)));
}

#[test]
fn a_ticket_waits_for_nobody_who_cannot_take_it_anyway() {
    let queue = queue(json!({"affinity_wait_seconds": 7_200}));
    let mut roster = three();
    change(&mut roster, 3, |e| e.active(10));
    let excluded = vec![Excluded { agent: id(3), until: None }];
    let excluding = Ticket { excluded, ..had_by(3) };
    assert_eq!(choose_with(&queue, &excluding, &roster, &[]).chosen, Some(id(1)));
    change(&mut roster, 3, |e| RosterEntry { presence: Presence::none(id(3)), ..e });
    assert_eq!(choose_with(&queue, &had_by(3), &roster, &[]).chosen, Some(id(1)));
}

#[test]
fn waiting_for_an_agent_comes_before_skipping_a_stage() {
    let stages = json!([{"skip_if_empty": true}, {"after_seconds": 9_000, "pools": ["sales"]}]);
    let roster = roster([entry(1).active(10), entry(2).groups(&["sales"])]);
    let patient = queue(json!({"stages": stages, "affinity_wait_seconds": 7_200}));
    let choice = choose_with(&patient, &had_by(1), &roster, &[]);
    assert_eq!((choice.chosen, choice.stage, choice.waits_for), (None, 0, Some(id(1))));
    let hasty = queue(json!({"stages": stages}));
    assert_eq!(choose_with(&hasty, &had_by(1), &roster, &[]).chosen, Some(id(2)));
}

#[test]
fn a_preferred_agent_at_the_rate_limit_is_waited_for() {
    let limit = json!({"max": 1, "per_seconds": 60});
    let queue = queue(json!({"affinity_wait_seconds": 7_200, "rate_limit": limit}));
    let mut one = entry(1);
    one.load.given = vec![ago(20)];
    let choice = choose_with(&queue, &ticket(), &roster([one, entry(2)]), &[id(1)]);
    assert_eq!((choice.chosen, choice.waits_for), (None, Some(id(1))));
    assert_eq!(choice.look_again_at, Some(ago(-40)));
}

#[test]
fn the_end_of_a_cooldown_ends_the_wait_early() {
    let queue = queue(json!({"affinity_wait_seconds": 7_200, "cooldown_seconds": 30}));
    let mut roster = three();
    change(&mut roster, 3, |e| e.assigned_on(Channel::Email, 10));
    let choice = choose_with(&queue, &had_by(3), &roster, &[]);
    assert_eq!((choice.waits_for, choice.look_again_at), (Some(id(3)), Some(ago(-20))));
}
