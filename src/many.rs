//! One command on many tickets: each ticket by a decision of its own.

use crate::engine::{Call, Done, EachOutcome, Helpdesk, Job, Outcome, tell_denied};
use crate::error::{Error, Result};
use chrono::{DateTime, Utc};
use helpdesk_core::actor::Actor;
use helpdesk_core::command::Command;
use helpdesk_core::decide::Made;
use helpdesk_core::fault::{Code, Rejection};
use helpdesk_core::id::{TicketId, derived_command_id};
use helpdesk_core::limit::BATCH_MAX;
use helpdesk_storage::StoreError;

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
        let mut is_done = false;
        let mut outcome = Outcome::of(Made::default());
        for (i, command) in commands.into_iter().enumerate() {
            let Some(ticket) = command.ticket() else { continue };
            let index = (i as u64).to_be_bytes();
            let id = derived_command_id(&[b"each", call.command_id.0.as_bytes(), &index]);
            let one = Call::new(id, command);
            let job = Job { actor, call: &one, now, lease: None };
            is_done |= self.run_one(&job, ticket, &mut outcome).await?;
        }
        outcome.replayed &= !is_done;
        Ok(outcome)
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

    /// Does the part about this ticket and puts its outcome to the whole's; whether
    /// something was done now. Only a store that cannot be reached stops the rest; where
    /// that is not the first part, it is not said that nothing changed.
    pub(crate) async fn run_one(
        &self,
        job: &Job<'_>,
        ticket: TicketId,
        whole: &mut Outcome,
    ) -> Result<bool> {
        match self.run(job).await {
            Ok(Done { outcome: Outcome { events, replayed, .. }, .. }) => {
                let is_done = !replayed && !events.is_empty();
                whole.replayed |= replayed;
                whole.events.extend(events);
                whole.each.push(EachOutcome { ticket, replayed, error: None });
                Ok(is_done)
            }
            Err(error @ Error::Store(StoreError::Unavailable { .. })) => {
                let backend = self.inner.store.capabilities().backend;
                let is_first = whole.each.is_empty();
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
