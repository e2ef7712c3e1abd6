//! What an index of articles does, and how it is asked.

use crate::asker::Asker;
use crate::hits::Hits;
use helpdesk_core::article::Article;
use helpdesk_core::id::{ArticleId, TenantId};
use helpdesk_core::limit::PAGE_MAX;
use std::fmt::Debug;
use thiserror::Error;

/// Hits of a page unless the question says otherwise.
pub const HITS_DEFAULT: usize = 10;

/// A question to an index of articles.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArticleQuery {
    /// Whose articles.
    pub tenant: TenantId,
    /// Who asks.
    pub asker: Asker,
    /// What is asked: words, in any case and order. Without a word nothing is found.
    pub text: String,
    /// Hits to pass over: those of earlier pages.
    pub offset: usize,
    /// Hits of a page; more than [`PAGE_MAX`] counts as that many, and 0 asks for
    /// the total alone.
    pub limit: usize,
}

impl ArticleQuery {
    /// The first page, of [`HITS_DEFAULT`] hits.
    #[must_use]
    pub fn new(tenant: TenantId, asker: Asker, text: impl Into<String>) -> Self {
        Self { tenant, asker, text: text.into(), offset: 0, limit: HITS_DEFAULT }
    }

    /// Another page: at most `limit` hits after the first `offset`.
    #[must_use]
    pub fn with_page(mut self, offset: usize, limit: usize) -> Self {
        self.offset = offset;
        self.limit = limit.min(PAGE_MAX);
        self
    }
}

/// Why an index did not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SearchError {
    /// The index failed; try again, and rebuild it from the store if that fails too.
    #[error("the {index} index failed")]
    Index {
        /// Which.
        index: &'static str,
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// An index of the articles of all tenants.
///
/// # Contract
///
/// - Only articles that [`Asker::permits`] have a part in an answer: in hits,
///   totals, counts and scores. Leaving the others out of the index changes nothing.
/// - No tenant's articles have a part in another's answer.
/// - A change shows in every question asked after its call has returned.
/// - The same articles and the same question give the same answer, in whatever
///   order the articles came in.
///
/// Source: spec/search.md, "What it offers".
pub trait ArticleIndex: Send + Sync + Debug {
    /// Takes an article in, in the place of the one with the same id. Of any state:
    /// one that is not published is not found. The last call stands; revisions
    /// are not compared.
    ///
    /// # Errors
    ///
    /// [`SearchError::Index`]; the article may have been taken in or not.
    fn upsert(&self, tenant: TenantId, article: &Article) -> Result<(), SearchError>;

    /// Forgets an article. No error when there is none.
    ///
    /// # Errors
    ///
    /// [`SearchError::Index`]; the article may have been forgotten or not.
    fn delete(&self, tenant: TenantId, id: ArticleId) -> Result<(), SearchError>;

    /// One page of the articles that fit the question, and how many there are.
    ///
    /// # Errors
    ///
    /// [`SearchError::Index`].
    fn search(&self, query: &ArticleQuery) -> Result<Hits, SearchError>;

    /// How many articles the asker may find.
    ///
    /// # Errors
    ///
    /// [`SearchError::Index`].
    fn n_articles(&self, tenant: TenantId, asker: &Asker) -> Result<usize, SearchError>;
}
