//! The table of states: each row a state, each test a cell. The policy notifies
//! agent 1 after 10 minutes and agent 2 after another 10.

use super::*;

fn two_steps(settings: Value) -> Story {
    let mut all = json!({"steps": [after(10, to_agent(1)), after(10, to_agent(2))]});
    let (Value::Object(own), Value::Object(more)) = (&mut all, settings) else { panic!() };
    own.extend(more);
    Story::of(policy(all)).start()
}

fn pending() -> Story {
    two_steps(json!({})).until(10)
}

fn acked() -> Story {
    pending().ack(15, 1)
}

fn exhausted() -> Story {
    pending().until(20)
}

fn over() -> Story {
    pending().hear(12, Signal::Solved)
}

#[test]
fn pending_and_a_step_comes_due_it_notifies_and_waits_for_the_next() {
    assert_eq!(pending().last(), "09:10 step 0 fired #1 => pending(1) due 09:20");
}

#[test]
fn pending_and_the_last_step_fires_it_begins_again_while_repeats_are_left() {
    let story = two_steps(json!({"repeat": {"type": "times", "n": 1}})).until(20);
    assert_eq!(story.last(), "09:20 loop began => pending(0) due 09:30");
    assert_eq!(story.until(600).last(), "09:40 exhausted => exhausted");
}

#[test]
fn pending_and_the_last_step_fires_it_is_exhausted_without_repeats() {
    let story = exhausted();
    assert_eq!(story.told[2], "09:20 step 1 fired #2 => pending(2)");
    assert_eq!(story.last(), "09:20 exhausted => exhausted");
}

#[test]
fn pending_and_acknowledged_it_is_acked() {
    assert_eq!(acked().last(), "09:15 acknowledged by 1 => acked");
}

#[test]
fn pending_has_no_acknowledgement_that_could_time_out() {
    let story = two_steps(json!({"ack_timeout": {"seconds": 60}}));
    assert_eq!(story.until(20).last(), "09:20 exhausted => exhausted");
}

#[test]
fn pending_and_unacknowledged_or_reopened_nothing_happens() {
    let story = pending();
    let n = story.told.len();
    assert_eq!(story.unack(12, 1).hear(13, Signal::Reopened).told.len(), n);
}

#[test]
fn pending_and_solved_closed_merged_deleted_or_spam_it_is_done() {
    let signals = [Signal::Solved, Signal::Closed, Signal::Merged, Signal::Deleted, Signal::Spam];
    let lasts = signals.map(|signal| pending().hear(12, signal).last().to_owned());
    assert_eq!(
        lasts,
        ["solved", "closed", "merged", "deleted", "spam"]
            .map(|why| format!("09:12 done: {why} => done"))
    );
}

#[test]
fn pending_and_forced_its_step_fires_now() {
    assert_eq!(pending().force(12, None).told[2], "09:12 step 1 fired by force #2 => pending(2)");
}

#[test]
fn pending_and_its_policy_edited_it_keeps_what_it_began_with() {
    let mut story = pending();
    story.escalations =
        escalations(json!([policy(json!({"steps": [after(5, to_agent(3))]}))]), json!([]));
    let current = story.policy();
    assert!(
        signal::follow(story.chain(), Some(&current), 2, minute(12), &story.scene()).is_empty()
    );
    assert_eq!(story.until(20).told[2], "09:20 step 1 fired #2 => pending(2)");
}

#[test]
fn pending_and_nobody_on_call_that_is_recorded_and_the_next_step_comes_at_once() {
    let steps = json!([
        after(10, json!([{"type": "schedule", "key": "tuesdays"}])),
        after(10, to_agent(2))
    ]);
    let story = Story::of(policy(json!({"steps": steps}))).start().until(10);
    assert_eq!(story.told[1], "09:10 step 0 fired; no one, nextstep => pending(1) due 09:10");
    assert_eq!(story.told[2], "09:10 step 1 fired #2 => pending(2)");
}

#[test]
fn acked_and_a_step_waits_for_time_it_does_not_come() {
    let story = acked();
    assert_eq!(story.reasons(), "acknowledged, acknowledged");
    assert!(fire(story.chain(), minute(600), &story.scene()).is_empty());
}

#[test]
fn acked_and_acknowledged_again_nothing_happens() {
    let story = acked();
    let n = story.told.len();
    assert_eq!(story.ack(16, 2).told.len(), n);
}

#[test]
fn acked_and_timed_out_it_begins_again_and_notifies_the_acker_and_those_of_the_last_step() {
    let story = two_steps(json!({"ack_timeout": {"seconds": 1_800}})).until(10).ack(15, 2);
    assert_eq!(story.last(), "09:15 acknowledged by 2 => acked due 09:45");
    assert_eq!(story.until(45).last(), "09:45 ack of 2 timed out #1 #2 => pending(0) due 09:55");
}

#[test]
fn acked_and_timed_out_it_goes_on_where_it_was_when_the_policy_says_so() {
    let timeout = json!({"ack_timeout": {"seconds": 1_800, "then": "resume"}});
    let story = two_steps(timeout).until(10).ack(15, 1).until(45);
    assert_eq!(story.last(), "09:45 ack of 1 timed out #1 => pending(1) due 09:55");
}

#[test]
fn acked_and_unacknowledged_it_begins_again() {
    assert_eq!(acked().unack(17, 1).last(), "09:17 unacknowledged => pending(0) due 09:27");
}

#[test]
fn acked_and_reopened_it_begins_again() {
    assert_eq!(acked().hear(17, Signal::Reopened).last(), "09:17 reopened => pending(0) due 09:27");
}

#[test]
fn acked_and_solved_it_is_done() {
    assert_eq!(acked().hear(17, Signal::Solved).last(), "09:17 done: solved => done");
}

#[test]
fn acked_and_forced_it_waits_again() {
    assert_eq!(acked().force(17, None).last(), "09:17 forced => pending(1) due 09:27");
}

#[test]
fn exhausted_and_time_passes_nothing_comes() {
    let story = exhausted();
    assert_eq!(story.reasons(), "exhausted, exhausted");
    assert!(fire(story.chain(), minute(6_000), &story.scene()).is_empty());
}

#[test]
fn exhausted_and_acknowledged_it_is_acked() {
    assert_eq!(exhausted().ack(30, 1).last(), "09:30 acknowledged by 1 => acked");
}

#[test]
fn exhausted_and_unacknowledged_or_reopened_it_begins_again() {
    assert_eq!(exhausted().unack(30, 1).last(), "09:30 unacknowledged => pending(0) due 09:40");
    assert_eq!(
        exhausted().hear(30, Signal::Reopened).last(),
        "09:30 reopened => pending(0) due 09:40"
    );
}

#[test]
fn exhausted_and_solved_it_is_done() {
    assert_eq!(exhausted().hear(30, Signal::Merged).last(), "09:30 done: merged => done");
}

#[test]
fn exhausted_and_forced_it_begins_again() {
    assert_eq!(exhausted().force(30, None).last(), "09:30 forced => pending(0) due 09:40");
}

#[test]
fn done_hears_nothing_and_refuses_commands() {
    let story = over();
    let n = story.told.len();
    let story = story.hear(20, Signal::Reopened).hear(21, Signal::Solved).until(600);
    assert_eq!(story.told.len(), n);
    assert!(fire(story.chain(), minute(600), &story.scene()).is_empty());
    assert_eq!(story.ack(22, 1).last(), "refused: the escalation is over");
    assert_eq!(over().unack(22, 1).last(), "refused: the escalation is over");
    assert_eq!(over().force(22, None).last(), "refused: the escalation is over");
}
