//! Who can take a ticket, and the first reason why not.

use super::*;
use crate::event::RefusedReason;
use crate::limit::{TRACE_PASSED_OVER_MAX, TRACE_REFUSED_MAX};
use crate::ticket::Excluded;
use expect_test::expect;

fn reason(queue: &Queue, ticket: &Ticket, entry: RosterEntry) -> Option<RefusedReason> {
    choose_on_shift(queue, ticket, &roster([entry]), &[]).verdicts[0].reason
}

fn french() -> Ticket {
    Ticket { required_skills: vec![skill("french", 5)], ..ticket() }
}

fn excluding(until: Option<DateTime<Utc>>) -> Ticket {
    Ticket { excluded: vec![Excluded { agent: id(1), until }], ..ticket() }
}

/// An agent who was given work so many seconds ago, the last one first.
fn given(seconds: &[i64]) -> RosterEntry {
    let mut made = entry(1);
    made.load.given = seconds.iter().map(|seconds| ago(*seconds)).collect();
    made
}

#[test]
#[allow(clippy::too_many_lines, reason = "one table")]
fn each_reason_at_its_edge() {
    let plain = queue(json!({}));
    let cooldown = queue(json!({"cooldown_seconds": 30}));
    let presence = |state| {
        let mut entry = entry(1);
        entry.presence.channels.insert(Channel::Email, on_channel(state));
        entry
    };
    let chat_weight = |weight| {
        entry(1).agent(|a| {
            a.capacity.channels.insert(Channel::Email, 5);
            a.capacity.weights.insert(Channel::Email, weight);
        })
    };
    let reserved = |n| entry(1).load(Channel::Chat, |load| load.reserved = n);
    let two_a_minute = queue(json!({"rate_limit": {"max": 2, "per_seconds": 60}}));
    let none = ticket();
    use RefusedReason as R;
    let rows: Vec<(&str, &Queue, Ticket, RosterEntry, Option<R>)> = vec![
        ("idle", &plain, none.clone(), entry(1), None),
        (
            "deactivated",
            &plain,
            none.clone(),
            entry(1).agent(|a| a.active = false),
            Some(R::Inactive),
        ),
        ("other group", &plain, none.clone(), entry(1).groups(&["sales"]), Some(R::NotInPool)),
        ("one of two groups", &plain, none.clone(), entry(1).groups(&["sales", "billing"]), None),
        ("away", &plain, none.clone(), presence(PresenceState::Away), Some(R::NotOnline)),
        ("offline", &plain, none.clone(), presence(PresenceState::Offline), Some(R::NotOnline)),
        ("without skill", &plain, french(), entry(1), Some(R::LacksSkill)),
        ("level 4 of 5", &plain, french(), entry(1).skills(&[("french", 4)]), Some(R::LacksSkill)),
        ("level 5 of 5", &plain, french(), entry(1).skills(&[("french", 5)]), None),
        ("channel: 5 of 5", &plain, none.clone(), chat_weight(1).active(5), Some(R::ChannelFull)),
        ("channel: 4 of 5", &plain, none.clone(), chat_weight(1).active(4), None),
        (
            "channel: 4 of 5, weight 2",
            &plain,
            none.clone(),
            chat_weight(2).active(4),
            Some(R::ChannelFull),
        ),
        ("channel: 3 of 5, weight 2", &plain, none.clone(), chat_weight(2).active(3), None),
        ("total: 10 of 10", &plain, none.clone(), entry(1).active(10), Some(R::TotalFull)),
        ("total: 9 of 10", &plain, none.clone(), entry(1).active(9), None),
        ("reserved counts", &plain, none.clone(), reserved(10), Some(R::TotalFull)),
        (
            "over capacity by hand",
            &plain,
            none.clone(),
            reserved(u32::MAX).active(9),
            Some(R::TotalFull),
        ),
        (
            "29 s of cooldown",
            &cooldown,
            none.clone(),
            entry(1).assigned_on(Channel::Chat, 29),
            Some(R::Cooldown),
        ),
        (
            "30 s of cooldown",
            &cooldown,
            none.clone(),
            entry(1).assigned_on(Channel::Chat, 30),
            None,
        ),
        ("never assigned", &cooldown, none, entry(1), None),
        ("two in 60 s", &two_a_minute, ticket(), given(&[10, 59]), Some(R::RateLimited)),
        ("the second 60 s ago", &two_a_minute, ticket(), given(&[10, 60, 61]), None),
        ("one in 60 s", &two_a_minute, ticket(), given(&[0]), None),
        ("no limit", &plain, ticket(), given(&[0, 0, 0]), None),
        ("excluded for ever", &plain, excluding(None), entry(1), Some(R::Excluded)),
        ("excluded for a second", &plain, excluding(Some(ago(-1))), entry(1), Some(R::Excluded)),
        ("excluded until now", &plain, excluding(Some(now())), entry(1), None),
        ("another excluded", &plain, excluding(None), entry(2), None),
    ];
    for (name, queue, ticket, entry, wanted) in rows {
        assert_eq!(reason(queue, &ticket, entry), wanted, "{name}");
    }
}

#[test]
fn the_first_reason_is_recorded() {
    let limit = json!({"max": 1, "per_seconds": 60});
    let queue = queue(json!({"cooldown_seconds": 30, "rate_limit": limit}));
    let ticket = Ticket { required_skills: vec![skill("french", 5)], ..excluding(None) };
    let mut bad =
        entry(1).shift("night").groups(&[]).active(10).assigned_on(Channel::Email, 1).agent(|a| {
            a.active = false;
            a.capacity.channels.insert(Channel::Email, 5);
        });
    bad.presence = Presence::none(id(1));
    bad.load.given = vec![ago(1)];
    let mends: [fn(&mut RosterEntry); 7] = [
        |e| Arc::make_mut(&mut e.agent).active = true,
        |e| Arc::make_mut(&mut e.agent).groups = vec![key("billing")],
        |e| drop(e.presence.channels.insert(Channel::Email, on_channel(PresenceState::Online))),
        |e| Arc::make_mut(&mut e.agent).shift = None,
        |e| Arc::make_mut(&mut e.agent).skills = vec![skill("french", 10)],
        |e| Arc::make_mut(&mut e.agent).capacity.channels.clear(),
        |e| Arc::make_mut(&mut e.agent).capacity.total = 11,
    ];
    let mut reasons = vec![reason(&queue, &ticket, bad.clone())];
    for mend in mends {
        mend(&mut bad);
        reasons.push(reason(&queue, &ticket, bad.clone()));
    }
    bad.load.channels.clear();
    reasons.push(reason(&queue, &ticket, bad.clone()));
    bad.load.given.clear();
    reasons.push(reason(&queue, &ticket, bad));
    let words: Vec<&str> = reasons.into_iter().flatten().map(RefusedReason::as_str).collect();
    assert_eq!(
        words.join(" "),
        "inactive not_in_pool not_online off_shift lacks_skill channel_full total_full cooldown \
         rate_limited excluded",
    );
}

#[test]
fn an_agent_with_a_shift_is_a_candidate_only_in_its_hours() {
    let rows = [
        ("early", Some(RefusedReason::OffShift)),
        ("late", None),
        ("night", Some(RefusedReason::OffShift)),
        ("gone", None),
    ];
    for (shift, wanted) in rows {
        let refused = reason(&queue(json!({})), &ticket(), entry(1).shift(shift));
        assert_eq!(refused, wanted, "{shift}");
    }
    let off = roster([entry(1).shift("night"), entry(2).shift("early")]);
    let choice = choose_on_shift(&queue(json!({})), &ticket(), &off, &[]);
    expect![[r#"
        stage 1 of queue billing: 0 of 2 agents can take it
        nobody chosen; looks again at 2026-06-01 18:00
        #1: off shift until 2026-06-01 18:00
        #2: off shift until 2026-06-08 06:00"#]]
    .assert_eq(&told(&choice));
}

#[test]
fn a_preferred_agent_who_is_off_shift_is_not_waited_for() {
    let queue = queue(json!({"affinity_wait_seconds": 86_400}));
    let roster = roster([entry(1).shift("night"), entry(2)]);
    let choice = choose_on_shift(&queue, &ticket(), &roster, &[id(1)]);
    assert_eq!((choice.chosen, choice.waits_for), (Some(id(2)), None));
}

#[test]
fn time_alone_may_help() {
    let cooldown = queue(json!({"cooldown_seconds": 30}));
    let busy = || entry(1).assigned_on(Channel::Email, 10);
    let away = || RosterEntry { presence: Presence::none(id(1)), ..entry(1) };
    let on = |shift| entry(1).shift(shift);
    let rows = [
        ("the cooldown ends", ticket(), busy(), Some(ago(-20))),
        ("then the exclusion ends", excluding(Some(ago(-50))), busy(), Some(ago(-50))),
        ("the exclusion ends first", excluding(Some(ago(-5))), busy(), Some(ago(-20))),
        ("excluded for ever", excluding(None), busy(), None),
        ("the exclusion ends", excluding(Some(ago(-50))), entry(1), Some(ago(-50))),
        ("and who is away may be back", excluding(Some(ago(-50))), away(), Some(ago(-50))),
        ("only who is away comes back", ticket(), away(), None),
        ("who is in no group does not", excluding(Some(ago(-50))), entry(1).groups(&[]), None),
        ("the shift starts", ticket(), on("night"), Some(ago(-21_600))),
        ("the next shift starts", ticket(), on("early"), Some(ago(-583_200))),
        ("the cooldown ends before", ticket(), busy().shift("night"), Some(ago(-21_600))),
        ("the exclusion ends before", excluding(Some(ago(-5))), on("night"), Some(ago(-21_600))),
        (
            "the exclusion ends later",
            excluding(Some(ago(-30_000))),
            on("night"),
            Some(ago(-30_000)),
        ),
        ("off shift, excluded for ever", excluding(None), on("night"), None),
        ("off shift without the skill", french(), on("night"), None),
        ("off shift and full", ticket(), on("night").active(10), None),
        ("off shift and away", ticket(), away().shift("night"), None),
    ];
    for (name, ticket, entry, wanted) in rows {
        let choice = choose_on_shift(&cooldown, &ticket, &roster([entry]), &[]);
        assert_eq!((choice.chosen, choice.look_again_at), (None, wanted), "{name}");
    }
}

#[test]
fn a_rate_limit_ends_when_it_has_counted_enough() {
    let queue = queue(json!({
        "cooldown_seconds": 30, "rate_limit": {"max": 2, "per_seconds": 60},
    }));
    let look_again_at = |ticket: &Ticket, agent: RosterEntry| {
        let choice = choose_on_shift(&queue, ticket, &roster([agent]), &[]);
        assert_eq!(choice.chosen, None);
        (choice.look_again_at, told(&choice))
    };
    let (at, words) = look_again_at(&ticket(), given(&[35, 40, 50]));
    assert_eq!(at, Some(ago(-20)), "60 s after the second last");
    expect![[r#"
        stage 1 of queue billing: 0 of 1 agents can take it
        nobody chosen; looks again at 2026-06-01 12:00:20
        #1: was given as much as the queue allows, until 2026-06-01 12:00:20"#]]
    .assert_eq(&words);
    // Whichever ends last: the cooldown, the limit, the exclusion.
    let cooled = |agent: RosterEntry| agent.assigned_on(Channel::Email, 1);
    assert_eq!(look_again_at(&ticket(), cooled(given(&[1, 50]))).0, Some(ago(-29)));
    assert_eq!(look_again_at(&ticket(), cooled(given(&[1, 2]))).0, Some(ago(-58)));
    assert_eq!(look_again_at(&excluding(Some(ago(-70))), given(&[1, 2])).0, Some(ago(-70)));
    assert_eq!(look_again_at(&excluding(None), given(&[1, 2])).0, None);
}

#[test]
fn the_newest_instants_of_work_are_kept_in_order() {
    let mut load = AgentLoad::none(id(1));
    [5, 9, 1, 5, 7].into_iter().for_each(|seconds| load.note_given(ago(seconds), 3));
    assert_eq!(load.given, [ago(1), ago(5), ago(5)]);
    load.note_given(ago(0), 1);
    assert_eq!(load.given, [ago(0)]);
    load.note_given(ago(0), 0);
    assert!(load.given.is_empty());
}

#[test]
fn an_event_keeps_at_most_twenty_refused_of_the_groups_first() {
    let strangers = (1..=30).map(|n| entry(n).groups(&["sales"]));
    let full = (31..=35).map(|n| entry(n).active(10));
    let roster = roster(strangers.chain(full).chain([entry(99)]));
    let short = choose_with(&queue(json!({})), &ticket(), &roster, &[]).short().unwrap();
    assert_eq!(short.n_candidates, 1);
    assert_eq!(short.refused.len(), TRACE_REFUSED_MAX);
    let kept: Vec<u128> = short.refused.iter().map(|refused| refused.agent.0.as_u128()).collect();
    assert_eq!(kept, (1..=15).chain(31..=35).collect::<Vec<u128>>());
}

#[test]
fn a_choice_explains_itself() {
    let queue = queue(json!({"cooldown_seconds": 30}));
    let ticket = Ticket {
        required_skills: vec![skill("french", 5)],
        excluded: vec![Excluded { agent: id(6), until: Some(ago(-600)) }],
        ..ticket()
    };
    let able = |n| entry(n).skills(&[("french", 5)]);
    let roster = roster([
        able(1).assigned_on(Channel::Email, 9_960),
        able(2).assigned_on(Channel::Email, 60),
        entry(3),
        able(4).active(10),
        able(5).assigned_on(Channel::Chat, 5),
        able(6),
        able(7).groups(&["sales"]),
    ]);
    let choice = choose_with(&queue, &ticket, &roster, &[]);
    expect![[r#"
        stage 1 of queue billing: 2 of 7 agents can take it
        #1 chosen: longest idle on email (idle since 2026-06-01 09:14)
        #2: can take it (idle since 2026-06-01 11:59)
        #3: lacks skill french at level 5
        #4: no room
        #5: gets no work until 2026-06-01 12:00:25
        #6: excluded until 2026-06-01 12:10
        1 in none of its groups, or deactivated"#]]
    .assert_eq(&told(&choice));
    let json = serde_json::to_value(&choice).unwrap();
    assert_eq!(json["by"], "selector");
    assert_eq!(json["verdicts"][2]["reason"], "lacks_skill");
    assert_eq!(serde_json::from_value::<Choice>(json).unwrap(), choice);
}

#[test]
fn of_many_who_could_take_it_the_sentences_name_some_and_count_the_others() {
    let roster = roster((1..=30).map(|n| entry(n).active(n as u32 % 10)));
    let told = |selector: &str| {
        let choice = choose_with(&queue_by(selector), &ticket(), &roster, &[]);
        choice.sentences(|agent| format!("#{}", agent.0.as_u128()))
    };
    let least = told("least_loaded");
    assert_eq!(least.len(), 2 + TRACE_PASSED_OVER_MAX + 1);
    expect![[r#"
        #10 chosen: lowest agent id, after a tie by least_loaded
        #1: can take it (1 units held)
        #9: can take it (9 units held)
        #11: can take it (1 units held)
        and 9 more can take it"#]]
    .assert_eq(
        &[&least[1], &least[2], &least[10], &least[11], &least[22]].map(|it| &**it).join("\n"),
    );
    let first = |selector: &str| told(selector)[2].split_once(": ").unwrap().1.to_owned();
    let words = ["most_spare", "weighted_round_robin", "best_skill", "random"].map(first);
    expect![[r#"
        can take it (1 of 10 units held)
        can take it (0 units taken so far, capacity 10)
        can take it (levels of the required ones 0, preferred 0)
        can take it"#]]
    .assert_eq(&words.join("\n"));
}

#[test]
fn a_choice_of_nobody_explains_itself() {
    let queue = queue(json!({"stages": [{}, {"after_seconds": 7_200}]}));
    let choice = choose_with(&queue, &ticket(), &roster([entry(1).active(10)]), &[]);
    assert_eq!(choice.short(), None);
    expect![[r#"
        stage 1 of queue billing: 0 of 1 agents can take it
        nobody chosen; looks again at 2026-06-01 13:00
        #1: no room"#]]
    .assert_eq(&told(&choice));
}
