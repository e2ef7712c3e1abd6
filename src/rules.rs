//! Answers about routing rules: how often each decided, and what a ticket meets.

use crate::answer::Asking;
use crate::engine::Helpdesk;
use crate::error::Result;
use chrono::{DateTime, Utc};
use helpdesk_core::access::permission::Permission;
use helpdesk_core::access::scope::Scope;
use helpdesk_core::case::facts::Around;
use helpdesk_core::decide::explain_rules;
use helpdesk_core::event::StreamKind;
use helpdesk_core::fault::{Code, Rejection};
use helpdesk_core::id::Key;
use helpdesk_core::limit::PAGE_MAX;
use helpdesk_core::query::{Answer, TicketName};
use helpdesk_core::routing::usage::RuleCounter;
use helpdesk_storage::{EventQuery, EventSource};

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
        let mut after = 0;
        loop {
            let source = EventSource::Feed { after, kinds: vec![StreamKind::Case] };
            let query = EventQuery::new(asking.actor.tenant, source, PAGE_MAX);
            let page = self.inner.store.events(&query).await?;
            page.rows.iter().for_each(|row| counter.see(row));
            match page.rows.last() {
                Some(last) if page.next.is_some() => after = last.position,
                _ => break,
            }
        }
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
