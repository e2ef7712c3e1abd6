//! What happens when a chain's time comes: a step fires or is passed over, a
//! loop ends, an acknowledgement holds no longer.

use super::chain::{
    Chain, ChainState, ClockCycle, DoneWhy, DueWhat, EscalationChange, EscalationNews, HandedOver,
    Progress, StepDone, StepFired,
};
use super::due::View;
use super::hand_over::hand_over;
use super::policy::{AfterAck, OnExhausted, PolicyDef};
use super::reason::Reason;
use super::resolve::{Notice, Recipient, resolve};
use super::scene::Scene;
use super::step::{Action, IfNoOne, StepDef, StepKind, Strategy, Target, Trigger};
use crate::limit::HAND_OVERS_MAX;
use chrono::{DateTime, Utc};

/// Fires what came due in a chain at or before `at`: one step, or the end of an
/// acknowledgement.
///
/// What is due is looked up anew, so that a stale timer does nothing, however
/// often and by whom it is fired; no step fires twice in a loop, and none of an
/// SLA clock twice for one (cycle, target revision). Nothing is left to fire
/// once [`Chain::due_at`] lies after `at`: fire again until then.
#[must_use]
pub fn fire(chain: &Chain, at: DateTime<Utc>, scene: &Scene<'_>) -> Vec<EscalationChange> {
    let mut run = Run::new(chain, at, scene);
    let due = run.view().next_due().filter(|due| due.at <= at);
    match due.map(|due| due.what) {
        Some(DueWhat::Step { step }) => run.step(usize::from(step), Reason::Due),
        Some(DueWhat::AckTimeout) => run.ack_timeout(),
        None => {}
    }
    run.finish()
}

/// A chain that moves.
pub(super) struct Run<'a> {
    policy: &'a PolicyDef,
    scene: &'a Scene<'a>,
    at: DateTime<Utc>,
    pub(super) progress: Progress,
    changes: Vec<EscalationChange>,
}

impl<'a> Run<'a> {
    pub(super) fn new(chain: &'a Chain, at: DateTime<Utc>, scene: &'a Scene<'a>) -> Self {
        Self::with(&chain.snapshot.policy, chain.progress.clone(), at, scene)
    }

    pub(super) fn with(
        policy: &'a PolicyDef,
        progress: Progress,
        at: DateTime<Utc>,
        scene: &'a Scene<'a>,
    ) -> Self {
        Self { policy, scene, at, progress, changes: Vec::new() }
    }

    pub(super) fn view(&self) -> View<'_> {
        View { policy: self.policy, progress: &self.progress, scene: self.scene }
    }

    /// A change, with what comes due next after it.
    pub(super) fn tell(&mut self, news: EscalationNews) {
        self.progress.due = self.view().next_due();
        self.progress.generation = self.progress.generation.wrapping_add(1);
        let progress = self.progress.clone();
        self.changes.push(EscalationChange { news, progress });
    }

    /// The changes. Where nothing happened but something else comes due next,
    /// that is one.
    pub(super) fn finish(mut self) -> Vec<EscalationChange> {
        if self.changes.is_empty() && self.view().next_due() != self.progress.due {
            self.tell(EscalationNews::Rescheduled);
        }
        self.changes
    }

    /// Fires a step, or passes it over. Whoever forces it asks no guard.
    pub(super) fn step(&mut self, i: usize, why: Reason) {
        let policy = self.policy;
        let step = &policy.steps[i];
        let outcome = match why {
            Reason::Forced => self.fired(i, step, why),
            _ => self.guard(step).and_then(|()| self.fired(i, step, why)),
        };
        let clock = self.view().cycle(i);
        let hurry = outcome.as_ref().is_ok_and(|own| own.no_one == Some(IfNoOne::NextStep));
        self.mark(i, clock, hurry);
        let news = match outcome {
            Ok(fired) => {
                self.progress.n_fired = self.progress.n_fired.saturating_add(1);
                if !fired.notice.to.is_empty() {
                    self.progress.last_notified = Some(fired.step);
                }
                let from = fired.handed_over.as_ref().map(|over| over.from.clone());
                self.progress.owners.extend(from);
                EscalationNews::StepFired(Box::new(fired))
            }
            Err(reason) => EscalationNews::StepPassed { step: number(i), reason },
        };
        self.tell(news);
        self.end_loop();
    }

    fn mark(&mut self, i: usize, clock: Option<ClockCycle>, hurry: bool) {
        let loop_index = self.progress.loop_index;
        if let Some(mark) = self.progress.marks.get_mut(i) {
            mark.done = Some(StepDone { loop_index, at: self.at, hurry });
            mark.clock = mark.clock.max(clock);
        }
        self.progress.step = number(self.view().first_open());
    }

    fn guard(&self, step: &StepDef) -> Result<(), Reason> {
        let guard = step.guard.parse(self.scene.schema).map_err(|_| Reason::GuardUnreadable)?;
        if guard.holds(self.scene.facts) { Ok(()) } else { Err(Reason::GuardNotMet) }
    }

    fn fired(&self, i: usize, step: &StepDef, why: Reason) -> Result<StepFired, Reason> {
        let mut handed_over = self.hand_over(step)?;
        let mut notice = self.notice(&step.targets);
        let is_nobody = !step.targets.is_empty() && notice.to.is_empty();
        let no_one = is_nobody.then_some(step.if_no_one);
        if no_one == Some(IfNoOne::Fallback) {
            notice.to = self.notice(&self.policy.fallback).to;
        }
        if let (Some(over), StepKind::Functional { strategy: Strategy::AssignTarget, .. }) =
            (&mut handed_over, &step.kind)
        {
            over.assignee = notice.first_agent();
        }
        let actions: &[Action] = match &step.kind {
            StepKind::Automation { actions } => actions,
            StepKind::Hierarchical | StepKind::Functional { .. } => &[],
        };
        Ok(StepFired {
            step: number(i),
            loop_index: self.progress.loop_index,
            why,
            clock: self.view().cycle(i),
            notice,
            no_one,
            handed_over,
            actions: actions.to_vec(),
        })
    }

    fn notice(&self, targets: &[Target]) -> Notice {
        let turn = self.scene.ticket.number.n.wrapping_add(u64::from(self.progress.loop_index));
        resolve(targets, self.scene, self.at, turn)
    }

    /// To whom a step hands the ticket over; `None` where it does not.
    fn hand_over(&self, step: &StepDef) -> Result<Option<HandedOver>, Reason> {
        let StepKind::Functional { to, .. } = &step.kind else { return Ok(None) };
        if self.progress.owners.len() >= HAND_OVERS_MAX {
            return Err(Reason::TooManyHandOvers);
        }
        hand_over(to, self.scene).map(Some)
    }

    /// Where no step of the loop may come any more: the next loop, or the end.
    pub(super) fn end_loop(&mut self) {
        if self.progress.state != ChainState::Pending || self.view().coming().contains(&true) {
            return;
        }
        if self.policy.repeat.goes_on(self.progress.n_repeats) {
            let before = self.progress.clone();
            self.begin_loop();
            if self.waits_for_time() {
                self.progress.n_repeats = before.n_repeats.saturating_add(1);
                return self.tell(EscalationNews::LoopBegan);
            }
            self.progress = before;
        }
        self.progress.state = ChainState::Exhausted;
        let notice = match self.policy.on_exhausted {
            OnExhausted::Hold => Notice::default(),
            OnExhausted::NotifyFallback => self.notice(&self.policy.fallback),
        };
        self.tell(EscalationNews::Exhausted { notice });
    }

    /// Whether the loop has a step that time brings.
    fn waits_for_time(&self) -> bool {
        let coming = self.view().coming();
        let is_timed = |(step, comes): (&StepDef, bool)| {
            comes && matches!(step.trigger, Trigger::After { .. } | Trigger::Idle { .. })
        };
        self.policy.steps.iter().zip(coming).any(is_timed)
    }

    /// Goes back to the first step, from now.
    fn begin_loop(&mut self) {
        let progress = &mut self.progress;
        progress.state = ChainState::Pending;
        progress.loop_index = progress.loop_index.saturating_add(1);
        progress.loop_began_at = self.at;
        progress.counts_from = Some(self.at);
        progress.acked = None;
        progress.reopened_at = None;
        self.progress.step = number(self.view().first_open());
    }

    /// Goes back to the first step for another reason than a repeat: all repeats
    /// are to come again.
    pub(super) fn restart(&mut self) {
        self.begin_loop();
        self.progress.n_repeats = 0;
    }

    /// Goes on at the step that was next; its wait begins anew.
    pub(super) fn resume(&mut self) {
        self.progress.state = ChainState::Pending;
        self.progress.acked = None;
        self.progress.counts_from = Some(self.at);
        self.progress.step = number(self.view().first_open());
    }

    fn ack_timeout(&mut self) {
        let (Some(ack), Some(timeout)) = (self.progress.acked, self.policy.ack_timeout) else {
            return;
        };
        let steps = &self.policy.steps;
        let last = self.progress.last_notified.unwrap_or(self.progress.step);
        let targets = steps.get(usize::from(last)).or(steps.last()).map(|step| &*step.targets);
        let mut notice = self.notice(targets.unwrap_or(&[]));
        if self.scene.roster.active(ack.by).is_some() {
            notice.add(Recipient::Agent { id: ack.by }, None);
        }
        match timeout.then {
            AfterAck::Restart => self.restart(),
            AfterAck::Resume => self.resume(),
        }
        self.tell(EscalationNews::AckTimedOut { by: ack.by, notice });
        self.end_loop();
    }

    pub(super) fn over(&mut self, why: DoneWhy) {
        self.progress.state = ChainState::Done;
        self.progress.acked = None;
        self.progress.done = Some(why);
        self.tell(EscalationNews::Done { why });
    }
}

/// A step's number; a policy has few.
pub(super) fn number(i: usize) -> u16 {
    u16::try_from(i).unwrap_or(u16::MAX)
}
