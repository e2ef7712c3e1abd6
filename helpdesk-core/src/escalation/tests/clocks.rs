//! Steps of SLA clocks: 60 minutes of target, from Monday, 9:00.

use super::*;
use expect_test::expect;

fn clock() -> Clock {
    serde_json::from_value(json!({
        "metric": "first_reply", "cycle": 1, "state": "running", "started_at": minute(0),
        "accumulated_seconds": 0, "running_since": minute(0), "target_seconds": 3_600,
        "target_rev": 1, "policy": "sla", "policy_rev": 1, "calendar": "always", "calendar_rev": 0,
        "generation": 0,
    }))
    .unwrap()
}

fn sla_step(trigger: Value, n: u128) -> Value {
    let mut trigger = trigger;
    trigger["metric"] = json!("first_reply");
    json!({"trigger": trigger, "targets": to_agent(n)})
}

fn story(steps: Value) -> Story {
    let mut story = Story::of(policy(json!({"steps": steps})));
    story.clocks = vec![clock()];
    story
}

fn percent(percent: u16, n: u128) -> Value {
    sla_step(json!({"type": "sla_percent", "percent": percent}), n)
}

fn breached(n: u128) -> Value {
    sla_step(json!({"type": "sla_breached"}), n)
}

/// What the clock's own timer does at its breach.
fn breach(story: &mut Story) {
    story.clocks[0].breached_at = Some(minute(60) + TimeDelta::seconds(1));
}

#[test]
fn percents_and_time_left_come_by_what_is_used_up() {
    let left = sla_step(json!({"type": "sla_before", "seconds": 600}), 2);
    let story = story(json!([percent(50, 1), left, percent(150, 4)])).start().until(600);
    expect![[r#"
        09:00 started => pending(0) due 09:30
        09:30 step 0 fired #1 => pending(1) due 09:50
        09:50 step 1 fired #2 => pending(2) due 10:30
        10:30 step 2 fired #4 => pending(3)
        10:30 exhausted => exhausted"#]]
    .assert_eq(&story.log());
}

#[test]
fn a_percent_of_an_odd_target_is_rounded_up_to_a_second() {
    let mut story = story(json!([percent(33, 1)]));
    story.clocks[0].target_seconds = Some(100);
    assert_eq!(story.start().chain().due_at(), Some(minute(0) + TimeDelta::seconds(33)));
}

#[test]
fn a_breach_comes_when_it_is_a_fact_and_once() {
    let story = story(json!([breached(4)])).start();
    assert_eq!(story.reasons(), "not_breached");
    let story = story.changed(61, breach).until(61);
    expect![[r#"
        09:00 started => pending(0)
        10:01 rescheduled => pending(0) due 10:00
        10:00 step 0 fired #4 => pending(1)
        10:00 exhausted => exhausted"#]]
    .assert_eq(&story.log());
    assert_eq!(story.reasons(), "already_fired");
}

#[test]
fn a_pause_takes_the_time_away_and_a_later_start_gives_another() {
    let story = story(json!([percent(50, 1)])).start();
    let story = story.changed(10, |story| {
        story.clocks[0].state = crate::clock::ClockState::Paused;
        story.clocks[0].accumulated_seconds = 600;
        story.clocks[0].running_since = None;
    });
    assert_eq!(
        (story.last(), &*story.reasons()),
        ("09:10 rescheduled => pending(0)", "clock_paused")
    );
    let story = story.changed(100, |story| {
        story.clocks[0].state = crate::clock::ClockState::Running;
        story.clocks[0].running_since = Some(minute(100));
    });
    assert_eq!(story.last(), "10:40 rescheduled => pending(0) due 11:00");
}

#[test]
fn another_target_dates_a_step_anew_and_lets_it_fire_again() {
    let retarget = |seconds: i64| {
        move |story: &mut Story| {
            story.clocks[0].target_seconds = Some(seconds);
            story.clocks[0].target_rev += 1;
        }
    };
    let story = story(json!([percent(50, 1)])).start().changed(10, retarget(7_200));
    assert_eq!(story.last(), "09:10 rescheduled => pending(0) due 10:00");
    let story = story.until(60).changed(70, retarget(14_400)).until(200);
    expect![[r#"
        09:00 started => pending(0) due 09:30
        09:10 rescheduled => pending(0) due 10:00
        10:00 step 0 fired #1 => pending(1)
        10:00 exhausted => exhausted
        10:10 rescheduled => exhausted due 11:00
        11:00 step 0 fired #1 => exhausted"#]]
    .assert_eq(&story.log());
}

#[test]
fn while_acknowledged_a_breach_is_still_a_fact() {
    let story = story(json!([after(10, to_agent(1)), breached(4), after(10, to_agent(2))])).start();
    let story = story.until(10).ack(12, 1).changed(61, breach).until(61);
    assert_eq!(
        story.told[3..],
        [
            "10:01 rescheduled => acked due 10:00".to_owned(),
            "10:00 step 1 fired #4 => acked".to_owned(),
        ]
    );
    assert_eq!(story.unack(70, 1).last(), "10:10 unacknowledged => pending(0) due 10:20");
}

#[test]
fn a_breach_comes_out_of_turn_and_a_later_loop_does_not_repeat_it() {
    let steps = json!([after(40, to_agent(1)), breached(4), after(40, to_agent(2))]);
    let mut story = Story::of(policy(json!({"steps": steps, "repeat": {"type": "times", "n": 1}})));
    story.clocks = vec![clock()];
    breach(&mut story);
    let story = story.start().until(600);
    expect![[r#"
        09:00 started => pending(0) due 09:40
        09:40 step 0 fired #1 => pending(1) due 10:00
        10:00 step 1 fired #4 => pending(2) due 10:40
        10:40 step 2 fired #2 => pending(3)
        10:40 loop began => pending(0) due 11:20
        11:20 step 0 fired #1 => pending(2) due 12:00
        12:00 step 2 fired #2 => pending(3)
        12:00 exhausted => exhausted"#]]
    .assert_eq(&story.log());
}

#[test]
fn a_clock_that_stopped_or_is_not_there_brings_nothing_and_holds_no_loop_up() {
    let mut story = story(json!([after(10, to_agent(1)), percent(50, 2), breached(4)]));
    story.clocks[0].state = crate::clock::ClockState::Met;
    assert_eq!(story.start().until(10).last(), "09:10 exhausted => exhausted");
    let mut story = Story::of(policy(json!({"steps": [percent(50, 2)]})));
    story = story.start();
    assert_eq!(story.reasons(), "no_clock");
    story.clocks = vec![Clock { target_seconds: None, ..clock() }];
    assert_eq!(story.reasons(), "no_target");
}

#[test]
fn at_its_end_a_new_cycle_of_a_clock_still_brings_its_step() {
    let story = story(json!([percent(50, 1)])).start().until(30);
    assert_eq!(story.last(), "09:30 exhausted => exhausted");
    let story = story.changed(90, |story| {
        story.clocks[0].cycle = 2;
        story.clocks[0].running_since = Some(minute(90));
    });
    assert_eq!(story.until(120).last(), "11:00 step 0 fired #1 => exhausted");
}

#[test]
fn a_date_set_by_hand_is_the_target() {
    let mut story = story(json!([percent(50, 1)]));
    story.clocks[0].due_override = Some(minute(20));
    assert_eq!(story.start().last(), "09:00 started => pending(0) due 09:10");
}

#[test]
fn the_clocks_calendar_counts() {
    let mut story = story(json!([sla_step(json!({"type": "sla_before", "seconds": 3_600}), 1)]));
    story.clocks[0].calendar = key("office");
    story.clocks[0].calendar_rev = 1;
    story.clocks[0].target_seconds = Some(10 * 3_600);
    assert_eq!(story.start().last(), "09:00 started => pending(0) due 02 10:00");
}
