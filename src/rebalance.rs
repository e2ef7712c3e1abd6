//! Many waiting tickets at once, each by a decision of its own.

use crate::engine::{Call, Helpdesk, Outcome};
use crate::error::Result;
use chrono::{DateTime, Utc};
use helpdesk_core::access::permission::Permission;
use helpdesk_core::actor::Actor;
use helpdesk_core::command::{Command, OnTicket, Rebalance};
use helpdesk_core::decide::{Batched, Made};
use helpdesk_core::fault::{Code, Fault, Rejection};
use helpdesk_core::id::{Key, derived_command_id};
use helpdesk_core::limit::BATCH_MAX;
use helpdesk_core::routing::waiting_index::{Waiting, WaitingIndex};

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
        let calls = batched.tickets.into_iter().map(|ticket| {
            let parts: [&[u8]; 3] = [b"seek", call.command_id.0.as_bytes(), ticket.0.as_bytes()];
            let seek = Command::SeekAgent(OnTicket { ticket });
            (ticket, Call::new(derived_command_id(&parts), seek))
        });
        self.run_each(actor, &calls.collect::<Vec<_>>(), now, &mut outcome).await?;
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
        let roster = &asking.snapshot.roster;
        let scope = asking.scope(Permission::RouteAgain);
        let is_named = |queue: &Key| queues.is_empty() || queues.contains(queue);
        let pick = |index: &WaitingIndex| {
            let waiting = index.iter().filter(|it| is_named(&it.queue.key));
            let seen = waiting.filter(|it| scope.permits(&it.ticket));
            Batched::pick(seen.map(Waiting::upcoming), desk, roster, now, BATCH_MAX)
        };
        let tenant = self.tenant(actor.tenant).await?;
        self.with_waiting(&tenant, &asking.snapshot, pick).await
    }
}
