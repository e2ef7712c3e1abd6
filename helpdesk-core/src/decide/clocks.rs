//! Policies and clocks: what the events of a decision mean to them.
//!
//! Every event of a case is told to the ticket's clocks as it happens, so that
//! each hears it in the state that it left; a ticket that the decision opens is
//! told at its end, once it is routed and has its policies.

use super::place;
use super::work::Work;
use crate::case::{Case, timer_kind};
use crate::clock::{Clock, ClockChange, ClockNews, PolicyRef, Slot};
use crate::command::SetDue;
use crate::condition::{Evidence, Scratch};
use crate::desk::Desk;
use crate::effect::{Effect, SlaNews};
use crate::event::{Event, TimerKind};
use crate::fault::{Code, Rejection};
use crate::id::{Key, TicketId};
use crate::limit::{CLOCK_TIMERS_MAX, TRACE_BECAUSE_MAX};
use crate::sla::fire::fire;
use crate::sla::policy::{Pin, Recalculation, SlaPolicy, pick_compiled};
use crate::sla::signal::{CalendarRevisions, ClockContext, MessageSignal, Signal, TicketNow};
use crate::sla::step::advance;
use crate::ticket::status::StatusCategory;
use crate::trace::Step;
use chrono::{DateTime, Utc};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What of a case an event may change, as its clocks knew it.
#[derive(Debug, Clone)]
pub(super) struct Before {
    category: StatusCategory,
    group: Option<Key>,
}

impl Before {
    /// The case before an event; `None` where nothing is measured.
    pub(super) fn of(desk: &Desk, case: Option<&Case>) -> Option<Self> {
        let is_measured =
            !desk.sla().policies.is_empty() || case.is_some_and(|case| !case.clocks.is_empty());
        let ticket = &case.filter(|_| is_measured)?.ticket;
        Some(Self { category: ticket.category, group: ticket.group.clone() })
    }

    /// What the event tells the ticket's clocks; `after` is the case with it.
    pub(super) fn signals(&self, event: &Event, after: &Case) -> Vec<Signal> {
        if let Event::Routed { priority, ticket_type, tags, .. } = event {
            let is_other_group = after.ticket.group != self.group;
            let sets_fields = priority.is_some() || ticket_type.is_some() || !tags.is_empty();
            let group = is_other_group.then_some(Signal::Group);
            return group.into_iter().chain(sets_fields.then_some(Signal::Fields)).collect();
        }
        self.signal(event, after).into_iter().collect()
    }

    fn signal(&self, event: &Event, after: &Case) -> Option<Signal> {
        match event {
            Event::Replied { message } | Event::Noted { message } => {
                Some(Signal::Message(MessageSignal::of(message)))
            }
            Event::StatusSet { .. } if after.ticket.category != self.category => {
                Some(Signal::Status { from: self.category })
            }
            Event::Updated { .. } | Event::Predicted { .. } => Some(Signal::Fields),
            Event::Assigned { .. } | Event::Unassigned { .. } => Some(Signal::Assignee),
            Event::Deleted => Some(Signal::Deleted),
            Event::MarkedSpam => Some(Signal::Spam),
            Event::Restored | Event::UnmarkedSpam if after.ticket.is_live() => {
                Some(Signal::Restored)
            }
            _ => None,
        }
    }
}

/// Tells a ticket's clocks what happened.
pub(super) fn hear(work: &mut Work<'_>, id: TicketId, signal: &Signal) -> Result<(), Rejection> {
    let changes = {
        let calendars = calendars(work, id)?;
        let facts = place::facts(work, id)?;
        let case = work.case(id)?;
        // Of two hosts one's clock may be behind: no stretch of time counts twice.
        let now = case.last_event_at.map_or(work.now, |last| last.max(work.now));
        advance(&case.clocks, signal, now, &context(work, case, &calendars, &facts))
    };
    changes.into_iter().try_for_each(|change| put(work, id, change))
}

fn context<'c>(
    work: &Work<'c>,
    case: &Case,
    calendars: &'c CalendarRevisions,
    facts: &'c dyn crate::condition::Facts,
) -> ClockContext<'c> {
    let rules = work.ctx.desk.sla();
    let policy_of = |slot| {
        // Nothing is promised on spam and on what was deleted.
        let own = case.policy(slot).filter(|_| case.ticket.is_live())?;
        rules.policies.iter().find(|policy| policy.slot == slot && policy.key == own.key)
    };
    ClockContext {
        metrics: &rules.metrics,
        requester_policy: policy_of(Slot::Requester),
        group_policy: policy_of(Slot::Group),
        calendars,
        ticket: TicketNow {
            category: case.ticket.category,
            created_at: case.ticket.times.created_at,
            answered: case.ticket.times.first_replied_at.is_some(),
        },
        facts,
    }
}

/// The desk's calendars as they are at `work.now`; with the revisions that the
/// ticket's clocks still count in, where these are older.
pub(super) fn calendars<'w>(
    work: &Work<'w>,
    id: TicketId,
) -> Result<Cow<'w, CalendarRevisions>, Rejection> {
    let desk = work.ctx.desk;
    let mut calendars = Cow::Borrowed(desk.calendar_revisions());
    let case = work.case(id)?;
    for (key, revision) in former_revisions(desk, case).into_iter().rev() {
        let Some(config) = work.loaded.config(revision) else { continue };
        if let Some(calendar) = desk.former_calendar(&config.document, key) {
            calendars.to_mut().add_former(key.clone(), revision, calendar);
        }
    }
    for clock in case.clocks.iter().filter(|clock| is_stale(desk, clock)) {
        // What was changed later than this moment is not in force yet.
        let changes = desk.calendar_changes(&clock.calendar, clock.calendar_rev);
        let last = changes.take_while(|change| change.changed_at <= work.now).last();
        let in_force = last.map_or(clock.calendar_rev, |change| change.revision);
        calendars.to_mut().take_back_to(&clock.calendar, in_force);
    }
    Ok(calendars)
}

/// Of the calendars of open clocks that have a newer revision: the one that
/// these clocks count in, and those that came between.
pub(super) fn former_revisions<'c>(desk: &Desk, case: &'c Case) -> BTreeSet<(&'c Key, u64)> {
    let mut revisions = BTreeSet::new();
    for clock in case.clocks.iter().filter(|clock| is_stale(desk, clock)) {
        let key = &clock.calendar;
        let newest = desk.calendar_revisions().current(key).0;
        let changes = desk.calendar_changes(key, clock.calendar_rev);
        let between = changes.map(|change| change.revision).filter(|own| *own != newest);
        revisions.insert((key, clock.calendar_rev));
        revisions.extend(between.map(|revision| (key, revision)));
    }
    revisions
}

/// Whether the clock is open, and its calendar has a newer revision.
fn is_stale(desk: &Desk, clock: &Clock) -> bool {
    clock.is_open() && desk.calendar_revisions().current(&clock.calendar).0 != clock.calendar_rev
}

/// Since when open clocks of a ticket should count in the next revision of their
/// calendar; `None` when they count in the last, or take it up with the ticket's
/// next event.
#[must_use]
pub fn redate_at(desk: &Desk, case: &Case) -> Option<DateTime<Utc>> {
    let rules = desk.sla();
    let waits = |clock: &Clock| {
        let policy = rules.policies.iter().find(|policy| policy.key == clock.policy);
        policy.is_none_or(|policy| policy.recalculation == Recalculation::NextEvent)
    };
    let stale = case.clocks.iter().filter(|clock| is_stale(desk, clock) && !waits(clock));
    let next = |clock: &Clock| {
        let change = desk.calendar_changes(&clock.calendar, clock.calendar_rev).next()?;
        Some(change.changed_at)
    };
    stale.filter_map(next).min()
}

/// Puts a change into the journal, and tells people of warnings and breaches.
fn put(work: &mut Work<'_>, id: TicketId, change: ClockChange) -> Result<(), Rejection> {
    let news = match change.news {
        ClockNews::Warned { threshold } => Some((SlaNews::Warned, Some(threshold))),
        ClockNews::Breached { .. } => Some((SlaNews::Breached, None)),
        _ => None,
    };
    let clock = &change.clock;
    work.trace(Step::Clock {
        metric: clock.metric.clone(),
        news: change.news,
        due_at: clock.due_at,
        beyond_horizon: clock.beyond_horizon,
    });
    if let Some((news, threshold)) = news {
        let ticket = &work.case(id)?.ticket;
        work.wish(Effect::NotifySla {
            ticket: id,
            metric: clock.metric.clone(),
            news,
            threshold,
            agent: ticket.assignee,
            group: ticket.group.clone(),
            not_before: told_at(work, clock).filter(|at| *at > work.now),
        });
    }
    work.on_case(id, Event::ClockChanged { change: Box::new(change) })
}

/// When people are told what happened to a clock: in its policy's hours.
fn told_at(work: &Work<'_>, clock: &Clock) -> Option<DateTime<Utc>> {
    let desk = work.ctx.desk;
    let policy = desk.sla().policies.iter().find(|policy| policy.key == clock.policy)?;
    desk.calendar_revisions().current(&policy.notice_hours).1.next_open(work.now).ok()
}

/// A policy that takes the place of another, or of none.
struct Picked {
    slot: Slot,
    policy: Option<PolicyRef>,
    /// Whether it is pinned.
    kept: bool,
    why: Vec<Evidence>,
}

/// Picks a ticket's policies, and tells its clocks where they are others than before.
pub(super) fn pick_policies(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    let others = other_policies(work, id)?;
    if others.is_empty() {
        return Ok(());
    }
    for Picked { slot, policy, kept, why } in others {
        let because = why.iter().take(TRACE_BECAUSE_MAX).map(ToString::to_string).collect();
        let key = policy.as_ref().map(|policy| policy.key.clone());
        work.trace(Step::PolicyPicked { slot, policy: key, kept, because: why });
        work.on_case(id, Event::PolicyPicked { slot, policy, because })?;
    }
    work.tell_clocks(id, Signal::Policy)
}

/// The policies of a ticket that are others than those it has.
fn other_policies(work: &Work<'_>, id: TicketId) -> Result<Vec<Picked>, Rejection> {
    let case = work.case(id)?;
    // No condition sees a policy, so both slots see the same facts.
    let facts = place::facts(work, id)?;
    let policies = &work.ctx.desk.sla().policies;
    let mut scratch = Scratch::default();
    let mut others = Vec::new();
    for slot in [Slot::Requester, Slot::Group] {
        let current = case.policy(slot);
        let current_key = current.map(|own| &own.key);
        let found = pick_compiled(policies, slot, current_key, &facts, work.now, &mut scratch);
        let policy = found.map(SlaPolicy::reference);
        if policy.as_ref() == current {
            continue;
        }
        let kept = found.is_some_and(|policy| {
            policy.pin == Pin::OnCreate && current.is_some_and(|own| own.key == policy.key)
        });
        let fits = found.filter(|_| !kept);
        let why = fits.map_or_else(Vec::new, |policy| policy.when.evidence(&facts));
        others.push(Picked { slot, policy, kept, why });
    }
    Ok(others)
}

/// Ends a decision's part about a ticket: picks its policies, and lets the clocks
/// of a ticket that had none before hear all that happened since.
pub(super) fn settle(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    let to_hear = work.take_to_hear(id);
    let is_new = to_hear.as_ref().is_some_and(|to_hear| to_hear.is_new);
    let Some(case) = work.find_case(id) else { return Ok(()) };
    let is_measured = !work.ctx.desk.sla().policies.is_empty()
        || !case.clocks.is_empty()
        || case.requester_policy.is_some()
        || case.group_policy.is_some();
    let is_over = !case.ticket.category.is_unsolved() && !is_new;
    if !is_measured || !case.ticket.is_live() || is_over || work.is_imported(id) {
        return Ok(());
    }
    pick_policies(work, id)?;
    let Some(to_hear) = to_hear else { return Ok(()) };
    to_hear.signals.iter().try_for_each(|signal| hear(work, id, signal))
}

/// Fires the clocks' timers of one kind that are due at `work.now`.
pub(super) fn fire_due(
    work: &mut Work<'_>,
    id: TicketId,
    kind: TimerKind,
) -> Result<(), Rejection> {
    for _ in 0..CLOCK_TIMERS_MAX {
        let change = {
            let case = work.case(id)?;
            let calendars = calendars(work, id)?;
            let facts = place::facts(work, id)?;
            let ctx = context(work, case, &calendars, &facts);
            let due = case.clocks.iter().find_map(|clock| {
                let timer = clock.next_timer()?;
                let is_kind = timer_kind(timer.kind) == kind;
                (is_kind && timer.due_at <= work.now).then_some((clock, timer))
            });
            due.and_then(|(clock, timer)| fire(clock, &timer, &ctx))
        };
        let Some(change) = change else { break };
        put(work, id, change)?;
    }
    Ok(())
}

/// `set_due`: a date set by hand stands in place of a clock's target.
pub(super) fn set_due(work: &mut Work<'_>, set: &SetDue) -> Result<(), Rejection> {
    let id = set.ticket;
    work.made.ticket = Some(id);
    let is_open = |clock: &Clock| clock.metric == set.metric && clock.is_open();
    if !work.case(id)?.clocks.iter().any(is_open) {
        let message = format!("no clock of `{}` runs or is paused on the ticket", set.metric);
        return Err(Rejection::at(Code::Invalid, "metric", message));
    }
    let metric = set.metric.clone();
    hear(
        work,
        id,
        &match set.to {
            Some(due_at) => Signal::DueSet { metric, due_at },
            None => Signal::DueCleared { metric },
        },
    )
}

/// Dates the ticket's clocks by the calendars that are now in force.
pub(super) fn redate(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    hear(work, id, &Signal::Calendar)
}
