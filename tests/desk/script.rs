//! Random scripts: small numbers that become commands on what is there.

use crate::kit::{Kit, Step, at, mail_with};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

/// One random step: what, on what, with what, and seconds since the one before.
pub(crate) type Op = (u8, u8, u8, u16);

/// Scripts of up to `n` steps.
pub(crate) fn scripts(n: usize) -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec((0..N_KINDS, any::<u8>(), any::<u8>(), 0..900u16), 1..n)
}

const N_KINDS: u8 = 36;
const AGENTS: [&str; 4] = ["amy", "ben", "cat", "lea"];
const CONTACTS: [&str; 3] = ["anna", "bob", "carl"];
const QUEUES: [&str; 3] = ["given", "offered", "taken"];
const STATUSES: [&str; 6] = ["new", "open", "pending", "on_hold", "solved", "closed"];

/// A desk with a queue of every mode and every way to lose a ticket.
pub(crate) fn desk() -> Value {
    json!({
        "groups": [{"key": "one"}, {"key": "two"}],
        "queues": [
            {"key": "given", "group": "one", "mode": {"type": "assign"}, "idle_unassign_seconds": 1800, "idle_calendar": "office",
             "stages": [{}, {"after_seconds": 600, "pools": ["two"]}], "cooldown_seconds": 60},
            {"key": "offered", "group": "two", "mode": {"type": "offer", "timeout_seconds": 300}, "exclude_seconds": 900,
             "rate_limit": {"max": 2, "per_seconds": 400}},
            {"key": "taken", "group": "one", "answer_within_seconds": 600},
        ],
        "rules": QUEUES.iter().map(|queue| json!({
            "key": queue, "when": {"field": "subject", "is": queue}, "then": {"queue": queue},
        })).collect::<Vec<_>>(),
        "calendars": [
            {"key": "office", "zone": "Europe/Berlin", "weekly": {"fri": [["09:30", "10:15"], ["10:30", "18:00"]], "sat": [["10:00", "12:00"]]}},
        ],
        "sla": {"policies": [
            {"key": "mail", "when": {"field": "channel", "is": "email"}, "calendar": "office", "warn_at": [{"percent": 50}, {"before_seconds": 300}],
             "metrics": [
                {"metric": "first_reply", "targets": [{"priorities": ["urgent", "high"], "seconds": 600}, {"seconds": 1800}]},
                {"metric": "next_reply", "targets": [{"seconds": 1200}]},
                {"metric": "requester_wait", "targets": [{"seconds": 3600}]},
                {"metric": "agent_work", "targets": []},
             ]},
            {"key": "chat", "warn_at": [{"before_wall_seconds": 60}], "metrics": [
                {"metric": "periodic_update", "targets": [{"seconds": 900}]},
                {"metric": "total_resolution", "targets": [{"seconds": 7200}]},
            ]},
            {"key": "teams", "slot": "group", "metrics": [{"metric": "first_assign", "targets": [{"seconds": 700}]}]},
        ]},
        "tiers": [{"key": "first", "group": "one"}, {"key": "second", "group": "two"}],
        "escalations": [
            {"key": "late", "when": {"field": "channel", "is": "email"}, "stop_on": ["ack", "reply"], "ack_timeout": {"seconds": 500},
             "repeat": {"type": "times", "n": 1}, "steps": [
                {"trigger": {"type": "after", "seconds": 800}, "targets": [{"type": "assignee"}], "if_no_one": "wait"},
                {"trigger": {"type": "sla_breached", "metric": "first_reply"}, "kind": {"type": "functional", "to": {"type": "next_tier"}}},
                {"trigger": {"type": "sla_percent", "metric": "requester_wait", "percent": 80}, "targets": [{"type": "group", "key": "two"}]},
                {"trigger": {"type": "idle", "since": "unassigned", "seconds": 1500}, "targets": [{"type": "channel", "key": "pager"}]},
             ]},
        ],
        "offline_grace_seconds": 600, "auto_close_after_seconds": 3600,
        "macros": [{"key": "mine", "name": "Mine", "steps": [
            {"type": "assign", "to": {"type": "me"}}, {"type": "reply", "text": "mine"},
            {"type": "set_status", "to": "pending"},
        ]}],
        "agents": {
            "amy": {"groups": ["one"], "capacity": {"total": 2}, "online": true},
            "ben": {"groups": ["one", "two"], "capacity": {"total": 3, "channels": {"chat": 1}, "weights": {"chat": 2}}, "online": true},
            "cat": {"groups": ["two"], "capacity": {"total": 1}},
            "lea": {"groups": ["one", "two"], "roles": ["team_lead"], "capacity": {"total": 1}},
        },
    })
}

pub(crate) fn start() -> DateTime<Utc> {
    at("2026-11-20T09:00:00Z")
}

/// Runs a script; the outcome of each step, and the time of the last.
pub(crate) fn run(kit: &mut Kit, script: &[Op]) -> (Vec<String>, DateTime<Utc>) {
    let mut now = start();
    let mut n_tickets = 0;
    let mut lines = Vec::new();
    for &(kind, a, b, seconds) in script {
        now += TimeDelta::seconds(i64::from(seconds));
        let step = step(kind, a, b, n_tickets, now);
        let line = kit.step(&step, now);
        n_tickets += u32::try_from(line.matches(" opened `").count()).unwrap();
        lines.push(line);
    }
    (lines, now)
}

/// The steps that are about one ticket, and do not ask who has room or is there.
pub(crate) fn of_tickets(script: Vec<Op>) -> Vec<Op> {
    let is_own = |kind: u8| !matches!(kind, 18..=21 | 23 | 24 | 26 | 33..);
    script.into_iter().filter(|(kind, ..)| is_own(*kind)).collect()
}

/// The desk, its queues such that agents take tickets themselves: who has room
/// matters to nobody.
pub(crate) fn pull_desk() -> Value {
    let mut desk = desk();
    for queue in desk["queues"].as_array_mut().unwrap() {
        queue["mode"] = json!({"type": "pull"});
    }
    desk
}

/// As [`run`], by actors who may do anything anywhere, and with a tick `every` so
/// often. Tickets are read back between steps, not what happened to them.
pub(crate) fn run_as_admins(
    kit: &mut Kit,
    script: &[Op],
    every: Option<TimeDelta>,
) -> (Vec<String>, DateTime<Utc>) {
    let mut now = start();
    let mut n_tickets = 0;
    let mut lines = Vec::new();
    for &(kind, a, b, seconds) in script {
        let then = now + TimeDelta::seconds(i64::from(seconds));
        if let Some(every) = every {
            let mut at = now + every;
            while at < then {
                kit.desk.tick(at, 10_000).unwrap();
                at += every;
            }
        }
        now = then;
        let step = match step(kind, a, b, n_tickets, now) {
            Step::Do(who, command) => Step::Do(admin(who), command),
            other => other,
        };
        let line = kit.step(&step, now);
        n_tickets += u32::try_from(line.matches(" opened `").count()).unwrap();
        // What a ticket's own timers did first is told by its journal.
        lines.push(if line.starts_with("refused") { line } else { "done".to_owned() });
    }
    (lines, now)
}

fn admin(who: &'static str) -> &'static str {
    match who {
        "amy" => "admin:amy",
        "ben" => "admin:ben",
        "cat" => "admin:cat",
        "lea" => "admin:lea",
        other => other,
    }
}

fn pick<'a>(list: &[&'a str], n: u8) -> &'a str {
    list[usize::from(n) % list.len()]
}

fn step(kind: u8, a: u8, b: u8, n_tickets: u32, now: DateTime<Utc>) -> Step {
    if n_tickets == 0 || kind < 6 {
        return new_mail(a, b, n_tickets);
    }
    let ticket = format!("#{}", 1 + u32::from(a) % n_tickets);
    let other = format!("#{}", 1 + u32::from(b) % n_tickets);
    let agent = pick(&AGENTS, b);
    let named = format!("@{agent}");
    let later = |seconds: u32| (now + TimeDelta::seconds(i64::from(seconds))).to_rfc3339();
    let on = |who: &'static str, kind: &str, more: Value| {
        let mut command = json!({"type": kind, "ticket": ticket});
        crate::kit::merge(&mut command, more);
        Step::Do(who, command)
    };
    match kind {
        6 => on(agent, "reply", json!({"text": "r"})),
        7 => on(agent, "reply", json!({"text": "r", "status": pick(&STATUSES, a)})),
        8 => on(agent, "add_note", json!({"text": "n"})),
        9 | 10 => on("sys", "set_status", json!({"to": pick(&STATUSES, b)})),
        11 => on("sys", "solve", json!({})),
        12 => on("sys", "reopen", json!({})),
        13 => on("sys", "snooze", json!({"until": later(1 + u32::from(b) * 10)})),
        14 => on("sys", "wake", json!({})),
        15 => on("sys", "assign", json!({"agent": named})),
        16 => on("sys", "unassign", json!({})),
        17 => on(agent, "claim", json!({})),
        18 => Step::Do(agent, json!({"type": "take_next"})),
        19 => on("sys", "offer", json!({"agent": named, "timeout_seconds": u32::from(a) * 3})),
        20 => on(agent, "accept_offer", json!({})),
        21 => on(agent, "reject_offer", json!({"reason": "busy"})),
        22 => on("sys", "route_again", json!({"queue": pick(&QUEUES, b)})),
        23 | 24 => presence(a, b, later(60 + u32::from(a) * 10)),
        25 => on(
            "sys",
            pick(&["mark_spam", "unmark_spam", "delete_ticket", "restore_ticket"], b),
            json!({}),
        ),
        26 => on("sys", "link", json!({"kind": "blocks", "to": other})),
        27 => on(agent, "run_macro", json!({"key": "mine"})),
        28 => on(
            "sys",
            "update_ticket",
            json!({"changes": [
                {"type": "add_tags", "tags": [format!("t{b}")]}, {"type": "set_impact", "to": "high"},
                {"type": "set_urgency", "to": "low"},
            ]}),
        ),
        29 => on(agent, "escalate", json!({"note": "help"})),
        30 => on(agent, "acknowledge", json!({"undo": b.is_multiple_of(3)})),
        31 => on("lea", "de_escalate", json!({"note": "back"})),
        32 => on(
            "sys",
            "set_due",
            match b % 2 {
                0 => json!({"metric": "first_reply", "to": later(u32::from(b) * 7)}),
                _ => json!({"metric": "first_reply"}),
            },
        ),
        33 => on_many(b, n_tickets, &other),
        _ => Step::Tick,
    }
}

/// On all tickets, one of them twice: some refuse it.
fn on_many(b: u8, n_tickets: u32, twice: &str) -> Step {
    let mut tickets: Vec<String> = (1..=n_tickets).map(|n| format!("#{n}")).collect();
    tickets.insert(tickets.len() / 2, twice.to_owned());
    match b % 3 {
        0 => {
            let run = json!({"type": "run_macro_on_many", "tickets": tickets, "key": "mine"});
            Step::Do("lea", run)
        }
        1 => {
            let changes = json!([{"type": "add_tags", "tags": [format!("t{b}")]}]);
            let change =
                json!({"type": "apply_changes_to_many", "tickets": tickets, "changes": changes});
            Step::Do("sys", change)
        }
        _ => Step::Do("sys", json!({"type": "rebalance"})),
    }
}

fn presence(a: u8, b: u8, until: String) -> Step {
    let status = pick(&["online", "online", "away", "offline"], a);
    let agent = format!("@{}", pick(&AGENTS, b));
    let mut set = json!({"type": "set_presence", "agent": agent, "status": status});
    if a.is_multiple_of(3) {
        set["until"] = json!(until);
    }
    if a.is_multiple_of(5) {
        set["channels"] = json!(["chat"]);
    }
    Step::Do("sys", set)
}

fn new_mail(a: u8, b: u8, n_tickets: u32) -> Step {
    let from = format!("{}@x.com", pick(&CONTACTS, a));
    let channel = if b.is_multiple_of(4) { "chat" } else { "email" };
    let mut more = json!({"channel": channel});
    if n_tickets > 0 && b.is_multiple_of(2) {
        more["in_reply_to"] = json!(format!("<mail-{}@x>", 1 + u32::from(b / 2) % n_tickets));
    }
    mail_with(&from, pick(&QUEUES, b), "text", more)
}
