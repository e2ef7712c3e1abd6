//! Whom a step notifies, and to whom it hands over.

use super::*;
use crate::escalation::resolve::{NobodyReason, resolve};
use crate::escalation::step::Target;
use expect_test::expect;

fn found(story: &Story, targets: Value, turn: u64) -> String {
    let targets: Vec<Target> = list(targets);
    let notice = resolve(&targets, &story.scene(), minute(0), turn);
    let nobody: Vec<String> =
        notice.nobody.iter().map(|n| format!("{}: {:?}", n.target, n.reason)).collect();
    format!("{} | {}", notice_told(&notice), nobody.join(", "))
}

fn story() -> Story {
    Story::of(policy(json!({"steps": [after(10, to_agent(1))]})))
}

#[test]
fn targets_are_found_at_the_instant_and_nobody_twice() {
    let targets = json!([
        {"type": "assignee"}, {"type": "agent", "id": agent(1)}, {"type": "manager"},
        {"type": "manager", "level": 2}, {"type": "group", "key": "l2"},
        {"type": "schedule", "key": "duty"}, {"type": "channel", "key": "pager"},
    ]);
    assert_eq!(found(&story(), targets, 0), " #1 #4 #5 @l2 ~pager | ");
}

#[test]
fn each_target_that_is_nobody_says_why() {
    let mut story = story();
    let targets = json!([
        {"type": "agent", "id": agent(6)}, {"type": "manager", "level": 3}, {"type": "group", "key": "l3"},
        {"type": "schedule", "key": "tuesdays"}, {"type": "schedule", "key": "gone"}, {"type": "queue", "key": "third"},
    ]);
    assert_eq!(
        found(&story, targets, 0),
        " | 0: Inactive, 1: NoManager, 2: EmptyGroup, 3: NobodyOnCall, 4: Gone, 5: EmptyGroup"
    );
    story.ticket.assignee = None;
    let targets = json!([{"type": "assignee"}, {"type": "manager"}]);
    assert_eq!(found(&story, targets, 0), " | 0: Unassigned, 1: Unassigned");
}

#[test]
fn managers_of_each_other_are_no_endless_way() {
    let mut story = story();
    for (n, manager) in [(4, 5), (5, 4)] {
        let entry = story.roster.agents.get_mut(&agent(n)).unwrap();
        Arc::make_mut(&mut entry.agent).manager = Some(agent(manager));
    }
    assert_eq!(found(&story, json!([{"type": "manager", "level": 10}]), 0), " #5 | ");
}

#[test]
fn the_agents_of_a_queue_take_turns() {
    let queue = json!([{"type": "queue", "key": "first"}]);
    let turns: Vec<String> = (0..3).map(|turn| found(&story(), queue.clone(), turn)).collect();
    assert_eq!(turns, [" #1 | ", " #2 | ", " #1 | "]);
}

#[test]
fn an_agent_on_call_who_is_deactivated_is_nobody() {
    let mut story = story();
    let entry = story.roster.agents.get_mut(&agent(1)).unwrap();
    Arc::make_mut(&mut entry.agent).active = false;
    let targets: Vec<Target> = list(json!([{"type": "schedule", "key": "duty"}]));
    let notice = resolve(&targets, &story.scene(), minute(0), 0);
    assert_eq!(notice.nobody[0].reason, NobodyReason::NobodyOnCall);
}

#[test]
fn notifications_wait_for_the_end_of_maintenance_and_steps_do_not() {
    let window = |from: i64, to: i64, groups: Value| json!({"from": minute(from), "to": minute(to), "groups": groups});
    let maintenance = json!([
        window(0, 15, json!([])),
        window(15, 60, json!(["l1"])),
        window(60, 600, json!(["l2"])),
        window(9, 9, json!([])),
    ]);
    let steps = json!([after(10, to_agent(1)), after(50, to_agent(2))]);
    let desk = escalations(json!([policy(json!({"steps": steps}))]), maintenance);
    let story = Story::of_desk(desk).start().until(60);
    expect![[r#"
        09:00 started => pending(0) due 09:10
        09:10 step 0 fired #1 held until 10:00 => pending(1) due 10:00
        10:00 step 1 fired #2 => pending(2)
        10:00 exhausted => exhausted"#]]
    .assert_eq(&story.log());
}

fn hand_over(to: Value, settings: Value) -> Value {
    let mut step = json!({
        "trigger": {"type": "after", "seconds": 600}, "kind": {"type": "functional", "to": to},
    });
    let (Value::Object(all), Value::Object(more)) = (&mut step, settings) else { panic!() };
    all.extend(more);
    step
}

#[test]
fn a_ticket_goes_up_the_tiers_and_back_with_a_note() {
    let steps = json!([hand_over(json!({"type": "next_tier"}), json!({}))]);
    let story = Story::of(policy(json!({"steps": steps}))).start().until(10).handed_over();
    assert_eq!(story.chain().level(), 1);
    assert_eq!(story.hand_back(20, " ").last(), "refused: say why it goes back");
    let story = Story::of(policy(
        json!({"steps": json!([hand_over(json!({"type": "next_tier"}), json!({}))])}),
    ));
    let story =
        story.start().until(10).handed_over().hand_back(20, "Known defect").hand_back(21, "Again");
    expect![[r#"
        09:00 started => pending(0) due 09:10
        09:10 step 0 fired; to l2 => pending(1)
        09:10 exhausted => exhausted
        09:20 handed back to l1, 1 => exhausted
        refused: nobody had it before: it was not handed over"#]]
    .assert_eq(&story.log());
}

#[test]
fn whoever_is_deactivated_by_now_gets_nothing_back() {
    let steps = json!([hand_over(json!({"type": "next_tier"}), json!({}))]);
    let mut story = Story::of(policy(json!({"steps": steps}))).start().until(10).handed_over();
    story.roster.agents.remove(&agent(1));
    assert_eq!(story.hand_back(20, "Known").last(), "09:20 handed back to l1 => exhausted");
}

#[test]
fn a_hand_over_tells_what_the_desk_must_do() {
    let steps = json!([hand_over(json!({"type": "tier", "key": "l2"}), json!({}))]);
    let mut story = Story::of(policy(json!({"steps": steps}))).start();
    story.ticket.last_answered_by = Some(agent(2));
    let changes = fire(story.chain(), minute(10), &story.scene());
    let EscalationNews::StepFired(fired) = &changes[0].news else { panic!() };
    let told = serde_json::to_value(&fired.handed_over).unwrap();
    assert_eq!(
        told,
        json!({
            "from": {"tier": "l1", "group": "l1", "assignee": agent(1)},
            "tier": "l2", "group": "l2", "skills": [{"skill": "sql", "level": 2}], "watcher": agent(2),
        })
    );
}

#[test]
fn a_ticket_skips_tiers_by_their_conditions() {
    let steps = json!([hand_over(json!({"type": "tier", "key": "l2"}), json!({}))]);
    let story =
        Story::of(policy(json!({"steps": steps}))).with_facts(json!({"tags": ["vip"]})).start();
    let changes = fire(story.chain(), minute(10), &story.scene());
    let EscalationNews::StepFired(fired) = &changes[0].news else { panic!() };
    let over = fired.handed_over.as_ref().unwrap();
    assert_eq!((over.group.as_str(), &*over.skipped), ("l3", &[key("l2")][..]));
}

#[test]
fn the_agent_on_call_gets_the_ticket_when_the_step_says_so() {
    let kind = json!({"type": "functional", "to": {"type": "group", "key": "l2"}, "strategy": "assign_target"});
    let step = |target| json!([hand_over(json!({}), json!({"kind": kind, "targets": [target]}))]);
    let of = |target: Value| Story::of(policy(json!({"steps": step(target)}))).start().until(10);
    assert_eq!(
        of(json!({"type": "agent", "id": agent(3)})).told[1],
        "09:10 step 0 fired #3; to l2, 3 => pending(1)"
    );
    assert_eq!(
        of(json!({"type": "group", "key": "l2"})).told[1],
        "09:10 step 0 fired @l2; to l2 => pending(1)"
    );
}

#[test]
fn a_hand_over_that_leads_nowhere_is_passed_over_with_its_reason() {
    let steps = json!([
        hand_over(json!({"type": "group", "key": "l1"}), json!({})),
        hand_over(json!({"type": "tier", "key": "l1"}), json!({})),
        hand_over(json!({"type": "next_tier"}), json!({})),
    ]);
    let mut story = Story::of(policy(json!({"steps": steps}))).start().until(20);
    story.ticket.tier = Some(key("l3"));
    let story = story.until(30);
    expect![[r#"
        09:00 started => pending(0) due 09:10
        09:10 step 0 passed: already_there => pending(1) due 09:20
        09:20 step 1 passed: already_there => pending(2) due 09:30
        09:30 step 2 passed: no_next_tier => pending(3)
        09:30 exhausted => exhausted"#]]
    .assert_eq(&story.log());
}

#[test]
fn an_automation_tells_its_changes() {
    let actions = json!([
        {"type": "change", "change": {"type": "set_priority", "to": "urgent"}}, {"type": "unassign"},
        {"type": "set_status", "to": "open"}, {"type": "note", "text": "Nobody answered."},
    ]);
    let step = json!({"trigger": {"type": "after", "seconds": 60}, "kind": {"type": "automation", "actions": actions}});
    let story = Story::of(policy(json!({"steps": [step]}))).start().until(1);
    assert_eq!(story.told[1], "09:01 step 0 fired; 4 changes => pending(1)");
}
