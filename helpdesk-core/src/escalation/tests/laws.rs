//! Laws of a chain, under random policies and random days.

use super::*;
use crate::clock::ClockState;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn trigger() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => (1u64..40).prop_map(|m| json!({"type": "after", "seconds": m * 60})),
        1 => (1u64..40).prop_map(|m| json!({"type": "after", "seconds": m * 60, "calendar": "office"})),
        1 => (1u16..160).prop_map(|p| json!({"type": "sla_percent", "metric": "first_reply", "percent": p})),
        1 => Just(json!({"type": "sla_breached", "metric": "first_reply"})),
        1 => (1u64..40).prop_map(|m| json!({"type": "idle", "since": "unassigned", "seconds": m * 60})),
        1 => Just(json!({"type": "idle", "since": "last_agent_act", "seconds": 900})),
        1 => (1u32..3).prop_map(|n| json!({"type": "reopened", "times": n})),
        1 => Just(json!({"type": "manual"})),
    ]
}

fn step() -> impl Strategy<Value = Value> {
    let targets = prop::sample::select(vec![
        json!([{"type": "agent", "id": agent(1)}]),
        json!([{"type": "schedule", "key": "tuesdays"}]),
        json!([{"type": "manager", "level": 9}]),
    ]);
    let guard = prop::sample::select(vec!["always", "always", "never"]);
    let if_no_one = prop::sample::select(vec!["next_step", "fallback", "wait"]);
    let hands_over = prop::bool::weighted(0.2);
    (trigger(), targets, guard, if_no_one, hands_over).prop_map(
        |(trigger, targets, guard, if_no_one, hands_over)| {
            let kind = if hands_over {
                json!({"type": "functional", "to": {"type": "next_tier"}})
            } else {
                json!({"type": "hierarchical"})
            };
            json!({"trigger": trigger, "targets": targets, "guard": guard, "if_no_one": if_no_one, "kind": kind})
        },
    )
}

fn any_policy() -> impl Strategy<Value = Value> {
    let repeat = prop_oneof![
        Just(json!({"type": "never"})),
        (1u32..4).prop_map(|n| json!({"type": "times", "n": n})),
        (1u32..6).prop_map(|n| json!({"type": "until_resolved", "max_total": n})),
    ];
    let stop_on = prop::sample::select(vec![json!(["ack"]), json!([]), json!(["ack", "reply"])]);
    (prop::collection::vec(step(), 1..6), repeat, stop_on, any::<bool>()).prop_map(
        |(steps, repeat, stop_on, has_timeout)| {
            let mut settings = json!({
                "steps": steps, "repeat": repeat, "stop_on": stop_on,
                "fallback": [{"type": "channel", "key": "pager"}], "on_exhausted": "notify_fallback",
            });
            if has_timeout {
                settings["ack_timeout"] = json!({"seconds": 1_200});
            }
            policy(settings)
        },
    )
}

#[derive(Debug, Clone)]
enum Act {
    Ack,
    Unack,
    Force,
    Signal(u8),
    Activity,
    Assign(bool),
    Pause,
    Resume,
    Retarget(i64),
    Breach,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        Just(Act::Ack),
        Just(Act::Unack),
        Just(Act::Force),
        (0u8..3).prop_map(Act::Signal),
        Just(Act::Activity),
        any::<bool>().prop_map(Act::Assign),
        Just(Act::Pause),
        Just(Act::Resume),
        (600i64..20_000).prop_map(Act::Retarget),
        Just(Act::Breach),
    ]
}

fn clock() -> Clock {
    serde_json::from_value(json!({
        "metric": "first_reply", "cycle": 1, "state": "running", "started_at": minute(0),
        "accumulated_seconds": 0, "running_since": minute(0), "target_seconds": 3_600,
        "target_rev": 1, "policy": "sla", "policy_rev": 1, "calendar": "always", "calendar_rev": 0,
        "generation": 0,
    }))
    .unwrap()
}

fn play(story: Story, minutes: i64, act: &Act) -> Story {
    let now = minute(minutes);
    match act {
        Act::Ack => story.ack(minutes, 1),
        Act::Unack => story.unack(minutes, 1),
        Act::Force => story.force(minutes, None),
        Act::Signal(0) => story
            .changed(minutes, |s| s.ticket.counters.reopens += 1)
            .hear(minutes, Signal::Reopened),
        Act::Signal(1) => story.hear(minutes, Signal::Replied),
        Act::Signal(_) => story.hear(minutes, Signal::Assigned),
        Act::Activity => story.changed(minutes, |s| s.ticket.times.last_agent_at = Some(now)),
        Act::Assign(true) => story.changed(minutes, |s| s.unassigned_since = None),
        Act::Assign(false) => story.changed(minutes, |s| s.unassigned_since = Some(now)),
        Act::Pause => story.changed(minutes, |s| {
            s.clocks[0].state = ClockState::Paused;
            s.clocks[0].running_since = None;
        }),
        Act::Resume => story.changed(minutes, |s| {
            s.clocks[0].state = ClockState::Running;
            s.clocks[0].running_since = Some(now);
        }),
        Act::Retarget(seconds) => story.changed(minutes, |s| {
            s.clocks[0].target_seconds = Some(*seconds);
            s.clocks[0].target_rev += 1;
            s.clocks[0].breached_at = None;
        }),
        Act::Breach => story.changed(minutes, |s| s.clocks[0].breached_at = Some(now)),
    }
}

/// The story of a day, and all that happened in it.
fn day(policy: Value, acts: &[(i64, Act)]) -> Story {
    let mut story = Story::of(policy);
    story.clocks = vec![clock()];
    let mut story = story.start();
    let mut minutes = 0;
    for (wait, act) in acts {
        minutes += wait;
        story = play(story.until(minutes), minutes, act);
    }
    story.until(minutes + 3 * 24 * 60)
}

proptest! {
    #[test]
    fn no_step_fires_twice_in_a_loop_for_one_clock_and_firings_are_bounded(
        policy in any_policy(),
        acts in prop::collection::vec((0i64..60, act()), 0..12),
    ) {
        let n_steps = policy["steps"].as_array().unwrap().len();
        let mut fired: BTreeSet<(u32, u16, Option<String>)> = BTreeSet::new();
        let mut story = Story::of(policy);
        story.clocks = vec![clock()];
        let mut story = story.start();
        let mut n_loops = 1u32;
        let mut minutes = 0;
        let mut days = acts.iter().map(|(wait, act)| (*wait, Some(act))).chain([(3 * 24 * 60, None)]);
        let mut next = days.next();
        while let Some((wait, act)) = next {
            minutes += wait;
            for _ in 0..FIRINGS_MAX {
                let Some(due) = story.chain().due_at().filter(|due| *due <= minute(minutes)) else { break };
                let changes = fire(story.chain(), due, &story.scene());
                for change in &changes {
                    if let EscalationNews::StepFired(own) = &change.news {
                        let cycle = own.clock.map(|clock| format!("{clock:?}"));
                        prop_assert!(fired.insert((own.loop_index, own.step, cycle)), "twice: {}", story.log());
                    }
                }
                story.take(due, changes);
            }
            prop_assert!(story.chain().due_at().is_none_or(|due| due > minute(minutes)));
            if let Some(act) = act {
                story = play(story, minutes, act);
            }
            n_loops = n_loops.max(story.chain().progress.loop_index + 1);
            next = days.next();
        }
        // In each loop each step once, and once more for each target of the clock.
        let most = n_loops as usize * n_steps + n_steps * (acts.len() + 1);
        prop_assert!(fired.len() <= most);
    }

    #[test]
    fn a_late_timer_and_a_second_one_change_nothing(
        policy in any_policy(),
        acts in prop::collection::vec((0i64..60, act()), 0..12),
    ) {
        let story = day(policy, &acts);
        let end = minute(60 * 24 * 30);
        let early = fire(story.chain(), minute(-1), &story.scene());
        prop_assert!(early.is_empty());
        let calm = story.until(60 * 24 * 30);
        prop_assert!(fire(calm.chain(), end, &calm.scene()).is_empty());
    }

    #[test]
    fn the_journal_folds_to_the_chain(
        policy in any_policy(),
        acts in prop::collection::vec((0i64..60, act()), 0..12),
    ) {
        let story = day(policy.clone(), &acts);
        let again = day(policy, &acts);
        prop_assert_eq!(&story.chain, &again.chain);
        let text = serde_json::to_string(story.chain()).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Chain>(&text).unwrap(), story.chain());
    }
}
