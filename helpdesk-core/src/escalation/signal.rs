//! What a chain hears of its ticket: when it begins, goes back, or is over.

use super::chain::{
    Chain, ChainState, DoneWhy, EscalationChange, EscalationNews, Progress, StepMark,
};
use super::policy::{Policy, Snapshot, StopOn};
use super::run::Run;
use super::scene::Scene;
use super::step::Trigger;
use crate::id::Version;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// What happened to a ticket, as its escalation hears it, once its clocks have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// A human agent answered in public.
    Replied,
    /// It was given to an agent; not by a step of the chain itself.
    Assigned,
    /// It was solved.
    Solved,
    /// It was closed.
    Closed,
    /// It lives on in another.
    Merged,
    /// It was deleted.
    Deleted,
    /// It is spam.
    Spam,
    /// It was opened again.
    Reopened,
    /// Anything else: its clocks, its assignee, what was last said.
    Changed,
}

/// When the desk asks for a policy for a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// The ticket was opened, or changed.
    Changed,
    /// Its requester wrote.
    RequesterReplied,
    /// It was opened again.
    Reopened,
}

/// Whether a chain is to begin, where a policy holds: there is none, or it is
/// over and the ticket needs help anew.
#[must_use]
pub fn starts_on(chain: Option<&Chain>, occasion: Occasion) -> bool {
    let Some(chain) = chain else { return true };
    match (chain.progress.done, occasion) {
        (None, _) | (Some(_), Occasion::Changed) => false,
        (Some(_), Occasion::Reopened) => true,
        (Some(why), Occasion::RequesterReplied) => why == DoneWhy::Replied,
    }
}

/// A chain begins by a policy, which it keeps as it is.
///
/// After one that is over all waits count from now, loops are counted on, the
/// owners to hand back to are kept, and under the same revision the cycles of
/// SLA clocks that it fired for. `reopened` when
/// that is why it begins.
#[must_use]
pub fn start(
    policy: &Policy,
    rev: Version,
    before: Option<&Chain>,
    reopened: bool,
    at: DateTime<Utc>,
    scene: &Scene<'_>,
) -> Vec<EscalationChange> {
    let snapshot = Snapshot { rev, policy: Arc::clone(&policy.def) };
    let n = snapshot.policy.steps.len();
    let same = before.filter(|chain| {
        chain.snapshot.rev == rev && chain.snapshot.policy.key == snapshot.policy.key
    });
    let mut marks = same.map_or_else(Vec::new, |chain| chain.progress.marks.clone());
    marks.resize(n, StepMark::default());
    let last = before.map(|chain| &chain.progress);
    let progress = Progress {
        state: ChainState::Pending,
        step: 0,
        loop_index: last.map_or(0, |last| last.loop_index.saturating_add(1)),
        n_repeats: 0,
        started_at: at,
        loop_began_at: at,
        counts_from: before.map(|_| at),
        marks,
        n_fired: last.map_or(0, |last| last.n_fired),
        last_notified: None,
        acked: None,
        reopened_at: reopened.then_some(at),
        owners: last.map_or_else(Vec::new, |last| last.owners.clone()),
        done: None,
        due: None,
        generation: last.map_or(0, |last| last.generation),
    };
    let mut run = Run::with(&policy.def, progress, at, scene);
    run.progress.step = super::run::number(run.view().first_open());
    run.tell(EscalationNews::Started { snapshot });
    run.finish()
}

/// What a signal does to a chain. One that is over hears nothing.
#[must_use]
pub fn advance(
    chain: &Chain,
    signal: Signal,
    at: DateTime<Utc>,
    scene: &Scene<'_>,
) -> Vec<EscalationChange> {
    if chain.progress.state == ChainState::Done {
        return Vec::new();
    }
    let mut run = Run::new(chain, at, scene);
    let stops_on = |what| chain.snapshot.policy.stop_on.contains(&what);
    match signal {
        Signal::Solved => run.over(DoneWhy::Solved),
        Signal::Closed => run.over(DoneWhy::Closed),
        Signal::Merged => run.over(DoneWhy::Merged),
        Signal::Deleted => run.over(DoneWhy::Deleted),
        Signal::Spam => run.over(DoneWhy::Spam),
        Signal::Replied if stops_on(StopOn::Reply) => run.over(DoneWhy::Replied),
        Signal::Assigned if stops_on(StopOn::Assign) => run.over(DoneWhy::Assigned),
        Signal::Reopened => reopened(&mut run, chain, at),
        Signal::Replied | Signal::Assigned | Signal::Changed => {}
    }
    run.finish()
}

/// One that waits only notes it, for the steps that wait for it.
fn reopened(run: &mut Run<'_>, chain: &Chain, at: DateTime<Utc>) {
    let waits = chain.progress.state == ChainState::Pending;
    let steps = &chain.snapshot.policy.steps;
    let is_heard = steps.iter().any(|step| matches!(step.trigger, Trigger::Reopened { .. }));
    if waits && !is_heard {
        return;
    }
    if !waits {
        run.restart();
    }
    run.progress.reopened_at = Some(at);
    run.tell(EscalationNews::Reopened);
}

/// The configuration has a new revision. A chain whose policy has `follow_edits`
/// goes on with it as it is now, at the step of the same number, or at the first
/// where there is none; it is over when the policy is gone. Any other chain
/// keeps what it began with.
#[must_use]
pub fn follow(
    chain: &Chain,
    current: Option<&Policy>,
    rev: Version,
    at: DateTime<Utc>,
    scene: &Scene<'_>,
) -> Vec<EscalationChange> {
    let old = &chain.snapshot;
    if chain.progress.state == ChainState::Done || !old.policy.follow_edits || rev == old.rev {
        return Vec::new();
    }
    let Some(current) = current.filter(|policy| policy.def.key == old.policy.key) else {
        let mut run = Run::new(chain, at, scene);
        run.over(DoneWhy::PolicyGone);
        return run.finish();
    };
    if current.def == old.policy {
        return Vec::new();
    }
    let mut run = Run::with(&current.def, chain.progress.clone(), at, scene);
    let steps = &current.def.steps;
    run.progress.marks.resize(steps.len(), StepMark::default());
    for ((mark, new), old) in run.progress.marks.iter_mut().zip(steps).zip(&old.policy.steps) {
        if new.trigger != old.trigger {
            mark.clock = None;
        }
    }
    let is_gone = usize::from(run.progress.step) >= steps.len();
    if is_gone && run.progress.state == ChainState::Pending {
        run.restart();
    }
    run.progress.step = super::run::number(run.view().first_open());
    let snapshot = Snapshot { rev, policy: Arc::clone(&current.def) };
    run.tell(EscalationNews::PolicyFollowed { snapshot });
    run.end_loop();
    run.finish()
}
