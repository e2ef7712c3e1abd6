//! How well the knowledge base answers: sessions, articles, and tickets that no article answers.

use crate::answer::Asking;
use crate::engine::Helpdesk;
use crate::error::Result;
use helpdesk_core::access::permission::Permission;
use helpdesk_core::access::scope::Scope;
use helpdesk_core::case::record::{Record, RecordKey};
use helpdesk_core::event::StreamKind;
use helpdesk_core::fault::Rejection;
use helpdesk_core::id::{TicketId, TicketNumber};
use helpdesk_core::limit::PAGE_MAX;
use helpdesk_core::query::Answer;
use helpdesk_core::report::{KnowledgeQuery, KnowledgeReporter, TopicGap};
use helpdesk_core::ticket::Ticket;
use helpdesk_core::ticket::message::MessageKind;
use helpdesk_core::view::{Direction, OrderBy};
use helpdesk_search::{ArticleIndex, ArticleQuery, Asker, FullTextIndex, TopicFinder};
use helpdesk_storage::{ListKind, ListQuery, Order, Pages, Shelf, StoreExt};
use std::collections::BTreeMap;

/// Tickets among which topics are looked for: the newest.
const TOPIC_TICKETS_MAX: usize = 2_000;
/// Tickets that make a topic.
const TOPIC_TICKETS_MIN: usize = 3;
/// Articles of which one may answer a ticket.
const ARTICLES_ASKED: usize = 3;
/// Tickets that are named of each topic.
const EXAMPLES: usize = 3;

impl Helpdesk {
    pub(crate) async fn knowledge_report(
        &self,
        asking: &Asking<'_>,
        query: KnowledgeQuery,
    ) -> Result<Answer> {
        let scope = asking.require(Permission::Report)?;
        let faults = query.check();
        if !faults.is_empty() {
            return Err(Rejection::many(faults).into());
        }
        let topics = match self.inner.article_index.as_deref() {
            Some(index) => {
                let tickets = self.opened_in(asking, scope, &query).await?;
                Some(self.topics(asking, index, &tickets, query.rows()).await?)
            }
            None => None,
        };
        let mut reporter = KnowledgeReporter::new(query);
        // Articles come after all sessions: what sessions came to is said of each.
        for kind in [StreamKind::SearchSession, StreamKind::Article] {
            let kind = ListKind::Things(kind);
            let list = ListQuery::all(asking.actor.tenant, kind, asking.now, PAGE_MAX);
            let mut pages = Pages::new(list);
            while let Some(rows) = pages.next(&*self.inner.store).await? {
                for stored in &rows {
                    match &stored.record {
                        Record::SearchSession(session) => reporter.session(session),
                        Record::Article(article) => reporter.article(article),
                        _ => {}
                    }
                }
            }
        }
        Ok(Answer::KnowledgeReport(reporter.finish(topics)))
    }

    /// The newest tickets of the time that is asked for, as far as the actor may see them.
    async fn opened_in(
        &self,
        asking: &Asking<'_>,
        scope: Scope,
        query: &KnowledgeQuery,
    ) -> Result<Vec<Ticket>> {
        let kind = ListKind::Cases(Shelf::Live);
        let mut list = ListQuery::all(asking.actor.tenant, kind, asking.now, PAGE_MAX);
        list.scope = Scope::And(vec![scope, asking.scope(Permission::Read)]);
        list.order = Order { by: OrderBy::CreatedAt, direction: Direction::Descending };
        let mut tickets = Vec::new();
        let mut pages = Pages::new(list);
        while let Some(rows) = pages.next(&*self.inner.store).await? {
            for stored in rows {
                let Record::Case(case) = stored.record else { continue };
                let opened_at = case.ticket.times.created_at;
                if opened_at < query.from || tickets.len() == TOPIC_TICKETS_MAX {
                    return Ok(tickets);
                }
                if query.covers(opened_at) {
                    tickets.push(case.ticket);
                }
            }
        }
        Ok(tickets)
    }

    /// What these tickets are about and no article.
    async fn topics(
        &self,
        asking: &Asking<'_>,
        index: &FullTextIndex,
        tickets: &[Ticket],
        limit: usize,
    ) -> Result<Vec<TopicGap>> {
        let texts = self.first_texts(asking, tickets).await?;
        let spoken = asking.snapshot.desk.default_language();
        let languages = tickets.iter().map(|ticket| ticket.language.as_deref().unwrap_or(spoken));
        let mut finder = TopicFinder::new(TOPIC_TICKETS_MIN, languages.zip(&texts));
        let tenant = asking.actor.tenant;
        for at in 0..finder.len() {
            let question = finder.question(at);
            if question.is_empty() {
                continue;
            }
            let question = ArticleQuery::new(tenant, Asker::Agent, question)
                .with_page(0, ARTICLES_ASKED)
                .with_synonyms(asking.snapshot.synonyms.clone());
            let hits = index.search(&question)?;
            for hit in &hits.hits {
                finder.answer(at, hit.why.iter().map(|found| found.word.as_str()));
            }
        }
        let gaps = finder.finish().into_iter().take(limit).map(|topic| {
            let numbers = topic.texts.iter().filter_map(|at| tickets.get(*at));
            let examples: Vec<TicketNumber> =
                numbers.take(EXAMPLES).map(|ticket| ticket.number.clone()).collect();
            TopicGap { words: topic.words, tickets: topic.texts.len() as u64, examples }
        });
        Ok(gaps.collect())
    }

    /// Subject and first message of each ticket; of a note only the subject.
    async fn first_texts(&self, asking: &Asking<'_>, tickets: &[Ticket]) -> Result<Vec<String>> {
        let mut first: BTreeMap<TicketId, String> = BTreeMap::new();
        let key = |ticket: &Ticket| RecordKey::Message(ticket.id, 1);
        let keys: Vec<RecordKey> = tickets.iter().map(key).collect();
        let found = self.inner.store.get_all(asking.actor.tenant, &keys).await?;
        for stored in found.into_iter().flatten() {
            if let Record::Message(message) = stored.record
                && message.meta.kind == MessageKind::PublicReply
            {
                first.insert(message.ticket_id, message.text);
            }
        }
        let text = |ticket: &Ticket| {
            let first = first.remove(&ticket.id).unwrap_or_default();
            format!("{}\n{first}", ticket.subject)
        };
        Ok(tickets.iter().map(text).collect())
    }
}
