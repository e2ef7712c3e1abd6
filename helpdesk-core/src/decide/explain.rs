//! Why a ticket is where it is: what was decided, and what would be decided now.

use super::escalation::scene;
use super::explain_rules::cut_texts;
use super::place::sought;
use crate::agent::Roster;
use crate::case::Case;
use crate::case::facts::{Around, CaseFacts};
use crate::clock::{BreachReason, ClockChange, ClockNews, Slot};
use crate::desk::Desk;
use crate::escalation::chain::{EscalationNews, HandedOver};
use crate::escalation::due::explain as standing;
use crate::event::{ChoiceShort, ChosenBy, Event, OfferEnd, RoutedBy};
use crate::id::AgentId;
use crate::limit::TRACE_BECAUSE_MAX;
use crate::routing::rules::explain_route;
use crate::routing::select::{Ask, choose};
use crate::sla::policy::{PickedBy, explain_pick};
use crate::trace::Step;
use chrono::{DateTime, Utc};

/// What the rules and the ticket's queue would do with it now, and for each rule
/// before the one that matches why it does not; the same for its SLA policies; how
/// its clocks and its escalation stand.
#[must_use]
pub fn explain_now(
    case: &Case,
    around: Around<'_>,
    desk: &Desk,
    roster: &Roster,
    now: DateTime<Utc>,
) -> Vec<Step> {
    let ticket = &case.ticket;
    let facts = CaseFacts::new(ticket, around, now, desk.terms());
    let route = explain_route(desk.rules(), &facts);
    let mut steps: Vec<Step> = match desk.rules() {
        [] => Vec::new(),
        _ => cut_texts(&facts),
    };
    for missed in route.missed {
        steps.push(Step::RuleMissed { rule: missed.rule, because: missed.because });
    }
    // Before the one that matches, as a decision counts them.
    let n_tried = u64::from(route.n_tried) - u64::from(route.rule.is_some());
    let matched = route.rule.and_then(|key| desk.rules().iter().find(|rule| rule.key == key));
    match (matched, desk.default_queue(ticket.mailbox.as_ref())) {
        (Some(rule), _) => {
            let mut because = rule.when.evidence(&facts);
            because.truncate(TRACE_BECAUSE_MAX);
            let (rule, queue) = (rule.key.clone(), rule.then.queue.clone());
            steps.push(Step::RuleMatched { rule, queue, n_tried, because });
        }
        (None, Some(queue)) => {
            let mailbox = ticket.mailbox.as_ref().and_then(|key| desk.mailbox(key));
            let of_mailbox = mailbox.is_some_and(|mailbox| mailbox.default_queue.is_some());
            steps.push(Step::DefaultQueue { queue: queue.key.clone(), n_tried, of_mailbox });
        }
        (None, None) => steps.push(Step::Unroutable { n_tried }),
    }
    if let Some(queue) =
        ticket.queue.as_ref().and_then(|key| desk.queue(key)).filter(|_| case.waits())
    {
        let affinity: Vec<AgentId> =
            around.requester.and_then(|contact| contact.last_answered_by).into_iter().collect();
        let choice = choose(&Ask {
            queue,
            ticket,
            roster,
            calendars: desk.calendars(),
            affinity: &affinity,
            now,
            seed: desk.selection_seed(),
        });
        steps.push(sought(queue, &choice, roster));
    }
    for slot in [Slot::Requester, Slot::Group] {
        steps.extend(policy_now(case, slot, desk, &facts, now));
    }
    steps.extend(case.clocks.iter().map(|clock| Step::ClockStands {
        metric: clock.metric.clone(),
        cycle: clock.cycle,
        state: clock.state,
        due_at: clock.due_at,
        breached_at: clock.breached_at,
    }));
    steps.extend(case.escalation.as_deref().map(|chain| Step::EscalationStands {
        policy: chain.snapshot.policy.key.clone(),
        state: chain.progress.state,
        steps: standing(chain, &scene(desk, roster, case, desk.calendar_revisions(), &facts)),
    }));
    steps
}

/// The policy that the ticket would get, and why those before it do not hold;
/// nothing where there is none to get.
fn policy_now(
    case: &Case,
    slot: Slot,
    desk: &Desk,
    facts: &CaseFacts<'_>,
    now: DateTime<Utc>,
) -> Vec<Step> {
    let policies = &desk.sla().policies;
    if !policies.iter().any(|policy| policy.slot == slot) {
        return Vec::new();
    }
    let current = case.policy(slot).map(|own| &own.key);
    let trace = explain_pick(policies, slot, current, facts, now);
    let missed = trace.missed.into_iter().map(|missed| {
        let (policy, because) = (missed.policy, missed.because);
        Step::PolicyMissed { slot, policy, because }
    });
    let kept = trace.by == PickedBy::Pinned;
    let picked = policies.iter().find(|policy| Some(&policy.key) == trace.policy.as_ref());
    let mut because =
        picked.filter(|_| !kept).map_or_else(Vec::new, |policy| policy.when.evidence(facts));
    because.truncate(TRACE_BECAUSE_MAX);
    missed.chain([Step::PolicyPicked { slot, policy: trace.policy, kept, because }]).collect()
}

/// What people call an agent.
pub(super) fn name_of(roster: &Roster, id: AgentId) -> String {
    roster.get(id).map_or_else(|| id.to_string(), |entry| entry.agent.name.clone())
}

/// An event that carries a choice, in a sentence; `None` for every other event.
#[must_use]
pub fn sentence(event: &Event, roster: &Roster) -> Option<String> {
    let name = |id: &AgentId| name_of(roster, *id);
    Some(match event {
        Event::Routed { queue, by, .. } => match by {
            RoutedBy::Escalated => format!("escalation brought it to queue `{queue}`"),
            RoutedBy::Rule { rule, because } if because.is_empty() => {
                format!("queue `{queue}` by rule `{rule}`")
            }
            RoutedBy::Rule { rule, because } => {
                format!("queue `{queue}` by rule `{rule}`: {}", because.join("; "))
            }
            RoutedBy::MailboxDefault => format!("queue `{queue}`, the mailbox's default"),
            RoutedBy::Predicted { prediction } => format!("a model says: {prediction}"),
            RoutedBy::DeskDefault => format!("queue `{queue}`, the desk's default"),
            RoutedBy::ByHand => format!("queue `{queue}` by hand"),
            RoutedBy::Reopened => format!("queue `{queue}`, as before it was solved"),
        },
        Event::Predicted { prediction, .. } => format!("a model says: {prediction}"),
        Event::Archived { of } => format!("an event `{of}` that is in the archive"),
        Event::Unroutable => "no rule fits, and there is no default queue".to_owned(),
        Event::Waiting { look_again_at: Some(at), .. } => {
            format!("nobody could take it; looked again at {at}")
        }
        Event::Waiting { look_again_at: None, .. } => "nobody could take it".to_owned(),
        Event::Assigned { agent, choice: Some(choice), .. } => {
            format!("assigned to {}: {}", name(agent), chosen(choice))
        }
        Event::Assigned { agent, how, .. } => {
            format!("assigned to {} ({})", name(agent), word(how))
        }
        Event::Unassigned { agent, why } => format!("taken from {} ({})", name(agent), word(why)),
        Event::Offered { agent, expires_at, choice: Some(choice), .. } => {
            format!("offered to {} until {expires_at}: {}", name(agent), chosen(choice))
        }
        Event::Offered { agent, expires_at, choice: None, .. } => {
            format!("offered to {} until {expires_at}", name(agent))
        }
        Event::OfferEnded { agent, how } => match how {
            OfferEnd::Accepted => format!("{} accepted", name(agent)),
            OfferEnd::Rejected { reason } => format!("{} rejected: {reason}", name(agent)),
            OfferEnd::Expired => format!("the offer to {} expired", name(agent)),
            OfferEnd::Rescinded => format!("the offer to {} was taken back", name(agent)),
        },
        Event::Excluded { agent, reason, .. } => format!("not for {}: {reason}", name(agent)),
        Event::StatusSet { from, to, why, .. } => {
            format!("status `{from}` to `{to}` ({})", word(why))
        }
        Event::PolicyPicked { slot, policy, because } => {
            let whose =
                if *slot == Slot::Requester { "SLA policy" } else { "policy between groups" };
            match policy {
                Some(policy) if because.is_empty() => format!("{whose} `{}`", policy.key),
                Some(policy) => format!("{whose} `{}`: {}", policy.key, because.join("; ")),
                None => format!("no {whose} fits"),
            }
        }
        Event::ClockChanged { change } => clock_sentence(change)?,
        Event::EscalationChanged { change } => escalation_sentence(&change.news)?,
        _ => return None,
    })
}

/// What people should know of a clock; `None` for its every stop and start.
fn clock_sentence(change: &ClockChange) -> Option<String> {
    let metric = &change.clock.metric;
    Some(match change.news {
        ClockNews::Warned { threshold } => format!("clock `{metric}` warned ({threshold})"),
        ClockNews::Breached { reason: BreachReason::TimePassed } => {
            format!("clock `{metric}` is past its target")
        }
        ClockNews::Breached { reason: BreachReason::TargetChanged } => {
            format!("clock `{metric}` is past its new target")
        }
        ClockNews::BreachRevised => format!("clock `{metric}` is in time again by its new target"),
        ClockNews::Retargeted { why } => {
            format!("clock `{metric}` has another target ({})", word(&why))
        }
        ClockNews::Cancelled { why } => format!("clock `{metric}` was given up ({})", word(&why)),
        ClockNews::Missed => format!("clock `{metric}` stopped too late"),
        ClockNews::Started
        | ClockNews::Paused
        | ClockNews::Resumed
        | ClockNews::Reopened
        | ClockNews::Met
        | ClockNews::Reset
        | ClockNews::Superseded => return None,
    })
}

fn escalation_sentence(news: &EscalationNews) -> Option<String> {
    Some(match news {
        EscalationNews::Started { snapshot } => {
            format!("escalation policy `{}` holds", snapshot.policy.key)
        }
        EscalationNews::StepFired(fired) => {
            let n = fired.notice.to.len();
            let over = match &fired.handed_over {
                Some(HandedOver { tier: Some(tier), .. }) => {
                    format!(", handed over to tier `{tier}`")
                }
                Some(HandedOver { group, .. }) => format!(", handed over to group `{group}`"),
                None => String::new(),
            };
            let why = word(&fired.why);
            format!("escalation step {} ({why}): {n} notified{over}", fired.step)
        }
        EscalationNews::StepPassed { step, reason } => {
            format!("escalation step {step} passed over ({})", word(reason))
        }
        EscalationNews::Exhausted { .. } => "the escalation is at its end".to_owned(),
        EscalationNews::AckTimedOut { .. } => "nobody took care in time".to_owned(),
        EscalationNews::HandedBack { .. } => "handed back".to_owned(),
        EscalationNews::Done { why } => format!("the escalation is over ({})", word(why)),
        EscalationNews::PolicyFollowed { .. }
        | EscalationNews::LoopBegan
        | EscalationNews::Acknowledged { .. }
        | EscalationNews::Unacknowledged { .. }
        | EscalationNews::Reopened
        | EscalationNews::Forced { .. }
        | EscalationNews::Rescheduled => return None,
    })
}

/// Why this agent of all candidates, as the event keeps it.
fn chosen(choice: &ChoiceShort) -> String {
    let ChoiceShort { n_candidates, selector, .. } = choice;
    let selector = selector.replace('_', " ");
    let tied = |how: &str| format!("{how}, after a tie of {n_candidates} by {selector}");
    match choice.by {
        ChosenBy::OnlyCandidate => "the only candidate".to_owned(),
        ChosenBy::Affinity => "had the ticket, or this requester, before".to_owned(),
        ChosenBy::Drained => "had room when the ticket's turn came".to_owned(),
        ChosenBy::Selector => format!("by {selector}, of {n_candidates} candidates"),
        ChosenBy::FewerActive => tied("fewer active units"),
        ChosenBy::LongestSinceAssigned => tied("longest since last assigned"),
        ChosenBy::AgentId => tied("lowest agent id"),
    }
}

/// A code as words.
fn word(code: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(code).unwrap_or_default();
    value.as_str().unwrap_or_default().replace('_', " ")
}
