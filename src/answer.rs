//! Answers queries: one permission scope for every one of them.

use crate::engine::Helpdesk;
use crate::error::Result;
use crate::load::no_tenant;
use crate::snapshot::Snapshot;
use crate::spans::coded;
use chrono::{DateTime, Utc};
use helpdesk_core::access::permission::Permission;
use helpdesk_core::access::role;
use helpdesk_core::access::scope::Scope;
use helpdesk_core::actor::{Actor, ActorKind};
use helpdesk_core::case::Case;
use helpdesk_core::case::record::{Record, RecordKey, Stored, UniqueKey};
use helpdesk_core::command::Command;
use helpdesk_core::condition::Condition;
use helpdesk_core::contact::Organization;
use helpdesk_core::decide::access_context;
use helpdesk_core::event::StreamId;
use helpdesk_core::fault::{Code, Fault, Rejection};
use helpdesk_core::id::Key;
use helpdesk_core::limit::{COUNT_MAX, PAGE_MAX};
use helpdesk_core::query::{
    Answer, Counted, ListTickets, Listed, OneTicket, Query, RequesterTicketView, TicketName,
    TicketSummary, TicketView, Which,
};
use helpdesk_core::ticket::Ticket;
use helpdesk_core::ticket::custom::FieldOwner;
use helpdesk_core::view::OrderBy;
use helpdesk_storage::{
    CountBy, CountQuery, Cursor, ListKind, ListQuery, Order, Page, Shelf, StoreExt,
};

/// Rows of a page unless a query says.
const PAGE_DEFAULT: usize = 50;

/// Who asks, in what: the same for every part of one answer.
pub(crate) struct Asking<'a> {
    pub(crate) actor: &'a Actor,
    pub(crate) snapshot: Snapshot,
    pub(crate) organization: Option<Organization>,
    pub(crate) now: DateTime<Utc>,
}

impl Asking<'_> {
    /// On which tickets the actor may do this.
    pub(crate) fn scope(&self, permission: Permission) -> Scope {
        let Snapshot { desk, roster, .. } = &self.snapshot;
        let context = access_context(self.actor, desk, roster, self.organization.as_ref());
        role::scope(self.actor, permission, &context)
    }

    /// Whether the actor may see a case: in scope, or offered to them; requesters
    /// see neither spam nor what was deleted.
    fn sees(&self, case: &Case) -> bool {
        let permits = self.scope(Permission::Read).permits(&case.ticket) || is_offered(self, case);
        permits && (case.ticket.is_live() || !self.is_outside())
    }

    /// Refuses an actor who may do this nowhere.
    pub(crate) fn require(&self, permission: Permission) -> Result<Scope> {
        match self.scope(permission) {
            Scope::None => {
                let message = format!("the actor may not `{permission}`");
                Err(Rejection::new(Code::Forbidden, message).into())
            }
            scope => Ok(scope),
        }
    }

    /// The journal and what the desk watches name notes and agents: nothing of
    /// them is for requesters.
    pub(crate) fn for_agents(&self, case: &Case) -> Result<()> {
        if self.is_outside() || !self.scope(Permission::ReadNotes).permits(&case.ticket) {
            return Err(Rejection::new(Code::Forbidden, "this is for agents").into());
        }
        Ok(())
    }

    /// Whether the actor is none of the desk's own people.
    pub(crate) fn is_outside(&self) -> bool {
        matches!(self.actor.kind, ActorKind::Visitor | ActorKind::Requester)
    }

    /// A case as the actor may see it.
    pub(crate) fn view(&self, case: Case, version: u64) -> OneTicket {
        if !self.is_outside() {
            return OneTicket::Full(TicketView::new(case, version));
        }
        OneTicket::Public(self.public_view(&case.ticket, version))
    }

    fn public_view(&self, ticket: &Ticket, version: u64) -> RequesterTicketView {
        let desk = &self.snapshot.desk;
        let is_public =
            |key: &Key| desk.field(FieldOwner::Ticket, key).is_some_and(|field| field.public);
        RequesterTicketView::new(ticket, version, is_public)
    }

    /// The condition of a query, checked against the desk.
    pub(crate) fn condition(&self, which: &Which) -> Result<Condition> {
        let desk = &self.snapshot.desk;
        let mut parts = Vec::new();
        if let Some(key) = &which.view {
            let Some(view) = desk.view(key) else {
                let message = format!("the desk has no view `{key}`");
                return Err(Rejection::at(Code::NotConfigured, "view", message).into());
            };
            parts.push(view.condition.clone());
        }
        if let Some(source) = &which.condition {
            let parsed = source.parse(desk.condition_schema()).map_err(|faults| {
                let under = |fault: Fault| fault.under("condition");
                Rejection::many(faults.into_iter().map(under).collect())
            })?;
            parts.push(parsed);
        }
        if self.is_outside() && parts.iter().any(looks_inside) {
            let message = "requesters ask by what they see: status, priority, type, subject, times";
            return Err(Rejection::at(Code::Forbidden, "condition", message).into());
        }
        Ok(match parts.len() {
            0 => Condition::Always,
            1 => parts.remove(0),
            _ => Condition::All(parts),
        })
    }
}

/// Whether a condition asks for what requesters do not see, and so would tell it.
pub(crate) fn looks_inside(condition: &Condition) -> bool {
    use helpdesk_core::condition::Field;
    condition.leaves().iter().any(|leaf| {
        !matches!(
            leaf.field(),
            Field::Status
                | Field::StatusCategory
                | Field::Priority
                | Field::Type
                | Field::Channel
                | Field::Requester
                | Field::Organization
                | Field::Subject
                | Field::Body
                | Field::Text
                | Field::CreatedAt
                | Field::SolvedAt
                | Field::LastRequesterAt
        )
    })
}

/// The size of a page that was asked for.
pub(crate) fn page_size(limit: Option<usize>) -> Result<usize> {
    match limit.unwrap_or(PAGE_DEFAULT) {
        0 => Err(Rejection::at(Code::Invalid, "limit", "take 1 at least").into()),
        n if n > PAGE_MAX => {
            let message = format!("{n} rows, at most {PAGE_MAX}");
            Err(Rejection::at(Code::OverLimit, "limit", message).into())
        }
        n => Ok(n),
    }
}

fn no_ticket(name: &TicketName) -> crate::Error {
    let name = match name {
        TicketName::Id(id) => id.to_string(),
        TicketName::Number(number) => number.to_string(),
    };
    Rejection::at(Code::NotFound, "ticket", format!("no ticket `{name}`")).into()
}

impl Helpdesk {
    /// Answers a query, inside the actor's scope.
    ///
    /// Nothing outside the scope is returned, counted or told by an error:
    /// a ticket that the actor may not see is `not_found`.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`](crate::Error::Rejected) when the query does not fit,
    /// [`Error::Store`](crate::Error::Store) when the store failed.
    pub async fn query(&self, actor: &Actor, query: Query, now: DateTime<Utc>) -> Result<Answer> {
        let name = query.name();
        let span = tracing::debug_span!(
            "query",
            tenant = %actor.tenant,
            query = name,
            code = tracing::field::Empty,
        );
        let result = coded(span, self.answer(actor, query, now)).await;
        if result.as_ref().is_err_and(|error| error.code() == Code::Forbidden) {
            tracing::warn!(
                tenant = %actor.tenant, actor = ?actor.id, query = name, "access_denied"
            );
        }
        result
    }

    async fn answer(&self, actor: &Actor, query: Query, now: DateTime<Utc>) -> Result<Answer> {
        self.refresh_for(actor, &query).await?;
        let asking = self.asking(actor, now).await?;
        match query {
            Query::GetTicket { ticket } => {
                let (case, version) = self.seen(&asking, &ticket).await?;
                Ok(Answer::Ticket(asking.view(case, version)))
            }
            Query::Conversation { ticket, after, limit } => {
                self.conversation(&asking, &ticket, after, limit).await
            }
            Query::ListTickets(list) => self.list_tickets(&asking, &list).await,
            Query::CountTickets(which) => self.count_tickets(&asking, &which).await,
            Query::Board { which, by, limit } => self.board(&asking, &which, by, limit).await,
            Query::NextFor { agent } => self.next_for(&asking, agent).await,
            Query::CountFor { agent } => self.count_for(&asking, agent).await,
            Query::SearchTickets(search) => self.search_tickets(&asking, &search).await,
            Query::SimilarTickets { ticket, limit } => {
                self.similar_tickets(&asking, &ticket, limit).await
            }
            Query::History { ticket, after, limit } => {
                self.history(&asking, &ticket, after, limit).await
            }
            Query::ChangesSince { position, limit } => {
                self.changes_since(&asking, position, limit).await
            }
            Query::Explain { ticket } => self.explain(&asking, &ticket).await,
            Query::QueueState { queue } => self.queue_state(&asking, queue.as_ref()).await,
            Query::Clocks { ticket } => self.clocks(&asking, &ticket).await,
            Query::OnCall { schedule, at } => Self::on_call(&asking, &schedule, at),
            Query::Shifts { schedule, from, to } => Self::shifts(&asking, &schedule, from, to),
            Query::Workload { group } => asking.workload(group.as_ref()),
            Query::GetArticle { article } => self.get_article(&asking, &article).await,
            Query::ListArticles(list) => self.list_articles(&asking, &list).await,
            Query::SearchArticles(search) => self.search_articles(&asking, &search).await,
            Query::SuggestArticles(suggest) => self.suggest_articles(&asking, &suggest).await,
            Query::ArticleRevisions { article, after, limit } => {
                self.article_revisions(&asking, &article, after, limit).await
            }
            Query::Report(report) => self.report(&asking, &report).await,
            // What lasts anyhow is put aside, so that a short answer's future stays small.
            Query::KnowledgeReport(query) => Box::pin(self.knowledge_report(&asking, query)).await,
            Query::ExportPerson { contact } => {
                Ok(Answer::Person(self.export_person(&asking, contact).await?))
            }
            Query::ListDeadLetters { after, limit } => {
                self.list_dead_letters(&asking, after, limit).await
            }
            Query::PreviewConfig { document } => self.preview_config(&asking, &document).await,
            Query::WhatIf(what_if) => Box::pin(self.what_if(&asking, &what_if)).await,
            Query::RuleUsage { from, until } => self.rule_usage(&asking, from, until).await,
            Query::ExplainRules { ticket, rules } => {
                self.explain_rules(&asking, &ticket, &rules).await
            }
        }
    }

    pub(crate) async fn asking<'a>(
        &self,
        actor: &'a Actor,
        now: DateTime<Utc>,
    ) -> Result<Asking<'a>> {
        actor.check()?;
        let tenant = self.tenant(actor.tenant).await?;
        let mut snapshot = tenant.snapshot();
        if snapshot.config_version == 0 && self.inner.store.capabilities().is_shared {
            // Another engine may have applied the first one.
            self.refresh(tenant.id).await?;
            snapshot = tenant.snapshot();
        }
        if snapshot.config_version == 0 {
            return Err(no_tenant(actor.tenant).into());
        }
        let organization = match actor.organization {
            Some(id) => {
                let key = RecordKey::Stream(StreamId::organization(id));
                let found = self.inner.store.get(actor.tenant, &[key]).await?;
                found.into_iter().flatten().find_map(|stored| match stored.record {
                    Record::Organization(organization) => Some(*organization),
                    _ => None,
                })
            }
            None => None,
        };
        Ok(Asking { actor, snapshot, organization, now })
    }

    /// Refuses an actor who may give such a command nowhere.
    pub(crate) async fn check_permission(&self, actor: &Actor, command: &Command) -> Result<()> {
        // Who may do what needs no clock.
        let asking = self.asking(actor, DateTime::<Utc>::UNIX_EPOCH).await?;
        match command.permission() {
            Some(permission) => asking.require(permission).map(|_| ()),
            None => Ok(()),
        }
    }

    /// A case that the actor may see, and its version.
    pub(crate) async fn seen(&self, asking: &Asking<'_>, name: &TicketName) -> Result<(Case, u64)> {
        let key = match name {
            TicketName::Id(id) => RecordKey::Stream(StreamId::case(*id)),
            TicketName::Number(number) => {
                RecordKey::Unique(UniqueKey::Number { number: number.clone() })
            }
        };
        match self.inner.store.get_one(asking.actor.tenant, key).await? {
            Some(Stored { version, record: Record::Case(case) }) if asking.sees(&case) => {
                Ok((*case, version))
            }
            _ => Err(no_ticket(name)),
        }
    }

    async fn conversation(
        &self,
        asking: &Asking<'_>,
        name: &TicketName,
        after: u32,
        limit: Option<usize>,
    ) -> Result<Answer> {
        let limit = page_size(limit)?;
        let (case, _) = self.seen(asking, name).await?;
        let reads_notes = asking.scope(Permission::ReadNotes).permits(&case.ticket);
        let id = case.ticket.id;
        let mut messages = Vec::new();
        let mut next_seq = after.saturating_add(1);
        // Notes leave gaps in what requesters get: read on until the page is full.
        while next_seq <= case.ticket.counters.messages && messages.len() <= limit {
            let end =
                case.ticket.counters.messages.min(next_seq.saturating_add(PAGE_DEFAULT as u32));
            let keys: Vec<RecordKey> =
                (next_seq..=end).map(|seq| RecordKey::Message(id, seq)).collect();
            for stored in
                self.inner.store.get(asking.actor.tenant, &keys).await?.into_iter().flatten()
            {
                if let Record::Message(message) = stored.record
                    && (reads_notes || message.public().is_some())
                {
                    messages.push(*message);
                }
            }
            next_seq = end + 1;
        }
        let has_more = messages.len() > limit;
        messages.truncate(limit);
        let next = messages.last().filter(|_| has_more).map(|message| message.meta.seq.to_string());
        if reads_notes {
            return Ok(Answer::Conversation(Listed { rows: messages, next }));
        }
        let rows =
            messages.iter().filter_map(helpdesk_core::ticket::message::Message::public).collect();
        Ok(Answer::PublicConversation(Listed { rows, next }))
    }

    async fn list_tickets(&self, asking: &Asking<'_>, list: &ListTickets) -> Result<Answer> {
        let mut query = list_query(asking, &list.which)?;
        query.limit = page_size(list.limit)?;
        query.order = order_of(asking, list);
        if asking.is_outside() && query.order.by == OrderBy::DueAt {
            let message = "requesters do not see when tickets are due";
            return Err(Rejection::at(Code::Forbidden, "order", message).into());
        }
        query.after = list.after.clone().map(Cursor);
        if !asking.is_outside() {
            query.projection = list.projection;
        }
        let page = self.inner.store.list(&query).await?;
        Ok(Answer::Tickets(listed(asking, page)))
    }

    async fn count_tickets(&self, asking: &Asking<'_>, which: &Which) -> Result<Answer> {
        let query = count_query(asking, which, CountBy::Nothing)?;
        let bucket = self.inner.store.count(&query).await?.into_iter().next();
        let (n, capped) = bucket.map_or((0, false), |bucket| (bucket.n, bucket.capped));
        Ok(Answer::Count(Counted { n, capped }))
    }
}

/// Whether the ticket is offered to the actor, who may be of another group then.
fn is_offered(asking: &Asking<'_>, case: &Case) -> bool {
    case.offer.as_ref().is_some_and(|offer| Some(offer.agent) == asking.actor.agent_id())
}

/// The list of the tickets that a query is about, inside the actor's scope.
pub(crate) fn list_query(asking: &Asking<'_>, which: &Which) -> Result<ListQuery> {
    let shelf = shelf_of(asking, which)?;
    let tenant = asking.actor.tenant;
    let mut query = ListQuery::all(tenant, ListKind::Cases(shelf), asking.now, PAGE_MAX);
    query.scope = asking.scope(Permission::Read);
    query.condition = asking.condition(which)?;
    query.terms = asking.snapshot.desk.terms().clone();
    Ok(query)
}

/// The count of the tickets that a query is about, inside the actor's scope.
pub(crate) fn count_query(asking: &Asking<'_>, which: &Which, by: CountBy) -> Result<CountQuery> {
    let mut query = CountQuery::all(asking.actor.tenant, by, asking.now);
    query.shelf = shelf_of(asking, which)?;
    query.scope = asking.scope(Permission::Read);
    query.condition = asking.condition(which)?;
    query.terms = asking.snapshot.desk.terms().clone();
    query.cap = COUNT_MAX;
    Ok(query)
}

fn shelf_of(asking: &Asking<'_>, which: &Which) -> Result<Shelf> {
    if which.shelf != Shelf::Live && asking.is_outside() {
        return Err(
            Rejection::at(Code::Forbidden, "shelf", "requesters see live tickets only").into()
        );
    }
    Ok(which.shelf)
}

fn order_of(asking: &Asking<'_>, list: &ListTickets) -> Order {
    let view = list.which.view.as_ref().and_then(|key| asking.snapshot.desk.view(key));
    let by = list.order.or(view.map(|view| view.order)).unwrap_or(OrderBy::Number);
    let direction = list.direction.or(view.map(|view| view.direction)).unwrap_or_default();
    Order { by, direction }
}

/// A page of cases as the actor may see them.
pub(crate) fn listed(asking: &Asking<'_>, page: Page<Stored>) -> Listed<OneTicket> {
    let rows = page.rows.into_iter().filter_map(|stored| match stored.record {
        Record::Case(case) => Some(asking.view(*case, stored.version)),
        Record::Summary(summary) => {
            Some(OneTicket::Summary(TicketSummary { summary: *summary, version: stored.version }))
        }
        _ => None,
    });
    Listed { rows: rows.collect(), next: page.next.map(|cursor| cursor.0) }
}
