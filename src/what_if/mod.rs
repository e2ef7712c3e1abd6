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
use helpdesk_core::access::permission::Permission;
use helpdesk_core::case::record::{Record, RecordKey};
use helpdesk_core::event::StreamId;
use helpdesk_core::fault::{Code, Fault, Rejection};
use helpdesk_core::query::Answer;
use helpdesk_core::what_if::compare::compare;
use helpdesk_core::what_if::{WhatIf, WhatIfAnswer};
use replay::Tried;
use serde_json::Value;

impl Helpdesk {
    pub(crate) async fn what_if(&self, asking: &Asking<'_>, what_if: &WhatIf) -> Result<Answer> {
        asking.require(Permission::ManageConfig)?;
        what_if.check()?;
        let in_force = self.document_in_force(asking).await?;
        let changed = what_if.document.as_ref().unwrap_or(&in_force);
        let desk = match self.inner.reader.read(changed) {
            Ok(desk) => desk,
            Err(faults) => {
                let under = |fault: Fault| fault.under("document");
                let faults = faults.into_iter().map(under).collect();
                return Ok(Answer::WhatIf(Box::new(WhatIfAnswer { faults, ..Default::default() })));
            }
        };
        let staff = self.read_staff(asking, what_if).await?;
        let other = staff.with(what_if, &desk)?;
        let history = self.read_history(asking, what_if).await?;
        let before = Tried { document: &in_force, desk: &asking.snapshot.desk, staff: &staff };
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

    async fn document_in_force(&self, asking: &Asking<'_>) -> Result<Value> {
        let tenant = asking.actor.tenant;
        let key = RecordKey::Stream(StreamId::config(tenant));
        let found = self.inner.store.get(tenant, &[key]).await?.into_iter().flatten().next();
        match found.map(|stored| stored.record) {
            Some(Record::Config(config)) => Ok(config.document),
            _ => Err(Rejection::new(Code::Internal, "the configuration in force is gone").into()),
        }
    }
}
