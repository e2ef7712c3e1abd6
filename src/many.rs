//! One command on many tickets: each ticket by a decision of its own, many committed together.

use crate::engine::{
    Call, Done, EachOutcome, Helpdesk, Job, Outcome, Verdict, or_unknown, tell_denied,
};
use crate::error::{Error, Result};
use crate::together::TogetherMax;
use chrono::{DateTime, Utc};
use helpdesk_core::actor::Actor;
use helpdesk_core::command::Command;
use helpdesk_core::decide::Made;
use helpdesk_core::fault::{Code, Rejection};
use helpdesk_core::id::{TicketId, derived_command_id};
use helpdesk_core::limit::BATCH_MAX;
use helpdesk_storage::StoreError;
use std::collections::BTreeSet;

impl Helpdesk {
    /// Each for itself, under ids derived from the whole's; one failure does not
    /// stop the rest. The whole counts as replayed when parts of it had been done
    /// before and no part was done now.
    pub(crate) async fn execute_each(
        &self,
        actor: &Actor,
        call: &Call,
        commands: Vec<Command>,
        now: DateTime<Utc>,
    ) -> Result<Outcome> {
        if commands.len() > BATCH_MAX {
            let message = format!("{} tickets, at most {BATCH_MAX}", commands.len());
            return Err(Rejection::at(Code::OverLimit, "tickets", message).into());
        }
        self.check_many(actor, call, now).await?;
        let calls = commands.into_iter().enumerate().filter_map(|(i, command)| {
            let index = (i as u64).to_be_bytes();
            let id = derived_command_id(&[b"each", call.command_id.0.as_bytes(), &index]);
            Some((command.ticket()?, Call::new(id, command)))
        });
        let mut outcome = Outcome::of(Made::default());
        let is_done = self.run_each(actor, &calls.collect::<Vec<_>>(), now, &mut outcome).await?;
        outcome.replayed &= !is_done;
        Ok(outcome)
    }

    /// Does the parts on these tickets in their order, as many together as can be, and puts their
    /// outcomes to the whole's; whether something was done now. Only a store that cannot be
    /// reached stops the rest; where that is not at the first part, it is not said that nothing
    /// changed.
    pub(crate) async fn run_each<'a>(
        &self,
        actor: &'a Actor,
        calls: &'a [(TicketId, Call)],
        now: DateTime<Utc>,
        whole: &mut Outcome,
    ) -> Result<bool> {
        let tenant = self.tenant(actor.tenant).await?;
        // Another engine may have made what this one does not know: a rejection holds by what was
        // there when it was asked.
        let is_shared = self.inner.store.capabilities().is_shared;
        let is_fresh = !is_shared || self.refresh(tenant.id).await.is_ok();
        let mut max = TogetherMax::default();
        let (mut is_done, mut is_first) = (false, true);
        let mut rest = calls;
        while !rest.is_empty() {
            let group = &rest[..n_together(rest, max.get())];
            let job = |(_, call): &'a (TicketId, Call)| Job { actor, call, now, lease: None };
            let jobs: Vec<Job<'_>> = group.iter().map(job).collect();
            let ends = match jobs.len() {
                1 => Vec::new(),
                _ => self.run_together(&tenant, &jobs, |_, _| true).await,
            };
            let n_begun = ends.len().max(1);
            max.learn(jobs.len(), if jobs.len() == 1 { 1 } else { ends.len() });
            is_first &= !ends.iter().any(may_be_done);
            let mut ends = ends.into_iter();
            for ((ticket, _), job) in group.iter().zip(&jobs).take(n_begun) {
                let end = match ends.next() {
                    Some(Ok(Some(Ok(done)))) => Ok(done),
                    Some(Ok(Some(Err(rejection)))) if is_fresh => {
                        tell_denied(job, Some(rejection.code));
                        Err(rejection.into())
                    }
                    Some(Err(Error::Store(unknown @ StoreError::Ambiguous { .. }))) => {
                        let end = self.run_to_verdict(job).await;
                        let end = end.map_err(|error| match error {
                            // It stops the rest, and says so of the whole.
                            Error::Store(StoreError::Unavailable { .. }) => error,
                            error => or_unknown(error, Some(unknown)),
                        });
                        end.and_then(|verdict| verdict.map_err(Error::from))
                    }
                    _ => self.run(job).await,
                };
                is_done |= self.take_part(*ticket, end, is_first, whole)?;
                is_first = false;
            }
            rest = &rest[n_begun..];
        }
        Ok(is_done)
    }

    /// Refuses a command on many tickets as a whole.
    pub(crate) async fn check_many(
        &self,
        actor: &Actor,
        call: &Call,
        now: DateTime<Utc>,
    ) -> Result<()> {
        if call.expected_version.is_some() {
            let message = "many tickets have no version in common: leave it out";
            return Err(Rejection::at(Code::Invalid, "expected_version", message).into());
        }
        let permitted = self.check_permission(actor, &call.command).await;
        let code = permitted.as_ref().err().map(Error::code);
        tell_denied(&Job { actor, call, now, lease: None }, code);
        permitted
    }

    /// Puts the outcome of the part about this ticket to the whole's; whether something was done
    /// now.
    fn take_part(
        &self,
        ticket: TicketId,
        end: Result<Done>,
        is_first: bool,
        whole: &mut Outcome,
    ) -> Result<bool> {
        match end {
            Ok(Done { outcome: Outcome { events, replayed, .. }, .. }) => {
                let is_done = !replayed && !events.is_empty();
                whole.replayed |= replayed;
                whole.events.extend(events);
                whole.each.push(EachOutcome { ticket, replayed, error: None });
                Ok(is_done)
            }
            Err(error @ Error::Store(StoreError::Unavailable { .. })) => {
                let backend = self.inner.store.capabilities().backend;
                Err(if is_first { error } else { error.after_parts(backend) })
            }
            Err(error) => {
                let error = Some(error.body());
                whole.each.push(EachOutcome { ticket, replayed: false, error });
                Ok(false)
            }
        }
    }
}

/// How many of them may be tried together: on different tickets, at most so many.
fn n_together(calls: &[(TicketId, Call)], max: usize) -> usize {
    let mut tickets = BTreeSet::new();
    calls.iter().take(max).take_while(|(ticket, _)| tickets.insert(*ticket)).count()
}

/// Whether it was committed, or nobody knows.
fn may_be_done(end: &Result<Option<Verdict>>) -> bool {
    matches!(end, Ok(Some(Ok(_))) | Err(Error::Store(StoreError::Ambiguous { .. })))
}
