//! How a queue widens its search while a ticket waits.

use super::super::stage::{Search, active_stages};
use super::*;

/// The search `seconds` after the ticket entered the queue.
fn search<'a>(queue: &'a Queue, ticket: &'a Ticket, seconds: i64) -> Search<'a> {
    active_stages(queue, ticket, ago(3_600) + TimeDelta::seconds(seconds))
}

fn pools(search: &Search<'_>) -> Vec<String> {
    search.pools.iter().map(ToString::to_string).collect()
}

fn skilled() -> Ticket {
    Ticket {
        required_skills: vec![skill("french", 5), skill("sql", 2)],
        preferred_skills: vec![skill("tax", 3)],
        ..ticket()
    }
}

#[test]
fn a_queue_without_stages_asks_its_own_group_for_good() {
    let queue = queue(json!({}));
    let ticket = ticket();
    let search = search(&queue, &ticket, 1_000_000);
    assert_eq!(pools(&search), ["billing"]);
    assert_eq!((search.stage, search.next_stage_at, search.skip_if_empty), (0, None, false));
}

#[test]
fn stages_add_up_or_replace_from_their_very_second() {
    let queue = queue(json!({"stages": [
        {"after_seconds": 10},
        {"after_seconds": 60, "pools": ["billing", "sales"], "selector": "random"},
        {"after_seconds": 300, "pools": ["all"], "widen": "replace", "selector": "most_spare"},
    ]}));
    let ticket = ticket();
    type Row = (i64, u16, &'static [&'static str], &'static str, Option<i64>);
    let rows: [Row; 6] = [
        (9, 0, &[], "longest_idle", Some(10)),
        (10, 0, &["billing"], "longest_idle", Some(60)),
        (59, 0, &["billing"], "longest_idle", Some(60)),
        (60, 1, &["billing", "sales"], "random", Some(300)),
        (299, 1, &["billing", "sales"], "random", Some(300)),
        (300, 2, &["all"], "most_spare", None),
    ];
    for (seconds, stage, groups, selector, next) in rows {
        let search = search(&queue, &ticket, seconds);
        let next = next.map(|next| ago(3_600) + TimeDelta::seconds(next));
        assert_eq!(pools(&search), groups, "after {seconds} s");
        assert_eq!((search.stage, search.selector.as_str()), (stage, selector));
        assert_eq!(search.next_stage_at, next, "after {seconds} s");
    }
}

#[test]
fn the_order_of_stages_in_the_configuration_does_not_matter() {
    let early = json!({"after_seconds": 5, "pools": ["a"], "widen": "replace"});
    let late = json!({"after_seconds": 10, "pools": ["b"]});
    let ticket = ticket();
    let [one, two] =
        [json!([early, late]), json!([late, early])].map(|s| queue(json!({"stages": s})));
    for seconds in [0, 5, 10] {
        assert_eq!(search(&one, &ticket, seconds), search(&two, &ticket, seconds));
    }
}

#[test]
fn each_way_to_ask_for_less() {
    let required = [skill("french", 5), skill("sql", 2)];
    let preferred = [skill("tax", 3)];
    let rows: [(Value, &[SkillLevel], &[SkillLevel]); 6] = [
        (json!([]), &required, &preferred),
        (json!([{"type": "drop_preferred"}]), &required, &[]),
        (
            json!([{"type": "lower_level", "by": 3}]),
            &[skill("french", 2), skill("sql", 1)],
            &preferred,
        ),
        (
            json!([{"type": "lower_level", "by": 255}]),
            &[skill("french", 1), skill("sql", 1)],
            &preferred,
        ),
        (json!([{"type": "drop_skill", "skill": "french"}]), &[skill("sql", 2)], &preferred),
        (json!([{"type": "drop_all"}]), &[], &[]),
    ];
    let ticket = skilled();
    for (relax, required, preferred) in rows {
        let queue = queue(json!({"stages": [{"relax": relax}]}));
        let search = search(&queue, &ticket, 0);
        assert_eq!((&*search.required, &*search.preferred), (required, preferred), "{relax}");
    }
}

#[test]
fn relaxing_adds_up_over_stages() {
    let queue = queue(json!({"stages": [
        {"relax": [{"type": "lower_level", "by": 1}]},
        {"after_seconds": 60, "relax": [{"type": "lower_level", "by": 1}, {"type": "drop_preferred"}]},
    ]}));
    let ticket = skilled();
    assert_eq!(*search(&queue, &ticket, 0).required, [skill("french", 4), skill("sql", 1)]);
    assert_eq!(*search(&queue, &ticket, 60).required, [skill("french", 3), skill("sql", 1)]);
    assert!(search(&queue, &ticket, 60).preferred.is_empty());
}

#[test]
fn an_empty_stage_is_skipped_only_where_it_says_so() {
    let stages = |skip: bool| {
        queue(json!({"stages": [
            {"skip_if_empty": skip},
            {"after_seconds": 7_200, "pools": ["sales"], "skip_if_empty": skip},
            {"after_seconds": 9_000, "pools": ["all"], "skip_if_empty": skip},
        ]}))
    };
    let roster = roster([entry(1).active(10), entry(2).groups(&["all"])]);
    let skipped = choose_with(&stages(true), &ticket(), &roster, &[]);
    assert_eq!((skipped.chosen, skipped.stage), (Some(id(2)), 2));
    let waits = choose_with(&stages(false), &ticket(), &roster, &[]);
    assert_eq!((waits.chosen, waits.stage), (None, 0));
    assert_eq!(waits.look_again_at, Some(ago(3_600 - 7_200)));
}

#[test]
fn nobody_is_asked_before_the_first_stage() {
    let queue = queue(json!({"stages": [{"after_seconds": 3_601}]}));
    let choice = choose_with(&queue, &ticket(), &roster([entry(1)]), &[]);
    assert_eq!((choice.chosen, choice.look_again_at), (None, Some(ago(-1))));
}

/// A timer that was due before the ticket came, and is late, seeks as if it had just come.
#[test]
fn a_ticket_is_searched_for_as_at_its_entry_before_that() {
    let queue = queue(json!({"stages": [{}, {"after_seconds": 60, "pools": ["two"]}]}));
    let ticket = ticket();
    assert_eq!(search(&queue, &ticket, -5), search(&queue, &ticket, 0));
    assert_eq!(pools(&search(&queue, &ticket, -5)).len(), 1);
}

#[test]
fn a_stage_that_never_comes_is_at_the_end_of_time() {
    let queue = queue(json!({"stages": [{}, {"after_seconds": u64::MAX}]}));
    let ticket = ticket();
    assert_eq!(search(&queue, &ticket, 0).next_stage_at, Some(DateTime::<Utc>::MAX_UTC));
}
