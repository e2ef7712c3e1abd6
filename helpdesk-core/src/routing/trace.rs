//! A choice in short, for the event, and in sentences, for people.

use super::select::{Choice, LookedAt, Standing, Verdict};
use super::stage::Selector;
use crate::event::{ChoiceShort, ChosenBy, Refused, RefusedReason};
use crate::id::AgentId;
use crate::limit::{TRACE_PASSED_OVER_MAX, TRACE_REFUSED_MAX};
use chrono::{DateTime, Timelike, Utc};
use std::fmt::{self, Write as _};

/// Bytes of most of what is said of a candidate behind the name.
const PASSED_OVER_BYTES: usize = 48;

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
    sentences.extend(passed_over(choice, name_of));
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

/// Those who could take it too, and what the selector compares of them.
fn passed_over(choice: &Choice, name_of: &dyn Fn(AgentId) -> String) -> Vec<String> {
    let others = choice.verdicts.iter().filter(|verdict| choice.chosen != Some(verdict.agent));
    let others = others.filter_map(|verdict| Some((verdict.agent, verdict.standing.as_ref()?)));
    let told = others.take(TRACE_PASSED_OVER_MAX).map(|(agent, standing)| {
        // There may be many: each is one text, written once.
        let mut told = name_of(agent);
        told.reserve(PASSED_OVER_BYTES);
        told.push_str(": can take it");
        put_measure(&mut told, choice.selector, standing);
        told
    });
    let mut told: Vec<String> = told.collect();
    let n_chosen = usize::from(choice.chosen.is_some());
    let n_others = (choice.looked_at.n_candidates as usize).saturating_sub(n_chosen);
    let n_more = n_others.saturating_sub(TRACE_PASSED_OVER_MAX);
    if n_more > 0 {
        told.push(format!("and {n_more} more can take it"));
    }
    told
}

fn outcome(choice: &Choice, name_of: &dyn Fn(AgentId) -> String) -> String {
    if let (Some(agent), Some(by)) = (choice.chosen, choice.by) {
        let standing = choice.verdict(agent).and_then(|verdict| verdict.standing.as_ref());
        return format!("{} chosen: {}", name_of(agent), because(choice, by, standing));
    }
    let again = match choice.look_again_at {
        Some(at) => format!("; looks again at {}", instant(at)),
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
    let mut what = match choice.selector {
        Selector::LongestIdle => format!("longest idle on {}", choice.channel),
        Selector::MostSpare => "most spare capacity".to_owned(),
        Selector::LeastLoaded => "least loaded".to_owned(),
        Selector::WeightedRoundRobin => "their turn".to_owned(),
        Selector::BestSkill => "best skills".to_owned(),
        Selector::Random => "by lot".to_owned(),
    };
    put_measure(&mut what, choice.selector, standing);
    what
}

/// Adds what a selector compares of a candidate; nothing of a lot, where nothing means anything.
fn put_measure(text: &mut String, selector: Selector, standing: &Standing) {
    let Standing { held, capacity, n_taken, required_levels, preferred_levels, .. } = standing;
    let mut put = |measure: fmt::Arguments<'_>| {
        // A text takes whatever is written.
        let _ = write!(text, " ({measure})");
    };
    match selector {
        Selector::LongestIdle => put(format_args!("{}", since(standing.idle_since))),
        Selector::MostSpare => put(format_args!("{held} of {capacity} units held")),
        Selector::LeastLoaded => put(format_args!("{held} units held")),
        Selector::WeightedRoundRobin => {
            put(format_args!("{n_taken} units taken so far, capacity {capacity}"));
        }
        Selector::BestSkill => put(format_args!(
            "levels of the required ones {required_levels}, preferred {preferred_levels}"
        )),
        Selector::Random => {}
    }
}

fn refused(choice: &Choice, verdict: &Verdict) -> String {
    let until = verdict.until.map(instant);
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
        Some(at) => format!("idle since {}", instant(at)),
        None => "never had any".to_owned(),
    }
}

/// To the minute, or to the second where it has some.
fn instant(at: DateTime<Utc>) -> String {
    crate::instant::shown(at).unwrap_or_else(|| {
        let format = if at.second() == 0 { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" };
        at.format(format).to_string()
    })
}
