use super::*;
use crate::clock::{ClockTimer, apply};
use crate::sla::fire::{fire, next_timer};
use crate::sla::policy::pick;
use crate::sla::signal::{ClockContext, TicketNow};
use crate::sla::step::advance;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A random history: minutes since the event before, and what happens.
type History = Vec<(u16, u8)>;

fn history() -> impl Strategy<Value = History> {
    prop::collection::vec((0_u16..600, 0_u8..16), 1..24)
}

/// What the number of an event stands for.
fn step_of(n: u8) -> Step {
    use StatusCategory::{OnHold, Open, Pending, Solved};
    match n {
        0..=2 => asked(),
        3..=5 => replied(),
        6 => noted(),
        7 => bot_replied(),
        8 => set(Open),
        9 => set(Pending),
        10 => set(OnHold),
        11 => set(Solved),
        12 => priority("urgent"),
        13 => priority("low"),
        14 => facts(json!({"requester_tier": "vip"})),
        _ => step(Signal::DueSet { metric: key("agent_work"), due_at: at("Mon 15:00") }),
    }
}

fn rules_with_warnings() -> SlaRules {
    let mut vip = with(usual(), "calendar", json!("office"));
    vip = with(vip, "when", json!({"field": "requester_tier", "is": "vip"}));
    let mut all = with(usual(), "warn_at", json!([{"percent": 50}, {"before_seconds": 600}]));
    for metric in all["metrics"].as_array_mut().expect("a list") {
        let short = json!({"priorities": ["urgent"], "seconds": 1_800});
        metric["targets"].as_array_mut().expect("a list").insert(0, short);
    }
    rules(json!({"policies": [with(vip, "key", json!("vip")), all]}))
}

/// The history as instants and steps, from its opening on.
fn told_at(history: &History) -> Vec<(DateTime<Utc>, Step)> {
    let mut now = at("Fri 14:00");
    let mut steps = vec![(now, opened())];
    for (minutes, n) in history {
        now = minutes_after(now, i64::from(*minutes));
        steps.push((now, step_of(*n)));
    }
    steps
}

/// A desk that keeps each ticket's clocks as JSON, ticks when it likes, and
/// counts what its timers did.
struct Desk {
    rules: SlaRules,
    calendars: CalendarRevisions,
    stored: String,
    ticket: TicketNow,
    facts: FactMap,
    policy: Option<Key>,
    changes: Vec<ClockChange>,
}

impl Desk {
    fn new(rules: SlaRules, created_at: DateTime<Utc>) -> Self {
        let category = StatusCategory::New;
        Self {
            rules,
            calendars: calendars(),
            stored: "[]".to_owned(),
            ticket: TicketNow { category, created_at, answered: false },
            facts: FactMap::from_json(&json!({}), created_at, &Schema::default()).expect("facts"),
            policy: None,
            changes: Vec::new(),
        }
    }

    fn context(&self) -> ClockContext<'_> {
        let policies = &self.rules.policies;
        ClockContext {
            metrics: &self.rules.metrics,
            requester_policy: policies.iter().find(|p| Some(&p.key) == self.policy.as_ref()),
            group_policy: None,
            calendars: &self.calendars,
            ticket: self.ticket,
            facts: &self.facts,
        }
    }

    fn load(&self) -> Vec<Clock> {
        serde_json::from_str(&self.stored).expect("clocks")
    }

    fn commit(&mut self, changes: Vec<ClockChange>) {
        let mut clocks = self.load();
        changes.iter().for_each(|change| apply(&mut clocks, change));
        self.stored = serde_json::to_string(&clocks).expect("JSON");
        self.changes.extend(changes);
    }

    fn tick(&mut self, now: DateTime<Utc>) {
        loop {
            let clocks = self.load();
            let Some((metric, timer)) = next_timer(&clocks) else { break };
            if timer.due_at > now {
                break;
            }
            let clock = clocks.iter().find(|clock| clock.metric == *metric).expect("its clock");
            let change = fire(clock, &timer, &self.context()).expect("not stale");
            self.commit(vec![change]);
        }
    }

    fn take(&mut self, now: DateTime<Utc>, step: &Step) {
        self.tick(now);
        if let Some(facts) = &step.facts {
            self.facts = FactMap::from_json(facts, now, &Schema::default()).expect("facts");
        }
        self.ticket.category = step.category.unwrap_or(self.ticket.category);
        let answer = Signal::Message(message(ActorKind::Agent, true));
        self.ticket.answered |= step.signal == answer;
        let current = self.policy.as_ref();
        let slot = crate::sla::def::Slot::Requester;
        let picked = pick(&self.rules.policies, slot, current, &self.facts, now);
        self.policy = picked.map(|policy| policy.key.clone());
        let changes = advance(&self.load(), &step.signal, now, &self.context());
        self.commit(changes);
    }

    fn cycles(&self) -> BTreeMap<(Key, u32), Clock> {
        let each = self.changes.iter().map(|change| change.clock.clone());
        each.map(|clock| ((clock.metric.clone(), clock.cycle), clock)).collect()
    }
}

fn replayed(steps: &[(DateTime<Utc>, Step)], until: DateTime<Utc>) -> Vec<Clock> {
    let facts: Vec<Option<FactMap>> = steps
        .iter()
        .map(|(at, step)| {
            let read = |facts| FactMap::from_json(facts, *at, &Schema::default());
            step.facts.as_ref().map(|facts| read(facts).expect("facts"))
        })
        .collect();
    let events: Vec<ReplayEvent<'_>> = steps
        .iter()
        .zip(&facts)
        .map(|((at, step), facts)| ReplayEvent {
            at: *at,
            signal: &step.signal,
            category: step.category,
            facts: facts.as_ref().map(|facts| facts as &dyn crate::condition::Facts),
            calendars: None,
        })
        .collect();
    replay(&rules_with_warnings(), &events, &calendars(), until)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// What a desk stores step by step, ticking when it likes, is what a replay gives.
    #[test]
    fn clocks_kept_step_by_step_are_those_of_a_replay(
        history in history(),
        ticks in prop::collection::vec(0_u16..5_000, 0..8),
    ) {
        let steps = told_at(&history);
        let (from, last) = (steps[0].0, steps[steps.len() - 1].0);
        let until = minutes_after(last, 700);
        let mut desk = Desk::new(rules_with_warnings(), from);
        let mut ticks: Vec<_> =
            ticks.iter().map(|minutes| minutes_after(from, i64::from(*minutes))).collect();
        ticks.sort_unstable();
        for (now, step) in &steps {
            ticks.iter().filter(|tick| *tick < now).for_each(|tick| desk.tick(*tick));
            desk.take(*now, step);
        }
        desk.tick(until);
        let kept = desk.cycles();
        let replayed = replayed(&steps, until);
        prop_assert_eq!(kept.len(), replayed.len());
        for clock in &replayed {
            let id = (clock.metric.clone(), clock.cycle);
            prop_assert_eq!(kept.get(&id), Some(clock));
        }
    }

    /// Each threshold of a target warns once, each target breaches once, and
    /// only an open clock does either, whatever stale timers are fired again.
    #[test]
    fn no_target_warns_or_breaches_twice_whoever_fires_its_timers(
        history in history(),
        again in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let steps = told_at(&history);
        let mut desk = Desk::new(rules_with_warnings(), steps[0].0);
        let mut seen: Vec<(Key, ClockTimer)> = Vec::new();
        let mut again = again.into_iter();
        for (now, step) in &steps {
            let clocks = desk.load();
            seen.extend(clocks.iter().filter_map(|c| Some((c.metric.clone(), c.next_timer()?))));
            desk.take(*now, step);
            // Another worker still holds a timer it leased before.
            if let (Some(index), false) = (again.next(), seen.is_empty()) {
                let (metric, timer) = &seen[index.index(seen.len())];
                let clocks = desk.load();
                let clock = clocks.iter().find(|clock| clock.metric == *metric);
                let change = clock.and_then(|clock| fire(clock, timer, &desk.context()));
                let is_due = timer.due_at <= *now;
                desk.commit(change.filter(|_| is_due).into_iter().collect());
            }
        }
        let mut told = BTreeSet::new();
        for change in &desk.changes {
            let is_timer = matches!(change.news, ClockNews::Warned { .. } | ClockNews::Breached { .. });
            if is_timer {
                let Clock { metric, cycle, target_rev, .. } = &change.clock;
                let news = match change.news {
                    ClockNews::Warned { threshold } => format!("{threshold:?}"),
                    _ => "breach".to_owned(),
                };
                let id = (metric.clone(), *cycle, *target_rev, news);
                prop_assert!(change.clock.is_open());
                prop_assert!(told.insert(id.clone()), "twice: {:?}", id);
            }
        }
    }

    /// Pausing for some open time moves the breach by exactly that open time.
    #[test]
    fn a_pause_moves_the_breach_by_the_working_time_it_takes(
        start in 0_i64..20_000, ran in 0_i64..4_000, paused in 0_i64..8_000, target in 1_u64..3_000,
    ) {
        let policy = with(minutes(&[("requester_wait", target)]), "calendar", json!("office"));
        let rules = one(policy);
        let opened_at = minutes_after(at("Fri 00:00"), start);
        let (pause_at, resume_at) =
            (minutes_after(opened_at, ran), minutes_after(opened_at, ran + paused));
        let (created, pending, open) =
            (opened(), set(StatusCategory::Pending), set(StatusCategory::Open));
        let event = |at, step: &'static Step| {
            let event = ReplayEvent::new(at, &step.signal);
            match step.category {
                Some(category) => event.with_category(category),
                None => event,
            }
        };
        let leak = |step: Step| -> &'static Step { Box::leak(Box::new(step)) };
        let (created, pending, open) = (leak(created), leak(pending), leak(open));
        let calendars = calendars();
        let breach_at = |events: &[ReplayEvent<'_>]| {
            let until = events[events.len() - 1].at;
            let clocks = replay(&rules, events, &calendars, until);
            (clocks[0].breached_at.is_none()).then_some(clocks[0].breach_at)?
        };
        let plain = breach_at(&[event(opened_at, created)]);
        let moved = breach_at(&[
            event(opened_at, created), event(pause_at, pending), event(resume_at, open),
        ]);
        if let (Some(plain), Some(moved)) = (plain, moved) {
            let calendar = office();
            let taken = calendar.elapsed(pause_at, resume_at).expect("in range");
            prop_assert_eq!(calendar.elapsed(plain, moved).expect("in range"), taken);
        }
    }

    /// A calendar that changes counts each stretch in the one then in force.
    #[test]
    fn a_changed_calendar_counts_as_the_sum_of_its_pieces(
        start in 0_i64..10_000, change in 0_i64..10_000, end in 0_i64..10_000,
        open in 0_u32..12, close in 13_u32..24,
    ) {
        let rules = one(with(minutes(&[("requester_wait", 99_999)]), "calendar", json!("office")));
        let later = hours(&format!("{open:02}:00"), &format!("{close:02}:00"));
        let before = calendars();
        let after = before.clone().with(key("office"), 2, later.clone());
        let opened_at = minutes_after(at("Fri 00:00"), start);
        let changed_at = minutes_after(opened_at, change);
        let until = minutes_after(changed_at, end);
        let created = Signal::Created { message: None };
        let events = [
            ReplayEvent::new(opened_at, &created),
            ReplayEvent::new(changed_at, &Signal::Calendar).with_calendars(&after),
        ];
        let clocks = replay(&rules, &events, &before, until);
        let pieces = office().elapsed(opened_at, changed_at).expect("in range")
            + later.elapsed(changed_at, until).expect("in range");
        prop_assert_eq!(elapsed(&clocks[0], until, &after), pieces);
    }

    /// A clock is met exactly where its elapsed time is within the target, and
    /// where it was stopped at its `breach_at` or before.
    #[test]
    fn met_is_elapsed_within_the_target(
        start in 0_i64..20_000, seconds in 0_i64..400_000, target in 1_u64..3_000,
    ) {
        let rules = one(with(minutes(&[("first_reply", target)]), "calendar", json!("office")));
        let opened_at = minutes_after(at("Fri 00:00"), start);
        let replied_at = opened_at + TimeDelta::seconds(seconds);
        let (opened, replied) = (opened(), replied());
        let events = [
            ReplayEvent::new(opened_at, &opened.signal),
            ReplayEvent::new(replied_at, &replied.signal),
        ];
        let calendars = calendars();
        let open = replay(&rules, &events[..1], &calendars, opened_at);
        let breach_at = open[0].breach_at.expect("a target");
        let clocks = replay(&rules, &events, &calendars, replied_at);
        let is_met = clocks[0].state == ClockState::Met;
        let elapsed = clocks[0].accumulated_seconds;
        prop_assert_eq!(is_met, elapsed <= i64::try_from(target * 60).expect("small"));
        prop_assert_eq!(is_met, replied_at <= breach_at);
    }
}
