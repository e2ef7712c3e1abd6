//! Answers about routing rules: how often each decided, and what a ticket meets.

use crate::answer::Asking;
use crate::engine::Helpdesk;
use crate::error::Result;
use chrono::{DateTime, Utc};
use helpdesk_core::access::permission::Permission;
use helpdesk_core::access::scope::Scope;
use helpdesk_core::case::facts::Around;
use helpdesk_core::decide::explain_rules;
use helpdesk_core::fault::{Code, Rejection};
use helpdesk_core::id::Key;
use helpdesk_core::query::{Answer, TicketName};
use helpdesk_core::routing::usage::RuleCounter;

impl Helpdesk {
    /// Goes through the tenant's journal page by page; no ticket is read. Counts tell
    /// of tickets, so it is for those who see all of them.
    pub(crate) async fn rule_usage(
        &self,
        asking: &Asking<'_>,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Answer> {
        asking.require(Permission::ManageConfig)?;
        if asking.scope(Permission::Read) != Scope::All {
            let message = "rules are counted over all tickets: this is for those who see all";
            return Err(Rejection::new(Code::Forbidden, message).into());
        }
        if until <= from {
            return Err(Rejection::at(Code::Invalid, "until", "until after from").into());
        }
        let mut counter = RuleCounter::new(from, until);
        self.each_case_event(asking.actor.tenant, |row| counter.see(row)).await?;
        Ok(Answer::RuleUsage(counter.finish(asking.snapshot.desk.rules())))
    }

    pub(crate) async fn explain_rules(
        &self,
        asking: &Asking<'_>,
        name: &TicketName,
        rules: &[Key],
    ) -> Result<Answer> {
        let (case, _) = self.seen(asking, name).await?;
        asking.for_agents(&case)?;
        let beside = self.beside(asking, &case).await?;
        let around = Around { clocks: Some(&case), ..beside.around() };
        let explained = explain_rules(&case, around, &asking.snapshot.desk, rules, asking.now)?;
        Ok(Answer::Rules(explained))
    }
}
