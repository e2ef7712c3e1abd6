//! Why a decision came out as it did: steps with stable codes, readable as sentences.

use crate::clock::{ClockNews, ClockState, Slot};
use crate::condition::Evidence;
use crate::escalation::chain::{ChainState, EscalationNews};
use crate::escalation::due::StepStanding;
use crate::escalation::reason::Reason;
use crate::event::{RefusedReason, TimerKind};
use crate::id::{AgentId, ContactId, Key, TicketId};
use crate::prediction::Prediction;
use crate::routing::select::{Standing, Verdict};
use crate::ticket::priority::SkillLevel;
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
    /// As [`Verdict::lacks`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lacks: Option<SkillLevel>,
    /// As [`Verdict::until`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// As [`Verdict::standing`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
}

impl From<&Verdict> for CandidateStep {
    fn from(verdict: &Verdict) -> Self {
        Self {
            agent: verdict.agent,
            refused: verdict.reason,
            lacks: verdict.lacks.clone(),
            until: verdict.until,
            standing: verdict.standing,
        }
    }
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
    /// The whole of what was cut is kept as an attachment.
    WholeKept {
        /// Which: `text` or `html`.
        what: String,
        /// The attachment's name.
        name: String,
        /// Its SHA-256, hex.
        sha256: String,
    },
    /// The language was guessed.
    LanguageGuessed {
        /// The language.
        language: String,
        /// By which detector, and how sure.
        by: String,
    },
    /// A model took a field to be this, and nobody had set it.
    Predicted {
        /// What, how likely, and why.
        prediction: Prediction,
    },
    /// Conditions looked at the start of a text only.
    TextCut {
        /// Which: `subject` or `body`.
        what: String,
        /// The bytes that were looked at.
        looked_at: u64,
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
        /// Everybody who was looked at; of
        /// [many](crate::limit::INDEXED_AGENTS_MIN) the chosen one, of the refused as
        /// many as the event keeps, and of the others as many as the sentences name.
        /// An explanation names everybody.
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
        /// It is the ticket's for as long as it exists, whether it fits or not.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        kept: bool,
        /// What decided.
        because: Vec<Evidence>,
    },
    /// A policy before the one that was chosen was not. Only in explanations.
    PolicyMissed {
        /// For which of the ticket's two promises.
        slot: Slot,
        /// The policy.
        policy: Key,
        /// What decided; absent for one that is not valid now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<Evidence>,
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
    /// How a clock of the ticket stands. Only in explanations.
    ClockStands {
        /// What is measured.
        metric: Key,
        /// Which time, from 1.
        cycle: u32,
        /// What it does.
        state: ClockState,
        /// When its target is used up, while it runs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due_at: Option<DateTime<Utc>>,
        /// The first second past its target.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        breached_at: Option<DateTime<Utc>>,
    },
    /// How the ticket's escalation stands. Only in explanations.
    EscalationStands {
        /// Its policy, as it was when it began.
        policy: Key,
        /// What it does.
        state: ChainState,
        /// Each step: when it comes due, or why it does not.
        steps: Vec<StepStanding>,
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

/// What comes of a routing rule for a ticket. Stable codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleOutcome {
    /// It is the first that holds.
    Decides,
    /// It holds, and so does one before it.
    ComesLater,
    /// It does not hold.
    DoesNotHold,
}

/// Why a rule holds on a ticket, or does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleExplained {
    /// The rule.
    pub rule: Key,
    /// Its place in the order in which rules are tried, from 0.
    pub place: u64,
    /// Its queue.
    pub queue: Key,
    /// What comes of it.
    pub outcome: RuleOutcome,
    /// The parts of its condition that decided so, with what they saw.
    pub because: Vec<Evidence>,
    /// All of it in words.
    pub sentence: String,
}

/// What the routing rules say of a ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RulesExplained {
    /// Rules of the desk.
    pub n_rules: u64,
    /// Those that hold on the ticket.
    pub n_matched: u64,
    /// The rules that hold, in the order in which they are tried; the first
    /// [`EXPLAIN_RULES_MAX`](crate::limit::EXPLAIN_RULES_MAX).
    pub matched: Vec<RuleExplained>,
    /// The rules that were asked for, in that order.
    pub asked: Vec<RuleExplained>,
    /// The texts of which conditions see only the start.
    pub cut: Vec<Step>,
}

/// Every step of a decision, in order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Trace {
    /// The steps.
    pub steps: Vec<Step>,
}

fn not_joined(why: NotJoinedWhy) -> &'static str {
    match why {
        NotJoinedWhy::NoParticipant => "its sender does not take part in it",
        NotJoinedWhy::Deleted => "it is deleted",
        NotJoinedWhy::Closed => "it is closed",
        NotJoinedWhy::Solved => "it is solved",
    }
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
            Self::NotJoined { why, .. } => {
                write!(f, "does not join the ticket it names: {}", not_joined(*why))
            }
            Self::ContactMade { .. } => f.write_str("the sender is new"),
            Self::Truncated { what, from, to } => write!(f, "{what} cut from {from} to {to}"),
            Self::WholeKept { what, name, .. } => {
                write!(f, "the whole {what} is kept as attachment `{name}`")
            }
            Self::LanguageGuessed { language, by } => write!(f, "language {language} ({by})"),
            Self::Predicted { prediction } => write!(f, "a model says: {prediction}"),
            Self::TextCut { what, looked_at } => write_cut(f, what, *looked_at),
            Self::RuleMatched { rule, queue, because, .. } => {
                write!(f, "rule `{rule}` leads to queue `{queue}`")?;
                write_because(f, because)
            }
            Self::RuleMissed { rule, because } => write!(f, "not rule `{rule}`: {because}"),
            Self::DefaultQueue { queue, n_tried, of_mailbox } => {
                write_default(f, queue, *n_tried, *of_mailbox)
            }
            Self::Unroutable { n_tried } => {
                write!(f, "none of {n_tried} rules fits, and there is no default queue")
            }
            Self::Sought { sentences, .. } => f.write_str(&sentences.join("; ")),
            Self::PolicyPicked { slot, policy, kept, because } => {
                write_policy(f, *slot, policy.as_ref(), *kept)?;
                write_because(f, because)
            }
            Self::PolicyMissed { slot, policy, because } => {
                write!(f, "not {} `{policy}`: ", whose(*slot))?;
                write_missed(f, because.as_ref())
            }
            Self::ClockStands { metric, cycle, state, due_at, breached_at } => {
                write!(f, "clock {metric} #{cycle} {}", state.as_str())?;
                write_due(f, *due_at, false)?;
                write_breach(f, *breached_at)
            }
            Self::EscalationStands { policy, state, steps } => {
                write!(f, "escalation by `{policy}` {}", state.as_str())?;
                steps.iter().try_for_each(|step| write_standing(f, step))
            }
            Self::Clock { metric, news, due_at, beyond_horizon } => {
                write!(f, "clock {metric} {}", news.as_str())?;
                write_due(f, *due_at, *beyond_horizon)
            }
            Self::Escalation { news, due_at } => write_news(f, news, *due_at),
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

fn write_cut(f: &mut fmt::Formatter<'_>, what: &str, looked_at: u64) -> fmt::Result {
    write!(f, "only the first {looked_at} bytes of the {what} were looked at")
}

fn write_default(
    f: &mut fmt::Formatter<'_>,
    queue: &Key,
    n_tried: u64,
    of_mailbox: bool,
) -> fmt::Result {
    let whose = if of_mailbox { "mailbox" } else { "desk" };
    write!(f, "none of {n_tried} rules fits; the {whose}'s default queue is `{queue}`")
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
    kept: bool,
) -> fmt::Result {
    let whose = whose(slot);
    match policy {
        Some(policy) if kept => write!(f, "keeps its {whose} `{policy}`"),
        Some(policy) => write!(f, "{whose} `{policy}`"),
        None => write!(f, "no {whose} fits"),
    }
}

fn write_news(
    f: &mut fmt::Formatter<'_>,
    news: &EscalationNews,
    due_at: Option<DateTime<Utc>>,
) -> fmt::Result {
    write!(f, "escalation {}", news.as_str())?;
    due_at.map_or(Ok(()), |due_at| write!(f, ", next at {due_at}"))
}

fn write_missed(f: &mut fmt::Formatter<'_>, because: Option<&Evidence>) -> fmt::Result {
    match because {
        Some(evidence) => write!(f, "{evidence}"),
        None => f.write_str("it is not valid now"),
    }
}

fn write_breach(f: &mut fmt::Formatter<'_>, at: Option<DateTime<Utc>>) -> fmt::Result {
    at.map_or(Ok(()), |at| write!(f, ", past its target since {at}"))
}

fn write_due(
    f: &mut fmt::Formatter<'_>,
    due_at: Option<DateTime<Utc>>,
    beyond_horizon: bool,
) -> fmt::Result {
    match due_at {
        Some(due_at) => write!(f, ", due at {due_at}"),
        None if beyond_horizon => f.write_str(", due beyond the horizon of calendars"),
        None => Ok(()),
    }
}

fn whose(slot: Slot) -> &'static str {
    match slot {
        Slot::Requester => "SLA policy",
        Slot::Group => "SLA policy between groups",
    }
}

/// "; step 0 due at …", or why it is not.
fn write_standing(f: &mut fmt::Formatter<'_>, standing: &StepStanding) -> fmt::Result {
    let StepStanding { step, due_at, reason } = standing;
    match (due_at, reason) {
        (Some(due_at), Reason::NotDue) => write!(f, "; step {step} due at {due_at}"),
        (_, reason) => write!(f, "; step {step}: {}", reason.as_str().replace('_', " ")),
    }
}
