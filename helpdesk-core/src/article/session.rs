//! What somebody looked for in the knowledge base, read, and did then.

use crate::id::{ArticleId, SearchSessionId, TicketId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A session: one visit to the knowledge base, its searches, and what came of them.
///
/// It names no person, whoever searched: what was searched is kept, and the ticket that was
/// opened after all. It is versioned and has no events, as no ticket depends on it.
/// Source: spec/search.md §1, "Deflection and gaps".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchSession {
    /// Its id.
    pub id: SearchSessionId,
    /// When its first step was recorded.
    pub began_at: DateTime<Utc>,
    /// What was searched, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub searches: Vec<Search>,
    /// What was said of articles; of each article once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub votes: Vec<SessionVote>,
    /// The first ticket that was opened after all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<TicketId>,
}

/// One search of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// What was searched; empty once the person was erased whose ticket the session led to.
    pub text: String,
    /// How many articles were found.
    pub n_found: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// The articles that were opened of what it found; each once, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clicks: Vec<ArticleId>,
}

/// Whether an article helped, as was said in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionVote {
    /// Of which article.
    pub article: ArticleId,
    /// Whether it did.
    pub helpful: bool,
}

impl SearchSession {
    /// A session in which nothing was done yet.
    #[must_use]
    pub fn new(id: SearchSessionId, began_at: DateTime<Utc>) -> Self {
        Self { id, began_at, searches: Vec::new(), votes: Vec::new(), ticket: None }
    }

    /// Notes what was said of an article; the newest vote stands.
    pub fn vote(&mut self, article: ArticleId, helpful: bool) {
        self.votes.retain(|vote| vote.article != article);
        self.votes.push(SessionVote { article, helpful });
    }

    /// Whether something that was found was opened.
    #[must_use]
    pub fn has_click(&self) -> bool {
        self.searches.iter().any(|search| !search.clicks.is_empty())
    }
}
