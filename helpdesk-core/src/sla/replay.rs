//! A ticket's clocks from its history, without engine or store.

use super::check::SlaRules;
use super::def::Slot;
use super::fire::{fire, next_timer};
use super::policy::pick;
use super::signal::{CalendarRevisions, ClockContext, MessageSignal, Signal, TicketNow};
use super::step::advance;
use crate::actor::ActorKind;
use crate::calendar::Calendar;
use crate::clock::{Clock, ClockChange, apply};
use crate::condition::{ClockFact, FactValue, Facts, Field, TextFact};
use crate::id::Key;
use crate::limit::CLOCK_TIMERS_MAX;
use crate::ticket::status::StatusCategory;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// One thing that happened to a ticket.
#[derive(Clone, Copy)]
pub struct ReplayEvent<'a> {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub signal: &'a Signal,
    /// The status category afterwards; as before when absent, and `new` at first.
    pub category: Option<StatusCategory>,
    /// The ticket's facts from here on; as before when absent, and nothing set
    /// at first.
    pub facts: Option<&'a dyn Facts>,
    /// The calendars from here on; as before when absent.
    pub calendars: Option<&'a CalendarRevisions>,
}

impl<'a> ReplayEvent<'a> {
    /// This signal at that time, everything else as before.
    #[must_use]
    pub fn new(at: DateTime<Utc>, signal: &'a Signal) -> Self {
        Self { at, signal, category: None, facts: None, calendars: None }
    }

    /// The same, and the ticket in this category afterwards.
    #[must_use]
    pub fn with_category(self, category: StatusCategory) -> Self {
        Self { category: Some(category), ..self }
    }

    /// The same, and these facts from here on.
    #[must_use]
    pub fn with_facts(self, facts: &'a dyn Facts) -> Self {
        Self { facts: Some(facts), ..self }
    }

    /// The same, and these calendars from here on.
    #[must_use]
    pub fn with_calendars(self, calendars: &'a CalendarRevisions) -> Self {
        Self { calendars: Some(calendars), ..self }
    }
}

/// Every cycle of every metric of a ticket, as it stands at `until`, by metric
/// in the order of `rules` and cycle.
///
/// Events are in order of time; their place in the list decides ties. Timers
/// fire in the order of their due times, before events of the same instant, and
/// those due at `until` too. Policies are chosen at each event. Nothing is
/// needed beside the arguments, and the desk's own clocks are the same. What
/// calendars do not cover counts as no working time.
#[must_use]
pub fn replay(
    rules: &SlaRules,
    events: &[ReplayEvent<'_>],
    calendars: &CalendarRevisions,
    until: DateTime<Utc>,
) -> Vec<Clock> {
    let mut cycles: BTreeMap<(usize, u32), Clock> = BTreeMap::new();
    for (_, ClockChange { clock, .. }) in replay_changes(rules, events, calendars, until) {
        let place = rules.metrics.iter().position(|metric| metric.key == clock.metric);
        cycles.insert((place.unwrap_or(usize::MAX), clock.cycle), clock);
    }
    cycles.into_values().collect()
}

/// Everything that happens to a ticket's clocks up to `until`, with its time.
#[must_use]
pub fn replay_changes(
    rules: &SlaRules,
    events: &[ReplayEvent<'_>],
    calendars: &CalendarRevisions,
    until: DateTime<Utc>,
) -> Vec<(DateTime<Utc>, ClockChange)> {
    let mut replay = Replay::new(rules, events, calendars, until);
    for event in events.iter().filter(|event| event.at <= until) {
        replay.fire_until(event.at);
        replay.take(event);
    }
    replay.fire_until(until);
    replay.changes
}

struct Replay<'a> {
    rules: &'a SlaRules,
    calendars: &'a CalendarRevisions,
    facts: &'a dyn Facts,
    ticket: TicketNow,
    policies: [Option<&'a Key>; 2],
    clocks: Vec<Clock>,
    changes: Vec<(DateTime<Utc>, ClockChange)>,
    last_at: DateTime<Utc>,
}

impl<'a> Replay<'a> {
    fn new(
        rules: &'a SlaRules,
        events: &[ReplayEvent<'a>],
        calendars: &'a CalendarRevisions,
        until: DateTime<Utc>,
    ) -> Self {
        let created_at = events.first().map_or(until, |event| event.at);
        Self {
            rules,
            calendars,
            facts: &Blank,
            ticket: TicketNow { category: StatusCategory::New, created_at, answered: false },
            policies: [None, None],
            clocks: Vec::new(),
            changes: Vec::new(),
            last_at: created_at,
        }
    }

    fn context(&self) -> ClockContext<'a> {
        let policy =
            |key: Option<&Key>| self.rules.policies.iter().find(|policy| Some(&policy.key) == key);
        ClockContext {
            metrics: &self.rules.metrics,
            requester_policy: policy(self.policies[0]),
            group_policy: policy(self.policies[1]),
            calendars: self.calendars,
            ticket: self.ticket,
            facts: self.facts,
        }
    }

    fn fire_until(&mut self, until: DateTime<Utc>) {
        let ctx = self.context();
        for _ in 0..CLOCK_TIMERS_MAX {
            let Some((metric, timer)) = next_timer(&self.clocks) else { break };
            if timer.due_at > until {
                break;
            }
            let clock = self.clocks.iter().find(|clock| clock.metric == *metric);
            let Some(change) = clock.and_then(|clock| fire(clock, &timer, &ctx)) else { break };
            apply(&mut self.clocks, &change);
            // No event happens before the one before it.
            self.last_at = self.last_at.max(timer.due_at);
            self.changes.push((self.last_at, change));
        }
    }

    fn take(&mut self, event: &ReplayEvent<'a>) {
        self.calendars = event.calendars.unwrap_or(self.calendars);
        self.facts = event.facts.unwrap_or(self.facts);
        self.ticket.category = event.category.unwrap_or(self.ticket.category);
        self.ticket.answered |= is_answer(event.signal);
        let slots = [Slot::Requester, Slot::Group];
        for (current, slot) in self.policies.iter_mut().zip(slots) {
            let picked = pick(&self.rules.policies, slot, *current, self.facts, event.at);
            *current = picked.map(|policy| &policy.key);
        }
        self.last_at = self.last_at.max(event.at);
        for change in advance(&self.clocks, event.signal, event.at, &self.context()) {
            apply(&mut self.clocks, &change);
            self.changes.push((event.at, change));
        }
    }
}

/// Whether a human agent answers in public.
fn is_answer(signal: &Signal) -> bool {
    let answer = MessageSignal { by: ActorKind::Agent, public: true };
    match signal {
        Signal::Created { message: Some(message) } | Signal::Message(message) => *message == answer,
        _ => false,
    }
}

/// A ticket of which nothing is known.
pub(super) struct Blank;

impl Facts for Blank {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn value(&self, _: &Field) -> Option<FactValue<'_>> {
        None
    }

    fn text(&self, _: &Field) -> Option<&TextFact<'_>> {
        None
    }

    fn calendar(&self, _: &Key) -> Option<&Calendar> {
        None
    }

    fn clock(&self, _: &Key) -> Option<ClockFact> {
        None
    }
}
