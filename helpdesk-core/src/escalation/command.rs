//! What agents do to a ticket's escalation: acknowledge, force, hand back.

use super::chain::{Chain, ChainState, EscalationChange, EscalationNews, Owner};
use super::policy::StopOn;
use super::reason::Reason;
use super::run::Run;
use super::scene::Scene;
use crate::fault::{Code, Rejection};
use crate::id::AgentId;
use crate::limit::TEXT_BYTES_MAX;
use chrono::{DateTime, Utc};

/// An agent takes care of the ticket.
///
/// Where the policy stops on that, only steps of SLA clocks fire from now on,
/// until the acknowledgement is taken back or times out; otherwise it is only
/// recorded. Nothing happens while another acknowledgement holds.
///
/// # Errors
///
/// [`Code::Invalid`] when the chain is over.
pub fn acknowledge(
    chain: &Chain,
    by: AgentId,
    at: DateTime<Utc>,
    scene: &Scene<'_>,
) -> Result<Vec<EscalationChange>, Rejection> {
    let mut run = live(chain, at, scene)?;
    if run.progress.state == ChainState::Acked {
        return Ok(Vec::new());
    }
    run.progress.acked = Some(super::chain::Ack { by, at });
    if chain.snapshot.policy.stop_on.contains(&StopOn::Ack) {
        run.progress.state = ChainState::Acked;
    }
    run.tell(EscalationNews::Acknowledged { by });
    Ok(run.finish())
}

/// An agent takes the acknowledgement back: the chain begins at its first step.
/// One that waits for a step goes on.
///
/// # Errors
///
/// [`Code::Invalid`] when the chain is over.
pub fn unacknowledge(
    chain: &Chain,
    by: AgentId,
    at: DateTime<Utc>,
    scene: &Scene<'_>,
) -> Result<Vec<EscalationChange>, Rejection> {
    let mut run = live(chain, at, scene)?;
    match run.progress.state {
        ChainState::Pending | ChainState::Done if run.progress.acked.is_none() => {
            return Ok(Vec::new());
        }
        ChainState::Pending | ChainState::Done => run.progress.acked = None,
        ChainState::Acked | ChainState::Exhausted => run.restart(),
    }
    run.tell(EscalationNews::Unacknowledged { by });
    Ok(run.finish())
}

/// An agent makes the chain go on now.
///
/// One that waits fires `step`, or the first that is not done in this loop,
/// whatever its trigger and its guard say. One that is acknowledged waits again;
/// one that is at its end begins at its first step. With a `step` that fires then, too.
///
/// # Errors
///
/// [`Code::Invalid`] when the chain is over, there is no such step, or it is
/// done in this loop, or fired for this cycle and target of its clock.
pub fn force(
    chain: &Chain,
    step: Option<u16>,
    by: AgentId,
    at: DateTime<Utc>,
    scene: &Scene<'_>,
) -> Result<Vec<EscalationChange>, Rejection> {
    let mut run = live(chain, at, scene)?;
    match run.progress.state {
        ChainState::Pending | ChainState::Done => {}
        ChainState::Acked => {
            run.resume();
            run.tell(EscalationNews::Forced { by });
            if step.is_none() {
                run.end_loop();
                return Ok(run.finish());
            }
        }
        ChainState::Exhausted => {
            run.restart();
            run.tell(EscalationNews::Forced { by });
            if step.is_none() {
                return Ok(run.finish());
            }
        }
    }
    let step = usize::from(step.unwrap_or(run.progress.step));
    let n = chain.snapshot.policy.steps.len();
    if step >= n {
        let message = format!("there is no step {step}: the policy has {n}, from 0");
        return Err(Rejection::new(Code::Invalid, message));
    }
    if run.view().settled(step).is_some() {
        let message = format!("step {step} is done in this loop");
        return Err(Rejection::new(Code::Invalid, message));
    }
    run.step(step, Reason::Forced);
    Ok(run.finish())
}

/// An agent hands the ticket back to whom it was handed over from last. The
/// `note` says why, and becomes an internal note of the ticket.
///
/// An assignee who is deactivated by now gets it back no more: the group does.
/// Steps and acknowledgement stay as they are.
///
/// # Errors
///
/// [`Code::RequiredField`] without a note, [`Code::OverLimit`] with one that is
/// too long, [`Code::Invalid`] when the ticket was never handed over, or is back.
pub fn hand_back(
    chain: &Chain,
    note: &str,
    by: AgentId,
    at: DateTime<Utc>,
    scene: &Scene<'_>,
) -> Result<Vec<EscalationChange>, Rejection> {
    if note.trim().is_empty() {
        return Err(Rejection::at(Code::RequiredField, "note", "say why it goes back"));
    }
    if note.len() > TEXT_BYTES_MAX {
        let message = format!("{} bytes, at most {TEXT_BYTES_MAX}", note.len());
        return Err(Rejection::at(Code::OverLimit, "note", message));
    }
    let mut run = Run::new(chain, at, scene);
    let Some(owner) = run.progress.owners.pop() else {
        let message = "nobody had it before: it was not handed over";
        return Err(Rejection::new(Code::Invalid, message));
    };
    let assignee = owner.assignee.filter(|id| scene.roster.active(*id).is_some());
    run.tell(EscalationNews::HandedBack { by, to: Owner { assignee, ..owner } });
    Ok(run.finish())
}

/// A chain that is not over.
fn live<'a>(
    chain: &'a Chain,
    at: DateTime<Utc>,
    scene: &'a Scene<'a>,
) -> Result<Run<'a>, Rejection> {
    if chain.progress.state == ChainState::Done {
        return Err(Rejection::new(Code::Invalid, "the escalation is over"));
    }
    Ok(Run::new(chain, at, scene))
}
