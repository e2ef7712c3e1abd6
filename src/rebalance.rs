//! Many waiting tickets at once, each by a decision of its own.

use crate::engine::{Call, Helpdesk, Job, Outcome};
use crate::error::Result;
use chrono::{DateTime, Utc};
use helpdesk_core::access::permission::Permission;
use helpdesk_core::actor::Actor;
use helpdesk_core::case::record::Record;
use helpdesk_core::command::{Command, OnTicket, Rebalance};
use helpdesk_core::decide::{Batch, Batched, Made, Wanted};
use helpdesk_core::fault::{Code, Fault, Rejection};
use helpdesk_core::id::{Key, derived_command_id};
use helpdesk_core::limit::{BATCH_MAX, PAGE_MAX};
use helpdesk_storage::{ListKind, ListQuery, Shelf};

impl Helpdesk {
    /// Picks the waiting tickets in the actor's scope that somebody has room for, and
    /// seeks an agent for each, in their order and on the loads as they are by then.
    /// One that is gone meanwhile, or that nobody has room for any more, is passed over.
    pub(crate) async fn rebalance(
        &self,
        actor: &Actor,
        call: &Call,
        rebalance: &Rebalance,
        now: DateTime<Utc>,
    ) -> Result<Outcome> {
        self.refresh_agents(actor.tenant).await?;
        self.check_many(actor, call, now).await?;
        let batched = self.batch(actor, &rebalance.queues, now).await?;
        let mut outcome = Outcome { n_left: batched.n_left, ..Outcome::of(Made::default()) };
        for ticket in batched.tickets {
            let parts: [&[u8]; 3] = [b"seek", call.command_id.0.as_bytes(), ticket.0.as_bytes()];
            let seek = Command::SeekAgent(OnTicket { ticket });
            let one = Call::new(derived_command_id(&parts), seek);
            self.run_one(&Job { actor, call: &one, now, lease: None }, ticket, &mut outcome)
                .await?;
        }
        Ok(outcome)
    }

    async fn batch(&self, actor: &Actor, queues: &[Key], now: DateTime<Utc>) -> Result<Batched> {
        let asking = self.asking(actor, now).await?;
        let desk = &asking.snapshot.desk;
        let unknown = queues.iter().enumerate().filter(|(_, key)| desk.queue(key).is_none());
        let faults = unknown.map(|(i, key)| {
            let message = format!("the desk has no queue `{key}`");
            Fault::new(format!("queues[{i}]"), Code::NotConfigured, message)
        });
        let faults: Vec<Fault> = faults.collect();
        if !faults.is_empty() {
            return Err(Rejection::many(faults).into());
        }
        let mut batch = Batch::new(desk, &asking.snapshot.roster, queues, now);
        let mut query = ListQuery::all(actor.tenant, ListKind::Cases(Shelf::Live), now, PAGE_MAX);
        query.terms = desk.terms().clone();
        query.condition = batch.condition();
        query.scope = asking.scope(Permission::RouteAgain);
        loop {
            let page = self.inner.store.list(&query).await?;
            let wanted = page.rows.into_iter().filter_map(|stored| match stored.record {
                Record::Case(case) => batch.wants(*case),
                _ => None,
            });
            let wanted: Vec<_> = wanted.collect();
            let requesters = wanted.iter().filter_map(Wanted::requester).collect();
            let answered = self.answered_by(actor.tenant, requesters).await?;
            for wanted in wanted {
                let last = wanted.requester().and_then(|id| answered.get(&id).copied());
                batch.keep(wanted, last);
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(batch.pick(BATCH_MAX)),
            }
        }
    }
}
