//! Chains as a desk lives them.

use super::*;
use crate::escalation::chain::DoneWhy;
use crate::escalation::signal::{Occasion, starts_on};
use expect_test::expect;

#[test]
fn a_step_whose_guard_does_not_hold_is_passed_over_and_the_next_waits_from_there() {
    let guarded = json!({
        "trigger": {"type": "after", "seconds": 600}, "targets": to_agent(1),
        "guard": {"field": "priority", "is": "urgent"},
    });
    let steps = json!([guarded, after(10, to_agent(2))]);
    let story = Story::of(policy(json!({"steps": steps}))).start().until(60);
    expect![[r#"
        09:00 started => pending(0) due 09:10
        09:10 step 0 passed: guard_not_met => pending(1) due 09:20
        09:20 step 1 fired #2 => pending(2)
        09:20 exhausted => exhausted"#]]
    .assert_eq(&story.log());
}

#[test]
fn nobody_on_call_waits_or_falls_back_when_the_step_says_so() {
    let step = |if_no_one: &str| {
        json!({
            "trigger": {"type": "after", "seconds": 600}, "if_no_one": if_no_one,
            "targets": [{"type": "schedule", "key": "tuesdays"}],
        })
    };
    let steps = json!([step("wait"), step("fallback"), after(10, to_agent(2))]);
    let fallback = json!([{"type": "channel", "key": "pager"}]);
    let story = Story::of(policy(json!({"steps": steps, "fallback": fallback}))).start().until(60);
    expect![[r#"
        09:00 started => pending(0) due 09:10
        09:10 step 0 fired; no one, wait => pending(1) due 09:20
        09:20 step 1 fired ~pager; no one, fallback => pending(2) due 09:30
        09:30 step 2 fired #2 => pending(3)
        09:30 exhausted => exhausted"#]]
    .assert_eq(&story.log());
}

#[test]
fn the_schedule_is_asked_when_the_step_fires() {
    let week = 7 * 24 * 60;
    let steps = json!([after(10, json!([{"type": "schedule", "key": "duty"}]))]);
    let repeat = json!({"type": "times", "n": 1});
    let story = Story::of(policy(json!({"steps": steps, "repeat": repeat}))).start().until(10);
    assert_eq!(story.told[1], "09:10 step 0 fired #1 => pending(1)");
    let story = story.ack(20, 1).unack(i64::from(week), 1).until(i64::from(week) + 10);
    assert_eq!(story.told[5], "08 09:10 step 0 fired #2 => pending(1)");
}

#[test]
fn at_its_end_a_policy_notifies_its_fallback() {
    let story = Story::of(policy(json!({
        "steps": [after(10, to_agent(1))],
        "repeat": {"type": "until_resolved", "max_total": 3},
        "on_exhausted": "notify_fallback", "fallback": [{"type": "group", "key": "leads"}],
    })));
    let story = story.start().until(600);
    expect![[r#"
        09:00 started => pending(0) due 09:10
        09:10 step 0 fired #1 => pending(1)
        09:10 loop began => pending(0) due 09:20
        09:20 step 0 fired #1 => pending(1)
        09:20 loop began => pending(0) due 09:30
        09:30 step 0 fired #1 => pending(1)
        09:30 exhausted @leads => exhausted"#]]
    .assert_eq(&story.log());
}

#[test]
fn working_time_and_hours_move_steps_over_the_night() {
    let working = json!({"trigger": {"type": "after", "seconds": 8 * 3_600 - 600, "calendar": "office"}, "targets": to_agent(1)});
    let steps = json!([working, after(30, to_agent(2))]);
    let story = Story::of(policy(json!({"steps": steps, "hours": "office"}))).start().until(2_000);
    expect![[r#"
        09:00 started => pending(0) due 16:50
        16:50 step 0 fired #1 => pending(1) due 02 09:00
        02 09:00 step 1 fired #2 => pending(2)
        02 09:00 exhausted => exhausted"#]]
    .assert_eq(&story.log());
}

#[test]
fn idle_steps_wait_for_activity_and_come_out_of_turn() {
    let idle = |since: &str| json!({"trigger": {"type": "idle", "since": since, "seconds": 1_800}, "targets": to_agent(4)});
    let steps = json!([idle("unassigned"), idle("last_agent_act"), after(10, to_agent(2))]);
    let story = Story::of(policy(json!({"steps": steps}))).start();
    assert_eq!(story.reasons(), "not_idle, not_due at 09:30, waits_for_step");
    let story = story
        .changed(20, |story| story.ticket.times.last_agent_at = Some(minute(20)))
        .changed(40, |story| {
            story.ticket.assignee = None;
            story.unassigned_since = Some(minute(40));
        })
        .until(100);
    expect![[r#"
        09:00 started => pending(0) due 09:30
        09:20 rescheduled => pending(0) due 09:50
        09:50 step 1 fired #4 => pending(0) due 10:10
        10:10 step 0 fired #4 => pending(2) due 10:20
        10:20 step 2 fired #2 => pending(3)
        10:20 exhausted => exhausted"#]]
    .assert_eq(&story.log());
}

#[test]
fn a_manual_step_waits_for_an_agent_and_those_after_it_wait_for_it() {
    let manual = json!({"trigger": {"type": "manual"}, "targets": to_agent(4)});
    let steps = json!([after(10, to_agent(1)), manual, after(10, to_agent(2))]);
    let story = Story::of(policy(json!({"steps": steps}))).start();
    assert_eq!(story.reasons(), "not_due at 09:10, waits_for_agent, waits_for_step");
    let story = story.force(5, Some(1)).until(60);
    expect![[r#"
        09:00 started => pending(0) due 09:10
        09:05 step 1 fired by force #4 => pending(0) due 09:10
        09:10 step 0 fired #1 => pending(2) due 09:20
        09:20 step 2 fired #2 => pending(3)
        09:20 exhausted => exhausted"#]]
    .assert_eq(&story.log());
    assert_eq!(story.force(61, Some(1)).log().lines().count(), 7);
}

#[test]
fn a_step_that_is_done_cannot_be_forced() {
    let steps = json!([after(10, to_agent(1)), after(10, to_agent(2))]);
    let story = Story::of(policy(json!({"steps": steps}))).start().until(10);
    assert_eq!(story.force(11, Some(0)).last(), "refused: step 0 is done in this loop");
    let story = Story::of(policy(json!({"steps": [after(10, to_agent(1))]}))).start();
    assert_eq!(
        story.force(1, Some(9)).last(),
        "refused: there is no step 9: the policy has 1, from 0"
    );
}

#[test]
fn opened_again_a_second_time_the_ticket_goes_to_a_manager() {
    let reopened = json!({"trigger": {"type": "reopened", "times": 2}, "targets": to_agent(4)});
    let steps = json!([after(10, to_agent(1)), reopened]);
    let story = Story::of(policy(json!({"steps": steps}))).start();
    let mut story = story.until(10).ack(11, 1);
    story.ticket.counters.reopens = 1;
    let mut story = story.hear(20, Signal::Reopened).ack(21, 1);
    story.ticket.counters.reopens = 2;
    let story = story.hear(30, Signal::Reopened).until(30);
    expect![[r#"
        09:00 started => pending(0) due 09:10
        09:10 step 0 fired #1 => pending(1)
        09:10 exhausted => exhausted
        09:11 acknowledged by 1 => acked
        09:20 reopened => pending(0) due 09:30
        09:21 acknowledged by 1 => acked
        09:30 reopened => pending(0) due 09:30
        09:30 step 1 fired #4 => pending(0) due 09:40"#]]
    .assert_eq(&story.log());
}

#[test]
fn an_answer_or_an_assignee_ends_it_only_when_the_policy_says_so() {
    let with = |stop_on: Value| {
        Story::of(policy(json!({"steps": [after(10, to_agent(1))], "stop_on": stop_on}))).start()
    };
    assert_eq!(
        with(json!(["reply"])).hear(5, Signal::Replied).last(),
        "09:05 done: replied => done"
    );
    assert_eq!(
        with(json!(["assign"])).hear(5, Signal::Assigned).last(),
        "09:05 done: assigned => done"
    );
    let story = with(json!([])).hear(5, Signal::Replied).hear(6, Signal::Assigned).ack(7, 1);
    assert_eq!(story.last(), "09:07 acknowledged by 1 => pending(0) due 09:10");
}

#[test]
fn after_its_end_an_escalation_begins_again_when_the_ticket_needs_help_anew() {
    let story = Story::of(policy(json!({"steps": [after(10, to_agent(1))]}))).start().until(10);
    assert!(starts_on(None, Occasion::Changed));
    assert!(!starts_on(story.chain.as_ref(), Occasion::Reopened));
    let mut story = story.hear(20, Signal::Solved);
    assert_eq!(story.chain().progress.done, Some(DoneWhy::Solved));
    assert!(!starts_on(story.chain.as_ref(), Occasion::Changed));
    assert!(starts_on(story.chain.as_ref(), Occasion::Reopened));
    let changes =
        signal::start(&story.policy(), 1, story.chain.as_ref(), true, minute(30), &story.scene());
    story.take(minute(30), changes);
    assert_eq!(story.last(), "09:30 started => pending(0) due 09:40");
    assert_eq!(story.chain().progress.loop_index, 1);
}

#[test]
fn a_chain_that_follows_edits_goes_on_at_the_step_of_the_same_number() {
    let steps = json!([after(10, to_agent(1)), after(10, to_agent(2))]);
    let mut story =
        Story::of(policy(json!({"steps": steps, "follow_edits": true}))).start().until(10);
    let mut follow = |steps: Value, rev, minutes| {
        let policies = json!([policy(json!({"steps": steps, "follow_edits": true}))]);
        story.escalations = escalations(policies, json!([]));
        let changes = signal::follow(
            story.chain(),
            Some(&story.policy()),
            rev,
            minute(minutes),
            &story.scene(),
        );
        story.take(minute(minutes), changes);
        story.last().to_owned()
    };
    let three = json!([after(10, to_agent(1)), after(30, to_agent(3)), after(10, to_agent(2))]);
    assert_eq!(follow(three, 2, 15), "09:15 policy followed => pending(1) due 09:40");
    let one = json!([after(10, to_agent(5))]);
    assert_eq!(follow(one, 3, 16), "09:16 policy followed => pending(0) due 09:26");
    let changes = signal::follow(story.chain(), None, 4, minute(20), &story.scene());
    story.take(minute(20), changes);
    assert_eq!(story.last(), "09:20 done: policygone => done");
}

#[test]
fn a_chain_reads_back_as_it_was_written() {
    let steps = json!([after(10, to_agent(1)), {"trigger": {"type": "manual"}, "kind": {"type": "functional", "to": {"type": "next_tier"}}}]);
    let story = Story::of(policy(json!({"steps": steps}))).start().force(5, Some(1)).ack(6, 1);
    let text = serde_json::to_string(story.chain()).unwrap();
    assert_eq!(&serde_json::from_str::<Chain>(&text).unwrap(), story.chain());
}
