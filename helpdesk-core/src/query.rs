//! Queries: what a host asks the desk, and the answers.

mod articles;
mod search;

pub use articles::{
    ArticleName, ArticleView, ListArticles, OneArticle, PublishedArticle, RevisionView,
};
pub use search::{
    ArticlesFound, Found, FoundArticle, FoundFacets, FoundTicket, FoundWord, Highlight,
    SearchArticles, SearchTickets, SuggestArticles, SuggestFor,
};

use crate::actor::Actor;
use crate::article::{ArticleVote, SearchSession};
use crate::case::record::DeadLetter;
use crate::case::summary::CaseSummary;
use crate::case::{Case, Offer};
use crate::clock::{Clock, PolicyRef};
use crate::condition::ConditionSource;
use crate::contact::Contact;
use crate::desk::DeskChanges;
use crate::escalation::chain::Progress;
use crate::escalation::schedule::Shift;
use crate::event::Recorded;
use crate::fault::Fault;
use crate::id::{AgentId, ContactId, Key, OrganizationId, TicketId, TicketNumber, Version};
use crate::report::{KnowledgeQuery, KnowledgeReport, Report, ReportQuery};
use crate::routing::usage::RuleUsage;
use crate::sla::count::elapsed;
use crate::sla::signal::CalendarRevisions;
use crate::ticket::Ticket;
use crate::ticket::custom::CustomValues;
use crate::ticket::message::{Message, PublicMessage};
use crate::ticket::priority::{Channel, Priority, TicketType};
use crate::ticket::status::StatusCategory;
use crate::trace::{RulesExplained, Step};
use crate::view::{Direction, OrderBy};
use crate::what_if::{WhatIf, WhatIfAnswer};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Names a ticket, by id or by number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TicketName {
    /// By id.
    Id(TicketId),
    /// By number, such as `HD-1024`.
    Number(TicketNumber),
}

/// On which shelf tickets lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shelf {
    /// Neither spam nor deleted.
    #[default]
    Live,
    /// Spam that is not deleted.
    Spam,
    /// Deleted.
    Deleted,
    /// All.
    All,
}

/// Which tickets, by a view of the desk or by a condition; both must hold where
/// both are given, all tickets where neither is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// A view of the desk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<Key>,
    /// A condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<ConditionSource>,
    /// On which shelf.
    #[serde(default)]
    pub shelf: Shelf,
}

/// How much of each ticket a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Projection {
    /// All of it.
    #[default]
    Full,
    /// What a row shows; costs less.
    Summary,
}

/// Lists tickets.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListTickets {
    /// Which.
    #[serde(default)]
    pub which: Which,
    /// By what; the view's order, else by number, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderBy>,
    /// Which way; the view's, else ascending, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// Where the page before ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Rows at most; 50 when absent, 1,000 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// How much of each ticket. Requesters get what they may see either way.
    #[serde(default)]
    pub projection: Projection,
}

/// By what a board has its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BoardBy {
    /// The desk's statuses, in their order.
    #[default]
    Status,
    /// Assignees.
    Assignee,
    /// Groups.
    Group,
}

/// What a host asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Query {
    /// One ticket.
    GetTicket {
        /// Which.
        ticket: TicketName,
    },
    /// A ticket's messages, by sequence number. Requesters get public ones only.
    Conversation {
        /// Which.
        ticket: TicketName,
        /// After which sequence number.
        #[serde(default)]
        after: u32,
        /// Rows at most; 50 when absent, 1,000 at most.
        #[serde(default)]
        limit: Option<usize>,
    },
    /// A page of tickets.
    ListTickets(ListTickets),
    /// How many tickets; stops at 10,000.
    CountTickets(Which),
    /// Columns of tickets.
    Board {
        /// Which.
        #[serde(default)]
        which: Which,
        /// By what.
        #[serde(default)]
        by: BoardBy,
        /// Rows of a column at most; 20 when absent.
        #[serde(default)]
        limit: Option<usize>,
    },
    /// The ticket that `take_next` would give.
    NextFor {
        /// Whose; the acting agent's when absent.
        #[serde(default)]
        agent: Option<AgentId>,
    },
    /// How many tickets `take_next` chooses from.
    CountFor {
        /// Whose; the acting agent's when absent.
        #[serde(default)]
        agent: Option<AgentId>,
    },
    /// Tickets found by a search.
    SearchTickets(SearchTickets),
    /// Tickets like one: by its subject and its first public message. Wants an index.
    SimilarTickets {
        /// Like which.
        ticket: TicketName,
        /// Rows at most; 50 when absent, 1,000 at most.
        #[serde(default)]
        limit: Option<usize>,
    },
    /// A ticket's journal. For agents.
    History {
        /// Which.
        ticket: TicketName,
        /// After which event.
        #[serde(default)]
        after: Version,
        /// Rows at most; 50 when absent, 1,000 at most.
        #[serde(default)]
        limit: Option<usize>,
    },
    /// What happened to the tickets in the actor's scope since a position. For agents.
    ChangesSince {
        /// The position; 0 for everything.
        position: u64,
        /// Rows looked at, at most; 50 when absent, 1,000 at most.
        #[serde(default)]
        limit: Option<usize>,
    },
    /// Why a ticket is where it is, and what the rules and its queue would do now. For agents.
    Explain {
        /// Which.
        ticket: TicketName,
    },
    /// A ticket's clocks, every cycle. For agents.
    Clocks {
        /// Which.
        ticket: TicketName,
    },
    /// Who is on call by a schedule. For agents.
    OnCall {
        /// The schedule.
        schedule: Key,
        /// When; now when absent.
        #[serde(default)]
        at: Option<DateTime<Utc>>,
    },
    /// Who is on call by a schedule over a time, gaps included. For agents.
    Shifts {
        /// The schedule.
        schedule: Key,
        /// From this instant on.
        from: DateTime<Utc>,
        /// Before this instant; 400 days later at most.
        to: DateTime<Utc>,
    },
    /// What waits in the queues.
    QueueState {
        /// Only this one.
        #[serde(default)]
        queue: Option<Key>,
    },
    /// What the agents hold.
    Workload {
        /// Only those of this group.
        #[serde(default)]
        group: Option<Key>,
    },
    /// One article: agents get its newest revision, others what is out and for them.
    GetArticle {
        /// Which.
        article: ArticleName,
    },
    /// Articles, without their bodies: what the actor may read.
    ListArticles(ListArticles),
    /// Articles found by a search, among those that are out and for the asker. Wants an index.
    SearchArticles(SearchArticles),
    /// Articles that may answer a question before it becomes a ticket, that are like a
    /// ticket, or that a search that is being typed may be about. Wants an index.
    SuggestArticles(SuggestArticles),
    /// An article's revisions with their texts, oldest first. For those who see drafts.
    ArticleRevisions {
        /// Which.
        article: ArticleName,
        /// After which revision.
        #[serde(default)]
        after: u32,
        /// Rows at most; 50 when absent, 1,000 at most.
        #[serde(default)]
        limit: Option<usize>,
    },
    /// Counts and times over a period.
    Report(ReportQuery),
    /// What search sessions came to, and what is lacking in it: searches
    /// without a result, articles that help nobody, topics of tickets without an article.
    KnowledgeReport(KnowledgeQuery),
    /// All that the desk holds of a person, as far as the actor may read it. For agents.
    ExportPerson {
        /// Who; with them the contacts that were joined into this one.
        contact: ContactId,
    },
    /// Effects that could not be delivered.
    ListDeadLetters {
        /// Where the page before ended.
        #[serde(default)]
        after: Option<String>,
        /// Rows at most; 50 when absent, 1,000 at most.
        #[serde(default)]
        limit: Option<usize>,
    },
    /// What a configuration would change, and what is wrong with it.
    PreviewConfig {
        /// The document.
        document: Value,
    },
    /// What recorded tickets would have come to under another configuration, or
    /// with other people. Nothing is written. It takes its time: each ticket is
    /// decided again, twice.
    WhatIf(WhatIf),
    /// How often each routing rule decided, from the journal.
    RuleUsage {
        /// From this instant on.
        from: DateTime<Utc>,
        /// Before this one.
        until: DateTime<Utc>,
    },
    /// Which routing rules a ticket meets now, and what decides of any rule. For agents.
    ExplainRules {
        /// Which.
        ticket: TicketName,
        /// Rules to explain beside those that match, 100 at most.
        #[serde(default)]
        rules: Vec<Key>,
    },
}

impl Query {
    /// The query's name, as it stands in JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::GetTicket { .. } => "get_ticket",
            Self::Conversation { .. } => "conversation",
            Self::ListTickets(_) => "list_tickets",
            Self::CountTickets(_) => "count_tickets",
            Self::Board { .. } => "board",
            Self::NextFor { .. } => "next_for",
            Self::CountFor { .. } => "count_for",
            Self::SearchTickets(_) => "search_tickets",
            Self::SimilarTickets { .. } => "similar_tickets",
            Self::History { .. } => "history",
            Self::ChangesSince { .. } => "changes_since",
            Self::Explain { .. } => "explain",
            Self::Clocks { .. } => "clocks",
            Self::OnCall { .. } => "on_call",
            Self::Shifts { .. } => "shifts",
            Self::QueueState { .. } => "queue_state",
            Self::Workload { .. } => "workload",
            Self::GetArticle { .. } => "get_article",
            Self::ListArticles(_) => "list_articles",
            Self::SearchArticles(_) => "search_articles",
            Self::SuggestArticles(_) => "suggest_articles",
            Self::ArticleRevisions { .. } => "article_revisions",
            Self::Report(_) => "report",
            Self::KnowledgeReport(_) => "knowledge_report",
            Self::ExportPerson { .. } => "export_person",
            Self::ListDeadLetters { .. } => "list_dead_letters",
            Self::PreviewConfig { .. } => "preview_config",
            Self::WhatIf(_) => "what_if",
            Self::RuleUsage { .. } => "rule_usage",
            Self::ExplainRules { .. } => "explain_rules",
        }
    }
}

/// A query as it comes by JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryEnvelope {
    /// Who asks.
    pub actor: Actor,
    /// What.
    pub query: Query,
}

/// A ticket, as agents see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TicketView {
    /// The ticket.
    #[serde(flatten)]
    pub ticket: Ticket,
    /// Its version, for `expected_version`.
    pub version: Version,
    /// The live offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offer>,
    /// When a timer will close it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_close_at: Option<DateTime<Utc>>,
    /// Until when its assignee must answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_by: Option<DateTime<Utc>>,
    /// When the first target of a running clock is used up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// What was promised to its requester.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requester_policy: Option<Key>,
    /// What groups promised each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_policy: Option<Key>,
    /// Its clocks: the newest cycle of each metric.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<Clock>,
    /// Its escalation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalation: Option<EscalationView>,
}

/// A ticket as a list shows it to agents.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TicketSummary {
    /// What the row shows.
    #[serde(flatten)]
    pub summary: CaseSummary,
    /// Its version, for `expected_version`.
    pub version: Version,
}

/// Where a ticket's escalation stands, as agents see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EscalationView {
    /// Its policy.
    pub policy: Key,
    /// How many times the ticket was handed over and not back.
    pub level: u32,
    /// Where it stands.
    #[serde(flatten)]
    pub progress: Progress,
}

/// A clock at one time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClockView {
    /// The clock.
    #[serde(flatten)]
    pub clock: Clock,
    /// Seconds of working time that it has counted.
    pub elapsed_seconds: i64,
    /// What is left of its target, negative past it; absent without a target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_seconds: Option<i64>,
}

impl ClockView {
    /// A clock as it stands at `now`.
    #[must_use]
    pub fn new(clock: Clock, calendars: &CalendarRevisions, now: DateTime<Utc>) -> Self {
        let elapsed_seconds = elapsed(&clock, now, calendars);
        let left_seconds = clock.target_seconds.map(|target| target - elapsed_seconds);
        Self { clock, elapsed_seconds, left_seconds }
    }
}

/// Who is on call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OnCall {
    /// When.
    pub at: DateTime<Utc>,
    /// Who, sorted; empty in a gap.
    pub agents: Vec<AgentId>,
    /// When that changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_handoff: Option<DateTime<Utc>>,
}

impl TicketView {
    /// The view of a case.
    #[must_use]
    pub fn new(case: Case, version: Version) -> Self {
        let key = |policy: Option<PolicyRef>| policy.map(|policy| policy.key);
        Self {
            due_at: case.due_at(),
            requester_policy: key(case.requester_policy),
            group_policy: key(case.group_policy),
            clocks: case.clocks,
            escalation: case.escalation.map(|chain| EscalationView {
                policy: chain.snapshot.policy.key.clone(),
                level: chain.level(),
                progress: chain.progress,
            }),
            ticket: case.ticket,
            version,
            offer: case.offer,
            auto_close_at: case.auto_close_at,
            answer_by: case.answer_by,
        }
    }
}

/// A ticket, as requesters see it: nothing internal is in the type.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RequesterTicketView {
    /// Its id.
    pub id: TicketId,
    /// Its number.
    pub number: TicketNumber,
    /// The subject.
    pub subject: String,
    /// Who asked.
    pub requester: ContactId,
    /// Their company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    /// Where it came in.
    pub channel: Channel,
    /// The desk's status.
    pub status: Key,
    /// What that means.
    pub category: StatusCategory,
    /// How urgent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// What kind of request.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub ticket_type: Option<TicketType>,
    /// Public custom fields.
    pub custom: CustomValues,
    /// Opened.
    pub created_at: DateTime<Utc>,
    /// Last public message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_message_at: Option<DateTime<Utc>>,
    /// Solved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub solved_at: Option<DateTime<Utc>>,
    /// Its version, for `expected_version`.
    pub version: Version,
}

impl RequesterTicketView {
    /// What a requester may see of a ticket; `is_public` says which custom fields.
    #[must_use]
    pub fn new(ticket: &Ticket, version: Version, is_public: impl Fn(&Key) -> bool) -> Self {
        let custom = ticket.custom.iter().filter(|(key, _)| is_public(key));
        Self {
            id: ticket.id,
            number: ticket.number.clone(),
            subject: ticket.subject.clone(),
            requester: ticket.requester,
            organization: ticket.organization,
            channel: ticket.channel,
            status: ticket.status.clone(),
            category: ticket.category,
            priority: ticket.priority,
            ticket_type: ticket.ticket_type,
            custom: custom.map(|(key, value)| (key.clone(), value.clone())).collect(),
            created_at: ticket.times.created_at,
            last_message_at: ticket.times.last_requester_at.max(ticket.times.last_agent_at),
            solved_at: ticket.times.solved_at,
            version,
        }
    }
}

/// One ticket, for the one who asks.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant, reason = "an answer is built once and moved")]
pub enum OneTicket {
    /// For agents.
    Full(TicketView),
    /// For requesters.
    Public(RequesterTicketView),
    /// For agents, in a list that asked for no more.
    Summary(TicketSummary),
}

impl OneTicket {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> TicketId {
        match self {
            Self::Full(view) => view.ticket.id,
            Self::Public(view) => view.id,
            Self::Summary(row) => row.summary.id,
        }
    }
}

/// A page of an answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listed<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// What to give as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// How many, 10,000 at most.
    pub n: u64,
    /// Whether there are more.
    pub capped: bool,
}

/// One column of a board.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    /// The status, assignee or group; absent for tickets without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What people read.
    pub name: String,
    /// How many tickets it has.
    pub n: u64,
    /// Whether there are more than were counted.
    pub capped: bool,
    /// The first ones, most urgent first, then oldest.
    pub tickets: Vec<OneTicket>,
}

/// What waits in one queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueueRow {
    /// The queue.
    pub queue: Key,
    /// Its group.
    pub group: Key,
    /// Tickets that wait, offered ones included.
    pub n_waiting: u64,
    /// Tickets that are offered.
    pub n_offered: u64,
    /// Since when the oldest waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_at: Option<DateTime<Utc>>,
    /// Agents of the group who are online on any channel.
    pub n_online: u64,
}

/// What one agent holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkloadRow {
    /// Who.
    pub agent: AgentId,
    /// What people call them.
    pub name: String,
    /// Units of assigned tickets.
    pub active: u32,
    /// Units of live offers.
    pub reserved: u32,
    /// Units over all channels at most.
    pub capacity: u32,
    /// Whether they are online on any channel.
    pub is_online: bool,
    /// When they were given work last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_assigned_at: Option<DateTime<Utc>>,
}

/// Why a ticket is where it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The events that carry a choice: routing, assignment, offers, status.
    pub past: Vec<Recorded>,
    /// What the rules, the ticket's queue and the SLA policies would do now; how its
    /// clocks and its escalation stand.
    pub now: Vec<Step>,
    /// `past` in words, oldest first.
    pub sentences: Vec<String>,
    /// `now` in words.
    pub now_sentences: Vec<String>,
}

/// All that is held of a person.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct HeldOfPerson {
    /// The person's contacts.
    pub contacts: Vec<Contact>,
    /// The tickets that they asked, wrote on or follow, by id.
    pub tickets: Vec<HeldTicket>,
    /// What was searched before they opened a ticket after all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub searches: Vec<SearchSession>,
    /// What they said of articles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub votes: Vec<ArticleVote>,
    /// From where they did what the journal has of them.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub addresses: BTreeSet<IpAddr>,
}

/// What one ticket holds of a person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeldTicket {
    /// Its id.
    pub id: TicketId,
    /// Its number.
    pub number: TicketNumber,
    /// All of it, where the person is its requester.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Box<Ticket>>,
    /// What was said on it, where the person is its requester; else what they said.
    /// Notes where the actor reads them.
    pub messages: Vec<Message>,
}

/// What a configuration would change.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ConfigPreview {
    /// What is wrong; empty for one that can be applied.
    pub faults: Vec<Fault>,
    /// What looks wrong, though it can be applied.
    pub lints: Vec<crate::desk::lint::Lint>,
    /// Top-level keys whose values differ from the configuration in force.
    pub changed: Vec<String>,
    /// Open tickets whose queue would be gone.
    pub n_stranded: u64,
    /// Calendars, SLA policies and escalation policies that would be other or gone.
    #[serde(flatten)]
    pub watch: DeskChanges,
    /// Unsolved tickets with a clock that counts in one of these calendars.
    pub n_redated: u64,
}

/// A change of a ticket in the actor's scope.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changes {
    /// The entries, oldest first.
    pub rows: Vec<Recorded>,
    /// The position to ask from next time.
    pub position: u64,
    /// Whether there is more already.
    pub has_more: bool,
}

/// An answer. By JSON it is the content alone, untagged.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "an answer is built once and moved")]
pub enum Answer {
    /// Of `get_ticket`.
    Ticket(OneTicket),
    /// Of `next_for`.
    Next(Option<OneTicket>),
    /// Of `conversation`, for agents.
    Conversation(Listed<Message>),
    /// Of `conversation`, for requesters.
    PublicConversation(Listed<PublicMessage>),
    /// Of `search_tickets` and `similar_tickets`.
    Found(Found),
    /// Of `list_tickets`.
    Tickets(Listed<OneTicket>),
    /// Of `count_tickets` and `count_for`.
    Count(Counted),
    /// Of `board`.
    Board(Vec<Column>),
    /// Of `history`.
    History(Listed<Recorded>),
    /// Of `changes_since`.
    Changes(Changes),
    /// Of `explain`.
    Explanation(Explanation),
    /// Of `clocks`.
    Clocks(Vec<ClockView>),
    /// Of `on_call`.
    OnCall(OnCall),
    /// Of `shifts`.
    Shifts(Vec<Shift>),
    /// Of `queue_state`.
    Queues(Vec<QueueRow>),
    /// Of `workload`.
    Workload(Vec<WorkloadRow>),
    /// Of `get_article`.
    Article(OneArticle),
    /// Of `list_articles`.
    Articles(Listed<OneArticle>),
    /// Of `search_articles` and `suggest_articles`.
    ArticlesFound(ArticlesFound),
    /// Of `article_revisions`.
    Revisions(Listed<RevisionView>),
    /// Of `report`.
    Report(Report),
    /// Of `knowledge_report`.
    KnowledgeReport(KnowledgeReport),
    /// Of `export_person`.
    Person(HeldOfPerson),
    /// Of `list_dead_letters`.
    DeadLetters(Listed<DeadLetter>),
    /// Of `preview_config`.
    Preview(ConfigPreview),
    /// Of `what_if`.
    WhatIf(Box<WhatIfAnswer>),
    /// Of `rule_usage`.
    RuleUsage(RuleUsage),
    /// Of `explain_rules`.
    Rules(RulesExplained),
}

/// The JSON Schema of [`QueryEnvelope`].
#[must_use]
pub fn schema() -> Value {
    schemars::schema_for!(QueryEnvelope).to_value()
}
