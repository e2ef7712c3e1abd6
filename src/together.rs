//! Commands on different tickets of one tenant that are decided one after the other and committed
//! together: each on what those before it are about to do, so the disk is waited for once.

use crate::attempt::{Begun, Looked, Proposal};
use crate::engine::{Helpdesk, Job, Verdict, command_span, hash_of};
use crate::error::{Error, Result};
use crate::pace::SHARE_MAX;
use crate::snapshot::{Snapshot, Tenant};
use crate::spans::{coded, step_span};
use helpdesk_core::fault::Code;
use std::sync::Arc;
use tracing::{Instrument, Span};

/// How many are tried together at most: what cannot be done with those before it was loaded in
/// vain.
#[derive(Debug)]
pub(crate) struct TogetherMax(usize);

impl Default for TogetherMax {
    fn default() -> Self {
        Self(SHARE_MAX)
    }
}

impl TogetherMax {
    pub(crate) fn get(&self) -> usize {
        self.0
    }

    /// Goes by how many of those that were tried together were done. Where it was none, the first
    /// goes alone.
    pub(crate) fn learn(&mut self, n_tried: usize, n_done: usize) {
        let next = match n_done {
            0 => 1,
            _ if n_done == n_tried => self.0.max(2 * n_done),
            _ => n_done + 1,
        };
        self.0 = next.min(SHARE_MAX);
    }
}

/// A command whose records are loaded, to be decided with others.
struct LookedAt<'a> {
    job: &'a Job<'a>,
    sha256: String,
    span: Span,
    at: Box<Looked>,
}

impl Helpdesk {
    /// Decides commands on different tickets in their order and commits them at once, unless one
    /// before is not done. How those ended that were begun: it stops before the first that was
    /// done earlier, that opens a ticket or takes a file, that was loaded with what one before it
    /// writes, that comes behind a change of more than what agents hold, or that is not next behind
    /// what was begun.
    pub(crate) async fn run_together(
        &self,
        tenant: &Arc<Tenant>,
        jobs: &[Job<'_>],
        is_next: impl Fn(usize, &[Begun<'_>]) -> bool,
    ) -> Vec<Result<Option<Verdict>>> {
        // Whatever cannot be read is found out by the one that it is about.
        let Ok(looked) = self.look_at(tenant, jobs).await else { return Vec::new() };
        let begun = self.begin_together(tenant, &looked, is_next);
        let mut ends = Vec::with_capacity(begun.len());
        for (LookedAt { job, sha256, span, .. }, one) in looked.iter().zip(begun) {
            let end = self.end_in_turn(job, tenant, one, sha256).instrument(span.clone()).await;
            span.record("code", code_of(&end));
            ends.push(end);
        }
        ends
    }

    /// Loads what they look at in as many reads as one of them needs.
    async fn look_at<'a>(
        &self,
        tenant: &Arc<Tenant>,
        jobs: &'a [Job<'a>],
    ) -> Result<Vec<LookedAt<'a>>> {
        let spans: Vec<Span> = jobs.iter().map(command_span).collect();
        let (Some(first), Some(span)) = (jobs.first(), spans.first()) else {
            return Ok(Vec::new());
        };
        let Snapshot { desk, config_version, .. } = tenant.ahead();
        let load = self.load(jobs, tenant, &desk, Tenant::ahead);
        let cases = coded(step_span!("load", first), load).instrument(span.clone()).await?;
        let mut looked = Vec::with_capacity(jobs.len());
        for ((job, case), span) in jobs.iter().zip(cases).zip(spans) {
            if case.earlier.is_some() || job.call.command.may_open() {
                break;
            }
            let at = self.looked(job, &desk, config_version, case, None);
            looked.push(LookedAt { job, sha256: hash_of(job)?, span, at: Box::new(at) });
        }
        Ok(looked)
    }

    /// Decides as many of them as nothing comes between.
    fn begin_together<'t>(
        &self,
        tenant: &'t Arc<Tenant>,
        looked: &[LookedAt<'_>],
        is_next: impl Fn(usize, &[Begun<'_>]) -> bool,
    ) -> Vec<Begun<'t>> {
        let mut begun: Vec<Begun<'t>> = Vec::with_capacity(looked.len());
        for (i, LookedAt { job, sha256, span, at }) in looked.iter().enumerate() {
            let mut written = begun.iter().flat_map(|before| &before.written);
            if written.any(|stream| at.has_asked(*stream)) || !is_next(i, &begun) {
                break;
            }
            let _entered = span.enter();
            let (decided, seen) = tenant.look(|snapshot| self.decide(job, at, snapshot));
            let Some(decided) = decided else { break };
            if decided.as_ref().is_ok_and(|decision| !decision.wholes.is_empty()) {
                // Texts are put into the store of files before a turn is taken.
                break;
            }
            let behind = begun.iter().rev().find_map(Begun::committing);
            let proposal = Proposal { decided, seen, leads: true, behind };
            let one = self.begin_in_turn(job, tenant, at, proposal, sha256);
            let is_last = one.timers_ahead().is_none();
            begun.push(one);
            if is_last {
                break;
            }
        }
        begun
    }
}

/// How a part ended, in one stable word; what is to be decided again lost a race.
fn code_of(end: &Result<Option<Verdict>>) -> &'static str {
    let code = match end {
        Ok(Some(Ok(_))) => return "ok",
        Ok(Some(Err(rejection))) => rejection.code,
        Ok(None) => Code::Conflict,
        Err(error) => Error::code(error),
    };
    code.as_str()
}
