//! A choice in short, for the event, and in sentences, for people.

use super::select::{Choice, LookedAt, Standing, Verdict};
use super::stage::Selector;
use crate::event::{ChoiceShort, ChosenBy, Refused, RefusedReason};
use crate::id::AgentId;
use crate::limit::TRACE_REFUSED_MAX;
use chrono::{DateTime, Utc};

/// See [`Choice::short`].
pub(super) fn short(choice: &Choice) -> Option<ChoiceShort> {
    let by = choice.by?;
    let (mut refused, others): (Vec<Refused>, Vec<Refused>) = choice
        .verdicts
        .iter()
        .filter_map(|v| Some(Refused { agent: v.agent, reason: v.reason? }))
        .partition(|refused| is_asked(refused.reason));
    refused.extend(others);
    refused.truncate(TRACE_REFUSED_MAX);
    refused.sort_by_key(|refused| refused.agent);
    Some(ChoiceShort {
        stage: choice.stage,
        by,
        selector: choice.selector.as_str().to_owned(),
        n_candidates: choice.looked_at.n_candidates,
        refused,
    })
}

/// Whether an agent refused for this reason is an active one of the asked groups.
pub(super) fn is_asked(reason: RefusedReason) -> bool {
    !matches!(reason, RefusedReason::Inactive | RefusedReason::NotInPool)
}

/// See [`Choice::sentences`].
pub(super) fn sentences(choice: &Choice, name_of: &dyn Fn(AgentId) -> String) -> Vec<String> {
    let LookedAt { n_agents, n_candidates, n_refused } = choice.looked_at;
    let mut sentences = vec![format!(
        "stage {} of queue {}: {n_candidates} of {n_agents} agents can take it",
        choice.stage + 1,
        choice.queue,
    )];
    sentences.push(outcome(choice, name_of));
    let is_shown = |v: &&Verdict| v.reason.is_some_and(is_asked);
    for verdict in choice.verdicts.iter().filter(is_shown).take(TRACE_REFUSED_MAX) {
        let refused = refused(choice, verdict);
        sentences.push(format!("{}: {refused}", name_of(verdict.agent)));
    }
    let n_more = (n_refused as usize).saturating_sub(TRACE_REFUSED_MAX);
    if n_more > 0 {
        sentences.push(format!("and {n_more} more"));
    }
    let n_others = n_agents - n_candidates - n_refused;
    if n_others > 0 {
        sentences.push(format!("{n_others} in none of its groups, or deactivated"));
    }
    sentences
}

fn outcome(choice: &Choice, name_of: &dyn Fn(AgentId) -> String) -> String {
    if let (Some(agent), Some(by)) = (choice.chosen, choice.by) {
        let standing = choice.verdict(agent).and_then(|verdict| verdict.standing.as_ref());
        return format!("{} chosen: {}", name_of(agent), because(choice, by, standing));
    }
    let again = match choice.look_again_at {
        Some(at) => format!("; looks again at {}", minute(at)),
        None => String::new(),
    };
    match choice.waits_for {
        Some(agent) => format!("waits for {}, who is only busy{again}", name_of(agent)),
        None => format!("nobody chosen{again}"),
    }
}

fn because(choice: &Choice, by: ChosenBy, standing: Option<&Standing>) -> String {
    let selector = choice.selector.as_str();
    let tied = |how: String| format!("{how}, after a tie by {selector}");
    match (by, standing) {
        (ChosenBy::OnlyCandidate, _) => "the only candidate".to_owned(),
        (ChosenBy::Affinity, _) => "had the ticket, or this requester, before".to_owned(),
        (ChosenBy::Drained, _) => "had room when the ticket's turn came".to_owned(),
        (ChosenBy::Selector, Some(standing)) => by_selector(choice, standing),
        (ChosenBy::Selector, None) => selector.to_owned(),
        (ChosenBy::FewerActive, Some(standing)) => {
            tied(format!("fewer active units ({})", standing.active))
        }
        (ChosenBy::FewerActive, None) => tied("fewer active units".to_owned()),
        (ChosenBy::LongestSinceAssigned, standing) => {
            let last = standing.and_then(|standing| standing.last_assigned_at);
            tied(format!("longest since last assigned ({})", since(last)))
        }
        (ChosenBy::AgentId, _) => tied("lowest agent id".to_owned()),
    }
}

fn by_selector(choice: &Choice, standing: &Standing) -> String {
    let Standing { held, capacity, n_taken, required_levels, preferred_levels, .. } = standing;
    match choice.selector {
        Selector::LongestIdle => {
            format!("longest idle on {} ({})", choice.channel, since(standing.idle_since))
        }
        Selector::MostSpare => format!("most spare capacity ({held} of {capacity} units held)"),
        Selector::LeastLoaded => format!("least loaded ({held} units held)"),
        Selector::WeightedRoundRobin => {
            format!("their turn ({n_taken} units taken so far, capacity {capacity})")
        }
        Selector::BestSkill => format!(
            "best skills (levels of the required ones {required_levels}, preferred {preferred_levels})"
        ),
        Selector::Random => "by lot".to_owned(),
    }
}

fn refused(choice: &Choice, verdict: &Verdict) -> String {
    let until = verdict.until.map(minute);
    match (verdict.reason, &verdict.lacks, until) {
        (None, ..) => "can take it".to_owned(),
        (Some(RefusedReason::Inactive), ..) => "deactivated".to_owned(),
        (Some(RefusedReason::NotInPool), ..) => "in none of its groups".to_owned(),
        (Some(RefusedReason::NotOnline), ..) => format!("not online on {}", choice.channel),
        (Some(RefusedReason::OffShift), _, Some(start)) => format!("off shift until {start}"),
        (Some(RefusedReason::OffShift), _, None) => "off shift".to_owned(),
        (Some(RefusedReason::LacksSkill), Some(skill), _) => {
            format!("lacks skill {} at level {}", skill.skill, skill.level)
        }
        (Some(RefusedReason::LacksSkill), None, _) => "lacks a skill".to_owned(),
        (Some(RefusedReason::ChannelFull), ..) => format!("no room on {}", choice.channel),
        (Some(RefusedReason::TotalFull), ..) => "no room".to_owned(),
        (Some(RefusedReason::Cooldown), _, Some(end)) => format!("gets no work until {end}"),
        (Some(RefusedReason::Cooldown), _, None) => "gets no work so soon".to_owned(),
        (Some(RefusedReason::RateLimited), _, Some(end)) => {
            format!("was given as much as the queue allows, until {end}")
        }
        (Some(RefusedReason::RateLimited), _, None) => {
            "was given as much as the queue allows".to_owned()
        }
        (Some(RefusedReason::Excluded), _, Some(end)) => format!("excluded until {end}"),
        (Some(RefusedReason::Excluded), _, None) => "excluded".to_owned(),
    }
}

fn since(at: Option<DateTime<Utc>>) -> String {
    match at {
        Some(at) => format!("idle since {}", minute(at)),
        None => "never had any".to_owned(),
    }
}

fn minute(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M").to_string()
}
