//! The facts of a ticket, as conditions ask for them.

#[cfg(test)]
mod tests;

use super::Case;
use crate::calendar::Calendar;
use crate::clock::ClockState as Given;
use crate::condition::{
    Calendars, ClockFact, ClockState, Condition, FactSet, FactValue, Facts, Field, Terms, TextFact,
};
use crate::contact::{Contact, Organization};
use crate::id::Key;
use crate::sla::count::elapsed_in;
use crate::ticket::Ticket;
use crate::ticket::custom::{CustomValue, parse_instant};
use chrono::{DateTime, Utc};
use std::cell::OnceCell;
use std::fmt;

/// What a case's clocks and its escalation say to conditions.
pub trait CaseClocks: fmt::Debug {
    /// The earliest time at which a running clock's target is used up.
    fn due_at(&self) -> Option<DateTime<Utc>>;

    /// The level that the escalation has reached; `None` when there is none.
    fn escalation_level(&self) -> Option<u32>;

    /// The newest clock of a metric at `now`; `None` when the case has none.
    fn clock(&self, metric: &Key, now: DateTime<Utc>, calendars: &Calendars) -> Option<ClockFact>;
}

impl CaseClocks for Case {
    fn due_at(&self) -> Option<DateTime<Utc>> {
        Self::due_at(self)
    }

    fn escalation_level(&self) -> Option<u32> {
        self.escalation.as_ref().map(|chain| chain.level())
    }

    /// The clock in the calendar that is now in force. A metric that the case
    /// has no clock of is inactive.
    fn clock(&self, metric: &Key, now: DateTime<Utc>, calendars: &Calendars) -> Option<ClockFact> {
        let Some(clock) = self.clocks.iter().find(|clock| clock.metric == *metric) else {
            let state = ClockState::Inactive;
            return Some(ClockFact {
                state,
                breached: false,
                left_seconds: None,
                used_percent: None,
            });
        };
        let elapsed = match calendars.get(&clock.calendar) {
            Some(calendar) => elapsed_in(clock, now, calendar),
            None => elapsed_in(clock, now, &Calendar::always()),
        };
        // What was given up is neither late nor in time.
        let has_result = !matches!(clock.state, Given::Cancelled(_) | Given::Superseded);
        let target = clock.target_seconds.filter(|target| *target > 0 && has_result);
        Some(ClockFact {
            state: clock.state.as_str().parse().ok()?,
            breached: clock.is_breached() && has_result,
            left_seconds: target.map(|target| target.saturating_sub(elapsed)),
            // Seconds of working time are few enough for a float.
            used_percent: target.map(|target| elapsed as f64 * 100.0 / target as f64),
        })
    }
}

/// What a ticket's facts are taken from, beside the ticket. A part that is
/// absent makes its fields unset; [`Condition::needs`] says which are looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Around<'a> {
    /// The contact who asked.
    pub requester: Option<&'a Contact>,
    /// The requester's company.
    pub organization: Option<&'a Organization>,
    /// The text of the newest public message.
    pub body: Option<&'a str>,
    /// The case's clocks and its escalation.
    pub clocks: Option<&'a dyn CaseClocks>,
}

/// The facts of one ticket at one time. Texts are folded once, when first asked for.
#[derive(Debug)]
pub struct CaseFacts<'a> {
    ticket: &'a Ticket,
    around: Around<'a>,
    now: DateTime<Utc>,
    calendars: &'a Calendars,
    subject: TextFact<'a>,
    body: Option<TextFact<'a>>,
    email: Option<TextFact<'a>>,
    domain: Option<TextFact<'a>>,
    name: Option<TextFact<'a>>,
    custom: Vec<(&'a Key, TextFact<'a>)>,
    skills: OnceCell<Vec<String>>,
}

impl<'a> CaseFacts<'a> {
    /// The facts of `ticket` at `now`, in the desk's terms.
    #[must_use]
    pub fn new(
        ticket: &'a Ticket,
        around: Around<'a>,
        now: DateTime<Utc>,
        terms: &'a Terms,
    ) -> Self {
        let fold = terms.fold;
        let email = around.requester.and_then(Contact::email);
        let domain = email.and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain);
        let custom = ticket.custom.iter().filter_map(|(key, value)| match value {
            CustomValue::Text(text) => Some((key, TextFact::new(text.as_str(), fold))),
            CustomValue::Boolean(_) | CustomValue::Number(_) | CustomValue::List(_) => None,
        });
        Self {
            ticket,
            around,
            now,
            calendars: &terms.calendars,
            subject: TextFact::new(ticket.subject.as_str(), fold),
            body: around.body.map(|body| TextFact::new(body, fold)),
            email: email.map(|email| TextFact::new(email, fold)),
            domain: domain.map(|domain| TextFact::new(domain, fold)),
            name: around.requester.map(|contact| TextFact::new(contact.name.as_str(), fold)),
            custom: custom.collect(),
            skills: OnceCell::new(),
        }
    }

    fn custom_value(&self, key: &Key) -> Option<FactValue<'_>> {
        Some(match self.ticket.custom.get(key)? {
            CustomValue::Boolean(yes) => FactValue::Boolean(*yes),
            CustomValue::Number(number) => FactValue::Number(*number),
            CustomValue::List(list) => FactValue::Set(FactSet::List(list)),
            // A choice is a key, and no key reads as an instant.
            CustomValue::Text(text) => match parse_instant(text) {
                Some(at) => FactValue::Instant(at),
                None => FactValue::Choice(text),
            },
        })
    }

    fn choice(&self, field: &Field) -> Option<&str> {
        let ticket = self.ticket;
        match field {
            Field::Status => Some(ticket.status.as_str()),
            Field::StatusCategory => Some(ticket.category.as_str()),
            Field::Priority => {
                ticket.priority.map(super::super::ticket::priority::Priority::as_str)
            }
            Field::Type => {
                ticket.ticket_type.map(super::super::ticket::priority::TicketType::as_str)
            }
            Field::Channel => Some(ticket.channel.as_str()),
            Field::Group => ticket.group.as_ref().map(Key::as_str),
            Field::Tier => ticket.tier.as_ref().map(Key::as_str),
            Field::Language => ticket.language.as_deref(),
            Field::Brand => ticket.brand.as_ref().map(Key::as_str),
            Field::Mailbox => ticket.mailbox.as_ref().map(Key::as_str),
            Field::RequesterTier => {
                let own = self.around.requester.and_then(|contact| contact.requester_tier.as_ref());
                own.or_else(|| self.around.organization?.requester_tier.as_ref()).map(Key::as_str)
            }
            _ => None,
        }
    }

    fn set(&self, field: &Field) -> Option<FactSet<'_>> {
        let list: &[String] = match field {
            Field::Tags => &self.ticket.tags,
            Field::RequesterTags => &self.around.requester?.tags,
            Field::OrganizationTags => &self.around.organization?.tags,
            Field::Skills => self.skills.get_or_init(|| {
                self.ticket.required_skills.iter().map(|skill| skill.skill.to_string()).collect()
            }),
            _ => return None,
        };
        Some(FactSet::List(list))
    }

    fn number(&self, field: &Field) -> Option<f64> {
        let ticket = self.ticket;
        let count = match field {
            Field::EscalationLevel => self.around.clocks?.escalation_level()?,
            Field::MessageCount => ticket.counters.messages,
            Field::ReopenCount => ticket.counters.reopens,
            Field::AttachmentCount => ticket.counters.attachments,
            Field::BodyLength if ticket.newest_public_seq == 0 => return None,
            // Texts are at most a mebibyte.
            Field::BodyLength => u32::try_from(ticket.newest_public_bytes).unwrap_or(u32::MAX),
            _ => return None,
        };
        Some(f64::from(count))
    }

    fn instant(&self, field: &Field) -> Option<DateTime<Utc>> {
        let times = &self.ticket.times;
        match field {
            Field::CreatedAt => Some(times.created_at),
            Field::UpdatedAt => Some(times.updated_at),
            Field::LastRequesterAt => times.last_requester_at,
            Field::LastAgentAt => times.last_agent_at,
            Field::AssignedAt => times.assigned_at,
            Field::SolvedAt => times.solved_at,
            Field::SnoozedUntil => self.ticket.snoozed_until,
            Field::DueAt => self.around.clocks?.due_at(),
            _ => None,
        }
    }
}

impl Facts for CaseFacts<'_> {
    fn now(&self) -> DateTime<Utc> {
        self.now
    }

    fn value(&self, field: &Field) -> Option<FactValue<'_>> {
        let ticket = self.ticket;
        match field {
            Field::Custom(key) => self.custom_value(key),
            Field::Assignee => ticket.assignee.map(|id| FactValue::Id(id.0)),
            Field::Requester => Some(FactValue::Id(ticket.requester.0)),
            Field::Organization => ticket.organization.map(|id| FactValue::Id(id.0)),
            _ => self
                .choice(field)
                .map(FactValue::Choice)
                .or_else(|| self.set(field).map(FactValue::Set))
                .or_else(|| self.number(field).map(FactValue::Number))
                .or_else(|| self.instant(field).map(FactValue::Instant)),
        }
    }

    fn text(&self, field: &Field) -> Option<&TextFact<'_>> {
        match field {
            Field::Subject => Some(&self.subject),
            Field::Body => self.body.as_ref(),
            Field::RequesterEmail => self.email.as_ref(),
            Field::RequesterDomain => self.domain.as_ref(),
            Field::RequesterName => self.name.as_ref(),
            Field::Custom(key) => self.custom.iter().find(|(k, _)| *k == key).map(|(_, text)| text),
            _ => None,
        }
    }

    fn calendar(&self, key: &Key) -> Option<&Calendar> {
        self.calendars.get(key)
    }

    fn clock(&self, metric: &Key) -> Option<ClockFact> {
        self.around.clocks?.clock(metric, self.now, self.calendars)
    }
}

/// Whether a condition holds for a ticket at `now`.
#[must_use]
pub fn holds(
    condition: &Condition,
    ticket: &Ticket,
    around: Around<'_>,
    now: DateTime<Utc>,
    terms: &Terms,
) -> bool {
    match condition {
        Condition::Always => true,
        Condition::Never => false,
        _ => condition.holds(&CaseFacts::new(ticket, around, now, terms)),
    }
}
