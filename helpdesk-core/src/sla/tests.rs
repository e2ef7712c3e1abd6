mod changes;
mod lifecycles;
mod pauses;
mod policies;
mod presets;
mod properties;

use super::check::{SlaDef, SlaRules, check as check_rules};
use super::count::elapsed;
use super::replay::{ReplayEvent, replay, replay_changes};
use super::signal::{CalendarRevisions, MessageSignal, Signal};
use crate::actor::ActorKind;
use crate::calendar::{BundledZones, Calendar, CalendarDef};
use crate::clock::{Clock, ClockChange, ClockNews, ClockState};
use crate::condition::{FactMap, Schema};
use crate::fault::Fault;
use crate::id::Key;
use crate::ticket::status::StatusCategory;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A step of a script: a signal, and what the ticket is from then on.
#[derive(Debug, Clone)]
struct Step {
    signal: Signal,
    category: Option<StatusCategory>,
    facts: Option<Value>,
    calendars: Option<CalendarRevisions>,
}

fn step(signal: Signal) -> Step {
    Step { signal, category: None, facts: None, calendars: None }
}

fn message(by: ActorKind, public: bool) -> MessageSignal {
    MessageSignal { by, public }
}

fn opened() -> Step {
    let message = Some(message(ActorKind::Requester, true));
    step(Signal::Created { message })
}

fn opened_by_agent(public: bool) -> Step {
    step(Signal::Created { message: Some(message(ActorKind::Agent, public)) })
}

fn asked() -> Step {
    step(Signal::Message(message(ActorKind::Requester, true)))
}

fn replied() -> Step {
    step(Signal::Message(message(ActorKind::Agent, true)))
}

fn bot_replied() -> Step {
    step(Signal::Message(message(ActorKind::Bot, true)))
}

fn noted() -> Step {
    step(Signal::Message(message(ActorKind::Agent, false)))
}

/// Where the category before does not matter.
fn set(category: StatusCategory) -> Step {
    let from = StatusCategory::New;
    Step { category: Some(category), ..step(Signal::Status { from }) }
}

fn facts(facts: Value) -> Step {
    Step { facts: Some(facts), ..step(Signal::Fields) }
}

fn priority(priority: &str) -> Step {
    facts(json!({"priority": priority}))
}

impl Step {
    fn with_category(self, category: StatusCategory) -> Self {
        Self { category: Some(category), ..self }
    }

    fn with_facts(self, facts: Value) -> Self {
        Self { facts: Some(facts), ..self }
    }

    fn with_calendars(self, calendars: CalendarRevisions) -> Self {
        Self { calendars: Some(calendars), ..self }
    }
}

/// `Mon 09:00` or `Mon 09:00:30`, in the week around Monday, 2026-11-23, UTC.
fn at(text: &str) -> DateTime<Utc> {
    let (day, time) = text.split_once(' ').expect("a day and a time");
    let days = ["Fri", "Sat", "Sun", "Mon", "Tue", "Wed", "Thu"];
    let on = 20 + days.iter().position(|name| *name == day).expect("a day");
    let seconds = if time.len() == 5 { ":00" } else { "" };
    format!("2026-11-{on}T{time}{seconds}Z").parse().expect("an instant")
}

fn key(text: &str) -> Key {
    Key::new(text).expect("a key")
}

fn in_words(at: DateTime<Utc>) -> String {
    let seconds = if at.timestamp() % 60 == 0 { "%a %H:%M" } else { "%a %H:%M:%S" };
    at.format(seconds).to_string()
}

fn calendar(def: Value) -> Calendar {
    let def: CalendarDef = serde_json::from_value(def).expect("a calendar");
    Calendar::compile(&def, &BundledZones::new()).expect("compiles")
}

/// Monday to Friday, from 9 to 17 UTC.
fn office() -> Calendar {
    hours("09:00", "17:00")
}

fn hours(open: &str, close: &str) -> Calendar {
    let day = json!([[open, close]]);
    calendar(json!({"weekly": {"mon": day, "tue": day, "wed": day, "thu": day, "fri": day}}))
}

fn calendars() -> CalendarRevisions {
    CalendarRevisions::default().with(key("office"), 1, office())
}

fn rules(sla: Value) -> SlaRules {
    read(sla).expect("no fault")
}

fn read(sla: Value) -> Result<SlaRules, Vec<Fault>> {
    let sla: SlaDef = serde_json::from_value(sla).expect("the shape of a section");
    check_rules(&sla, &Schema::default(), Some(&BTreeSet::from([key("office")])), 1)
}

/// One policy `p` that allows so many minutes for each metric.
fn minutes(targets: &[(&str, u64)]) -> Value {
    let metrics = targets
        .iter()
        .map(|(metric, minutes)| json!({"metric": metric, "targets": [{"seconds": minutes * 60}]}));
    json!({"key": "p", "metrics": metrics.collect::<Vec<_>>()})
}

/// The usual targets of all seven metrics.
fn usual() -> Value {
    minutes(&[
        ("first_reply", 60),
        ("next_reply", 120),
        ("periodic_update", 240),
        ("pausable_update", 240),
        ("requester_wait", 480),
        ("agent_work", 360),
        ("total_resolution", 1440),
    ])
}

fn with(mut policy: Value, name: &str, value: Value) -> Value {
    policy[name] = value;
    policy
}

fn one(policy: Value) -> SlaRules {
    let policies = vec![policy];
    rules(json!({"policies": Value::Array(policies)}))
}

/// What a script does to the clocks.
struct Told {
    clocks: Vec<Clock>,
    changes: Vec<(DateTime<Utc>, ClockChange)>,
    calendars: CalendarRevisions,
    until: DateTime<Utc>,
}

fn tell(rules: &SlaRules, script: &[(&str, Step)], until: &str) -> Told {
    let calendars = calendars();
    let read = |value: &Value, at| FactMap::from_json(value, at, &Schema::default());
    let facts: Vec<Option<FactMap>> = script
        .iter()
        .map(|(when, step)| step.facts.as_ref().map(|f| read(f, at(when)).expect("facts")))
        .collect();
    let events: Vec<ReplayEvent<'_>> = script
        .iter()
        .zip(&facts)
        .map(|((when, step), facts)| ReplayEvent {
            at: at(when),
            signal: &step.signal,
            category: step.category,
            facts: facts.as_ref().map(|facts| facts as &dyn crate::condition::Facts),
            calendars: step.calendars.as_ref(),
        })
        .collect();
    let until = at(until);
    let last = script.iter().rev().find_map(|(_, step)| step.calendars.clone());
    Told {
        clocks: replay(rules, &events, &calendars, until),
        changes: replay_changes(rules, &events, &calendars, until),
        calendars: last.unwrap_or(calendars),
        until,
    }
}

impl Told {
    /// The clocks, a line each.
    fn rows(&self) -> String {
        self.clocks.iter().map(|clock| self.row(clock) + "\n").collect()
    }

    fn row(&self, clock: &Clock) -> String {
        let seconds = elapsed(clock, self.until, &self.calendars);
        let elapsed =
            if seconds % 60 == 0 { format!("{}m", seconds / 60) } else { format!("{seconds}s") };
        let target = match clock.target_seconds {
            Some(target) => format!("of {}m", target / 60),
            None => "without target".to_owned(),
        };
        let word = clock.state.as_str();
        let mut row = format!("{} #{} {word} {elapsed} {target}", clock.metric, clock.cycle);
        if let ClockState::Cancelled(why) = clock.state {
            row += &format!(" ({why:?})");
        }
        if let Some(due_at) = clock.due_at {
            row += &format!(" due {}", in_words(due_at));
        }
        if let Some(breached_at) = clock.breached_at {
            row += &format!(" breached {}", in_words(breached_at));
        }
        row
    }

    /// What happened, a line each.
    fn news(&self) -> String {
        let line = |(at, change): &(DateTime<Utc>, ClockChange)| {
            let news = serde_json::to_value(change.news).expect("JSON");
            let details = ["why", "reason", "threshold"].iter().find_map(|name| news.get(name));
            let details = details.map_or(String::new(), |d| format!(" {d}").replace('"', ""));
            let Clock { metric, cycle, .. } = &change.clock;
            format!("{} {metric} #{cycle} {}{details}\n", in_words(*at), change.news.as_str())
        };
        self.changes.iter().map(line).collect()
    }

    fn clock(&self, metric: &str) -> &Clock {
        let newest = self.clocks.iter().rev().find(|clock| clock.metric == metric);
        newest.expect("the metric has a clock")
    }

    fn n_news(&self, wanted: &str) -> usize {
        self.changes.iter().filter(|(_, change)| change.news.as_str() == wanted).count()
    }

    fn elapsed(&self, metric: &str) -> i64 {
        elapsed(self.clock(metric), self.until, &self.calendars)
    }
}

/// The clocks after a script.
fn check(rules: &SlaRules, script: &[(&str, Step)], until: &str, expect: &expect_test::Expect) {
    expect.assert_eq(&tell(rules, script, until).rows());
}

/// What happens during a script.
fn check_news(
    rules: &SlaRules,
    script: &[(&str, Step)],
    until: &str,
    expect: &expect_test::Expect,
) {
    expect.assert_eq(&tell(rules, script, until).news());
}

fn minutes_after(at: DateTime<Utc>, minutes: i64) -> DateTime<Utc> {
    at + TimeDelta::minutes(minutes)
}
