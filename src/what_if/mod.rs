//! What would have been: recorded tickets once more, through a private engine.
//!
//! Reads the tenant's store, writes nothing to it. Both runs, under the
//! configuration in force and under the changed one, are the same replay.

mod history;
mod parts;
mod perform;
mod replay;
mod staff;

use crate::answer::Asking;
use crate::engine::Helpdesk;
use crate::error::Result;
use crate::snapshot::read_desk;
use helpdesk_core::access::permission::Permission;
use helpdesk_core::case::record::{Record, RecordKey, Stored};
use helpdesk_core::desk::Desk;
use helpdesk_core::event::StreamId;
use helpdesk_core::fault::{Code, Fault, Rejection};
use helpdesk_core::query::Answer;
use helpdesk_core::what_if::compare::compare;
use helpdesk_core::what_if::{WhatIf, WhatIfAnswer};
use helpdesk_storage::StoreExt;
use replay::Tried;
use serde_json::Value;
use std::sync::Arc;

impl Helpdesk {
    pub(crate) async fn what_if(&self, asking: &Asking<'_>, what_if: &WhatIf) -> Result<Answer> {
        asking.require(Permission::ManageConfig)?;
        what_if.check()?;
        let (in_force, own_desk) = self.config_in_force(asking).await?;
        let (changed, desk) = match &what_if.document {
            None => (&in_force, own_desk.clone()),
            Some(changed) => match self.inner.reader.read(changed) {
                Ok(desk) => (changed, Arc::new(desk)),
                Err(faults) => {
                    let under = |fault: Fault| fault.under("document");
                    let faults = faults.into_iter().map(under).collect();
                    let answer = WhatIfAnswer { faults, ..WhatIfAnswer::default() };
                    return Ok(Answer::WhatIf(Box::new(answer)));
                }
            },
        };
        let staff = self.read_staff(asking, what_if).await?;
        let other = staff.with(what_if, &desk)?;
        let history = self.read_history(asking, what_if).await?;
        let before = Tried { document: &in_force, desk: &own_desk, staff: &staff };
        let before = replay::run(self, &history, &before).await?;
        let after = Tried { document: changed, desk: &desk, staff: &other };
        let after = replay::run(self, &history, &after).await?;
        let answer = WhatIfAnswer {
            n_tickets: history.n_tickets,
            n_redacted: history.n_redacted,
            ..compare(&history.tickets, &before, &after, what_if.rows())
        };
        Ok(Answer::WhatIf(Box::new(answer)))
    }

    /// The document in force and the desk that it makes, both as the store has them now.
    async fn config_in_force(&self, asking: &Asking<'_>) -> Result<(Value, Arc<Desk>)> {
        let tenant = asking.actor.tenant;
        let key = RecordKey::Stream(StreamId::config(tenant));
        let Some(Stored { version, record: Record::Config(config) }) =
            self.inner.store.get_one(tenant, key).await?
        else {
            return Err(Rejection::new(Code::Internal, "the configuration in force is gone").into());
        };
        let desk = match version == asking.snapshot.config_version {
            true => asking.snapshot.desk.clone(),
            false => Arc::new(read_desk(&self.inner.reader, &config)?),
        };
        Ok((config.document, desk))
    }
}
