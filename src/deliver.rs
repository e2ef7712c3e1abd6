//! Delivers the outbox.

use crate::engine::Helpdesk;
use crate::error::Result;
use crate::pace::{AtOnce, Keeper, Pace, SHARE_MAX};
use crate::spans::{code_of, coded};
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk_core::case::Case;
use helpdesk_core::case::record::{OutboxMessage, Record, RecordKey};
use helpdesk_core::contact::Contact;
use helpdesk_core::effect::Effect;
use helpdesk_core::escalation::resolve::Recipient as EscalatedTo;
use helpdesk_core::event::StreamId;
use helpdesk_core::id::{AgentId, TenantId};
use helpdesk_core::ticket::message::{Message, PublicMessage};
use helpdesk_notify::{DeliveryError, Notification, Recipient};
use helpdesk_storage::{
    ClaimParams, ClaimWhat, Lease, LeaseBody, Maintain, Settle, SettleHow, StoreExt,
};
use std::collections::VecDeque;
use tracing::Instrument;
use uuid::Uuid;

/// Messages leased at once.
const CLAIM_MAX: usize = 128;

/// What was delivered is settled after so long at the latest: it is what comes again when
/// the process ends.
const SETTLE_WITHIN: TimeDelta = TimeDelta::seconds(5);

/// Joins of one contact after another that a delivery follows.
const JOINS_MAX: usize = 32;

/// What a delivery did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct DeliverReport {
    /// Messages that were delivered, or that nobody wanted.
    pub delivered: u64,
    /// Messages that will be tried again.
    pub retried: u64,
    /// Messages that were given up.
    pub dead: u64,
    /// When the next message is due, if there is one.
    pub next_due: Option<DateTime<Utc>>,
}

impl Helpdesk {
    /// Hands what is due in the outbox to the notifier, at most `max` messages.
    ///
    /// At least once, each time under the same delivery id; messages of one
    /// ticket in the order they were committed. A transient failure is tried
    /// again later, a permanent one, or the last of
    /// [`ATTEMPTS_MAX`](helpdesk_notify::ATTEMPTS_MAX), becomes a dead letter.
    ///
    /// # Errors
    ///
    /// [`Error::Store`](crate::Error::Store) when the store cannot be reached; leased messages
    /// are delivered again when their lease has ended. A message whose ticket cannot be read
    /// counts as one that the channel failed on, and holds up no other.
    pub async fn deliver(&self, now: DateTime<Utc>, max: usize) -> Result<DeliverReport> {
        self.deliver_at(&AtOnce(now), max).await
    }

    /// The same with a clock, for channels that take their time: leases are extended while
    /// it goes on, what was delivered is settled every few seconds, and messages not yet
    /// begun are given back when it is over before its end. One delivery should end within
    /// 40 seconds, as the lease of the message itself is extended before it begins.
    ///
    /// # Errors
    ///
    /// As [`deliver`](Self::deliver).
    pub async fn deliver_at(&self, pace: &dyn Pace, max: usize) -> Result<DeliverReport> {
        let span = tracing::debug_span!("deliver", code = tracing::field::Empty);
        coded(span, self.deliver_all(pace, max)).await
    }

    async fn deliver_all(&self, pace: &dyn Pace, max: usize) -> Result<DeliverReport> {
        let mut report = DeliverReport::default();
        let mut budget = max;
        loop {
            let max = if pace.is_over() { 0 } else { budget.min(CLAIM_MAX) };
            let claim = ClaimParams::new(ClaimWhat::Outbox, pace.now(), max).with_share(SHARE_MAX);
            let keeper = Keeper::new(self, pace);
            let claimed = self.inner.store.claim(&claim).await?;
            report.next_due = claimed.next_due;
            if claimed.leases.is_empty() {
                return Ok(report);
            }
            budget = budget.saturating_sub(claimed.leases.len());
            self.deliver_leased(claimed.leases.into(), pace, keeper, &mut report).await?;
        }
    }

    /// Delivers what is leased, and settles it whatever happens.
    async fn deliver_leased(
        &self,
        mut leases: VecDeque<Lease>,
        pace: &dyn Pace,
        mut keeper: Keeper<'_>,
        report: &mut DeliverReport,
    ) -> Result<()> {
        let mut settles = Vec::with_capacity(leases.len());
        let mut settled_at = pace.now();
        let mut failure = None;
        while failure.is_none() && !pace.is_over() {
            if let Err(error) = keeper.keep(leases.iter().map(|lease| lease.token)).await {
                failure = Some(error);
                break;
            }
            let Some(lease) = leases.pop_front() else { break };
            match self.deliver_one(&lease, pace, report).await {
                Ok(how) => settles.push(Settle { token: lease.token, now: pace.now(), how }),
                Err(error) => {
                    failure = Some(error);
                    leases.push_front(lease);
                }
            }
            if failure.is_none() && pace.now() - settled_at >= SETTLE_WITHIN {
                // A lease that ended meanwhile is another's to settle.
                match self.inner.store.settle(settles.clone()).await {
                    Ok(_) => settles.clear(),
                    Err(error) => failure = Some(error.into()),
                }
                settled_at = pace.now();
            }
        }
        let now = pace.now();
        let given_back = leases.iter().map(|lease| lease.token);
        settles.extend(given_back.map(|token| Settle { token, now, how: SettleHow::Release }));
        if !settles.is_empty() {
            let settled = self.inner.store.settle(settles).await;
            if failure.is_none() {
                settled?;
            }
        }
        failure.map_or(Ok(()), Err)
    }

    async fn deliver_one(
        &self,
        lease: &Lease,
        pace: &dyn Pace,
        report: &mut DeliverReport,
    ) -> Result<SettleHow> {
        let LeaseBody::Outbox(message) = &lease.body else { return Ok(SettleHow::Done) };
        let span = tracing::debug_span!(
            "delivery",
            tenant = %lease.token.tenant,
            topic = message.effect.topic(),
            delivery_id = %message.id,
            code = tracing::field::Empty,
        );
        let how = self.deliver_message(lease, message, pace, report).instrument(span.clone()).await;
        span.record(
            "code",
            match &how {
                Ok(SettleHow::Retry { .. }) => "retried",
                Ok(SettleHow::Dead { .. }) => "dead",
                how => code_of(how),
            },
        );
        how
    }

    async fn deliver_message(
        &self,
        lease: &Lease,
        message: &OutboxMessage,
        pace: &dyn Pace,
        report: &mut DeliverReport,
    ) -> Result<SettleHow> {
        let notification = match self.notification(lease, message, pace.now()).await {
            Ok(notification) => notification,
            Err(error) if error.is_outage() => return Err(error),
            // It is tried as often as one that the channel fails on.
            Err(error) => {
                let (tenant, code) = (lease.token.tenant, error.code());
                tracing::error!(%tenant, %code, delivery_id = %message.id, "a message could not be read");
                let error =
                    DeliveryError::Transient { reason: error.to_string(), retry_after: None };
                return Ok(after_failure(&error, lease, message.id, pace.now(), report));
            }
        };
        let Some(notification) = notification else {
            report.delivered += 1;
            return Ok(SettleHow::Done);
        };
        let Err(error) = self.inner.notifier.deliver(&notification).await else {
            report.delivered += 1;
            return Ok(SettleHow::Done);
        };
        let topic = message.effect.topic();
        tracing::warn!(tenant = %lease.token.tenant, topic, delivery_id = %message.id, "a delivery failed");
        Ok(after_failure(&error, lease, message.id, pace.now(), report))
    }

    /// What the message is about, as it stands now; `None` when that is gone.
    async fn notification(
        &self,
        lease: &Lease,
        message: &OutboxMessage,
        now: DateTime<Utc>,
    ) -> Result<Option<Notification>> {
        let tenant = lease.token.tenant;
        let keys = keys_of(&message.effect);
        let found = self.inner.store.get(tenant, &keys).await?;
        let mut records = found.into_iter().flatten().map(|stored| stored.record);
        let Some(Record::Case(case)) = records.next() else { return Ok(None) };
        let mut text = None;
        let mut recipients = Vec::new();
        for record in records {
            match record {
                Record::Contact(contact) => {
                    let contact = self.living(tenant, *contact).await?;
                    let recipient = Recipient::from(&contact);
                    if !recipients.contains(&recipient) {
                        recipients.push(recipient);
                    }
                }
                Record::Agent(agent) => recipients.push(Recipient::from(&*agent)),
                Record::Message(message) => text = public_text(&message),
                _ => {}
            }
        }
        match &message.effect {
            Effect::NotifyGroup { group, .. } => {
                recipients.push(Recipient::Group { key: group.clone() });
            }
            Effect::NotifyUnroutable { .. } => recipients.push(Recipient::Administrators),
            // The assignee alone where there is one, who was read by their key.
            Effect::NotifySla { agent: None, group, .. } => recipients.push(match group {
                Some(group) => Recipient::Group { key: group.clone() },
                None => Recipient::Administrators,
            }),
            Effect::NotifyEscalation { to, .. } => match to {
                EscalatedTo::Group { key } => {
                    recipients.push(Recipient::Group { key: key.clone() });
                }
                EscalatedTo::Channel { key } => {
                    recipients.push(Recipient::Channel { key: key.clone() });
                }
                EscalatedTo::Agent { .. } => {}
            },
            Effect::NotifySla { agent: Some(_), .. }
            | Effect::SendReply { .. }
            | Effect::NotifyAgent { .. }
            | Effect::NotifyOffer { .. } => {}
        }
        Ok(Some(notification(lease, tenant, message, *case, text, recipients, now)))
    }

    /// Forgets the outcomes of commands that were given more than
    /// [`COMMAND_DAYS`](crate::COMMAND_DAYS) ago. How many. Once a day is enough.
    ///
    /// # Errors
    ///
    /// [`Error::Store`](crate::Error::Store) when the store failed.
    pub async fn forget_commands(&self, tenant: TenantId, now: DateTime<Utc>) -> Result<u64> {
        let report = self.inner.store.maintain(&Maintain::PurgeCommands { tenant, now }).await?;
        Ok(report.n_rows)
    }

    /// The contact, or the one in whom it lives on.
    async fn living(&self, tenant: TenantId, mut contact: Contact) -> Result<Contact> {
        for _ in 0..JOINS_MAX {
            let Some(into) = contact.joined_into else { break };
            let key = RecordKey::Stream(StreamId::contact(into));
            let found = self.inner.store.get_one(tenant, key).await?;
            match found.map(|stored| stored.record) {
                Some(Record::Contact(other)) => contact = *other,
                _ => break,
            }
        }
        Ok(contact)
    }

    /// Puts dead letters back into the outbox, all of them when `ids` is empty.
    /// How many.
    ///
    /// # Errors
    ///
    /// [`Error::Store`](crate::Error::Store) when the store failed.
    pub async fn redrive(
        &self,
        tenant: TenantId,
        ids: Vec<Uuid>,
        now: DateTime<Utc>,
    ) -> Result<u64> {
        let report = self.inner.store.maintain(&Maintain::Redrive { tenant, ids, now }).await?;
        Ok(report.n_rows)
    }
}

#[allow(clippy::too_many_arguments, reason = "the parts of one struct")]
fn notification(
    lease: &Lease,
    tenant: TenantId,
    message: &OutboxMessage,
    case: Case,
    text: Option<PublicMessage>,
    recipients: Vec<Recipient>,
    now: DateTime<Utc>,
) -> Notification {
    Notification {
        delivery_id: message.id,
        attempt: lease.attempts,
        tenant,
        effect: message.effect.clone(),
        number: case.ticket.number,
        subject: case.ticket.subject,
        message: text,
        recipients,
        at: now,
    }
}

fn public_text(message: &Message) -> Option<PublicMessage> {
    if message.redacted { None } else { message.public() }
}

fn keys_of(effect: &Effect) -> Vec<RecordKey> {
    let mut keys = vec![RecordKey::Stream(StreamId::case(effect.ticket()))];
    let agent = |id: AgentId| RecordKey::Stream(StreamId::agent(id));
    match effect {
        Effect::SendReply { ticket, seq, to } => {
            keys.push(RecordKey::Message(*ticket, *seq));
            keys.extend(to.iter().map(|id| RecordKey::Stream(StreamId::contact(*id))));
        }
        Effect::NotifyAgent { agent: id, .. } | Effect::NotifyOffer { agent: id, .. } => {
            keys.push(agent(*id));
        }
        Effect::NotifySla { agent: Some(id), .. }
        | Effect::NotifyEscalation { to: EscalatedTo::Agent { id }, .. } => keys.push(agent(*id)),
        Effect::NotifyGroup { .. }
        | Effect::NotifyUnroutable { .. }
        | Effect::NotifySla { agent: None, .. }
        | Effect::NotifyEscalation { .. } => {}
    }
    keys
}

fn after_failure(
    error: &DeliveryError,
    lease: &Lease,
    delivery_id: Uuid,
    now: DateTime<Utc>,
    report: &mut DeliverReport,
) -> SettleHow {
    let wait =
        error.retry_in(lease.attempts, delivery_id).and_then(|wait| TimeDelta::from_std(wait).ok());
    match wait {
        Some(wait) => {
            report.retried += 1;
            SettleHow::Retry { at: now + wait, error: error.to_string() }
        }
        None => {
            report.dead += 1;
            SettleHow::Dead { error: error.to_string() }
        }
    }
}
