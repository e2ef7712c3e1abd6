//! How well the knowledge base answers: what sessions came to, and what is lacking.
//!
//! A [`KnowledgeReporter`] is told the sessions and then the articles that are out; what
//! comes out is a [`Funnel`] and lists of gaps, the worst first. Source: spec/search.md §1,
//! "Deflection and gaps".

use crate::article::{ArticleMeta, SearchSession};
use crate::condition::{FoldOptions, fold};
use crate::fault::Fault;
use crate::id::{ArticleId, Key, TicketNumber};
use crate::limit::PAGE_MAX;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Rows of each list of gaps unless a query says.
const GAPS_DEFAULT: usize = 20;

/// Which sessions and tickets to report on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnowledgeQuery {
    /// Sessions that began, and tickets that were opened, from this instant on.
    pub from: DateTime<Utc>,
    /// Before this instant; later than `from`.
    pub to: DateTime<Utc>,
    /// Rows of each list of gaps at most; 20 when absent, 1,000 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

impl KnowledgeQuery {
    /// Everything wrong with the query; empty when it can be asked.
    #[must_use]
    pub fn check(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.to <= self.from {
            faults.push(Fault::invalid("to", "`to` comes after `from`"));
        }
        match self.limit {
            Some(0) => faults.push(Fault::invalid("limit", "take 1 at least")),
            Some(n) if n > PAGE_MAX => {
                faults.push(Fault::over_limit("limit", n, "rows", PAGE_MAX));
            }
            _ => {}
        }
        faults
    }

    /// Rows of each list at most.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.limit.unwrap_or(GAPS_DEFAULT)
    }

    /// Whether an instant lies in the time that is asked for.
    #[must_use]
    pub fn covers(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && at < self.to
    }
}

/// What sessions with a search came to, each counted once a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Funnel {
    /// Sessions in which something was searched.
    pub sessions: u64,
    /// In which a search found something.
    pub with_result: u64,
    /// In which something that was found was opened.
    pub with_click: u64,
    /// In which an article was said to help.
    pub helped: u64,
    /// After which a ticket was opened all the same.
    pub with_ticket: u64,
    /// In which something was opened, and after which no ticket was.
    pub deflected: u64,
    /// Searches of all these sessions.
    pub searches: u64,
    /// Searches that found nothing.
    pub searches_without_result: u64,
    /// Searches of whose results nothing was opened.
    pub searches_without_click: u64,
}

/// A search that led to nothing, however often it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SearchGap {
    /// What was searched, as one wrote it; other cases and spaces count as the same.
    pub text: String,
    /// How often.
    pub searches: u64,
    /// In how many sessions.
    pub sessions: u64,
    /// After how many of these a ticket was opened.
    pub tickets: u64,
}

/// An article that nobody finds helpful: more people said that it did not help than that it
/// did, or nobody said that it did and sessions in which it was opened ended in a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArticleGap {
    /// Which.
    pub article: ArticleId,
    /// What its translations share.
    pub key: Key,
    /// Its language.
    pub language: String,
    /// People whom it helped, whenever that was.
    pub helpful: u32,
    /// People whom it did not.
    pub unhelpful: u32,
    /// Sessions in which it was opened.
    pub opened: u64,
    /// After how many of these a ticket was opened.
    pub tickets: u64,
}

/// What many tickets are about, and no article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TopicGap {
    /// The words that tell these tickets from others, the strongest first.
    pub words: Vec<String>,
    /// How many tickets.
    pub tickets: u64,
    /// Some of them, the newest first.
    pub examples: Vec<TicketNumber>,
}

/// How well the knowledge base answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnowledgeReport {
    /// What sessions came to.
    pub funnel: Funnel,
    /// Searches that found nothing, the most frequent first.
    pub without_result: Vec<SearchGap>,
    /// Searches that found something of which nothing was opened, the most frequent first.
    pub without_click: Vec<SearchGap>,
    /// Articles that nobody finds helpful: by people whom they did not help beyond those
    /// whom they did, then by tickets.
    pub unhelpful: Vec<ArticleGap>,
    /// Topics of tickets that no article answers, the most frequent first; absent where the
    /// engine has no index of articles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topics: Option<Vec<TopicGap>>,
}

/// Counts sessions and articles.
///
/// First [`session`](Self::session) for each session there is, in any order, then
/// [`article`](Self::article) for each article, then [`finish`](Self::finish).
///
/// ```
/// use helpdesk_core::article::{Search, SearchSession};
/// use helpdesk_core::id::SearchSessionId;
/// use helpdesk_core::report::{KnowledgeQuery, KnowledgeReporter};
/// let (from, to) = ("2026-11-01T00:00:00Z".parse()?, "2026-12-01T00:00:00Z".parse()?);
/// let mut reporter = KnowledgeReporter::new(KnowledgeQuery { from, to, limit: None });
/// let mut session = SearchSession::new(SearchSessionId(uuid::Uuid::from_u128(1)), from);
/// let text = "warranty".to_owned();
/// session.searches.push(Search { text, n_found: 0, at: from, clicks: Vec::new() });
/// reporter.session(&session);
/// let report = reporter.finish(None);
/// assert_eq!((report.funnel.sessions, report.funnel.with_result), (1, 0));
/// assert_eq!(report.without_result[0].text, "warranty");
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Debug)]
pub struct KnowledgeReporter {
    query: KnowledgeQuery,
    funnel: Funnel,
    without_result: BTreeMap<String, SearchGap>,
    without_click: BTreeMap<String, SearchGap>,
    /// Sessions in which an article was opened, and those of them that ended in a ticket.
    opened: BTreeMap<ArticleId, (u64, u64)>,
    unhelpful: Vec<ArticleGap>,
}

impl KnowledgeReporter {
    /// Counts nothing yet.
    #[must_use]
    pub fn new(query: KnowledgeQuery) -> Self {
        Self {
            query,
            funnel: Funnel::default(),
            without_result: BTreeMap::new(),
            without_click: BTreeMap::new(),
            opened: BTreeMap::new(),
            unhelpful: Vec::new(),
        }
    }

    /// Takes a session in, if it began in the time that is asked for and something was searched.
    pub fn session(&mut self, session: &SearchSession) {
        if !self.query.covers(session.began_at) || session.searches.is_empty() {
            return;
        }
        let has_click = session.has_click();
        let has_ticket = session.ticket.is_some();
        let funnel = &mut self.funnel;
        funnel.sessions += 1;
        funnel.with_result += u64::from(session.searches.iter().any(|search| search.n_found > 0));
        funnel.with_click += u64::from(has_click);
        funnel.helped += u64::from(session.votes.iter().any(|vote| vote.helpful));
        funnel.with_ticket += u64::from(has_ticket);
        funnel.deflected += u64::from(has_click && !has_ticket);
        let (mut seen_empty, mut seen_unopened) = (BTreeSet::new(), BTreeSet::new());
        for search in &session.searches {
            funnel.searches += 1;
            let (gaps, seen) = if search.n_found == 0 {
                funnel.searches_without_result += 1;
                (&mut self.without_result, &mut seen_empty)
            } else if search.clicks.is_empty() {
                funnel.searches_without_click += 1;
                (&mut self.without_click, &mut seen_unopened)
            } else {
                continue;
            };
            // Whoever searched was erased.
            if search.text.is_empty() {
                continue;
            }
            let key = same_search(&search.text);
            let is_first = seen.insert(key.clone());
            let gap = gaps.entry(key).or_insert_with(|| SearchGap {
                text: search.text.clone(),
                searches: 0,
                sessions: 0,
                tickets: 0,
            });
            gap.searches += 1;
            gap.sessions += u64::from(is_first);
            gap.tickets += u64::from(is_first && has_ticket);
        }
        let opened: BTreeSet<ArticleId> =
            session.searches.iter().flat_map(|search| &search.clicks).copied().collect();
        for article in opened {
            let (n_opened, n_tickets) = self.opened.entry(article).or_default();
            *n_opened += 1;
            *n_tickets += u64::from(has_ticket);
        }
    }

    /// Takes an article in; one that is not out is no gap.
    pub fn article(&mut self, article: &ArticleMeta) {
        if article.published.is_none() {
            return;
        }
        let (opened, tickets) = self.opened.get(&article.id).copied().unwrap_or_default();
        let (helpful, unhelpful) = (article.n_helpful, article.n_unhelpful);
        if unhelpful > helpful || (helpful == 0 && tickets > 0) {
            self.unhelpful.push(ArticleGap {
                article: article.id,
                key: article.key.clone(),
                language: article.language.clone(),
                helpful,
                unhelpful,
                opened,
                tickets,
            });
        }
    }

    /// The report, with the topics of tickets that were found elsewhere.
    #[must_use]
    pub fn finish(mut self, topics: Option<Vec<TopicGap>>) -> KnowledgeReport {
        let rows = self.query.rows();
        let sorted = |gaps: BTreeMap<String, SearchGap>| {
            let mut gaps: Vec<(String, SearchGap)> = gaps.into_iter().collect();
            gaps.sort_by(|(a_key, a), (b_key, b)| {
                let rank = |gap: &SearchGap| Reverse((gap.searches, gap.sessions, gap.tickets));
                (rank(a), a_key).cmp(&(rank(b), b_key))
            });
            gaps.into_iter().take(rows).map(|(_, gap)| gap).collect()
        };
        self.unhelpful.sort_by_key(|gap| {
            let beyond = i64::from(gap.unhelpful) - i64::from(gap.helpful);
            (Reverse(beyond), Reverse(gap.tickets), gap.article)
        });
        self.unhelpful.truncate(rows);
        KnowledgeReport {
            funnel: self.funnel,
            without_result: sorted(self.without_result),
            without_click: sorted(self.without_click),
            unhelpful: self.unhelpful,
            topics,
        }
    }
}

/// What makes two searches the same: their words, whatever case and spaces.
fn same_search(text: &str) -> String {
    let folded = fold(text, FoldOptions::default());
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}
