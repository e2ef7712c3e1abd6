//! Who gets a ticket: candidates, affinity, and one of several.

use super::eligible::{cooldown_ends_at, full, lacking_skill, refusal, shift_starts_at};
use super::queue::Queue;
use super::stage::{Search, Selector, active_stages, at_stage, entered_queue_at, skip_stage};
use super::{after, trace};
use crate::agent::{Agent, Roster, RosterEntry};
use crate::condition::Calendars;
use crate::event::{ChoiceShort, ChosenBy, RefusedReason};
use crate::id::{AgentId, Key, TicketId};
use crate::ticket::Ticket;
use crate::ticket::priority::{Channel, SkillLevel};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::cmp::Ordering;

/// Everything that the choice of an agent depends on.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The queue the ticket waits in.
    pub queue: &'a Queue,
    /// The ticket.
    pub ticket: &'a Ticket,
    /// All agents.
    pub roster: &'a Roster,
    /// The desk's calendars, for shifts.
    pub calendars: &'a Calendars,
    /// Agents who answered this requester before, the last one first; they are
    /// preferred after `ticket.last_assignee`, where the queue has affinity.
    pub affinity: &'a [AgentId],
    /// When.
    pub now: DateTime<Utc>,
    /// For the selector `random`.
    pub seed: u64,
}

/// One agent, and whether they can take the ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Who.
    pub agent: AgentId,
    /// Whether they are preferred: had the ticket, or this requester, before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub affinity: bool,
    /// The first reason why not; absent for a candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<RefusedReason>,
    /// With [`RefusedReason::LacksSkill`]: what is lacking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lacks: Option<SkillLevel>,
    /// With [`RefusedReason::OffShift`], [`RefusedReason::Cooldown`],
    /// [`RefusedReason::RateLimited`] and [`RefusedReason::Excluded`]: until when; absent when
    /// excluded for ever.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::instant::optional")]
    pub until: Option<DateTime<Utc>>,
    /// Of a candidate: what the selectors compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
}

/// What selectors compare of a candidate, in work units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Active units over all channels.
    pub active: u32,
    /// Active and reserved units over all channels.
    pub held: u32,
    /// Capacity over all channels.
    pub capacity: u32,
    /// When work of the ticket's channel was last assigned or offered.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::instant::optional")]
    pub idle_since: Option<DateTime<Utc>>,
    /// When work of any channel was.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::instant::optional")]
    pub last_assigned_at: Option<DateTime<Utc>>,
    /// Units ever taken over all channels.
    pub n_taken: u64,
    /// Sum of the levels in the required skills.
    pub required_levels: u32,
    /// Sum of the levels in the preferred skills, each times the preferred level.
    pub preferred_levels: u32,
    /// The hash of seed, ticket and agent; 0 unless the selector is `random`.
    pub hash: u64,
}

/// Who gets a ticket, and why: the full trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Who; `None` when nobody can take it now.
    pub chosen: Option<AgentId>,
    /// Why this one; absent when nobody was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<ChosenBy>,
    /// Work units that the ticket takes of the chosen; 0 without one.
    pub weight: u32,
    /// What to add to the chosen's
    /// [`ChannelLoad::n_taken`](crate::agent::ChannelLoad::n_taken) on the
    /// ticket's channel: the weight, and for an agent who fell back by more than
    /// one full capacity, the rest of what they fell back.
    pub n_taken_added: u64,
    /// The queue.
    pub queue: Key,
    /// The ticket's channel.
    pub channel: Channel,
    /// The stage that was asked last, from 0.
    pub stage: u16,
    /// Its selector.
    pub selector: Selector,
    /// How many agents of each kind there are.
    pub looked_at: LookedAt,
    /// Each agent of the roster, by id; in a choice by the
    /// [index](super::agent_index::AgentIndex), the chosen one, of the refused those
    /// that [`short`](Self::short) keeps, and of the other candidates those that
    /// [`sentences`](Self::sentences) name.
    pub verdicts: Vec<Verdict>,
    /// The preferred agent whom the ticket waits for, because they are only busy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<AgentId>,
    /// When nobody was chosen: when time alone may change that. The earliest of
    /// the next stage, the end of waiting for a preferred agent, the end of a
    /// cooldown, or of what a rate limit counts, that alone stands in somebody's
    /// way, the start of the shift of somebody who then has all that is asked, and the end of an exclusion of
    /// somebody who is in the groups and has the skills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_again_at: Option<DateTime<Utc>>,
}

/// How many agents a choice looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookedAt {
    /// All of the roster.
    pub n_agents: u32,
    /// Those who passed every check.
    pub n_candidates: u32,
    /// Those refused who are active and of the asked groups.
    pub n_refused: u32,
}

impl LookedAt {
    fn of(verdicts: &[Verdict]) -> Self {
        let count = |counts: fn(&Verdict) -> bool| {
            let n = verdicts.iter().filter(|verdict| counts(verdict)).count();
            u32::try_from(n).unwrap_or(u32::MAX)
        };
        Self {
            n_agents: count(|_| true),
            n_candidates: count(|verdict| verdict.reason.is_none()),
            n_refused: count(|verdict| verdict.reason.is_some_and(trace::is_asked)),
        }
    }
}

impl Choice {
    /// The verdict on an agent.
    #[must_use]
    pub fn verdict(&self, agent: AgentId) -> Option<&Verdict> {
        self.verdicts.iter().find(|verdict| verdict.agent == agent)
    }

    /// The choice in short, for the event; `None` when nobody was chosen.
    ///
    /// Of the refused at most [`TRACE_REFUSED_MAX`](crate::limit::TRACE_REFUSED_MAX),
    /// those of the asked groups before the others, by agent id.
    #[must_use]
    pub fn short(&self) -> Option<ChoiceShort> {
        trace::short(self)
    }

    /// The choice in sentences, `name_of` giving names to agents: who was chosen and
    /// why; at most [`TRACE_PASSED_OVER_MAX`](crate::limit::TRACE_PASSED_OVER_MAX) of
    /// the other candidates, with what the selector compares of them; at most
    /// [`TRACE_REFUSED_MAX`](crate::limit::TRACE_REFUSED_MAX) of the refused, with the
    /// reason; how many more there are. Stages are counted from 1, instants are in UTC.
    #[must_use]
    pub fn sentences(&self, name_of: impl Fn(AgentId) -> String) -> Vec<String> {
        trace::sentences(self, &name_of)
    }
}

/// Chooses the agent who gets a ticket, by scanning all agents.
///
/// The candidates are those whom [`refusal`] does not refuse in the active
/// stages; a stage with `skip_if_empty` that has none hands on to the next. A
/// preferred agent who is a candidate wins; one who is only busy (full, in
/// cooldown, at the rate limit) is waited for until
/// `entered_queue_at + affinity_wait_seconds`, that instant excluded. Else the
/// selector of the last stage decides, its ties going by fewer active units, longest
/// since last assigned (never first), agent id. The chosen never exceeds their
/// capacity. Whether the ticket waits at all, and the queue's mode, are the caller's
/// to check.
///
/// Equal input gives an equal choice, whatever order agents were added in.
/// Source: spec/routing.md §3.1–§3.4. Runs in `examples/routing_only.rs`.
#[must_use]
pub fn choose(ask: &Ask<'_>) -> Choice {
    let (search, verdicts) = settled(ask);
    let waits_for = awaited(ask, &verdicts);
    let decision = if waits_for.is_some() { None } else { decide(ask, &search, &verdicts) };
    let chosen = decision.map(|(verdict, _)| verdict.agent);
    let weight = chosen.and_then(|id| ask.roster.get(id)).map_or(0, |entry| weight(ask, entry));
    let n_taken_added =
        decision.map_or(0, |(verdict, _)| n_taken_added(verdict, &verdicts, weight));
    let by = decision.map(|(_, by)| by);
    let look_again_at = match chosen {
        Some(_) => None,
        None => look_again_at(ask, &search, &verdicts, waits_for),
    };
    Choice {
        chosen,
        by,
        weight,
        n_taken_added,
        queue: ask.queue.key.clone(),
        channel: ask.ticket.channel,
        stage: search.stage,
        selector: search.selector,
        looked_at: LookedAt::of(&verdicts),
        verdicts,
        waits_for,
        look_again_at,
    }
}

/// The verdict on one agent at a stage of the search, from 0: [`Choice::stage`].
#[must_use]
pub fn judge_one(ask: &Ask<'_>, stage: u16, agent: AgentId) -> Option<Verdict> {
    let search = at_stage(ask.queue, ask.ticket, stage);
    Some(verdict(ask, &search, ask.roster.get(agent)?))
}

/// The search at which the stages settle, and its verdicts: from the active
/// stages on, past each with `skip_if_empty` that neither has a candidate nor
/// waits for a preferred agent.
pub(super) fn settled<'a>(ask: &Ask<'a>) -> (Search<'a>, Vec<Verdict>) {
    let is_settled = |verdicts: &Vec<Verdict>| {
        let found = verdicts.iter().any(|verdict| verdict.reason.is_none());
        found || awaited(ask, verdicts).is_some()
    };
    walk_stages(ask, |search| judge(ask, search), is_settled)
}

/// Walks the stages from the active ones on, past each with `skip_if_empty` whose
/// outcome does not settle it.
pub(super) fn walk_stages<'a, T>(
    ask: &Ask<'a>,
    outcome_of: impl Fn(&Search<'a>) -> T,
    is_settled: impl Fn(&T) -> bool,
) -> (Search<'a>, T) {
    let mut search = active_stages(ask.queue, ask.ticket, ask.now);
    let mut outcome = outcome_of(&search);
    for _ in 0..ask.queue.stages.len() {
        if !search.skip_if_empty || is_settled(&outcome) {
            break;
        }
        search = skip_stage(ask.queue, ask.ticket, &search);
        outcome = outcome_of(&search);
    }
    (search, outcome)
}

/// The preferred agent whom the ticket waits for: the first who is only busy,
/// when no preferred agent is a candidate and the wait is not over.
pub(super) fn awaited(ask: &Ask<'_>, verdicts: &[Verdict]) -> Option<AgentId> {
    wait_ends_at(ask).filter(|end| ask.now < *end)?;
    let preferred = || affinity(ask).filter_map(|agent| verdicts.iter().find(|v| v.agent == agent));
    if preferred().any(|verdict| verdict.reason.is_none()) {
        return None;
    }
    let is_only_busy = |verdict: &&Verdict| {
        let busy = matches!(
            verdict.reason,
            Some(
                RefusedReason::ChannelFull
                    | RefusedReason::TotalFull
                    | RefusedReason::Cooldown
                    | RefusedReason::RateLimited
            )
        );
        busy && !ask.ticket.excludes(verdict.agent, ask.now)
    };
    preferred().find(is_only_busy).map(|verdict| verdict.agent)
}

pub(super) fn wait_ends_at(ask: &Ask<'_>) -> Option<DateTime<Utc>> {
    Some(after(entered_queue_at(ask.ticket), ask.queue.affinity_wait_seconds?))
}

/// The preferred agents, the first one first; one may come twice.
pub(super) fn affinity<'a>(ask: &Ask<'a>) -> impl Iterator<Item = AgentId> + use<'a> {
    let before = ask.ticket.last_assignee.into_iter();
    let is_wanted = ask.queue.affinity;
    before.chain(ask.affinity.iter().copied()).filter(move |_| is_wanted)
}

fn judge(ask: &Ask<'_>, search: &Search<'_>) -> Vec<Verdict> {
    ask.roster.agents.values().map(|entry| verdict(ask, search, entry)).collect()
}

pub(super) fn verdict(ask: &Ask<'_>, search: &Search<'_>, entry: &RosterEntry) -> Verdict {
    let agent = entry.agent.id;
    let reason = refusal(ask, search, entry);
    let lacks = if reason == Some(RefusedReason::LacksSkill) {
        lacking_skill(search, entry).cloned()
    } else {
        None
    };
    let until = match reason {
        Some(RefusedReason::OffShift) => shift_starts_at(ask.calendars, &entry.agent, ask.now),
        Some(RefusedReason::Cooldown | RefusedReason::RateLimited) => {
            cooldown_ends_at(ask.queue, &entry.load)
        }
        Some(RefusedReason::Excluded) => excluded_until(ask, agent),
        _ => None,
    };
    let standing = reason.is_none().then(|| standing(ask, search, entry));
    let affinity = affinity(ask).any(|preferred| preferred == agent);
    Verdict { agent, affinity, reason, lacks, until, standing }
}

/// The end of the agent's exclusions; `None` for ever, or when not excluded.
fn excluded_until(ask: &Ask<'_>, agent: AgentId) -> Option<DateTime<Utc>> {
    let mut own = ask.ticket.excluded.iter().filter(|excluded| excluded.agent == agent);
    own.try_fold(None, |last, excluded| Some(last.max(Some(excluded.until?)))).flatten()
}

fn standing(ask: &Ask<'_>, search: &Search<'_>, entry: &RosterEntry) -> Standing {
    let (required_levels, preferred_levels) = levels(search, &entry.agent);
    Standing {
        active: entry.load.active(),
        held: entry.load.total(),
        capacity: entry.agent.capacity.total,
        idle_since: entry.load.on(ask.ticket.channel).last_assigned_at,
        last_assigned_at: entry.load.last_assigned_at(),
        n_taken: entry.load.n_taken(),
        required_levels,
        preferred_levels,
        hash: if search.selector == Selector::Random {
            lot(ask.seed, ask.ticket.id, entry.agent.id)
        } else {
            0
        },
    }
}

/// The sums of an agent's levels in the required and in the preferred skills, each of
/// the latter times the preferred level.
pub(super) fn levels(search: &Search<'_>, agent: &Agent) -> (u32, u32) {
    let level = |s: &SkillLevel| u32::from(agent.skill_level(&s.skill));
    let required = search.required.iter().map(level).sum();
    (required, search.preferred.iter().map(|s| level(s) * u32::from(s.level)).sum())
}

/// The number an agent draws for a ticket: the first 8 bytes of the SHA-256 of
/// seed, ticket id and agent id.
pub(super) fn lot(seed: u64, ticket: TicketId, agent: AgentId) -> u64 {
    let mut hash = Sha256::new();
    hash.update(seed.to_be_bytes());
    hash.update(ticket.0.as_bytes());
    hash.update(agent.0.as_bytes());
    hash.finalize().iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

fn decide<'v>(
    ask: &Ask<'_>,
    search: &Search<'_>,
    verdicts: &'v [Verdict],
) -> Option<(&'v Verdict, ChosenBy)> {
    let candidates: Vec<(&Verdict, &Standing)> =
        verdicts.iter().filter_map(|v| Some((v, v.standing.as_ref()?))).collect();
    let mut preferred = affinity(ask);
    if let Some((verdict, _)) =
        preferred.find_map(|agent| candidates.iter().find(|(v, _)| v.agent == agent))
    {
        return Some((verdict, ChosenBy::Affinity));
    }
    let in_order = |a: &&(&Verdict, &Standing), b: &&(&Verdict, &Standing)| {
        compare(search.selector, (a.0.agent, a.1), (b.0.agent, b.1)).0
    };
    let (first, standing) = candidates.iter().min_by(in_order)?;
    let others = candidates.iter().filter(|(verdict, _)| verdict.agent != first.agent);
    let by = others.min_by(in_order).map_or(ChosenBy::OnlyCandidate, |(second, other)| {
        compare(search.selector, (first.agent, standing), (second.agent, other)).1
    });
    Some((first, by))
}

/// Which of two candidates comes first, and what decided that.
fn compare(
    selector: Selector,
    (a_id, a): (AgentId, &Standing),
    (b_id, b): (AgentId, &Standing),
) -> (Ordering, ChosenBy) {
    let steps = [
        (by_selector(selector, a, b), ChosenBy::Selector),
        (a.active.cmp(&b.active), ChosenBy::FewerActive),
        // `None` sorts first: never assigned is longest.
        (a.last_assigned_at.cmp(&b.last_assigned_at), ChosenBy::LongestSinceAssigned),
    ];
    let decided = steps.into_iter().find(|(order, _)| order.is_ne());
    decided.unwrap_or((a_id.cmp(&b_id), ChosenBy::AgentId))
}

fn by_selector(selector: Selector, a: &Standing, b: &Standing) -> Ordering {
    match selector {
        Selector::LongestIdle => a.idle_since.cmp(&b.idle_since),
        Selector::MostSpare => {
            compare_ratios((a.held.into(), a.capacity), (b.held.into(), b.capacity))
        }
        Selector::LeastLoaded => a.held.cmp(&b.held),
        Selector::WeightedRoundRobin => {
            compare_ratios((a.n_taken, a.capacity), (b.n_taken, b.capacity))
        }
        Selector::BestSkill => b
            .required_levels
            .cmp(&a.required_levels)
            .then(b.preferred_levels.cmp(&a.preferred_levels)),
        Selector::Random => a.hash.cmp(&b.hash),
    }
}

/// Compares two quotients exactly, by cross-multiplication; one by 0 (a ticket
/// of weight 0 fits into no capacity at all) is greater than any other.
fn compare_ratios((a, a_of): (u64, u32), (b, b_of): (u64, u32)) -> Ordering {
    match (a_of, b_of) {
        (0, 0) => Ordering::Equal,
        (0, _) => Ordering::Greater,
        (_, 0) => Ordering::Less,
        _ => (u128::from(a) * u128::from(b_of)).cmp(&(u128::from(b) * u128::from(a_of))),
    }
}

/// The weight; for an agent who fell back by more than one full capacity behind
/// the last of the other candidates, also what they fell back beyond that.
///
/// Without this, who comes back from a month off would be given every ticket
/// until their count is level again. While the same agents stay candidates,
/// nobody falls back that far: the one behind all others is chosen, and one
/// ticket fits into their capacity; so turns stay exactly in proportion.
fn n_taken_added(chosen: &Verdict, verdicts: &[Verdict], weight: u32) -> u64 {
    let Some(own) = chosen.standing.as_ref() else { return u64::from(weight) };
    let own = Turns::of(own);
    let others = verdicts.iter().filter(|verdict| verdict.agent != chosen.agent);
    let standings = others.filter_map(|verdict| verdict.standing.as_ref());
    let last = standings.filter_map(|other| own.level_with(Turns::of(other))).min();
    own.behind(last).saturating_add(u64::from(weight))
}

/// What turns in proportion to capacity go by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turns {
    /// Units ever taken over all channels.
    pub(super) n_taken: u64,
    pub(super) capacity: u32,
}

impl Turns {
    fn of(standing: &Standing) -> Self {
        Self { n_taken: standing.n_taken, capacity: standing.capacity }
    }

    /// How many units one would have taken who were level with another; `None` for
    /// one without capacity.
    pub(super) fn level_with(self, other: Self) -> Option<u128> {
        // As mostly: a division costs more than all else here.
        if other.capacity == self.capacity && self.capacity != 0 {
            return Some(other.n_taken.into());
        }
        let n = u128::from(other.n_taken) * u128::from(self.capacity);
        n.checked_div(u128::from(other.capacity))
    }

    /// What one fell back behind `last`, the least that they would have taken were they
    /// level with one of the others, beyond one full capacity.
    pub(super) fn behind(self, last: Option<u128>) -> u64 {
        let floor = last.unwrap_or(0).saturating_sub(u128::from(self.capacity));
        let fell_back = floor.saturating_sub(u128::from(self.n_taken));
        u64::try_from(fell_back).unwrap_or(u64::MAX)
    }
}

fn weight(ask: &Ask<'_>, entry: &RosterEntry) -> u32 {
    entry.agent.capacity.weight(ask.ticket.channel)
}

fn look_again_at(
    ask: &Ask<'_>,
    search: &Search<'_>,
    verdicts: &[Verdict],
    waits_for: Option<AgentId>,
) -> Option<DateTime<Utc>> {
    let wait_ends_at = waits_for.and_then(|_| wait_ends_at(ask));
    let obstacles_end =
        verdicts.iter().filter_map(|verdict| obstacle_ends_at(ask, search, verdict));
    let ends = obstacles_end.chain(search.next_stage_at).chain(wait_ends_at);
    ends.filter(|at| ask.now < *at).min()
}

/// When the obstacle in an agent's way goes with time: the end of an exclusion,
/// also of an agent who is not online or full now (whoever comes back meanwhile
/// is passed over, and nobody would look again), and the end of a cooldown.
pub(super) fn obstacle_ends_at(
    ask: &Ask<'_>,
    search: &Search<'_>,
    verdict: &Verdict,
) -> Option<DateTime<Utc>> {
    let is_excluded = ask.ticket.excludes(verdict.agent, ask.now);
    match verdict.reason? {
        RefusedReason::Inactive | RefusedReason::NotInPool | RefusedReason::LacksSkill => None,
        RefusedReason::NotOnline | RefusedReason::ChannelFull | RefusedReason::TotalFull => {
            excluded_until(ask, verdict.agent).filter(|_| is_excluded)
        }
        RefusedReason::OffShift => off_shift_ends_at(ask, search, verdict),
        RefusedReason::Cooldown | RefusedReason::RateLimited if is_excluded => {
            Some(excluded_until(ask, verdict.agent)?.max(verdict.until?))
        }
        RefusedReason::Cooldown | RefusedReason::RateLimited | RefusedReason::Excluded => {
            verdict.until
        }
    }
}

/// When the shift of an agent starts who then has all that is asked. One who is
/// full now is given the next ticket once there is room.
fn off_shift_ends_at(
    ask: &Ask<'_>,
    search: &Search<'_>,
    verdict: &Verdict,
) -> Option<DateTime<Utc>> {
    let entry = ask.roster.get(verdict.agent)?;
    if lacking_skill(search, entry).is_some() || full(entry, ask.ticket.channel).is_some() {
        return None;
    }
    let excluded_until = match ask.ticket.excludes(verdict.agent, ask.now) {
        true => Some(excluded_until(ask, verdict.agent)?),
        false => None,
    };
    let rested_at = cooldown_ends_at(ask.queue, &entry.load);
    verdict.until.max(excluded_until).max(rested_at)
}
