//! Why a decision came out as it did: steps with stable codes, readable as sentences.

use crate::clock::{ClockNews, Slot};
use crate::condition::Evidence;
use crate::escalation::chain::EscalationNews;
use crate::event::{RefusedReason, TimerKind};
use crate::id::{AgentId, ContactId, Key, TicketId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// By what an inbound message found its ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinedBy {
    /// The channel's id of the conversation.
    ThreadKey,
    /// The message it answers.
    InReplyTo,
    /// A message of the conversation.
    References,
}

/// Why an inbound message did not join a ticket that it named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotJoinedWhy {
    /// Its sender does not take part in it.
    NoParticipant,
    /// It is deleted.
    Deleted,
    /// It is closed; a follow-up was opened.
    Closed,
    /// It is solved, and the mailbox opens new tickets then.
    Solved,
}

/// One candidate for an assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateStep {
    /// Who.
    pub agent: AgentId,
    /// Why not; absent for one who could have been chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedReason>,
}

/// One step of a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Step {
    /// The message had come in before; nothing was done.
    Duplicate {
        /// The ticket it is in.
        ticket: TicketId,
    },
    /// The message joined a ticket.
    Joined {
        /// Which.
        ticket: TicketId,
        /// By what.
        by: JoinedBy,
    },
    /// The message named a ticket and did not join it.
    NotJoined {
        /// Which.
        ticket: TicketId,
        /// Why.
        why: NotJoinedWhy,
    },
    /// A contact was made from the sender.
    ContactMade {
        /// The contact.
        contact: ContactId,
    },
    /// A text was longer than the limit and was cut.
    Truncated {
        /// Which.
        what: String,
        /// Bytes, chars or items that came in.
        from: u64,
        /// What was kept of them.
        to: u64,
    },
    /// The language was guessed.
    LanguageGuessed {
        /// The language.
        language: String,
        /// By which detector, and how sure.
        by: String,
    },
    /// A rule matched.
    RuleMatched {
        /// The rule.
        rule: Key,
        /// Its queue.
        queue: Key,
        /// Rules tried before it.
        n_tried: u64,
        /// What decided.
        because: Vec<Evidence>,
    },
    /// A rule before the one that matched did not. Only in explanations.
    RuleMissed {
        /// The rule.
        rule: Key,
        /// What decided.
        because: Evidence,
    },
    /// No rule matched; this queue is the default.
    DefaultQueue {
        /// The queue.
        queue: Key,
        /// Rules tried.
        n_tried: u64,
        /// Whether it is the mailbox's, not the desk's.
        of_mailbox: bool,
    },
    /// No rule matched and there is no default queue.
    Unroutable {
        /// Rules tried.
        n_tried: u64,
    },
    /// An agent was sought.
    Sought {
        /// In which queue.
        queue: Key,
        /// Who was chosen, if anybody.
        chosen: Option<AgentId>,
        /// Everybody who was looked at.
        candidates: Vec<CandidateStep>,
        /// The same in words.
        sentences: Vec<String>,
        /// When to look again.
        look_again_at: Option<DateTime<Utc>>,
    },
    /// An SLA policy was chosen for the ticket, or none.
    PolicyPicked {
        /// For which of its two promises.
        slot: Slot,
        /// The policy; none fits when absent.
        policy: Option<Key>,
        /// What decided.
        because: Vec<Evidence>,
    },
    /// Something happened to a clock of the ticket.
    Clock {
        /// What is measured.
        metric: Key,
        /// What happened.
        news: ClockNews,
        /// When its target is used up, while it runs.
        due_at: Option<DateTime<Utc>>,
        /// The target lies beyond what calendars cover, so it is due at no time.
        beyond_horizon: bool,
    },
    /// Something happened to the ticket's escalation.
    Escalation {
        /// What happened.
        news: EscalationNews,
        /// When its next step, or the end of an acknowledgement, is due.
        due_at: Option<DateTime<Utc>>,
    },
    /// A timer of the ticket was due before the command, and came first.
    CaughtUp {
        /// Which.
        kind: TimerKind,
        /// When it was due.
        due_at: DateTime<Utc>,
    },
    /// A timer came due and found nothing to do.
    TimerIdle {
        /// Which.
        kind: TimerKind,
    },
    /// An automatic status change was left out: the desk has no such transition.
    NoTransition {
        /// From.
        from: Key,
        /// To.
        to: Key,
    },
}

/// Every step of a decision, in order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Trace {
    /// The steps.
    pub steps: Vec<Step>,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate { ticket } => write!(f, "came in before, as part of {ticket}"),
            Self::Joined { by, .. } => write!(
                f,
                "joins the ticket: {}",
                match by {
                    JoinedBy::ThreadKey => "same conversation on the channel",
                    JoinedBy::InReplyTo => "answers one of its messages",
                    JoinedBy::References => "refers to one of its messages",
                }
            ),
            Self::NotJoined { why, .. } => write!(
                f,
                "does not join the ticket it names: {}",
                match why {
                    NotJoinedWhy::NoParticipant => "its sender does not take part in it",
                    NotJoinedWhy::Deleted => "it is deleted",
                    NotJoinedWhy::Closed => "it is closed",
                    NotJoinedWhy::Solved => "it is solved",
                }
            ),
            Self::ContactMade { .. } => f.write_str("the sender is new"),
            Self::Truncated { what, from, to } => write!(f, "{what} cut from {from} to {to}"),
            Self::LanguageGuessed { language, by } => write!(f, "language {language} ({by})"),
            Self::RuleMatched { rule, queue, because, .. } => {
                write!(f, "rule `{rule}` leads to queue `{queue}`")?;
                write_because(f, because)
            }
            Self::RuleMissed { rule, because } => write!(f, "not rule `{rule}`: {because}"),
            Self::DefaultQueue { queue, n_tried, of_mailbox } => {
                let whose = if *of_mailbox { "mailbox" } else { "desk" };
                write!(f, "none of {n_tried} rules fits; the {whose}'s default queue is `{queue}`")
            }
            Self::Unroutable { n_tried } => {
                write!(f, "none of {n_tried} rules fits, and there is no default queue")
            }
            Self::Sought { sentences, .. } => f.write_str(&sentences.join("; ")),
            Self::PolicyPicked { slot, policy, because } => {
                write_policy(f, *slot, policy.as_ref(), because)
            }
            Self::Clock { metric, news, due_at, beyond_horizon } => {
                write!(f, "clock {metric} {}", news.as_str())?;
                match due_at {
                    Some(due_at) => write!(f, ", due at {due_at}"),
                    None if *beyond_horizon => f.write_str(", due beyond the horizon of calendars"),
                    None => Ok(()),
                }
            }
            Self::Escalation { news, due_at } => {
                write!(f, "escalation {}", news.as_str())?;
                due_at.map_or(Ok(()), |due_at| write!(f, ", next at {due_at}"))
            }
            Self::CaughtUp { kind, due_at } => {
                write!(f, "first came the timer {} of {due_at}", kind.as_str())
            }
            Self::TimerIdle { kind } => {
                write!(f, "the timer {} found nothing to do", kind.as_str())
            }
            Self::NoTransition { from, to } => {
                write!(f, "stays `{from}`: the desk has no transition to `{to}`")
            }
        }
    }
}

/// ": this; that", or nothing.
fn write_because(f: &mut fmt::Formatter<'_>, because: &[Evidence]) -> fmt::Result {
    for (i, evidence) in because.iter().enumerate() {
        write!(f, "{}{evidence}", if i == 0 { ": " } else { "; " })?;
    }
    Ok(())
}

fn write_policy(
    f: &mut fmt::Formatter<'_>,
    slot: Slot,
    policy: Option<&Key>,
    because: &[Evidence],
) -> fmt::Result {
    let whose = match slot {
        Slot::Requester => "SLA policy",
        Slot::Group => "SLA policy between groups",
    };
    match policy {
        Some(policy) => write!(f, "{whose} `{policy}`")?,
        None => write!(f, "no {whose} fits")?,
    }
    write_because(f, because)
}
