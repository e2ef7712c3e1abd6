//! Answers about what the desk watches: clocks, escalation, who is on call.

use crate::answer::Asking;
use crate::engine::Helpdesk;
use crate::error::Result;
use chrono::{DateTime, Utc};
use helpdesk_core::access::permission::Permission;
use helpdesk_core::clock::Clock;
use helpdesk_core::escalation::schedule::Schedule;
use helpdesk_core::event::Event;
use helpdesk_core::fault::{Code, Rejection};
use helpdesk_core::id::Key;
use helpdesk_core::limit::{PAGE_MAX, SHIFT_DAYS_MAX};
use helpdesk_core::query::{Answer, ClockView, OnCall, TicketName};
use std::collections::BTreeMap;

impl Helpdesk {
    /// The clocks of a ticket, every cycle of each metric.
    pub(crate) async fn clocks(&self, asking: &Asking<'_>, name: &TicketName) -> Result<Answer> {
        let (case, _) = self.seen(asking, name).await?;
        asking.for_agents(&case)?;
        let mut cycles: BTreeMap<(Key, u32), Clock> = BTreeMap::new();
        // The case holds the newest cycle of each metric, its journal the others.
        if case.clocks.iter().any(|clock| clock.cycle > 1) {
            for row in self.journal(asking, case.ticket.id).await? {
                if let Event::ClockChanged { change } = row.entry.event {
                    let clock = change.clock;
                    cycles.insert((clock.metric.clone(), clock.cycle), clock);
                }
            }
        }
        for clock in case.clocks {
            cycles.insert((clock.metric.clone(), clock.cycle), clock);
        }
        let calendars = asking.snapshot.desk.calendar_revisions();
        let views = cycles.into_values().map(|clock| ClockView::new(clock, calendars, asking.now));
        Ok(Answer::Clocks(views.collect()))
    }

    pub(crate) fn on_call(
        asking: &Asking<'_>,
        schedule: &Key,
        at: Option<DateTime<Utc>>,
    ) -> Result<Answer> {
        let at = at.unwrap_or(asking.now);
        let schedule = schedule_of(asking, schedule)?;
        let (agents, next_handoff) = (schedule.on_call(at), schedule.next_handoff(at));
        Ok(Answer::OnCall(OnCall { at, agents, next_handoff }))
    }

    pub(crate) fn shifts(
        asking: &Asking<'_>,
        schedule: &Key,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Answer> {
        let schedule = schedule_of(asking, schedule)?;
        if to < from {
            return Err(Rejection::at(Code::Invalid, "to", "ends before it begins").into());
        }
        if (to - from).num_days() > SHIFT_DAYS_MAX {
            let message = format!("more than {SHIFT_DAYS_MAX} days: ask for less at once");
            return Err(Rejection::at(Code::OverLimit, "to", message).into());
        }
        let shifts: Vec<_> = schedule.shifts(from..to).take(PAGE_MAX + 1).collect();
        if shifts.len() > PAGE_MAX {
            let message = format!("more than {PAGE_MAX} shifts: ask for less at once");
            return Err(Rejection::at(Code::OverLimit, "to", message).into());
        }
        Ok(Answer::Shifts(shifts))
    }
}

/// A schedule of the desk, for its own people.
fn schedule_of<'a>(asking: &'a Asking<'_>, key: &Key) -> Result<&'a Schedule> {
    asking.require(Permission::ReadNotes)?;
    asking.snapshot.desk.escalations().schedules.get(key).ok_or_else(|| {
        let message = format!("the desk has no on-call schedule `{key}`");
        Rejection::at(Code::NotConfigured, "schedule", message).into()
    })
}
